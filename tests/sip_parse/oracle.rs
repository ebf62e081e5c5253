//! The `rsip` crate as a second opinion: on plain messages both must read the same. Where they are known to differ stands
//! in a table, each row with who is right by the RFC, and the test notices if a row is no longer true.

use super::{carrier_invite, wire};
use rexian::sip::message::uri::Uri;
use rexian::sip::message::{Framing, Message, Name};
use rsip::prelude::*;

/// What both are asked about a message.
#[derive(Debug, PartialEq)]
struct Reading {
    start: String,
    call_id: String,
    cseq: (u32, String),
    from: (String, Option<String>),
    to: (String, Option<String>),
    via: (String, Option<String>),
    contacts: Vec<String>,
    max_forwards: Option<u32>,
    lines: usize,
    body: Vec<u8>,
}

fn ours(bytes: &[u8]) -> Result<Reading, String> {
    let text = |b: &[u8]| String::from_utf8(b.to_vec()).unwrap();
    let m = Message::parse(bytes, Framing::Datagram).map_err(|e| e.reason.to_owned())?;
    let start = match (m.method(), m.status()) {
        (Some(method), _) => format!("{} {}", text(method.as_bytes()), text(m.request_uri().unwrap())),
        (_, status) => status.unwrap().to_string(),
    };
    let via = m.via();
    let port = via.port.map(|p| format!(":{p}")).unwrap_or_default();
    Ok(Reading {
        start,
        call_id: text(m.call_id()),
        cseq: (m.cseq().seq, text(m.cseq().method.as_bytes())),
        from: (parts(m.from().uri), m.from_tag().map(text)),
        to: (parts(m.to().uri), m.to_tag().map(text)),
        via: (format!("{} {}{port}", text(via.transport), text(via.host)), via.branch().map(text)),
        contacts: m.contacts().map(|c| text(c.unwrap().uri)).collect(),
        max_forwards: m.max_forwards(),
        lines: m.all().count(),
        body: m.body().to_vec(),
    })
}

/// A URI, its user and its host.
fn parts(uri: &[u8]) -> String {
    let text = |b: &[u8]| String::from_utf8(b.to_vec()).unwrap();
    let u = Uri::parse(uri).unwrap();
    format!("{} | {:?} | {}", text(uri), u.user.map(text), text(u.host))
}

fn theirs(bytes: &[u8]) -> Result<Reading, String> {
    // rsip also panics on some inputs.
    std::panic::catch_unwind(|| read_with_rsip(bytes).map_err(|e| e.to_string())).unwrap_or(Err("panic".to_owned()))
}

fn read_with_rsip(bytes: &[u8]) -> Result<Reading, rsip::Error> {
    let m = rsip::SipMessage::try_from(bytes)?;
    let start = match &m {
        rsip::SipMessage::Request(r) => format!("{} {}", r.method, r.uri),
        rsip::SipMessage::Response(r) => r.status_code.code().to_string(),
    };
    let cseq = m.cseq_header()?.typed()?;
    let (from, to, via) = (m.from_header()?.typed()?, m.to_header()?.typed()?, m.via_header()?.typed()?);
    let mut contacts = Vec::new();
    for c in m.contact_headers() {
        contacts.push(c.typed()?.uri.to_string());
    }
    Ok(Reading {
        start,
        call_id: m.call_id_header()?.value().to_owned(),
        cseq: (cseq.seq, cseq.method.to_string()),
        from: (show(&from.uri), from.tag().map(|t| t.value().to_owned())),
        to: (show(&to.uri), to.params.iter().find_map(tag)),
        via: (format!("{} {}", via.transport, via.uri), via.branch().map(|b| b.value().to_owned())),
        contacts,
        max_forwards: m.max_forwards_header().ok().map(|h| h.num()).transpose()?,
        lines: m.headers().iter().count(),
        body: m.body().clone(),
    })
}

fn show(uri: &rsip::Uri) -> String {
    format!("{uri} | {:?} | {}", uri.user().map(str::to_owned), uri.host())
}

fn tag(param: &rsip::Param) -> Option<String> {
    match param {
        rsip::Param::Tag(tag) => Some(tag.value().to_owned()),
        _ => None,
    }
}

/// A message of the parts given, the plain way.
fn plain(start: &str, via: &str, from: &str, to: &str, seq: u32, more: &str, body: &str) -> Vec<u8> {
    let method = if start.starts_with("SIP/") { "INVITE" } else { start.split(' ').next().unwrap() };
    let text = format!(
        "{start}\nVia: SIP/2.0/{via}\nMax-Forwards: 70\nFrom: {from}\nTo: {to}\nCall-ID: a84b4c76e66710@pc33\nCSeq: {seq} {method}\n\
         {more}Content-Length: @\n\n{body}"
    );
    wire(text.as_bytes(), true)
}

