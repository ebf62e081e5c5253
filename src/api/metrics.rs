//! Call and agent events folded into Prometheus series. Belongs here: which event moves which figure. Not here: names
//! and help (`api::catalogue`), percentages (recording rules), durable SLA figures (`sla`).
//!
//! Series are registered for every configured name at start, at 0: a rate exists from the first scrape, an event costs
//! no look-up by label, and a name from outside the configuration can never become a label.

mod agents;
mod passage;
mod queue;
mod trunk;
mod wire;

use super::catalogue as names;
use super::page::Page;
use crate::config::settings::{CoreSettings, TrunkSettings};
use crate::event::{AgentEvent, CallEvent, CallFact, CallbackChange, CallbackKind, EndCause, Purpose};
use crate::ids::{CallId, QueueName, TrunkName};
use crate::runtime::figures::{CONNECTIONS, Figures};
use crate::sla::Talk;
use crate::time::Instant;
use agents::{Agents, Offers};
use metrics::{Counter, Gauge, counter, gauge};
use metrics_exporter_prometheus::{BuildError, PrometheusHandle};
use passage::{Callbacks, Passage};
use queue::{Ends, Queue};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use trunk::{Outcome, Trunk};
use wire::{Guard, Media, Refused, Sip};

/// The metrics of one gateway and the page that shows them. They stand on a recorder of their own, so that several
/// gateways can live in one process.
pub fn install(settings: &CoreSettings, webhooks: &[String]) -> Result<(Metrics, Page), BuildError> {
    let recorder = names::recorder()?;
    let exporter = recorder.handle();
    Ok(metrics::with_local_recorder(&recorder, || {
        names::describe();
        (Metrics::new(settings, exporter.clone()), Page::new(exporter, webhooks))
    }))
}

/// Told every event, in order.
pub struct Metrics {
    calls: BTreeMap<CallId, LiveCall>,
    agents: Agents,
    queues: BTreeMap<QueueName, Queue>,
    trunks: BTreeMap<TrunkName, Trunk>,
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
    seats: Gauge,
    connections: [Gauge; 4],
    clock: Gauge,
    draining: Gauge,
    missed: Counter,
    /// For folding raw samples: nobody may ever scrape.
    exporter: PrometheusHandle,
}

struct LiveCall {
    /// `None`: it holds no channel of a trunk as far as is told here.
    trunk: Option<TrunkName>,
    tenant: String,
    sort: Sort,
    asked: Option<QueueName>,
    answered: bool,
    talk: Talking,
    /// While the caller waits for an agent.
    waiting: Option<(QueueName, Instant)>,
}

/// Of a citizen's call, with agents.
enum Talking {
    No,
    Yes(Talk),
    /// Passed on by the agent who had the caller.
    Passed {
        at: Instant,
    },
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

impl LiveCall {
    fn new(trunk: Option<TrunkName>, tenant: &str, sort: Sort) -> LiveCall {
        let tenant = tenant.to_owned();
        LiveCall { trunk, tenant, sort, asked: None, answered: false, talk: Talking::No, waiting: None }
    }
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
        let mut tenants: BTreeSet<&str> = settings.lines.iter().filter_map(|line| line.tenant.as_deref()).collect();
        tenants.insert(&settings.tenant);
        let trunk = |t: &TrunkSettings| (t.name.clone(), Trunk::new(t, settings.limits.max_calls, &tenants));
        Metrics {
            calls: BTreeMap::new(),
            queues: settings.queues.iter().map(|q| (q.name.clone(), Queue::new(q))).collect(),
            trunks: settings.trunks.iter().map(trunk).collect(),
            agents: Agents::new(settings),
            unqueued: Ends::new(names::CALLS, "none"),
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
            seats: gauge!(names::SEATS_REGISTERED),
            connections: CONNECTIONS.map(|(_, by)| gauge!(names::SIP_CONNECTIONS, "transport" => by)),
            clock: gauge!(names::CLOCK),
            draining: gauge!(names::DRAINING),
            missed: counter!(names::MISSED),
            exporter,
        }
    }

