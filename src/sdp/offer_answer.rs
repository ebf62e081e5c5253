//! Offer/answer for our one audio stream (RFC 3264; hold as RFC 3264 s8.4 and as RFC 2543 had it).
//! Keys by RFC 4568 s7.1: one line of theirs is taken, and its answer goes with a key of ours.
//! Not here: reading the text (`parse`, `crypto`, `webrtc`), when to offer (`sip::session`).

use super::crypto::{self, Crypto};
use super::encryption::Encryption;
use super::parse::{Connection, Media, Session};
use super::webrtc::{self, Own, Setup};
use crate::plane::srtp::{Keys, MasterKey, Suite};
use crate::plane::webrtc::{FAR_END, WebRtc};
use crate::plane::{Codec, Direction, Negotiated};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Our side of a leg's media.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Local {
    pub address: IpAddr,
    pub port: u16,
    /// o= session id; constant for the leg.
    pub session_id: u64,
    /// o= version; the caller raises it by one whenever the description changes.
    pub version: u64,
    /// In order of preference.
    pub codecs: Vec<Codec>,
    /// Payload type for telephone-event in our offers.
    pub dtmf_payload_type: u8,
    pub direction: Direction,
    pub encryption: Encryption,
}

/// The offer or answer cannot be used; becomes 488 (or ends the leg). Names the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unacceptable(pub &'static str);

/// Our offer.
pub fn offer(local: &Local) -> Vec<u8> {
    let mut text = session_lines(local);
    let own = local.encryption.webrtc();
    own.inspect(|own| own.write_session(&mut text, own.mid()));
    let codecs: Vec<_> = local.codecs.iter().map(|&c| (static_payload_type(c), c)).collect();
    let keys: Vec<_> = match local.encryption.offered() {
        Some(own) => (1..).zip(Suite::ALL).map(|(tag, suite)| (tag, suite, own.key(suite))).collect(),
        None => vec![],
    };
    let secure = !keys.is_empty() || own.is_some();
    let transport = Transport { dtls: own.is_some(), secure, feedback: own.is_some() };
    let (dtmf, direction, rtcp_mux) = (Some(local.dtmf_payload_type), local.direction, own.is_some());
    let webrtc = own.map(|own| (own, Setup::ActPass));
    let lines = Lines { transport, codecs: &codecs, dtmf, direction, rtcp_mux, keys: &keys, webrtc };
    lines.write(&mut text, local);
    text.into_bytes()
}

/// Our answer to their offer: as many m= lines as they sent, all but the first usable audio refused with port 0;
/// their telephone-event payload type is used; hold is mirrored (sendonly -> recvonly).
pub fn answer(local: &Local, their_offer: &[u8]) -> Result<(Vec<u8>, Negotiated), Unacceptable> {
    let session = Session::parse(their_offer).map_err(Unacceptable)?;
    let (chosen, (negotiated, crypto)) = first_usable(&session, |m| negotiate(local, m, Exchange::Answering))?;
    let mut text = session_lines(local);
    let mut own = local.encryption.webrtc().cloned();
    if let (Some(own), Some(webrtc)) = (&mut own, &negotiated.webrtc) {
        own.agree(&webrtc.theirs);
        own.write_session(&mut text, own.mid().filter(|mid| webrtc::is_bundled(&session.media[chosen], mid)));
    }
    for (i, m) in session.media.iter().enumerate() {
        if i == chosen {
            let Negotiated { dtmf, direction, rtcp_mux, .. } = negotiated;
            let webrtc = own.as_ref().map(|own| (own, Setup::Passive));
            let codecs = &[(negotiated.payload_type, negotiated.codec)];
            let key = crypto.zip(negotiated.srtp).map(|(theirs, keys)| (theirs.tag, keys.suite, keys.ours));
            let transport = Transport::of(m.proto).unwrap_or(Transport::NAMES[0].1);
            Lines { transport, codecs, dtmf, direction, rtcp_mux, keys: key.as_slice(), webrtc }
                .write(&mut text, local);
        } else {
            let shown = |bytes| String::from_utf8_lossy(bytes);
            let _ = write!(text, "m={} 0 {} {}\r\n", shown(m.kind), shown(m.proto), shown(m.formats));
        }
    }
    Ok((text.into_bytes(), negotiated))
}

