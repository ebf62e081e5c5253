//! A phone's transfer key (REFER): to a colleague, into a line, outside, for help; and whatever happens on the way, the
//! citizen is with somebody or in line.

use crate::dialling::{answer, in_dialog, last, outward, seconds};
use crate::way::city;
use crate::world::{World, invite};
use rexian::acd::AcdInput;
use rexian::config::settings::CoreSettings;
use rexian::event::{AgentState, CallEvent, CallFact, EndCause, NotReadyReason, OfferEnd};
use rexian::gateway::{Command, Input};
use rexian::ids::AgentNo;
use rexian::sim::ua::{AfterRefer, Plan, Reaction, UaFact};
use rexian::store::journal::{Entry, Recorded};
use rexian::why::{self, Language};
use std::time::Duration;

pub const RING_BACK: &str = "RingBack";
pub const THE_OTHER_SIDE: &str = "the other side";

pub fn desks(core: &mut CoreSettings) {
    city(core);
    outward(core);
}

/// A caller in conversation with 6601 at the first phone; the others' agents are on a break, so that nobody but who is
/// named is rung.
pub fn in_conversation(phones: &[usize], talk: u64, shape: impl FnOnce(&mut CoreSettings)) -> World {
    let mut world = World::of(phones, |core| {
        desks(core);
        shape(core);
    });
    world.call(seconds(100), seconds(talk));
    world.until(seconds(20), |w| w.state(0) == AgentState::Talking);
    world.run(seconds(10));
    world
}

/// The first phone's transfer key.
pub fn passes_on(world: &mut World, to: &str, then: AfterRefer) {
    let now = world.now;
    world.phones[0].0.refer(now, to, then);
    world.run(Duration::from_millis(100));
}

/// What the first phone was answered and told, in order.
pub fn told(world: &World) -> Vec<u16> {
    let told = |fact: &UaFact| match fact {
        UaFact::Referred(status) | UaFact::Told(status) => Some(*status),
        _ => None,
    };
    world.phones[0].2.iter().filter_map(told).collect()
}

/// The rest of the story after the pickup.
pub fn then(world: &World) -> Vec<String> {
    let story = world.story();
    let at = story.iter().position(|s| s == "answered 6601").expect("answered");
    story[at + 1..].to_vec()
}

pub fn colleague(world: &mut World, reaction: Reaction) {
    world.phones[1].0.set_plan(Plan { reaction, hold: None, hang_up_after: None });
}

fn ended(world: &World) -> (u64, u64, u64) {
    let found = world.facts.iter().find_map(|f| match f {
        CallFact::Ended { wait, talk, hold, .. } => Some((wait.as_secs(), talk.as_secs(), hold.as_secs())),
        _ => None,
    });
    found.expect("an end")
}

#[test]
fn to_a_colleague_who_picks_up_the_same_call_and_ticket() {
    for after in [AfterRefer::Waits, AfterRefer::Leaves] {
        let mut world = in_conversation(&[0, 1], 60, |_| {});
        passes_on(&mut world, "8002", after);
        world.restart();
        assert_eq!(world.caller_hears(), RING_BACK);
        assert_eq!(world.state(1), AgentState::Engaged, "no offer for who is rung");
        let gone = after == AfterRefer::Leaves;
        assert_eq!(world.state(0), if gone { AgentState::Ready } else { AgentState::Talking });
        world.until(seconds(10), |w| w.state(1) == AgentState::Talking);
        world.restart();
        assert!(world.caller_hears().ends_with(THE_OTHER_SIDE) && world.caller_hears().contains("digit-2"));
        assert_eq!((world.talking_legs(), world.state(0)), (2, AgentState::Ready));
        world.until(seconds(80), |w| w.ended().is_some());
        let on = ["6601 passing on to 8002", "6601 passed on to 8002", "reached", "taken over 6602", "caller_hangup"];
        assert_eq!(then(&world), on);
        assert_eq!(told(&world), if gone { vec![202, 100] } else { vec![202, 100, 180, 200] });
        assert_eq!((world.tickets.len(), world.tickets[0].agent.as_str()), (1, "6601"));
        // The citizen talks for 60 s from the pickup; 3 s of them with nobody if the agent left at once.
        assert_eq!(ended(&world), (3, if gone { 57 } else { 60 }, 0));
        world.nothing_is_left();
        assert_eq!((world.state(0), world.state(1)), (AgentState::Ready, AgentState::Ready));
    }
}

