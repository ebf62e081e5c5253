//! What a browser's phone and we say beyond RTP: ICE (RFC 8839), DTLS (RFC 8842, RFC 8122), BUNDLE and names of streams
//! (RFC 8843, RFC 8852). Belongs here: reading theirs, writing ours, our own names and passwords. Not here: when it is WebRTC
//! that is spoken (`encryption`, `gateway`), packets (`media::webrtc`).
//!
//! Decisions: we are ICE lite, so every address of theirs is learnt from a check that proves itself and the candidates they
//! name are not read; they begin the DTLS handshake, as every browser does when it may choose.

use super::parse::Media;
use crate::plane::webrtc::{Far, Fingerprint, Ice};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write};
use std::net::IpAddr;

/// RFC 8839 s5.4.
const NAME: std::ops::RangeInclusive<usize> = 4..=256;
const PASSWORD: std::ops::RangeInclusive<usize> = 22..=256;
/// A longer name of a stream is not repeated; browsers' are one or two digits.
const LONGEST_MID: usize = 16;
const MID_EXTENSION: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// Of one stream; its second is that of a repair flow, which audio has none of.
const SOURCES: usize = 4;

/// Our side of one call's session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// Of this leg alone, and unguessable.
    seed: [u8; 32],
    /// Which name and password in a row these are.
    generation: u32,
    certificate: Fingerprint,
    /// Our address of the other family.
    other: Option<IpAddr>,
    /// What the stream is called.
    mid: Option<String>,
    mid_extension: Option<u8>,
}

/// Who begins the handshake, as one side writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// In offers.
    ActPass,
    /// In answers of ours.
    Passive,
}

impl Own {
    pub fn new(seed: [u8; 32], certificate: Fingerprint, other: Option<IpAddr>) -> Own {
        Own { seed, generation: 0, certificate, other, mid: Some("0".into()), mid_extension: Some(1) }
    }

    pub fn ice(&self) -> Ice {
        let mut random = ChaCha20Rng::from_seed(self.seed);
        random.set_stream(self.generation.into());
        let mut drawn = [0; 28];
        random.fill_bytes(&mut drawn);
        let hex = |octets: &[u8]| {
            octets.iter().fold(String::new(), |mut text, octet| {
                let _ = write!(text, "{octet:02x}");
                text
            })
        };
        // 64 bits of name, 160 of password.
        Ice { name: hex(&drawn[..8]), password: hex(&drawn[8..]) }
    }

    /// Another name and password from now on: an ICE restart.
    pub fn renew(&mut self) {
        self.generation += 1;
    }

    /// Descriptions of ours call the stream what it was called last.
    pub fn agree(&mut self, theirs: &Far) {
        (self.mid, self.mid_extension) = (theirs.mid.clone(), theirs.mid_extension);
    }

    /// At the level of the session.
    pub(super) fn write_session(&self, text: &mut String, bundled: Option<&str>) {
        if let Some(mid) = bundled {
            let _ = write!(text, "a=group:BUNDLE {mid}\r\n");
        }
        text.push_str("a=ice-lite\r\na=msid-semantic:WMS *\r\n");
    }

    /// In the section of the stream.
    pub(super) fn write(&self, text: &mut String, address: IpAddr, port: u16, setup: Setup) {
        let Ice { name, password } = self.ice();
        if let Some(mid) = &self.mid {
            let _ = write!(text, "a=mid:{mid}\r\n");
        }
        if let (Some(number), Some(_)) = (self.mid_extension, &self.mid) {
            let _ = write!(text, "a=extmap:{number} {MID_EXTENSION}\r\n");
        }
        let setup = match setup {
            Setup::ActPass => "actpass",
            Setup::Passive => "passive",
        };
        let _ = write!(
            text,
            "a=ice-ufrag:{name}\r\na=ice-pwd:{password}\r\na=fingerprint:sha-256 {}\r\na=setup:{setup}\r\n",
            self.certificate
        );
        for (n, address) in (0..).zip([address].into_iter().chain(self.other)) {
            let priority = (126u32 << 24) + ((65_535 - n) << 8) + 255;
            let _ = write!(text, "a=candidate:{n} 1 udp {priority} {address} {port} typ host\r\n");
        }
        text.push_str("a=end-of-candidates\r\na=msid:rexian audio\r\n");
    }

