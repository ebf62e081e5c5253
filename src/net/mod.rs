//! SIP sockets: datagrams and framed streams in, bytes out. Belongs here: binding, reading, writing, cutting streams, TLS,
//! WebSocket.
//! Not here: what a message means (`sip`), the loop that reads these sockets (`runtime`).

pub mod connection;
pub mod dns;
mod frames;
pub mod streams;
pub mod tls;
pub mod udp;
pub mod websocket;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// A port could not be opened.
#[derive(Debug)]
pub struct BindError {
    pub what: &'static str,
    pub address: SocketAddr,
    pub source: std::io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let advice = match self.source.kind() {
            std::io::ErrorKind::AddrInUse => "another program uses it; stop that one or configure another port",
            std::io::ErrorKind::AddrNotAvailable => "this machine has no such address; see `ip addr`",
            std::io::ErrorKind::PermissionDenied => "ports below 1024 need CAP_NET_BIND_SERVICE",
            _ => "check the [sip] section of the configuration",
        };
        write!(f, "cannot listen on {} {}: {} ({advice})", self.what, self.address, self.source)
    }
}

impl std::error::Error for BindError {}

/// The address peers see: a wildcard socket is reached at the media address of its family.
fn advertised(bound: SocketAddr, media_v4: Option<IpAddr>, media_v6: Option<IpAddr>) -> SocketAddr {
    let instead = if bound.is_ipv4() { media_v4 } else { media_v6 };
    match instead {
        Some(ip) if bound.ip().is_unspecified() => SocketAddr::new(ip, bound.port()),
        _ => bound,
    }
}
