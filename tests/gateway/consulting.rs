//! A third party ordered from the agent's page: consulted, joined, passed on to, called for help; and whoever goes, the
//! citizen is with somebody or in line.

use crate::dialling::{answer, in_dialog, last, seconds};
use crate::referring::{RING_BACK, THE_OTHER_SIDE, colleague, in_conversation, then};
use crate::world::World;
use rexian::event::{AgentState, CallFact, EndCause, NotReadyReason};
use rexian::gateway::{AgentOrder, Input};
use rexian::ids::{AgentNo, QueueName};
use rexian::record::With;
use rexian::screen::{CallScreen, PartyStage, Stage};
use rexian::sim::ua::Reaction;

const HOTLINE: &str = "12330";
const MUSIC: &str = "music";
/// Beside the prompts at the pickup: the caller hears the agent and another.
const TWO: &str = "2 others";

fn consult(to: &str) -> AgentOrder {
    AgentOrder::Consult(to.into())
}

fn shown(world: &World) -> CallScreen {
    world.gateway.agent_screen(&AgentNo::new("6601")).and_then(|screen| screen.call).expect("a call in hand")
}

fn totals(world: &World) -> (u64, u64) {
    let found = world.facts.iter().find_map(|fact| match fact {
        CallFact::Ended { talk, hold, .. } => Some((talk.as_secs(), hold.as_secs())),
        _ => None,
    });
    found.expect("an end")
}

/// The hotline that was called answers.
pub fn answers(world: &mut World) -> String {
    let invite = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&invite, "200 OK", "", true));
    last(&world.outside, "ACK");
    invite
}

fn released(world: &mut World) {
    let bye = last(&world.outside, "BYE").clone();
    world.outside_says(&answer(&bye, "200 OK", "", false));
}

/// In conversation, and 12330 on the line as well, the caller on hold for 10 s by then.
fn consulting(talk: u64) -> (World, String) {
    let mut world = in_conversation(&[0, 1], talk, |_| {});
    assert_eq!(world.order("6601", consult(HOTLINE)), Ok(()));
    world.run(seconds(4));
    let invite = answers(&mut world);
    world.restart();
    world.run(seconds(6));
    (world, invite)
}

#[test]
fn another_hotline_is_asked_while_the_caller_hears_music() {
    let mut world = in_conversation(&[0], 60, |_| {});
    assert_eq!(world.order("6601", consult("12 330")), Ok(()), "as people write it");
    assert_eq!((world.caller_hears(), world.seat_hears()), (MUSIC.into(), RING_BACK.into()));
    assert_eq!((world.state(0), shown(&world).stage), (AgentState::Hold, Stage::Consulting));
    let party = shown(&world).party.expect("who is called");
    assert_eq!((party.to.as_str(), party.stage), (HOTLINE, PartyStage::Calling));
    let invite = last(&world.outside, "INVITE").clone();
    assert!(invite.contains("From: <sip:053112345@"), "the hotline's number, nobody else's: {invite}");
    world.outside_says(&answer(&invite, "183 Session Progress", "", true));
    assert_eq!(world.seat_hears(), THE_OTHER_SIDE, "the carrier's own ring-back");
    world.restart();
    world.run(seconds(4));
    answers(&mut world);
    assert_eq!(shown(&world).party.map(|party| party.stage), Some(PartyStage::Talking));
    assert_eq!(world.order("6601", consult("13812345678")), Err("not_now"), "one at a time");
    world.restart();
    world.run(seconds(6));
    assert_eq!(world.order("6601", AgentOrder::EndConsult), Ok(()));
    released(&mut world);
    assert!(world.caller_hears().ends_with(THE_OTHER_SIDE));
    assert_eq!((world.state(0), shown(&world).stage, shown(&world).party), (AgentState::Talking, Stage::Talking, None));
    assert_eq!(world.order("6601", AgentOrder::EndConsult), Err("no_consult"));
    world.until(seconds(60), |w| w.ended().is_some());
    assert_eq!(then(&world), ["6601 consults 12330", "consulted", "without 12330: returned", "caller_hangup"]);
    assert_eq!(totals(&world), (60, 10));
    world.nothing_is_left();
}

