//! Everything a received byte can reach, called with any bytes; panics where a promise is broken. Shared by the mutation
//! test and the fuzz targets (`tests/fuzz`).

use rexian::config::settings::{HepSettings, Secret, Srtp};
use rexian::media::dtmf_inband::ToneKeys;
use rexian::media::rtp;
use rexian::media::srtp::{Receiver, Sender};
use rexian::plane::srtp::{MasterKey, Suite};
use rexian::plane::webrtc::Fingerprint;
use rexian::plane::{Codec, Direction};
use rexian::sdp::encryption::Encryption;
use rexian::sdp::offer_answer::{self, Local};
use rexian::sdp::webrtc::Own;
use rexian::sip::body;
use rexian::sip::digest::{Digest, Verdict};
use rexian::sip::flow::Flow;
use rexian::sip::framing::{Frame, Framer};
use rexian::sip::message::uri::{Uri, unescape};
use rexian::sip::message::{
    Builder, CSeq, Framing, MAX_MESSAGE, Message, Method, Name, NameAddr, Params, Via, reason_phrase,
};
use rexian::sip::reason;
use rexian::sip::session::timer;
use rexian::time::Instant;
use rexian::trace::{Seen, Way, hep};
use std::hint::black_box;
use std::time::Duration;

/// True if the message was taken.
pub fn message(bytes: &[u8]) -> bool {
    for framing in [Framing::Stream, Framing::Datagram] {
        match Message::parse(bytes, framing) {
            Ok(msg) => {
                understood(&msg);
                if framing == Framing::Datagram {
                    return true;
                }
            }
            Err(e) => {
                assert!((400..600).contains(&e.status) && !e.reason.is_empty());
                if let Some(partial) = e.partial {
                    touch(&partial);
                    black_box(respond(&partial, e.status));
                }
            }
        }
    }
    false
}

/// What `parse` took keeps the promises its accessors make.
fn understood(msg: &Message<'_>) {
    touch(msg);
    assert!(!msg.call_id().is_empty() && !msg.via().host.is_empty() && msg.cseq().seq < 1 << 31);
    assert_eq!(msg.method().is_some(), msg.is_request());
    assert_eq!(msg.status().is_some(), !msg.is_request());
    if msg.is_request() {
        assert_eq!(msg.method(), Some(msg.cseq().method));
        assert!(Uri::parse(msg.request_uri().unwrap()).is_ok());
        // The answer is a message again and says the same.
        let bytes = respond(msg, 200);
        let answer = Message::parse(&bytes, Framing::Stream).unwrap_or_else(|e| panic!("our own answer: {}", e.reason));
        assert_eq!(answer.status(), Some(200));
        assert_eq!((answer.call_id(), answer.cseq(), answer.from()), (msg.call_id(), msg.cseq(), msg.from()));
        assert_eq!(answer.to_tag(), msg.to_tag().or(Some(b"our-tag")));
        assert_eq!((answer.via().branch(), answer.via().host), (msg.via().branch(), msg.via().host));
        assert_eq!(answer.values(Name::Via).count(), msg.values(Name::Via).count());
        let received = answer.via().params.get("received").flatten();
        assert!(received == Some(b"192.0.2.99") || msg.via().host == b"192.0.2.99");
    } else {
        assert!((100..700).contains(&msg.status().unwrap()));
    }
}

fn respond(msg: &Message<'_>, status: u16) -> Vec<u8> {
    let source = "192.0.2.99:5070".parse().unwrap();
    Builder::response(msg, status, reason_phrase(status), Some(b"our-tag"), source)
        .copy(msg, Name::Diversion)
        .header(Name::Contact, b"<sip:us@192.0.2.1>")
        .finish()
}

fn touch(msg: &Message<'_>) {
    for &name in Name::ALL {
        black_box((msg.header(name), msg.headers(name).count(), msg.lists(name, "x")));
    }
    for name in [Name::Via, Name::Contact, Name::PAssertedIdentity, Name::Supported] {
        for value in msg.values(name) {
            assert!(!value.is_empty());
            value_parsers(value);
        }
    }
    for (_, value) in msg.all() {
        value_parsers(value);
    }
    black_box((msg.expires(), msg.max_forwards(), msg.other("Allow-Events"), msg.contacts().count()));
    black_box((msg.from_tag(), msg.to_tag(), msg.reason_phrase(), msg.all().count()));
    assert!(msg.body().len() <= msg.raw().len());
    assert!(body::sdp(msg).len() <= msg.body().len());
    black_box((reason::q850(msg), reason::reasons(msg).count(), timer::is_too_small(msg)));
}

fn value_parsers(value: &[u8]) {
    black_box((Via::parse(value).is_ok(), CSeq::parse(value).is_ok(), Params(value).iter().count()));
    if let Ok(address) = NameAddr::parse(value) {
        black_box(address.params.get("tag"));
        if let Ok(uri) = Uri::parse(address.uri) {
            black_box((uri.equivalent(&uri), uri.ip(), uri.user.map(unescape)));
        }
    }
}

