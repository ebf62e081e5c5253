//! Messages that cross or come too early, by RFC 5407, and offers nobody here can take.

use crate::support::*;
use rexian::config::settings::Reliable;
use rexian::leg::{HangupReason, LegCommand, LegEnd, LegEvent};

fn answered(process: Process, offer: &str) -> World {
    let mut world = World::called(process, Reliable::IfRequired, &invite("", offer));
    world.tell(LegCommand::Answer);
    world.news();
    world
}

fn talking(process: Process) -> World {
    let mut world = answered(process, &sdp(7000));
    world.hear(&ack(1, ""));
    world.events();
    world
}

fn cancel() -> String {
    request("CANCEL", 1, None, "", "").replace("z9hG4bKCANCEL1", "z9hG4bKINVITE1")
}

/// s3.1.1: the CANCEL is answered and changes nothing; the caller then says BYE.
#[test]
fn a_cancel_that_meets_our_200() {
    in_both(|process| {
        let mut world = answered(process, &sdp(7000));
        world.hear(&cancel());
        assert!(value(&world.answered(200), "CSeq").unwrap().ends_with("CANCEL"));
        assert_eq!(world.events(), []);
        world.hear(&ack(1, ""));
        world.hear(&within("BYE", 2, "", ""));
        world.answered(200);
        assert_eq!(world.events(), [LegEvent::Ended(LegEnd::HungUp)]);
        world.ends_clean()
    });
}

/// s3.1.2: a BYE that was sent while it rang ends what we have just answered.
#[test]
fn a_bye_that_meets_our_200() {
    in_both(|process| {
        let mut world = answered(process, &sdp(7000));
        world.hear(&within("BYE", 2, "", ""));
        world.answered(200);
        assert_eq!(world.events(), [LegEvent::Ended(LegEnd::HungUp)]);
        world.ends_clean()
    });
}

/// s3.1.4: the ACK is lost or late. Who re-INVITEs has our first 200: it is not repeated, and the late ACK means nothing.
#[test]
fn a_re_invite_before_the_ack() {
    in_both(|process| {
        let mut world = answered(process, &sdp(7000));
        world.run_ms(600);
        world.answered(200);
        world.hear(&within("INVITE", 2, "", &sdp(7100)));
        let news = world.news();
        assert_eq!(news.iter().filter_map(|m| status_of(m)).collect::<Vec<_>>(), [100, 200]);
        assert_eq!(media_ports(&world.events()), [7100]);
        world.hear(&ack(1, ""));
        world.run_ms(600);
        assert_eq!(value(&world.answered(200), "CSeq").unwrap(), "2 INVITE", "the second still lacks its ACK");
        world.hear(&ack(2, ""));
        world.run_ms(40_000);
        assert_eq!(world.news(), [""; 0]);
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        assert!(is_request(&world.one(), "BYE"));
        world.ends_clean()
    });
}

/// s3.1.5: our offer is open, its answer is in the ACK that has not come.
#[test]
fn a_re_invite_before_the_ack_that_brings_the_answer() {
    in_both(|process| {
        let mut world = answered(process, "");
        world.hear(&within("INVITE", 2, "", &sdp(7100)));
        assert!(world.news().iter().any(|m| status_of(m) == Some(491)));
        world.hear(&ack(1, &sdp(7000)));
        assert_eq!(media_ports(&world.events()), [7000]);
        world.hear(&within("BYE", 3, "", ""));
        world.news();
        world.ends_clean()
    });
}

/// s3.2.1, s3.2.2: both hang up; one re-INVITEs what the other has ended.
#[test]
fn requests_that_cross_our_bye() {
    for (method, body, status) in [("BYE", String::new(), 200), ("INVITE", sdp(7100), 481), ("UPDATE", sdp(7100), 481)]
    {
        in_both(|process| {
            let mut world = talking(process);
            world.news();
            world.tell(LegCommand::Hangup(HangupReason::Normal));
            let bye = world.one();
            world.hear(&within(method, 2, "", &body));
            assert!(world.news().iter().any(|m| status_of(m) == Some(status)), "{method}");
            world.hear(&response(&bye, if method == "BYE" { 481 } else { 200 }, PEER, "", ""));
            assert_eq!(world.events(), [LegEvent::Ended(LegEnd::Released)]);
            world.ends_clean()
        });
    }
}

