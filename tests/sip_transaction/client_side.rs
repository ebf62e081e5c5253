//! Our requests: repetition, the ACK and CANCEL made for us, forks, failures.

use super::support::*;
use rexian::sip::endpoint::Endpoint;
use rexian::sip::message::{Framing, Message, Method, Name};
use std::time::Duration;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

#[test]
fn an_unanswered_invite_is_repeated_seven_times_and_given_up() {
    let mut rig = Rig::new();
    rig.request(udp(), INVITE);
    rig.pass(secs(60));
    assert_eq!(
        rig.happened(),
        "0.000 send INVITE, 0.500 send INVITE, 1.500 send INVITE, 3.500 send INVITE, 7.500 send INVITE, \
         15.500 send INVITE, 31.500 send INVITE, 32.000 no answer for 9"
    );
    assert_eq!(rig.endpoint.live(), (0, 0));
    assert_eq!(rig.endpoint.next_timeout(), None);
    assert_eq!(rig.endpoint.counters().retransmissions_out, 6);
}

#[test]
fn an_unanswered_options_is_repeated_up_to_every_four_seconds() {
    let mut rig = Rig::new();
    rig.request(udp(), &request("OPTIONS", "z9hG4bKopt", ""));
    rig.pass(secs(60));
    let times: Vec<_> = rig.happened().split(", ").map(|line| line.replace(" send OPTIONS", "")).collect();
    let expected = "0.000 0.500 1.500 3.500 7.500 11.500 15.500 19.500 23.500 27.500 31.500 32.000 no answer for 9";
    assert_eq!(times.join(" "), expected);
}

#[test]
fn a_stream_repeats_nothing() {
    let mut rig = Rig::new();
    rig.request(tcp(1), INVITE);
    rig.pass(secs(60));
    assert_eq!(rig.happened(), "0.000 send INVITE, 32.000 no answer for 9");
}

#[test]
fn a_refusal_is_acknowledged_each_time_and_reported_once() {
    let mut rig = Rig::new();
    rig.request(udp(), INVITE);
    assert_eq!(rig.receive(udp(), &answer_to(INVITE, 180, Some("them"))), "response 180 for 9");
    let busy = answer_to(INVITE, 486, Some("them"));
    assert_eq!(rig.receive(udp(), &busy), "response 486 for 9");
    assert_eq!(rig.receive(udp(), &busy), "nothing");
    assert_eq!(rig.happened(), "0.000 send INVITE, 0.000 send ACK, 0.000 send ACK");

    // s17.1.1.3, header by header.
    let ack = rig.last().bytes.clone();
    let ack = Message::parse(&ack, Framing::Datagram).expect("our ACK parses");
    let invite = Message::parse(INVITE, Framing::Datagram).unwrap();
    assert_eq!(ack.method(), Some(Method::Ack));
    assert_eq!(ack.request_uri(), invite.request_uri());
    assert_eq!(ack.values(Name::Via).collect::<Vec<_>>(), invite.values(Name::Via).collect::<Vec<_>>());
    assert_eq!(ack.header(Name::From), invite.header(Name::From));
    assert_eq!(ack.to_tag(), Some(&b"them"[..]));
    assert_eq!(ack.call_id(), invite.call_id());
    assert_eq!((ack.cseq().seq, ack.cseq().method), (7, Method::Ack));
    assert_eq!(ack.values(Name::Route).collect::<Vec<_>>(), invite.values(Name::Route).collect::<Vec<_>>());

    rig.pass(secs(32));
    assert_eq!(rig.endpoint.live(), (0, 0));
    assert_eq!(rig.receive(udp(), &busy), "nothing");
    assert_eq!(rig.endpoint.counters().stray, 1, "after timer D it is nobody's");
}

#[test]
fn every_2xx_of_every_fork_goes_up() {
    let mut rig = Rig::new();
    rig.request(udp(), INVITE);
    for tag in ["fork-1", "fork-1", "fork-2"] {
        assert_eq!(rig.receive(udp(), &answer_to(INVITE, 200, Some(tag))), "response 200 for 9");
        rig.pass(secs(10));
    }
    assert_eq!(rig.receive(udp(), &answer_to(INVITE, 486, Some("fork-3"))), "nothing");
    assert_eq!(rig.happened(), "0.000 send INVITE", "the ACK for a 2xx is the dialog's");
    rig.pass(secs(2));
    assert_eq!(rig.endpoint.live(), (0, 0));
    assert_eq!(rig.receive(udp(), &answer_to(INVITE, 200, Some("fork-1"))), "nothing");
}

#[test]
fn cancel_waits_for_a_provisional_response() {
    let mut rig = Rig::new();
    let tx = rig.request(udp(), INVITE);
    rig.cancel(tx);
    rig.pass(Duration::from_millis(600));
    assert_eq!(rig.happened(), "0.000 send INVITE, 0.500 send INVITE");
    assert_eq!(rig.receive(udp(), &answer_to(INVITE, 100, None)), "response 100 for 9");
    assert_eq!(rig.happened(), "0.600 send CANCEL");

    let sent = rig.last().bytes.clone();
    let cancel = Message::parse(&sent, Framing::Datagram).expect("our CANCEL parses");
    assert_eq!(cancel.via().branch(), Some(&b"z9hG4bKours"[..]));
    assert_eq!(cancel.to_tag(), None);
    assert_eq!((cancel.cseq().seq, cancel.cseq().method), (7, Method::Cancel));
    assert_eq!(cancel.values(Name::Route).count(), 2);

    rig.cancel(tx);
    assert_eq!(rig.receive(udp(), &answer_to(&sent, 200, Some("them"))), "nothing");
    assert_eq!(rig.receive(udp(), &answer_to(INVITE, 487, Some("them"))), "response 487 for 9");
    assert_eq!(rig.happened(), "0.600 send ACK");
    rig.pass(secs(32));
    assert_eq!(rig.endpoint.live(), (0, 0));
}