#[test]
fn both_read_plain_messages_alike() {
    let starts = [
        "INVITE sip:bob@biloxi.com SIP/2.0",
        "REGISTER sip:biloxi.com SIP/2.0",
        "BYE sip:bob@192.0.2.4:5070;transport=TCP SIP/2.0",
        "OPTIONS sip:carol@chicago.com SIP/2.0",
        "SIP/2.0 180 Ringing",
        "SIP/2.0 404 Not Found",
    ];
    let vias =
        ["UDP pc33.atlanta.com;branch=z9hG4bK776asdhds", "TCP 192.0.2.1:5080;branch=z9hG4bK1;received=192.0.2.7"];
    let addresses = [
        "<sip:alice@atlanta.com>;tag=19283",
        "\"Alice\" <sip:alice@atlanta.com>",
        "Alice <sips:alice@192.0.2.9:5061>;tag=x",
    ];
    let more = [
        "",
        "Contact: <sip:alice@pc33.atlanta.com>\n",
        "Supported: 100rel, timer\nUser-Agent: a/1 (b)\nContact: <sip:h:5>\n",
    ];
    let bodies = ["", "v=0\no=x\n"];
    let mut compared = 0;
    for start in starts {
        for via in vias {
            for (from, to) in addresses.iter().flat_map(|f| addresses.iter().map(move |t| (f, t))) {
                for more in more {
                    for body in bodies {
                        let bytes = plain(start, via, from, to, 314_159, more, body);
                        let ours = ours(&bytes);
                        assert!(ours.is_ok(), "{}", bytes.escape_ascii());
                        assert_eq!(ours, theirs(&bytes), "{}", bytes.escape_ascii());
                        compared += 1;
                    }
                }
            }
        }
    }
    assert_eq!(compared, 6 * 2 * 9 * 3 * 2);
}

/// How rsip 0.4.0 differs.
#[derive(Debug, PartialEq)]
enum Differs {
    /// It cannot read what the RFC allows.
    CannotRead,
    /// It reads something else than the RFC says.
    ReadsOtherwise,
    /// It takes what the RFC forbids.
    TakesTheForbidden,
}
use Differs::*;

#[test]
fn known_divergences() {
    let edit = |from: &str, to: &str| {
        let good = String::from_utf8(plain(
            "INVITE sip:bob@biloxi.com SIP/2.0",
            "UDP h;branch=z9hG4bK1",
            "<sip:alice@atlanta.com>;tag=1",
            "<sip:bob@biloxi.com>",
            1,
            "Contact: <sip:a@h>\n",
            "v=0\n",
        ))
        .unwrap();
        assert!(good.contains(from), "{from}");
        good.replace(from, to).into_bytes()
    };
    let mut latin = edit("Contact", "Subject: ?\r\nContact");
    let at = latin.iter().position(|&b| b == b'?').unwrap();
    latin[at] = 0xe9;
    let rows = [
        ("compact header names", edit("From:", "f:"), CannotRead),
        ("a dot in the user", edit("<sip:alice@atlanta.com>", "<sip:first.last@x>"), ReadsOtherwise),
        (
            "the case of a parameter, echoed",
            edit("<sip:alice@atlanta.com>", "<sip:alice@atlanta.com;transport=tcp>"),
            ReadsOtherwise,
        ),
        ("IPv6 in Via", edit("UDP h;", "UDP [2001:db8::1];"), CannotRead),
        ("tel URIs", edit("<sip:bob@biloxi.com>", "<tel:+8653112345>"), CannotRead),
        ("folded headers", edit("From: ", "From:\r\n "), CannotRead),
        ("unknown methods", edit("INVITE", "FROBNICATE"), CannotRead),
        ("a Latin-1 byte", latin, CannotRead),
        ("+sip.instance", edit("<sip:a@h>", "<sip:a@h>;+sip.instance=\"<urn:uuid:0>\""), CannotRead),
        ("two contacts in a line", edit("<sip:a@h>", "<sip:a@h>, <sip:b@h>"), CannotRead),
        ("white space before the colon", edit("From:", "From :"), CannotRead),
        ("a quoted name with an address in it", edit("<sip:bob@", "\"a\\\" <sip:evil@z.com>\" <sip:bob@"), CannotRead),
        ("bytes after Content-Length", edit("v=0\r\n", "v=0\r\nmore"), ReadsOtherwise),
        ("Content-Length beyond the datagram", edit("Length: 5", "Length: 500"), TakesTheForbidden),
        ("a second To", edit("Contact", "To: <sip:x@y>\r\nContact"), TakesTheForbidden),
        ("a CSeq of another method", edit("1 INVITE", "1 BYE"), TakesTheForbidden),
        ("a CSeq of 2^31", edit("1 INVITE", "2147483648 INVITE"), TakesTheForbidden),
    ];
    let mut wrong = Vec::new();
    for (what, bytes, differs) in rows {
        let found = match (ours(&bytes), theirs(&bytes)) {
            (Ok(_), Err(_)) => Some(CannotRead),
            (Ok(a), Ok(b)) if a != b => Some(ReadsOtherwise),
            (Err(_), Ok(_)) => Some(TakesTheForbidden),
            _ => None,
        };
        if found != Some(differs) {
            wrong.push(format!("{what}: {found:?}\n  ours   {:?}\n  theirs {:?}", ours(&bytes), theirs(&bytes)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn both_read_the_carriers_via_and_call_id_alike() {
    let bytes = carrier_invite();
    let m = Message::parse(&bytes, Framing::Datagram).unwrap();
    let r = rsip::Request::try_from(&bytes[..]).unwrap();
    assert_eq!(r.call_id_header().unwrap().value().as_bytes(), m.call_id());
    let via = r.via_header().unwrap().typed().unwrap();
    assert_eq!(via.branch().map(|b| b.value().as_bytes()), m.via().branch());
    assert_eq!(r.headers.iter().count(), m.all().count());
    assert_eq!(r.body, m.body());
    assert_eq!(m.values(Name::Via).count(), 2);
}
