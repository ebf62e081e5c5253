//! Seats in browsers: rung in the page, answered by an order; and what becomes of a call whose page goes away.

use crate::dialling::{answer, dials, in_dialog, last, outward};
use crate::world::World;
use rexian::call::Mode;
use rexian::config::settings::CoreSettings;
use rexian::event::{AgentState, CallFact, NotReadyReason};
use rexian::gateway::{AgentOrder, LeaderOrder};
use rexian::ids::{AgentNo, SeatNo};
use rexian::plane::browser::Lost;
use rexian::screen::{AgentScreen, OwnStage, ReachedBy, Stage};
use rexian::sim::ua::AfterRefer;
use std::time::Duration;

const OTHER_SIDE: &str = "the other side";

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn screen(world: &World, agent: &str) -> AgentScreen {
    world.gateway.agent_screen(&AgentNo::new(agent)).expect("on the roster")
}

fn state(world: &World, agent: &str) -> AgentState {
    world.gateway.acd().agent_state(&AgentNo::new(agent)).expect("on the roster")
}

fn plain(core: &mut CoreSettings) {
    outward(core);
    core.queues.iter_mut().for_each(|queue| queue.announce_agent = false);
}

/// 6601 sits at 8001 with a browser and no phone, ready; also the phones of these seats.
fn at_a_page(phones: &[usize]) -> World {
    let mut world = World::of(phones, plain);
    assert_eq!(world.order("6601", AgentOrder::SignIn(SeatNo::new("8001"))), Ok(()));
    assert_eq!(world.order("6601", AgentOrder::Ready), Err("seat_unreachable"));
    world.browser_up("8001");
    assert_eq!(screen(&world, "6601").audio, Some(ReachedBy::Browser));
    assert_eq!(world.order("6601", AgentOrder::Ready), Ok(()));
    world
}

fn in_a_call(phones: &[usize]) -> World {
    let mut world = at_a_page(phones);
    // Who has been idle for longer is out for a moment.
    let others: Vec<String> = phones.iter().map(|n| (6601 + n).to_string()).collect();
    let pause = AgentOrder::NotReady(NotReadyReason::Break);
    others.iter().for_each(|agent| assert_eq!(world.order(agent, pause.clone()), Ok(())));
    world.call(seconds(300), seconds(200));
    world.until(seconds(10), |w| state(w, "6601") == AgentState::Reserved);
    assert_eq!(world.order("6601", AgentOrder::Answer), Ok(()));
    assert_eq!((state(&world, "6601"), world.caller_hears()), (AgentState::Talking, OTHER_SIDE.to_owned()));
    others.iter().for_each(|agent| assert_eq!(world.order(agent, AgentOrder::Ready), Ok(())));
    world
}

#[test]
fn it_rings_in_the_page_and_is_answered_there() {
    let mut world = at_a_page(&[]);
    assert_eq!(world.order("6601", AgentOrder::Answer), Err("no_call"));
    world.call(seconds(60), seconds(20));
    world.until(seconds(10), |w| state(w, "6601") == AgentState::Reserved);
    world.restart();
    world.run(seconds(2));
    assert_eq!(screen(&world, "6601").call.map(|call| call.stage), Some(Stage::Ringing));
    assert_eq!((world.page_hears("8001"), world.tickets.len()), (String::new(), 0));
    assert_eq!(world.order("6601", AgentOrder::Answer), Ok(()));
    assert_eq!(world.page_hears("8001"), OTHER_SIDE);
    assert_eq!((world.caller_hears(), world.tickets.len()), (OTHER_SIDE.to_owned(), 1));
    assert_eq!(world.order("6601", AgentOrder::Answer), Err("no_call"), "it rings no more");
    world.restart();
    world.run(seconds(25));
    assert_eq!(world.story(), ["queued mandarin line", "answered 6601", "caller_hangup"]);
    assert_eq!(state(&world, "6601"), AgentState::Ready);
    world.nothing_is_left();
}

