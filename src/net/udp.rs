//! SIP over UDP (RFC 3261 s18): one non-blocking socket per configured address.

use super::{BindError, advertised};
use crate::sip::flow::{Flow, Transport};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Room for a burst while the loop is busy: about 3,000 INVITEs.
const BUFFER: usize = 4 << 20;

#[derive(Debug)]
pub struct UdpPort {
    socket: UdpSocket,
    /// Our address in Via and Contact, and `Flow::local`.
    advertised: SocketAddr,
}

impl UdpPort {
    pub fn bind(address: SocketAddr, media_v4: Option<IpAddr>, media_v6: Option<IpAddr>) -> Result<UdpPort, BindError> {
        let open = || -> io::Result<UdpSocket> {
            let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
            if address.is_ipv6() {
                socket.set_only_v6(true)?;
            }
            // The kernel may grant less; a smaller buffer only means earlier retransmissions under a burst.
            let _ = socket.set_recv_buffer_size(BUFFER);
            let _ = socket.set_send_buffer_size(BUFFER);
            socket.set_nonblocking(true)?;
            socket.bind(&address.into())?;
            Ok(socket.into())
        };
        let socket = open().map_err(|source| BindError { what: "SIP/UDP", address, source })?;
        let bound = socket.local_addr().map_err(|source| BindError { what: "SIP/UDP", address, source })?;
        Ok(UdpPort { socket, advertised: advertised(bound, media_v4, media_v6) })
    }

    pub fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    pub fn advertised(&self) -> SocketAddr {
        self.advertised
    }

    /// One datagram, or `None` when there is none now.
    pub fn receive<'b>(&self, buffer: &'b mut [u8]) -> Option<(Flow, &'b [u8])> {
        loop {
            match self.socket.recv_from(buffer) {
                Ok((n, remote)) => {
                    let flow = Flow { transport: Transport::Udp, local: self.advertised, remote, connection: 0 };
                    return Some((flow, &buffer[..n]));
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return None,
                // An ICMP error of an earlier send; the next read goes on.
                Err(_) => continue,
            }
        }
    }

    /// What a full buffer or a firewall swallows is lost as on the network, and SIP repeats it; an error is an address
    /// that cannot be reached at all.
    pub fn send(&self, bytes: &[u8], remote: SocketAddr) -> io::Result<()> {
        match self.socket.send_to(bytes, remote) {
            Ok(_) => Ok(()),
            Err(e) if unreachable(&e) => Err(e),
            Err(_) => Ok(()),
        }
    }
}

fn unreachable(e: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(e.kind(), Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::AddrNotAvailable | Kind::InvalidInput)
}
