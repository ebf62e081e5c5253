//! The one total order of waiting callers, across all queues (peers' pain 6), and how it ages.

use crate::ids::CallId;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Lower is served first; the call number decides between equals, so that two callers are never equal.
///
/// Whom a shift leader has moved up is before all others, and they in the order in which they were moved: nobody whom a leader
/// has made the next is pushed back by a later act. Of the others:
/// a key is fixed when the call is queued and never re-sorted, and still everybody's turn comes: one step of priority is
/// worth `ageing` of waiting, so whoever asked `9 * ageing` after a caller is behind them whatever the priorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Order {
    rank: Rank,
    pub call: CallId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Rank {
    /// At this time.
    MovedUp(Instant),
    /// By this key.
    Aged(Instant),
}

impl Order {
    /// `since`: the original request for a human.
    pub fn new(since: Instant, priority: u8, ageing: Duration, call: CallId) -> Order {
        let ageing = u64::try_from(ageing.as_micros()).unwrap_or(u64::MAX);
        Order { rank: Rank::Aged(Instant(since.0.saturating_add(ageing.saturating_mul(priority.into())))), call }
    }

    /// To the front. Moved up twice is moved up.
    pub fn moved_up(self, now: Instant) -> Order {
        match self.rank {
            Rank::MovedUp(_) => self,
            Rank::Aged(_) => Order { rank: Rank::MovedUp(now), ..self },
        }
    }

    pub fn is_moved_up(self) -> bool {
        matches!(self.rank, Rank::MovedUp(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_priority_is_worth_so_much_waiting() {
        let order = |since, priority, call| {
            Order::new(Instant::from_unix_secs(since), priority, Duration::from_secs(60), CallId(call))
        };
        let sorted =
            [order(0, 0, 9), order(0, 1, 7), order(60, 0, 8), order(1, 1, 1), order(0, 9, 1), order(541, 0, 0)];
        assert!(sorted.windows(2).all(|w| w[0] < w[1]), "{sorted:?}");
        // Settings that make no sense stay in order too.
        let never = |since| Order::new(Instant(since), 9, Duration::MAX, CallId(1));
        assert!(never(1) < Order { rank: Rank::Aged(Instant(u64::MAX)), call: CallId(2) } && never(1) == never(2));
    }

    #[test]
    fn whom_a_leader_moves_up_comes_first_in_the_order_of_the_acts() {
        let at = Instant::from_unix_secs;
        let waits = |since, call| Order::new(at(since), 9, Duration::from_secs(60), CallId(call));
        let (first, second) = (waits(90, 9).moved_up(at(100)), waits(80, 1).moved_up(at(101)));
        let oldest = Order::new(at(0), 0, Duration::ZERO, CallId(0));
        assert!(first < second && second < oldest);
        assert_eq!(first.moved_up(at(200)), first, "once more changes nothing");
        assert!(first.is_moved_up() && !oldest.is_moved_up());
    }
}
