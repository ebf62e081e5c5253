//! Provisional responses that are acknowledged (RFC 3262), called side.

use crate::support::*;
use rexian::config::settings::Reliable;
use rexian::leg::{HangupReason, LegCommand, LegEnd, LegEvent};
use std::time::Duration;

const REQUIRED: &str = "Require: 100rel\r\n";
const SUPPORTED: &str = "Supported: 100rel\r\n";

fn early(process: Process, offer: &str) -> (World, String) {
    let mut world = World::called(process, Reliable::IfRequired, &invite(REQUIRED, offer));
    world.answered(100);
    world.tell(LegCommand::EarlyMedia);
    let progress = world.answered(183);
    (world, progress)
}

#[test]
fn who_gets_acknowledged_responses() {
    for (policy, asked, reliable) in [
        (Reliable::Never, "", false),
        (Reliable::Never, SUPPORTED, false),
        (Reliable::IfRequired, "", false),
        (Reliable::IfRequired, SUPPORTED, false),
        (Reliable::IfRequired, REQUIRED, true),
        (Reliable::IfSupported, "", false),
        (Reliable::IfSupported, "k: timer, 100REL\r\n", true),
        (Reliable::IfSupported, REQUIRED, true),
    ] {
        for (command, status) in [(LegCommand::Ring, 180), (LegCommand::EarlyMedia, 183)] {
            let mut world = World::called(Process::Steady, policy, &invite(asked, &sdp(7000)));
            world.answered(100);
            world.tell(command);
            let text = world.answered(status);
            let required = value(&text, "Require").as_deref() == Some("100rel");
            assert_eq!(
                (required, value(&text, "RSeq").is_some()),
                (reliable, reliable),
                "{policy:?} {asked:?}\n{text}"
            );
            let rseq: u32 = value(&text, "RSeq").map_or(1, |n| n.parse().unwrap());
            assert!((1..1 << 31).contains(&rseq), "s3: {rseq}");
            assert_eq!(body(&text).is_empty(), status == 180, "{text}");
        }
    }
}

/// s3: T1, doubling, for 64*T1; then a 5xx, and the leg is over.
#[test]
fn a_response_is_repeated_until_its_prack_and_given_up_after_64_t1() {
    in_both(|process| {
        let (mut world, progress) = early(process, &sdp(7000));
        world.run(Duration::from_secs(31));
        let times: Vec<u64> = world.times().iter().map(|(at, _)| *at).collect();
        assert_eq!(times, [500, 1_500, 3_500, 7_500, 15_500]);
        assert!(world.said.iter().skip(1).all(|(_, text)| *text == progress), "repeats are word for word");
        world.run(Duration::from_secs(1));
        let last = world.times();
        assert_eq!(last[0], (31_500, "SIP/2.0 183 Session Progress".into()));
        assert_eq!(last[1], (32_000, "SIP/2.0 504 Server Time-out".into()));
        assert_eq!(world.events(), [LegEvent::Ended(LegEnd::Fault)]);
        world.ends_clean()
    });
}

#[test]
fn a_prack_stops_the_repeats_and_only_the_right_one_does() {
    in_both(|process| {
        let (mut world, progress) = early(process, &sdp(7000));
        let rseq: u32 = value(&progress, "RSeq").unwrap().parse().unwrap();
        for (seq, rack, status) in [
            (2, format!("{} 1 INVITE", rseq + 1), 481),
            (3, format!("{rseq} 2 INVITE"), 481),
            (4, format!("{rseq} 1 UPDATE"), 481),
            (5, "nonsense".into(), 400),
            (6, format!("{rseq} 1 INVITE"), 200),
            (7, format!("{rseq} 1 INVITE"), 481),
        ] {
            world.hear(&within("PRACK", seq, &format!("RAck: {rack}\r\n"), ""));
            world.answered(status);
        }
        // The PRACK itself, repeated because its 200 was lost: the same answer.
        world.hear(&within("PRACK", 6, &format!("RAck: {rseq} 1 INVITE\r\n"), ""));
        world.answered(200);
        world.run(Duration::from_secs(140));
        assert_eq!(world.news(), [""; 0], "nothing is repeated");
        // RFC 3262 s3: announced again after two and a half minutes, under the next number, without another description.
        world.run(Duration::from_secs(10));
        let again = world.answered(183);
        assert_eq!(value(&again, "RSeq").unwrap(), (rseq + 1).to_string());
        assert_eq!(body(&again), "");
        world.hear(&prack(8, &again, ""));
        world.answered(200);
        world.hear(&within("BYE", 9, "", ""));
        world.news();
        world.ends_clean()
    });
}

#[test]
fn the_200_waits_for_the_prack_and_carries_no_second_answer() {
    in_both(|process| {
        let (mut world, progress) = early(process, &sdp(7000));
        world.tell(LegCommand::Answer);
        assert_eq!(world.news(), [""; 0]);
        // The PRACK is lost once: the 183 comes again, still no 200.
        world.run_ms(600);
        world.answered(183);
        world.hear(&prack(2, &progress, ""));
        let answers = world.news();
        assert_eq!(answers.iter().map(|a| value(a, "CSeq").unwrap()).collect::<Vec<_>>(), ["2 PRACK", "1 INVITE"]);
        assert_eq!(status_of(&answers[1]), Some(200));
        assert_eq!(body(&answers[1]), "", "the answer was in the 183");
        world.hear(&ack(1, ""));
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        let bye = world.one();
        assert!(is_request(&bye, "BYE"));
        world.hear(&response(&bye, 200, PEER, "", ""));
        world.ends_clean()
    });
}