/// The record and the figures: one talk with one agent, the consultation is hold, the rest is the party's.
#[test]
fn passed_on_after_a_consultation() {
    let (mut world, invite) = consulting(60);
    assert_eq!(world.order("6601", AgentOrder::Transfer(None)), Ok(()));
    assert_eq!((world.caller_hears(), world.state(0)), (THE_OTHER_SIDE.into(), AgentState::Ready));
    world.restart();
    world.run(seconds(20));
    world.outside_says(&in_dialog(&invite, "BYE", 1));
    let on = ["6601 consults 12330", "consulted", "6601 passing on to 12330", "6601 passed on to 12330", "reached"];
    assert_eq!(then(&world), [&on[..], &["party_hangup"]].concat());
    assert_eq!(totals(&world), (20, 10));
    let records = world.record.take().calls;
    let record = records.iter().find(|record| record.call == world.last_call()).expect("its record");
    let segments: Vec<_> = record.segments.iter().map(|s| (s.talk().as_secs(), s.hold.as_secs())).collect();
    assert_eq!(segments, [(20, 10), (20, 0)]);
    assert!(record.segments[0].passed_on && matches!(record.segments[1].with, With::Party(_)));
    assert_eq!(world.tickets.len(), 1);
    world.nothing_is_left();
}

#[test]
fn to_a_colleague_whom_the_agent_has_asked_the_same_call_and_ticket() {
    let mut world = in_conversation(&[0, 1], 60, |_| {});
    assert_eq!(world.order("6601", consult("8002")), Ok(()));
    assert_eq!(world.state(1), AgentState::Engaged);
    world.run(seconds(5));
    let from = world.to_others.iter().rev().find(|(flow, m)| *flow == world.phones[1].1 && m.starts_with("INVITE"));
    assert!(from.expect("rung").1.contains("From: <sip:8001@"), "a colleague sees who asks");
    assert_eq!(world.order("6601", AgentOrder::Transfer(None)), Ok(()));
    world.run(seconds(1));
    assert_eq!((world.state(0), world.state(1)), (AgentState::Ready, AgentState::Talking));
    assert!(world.caller_hears().contains("digit-2"), "the colleague's number is said: {}", world.caller_hears());
    world.restart();
    world.until(seconds(60), |w| w.ended().is_some());
    assert_eq!(then(&world).last().map(String::as_str), Some("caller_hangup"));
    assert!(then(&world).contains(&"taken over 6602".to_owned()));
    assert_eq!((world.tickets.len(), world.tickets[0].agent.as_str()), (1, "6601"));
    world.nothing_is_left();
    assert_eq!((world.state(0), world.state(1)), (AgentState::Ready, AgentState::Ready));
}

/// The same without asking the colleague first, who picks up, or does not.
#[test]
fn passed_on_without_a_word() {
    let mut world = in_conversation(&[0, 1], 90, |_| {});
    assert_eq!(world.order("6601", AgentOrder::Transfer(None)), Err("no_consult"));
    colleague(&mut world, Reaction::Refuse { after: seconds(1), status: 603 });
    assert_eq!(world.order("6601", AgentOrder::Transfer(Some("8002".into()))), Ok(()));
    assert_eq!((world.caller_hears(), shown(&world).stage), (RING_BACK.into(), Stage::Passing));
    assert_eq!(world.order("6601", AgentOrder::Transfer(Some("8002".into()))), Err("not_now"));
    world.run(seconds(3));
    let back = shown(&world);
    assert_eq!((back.stage, back.unreached.map(|to| (to.to, to.status))), (Stage::Talking, Some(("8002".into(), 603))));
    colleague(&mut world, Reaction::Answer { after: seconds(3) });
    assert_eq!(world.order("6601", AgentOrder::Transfer(Some("8002".into()))), Ok(()));
    assert_eq!(world.order("6601", AgentOrder::EndConsult), Ok(()), "thought better of");
    assert!(world.caller_hears().ends_with(THE_OTHER_SIDE));
    assert_eq!((shown(&world).stage, shown(&world).unreached), (Stage::Talking, None));
    world.run(seconds(2));
    assert_eq!(world.order("6601", AgentOrder::Transfer(Some("8002".into()))), Ok(()));
    world.until(seconds(10), |w| w.state(1) == AgentState::Talking);
    assert_eq!(world.state(0), AgentState::Ready);
    world.until(seconds(90), |w| w.ended().is_some());
    world.nothing_is_left();
}

