//! A phone's transfer key after a consultation (REFER with Replaces), and who may not use it.

use crate::dialling::{answer, in_dialog, last, seconds};
use crate::referring::{RING_BACK, THE_OTHER_SIDE, colleague, desks, in_conversation, then, told};
use crate::world::{World, caller_flow};
use rexian::event::{AgentState, CallFact};
use rexian::gateway::Input;
use rexian::sim::ua::{AfterRefer, Plan, Reaction};
use rexian::sip::flow::Flow;
use std::time::Duration;

/// The first phone calls whom it consults, who answers after three seconds.
fn consults(world: &mut World, to: &str) {
    let now = world.now;
    world.phones[0].0.hold(now, true);
    world.run(seconds(1));
    let now = world.now;
    world.phones[0].0.set_listens(seconds(100));
    world.phones[0].0.dial(now, to);
    world.run(seconds(5));
}

fn joins(world: &mut World, then: AfterRefer) {
    let now = world.now;
    assert!(world.phones[0].0.refer_to_dialled(now, then), "nobody consulted: {:?}", world.phones[0].2);
    world.run(seconds(1));
}

#[test]
fn to_a_colleague_consulted_before() {
    for after in [AfterRefer::Waits, AfterRefer::Leaves] {
        let mut world = in_conversation(&[0, 1], 100, |_| {});
        consults(&mut world, "8002");
        assert_eq!((world.state(0), world.state(1)), (AgentState::Hold, AgentState::Engaged));
        world.restart();
        joins(&mut world, after);
        world.restart();
        assert_eq!((world.state(0), world.state(1)), (AgentState::Ready, AgentState::Talking));
        assert!(world.caller_hears().ends_with(THE_OTHER_SIDE));
        assert_eq!(world.talking_legs(), 2);
        assert!(told(&world).starts_with(&[202]), "{:?}", told(&world));
        world.until(seconds(120), |w| w.facts.iter().filter(|f| matches!(f, CallFact::Ended { .. })).count() == 2);
        assert_eq!(
            then(&world),
            [
                "8001 6601 dialled 8002",
                "reached",
                "6601 passing on to 8002",
                "joined",
                "6601 passed on to 8002",
                "reached",
                "taken over 6602",
                "caller_hangup",
            ]
        );
        assert_eq!(world.tickets.len(), 1);
        world.nothing_is_left();
        assert_eq!((world.state(0), world.state(1)), (AgentState::Ready, AgentState::Ready));
    }
}

#[test]
fn to_somebody_outside_consulted_before() {
    let mut world = in_conversation(&[0], 100, |_| {});
    consults(&mut world, "12330");
    let invite = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&invite, "200 OK", "", true));
    world.run(seconds(5));
    joins(&mut world, AfterRefer::Waits);
    assert_eq!((world.state(0), world.talking_legs()), (AgentState::Ready, 2));
    world.run(seconds(20));
    world.outside_says(&in_dialog(&invite, "BYE", 1));
    assert_eq!(then(&world).last().unwrap(), "party_hangup");
    world.nothing_is_left();
}

/// The key is pressed while the colleague still rings: then they ring for the citizen.
#[test]
fn to_somebody_who_still_rings() {
    for answers in [true, false] {
        let mut world = in_conversation(&[0, 1], 100, |_| {});
        let reaction = match answers {
            true => Reaction::Answer { after: seconds(8) },
            false => Reaction::Refuse { after: seconds(8), status: 486 },
        };
        colleague(&mut world, reaction);
        consults(&mut world, "8002");
        let refer = refer_by_hand(&world, &replaces_of_consultation(&world));
        says(&mut world, &refer);
        assert_eq!((world.caller_hears(), world.state(1)), (RING_BACK.into(), AgentState::Engaged));
        world.restart();
        world.run(seconds(5));
        if answers {
            assert_eq!(world.state(1), AgentState::Talking);
            assert_eq!(
                then(&world)[1..],
                ["6601 passing on to 8002", "joined", "6601 passed on to 8002", "reached", "taken over 6602"]
            );
        } else {
            assert_eq!((world.state(0), world.state(1)), (AgentState::Hold, AgentState::Ready));
            assert_eq!(then(&world)[1..], ["6601 passing on to 8002", "joined", "6601 not passed on to 8002: 486"]);
        }
        world.until(seconds(120), |w| then(w).last().is_some_and(|s| s == "caller_hangup"));
        world.nothing_is_left();
    }
}

