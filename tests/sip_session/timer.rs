//! Session timers (RFC 4028): who refreshes, how, and what becomes of a call whose far end has vanished.

use crate::support::*;
use rexian::config::settings::Reliable;
use rexian::leg::{HangupReason, LegCommand, LegEnd, LegEvent};
use rexian::plane::Direction;

const S: u64 = 1_000;

/// A carrier's call, answered and acknowledged; returns our 200.
fn talking(process: Process, extra: &str) -> (World, String) {
    let mut world = World::called(process, Reliable::IfRequired, &invite(extra, &sdp(7000)));
    world.tell(LegCommand::Answer);
    let ok = world.news().pop().unwrap();
    assert_eq!(status_of(&ok), Some(200));
    world.hear(&ack(1, ""));
    world.events();
    (world, ok)
}

/// A phone of ours that has picked up with these headers in its 200; returns our INVITE.
fn phone(process: Process, extra: &str) -> (World, String) {
    let (mut world, invite) = World::calling(process);
    world.hear(&response(&invite, 200, PEER, extra, &sdp(7000)));
    world.tell(LegCommand::Acknowledge);
    world.news();
    world.events();
    (world, invite)
}

/// A request of the phone that `invite` called.
fn of_phone(invite: &str, method: &str, seq: u32, extra: &str, body: &str) -> String {
    within(method, seq, extra, body).replace("Call-ID: c-1", &format!("Call-ID: {}", value(invite, "Call-ID").unwrap()))
}

#[test]
fn what_is_agreed_with_a_carrier() {
    #[rustfmt::skip]
    let table = [
        // Supported, Session-Expires, Min-SE               -> Session-Expires,            Require
        ("",                                                   None,                       None),
        ("Supported: timer\r\n",                               None,                       None),
        ("Supported: timer\r\nx: 600\r\n",                     Some("600;refresher=uac"),  Some("timer")),
        ("Require: timer\r\nSession-Expires: 600\r\n",         Some("600;refresher=uac"),  Some("timer")),
        ("Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n", Some("600;refresher=uac"), Some("timer")),
        ("Supported: timer\r\nSession-Expires: 600;Refresher=UAS\r\n", Some("600;refresher=uas"), None),
        // A proxy wants it, the caller cannot.
        ("Session-Expires: 600\r\n",                           Some("600;refresher=uas"),  None),
        ("Session-Expires: 60\r\n",                            None,                       None),
        ("Supported: timer\r\nSession-Expires: 90\r\n",        Some("90;refresher=uac"),   Some("timer")),
        ("Supported: timer\r\nSession-Expires: 7200\r\n",      Some("1800;refresher=uac"), Some("timer")),
        ("Supported: timer\r\nSession-Expires: 7200\r\nMin-SE: 3600\r\n", Some("3600;refresher=uac"), Some("timer")),
        ("Supported: timer\r\nSession-Expires: soon\r\n",      None,                       None),
    ];
    for (extra, expires, require) in table {
        let (_, ok) = talking(Process::Steady, extra);
        let told = (value(&ok, "Session-Expires"), value(&ok, "Require"));
        assert_eq!((told.0.as_deref(), told.1.as_deref()), (expires, require), "{extra}");
        assert_eq!(value(&ok, "Supported").unwrap(), "100rel, timer");
    }
}

/// s10: the lesser of 32 s and a third of the interval before the session expires.
#[test]
fn a_carrier_that_does_not_refresh_is_given_up() {
    for (seconds, given_up) in [(90, 60), (96, 64), (600, 568), (1800, 1768)] {
        in_both(|process| {
            let (mut world, _) = talking(process, &format!("Supported: timer\r\nSession-Expires: {seconds}\r\n"));
            world.run_ms(given_up * S - 1);
            assert_eq!((world.news().len(), world.events()), (0, vec![]));
            world.run_ms(1);
            let bye = world.one();
            assert!(is_request(&bye, "BYE"));
            assert!(value(&bye, "Reason").unwrap().starts_with("Q.850;cause=102"), "{bye}");
            assert_eq!(world.events(), [LegEvent::Ended(LegEnd::Unreachable)]);
            world.ends_clean()
        });
    }
}

