//! Phones that acknowledge what we did not ask them to, and session intervals a phone will not have (RFC 3262 s4,
//! RFC 4028 s7.3), calling side.

use crate::support::*;
use rexian::config::settings::Reliable;
use rexian::leg::{HangupReason, LegCommand, LegEnd, LegEvent};
use rexian::sip::session::Peer;

fn reliably(invite: &str, status: u16, tag: &str, rseq: u32, body: &str) -> String {
    response(invite, status, tag, &format!("Require: 100rel\r\nRSeq: {rseq}\r\n"), body)
}

fn rack(prack: &str) -> String {
    assert!(is_request(prack, "PRACK"), "{prack}");
    value(prack, "RAck").unwrap()
}

#[test]
fn what_our_invite_says_of_us() {
    let (_, invite) = World::calling(Process::Steady);
    assert_eq!(value(&invite, "Supported").unwrap(), "timer", "100rel is not asked of phones");
    assert_eq!(value(&invite, "Session-Expires").unwrap(), "1800;refresher=uac");
    assert_eq!(value(&invite, "Min-SE"), None);
    assert_eq!(value(&invite, "X-Rexian-Call").unwrap(), "42");
    let allow = value(&invite, "Allow").unwrap();
    assert!(["PRACK", "UPDATE"].iter().all(|m| allow.contains(m)), "{allow}");
}

/// RFC 3262 s4: a carrier may have its responses acknowledged, unless its profile says never.
#[test]
fn what_our_invite_says_to_a_carrier() {
    for (reliable, supported) in
        [(Reliable::Never, "timer"), (Reliable::IfRequired, "100rel, timer"), (Reliable::IfSupported, "100rel, timer")]
    {
        let (_, invite) = World::calling_one(Process::Steady, Peer::Carrier, reliable);
        assert_eq!(value(&invite, "Supported").unwrap(), supported, "{reliable:?}");
        assert_eq!(value(&invite, "Require"), None);
    }
}

#[test]
fn a_phones_acknowledged_responses_get_their_pracks_in_order_and_once() {
    in_both(|process| {
        let (mut world, invite) = World::calling(process);
        world.hear(&response(&invite, 180, PEER, "", ""));
        assert_eq!(world.news(), [""; 0], "a plain 180 needs none");
        world.hear(&reliably(&invite, 180, PEER, 100, ""));
        let first = world.one();
        assert_eq!((rack(&first), value(&first, "CSeq").unwrap()), ("100 1 INVITE".into(), "2 PRACK".into()));
        assert!(value(&first, "To").unwrap().ends_with(";tag=peer"));
        assert_eq!(first_line(&first), format!("PRACK sip:8001@{THEIRS} SIP/2.0"), "to the phone's Contact");
        world.hear(&reliably(&invite, 180, PEER, 100, ""));
        world.hear(&reliably(&invite, 183, PEER, 102, ""));
        assert_eq!(world.news(), [""; 0], "a repeat, and one that came before its predecessor");
        world.hear(&reliably(&invite, 183, PEER, 101, ""));
        assert_eq!(rack(&world.one()), "101 1 INVITE");
        // Another phone behind a proxy counts for itself.
        world.hear(&reliably(&invite, 180, "other", 9, ""));
        assert_eq!(rack(&world.one()), "9 1 INVITE");
        // Lost PRACKs are repeated, and given up without harm.
        world.run_ms(500);
        assert_eq!(world.news().len(), 3);
        world.run_ms(40_000);
        world.news();
        world.events();
        world.hear(&response(&invite, 200, PEER, "", &sdp(7000)));
        assert_eq!(media_ports(&world.events()), [7000]);
        world.tell(LegCommand::Acknowledge);
        let ack = world.one();
        assert_eq!(value(&ack, "CSeq").unwrap(), "1 ACK", "the INVITE's number, whatever has gone out since");
        world.hear(&response(&invite, 200, PEER, "", &sdp(7000)));
        assert_eq!(world.one(), ack, "the same for a repeated 200");
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        let bye = world.one();
        assert_eq!(value(&bye, "CSeq").unwrap(), "4 BYE", "each early dialog counts for itself");
        world.hear(&response(&invite, 200, PEER, "", &sdp(7000)));
        assert_eq!(value(&world.one(), "CSeq").unwrap(), "1 ACK");
        world.hear(&response(&bye, 200, PEER, "", ""));
        world.ends_clean()
    });
}

