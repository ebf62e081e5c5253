//! The pretend user agents' own small SDP: one audio stream, offer and answer (RFC 8866, RFC 3264).

use super::wire::Station;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// The far end's media, as its SDP said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteMedia {
    /// Where we send RTP.
    pub rtp: SocketAddr,
    /// 8 A-law, 0 µ-law.
    pub payload_type: u8,
    /// Payload type of telephone-event, if agreed.
    pub dtmf: Option<u8>,
    /// The far end says it sends.
    pub talks: bool,
    /// The far end says it listens.
    pub listens: bool,
}

/// Our description. `agreed`: when answering, the payload types settled on; `listening`: false while we hold.
pub fn describe(us: &Station, session: u64, version: u64, agreed: Option<&RemoteMedia>, direction: &str) -> Vec<u8> {
    let family = if us.rtp.is_ipv4() { "IP4" } else { "IP6" };
    let ip = us.rtp.ip();
    let types = match agreed {
        Some(media) => vec![media.payload_type],
        None => us.payload_types.clone(),
    };
    let dtmf = match agreed {
        Some(media) => media.dtmf,
        None => us.dtmf,
    };
    let mut sdp = format!(
        "v=0\r\no=- {session} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio {} RTP/AVP",
        us.rtp.port()
    );
    for t in types.iter().chain(&dtmf) {
        let _ = write!(sdp, " {t}");
    }
    sdp.push_str("\r\n");
    for t in types {
        let name = match t {
            0 => "PCMU",
            8 => "PCMA",
            18 => "G729",
            _ => continue,
        };
        let _ = write!(sdp, "a=rtpmap:{t} {name}/8000\r\n");
    }
    if let Some(t) = dtmf {
        let _ = write!(sdp, "a=rtpmap:{t} telephone-event/8000\r\na=fmtp:{t} 0-15\r\n");
    }
    let _ = write!(sdp, "a=ptime:20\r\na={direction}\r\n");
    sdp.into_bytes()
}

/// Reads the far end's description: the first audio stream, with the first payload type we share.
pub fn read(us: &Station, sdp: &[u8]) -> Option<RemoteMedia> {
    let sdp = std::str::from_utf8(sdp).ok()?;
    let mut session_ip = None;
    let mut stream_ip = None;
    let mut audio: Option<(u16, Vec<u8>)> = None;
    let mut dtmf = None;
    let mut direction = "sendrecv";
    let mut in_audio = true;
    for line in sdp.lines() {
        let Some((kind, value)) = line.split_once('=') else { continue };
        match kind {
            "m" => {
                in_audio = audio.is_none() && value.starts_with("audio ");
                if in_audio {
                    let mut words = value.split(' ').skip(1);
                    let port = words.next()?.parse().ok()?;
                    audio = Some((port, words.skip(1).filter_map(|w| w.parse().ok()).collect()));
                }
            }
            "c" if in_audio => {
                let ip: Option<IpAddr> = value.rsplit(' ').next().and_then(|a| a.parse().ok());
                if audio.is_some() { stream_ip = ip } else { session_ip = ip }
            }
            "a" if in_audio => {
                if let Some(map) = value.strip_prefix("rtpmap:")
                    && let Some((t, "telephone-event/8000")) = map.split_once(' ')
                {
                    dtmf = t.parse().ok();
                } else if matches!(value, "sendrecv" | "sendonly" | "recvonly" | "inactive") {
                    direction = value;
                }
            }
            _ => {}
        }
    }
    let (port, types) = audio?;
    let payload_type = types.into_iter().find(|t| matches!(t, 0 | 8) && us.payload_types.contains(t))?;
    if port == 0 {
        return None;
    }
    Some(RemoteMedia {
        rtp: SocketAddr::new(stream_ip.or(session_ip)?, port),
        payload_type,
        dtmf: if us.dtmf.is_some() { dtmf } else { None },
        talks: matches!(direction, "sendrecv" | "sendonly"),
        listens: matches!(direction, "sendrecv" | "recvonly"),
    })
}

/// The direction to answer with, given what the far end offered (RFC 3264 s6.1).
pub fn mirrored(offer: &RemoteMedia) -> &'static str {
    match (offer.talks, offer.listens) {
        (true, true) => "sendrecv",
        (true, false) => "recvonly",
        (false, true) => "sendonly",
        (false, false) => "inactive",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn station(types: &[u8], dtmf: Option<u8>) -> Station {
        Station {
            sip: "127.0.0.1:5080".parse().unwrap(),
            gateway: "127.0.0.1:5060".parse().unwrap(),
            rtp: "10.9.8.7:4002".parse().unwrap(),
            payload_types: types.to_vec(),
            dtmf,
        }
    }

    #[test]
    fn an_offer_is_read_back_as_it_was_meant() {
        let sdp = describe(&station(&[18, 8], Some(100)), 1, 1, None, "sendonly");
        let seen = read(&station(&[8, 0], Some(101)), &sdp).unwrap();
        assert_eq!(seen.rtp, "10.9.8.7:4002".parse().unwrap());
        assert_eq!((seen.payload_type, seen.dtmf), (8, Some(100)), "A-law shared, their event number kept");
        assert_eq!((seen.talks, seen.listens), (true, false));
        assert_eq!(mirrored(&seen), "recvonly");
    }

    #[test]
    fn nothing_in_common_is_no_media() {
        let sdp = describe(&station(&[18], None), 1, 1, None, "sendrecv");
        assert_eq!(read(&station(&[8], None), &sdp), None);
    }
}
