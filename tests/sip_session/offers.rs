//! Offers of the far end, and what stands in their way (RFC 3261 s14.2, RFC 3311 s5.2).

use crate::support::*;
use rexian::config::settings::Reliable;
use rexian::leg::{HangupReason, LegCommand, LegEnd, LegEvent};
use rexian::plane::Direction;

const REQUIRED: &str = "Require: 100rel\r\n";

/// Answered and acknowledged; the far end's next CSeq is 2.
fn talking(process: Process) -> World {
    let mut world = World::called(process, Reliable::IfRequired, &invite("", &sdp(7000)));
    world.tell(LegCommand::Answer);
    world.hear(&ack(1, ""));
    world.news();
    world.events();
    world
}

/// How a dialog got where it is, by name.
fn at(stage: &str, process: Process) -> World {
    let called = |extra: &str, offer: &str| World::called(process, Reliable::IfRequired, &invite(extra, offer));
    let mut world = match stage {
        "ringing, their offer open" => called("", &sdp(7000)),
        "ringing, no offer yet" => called("", ""),
        "ringing, our offer open" | "ringing, our offer settled" => called(REQUIRED, ""),
        "ringing, their offer settled" => called(REQUIRED, &sdp(7000)),
        "answered" => called("", &sdp(7000)),
        "answered, our offer open" => called("", ""),
        "calling" => return ringing_phone(process, "").0,
        "calling, our offer settled" => ringing_phone(process, &sdp(7000)).0,
        "calling, our offer previewed" => {
            let (mut world, invite) = World::calling(process);
            world.hear(&response(&invite, 183, PEER, "", &sdp(7000)));
            world
        }
        "picked" => {
            let (mut world, invite) = ringing_phone(process, "");
            world.hear(&response(&invite, 200, PEER, "", &sdp(7000)));
            world
        }
        _ => talking(process),
    };
    match stage {
        "ringing, our offer open" | "ringing, their offer settled" => {
            world.tell(LegCommand::EarlyMedia);
        }
        "ringing, our offer settled" => {
            world.tell(LegCommand::EarlyMedia);
            let progress = world.news().pop().unwrap();
            world.hear(&prack(2, &progress, &sdp(7000)));
        }
        "ringing, their offer open" | "ringing, no offer yet" => world.tell(LegCommand::EarlyMedia),
        "answered" | "answered, our offer open" => world.tell(LegCommand::Answer),
        "re-INVITE answered" => world.hear(&within("INVITE", 2, "", &sdp(7000))),
        "re-INVITE answered, our offer open" => world.hear(&within("INVITE", 2, "", "")),
        "leaving" => world.tell(LegCommand::Hangup(HangupReason::Normal)),
        "calling, our offer previewed" | "calling, our offer settled" | "picked" | "talking" => {}
        other => panic!("no such stage: {other}"),
    }
    world.news();
    world.events();
    world
}

/// A phone of ours that rings with a tag, so that it may send requests.
fn ringing_phone(process: Process, answer: &str) -> (World, String) {
    let (mut world, invite) = World::calling(process);
    world.hear(&response(&invite, 183, PEER, "Require: 100rel\r\nRSeq: 5\r\n", answer));
    let prack = world.one();
    world.hear(&response(&prack, 200, PEER, "", ""));
    (world, invite)
}

/// A request of the far end in a dialog that we opened.
fn from_phone(world: &World, method: &str, seq: u32, body: &str) -> String {
    let invite = world.said.iter().find(|(_, m)| is_request(m, "INVITE")).map(|(_, m)| m.clone());
    match invite {
        None => within(method, seq, "", body),
        Some(invite) => within(method, seq, "", body)
            .replace("Call-ID: c-1", &format!("Call-ID: {}", value(&invite, "Call-ID").unwrap()))
            .replace("From: <sip:053187654321@10.0.0.2>", &format!("From: {}", value(&invite, "To").unwrap())),
    }
}

#[test]
fn what_stands_in_the_way_of_an_offer() {
    #[rustfmt::skip]
    let table = [
        // stage                                re-INVITE  UPDATE with an offer  UPDATE without
        ("ringing, their offer open",           500,       500,                  200),
        ("ringing, no offer yet",               500,       491,                  200),
        ("ringing, our offer open",             500,       491,                  200),
        ("ringing, our offer settled",          500,       200,                  200),
        ("ringing, their offer settled",        500,       200,                  200),
        ("answered",                            200,       200,                  200),
        ("answered, our offer open",            491,       491,                  200),
        ("talking",                             200,       200,                  200),
        ("re-INVITE answered",                  200,       200,                  200),
        ("re-INVITE answered, our offer open",  491,       491,                  200),
        ("calling",                             491,       491,                  200),
        ("calling, our offer previewed",        491,       491,                  200),
        ("calling, our offer settled",          491,       200,                  200),
        ("picked",                              491,       491,                  200),
        ("leaving",                             481,       481,                  481),
    ];
    for (stage, reinvite, update, bare) in table {
        for (method, body, status) in
            [("INVITE", sdp(7100), reinvite), ("UPDATE", sdp(7100), update), ("UPDATE", String::new(), bare)]
        {
            for process in [Process::Steady, Process::Replaced] {
                let mut world = at(stage, process);
                world.hear(&from_phone(&world, method, 5, &body));
                let mut answers = world.news();
                answers.retain(|a| value(a, "CSeq").unwrap() == format!("5 {method}") && status_of(a) != Some(100));
                let [answer] = &answers[..] else { panic!("{stage}, {method}: {answers:#?}") };
                assert_eq!(status_of(answer), Some(status), "{stage}, {method}, offer: {}", !body.is_empty());
                let retry = value(answer, "Retry-After").map(|s| s.parse::<u32>().unwrap());
                assert_eq!(retry.is_some(), status == 500, "{answer}");
                assert!(retry.is_none_or(|s| s <= 10), "s14.2: between 0 and 10 seconds");
                let taken = status == 200 && !body.is_empty();
                assert_eq!(media_ports(&world.events()), if taken { vec![7100] } else { vec![] }, "{stage}, {method}");
            }
        }
    }
}