/// RFC 3262 s5: then the 200 may come without one.
#[test]
fn an_answer_in_an_acknowledged_183_counts() {
    for (early, last, ports) in [
        (sdp(7000), String::new(), Some(7000)),
        (sdp(7000), sdp(7100), Some(7100)),
        (String::new(), sdp(7100), Some(7100)),
        (String::new(), String::new(), None),
    ] {
        in_both(|process| {
            let (mut world, invite) = World::calling(process);
            world.hear(&reliably(&invite, 183, PEER, 1, &early));
            let prack = world.one();
            world.hear(&response(&prack, 200, PEER, "", ""));
            let events = world.events();
            assert_eq!(events[0], LegEvent::Ringing);
            assert_eq!(media_ports(&events), if early.is_empty() { vec![] } else { vec![7000] });
            world.hear(&response(&invite, 200, PEER, "", &last));
            let events = world.events();
            match ports {
                Some(port) => assert_eq!(media_ports(&events), [port]),
                None => assert_eq!(events, [LegEvent::Ended(LegEnd::Fault)]),
            }
            world.tell(LegCommand::Hangup(HangupReason::Normal));
            assert!(world.news().iter().any(|m| is_request(m, "BYE")));
            world.ends_clean()
        });
    }
}

#[test]
fn a_phone_that_says_bye_while_it_rings_is_let_go() {
    in_both(|process| {
        let (mut world, invite) = World::calling(process);
        world.hear(&reliably(&invite, 180, PEER, 1, ""));
        world.news();
        let call_id = format!("Call-ID: {}", value(&invite, "Call-ID").unwrap());
        world.hear(&within("BYE", 1, "", "").replace("Call-ID: c-1", &call_id));
        let news = world.news();
        assert_eq!(status_of(&news[0]), Some(200));
        assert!(is_request(&news[1], "CANCEL"), "our INVITE still wants its end: {news:#?}");
        world.hear(&response(&news[1], 200, PEER, "", ""));
        world.hear(&response(&invite, 487, PEER, "", ""));
        assert!(world.events().contains(&LegEvent::Ended(LegEnd::Released)));
        world.ends_clean()
    });
}

const REFUSED: LegEvent = LegEvent::Cause { status: Some(422), q850: None };

/// RFC 4028 s7.3: once more with what the 422 asks for, and not a third time.
#[test]
fn a_422_is_met_once() {
    in_both(|process| {
        let (mut world, first) = World::calling(process);
        world.hear(&response(&first, 422, "a", "Min-SE: 3600\r\n", ""));
        let news = world.news();
        assert!(is_request(&news[0], "ACK"));
        let second = &news[1];
        assert_eq!(value(second, "CSeq").unwrap(), "2 INVITE");
        assert_eq!(value(second, "Call-ID"), value(&first, "Call-ID"));
        assert_eq!(value(second, "To"), value(&first, "To"));
        assert_eq!(value(second, "Session-Expires").unwrap(), "3600;refresher=uac");
        assert_eq!(value(second, "Min-SE").unwrap(), "3600");
        assert_eq!(value(second, "X-Rexian-Call").unwrap(), "42");
        assert_eq!(body(second), body(&first));
        assert_eq!(world.events(), []);
        world.hear(&response(second, 422, "b", "Min-SE: 7200\r\n", ""));
        assert_eq!(world.events(), [REFUSED, LegEvent::Ended(LegEnd::Declined)]);
        world.ends_clean()
    });
}

#[test]
fn a_422_without_a_longer_interval_is_a_refusal() {
    for min in ["", "Min-SE: 90\r\n", "Min-SE: 1800\r\n", "Min-SE: soon\r\n"] {
        in_both(|process| {
            let (mut world, invite) = World::calling(process);
            world.hear(&response(&invite, 422, "a", min, ""));
            assert_eq!(world.events(), [REFUSED, LegEvent::Ended(LegEnd::Declined)]);
            world.ends_clean()
        });
    }
}