/// Whom the agent has consulted has the line on hold when the key is pressed: so has the citizen.
#[test]
fn who_is_consulted_may_hold() {
    for agent in [true, false] {
        let mut world = in_conversation(&[0, 1], 100, |_| {});
        if !agent {
            let now = world.now;
            world.phones[1].0.set_listens(seconds(1));
            world.phones[1].0.dial(now, "*12");
            world.run(seconds(5));
        }
        consults(&mut world, "8002");
        let now = world.now;
        world.phones[1].0.hold(now, true);
        world.run(seconds(1));
        joins(&mut world, AfterRefer::Waits);
        world.restart();
        assert_eq!(world.state(1), if agent { AgentState::Hold } else { AgentState::LoggedOut });
        assert!(world.caller_hears().contains("music"), "{}", world.caller_hears());
        let now = world.now;
        world.phones[1].0.hold(now, false);
        world.run(seconds(1));
        assert_eq!(world.state(1), if agent { AgentState::Talking } else { AgentState::LoggedOut });
        assert!(world.caller_hears().ends_with(THE_OTHER_SIDE), "{}", world.caller_hears());
    }
}

/// A dialog that is not this phone's own, or none at all, replaces nothing.
#[test]
fn somebody_elses_dialog_replaces_nothing() {
    let mut world = in_conversation(&[0, 1, 2], 100, |_| {});
    let now = world.now;
    world.phones[2].0.set_listens(seconds(100));
    world.phones[2].0.dial(now, "8002");
    world.run(seconds(5));
    assert_eq!(world.talking_legs(), 4);
    let theirs = replaces_of_consultation(&world);
    for dialog in [theirs.as_str(), "Replaces=nothing%3Bto-tag%3D1%3Bfrom-tag%3D2"] {
        let refer = refer_by_hand(&world, dialog);
        says(&mut world, &refer);
        let answer = world.to_others.iter().rev().find(|(_, m)| m.contains("REFER")).unwrap();
        assert!(answer.1.starts_with("SIP/2.0 403"), "{}", answer.1);
        assert_eq!((world.talking_legs(), world.state(0)), (4, AgentState::Talking));
    }
}

/// The phone has the dialog of an offer that was withdrawn, and keeps it; a colleague has that citizen now.
#[test]
fn a_withdrawn_offer_takes_nobody_out_of_a_colleagues_conversation() {
    let mut world = World::of(&[0, 1, 2], desks);
    world.phones[0].0.set_plan(Plan { reaction: Reaction::Ignore, hold: None, hang_up_after: None });
    world.call(seconds(100), seconds(60));
    world.until(seconds(20), |w| w.from_phones.last().is_some_and(|m| m.starts_with("SIP/2.0 180")));
    let rings = world.from_phones.last().unwrap();
    // As that phone sees it: the remote tag, then its own.
    let withdrawn = replaces(&line(rings, "Call-ID:"), &tag(rings, "From:"), &tag(rings, "To:"));
    world.lost = Some("SIP/2.0 487");
    let now = world.now;
    world.phones[0].0.set_listens(seconds(100));
    world.phones[0].0.dial(now, "8003");
    world.until(seconds(20), |w| w.state(1) == AgentState::Talking && w.talking_legs() == 4);
    let at = world.phones[0].1;
    let mut answers = world.to_others.iter().rev().filter(|(flow, m)| *flow == at && m.starts_with("SIP/2.0 200"));
    let dialled = answers.find(|(_, m)| m.contains("<sip:8003@") && m.contains(" INVITE\r\n")).unwrap();
    let refer = refer_in(
        &world,
        &line(&dialled.1, "From:"),
        &line(&dialled.1, "To:"),
        &line(&dialled.1, "Call-ID:"),
        &withdrawn,
    );
    says(&mut world, &refer);
    let answer = world.to_others.iter().rev().find(|(_, m)| m.contains(" REFER\r\n")).unwrap();
    assert!(answer.1.starts_with("SIP/2.0 403"), "{}", answer.1);
    assert_eq!((world.talking_legs(), world.state(1)), (4, AgentState::Talking));
}