    pub fn call_event(&mut self, event: &CallEvent) {
        // Test calls hold channels and move media, and count in no figure the hotline is judged by; calls of ours to
        // citizens have figures of their own.
        let judged = self.calls.get(&event.call).is_none_or(|c| c.sort == Sort::Judged);
        match &event.what {
            CallFact::Arrived { trunk, test_call, purpose, tenant, .. } => {
                self.arrived(event.call, trunk, tenant, Sort::of(*test_call, *purpose));
            }
            CallFact::Queued { queue, .. } if judged => {
                if let (Some(q), Some(call)) = (self.queues.get_mut(queue), self.calls.get_mut(&event.call)) {
                    q.requests.increment(1);
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
            CallFact::Answered { agent, queue, wait, ring, spooled, .. } => {
                let since = self.leave_queue(event.call);
                self.unspooled.increment(u64::from(!spooled));
                let asked = self.asked(event.call, Some(queue)).filter(|_| judged);
                self.agents.serves(agent, asked.clone());
                if let Some(call) = self.calls.get_mut(&event.call) {
                    call.answered = true;
                    if let Some(asked) = &asked {
                        call.talk = Talking::Yes(Talk::begun(asked, since.map_or(event.at, |s| s + *wait), false));
                        let trunk = call.trunk.as_ref().and_then(|name| self.trunks.get(name));
                        trunk.inspect(|t| t.request(&call.tenant, Outcome::Answered));
                    }
                }
                if let Some(q) = asked.and_then(|asked| self.queues.get(&asked)) {
                    q.answered(*wait, *ring);
                }
            }
            CallFact::Held | CallFact::Resumed => {
                if let Some(LiveCall { talk: Talking::Yes(talk), .. }) = self.calls.get_mut(&event.call) {
                    talk.holds(matches!(event.what, CallFact::Held), event.at);
                }
            }
            CallFact::Dialled { .. } => {
                self.calls.insert(event.call, LiveCall::new(None, "", Sort::Dialled));
            }
            CallFact::Transferred { .. } | CallFact::PassedOn { .. } if judged => {
                self.passage.transfers.increment(1);
                self.passed_on(event.call, event.at);
            }
            CallFact::Surveyed { .. } if judged => self.passed_on(event.call, event.at),
            CallFact::TakenOver { agent, queue, wait, .. } => {
                self.agents.serves(agent, judged.then(|| queue.clone()));
                if judged {
                    self.leave_queue(event.call);
                    self.passage.taken_over.increment(1);
                    self.taken_over(event.call, queue, *wait);
                }
            }
            CallFact::Announced { .. } if judged => self.passage.announced.increment(1),
            CallFact::CallbackOffered if judged => self.callbacks.offered.increment(1),
            CallFact::Ended { cause, queue, wait, talk, hold, .. } => {
                self.leave_queue(event.call);
                let asked = self.asked(event.call, queue.as_ref());
                let call = self.calls.remove(&event.call);
                if judged {
                    let queue = asked.and_then(|q| self.queues.get(&q));
                    queue.map_or(&self.unqueued, |q| &q.ends).0[cause].increment(1);
                    if let (Some(q), Some(call)) = (queue, &call) {
                        self.request_over(q, call, *cause, *wait);
                    }
                }
                if let Some(call) = call {
                    self.channel_free(&call, *cause);
                    self.talk_over(call.talk, event.at, (*talk, *hold));
                }
            }
            CallFact::LegClosed { stats, .. } => self.media.leg(stats),
            CallFact::NoAudio { .. } => self.media.without_audio.increment(1),
            // Counted by who finished it.
            CallFact::Recorded(_) => {}
            CallFact::Queued { .. }
            | CallFact::Moved { .. }
            | CallFact::Offered { .. }
            | CallFact::OfferEnded { .. }
            | CallFact::Transferred { .. }
            | CallFact::PassingOn { .. }
            | CallFact::Consulting { .. }
            | CallFact::Consulted { .. }
            | CallFact::ThreeWay
            | CallFact::ConsultOver { .. }
            | CallFact::Help { .. }
            | CallFact::Supervised { .. }
            | CallFact::Surveyed { .. }
            | CallFact::Rated { .. }
            | CallFact::PassedOn { .. }
            | CallFact::NotPassedOn { .. }
            | CallFact::Reached { .. }
            | CallFact::Announced { .. }
            | CallFact::CallbackOffered
            | CallFact::Relaxed { .. }
            | CallFact::Forwarded(_)
            | CallFact::FarEndCause { .. }
            | CallFact::Digit(_) => {}
        }
    }

    fn arrived(&mut self, id: CallId, trunk: &TrunkName, tenant: &str, sort: Sort) {
        if let Sort::Ours(kind) = sort {
            self.callbacks.made(kind);
        } else if let Some(t) = self.trunks.get(trunk) {
            t.calls.increment(1.0);
            t.offered.increment(u64::from(sort == Sort::Judged));
        }
        self.test_calls.increment(u64::from(sort == Sort::Test));
        self.calls.insert(id, LiveCall::new(Some(trunk.clone()), tenant, sort));
    }

    /// A request that no agent ever answered has been decided: at the end, or at the door.
    fn request_over(&self, queue: &Queue, call: &LiveCall, cause: EndCause, wait: Duration) {
        let at_the_door = call.asked.is_none() && matches!(cause, EndCause::QueueFull | EndCause::NoAgents);
        queue.requests.increment(u64::from(at_the_door));
        if !call.answered && (at_the_door || call.asked.is_some()) {
            queue.lost(cause, wait);
            call.trunk
                .as_ref()
                .and_then(|name| self.trunks.get(name))
                .inspect(|t| t.request(&call.tenant, Outcome::of_lost(cause)));
        }
    }

    fn passed_on(&mut self, call: CallId, at: Instant) {
        let Some(call) = self.calls.get_mut(&call) else { return };
        if let Talking::Yes(talk) = std::mem::replace(&mut call.talk, Talking::Passed { at }) {
            self.talked(talk.over(at));
        }
    }

    fn taken_over(&mut self, call: CallId, queue: &QueueName, wait: Duration) {
        if let Some(call) = self.calls.get_mut(&call)
            && let Talking::Passed { at } = call.talk
        {
            call.talk = Talking::Yes(Talk::begun(queue, at + wait, true));
        }
    }

    /// The end tells the whole call's talk and hold; after a transfer only the last agent's are left to count.
    fn talk_over(&self, talk: Talking, at: Instant, (whole, hold): (Duration, Duration)) {
        match talk {
            Talking::Yes(talk) if talk.is_second() => self.talked(talk.over(at)),
            Talking::Yes(talk) => self.talked((talk.into_queue(), whole, hold)),
            Talking::No | Talking::Passed { .. } => {}
        }
    }

    fn talked(&self, (queue, talk, hold): (QueueName, Duration, Duration)) {
        if let Some(q) = self.queues.get(&queue) {
            q.talked(talk, hold);
        }
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
        let wrapped_up = self.agents.changed(event);
        if let Some((q, wrap_up)) = wrapped_up.and_then(|(queue, time)| Some((self.queues.get(&queue)?, time))) {
            q.wrap_up.record(wrap_up.as_secs_f64());
        }
    }

    /// What the gateway tells about itself, about once a second. `missed`: events that never came here.
    pub fn figures(&mut self, figures: &Figures, missed: u64) {
        for queue in self.queues.values() {
            let longest = queue.callers.first().map_or(Duration::ZERO, |(since, _)| figures.at.since(*since));
            queue.longest_wait.set(longest.as_secs_f64());
        }
        for (queue, callers) in &figures.stranded {
            self.queues.get(queue).inspect(|q| q.stranded.set(*callers as f64));
        }
        self.agents.tell_time(figures.at);
        self.agents.skills(&figures.skills);
        for (kind, entries) in &figures.callbacks_pending {
            self.callbacks.pending(*kind, *entries);
        }
        for trunk in &figures.trunks {
            if let Some(series) = self.trunks.get(&trunk.name) {
                series.set(trunk);
            }
        }
        for (name, trunk) in &self.trunks {
            let states = figures.accounts.iter().filter(|(of, _)| of == name).map(|(_, state)| *state);
            trunk.accounts(&states.collect::<Vec<_>>());
        }
        self.sip.set(&figures.sip);
        self.refused.set(&figures.refusals);
        self.guard.set(&figures.guard);
        self.ports.set(figures.ports_in_use as f64);
        self.seats.set(figures.seats_registered as f64);
        self.connections.iter().zip(figures.connections).for_each(|(gauge, n)| gauge.set(n as f64));
        self.clock.set(figures.at.as_unix_micros() as f64 / 1e6);
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
