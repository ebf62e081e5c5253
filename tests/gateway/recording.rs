//! When conversations are recorded: with each agent anew, never while the citizen is on hold or in a line.

use crate::consulting::answers;
use crate::referring;
use crate::transfer::in_conversation;
use rexian::event::{AgentState, CallFact};
use rexian::gateway::{AgentOrder, Input};
use rexian::plane::MediaEvent;
use rexian::plane::recording::Recording;
use std::time::Duration;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn each_agent_and_each_part_between_holds_is_a_recording_of_its_own() {
    let mut world = in_conversation(&[0, 5], 60, |core| core.recording = true);
    assert_eq!(world.recorded, ["1"]);
    assert_eq!(world.order("6601", AgentOrder::Hold), Ok(()));
    world.run(seconds(2));
    world.restart();
    assert_eq!(world.order("6601", AgentOrder::Resume), Ok(()));
    assert_eq!(world.recorded, ["1", "end", "2"]);
    world.seat_presses("*2");
    world.until(seconds(10), |w| w.state(1) == AgentState::Talking);
    assert_eq!(world.recorded, ["1", "end", "2", "end", "3"]);
    world.until(seconds(90), |w| w.ended().is_some());
    // The end of the caller's leg is the last one's.
    assert!(matches!(&world.recorded[5..], [] | [_]), "{:?}", world.recorded);
    // What the media plane makes of it comes later, and is one more fact.
    let call = world.last_call();
    let (from, to) = (world.now, world.now + seconds(3));
    let (file, sha256) = ("2026-11-22/x.wav".into(), "ab".into());
    let recording = Recording { segment: 3, file, sha256, ms: 3_000, from, to, complete: true, missing_ms: 0 };
    world.feed(Input::Media(MediaEvent::Recorded { call, recording: recording.clone() }));
    assert_eq!(world.facts.last(), Some(&CallFact::Recorded(recording)));
    world.nothing_is_left();
}

/// What is said behind the citizen's back is nobody's recording; what the citizen hears is, whoever says it.
#[test]
fn a_consultation_is_not_recorded_and_a_three_way_call_is() {
    let mut world = referring::in_conversation(&[0], 60, |core| core.recording = true);
    assert_eq!(world.order("6601", AgentOrder::Consult("12330".into())), Ok(()));
    world.run(seconds(2));
    answers(&mut world);
    world.run(seconds(2));
    assert_eq!(world.recorded, ["1", "end"]);
    assert_eq!(world.order("6601", AgentOrder::ThreeWay), Ok(()));
    assert_eq!(world.recorded, ["1", "end", "2"]);
    let heard = world.caller_hears();
    assert!(heard.ends_with("2 others"), "what is on the right: {heard}");
    world.until(seconds(90), |w| w.ended().is_some());
    assert!(matches!(&world.recorded[3..], [] | [_]), "{:?}", world.recorded);
    world.nothing_is_left();
}

/// One file, from the citizen's first word to the last of 110.
#[test]
fn a_call_for_the_police_is_recorded_through() {
    let mut world = referring::in_conversation(&[0], 60, |core| core.recording = true);
    assert_eq!(world.order("6601", AgentOrder::Emergency), Ok(()));
    world.run(seconds(2));
    answers(&mut world);
    world.run(seconds(5));
    assert!(world.caller_hears().ends_with("2 others"));
    assert_eq!(world.recorded, ["1"]);
}

#[test]
fn nothing_is_recorded_unless_it_is_wanted() {
    let mut world = in_conversation(&[0], 10, |_| {});
    world.until(seconds(60), |w| w.ended().is_some());
    assert!(world.recorded.is_empty());
}
