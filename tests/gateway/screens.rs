//! What an agent's screen shows and orders: every state whole, every order answered.

use crate::way::city;
use crate::world::World;
use rexian::event::{AgentState, CallFact, EndCause, NotReadyReason};
use rexian::gateway::AgentOrder;
use rexian::ids::{AgentNo, QueueName, SeatNo};
use rexian::screen::{AgentScreen, Stage};
use std::time::Duration;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn screen(world: &World, agent: &str) -> AgentScreen {
    world.gateway.agent_screen(&AgentNo::new(agent)).expect("on the roster")
}

#[test]
fn a_screen_shows_the_call_from_the_ring_to_the_end_of_the_wrap_up() {
    let mut world = World::of(&[0], city);
    let idle = screen(&world, "6601");
    assert_eq!((idle.doing.state, idle.call.is_none(), idle.reachable), ("ready", true, true));
    world.call(seconds(60), seconds(20));
    world.until(seconds(10), |w| w.state(0) == AgentState::Reserved);
    let rings = screen(&world, "6601");
    let call = rings.call.expect("the call that rings");
    assert_eq!((call.stage, call.caller.as_deref(), call.withheld), (Stage::Ringing, Some("+8653187654321"), false));
    assert_eq!((call.queue.as_str(), call.path.as_str()), ("mandarin", "line city: mandarin"));
    assert!(rings.doing.until.is_some_and(|until| until > world.now), "the ring has an end: {:?}", rings.doing);
    world.until(seconds(10), |w| w.state(0) == AgentState::Talking);
    let talks = screen(&world, "6601").call.expect("the call in hand");
    assert_eq!((talks.stage, talks.call, talks.answered.is_some()), (Stage::Talking, call.call, true));
    world.until(seconds(60), |w| w.state(0) == AgentState::WrapUp);
    let wraps = screen(&world, "6601");
    assert_eq!((wraps.call, wraps.serving, wraps.doing.state), (None, Some(call.call), "wrap_up"));
    let until = wraps.doing.until.expect("an end");
    assert_eq!(world.order("6601", AgentOrder::ExtendWrapUp), Ok(()));
    assert!(screen(&world, "6601").doing.until.is_some_and(|later| later > until));
    assert_eq!(world.order("6601", AgentOrder::Ready), Ok(()));
    assert_eq!(screen(&world, "6601").doing.state, "ready");
    assert_eq!(world.order("6601", AgentOrder::ExtendWrapUp), Err("not_in_wrap_up"));
}

#[test]
fn a_wish_in_a_call_is_shown_until_it_comes_true() {
    let mut world = World::of(&[0], city);
    world.call(seconds(60), seconds(20));
    world.until(seconds(20), |w| w.state(0) == AgentState::Talking);
    assert_eq!(world.order("6601", AgentOrder::NotReady(NotReadyReason::Break)), Ok(()));
    let talks = screen(&world, "6601").doing;
    assert_eq!((talks.state, talks.then), ("talking", Some("not_ready")));
    world.until(seconds(60), |w| w.state(0) == AgentState::NotReady(NotReadyReason::Break));
    assert_eq!(screen(&world, "6601").doing.reason, Some("break"));
}

#[test]
fn hanging_up_ends_the_call_and_declining_leaves_the_caller_in_line() {
    let mut world = World::of(&[0, 1], city);
    world.call(seconds(90), seconds(60));
    world.until(seconds(10), |w| w.state(0) == AgentState::Reserved || w.state(1) == AgentState::Reserved);
    let (first, second) = if world.state(0) == AgentState::Reserved { (0, 1) } else { (1, 0) };
    let numbers = ["6601", "6602"];
    assert_eq!(world.order(numbers[first], AgentOrder::HangUp), Ok(()));
    assert_eq!(world.state(first), AgentState::NotReady(NotReadyReason::Declined));
    world.until(seconds(20), |w| w.state(second) == AgentState::Talking);
    world.run(seconds(5));
    assert_eq!(world.order(numbers[second], AgentOrder::HangUp), Ok(()));
    world.until(seconds(5), |w| w.ended().is_some());
    let cause = world.facts.iter().find_map(|fact| match fact {
        CallFact::Ended { cause, .. } => Some(*cause),
        _ => None,
    });
    assert_eq!(cause, Some(EndCause::AgentHangUp));
    assert_eq!(world.state(second), AgentState::WrapUp);
    assert_eq!(world.order(numbers[second], AgentOrder::HangUp), Err("no_call"));
    world.nothing_is_left();
}

#[test]
fn a_page_signs_in_where_a_phone_is_and_nobody_is_ready_without_one() {
    let mut world = World::of(&[0], city);
    assert_eq!(world.order("6602", AgentOrder::SignIn(SeatNo::new("9999"))), Err("unknown_seat"));
    let here = screen(&world, "6601").seat.expect("signed in");
    assert_eq!(world.order("6602", AgentOrder::SignIn(here.clone())), Err("seat_taken"));
    // A seat whose phone is not registered.
    let other = world.gateway.settings().seats.iter().map(|seat| seat.number.clone()).find(|seat| *seat != here);
    assert_eq!(world.order("6602", AgentOrder::SignIn(other.expect("a second seat"))), Ok(()));
    assert!(!screen(&world, "6602").reachable);
    assert_eq!(world.order("6602", AgentOrder::Ready), Err("seat_unreachable"));
    assert_eq!(world.order("6601", AgentOrder::SignOut), Ok(()));
    assert_eq!(world.order("6602", AgentOrder::SignOut), Ok(()));
    assert_eq!(world.order("6602", AgentOrder::SignIn(here)), Ok(()));
    assert_eq!(world.order("6602", AgentOrder::Ready), Ok(()));
    assert_eq!(screen(&world, "6602").doing.state, "ready");
    assert_eq!(world.order("4711", AgentOrder::Ready), Err("unknown_agent"));
}

#[test]
fn a_caller_passed_on_into_a_queue_keeps_the_place() {
    let mut world = World::of(&[0, 5], city);
    world.call(seconds(100), seconds(40));
    world.until(seconds(20), |w| w.state(0) == AgentState::Talking || w.state(1) == AgentState::Talking);
    let who = if world.state(0) == AgentState::Talking { "6601" } else { "6606" };
    assert_eq!(world.order(who, AgentOrder::ToQueue(QueueName::new("nowhere"))), Err("unknown_queue"));
    assert_eq!(world.order(who, AgentOrder::ToQueue(QueueName::new("english"))), Ok(()));
    assert!(world.story().contains(&format!("transferred {who}")), "{:?}", world.story());
    assert_eq!(screen(&world, who).doing.state, "wrap_up");
}

#[test]
fn only_queues_of_the_agents_skills_are_shown() {
    let world = World::of(&[0], city);
    let names: Vec<_> = screen(&world, "6601").queues.iter().map(|queue| queue.name.to_string()).collect();
    assert!(names.contains(&"mandarin".to_owned()), "{names:?}");
    let all = world.gateway.acd().queues().count();
    assert!(names.len() < all, "{names:?} of {all}");
}