#[test]
fn each_refresh_of_a_carrier_buys_another_interval() {
    in_both(|process| {
        let timer = "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n";
        let (mut world, _) = talking(process, timer);
        for (seq, method, body) in [(2, "UPDATE", String::new()), (3, "INVITE", sdp(7000)), (4, "UPDATE", sdp(7000))] {
            world.run_ms(560 * S);
            world.hear(&within(method, seq, timer, &body));
            let ok = world.news().pop().unwrap();
            assert_eq!(status_of(&ok), Some(200), "{ok}");
            assert_eq!(value(&ok, "Session-Expires").unwrap(), "600;refresher=uac");
            if method == "INVITE" {
                world.hear(&ack(seq, ""));
            }
        }
        // A re-INVITE that does not speak of it renews it too.
        world.run_ms(560 * S);
        world.hear(&within("INVITE", 5, "Supported: timer\r\n", &sdp(7000)));
        assert_eq!(value(&world.news().pop().unwrap(), "Session-Expires").unwrap(), "600;refresher=uac");
        world.hear(&ack(5, ""));
        assert_eq!(world.events(), [], "the media never changed");
        world.run_ms(568 * S);
        assert!(is_request(&world.one(), "BYE"));
        world.ends_clean()
    });
}

#[test]
fn a_refresh_that_asks_for_too_little_is_refused_with_what_is_enough() {
    in_both(|process| {
        let (mut world, _) = talking(process, "");
        for (seq, method) in [(2, "UPDATE"), (3, "INVITE")] {
            world.hear(&within(method, seq, "Supported: timer\r\nSession-Expires: 60\r\n", &sdp(7100)));
            let refusal = world.news().pop().unwrap();
            assert_eq!(status_of(&refusal), Some(422));
            assert_eq!(value(&refusal, "Min-SE").unwrap(), "90");
        }
        assert_eq!(world.events(), []);
        world.hear(&within("ACK", 3, "", "").replace("z9hG4bKACK3", "z9hG4bKINVITE3"));
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        world.ends_clean()
    });
}

/// s7.4: UPDATE where it is allowed, else a re-INVITE with the description as it was.
#[test]
fn we_refresh_at_half_the_interval() {
    for (allow, method) in
        [("Allow: INVITE, UPDATE\r\n", "UPDATE"), ("Allow: INVITE, ACK\r\n", "INVITE"), ("", "INVITE")]
    {
        in_both(|process| {
            let extra = format!("{allow}Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n");
            let (mut world, ok) = talking(process, &extra);
            for _ in 0..3 {
                world.run_ms(300 * S - 1);
                assert_eq!(world.news(), [""; 0]);
                world.run_ms(1);
                let refresh = world.one();
                assert!(is_request(&refresh, method), "{refresh}");
                assert_eq!(value(&refresh, "Session-Expires").unwrap(), "600;refresher=uac");
                assert_eq!(value(&refresh, "Supported").unwrap(), "timer");
                assert_eq!(body(&refresh), if method == "INVITE" { body(&ok) } else { "" });
                let answer = if method == "INVITE" { sdp(7000) } else { String::new() };
                let agreed = "Require: timer\r\nSession-Expires: 600;refresher=uac\r\n";
                world.hear(&response(&refresh, 200, PEER, agreed, &answer));
                if method == "INVITE" {
                    let ack = world.one();
                    assert!(is_request(&ack, "ACK"));
                    assert_eq!(
                        value(&ack, "CSeq").unwrap().split(' ').next(),
                        value(&refresh, "CSeq").unwrap().split(' ').next()
                    );
                    // The ACK is lost: the 200 comes again.
                    world.hear(&response(&refresh, 200, PEER, agreed, &answer));
                    assert!(is_request(&world.one(), "ACK"));
                }
                assert_eq!(world.events(), [], "nothing changed");
            }
            world.hear(&within("BYE", 2, "", ""));
            world.answered(200);
            world.ends_clean()
        });
    }
}

/// Issue 2's gap: a phone that lost power while its caller is on hold sends no audio whose absence would tell.
#[test]
fn a_phone_that_lost_power_on_hold_is_found() {
    for agreed in ["", "Require: timer\r\nSession-Expires: 1800;refresher=uac\r\n"] {
        in_both(|process| {
            let (mut world, invite) = phone(process, agreed);
            world.hear(&of_phone(&invite, "INVITE", 1, "", &format!("{}a=sendonly\r\n", sdp(7000))));
            let held = world.news().pop().unwrap();
            assert!(body(&held).contains("a=recvonly"));
            world.hear(&of_phone(&invite, "ACK", 1, "", ""));
            let events = world.events();
            assert!(
                matches!(&events[..], [LegEvent::MediaChanged { media }] if media.direction == Direction::RecvOnly)
            );
            world.run_ms(900 * S - 1);
            assert_eq!(world.news(), [""; 0]);
            world.run_ms(1);
            let refresh = world.one();
            assert!(is_request(&refresh, "INVITE"));
            assert_eq!(body(&refresh), body(&held), "the session as it is: on hold");
            // Silence: repeated as any request, then the leg is over.
            world.run_ms(32 * S);
            assert_eq!(world.events(), [LegEvent::Ended(LegEnd::Unreachable)]);
            assert!(is_request(&world.news().pop().unwrap(), "BYE"));
            world.ends_clean()
        });
    }
}

