//! Tables of offers and answers as carriers and phones send them.

use super::*;
use crate::config::settings::Srtp;
use Codec::{Pcma, Pcmu};
use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};

fn local() -> Local {
    Local {
        address: "192.0.2.1".parse().unwrap(),
        port: 30_000,
        session_id: 7,
        version: 1,
        codecs: vec![Pcma, Pcmu],
        dtmf_payload_type: 101,
        direction: SendRecv,
        encryption: Encryption::Never,
    }
}

/// `|` stands for a line end.
fn sdp(lines: &str) -> Vec<u8> {
    lines.replace('|', "\r\n").into_bytes()
}

const HEAD: &str = "v=0|o=- 1 1 IN IP4 198.51.100.7|s=-|c=IN IP4 198.51.100.7|t=0 0|";

#[test]
fn our_offer_in_full_and_its_own_answer() {
    let text = String::from_utf8(offer(&local())).unwrap();
    assert_eq!(
        text.replace("\r\n", "|"),
        "v=0|o=rexian 7 1 IN IP4 192.0.2.1|s=-|c=IN IP4 192.0.2.1|t=0 0|m=audio 30000 RTP/AVP 8 0 101|a=rtpmap:8 PCMA/8000|\
         a=rtpmap:0 PCMU/8000|a=rtpmap:101 telephone-event/8000|a=fmtp:101 0-15|a=ptime:20|a=sendrecv|"
    );
    let peer = Local { address: "192.0.2.2".parse().unwrap(), port: 40_000, ..local() };
    let (answer, theirs) = answer(&peer, text.as_bytes()).unwrap();
    let ours = accept(&local(), &answer).unwrap();
    assert_eq!(theirs.remote_rtp, "192.0.2.1:30000".parse().unwrap());
    assert_eq!(ours.remote_rtp, "192.0.2.2:40000".parse().unwrap());
    for n in [theirs, ours] {
        assert_eq!((n.codec, n.payload_type, n.dtmf, n.direction, n.rtcp_mux), (Pcma, 8, Some(101), SendRecv, false));
    }
}

