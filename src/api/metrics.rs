//! Call and agent events folded into Prometheus series. Belongs here: which event moves which figure. Not here: names
//! and help (`api::catalogue`), percentages (recording rules), durable SLA figures (`sla`).
//!
//! Series are registered for every configured name at start, at 0: a rate exists from the first scrape, an event costs
//! no look-up by label, and a name from outside the configuration can never become a label.

mod agents;
mod passage;
mod queue;
mod wire;

use super::catalogue as names;
use super::page::Page;
use crate::config::settings::CoreSettings;
use crate::event::{AgentEvent, AgentState, CallEvent, CallFact, CallbackChange, CallbackKind, EndCause, Purpose};
use crate::ids::{AgentNo, CallId, QueueName, TrunkName};
use crate::runtime::figures::Figures;
use crate::time::Instant;
use agents::{AGENT_STATES, Offers, State};
use metrics::{Counter, Gauge, counter, gauge};
use metrics_exporter_prometheus::{BuildError, PrometheusHandle};
use passage::{Callbacks, Passage};
use queue::{Ends, Queue};
use std::collections::BTreeMap;
use std::time::Duration;
use wire::{Guard, Media, Refused, Sip, Trunk};

/// The metrics of one gateway and the page that shows them. They stand on a recorder of their own, so that several
/// gateways can live in one process.
pub fn install(settings: &CoreSettings) -> Result<(Metrics, Page), BuildError> {
    let recorder = names::recorder()?;
    let exporter = recorder.handle();
    Ok(metrics::with_local_recorder(&recorder, || {
        names::describe();
        (Metrics::new(settings, exporter.clone()), Page::new(exporter))
    }))
}

/// Told every event, in order.
pub struct Metrics {
    calls: BTreeMap<CallId, LiveCall>,
    agents: BTreeMap<AgentNo, (AgentState, Instant)>,
    queues: BTreeMap<QueueName, Queue>,
    trunks: BTreeMap<TrunkName, Trunk>,
    states: BTreeMap<&'static str, State>,
    /// Ends of calls that never asked for a human.
    unqueued: Ends,
    offers: Offers,
    passage: Passage,
    callbacks: Callbacks,
    test_calls: Counter,
    unspooled: Counter,
    media: Media,
    sip: Sip,
    refused: Refused,
    guard: Guard,
    ports: Gauge,
    draining: Gauge,
    missed: Counter,
    /// For folding raw samples: nobody may ever scrape.
    exporter: PrometheusHandle,
}

struct LiveCall {
    /// `None`: it holds no channel of a trunk as far as is told here.
    trunk: Option<TrunkName>,
    sort: Sort,
    asked: Option<QueueName>,
    answered: bool,
    /// While the caller waits for an agent.
    waiting: Option<(QueueName, Instant)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// A citizen's call: what the hotline is judged by.
    Judged,
    Test,
    /// To a citizen.
    Ours(CallbackKind),
    /// Dialled by a seat.
    Dialled,
}

impl Sort {
    fn of(test_call: bool, purpose: Purpose) -> Sort {
        match purpose {
            _ if test_call => Sort::Test,
            Purpose::Inbound => Sort::Judged,
            Purpose::Callback { .. } => Sort::Ours(CallbackKind::Promised),
            Purpose::MissedCall { .. } => Sort::Ours(CallbackKind::Missed),
        }
    }
}

