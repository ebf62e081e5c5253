//! An agent passes a caller on by key or order: the place is kept, the ticket stays one.

use crate::way::city;
use crate::world::World;
use rexian::call::announcement;
use rexian::config::settings::CoreSettings;
use rexian::event::{AgentState, CallFact, EndCause, NotReadyReason};
use rexian::gateway::{Command, Input};
use rexian::ids::Skill;
use rexian::ivr::spoken;
use rexian::sim::ua::AfterRefer;
use std::time::Duration;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// 6601 speaks Mandarin, 6606 English and no Mandarin.
fn two_languages(core: &mut CoreSettings) {
    city(core);
    core.agents[5].skills.remove(&Skill::new("mandarin"));
}

/// A caller in conversation with 6601.
pub fn in_conversation(seats: &[usize], talk: u64, shape: impl FnOnce(&mut CoreSettings)) -> World {
    let mut world = World::of(seats, |core| {
        two_languages(core);
        shape(core);
    });
    world.call(seconds(100), seconds(talk));
    world.until(seconds(20), |w| w.state(0) == AgentState::Talking);
    world.run(seconds(10));
    world
}

/// The caller's own audio is alive: they wait again, at the time of their call, and go to whoever is free.
#[test]
fn a_phone_whose_audio_stops_gives_the_caller_back_to_the_line() {
    let mut world = in_conversation(&[0, 1], 40, |_| {});
    world.seat_is_silent();
    assert_eq!((world.ended(), world.state(0)), (None, AgentState::WrapUp));
    assert!(world.caller_hears().ends_with(">music") || world.state(1) == AgentState::Reserved);
    world.restart();
    world.until(seconds(10), |w| w.state(1) == AgentState::Talking);
    let story =
        ["queued mandarin line", "answered 6601", "transferred 6601", "moved mandarin seat_lost", "taken over 6602"];
    assert_eq!(world.story(), story);
    world.until(seconds(60), |w| w.state(0) != AgentState::WrapUp);
    assert_eq!(world.state(0), AgentState::NotReady(NotReadyReason::Unreachable), "its phone is still registered");
    assert_eq!(world.tickets.len(), 1);
    world.caller_leaves();
    world.run(seconds(40));
    world.nothing_is_left();
}

/// The network behind both is gone, and the seat's silence is noticed first.
#[test]
fn who_is_silent_like_the_seat_does_not_wait_again() {
    let mut world = in_conversation(&[0, 1], 40, |_| {});
    world.seat_is_silent();
    world.caller_is_silent();
    assert_eq!(world.ended(), Some(EndCause::MediaTimeout));
    world.run(seconds(60));
    world.nothing_is_left();
}

const TO_6601: [&str; 2] = ["queued mandarin line", "answered 6601"];

#[test]
fn two_keys_of_the_agent_and_an_english_colleague_has_the_caller() {
    let mut world = in_conversation(&[0, 5], 40, |_| {});
    world.seat_presses("*");
    world.restart();
    world.seat_presses("2");
    world.run(seconds(1));
    assert_eq!(world.caller_hears(), format!("{}>music", spoken::please_wait("en").join("+")));
    assert_eq!((world.state(0), world.state(1)), (AgentState::WrapUp, AgentState::Reserved));
    world.restart();
    world.until(seconds(10), |w| w.state(1) == AgentState::Talking);
    assert_eq!(world.caller_hears(), format!("{}>the other side", announcement(&"6606".into()).join("+")));
    assert_eq!(world.seat_hears(), "the other side");
    world.until(seconds(60), |w| w.ended().is_some());
    let rest = ["transferred 6601", "moved english agent", "taken over 6606", "caller_hangup"];
    assert_eq!(world.story(), [&TO_6601[..], &rest].concat());
    assert_eq!(world.tickets.len(), 1);
    let ticket = &world.tickets[0];
    assert_eq!((ticket.agent.as_str(), ticket.route.as_str()), ("6601", "line city: mandarin; 6601"));
    // 40 s from the pickup to the hang-up, 3 s of them in the second line.
    let Some(CallFact::Ended { wait, talk, .. }) = world.facts.iter().find(|f| matches!(f, CallFact::Ended { .. }))
    else {
        panic!("{:?}", world.facts)
    };
    assert_eq!((wait.as_secs(), talk.as_secs()), (3, 37));
    world.nothing_is_left();
    // The citizen is remembered with the colleague.
    world.call(seconds(60), seconds(20));
    world.until(seconds(20), |w| w.state(1) == AgentState::Talking);
    assert_eq!(world.story(), ["queued english remembered", "answered 6606"]);
}

