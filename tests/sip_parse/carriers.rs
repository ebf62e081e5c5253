//! What carriers and phones send, and what must not slip through: the traps other parsers fall into.

use super::{carrier_invite, wire};
use rexian::plane::{Codec, Direction};
use rexian::sdp::encryption::Encryption;
use rexian::sdp::offer_answer::{self, Local};
use rexian::sip::message::uri::{Scheme, Uri};
use rexian::sip::message::{Framing, MAX_HEADER_LINES, Message, Method, Name};

#[test]
fn the_carriers_invite() {
    let bytes = carrier_invite();
    let m = Message::parse(&bytes, Framing::Stream).unwrap();
    assert_eq!(m.method(), Some(Method::Invite));
    assert_eq!(Uri::parse(m.request_uri().unwrap()).unwrap().user, Some(&b"+8653112345"[..]));
    assert_eq!(m.via().branch(), Some(&b"z9hG4bKg3Zqkv7irbxpq6l7l1hz5u6hn"[..]));
    assert!(m.via().wants_rport());
    assert_eq!(m.values(Name::Via).count(), 2);
    let asserted: Vec<_> = m.values(Name::PAssertedIdentity).map(|v| Uri::parse(&v[1..v.len() - 1]).unwrap()).collect();
    assert_eq!(asserted.len(), 2);
    assert_eq!((asserted[1].scheme, asserted[1].user), (Scheme::Tel, Some(&b"+8653188881234"[..])));
    assert_eq!((m.from().display, m.to_tag()), (Some(&b"053188881234"[..]), None));
    assert_eq!(m.from_tag(), Some(&b"sbc09ztpwk2g"[..]));
    assert!(m.lists(Name::Supported, "100REL") && m.lists(Name::Allow, "PRACK") && !m.lists(Name::Require, "100rel"));
    assert_eq!(m.header(Name::SessionExpires), Some(&b"1800;refresher=uac"[..]));
    assert!(m.header(Name::PChargingVector).unwrap().starts_with(b"icid-value=\"jnsbc.187"));
    let ours = Local {
        address: "10.20.30.40".parse().unwrap(),
        port: 30_000,
        session_id: 1,
        version: 1,
        codecs: vec![Codec::Pcma],
        dtmf_payload_type: 101,
        direction: Direction::SendRecv,
        encryption: Encryption::Never,
    };
    let (_, media) = offer_answer::answer(&ours, m.body()).unwrap();
    assert_eq!((media.remote_rtp, media.dtmf), ("10.187.33.7:21466".parse().unwrap(), Some(100)));
}