/// Whom it names must be here, whatever the user part says.
#[test]
fn another_host_is_refused() {
    let mut world = in_conversation(&[0, 1], 100, |_| {});
    for (host, allowed) in [("evil.example", false), ("10.9.9.9", false), ("127.0.0.1:5060", true)] {
        let refer = refer_by_hand(&world, "").replace("sip:8002@rexian.local", &format!("sip:8002@{host}"));
        assert!(refer.contains(&format!("@{host}>")), "{refer}");
        says(&mut world, &refer);
        let answer =
            world.to_others.iter().rev().find(|(_, m)| m.starts_with("SIP/2.0") && m.contains("REFER")).unwrap();
        assert_eq!(answer.1.starts_with("SIP/2.0 202"), allowed, "{host}: {}", answer.1);
    }
}

/// From a trunk: not even in a dialog. From a phone out of a call: nobody is there to be passed on. Replaces in an INVITE
/// takes nobody's call.
#[test]
fn who_may_not() {
    let mut world = in_conversation(&[0, 1], 100, |_| {});
    let ok = world.to_caller.iter().find(|m| m.starts_with("SIP/2.0 200")).unwrap().clone();
    let line = |name: &str| ok.split("\r\n").find(|l| l.starts_with(name)).unwrap().to_owned();
    let refer = format!(
        "REFER sip:127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKrefer;rport\r\n{}\r\n{}\r\n{}\r\n\
         Max-Forwards: 70\r\nCSeq: 9 REFER\r\nRefer-To: <sip:8002@127.0.0.1>\r\nContact: <sip:127.0.0.1:6000>\r\nContent-Length: 0\r\n\r\n",
        line("From:"),
        line("To:"),
        line("Call-ID:")
    );
    let replaces = "Replaces: abc;to-tag=1;from-tag=2\r\nContact:";
    let invite = String::from_utf8(crate::world::invite(7)).unwrap().replacen("Contact:", replaces, 1);
    let to_tag = line("To:").split_once(";tag=").unwrap().1.to_owned();
    let out_of_dialog = refer.replace(&format!(";tag={to_tag}"), "").replace("z9hG4bKrefer", "z9hG4bKother");
    for (message, status) in [(refer, 405), (invite, 403), (out_of_dialog, 405)] {
        let said = world.to_caller.len();
        world.feed(Input::Message { flow: caller_flow(), bytes: message.as_bytes() });
        assert!(world.to_caller[said].starts_with(&format!("SIP/2.0 {status}")), "{:#?}", &world.to_caller[said..]);
    }
    // A phone: out of a call, and in one of its own.
    let flow = world.phones[1].1;
    let phone = |method: &str, extra: &str| {
        format!(
            "{method} sip:8001@rexian.local SIP/2.0\r\nVia: SIP/2.0/TCP {};branch=z9hG4bK{method}x;rport\r\nFrom: <sip:8002@rexian.local>;tag=o\r\n\
             To: <sip:8001@rexian.local>\r\nCall-ID: out-{method}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:{}>\r\n{extra}Content-Length: 0\r\n\r\n",
            flow.remote, flow.remote
        )
    };
    let to_phone = |world: &mut World, flow: Flow, text: &str| {
        let said = world.to_others.len();
        world.feed(Input::Message { flow, bytes: text.as_bytes() });
        world.to_others[said].1.clone()
    };
    let answer = to_phone(&mut world, flow, &phone("REFER", "Refer-To: <sip:8001@rexian.local>\r\n"));
    assert!(answer.starts_with("SIP/2.0 403"), "{answer}");
    let answer = to_phone(&mut world, flow, &phone("OPTIONS", ""));
    assert!(answer.contains("REFER"), "{answer}");
    assert_eq!((world.talking_legs(), world.state(0)), (2, AgentState::Talking));
}

