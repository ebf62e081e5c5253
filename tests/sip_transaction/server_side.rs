//! Requests to us: what the user hears, what the peer gets, and where it is sent.

use super::support::*;
use rexian::sip::endpoint::Received;
use rexian::sip::message::{Framing, Message, Name};
use std::net::SocketAddr;
use std::time::Duration;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn invite() -> Vec<u8> {
    request("INVITE", "z9hG4bKin", "")
}

#[test]
fn an_invite_rings_and_is_answered() {
    let mut rig = Rig::new();
    let tx = rig.accept(udp(), &invite());
    assert_eq!(rig.receive(udp(), &invite()), "nothing");
    rig.respond(tx, 180, answer_to(&invite(), 180, Some("us")));
    assert_eq!(rig.receive(udp(), &invite()), "nothing");
    rig.respond(tx, 200, answer_to(&invite(), 200, Some("us")));
    assert_eq!(rig.receive(udp(), &invite()), "nothing", "repeats of an accepted INVITE are absorbed");
    assert_eq!(rig.happened(), "0.000 send 100, 0.000 send 100, 0.000 send 180, 0.000 send 180, 0.000 send 200");
    assert_eq!(rig.endpoint.counters().retransmissions_in, 3);
    assert_eq!(rig.endpoint.counters().retransmissions_out, 2);
    let ack = with_to_tag(&request("ACK", "z9hG4bKack", ""), "us");
    assert_eq!(rig.receive(udp(), &ack), "ACK");
    assert_eq!(rig.receive(udp(), &with_to_tag(&request("ACK", "z9hG4bKin", ""), "us")), "ACK", "own branch or not");
    rig.pass(secs(32));
    assert_eq!(rig.endpoint.live(), (0, 0));
}

#[test]
fn a_refusal_is_repeated_until_its_ack() {
    let mut rig = Rig::new();
    let tx = rig.accept(udp(), &invite());
    rig.respond(tx, 486, answer_to(&invite(), 486, Some("us")));
    rig.pass(secs(2));
    assert_eq!(rig.receive(udp(), &invite()), "nothing");
    let ack = with_to_tag(&request("ACK", "z9hG4bKin", ""), "us");
    assert_eq!(rig.receive(udp(), &ack), "nothing");
    assert_eq!(rig.receive(udp(), &ack), "nothing", "a repeated ACK is absorbed");
    rig.pass(secs(60));
    assert_eq!(rig.happened(), "0.000 send 100, 0.000 send 486, 0.500 send 486, 1.500 send 486, 2.000 send 486");
    assert_eq!(rig.endpoint.live(), (0, 0));
}

#[test]
fn a_refusal_never_acknowledged_is_reported() {
    let mut rig = Rig::new();
    let tx = rig.accept(udp(), &invite());
    rig.respond(tx, 486, answer_to(&invite(), 486, Some("us")));
    rig.pass(secs(60));
    let log = rig.happened();
    assert_eq!(log.matches("send 486").count(), 11, "{log}");
    assert!(log.ends_with("32.000 no ACK"), "{log}");
    assert_eq!(rig.endpoint.live(), (0, 0));
}

#[test]
fn a_repeated_bye_gets_the_same_answer() {
    let mut rig = Rig::new();
    let bye = with_to_tag(&request("BYE", "z9hG4bKbye", ""), "us");
    let tx = rig.accept(udp(), &bye);
    assert_eq!(rig.receive(udp(), &bye), "nothing");
    rig.respond(tx, 200, answer_to(&bye, 200, None));
    rig.respond(tx, 500, answer_to(&bye, 500, None));
    assert_eq!(rig.receive(udp(), &bye), "nothing");
    assert_eq!(rig.happened(), "0.000 send 200, 0.000 send 200");
    rig.pass(secs(32));
    assert_eq!(rig.endpoint.live(), (0, 0));
    assert_eq!(rig.receive(udp(), &bye), "BYE", "after timer J it is new");
}