#[test]
fn three_hear_one_another_and_whoever_leaves_the_others_go_on() {
    // Who leaves, and what is left then.
    for who in ["party", "agent", "agent's phone", "agent lets go", "caller", "caller's audio", "party's audio"] {
        let (mut world, invite) = consulting(200);
        assert_eq!(world.order("6601", AgentOrder::ThreeWay), Ok(()));
        assert_eq!((world.caller_hears(), world.seat_hears(), world.talking_legs()), (TWO.into(), TWO.into(), 0));
        assert_eq!((world.state(0), shown(&world).stage), (AgentState::Talking, Stage::ThreeWay));
        assert_eq!(world.order("6601", AgentOrder::ThreeWay), Err("no_consult"), "it is one already");
        world.restart();
        world.run(seconds(30));
        match who {
            "party" => world.outside_says(&in_dialog(&invite, "BYE", 1)),
            "agent" => assert_eq!(world.order("6601", AgentOrder::HangUp), Ok(())),
            "agent's phone" => world.seat_is_silent(),
            "agent lets go" => assert_eq!(world.order("6601", AgentOrder::EndConsult), Ok(())),
            "caller" => world.caller_leaves(),
            "caller's audio" => world.caller_is_silent(),
            _ => world.party_is_silent(),
        }
        world.restart();
        world.run(seconds(1));
        let stays = matches!(who, "party" | "agent lets go" | "party's audio");
        match who {
            "caller" | "caller's audio" => {
                let cause = if who == "caller" { EndCause::CallerHangUp } else { EndCause::MediaTimeout };
                assert_eq!(world.ended(), Some(cause), "{who}");
                assert_eq!(totals(&world), (50, 10), "{who}");
            }
            _ if stays => {
                assert_eq!((world.state(0), world.talking_legs()), (AgentState::Talking, 2), "{who}");
                assert_eq!((shown(&world).stage, world.ended()), (Stage::Talking, None), "{who}");
                assert_eq!(world.order("6601", AgentOrder::HangUp), Ok(()));
            }
            _ => {
                let left = match who {
                    "agent's phone" => AgentState::NotReady(NotReadyReason::Unreachable),
                    _ => AgentState::Ready,
                };
                assert_eq!((world.state(0), world.talking_legs()), (left, 2), "{who}");
                assert_eq!(world.ended(), None, "{who}");
                world.run(seconds(5));
                world.outside_says(&in_dialog(&invite, "BYE", 1));
                assert_eq!(world.ended(), Some(EndCause::PartyHangUp), "{who}");
            }
        }
        if !matches!(who, "agent" | "agent's phone" | "party") {
            released(&mut world);
        }
        world.nothing_is_left();
    }
}

/// The seat's plan has nothing, no trunk is named for the seats' calls, and the gateway is draining.
#[test]
fn help_is_called_at_once_and_the_caller_is_never_on_hold() {
    let mut world = in_conversation(&[2], 90, |core| core.dialling.trunk = None);
    world.feed(Input::Drain);
    let me = world.gateway.acd().agent_at(&"8003".into()).cloned().expect("signed in");
    let me = me.as_str();
    assert_eq!(world.order(me, consult(HOTLINE)), Err("not_allowed"));
    assert_eq!(world.order(me, AgentOrder::Emergency), Ok(()));
    assert!(world.caller_hears().ends_with(THE_OTHER_SIDE), "the agent goes on speaking with the citizen");
    assert_eq!((world.state(0), world.talking_legs()), (AgentState::Talking, 2));
    assert_eq!(world.order(me, AgentOrder::Emergency), Err("not_now"), "on its way");
    let invite = last(&world.outside, "INVITE").clone();
    assert!(invite.starts_with("INVITE sip:110@"), "{invite}");
    world.restart();
    world.run(seconds(3));
    answers(&mut world);
    assert_eq!((world.caller_hears(), world.seat_hears()), (TWO.into(), TWO.into()));
    world.run(seconds(30));
    world.outside_says(&in_dialog(&invite, "BYE", 1));
    assert_eq!((world.state(0), world.talking_legs()), (AgentState::Talking, 2), "the first receiver keeps the case");
    assert_eq!(world.order(me, consult("110")), Ok(()), "dialled by hand it is the same");
    assert!(world.caller_hears().ends_with(THE_OTHER_SIDE));
    let invite = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&invite, "486 Busy Here", "", false));
    world.until(seconds(90), |w| w.ended().is_some());
    assert_eq!(totals(&world), (90, 0));
    world.nothing_is_left();
}

