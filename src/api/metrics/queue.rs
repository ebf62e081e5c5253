//! One queue's series, and who waits in it now.

use super::names;
use super::trunk::Outcome;
use crate::config::settings::QueueSettings;
use crate::event::EndCause;
use crate::ids::CallId;
use crate::time::Instant;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(super) struct Queue {
    within: Duration,
    pub(super) requests: Counter,
    answered: Counter,
    answered_within: Counter,
    abandoned_within: Counter,
    lost: Ends,
    pub(super) ends: Ends,
    pub(super) waiting: Gauge,
    pub(super) longest_wait: Gauge,
    pub(super) stranded: Gauge,
    wait: Histogram,
    lost_wait: Histogram,
    ring: Histogram,
    talk: Histogram,
    hold: Histogram,
    pub(super) wrap_up: Histogram,
    /// Who waits, longest first.
    pub(super) callers: BTreeSet<(Instant, CallId)>,
}

impl Queue {
    pub(super) fn new(settings: &QueueSettings) -> Self {
        let queue = || settings.name.as_str().to_owned();
        let (skill, language) = (settings.skill.as_str().to_owned(), settings.language.clone());
        let language = language.unwrap_or_else(|| "zh-CN".into());
        gauge!(names::QUEUE_INFO, "queue" => queue(), "skill" => skill, "language" => language).set(1.0);
        gauge!(names::QUEUE_WITHIN, "queue" => queue()).set(settings.within.as_secs_f64());
        Queue {
            within: settings.within,
            requests: counter!(names::CALLS_QUEUED, "queue" => queue()),
            answered: counter!(names::CALLS_ANSWERED, "queue" => queue()),
            answered_within: counter!(names::CALLS_ANSWERED_WITHIN, "queue" => queue()),
            abandoned_within: counter!(names::CALLS_ABANDONED_WITHIN, "queue" => queue()),
            lost: Ends::new(names::CALLS_LOST, settings.name.as_str()),
            ends: Ends::new(names::CALLS, settings.name.as_str()),
            waiting: gauge!(names::QUEUE_WAITING, "queue" => queue()),
            longest_wait: gauge!(names::QUEUE_LONGEST_WAIT, "queue" => queue()),
            stranded: gauge!(names::QUEUE_STRANDED, "queue" => queue()),
            wait: histogram!(names::WAIT, "queue" => queue()),
            lost_wait: histogram!(names::LOST_WAIT, "queue" => queue()),
            ring: histogram!(names::RING, "queue" => queue()),
            talk: histogram!(names::TALK, "queue" => queue()),
            hold: histogram!(names::HOLD, "queue" => queue()),
            wrap_up: histogram!(names::WRAP_UP, "queue" => queue()),
            callers: BTreeSet::new(),
        }
    }

    pub(super) fn enter(&mut self, at: Instant, call: CallId) {
        self.callers.insert((at, call));
        self.waiting.set(self.callers.len() as f64);
    }

    pub(super) fn leave(&mut self, since: Instant, call: CallId) {
        self.callers.remove(&(since, call));
        self.waiting.set(self.callers.len() as f64);
    }

    pub(super) fn answered(&self, wait: Duration, ring: Duration) {
        self.answered.increment(1);
        self.answered_within.increment(u64::from(wait <= self.within));
        self.wait.record(wait.as_secs_f64());
        self.ring.record(ring.as_secs_f64());
    }

    /// A request that ended without an agent.
    pub(super) fn lost(&self, cause: EndCause, wait: Duration) {
        self.lost.0[&cause].increment(1);
        let abandoned = Outcome::of_lost(cause) == Outcome::Abandoned;
        self.abandoned_within.increment(u64::from(abandoned && wait <= self.within));
        self.lost_wait.record(wait.as_secs_f64());
    }

    pub(super) fn talked(&self, talk: Duration, hold: Duration) {
        self.talk.record(talk.as_secs_f64());
        if !hold.is_zero() {
            self.hold.record(hold.as_secs_f64());
        }
    }
}

/// One counter for each cause of an end.
pub(super) struct Ends(pub(super) BTreeMap<EndCause, Counter>);

impl Ends {
    pub(super) fn new(name: &'static str, queue: &str) -> Self {
        let series = |c: EndCause| counter!(name, "queue" => queue.to_owned(), "cause" => c.as_str());
        Ends(EndCause::ALL.map(|c| (c, series(c))).into())
    }
}