/// Their answer to `offer(local)`.
pub fn accept(local: &Local, their_answer: &[u8]) -> Result<Negotiated, Unacceptable> {
    let session = Session::parse(their_answer).map_err(Unacceptable)?;
    let m = session.media.first().ok_or(Unacceptable("SDP without an m= line"))?;
    // Only to browsers we offer rtcp-mux; another answer that says it has misread us.
    let mut m = m.clone();
    m.rtcp_mux &= local.encryption.webrtc().is_some();
    negotiate(local, &m, Exchange::Answered).map(|(negotiated, _)| negotiated).map_err(Unacceptable)
}

/// Is the first audio stream of this offer a browser's?
pub fn is_webrtc(offer: &[u8]) -> bool {
    let session = Session::parse(offer);
    let audio = session.iter().flat_map(|session| &session.media).find(|m| m.kind == b"audio" && m.port != 0);
    audio.and_then(|m| Transport::of(m.proto)).is_some_and(|transport| transport.dtls)
}

/// Whose turn it was.
#[derive(Clone, Copy)]
enum Exchange {
    /// They offered: our order of codecs decides.
    Answering,
    /// We offered: theirs has decided already.
    Answered,
}

/// The transport protocol of an m= line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Transport {
    /// UDP/TLS/RTP/SAVPF (RFC 5764 s8): keys by DTLS, as browsers want them.
    dtls: bool,
    /// RTP/SAVP (RFC 3711), not RTP/AVP.
    secure: bool,
    /// With an F (RFC 4585, RFC 5124).
    feedback: bool,
}

impl Transport {
    const NAMES: [(&str, Transport); 6] = [
        ("RTP/AVP", Transport { dtls: false, secure: false, feedback: false }),
        ("RTP/AVPF", Transport { dtls: false, secure: false, feedback: true }),
        ("RTP/SAVP", Transport { dtls: false, secure: true, feedback: false }),
        ("RTP/SAVPF", Transport { dtls: false, secure: true, feedback: true }),
        ("UDP/TLS/RTP/SAVP", Transport { dtls: true, secure: true, feedback: false }),
        ("UDP/TLS/RTP/SAVPF", Transport { dtls: true, secure: true, feedback: true }),
    ];

    fn of(proto: &[u8]) -> Option<Transport> {
        Self::NAMES.into_iter().find(|(name, _)| proto.eq_ignore_ascii_case(name.as_bytes())).map(|(_, known)| known)
    }

    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, known)| *known == self).map_or("RTP/AVP", |(name, _)| name)
    }
}