/// s3: one at a time; the last wish counts.
#[test]
fn a_second_response_waits_for_the_first() {
    in_both(|process| {
        let mut world = World::called(process, Reliable::IfRequired, &invite(REQUIRED, &sdp(7000)));
        world.answered(100);
        world.tell(LegCommand::Ring);
        let ringing = world.answered(180);
        world.tell(LegCommand::EarlyMedia);
        assert_eq!(world.news(), [""; 0]);
        world.hear(&prack(2, &ringing, ""));
        let news = world.news();
        assert_eq!(news.iter().map(|m| status_of(m).unwrap()).collect::<Vec<_>>(), [200, 183]);
        let next = |text: &str| value(text, "RSeq").unwrap().parse::<u32>().unwrap();
        assert_eq!(next(&news[1]), next(&ringing) + 1);
        assert!(body(&news[1]).contains("m=audio 20000"));
        world.hear(&prack(3, &news[1], ""));
        world.answered(200);
        world.tell(LegCommand::Hangup(HangupReason::Busy));
        world.answered(486);
        world.hear(&ack(1, "").replace("z9hG4bKACK1", "z9hG4bKINVITE1"));
        world.ends_clean()
    });
}

/// s5: no offer in the INVITE, so ours is in the first reliable response and the answer in its PRACK.
#[test]
fn an_offerless_invite_is_settled_by_the_prack() {
    for command in [LegCommand::Ring, LegCommand::EarlyMedia] {
        in_both(|process| {
            let mut world = World::called(process, Reliable::IfRequired, &invite(REQUIRED, ""));
            world.answered(100);
            world.tell(command.clone());
            let progress = world.one();
            assert!(body(&progress).contains("m=audio 20000"), "{progress}");
            world.hear(&prack(2, &progress, &sdp(7000)));
            world.answered(200);
            assert_eq!(media_ports(&world.events()), [7000]);
            world.tell(LegCommand::Answer);
            assert_eq!(body(&world.answered(200)), "");
            world.hear(&ack(1, ""));
            assert_eq!(world.events(), [], "the ACK has nothing to add");
            world.hear(&within("BYE", 3, "", ""));
            world.answered(200);
            world.ends_clean()
        });
    }
}

#[test]
fn an_answer_in_the_prack_that_is_missing_or_useless_ends_the_call() {
    for answer in ["", UNUSABLE, "not SDP at all"] {
        in_both(|process| {
            let (mut world, progress) = early(process, "");
            world.hear(&prack(2, &progress, answer));
            let news = world.news();
            assert_eq!(news.iter().map(|m| status_of(m).unwrap()).collect::<Vec<_>>(), [488, 488]);
            assert_eq!(world.events(), [LegEvent::Ended(LegEnd::Fault)]);
            world.ends_clean()
        });
    }
}

/// s5: the exchange of the INVITE is complete, so the PRACK may offer anew.
#[test]
fn an_offer_in_the_prack_is_answered_in_its_200() {
    in_both(|process| {
        let (mut world, progress) = early(process, &sdp(7000));
        world.hear(&prack(2, &progress, &sdp(7100)));
        let ok = world.answered(200);
        assert!(body(&ok).contains("m=audio 20000"), "{ok}");
        assert!(body(&ok).contains("o=rexian 7 1 "), "what did not change keeps its version: {ok}");
        assert_eq!(media_ports(&world.events()), [7100]);
        world.tell(LegCommand::Answer);
        assert_eq!(body(&world.answered(200)), "");
        world.hear(&ack(1, ""));
        world.hear(&within("BYE", 3, "", ""));
        world.answered(200);
        world.ends_clean()
    });
}

#[test]
fn an_offer_in_the_prack_that_cannot_be_used_changes_nothing() {
    in_both(|process| {
        let (mut world, progress) = early(process, &sdp(7000));
        world.hear(&prack(2, &progress, UNUSABLE));
        world.answered(488);
        assert_eq!(world.events(), []);
        world.run(Duration::from_secs(40));
        assert_eq!(world.news(), [""; 0], "acknowledged all the same");
        world.tell(LegCommand::Answer);
        world.answered(200);
        world.hear(&ack(1, ""));
        world.hear(&within("BYE", 3, "", ""));
        world.answered(200);
        world.ends_clean()
    });
}

/// CANCEL and hang-up do not wait for the PRACK (s3 speaks of 2xx only).
#[test]
fn a_refusal_does_not_wait() {
    in_both(|process| {
        let (mut world, progress) = early(process, &sdp(7000));
        world.hear(&request("CANCEL", 1, None, "", "").replace("z9hG4bKCANCEL1", "z9hG4bKINVITE1"));
        let news = world.news();
        assert_eq!(news.iter().map(|m| status_of(m).unwrap()).collect::<Vec<_>>(), [200, 487]);
        assert_eq!(world.events(), [LegEvent::Ended(LegEnd::HungUp)]);
        world.hear(&prack(2, &progress, ""));
        world.answered(481);
        world.ends_clean()
    });
}