#[test]
fn cancel_is_answered_and_reported_once() {
    let mut rig = Rig::new();
    let tx = rig.accept(udp(), &invite());
    rig.respond(tx, 180, answer_to(&invite(), 180, Some("us")));
    let cancel = request("CANCEL", "z9hG4bKin", "");
    assert_eq!(rig.receive(udp(), &cancel), "cancelled");
    assert!(rig.last_text().starts_with("SIP/2.0 200"));
    assert!(rig.last_text().contains("tag=us"), "s9.2: the To tag of the INVITE's responses");
    assert_eq!(rig.receive(udp(), &cancel), "nothing");
    rig.respond(tx, 487, answer_to(&invite(), 487, Some("us")));
    assert_eq!(rig.receive(udp(), &cancel), "nothing");
    let log = rig.happened();
    let expected = "send 100, send 180, send 200, send 200, send 487, send 200";
    assert_eq!(log.replace("0.000 ", ""), expected);
}

#[test]
fn cancel_of_nothing_and_cancel_too_late() {
    let mut rig = Rig::new();
    assert_eq!(rig.receive(udp(), &request("CANCEL", "z9hG4bKnone", "")), "nothing");
    assert_eq!(rig.happened(), "0.000 send 481");
    assert_eq!(rig.endpoint.live(), (0, 0));
    let tx = rig.accept(udp(), &invite());
    rig.respond(tx, 200, answer_to(&invite(), 200, Some("us")));
    assert_eq!(rig.receive(udp(), &request("CANCEL", "z9hG4bKin", "")), "nothing");
    assert_eq!(rig.happened(), "0.000 send 100, 0.000 send 200, 0.000 send 200");
}

#[test]
fn a_refused_invite_leaves_nothing_and_its_ack_is_absorbed() {
    let mut rig = Rig::new();
    match rig.endpoint.receive(rig.now, udp(), &invite()) {
        Received::Request { msg } => rig.endpoint.refuse(udp(), &msg, 503),
        other => panic!("not a new request: {other:?}"),
    }
    assert_eq!(rig.receive(udp(), &invite()), "nothing", "a copy is no new call, though there may be room now");
    rig.drain();
    assert_eq!(rig.sent[0].bytes, rig.sent[1].bytes, "s8.2.7: a repeat gets the same answer, tag and all");
    let sent = rig.last().bytes.clone();
    let refusal = Message::parse(&sent, Framing::Datagram).unwrap();
    assert_eq!(refusal.header(Name::RetryAfter), Some(&b"2"[..]));
    let tag = String::from_utf8(refusal.to_tag().expect("a To tag").to_vec()).unwrap();
    assert_eq!(rig.endpoint.live(), (0, 0));
    assert_eq!(rig.receive(udp(), &with_to_tag(&request("ACK", "z9hG4bKin", ""), &tag)), "nothing");
    assert_eq!(rig.receive(udp(), &with_to_tag(&request("ACK", "z9hG4bKin", ""), "0123456789abcdef")), "ACK");
}

/// A flood of refusals has its room and no more, and the copies of the last ones are still known.
#[test]
fn refused_invites_are_remembered_within_bounds() {
    let mut rig = Rig::new();
    let refuse = |rig: &mut Rig, n: u32| match rig.endpoint.receive(
        rig.now,
        udp(),
        &request("INVITE", &format!("z9hG4bK{n}"), ""),
    ) {
        Received::Request { msg } => {
            rig.endpoint.refuse(udp(), &msg, 503);
            true
        }
        _ => false,
    };
    let size = |rig: &Rig| postcard::to_stdvec(&rig.endpoint).unwrap().len();
    let mut sizes = vec![];
    for n in 0..40_000 {
        assert!(refuse(&mut rig, n), "{n}");
        rig.drain();
        if n % 10_000 == 9_999 {
            sizes.push(size(&rig));
        }
    }
    assert!(sizes.iter().all(|size| *size < 16_384 * 20 + 1_024), "{sizes:?}");
    assert!((35_000..40_000).all(|n| !refuse(&mut rig, n)), "the last five thousand");
    assert!(refuse(&mut rig, 5), "one of long ago is forgotten");
}

