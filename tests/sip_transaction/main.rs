//! The transaction layer (RFC 3261 s17, s18, s9; RFC 6026): each machine as a table, the endpoint as its user and its
//! peers see it, and both under random traffic.

mod chaos;
mod client_side;
mod robustness;
mod server_side;
mod support;
mod tables;
