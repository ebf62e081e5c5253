//! Where a message came from or goes to. Belongs here: the address value. Not here: sockets (`net`).

pub use crate::config::settings::Transport;

use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// One path to a peer. For UDP: our socket and the peer's address. For streams `connection` names the connection: one that
/// the far end opened has a number; one of ours, which the shell opens on first use and keeps for that remote, is 0, or
/// [`connection_to`] a name, so that two names at one address are two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Flow {
    pub transport: Transport,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub connection: u64,
}

/// Set in no number of a connection of theirs.
const NAMED: u64 = 1 << 63;

/// `connection` of a stream of ours over TLS whose far end must prove this name (RFC 5922 s7.1). With 0 it proves its
/// address.
pub fn connection_to(name: &str) -> u64 {
    // FNV-1a: the names of one configuration are a handful, and nobody else chooses them.
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x100_0000_01b3);
    NAMED | name.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

impl Flow {
    /// A connection of ours can be had again; one of theirs is gone when it is gone.
    pub fn is_ours(&self) -> bool {
        self.connection == 0 || self.connection & NAMED != 0
    }
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
