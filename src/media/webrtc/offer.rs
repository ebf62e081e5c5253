//! A browser's offer, judged before the library sees it (RFC 8829, RFC 8842, RFC 8445). Belongs here: what we take at all: one
//! audio stream of G.711, encrypted, its handshake begun by the browser. Not here: answering it (`session`).
//!
//! Candidates are left out: with ICE lite every address is learnt from a check that proves itself, so what an offer says
//! of addresses would only be something to abuse.

use crate::plane::Codec;
use std::fmt;

/// A browser's is 2 to 6 KB.
const LONGEST: usize = 32 * 1_024;

/// One that can be answered.
#[derive(Clone, Debug)]
pub struct Offer {
    pub text: String,
    /// What both sides will speak: A-law if it has it, as the trunks do.
    pub codec: Codec,
}

/// Why a browser is not let in; the text says whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    TooLong,
    NotOneAudioStream,
    NoG711,
    /// The attribute that is missing or wrong.
    Lacks(&'static str),
    /// What the library thinks of it.
    Unusable,
    /// As many browsers as there can be.
    Full,
    /// The media thread is behind by thousands of orders, or gone.
    Busy,
    /// `reoffer` for a seat that has no session: accept it anew.
    NoSession,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::TooLong => write!(f, "the offer is longer than {LONGEST} octets"),
            Refusal::NotOneAudioStream => write!(f, "the offer must have one audio stream and nothing else"),
            Refusal::NoG711 => {
                write!(f, "the offer has neither PCMA nor PCMU: every browser has, unless its page removed them")
            }
            Refusal::Lacks(what) => write!(f, "the offer lacks {what}"),
            Refusal::Unusable => write!(f, "the offer cannot be understood"),
            Refusal::Full => write!(f, "as many browsers are connected as the gateway takes"),
            Refusal::Busy => write!(f, "the media plane is overloaded: try again"),
            Refusal::NoSession => write!(f, "the seat has no audio session: begin a new one"),
        }
    }
}

impl std::error::Error for Refusal {}

impl Offer {
    pub fn read(text: &str) -> Result<Offer, Refusal> {
        if text.len() > LONGEST {
            return Err(Refusal::TooLong);
        }
        let lines = || text.lines().map(str::trim_end);
        let mut streams = lines().filter_map(|line| line.strip_prefix("m="));
        let (Some(stream), None) = (streams.next(), streams.next()) else { return Err(Refusal::NotOneAudioStream) };
        let Some(formats) = stream.strip_prefix("audio ") else { return Err(Refusal::NotOneAudioStream) };
        let has = |payload_type: &str| formats.split(' ').skip(2).any(|format| format == payload_type);
        let codec = match (has("8"), has("0")) {
            (true, _) => Codec::Pcma,
            (false, true) => Codec::Pcmu,
            (false, false) => return Err(Refusal::NoG711),
        };
        let needed = [
            ("a=ice-ufrag:", "its ICE user name"),
            ("a=ice-pwd:", "its ICE password"),
            ("a=fingerprint:sha-256 ", "the SHA-256 fingerprint of its certificate"),
            ("a=rtcp-mux", "RTCP on the port of RTP (a=rtcp-mux)"),
        ];
        if let Some((_, what)) = needed.iter().find(|(prefix, _)| !lines().any(|line| line.starts_with(prefix))) {
            return Err(Refusal::Lacks(what));
        }
        if !lines().any(|line| line == "a=setup:actpass" || line == "a=setup:active") {
            return Err(Refusal::Lacks("the readiness to begin the DTLS handshake (a=setup:actpass)"));
        }
        let of_addresses = ["a=candidate:", "a=end-of-candidates", "a=remote-candidates:"];
        let kept = lines().filter(|line| !of_addresses.iter().any(|prefix| line.starts_with(prefix)));
        Ok(Offer { text: kept.flat_map(|line| [line, "\r\n"]).collect(), codec })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROMIUM: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
        m=audio 40000 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 10.0.0.9\r\n\
        a=candidate:1 1 udp 2122260223 10.0.0.9 40000 typ host\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n\
        a=fingerprint:sha-256 AA:BB\r\na=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=rtcp-mux\r\n";

    #[test]
    fn a_law_is_taken_and_addresses_are_not() {
        let offer = Offer::read(CHROMIUM).unwrap();
        assert_eq!(offer.codec, Codec::Pcma);
        assert!(!offer.text.contains("candidate") && offer.text.contains("a=mid:0\r\n"));
        assert_eq!(Offer::read(&CHROMIUM.replace(" 0 8 13", " 0 13")).unwrap().codec, Codec::Pcmu);
    }

    #[test]
    fn what_cannot_be_answered_is_refused_with_the_reason() {
        let video = format!("{CHROMIUM}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n");
        let table = [
            (String::new(), "one audio stream"),
            (video, "one audio stream"),
            (CHROMIUM.replace("m=audio", "m=application"), "one audio stream"),
            (CHROMIUM.replace(" 9 0 8 13", " 9 13"), "neither PCMA nor PCMU"),
            (CHROMIUM.replace("sha-256", "sha-1"), "SHA-256"),
            (CHROMIUM.replace("a=ice-pwd", "a=x"), "ICE password"),
            (CHROMIUM.replace("actpass", "passive"), "a=setup:actpass"),
            (CHROMIUM.replace("a=rtcp-mux", "a=x"), "a=rtcp-mux"),
            (format!("{CHROMIUM}{}", "a=x\r\n".repeat(10_000)), "longer"),
        ];
        for (text, reason) in table {
            let told = Offer::read(&text).unwrap_err().to_string();
            assert!(told.contains(reason), "{told:?} does not say {reason:?}");
        }
    }
}
