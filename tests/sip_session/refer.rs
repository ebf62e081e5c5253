//! A phone's transfer key (RFC 3515, RFC 4488, RFC 3891 s6.1).

use crate::support::*;
use rexian::config::settings::Reliable;
use rexian::leg::{HangupReason, LegCommand, LegEnd, LegEvent, ReferTo, Replaces};
use rexian::sip::session::Peer;

/// A phone that we called and that has picked up.
fn up(process: Process) -> (World, String) {
    let (mut world, invite) = World::calling(process);
    world.hear(&response(&invite, 200, PEER, "", &sdp(7000)));
    world.tell(LegCommand::Acknowledge);
    world.news();
    world.events();
    (world, invite)
}

/// A request of that phone's.
fn asks(invite: &str, method: &str, seq: u32, extra: &str) -> String {
    let ours = value(invite, "From").unwrap();
    let theirs = value(invite, "To").unwrap();
    format!(
        "{method} sip:{OURS} SIP/2.0\r\nVia: SIP/2.0/UDP {THEIRS};branch=z9hG4bK{method}{seq};rport\r\nMax-Forwards: 70\r\n\
         From: {theirs};tag={PEER}\r\nTo: {ours}\r\nCall-ID: {}\r\nCSeq: {seq} {method}\r\nContact: <sip:8001@{THEIRS}>\r\n\
         {extra}Content-Length: 0\r\n\r\n",
        value(invite, "Call-ID").unwrap()
    )
}

fn refer(invite: &str, seq: u32, to: &str) -> String {
    asks(invite, "REFER", seq, &format!("Refer-To: {to}\r\n"))
}

/// A NOTIFY's own: subscription state, event, and what it tells.
fn told(notify: &str) -> (String, String, String) {
    assert!(is_request(notify, "NOTIFY"), "{notify}");
    assert_eq!(value(notify, "Content-Type").unwrap(), "message/sipfrag;version=2.0");
    let line = body(notify).trim_end().to_owned();
    (value(notify, "Subscription-State").unwrap(), value(notify, "Event").unwrap(), line)
}

fn plain(uri: &str) -> LegEvent {
    LegEvent::Refer(ReferTo { uri: uri.into(), replaces: None })
}

#[test]
fn the_phone_is_told_how_it_goes() {
    in_both(|process| {
        let (mut world, invite) = up(process);
        world.hear(&refer(&invite, 7, "<sip:8002@rexian.local>"));
        assert_eq!(world.events(), [plain("sip:8002@rexian.local")]);
        assert_eq!(world.news(), [""; 0], "not answered before it is known whether it may");
        world.tell(LegCommand::AcceptRefer);
        let [accepted, trying] = <[String; 2]>::try_from(world.news()).unwrap();
        assert_eq!((status_of(&accepted), value(&accepted, "Refer-Sub")), (Some(202), None));
        assert!(value(&accepted, "Contact").is_some());
        let active = "active;expires=180".to_owned();
        assert_eq!(told(&trying), (active.clone(), "refer;id=7".into(), "SIP/2.0 100 Trying".into()));
        world.hear(&response(&trying, 200, PEER, "", ""));
        world.tell(LegCommand::Referred(180));
        let ringing = world.one();
        assert_eq!(told(&ringing), (active, "refer;id=7".into(), "SIP/2.0 180 Ringing".into()));
        world.hear(&response(&ringing, 200, PEER, "", ""));
        world.tell(LegCommand::Referred(200));
        let done = world.one();
        assert_eq!(told(&done), ("terminated;reason=noresource".into(), "refer;id=7".into(), "SIP/2.0 200 OK".into()));
        // Told once; and it goes on whether the phone likes to be told or not.
        world.hear(&response(&done, 481, PEER, "", ""));
        world.tell(LegCommand::Referred(486));
        assert_eq!(world.news(), [""; 0]);
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        let bye = world.one();
        assert!(is_request(&bye, "BYE"));
        world.hear(&response(&bye, 200, PEER, "", ""));
        world.ends_clean()
    });
}