#[test]
fn hanging_up_and_declining_in_the_page() {
    let mut world = in_a_call(&[]);
    assert_eq!(world.order("6601", AgentOrder::HangUp), Ok(()));
    assert_eq!(world.story().last().map(String::as_str), Some("agent_hangup"));
    assert_eq!(world.order("6601", AgentOrder::HangUp), Err("no_call"));
    world.call(seconds(8), seconds(20));
    world.until(seconds(10), |w| state(w, "6601") == AgentState::Reserved);
    assert_eq!(world.order("6601", AgentOrder::HangUp), Ok(()));
    assert_eq!(state(&world, "6601"), AgentState::NotReady(NotReadyReason::Declined));
    world.run(seconds(20));
    world.nothing_is_left();
}

#[test]
fn nobody_answers_in_the_page_and_the_ring_ends() {
    let mut world = at_a_page(&[]);
    world.call(seconds(60), seconds(20));
    world.until(seconds(40), |w| state(w, "6601") == AgentState::NotReady(NotReadyReason::NoAnswer));
    assert_eq!(world.order("6601", AgentOrder::Answer), Err("no_call"));
    // A caller who hangs up while it rings.
    assert_eq!(world.order("6601", AgentOrder::Ready), Ok(()));
    world.until(seconds(5), |w| state(w, "6601") == AgentState::Reserved);
    world.until(seconds(60), |w| w.ended().is_some());
    assert_ne!(state(&world, "6601"), AgentState::Reserved);
    world.nothing_is_left();
}

#[test]
fn hold_by_order_for_page_and_phone_alike() {
    let mut world = in_a_call(&[]);
    let held = |world: &World| world.facts.iter().filter(|fact| matches!(fact, CallFact::Held)).count();
    let resumed = |world: &World| world.facts.iter().filter(|fact| matches!(fact, CallFact::Resumed)).count();
    assert_eq!(world.order("6601", AgentOrder::Hold), Ok(()));
    assert_eq!((world.caller_hears(), world.page_hears("8001")), ("music".to_owned(), "Silence".to_owned()));
    assert_eq!((state(&world, "6601"), held(&world)), (AgentState::Hold, 1));
    assert_eq!(screen(&world, "6601").call.map(|call| call.stage), Some(Stage::Held));
    assert_eq!(world.order("6601", AgentOrder::Hold), Ok(()), "so it is");
    assert_eq!(held(&world), 1);
    world.restart();
    world.run(seconds(30));
    assert_eq!(world.order("6601", AgentOrder::Resume), Ok(()));
    assert_eq!((world.caller_hears(), world.page_hears("8001")), (OTHER_SIDE.to_owned(), OTHER_SIDE.to_owned()));
    assert_eq!((state(&world, "6601"), resumed(&world)), (AgentState::Talking, 1));
    assert_eq!(world.order("6601", AgentOrder::HangUp), Ok(()));
    let hold = world.facts.iter().find_map(|fact| match fact {
        CallFact::Ended { hold, .. } => Some(hold.as_secs()),
        _ => None,
    });
    assert_eq!(hold, Some(30));
    assert_eq!(world.order("6601", AgentOrder::Hold), Err("no_call"));
    world.nothing_is_left();

    let mut world = World::of(&[0], plain);
    world.call(seconds(60), seconds(60));
    world.until(seconds(20), world_talks);
    assert_eq!(world.order("6601", AgentOrder::Hold), Ok(()));
    assert_eq!((world.caller_hears(), world.seat_hears()), ("music".to_owned(), "Silence".to_owned()));
    assert_eq!(world.order("6601", AgentOrder::Resume), Ok(()));
    assert_eq!((world.caller_hears(), world.seat_hears()), (OTHER_SIDE.to_owned(), OTHER_SIDE.to_owned()));
}

fn world_talks(world: &World) -> bool {
    state(world, "6601") == AgentState::Talking
}

