//! From an entry of the list to the conversation: the agent first, then the citizen.

use crate::world::{CARRIER, MONDAY_10, World, flow, owed, s};
use rexian::callback::State;
use rexian::config::settings::{DialForm, Hours};
use rexian::event::{AgentState, CallFact, CallbackGone, CallbackKind, EndCause, Purpose, Why};
use rexian::gateway::{Command, Input};
use rexian::ids::{CallId, LegId};
use rexian::plane::{MediaEvent, Source};
use rexian::sim::ua::{Plan, Reaction};
use std::time::Duration;

const CITIZEN: &str = "+8613812345678";

/// One agent, one citizen owed a call since ten minutes.
fn promised(phones: usize, shape: impl FnOnce(&mut rexian::config::settings::CoreSettings)) -> World {
    let mut world = World::new(phones, shape);
    let since = rexian::time::Instant(world.now.0 - 600_000_000);
    world.feed(Input::Callbacks(vec![owed(77, CITIZEN, since)]));
    world
}

#[test]
fn the_agent_first_then_the_citizen_and_each_hears_the_right_thing() {
    let mut world = promised(1, |core| core.recording = true);
    world.citizen_will(Reaction::Answer { after: s(4) }, Some(s(30)));
    world.until("the seat rings", s(2), |w| w.facts(|f| matches!(f, CallFact::Offered { .. })) == 1);
    assert_eq!(world.rung(), 0, "nobody is called before an agent is there");
    let invite = world.to_phones.iter().rfind(|m| m.starts_with("INVITE")).unwrap();
    assert!(invite.contains("X-Rexian-Callback: promised\r\n"), "{invite}");
    assert!(invite.contains("From: <sip:+8613812345678@"), "{invite}");

    let seat = world.last_seat_leg();
    world.until("the agent answers", s(4), |w| w.state(0) == AgentState::Talking);
    assert_eq!(world.hears[&seat], Source::RingBack, "the agent hears the citizen's phone ring");
    assert_eq!(world.list()[0].2, State::Calling(world.log[0].call));
    assert_eq!(world.kept[&CallId(77)].attempts, 1, "counted before the citizen's phone rings");
    world.run(s(1));
    assert_eq!((world.rung(), world.hears[&seat].clone()), (1, Source::RingBack));
    assert_eq!(world.recorded, [], "nobody has said anything to the citizen");

    world.until("the citizen answers", s(4), |w| w.facts(|f| matches!(f, CallFact::Answered { .. })) == 1);
    let citizen = world.hears.keys().copied().find(|leg| *leg != seat).expect("the citizen's leg");
    assert_eq!(world.hears[&seat], Source::Leg(citizen));
    assert_eq!(world.recorded, [(citizen, Some(1))], "the citizen left, whoever called whom");
    let Source::Play { prompts, then } = world.hears[&citizen].clone() else { panic!("the number is announced") };
    assert_eq!((&*prompts[0], *then), ("agent-number", Source::Leg(seat)));
    assert_eq!((world.list(), world.gone.clone()), (vec![], vec![CallbackGone::Reached]));

    let ticket = &world.tickets[0];
    assert_eq!((&*ticket.channel, ticket.cli_e164.as_deref()), ("callback", Some(CITIZEN)));
    assert_eq!((&*ticket.dnis, ticket.legs.len()), ("12345", 2));
    assert!(ticket.legs.iter().all(|id| id.contains('@')), "{:?}", ticket.legs);
    world.until("the citizen hangs up", s(40), |w| !w.ends().is_empty());
    assert_eq!(world.ends(), [EndCause::CallerHangUp]);
    assert_eq!(world.state(0), AgentState::WrapUp, "a conversation is written up");

    let purpose = Purpose::Callback { of: CallId(77) };
    assert_eq!(world.facts(|f| matches!(f, CallFact::Arrived { purpose: p, .. } if *p == purpose)), 1);
    assert_eq!(world.facts(|f| matches!(f, CallFact::Queued { why: Why::Callback, .. })), 1);
    world.nothing_is_left();
}

/// The carrier counts a call until it is over, whatever we think of it: one more would be refused, or be one too many.
#[test]
fn a_call_that_is_being_called_off_holds_its_channel() {
    let mut world = promised(1, |_| {});
    world.citizen_will(Reaction::Silent, None);
    world.until("the citizen is called", s(10), |w| !w.to_citizen.is_empty());
    world.run(s(5));
    world.agent_hangs_up(0);
    world.run(s(1));
    let active = |w: &World| w.gateway.trunks().active().map(|(_, n)| n).sum::<u32>();
    assert_eq!(world.state(0), AgentState::Ready, "the agent is free at once");
    assert_eq!(active(&world), 1, "the phone has not said that it stopped ringing");
    world.until("nothing more can come of it", s(80), |w| active(w) == 0);
    world.nothing_is_left();
}

