//! What is not a good message: answered if it is a request that can be, else dropped and counted.

use super::support::*;
use rexian::sip::endpoint::Endpoint;
use rexian::sip::message::{Framing, Message};

fn broken(method: &str) -> Vec<u8> {
    let good = String::from_utf8(request(method, "z9hG4bKbad", "")).unwrap();
    good.replace("Max-Forwards: 70", "Max-Forwards: many").into_bytes()
}

#[test]
fn a_malformed_request_is_answered_and_its_ack_absorbed() {
    let mut rig = Rig::new();
    assert_eq!(rig.receive(udp(), &broken("INVITE")), "nothing");
    assert_eq!(rig.happened(), "0.000 send 400");
    let sent = rig.last().bytes.clone();
    let answer = Message::parse(&sent, Framing::Datagram).expect("our answer parses");
    let tag = String::from_utf8(answer.to_tag().expect("a To tag").to_vec()).unwrap();
    assert_eq!(rig.receive(udp(), &with_to_tag(&request("ACK", "z9hG4bKbad", ""), &tag)), "nothing");
    let sip3 = String::from_utf8(request("OPTIONS", "z9hG4bKv", "")).unwrap().replacen("SIP/2.0\r\n", "SIP/3.0\r\n", 1);
    rig.receive(udp(), sip3.as_bytes());
    assert_eq!(rig.happened(), "0.000 send 505");
    assert_eq!(rig.endpoint.counters().malformed, 2);
    assert_eq!(rig.endpoint.live(), (0, 0));
}

#[test]
fn acks_responses_and_noise_are_never_answered() {
    let mut rig = Rig::new();
    let response = String::from_utf8(response_487()).unwrap().replace("CSeq: 7 INVITE", "CSeq: seven");
    for bytes in [&broken("ACK")[..], response.as_bytes(), b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\n\r\n", b"x"] {
        assert_eq!(rig.receive(udp(), bytes), "nothing");
    }
    assert_eq!(rig.happened(), "");
    assert_eq!(rig.endpoint.counters().malformed, 5);
    for keep_alive in [&b""[..], b"\r\n", b"\r\n\r\n"] {
        rig.receive(udp(), keep_alive);
    }
    assert_eq!(rig.endpoint.counters().received, 5, "keep-alives are not messages");
}

#[test]
fn a_clock_that_steps_back_only_delays() {
    let mut endpoint = Endpoint::new(10);
    endpoint.request(START, udp(), "z9hG4bKours", 1, INVITE.to_vec());
    let earlier = rexian::time::Instant(START.0 - 5_000_000);
    endpoint.request(earlier, udp(), "z9hG4bKother", 2, INVITE.to_vec());
    let mut last = earlier;
    while let Some(at) = endpoint.next_timeout() {
        assert!(at >= last, "the next timeout went back from {last:?} to {at:?}");
        endpoint.handle_timeout(at);
        last = at;
    }
    assert_eq!(std::iter::from_fn(|| endpoint.poll_expired()).count(), 2);
    assert_eq!(endpoint.live(), (0, 0));
}

#[test]
fn ids_that_name_nothing_are_harmless() {
    let mut rig = Rig::new();
    let tx = rig.accept(tcp(1), &request("OPTIONS", "z9hG4bKx", ""));
    rig.respond(tx, 200, answer_to(&request("OPTIONS", "z9hG4bKx", ""), 200, None));
    assert_eq!(rig.endpoint.live(), (0, 0), "a stream's transaction ends with its answer");
    let other = rig.accept(tcp(1), &request("OPTIONS", "z9hG4bKy", ""));
    rig.happened();
    rig.respond(tx, 200, answer_to(&request("OPTIONS", "z9hG4bKx", ""), 200, None));
    assert_eq!(rig.happened(), "", "the id of an ended transaction does not reach the next one");
    assert_ne!(tx, other);
    rig.endpoint.cancel(rig.now, rexian::sip::endpoint::ClientTx(0));
    rig.endpoint.respond(rig.now, rexian::sip::endpoint::ServerTx(u64::MAX), 200, Vec::new());
}
