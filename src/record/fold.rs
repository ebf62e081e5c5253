//! The fold: events in, in the order they were recorded; changes of facts out. Belongs here: which record an event
//! belongs to, what a restart and a hole in the log mean. Not here: what a fact does to its record (`call`).
//!
//! The open calls and the agents signed in are all it remembers, so that it is as small as the hotline is busy.

use super::agents::{Cell, Serving, Spell, cut};
use super::call::{CallRecord, Lost, With};
use crate::event::{AgentEvent, AgentState, CallEvent, CallFact};
use crate::ids::{AgentNo, CallId};
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A call that is up so long although its last events may be missing has no end that anybody recorded.
const LONGEST_AFTER_GAP: Duration = Duration::from_secs(12 * 3_600);

/// Time spent by agent, quarter and state.
pub type Times = BTreeMap<(AgentNo, Cell, AgentState), Duration>;

#[derive(Clone, Debug, Default)]
pub struct Fold {
    open: BTreeMap<CallId, CallRecord>,
    agents: BTreeMap<AgentNo, Spell>,
    /// Of the last event.
    now: Instant,
    /// Some open call may have lost its end.
    gap: bool,
    touched: BTreeSet<CallId>,
    moved: BTreeSet<AgentNo>,
    done: Changes,
}

/// What the events since the last [`Fold::take`] changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// New or changed, the whole record each.
    pub calls: Vec<CallRecord>,
    /// Of calls that are over.
    pub wrap_ups: Vec<WrapUp>,
    /// To be added to what is known.
    pub times: Times,
    /// What these agents do now; `None`: signed out.
    pub agents: BTreeMap<AgentNo, Option<Spell>>,
}

/// To be added to a segment of a call that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrapUp {
    pub of: Serving,
    pub time: Duration,
}

impl Fold {
    /// Goes on where another left off: calls that are up, and what the agents do.
    pub fn resume(now: Instant, open: Vec<CallRecord>, agents: BTreeMap<AgentNo, Spell>) -> Fold {
        let gap = open.iter().any(|record| record.gap);
        let open = open.into_iter().map(|record| (record.call, record)).collect();
        Fold { open, agents, now, gap, ..Fold::default() }
    }

    /// Of the last event.
    pub fn now(&self) -> Instant {
        self.now
    }

    pub fn agents(&self) -> &BTreeMap<AgentNo, Spell> {
        &self.agents
    }

    /// Calls that are up.
    pub fn open(&self) -> impl Iterator<Item = &CallRecord> {
        self.open.values()
    }

    pub fn call(&mut self, event: &CallEvent) {
        let CallEvent { at, call, what } = event;
        self.pass(*at);
        // A leg's last figures may follow its call's end.
        if !self.open.contains_key(call) && !is_of_the_call(what) {
            return;
        }
        let record = self.open.entry(*call).or_insert_with(|| CallRecord::unknown(*call, *at));
        record.learn(*at, what);
        self.touched.insert(*call);
        if let CallFact::Answered { .. } | CallFact::TakenOver { .. } = what
            && let Some(With::Agent { agent, .. }) = record.segments.last().map(|segment| &segment.with)
            && let Some(spell) = self.agents.get_mut(agent)
        {
            spell.serving = Some(Serving { call: *call, segment: record.segments.len() - 1 });
            self.moved.insert(agent.clone());
        }
        if record.ended.is_some() {
            self.close(*call);
        }
    }

    pub fn agent(&mut self, event: &AgentEvent) {
        self.pass(event.at);
        let before = self.agents.remove(&event.agent);
        if let Some(spell) = &before {
            self.spent(&event.agent, spell, event.at);
        }
        if event.state != AgentState::LoggedOut {
            // Whoever is free, or rung for the next caller, is done with the last one.
            let done = matches!(event.state, AgentState::Ready | AgentState::Reserved | AgentState::NotReady(_));
            let serving = before.and_then(|spell| spell.serving).filter(|_| !done);
            let spell = Spell { seat: event.seat.clone(), state: event.state, since: event.at, serving };
            self.agents.insert(event.agent.clone(), spell);
        }
        self.moved.insert(event.agent.clone());
    }