/// "The number you have dialled is switched off": said before any answer, in a 183 of the carrier's.
#[test]
fn what_the_carrier_plays_reaches_the_agent() {
    let mut world = promised(1, |_| {});
    world.citizen_will(Reaction::Answer { after: s(10) }, Some(s(5)));
    world.until("the citizen is called", s(10), |w| !w.to_citizen.is_empty());
    let seat = world.last_seat_leg();
    let citizen = LegId(seat.0 + 1);
    let kept = ["Via:", "From:", "Call-ID:", "CSeq:"];
    let echoed: String = world.to_citizen[0]
        .lines()
        .filter(|l| kept.iter().any(|k| l.starts_with(k)))
        .fold(String::new(), |all, line| all + line + "\r\n");
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 17002 RTP/AVP 8\r\n";
    let progress = format!(
        "SIP/2.0 183 Session Progress\r\n{echoed}To: <sip:13812345678@127.0.0.1>;tag=announcement\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    world.feed(Input::Message { flow: flow(CARRIER), bytes: progress.as_bytes() });
    assert_eq!(world.hears[&seat], Source::RingBack, "until there is something to hear");
    world.feed(Input::Media(MediaEvent::FirstRtp { leg: citizen }));
    assert_eq!(world.hears[&seat], Source::Leg(citizen));
    world.until("the citizen answers", s(12), |w| w.facts(|f| matches!(f, CallFact::Answered { .. })) == 1);
    assert_eq!(world.hears[&seat], Source::Leg(citizen));
    world.until("the citizen hangs up", s(40), |w| !w.ends().is_empty());
    world.nothing_is_left();
}

#[test]
fn the_message_to_the_carrier() {
    let mut world = promised(1, |core| core.trunks[0].call_out.as_mut().unwrap().dial = DialForm::E164);
    world.citizen_will(Reaction::Answer { after: s(1) }, Some(s(5)));
    world.until("the citizen is called", s(10), |w| !w.to_citizen.is_empty());
    // What is drawn at random is left out.
    let mask = |text: &str, from: &str, to: &str| {
        let Some(at) = text.find(from).map(|i| i + from.len()) else { panic!("no {from} in {text}") };
        let end = at + text[at..].find(to).unwrap();
        format!("{}*{}", &text[..at], &text[end..])
    };
    let mut invite = world.to_citizen[0].clone();
    for (from, to) in [("branch=z9hG4bK", ";"), (";tag=", "\r"), ("Call-ID: ", "@")] {
        invite = mask(&invite, from, to);
    }
    let version = env!("CARGO_PKG_VERSION");
    let wanted = format!(
        "INVITE sip:+8613812345678@127.0.0.1:7000;user=phone SIP/2.0\r\n\
         Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK*;rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:053112345@127.0.0.1;user=phone>;tag=*\r\n\
         To: <sip:+8613812345678@127.0.0.1;user=phone>\r\n\
         Call-ID: *@127.0.0.1\r\n\
         CSeq: 1 INVITE\r\n\
         Contact: <sip:127.0.0.1:5060>\r\n\
         Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK\r\n\
         Supported: 100rel, timer\r\n\
         User-Agent: Rexian/{version}\r\n\
         Session-Expires: 1800;refresher=uac\r\n\
         P-Asserted-Identity: <sip:053112345@127.0.0.1;user=phone>\r\n\
         Content-Type: application/sdp\r\n\
         Content-Length: 219\r\n\r\n\
         v=0\r\n\
         o=rexian 3 1 IN IP4 127.0.0.1\r\n\
         s=-\r\n\
         c=IN IP4 127.0.0.1\r\n\
         t=0 0\r\n\
         m=audio 20004 RTP/AVP 8 0 101\r\n\
         a=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\n\
         a=fmtp:101 0-15\r\n\
         a=ptime:20\r\n\
         a=sendrecv\r\n"
    );
    assert_eq!(invite, wanted);
    // What belongs to one call goes to one place.
    world.until("it is over", s(20), |w| !w.ends().is_empty());
    world.run(s(5));
    let methods: Vec<_> = world.to_citizen.iter().filter_map(|m| m.split(' ').next()).collect();
    assert_eq!(methods, ["INVITE", "ACK", "SIP/2.0"], "INVITE, ACK, and 200 to the citizen's BYE");
}

#[test]
fn busy_then_reached() {
    let mut world = promised(1, |_| {});
    world.citizen_will(Reaction::Refuse { after: s(1), status: 486 }, None);
    world.until("the citizen is busy", s(10), |w| {
        w.rung() == 1 && w.hears.values().any(|s| matches!(s, Source::Play { .. }))
    });
    let seat = world.last_seat_leg();
    let beep = Source::Play { prompts: vec!["beep-error".into()], then: Box::new(Source::Silence) };
    assert_eq!(world.hears[&seat], beep, "the agent hears that it was in vain");
    world.until("the agent is let go", s(4), |w| !w.ends().is_empty());
    assert_eq!(world.ends(), [EndCause::NotReached]);
    assert_eq!(world.state(0), AgentState::Ready, "there is nothing to write up");
    assert!(world.tickets.is_empty() && world.gone.is_empty());
    assert_eq!(world.list(), [(CITIZEN.into(), CallbackKind::Promised, State::Due)]);

    world.citizen_will(Reaction::Answer { after: s(3) }, Some(s(10)));
    world.run(s(590));
    assert_eq!(world.rung(), 1, "not before the retry time");
    world.until("the second attempt", s(20), |w| w.rung() == 2);
    world.until("it is over", s(60), |w| w.ends().len() == 2);
    assert_eq!((world.gone.clone(), world.tickets.len()), (vec![CallbackGone::Reached], 1));
    world.nothing_is_left();
}

#[test]
fn no_answer_is_cancelled_and_after_three_attempts_the_citizen_is_left_in_peace() {
    let mut world = promised(1, |core| core.callbacks.ring_timeout = s(25));
    world.citizen_will(Reaction::Ignore, None);
    world.until("it rings", s(10), |w| w.rung() == 1);
    let began = world.now;
    world.until("it stops", s(60), |w| w.to_citizen.iter().any(|m| m.starts_with("CANCEL")));
    assert!((s(24)..s(26)).contains(&(world.now - began)), "rang for {:?}", world.now - began);
    world.until("given up", s(3_000), |w| !w.gone.is_empty());
    assert_eq!((world.gone.clone(), world.rung()), (vec![CallbackGone::GivenUp], 3));
    assert_eq!(world.ends(), [EndCause::NotReached; 3]);
    assert_eq!(world.state(0), AgentState::Ready);
    world.run(s(3_600));
    assert_eq!(world.rung(), 3);
    world.nothing_is_left();
}

#[test]
fn an_agent_who_does_not_pick_up_costs_no_attempt_and_no_place() {
    let mut world = promised(2, |_| {});
    let plan = Plan { reaction: Reaction::Ignore, hold: None, hang_up_after: None };
    world.plan(0, plan);
    world.plan(1, plan);
    world.until("both rang out", s(60), |w| w.facts(|f| matches!(f, CallFact::OfferEnded { .. })) == 2);
    assert_eq!((world.rung(), world.kept[&CallId(77)].attempts), (0, 0));
    assert!(matches!(world.list()[0].2, State::InLine(_)));
    assert!(world.gateway.trunks().active().all(|(_, n)| n == 0), "no channel is held in line");
    world.citizen_will(Reaction::Answer { after: s(1) }, Some(s(5)));
    world.agent_arrives();
    world.until("reached", s(20), |w| w.gone == [CallbackGone::Reached]);
    world.until("over", s(20), |w| !w.ends().is_empty());
    world.nothing_is_left();
}

#[test]
fn an_agent_who_hangs_up_while_it_rings_ends_the_attempt() {
    let mut world = promised(1, |_| {});
    world.citizen_will(Reaction::Ignore, None);
    world.until("it rings", s(10), |w| w.rung() == 1);
    world.agent_hangs_up(0);
    assert!(world.to_citizen.iter().any(|m| m.starts_with("CANCEL")), "the citizen's phone stops");
    assert_eq!((world.ends(), world.state(0)), (vec![EndCause::NotReached], AgentState::Ready));
    assert_eq!(world.list()[0].2, State::Due);
    world.nothing_is_left();
}

#[test]
fn the_place_is_kept_against_later_callers_and_earlier_ones_come_first() {
    let mut world = World::new(0, |_| {});
    world.call("053187650001", s(600));
    world.run(s(60));
    let since = world.now;
    world.run(s(60));
    world.call("053187650002", s(600));
    world.run(s(10));
    world.feed(Input::Callbacks(vec![owed(77, CITIZEN, since)]));
    world.citizen_will(Reaction::Answer { after: s(1) }, Some(s(5)));
    world.agent_arrives();
    world.until("all served", s(200), |w| w.ends().len() == 3);
    let served = |e: &rexian::event::CallEvent| matches!(e.what, CallFact::Answered { .. }).then_some(e.call);
    let order: Vec<CallId> = world.log.iter().filter_map(served).collect();
    let arrived = |e: &rexian::event::CallEvent| matches!(e.what, CallFact::Arrived { .. }).then_some(e.call);
    let calls: Vec<CallId> = world.log.iter().filter_map(arrived).collect();
    assert_eq!(order, [calls[0], calls[2], calls[1]], "the earlier caller, the callback, the later caller");
    world.nothing_is_left();
}

#[test]
fn who_calls_in_and_gets_through_is_not_called_any_more() {
    // The attempt waits in line behind the citizen's own call.
    let mut world = World::new(0, |_| {});
    world.call("13812345678", s(600));
    world.run(s(5));
    world.feed(Input::Callbacks(vec![owed(77, CITIZEN, world.now)]));
    world.run(s(1));
    assert!(matches!(world.list()[0].2, State::InLine(_)));
    world.agent_arrives();
    world.until("answered", s(20), |w| w.facts(|f| matches!(f, CallFact::Answered { .. })) == 1);
    assert_eq!((world.list(), world.gone.clone()), (vec![], vec![CallbackGone::GotThrough]));
    assert_eq!(world.ends(), [EndCause::NotReached], "the attempt in line is withdrawn");
    world.run(s(300));
    assert_eq!(world.rung(), 0);
    world.nothing_is_left();
}

#[test]
fn who_gets_through_while_being_called_is_let_alone() {
    let mut world = promised(1, |_| {});
    world.citizen_will(Reaction::Ignore, None);
    world.until("it rings", s(10), |w| w.rung() == 1);
    world.call("13812345678", s(600));
    world.agent_arrives();
    world.until("answered", s(20), |w| w.facts(|f| matches!(f, CallFact::Answered { .. })) == 1);
    assert!(world.to_citizen.iter().any(|m| m.starts_with("CANCEL")));
    assert_eq!(world.gone, [CallbackGone::GotThrough]);
    world.run(s(2_000));
    assert_eq!((world.rung(), world.list()), (1, vec![]));
    world.nothing_is_left();
}

#[test]
fn nobody_is_called_out_of_hours() {
    let mut hours = Hours::default();
    hours.week[..5].fill(vec![(9 * 60, 10 * 60 + 30), (14 * 60, 18 * 60)]);
    let mut world = World::new(0, |core| core.callbacks.hours = Some(hours));
    world.citizen_will(Reaction::Answer { after: s(1) }, Some(s(5)));
    world.feed(Input::Callbacks(vec![owed(77, CITIZEN, world.now)]));
    world.run(s(60));
    assert!(matches!(world.list()[0].2, State::InLine(_)), "10:01 is within the hours");
    world.run(s(30 * 60));
    assert_eq!(world.list()[0].2, State::Due, "at 10:30 it leaves the line");
    world.agent_arrives();
    world.run(s(3 * 3_600));
    assert_eq!((world.rung(), world.state(0)), (0, AgentState::Ready));
    world.until("14:00", s(3_600), |w| w.rung() == 1);
    assert!((s(4 * 3_600)..s(4 * 3_600 + 10)).contains(&(world.now - MONDAY_10)), "{:?}", world.now);
    world.until("reached", s(20), |w| w.gone == [CallbackGone::Reached]);
}

#[test]
fn forgotten_after_a_day() {
    let mut world = World::new(0, |_| {});
    world.feed(Input::Callbacks(vec![owed(77, CITIZEN, world.now)]));
    world.run(s(24 * 3_600 - 60));
    assert_eq!(world.gone, []);
    world.run(s(120));
    assert_eq!((world.gone.clone(), world.list()), (vec![CallbackGone::Expired], vec![]));
    assert_eq!(world.gateway.leftovers().calls, 0, "its attempt is out of the line");
}

#[test]
fn killed_at_any_moment_the_promise_is_kept_once() {
    // In line; the seat ringing; the citizen's phone ringing; in conversation.
    for moment in 0..4 {
        let mut world = promised(usize::from(moment > 0), |_| {});
        world.citizen_will(if moment == 3 { Reaction::Answer { after: s(1) } } else { Reaction::Ignore }, Some(s(20)));
        match moment {
            0 => world.run(s(5)),
            1 => world.until("the seat rings", s(5), |w| w.facts(|f| matches!(f, CallFact::Offered { .. })) == 1),
            2 => world.until("it rings", s(10), |w| w.rung() == 1),
            _ => world.until("they talk", s(10), |w| w.facts(|f| matches!(f, CallFact::Answered { .. })) == 1),
        }
        world.killed();
        let rung = world.rung();
        world.citizen.power_off();
        world.citizen.power_on(world.now);
        world.citizen_will(Reaction::Answer { after: s(1) }, Some(s(20)));
        if moment == 0 {
            world.agent_arrives();
        }
        world.run(s(1_200));
        let again = world.rung() - rung;
        assert_eq!(again, usize::from(moment != 3), "killed at moment {moment}");
        assert_eq!((world.list(), world.gone.clone()), (vec![], vec![CallbackGone::Reached]), "moment {moment}");
    }
}

#[test]
fn another_process_takes_over_while_the_citizens_phone_rings() {
    let mut world = promised(1, |_| {});
    world.citizen_will(Reaction::Answer { after: s(5) }, Some(s(10)));
    world.until("the seat rings", s(5), |w| w.facts(|f| matches!(f, CallFact::Offered { .. })) == 1);
    world.taken_over();
    world.until("it rings", s(10), |w| w.rung() == 1);
    world.taken_over();
    world.until("over", s(30), |w| !w.ends().is_empty());
    assert_eq!((world.ends(), world.gone.clone()), (vec![EndCause::CallerHangUp], vec![CallbackGone::Reached]));
    world.nothing_is_left();
}

#[test]
fn a_full_trunk_takes_no_agent_and_costs_no_attempt() {
    let mut world = World::new(0, |core| core.trunks[0].max_calls = 1);
    world.call("053187650001", s(3_600));
    let since = rexian::time::Instant(world.now.0 - 600_000_000);
    world.feed(Input::Callbacks(vec![owed(77, CITIZEN, since)]));
    world.agent_arrives();
    world.until("the caller is answered", s(20), |w| w.facts(|f| matches!(f, CallFact::Answered { .. })) == 1);
    let entry = &world.kept[&CallId(77)];
    assert_eq!((entry.attempts, world.rung()), (0, 0));
    world.citizen_will(Reaction::Answer { after: s(1) }, Some(s(5)));
    world.until("later there is room", s(700), |w| w.gone == [CallbackGone::Reached]);
    world.until("over", s(60), |w| w.ends().len() == 3);
    world.nothing_is_left();
}

#[test]
fn draining_begins_no_attempt_and_ends_those_that_run() {
    let mut world = promised(1, |_| {});
    world.citizen_will(Reaction::Ignore, None);
    world.until("it rings", s(10), |w| w.rung() == 1);
    let second = owed(78, "+8613800000002", world.now);
    world.feed(Input::Callbacks(vec![second]));
    world.run(s(1));
    assert!(world.list().iter().any(|(.., state)| matches!(state, State::InLine(_))));
    world.feed(Input::Drain);
    assert_eq!(world.gateway.calls(), 1, "the attempt that rings goes on, the one in line waits for the next start");
    assert!(world.list().iter().any(|(.., state)| *state == State::Due));
    world.feed(Input::EndCalls);
    world.run(Duration::from_millis(500));
    assert_eq!(world.gateway.calls(), 0);
    assert_eq!((world.list().len(), world.kept.len()), (2, 2), "both are owed a call still");
    world.run(s(3_600));
    assert_eq!(world.rung(), 1);
}

#[test]
fn a_leader_has_somebody_called_at_once() {
    let mut world = World::new(1, |_| {});
    let since = rexian::time::Instant(world.now.0 - 600_000_000);
    let listed = rexian::event::CallbackEntry { kind: CallbackKind::Missed, missed: 2, ..owed(77, CITIZEN, since) };
    world.feed(Input::Callbacks(vec![listed]));
    world.run(s(60));
    assert_eq!(world.list(), [(CITIZEN.into(), CallbackKind::Missed, State::Listed)], "only listed");
    world.citizen_will(Reaction::Answer { after: s(1) }, Some(s(5)));
    world.feed(Input::Command(Command::CallBack { of: CallId(77) }));
    world.until("called", s(10), |w| w.rung() == 1);
    let invite = world.to_phones.iter().rfind(|m| m.starts_with("INVITE")).unwrap();
    assert!(invite.contains("X-Rexian-Callback: missed\r\n"), "{invite}");
    world.until("reached", s(10), |w| w.gone == [CallbackGone::Reached]);
    let purpose = Purpose::MissedCall { of: CallId(77) };
    assert_eq!(world.facts(|f| matches!(f, CallFact::Arrived { purpose: p, .. } if *p == purpose)), 1);
}