    /// What our offer calls the stream.
    pub(super) fn mid(&self) -> Option<&str> {
        self.mid.as_deref()
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "*** (generation {}, {:?})", self.generation, self.mid)
    }
}

/// What their section says; errors name what it lacks. `answers`: it is an answer to an offer of ours.
pub(super) fn read(m: &Media<'_>, answers: bool) -> Result<Far, &'static str> {
    if !m.rtcp_mux {
        return Err("WebRTC without a=rtcp-mux");
    }
    if m.attribute(b"ice-lite").is_some() {
        return Err("both sides are ICE lite, so that nobody would begin");
    }
    let text = |name: &'static [u8], len: std::ops::RangeInclusive<usize>| {
        let value = std::str::from_utf8(m.attribute(name)?).ok()?;
        let plain = value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_' | b'='));
        (plain && len.contains(&value.len())).then(|| value.to_owned())
    };
    let name = text(b"ice-ufrag", NAME).ok_or("WebRTC without a usable a=ice-ufrag")?;
    let password = text(b"ice-pwd", PASSWORD).ok_or("WebRTC without a usable a=ice-pwd")?;
    let certificate = m.all(b"fingerprint").find_map(fingerprint).ok_or("WebRTC without a SHA-256 a=fingerprint")?;
    let begins = match m.attribute(b"setup").unwrap_or_default() {
        b"active" => true,
        b"actpass" => !answers,
        _ => false,
    };
    if !begins {
        return Err("a=setup does not let the far end begin the DTLS handshake");
    }
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(b);
    let token = |mid: &&[u8]| mid.len() <= LONGEST_MID && !mid.is_empty() && mid.iter().all(plain);
    let mid = m.attribute(b"mid").filter(token).map(|mid| String::from_utf8_lossy(mid).into_owned());
    let mut sources: Vec<u32> = vec![];
    for source in m.all(b"ssrc").filter_map(|value| number(value.split(|b| *b == b' ').next()?)) {
        if sources.len() < SOURCES && !sources.contains(&source) {
            sources.push(source);
        }
    }
    let mid_extension = m.all(b"extmap").find_map(mid_extension).filter(|_| mid.is_some());
    let speaks = m.attribute(b"recvonly").is_none() && m.attribute(b"inactive").is_none();
    if speaks && sources.is_empty() && mid_extension.is_none() {
        return Err("WebRTC with neither a=ssrc nor the MID header extension: its packets would be nobody's");
    }
    Ok(Far { ice: Ice { name, password }, certificate, mid, mid_extension, sources })
}

/// Is this stream in a bundle they offer?
pub(super) fn is_bundled(m: &Media<'_>, mid: &str) -> bool {
    m.all(b"group").any(|group| {
        let mut words = group.split(u8::is_ascii_whitespace);
        words.next().is_some_and(|kind| kind == b"BUNDLE") && words.any(|word| word == mid.as_bytes())
    })
}

/// `sha-256 AB:CD:...`
fn fingerprint(value: &[u8]) -> Option<Fingerprint> {
    let (hash, octets) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    hash.eq_ignore_ascii_case("sha-256").then(|| Fingerprint::parse(octets.trim()))?
}

