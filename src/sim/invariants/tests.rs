//! The recount is not blind: each kind of fault, made on purpose, is found; a sound call is not blamed.

use super::Audit;
use crate::event::{AgentEvent, AgentState, CallEvent, CallFact, EndCause, OfferEnd};
use crate::gateway::{Gateway, Leftovers, Output};
use crate::ids::{CallId, LegId};
use crate::sim::day::{Scenario, settings};
use crate::sim::ua::{Ending, UaFact};
use crate::ticket::NewTicket;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

const CALL: CallId = CallId(7);

fn at(seconds: u64) -> Instant {
    Instant::from_unix_secs(1_000 + seconds)
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn arrived() -> CallFact {
    CallFact::Arrived {
        trunk: "answers-at-once".into(),
        dnis: "12345".into(),
        cli: None,
        sip_call_id: "one".into(),
        test_call: false,
        tenant: "city".into(),
        line: None,
        purpose: Default::default(),
    }
}

fn queued() -> CallFact {
    CallFact::Queued { queue: "citizens".into(), skill: "mandarin".into(), position: 1, why: crate::event::Why::Line }
}

fn offered() -> CallFact {
    CallFact::Offered { agent: "6000".into(), seat: "800".into(), leg: LegId(2), chosen: Default::default() }
}

fn answered(wait: u64) -> CallFact {
    CallFact::Answered {
        agent: "6000".into(),
        seat: "800".into(),
        queue: "citizens".into(),
        wait: seconds(wait),
        ring: seconds(2),
        spooled: true,
    }
}

fn ended(cause: EndCause, wait: u64, talk: u64) -> CallFact {
    CallFact::Ended {
        cause,
        queue: Some("citizens".into()),
        skill: Some("mandarin".into()),
        wait: seconds(wait),
        talk: seconds(talk),
        hold: Duration::ZERO,
    }
}

fn ticket() -> NewTicket {
    NewTicket {
        call: CALL,
        channel: "phone".into(),
        dnis: "12345".into(),
        tenant: "jinan".into(),
        test_call: false,
        cli_raw: None,
        cli_e164: None,
        cli_withheld: false,
        language: None,
        sip_call_id: "one".into(),
        icid: None,
        trunk: "answers-at-once".into(),
        queue: "citizens".into(),
        skill: "mandarin".into(),
        arrived_at: at(1),
        queued_at: at(1),
        ring_at: at(4),
        answered_at: at(6),
        wait_ms: 5_000,
        within_n: true,
        agent: "6000".into(),
        seat: "800".into(),
        legs: Vec::new(),
        route: "line 12345: mandarin; 6632".into(),
    }
}

/// One thing that happens, at a second of its own.
enum Does {
    Call(u64, CallFact),
    Agent(u64, AgentState),
    Ticket(u64),
    Carrier(u64, UaFact),
}
use Does::{Agent, Call, Carrier, Ticket};

/// A call that was picked up, talked and ended by the citizen.
fn sound() -> Vec<Does> {
    vec![
        Call(1, arrived()),
        Call(1, queued()),
        Agent(4, AgentState::Ready),
        Call(4, offered()),
        Agent(4, AgentState::Reserved),
        Agent(6, AgentState::Talking),
        Ticket(6),
        Call(6, answered(5)),
        Carrier(16, UaFact::Ended(Ending::HungUp)),
        Agent(16, AgentState::WrapUp),
        Call(16, ended(EndCause::CallerHangUp, 5, 10)),
        Agent(26, AgentState::Ready),
    ]
}

/// What the audit says; `cases`: the tickets found in the store.
fn audit(story: Vec<Does>, cases: Vec<NewTicket>, leftovers: Leftovers) -> Vec<String> {
    audit_with(story, cases, leftovers, true)
}

fn audit_with(story: Vec<Does>, cases: Vec<NewTicket>, leftovers: Leftovers, durable: bool) -> Vec<String> {
    let settings = settings(&Scenario::fair_weather(1, 1));
    let gateway = Gateway::new(settings.clone(), [0; 32], at(0));
    let mut audit = Audit::new(&settings, true, true);
    audit.placed(at(0), 0, "one", "12345", false);
    let mut last = at(0);
    for does in story {
        let (now, output) = match does {
            Call(s, what) => (at(s), Output::Call(CallEvent { at: at(s), call: CALL, what })),
            Agent(s, state) => {
                let (agent, seat) = ("6000".into(), Some("800".into()));
                (at(s), Output::Agent(AgentEvent { at: at(s), agent, seat, state, by: None }))
            }
            Ticket(s) => (at(s), Output::OpenTicket(Box::new(ticket()))),
            Carrier(s, fact) => {
                audit.carrier(at(s), 0, &fact);
                continue;
            }
        };
        if now != last {
            audit.end_step(last, &gateway);
        }
        last = now;
        if matches!(output, Output::Call(CallEvent { what: CallFact::Answered { .. }, .. })) {
            audit.carrier(now, 0, &UaFact::Answered(media()));
            if durable {
                audit.durable(CALL);
            }
        }
        audit.output(now, &output);
    }
    audit.end_step(last, &gateway);
    let cases: BTreeMap<CallId, NewTicket> = cases.into_iter().map(|t| (t.call, t)).collect();
    audit.judge(last, 1, leftovers, &cases).faults
}

fn media() -> crate::sim::ua::RemoteMedia {
    let rtp = "10.0.0.1:20000".parse().unwrap();
    crate::sim::ua::RemoteMedia { rtp, payload_type: 8, dtmf: None, talks: true, listens: true }
}

#[test]
fn a_sound_call_is_not_blamed() {
    assert_eq!(audit(sound(), vec![ticket()], Leftovers::default()), Vec::<String>::new());
}

#[test]
fn every_kind_of_fault_is_found() {
    type Change = fn(&mut Vec<Does>);
    let table: [(&str, Change); 13] = [
        ("never ended", |s| s.truncate(8)),
        ("cannot follow", |s| s.push(Call(30, ended(EndCause::CallerHangUp, 5, 10)))),
        ("cannot follow", |s| drop(s.remove(3))),
        ("cannot follow", |s| s.insert(8, Call(7, answered(5)))),
        ("wait or ring is wrong", |s| s[7] = Call(6, answered(3))),
        ("durations are wrong", |s| s[10] = Call(16, ended(EndCause::CallerHangUp, 5, 11))),
        ("such a cause is for unanswered calls", |s| s[10] = Call(16, ended(EndCause::AbandonedInQueue, 5, 10))),
        ("opened at pickup, once", |s| s.insert(8, Ticket(7))),
        ("6000 is ready since", |s| drop(s.drain(3..).collect::<Vec<_>>())),
        ("is shown as Talking", |s| s.push(Agent(40, AgentState::Talking))),
        ("is shown as Ready", |s| s[4] = Agent(4, AgentState::Ready)),
        ("never ended for its carrier", |s| drop(s.remove(8))),
        ("apart", |s| s[8] = Carrier(12, UaFact::Ended(Ending::HungUp))),
    ];
    for (expected, change) in table {
        let mut story = sound();
        change(&mut story);
        let faults = audit(story, vec![ticket()], Leftovers::default());
        assert!(faults.iter().any(|f| f.contains(expected)), "{expected:?} is not among {faults:#?}");
    }
}

fn moved(queue: &str, skill: &str) -> CallFact {
    CallFact::Moved { queue: queue.into(), skill: skill.into(), position: 1, why: crate::event::Why::Key('2') }
}

/// The sound call, whose agent passes it on after 4 s to another, 5 s later; each talks 5 s in all.
fn passed_on() -> Vec<Does> {
    let taken_over = |wait| CallFact::TakenOver {
        agent: "6000".into(),
        seat: "800".into(),
        queue: "citizens".into(),
        wait: seconds(wait),
        ring: seconds(1),
    };
    let mut story = sound();
    story.truncate(8);
    story.extend([
        Agent(10, AgentState::WrapUp),
        Call(10, CallFact::Transferred { agent: "6000".into(), queue: "citizens".into() }),
        Call(10, moved("citizens", "mandarin")),
        Agent(14, AgentState::Ready),
        Call(14, offered()),
        Agent(14, AgentState::Reserved),
        Agent(15, AgentState::Talking),
        Call(15, taken_over(5)),
        Carrier(20, UaFact::Ended(Ending::HungUp)),
        Agent(20, AgentState::WrapUp),
        Call(20, ended(EndCause::CallerHangUp, 5, 9)),
        Agent(30, AgentState::Ready),
    ]);
    story
}

#[test]
fn a_call_that_is_passed_on_is_followed_and_its_faults_found() {
    assert_eq!(audit(passed_on(), vec![ticket()], Leftovers::default()), Vec::<String>::new());
    type Change = fn(&mut Vec<Does>);
    let table: [(&str, Change); 6] = [
        ("durations are wrong", |s| s[18] = Call(20, ended(EndCause::CallerHangUp, 5, 14))),
        ("such a cause is for unanswered calls", |s| s[18] = Call(20, ended(EndCause::AbandonedInQueue, 5, 9))),
        ("cannot follow", |s| drop(s.remove(10))),
        ("no such queue, or another skill", |s| s[10] = Call(10, moved("citizens", "english"))),
        ("wait or ring is wrong", |s| {
            let Call(at, CallFact::TakenOver { agent, seat, queue, ring, .. }) = &s[15] else { unreachable!() };
            let (agent, seat, queue) = (agent.clone(), seat.clone(), queue.clone());
            s[15] = Call(*at, CallFact::TakenOver { agent, seat, queue, wait: seconds(9), ring: *ring });
        }),
        ("it is at step 0", |s| s.insert(3, Call(4, CallFact::Relaxed { step: 1 }))),
    ];
    for (expected, change) in table {
        let mut story = passed_on();
        change(&mut story);
        let faults = audit(story, vec![ticket()], Leftovers::default());
        assert!(faults.iter().any(|f| f.contains(expected)), "{expected:?} is not among {faults:#?}");
    }
}

#[test]
fn tickets_and_leftovers_are_counted() {
    let found = |story, cases, leftovers, expected: &str| {
        let faults = audit(story, cases, leftovers);
        assert!(faults.iter().any(|f| f.contains(expected)), "{expected:?} is not among {faults:#?}");
    };
    let nothing = Leftovers::default();
    found(sound(), vec![], nothing, "has no ticket");
    found(sound(), vec![NewTicket { wait_ms: 1, ..ticket() }], nothing, "says something else");
    found(sound(), vec![ticket(), NewTicket { call: CallId(9), ..ticket() }], nothing, "which is no call");
    found(sound(), vec![ticket()], Leftovers { ports_in_use: 1, ..nothing }, "left over");

    let hasty = audit_with(sound(), vec![ticket()], nothing, false);
    assert!(hasty.iter().any(|f| f.contains("not durable")), "{hasty:#?}");

    let unanswered = || {
        vec![
            Call(1, arrived()),
            Call(1, queued()),
            Call(4, offered()),
            Agent(4, AgentState::Reserved),
            Call(6, CallFact::OfferEnded { agent: "6000".into(), why: OfferEnd::NoAnswer }),
            Agent(6, AgentState::LoggedOut),
            Carrier(9, UaFact::Ended(Ending::Cancelled)),
            Call(9, ended(EndCause::AbandonedInQueue, 8, 0)),
        ]
    };
    assert_eq!(audit(unanswered(), vec![], nothing), Vec::<String>::new());
    found(unanswered(), vec![ticket()], nothing, "was never picked up");
}