/// Cuts `bytes` as a stream, in pieces whose sizes follow from the bytes; true if at least one message came out.
pub fn stream(bytes: &[u8]) -> bool {
    let whole = frames(bytes, |_| usize::MAX);
    let pieces = frames(bytes, |i| 1 + i * 7 % 61);
    assert_eq!(whole, pieces, "the same frames however the stream is cut");
    !whole.is_empty()
}

fn frames(bytes: &[u8], size: impl Fn(usize) -> usize) -> Vec<Vec<u8>> {
    let (mut framer, mut out, mut rest, mut i) = (Framer::new(), Vec::new(), bytes, 0);
    while !rest.is_empty() {
        let (piece, later) = rest.split_at(size(i).min(rest.len()));
        (rest, i) = (later, i + 1);
        framer.push(piece);
        while let Some(frame) = framer.next() {
            match frame {
                Ok(Frame::Message(m)) => {
                    assert!(m.len() <= MAX_MESSAGE);
                    // The cutter and the parser agree on where it ends.
                    match Message::parse(m, Framing::Stream) {
                        Ok(msg) => assert_eq!(msg.body().as_ptr_range().end, m.as_ptr_range().end),
                        Err(e) => assert!(!e.reason.starts_with("Content-Length"), "{}", e.reason),
                    }
                    out.push(m.to_vec());
                }
                Ok(Frame::Ping) => {}
                Err(_) => return out,
            }
        }
        assert!(framer.pending() <= MAX_MESSAGE + piece.len());
    }
    out
}

/// True if the description was usable.
pub fn sdp(bytes: &[u8]) -> bool {
    let policies = [Srtp::Never, Srtp::IfOffered, Srtp::Required];
    let spoken = policies.map(|srtp| sdp_under(Encryption::new(srtp, || [7; 32]), srtp, bytes)).contains(&true);
    let own = Own::new([7; 32], Fingerprint([1; 32]), Some("2001:db8::1".parse().unwrap()));
    spoken | sdp_under(Encryption::WebRtc(own), Srtp::Never, bytes)
}

fn sdp_under(encryption: Encryption, srtp: Srtp, bytes: &[u8]) -> bool {
    let browser = encryption.webrtc().is_some();
    let ours = Local {
        address: "192.0.2.1".parse().unwrap(),
        port: 30_000,
        session_id: 1,
        version: 1,
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        dtmf_payload_type: 101,
        direction: Direction::SendRecv,
        encryption,
    };
    let answered = offer_answer::answer(&ours, bytes);
    for n in answered.iter().map(|(_, n)| n.clone()).chain(offer_answer::accept(&ours, bytes)) {
        assert!(n.remote_rtp.port() != 0 && n.remote_rtcp.port() != 0 && n.payload_type < 128);
        assert!(n.remote_rtp.is_ipv4() && n.remote_rtcp.is_ipv4());
        assert!(!n.direction.sends() || !n.remote_rtp.ip().is_unspecified());
        assert_eq!(n.webrtc.is_some(), browser);
        if let Some(webrtc) = &n.webrtc {
            let plain = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
            assert!(
                plain(&webrtc.theirs.ice.name) && plain(&webrtc.theirs.ice.password) && webrtc.theirs.sources.len() < 5
            );
            assert!(webrtc.theirs.mid.as_deref().is_none_or(|mid| plain(mid) && mid.len() <= 16));
        }
        match (srtp, &n.srtp) {
            (Srtp::Never, keys) => assert!(keys.is_none()),
            (Srtp::IfOffered, _) => {}
            (Srtp::Required, keys) => assert!(keys.is_some()),
        }
    }
    if let Ok((text, _)) = &answered {
        // Our answer can be read, has a line for each of theirs and one stream that is on.
        let theirs = rexian::sdp::parse::Session::parse(bytes).unwrap();
        let said = rexian::sdp::parse::Session::parse(text).unwrap();
        assert_eq!(said.media.len(), theirs.media.len());
        assert_eq!(said.media.iter().filter(|m| m.port != 0).count(), 1);
    }
    answered.is_ok()
}

