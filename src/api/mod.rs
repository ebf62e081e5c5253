//! HTTP: /metrics, /healthz.
pub mod metrics;