/// Whatever the agent was about: a consultation is given up for it, a passing on is taken back.
#[test]
fn help_comes_before_everything() {
    let (mut world, _) = consulting(90);
    assert_eq!(world.order("6601", AgentOrder::Emergency), Ok(()));
    released(&mut world);
    assert_eq!((world.state(0), world.talking_legs()), (AgentState::Talking, 2));
    let invite = last(&world.outside, "INVITE").clone();
    assert!(invite.starts_with("INVITE sip:110@"), "{invite}");
    // The agent's phone dies before it answers: the citizen waits for 110, and for nobody else.
    world.seat_is_silent();
    assert_eq!(
        (world.caller_hears(), world.state(0)),
        (RING_BACK.into(), AgentState::NotReady(NotReadyReason::Unreachable))
    );
    world.restart();
    answers(&mut world);
    assert_eq!(world.talking_legs(), 2);
    world.until(seconds(90), |w| w.ended().is_some());
    released(&mut world);
    world.nothing_is_left();

    let mut world = in_conversation(&[0, 1], 90, |_| {});
    assert_eq!(world.order("6601", AgentOrder::Transfer(Some("8002".into()))), Ok(()));
    assert_eq!(world.order("6601", AgentOrder::Emergency), Ok(()));
    assert_eq!((world.state(0), world.talking_legs()), (AgentState::Talking, 2));
    assert!(last(&world.outside, "INVITE").starts_with("INVITE sip:110@"));
}

#[test]
fn what_cannot_be_is_said_at_once() {
    let mut world = World::of(&[0, 1], crate::referring::desks);
    for order in [consult(HOTLINE), AgentOrder::EndConsult, AgentOrder::ThreeWay, AgentOrder::Emergency] {
        assert_eq!(world.order("6601", order), Err("no_call"));
    }
    let mut world = in_conversation(&[0, 1], 60, |_| {});
    for (to, why) in [
        ("4711", "not_allowed"),
        ("+4930123456", "not_allowed"),
        ("sip:8002@elsewhere", "not_allowed"),
        ("8002;x=\r\nVia: z", "not_allowed"),
        ("12345", "not_allowed"),
        ("", "not_allowed"),
        ("8003", "not_there"),
        ("8001", "busy"),
    ] {
        assert_eq!(world.order("6601", consult(to)), Err(why), "{to}");
        assert_eq!((world.state(0), world.talking_legs()), (AgentState::Talking, 2), "{to}");
    }
    world.feed(Input::Drain);
    assert_eq!(world.order("6601", consult("13812345678")), Err("overload"));
    assert_eq!(then(&world).len(), 0, "nothing has happened: {:?}", world.story());
}

#[test]
fn whom_nobody_answers_for_is_said_why() {
    for (refused, status) in [("486 Busy Here", 486), ("404 Not Found", 404), ("", 408)] {
        let mut world = in_conversation(&[0], 90, |core| core.dialling.ring_timeout = seconds(30));
        assert_eq!(world.order("6601", consult("13812345678")), Ok(()));
        let invite = last(&world.outside, "INVITE").clone();
        world.outside_says(&answer(&invite, "180 Ringing", "", false));
        world.run(seconds(5));
        if refused.is_empty() {
            world.run(seconds(26));
        } else {
            world.outside_says(&answer(&invite, refused, "", false));
        }
        world.restart();
        let unreached = shown(&world).unreached.map(|to| (to.to, to.status));
        assert_eq!(unreached, Some(("+8613812345678".into(), status)));
        assert_eq!((world.state(0), world.talking_legs()), (AgentState::Talking, 2));
        assert_eq!(world.order("6601", consult(HOTLINE)), Ok(()));
        assert_eq!(shown(&world).unreached, None, "of the call before");
    }
}