/// While it is passed on a second REFER finds nothing to pass on, and the keys and orders of the agent neither.
#[test]
fn one_at_a_time() {
    let mut world = in_conversation(&[0, 1, 5], 100, |_| {});
    colleague(&mut world, Reaction::Ignore);
    let refer = refer_by_hand(&world, "").replacen("Refer-To", "Refer-Sub: false\r\nRefer-To", 1);
    says(&mut world, &refer);
    let answer = |world: &World| {
        let answers = world.to_others.iter().filter(|(_, m)| m.starts_with("SIP/2.0") && m.contains(" REFER\r\n"));
        answers.map(|(_, m)| m[8..11].to_owned()).collect::<Vec<_>>()
    };
    let refer = refer_by_hand(&world, "");
    says(&mut world, &refer);
    assert_eq!(answer(&world), ["202", "491"]);
    world.seat_presses("*2");
    assert_eq!(then(&world), ["6601 passing on to 8002"]);
    assert_eq!(world.state(0), AgentState::Talking);
}

/// A REFER of the first phone's in its call with the citizen, as text; `replaces`: what follows the URI's `?`.
fn refer_by_hand(world: &World, replaces: &str) -> String {
    let at = world.phones[0].1;
    let invite =
        world.to_others.iter().rev().find(|(flow, m)| *flow == at && m.starts_with("INVITE")).unwrap().1.clone();
    // Its tag, from a request of ours in the dialog.
    let call_id = line(&invite, "Call-ID:");
    let ack = world.to_others.iter().find(|(_, m)| m.starts_with("ACK") && m.contains(&call_id)).unwrap().1.clone();
    refer_in(world, &line(&ack, "To:"), &line(&invite, "From:"), &call_id, replaces)
}

/// The same in the dialog with these headers.
fn refer_in(world: &World, from: &str, to: &str, call_id: &str, replaces: &str) -> String {
    let at = world.phones[0].1;
    let question = if replaces.is_empty() { String::new() } else { format!("?{replaces}") };
    let seq = 2_000_000_000 + world.to_others.len();
    format!(
        "REFER sip:127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/TCP {};branch=z9hG4bKhand{seq};rport\r\nFrom: {from}\r\nTo: {to}\r\n\
         Call-ID: {call_id}\r\nCSeq: {seq} REFER\r\nMax-Forwards: 70\r\nContact: <sip:{}>\r\n\
         Refer-To: <sip:8002@rexian.local{question}>\r\nContent-Length: 0\r\n\r\n",
        at.remote, at.remote
    )
}

fn says(world: &mut World, text: &str) {
    let flow = world.phones[0].1;
    world.feed(Input::Message { flow, bytes: text.as_bytes() });
    world.run(Duration::from_millis(100));
}

/// The dialog of the call last dialled, as its phone names it: from our 180 or 200.
fn replaces_of_consultation(world: &World) -> String {
    let answer = |m: &&(Flow, String)| {
        let rings = m.1.starts_with("SIP/2.0 180") || m.1.starts_with("SIP/2.0 200");
        rings && m.1.contains(" INVITE\r\n") && m.1.contains("<sip:8002@")
    };
    let answer = world.to_others.iter().rev().find(answer).unwrap().1.clone();
    replaces(&line(&answer, "Call-ID:"), &tag(&answer, "To:"), &tag(&answer, "From:"))
}

fn replaces(call_id: &str, to_tag: &str, from_tag: &str) -> String {
    format!("Replaces={}%3Bto-tag%3D{to_tag}%3Bfrom-tag%3D{from_tag}", call_id.replace('@', "%40"))
}

/// A header's value.
fn line(message: &str, name: &str) -> String {
    let found = message.split("\r\n").find(|l| l.starts_with(name)).unwrap();
    found.split_once(": ").unwrap().1.to_owned()
}

fn tag(message: &str, name: &str) -> String {
    line(message, name).split_once(";tag=").unwrap().1.to_owned()
}