#[test]
fn a_reload_in_a_call_keeps_call_and_ticket() {
    for why in [Lost::Closed, Lost::Silent, Lost::Replaced] {
        let mut world = in_a_call(&[]);
        let call = screen(&world, "6601").call.map(|call| call.call);
        world.browser_down("8001", why);
        assert_eq!(world.caller_hears(), "music", "{why:?}");
        assert_eq!(state(&world, "6601"), AgentState::Talking);
        world.restart();
        world.run(seconds(19));
        world.browser_up("8001");
        assert_eq!((world.caller_hears(), world.page_hears("8001")), (OTHER_SIDE.to_owned(), OTHER_SIDE.to_owned()));
        world.run(seconds(60));
        assert_eq!(screen(&world, "6601").call.map(|call| call.call), call);
        assert_eq!(world.order("6601", AgentOrder::HangUp), Ok(()));
        assert_eq!(world.story(), ["queued mandarin line", "answered 6601", "agent_hangup"]);
        assert_eq!((state(&world, "6601"), world.tickets.len()), (AgentState::Ready, 1));
        world.nothing_is_left();
    }
}

#[test]
fn who_is_on_hold_stays_so_over_a_reload() {
    let mut world = in_a_call(&[]);
    assert_eq!(world.order("6601", AgentOrder::Hold), Ok(()));
    world.browser_down("8001", Lost::Closed);
    world.browser_up("8001");
    assert_eq!((world.caller_hears(), world.page_hears("8001")), ("music".to_owned(), "Silence".to_owned()));
    world.browser_down("8001", Lost::Closed);
    assert_eq!(world.order("6601", AgentOrder::Resume), Ok(()));
    assert_eq!(world.caller_hears(), "music", "nobody is there yet");
    world.browser_up("8001");
    assert_eq!(world.caller_hears(), OTHER_SIDE);
}

#[test]
fn a_page_that_does_not_come_back_puts_the_caller_back_in_line() {
    let mut world = in_a_call(&[1]);
    world.browser_down("8001", Lost::Silent);
    world.run(seconds(19));
    assert_eq!(state(&world, "6601"), AgentState::Talking);
    world.until(seconds(10), |w| w.story().contains(&"answered 6601".to_owned()) && w.caller_hears() == OTHER_SIDE);
    assert_eq!(
        world.story(),
        ["queued mandarin line", "answered 6601", "transferred 6601", "moved mandarin seat_lost", "taken over 6602"]
    );
    assert_eq!(state(&world, "6601"), AgentState::NotReady(NotReadyReason::Unreachable));
    assert_eq!(world.tickets.len(), 1, "the same ticket");
    world.browser_up("8001");
    assert_eq!(state(&world, "6601"), AgentState::Ready);
}

#[test]
fn an_idle_seat_whose_page_goes_is_not_ready_until_it_is_back() {
    let mut world = at_a_page(&[]);
    world.browser_down("8001", Lost::Replaced);
    assert_eq!(state(&world, "6601"), AgentState::Ready, "a page that reloads is not gone");
    world.browser_up("8001");
    world.browser_down("8001", Lost::Replaced);
    world.browser_down("8001", Lost::NeverConnected);
    assert_eq!(state(&world, "6601"), AgentState::NotReady(NotReadyReason::Unreachable));
    assert_eq!((screen(&world, "6601").audio, screen(&world, "6601").reachable), (None, false));
    world.restart();
    world.browser_up("8001");
    assert_eq!(state(&world, "6601"), AgentState::Ready);
    for why in [Lost::Closed, Lost::Silent, Lost::Broken] {
        world.browser_down("8001", why);
        assert_eq!(state(&world, "6601"), AgentState::NotReady(NotReadyReason::Unreachable), "{why:?}");
        assert_eq!(world.order("6601", AgentOrder::Ready), Err("seat_unreachable"));
        world.browser_up("8001");
        assert_eq!(state(&world, "6601"), AgentState::Ready);
    }
}

#[test]
fn an_offer_in_a_page_that_goes_fails_and_rings_elsewhere() {
    let mut world = at_a_page(&[]);
    world.call(seconds(60), seconds(20));
    world.until(seconds(10), |w| state(w, "6601") == AgentState::Reserved);
    world.browser_down("8001", Lost::Replaced);
    world.browser_up("8001");
    assert_eq!(state(&world, "6601"), AgentState::Reserved, "a page that reloads goes on ringing");
    world.browser_down("8001", Lost::Closed);
    assert_eq!(state(&world, "6601"), AgentState::NotReady(NotReadyReason::Unreachable));
    world.browser_up("8001");
    world.until(seconds(5), |w| state(w, "6601") == AgentState::Reserved);
    assert_eq!(world.order("6601", AgentOrder::Answer), Ok(()));
    world.run(seconds(30));
    world.nothing_is_left();
}

