//! Offer/answer for our one audio stream (RFC 3264; hold as RFC 3264 s8.4 and as RFC 2543 had it).
//! Not here: reading the text (`parse`), when to offer (`sip::session`).

use super::parse::{Connection, Media, Session};
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
}

/// The offer or answer cannot be used; becomes 488 (or ends the leg). Names the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unacceptable(pub &'static str);

/// Our offer.
pub fn offer(local: &Local) -> Vec<u8> {
    let mut text = session_lines(local);
    let codecs: Vec<_> = local.codecs.iter().map(|&c| (static_payload_type(c), c)).collect();
    audio_lines(&mut text, local, "RTP/AVP", &codecs, Some(local.dtmf_payload_type), local.direction, false);
    text.into_bytes()
}

/// Our answer to their offer: as many m= lines as they sent, all but the first usable audio refused with port 0;
/// their telephone-event payload type is used; hold is mirrored (sendonly -> recvonly).
pub fn answer(local: &Local, their_offer: &[u8]) -> Result<(Vec<u8>, Negotiated), Unacceptable> {
    let session = Session::parse(their_offer).map_err(Unacceptable)?;
    let (chosen, negotiated) = first_usable(&session, |m| negotiate(local, m, Preference::Ours))?;
    let mut text = session_lines(local);
    for (i, m) in session.media.iter().enumerate() {
        if i == chosen {
            let proto = if is_avpf(m.proto) { "RTP/AVPF" } else { "RTP/AVP" };
            let codec = [(negotiated.payload_type, negotiated.codec)];
            let Negotiated { dtmf, direction, rtcp_mux, .. } = negotiated;
            audio_lines(&mut text, local, proto, &codec, dtmf, direction, rtcp_mux);
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
    // We offer no rtcp-mux, so an answer that says it has misread us.
    let mut m = m.clone();
    m.rtcp_mux = false;
    negotiate(local, &m, Preference::Theirs).map_err(Unacceptable)
}

/// Whose order of codecs decides: an answer to us has decided already.
#[derive(Clone, Copy)]
enum Preference {
    Ours,
    Theirs,
}

/// The first stream that can be used, else the fault of the first audio stream.
fn first_usable(
    session: &Session<'_>,
    try_one: impl Fn(&Media<'_>) -> Result<Negotiated, &'static str>,
) -> Result<(usize, Negotiated), Unacceptable> {
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

fn negotiate(local: &Local, m: &Media<'_>, preference: Preference) -> Result<Negotiated, &'static str> {
    if m.kind != b"audio" {
        return Err("stream is not audio");
    }
    if m.port == 0 {
        return Err("audio stream with port 0");
    }
    if !m.proto.eq_ignore_ascii_case(b"RTP/AVP") && !is_avpf(m.proto) {
        return Err("audio transport is not RTP/AVP");
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
    let (payload_type, codec) = choose(local, m, preference).ok_or("no common codec (PCMA or PCMU wanted)")?;
    let remote_rtp = SocketAddr::new(address, m.port);
    let remote_rtcp = match m.rtcp {
        _ if m.rtcp_mux => remote_rtp,
        Some(rtcp) => {
            let theirs = rtcp.address.filter(|a| a.is_ipv4() == address.is_ipv4() && !held);
            SocketAddr::new(theirs.unwrap_or(address), rtcp.port)
        }
        None => SocketAddr::new(address, m.port.checked_add(1).unwrap_or(m.port)),
    };
    Ok(Negotiated {
        remote_rtp,
        remote_rtcp,
        rtcp_mux: m.rtcp_mux,
        codec,
        payload_type,
        dtmf: telephone_event(m),
        direction: combine(local.direction, m.direction, held),
    })
}

fn choose(local: &Local, m: &Media<'_>, preference: Preference) -> Option<(u8, Codec)> {
    let theirs = || m.payload_types().filter_map(|pt| Some((pt, codec(m, pt)?)));
    match preference {
        Preference::Ours => local.codecs.iter().find_map(|&ours| theirs().find(|&(_, c)| c == ours)),
        Preference::Theirs => theirs().find(|(_, c)| local.codecs.contains(c)),
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

fn is_avpf(proto: &[u8]) -> bool {
    proto.eq_ignore_ascii_case(b"RTP/AVPF")
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

fn audio_lines(
    text: &mut String,
    local: &Local,
    proto: &str,
    codecs: &[(u8, Codec)],
    dtmf: Option<u8>,
    direction: Direction,
    rtcp_mux: bool,
) {
    // Writing to a String cannot fail.
    let _ = write!(text, "m=audio {} {proto}", local.port);
    for pt in codecs.iter().map(|&(pt, _)| pt).chain(dtmf) {
        let _ = write!(text, " {pt}");
    }
    text.push_str("\r\n");
    for &(pt, codec) in codecs {
        let _ = write!(text, "a=rtpmap:{pt} {}/8000\r\n", encoding(codec));
    }
    if let Some(pt) = dtmf {
        let _ = write!(text, "a=rtpmap:{pt} telephone-event/8000\r\na=fmtp:{pt} 0-15\r\n");
    }
    if rtcp_mux {
        text.push_str("a=rtcp-mux\r\n");
    }
    let direction = match direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    };
    let _ = write!(text, "a=ptime:20\r\na={direction}\r\n");
}

#[cfg(test)]
mod tests;