#[test]
fn a_refused_one_leaves_the_call_and_another_may_follow() {
    in_both(|process| {
        let (mut world, invite) = up(process);
        world.hear(&refer(&invite, 7, "sip:0081@rexian.local"));
        world.events();
        world.tell(LegCommand::RefuseRefer(403));
        world.answered(403);
        world.hear(&refer(&invite, 8, "sip:8002@rexian.local"));
        assert_eq!(world.events(), [plain("sip:8002@rexian.local")]);
        world.tell(LegCommand::AcceptRefer);
        let [_, trying] = <[String; 2]>::try_from(world.news()).unwrap();
        world.hear(&response(&trying, 200, PEER, "", ""));
        // One at a time.
        world.hear(&refer(&invite, 9, "sip:8003@rexian.local"));
        world.answered(491);
        assert_eq!(world.events(), []);
        world.tell(LegCommand::Referred(486));
        let failed = world.one();
        assert_eq!(told(&failed).2, "SIP/2.0 486 Busy Here");
        world.hear(&response(&failed, 200, PEER, "", ""));
        world.hear(&refer(&invite, 10, "sip:8003@rexian.local"));
        assert_eq!(world.events(), [plain("sip:8003@rexian.local")]);
        world.tell(LegCommand::RefuseRefer(486));
        world.answered(486);
        world.hear(&asks(&invite, "BYE", 11, ""));
        world.answered(200);
        world.ends_clean()
    });
}

#[test]
fn who_wants_no_news_gets_none() {
    for value_ in ["false", "FALSE ; x=y"] {
        in_both(|process| {
            let (mut world, invite) = up(process);
            let extra = format!("Refer-To: <sip:8002@rexian.local>\r\nRefer-Sub: {value_}\r\nRequire: norefersub\r\n");
            world.hear(&asks(&invite, "REFER", 7, &extra));
            world.tell(LegCommand::AcceptRefer);
            assert_eq!(value(&world.answered(202), "Refer-Sub").unwrap(), "false");
            world.tell(LegCommand::Referred(180));
            world.tell(LegCommand::Referred(200));
            assert_eq!(world.news(), [""; 0]);
            world.hear(&asks(&invite, "BYE", 8, ""));
            world.answered(200);
            world.ends_clean()
        });
    }
}

/// It is on hold, perhaps, so that no media are missed.
#[test]
fn a_phone_that_answers_no_news_is_gone() {
    for silent in [true, false] {
        in_both(|process| {
            let (mut world, invite) = up(process);
            world.hear(&refer(&invite, 7, "<sip:8002@rexian.local>"));
            world.tell(LegCommand::AcceptRefer);
            world.tell(LegCommand::Referred(486));
            world.events();
            let [_, trying, failed] = <[String; 3]>::try_from(world.news()).unwrap();
            world.hear(&response(&trying, 200, PEER, "", ""));
            if !silent {
                world.hear(&response(&failed, 408, PEER, "", ""));
                assert_eq!(world.events(), [LegEvent::Ended(LegEnd::Unreachable)]);
            }
            world.run_ms(31_000);
            assert_eq!(world.events(), []);
            world.run_ms(2_000);
            assert_eq!(world.events(), if silent { vec![LegEvent::Ended(LegEnd::Unreachable)] } else { vec![] });
            assert!(world.news().iter().any(|m| is_request(m, "BYE")));
            world.ends_clean()
        });
    }
}

/// Each phone behind a number may ring.
#[test]
fn ringing_is_news_once() {
    let (mut world, invite) = up(Process::Steady);
    world.hear(&refer(&invite, 7, "<sip:8002@rexian.local>"));
    world.tell(LegCommand::AcceptRefer);
    world.news();
    world.tell(LegCommand::Referred(180));
    assert_eq!(told(&world.one()).2, "SIP/2.0 180 Ringing");
    world.tell(LegCommand::Referred(180));
    assert_eq!(world.news(), [""; 0]);
}

#[test]
fn a_phone_that_has_hung_up_is_told_nothing_more() {
    in_both(|process| {
        let (mut world, invite) = up(process);
        world.hear(&refer(&invite, 7, "<sip:8002@rexian.local>"));
        world.tell(LegCommand::AcceptRefer);
        world.events();
        let [_, trying] = <[String; 2]>::try_from(world.news()).unwrap();
        world.hear(&response(&trying, 200, PEER, "", ""));
        world.hear(&asks(&invite, "BYE", 8, ""));
        world.answered(200);
        assert_eq!(world.events(), [LegEvent::Ended(LegEnd::HungUp)]);
        world.tell(LegCommand::Referred(200));
        assert_eq!(world.news(), [""; 0]);
        world.ends_clean()
    });
}

/// Our BYE and the phone's REFER cross; nobody is there to be passed on any more.
#[test]
fn a_refer_that_meets_our_bye() {
    in_both(|process| {
        let (mut world, invite) = up(process);
        world.tell(LegCommand::Hangup(HangupReason::Normal));
        let bye = world.one();
        world.events();
        world.hear(&refer(&invite, 7, "<sip:8002@rexian.local>"));
        world.answered(481);
        assert_eq!(world.events(), []);
        world.hear(&response(&bye, 200, PEER, "", ""));
        world.ends_clean()
    });
}

