//! What the simulated days do not have: connections that break while a seat rings, the same INVITE by two paths, waiting
//! longer than a proxy's patience, floods.

use crate::referring::{in_conversation, passes_on, told};
use crate::world::{World, caller_flow, invite};
use rexian::config::settings::AnswerMode;
use rexian::event::{AgentState, CallFact, EndCause, NotReadyReason, OfferEnd};
use rexian::gateway::{Input, Leftovers};
use rexian::sim::ua::{AfterRefer, Plan, Reaction, UaFact, UaOutput};
use rexian::sip::flow::Flow;
use std::time::Duration;

#[test]
fn a_connection_lost_while_ringing_moves_the_call_and_harms_nobody_else() {
    for phones in [2, 3] {
        let mut world = World::new(phones, |_| {});
        world.call(Duration::from_secs(120), Duration::from_secs(20));
        world.until(Duration::from_secs(2), |w| w.facts.iter().any(|f| matches!(f, CallFact::Offered { .. })));
        let first = (0..phones).find(|&n| world.state(n) == AgentState::Reserved).expect("somebody rings");
        world.connection_breaks(first);
        assert_eq!(world.state(first), AgentState::NotReady(NotReadyReason::Unreachable));
        let second = (0..phones).find(|&n| world.state(n) == AgentState::Reserved).expect("the next one rings at once");
        world.until(Duration::from_secs(10), |w| w.state(second) == AgentState::Talking);
        let ended =
            |why| world.facts.iter().filter(|f| matches!(f, CallFact::OfferEnded { why: w, .. } if *w == why)).count();
        assert_eq!((ended(OfferEnd::Withdrawn) + ended(OfferEnd::Unreachable), ended(OfferEnd::NoAnswer)), (1, 0));
        world.until(Duration::from_secs(40), |w| w.ended().is_some());
        assert_eq!(world.ended(), Some(EndCause::CallerHangUp));
        assert_eq!(world.state(second), AgentState::WrapUp);
        for n in (0..phones).filter(|n| *n != first && *n != second) {
            assert_eq!(world.state(n), AgentState::Ready, "agent {n} had nothing to do with it");
        }
        world.nothing_is_left();
    }
}

#[test]
fn a_phone_that_starts_anew_is_reachable_again() {
    let mut world = World::new(1, |_| {});
    world.connection_breaks(0);
    assert_eq!(world.state(0), AgentState::NotReady(NotReadyReason::Unreachable));
    world.phones[0].1.connection = 77;
    let now = world.now;
    world.phones[0].0.power_on(now);
    world.until(Duration::from_secs(5), |w| w.state(0) == AgentState::Ready);
}

#[test]
fn the_same_invite_by_another_path_is_the_same_call() {
    let mut world = World::new(0, |_| {});
    world.call(Duration::from_secs(30), Duration::from_secs(1));
    let mut first = None;
    let (caller, _) = world.caller.as_mut().unwrap();
    while let Some(output) = caller.poll() {
        if let UaOutput::Send(bytes) = output {
            first = Some(bytes);
        }
    }
    let invite = String::from_utf8(first.expect("an INVITE")).unwrap();
    world.feed(Input::Message { flow: caller_flow(), bytes: invite.as_bytes() });
    let fork = invite.replacen("branch=z9hG4bK", "branch=z9hG4bKother", 1);
    assert_ne!(fork, invite);
    world.feed(Input::Message { flow: caller_flow(), bytes: fork.as_bytes() });
    assert_eq!(world.gateway.calls(), 1);
    assert_eq!(world.to_caller.iter().filter(|m| m.starts_with("SIP/2.0 482")).count(), 1);
}

#[test]
fn early_media_is_announced_again_every_minute() {
    let mut world = World::new(0, |core| core.trunks[0].profile.answer = AnswerMode::OnPickup);
    world.call(Duration::from_secs(200), Duration::from_secs(1));
    world.run(Duration::from_secs(190));
    // At once, then after 60, 120 and 180 s: no proxy loses patience (RFC 3261 s13.3.1.1, s16.6 timer C).
    assert_eq!(world.to_caller.iter().filter(|m| m.starts_with("SIP/2.0 183")).count(), 4);
    world.until(Duration::from_secs(30), |w| w.ended().is_some());
    assert_eq!(world.ended(), Some(EndCause::AbandonedInQueue));
    world.nothing_is_left();
}

#[test]
fn an_agent_whose_phone_never_stops_ringing_is_not_offered_the_next_call() {
    let mut world = World::new(1, |_| {});
    world.phones[0].0.set_plan(Plan { reaction: Reaction::Silent, hold: None, hang_up_after: None });
    world.call(Duration::from_secs(6), Duration::from_secs(1));
    world.until(Duration::from_secs(10), |w| w.ended().is_some());
    assert_eq!(world.state(0), AgentState::Reserved, "its phone may still ring");
    world.run(Duration::from_secs(6));
    assert_eq!(world.state(0), AgentState::NotReady(NotReadyReason::Unreachable));
    world.nothing_is_left();
}

