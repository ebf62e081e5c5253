//! Call and agent events folded into Prometheus series. Belongs here: which event moves which figure. Not here: names
//! and help (`api::catalogue`), percentages (recording rules), durable SLA figures (`sla`).
//!
//! Series are registered for every configured name at start, at 0: a rate exists from the first scrape, an event costs
//! no look-up by label, and a name from outside the configuration can never become a label.

use super::catalogue as names;
use super::page::Page;
use crate::config::settings::CoreSettings;
use crate::event::{AgentEvent, AgentState, CallEvent, CallFact, EndCause, NotReadyReason, OfferEnd};
use crate::gateway::Refusals;
use crate::ids::{AgentNo, CallId, QueueName, TrunkName};
use crate::plane::LegStats;
use crate::runtime::figures::Figures;
use crate::sip::endpoint::EndpointCounters;
use crate::time::Instant;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusHandle};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

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
    offers_ended: BTreeMap<OfferEnd, Counter>,
    test_calls: Counter,
    unspooled: Counter,
    media: Media,
    sip: Sip,
    refused: Refused,
    ports: Gauge,
    draining: Gauge,
    missed: Counter,
    /// For folding raw samples: nobody may ever scrape.
    exporter: PrometheusHandle,
}

struct LiveCall {
    trunk: TrunkName,
    test: bool,
    /// While the caller waits for an agent.
    waiting: Option<(QueueName, Instant)>,
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
            trunks: settings.trunks.iter().map(|t| (t.name.clone(), Trunk::new(&t.name))).collect(),
            states: AGENT_STATES.map(|s| (s.as_str(), State::new(s))).into(),
            unqueued: Ends::new("none"),
            offers_ended: OFFER_ENDS.map(|(end, why)| (end, counter!(names::OFFERS_ENDED, "reason" => why))).into(),
            test_calls: counter!(names::TEST_CALLS),
            unspooled: counter!(names::PICKUPS_UNSPOOLED),
            media: Media::new(),
            sip: Sip::new(),
            refused: Refused::new(),
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
        // Test calls hold channels and move media, and count in no figure the hotline is judged by.
        let judged = self.calls.get(&event.call).is_none_or(|c| !c.test);
        match &event.what {
            CallFact::Arrived { trunk, test_call, .. } => {
                if let Some(t) = self.trunks.get(trunk) {
                    t.calls.increment(1.0);
                    if !test_call {
                        t.offered.increment(1);
                    }
                }
                if *test_call {
                    self.test_calls.increment(1);
                }
                let call = LiveCall { trunk: trunk.clone(), test: *test_call, waiting: None };
                self.calls.insert(event.call, call);
            }
            CallFact::Queued { queue, .. } if judged => {
                if let (Some(q), Some(call)) = (self.queues.get_mut(queue), self.calls.get_mut(&event.call)) {
                    q.queued.increment(1);
                    q.enter(event.at, event.call);
                    call.waiting = Some((queue.clone(), event.at));
                }
            }
            CallFact::OfferEnded { why, .. } if judged => self.offers_ended[why].increment(1),
            CallFact::Answered { queue, wait, ring, spooled, .. } => {
                self.leave_queue(event.call);
                if !spooled {
                    self.unspooled.increment(1);
                }
                if let Some(q) = self.queues.get(queue).filter(|_| judged) {
                    q.answered.increment(1);
                    if *wait <= q.within {
                        q.answered_within.increment(1);
                    }
                    q.wait.record(wait.as_secs_f64());
                    q.ring.record(ring.as_secs_f64());
                }
            }
            CallFact::Ended { cause, queue, wait, talk, hold, .. } => {
                self.leave_queue(event.call);
                if let Some(call) = self.calls.remove(&event.call)
                    && let Some(t) = self.trunks.get(&call.trunk)
                {
                    t.calls.decrement(1.0);
                }
                if judged {
                    let queue = queue.as_ref().and_then(|q| self.queues.get(q));
                    queue.map_or(&self.unqueued, |q| &q.ends).0[cause].increment(1);
                    if let Some(q) = queue {
                        q.ended(*cause, *wait, *talk, *hold);
                    }
                }
            }
            CallFact::LegClosed { stats, .. } => self.media.leg(stats),
            CallFact::NoAudio { .. } => self.media.without_audio.increment(1),
            CallFact::Queued { .. }
            | CallFact::OfferEnded { .. }
            | CallFact::Moved { .. }
            | CallFact::Transferred { .. }
            | CallFact::TakenOver { .. }
            | CallFact::Relaxed { .. }
            | CallFact::Announced { .. }
            | CallFact::CallbackOffered
            | CallFact::Offered { .. }
            | CallFact::Held
            | CallFact::Resumed
            | CallFact::Digit(_) => {}
        }
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
        self.sip.set(&figures.sip);
        self.refused.set(&figures.refusals);
        self.ports.set(figures.ports_in_use as f64);
        self.draining.set(if figures.draining { 1.0 } else { 0.0 });
        self.missed.absolute(missed);
        self.exporter.run_upkeep();
    }

    fn leave_queue(&mut self, call: CallId) {
        let waiting = self.calls.get_mut(&call).and_then(|c| c.waiting.take());
        if let Some((queue, since)) = waiting
            && let Some(q) = self.queues.get_mut(&queue)
        {
            q.leave(since, call);
        }
    }
}