#[test]
fn a_cancelled_invite_without_final_response_ends() {
    let mut rig = Rig::new();
    let tx = rig.request(udp(), INVITE);
    rig.receive(udp(), &answer_to(INVITE, 180, Some("them")));
    rig.cancel(tx);
    rig.pass(secs(40));
    let log = rig.happened();
    assert_eq!(log.matches("send CANCEL").count(), 11, "{log}");
    assert!(log.ends_with("32.000 no answer for 9"), "{log}");
    assert_eq!(log.matches("no answer").count(), 1, "the CANCEL's own timeout is nobody's: {log}");
    assert_eq!(rig.endpoint.live(), (0, 0));
}

#[test]
fn a_2xx_that_crosses_the_cancel_goes_up() {
    let mut rig = Rig::new();
    let tx = rig.request(udp(), INVITE);
    rig.receive(udp(), &answer_to(INVITE, 180, Some("them")));
    rig.cancel(tx);
    assert_eq!(rig.receive(udp(), &answer_to(INVITE, 200, Some("them"))), "response 200 for 9");
}

#[test]
fn a_cancel_without_meaning_is_ignored() {
    let mut rig = Rig::new();
    let options = rig.request(udp(), &request("OPTIONS", "z9hG4bKopt", ""));
    let invite = rig.request(udp(), INVITE);
    rig.receive(udp(), &answer_to(INVITE, 200, Some("them")));
    rig.happened();
    rig.cancel(options);
    rig.cancel(invite);
    assert_eq!(rig.happened(), "");
}

#[test]
fn a_failed_flow_fails_what_went_by_it_and_nothing_else() {
    let mut rig = Rig::new();
    let on = |branch: &str| request("OPTIONS", branch, "");
    rig.request(tcp(1), &on("z9hG4bKa"));
    rig.request(tcp(2), &on("z9hG4bKb"));
    rig.request(udp(), &on("z9hG4bKc"));
    rig.request(tcp(1), &on("z9hG4bKdone"));
    rig.receive(tcp(1), &answer_to(&on("z9hG4bKdone"), 200, None));
    rig.happened();
    rig.endpoint.flow_failed(rig.now, tcp(1));
    rig.drain();
    assert_eq!(rig.happened(), "0.000 transport failed for 9");
    assert_eq!(rig.endpoint.live(), (2, 0));
    // Sent before the connection had a number: it went by the one to that remote.
    rig.request(tcp(0), &on("z9hG4bKd"));
    rig.happened();
    rig.endpoint.flow_failed(rig.now, tcp(7));
    rig.drain();
    assert_eq!(rig.happened(), "0.000 transport failed for 9");
}

#[test]
fn responses_that_are_not_ours_are_dropped() {
    let mut rig = Rig::new();
    rig.request(udp(), INVITE);
    let ok = String::from_utf8(answer_to(INVITE, 200, Some("them"))).unwrap();
    let other_branch = ok.replace("z9hG4bKours", "z9hG4bKother");
    let other_method = ok.replace("7 INVITE", "7 BYE");
    let two_vias = ok.replace("From:", "Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKx\r\nFrom:");
    for stray in [&other_branch, &other_method, &two_vias] {
        assert_eq!(rig.receive(udp(), stray.as_bytes()), "nothing", "{stray}");
    }
    assert_eq!(rig.endpoint.counters().stray, 3);
    assert_eq!(rig.receive(udp(), ok.as_bytes()), "response 200 for 9");
}

#[test]
fn a_restored_endpoint_goes_on_as_the_saved_one() {
    let mut rig = Rig::new();
    rig.request(udp(), INVITE);
    let tx = rig.accept(udp(), &request("INVITE", "z9hG4bKin", ""));
    rig.respond(tx, 486, answer_to(&request("INVITE", "z9hG4bKin", ""), 486, Some("us")));
    rig.pass(secs(2));
    let saved = postcard::to_stdvec(&rig.endpoint).expect("serialises");
    let restored: Endpoint = postcard::from_bytes(&saved).expect("restores");
    let mut twin = Rig { endpoint: restored, now: rig.now, log: Vec::new(), sent: Vec::new() };
    rig.happened();
    for rig in [&mut rig, &mut twin] {
        rig.receive(udp(), &answer_to(INVITE, 486, Some("them")));
        rig.pass(secs(60));
    }
    let log = rig.happened();
    assert!(log.contains("send 486") && log.contains("no ACK") && log.contains("send ACK"), "{log}");
    assert_eq!(log, twin.happened());
    assert_eq!(twin.endpoint.live(), (0, 0));
}
