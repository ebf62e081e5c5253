//! A tolerant reader of session descriptions (RFC 8866 s5, s6; RFC 3605 a=rtcp; RFC 5761 a=rtcp-mux; RFC 2543 hold).
//! Belongs here: what their description says. Not here: whether we can use it (`offer_answer`).
//!
//! Bounds: 64 KiB, 512 lines, 16 media sections, 64 formats a section: real ones stay below a quarter of each, and
//! looking formats up in attributes costs their product. A line that cannot be read spoils only what it describes.

use super::crypto::{self, Crypto};
use crate::plane::Direction;
use std::net::IpAddr;

pub const MAX_BYTES: usize = 64 * 1024;
pub const MAX_LINES: usize = 512;
pub const MAX_MEDIA: usize = 16;
/// Formats of one m= line that are looked at.
pub const MAX_FORMATS: usize = 64;

/// One description, borrowing its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session<'a> {
    pub media: Vec<Media<'a>>,
}

/// One m= section; values of the session level are filled in where the section has none of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media<'a> {
    /// `audio`, `video`, `image`, ...
    pub kind: &'a [u8],
    /// 0: this stream is refused or off.
    pub port: u16,
    /// `RTP/AVP`, `udptl`, ... as sent.
    pub proto: &'a [u8],
    /// The format list as sent, e.g. `8 0 101`.
    pub formats: &'a [u8],
    pub connection: Connection,
    /// As *they* mean it: `SendOnly` is they send.
    pub direction: Direction,
    pub rtcp: Option<Rtcp>,
    pub rtcp_mux: bool,
    /// The lines after m=, for [`Media::attributes`].
    lines: &'a [u8],
    /// The lines before the first m=: what they say holds for every section that does not say it itself.
    common: &'a [u8],
}

/// Where their stream is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    Missing,
    /// Not `IN IP4`/`IN IP6`, or a host name: we resolve nothing in a call.
    Unreadable,
    /// May be unspecified (`0.0.0.0`, `::`): hold as RFC 2543 had it.
    At(IpAddr),
}

/// `a=rtcp:port [IN IP4 address]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rtcp {
    pub port: u16,
    pub address: Option<IpAddr>,
}

/// `a=rtpmap:100 telephone-event/8000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RtpMap<'a> {
    pub payload_type: u8,
    pub encoding: &'a [u8],
    pub clock_rate: u32,
    pub channels: u32,
}

impl<'a> Session<'a> {
    /// Errors name the fault.
    pub fn parse(text: &'a [u8]) -> Result<Session<'a>, &'static str> {
        if text.len() > MAX_BYTES {
            return Err("SDP larger than 64 KiB");
        }
        if text.iter().filter(|&&b| b == b'\n').count() >= MAX_LINES {
            return Err("SDP with too many lines");
        }
        if Lines(text).next() != Some((b'v', b"0")) {
            return Err("SDP does not start with v=0");
        }
        let end = next_media(text, 0);
        let mut defaults = Media {
            kind: b"",
            port: 0,
            proto: b"",
            formats: b"",
            connection: Connection::Missing,
            direction: Direction::SendRecv,
            rtcp: None,
            rtcp_mux: false,
            lines: &text[..end],
            common: &text[..end],
        };
        defaults.read();
        let (mut media, mut at) = (Vec::new(), end);
        while at < text.len() {
            if media.len() == MAX_MEDIA {
                return Err("SDP with more than 16 m= lines");
            }
            let section = &text[at..];
            let line_end = memchr::memchr(b'\n', section).map_or(section.len(), |i| i + 1);
            let section_end = next_media(section, line_end);
            let mut m =
                Media { lines: &section[line_end..section_end], connection: Connection::Missing, ..defaults.clone() };
            m.media_line(section[2..line_end].trim_ascii())?;
            m.read();
            if m.connection == Connection::Missing {
                m.connection = defaults.connection;
            }
            media.push(m);
            at += section_end;
        }
        Ok(Session { media })
    }
}

