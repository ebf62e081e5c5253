//! HEP version 3, the Homer Encapsulation Protocol: a traced message in one UDP datagram (HEP3 specification, rev 12:
//! `HEP3`, total length, then chunks of vendor, type, length, value). Belongs here: writing and reading it, the socket.
//! Not here: what is exported (`trace`).

use super::seen::{Seen, Way};
use crate::config::settings::HepSettings;
use crate::sip::flow::{Flow, Transport};
use crate::time::Instant;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

const MAGIC: &[u8] = b"HEP3";
/// A UDP datagram's most, less what the chunks around the message need.
const LONGEST_PAYLOAD: usize = 64_000;

mod chunk {
    pub const FAMILY: u16 = 1;
    pub const PROTOCOL: u16 = 2;
    pub const SOURCE_V4: u16 = 3;
    pub const DESTINATION_V4: u16 = 4;
    pub const SOURCE_V6: u16 = 5;
    pub const DESTINATION_V6: u16 = 6;
    pub const SOURCE_PORT: u16 = 7;
    pub const DESTINATION_PORT: u16 = 8;
    pub const SECONDS: u16 = 9;
    pub const MICROSECONDS: u16 = 10;
    pub const KIND: u16 = 11;
    pub const AGENT: u16 = 12;
    pub const PASSWORD: u16 = 14;
    pub const PAYLOAD: u16 = 15;
    pub const CORRELATION: u16 = 17;
    pub const NODE: u16 = 19;
}

/// Address families and IP protocols as HEP numbers them.
const INET: u8 = 2;
const INET6: u8 = 10;
const UDP: u8 = 17;
const TCP: u8 = 6;
const SIP: u8 = 1;
/// Before our own address in the node's name: so a reader knows which side is us.
const NODE_NAME: &str = "rexian ";

#[derive(Debug)]
pub struct Exporter {
    socket: UdpSocket,
    settings: HepSettings,
    failing: bool,
}

impl Exporter {
    pub fn new(settings: &HepSettings) -> io::Result<Exporter> {
        let any: IpAddr =
            if settings.to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
        Ok(Exporter { socket, settings: settings.clone(), failing: false })
    }

    /// `call`: our id, by which Homer puts a call's legs together.
    pub fn send(&mut self, seen: &Seen, call: Option<&str>) {
        let packet = encode(seen, call, &self.settings);
        let failed = self.socket.send_to(&packet, self.settings.to).err();
        // Told when it begins, not for each message.
        if let Some(error) = failed.as_ref().filter(|_| !self.failing) {
            tracing::warn!(to = %self.settings.to, %error, "the export to Homer fails; see [trace] hep");
        }
        self.failing = failed.is_some();
    }
}

pub fn encode(seen: &Seen, call: Option<&str>, settings: &HepSettings) -> Vec<u8> {
    let Flow { local, remote, transport, .. } = seen.flow;
    let (source, destination) = match seen.way {
        Way::In => (remote, local),
        Way::Out => (local, remote),
    };
    let protocol = if transport == Transport::Udp { UDP } else { TCP };
    let mut packet = [MAGIC, &[0, 0]].concat();
    let mut chunk = |kind: u16, value: &[u8]| {
        packet.extend_from_slice(&0u16.to_be_bytes());
        packet.extend_from_slice(&kind.to_be_bytes());
        packet.extend_from_slice(&(value.len() as u16 + 6).to_be_bytes());
        packet.extend_from_slice(value);
    };
    match (source.ip().to_canonical(), destination.ip().to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            chunk(chunk::FAMILY, &[INET]);
            chunk(chunk::SOURCE_V4, &from.octets());
            chunk(chunk::DESTINATION_V4, &to.octets());
        }
        (from, to) => {
            let v6 = |ip: IpAddr| match ip {
                IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                IpAddr::V6(ip) => ip.octets(),
            };
            chunk(chunk::FAMILY, &[INET6]);
            chunk(chunk::SOURCE_V6, &v6(from));
            chunk(chunk::DESTINATION_V6, &v6(to));
        }
    }
    let micros = seen.at.as_unix_micros();
    chunk(chunk::PROTOCOL, &[protocol]);
    chunk(chunk::SOURCE_PORT, &source.port().to_be_bytes());
    chunk(chunk::DESTINATION_PORT, &destination.port().to_be_bytes());
    chunk(chunk::SECONDS, &((micros / 1_000_000) as u32).to_be_bytes());
    chunk(chunk::MICROSECONDS, &((micros % 1_000_000) as u32).to_be_bytes());
    chunk(chunk::KIND, &[SIP]);
    chunk(chunk::AGENT, &settings.agent.to_be_bytes());
    if let Some(password) = &settings.password {
        chunk(chunk::PASSWORD, password.0.as_bytes());
    }
    if let Some(call) = call {
        chunk(chunk::CORRELATION, &call.as_bytes()[..call.len().min(256)]);
    }
    chunk(chunk::NODE, format!("{NODE_NAME}{local}").as_bytes());
    chunk(chunk::PAYLOAD, &seen.bytes[..seen.bytes.len().min(LONGEST_PAYLOAD)]);
    let length = packet.len() as u16;
    packet[4..6].copy_from_slice(&length.to_be_bytes());
    packet
}