/// It shows the citizen's number, and who passes them on.
#[test]
fn the_colleagues_phone_shows_the_citizen() {
    let mut world = in_conversation(&[0, 1], 60, |_| {});
    passes_on(&mut world, "8002", AfterRefer::Waits);
    let at = world.phones[1].1;
    let invite = world.to_others.iter().rev().find(|(flow, m)| *flow == at && m.starts_with("INVITE")).unwrap();
    assert!(invite.1.contains("From: <sip:+8653187654321@"), "{}", invite.1);
    assert!(invite.1.contains("Referred-By: <sip:8001@"), "{}", invite.1);
    assert!(invite.1.contains(&format!("X-Rexian-Call: {}", world.last_call())), "{}", invite.1);
}

#[test]
fn into_a_language_line_by_key_or_by_the_lines_number() {
    for (to, after) in [
        ("*2", AfterRefer::Waits),
        ("%2A2", AfterRefer::Leaves),
        ("66601002", AfterRefer::Waits),
        ("053166601002", AfterRefer::Leaves),
    ] {
        let mut world = in_conversation(&[0, 5], 60, |core| {
            core.agents[5].skills.remove(&"mandarin".into());
        });
        passes_on(&mut world, to, after);
        world.restart();
        assert_eq!(told(&world), [202, 100, 200], "{to}");
        world.until(seconds(10), |w| w.state(1) == AgentState::Talking);
        let on = ["transferred 6601", "moved english agent", "taken over 6606"];
        assert_eq!(then(&world), on, "{to}");
        world.until(seconds(80), |w| w.ended().is_some());
        assert_eq!(world.tickets.len(), 1);
        world.nothing_is_left();
    }
}

/// Refused before there is a 202 that the phone could take for leave to hang up.
#[test]
fn a_line_that_does_not_take_the_caller_leaves_them_with_the_agent() {
    let full = |core: &mut CoreSettings| core.queues[2].max_waiting = 0;
    let unstaffed = |core: &mut CoreSettings| core.queues[2].skill = "nobody".into();
    for (shape, status) in [(full as fn(&mut CoreSettings), 486), (unstaffed, 480)] {
        for after in [AfterRefer::Waits, AfterRefer::Leaves] {
            let mut world = in_conversation(&[0], 30, shape);
            passes_on(&mut world, "66601002", after);
            world.run(seconds(5));
            assert_eq!((told(&world), world.state(0)), (vec![status], AgentState::Talking));
            assert!(world.caller_hears().ends_with(THE_OTHER_SIDE), "{}", world.caller_hears());
            world.until(seconds(60), |w| w.ended().is_some());
            assert_eq!(then(&world), ["caller_hangup"]);
            world.nothing_is_left();
        }
    }
}

#[test]
fn outside_to_a_number_of_the_plan() {
    for after in [AfterRefer::Waits, AfterRefer::Leaves] {
        let mut world = in_conversation(&[0], 60, |_| {});
        passes_on(&mut world, "13812345678", after);
        let invite = last(&world.outside, "INVITE").clone();
        assert!(invite.starts_with("INVITE sip:13812345678@127.0.0.1:7070"), "{invite}");
        assert_eq!(world.caller_hears(), RING_BACK);
        world.outside_says(&answer(&invite, "183 Session Progress", "", true));
        assert_eq!(world.caller_hears(), THE_OTHER_SIDE, "the carrier's own ring-back, or why it does not ring");
        world.restart();
        world.run(seconds(4));
        world.outside_says(&answer(&invite, "200 OK", "", true));
        last(&world.outside, "ACK");
        assert_eq!((world.talking_legs(), world.state(0)), (2, AgentState::Ready));
        world.restart();
        world.run(seconds(20));
        world.outside_says(&in_dialog(&invite, "BYE", 1));
        assert_eq!(
            then(&world),
            ["6601 passing on to +8613812345678", "6601 passed on to +8613812345678", "reached", "party_hangup"]
        );
        // The party's talk is no agent's.
        assert_eq!(ended(&world).1, if after == AfterRefer::Leaves { 10 } else { 14 });
        world.nothing_is_left();
    }
}