struct Queue {
    within: Duration,
    queued: Counter,
    answered: Counter,
    answered_within: Counter,
    ends: Ends,
    waiting: Gauge,
    longest_wait: Gauge,
    wait: Histogram,
    lost_wait: Histogram,
    ring: Histogram,
    talk: Histogram,
    hold: Histogram,
    /// Who waits, longest first.
    callers: BTreeSet<(Instant, CallId)>,
}

impl Queue {
    fn new(name: &QueueName, within: Duration) -> Self {
        let queue = || name.as_str().to_owned();
        Queue {
            within,
            queued: counter!(names::CALLS_QUEUED, "queue" => queue()),
            answered: counter!(names::CALLS_ANSWERED, "queue" => queue()),
            answered_within: counter!(names::CALLS_ANSWERED_WITHIN, "queue" => queue()),
            ends: Ends::new(name.as_str()),
            waiting: gauge!(names::QUEUE_WAITING, "queue" => queue()),
            longest_wait: gauge!(names::QUEUE_LONGEST_WAIT, "queue" => queue()),
            wait: histogram!(names::WAIT, "queue" => queue()),
            lost_wait: histogram!(names::LOST_WAIT, "queue" => queue()),
            ring: histogram!(names::RING, "queue" => queue()),
            talk: histogram!(names::TALK, "queue" => queue()),
            hold: histogram!(names::HOLD, "queue" => queue()),
            callers: BTreeSet::new(),
        }
    }

    fn enter(&mut self, at: Instant, call: CallId) {
        self.callers.insert((at, call));
        self.waiting.set(self.callers.len() as f64);
    }

    fn leave(&mut self, since: Instant, call: CallId) {
        self.callers.remove(&(since, call));
        self.waiting.set(self.callers.len() as f64);
    }

    fn ended(&self, cause: EndCause, wait: Duration, talk: Duration, hold: Duration) {
        match cause {
            EndCause::CallerHangUp | EndCause::AgentHangUp | EndCause::MediaTimeout => {
                self.talk.record(talk.as_secs_f64());
                if !hold.is_zero() {
                    self.hold.record(hold.as_secs_f64());
                }
            }
            // Fails before or after the pickup.
            _ if !talk.is_zero() => self.talk.record(talk.as_secs_f64()),
            _ => self.lost_wait.record(wait.as_secs_f64()),
        }
    }
}

/// One counter for each cause of an end.
struct Ends(BTreeMap<EndCause, Counter>);

impl Ends {
    fn new(queue: &str) -> Self {
        let series = |c: EndCause| counter!(names::CALLS, "queue" => queue.to_owned(), "cause" => c.as_str());
        Ends(EndCause::ALL.map(|c| (c, series(c))).into())
    }
}