#[test]
fn a_seat_with_both_is_rung_in_the_browser_and_stays_reachable_by_phone() {
    let mut world = World::of(&[0], plain);
    assert_eq!(screen(&world, "6601").audio, Some(ReachedBy::Phone));
    world.browser_up("8001");
    assert_eq!(screen(&world, "6601").audio, Some(ReachedBy::Browser));
    let rung = world.to_others.len();
    world.call(seconds(60), seconds(10));
    world.until(seconds(10), |w| state(w, "6601") == AgentState::Reserved);
    world.run(seconds(5));
    assert_eq!(world.to_others.len(), rung, "the phone is silent");
    assert_eq!(world.order("6601", AgentOrder::Answer), Ok(()));
    world.run(seconds(15));
    world.browser_down("8001", Lost::Silent);
    assert_eq!((state(&world, "6601"), screen(&world, "6601").audio), (AgentState::Ready, Some(ReachedBy::Phone)));
    world.call(seconds(60), seconds(10));
    world.until(seconds(10), |w| state(w, "6601") == AgentState::Reserved);
    assert_eq!(world.order("6601", AgentOrder::Answer), Err("answer_on_phone"));
    world.until(seconds(10), |w| state(w, "6601") == AgentState::Talking);
    // The phone goes while the browser is there: the seat is not lost.
    world.until(seconds(30), |w| state(w, "6601") == AgentState::Ready);
    world.browser_up("8001");
    world.connection_breaks(0);
    assert_eq!((state(&world, "6601"), screen(&world, "6601").audio), (AgentState::Ready, Some(ReachedBy::Browser)));
    world.nothing_is_left();
}

fn own(world: &World, agent: &str) -> Option<(String, bool, OwnStage)> {
    screen(world, agent).own.map(|own| (own.to.unwrap_or_default(), own.incoming, own.stage))
}

#[test]
fn an_agent_dials_on_the_page_as_on_a_phone() {
    let mut world = at_a_page(&[]);
    let dial = |number: &str| AgentOrder::Dial(number.to_owned());
    for number in ["", "abc", "12345", "*12", "13800138000;x=y", "00861", "4711"] {
        assert_eq!(world.order("6601", dial(number)), Err("not_in_plan"), "{number}");
    }
    assert_eq!(world.order("6601", dial("8001")), Err("busy"), "oneself");
    world.facts.clear();
    assert_eq!(world.order("6601", dial("13812345678")), Ok(()));
    let invite = last(&world.outside, "INVITE").clone();
    assert!(invite.starts_with("INVITE sip:13812345678@127.0.0.1:7070"), "{invite}");
    let to = "+8613812345678".to_owned();
    assert_eq!(own(&world, "6601"), Some((to.clone(), false, OwnStage::Calling)));
    assert_eq!(state(&world, "6601"), AgentState::Engaged);
    assert_eq!(world.order("6601", dial("13812345678")), Err("in_call"));
    world.outside_says(&answer(&invite, "180 Ringing", "", false));
    assert_eq!(world.page_hears("8001"), "RingBack");
    world.restart();
    world.outside_says(&answer(&invite, "200 OK", "", true));
    assert_eq!((world.page_hears("8001"), world.talking_legs()), (OTHER_SIDE.to_owned(), 2));
    assert_eq!(own(&world, "6601"), Some((to, false, OwnStage::Talking)));
    // A page that reloads finds this call again as well; meanwhile the other side hears what a caller would.
    world.browser_down("8001", Lost::Closed);
    assert_eq!(world.heard_by_last(), "music");
    world.run(seconds(5));
    world.browser_up("8001");
    assert_eq!((world.page_hears("8001"), world.heard_by_last()), (OTHER_SIDE.to_owned(), OTHER_SIDE.to_owned()));
    world.run(seconds(10));
    assert_eq!(world.order("6601", AgentOrder::HangUp), Ok(()));
    let bye = last(&world.outside, "BYE").clone();
    world.outside_says(&answer(&bye, "200 OK", "", false));
    assert_eq!(world.story(), ["8001 6601 dialled +8613812345678", "reached", "agent_hangup"]);
    assert_eq!((state(&world, "6601"), own(&world, "6601")), (AgentState::Ready, None));
    // Busy there.
    assert_eq!(world.order("6601", dial("13812345678")), Ok(()));
    let invite = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&invite, "486 Busy Here", "", false));
    let vain = screen(&world, "6601").dialled_in_vain.map(|vain| (vain.to, vain.status));
    assert_eq!((vain, own(&world, "6601")), (Some(("+8613812345678".to_owned(), 486)), None));
    // The other side hangs up.
    assert_eq!(world.order("6601", dial("12330")), Ok(()));
    let invite = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&invite, "200 OK", "", true));
    assert_eq!(screen(&world, "6601").dialled_in_vain, None);
    world.outside_says(&in_dialog(&invite, "BYE", 1));
    assert_eq!(state(&world, "6601"), AgentState::Ready);
    world.nothing_is_left();
    let mut world = World::of(&[0], plain);
    assert_eq!(world.order("6601", dial("13812345678")), Err("dial_on_phone"));
    assert_eq!(world.order("6602", dial("13812345678")), Err("not_signed_in"));
}

