//! HTTP: /metrics, /healthz.
