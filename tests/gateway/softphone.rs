//! Third-party phones in browsers as seats: what becomes of a caller when their audio does not come about, or goes.

use crate::dialling::outward;
use crate::world::World;
use rexian::config::settings::CoreSettings;
use rexian::event::{AgentState, NotReadyReason};
use rexian::plane::MediaEvent;
use std::time::Duration;

const OTHER_SIDE: &str = "the other side";
const UNREACHABLE: AgentState = AgentState::NotReady(NotReadyReason::Unreachable);
const BACK_IN_LINE: [&str; 3] = ["queued mandarin line", "answered 6601", "transferred 6601"];

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn plain(core: &mut CoreSettings) {
    outward(core);
    core.queues.iter_mut().for_each(|queue| queue.announce_agent = false);
}

/// A caller is with 6601 at a phone in a browser; `cut`: whose audio does not reach us.
fn in_a_call(cut: bool) -> World {
    let mut world = World::of_browsers(&[0], plain);
    world.cut = cut;
    world.call(seconds(300), seconds(200));
    world.until(seconds(15), |w| w.state(0) == AgentState::Talking);
    assert_eq!((world.caller_hears(), world.seat_hears()), (OTHER_SIDE.to_owned(), OTHER_SIDE.to_owned()));
    world
}

fn no_rtp(leg: rexian::ids::LegId) -> MediaEvent {
    MediaEvent::NoRtp { leg }
}

fn gone(leg: rexian::ids::LegId) -> MediaEvent {
    MediaEvent::PhoneAudio { leg, there: false }
}

fn back(leg: rexian::ids::LegId) -> MediaEvent {
    MediaEvent::PhoneAudio { leg, there: true }
}

/// The caller waits on, and this agent gets no other.
fn is_back_in_line(world: &mut World) {
    assert_eq!(world.story()[..3], BACK_IN_LINE);
    assert_eq!((world.state(0), world.ended()), (UNREACHABLE, None));
    world.restart();
    world.run(seconds(5));
    assert_eq!((world.state(0), world.ended()), (UNREACHABLE, None), "it rings there no more by itself");
    world.caller_leaves();
    world.nothing_is_left();
}

#[test]
fn an_ordinary_call_ends_as_any() {
    let mut world = in_a_call(false);
    world.restart();
    world.run(seconds(60));
    let now = world.now;
    world.phones[0].0.hang_up(now);
    world.run(seconds(1));
    assert_eq!(world.story(), ["queued mandarin line", "answered 6601", "agent_hangup"]);
    assert_eq!(world.state(0), AgentState::Ready);
    world.nothing_is_left();
}

#[test]
fn audio_that_never_comes_about_puts_the_caller_back_in_line() {
    for said in [no_rtp, gone] {
        let mut world = in_a_call(true);
        world.seat_says(said);
        is_back_in_line(&mut world);
    }
}

/// Its library gives up first, and hangs up of itself.
#[test]
fn a_phone_never_heard_that_hangs_up_has_not_ended_the_call() {
    let mut world = in_a_call(true);
    let now = world.now;
    world.phones[0].0.hang_up(now);
    world.run(Duration::from_millis(100));
    is_back_in_line(&mut world);
}

#[test]
fn a_phone_that_falls_silent_is_waited_for() {
    let mut world = in_a_call(false);
    world.seat_says(gone);
    assert_eq!((world.caller_hears(), world.state(0)), ("music".to_owned(), AgentState::Talking));
    world.restart();
    world.run(seconds(19));
    world.seat_says(gone);
    world.seat_says(back);
    assert_eq!((world.caller_hears(), world.seat_hears()), (OTHER_SIDE.to_owned(), OTHER_SIDE.to_owned()));
    world.run(seconds(60));
    assert_eq!((world.caller_hears(), world.state(0)), (OTHER_SIDE.to_owned(), AgentState::Talking));
    world.seat_says(no_rtp);
    assert_eq!(world.caller_hears(), "music", "after a hold, say");
    world.run(seconds(21));
    is_back_in_line(&mut world);
}

#[test]
fn nobody_is_ready_by_a_phone_that_cannot_be_heard() {
    let mut world = World::of_browsers(&[0], plain);
    for (code, cut, state) in
        [("*12", false, AgentState::LoggedOut), ("*11", true, UNREACHABLE), ("*11", false, AgentState::Ready)]
    {
        world.cut = cut;
        let now = world.now;
        world.phones[0].0.dial(now, code);
        world.run(seconds(20));
        assert_eq!(world.state(0), state, "{code}");
    }
    world.nothing_is_left();
}
