//! Records worked out by hand.

use super::*;
use crate::event::*;
use crate::ids::{CallId, LegId};
use crate::time::Instant;
use std::time::Duration;

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn at(n: u64) -> Instant {
    Instant::from_unix_secs(1_795_309_200 + n)
}

struct Log(Fold);

impl Log {
    fn fact(&mut self, call: u64, seconds: u64, what: CallFact) {
        self.0.call(&CallEvent { at: at(seconds), call: CallId(call), what });
    }

    fn arrives(&mut self, call: u64, seconds: u64) {
        self.fact(
            call,
            seconds,
            CallFact::Arrived {
                trunk: "unicom".into(),
                dnis: "12345".into(),
                cli: Some("+8613800000000".into()),
                sip_call_id: "x".into(),
                test_call: false,
                tenant: "jinan".into(),
                line: Some("main".into()),
                purpose: Purpose::Inbound,
            },
        );
        let why = Why::Line;
        self.fact(call, seconds, CallFact::Queued { queue: "a".into(), skill: "mandarin".into(), position: 1, why });
    }

    fn offered(&mut self, call: u64, seconds: u64, agent: &str) {
        let (agent, seat, leg) = (agent.into(), "801".into(), LegId(1));
        self.fact(call, seconds, CallFact::Offered { agent, seat, leg, chosen: Chosen::default() });
    }

    fn answered(&mut self, call: u64, seconds: u64, agent: &str, wait: u64) {
        let (agent, seat, queue) = (agent.into(), "801".into(), "a".into());
        let (wait, ring) = (secs(wait), secs(2));
        self.fact(call, seconds, CallFact::Answered { agent, seat, queue, wait, ring, spooled: true });
    }

    fn ends(&mut self, call: u64, seconds: u64, cause: EndCause) {
        let zero = Duration::ZERO;
        let queue = Some("a".into());
        self.fact(call, seconds, CallFact::Ended { cause, queue, skill: None, wait: zero, talk: zero, hold: zero });
    }

    fn agent(&mut self, seconds: u64, agent: &str, state: AgentState) {
        self.0.agent(&AgentEvent { at: at(seconds), agent: agent.into(), seat: Some("801".into()), state, by: None });
    }

    fn record(&mut self, call: u64) -> CallRecord {
        self.0.take().calls.into_iter().rfind(|r| r.call == CallId(call)).expect("no such record")
    }
}

/// By an agent who hangs up at once: the ringing is nobody's conversation, what follows is that party's.
#[test]
fn whom_a_caller_is_passed_on_to_talks_from_the_answer_on() {
    for to in [Party::Outside("12330".into()), Party::Seat("802".into())] {
        let mut log = Log(Fold::default());
        log.arrives(1, 10);
        log.offered(1, 10, "6606");
        log.answered(1, 12, "6606", 2);
        log.fact(1, 50, CallFact::PassingOn { agent: "6606".into(), to: to.clone() });
        log.fact(1, 50, CallFact::PassedOn { agent: "6606".into(), to: to.clone() });
        log.fact(1, 60, CallFact::Reached { ring: secs(10) });
        if let Party::Seat(seat) = &to {
            let (agent, seat, queue) = ("6607".into(), seat.clone(), "a".into());
            log.fact(1, 60, CallFact::TakenOver { agent, seat, queue, wait: secs(10), ring: secs(10) });
        }
        log.ends(1, 100, EndCause::CallerHangUp);
        let told: Vec<_> = log.record(1).segments.iter().map(|s| (s.ring.as_secs(), s.talk().as_secs())).collect();
        assert_eq!(told, [(2, 38), (10, 40)], "{to:?}");
    }
}