/// Hold is under way: its ACK has not come yet. And the phone's REFER comes before the pickup is reported.
#[test]
fn a_refer_that_meets_a_re_invite() {
    in_both(|process| {
        let (mut world, invite) = up(process);
        let hold = asks(&invite, "INVITE", 7, "").replace(
            "Content-Length: 0\r\n\r\n",
            &format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{}", sdp(7000).len(), sdp(7000)),
        );
        world.hear(&hold);
        world.answered(200);
        world.events();
        world.hear(&refer(&invite, 8, "<sip:8002@rexian.local>"));
        assert_eq!(world.events(), [plain("sip:8002@rexian.local")]);
        world.tell(LegCommand::RefuseRefer(403));
        world.answered(403);
        world.hear(&asks(&invite, "ACK", 7, ""));
        world.hear(&asks(&invite, "BYE", 9, ""));
        world.answered(200);
        world.ends_clean()
    });
    let (mut world, invite) = World::calling(Process::Steady);
    world.hear(&response(&invite, 200, PEER, "", &sdp(7000)));
    world.events();
    world.hear(&refer(&invite, 7, "<sip:8002@rexian.local>"));
    world.answered(491);
    assert_eq!(world.events(), []);
}

/// Of a dialog to be replaced it says which, escaped in the URI.
#[test]
fn the_dialog_of_whom_it_consulted() {
    let (mut world, invite) = up(Process::Steady);
    let uri = "<sip:8002@rexian.local;transport=tcp?Replaces=c-2%4010.0.0.2%3Bto-tag%3D2-ours%3Bfrom-tag%3Dtheirs&Require=replaces>";
    world.hear(&refer(&invite, 7, uri));
    let replaces = Replaces { call_id: "c-2@10.0.0.2".into(), to_tag: "2-ours".into(), from_tag: "theirs".into() };
    let uri = b"sip:8002@rexian.local;transport=tcp".to_vec();
    assert_eq!(world.events(), [LegEvent::Refer(ReferTo { uri, replaces: Some(replaces) })]);
}

#[test]
fn what_cannot_be_read_or_is_no_transfer_is_refused_plainly() {
    for (to, status) in [
        ("Refer-To: <sip:8002@rexian.local;method=BYE>\r\n", 403),
        ("Refer-To: <tel:13812345678>\r\n", 403),
        ("Refer-To: <urn:service:sos>\r\n", 403),
        ("Refer-To: <https://rexian.local/8002>\r\n", 403),
        ("", 400),
        ("Refer-To: \r\n", 400),
        ("Refer-To: <sip:8002@rexian.local>, <sip:8003@rexian.local>\r\n", 400),
        ("Refer-To: <sip:8002@rexian.local?Replaces=abc>\r\n", 400),
        ("Refer-To: <sip:8002@rexian.local?Replaces=a%3Bto-tag%3Db>\r\n", 400),
        ("Refer-To: <sip:8002@rexian.local?Replaces=%FF%3Bto-tag%3Db%3Bfrom-tag%3Dc>\r\n", 400),
        ("Refer-To: <sip:x@y?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc&Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>\r\n", 400),
        ("Refer-To: <sip:8002@rexian.local\r\n", 400),
    ] {
        let (mut world, invite) = up(Process::Steady);
        world.hear(&asks(&invite, "REFER", 7, to));
        world.answered(status);
        assert_eq!(world.events(), [], "{to}");
    }
}

/// A carrier may not: it has nobody of ours to pass on. Nor is it invited to.
#[test]
fn a_carriers_is_not_allowed() {
    let mut world = World::called(Process::Steady, Reliable::Never, &invite("", &sdp(7000)));
    world.tell(LegCommand::Answer);
    let ok = world.answered(200);
    assert!(!value(&ok, "Allow").unwrap().contains("REFER"));
    world.hear(&ack(1, ""));
    world.events();
    world.hear(&within("REFER", 2, "Refer-To: <sip:0081@x>\r\n", ""));
    assert!(!value(&world.answered(405), "Allow").unwrap().contains("REFER"));
    assert_eq!(world.events(), []);
    // A phone that dialled us may.
    let mut world = World::called(Process::Steady, Reliable::Never, &invite("", &sdp(7000)));
    world.session.as_mut().unwrap().set_peer(Peer::Phone);
    world.tell(LegCommand::Answer);
    assert!(value(&world.answered(200), "Allow").unwrap().contains("REFER"));
    world.hear(&ack(1, ""));
    world.events();
    world.hear(&within("REFER", 2, "Refer-To: <sip:8002@x>\r\n", ""));
    assert_eq!(world.events(), [plain("sip:8002@x")]);
}