/// Judges `bytes` as an Authorization value that nobody was challenged for; true if it was read as a Digest answer.
pub fn digest(bytes: &[u8]) -> bool {
    let request = Builder::request(Method::Register, b"sip:h")
        .header(Name::Via, b"SIP/2.0/UDP h")
        .header(Name::From, b"<sip:8001@h>;tag=1")
        .header(Name::To, b"<sip:8001@h>")
        .header(Name::CallId, b"x")
        .header(Name::CSeq, b"1 REGISTER")
        .header(Name::Authorization, bytes)
        .finish();
    let msg = Message::parse(&request, Framing::Stream).unwrap_or_else(|e| panic!("{}", e.reason));
    let mut digest = Digest::new("h", [7; 32], Duration::from_secs(60));
    let now = Instant::from_unix_secs(1_800_000_000);
    let verdict = digest.verify(now, [10, 0, 0, 9].into(), &msg, |_| Some(Secret("secret".into())));
    assert!(!matches!(verdict, Verdict::Accepted { .. }), "{verdict:?}");
    assert_eq!(digest.remembered(), 0, "a guess leaves nothing behind");
    !matches!(verdict, Verdict::Missing)
}

/// True if the datagram was RTP.
pub fn rtp(bytes: &[u8]) -> bool {
    black_box(rtp::is_rtcp(bytes));
    let Some(packet) = rtp::Packet::parse(bytes) else { return false };
    assert!(packet.payload.len() + rtp::HEADER <= bytes.len() && packet.payload_type < 128);
    let mut out = vec![0; bytes.len()];
    let len = packet.write(&mut out).expect("what was read fits where it came from");
    assert_eq!(rtp::Packet::parse(&out[..len]), Some(packet));
    true
}

/// Bytes as SRTP and as SRTCP, sealed first under the key they are opened with or not; true if that opened.
pub fn srtp(bytes: &[u8]) -> bool {
    let Some((choice, packet)) = bytes.split_first() else { return false };
    let suite = Suite::ALL[usize::from(choice & 3)];
    let key = MasterKey::random(suite, |octets| octets.fill(7));
    let mut receiver = Receiver::new(suite, &key);
    let mut forged = packet.to_vec();
    // A tag of 32 bits is met by chance in an hour of fuzzing.
    if suite != Suite::AesCm128HmacSha1_32 {
        assert_eq!((receiver.open_rtp(&mut forged), receiver.open_rtcp(&mut forged)), (None, None));
        assert_eq!(forged, packet, "what does not open stays as it was");
    }

    let (mut sender, report) = (Sender::new(suite, &key), choice & 4 != 0);
    let mut buffer = [packet, &[0; 32]].concat();
    let sealed = match report {
        true => sender.seal_rtcp(packet.len(), &mut buffer),
        false => sender.seal_rtp(packet.len(), &mut buffer),
    };
    let Some(len) = sealed else { return false };
    assert!(len > packet.len() && len <= buffer.len());
    let mut open = |datagram: &mut [u8]| match report {
        true => receiver.open_rtcp(datagram),
        false => receiver.open_rtp(datagram),
    };
    let mut wire = buffer[..len].to_vec();
    assert_eq!(open(&mut wire), Some(packet.len()));
    assert_eq!(&wire[..packet.len()], packet);
    assert_eq!(open(&mut buffer[..len]), None, "it does not open twice");
    true
}

/// Listens to `bytes` as audio; true if it held a key press. The first octet says how it is written down.
pub fn dtmf(bytes: &[u8]) -> bool {
    let Some((choice, audio)) = bytes.split_first() else { return false };
    let codec = if choice & 1 == 0 { Codec::Pcma } else { Codec::Pcmu };
    let heard = |size: usize| -> String {
        let mut keys = ToneKeys::default();
        audio.chunks(size).filter_map(|packet| keys.audio(codec, packet)).collect()
    };
    let pressed = heard(160);
    assert!(pressed.chars().all(|key| "0123456789*#ABCD".contains(key)), "{pressed}");
    // Three looks of 102 samples make a press, two end it.
    assert!(pressed.len() <= audio.len() / (3 * 102), "{} presses in {} samples", pressed.len(), audio.len());
    for size in [1, 7, 80, 102] {
        assert_eq!(heard(size), pressed, "the same keys in packets of {size}");
    }
    !pressed.is_empty()
}

/// Reads `bytes` as HEP3; true if they were a message. What was read is written and read again.
pub fn hep(bytes: &[u8]) -> bool {
    let Some((seen, call)) = hep::decode(bytes) else { return false };
    assert!(seen.bytes.len() <= bytes.len());
    let settings = HepSettings { to: "192.0.2.1:9060".parse().unwrap(), agent: 1, password: None };
    let (again, same_call) = hep::decode(&hep::encode(&seen, call.as_deref(), &settings)).expect("our own packet");
    let ends = |seen: &Seen| {
        let Flow { local, remote, .. } = seen.flow;
        let ends = if seen.way == Way::In { (remote, local) } else { (local, remote) };
        [ends.0, ends.1].map(|end| (end.ip().to_canonical(), end.port()))
    };
    let message = &seen.bytes[..seen.bytes.len().min(64_000)];
    assert_eq!((ends(&again), again.at, &again.bytes[..]), (ends(&seen), seen.at, message));
    assert_eq!(same_call.map(|call| call.len().min(100)), call.map(|call| call.len().min(100)));
    true
}