impl<'a> Media<'a> {
    /// Attributes in order: name and, after `:`, value.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        attributes(self.lines)
    }

    /// The values of one attribute: the section's own, then those of the session level.
    pub fn all(&self, name: &'static [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let lines = attributes(self.lines).chain(attributes(self.common));
        lines.filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }

    pub fn attribute(&self, name: &'static [u8]) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// Payload types of the format list, in order; what is no payload type is left out.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> + use<'a> {
        words(self.formats)
            .take(MAX_FORMATS)
            .filter_map(number)
            .filter_map(|n| u8::try_from(n).ok())
            .filter(|&n| n < 128)
    }

    /// The mapping of one payload type, when the section has one that can be read.
    pub fn rtpmap(&self, payload_type: u8) -> Option<RtpMap<'a>> {
        self.attributes()
            .filter(|(name, _)| *name == b"rtpmap")
            .filter_map(|(_, v)| rtpmap(v))
            .find(|m| m.payload_type == payload_type)
    }

    /// The first `a=crypto` that can be used, else the fault of the first. Keys count in the media section only.
    pub fn crypto(&self) -> Option<Result<Crypto, &'static str>> {
        let mut lines = self.attributes().filter(|(name, _)| *name == b"crypto").map(|(_, value)| crypto::read(value));
        let first = lines.next()?;
        Some(first.or_else(|fault| lines.find_map(Result::ok).ok_or(fault)))
    }

    /// `audio 49170/2 RTP/AVP 8 0 101`
    fn media_line(&mut self, line: &'a [u8]) -> Result<(), &'static str> {
        let mut w = words(line);
        let (Some(kind), Some(port), Some(proto)) = (w.next(), w.next(), w.next()) else {
            return Err("m= line malformed");
        };
        let port = port.split(|&b| b == b'/').next().unwrap_or_default();
        self.port = number(port).and_then(|n| u16::try_from(n).ok()).ok_or("m= port malformed")?;
        (self.kind, self.proto) = (kind, proto);
        let used = proto.as_ptr() as usize + proto.len() - line.as_ptr() as usize;
        self.formats = line[used..].trim_ascii();
        Ok(())
    }

    /// The lines this gateway heeds; others are left for `attributes`.
    fn read(&mut self) {
        for (letter, line) in Lines(self.lines) {
            if letter == b'c' && self.connection == Connection::Missing {
                self.connection = connection(line);
            }
        }
        for (name, value) in self.attributes() {
            match name {
                b"sendrecv" => self.direction = Direction::SendRecv,
                b"sendonly" => self.direction = Direction::SendOnly,
                b"recvonly" => self.direction = Direction::RecvOnly,
                b"inactive" => self.direction = Direction::Inactive,
                b"rtcp-mux" => self.rtcp_mux = true,
                b"rtcp" => self.rtcp = rtcp(value),
                _ => {}
            }
        }
    }
}

fn attributes(lines: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    Lines(lines).filter(|&(letter, _)| letter == b'a').map(|(_, line)| match memchr::memchr(b':', line) {
        Some(colon) => (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii()),
        None => (line, &b""[..]),
    })
}

/// Where the first `m=` line at or after the line start `from` begins.
fn next_media(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < text.len() {
        if text[at..].starts_with(b"m=") {
            return at;
        }
        at = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |i| at + i + 1);
    }
    text.len()
}

/// `x=value` lines, CRLF or LF, trimmed; others (blank ones, garbage) are skipped.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            let end = memchr::memchr(b'\n', self.0).unwrap_or(self.0.len());
            let line = self.0[..end].trim_ascii();
            self.0 = self.0.get(end + 1..).unwrap_or_default();
            if let [letter, b'=', value @ ..] = line {
                return Some((*letter, value.trim_ascii()));
            }
        }
        None
    }
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty())
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    digits.iter().try_fold(0u32, |n, d| n.checked_mul(10)?.checked_add(u32::from(d - b'0')))
}

/// `IN IP4 10.1.2.3`; a multicast suffix (`/127`) is cut off.
fn connection(line: &[u8]) -> Connection {
    let mut w = words(line);
    match (w.next(), w.next(), w.next()) {
        (Some(net), Some(family), Some(address)) if net.eq_ignore_ascii_case(b"IN") => {
            let address = address.split(|&b| b == b'/').next().unwrap_or_default();
            match ip(family, address) {
                Some(ip) if !ip.is_multicast() => Connection::At(ip),
                _ => Connection::Unreadable,
            }
        }
        _ => Connection::Unreadable,
    }
}

fn ip(family: &[u8], address: &[u8]) -> Option<IpAddr> {
    let ip: IpAddr = std::str::from_utf8(address).ok()?.parse().ok()?;
    let named = if family.eq_ignore_ascii_case(b"IP4") {
        ip.is_ipv4()
    } else {
        family.eq_ignore_ascii_case(b"IP6") && ip.is_ipv6()
    };
    named.then_some(ip)
}

fn rtcp(value: &[u8]) -> Option<Rtcp> {
    let mut w = words(value);
    let port = number(w.next()?).and_then(|n| u16::try_from(n).ok()).filter(|&p| p != 0)?;
    let address = match (w.next(), w.next(), w.next()) {
        (Some(_), Some(family), Some(address)) => ip(family, address),
        _ => None,
    };
    Some(Rtcp { port, address })
}

fn rtpmap(value: &[u8]) -> Option<RtpMap<'_>> {
    let mut w = words(value);
    let payload_type = number(w.next()?).and_then(|n| u8::try_from(n).ok())?;
    let mut parts = w.next()?.split(|&b| b == b'/');
    let encoding = parts.next()?;
    let clock_rate = number(parts.next()?)?;
    let channels = parts.next().map_or(Some(1), number)?;
    Some(RtpMap { payload_type, encoding, clock_rate, channels })
}
