//! Service figures: pure folds over the one record of events. Belongs here: raw counters (`counters`), what the agents'
//! time went into (`occupancy`) and one file per named figure (`metrics/`). Not here: deciding what happened (`call`,
//! `acd`), storing or drawing it (`store`, `api`).
//!
//! The clock of every figure starts at the request for a human (`Queued`) and stops when an agent is connected; waiting
//! and ringing count. Each call counts once, for the queue it asked first, wherever it was moved to. Test calls count
//! nowhere but in [`Summary::test_calls`]; calls that never asked for a human (closed line, hung up during the notice)
//! only in [`Summary::without_request`]; calls of ours to a citizen only in [`Summary::calls_back`]; calls that seats dial
//! nowhere.
//!
//! A caller who chose to be called back is neither answered nor abandoned nor in R. One who is passed on after the
//! pickup stays answered, whatever comes of the second wait; each agent's talk counts for the queue it was held in.
//!
//! Live events and finished records give the same numbers: [`Summary`] folds the events of a running hotline, [`Part`] the
//! call records of a past one. A record counts where its request for a human falls, also when it ends after midnight.
//!
//! A new figure is a file in `metrics/`; if it needs a raw number nobody counts yet, a field in [`Counters`] too.

mod back;
mod counters;
pub mod metrics;
mod occupancy;
mod part;
mod rolling;
mod talk;

pub use back::CallsBack;
pub use counters::Counters;
pub use metrics::{Figure, Metric, Unit};
pub use occupancy::AgentTimes;
pub use part::{Level, Part};
pub use rolling::{WINDOW, Window, worst};

use crate::config::settings::QueueSettings;
use crate::event::{AgentEvent, CallEvent, CallFact, CallbackKind, EndCause, Purpose};
use crate::ids::{AgentNo, CallId, QueueName};
use crate::time::Instant;
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::time::Duration;
pub(crate) use talk::Talk;

/// The figures of all events observed so far, per queue and in total. Serialises as counters and named figures.
#[derive(Clone, Debug)]
pub struct Summary {
    total: Counters,
    queues: BTreeMap<QueueName, QueueSummary>,
    agents: AgentTimes,
    /// Calls not ended yet. As large as the number of calls at once.
    open: BTreeMap<CallId, Open>,
    arrived: u64,
    test_calls: u64,
    without_request: BTreeMap<EndCause, u64>,
    back: BTreeMap<CallbackKind, CallsBack>,
}

#[derive(Clone, Debug)]
struct QueueSummary {
    /// N of "within N seconds".
    within: Duration,
    counters: Counters,
}

/// How far a call has got.
#[derive(Clone, Debug)]
enum Open {
    Test,
    /// Dialled by a seat.
    Dialled,
    /// A call of ours to a citizen.
    Ours {
        kind: CallbackKind,
        answered: bool,
    },
    Arrived,
    Asked {
        queue: QueueName,
        at: Instant,
    },
    Answered(Talk),
    /// Passed on by the agent who had answered.
    Passed,
}

impl Summary {
    /// Takes each queue's N from its settings.
    pub fn new(queues: &[QueueSettings]) -> Summary {
        Summary::with_thresholds(queues.iter().map(|queue| (queue.name.clone(), queue.within)))
    }

    /// A queue that is not listed has the standard's 15 s (GB/T 33358-2016).
    pub fn with_thresholds(thresholds: impl IntoIterator<Item = (QueueName, Duration)>) -> Summary {
        let queue = |within| QueueSummary { within, counters: Counters::default() };
        Summary {
            total: Counters::default(),
            queues: thresholds.into_iter().map(|(name, within)| (name, queue(within))).collect(),
            agents: AgentTimes::default(),
            open: BTreeMap::new(),
            arrived: 0,
            test_calls: 0,
            without_request: BTreeMap::new(),
            back: [CallbackKind::Promised, CallbackKind::Missed].map(|kind| (kind, CallsBack::default())).into(),
        }
    }

