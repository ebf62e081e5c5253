//! Settings of the pages at the seats.

use crate::ids::AgentNo;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagesSettings {
    /// By TLS with the certificate of `[tls]`, but on loopback without one if there is none.
    pub listen: SocketAddr,
    /// Whoever signed in has to do it again after this: a shift.
    pub session: Duration,
    /// Argon2 hashes (PHC strings) of those who may sign in on a page.
    pub passwords: BTreeMap<AgentNo, String>,
}