/// Whichever of two pages is gone, the other hears music, and not for longer than a caller would.
#[test]
fn colleagues_at_their_pages_wait_for_one_another() {
    for gone in ["8001", "8003"] {
        let mut world = at_a_page(&[]);
        assert_eq!(world.order("6603", AgentOrder::SignIn(SeatNo::new("8003"))), Ok(()));
        world.browser_up("8003");
        world.facts.clear();
        assert_eq!(world.order("6601", AgentOrder::Dial("8003".into())), Ok(()));
        assert_eq!(world.order("6603", AgentOrder::Answer), Ok(()));
        let other = if gone == "8001" { "8003" } else { "8001" };
        world.browser_down(gone, Lost::Silent);
        assert_eq!(world.page_hears(other), "music", "{gone}");
        world.restart();
        world.browser_up(gone);
        assert_eq!(world.page_hears(other), OTHER_SIDE, "{gone}");
        world.browser_down(gone, Lost::Silent);
        world.run(seconds(19));
        assert_eq!((world.page_hears(other).as_str(), world.ended()), ("music", None), "{gone}");
        world.run(seconds(2));
        assert!(world.ended().is_some(), "{gone}");
        assert_eq!((own(&world, "6601"), own(&world, "6603")), (None, None));
        world.nothing_is_left();
    }
}

#[test]
fn who_dials_while_it_rings_is_on_the_phone() {
    let mut world = at_a_page(&[]);
    world.call(seconds(60), seconds(10));
    world.until(seconds(10), |w| state(w, "6601") == AgentState::Reserved);
    assert_eq!(world.order("6601", AgentOrder::Dial("12330".into())), Ok(()));
    assert_eq!(state(&world, "6601"), AgentState::Engaged);
    assert_eq!(world.order("6601", AgentOrder::Answer), Err("no_call"));
    assert_eq!(world.order("6601", AgentOrder::HangUp), Ok(()));
    let cancelled = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&cancelled, "487 Request Terminated", "", false));
    world.until(seconds(5), |w| state(w, "6601") == AgentState::Reserved);
    assert_eq!(world.order("6601", AgentOrder::Answer), Ok(()));
    world.run(seconds(15));
    world.nothing_is_left();
}