/// RFC 3262 s3 and s4, RFC 3261 s21.4.15 and s21.4.16: the INVITE again, as its refusal wants it; each wish once.
#[test]
fn who_insists_on_acknowledged_responses_or_on_none_has_them() {
    let wants = "Require: 100rel\r\n";
    for (peer, status, header, first, then) in [
        (Peer::Phone, 421, wants, "timer", "100rel, timer"),
        (Peer::Phone, 421, "Require: timer, 100Rel\r\n", "timer", "100rel, timer"),
        // It does not say what it wants, but we have nothing else to give.
        (Peer::Phone, 421, "", "timer", "100rel, timer"),
        (Peer::Carrier, 420, "Unsupported: 100rel\r\n", "100rel, timer", "timer"),
    ] {
        in_both(|process| {
            let (mut world, invite) = World::calling_one(process, peer, Reliable::IfRequired);
            assert_eq!(value(&invite, "Supported").unwrap(), first);
            world.hear(&response(&invite, status, "a", header, ""));
            let [ack, second] = <[String; 2]>::try_from(world.news()).unwrap();
            assert!(is_request(&ack, "ACK"));
            assert_eq!(value(&second, "CSeq").unwrap(), "2 INVITE");
            assert_eq!(
                (value(&second, "Call-ID"), value(&second, "To")),
                (value(&invite, "Call-ID"), value(&invite, "To"))
            );
            assert_eq!(value(&second, "Supported").unwrap(), then);
            assert_eq!(value(&second, "X-Rexian-Call").unwrap(), "42");
            assert_eq!((body(&second), world.events()), (body(&invite), vec![]));
            // And a longer interval, with what it has got already.
            world.hear(&response(&second, 422, "b", "Min-SE: 3600\r\n", ""));
            let third = world.news().pop().unwrap();
            assert_eq!(value(&third, "CSeq").unwrap(), "3 INVITE");
            assert_eq!(value(&third, "Supported").unwrap(), then);
            world.hear(&reliably(&third, 180, PEER, 1, ""));
            assert_eq!(rack(&world.one()), "1 3 INVITE");
            world.events();
            world.hear(&response(&third, status, PEER, header, ""));
            let refused = LegEvent::Cause { status: Some(status), q850: None };
            assert_eq!(world.events(), [refused, LegEvent::Ended(LegEnd::Declined)]);
            world.ends_clean()
        });
    }
}

#[test]
fn what_cannot_be_met_is_a_refusal() {
    for (peer, reliable, status, header) in [
        (Peer::Phone, Reliable::IfRequired, 421, "Require: 100rel, precondition\r\n"),
        (Peer::Phone, Reliable::IfRequired, 420, "Unsupported: 100rel\r\n"),
        (Peer::Carrier, Reliable::IfRequired, 421, "Require: 100rel\r\n"),
        (Peer::Carrier, Reliable::IfRequired, 420, "Unsupported: timer\r\n"),
        (Peer::Carrier, Reliable::Never, 421, "Require: 100rel\r\n"),
    ] {
        in_both(|process| {
            let (mut world, invite) = World::calling_one(process, peer, reliable);
            world.hear(&response(&invite, status, "a", header, ""));
            let refused = LegEvent::Cause { status: Some(status), q850: None };
            assert_eq!(world.events(), [refused, LegEvent::Ended(LegEnd::Declined)]);
            world.ends_clean()
        });
    }
}

/// The call after a 422 is one like any other: its ACK has the second INVITE's number.
#[test]
fn the_second_invite_is_answered_and_acknowledged_by_its_number() {
    in_both(|process| {
        let (mut world, first) = World::calling(process);
        world.hear(&response(&first, 422, "a", "Min-SE: 3600\r\n", ""));
        let second = world.news().pop().unwrap();
        world.hear(&response(&second, 200, PEER, "", &sdp(7000)));
        world.tell(LegCommand::Acknowledge);
        assert_eq!(value(&world.one(), "CSeq").unwrap(), "2 ACK");
        // Nobody there keeps time, so we look after half of the 3600 s.
        world.run_ms(1_799_999);
        assert_eq!(world.news(), [""; 0]);
        world.run_ms(1);
        assert!(is_request(&world.one(), "INVITE"));
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        world.ends_clean()
    });
}
