//! The pool of RTP/RTCP port pairs, bound once at start and kept for life: so opening a leg costs no system call and
//! cannot fail. Belongs here: binding, the file limit, which socket serves which address. Not here: who uses which port
//! (the gateway says), reading (`shard`). (RFC 3550 s11: even port for RTP, the next for RTCP.)

use super::MediaStartError;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// File descriptors left for everything that is not media: SIP, HTTP, database, logs.
const OTHER_FILES: u64 = 1_024;
/// DSCP "expedited forwarding" in the traffic class octet (RFC 3246): voice is told from data in routers.
const EXPEDITED: u32 = 0xB8;

/// Which of a pair's up to four sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Rtp,
    Rtcp,
}

/// One even port and the next, on one or both address families.
#[derive(Debug)]
pub struct PortPair {
    pub port: u16,
    v4: Option<[UdpSocket; 2]>,
    v6: Option<[UdpSocket; 2]>,
}

impl PortPair {
    /// The socket to reach `to` from; `None`: that address family is not configured.
    pub fn towards(&self, to: SocketAddr, what: Use) -> Option<&UdpSocket> {
        let family = if to.is_ipv4() { &self.v4 } else { &self.v6 };
        family.as_ref().map(|sockets| &sockets[what as usize])
    }

    /// Every socket, with the number that [`PortPair::by_index`] knows it by.
    pub fn sockets(&self) -> impl Iterator<Item = (u8, &UdpSocket)> {
        (0..4).filter_map(|index| self.by_index(index).map(|(socket, _)| (index, socket)))
    }

    pub fn by_index(&self, index: u8) -> Option<(&UdpSocket, Use)> {
        let family = if index < 2 { &self.v4 } else { &self.v6 };
        let (n, what) = if index & 1 == 0 { (0, Use::Rtp) } else { (1, Use::Rtcp) };
        family.as_ref().map(|sockets| (&sockets[n], what))
    }
}

/// Binds `pairs` pairs from `first_port` on. Raises the file limit before, if it must be.
pub fn bind(first_port: u16, pairs: u16, hosts: &[IpAddr]) -> Result<Vec<PortPair>, MediaStartError> {
    let last = u32::from(first_port) + 2 * u32::from(pairs);
    if first_port & 1 == 1 || first_port == 0 || pairs == 0 || last > 65_536 {
        return Err(MediaStartError::BadPool { first_port, pairs });
    }
    if hosts.is_empty() {
        return Err(MediaStartError::NoAddress);
    }
    raise_file_limit(2 * u64::from(pairs) * hosts.len() as u64)?;
    (0..pairs)
        .map(|n| {
            let port = first_port + 2 * n;
            let mut pair = PortPair { port, v4: None, v6: None };
            for &host in hosts {
                let sockets = Some([bind_one(host, port)?, bind_one(host, port + 1)?]);
                if host.is_ipv4() { pair.v4 = sockets } else { pair.v6 = sockets }
            }
            Ok(pair)
        })
        .collect()
}

pub fn bind_one(host: IpAddr, port: u16) -> Result<UdpSocket, MediaStartError> {
    let address = SocketAddr::new(host, port);
    let open = || -> io::Result<UdpSocket> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_nonblocking(true)?;
        // Only a wish: networks and containers may refuse it.
        if address.is_ipv6() {
            socket.set_only_v6(true)?;
            let _ = socket.set_tclass_v6(EXPEDITED);
        } else {
            let _ = socket.set_tos_v4(EXPEDITED);
        }
        socket.bind(&address.into())?;
        Ok(socket.into())
    };
    open().map_err(|error| MediaStartError::Bind { address, error })
}

fn raise_file_limit(sockets: u64) -> Result<(), MediaStartError> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = sockets + OTHER_FILES;
    if current.is_none_or(|now| now >= wanted) {
        return Ok(());
    }
    let granted = maximum.map_or(wanted, |max| wanted.min(max));
    if granted < sockets + OTHER_FILES / 8 {
        return Err(MediaStartError::FileLimit { sockets, maximum: granted });
    }
    let new = Rlimit { current: Some(granted), maximum };
    setrlimit(Resource::Nofile, new).map_err(|e| MediaStartError::System { what: "setrlimit", error: e.into() })?;
    tracing::info!(from = current, to = granted, sockets, "raised the open-file limit for the media ports");
    Ok(())
}