#[test]
fn a_colleague_rings_in_the_page() {
    let mut world = at_a_page(&[1]);
    dials(&mut world, 0, "8001", 30);
    assert_eq!(own(&world, "6601"), Some(("8002".to_owned(), true, OwnStage::Ringing)));
    assert_eq!(state(&world, "6601"), AgentState::Engaged);
    assert_eq!(world.order("6601", AgentOrder::Answer), Ok(()));
    assert_eq!((world.page_hears("8001"), world.talking_legs()), (OTHER_SIDE.to_owned(), 2));
    assert_eq!(own(&world, "6601"), Some(("8002".to_owned(), true, OwnStage::Talking)));
    assert_eq!(world.order("6601", AgentOrder::HangUp), Ok(()));
    assert_eq!((state(&world, "6601"), own(&world, "6601")), (AgentState::Ready, None));
    world.run(seconds(10));
    dials(&mut world, 0, "8001", 30);
    assert_eq!(world.order("6601", AgentOrder::HangUp), Ok(()), "declined");
    assert_eq!(state(&world, "6601"), AgentState::Ready);
    world.run(seconds(10));
    world.nothing_is_left();
}

#[test]
fn a_call_passed_on_to_a_page_becomes_its_agents() {
    let mut world = at_a_page(&[1]);
    assert_eq!(world.order("6601", AgentOrder::NotReady(NotReadyReason::Break)), Ok(()));
    world.call(seconds(90), seconds(60));
    world.until(seconds(20), |w| state(w, "6602") == AgentState::Talking);
    let now = world.now;
    world.phones[0].0.refer(now, "8001", AfterRefer::Waits);
    world.run(seconds(1));
    assert_eq!(own(&world, "6601"), Some(("+8653187654321".to_owned(), true, OwnStage::Ringing)));
    assert_eq!(world.order("6601", AgentOrder::Answer), Ok(()));
    assert_eq!((state(&world, "6601"), world.caller_hears()), (AgentState::Talking, OTHER_SIDE.to_owned()));
    assert_eq!((screen(&world, "6601").call.map(|call| call.stage), own(&world, "6601")), (Some(Stage::Talking), None));
    assert_eq!((world.order("6601", AgentOrder::Hold), world.caller_hears()), (Ok(()), "music".to_owned()));
    world.run(seconds(60));
    world.nothing_is_left();
}

#[test]
fn an_agent_tries_the_headset_until_a_call_comes() {
    let mut world = at_a_page(&[]);
    assert_eq!(world.order("6601", AgentOrder::EndTestCall), Err("no_call"));
    assert_eq!(world.order("6601", AgentOrder::TestCall), Ok(()));
    assert_eq!(world.page_hears("8001"), format!("beep-ok>{OTHER_SIDE}"));
    assert!(screen(&world, "6601").test_call);
    assert_eq!(state(&world, "6601"), AgentState::Ready, "it costs no call");
    assert_eq!(world.order("6601", AgentOrder::EndTestCall), Ok(()));
    assert_eq!((world.page_hears("8001"), screen(&world, "6601").test_call), (String::new(), false));
    assert_eq!(world.order("6601", AgentOrder::TestCall), Ok(()));
    assert_eq!(world.order("6601", AgentOrder::TestCall), Ok(()), "once more, from the beep");
    assert_eq!(world.order("6601", AgentOrder::HangUp), Ok(()));
    assert_eq!(world.order("6601", AgentOrder::TestCall), Ok(()));
    world.restart();
    world.run(seconds(61));
    assert_eq!(world.page_hears("8001"), "", "not for ever");
    assert_eq!(world.order("6601", AgentOrder::TestCall), Ok(()));
    world.call(seconds(60), seconds(20));
    world.until(seconds(10), |w| state(w, "6601") == AgentState::Reserved);
    assert!(!screen(&world, "6601").test_call);
    assert_eq!(world.order("6601", AgentOrder::TestCall), Err("in_call"));
    assert_eq!(world.order("6601", AgentOrder::Answer), Ok(()));
    assert_eq!(world.order("6601", AgentOrder::TestCall), Err("in_call"));
    world.run(seconds(30));
    world.browser_down("8001", Lost::Closed);
    assert_eq!(world.order("6601", AgentOrder::TestCall), Err("no_browser"));
    world.nothing_is_left();
}