/// `4 urn:...`, `4/sendrecv urn:...`; numbers that fit the one-byte header (RFC 8285 s4.2).
fn mid_extension(value: &[u8]) -> Option<u8> {
    let (number, name) = std::str::from_utf8(value).ok()?.split_once(' ')?;
    let number = number.split('/').next()?.parse().ok().filter(|n| (1..=14).contains(n))?;
    (name.split(' ').next()? == MID_EXTENSION).then_some(number)
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|source| *source != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::webrtc::WebRtc;
    use crate::plane::{Codec, Direction};
    use crate::sdp::encryption::Encryption;
    use crate::sdp::offer_answer::{Local, accept, answer, is_webrtc, offer};

    const PRINT: &str =
        "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F";

    fn local() -> Local {
        let own = Own::new([7; 32], Fingerprint([9; 32]), Some("2001:db8::1".parse().unwrap()));
        Local {
            address: "192.0.2.1".parse().unwrap(),
            port: 19_998,
            session_id: 7,
            version: 1,
            codecs: vec![Codec::Pcma, Codec::Pcmu],
            dtmf_payload_type: 101,
            direction: Direction::SendRecv,
            encryption: Encryption::WebRtc(own),
        }
    }

    /// As Chromium offers; `setup` and what follows the audio are the test's.
    fn chromium(setup: &str, more: &str) -> String {
        format!(
            "v=0\r\no=- 4 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\na=extmap-allow-mixed\r\n\
             a=msid-semantic: WMS x\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\n\
             a=rtcp:9 IN IP4 0.0.0.0\r\na=candidate:1 1 udp 2113937151 b7.local 40000 typ host\r\na=ice-ufrag:Ab+/\r\n\
             a=ice-pwd:0123456789012345678901ab\r\na=ice-options:trickle\r\na=fingerprint:sha-256 {PRINT}\r\n\
             a=setup:{setup}\r\na=mid:0\r\na=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=sendrecv\r\na=rtcp-mux\r\n\
             a=rtpmap:111 opus/48000/2\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
             a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\na=ssrc:99 cname:c\r\n\
             a=ssrc:99 msid:x y\r\n{more}"
        )
    }

    #[test]
    fn a_browser_is_answered_with_audio_and_nothing_else() {
        let offer = chromium(
            "actpass",
            "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:2\r\n",
        );
        assert!(is_webrtc(offer.as_bytes()) && !is_webrtc(b"v=0\r\nm=audio 4 RTP/SAVPF 8\r\n"));
        let (text, media) = answer(&local(), offer.as_bytes()).unwrap();
        let text = String::from_utf8(text).unwrap();
        let WebRtc { ours, theirs } = *media.webrtc.unwrap();
        assert_eq!((media.codec, media.payload_type, media.dtmf), (Codec::Pcma, 8, Some(126)));
        assert_eq!((theirs.ice.name.as_str(), theirs.certificate.to_string().as_str()), ("Ab+/", PRINT));
        assert_eq!((theirs.mid.as_deref(), theirs.mid_extension, &theirs.sources[..]), (Some("0"), Some(4), &[99][..]));
        for line in [
            "a=group:BUNDLE 0",
            "a=ice-lite",
            "m=audio 19998 UDP/TLS/RTP/SAVPF 8 126",
            "a=mid:0",
            "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
            "a=setup:passive",
            "a=rtcp-mux",
            "a=candidate:0 1 udp 2130706431 192.0.2.1 19998 typ host",
            "a=candidate:1 1 udp 2130706175 2001:db8::1 19998 typ host",
            &format!("a=ice-ufrag:{}", ours.name),
            &format!("a=ice-pwd:{}", ours.password),
            "m=video 0 UDP/TLS/RTP/SAVPF 96",
            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
        ] {
            assert!(text.lines().any(|said| said == line), "{line} is not in\n{text}");
        }
        // Without a bundle offered there is none.
        let alone = answer(&local(), offer.replace("a=group:BUNDLE 0 1 2\r\n", "").as_bytes()).unwrap().0;
        assert!(!String::from_utf8(alone).unwrap().contains("BUNDLE"));
    }

    #[test]
    fn our_offer_is_answered_by_whoever_begins_the_handshake() {
        let text = String::from_utf8(offer(&local())).unwrap();
        assert!(
            is_webrtc(text.as_bytes()) && text.contains("a=setup:actpass\r\n") && text.contains("BUNDLE 0\r\n"),
            "{text}"
        );
        assert_eq!(offer(&local()), text.as_bytes(), "the same again");
        let media = accept(&local(), chromium("active", "").as_bytes()).unwrap();
        assert_eq!(media.direction, Direction::SendRecv);
        let mut renewed = local();
        renewed.encryption.renew();
        assert_ne!(offer(&renewed), text.as_bytes());
    }

    #[test]
    fn what_no_session_can_be_made_of_is_refused_with_its_reason() {
        let good = chromium("active", "");
        let cut = |from: &str, to: &str| {
            assert!(good.contains(from), "{from}");
            good.replace(from, to)
        };
        let long = |len| "a".repeat(len);
        #[rustfmt::skip]
        let rows = [
            (cut("a=rtcp-mux", "a=x"), "rtcp-mux"),
            (cut("a=ice-ufrag:Ab+/", "a=ice-ufrag:A\"b>"), "ice-ufrag"),
            (cut("a=ice-ufrag:Ab+/", "a=ice-ufrag:Abc"), "ice-ufrag"),
            (cut("a=ice-ufrag:Ab+/", &format!("a=ice-ufrag:{}", long(257))), "ice-ufrag"),
            (cut("a=ice-pwd:0123456789012345678901ab", "a=ice-pwd:short"), "ice-pwd"),
            (cut("a=ice-pwd:0123456789012345678901ab", &format!("a=ice-pwd:{}", long(257))), "ice-pwd"),
            (cut("sha-256", "sha-1"), "fingerprint"),
            (cut(PRINT, &PRINT[3..]), "fingerprint"),
            (cut("a=setup:active", "a=setup:passive"), "handshake"),
            (cut("a=setup:active", "a=setup:holdconn"), "handshake"),
            (cut("a=setup:active", "a=setup:actpass"), "handshake"),
            (cut("a=setup:active\r\n", ""), "handshake"),
            (cut("t=0 0\r\n", "t=0 0\r\na=ice-lite\r\n"), "lite"),
            (cut("UDP/TLS/RTP/SAVPF 111 63 9 0 8", "UDP/TLS/RTP/SAVPF 111 63 9"), "codec"),
            (cut("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"), "not WebRTC"),
            (cut("m=audio 9", "m=audio 0"), "port 0"),
            (cut("a=extmap:4", "a=x:4").replace("a=ssrc", "a=x"), "a=ssrc"),
        ];
        for (text, reason) in rows {
            let fault = accept(&local(), text.as_bytes()).unwrap_err().0;
            assert!(fault.contains(reason), "{fault:?} does not say {reason:?}: {text}");
        }
        // What a library of theirs may say oddly does no harm.
        for (text, mid, sources) in [
            (cut("a=mid:0", "a=mid:0 a=x"), None, 1),
            (cut("a=mid:0", &format!("a=mid:{}", long(17))), None, 1),
            (cut("a=mid:0", "a=mid:sdparta_0"), Some("sdparta_0"), 1),
            (
                cut(
                    "a=ssrc:99 cname",
                    "a=ssrc:1 x\r\na=ssrc:2 x\r\na=ssrc:3\r\na=ssrc:4 x\r\na=ssrc:5 x\r\na=ssrc:0 x\r\na=ssrc:z",
                ),
                Some("0"),
                4,
            ),
            (cut("a=extmap:4", "a=extmap:15"), Some("0"), 1),
        ] {
            let theirs = accept(&local(), text.as_bytes()).unwrap().webrtc.unwrap().theirs;
            assert_eq!((theirs.mid.as_deref(), theirs.sources.len()), (mid, sources), "{text}");
            assert!(theirs.mid_extension.is_none() || mid.is_some());
        }
    }
}
