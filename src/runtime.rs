//! The loop around the gateway, and the graceful drain.