/// A whole OPTIONS (or what `start` says) around the lines given; `From: ...` and the like replace the usual ones.
fn around(start: &str, lines: &[&str]) -> Vec<u8> {
    let mut text = format!("{start}\n");
    let method = start.split(' ').next().unwrap();
    let usual = [
        ("Via:", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1".to_owned()),
        ("From:", "From: <sip:a@b>;tag=1".to_owned()),
        ("To:", "To: <sip:c@d>".to_owned()),
        ("Call-ID:", "Call-ID: x".to_owned()),
        ("CSeq:", format!("CSeq: 1 {}", if start.starts_with("SIP/") { "INVITE" } else { method })),
    ];
    for (name, line) in usual {
        if !lines.iter().any(|l| l.starts_with(name)) {
            text += &line;
            text.push('\n');
        }
    }
    for line in lines.iter().filter(|l| !l.ends_with(':')) {
        text += line;
        text.push('\n');
    }
    wire((text + "\n").as_bytes(), true)
}

const OPTIONS: &str = "OPTIONS sip:a@b SIP/2.0";

#[test]
fn taken() {
    let rows: &[(&str, &[&str])] = &[
        ("INVITE sip:first.last@x SIP/2.0", &[]),
        ("INVITE sip:12345@[2001:db8::1]:5070 SIP/2.0", &["Via: SIP/2.0/UDP [2001:db8::9];branch=z9hG4bK1"]),
        ("INVITE tel:+8653112345 SIP/2.0", &["To: <tel:+8653112345;phone-context=+86>"]),
        ("FROBNICATE sip:a@b SIP/2.0", &[]),
        ("options sip:a@b sip/2.0", &[]),
        (OPTIONS, &["From: \"\u{e9}\" <sip:a@b>;tag=1"]),
        (OPTIONS, &["Contact: <sip:a@b>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\";reg-id=1"]),
        (OPTIONS, &["Contact: <sip:a@b>, \"x, y\" <sip:c@d;p=,>;q=0.5", "m: sip:e@f"]),
        (OPTIONS, &["Contact: *"]),
        (OPTIONS, &["Via: SIP/2.0/UDP a;branch=z9hG4bK1,SIP/2.0/UDP b;branch=z9hG4bK2"]),
        (OPTIONS, &["Expires: 99999999999"]),
        (OPTIONS, &["Max-Forwards: 255"]),
        (OPTIONS, &["CSeq: 2147483647 OPTIONS"]),
        (OPTIONS, &["X-Empty:  "]),
        ("SIP/2.0 100", &[]),
        ("SIP/2.0 699 x", &[]),
        // A response may still tell something.
        ("SIP/2.0 302 Moved", &["Contact: <broken"]),
    ];
    for (start, lines) in rows {
        let bytes = around(start, lines);
        if let Err(e) = Message::parse(&bytes, Framing::Datagram) {
            panic!("{start} {lines:?}: {} {}", e.status, e.reason);
        }
    }
    // One Latin-1 byte, no UTF-8.
    let mut latin = around(OPTIONS, &["Subject: ?"]);
    let at = latin.iter().position(|&b| b == b'?').unwrap();
    latin[at] = 0xe9;
    assert_eq!(Message::parse(&latin, Framing::Datagram).unwrap().header(Name::Subject), Some(&b"\xe9"[..]));
}

#[test]
fn refused() {
    let rows: &[(&str, &[&str], u16, &str)] = &[
        (OPTIONS, &["Call-ID: x", "i: y"], 400, "Second Call-ID header"),
        (OPTIONS, &["t: <sip:c@d>"], 400, "Second To header"),
        (OPTIONS, &["From: <sip:a@b>;tag=1, <sip:e@f>;tag=2"], 400, "From malformed"),
        (OPTIONS, &["From: <sip:a@b>;tag=1;tag=2"], 400, "From malformed"),
        (OPTIONS, &["Contact: <sip:a@b>, <sip:c"], 400, "Contact malformed"),
        (OPTIONS, &["Contact: *;expires=0"], 400, "Contact malformed"),
        (OPTIONS, &["Content-Type: a/b", "c: a/b"], 400, "Second Content-Type header"),
        (OPTIONS, &["Expires: 1", "Expires: 2"], 400, "Second Expires header"),
        (OPTIONS, &["Max-Forwards: 256"], 400, "Max-Forwards not 0-255"),
        (OPTIONS, &["Max-Forwards: -1"], 400, "Max-Forwards not 0-255"),
        (OPTIONS, &["CSeq: 4294967296 OPTIONS"], 400, "CSeq number is 2^31 or more"),
        (OPTIONS, &["CSeq: -1 OPTIONS"], 400, "CSeq number malformed"),
        (OPTIONS, &["CSeq: 1 options"], 400, "CSeq method is not the request's"),
        (OPTIONS, &["Call-ID: a b"], 400, "Call-ID with white space"),
        (OPTIONS, &["Content-Length: 1"], 400, "Content-Length larger than the message"),
        (OPTIONS, &["l: 99999999999999999999"], 400, "Content-Length larger than the message"),
        (OPTIONS, &["l: 0, 0"], 400, "Content-Length malformed"),
        (OPTIONS, &["l:  0x0"], 400, "Content-Length malformed"),
        (OPTIONS, &["no colon here"], 400, "Header name malformed"),
        (OPTIONS, &["two words: x"], 400, "Header name malformed"),
        (OPTIONS, &[": x"], 400, "Header name malformed"),
        ("OPTIONS sip:a@b SIP/1.0", &[], 505, "Version Not Supported"),
        ("OPTIONS sip:a@b SIP/2.00", &[], 505, "Version Not Supported"),
        ("OPTIONS sip:a@b HTTP/1.1", &[], 400, "Request line version malformed"),
        ("OPTIONS sip:a@b", &[], 400, "Request line without a version"),
        ("OPTIONS", &[], 400, "Request line malformed"),
        ("OPTI@NS sip:a@b SIP/2.0", &["CSeq: 1 OPTIONS"], 400, "Request method malformed"),
        ("OPTIONS sip: SIP/2.0", &[], 400, "host missing"),
        ("OPTIONS a@b SIP/2.0", &[], 400, "URI without a scheme"),
        ("OPTIONS sip:a@b:99999 SIP/2.0", &[], 400, "port malformed"),
        ("OPTIONS sip:a@@b SIP/2.0", &[], 400, "host missing"),
    ];
    for (start, lines, status, reason) in rows {
        let bytes = around(start, lines);
        let e = Message::parse(&bytes, Framing::Datagram).err().unwrap_or_else(|| panic!("taken: {start} {lines:?}"));
        assert_eq!((e.status, e.reason), (*status, *reason), "{start} {lines:?}");
        assert!(e.partial.is_some_and(|m| m.is_request()), "{start} {lines:?}: cannot be answered");
    }
    for missing in ["Via:", "From:", "To:", "Call-ID:", "CSeq:"] {
        let bytes = around(OPTIONS, &[missing]);
        let e = Message::parse(&bytes, Framing::Datagram).unwrap_err();
        assert_eq!((e.status, e.reason), (400, &*format!("{} missing", missing.trim_end_matches(':'))));
        assert!(e.partial.is_none());
    }
}

#[test]
fn response_codes() {
    for (line, taken) in [
        ("100 x", true),
        ("699 x", true),
        ("099 x", false),
        ("99 x", false),
        ("700 x", false),
        ("0200 x", false),
        ("2x0", false),
    ] {
        let bytes = around(&format!("SIP/2.0 {line}"), &[]);
        assert_eq!(Message::parse(&bytes, Framing::Datagram).is_ok(), taken, "{line}");
    }
}

#[test]
fn line_ends_are_crlf_and_nothing_else() {
    let good = String::from_utf8(around(OPTIONS, &["Subject: a b"])).unwrap();
    for (from, to) in [("a b", "a\nb"), ("a b", "a\rb"), ("a b", "a\0b"), ("\r\n", "\n"), ("a b\r\n", "a b\n")] {
        let bad = good.replace(from, to);
        let e = Message::parse(bad.as_bytes(), Framing::Datagram).unwrap_err();
        // Not even echoed: the line end would split our answer too.
        assert!(e.status == 400 && e.partial.is_none(), "{from:?} -> {to:?}");
    }
    let cut = &good.as_bytes()[..good.len() - 2];
    assert_eq!(Message::parse(cut, Framing::Datagram).unwrap_err().reason, "Headers not ended by an empty line");
    let leading = format!("\r\n\r\n{good}");
    assert!(Message::parse(leading.as_bytes(), Framing::Datagram).is_ok(), "s7.5: CRLFs before the start line");
}

#[test]
fn where_the_body_ends() {
    let parse = |lines: &[&str], body: &[u8], framing| {
        let bytes = [around(OPTIONS, lines), body.to_vec()].concat();
        Message::parse(&bytes, framing).map(|m| m.body().to_vec()).map_err(|e| e.reason)
    };
    let binary = b"\x00\xff\r\n\r\nl: 9\r\n";
    assert_eq!(parse(&[], binary, Framing::Datagram), Ok(binary.to_vec()));
    assert_eq!(parse(&["l: 3"], binary, Framing::Datagram), Ok(b"\x00\xff\r".to_vec()));
    assert_eq!(parse(&["l: 0"], binary, Framing::Datagram), Ok(vec![]));
    assert_eq!(parse(&["l: 13"], binary, Framing::Datagram), Err("Content-Length larger than the message"));
    assert_eq!(parse(&[], b"", Framing::Stream), Err("Content-Length missing"));
}

#[test]
fn bounds() {
    let lines = |n: usize| around(OPTIONS, &vec!["X-Y: z"; n]);
    assert_eq!(
        Message::parse(&lines(MAX_HEADER_LINES - 5), Framing::Datagram).unwrap().all().count(),
        MAX_HEADER_LINES
    );
    let many = lines(MAX_HEADER_LINES - 4);
    let e = Message::parse(&many, Framing::Datagram).unwrap_err();
    assert_eq!((e.status, e.reason), (513, "More than 128 header lines"));
    assert!(e.partial.is_some());

    let long = format!("X-Y: {}", "y".repeat(40_000));
    let long = around(OPTIONS, &[&long]);
    let e = Message::parse(&long, Framing::Datagram).unwrap_err();
    assert_eq!((e.status, e.reason), (513, "Header section larger than 32 KiB"));

    let huge = [around(OPTIONS, &[]), vec![b'x'; 65_536]].concat();
    assert_eq!(Message::parse(&huge, Framing::Datagram).unwrap_err().status, 513);
    let largest = &huge[..65_535];
    assert!(Message::parse(largest, Framing::Datagram).is_ok());

    let name = format!("{}: x", "n".repeat(256));
    assert_eq!(
        Message::parse(&around(OPTIONS, &[&name]), Framing::Datagram).unwrap_err().reason,
        "Header name malformed"
    );
}