#[test]
fn offers_we_can_use() {
    // offer after HEAD | codec, payload type, telephone-event, direction | RTP, RTCP | our m= lines
    type Row =
        (&'static str, (Codec, u8, Option<u8>, Direction), (&'static str, &'static str), &'static [&'static str]);
    #[rustfmt::skip]
    let rows: &[Row] = &[
        // Static numbers without rtpmap.
        ("m=audio 4000 RTP/AVP 0 8|", (Pcma, 8, None, SendRecv), ("198.51.100.7:4000", "198.51.100.7:4001"), &["audio 30000 RTP/AVP 8"]),
        ("m=audio 4000 RTP/AVP 0|", (Pcmu, 0, None, SendRecv), ("198.51.100.7:4000", "198.51.100.7:4001"), &["audio 30000 RTP/AVP 0"]),
        // Mobile IMS: EVS, AMR-WB, AMR, G.729, two telephone-events.
        ("m=audio 4000 RTP/AVP 114 104 102 18 8 0 105 100|b=AS:80|a=rtpmap:114 EVS/16000/1|a=fmtp:114 br=5.9-24.4|a=rtpmap:104 AMR-WB/16000/1|\
          a=rtpmap:102 AMR/8000/1|a=rtpmap:18 G729/8000|a=fmtp:18 annexb=no|a=rtpmap:8 PCMA/8000|a=rtpmap:0 PCMU/8000|\
          a=rtpmap:105 telephone-event/16000|a=fmtp:105 0-15|a=rtpmap:100 telephone-event/8000|a=fmtp:100 0-15|a=ptime:20|a=maxptime:240|a=sendrecv|",
            (Pcma, 8, Some(100), SendRecv), ("198.51.100.7:4000", "198.51.100.7:4001"), &["audio 30000 RTP/AVP 8 100"]),
        // Only 16 kHz events: unusable beside G.711.
        ("m=audio 4000 RTP/AVP 8 105|a=rtpmap:105 telephone-event/16000|", (Pcma, 8, None, SendRecv), ("198.51.100.7:4000", "198.51.100.7:4001"), &["audio 30000 RTP/AVP 8"]),
        // A mapping for a number not in the format list counts for nothing.
        ("m=audio 4000 RTP/AVP 8|a=rtpmap:101 telephone-event/8000|", (Pcma, 8, None, SendRecv), ("198.51.100.7:4000", "198.51.100.7:4001"), &["audio 30000 RTP/AVP 8"]),
        // A-law on a dynamic number, names in any case, 8 taken by something else.
        ("m=audio 4000 RTP/AVP 8 97|a=rtpmap:8 X-ODD/8000|a=rtpmap:97 pcma/8000/1|", (Pcma, 97, None, SendRecv), ("198.51.100.7:4000", "198.51.100.7:4001"), &["audio 30000 RTP/AVP 97"]),
        // Wide-band namesake.
        ("m=audio 4000 RTP/AVP 96 0|a=rtpmap:96 PCMA/16000|", (Pcmu, 0, None, SendRecv), ("198.51.100.7:4000", "198.51.100.7:4001"), &["audio 30000 RTP/AVP 0"]),
        // Hold, old and new; session level and media level.
        ("m=audio 4000 RTP/AVP 8|a=sendonly|", (Pcma, 8, None, RecvOnly), ("198.51.100.7:4000", "198.51.100.7:4001"), &["audio 30000 RTP/AVP 8"]),
        ("m=audio 4000 RTP/AVP 8|a=recvonly|", (Pcma, 8, None, SendOnly), ("198.51.100.7:4000", "198.51.100.7:4001"), &["audio 30000 RTP/AVP 8"]),
        ("a=inactive|m=audio 4000 RTP/AVP 8|", (Pcma, 8, None, Inactive), ("198.51.100.7:4000", "198.51.100.7:4001"), &["audio 30000 RTP/AVP 8"]),
        ("a=inactive|m=audio 4000 RTP/AVP 8|a=sendrecv|", (Pcma, 8, None, SendRecv), ("198.51.100.7:4000", "198.51.100.7:4001"), &["audio 30000 RTP/AVP 8"]),
        ("m=audio 4000 RTP/AVP 8|c=IN IP4 0.0.0.0|", (Pcma, 8, None, RecvOnly), ("0.0.0.0:4000", "0.0.0.0:4001"), &["audio 30000 RTP/AVP 8"]),
        ("m=audio 4000 RTP/AVP 8|c=IN IP6 ::|", (Pcma, 8, None, RecvOnly), ("0.0.0.0:4000", "0.0.0.0:4001"), &["audio 30000 RTP/AVP 8"]),
        // Media-level address, RTCP elsewhere, RTCP multiplexed.
        ("m=audio 4000 RTP/AVP 8|c=IN IP4 203.0.113.9|a=rtcp:5001|", (Pcma, 8, None, SendRecv), ("203.0.113.9:4000", "203.0.113.9:5001"), &["audio 30000 RTP/AVP 8"]),
        ("m=audio 4000 RTP/AVP 8|a=rtcp:5001 IN IP4 203.0.113.8|", (Pcma, 8, None, SendRecv), ("198.51.100.7:4000", "203.0.113.8:5001"), &["audio 30000 RTP/AVP 8"]),
        ("m=audio 4000 RTP/AVP 8|a=rtcp:5001|a=rtcp-mux|", (Pcma, 8, None, SendRecv), ("198.51.100.7:4000", "198.51.100.7:4000"), &["audio 30000 RTP/AVP 8"]),
        ("m=audio 65535 RTP/AVP 8|", (Pcma, 8, None, SendRecv), ("198.51.100.7:65535", "198.51.100.7:65535"), &["audio 30000 RTP/AVP 8"]),
        // Other streams are refused in place; the first usable audio is taken.
        ("m=video 5000 RTP/AVP 31|a=rtpmap:31 H261/90000|m=audio 4000 RTP/AVP 8|", (Pcma, 8, None, SendRecv), ("198.51.100.7:4000", "198.51.100.7:4001"),
            &["video 0 RTP/AVP 31", "audio 30000 RTP/AVP 8"]),
        ("m=audio 0 RTP/AVP 8|m=audio 4000 RTP/SAVP 8|m=audio 4002 RTP/AVP 8 0|m=image 6000 udptl t38|a=T38FaxVersion:0|m=audio 4004 RTP/AVP 8|", (Pcma, 8, None, SendRecv),
            ("198.51.100.7:4002", "198.51.100.7:4003"),
            &["audio 0 RTP/AVP 8", "audio 0 RTP/SAVP 8", "audio 30000 RTP/AVP 8", "image 0 udptl t38", "audio 0 RTP/AVP 8"]),
        ("m=audio 4000/2 RTP/AVPF 8|", (Pcma, 8, None, SendRecv), ("198.51.100.7:4000", "198.51.100.7:4001"), &["audio 30000 RTP/AVPF 8"]),
        // Spacing, blank and garbage lines, Latin-1, preconditions.
        ("m=audio  4000  RTP/AVP  8 |  |garbage|a=curr:qos local none|i=\u{e9}|a=des:qos mandatory local sendrecv|", (Pcma, 8, None, SendRecv),
            ("198.51.100.7:4000", "198.51.100.7:4001"), &["audio 30000 RTP/AVP 8"]),
    ];
    for &(lines, (codec, payload_type, dtmf, direction), (rtp, rtcp), want) in rows {
        let offer = sdp(&format!("{HEAD}{lines}"));
        let (text, n) = answer(&local(), &offer).unwrap_or_else(|e| panic!("{lines}: {}", e.0));
        assert_eq!((n.codec, n.payload_type, n.dtmf, n.direction), (codec, payload_type, dtmf, direction), "{lines}");
        assert_eq!((n.remote_rtp, n.remote_rtcp), (rtp.parse().unwrap(), rtcp.parse().unwrap()), "{lines}");
        assert_eq!(n.rtcp_mux, lines.contains("rtcp-mux"), "{lines}");
        let text = String::from_utf8(text).unwrap();
        let got: Vec<_> = text.lines().filter_map(|l| l.strip_prefix("m=")).collect();
        assert_eq!(got, want, "{lines}");
        let said = Session::parse(text.as_bytes()).unwrap();
        let chosen = said.media.iter().find(|m| m.port != 0).unwrap();
        assert_eq!((chosen.direction, chosen.rtcp_mux), (direction, n.rtcp_mux), "{lines}");
        // LF alone ends lines as well.
        let bare = String::from_utf8(offer).unwrap().replace("\r\n", "\n");
        assert_eq!(answer(&local(), bare.as_bytes()).map(|(_, n)| n), Ok(n), "{lines}");
    }
}

#[test]
fn ours_and_their_direction_combine() {
    let theirs = [("sendrecv", SendRecv), ("sendonly", SendOnly), ("recvonly", RecvOnly), ("inactive", Inactive)];
    let want = [
        (SendRecv, [SendRecv, RecvOnly, SendOnly, Inactive]),
        (SendOnly, [SendOnly, Inactive, SendOnly, Inactive]),
        (RecvOnly, [RecvOnly, RecvOnly, Inactive, Inactive]),
        (Inactive, [Inactive; 4]),
    ];
    for (ours, row) in want {
        for ((said, _), want) in theirs.iter().zip(row) {
            let text = sdp(&format!("{HEAD}m=audio 4000 RTP/AVP 8|a={said}|"));
            let local = Local { direction: ours, ..local() };
            assert_eq!(answer(&local, &text).unwrap().1.direction, want, "{ours:?} {said}");
            assert_eq!(accept(&local, &text).unwrap().direction, want, "{ours:?} {said}");
        }
    }
}

#[test]
fn ipv6() {
    let v6 = Local { address: "2001:db8::1".parse().unwrap(), ..local() };
    assert!(String::from_utf8(offer(&v6)).unwrap().contains("\r\nc=IN IP6 2001:db8::1\r\n"));
    let theirs = sdp("v=0|o=- 1 1 IN IP6 2001:db8::7|s=-|c=IN IP6 2001:db8::7|t=0 0|m=audio 4000 RTP/AVP 8|");
    assert_eq!(answer(&v6, &theirs).unwrap().1.remote_rtp, "[2001:db8::7]:4000".parse().unwrap());
    assert_eq!(answer(&local(), &theirs), Err(Unacceptable("c= address of the other IP family")));
    let held = sdp("v=0|c=IN IP4 0.0.0.0|m=audio 4000 RTP/AVP 8|");
    let n = answer(&v6, &held).unwrap().1;
    assert_eq!((n.remote_rtp, n.direction), ("[::]:4000".parse().unwrap(), RecvOnly));
}

#[test]
fn offers_we_cannot_use() {
    let rows = [
        ("", "SDP does not start with v=0"),
        ("o=x|v=0|", "SDP does not start with v=0"),
        ("v=1|", "SDP does not start with v=0"),
        ("v=0|s=-|", "SDP without an audio stream"),
        ("v=0|c=IN IP4 1.2.3.4|m=video 1 RTP/AVP 8|", "SDP without an audio stream"),
        ("v=0|c=IN IP4 1.2.3.4|m=audio 0 RTP/AVP 8|", "audio stream with port 0"),
        ("v=0|c=IN IP4 1.2.3.4|m=audio 4 TCP/RTP/AVP 8|", "audio transport is neither RTP/AVP nor RTP/SAVP"),
        ("v=0|c=IN IP4 1.2.3.4|m=audio 4 UDP/TLS/RTP/SAVPF 8|", "audio is WebRTC, which is not spoken here"),
        (
            "v=0|c=IN IP4 1.2.3.4|m=audio 4 RTP/AVP 18 101|a=rtpmap:101 telephone-event/8000|",
            "no common codec (PCMA or PCMU wanted)",
        ),
        ("v=0|c=IN IP4 1.2.3.4|m=audio 4 RTP/AVP|", "no common codec (PCMA or PCMU wanted)"),
        ("v=0|m=audio 4 RTP/AVP 8|", "c= line missing"),
        ("v=0|c=IN IP4 phone.example|m=audio 4 RTP/AVP 8|", "c= line is not a unicast IP address"),
        ("v=0|c=IN IP4 224.2.1.1/127|m=audio 4 RTP/AVP 8|", "c= line is not a unicast IP address"),
        ("v=0|c=IN IP6 1.2.3.4|m=audio 4 RTP/AVP 8|", "c= line is not a unicast IP address"),
        ("v=0|c=IN IP4|m=audio 4 RTP/AVP 8|", "c= line is not a unicast IP address"),
        ("v=0|c=IN IP4 1.2.3.4|m=audio|", "m= line malformed"),
        ("v=0|c=IN IP4 1.2.3.4|m=audio 65536 RTP/AVP 8|", "m= port malformed"),
        ("v=0|c=IN IP4 1.2.3.4|m=audio -1 RTP/AVP 8|", "m= port malformed"),
    ];
    for (text, reason) in rows {
        assert_eq!(answer(&local(), &sdp(text)), Err(Unacceptable(reason)), "{text}");
    }
    let many = format!("{HEAD}{}", "m=audio 4 RTP/AVP 8|".repeat(17));
    assert_eq!(answer(&local(), &sdp(&many)), Err(Unacceptable("SDP with more than 16 m= lines")));
    let long = format!("{HEAD}{}", "a=x|".repeat(512));
    assert_eq!(answer(&local(), &sdp(&long)), Err(Unacceptable("SDP with too many lines")));
    assert_eq!(answer(&local(), &vec![b'v'; 65_537]), Err(Unacceptable("SDP larger than 64 KiB")));
}

#[test]
fn answers_to_us() {
    let ok = |lines: &str| accept(&local(), &sdp(&format!("{HEAD}{lines}")));
    let n = ok("m=audio 4000 RTP/AVP 0 8 101|a=rtpmap:101 telephone-event/8000|a=rtcp-mux|").unwrap();
    assert_eq!((n.codec, n.payload_type, n.dtmf, n.rtcp_mux), (Pcmu, 0, Some(101), false));
    assert_eq!(n.remote_rtcp, "198.51.100.7:4001".parse().unwrap());
    assert_eq!(ok("m=audio 4000 RTP/AVP 8|").unwrap().dtmf, None);
    assert_eq!(ok("m=audio 0 RTP/AVP 8|"), Err(Unacceptable("audio stream with port 0")));
    assert_eq!(ok(""), Err(Unacceptable("SDP without an m= line")));
    assert_eq!(ok("m=audio 4000 RTP/AVP 18|"), Err(Unacceptable("no common codec (PCMA or PCMU wanted)")));
}

#[test]
fn our_codec_preference_decides_an_answer() {
    let offer = sdp(&format!("{HEAD}m=audio 4000 RTP/AVP 8 0|"));
    let mulaw = Local { codecs: vec![Pcmu, Pcma], ..local() };
    assert_eq!(answer(&mulaw, &offer).unwrap().1.codec, Pcmu);
    let only = Local { codecs: vec![Pcmu], ..local() };
    assert!(answer(&only, &sdp(&format!("{HEAD}m=audio 4000 RTP/AVP 8|"))).is_err());
}

const SHA80: &str = "AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz";
const SHA32: &str = "AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj";
const GCM: &str = "AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==";

fn under(srtp: Srtp) -> Local {
    Local { encryption: Encryption::new(srtp, || [3; 32]), ..local() }
}

/// `_80`, `_32`, `_gcm` stand for suites with keys, `-` for a line end and `a=crypto:`, `~` for `|`.
fn keyed(lines: &str) -> Vec<u8> {
    let lines = lines.replace('-', "|a=crypto:").replace("_80", SHA80).replace("_32", SHA32).replace("_gcm", GCM);
    let text = sdp(&format!("{HEAD}m=audio 4000 {lines}|"));
    text.into_iter().map(|b| if b == b'~' { b'|' } else { b }).collect()
}

/// Our m= line and the head of each of our keys, or the fault.
fn said(answer: Result<(Vec<u8>, Negotiated), Unacceptable>) -> String {
    let (text, negotiated) = match answer {
        Ok(answer) => answer,
        Err(Unacceptable(fault)) => return fault.into(),
    };
    let text = String::from_utf8(text).unwrap();
    let line = |l: &str| l.strip_prefix("m=audio 30000 ").or(l.strip_prefix("a=crypto:")).map(str::to_owned);
    let lines: Vec<String> = text.lines().filter_map(line).collect();
    assert_eq!(negotiated.srtp.is_some(), lines.len() == 2, "the keys said are the keys used: {text}");
    lines.join(" - ").split(" inline").next().unwrap().into()
}

#[test]
fn encrypted_audio_by_policy() {
    const NO: &str = "audio is encrypted (RTP/SAVP), which srtp does not allow here";
    const MUST: &str = "audio is not encrypted, which srtp requires here";
    const MKI: &str = "a=crypto with a key identifier (MKI)";
    #[rustfmt::skip]
    let rows: [(Vec<u8>, [&str; 3]); 12] = [
        // their offer                            never                 if offered                                   required
        (keyed("RTP/AVP 8"),                      ["RTP/AVP 8",         "RTP/AVP 8",                                 MUST]),
        (keyed("RTP/SAVP 8-1 _80"),               [NO,                  "RTP/SAVP 8 - 1 AES_CM_128_HMAC_SHA1_80",    "RTP/SAVP 8 - 1 AES_CM_128_HMAC_SHA1_80"]),
        (keyed("rtp/savpf 8-1 _80"),              [NO,                  "RTP/SAVPF 8 - 1 AES_CM_128_HMAC_SHA1_80",   "RTP/SAVPF 8 - 1 AES_CM_128_HMAC_SHA1_80"]),
        // Their first that we speak, with its tag.
        (keyed("RTP/SAVP 8-7 F8_X inline:x-99 _32-5 _80"), [NO,         "RTP/SAVP 8 - 99 AES_CM_128_HMAC_SHA1_32",   "RTP/SAVP 8 - 99 AES_CM_128_HMAC_SHA1_32"]),
        (keyed("RTP/SAVP 8-2 _gcm-1 _80"),        [NO,                  "RTP/SAVP 8 - 2 AEAD_AES_128_GCM",           "RTP/SAVP 8 - 2 AEAD_AES_128_GCM"]),
        // Rather in the clear than not at all.
        (keyed("RTP/AVP 8-1 _80"),                ["RTP/AVP 8",         "RTP/AVP 8 - 1 AES_CM_128_HMAC_SHA1_80",     "RTP/AVP 8 - 1 AES_CM_128_HMAC_SHA1_80"]),
        (keyed("RTP/AVP 8-1 _80~1:4"),              ["RTP/AVP 8",         "RTP/AVP 8",                                 MKI]),
        (keyed("RTP/SAVP 8-1 _80~1:4"),             [NO,                  MKI,                                         MKI]),
        (keyed("RTP/SAVP 8"),                     [NO,                  "RTP/SAVP without a=crypto",                 "RTP/SAVP without a=crypto"]),
        // A phone that offers both as streams of their own.
        (keyed("RTP/SAVP 8-1 _80|m=audio 4002 RTP/AVP 8"), ["RTP/AVP 8", "RTP/SAVP 8 - 1 AES_CM_128_HMAC_SHA1_80",   "RTP/SAVP 8 - 1 AES_CM_128_HMAC_SHA1_80"]),
        (keyed("RTP/AVP 8|m=audio 4002 RTP/SAVP 8-1 _80"), ["RTP/AVP 8", "RTP/AVP 8",                                "RTP/SAVP 8 - 1 AES_CM_128_HMAC_SHA1_80"]),
        (keyed("UDP/TLS/RTP/SAVP 8-1 _80"),       ["audio is WebRTC, which is not spoken here"; 3]),
    ];
    for (offer, answers) in rows {
        for (policy, expected) in [Srtp::Never, Srtp::IfOffered, Srtp::Required].into_iter().zip(answers) {
            let text = String::from_utf8_lossy(&offer);
            assert_eq!(said(answer(&under(policy), &offer)), expected, "{policy:?} {text}");
        }
    }
}

#[test]
fn keys_of_the_session_level_are_nobodys() {
    let offer = sdp(&format!("{HEAD}a=crypto:1 {SHA80}|m=audio 4000 RTP/SAVP 8|"));
    assert_eq!(said(answer(&under(Srtp::Required), &offer)), "RTP/SAVP without a=crypto");
}

#[test]
fn an_offer_of_ours_and_its_answer_share_their_keys() {
    let ours = under(Srtp::Required);
    let offered = offer(&ours);
    let text = String::from_utf8(offered.clone()).unwrap();
    assert!(text.contains("m=audio 30000 RTP/SAVP 8 0 101\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"), "{text}");
    assert_eq!(text.matches("a=crypto:").count(), 4, "one line for each suite");
    let peer = Local { encryption: Encryption::new(Srtp::IfOffered, || [4; 32]), ..local() };
    // Whichever line the peer takes.
    for tag in 1..=4 {
        let line = |l: &&str| !l.starts_with("a=crypto:") || l.starts_with(&format!("a=crypto:{tag} "));
        let one: String = text.lines().filter(line).map(|l| format!("{l}\r\n")).collect();
        let (answer, theirs) = answer(&peer, one.as_bytes()).unwrap();
        let (theirs, ours) = (theirs.srtp.unwrap(), accept(&ours, &answer).unwrap().srtp.unwrap());
        assert_eq!((theirs.suite, theirs.ours, theirs.theirs), (ours.suite, ours.theirs, ours.ours), "line {tag}");
    }
    assert_eq!(offer(&under(Srtp::IfOffered)), offer(&local()), "not offered of itself");
    let mut agreed = under(Srtp::IfOffered);
    let negotiated = accept(&ours, &answer(&peer, text.as_bytes()).unwrap().0).unwrap();
    agreed.encryption.agree(&negotiated);
    assert_eq!(offer(&agreed), offered, "but again once it is agreed on");
}

#[test]
fn answers_to_keys_of_ours_and_to_none() {
    let fault = |srtp, lines: &str| accept(&under(srtp), &keyed(lines)).map(|n| n.srtp.is_some()).map_err(|e| e.0);
    assert_eq!(fault(Srtp::Required, "RTP/SAVP 8-1 _80"), Ok(true));
    // Some answer an offer of RTP/SAVP under RTP/AVP; the keys say what is meant.
    assert_eq!(fault(Srtp::Required, "RTP/AVP 8-1 _80"), Ok(true));
    assert_eq!(fault(Srtp::Required, "RTP/AVP 8"), Err("audio is not encrypted, which srtp requires here"));
    assert_eq!(fault(Srtp::Required, "RTP/SAVP 8"), Err("RTP/SAVP without a=crypto"));
    assert_eq!(fault(Srtp::Required, "RTP/SAVP 8-1 F8_X inline:x"), Err("a=crypto with an unknown suite"));
    for plain in [Srtp::Never, Srtp::IfOffered] {
        assert_eq!(fault(plain, "RTP/AVP 8"), Ok(false));
        assert_eq!(fault(plain, "RTP/AVP 8-1 _80"), Ok(false), "keys nobody asked for");
        assert!(fault(plain, "RTP/SAVP 8-1 _80").is_err());
    }
}