    pub fn observe(&mut self, event: &CallEvent) {
        let CallEvent { at, call: id, what } = event;
        match what {
            CallFact::Arrived { test_call, purpose, .. } => self.arrives(*id, *test_call, *purpose),
            CallFact::Queued { queue, .. } => self.asked(*id, queue, *at),
            CallFact::Answered { agent, queue, wait, .. } => self.answered(*id, agent, queue, *at, *wait),
            CallFact::Held | CallFact::Resumed => {
                if let Some(Open::Answered(talk)) = self.open.get_mut(id) {
                    talk.holds(matches!(what, CallFact::Held), *at);
                }
            }
            CallFact::Dialled { .. } => drop(self.open.insert(*id, Open::Dialled)),
            CallFact::Transferred { .. } | CallFact::PassedOn { .. } => {
                if let Some(Open::Answered(talk)) = self.open.get(id) {
                    let (queue, talk, hold) = talk.clone().over(*at);
                    self.open.insert(*id, Open::Passed);
                    self.count(&queue, |counters, _| {
                        counters.talk_ended(talk, hold);
                        counters.transferred += 1;
                    });
                }
            }
            // As passed on, but to nobody: the survey is no talk, and no transfer.
            CallFact::Surveyed { .. } => {
                if let Some(Open::Answered(talk)) = self.open.get(id) {
                    let (queue, talk, hold) = talk.clone().over(*at);
                    self.open.insert(*id, Open::Passed);
                    self.count(&queue, |counters, _| counters.talk_ended(talk, hold));
                }
            }
            CallFact::TakenOver { agent, queue, .. } => match self.open.get(id) {
                Some(Open::Passed) => {
                    let talk = Talk::begun(queue, *at, true);
                    self.open.insert(*id, Open::Answered(talk));
                    self.agents.serves(agent, Some(queue.clone()));
                }
                Some(Open::Test | Open::Ours { .. }) => self.agents.serves(agent, None),
                _ => {}
            },
            CallFact::Ended { cause, queue, wait, talk, hold, .. } => {
                if let (EndCause::QueueFull | EndCause::NoAgents, Some(queue)) = (cause, queue) {
                    // Turned away at the door: a request for a human all the same.
                    self.asked(*id, queue, *at);
                }
                match self.open.remove(id) {
                    Some(Open::Test | Open::Dialled | Open::Passed) => {}
                    Some(Open::Ours { kind, answered }) => {
                        let reached = answered && *cause != EndCause::NotReached;
                        self.back.entry(kind).or_default().reached += u64::from(reached);
                    }
                    Some(Open::Arrived) | None => *self.without_request.entry(*cause).or_default() += 1,
                    Some(Open::Asked { queue, .. }) => {
                        self.count(&queue, |counters, n| counters.lost(*cause, *wait, n));
                    }
                    Some(Open::Answered(last)) => {
                        // The end tells the whole call's talk; after a transfer only the last agent's is left to count.
                        let (queue, talk, hold) =
                            if last.is_second() { last.over(*at) } else { (last.into_queue(), *talk, *hold) };
                        self.count(&queue, |counters, _| counters.talk_ended(talk, hold));
                    }
                }
            }
            CallFact::Offered { .. }
            | CallFact::Moved { .. }
            | CallFact::Relaxed { .. }
            | CallFact::Announced { .. }
            | CallFact::CallbackOffered
            | CallFact::Reached { .. }
            | CallFact::PassingOn { .. }
            | CallFact::Consulting { .. }
            | CallFact::Consulted { .. }
            | CallFact::ThreeWay
            | CallFact::ConsultOver { .. }
            | CallFact::Help { .. }
            | CallFact::Supervised { .. }
            | CallFact::Rated { .. }
            | CallFact::NotPassedOn { .. }
            | CallFact::OfferEnded { .. }
            | CallFact::Digit(_)
            | CallFact::NoAudio { .. }
            | CallFact::Forwarded(_)
            | CallFact::FarEndCause { .. }
            | CallFact::Recorded(_)
            | CallFact::LegClosed { .. } => {}
        }
    }

    fn arrives(&mut self, id: CallId, test_call: bool, purpose: Purpose) {
        let kind = match purpose {
            Purpose::Inbound => None,
            Purpose::Callback { .. } => Some(CallbackKind::Promised),
            Purpose::MissedCall { .. } => Some(CallbackKind::Missed),
        };
        let open = match kind {
            _ if test_call => Open::Test,
            Some(kind) => Open::Ours { kind, answered: false },
            None => Open::Arrived,
        };
        match &open {
            Open::Ours { kind, .. } => self.back.entry(*kind).or_default().made += 1,
            _ => self.arrived += 1,
        }
        self.test_calls += u64::from(test_call);
        self.open.insert(id, open);
    }

    fn answered(&mut self, id: CallId, agent: &AgentNo, queue: &QueueName, at: Instant, wait: Duration) {
        self.asked(id, queue, at);
        match self.open.get_mut(&id) {
            Some(Open::Asked { queue, at }) => {
                let (queue, picked_up) = (queue.clone(), *at + wait);
                self.agents.serves(agent, Some(queue.clone()));
                self.open.insert(id, Open::Answered(Talk::begun(&queue, picked_up, false)));
                self.count(&queue, |counters, within| counters.answered(wait, within));
            }
            Some(Open::Ours { answered, .. }) => {
                *answered = true;
                self.agents.serves(agent, None);
            }
            Some(Open::Test) => self.agents.serves(agent, None),
            Some(Open::Arrived | Open::Dialled | Open::Answered(_) | Open::Passed) | None => {}
        }
    }