/// Lost at a seat where no agent sat, and taken over from the line: each talk has its own time, and none the other's.
#[test]
fn who_is_lost_at_a_seat_waits_from_then_on() {
    let to = || Party::Seat("802".into());
    let mut log = Log(Fold::default());
    log.arrives(1, 10);
    log.answered(1, 12, "6606", 2);
    log.fact(1, 50, CallFact::PassingOn { agent: "6606".into(), to: to() });
    log.fact(1, 50, CallFact::PassedOn { agent: "6606".into(), to: to() });
    log.fact(1, 60, CallFact::Reached { ring: secs(10) });
    log.fact(1, 90, CallFact::NotPassedOn { agent: "6606".into(), to: to(), status: 480 });
    log.offered(1, 95, "6607");
    let (agent, seat, queue) = ("6607".into(), "803".into(), "a".into());
    log.fact(1, 97, CallFact::TakenOver { agent, seat, queue, wait: secs(7), ring: secs(2) });
    log.ends(1, 120, EndCause::CallerHangUp);
    let told: Vec<_> = log.record(1).segments.iter().map(|s| (s.from, s.wait.as_secs(), s.talk().as_secs())).collect();
    assert_eq!(told, [(at(12), 2, 38), (at(60), 0, 30), (at(97), 7, 23)]);
}

/// One rings out, the next answers, holds, passes on to a colleague; each agent's part is timed by itself.
#[test]
fn a_call_with_a_transfer_has_a_segment_for_each_agent() {
    let mut log = Log(Fold::default());
    for agent in ["6606", "6607"] {
        log.agent(0, agent, AgentState::Ready);
    }
    log.arrives(1, 10);
    log.offered(1, 10, "6605");
    log.fact(1, 30, CallFact::OfferEnded { agent: "6605".into(), why: OfferEnd::NoAnswer });
    log.offered(1, 30, "6606");
    log.answered(1, 34, "6606", 24);
    log.agent(34, "6606", AgentState::Talking);
    log.fact(1, 100, CallFact::Held);
    log.fact(1, 110, CallFact::Resumed);
    log.fact(1, 134, CallFact::Transferred { agent: "6606".into(), queue: "b".into() });
    log.agent(134, "6606", AgentState::WrapUp);
    log.agent(154, "6606", AgentState::Ready);
    let taken = CallFact::TakenOver {
        agent: "6607".into(),
        seat: "802".into(),
        queue: "b".into(),
        wait: secs(6),
        ring: secs(3),
    };
    log.fact(1, 140, taken);
    log.agent(140, "6607", AgentState::Talking);
    log.fact(1, 170, CallFact::Held);
    log.ends(1, 200, EndCause::CallerHangUp);
    log.agent(200, "6607", AgentState::WrapUp);
    log.agent(230, "6607", AgentState::Ready);
    let changes = log.0.take();
    let [record] = &changes.calls[..] else { panic!("{:?}", changes.calls) };
    assert_eq!(record.offers[0].outcome, Some(Offered::Ended(OfferEnd::NoAnswer)));
    assert_eq!(record.offers[1].outcome, Some(Offered::Answered));
    let told: Vec<_> = record
        .segments
        .iter()
        .map(|s| (s.agent().unwrap().as_str(), s.queue.as_ref().unwrap().as_str(), s.wait, s.talk(), s.hold, s.wrap_up))
        .collect();
    // The second wrap-up comes after the call's end.
    let zero = Duration::ZERO;
    let first = ("6606", "a", secs(24), secs(100), secs(10), secs(20));
    assert_eq!(told, [first, ("6607", "b", secs(6), secs(60), secs(30), zero)]);
    let late = WrapUp { of: Serving { call: CallId(1), segment: 1 }, time: secs(30) };
    assert_eq!(changes.wrap_ups, [late]);
    assert_eq!((record.verdict(), record.wait()), (Some(true), Some(secs(24))));
}

/// Who rings does not talk: neither where the caller hangs up first, nor while it rings.
#[test]
fn a_party_talks_from_the_answer() {
    let party = || Party::Outside("+8613812345678".into());
    let off = || CallFact::PassedOn { agent: "6606".into(), to: party() };
    let mut log = Log(Fold::default());
    for call in 1..=3 {
        log.arrives(call, 10);
        log.answered(call, 14, "6606", 4);
        log.fact(call, 100, off());
    }
    log.ends(1, 125, EndCause::CallerHangUp);
    log.fact(2, 125, CallFact::Reached { ring: secs(25) });
    log.ends(2, 165, EndCause::PartyHangUp);
    log.fact(3, 125, CallFact::NotPassedOn { agent: "6606".into(), to: party(), status: 486 });
    log.ends(3, 130, EndCause::CallerHangUp);
    let told: Vec<_> = log.0.take().calls.into_iter().map(|r| (r.call.0, r.segments)).collect();
    for (call, segments) in told {
        let times: Vec<_> = segments.iter().map(|s| (s.with.clone(), s.ring, s.talk())).collect();
        let agent = With::Agent { agent: "6606".into(), seat: "801".into() };
        let mut expected = vec![(agent, secs(2), secs(86))];
        if call == 2 {
            expected.push((With::Party(party()), secs(25), secs(40)));
        }
        assert_eq!(times, expected, "call {call}");
    }
}