/// With nobody of ours there who could end it.
#[test]
fn outside_no_longer_than_configured() {
    for (to, limited) in [("13812345678", true), ("110", false)] {
        let mut world = in_conversation(&[0], 500, |core| core.dialling.passed_on_at_most = seconds(90));
        passes_on(&mut world, to, AfterRefer::Leaves);
        let invite = last(&world.outside, "INVITE").clone();
        world.run(seconds(20));
        world.outside_says(&answer(&invite, "200 OK", "", true));
        world.run(seconds(88));
        world.restart();
        assert_eq!(world.ended(), None, "from the answer");
        world.run(seconds(3));
        assert_eq!(world.ended(), limited.then_some(EndCause::TimeLimit), "{to}");
        if limited {
            last(&world.outside, "BYE");
            world.nothing_is_left();
        }
    }
}

/// Two citizens, one after the other: the second one's agent may not send them out while the first is out there, but for
/// help, and may call there.
#[test]
fn no_more_outside_at_once_than_configured() {
    let mut world = in_conversation(&[0], 500, |core| core.dialling.passed_on_per_seat = 1);
    passes_on(&mut world, "13812345678", AfterRefer::Leaves);
    let first = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&first, "200 OK", "", true));
    let second = |world: &mut World, n: u32| {
        world.other_sends(&invite(n));
        world.until(seconds(10), |w| w.state(0) == AgentState::Talking);
        world.phones[0].2.clear();
    };
    second(&mut world, 1);
    passes_on(&mut world, "13812345678", AfterRefer::Waits);
    assert_eq!((told(&world).last(), world.state(0)), (Some(&486), AgentState::Talking));
    world.run(seconds(5));
    world.outside_says(&in_dialog(&first, "BYE", 1));
    passes_on(&mut world, "13812345678", AfterRefer::Leaves);
    assert_eq!(told(&world).last(), Some(&100));
    assert_ne!(*last(&world.outside, "INVITE"), first);
    second(&mut world, 2);
    passes_on(&mut world, "110", AfterRefer::Leaves);
    assert_eq!(told(&world).last(), Some(&100), "for help always");
}

/// A call for help takes the last port: a colleague's phone cannot be rung then. That is not the colleague's fault, it is
/// not tried again and again, and whoever waits is served when there is a port.
#[test]
fn without_a_port_nobody_is_rung_or_blamed() {
    let mut world = in_conversation(&[0, 1], 500, |core| core.media.pairs = 4);
    let order = |world: &mut World, order: AcdInput| world.feed(Input::Command(Command::Distributor(order)));
    let (agent, reason) = (|| AgentNo::new("6602"), NotReadyReason::Break);
    order(&mut world, AcdInput::NotReady { agent: agent(), reason });
    world.other_sends(&invite(1));
    passes_on(&mut world, "110", AfterRefer::Waits);
    let outside = last(&world.outside, "INVITE").clone();
    let before = world.facts.len();
    order(&mut world, AcdInput::Ready { agent: agent() });
    world.restart();
    assert_eq!(world.state(1), AgentState::Ready);
    world.run(seconds(5));
    assert_eq!(world.state(1), AgentState::Ready);
    let ends = |world: &World| {
        let ended = |fact: &CallFact| if let CallFact::OfferEnded { why, .. } = fact { Some(*why) } else { None };
        world.facts[before..].iter().filter_map(ended).collect::<Vec<_>>()
    };
    assert_eq!(ends(&world), [OfferEnd::Withdrawn; 6], "once a second");
    world.outside_says(&answer(&outside, "200 OK", "", true));
    world.until(seconds(5), |w| w.state(1) == AgentState::Talking);
    assert!(world.story().contains(&"answered 6602".to_owned()));
}