#[test]
fn an_update_moves_the_media_while_it_rings_and_the_200_does_not_move_them_back() {
    in_both(|process| {
        let mut world = World::called(process, Reliable::IfRequired, &invite(REQUIRED, &sdp(7000)));
        world.tell(LegCommand::EarlyMedia);
        let progress = world.news().pop().unwrap();
        world.hear(&prack(2, &progress, ""));
        world.answered(200);
        world.hear(&within("UPDATE", 3, "", &sdp(7100)));
        assert!(body(&world.answered(200)).contains("m=audio 20000"));
        assert_eq!(media_ports(&world.events()), [7100]);
        world.tell(LegCommand::Answer);
        assert_eq!(body(&world.answered(200)), "");
        world.hear(&ack(1, ""));
        // Hold and resume by UPDATE, as some carriers do.
        for (seq, line, direction, version) in
            [(4, "a=sendonly\r\n", Direction::RecvOnly, 2), (5, "a=sendrecv\r\n", Direction::SendRecv, 3)]
        {
            world.hear(&within("UPDATE", seq, "", &format!("{}{line}", sdp(7100))));
            assert!(body(&world.answered(200)).contains(&format!("o=rexian 7 {version} ")));
            let events = world.events();
            assert!(matches!(&events[..], [LegEvent::MediaChanged { media }] if media.direction == direction));
        }
        world.hear(&within("BYE", 6, "", ""));
        world.answered(200);
        world.ends_clean()
    });
}

#[test]
fn an_offer_that_cannot_be_used_leaves_the_session_as_it_was() {
    for (method, body, status) in
        [("INVITE", UNUSABLE, 488), ("UPDATE", UNUSABLE, 488), ("INVITE", "hello", 488), ("UPDATE", "hello", 488)]
    {
        in_both(|process| {
            let mut world = talking(process);
            world.hear(&within(method, 2, "", body));
            let answer = world.news().pop().unwrap();
            assert_eq!(status_of(&answer), Some(status));
            assert_eq!(world.events(), []);
            world.hear(&within("ACK", 2, "", "").replace("z9hG4bKACK2", "z9hG4bKINVITE2"));
            world.hear(&within("BYE", 3, "", ""));
            world.answered(200);
            world.ends_clean()
        });
    }
}

#[test]
fn a_body_nobody_here_understands_is_refused_with_what_would_be() {
    let mut world = talking(Process::Steady);
    world.hear(&within("UPDATE", 2, "", "hello").replace("application/sdp", "text/plain"));
    assert_eq!(value(&world.answered(415), "Accept").unwrap(), "application/sdp, multipart/mixed");
    let parts = format!("--x\r\nContent-Type: application/sdp\r\n\r\n{}\r\n--x--\r\n", sdp(7100));
    world.hear(
        &within("UPDATE", 3, "", &parts)
            .replace("application/sdp\r\nContent-Length", "multipart/mixed;boundary=x\r\nContent-Length"),
    );
    world.answered(200);
    assert_eq!(media_ports(&world.events()), [7100]);
}

/// The same re-INVITE again changes nothing for anybody; the ACK that is lost is waited for.
#[test]
fn a_re_invite_without_news_is_answered_in_the_same_words() {
    in_both(|process| {
        let mut world = talking(process);
        world.hear(&within("INVITE", 2, "", &sdp(7000)));
        let ok = world.news().pop().unwrap();
        assert!(body(&ok).contains("o=rexian 7 1 "), "{ok}");
        assert_eq!(world.events(), []);
        world.run_ms(1_600);
        assert_eq!(world.news(), [ok.clone(), ok], "repeated until the ACK");
        world.hear(&ack(2, ""));
        world.run_ms(40_000);
        assert_eq!(world.news(), [""; 0]);
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        assert!(is_request(&world.one(), "BYE"));
        assert_eq!(world.events(), [LegEvent::Ended(LegEnd::Released)]);
        world.ends_clean()
    });
}
