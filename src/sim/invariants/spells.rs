//! One agent's talk with a caller, timed from outside.

use crate::ids::QueueName;
use crate::time::Instant;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Spell {
    /// For which queue it counts.
    pub queue: QueueName,
    since: Instant,
    /// The same as `since` while it goes on.
    until: Instant,
    pub hold: Duration,
    held_since: Option<Instant>,
    /// Its agent passed the caller on.
    pub passed_on: bool,
}

impl Spell {
    pub fn begun(queue: QueueName, since: Instant) -> Spell {
        Spell { queue, since, until: since, hold: Duration::ZERO, held_since: None, passed_on: false }
    }

    pub fn is_held(&self) -> bool {
        self.held_since.is_some()
    }

    pub fn hold_begins(&mut self, now: Instant) {
        self.held_since = Some(now);
    }

    pub fn hold_ends(&mut self, now: Instant) {
        self.hold += self.held_since.take().map_or(Duration::ZERO, |since| now - since);
    }

    pub fn over(mut self, now: Instant, passed_on: bool) -> Spell {
        self.hold_ends(now);
        Spell { until: now, passed_on, ..self }
    }

    pub fn talk(&self) -> Duration {
        self.until - self.since
    }
}