#[test]
fn who_is_asked_by_a_colleague_first_answers_or_declines() {
    let mut world = in_a_call(&[1]);
    assert_eq!(world.order("6602", AgentOrder::NotReady(NotReadyReason::Break)), Ok(()));
    assert_eq!(world.order("6603", AgentOrder::SignIn(SeatNo::new("8003"))), Ok(()));
    world.browser_up("8003");
    assert_eq!(world.order("6601", AgentOrder::Consult("8003".into())), Ok(()));
    // One browser has one call.
    assert_eq!(world.order("6603", AgentOrder::Dial("8002".into())), Err("in_call"));
    assert_eq!(world.order("6603", AgentOrder::Answer), Ok(()));
    assert_eq!(world.order("6601", AgentOrder::Transfer(Some("8002".into()))), Err("not_now"), "not to 8003");
    // Handed to a page that is gone for a moment: music, not silence.
    world.browser_down("8003", Lost::Silent);
    assert_eq!(world.order("6601", AgentOrder::Transfer(None)), Ok(()));
    assert_eq!(world.caller_hears(), "music");
    world.browser_up("8003");
    assert_eq!(world.caller_hears(), OTHER_SIDE);
}

#[test]
fn a_colleague_is_consulted_in_the_page_and_gets_the_caller() {
    let mut world = in_a_call(&[1]);
    assert_eq!(world.order("6602", AgentOrder::NotReady(NotReadyReason::Break)), Ok(()));
    // 6603 has a page too.
    assert_eq!(world.order("6603", AgentOrder::SignIn(SeatNo::new("8003"))), Ok(()));
    world.browser_up("8003");
    assert_eq!(world.order("6601", AgentOrder::Consult("8003".into())), Ok(()));
    assert_eq!(own(&world, "6603"), Some(("8001".to_owned(), true, OwnStage::Ringing)));
    world.restart();
    assert_eq!(world.order("6603", AgentOrder::Answer), Ok(()));
    assert_eq!(own(&world, "6603"), Some(("8001".to_owned(), true, OwnStage::Talking)));
    assert_eq!((world.page_hears("8003"), world.page_hears("8001")), (OTHER_SIDE.to_owned(), OTHER_SIDE.to_owned()));
    // Both pages reload; the caller hears music all the while.
    for seat in ["8001", "8003"] {
        world.browser_down(seat, Lost::Closed);
        world.browser_up(seat);
    }
    assert_eq!(world.caller_hears(), "music");
    assert_eq!(world.order("6601", AgentOrder::Transfer(None)), Ok(()));
    assert_eq!((state(&world, "6603"), own(&world, "6603")), (AgentState::Talking, None));
    assert_eq!((world.caller_hears(), world.tickets.len()), (OTHER_SIDE.to_owned(), 1));
    assert_eq!(world.order("6603", AgentOrder::HangUp), Ok(()));
    world.nothing_is_left();
}

/// 6601 talks at 8001, and 6603, who leads, listens at 8003.
fn listened_to() -> World {
    let mut world = World::of(&[], |core| {
        plain(core);
        core.agents[2].leader = true;
    });
    for (agent, seat) in [("6601", "8001"), ("6603", "8003")] {
        assert_eq!(world.order(agent, AgentOrder::SignIn(SeatNo::new(seat))), Ok(()));
        world.browser_up(seat);
    }
    assert_eq!(world.order("6601", AgentOrder::Ready), Ok(()));
    world.call(seconds(300), seconds(200));
    world.until(seconds(10), |w| state(w, "6601") == AgentState::Reserved);
    assert_eq!(world.order("6601", AgentOrder::Answer), Ok(()));
    assert_eq!(world.order("6603", AgentOrder::Lead(LeaderOrder::Listen("6601".into()))), Ok(()));
    assert_eq!(world.page_hears("8003"), "2 others");
    world
}

#[test]
fn a_leader_listens_at_the_page_without_picking_up() {
    let mut world = listened_to();
    assert_eq!(world.order("6603", AgentOrder::Lead(LeaderOrder::EndListening)), Ok(()));
    assert_eq!((world.page_hears("8003"), world.caller_hears()), (String::new(), OTHER_SIDE.to_owned()));
}