/// The first stream that can be used, else the fault of the first audio stream.
fn first_usable(
    session: &Session<'_>,
    try_one: impl Fn(&Media<'_>) -> Result<Agreed, &'static str>,
) -> Result<(usize, Agreed), Unacceptable> {
    let mut fault = None;
    for (i, m) in session.media.iter().enumerate() {
        match try_one(m) {
            Ok(n) => return Ok((i, n)),
            Err(reason) if m.kind == b"audio" => fault = fault.or(Some(reason)),
            Err(_) => {}
        }
    }
    Err(Unacceptable(fault.unwrap_or("SDP without an audio stream")))
}

/// What can be used, and the line of theirs that its keys come from.
type Agreed = (Negotiated, Option<Crypto>);

fn negotiate(local: &Local, m: &Media<'_>, exchange: Exchange) -> Result<Agreed, &'static str> {
    if m.kind != b"audio" {
        return Err("stream is not audio");
    }
    if m.port == 0 {
        return Err("audio stream with port 0");
    }
    let transport = Transport::of(m.proto).ok_or("audio transport is neither RTP/AVP nor RTP/SAVP")?;
    match local.encryption.webrtc() {
        Some(own) if transport.dtls => return negotiate_webrtc(local, own, m, exchange),
        Some(_) => return Err("audio is not WebRTC, which was offered"),
        None if transport.dtls => return Err("audio is WebRTC, which is not spoken here"),
        None => {}
    }
    let address = match m.connection {
        Connection::At(address) => address,
        Connection::Missing => return Err("c= line missing"),
        Connection::Unreadable => return Err("c= line is not a unicast IP address"),
    };
    // Hold by 0.0.0.0 (RFC 2543) is written so by IPv6 peers too; else the families must match to send at all.
    let held = address.is_unspecified();
    let address = match (held, local.address) {
        (true, IpAddr::V4(_)) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        (true, IpAddr::V6(_)) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        (false, ours) if ours.is_ipv4() != address.is_ipv4() => return Err("c= address of the other IP family"),
        (false, _) => address,
    };
    let (payload_type, codec) = choose(local, m, exchange).ok_or("no common codec (PCMA or PCMU wanted)")?;
    let remote_rtp = SocketAddr::new(address, m.port);
    let remote_rtcp = match m.rtcp {
        _ if m.rtcp_mux => remote_rtp,
        Some(rtcp) => {
            let theirs = rtcp.address.filter(|a| a.is_ipv4() == address.is_ipv4() && !held);
            SocketAddr::new(theirs.unwrap_or(address), rtcp.port)
        }
        None => SocketAddr::new(address, m.port.checked_add(1).unwrap_or(m.port)),
    };
    let crypto = encryption(&local.encryption, m, transport, exchange)?;
    let negotiated = Negotiated {
        remote_rtp,
        remote_rtcp,
        rtcp_mux: m.rtcp_mux,
        codec,
        payload_type,
        dtmf: telephone_event(m),
        direction: combine(local.direction, m.direction, held),
        srtp: crypto.map(|(theirs, ours)| Keys { suite: theirs.suite, ours, theirs: theirs.key }),
        webrtc: None,
    };
    Ok((negotiated, crypto.map(|(theirs, _)| theirs)))
}

/// The same of a browser. Its c= line and port mean nothing: addresses are learnt from its checks.
fn negotiate_webrtc(local: &Local, own: &Own, m: &Media<'_>, exchange: Exchange) -> Result<Agreed, &'static str> {
    let theirs = webrtc::read(m, matches!(exchange, Exchange::Answered))?;
    let (payload_type, codec) = choose(local, m, exchange).ok_or("no common codec (PCMA or PCMU wanted)")?;
    let negotiated = Negotiated {
        remote_rtp: FAR_END,
        remote_rtcp: FAR_END,
        rtcp_mux: true,
        codec,
        payload_type,
        dtmf: telephone_event(m),
        direction: combine(local.direction, m.direction, false),
        srtp: None,
        webrtc: Some(Box::new(WebRtc { ours: own.ice(), theirs })),
    };
    Ok((negotiated, None))
}

/// The line of theirs that is taken, the first that can be (s7.1.2), and our key for it; `None`: plain. The suite tells
/// an answer's line, each being offered once, so nothing depends on its tag.
///
/// Keys under RTP/AVP are an offer to encrypt from a phone that would rather talk in the clear than not at all: taken
/// where we may, and answered as they came.
fn encryption(
    ours: &Encryption,
    m: &Media<'_>,
    transport: Transport,
    exchange: Exchange,
) -> Result<Option<(Crypto, MasterKey)>, &'static str> {
    let own = match exchange {
        Exchange::Answering => ours.keys(),
        Exchange::Answered => ours.offered(),
    };
    let (own, theirs) = match (own, m.crypto()) {
        (None, _) if transport.secure => return Err("audio is encrypted (RTP/SAVP), which srtp does not allow here"),
        (None, _) => return Ok(None),
        (Some(own), theirs) => (own, theirs),
    };
    match theirs {
        Some(Ok(theirs)) => Ok(Some((theirs, own.key(theirs.suite)))),
        Some(Err(fault)) if transport.secure || ours.is_required() => Err(fault),
        None if transport.secure => Err("RTP/SAVP without a=crypto"),
        None if ours.is_required() => Err("audio is not encrypted, which srtp requires here"),
        Some(Err(_)) | None => Ok(None),
    }
}

fn choose(local: &Local, m: &Media<'_>, exchange: Exchange) -> Option<(u8, Codec)> {
    let theirs = || m.payload_types().filter_map(|pt| Some((pt, codec(m, pt)?)));
    match exchange {
        Exchange::Answering => local.codecs.iter().find_map(|&ours| theirs().find(|&(_, c)| c == ours)),
        Exchange::Answered => theirs().find(|(_, c)| local.codecs.contains(c)),
    }
}

/// The codec a payload type means: by its rtpmap, or without one by RFC 3551's static numbers.
fn codec(m: &Media<'_>, payload_type: u8) -> Option<Codec> {
    match m.rtpmap(payload_type) {
        Some(map) if map.clock_rate != 8_000 || map.channels != 1 => None,
        Some(map) if map.encoding.eq_ignore_ascii_case(b"PCMA") => Some(Codec::Pcma),
        Some(map) if map.encoding.eq_ignore_ascii_case(b"PCMU") => Some(Codec::Pcmu),
        Some(_) => None,
        None => [Codec::Pcma, Codec::Pcmu].into_iter().find(|&c| static_payload_type(c) == payload_type),
    }
}

/// Only the one with G.711's clock: carriers offer 100 for 8 kHz beside 105 for 16 kHz.
fn telephone_event(m: &Media<'_>) -> Option<u8> {
    m.payload_types().find(|&pt| {
        m.rtpmap(pt).is_some_and(|map| map.encoding.eq_ignore_ascii_case(b"telephone-event") && map.clock_rate == 8_000)
    })
}

fn static_payload_type(codec: Codec) -> u8 {
    match codec {
        Codec::Pcmu => 0,
        Codec::Pcma => 8,
    }
}

fn encoding(codec: Codec) -> &'static str {
    match codec {
        Codec::Pcmu => "PCMU",
        Codec::Pcma => "PCMA",
    }
}

/// What both sides allow, seen from ours: we send what they receive. Held by address, they receive nothing.
fn combine(ours: Direction, theirs: Direction, held: bool) -> Direction {
    let send = ours.sends() && theirs.receives() && !held;
    let receive = ours.receives() && theirs.sends();
    match (send, receive) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    }
}

