//! What signalling and the media plane say to one another of a third-party phone in a browser: each of its calls is an audio
//! session of its own (RFC 8445 ICE, RFC 5763 DTLS-SRTP). Belongs here: plain data. Not here: how it is written in a
//! description (`sdp::webrtc`), packets (`media::webrtc`), our own page, whose one session lasts the shift (`browser`).
//!
//! Security: nothing here shows a password, in a log or a debug print.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where a leg sends to a browser, as far as signalling and the leg know: its session knows the true address.
pub const FAR_END: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

/// How browsers reach and know this process; told at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The one UDP port of them all.
    pub port: u16,
    pub certificate: Fingerprint,
}

/// Browsers' sessions, and legs on them, at once.
pub const MOST_LEGS: u16 = 1_024;

/// SHA-256 of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(pub [u8; 32]);

/// One side's name and password for connectivity checks.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ice {
    pub name: String,
    pub password: String,
}

/// What an exchange of descriptions settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebRtc {
    pub ours: Ice,
    pub theirs: Far,
}

/// What a browser's phone says of its stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Far {
    pub ice: Ice,
    pub certificate: Fingerprint,
    /// The stream's name, and the number of the header extension that carries it.
    pub mid: Option<String>,
    pub mid_extension: Option<u8>,
    /// SSRCs it announces.
    pub sources: Vec<u32>,
}

impl Far {
    /// Is it the same session, whatever the stream in it is called?
    pub fn is_same_session(&self, other: &Far) -> bool {
        self.ice == other.ice && self.certificate == other.certificate
    }
}

impl Fingerprint {
    /// `AB:CD:...`, in either case.
    pub fn parse(text: &str) -> Option<Fingerprint> {
        let (mut octets, mut pairs) = ([0; 32], text.split(':'));
        for octet in &mut octets {
            let pair = pairs.next().filter(|pair| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit()))?;
            *octet = u8::from_str_radix(pair, 16).ok()?;
        }
        pairs.next().is_none().then_some(Fingerprint(octets))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(n, octet)| match n {
            0 => write!(f, "{octet:02X}"),
            _ => write!(f, ":{octet:02X}"),
        })
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Ice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:***", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_thirty_two_octets_and_nothing_else() {
        let text = Fingerprint(std::array::from_fn(|n| n as u8 * 8)).to_string();
        assert!(text.starts_with("00:08:10:18:20") && text.ends_with(":F8"));
        assert_eq!(Fingerprint::parse(&text.to_lowercase()).unwrap().to_string(), text);
        for wrong in [&text[3..], &format!("{text}:00"), &text.replace(':', ""), &text.replace("08", "+8"), ""] {
            assert_eq!(Fingerprint::parse(wrong), None, "{wrong}");
        }
        let ice = Ice { name: "ours".into(), password: "secret".into() };
        assert!(!format!("{ice:?}").contains("secret"));
    }
}