/// `rexian why` of a citizen who was passed on three times: each step, each party, and what became of it.
#[test]
fn why_tells_each_step_of_the_way() {
    let mut world = in_conversation(&[0, 1], 500, |core| core.dialling.passed_on_at_most = seconds(90));
    colleague(&mut world, Reaction::Refuse { after: seconds(1), status: 486 });
    passes_on(&mut world, "8002", AfterRefer::Waits);
    world.run(seconds(10));
    colleague(&mut world, Reaction::Answer { after: seconds(3) });
    passes_on(&mut world, "13812345678", AfterRefer::Leaves);
    let outside = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&outside, "180 Ringing", "", false));
    world.run(seconds(20));
    world.outside_says(&answer(&outside, "486 Busy Here", "Reason: Q.850;cause=17\r\n", false));
    world.until(seconds(10), |w| w.state(1) == AgentState::Talking);
    let now = world.now;
    world.phones[1].0.refer(now, "13812345678", AfterRefer::Waits);
    world.run(seconds(1));
    let outside = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&outside, "200 OK", "", true));
    world.until(seconds(100), |w| w.ended().is_some());
    let call = world.last_call();
    let recorded = |event: &CallEvent| Recorded { seq: 0, at: event.at, what: Entry::Call(event.clone()) };
    let recorded: Vec<_> = world.events.iter().filter(|event| event.call == call).map(recorded).collect();
    for (language, expected) in [(Language::En, ENGLISH), (Language::Zh, CHINESE)] {
        let story = why::tell(&recorded, language, 480);
        // Without the title, and the times of the lines.
        let told: Vec<&str> = story.lines().skip(1).filter_map(|line| line.get(25..)).collect();
        assert_eq!(told.join("\n"), expected.trim());
    }
}