struct Trunk {
    offered: Counter,
    calls: Gauge,
}

impl Trunk {
    fn new(name: &TrunkName) -> Self {
        Trunk {
            offered: counter!(names::CALLS_OFFERED, "trunk" => name.as_str().to_owned()),
            calls: gauge!(names::TRUNK_CALLS, "trunk" => name.as_str().to_owned()),
        }
    }
}

struct State {
    agents: Gauge,
    spent: Histogram,
}

impl State {
    fn new(state: AgentState) -> Self {
        State {
            agents: gauge!(names::AGENTS, "state" => state.as_str()),
            spent: histogram!(names::AGENT_STATE, "state" => state.as_str()),
        }
    }
}

/// One of each kind; every not-ready reason is one state here.
const AGENT_STATES: [AgentState; 7] = [
    AgentState::LoggedOut,
    AgentState::NotReady(NotReadyReason::Busy),
    AgentState::Ready,
    AgentState::Reserved,
    AgentState::Talking,
    AgentState::Hold,
    AgentState::WrapUp,
];

const OFFER_ENDS: [(OfferEnd, &str); 6] = [
    (OfferEnd::NoAnswer, "no_answer"),
    (OfferEnd::Busy, "busy"),
    (OfferEnd::Declined, "declined"),
    (OfferEnd::Unreachable, "unreachable"),
    (OfferEnd::Failed, "failed"),
    (OfferEnd::Withdrawn, "withdrawn"),
];

struct Media {
    jitter: Histogram,
    remote_lost: Counter,
    without_audio: Counter,
}

impl Media {
    fn new() -> Self {
        Media {
            jitter: histogram!(names::RTP_JITTER),
            remote_lost: counter!(names::RTP_REMOTE_LOST),
            without_audio: counter!(names::NO_AUDIO),
        }
    }

    fn leg(&self, stats: &LegStats) {
        self.remote_lost.increment(stats.remote_lost);
        if stats.received > 0 {
            self.jitter.record(f64::from(stats.jitter_us) / 1e6);
        }
    }
}

/// Turned away before there was a call.
struct Refused {
    unknown_peer: Counter,
    unauthorized: Counter,
    overload: Counter,
    unknown_number: Counter,
    not_acceptable: Counter,
}

impl Refused {
    fn new() -> Self {
        let reason = |why: &'static str| counter!(names::REFUSALS, "reason" => why);
        Refused {
            unknown_peer: reason("unknown_peer"),
            unauthorized: reason("unauthorized"),
            overload: reason("overload"),
            unknown_number: reason("unknown_number"),
            not_acceptable: reason("not_acceptable"),
        }
    }

    fn set(&self, r: &Refusals) {
        self.unknown_peer.absolute(r.unknown_peer);
        self.unauthorized.absolute(r.unauthorized);
        self.overload.absolute(r.overload);
        self.unknown_number.absolute(r.unknown_number);
        self.not_acceptable.absolute(r.not_acceptable);
    }
}

struct Sip {
    received: Counter,
    malformed: Counter,
    stray: Counter,
    repeated_in: Counter,
    repeated_out: Counter,
    refused: Counter,
}

impl Sip {
    fn new() -> Self {
        Sip {
            received: counter!(names::SIP_RECEIVED),
            malformed: counter!(names::SIP_MALFORMED),
            stray: counter!(names::SIP_STRAY),
            repeated_in: counter!(names::SIP_RETRANSMISSIONS, "direction" => "received"),
            repeated_out: counter!(names::SIP_RETRANSMISSIONS, "direction" => "sent"),
            refused: counter!(names::SIP_REFUSED),
        }
    }

    fn set(&self, c: &EndpointCounters) {
        self.received.absolute(c.received);
        self.malformed.absolute(c.malformed);
        self.stray.absolute(c.stray);
        self.repeated_in.absolute(c.retransmissions_in);
        self.repeated_out.absolute(c.retransmissions_out);
        self.refused.absolute(c.refused_full);
    }
}

#[cfg(test)]
mod tests;
