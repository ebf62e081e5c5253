//! SIP as this gateway speaks it (RFC 3261 and the RFCs each file names). Pure: no sockets, clock or randomness.

pub mod body;
pub mod dialog;
pub mod digest;
pub mod endpoint;
pub mod flow;
pub mod framing;
pub mod message;
pub mod reason;
pub mod registrar;
pub mod session;
pub mod tokens;
pub mod transaction;
