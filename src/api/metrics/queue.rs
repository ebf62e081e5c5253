//! One queue's series, and who waits in it now.

use super::names;
use crate::event::EndCause;
use crate::ids::{CallId, QueueName};
use crate::time::Instant;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(super) struct Queue {
    pub(super) within: Duration,
    pub(super) queued: Counter,
    pub(super) answered: Counter,
    pub(super) answered_within: Counter,
    pub(super) ends: Ends,
    pub(super) waiting: Gauge,
    pub(super) longest_wait: Gauge,
    pub(super) wait: Histogram,
    pub(super) lost_wait: Histogram,
    pub(super) ring: Histogram,
    pub(super) talk: Histogram,
    pub(super) hold: Histogram,
    /// Who waits, longest first.
    pub(super) callers: BTreeSet<(Instant, CallId)>,
}

impl Queue {
    pub(super) fn new(name: &QueueName, within: Duration) -> Self {
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

    pub(super) fn enter(&mut self, at: Instant, call: CallId) {
        self.callers.insert((at, call));
        self.waiting.set(self.callers.len() as f64);
    }

    pub(super) fn leave(&mut self, since: Instant, call: CallId) {
        self.callers.remove(&(since, call));
        self.waiting.set(self.callers.len() as f64);
    }

    pub(super) fn ended(&self, cause: EndCause, wait: Duration, talk: Duration, hold: Duration) {
        match cause {
            EndCause::CallerHangUp | EndCause::AgentHangUp | EndCause::PartyHangUp | EndCause::MediaTimeout => {
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
pub(super) struct Ends(pub(super) BTreeMap<EndCause, Counter>);

impl Ends {
    pub(super) fn new(queue: &str) -> Self {
        let series = |c: EndCause| counter!(names::CALLS, "queue" => queue.to_owned(), "cause" => c.as_str());
        Ends(EndCause::ALL.map(|c| (c, series(c))).into())
    }
}