    /// A gateway began at `at`: what was up before it was lost with the process, at the last event's time at the latest.
    pub fn started(&mut self, at: Instant) {
        let last = self.now;
        for call in self.open.keys().copied().collect::<Vec<_>>() {
            self.lose(call, last);
        }
        for (agent, spell) in std::mem::take(&mut self.agents) {
            self.spent(&agent, &spell, last);
            self.moved.insert(agent);
        }
        self.pass(at);
    }

    /// Events are missing here.
    pub fn gap(&mut self, at: Instant) {
        self.pass(at);
        self.gap = true;
        for record in self.open.values_mut() {
            record.gap = true;
            self.touched.insert(record.call);
        }
    }

    /// The changes so far; they are the taker's then.
    pub fn take(&mut self) -> Changes {
        let mut done = std::mem::take(&mut self.done);
        let touched = std::mem::take(&mut self.touched);
        done.calls.extend(touched.iter().filter_map(|call| self.open.get(call)).cloned());
        let moved = std::mem::take(&mut self.moved);
        done.agents = moved.into_iter().map(|agent| (agent.clone(), self.agents.get(&agent).cloned())).collect();
        done
    }

    /// Calls whose end may be missing are given up in the end.
    fn pass(&mut self, at: Instant) {
        let hour = |at: Instant| at.as_unix_micros() / 3_600_000_000;
        let next = hour(at) > hour(self.now);
        self.now = self.now.max(at);
        if self.gap && next {
            let old = |r: &&CallRecord| r.gap && at.since(r.begun) > LONGEST_AFTER_GAP;
            let old: Vec<CallId> = self.open.values().filter(old).map(|r| r.call).collect();
            for call in old {
                self.lose(call, at);
            }
            self.gap = self.open.values().any(|record| record.gap);
        }
    }

    fn lose(&mut self, call: CallId, at: Instant) {
        if let Some(record) = self.open.get_mut(&call) {
            let why = if record.gap { Lost::Gap } else { Lost::Process };
            record.lose(at, why);
            self.close(call);
        }
    }

    fn close(&mut self, call: CallId) {
        self.touched.remove(&call);
        self.done.calls.extend(self.open.remove(&call));
    }

    fn spent(&mut self, agent: &AgentNo, spell: &Spell, until: Instant) {
        for (cell, time) in cut(spell.since, until) {
            *self.done.times.entry((agent.clone(), cell, spell.state)).or_default() += time;
        }
        if let (AgentState::WrapUp, Some(of)) = (spell.state, spell.serving) {
            let time = until - spell.since;
            match self.open.get_mut(&of.call).and_then(|record| record.segments.get_mut(of.segment)) {
                Some(segment) => {
                    segment.wrap_up += time;
                    segment.wrap_ups += 1;
                    self.touched.insert(of.call);
                }
                None => self.done.wrap_ups.push(WrapUp { of, time }),
            }
        }
    }
}

/// A fact by which a call whose beginning is missing is known to be one.
fn is_of_the_call(fact: &CallFact) -> bool {
    !matches!(
        fact,
        CallFact::LegClosed { .. }
            | CallFact::Recorded(_)
            | CallFact::FarEndCause { .. }
            | CallFact::NoAudio { .. }
            | CallFact::Digit(_)
            | CallFact::Held
            | CallFact::Resumed
    )
}

/// What the spells that go on have taken until `at`, to be added to the times of those that are over.
pub fn running(agents: &BTreeMap<AgentNo, Spell>, at: Instant) -> Times {
    let mut times = Times::new();
    for (agent, spell) in agents {
        for (cell, time) in cut(spell.since, at) {
            *times.entry((agent.clone(), cell, spell.state)).or_default() += time;
        }
    }
    times
}
