//! Parsing a carrier's INVITE and writing its 200 beside `rsip` 0.4, in the same run: ns, allocations, ratio.
//! `cargo bench --bench sip_parse`. Times are the best of several rounds, in CPU time of the one thread; rsip's allocations
//! are glibc's, and counting costs it a few ns each.

use rexian::plane::{Codec, Direction};
use rexian::sdp::encryption::Encryption;
use rexian::sdp::offer_answer::{self, Local};
use rexian::sip::framing::Framer;
use rexian::sip::message::uri::Uri;
use rexian::sip::message::{Builder, Framing, Message, Name, NameAddr};
use rsip::prelude::*;
use std::hint::black_box;

fn main() {
    let text = include_str!("../tests/sip_parse/carrier_invite.txt").replace('\n', "\r\n");
    let body = text.len() - text.find("\r\n\r\n").unwrap() - 4;
    let invite = text.replacen("Content-Length: @", &format!("Content-Length: {body}"), 1).into_bytes();
    println!("carrier INVITE of {} bytes, {} header lines", invite.len(), parse(&invite).all().count());
    println!("{:<34} {:>10} {:>8} {:>10} {:>8} {:>8}", "", "ours", "allocs", "rsip", "allocs", "ratio");

    let theirs = rsip_parse(&invite);
    let ours = parse(&invite);
    row("parse", || black_box(parse(black_box(&invite))), Some(&|| drop(black_box(rsip_parse(black_box(&invite))))));
    row(
        "parse and read routing fields",
        || {
            let m = parse(black_box(&invite));
            black_box(routing(&m))
        },
        Some(&|| {
            let m = rsip_parse(black_box(&invite));
            black_box(rsip_routing(&m));
        }),
    );
    row(
        "build and write a 200",
        || black_box(ok(black_box(&ours))),
        Some(&|| drop(black_box(rsip_ok(black_box(&theirs))))),
    );
    row("refuse: unclosed quote in To", || black_box(Message::parse(black_box(BAD), Framing::Datagram).is_err()), None);
    row("cut from a stream and parse", stream(&invite), None);
    let sdp = ours.body();
    let local = Local {
        address: "10.20.30.40".parse().unwrap(),
        port: 30_000,
        session_id: 1,
        version: 1,
        codecs: vec![Codec::Pcma],
        dtmf_payload_type: 101,
        direction: Direction::SendRecv,
        encryption: Encryption::Never,
    };
    row("SDP answer", || black_box(offer_answer::answer(&local, black_box(sdp)).is_ok()), None);
}

const BAD: &[u8] =
    b"INVITE sip:user@example.com SIP/2.0\r\nTo: \"J <sip:j@example.com>\r\nFrom: <sip:c@example.net>;tag=9\r\n\
    Call-ID: q\r\nCSeq: 8 INVITE\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKk\r\n\r\n";

fn parse(bytes: &[u8]) -> Message<'_> {
    Message::parse(bytes, Framing::Datagram).unwrap()
}

