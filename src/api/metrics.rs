//! Call and agent events folded into Prometheus series. Belongs here: which event moves which figure. Not here: names
//! and help (`api::catalogue`), percentages (recording rules), durable SLA figures (`sla`).
//!
//! Series are registered for every configured name at start, at 0: a rate exists from the first scrape, an event costs
//! no look-up by label, and a name from outside the configuration can never become a label.

use super::catalogue as names;
use crate::config::settings::CoreSettings;
use crate::event::{AgentEvent, AgentState, CallEvent, CallFact, EndCause, NotReadyReason, OfferEnd};
use crate::ids::{AgentNo, CallId, QueueName, TrunkName};
use crate::plane::LegStats;
use crate::sip::endpoint::EndpointCounters;
use crate::store::{DeliveryStatus, SpoolStatus};
use crate::time::Instant;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Fed by the signalling loop with every event, in order.
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
}

struct LiveCall {
    trunk: TrunkName,
    test: bool,
    /// While the caller waits for an agent.
    waiting: Option<(QueueName, Instant)>,
}

impl Metrics {
    /// Registers every series on the current recorder; each configured agent starts signed out.
    pub fn new(settings: &CoreSettings) -> Self {
        names::describe();
        gauge!(names::BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        let agents: BTreeMap<_, _> = settings
            .agents
            .iter()
            .map(|a| (a.number.clone(), (AgentState::LoggedOut, Instant::ZERO)))
            .collect();
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
            agents,
        };
        metrics.states["logged_out"].agents.set(metrics.agents.len() as f64);
        metrics
    }

    pub fn call(&mut self, event: &CallEvent) {
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
            CallFact::Queued { .. }
            | CallFact::OfferEnded { .. }
            | CallFact::Offered { .. }
            | CallFact::Held
            | CallFact::Resumed
            | CallFact::Digit(_) => {}
        }
    }

    pub fn agent(&mut self, event: &AgentEvent) {
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

    /// Brings what ages by itself up to `now`; call it about once a second.
    pub fn tick(&self, now: Instant, sip: &EndpointCounters) {
        for queue in self.queues.values() {
            let longest = queue.callers.first().map_or(Duration::ZERO, |(since, _)| now.since(*since));
            queue.longest_wait.set(longest.as_secs_f64());
        }
        self.sip.set(sip);
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
    received: Counter,
    sent: Counter,
    lost: Counter,
    refused: Counter,
    jitter: Histogram,
}

impl Media {
    fn new() -> Self {
        Media {
            received: counter!(names::RTP_PACKETS, "direction" => "received"),
            sent: counter!(names::RTP_PACKETS, "direction" => "sent"),
            lost: counter!(names::RTP_LOST),
            refused: counter!(names::RTP_REFUSED),
            jitter: histogram!(names::RTP_JITTER),
        }
    }

    fn leg(&self, stats: &LegStats) {
        self.received.increment(stats.received);
        self.sent.increment(stats.sent);
        self.lost.increment(stats.lost);
        self.refused.increment(stats.refused);
        if stats.received > 0 {
            self.jitter.record(f64::from(stats.jitter_us) / 1e6);
        }
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

/// Spool and delivery, read at each scrape.
pub struct StoreMetrics {
    depth: Gauge,
    kept: Gauge,
    spool_up: Gauge,
    set_aside: Gauge,
    opened: Counter,
    repeated: Counter,
    refused: Counter,
    lost: Counter,
    up: Gauge,
    lag: Gauge,
    failed: Counter,
}

impl StoreMetrics {
    /// Registers the series on the current recorder.
    pub fn new() -> Self {
        StoreMetrics {
            depth: gauge!(names::SPOOL_DEPTH),
            kept: gauge!(names::SPOOL_KEPT),
            spool_up: gauge!(names::SPOOL_UP),
            set_aside: gauge!(names::TICKETS_SET_ASIDE),
            opened: counter!(names::TICKETS_OPENED),
            repeated: counter!(names::TICKETS_REPEATED),
            refused: counter!(names::TICKETS_REFUSED),
            lost: counter!(names::TICKETS_LOST),
            up: gauge!(names::STORE_UP),
            lag: gauge!(names::STORE_LAG),
            failed: counter!(names::STORE_FAILED),
        }
    }

    pub fn set(&self, spool: &SpoolStatus, delivery: &DeliveryStatus) {
        self.depth.set(spool.depth as f64);
        self.kept.set(spool.kept as f64);
        self.spool_up.set(if spool.trouble.is_none() { 1.0 } else { 0.0 });
        self.set_aside.set(spool.set_aside as f64);
        self.lost.absolute(spool.lost);
        self.opened.absolute(delivery.opened);
        self.repeated.absolute(delivery.already_open);
        self.refused.absolute(delivery.refused);
        self.up.set(if delivery.trouble.is_none() { 1.0 } else { 0.0 });
        self.lag.set(delivery.lag().as_secs_f64());
        self.failed.absolute(delivery.failed_attempts);
    }
}

impl Default for StoreMetrics {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