fn session_lines(local: &Local) -> String {
    let mut text = String::with_capacity(512);
    let family = if local.address.is_ipv4() { "IP4" } else { "IP6" };
    let Local { address, session_id, version, .. } = local;
    let _ = write!(
        text,
        "v=0\r\no=rexian {session_id} {version} IN {family} {address}\r\ns=-\r\nc=IN {family} {address}\r\nt=0 0\r\n"
    );
    text
}

/// Our m= section.
struct Lines<'a> {
    transport: Transport,
    codecs: &'a [(u8, Codec)],
    dtmf: Option<u8>,
    direction: Direction,
    rtcp_mux: bool,
    /// Tag, suite, our key.
    keys: &'a [(u32, Suite, MasterKey)],
    webrtc: Option<(&'a Own, Setup)>,
}

impl Lines<'_> {
    fn write(&self, text: &mut String, local: &Local) {
        // Writing to a String cannot fail.
        let _ = write!(text, "m=audio {} {}", local.port, self.transport.name());
        for pt in self.codecs.iter().map(|&(pt, _)| pt).chain(self.dtmf) {
            let _ = write!(text, " {pt}");
        }
        text.push_str("\r\n");
        for (tag, suite, key) in self.keys {
            crypto::write(text, *tag, *suite, key);
        }
        for &(pt, codec) in self.codecs {
            let _ = write!(text, "a=rtpmap:{pt} {}/8000\r\n", encoding(codec));
        }
        if let Some(pt) = self.dtmf {
            let _ = write!(text, "a=rtpmap:{pt} telephone-event/8000\r\na=fmtp:{pt} 0-15\r\n");
        }
        if self.rtcp_mux {
            text.push_str("a=rtcp-mux\r\n");
        }
        if let Some((own, setup)) = self.webrtc {
            own.write(text, local.address, local.port, setup);
        }
        let direction = match self.direction {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        };
        let _ = write!(text, "a=ptime:20\r\na={direction}\r\n");
    }
}

#[cfg(test)]
mod tests;