impl Metrics {
    /// Registers every series on the current recorder; each configured agent starts signed out.
    fn new(settings: &CoreSettings, exporter: PrometheusHandle) -> Self {
        gauge!(names::BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        let agents: BTreeMap<_, _> =
            settings.agents.iter().map(|a| (a.number.clone(), (AgentState::LoggedOut, Instant::ZERO))).collect();
        let metrics = Metrics {
            calls: BTreeMap::new(),
            queues: settings.queues.iter().map(|q| (q.name.clone(), Queue::new(&q.name, q.within))).collect(),
            trunks: settings.trunks.iter().map(|t| (t.name.clone(), Trunk::new(t))).collect(),
            states: AGENT_STATES.map(|s| (s.as_str(), State::new(s))).into(),
            unqueued: Ends::new("none"),
            offers: Offers::new(),
            passage: Passage::new(),
            callbacks: Callbacks::new(),
            test_calls: counter!(names::TEST_CALLS),
            unspooled: counter!(names::PICKUPS_UNSPOOLED),
            media: Media::new(),
            sip: Sip::new(),
            refused: Refused::new(),
            guard: Guard::new(),
            ports: gauge!(names::PORTS_IN_USE),
            draining: gauge!(names::DRAINING),
            missed: counter!(names::MISSED),
            exporter,
            agents,
        };
        metrics.states["logged_out"].agents.set(metrics.agents.len() as f64);
        metrics
    }

    pub fn call_event(&mut self, event: &CallEvent) {
        // Test calls hold channels and move media, and count in no figure the hotline is judged by; calls of ours to
        // citizens have figures of their own.
        let judged = self.calls.get(&event.call).is_none_or(|c| c.sort == Sort::Judged);
        match &event.what {
            CallFact::Arrived { trunk, test_call, purpose, .. } => {
                self.arrived(event.call, trunk, Sort::of(*test_call, *purpose));
            }
            CallFact::Queued { queue, .. } if judged => {
                if let (Some(q), Some(call)) = (self.queues.get_mut(queue), self.calls.get_mut(&event.call)) {
                    q.queued.increment(1);
                    q.enter(event.at, event.call);
                    call.asked = Some(queue.clone());
                    call.waiting = Some((queue.clone(), event.at));
                }
            }
            CallFact::Moved { queue, why, .. } if judged => {
                self.passage.moved(why);
                // The wait goes on in the other queue; who was passed on after a pickup begins a second one.
                let since = self.leave_queue(event.call).unwrap_or(event.at);
                if let (Some(q), Some(call)) = (self.queues.get_mut(queue), self.calls.get_mut(&event.call)) {
                    q.enter(since, event.call);
                    call.waiting = Some((queue.clone(), since));
                }
            }
            CallFact::Offered { chosen, .. } if judged => self.offers.made(chosen),
            CallFact::OfferEnded { why, .. } if judged => self.offers.ended(*why),
            CallFact::Answered { queue, wait, ring, spooled, .. } => {
                self.leave_queue(event.call);
                if !spooled {
                    self.unspooled.increment(1);
                }
                if let Some(call) = self.calls.get_mut(&event.call) {
                    call.answered = true;
                }
                let asked = self.asked(event.call, Some(queue));
                if let Some(q) = asked.and_then(|asked| self.queues.get(&asked)).filter(|_| judged) {
                    q.answered.increment(1);
                    if *wait <= q.within {
                        q.answered_within.increment(1);
                    }
                    q.wait.record(wait.as_secs_f64());
                    q.ring.record(ring.as_secs_f64());
                }
            }
            CallFact::Dialled { .. } => self.dialled(event.call),
            CallFact::Transferred { .. } | CallFact::PassedOn { .. } if judged => self.passage.transfers.increment(1),
            CallFact::TakenOver { .. } if judged => {
                self.leave_queue(event.call);
                self.passage.taken_over.increment(1);
            }
            CallFact::Announced { .. } if judged => self.passage.announced.increment(1),
            CallFact::CallbackOffered if judged => self.callbacks.offered.increment(1),
            CallFact::Ended { cause, queue, wait, talk, hold, .. } => {
                self.leave_queue(event.call);
                let asked = self.asked(event.call, queue.as_ref());
                if let Some(call) = self.calls.remove(&event.call) {
                    self.channel_free(&call, *cause);
                }
                if judged {
                    let queue = asked.and_then(|q| self.queues.get(&q));
                    queue.map_or(&self.unqueued, |q| &q.ends).0[cause].increment(1);
                    if let Some(q) = queue {
                        q.ended(*cause, *wait, *talk, *hold);
                    }
                }
            }
            CallFact::LegClosed { stats, .. } => self.media.leg(stats),
            CallFact::NoAudio { .. } => self.media.without_audio.increment(1),
            CallFact::Queued { .. }
            | CallFact::Moved { .. }
            | CallFact::Offered { .. }
            | CallFact::OfferEnded { .. }
            | CallFact::Transferred { .. }
            | CallFact::PassingOn { .. }
            | CallFact::PassedOn { .. }
            | CallFact::NotPassedOn { .. }
            | CallFact::Reached { .. }
            | CallFact::TakenOver { .. }
            | CallFact::Announced { .. }
            | CallFact::CallbackOffered
            | CallFact::Relaxed { .. }
            | CallFact::Held
            | CallFact::Resumed
            | CallFact::Forwarded(_)
            | CallFact::FarEndCause { .. }
            | CallFact::Digit(_) => {}
        }
    }

    fn arrived(&mut self, id: CallId, trunk: &TrunkName, sort: Sort) {
        if let Sort::Ours(kind) = sort {
            self.callbacks.made(kind);
        } else if let Some(t) = self.trunks.get(trunk) {
            t.calls.increment(1.0);
            t.offered.increment(u64::from(sort == Sort::Judged));
        }
        self.test_calls.increment(u64::from(sort == Sort::Test));
        let call = LiveCall { trunk: Some(trunk.clone()), sort, asked: None, answered: false, waiting: None };
        self.calls.insert(id, call);
    }

    fn dialled(&mut self, id: CallId) {
        self.calls
            .insert(id, LiveCall { trunk: None, sort: Sort::Dialled, asked: None, answered: false, waiting: None });
    }

    fn channel_free(&self, call: &LiveCall, cause: EndCause) {
        match call.sort {
            Sort::Ours(kind) if call.answered && cause != EndCause::NotReached => self.callbacks.reached(kind),
            Sort::Ours(_) | Sort::Dialled => {}
            Sort::Judged | Sort::Test => {
                if let Some(t) = call.trunk.as_ref().and_then(|trunk| self.trunks.get(trunk)) {
                    t.calls.decrement(1.0);
                }
            }
        }
    }

    /// The queue a call counts for: the one it asked first. `named`: by a fact, for a call that was turned away there.
    fn asked(&self, call: CallId, named: Option<&QueueName>) -> Option<QueueName> {
        self.calls.get(&call).and_then(|c| c.asked.clone()).or_else(|| named.cloned())
    }

    pub fn callback(&mut self, change: &CallbackChange) {
        self.callbacks.changed(change);
    }

    pub fn agent_event(&mut self, event: &AgentEvent) {
        let new = (event.state, event.at);
        if let Some((state, since)) = self.agents.insert(event.agent.clone(), new) {
            let old = &self.states[state.as_str()];
            old.agents.decrement(1.0);
            if state != AgentState::LoggedOut {
                old.spent.record(event.at.since(since).as_secs_f64());
            }
        }
        self.states[event.state.as_str()].agents.increment(1.0);
    }

    /// What the gateway tells about itself, about once a second. `missed`: events that never came here.
    pub fn figures(&mut self, figures: &Figures, missed: u64) {
        for queue in self.queues.values() {
            let longest = queue.callers.first().map_or(Duration::ZERO, |(since, _)| figures.at.since(*since));
            queue.longest_wait.set(longest.as_secs_f64());
        }
        for (kind, entries) in &figures.callbacks_pending {
            self.callbacks.pending(*kind, *entries);
        }
        for (name, trunk) in &self.trunks {
            let states = figures.accounts.iter().filter(|(of, _)| of == name).map(|(_, state)| *state);
            trunk.accounts(&states.collect::<Vec<_>>());
        }
        self.sip.set(&figures.sip);
        self.refused.set(&figures.refusals);
        self.guard.set(&figures.guard);
        self.ports.set(figures.ports_in_use as f64);
        self.draining.set(if figures.draining { 1.0 } else { 0.0 });
        self.missed.absolute(missed);
        self.exporter.run_upkeep();
    }

    /// Since when the call waited, if it did.
    fn leave_queue(&mut self, call: CallId) -> Option<Instant> {
        let (queue, since) = self.calls.get_mut(&call)?.waiting.take()?;
        if let Some(q) = self.queues.get_mut(&queue) {
            q.leave(since, call);
        }
        Some(since)
    }
}

#[cfg(test)]
mod tests;