#[test]
fn who_sits_down_after_a_leader_hears_nothing_of_what_the_leader_heard() {
    let mut world = listened_to();
    assert_eq!(world.order("6603", AgentOrder::SignOut), Ok(()));
    world.browser_down("8003", Lost::Closed);
    assert_eq!(world.order("6602", AgentOrder::SignIn(SeatNo::new("8003"))), Ok(()));
    world.browser_up("8003");
    assert_eq!((world.page_hears("8003"), world.caller_hears()), (String::new(), OTHER_SIDE.to_owned()));
}

#[test]
fn a_leaders_page_that_dies_is_off_the_call_and_nobody_else_notices() {
    let mut world = listened_to();
    assert_eq!(world.order("6603", AgentOrder::Lead(LeaderOrder::Speak(Mode::Whisper))), Ok(()));
    assert_eq!(world.page_hears("8001"), "2 others");
    world.browser_down("8003", Lost::Silent);
    assert_eq!((world.page_hears("8001"), world.caller_hears()), (OTHER_SIDE.to_owned(), OTHER_SIDE.to_owned()));
    assert!(screen(&world, "6603").listening.is_some(), "may come back");
    world.restart();
    world.browser_up("8003");
    assert_eq!((world.page_hears("8003"), world.page_hears("8001")), ("2 others".to_owned(), "2 others".to_owned()));
    world.browser_down("8003", Lost::Silent);
    world.run(seconds(21));
    assert_eq!((screen(&world, "6603").listening, screen(&world, "6603").own), (None, None));
    assert!(world.gateway.floor().agents.iter().all(|agent| agent.listened_by.is_none()));
    assert_eq!(world.story().last().map(String::as_str), Some("6603 left"));
    assert_eq!((world.page_hears("8001"), state(&world, "6601")), (OTHER_SIDE.to_owned(), AgentState::Talking));
}

/// A page that has begun anew shows its call, and takes a click, before it is heard: music meanwhile, and not for ever.
#[test]
fn who_picks_up_before_the_page_is_heard_leaves_nobody_in_silence() {
    for comes in [true, false] {
        let mut world = at_a_page(&[1]);
        assert_eq!(world.order("6602", AgentOrder::NotReady(NotReadyReason::Break)), Ok(()));
        world.call(seconds(300), seconds(200));
        world.until(seconds(10), |w| state(w, "6601") == AgentState::Reserved);
        world.browser_down("8001", Lost::Replaced);
        world.run(seconds(2));
        assert_eq!(world.order("6601", AgentOrder::Answer), Ok(()));
        assert_eq!((world.caller_hears(), world.tickets.len()), ("music".to_owned(), 1));
        world.restart();
        if comes {
            world.browser_up("8001");
            assert_eq!((world.caller_hears(), world.page_hears("8001")), (OTHER_SIDE.into(), OTHER_SIDE.into()));
            assert_eq!(world.order("6601", AgentOrder::HangUp), Ok(()));
        } else {
            world.browser_down("8001", Lost::NeverConnected);
            world.run(seconds(17));
            assert_eq!(state(&world, "6601"), AgentState::Talking);
            world.run(seconds(2));
            assert_eq!(state(&world, "6601"), AgentState::NotReady(NotReadyReason::Unreachable));
            assert_eq!(world.order("6602", AgentOrder::Ready), Ok(()));
            world.until(seconds(10), |w| state(w, "6602") == AgentState::Talking);
            world.until(seconds(250), |w| w.ended().is_some());
        }
        world.nothing_is_left();
    }
    // The same of a call of one's own.
    let mut world = at_a_page(&[]);
    world.browser_down("8001", Lost::Replaced);
    assert_eq!(world.order("6601", AgentOrder::Dial("13812345678".into())), Ok(()));
    let invite = last(&world.outside, "INVITE").clone();
    world.outside_says(&answer(&invite, "200 OK", "", true));
    assert_eq!(world.heard_by_last(), "music");
    world.browser_up("8001");
    assert_eq!(world.heard_by_last(), OTHER_SIDE);
}