#[test]
fn a_call_that_was_up_when_the_process_died_says_so() {
    let mut log = Log(Fold::default());
    log.agent(0, "6606", AgentState::Ready);
    log.arrives(1, 10);
    log.answered(1, 14, "6606", 4);
    log.agent(14, "6606", AgentState::Talking);
    log.arrives(2, 60);
    log.0.started(at(500));
    let changes = log.0.take();
    let endings: Vec<_> = changes.calls.iter().map(|r| (r.call.0, r.ending.unwrap(), r.ended.unwrap())).collect();
    let lost = Ending::Lost(Lost::Process);
    assert_eq!(endings, [(1, lost, at(60)), (2, lost, at(60))], "the last that is known, not the restart");
    assert_eq!(changes.calls[0].segments[0].talk(), secs(46));
    assert_eq!((changes.calls[0].verdict(), changes.calls[1].verdict()), (Some(true), None));
    assert_eq!(changes.agents[&"6606".into()], None);
    assert_eq!(changes.times.values().sum::<Duration>(), secs(60));
}

#[test]
fn what_a_hole_in_the_log_hides_is_not_made_up() {
    let mut log = Log(Fold::default());
    log.arrives(1, 10);
    log.arrives(2, 10);
    log.0.gap(at(20));
    log.answered(2, 30, "6606", 20);
    log.ends(3, 40, EndCause::CallerHangUp);
    let third = log.record(3);
    assert_eq!((&third.kind, third.verdict()), (&Kind::Unknown, None));
    log.ends(2, 100, EndCause::CallerHangUp);
    log.arrives(4, 13 * 3_600);
    assert_eq!(log.record(1).ending, Some(Ending::Lost(Lost::Gap)));
    // Its events went on after the gap: nothing of it is missing.
    assert_eq!(log.0.take().calls, []);
}

#[test]
fn a_stopped_fold_goes_on_where_it_was() {
    type Step = Box<dyn Fn(&mut Log)>;
    let events: Vec<Step> = vec![
        Box::new(|l| l.agent(0, "6606", AgentState::Ready)),
        Box::new(|l| l.arrives(1, 890)),
        Box::new(|l| l.answered(1, 895, "6606", 5)),
        Box::new(|l| l.agent(895, "6606", AgentState::Talking)),
        Box::new(|l| l.ends(1, 1_000, EndCause::AgentHangUp)),
        Box::new(|l| l.agent(1_000, "6606", AgentState::WrapUp)),
        Box::new(|l| l.agent(1_900, "6606", AgentState::Ready)),
        Box::new(|l| l.agent(3_000, "6606", AgentState::LoggedOut)),
    ];
    let whole = {
        let mut log = Log(Fold::default());
        events.iter().for_each(|event| event(&mut log));
        log.0.take()
    };
    assert_eq!(whole.times.values().sum::<Duration>(), secs(3_000));
    for stop in 1..events.len() {
        let mut log = Log(Fold::default());
        events[..stop].iter().for_each(|event| event(&mut log));
        let mut kept = log.0.take();
        let open: Vec<_> = kept.calls.iter().filter(|r| r.ended.is_none()).cloned().collect();
        let agents = kept.agents.into_iter().filter_map(|(agent, spell)| Some((agent, spell?))).collect();
        log.0 = Fold::resume(log.0.now(), open, agents);
        events[stop..].iter().for_each(|event| event(&mut log));
        let rest = log.0.take();
        for (key, time) in rest.times {
            *kept.times.entry(key).or_default() += time;
        }
        assert_eq!(kept.times, whole.times, "stopped after {stop}");
        kept.calls.extend(rest.calls);
        assert_eq!(kept.calls.last(), whole.calls.last(), "stopped after {stop}");
        kept.wrap_ups.extend(rest.wrap_ups);
        assert_eq!(kept.wrap_ups, whole.wrap_ups, "stopped after {stop}");
    }
}
