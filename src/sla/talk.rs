//! One agent's part of a call, timed by the events: after a transfer the end of the call tells only the sum.

use crate::ids::QueueName;
use crate::time::Instant;
use std::time::Duration;

#[derive(Clone, Debug)]
pub(crate) struct Talk {
    queue: QueueName,
    since: Instant,
    held_since: Option<Instant>,
    hold: Duration,
    second: bool,
}

impl Talk {
    /// `second`: with an agent to whom the caller was passed on.
    pub(crate) fn begun(queue: &QueueName, since: Instant, second: bool) -> Talk {
        Talk { queue: queue.clone(), since, held_since: None, hold: Duration::ZERO, second }
    }

    pub(crate) fn is_second(&self) -> bool {
        self.second
    }

    pub(crate) fn holds(&mut self, held: bool, at: Instant) {
        if let Some(since) = self.held_since.take() {
            self.hold += at - since;
        }
        self.held_since = held.then_some(at);
    }

    /// Whose talk, how long, and how much of it on hold.
    pub(crate) fn over(mut self, at: Instant) -> (QueueName, Duration, Duration) {
        self.holds(false, at);
        (self.queue, at - self.since, self.hold)
    }

    pub(crate) fn into_queue(self) -> QueueName {
        self.queue
    }
}