/// What routing a new call reads.
fn routing<'a>(m: &Message<'a>) -> ([Option<&'a [u8]>; 3], Option<u16>, u32, usize) {
    let called = Uri::parse(m.request_uri().unwrap()).unwrap();
    let caller =
        m.values(Name::PAssertedIdentity).filter_map(|v| NameAddr::parse(v).ok()).find_map(|a| Uri::parse(a.uri).ok());
    let contact = m.contacts().next().unwrap().unwrap();
    let port = Uri::parse(contact.uri).unwrap().port;
    let routes = m.headers(Name::RecordRoute).count();
    (
        [called.user, caller.and_then(|u| u.user), m.via().branch()],
        port,
        m.cseq().seq,
        routes + m.from_tag().unwrap().len(),
    )
}

fn rsip_parse(bytes: &[u8]) -> rsip::Request {
    rsip::Request::try_from(bytes).unwrap()
}

fn rsip_routing(m: &rsip::Request) -> (Option<String>, Option<rsip::typed::Via>, u32, bool) {
    let from = m.from_header().unwrap().typed().ok();
    let to = m.to_header().unwrap().typed().ok();
    let via = m.via_header().unwrap().typed().ok();
    let contact = m.contact_header().unwrap().typed().ok();
    let cseq = m.cseq_header().unwrap().seq().unwrap();
    (m.uri.user().map(str::to_owned), via, cseq, from.is_some() && to.is_some() && contact.is_some())
}

fn ok(request: &Message<'_>) -> Vec<u8> {
    let source = "10.187.32.11:5060".parse().unwrap();
    Builder::response(request, 200, "OK", Some(b"8d3f0a6be01c44d2"), source)
        .header(Name::Contact, b"<sip:12345@10.20.30.40:5060>")
        .header(Name::Supported, b"timer")
        .body("application/sdp", b"v=0\r\no=rexian 1 1 IN IP4 10.20.30.40\r\ns=-\r\nc=IN IP4 10.20.30.40\r\nt=0 0\r\n")
}

fn rsip_ok(request: &rsip::Request) -> Vec<u8> {
    let mut headers = rsip::Headers::default();
    for h in request.headers.iter() {
        if matches!(
            h,
            rsip::Header::Via(_)
                | rsip::Header::From(_)
                | rsip::Header::CallId(_)
                | rsip::Header::CSeq(_)
                | rsip::Header::RecordRoute(_)
        ) {
            headers.push(h.clone());
        }
    }
    headers.push(rsip::Header::To(format!("{};tag=8d3f0a6be01c44d2", request.to_header().unwrap().value()).into()));
    headers.push(rsip::Header::Contact("<sip:12345@10.20.30.40:5060>".into()));
    headers.push(rsip::Header::Supported("timer".into()));
    headers.push(rsip::Header::ContentType("application/sdp".into()));
    let body = b"v=0\r\no=rexian 1 1 IN IP4 10.20.30.40\r\ns=-\r\nc=IN IP4 10.20.30.40\r\nt=0 0\r\n".to_vec();
    headers.push(rsip::Header::ContentLength((body.len() as u32).into()));
    rsip::Response { status_code: 200.into(), version: rsip::Version::V2, headers, body }.into()
}

fn stream(invite: &[u8]) -> impl Fn() {
    let framer = std::cell::RefCell::new(Framer::new());
    move || {
        let mut framer = framer.borrow_mut();
        framer.push(black_box(invite));
        while let Some(frame) = framer.next() {
            if let Ok(rexian::sip::framing::Frame::Message(m)) = frame {
                black_box(Message::parse(m, Framing::Stream).is_ok());
            }
        }
    }
}

fn row<T>(name: &str, ours: impl Fn() -> T, rsip: Option<&dyn Fn()>) {
    // `cargo bench --bench sip_parse -- 'write a 200'` for one row.
    if std::env::args().nth(1).is_some_and(|only| only != "--bench" && !name.contains(&only)) {
        return;
    }
    let (ns, allocs) = measure(|| drop(ours()));
    match rsip {
        Some(rsip) => {
            let (their_ns, their_allocs) = measure(rsip);
            println!(
                "{name:<34} {ns:>7.0} ns {allocs:>8} {their_ns:>7.0} ns {their_allocs:>8} {:>7.1}x",
                their_ns / ns
            );
        }
        None => println!("{name:<34} {ns:>7.0} ns {allocs:>8}"),
    }
}

/// Best nanoseconds of one call, and allocations of one call once warm.
fn measure(f: impl Fn()) -> (f64, u64) {
    f();
    let allocs = allocation_counter::measure(&f).count_total;
    let mut best = f64::MAX;
    for _ in 0..100 {
        let start = cpu_ns();
        for _ in 0..1_000 {
            f();
        }
        best = best.min((cpu_ns() - start) as f64 / 1_000.0);
    }
    (best, allocs)
}

fn cpu_ns() -> i64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    t.tv_sec * 1_000_000_000 + t.tv_nsec
}