const ENGLISH: &str = "
arrived on line city (12345, default) from trunk local; caller +8653187654321
queued for mandarin (mandarin) at place 1: the number called leads there
offered to 6601 at seat 8001 (next by the queue's strategy, full requirement)
answered by 6601 at seat 8001: waited 3 s, of which 3 s ringing
6601 passes the caller on to seat 8002
the far end of leg 5 says: SIP 486
seat 8002 could not be had (486), asked for by 6601
6601 passes the caller on to +8613812345678
6601 is off the call, the caller goes to +8613812345678
the far end of leg 6 says: SIP 486, Q.850 cause 17
+8613812345678 could not be had (486), asked for by 6601
moved to mandarin (mandarin) at place 1, the time of arrival kept: agent 6601 passed the caller on
offered to 6602 at seat 8002 (next by the queue's strategy, full requirement)
taken over by 6602 at seat 8002: waited 23.1 s more, of which 3 s ringing
6602 passes the caller on to +8613812345678
6602 is off the call, the caller goes to +8613812345678
the other side answered after 1 s
ended because a call passed on to somebody outside may not last longer; waited 3 s; talked 21.1 s
";

const CHINESE: &str = "
来电进入专线 city（12345，default），中继 local，主叫 +8653187654321
进入队列 mandarin（mandarin），第 1 位：所拨号码对应该队列
分配给工号 6601（座席 8001；按队列策略轮到，满足全部要求）
工号 6601 接听（座席 8001）：等待 3 秒，其中振铃 3 秒
工号 6601 正将来电人转接至 座席 8002
通路 5 的对端告知：SIP 486
工号 6601 转接 座席 8002 未成（486）
工号 6601 正将来电人转接至 +8613812345678
工号 6601 退出，来电人转至 +8613812345678
通路 6 的对端告知：SIP 486，Q.850 原因值 17
工号 6601 转接 +8613812345678 未成（486）
转入队列 mandarin（mandarin），第 1 位，保留原到达时间：工号 6601 转来
分配给工号 6602（座席 8002；按队列策略轮到，满足全部要求）
工号 6602 接续（座席 8002）：又等待 23.1 秒，其中振铃 3 秒
工号 6602 正将来电人转接至 +8613812345678
工号 6602 退出，来电人转至 +8613812345678
对方应答，振铃 1 秒
结束：转接至外线的通话达到时长上限；等待 3 秒，通话 21.1 秒
";

#[test]
fn for_help_always() {
    let mut world = in_conversation(&[2], 60, |core| {
        core.trunks[0].max_calls = 1;
        core.agents[2].skills.insert("mandarin".into(), 5);
    });
    world.feed(Input::Drain);
    passes_on(&mut world, "110", AfterRefer::Waits);
    let invite = last(&world.outside, "INVITE").clone();
    assert!(invite.starts_with("INVITE sip:110@"), "{invite}");
    world.outside_says(&answer(&invite, "200 OK", "", true));
    assert_eq!(world.talking_legs(), 2);
    world.until(seconds(80), |w| w.ended().is_some());
    last(&world.outside, "BYE");
}

/// Nothing has happened then; the agent goes on talking, and tries another.
#[test]
fn what_the_plan_does_not_have_is_refused_at_once() {
    let mut world = in_conversation(&[0, 1, 2], 100, |_| {});
    for (to, status) in [
        ("0081312345678", 403),
        ("053188881234", 403),
        ("*12", 403),
        ("*9", 403),
        ("9999", 403),
        ("8001", 486),
        ("8004", 480),
    ] {
        passes_on(&mut world, to, AfterRefer::Leaves);
        assert_eq!((told(&world).last(), world.state(0)), (Some(&status), AgentState::Talking), "{to}");
        world.phones[0].2.clear();
    }
    let now = world.now;
    world.phones[2].0.set_listens(seconds(100));
    world.phones[2].0.dial(now, "8002");
    world.run(seconds(5));
    passes_on(&mut world, "8002", AfterRefer::Leaves);
    assert_eq!((told(&world).last(), world.state(0)), (Some(&486), AgentState::Talking), "on the phone");
    // Some phones hang up on that.
    passes_on(&mut world, "0081312345678", AfterRefer::Waits);
    let now = world.now;
    world.phones[0].0.hang_up(now);
    world.run(seconds(1));
    assert_eq!(then(&world), ["8003 6603 dialled 8002", "reached", "transferred 6601", "moved mandarin agent"]);
    assert!(world.outside.is_empty());
    assert_eq!(world.gateway.refusals().not_in_plan, 5);
}

#[test]
fn nobody_there_gives_the_caller_back_to_the_agent() {
    for (reaction, status, after) in [
        (Reaction::Refuse { after: seconds(1), status: 486 }, 486, 2),
        (Reaction::Refuse { after: seconds(1), status: 603 }, 603, 2),
        (Reaction::Ignore, 408, 61),
        (Reaction::Silent, 503, 33),
    ] {
        let mut world = in_conversation(&[0, 1], 150, |_| {});
        colleague(&mut world, reaction);
        passes_on(&mut world, "8002", AfterRefer::Waits);
        world.run(seconds(after - 1));
        world.restart();
        world.run(seconds(1));
        assert_eq!(told(&world).last(), Some(&status), "{reaction:?}");
        assert_eq!((world.caller_hears(), world.state(0)), (THE_OTHER_SIDE.into(), AgentState::Talking));
        let status = format!("6601 not passed on to 8002: {status}");
        assert_eq!(then(&world), ["6601 passing on to 8002", status.as_str()]);
        // And it may be tried again.
        colleague(&mut world, Reaction::Answer { after: seconds(1) });
        world.run(seconds(10));
        passes_on(&mut world, "8002", AfterRefer::Waits);
        world.until(seconds(10), |w| w.state(1) == AgentState::Talking);
        world.until(seconds(150), |w| w.ended().is_some());
        assert_eq!(ended(&world).1, 150);
        world.nothing_is_left();
    }
}

/// The agent is gone: back to the front of the line, though it is full and another caller waits.
#[test]
fn nobody_there_and_the_agent_gone_puts_the_caller_back_in_line() {
    let mut world = in_conversation(&[0, 1], 100, |core| {
        for queue in &mut core.queues {
            queue.max_waiting = 1;
            queue.wrap_up = seconds(30);
        }
    });
    let now = world.now;
    world.phones[1].0.set_listens(seconds(1));
    world.phones[1].0.dial(now, "*141");
    world.run(seconds(5));
    // Somebody else waits, and has the one place there is.
    let other = String::from_utf8(crate::world::invite(1)).unwrap();
    world.other_sends(other.as_bytes());
    colleague(&mut world, Reaction::Refuse { after: seconds(2), status: 486 });
    passes_on(&mut world, "8002", AfterRefer::Leaves);
    world.restart();
    assert_eq!(world.state(0), AgentState::WrapUp);
    world.run(seconds(3));
    world.restart();
    assert!(world.caller_hears().ends_with("music"), "{}", world.caller_hears());
    // Whoever is ready first has the caller who called first.
    world.until(seconds(60), |w| w.state(0) == AgentState::Talking);
    let mut story = world.story();
    story.retain(|s| s != "trunk_fault"); // The other caller's, who says nothing.
    let on = ["6601 passed on to 8002", "6601 not passed on to 8002: 486", "moved mandarin agent", "taken over 6601"];
    assert_eq!(story[story.len() - 4..], on, "{story:?}");
    let Some(CallFact::Moved { position, .. }) = world.facts.iter().find(|f| matches!(f, CallFact::Moved { .. }))
    else {
        panic!()
    };
    assert_eq!(*position, 1, "before who called later");
    assert_eq!(world.tickets.len(), 1);
}

/// Nobody at all is signed in who could be waited for: waited for all the same.
#[test]
fn back_in_a_line_without_agents() {
    let mut world = in_conversation(&[0, 1], 100, |_| {});
    let now = world.now;
    world.phones[1].0.set_listens(seconds(1));
    world.phones[1].0.dial(now, "*12");
    world.run(seconds(5));
    colleague(&mut world, Reaction::Ignore);
    passes_on(&mut world, "8002", AfterRefer::Leaves);
    let now = world.now;
    world.phones[0].0.dial(now, "*12");
    world.run(seconds(5));
    assert_eq!((world.state(0), world.state(1)), (AgentState::LoggedOut, AgentState::LoggedOut));
    world.run(seconds(60));
    assert!(world.caller_hears().ends_with("music"), "{}", world.caller_hears());
    let now = world.now;
    world.phones[0].0.dial(now, "*11");
    world.until(seconds(20), |w| w.state(0) == AgentState::Talking);
}

/// The phone says BYE as soon as it has its 202, and the other party is refused in the same moment.
#[test]
fn a_bye_that_crosses_the_refusal_leaves_nobody_behind() {
    let mut world = in_conversation(&[0, 1], 100, |core| core.trunks[0].hops.clear());
    passes_on(&mut world, "13812345678", AfterRefer::Leaves);
    assert_eq!(told(&world), [202, 100, 503]);
    world.until(seconds(20), |w| w.state(1) == AgentState::Talking);
    assert_eq!(
        then(&world),
        [
            "6601 passing on to +8613812345678",
            "6601 not passed on to +8613812345678: 503",
            "transferred 6601",
            "moved mandarin agent",
            "taken over 6602",
        ]
    );
    world.until(seconds(120), |w| w.ended().is_some());
    world.nothing_is_left();
}

#[test]
fn the_transferring_phone_dies() {
    // It rings, and the colleague answers: nobody misses the phone.
    let mut world = in_conversation(&[0, 1], 100, |_| {});
    passes_on(&mut world, "8002", AfterRefer::Waits);
    world.connection_breaks(0);
    world.until(seconds(10), |w| w.state(1) == AgentState::Talking);
    assert_eq!(then(&world), ["6601 passing on to 8002", "6601 passed on to 8002", "reached", "taken over 6602"]);
    world.until(seconds(120), |w| w.ended().is_some());
    world.nothing_is_left();
    // Nobody answers there, and its silence is noticed before: back in line.
    let mut world = in_conversation(&[0, 1], 200, |_| {});
    colleague(&mut world, Reaction::Ignore);
    passes_on(&mut world, "8002", AfterRefer::Waits);
    world.connection_breaks(0);
    colleague(&mut world, Reaction::Answer { after: seconds(1) });
    world.run(seconds(30));
    world.seat_is_silent();
    world.run(seconds(25));
    assert_eq!(world.state(0), AgentState::NotReady(NotReadyReason::Unreachable));
    world.until(seconds(20), |w| w.state(1) == AgentState::Talking);
    assert_eq!(
        then(&world),
        [
            "6601 passing on to 8002",
            "6601 passed on to 8002",
            "6601 not passed on to 8002: 408",
            "moved mandarin agent",
            "taken over 6602",
        ]
    );
}

/// On hold nobody misses its media; that it does not answer what it is told shows it. The colleague has refused by then.
#[test]
fn the_transferring_phone_dies_with_the_caller_on_hold() {
    let mut world = in_conversation(&[0, 1], 200, |_| {});
    let now = world.now;
    world.phones[0].0.hold(now, true);
    world.run(seconds(1));
    colleague(&mut world, Reaction::Refuse { after: seconds(5), status: 486 });
    passes_on(&mut world, "8002", AfterRefer::Waits);
    world.connection_breaks(0);
    world.run(seconds(6));
    colleague(&mut world, Reaction::Answer { after: seconds(1) });
    assert!(world.caller_hears().contains("music"), "{}", world.caller_hears());
    world.restart();
    world.until(seconds(40), |w| w.state(1) == AgentState::Talking);
    assert_eq!(
        then(&world),
        [
            "6601 passing on to 8002",
            "6601 not passed on to 8002: 486",
            "transferred 6601",
            "moved mandarin seat_lost",
            "taken over 6602",
        ]
    );
    world.until(seconds(200), |w| w.ended().is_some());
    world.nothing_is_left();
}

/// Without any transfer: the citizen, who is on hold, is not cut off when it shows.
#[test]
fn a_phone_dies_with_the_caller_on_hold() {
    let mut world = in_conversation(&[0, 1], 3_000, |_| {});
    let now = world.now;
    world.phones[0].0.hold(now, true);
    world.run(seconds(1));
    world.connection_breaks(0);
    // Nobody misses its media; the session's refresh finds it gone.
    world.until(seconds(1_000), |w| w.state(1) == AgentState::Talking);
    assert_eq!(then(&world), ["transferred 6601", "moved mandarin seat_lost", "taken over 6602"]);
    assert_eq!(world.tickets.len(), 1);
}

/// But for help, it takes what a call that a seat dials takes.
#[test]
fn nobody_outside_is_called_while_draining() {
    let mut world = in_conversation(&[0, 1], 60, |_| {});
    world.feed(Input::Drain);
    passes_on(&mut world, "13812345678", AfterRefer::Leaves);
    assert_eq!((told(&world), world.state(0)), (vec![503], AgentState::Talking));
    assert!(world.outside.is_empty());
    passes_on(&mut world, "8002", AfterRefer::Waits);
    world.until(seconds(10), |w| w.state(1) == AgentState::Talking);
}

#[test]
fn the_caller_hangs_up_while_it_rings() {
    for after in [AfterRefer::Waits, AfterRefer::Leaves] {
        let mut world = in_conversation(&[0], 11, |_| {});
        passes_on(&mut world, "13812345678", after);
        let invite = last(&world.outside, "INVITE").clone();
        world.outside_says(&answer(&invite, "180 Ringing", "", false));
        world.until(seconds(10), |w| w.ended().is_some());
        let cancel = last(&world.outside, "CANCEL").clone();
        world.outside_says(&answer(&cancel, "200 OK", "", false));
        world.outside_says(&answer(&invite, "487 Request Terminated", "", false));
        assert_eq!(then(&world).last().unwrap(), "caller_hangup");
        if after == AfterRefer::Waits {
            assert_eq!(told(&world), [202, 100, 180, 487]);
        }
        world.nothing_is_left();
    }
}

/// The agent has the caller on hold when the key is pressed, as most phones do it, and changes that meanwhile.
#[test]
fn on_hold_before_and_after() {
    let mut world = in_conversation(&[0, 1], 100, |_| {});
    let now = world.now;
    world.phones[0].0.hold(now, true);
    world.run(seconds(5));
    assert_eq!(world.state(0), AgentState::Hold);
    colleague(&mut world, Reaction::Refuse { after: seconds(5), status: 486 });
    passes_on(&mut world, "8002", AfterRefer::Waits);
    assert_eq!(world.caller_hears(), RING_BACK);
    world.run(seconds(1));
    let now = world.now;
    world.phones[0].0.hold(now, false);
    world.run(seconds(1));
    assert_eq!((world.caller_hears(), world.state(0)), (RING_BACK.into(), AgentState::Talking));
    world.run(seconds(4));
    assert_eq!(world.caller_hears(), THE_OTHER_SIDE);
    let now = world.now;
    world.phones[0].0.hold(now, true);
    world.run(seconds(1));
    colleague(&mut world, Reaction::Refuse { after: seconds(5), status: 486 });
    passes_on(&mut world, "8002", AfterRefer::Waits);
    world.run(seconds(6));
    assert!(world.caller_hears().contains("music"), "{}", world.caller_hears());
    world.until(seconds(100), |w| w.ended().is_some());
    world.nothing_is_left();
}
