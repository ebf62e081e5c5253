//! Several phones behind one INVITE of ours, and refusals that would send us elsewhere (RFC 3261 s8.1.3.4, s13.2.2).

use crate::support::*;
use rexian::leg::{HangupReason, LegCommand, LegEnd, LegEvent};

fn reliably(rseq: u32) -> String {
    format!("Require: 100rel\r\nRSeq: {rseq}\r\n")
}

/// Each has its own numbers, its own CSeq and its own answer; nobody's repeat is taken for another's news.
#[test]
fn early_dialogs_do_not_mix() {
    in_both(|process| {
        let (mut world, invite) = World::calling(process);
        world.hear(&response(&invite, 183, "a", &reliably(100), &sdp(7000)));
        world.hear(&response(&invite, 180, "b", &reliably(7), ""));
        world.hear(&response(&invite, 180, "a", &reliably(101), ""));
        world.hear(&response(&invite, 183, "a", &reliably(100), &sdp(7000)));
        world.hear(&response(&invite, 183, "b", &reliably(8), &sdp(7200)));
        world.hear(&response(&invite, 180, "c", "", ""));
        let told = |m: &String| {
            let to = value(m, "To").unwrap().rsplit('=').next().unwrap().to_owned();
            (to, value(m, "RAck").unwrap(), value(m, "CSeq").unwrap())
        };
        let pracks: Vec<_> = world.news().iter().map(told).collect();
        let row = |to: &str, rack: &str, cseq: &str| (to.to_owned(), rack.to_owned(), cseq.to_owned());
        assert_eq!(
            pracks,
            [
                row("a", "100 1 INVITE", "2 PRACK"),
                row("b", "7 1 INVITE", "3 PRACK"),
                row("a", "101 1 INVITE", "3 PRACK"),
                row("b", "8 1 INVITE", "4 PRACK"),
            ]
        );
        assert_eq!(media_ports(&world.events()), [7000, 7200], "what they play is heard, the last to speak last");
        // b answers, by what it said before; a was a moment later.
        world.hear(&response(&invite, 200, "b", "", ""));
        assert_eq!(media_ports(&world.events()), [7200]);
        world.tell(LegCommand::Acknowledge);
        let ack = world.one();
        assert!(value(&ack, "To").unwrap().ends_with("tag=b"), "{ack}");
        for repeat in 0..3 {
            world.hear(&response(&invite, 200, "a", "", &sdp(7000)));
            let news = world.news();
            assert!(is_request(&news[0], "ACK") && value(&news[0], "To").unwrap().ends_with("tag=a"), "{news:#?}");
            let byes = news.iter().filter(|m| is_request(m, "BYE")).count();
            assert_eq!(byes, usize::from(repeat == 0), "one BYE for one phone: {news:#?}");
        }
        assert_eq!(world.events(), []);
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        assert!(value(&world.news()[0], "To").unwrap().ends_with("tag=b"));
        world.ends_clean()
    });
}

/// s9.1: two that picked up while our CANCEL was on its way are both let go.
#[test]
fn two_answers_to_a_cancelled_invite() {
    in_both(|process| {
        let (mut world, invite) = World::calling(process);
        world.hear(&response(&invite, 180, "a", "", ""));
        world.hear(&response(&invite, 180, "b", "", ""));
        world.tell(LegCommand::Hangup(HangupReason::Withdrawn));
        assert!(is_request(&world.one(), "CANCEL"));
        world.events();
        for tag in ["b", "a"] {
            world.hear(&response(&invite, 200, tag, "", &sdp(7000)));
            let news = world.news();
            let to = |m: &String| value(m, "To").unwrap().rsplit('=').next().unwrap().to_owned();
            let said: Vec<_> = news.iter().map(|m| (m.split(' ').next().unwrap().to_owned(), to(m))).collect();
            assert_eq!(said, [("ACK".to_owned(), tag.to_owned()), ("BYE".to_owned(), tag.to_owned())]);
        }
        assert_eq!(world.events(), [LegEvent::Ended(LegEnd::Released)]);
        world.ends_clean()
    });
}

/// A thousand tags cost no more than a few.
#[test]
fn forks_are_bounded() {
    let (mut world, invite) = World::calling(Process::Steady);
    for n in 0..1_000 {
        world.hear(&response(&invite, 180, &format!("t{n}"), &reliably(1), ""));
    }
    world.hear(&response(&invite, 200, "t3", "", &sdp(7000)));
    assert_eq!(media_ports(&world.events()), [7000], "one long forgotten may still answer");
    world.tell(LegCommand::Acknowledge);
    world.news();
    assert!(world.session_bytes() < 6_000, "{} bytes of state", world.session_bytes());
    world.tell(LegCommand::Hangup(HangupReason::Normal));
    world.ends_clean();
}

/// Each PRACK and each BYE is a transaction of ours that lasts half a minute: a peer that counts up has a few, not more.
#[test]
fn a_peer_that_counts_up_has_few_transactions_of_ours() {
    let count = |world: &mut World, method: &str| world.news().iter().filter(|m| is_request(m, method)).count();
    // Ever new phones; one phone's ever new responses; those to an INVITE called off.
    let (mut world, invite) = World::calling(Process::Steady);
    for n in 0..1_000 {
        world.hear(&response(&invite, 180, &format!("t{n}"), &reliably(1), ""));
    }
    assert_eq!(count(&mut world, "PRACK"), 33, "the first and 32 more");
    let (mut world, invite) = World::calling(Process::Steady);
    for n in 1..1_000 {
        world.hear(&response(&invite, 180, "t", &reliably(n), ""));
    }
    assert_eq!(count(&mut world, "PRACK"), 64);
    let (mut world, invite) = World::calling(Process::Steady);
    world.hear(&response(&invite, 180, "t", "", ""));
    world.tell(LegCommand::Hangup(HangupReason::Withdrawn));
    for n in 1..1_000 {
        world.hear(&response(&invite, 180, "t", &reliably(n), ""));
    }
    assert_eq!(count(&mut world, "PRACK"), 64);
    // Ever new answers.
    let (mut world, invite) = World::calling(Process::Steady);
    world.hear(&response(&invite, 200, "t", "", &sdp(7000)));
    world.tell(LegCommand::Acknowledge);
    world.news();
    for n in 0..1_000 {
        world.hear(&response(&invite, 200, &format!("t{n}"), "", &sdp(7000)));
    }
    assert_eq!(count(&mut world, "BYE"), 8);
    world.tell(LegCommand::Hangup(HangupReason::Normal));
    world.ends_clean();
}

/// s8.1.3.4 lets a client follow; a hotline calls whom it means to call, and nobody a peer names.
#[test]
fn a_redirection_is_a_refusal() {
    for status in [300, 301, 302, 305, 380] {
        in_both(|process| {
            let (mut world, invite) = World::calling(process);
            world.hear(&response(&invite, status, "a", "Contact: <sip:+8190@203.0.113.5>\r\n", ""));
            assert!(is_request(&world.one(), "ACK"));
            let told = LegEvent::Cause { status: Some(status), q850: None };
            assert_eq!(world.events(), [told, LegEvent::Ended(LegEnd::Declined)]);
            world.ends_clean()
        });
    }
}