#[test]
fn what_an_answer_to_our_refresh_means() {
    #[rustfmt::skip]
    let table = [
        // Does the phone keep time?  its answer   the end, or when we ask again (seconds after the first time)
        (false, 481, "",                      Err(LegEnd::Fault)),
        (false, 408, "",                      Err(LegEnd::Unreachable)),
        (true,  481, "",                      Err(LegEnd::Fault)),
        (true,  408, "",                      Err(LegEnd::Unreachable)),
        // It is there, and that is all we wanted to know.
        (false, 488, "",                      Ok(900)),
        (false, 200, "",                      Ok(900)),
        (false, 500, "Retry-After: 5\r\n",    Ok(900)),
        // It would hang up itself when the session expires: again after half of what is left of 1768 - 900 s.
        (true,  500, "Retry-After: 5\r\n",    Ok(434)),
        (true,  422, "Min-SE: 3600\r\n",      Ok(1)),
        (true,  200, "Session-Expires: 1800;refresher=uac\r\n", Ok(900)),
        (true,  200, "Session-Expires: 200;refresher=uac\r\n",  Ok(100)),
        (true,  200, "Session-Expires: 1;refresher=uac\r\n",    Ok(45)),
    ];
    for (keeps_time, status, extra, outcome) in table {
        in_both(|process| {
            let agreed = if keeps_time { "Require: timer\r\nSession-Expires: 1800;refresher=uac\r\n" } else { "" };
            let (mut world, _) = phone(process, agreed);
            world.run_ms(900 * S);
            let refresh = world.one();
            let answer = if status == 200 { sdp(7000) } else { String::new() };
            world.hear(&response(&refresh, status, PEER, extra, &answer));
            match outcome {
                Err(end) => {
                    assert_eq!(world.events(), [LegEvent::Ended(end)], "{status}");
                    assert!(is_request(&world.news().pop().unwrap(), "BYE"));
                }
                Ok(seconds) => {
                    assert!(world.news().iter().all(|m| is_request(m, "ACK")));
                    world.run_ms(seconds * S - 1);
                    assert_eq!(world.news(), [""; 0], "{status} {extra}");
                    world.run_ms(1);
                    assert!(is_request(&world.one(), "INVITE"), "{status} {extra}");
                    assert_eq!(world.events(), []);
                    world.tell(LegCommand::Hangup(HangupReason::Normal));
                }
            }
            world.ends_clean()
        });
    }
}

/// A phone that allows UPDATE and then does not know it.
#[test]
fn an_update_that_is_not_known_becomes_a_re_invite() {
    for status in [405, 501] {
        in_both(|process| {
            let (mut world, _) = phone(process, "Allow: INVITE, UPDATE\r\n");
            world.run_ms(900 * S);
            let update = world.one();
            assert!(is_request(&update, "UPDATE"));
            world.hear(&response(&update, status, PEER, "", ""));
            let reinvite = world.one();
            assert!(is_request(&reinvite, "INVITE"));
            world.hear(&response(&reinvite, 200, PEER, "", &sdp(7000)));
            assert!(is_request(&world.one(), "ACK"));
            world.run_ms(900 * S);
            assert!(is_request(&world.one(), "INVITE"), "it is not asked twice");
            world.tell(LegCommand::Hangup(HangupReason::Normal));
            world.ends_clean()
        });
    }
}