/// s3.2.3: our refresh was answered when we had hung up already: the 200 gets its ACK.
#[test]
fn a_200_for_our_re_invite_after_our_bye() {
    in_both(|process| {
        let mut world = World::called(process, Reliable::IfRequired, &invite("Session-Expires: 90\r\n", &sdp(7000)));
        world.tell(LegCommand::Answer);
        world.hear(&ack(1, ""));
        world.news();
        world.run_ms(45_000);
        let refresh = world.one();
        assert!(is_request(&refresh, "INVITE"), "{refresh}");
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        let bye = world.one();
        world.hear(&response(&refresh, 200, PEER, "", &sdp(7000)));
        let ack = world.one();
        assert_eq!(value(&ack, "CSeq").unwrap(), value(&refresh, "CSeq").unwrap().replace("INVITE", "ACK"));
        world.hear(&response(&bye, 200, PEER, "", ""));
        world.ends_clean()
    });
}

/// s3.3.1: both re-INVITE at once, both say 491; ours comes again, theirs too.
#[test]
fn re_invites_that_cross() {
    in_both(|process| {
        let mut world = World::called(process, Reliable::IfRequired, &invite("Session-Expires: 90\r\n", &sdp(7000)));
        world.tell(LegCommand::Answer);
        world.hear(&ack(1, ""));
        world.news();
        world.run_ms(45_000);
        let refresh = world.one();
        world.hear(&within("INVITE", 2, "", &sdp(7100)));
        assert!(world.news().iter().any(|m| status_of(m) == Some(491)));
        world.hear(&within("ACK", 2, "", "").replace("z9hG4bKACK2", "z9hG4bKINVITE2"));
        world.hear(&response(&refresh, 491, PEER, "", ""));
        assert!(is_request(&world.one(), "ACK"));
        world.run_ms(2_000);
        let again = world.news().remove(0);
        assert!(is_request(&again, "INVITE"), "s14.1: theirs is the Call-ID, so ours comes within 2 s");
        world.hear(&response(&again, 200, PEER, "", &sdp(7000)));
        world.news();
        world.hear(&within("INVITE", 3, "", &sdp(7100)));
        assert!(world.news().iter().any(|m| status_of(m) == Some(200)));
        assert_eq!(media_ports(&world.events()), [7100]);
        world.hear(&ack(3, ""));
        world.hear(&within("BYE", 4, "", ""));
        world.news();
        world.ends_clean()
    });
}

/// A fax machine's re-INVITE (T.38) and a picture's: refused, and the call goes on (RFC 3261 s14.2). A fax beside the
/// voice is turned down by itself (RFC 3264 s6).
#[test]
fn media_we_do_not_have() {
    let fax = "m=image 7300 udptl t38\r\na=T38FaxVersion:0\r\n";
    let head = "v=0\r\no=- 1 2 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n";
    for (offer, status) in [
        (format!("{head}{fax}"), 488),
        (format!("{head}m=audio 0 RTP/AVP 8\r\n{fax}"), 488),
        (format!("{head}m=video 7400 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"), 488),
        (format!("{}{fax}", sdp(7100)), 200),
    ] {
        in_both(|process| {
            let mut world = talking(process);
            world.news();
            world.hear(&within("INVITE", 2, "", &offer));
            let answer = world.news().pop().unwrap();
            assert_eq!(status_of(&answer), Some(status), "{offer}");
            match status {
                200 => {
                    assert!(body(&answer).contains("m=image 0 udptl t38"), "{answer}");
                    assert_eq!(media_ports(&world.events()), [7100]);
                    world.hear(&ack(2, ""));
                }
                _ => {
                    assert_eq!(world.events(), [], "the call is as it was");
                    world.hear(&within("ACK", 2, "", "").replace("z9hG4bKACK2", "z9hG4bKINVITE2"));
                }
            }
            world.run_ms(40_000);
            assert_eq!(world.events(), []);
            world.tell(LegCommand::Hangup(HangupReason::Normal));
            assert!(is_request(&world.one(), "BYE"));
            world.ends_clean()
        });
    }
}

/// An offerless re-INVITE asks what we can; an ACK that forgets the answer leaves things as they were.
#[test]
fn an_offerless_re_invite() {
    for (answer, ports) in [(sdp(7100), vec![7100]), (String::new(), vec![])] {
        in_both(|process| {
            let mut world = talking(process);
            world.news();
            world.hear(&within("INVITE", 2, "", ""));
            let ok = world.news().pop().unwrap();
            assert!(body(&ok).contains("m=audio 20000"), "{ok}");
            world.hear(&ack(2, &answer));
            let events = world.events();
            assert_eq!(media_ports(&events), ports);
            assert!(!events.iter().any(|e| matches!(e, LegEvent::Ended(_))), "{events:?}");
            world.hear(&within("BYE", 3, "", ""));
            world.answered(200);
            world.ends_clean()
        });
    }
}