#[test]
fn a_full_endpoint_refuses_the_new_and_serves_the_old() {
    let mut rig = Rig::new();
    for n in 0..1_000 {
        rig.accept(udp(), &request("INVITE", &format!("z9hG4bK{n}"), ""));
    }
    rig.happened();
    assert_eq!(rig.receive(udp(), &request("INVITE", "z9hG4bKlast", "")), "nothing");
    assert_eq!(rig.happened(), "0.000 send 503");
    assert!(rig.last_text().contains("Retry-After: 2\r\n"));
    assert_eq!(rig.receive(udp(), &request("INVITE", "z9hG4bK5", "")), "nothing");
    assert_eq!(rig.happened(), "0.000 send 100", "a repeat is served");
    assert_eq!(rig.receive(udp(), &request("CANCEL", "z9hG4bK5", "")), "cancelled");
    for n in 0..250 {
        rig.accept(udp(), &with_to_tag(&request("BYE", &format!("z9hG4bKbye{n}"), ""), "us"));
    }
    let bye = with_to_tag(&request("BYE", "z9hG4bKbye", ""), "us");
    assert_eq!(rig.receive(udp(), &bye), "nothing", "the reserve has an end too");
    assert_eq!(rig.endpoint.counters().refused_full, 2);
    assert_eq!(rig.endpoint.live(), (0, 1_250));
}

#[test]
fn requests_of_rfc_2543_peers_are_matched_without_the_cookie() {
    let mut rig = Rig::new();
    for branch in ["1", "z9hG4bK"] {
        let old = request("INVITE", branch, "");
        let tx = rig.accept(udp(), &old);
        assert_eq!(rig.receive(udp(), &old), "nothing");
        let next_call = String::from_utf8(old.clone()).unwrap().replace("in@carrier", "other@carrier");
        rig.accept(udp(), next_call.as_bytes());
        assert_eq!(rig.receive(udp(), &request("CANCEL", branch, "")), "cancelled");
        rig.respond(tx, 487, answer_to(&old, 487, Some("us")));
        assert_eq!(rig.receive(udp(), &with_to_tag(&request("ACK", branch, ""), "us")), "nothing");
    }
}

#[test]
fn branch_sent_by_and_method_tell_requests_apart() {
    let mut rig = Rig::new();
    rig.accept(udp(), &request("OPTIONS", "z9hG4bKx", ""));
    let other_host =
        String::from_utf8(request("OPTIONS", "z9hG4bKx", "")).unwrap().replace("192.0.2.9:5080", "192.0.2.8:5080");
    let other_port =
        String::from_utf8(request("OPTIONS", "z9hG4bKx", "")).unwrap().replace("192.0.2.9:5080", "192.0.2.9:5081");
    assert_eq!(rig.receive(udp(), other_host.as_bytes()), "OPTIONS");
    assert_eq!(rig.receive(udp(), other_port.as_bytes()), "OPTIONS");
    assert_eq!(rig.receive(udp(), &request("INFO", "z9hG4bKx", "")), "INFO");
    assert_eq!(rig.receive(udp(), &request("OPTIONS", "z9hG4bKx", "")), "nothing");
}

#[test]
fn answers_go_to_the_source_port_if_asked_else_to_sent_by() {
    let mut rig = Rig::new();
    let mut natted = udp();
    natted.remote = SocketAddr::from(([203, 0, 113, 5], 41_000));
    rig.accept(natted, &invite());
    assert_eq!(rig.last().flow.remote, natted.remote);
    assert!(rig.last_text().contains(";received=203.0.113.5;rport=41000"), "{}", rig.last_text());

    let plain = |via: &str| String::from_utf8(invite()).unwrap().replace("192.0.2.9:5080;branch=z9hG4bKin;rport", via);
    rig.accept(natted, plain("192.0.2.9:5080;branch=z9hG4bKb").as_bytes());
    assert_eq!(rig.last().flow.remote, SocketAddr::from(([203, 0, 113, 5], 5080)));
    rig.accept(natted, plain("pbx.example;branch=z9hG4bKc;maddr=198.51.100.1").as_bytes());
    assert_eq!(rig.last().flow.remote, SocketAddr::from(([203, 0, 113, 5], 5060)));
    let stream = tcp(4);
    rig.accept(stream, plain("192.0.2.9:9;branch=z9hG4bKd").as_bytes());
    assert_eq!(rig.last().flow, stream);
}