/// RFC 3261 s14.1 and s14.2: both want to change the session at once.
#[test]
fn a_refresh_that_crosses_a_hold() {
    in_both(|process| {
        let (mut world, invite) = phone(process, "");
        world.run_ms(900 * S);
        let refresh = world.one();
        let hold = format!("{}a=sendonly\r\n", sdp(7000));
        world.hear(&of_phone(&invite, "INVITE", 1, "", &hold));
        assert_eq!(status_of(&world.news().pop().unwrap()), Some(491));
        world.hear(&of_phone(&invite, "ACK", 1, "", "").replace("z9hG4bKACK1", "z9hG4bKINVITE1"));
        world.hear(&of_phone(&invite, "UPDATE", 2, "", &hold));
        world.answered(491);
        world.hear(&response(&refresh, 491, PEER, "", ""));
        assert!(is_request(&world.one(), "ACK"));
        // We chose the Call-ID: the phone tries first.
        world.run_ms(2_099);
        assert_eq!(world.news(), [""; 0]);
        world.hear(&of_phone(&invite, "INVITE", 3, "", &hold));
        assert_eq!(status_of(&world.news().pop().unwrap()), Some(200));
        world.hear(&of_phone(&invite, "ACK", 3, "", ""));
        // What the phone asked for without speaking of time keeps the timer going from now.
        world.run_ms(890 * S);
        assert_eq!(world.news(), [""; 0]);
        world.run_ms(10 * S);
        assert!(is_request(&world.one(), "INVITE"));
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        world.ends_clean()
    });
}

#[test]
fn a_refused_refresh_is_tried_again_within_the_time_s14_1_gives() {
    in_both(|process| {
        let (mut world, _) = phone(process, "");
        world.run_ms(900 * S);
        let refresh = world.one();
        world.hear(&response(&refresh, 491, PEER, "", ""));
        world.news();
        world.run_ms(4 * S);
        let (at, line) = world.times().remove(0);
        assert!(line.starts_with("INVITE ") && (902_100..=904_000).contains(&at), "{at} {line}");
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        world.ends_clean()
    });
}

/// A re-INVITE whose ACK is missing must not be overlapped by ours.
#[test]
fn a_refresh_waits_for_their_ack() {
    in_both(|process| {
        let timer = "Allow: INVITE, UPDATE\r\nSupported: timer\r\nSession-Expires: 600;refresher=uas\r\n";
        let (mut world, _) = talking(process, timer);
        world.run_ms(300 * S);
        let update = world.one();
        assert!(is_request(&update, "UPDATE"));
        world.hear(&within("INVITE", 2, "", &sdp(7100)));
        let ok = world.news().pop().unwrap();
        assert_eq!(status_of(&ok), Some(200), "an UPDATE without an offer is in nobody's way");
        world.hear(&response(&update, 405, PEER, "", ""));
        world.run_ms(3_100);
        assert_eq!(world.news(), [ok.clone(), ok], "only the 200 is repeated");
        world.hear(&ack(2, ""));
        world.run_ms(1_000);
        assert!(is_request(&world.one(), "INVITE"));
        world.hear(&within("BYE", 3, "", ""));
        world.news();
        world.ends_clean()
    });
}

/// A phone that answers our refresh with 100 and nothing more.
#[test]
fn a_refresh_that_is_never_decided_ends_with_the_session() {
    in_both(|process| {
        let (mut world, _) = phone(process, "");
        world.run_ms(900 * S);
        let refresh = world.one();
        world.hear(&response(&refresh, 100, PEER, "", ""));
        world.run_ms(868 * S - 1);
        assert_eq!(world.events(), []);
        world.run_ms(1);
        assert_eq!(world.events(), [LegEvent::Ended(LegEnd::Unreachable)]);
        let bye = world.news().pop().unwrap();
        world.hear(&response(&bye, 200, PEER, "", ""));
        // What became of the refresh is told at last: acknowledged, and of no more interest.
        world.hear(&response(&refresh, 487, PEER, "", ""));
        world.ends_clean()
    });
}

/// The phone takes the duty, and we watch it.
#[test]
fn a_phone_that_wants_to_refresh_does() {
    in_both(|process| {
        let (mut world, invite) = phone(process, "Require: timer\r\nSession-Expires: 600;refresher=uas\r\n");
        world.run_ms(567 * S);
        assert_eq!(world.news(), [""; 0], "we do not ask");
        world.hear(&of_phone(&invite, "UPDATE", 1, "Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n", ""));
        assert_eq!(value(&world.answered(200), "Session-Expires").unwrap(), "600;refresher=uac");
        world.run_ms(568 * S);
        assert!(is_request(&world.one(), "BYE"));
        assert_eq!(world.events(), [LegEvent::Ended(LegEnd::Unreachable)]);
        world.ends_clean()
    });
}

/// A refresh may find the phone elsewhere.
#[test]
fn media_that_moved_are_told_by_the_answer_to_a_refresh() {
    in_both(|process| {
        let (mut world, _) = phone(process, "");
        world.run_ms(900 * S);
        let refresh = world.one();
        world.hear(&response(&refresh, 200, PEER, "", &sdp(7300)));
        assert_eq!(media_ports(&world.events()), [7300]);
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        world.ends_clean()
    });
}