#[test]
fn a_queue_that_refuses_leaves_the_caller_with_the_agent() {
    for keys in ["*2", "*9"] {
        // Nobody at the English seat and no room to wait; or a key of no language.
        let mut world = in_conversation(&[0], 30, |core| core.queues[2].max_waiting = 0);
        world.seat_presses(keys);
        assert_eq!(world.seat_hears(), "beep-error>the other side", "{keys}");
        assert_eq!(world.state(0), AgentState::Talking);
        world.until(seconds(60), |w| w.ended().is_some());
        assert_eq!(world.story(), [&TO_6601[..], &["caller_hangup"]].concat());
        assert_eq!(world.state(0), AgentState::WrapUp);
        world.nothing_is_left();
    }
}

#[test]
fn the_two_keys_belong_together() {
    let mut world = in_conversation(&[0, 5], 60, |_| {});
    world.seat_presses("2");
    world.seat_presses("*");
    world.run(seconds(4));
    world.seat_presses("2");
    world.caller_presses('*');
    world.caller_presses('2');
    assert_eq!(world.story(), TO_6601);
}

#[test]
fn who_hangs_up_in_the_second_line_was_answered() {
    let mut world = in_conversation(&[0], 30, |_| {});
    world.seat_presses("*2");
    world.until(seconds(60), |w| w.ended().is_some());
    let rest = ["transferred 6601", "moved english agent", "caller_hangup"];
    assert_eq!(world.story(), [&TO_6601[..], &rest].concat());
    assert_eq!(world.tickets.len(), 1);
    world.nothing_is_left();
}

#[test]
fn the_place_in_the_order_is_that_of_the_first_call() {
    let mut world = in_conversation(&[0], 60, |_| {});
    // Somebody calls the English number while the first caller talks.
    let other = String::from_utf8(crate::world::invite(1)).unwrap().replacen("sip:12345@", "sip:66601002@", 1);
    world.other_sends(other.as_bytes());
    world.run(seconds(5));
    world.seat_presses("*2");
    let moved =
        world.facts.iter().find_map(|f| if let CallFact::Moved { position, .. } = f { Some(*position) } else { None });
    assert_eq!(moved, Some(1));
}

#[test]
fn an_order_passes_the_caller_on_as_the_keys_do() {
    let mut world = in_conversation(&[0, 5], 60, |_| {});
    let call = world.last_call();
    for queue in ["nowhere", "english", "english"] {
        world.feed(Input::Command(Command::Transfer { call, queue: queue.into() }));
    }
    world.until(seconds(10), |w| w.state(1) == AgentState::Talking);
    let rest = ["transferred 6601", "moved english agent", "taken over 6606"];
    assert_eq!(world.story(), [&TO_6601[..], &rest].concat());
}

/// The colleague has not finished with the last citizen when the next one is passed on: each call has its own wrap-up.
#[test]
fn a_wrap_up_that_a_caller_passed_on_ends_is_the_last_callers() {
    let mut world = crate::referring::in_conversation(&[0, 1], 5, |core| {
        core.queues.iter_mut().for_each(|queue| queue.wrap_up = seconds(100));
    });
    let last = world.last_call();
    assert_eq!(world.state(0), AgentState::WrapUp);
    world.call(seconds(100), seconds(60));
    world.until(seconds(20), |w| w.state(1) == AgentState::Talking);
    assert!(world.record.take().wrap_ups.is_empty());
    let now = world.now;
    world.phones[1].0.refer(now, "8001", AfterRefer::Waits);
    world.until(seconds(20), |w| w.state(0) == AgentState::Talking);
    let ended: Vec<_> = world.record.take().wrap_ups.into_iter().map(|wrap_up| wrap_up.of.call).collect();
    assert_eq!((ended, last == world.last_call()), (vec![last], false));
}
