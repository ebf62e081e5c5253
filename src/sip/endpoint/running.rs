//! The timers one transaction runs: at most one that paces retransmissions and one that ends its state.

use super::timer_queue::{TimerId, TimerQueue};
use crate::sip::transaction::Timer;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;
use std::time::Duration;

/// Whose timer it is, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    pub transaction: Transaction,
    pub timer: Timer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Transaction {
    Client(NonZeroU64),
    Server(NonZeroU64),
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Running {
    pace: Option<TimerId>,
    end: Option<TimerId>,
}

impl Running {
    pub fn start(&mut self, queue: &mut TimerQueue<Due>, now: Instant, length: Duration, due: Due) {
        self.stop(queue, due.timer);
        *self.slot(due.timer) = Some(queue.start(now, length, due));
    }

    pub fn stop(&mut self, queue: &mut TimerQueue<Due>, timer: Timer) {
        if let Some(id) = self.slot(timer).take() {
            queue.stop(id);
        }
    }

    pub fn stop_all(&mut self, queue: &mut TimerQueue<Due>) {
        for id in [self.pace.take(), self.end.take()].into_iter().flatten() {
            queue.stop(id);
        }
    }

    fn slot(&mut self, timer: Timer) -> &mut Option<TimerId> {
        if timer.paces() { &mut self.pace } else { &mut self.end }
    }
}