    /// Wrap-up times and occupancy come from the agents' side.
    pub fn observe_agent(&mut self, event: &AgentEvent) {
        if let Some((queue, wrap_up)) = self.agents.observe(event) {
            self.count(&queue, |counters, _| counters.wrapped_up(wrap_up));
        }
    }

    pub fn total(&self) -> &Counters {
        &self.total
    }

    pub fn queue(&self, name: &QueueName) -> Option<&Counters> {
        self.queues.get(name).map(|queue| &queue.counters)
    }

    pub fn queues(&self) -> impl Iterator<Item = (&QueueName, &Counters)> {
        self.queues.iter().map(|(name, queue)| (name, &queue.counters))
    }

    pub fn agents(&self) -> &AgentTimes {
        &self.agents
    }

    /// All calls of citizens, test calls too.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    pub fn test_calls(&self) -> u64 {
        self.test_calls
    }

    /// Calls that ended before asking for a human, by cause.
    pub fn without_request(&self) -> &BTreeMap<EndCause, u64> {
        &self.without_request
    }

    /// Calls of ours to citizens: those who were promised one, and those nobody had answered (漏接回拨).
    pub fn calls_back(&self, kind: CallbackKind) -> CallsBack {
        self.back.get(&kind).copied().unwrap_or_default()
    }

    /// Calls that have not ended.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Occupancy at `now`, running states included; `None` while nobody has been idle or handled a call.
    pub fn occupancy(&self, now: Instant) -> Option<f64> {
        self.agents.occupancy(now)
    }

    /// Every named figure over all queues. N is named if all queues share it; the counts use each queue's own.
    pub fn figures(&self) -> Vec<Figure> {
        let mut all = self.queues.values().map(|queue| queue.within);
        let first = all.next();
        metrics::figures(&self.total, first.filter(|first| all.all(|within| within == *first)))
    }

    /// Every named figure of one queue; empty if there is no such queue.
    pub fn queue_figures(&self, name: &QueueName) -> Vec<Figure> {
        self.queues.get(name).map(QueueSummary::figures).unwrap_or_default()
    }

    fn asked(&mut self, id: CallId, queue: &QueueName, at: Instant) {
        let open = self.open.entry(id).or_insert(Open::Arrived);
        if matches!(open, Open::Arrived) {
            *open = Open::Asked { queue: queue.clone(), at };
            self.count(queue, |counters, _| counters.offered += 1);
        }
    }

    /// For the queue and for the total.
    fn count(&mut self, name: &QueueName, mut count: impl FnMut(&mut Counters, Duration)) {
        const STANDARD: Duration = Duration::from_secs(15);
        let unlisted = || QueueSummary { within: STANDARD, counters: Counters::default() };
        let queue = self.queues.entry(name.clone()).or_insert_with(unlisted);
        count(&mut queue.counters, queue.within);
        count(&mut self.total, queue.within);
    }
}

impl QueueSummary {
    fn figures(&self) -> Vec<Figure> {
        metrics::figures(&self.counters, Some(self.within))
    }
}

impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        struct Part<'a>(&'a Counters, Vec<Figure>);
        impl Serialize for Part<'_> {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let mut part = to.serialize_struct("Part", 2)?;
                part.serialize_field("counters", self.0)?;
                part.serialize_field("figures", &self.1)?;
                part.end()
            }
        }
        struct Queues<'a>(&'a BTreeMap<QueueName, QueueSummary>);
        impl Serialize for Queues<'_> {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let mut queues = to.serialize_map(Some(self.0.len()))?;
                for (name, queue) in self.0 {
                    queues.serialize_entry(name, &Part(&queue.counters, queue.figures()))?;
                }
                queues.end()
            }
        }
        let without_request: BTreeMap<&str, u64> =
            self.without_request.iter().map(|(cause, calls)| (cause.as_str(), *calls)).collect();
        let back: BTreeMap<&str, CallsBack> =
            self.back.iter().map(|(kind, calls)| (back::name(*kind), *calls)).collect();
        let mut all = to.serialize_struct("Summary", 7)?;
        all.serialize_field("arrived", &self.arrived)?;
        all.serialize_field("test_calls", &self.test_calls)?;
        all.serialize_field("without_request", &without_request)?;
        all.serialize_field("calls_back", &back)?;
        all.serialize_field("total", &Part(&self.total, self.figures()))?;
        all.serialize_field("queues", &Queues(&self.queues))?;
        all.serialize_field("agents", &self.agents)?;
        all.end()
    }
}

#[cfg(test)]
mod tests;