/// A packet of ours, read back, and the call it belongs to. `None`: not HEP3, or something in it is missing.
pub fn decode(packet: &[u8]) -> Option<(Seen, Option<String>)> {
    let rest = packet.strip_prefix(MAGIC)?;
    let (length, mut rest) = rest.split_first_chunk::<2>()?;
    if usize::from(u16::from_be_bytes(*length)) != packet.len() {
        return None;
    }
    let (mut ips, mut ports) = ([None; 2], [None; 2]);
    let (mut at, mut transport, mut call, mut payload) = ([0u32; 2], Transport::Udp, None, None);
    let mut ours = None;
    while !rest.is_empty() {
        let (head, after) = rest.split_first_chunk::<6>()?;
        let kind = u16::from_be_bytes([head[2], head[3]]);
        let length = usize::from(u16::from_be_bytes([head[4], head[5]])).checked_sub(6)?;
        let (value, after) = after.split_at_checked(length)?;
        rest = after;
        match kind {
            chunk::SOURCE_V4 | chunk::DESTINATION_V4 => {
                let octets: [u8; 4] = value.try_into().ok()?;
                ips[usize::from(kind == chunk::DESTINATION_V4)] = Some(IpAddr::from(octets));
            }
            chunk::SOURCE_V6 | chunk::DESTINATION_V6 => {
                let octets: [u8; 16] = value.try_into().ok()?;
                ips[usize::from(kind == chunk::DESTINATION_V6)] = Some(IpAddr::from(octets));
            }
            chunk::SOURCE_PORT | chunk::DESTINATION_PORT => {
                let port = u16::from_be_bytes(value.try_into().ok()?);
                ports[usize::from(kind == chunk::DESTINATION_PORT)] = Some(port);
            }
            chunk::SECONDS | chunk::MICROSECONDS => {
                at[usize::from(kind == chunk::MICROSECONDS)] = u32::from_be_bytes(value.try_into().ok()?);
                // A second has no more of them.
                if at[1] >= 1_000_000 {
                    return None;
                }
            }
            chunk::PROTOCOL => transport = if value == [TCP] { Transport::Tcp } else { Transport::Udp },
            chunk::KIND if value != [SIP] => return None,
            chunk::CORRELATION => call = Some(String::from_utf8_lossy(value).into_owned()),
            chunk::NODE => ours = Some(String::from_utf8_lossy(value).into_owned()),
            chunk::PAYLOAD => payload = Some(value.to_vec()),
            _ => {}
        }
    }
    let [source, destination] = [0, 1].map(|i| Some(SocketAddr::new(ips[i]?, ports[i]?)));
    let (source, destination) = (source?, destination?);
    let sent = ours.as_deref().and_then(|node| node.strip_prefix(NODE_NAME)) == Some(&*source.to_string());
    let (way, local, remote) = if sent { (Way::Out, source, destination) } else { (Way::In, destination, source) };
    let at = Instant(u64::from(at[0]) * 1_000_000 + u64::from(at[1]));
    Some((Seen { at, flow: Flow { transport, local, remote, connection: 0 }, way, bytes: payload? }, call))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Secret;

    fn settings() -> HepSettings {
        HepSettings { to: "10.0.0.9:9060".parse().unwrap(), agent: 2_001, password: Some(Secret("myhep".into())) }
    }

    fn seen(local: &str, remote: &str, way: Way) -> Seen {
        let (local, remote) = (local.parse().unwrap(), remote.parse().unwrap());
        let flow = Flow { transport: Transport::Udp, local, remote, connection: 0 };
        Seen { at: Instant(1_700_000_000_000_042), flow, way, bytes: b"BYE sip:a@b SIP/2.0\r\n\r\n".to_vec() }
    }

    #[test]
    fn the_bytes_of_one_packet() {
        // Written out by hand from the specification.
        let packet = encode(&seen("10.0.0.5:5060", "10.1.0.7:5062", Way::Out), None, &settings());
        let mut want = b"HEP3\x00\x8b".to_vec();
        for chunk in [
            &b"\0\0\0\x01\0\x07\x02"[..],
            b"\0\0\0\x03\0\x0a\x0a\0\0\x05",
            b"\0\0\0\x04\0\x0a\x0a\x01\0\x07",
            b"\0\0\0\x02\0\x07\x11",
            b"\0\0\0\x07\0\x08\x13\xc4",
            b"\0\0\0\x08\0\x08\x13\xc6",
            b"\0\0\0\x09\0\x0a\x65\x53\xf1\0",
            b"\0\0\0\x0a\0\x0a\0\0\0\x2a",
            b"\0\0\0\x0b\0\x07\x01",
            b"\0\0\0\x0c\0\x0a\0\0\x07\xd1",
            b"\0\0\0\x0e\0\x0bmyhep",
            b"\0\0\0\x13\0\x1arexian 10.0.0.5:5060",
            b"\0\0\0\x0f\0\x1dBYE sip:a@b SIP/2.0\r\n\r\n",
        ] {
            want.extend_from_slice(chunk);
        }
        want[5] = want.len() as u8;
        assert_eq!(packet, want);
    }

    #[test]
    fn read_back() {
        for (local, remote) in [("10.0.0.5:5060", "10.1.0.7:5062"), ("[fd00::5]:5060", "[fd00::7]:5062")] {
            for way in [Way::In, Way::Out] {
                let sent = seen(local, remote, way);
                let packet = encode(&sent, Some("0123"), &settings());
                let (got, call) = decode(&packet).expect("our own");
                assert_eq!((got.at, got.flow, got.way, got.bytes), (sent.at, sent.flow, way, sent.bytes));
                assert_eq!(call.as_deref(), Some("0123"));
                for cut in 0..packet.len() {
                    assert!(decode(&packet[..cut]).is_none(), "{cut}");
                }
            }
        }
        assert!(decode(b"HEP3\0\x0c\0\0\0\x0f\0\x05").is_none(), "a chunk shorter than its head");
    }
}