#[test]
fn of_two_feature_codes_dialled_together_the_last_counts() {
    let mut world = World::new(1, |_| {});
    let now = world.now;
    world.phones[0].0.dial(now, "*13");
    world.phones[0].0.dial(now, "*141");
    world.run(Duration::from_secs(10));
    let accepted = world.phones[0].2.iter().filter(|f| matches!(f, UaFact::Dialled { refused: None, .. })).count();
    assert_eq!(accepted, 3, "sign-in and both codes: {:?}", world.phones[0].2);
    assert_eq!(world.state(0), AgentState::NotReady(NotReadyReason::Break));
}

#[test]
fn a_flood_from_strangers_gets_no_answer_and_leaves_nothing_behind() {
    let mut world = World::new(0, |_| {});
    let stranger = Flow { remote: "203.0.113.9:5060".parse().unwrap(), ..caller_flow() };
    let before = world.gateway.save().len();
    for n in 0..20_000 {
        world.gateway.handle(world.now, Input::Message { flow: stranger, bytes: &invite(n) });
        assert_eq!(world.gateway.next_output(), None, "a stranger was answered");
    }
    assert_eq!(world.gateway.leftovers(), Leftovers::default());
    assert_eq!(world.gateway.refusals().unknown_peer, 20_000);
    assert!(world.gateway.save().len() < before + 64, "state grew with the flood");
}

#[test]
fn calls_nobody_acknowledges_are_bounded_and_end() {
    let mut world = World::new(0, |_| {});
    let limit = world.gateway.settings().limits.max_calls as usize;
    for n in 0..5_000 {
        world.feed(Input::Message { flow: caller_flow(), bytes: &invite(n) });
    }
    assert_eq!(world.gateway.calls(), limit);
    let refused = world.to_caller.iter().filter(|m| m.starts_with("SIP/2.0 503") && m.contains("Retry-After")).count();
    assert_eq!(refused, 5_000 - limit);
    // RFC 3261 s13.3.1.4: 64*T1 without an ACK, then BYE, which nobody answers either.
    world.nothing_is_left();
    let faults =
        world.facts.iter().filter(|f| matches!(f, CallFact::Ended { cause: EndCause::TrunkFault, .. })).count();
    assert_eq!(faults, limit);
}

/// A request of the first phone in its conversation, as whoever has overheard the dialog writes it.
fn forged(world: &World, method: &str, seq: u32, more: &str) -> String {
    let at = world.phones[0].1;
    let (_, ack) = world.to_others.iter().rev().find(|(flow, m)| *flow == at && m.starts_with("ACK ")).expect("an ACK");
    let header = |name: &str| ack.lines().find_map(|l| l.strip_prefix(name)).expect("a header every ACK has");
    format!(
        "{method} sip:127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/TCP 203.0.113.5:9;branch=z9hG4bKforged{seq}\r\nMax-Forwards: 70\r\n\
         From:{}\r\nTo:{}\r\nCall-ID:{}\r\nCSeq: {seq} {method}\r\nContact: <sip:x@203.0.113.5:9>\r\n{more}Content-Length: 0\r\n\r\n",
        header("To:"),
        header("From:"),
        header("Call-ID:"),
    )
}

/// Call-ID and tags are no password: neither is the citizen passed on nor the conversation's path moved by them.
#[test]
fn nobody_takes_a_conversation_over_by_a_connection_from_elsewhere() {
    let mut world = in_conversation(&[0], 60, |_| {});
    let stranger = Flow { remote: "203.0.113.5:9".parse().unwrap(), connection: 99, ..world.phones[0].1 };
    let refer = "Refer-To: <sip:13812345678@127.0.0.1>\r\n";
    for (method, seq, more, status) in
        [("REFER", 100, refer, "403"), ("OPTIONS", 101, "", "200"), ("REFER", 102, refer, "403")]
    {
        let message = forged(&world, method, seq, more);
        world.feed(Input::Message { flow: stranger, bytes: message.as_bytes() });
        let (to, answer) = world.to_others.last().unwrap();
        assert_eq!((*to, answer.split(' ').nth(1).unwrap()), (stranger, status), "{method}");
        assert_eq!(world.state(0), AgentState::Talking);
        world.restart();
    }
    assert!(world.outside.is_empty());
    // What is ours to say goes to the phone.
    world.until(Duration::from_secs(70), |w| w.ended().is_some());
    let (to, _) = world.to_others.iter().rev().find(|(_, m)| m.starts_with("BYE ")).expect("a BYE");
    assert_eq!(*to, world.phones[0].1);
    world.nothing_is_left();
}

/// It is on another network from now on, says so by REGISTER, and its conversation goes on there.
#[test]
fn a_phone_that_moves_takes_its_conversation_with_it() {
    let mut world = in_conversation(&[0], 600, |_| {});
    let old = world.phones[0].1;
    world.phones[0].1 = Flow { remote: "127.0.0.2:40000".parse().unwrap(), connection: 77, ..old };
    passes_on(&mut world, "13812345678", AfterRefer::Waits);
    assert_eq!((told(&world), world.outside.len()), (vec![403], 0), "not registered there");
    world.run(Duration::from_secs(290));
    assert!(world.to_others.iter().any(|(flow, m)| *flow == world.phones[0].1 && m.contains("REGISTER")));
    passes_on(&mut world, "13812345678", AfterRefer::Waits);
    assert_eq!(told(&world), [403, 202, 100]);
    assert!(world.outside.iter().any(|m| m.starts_with("INVITE ")));
}