#[test]
fn an_agents_phone_that_goes_leaves_the_caller_in_line() {
    for dies in [true, false] {
        let (mut world, _) = consulting(200);
        if dies {
            world.seat_is_silent();
        } else {
            let now = world.now;
            world.phones[0].0.hang_up(now);
            world.run(seconds(1));
        }
        released(&mut world);
        world.restart();
        world.until(seconds(10), |w| w.state(1) == AgentState::Talking);
        let why = if dies { "moved mandarin seat_lost" } else { "moved mandarin agent" };
        let want = ["without 12330: call_over", "transferred 6601", why, "taken over 6602"];
        assert_eq!(then(&world)[2..], want);
        world.until(seconds(200), |w| w.ended().is_some());
        assert_eq!(world.tickets.len(), 1);
        world.nothing_is_left();
    }
}

#[test]
fn the_caller_goes_in_the_middle_and_nothing_is_left() {
    for answered in [false, true] {
        let mut world = in_conversation(&[0, 1], 25, |_| {});
        colleague(&mut world, if answered { Reaction::Answer { after: seconds(1) } } else { Reaction::Ignore });
        assert_eq!(world.order("6601", consult("8002")), Ok(()));
        world.run(seconds(5));
        assert_eq!(world.order("6601", AgentOrder::HangUp), Ok(()), "leads back");
        assert_eq!((world.state(0), world.talking_legs()), (AgentState::Talking, 2));
        world.run(seconds(2));
        assert_eq!(world.order("6601", consult("8002")), Ok(()));
        world.until(seconds(20), |w| w.ended().is_some());
        assert_eq!(world.ended(), Some(EndCause::CallerHangUp));
        world.nothing_is_left();
        assert_eq!((world.state(0), world.state(1)), (AgentState::Ready, AgentState::Ready));
    }
}

#[test]
fn the_drains_end_ends_it_all() {
    let (mut world, _) = consulting(200);
    world.feed(Input::EndCalls);
    released(&mut world);
    assert_eq!(world.ended(), Some(EndCause::OurFault));
    world.nothing_is_left();
}

#[test]
fn into_a_queue_out_of_a_consultation() {
    let (mut world, _) = consulting(200);
    assert_eq!(world.order("6601", AgentOrder::ToQueue(QueueName::new("mandarin"))), Ok(()));
    released(&mut world);
    assert_eq!(world.state(0), AgentState::Ready);
    world.until(seconds(10), |w| w.state(1) == AgentState::Talking || w.state(0) == AgentState::Talking);
    world.until(seconds(200), |w| w.ended().is_some());
    world.nothing_is_left();
}

#[test]
fn the_caller_is_asked_how_it_was_when_the_agent_is_off() {
    for key in [Some('5'), None] {
        let mut world = in_conversation(&[0], 200, |core| {
            core.queues.iter_mut().for_each(|queue| queue.wrap_up = seconds(10));
        });
        assert_eq!(world.order("6601", AgentOrder::Survey), Ok(()));
        assert_eq!((world.caller_hears().as_str(), world.state(0)), ("survey-zh>Silence", AgentState::WrapUp));
        assert_eq!(world.order("6601", AgentOrder::Survey), Err("no_call"));
        world.restart();
        world.play_ends();
        world.run(seconds(11));
        assert_eq!((world.ended(), world.state(0)), (None, AgentState::Ready), "the agent waits for nobody");
        if let Some(key) = key {
            world.caller_presses(key);
            assert_eq!(world.caller_hears(), "survey-thanks-zh>Silence");
            // The end of the question, too late: the thanks are heard out.
            world.play_ends();
            assert_eq!(world.ended(), None);
            world.run(seconds(2));
            world.play_ends();
        }
        world.run(seconds(5));
        assert_eq!((world.ended(), totals(&world)), (Some(EndCause::AgentHangUp), (10, 0)));
        let rated = key.map(|key| format!("rated {key}"));
        let on = ["6601 sends to the survey".to_owned()].into_iter().chain(rated).chain(["agent_hangup".to_owned()]);
        assert_eq!(then(&world), on.collect::<Vec<_>>());
        let record = world.record.take().calls.into_iter().find(|record| record.call == world.last_call());
        let record = record.expect("its record");
        assert_eq!((record.rated, record.segments[0].talk().as_secs()), (key.map(|_| 5), 10));
        assert!(!record.segments[0].passed_on);
        world.nothing_is_left();
    }
}
