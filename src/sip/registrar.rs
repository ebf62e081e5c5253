//! The registrar (RFC 3261 s10).
