//! Where a message came from or goes to. Belongs here: the address value. Not here: sockets (`net`).

pub use crate::config::settings::Transport;

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// One path to a peer. For UDP: our socket and the peer's address. For streams `connection` names the connection
/// (0: none yet; the shell connects on first use and keeps it for that remote).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Flow {
    pub transport: Transport,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub connection: u64,
}

/// Bytes to put on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transmit {
    pub flow: Flow,
    pub bytes: Vec<u8>,
}

/// Where peers reach us by one transport: our address in Via and Contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    pub transport: Transport,
    pub address: SocketAddr,
}

/// Who stands behind an address, to be counted as one: an IPv6 host has a whole /64.
pub fn holder(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) & (u128::MAX << 64)).into(),
        v4 => v4,
    }
}
