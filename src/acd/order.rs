//! The one total order of waiting callers, across all queues (peers' pain 6), and how it ages.

use crate::ids::CallId;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Lower is served first; the call number decides between equals, so that two callers are never equal.
///
/// A key is fixed when the call is queued and never re-sorted, and still everybody's turn comes: one step of priority is
/// worth `ageing` of waiting, so whoever asked `9 * ageing` after a caller is behind them whatever the priorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Order {
    key: Instant,
    pub call: CallId,
}

impl Order {
    /// `since`: the original request for a human.
    pub fn new(since: Instant, priority: u8, ageing: Duration, call: CallId) -> Order {
        let ageing = u64::try_from(ageing.as_micros()).unwrap_or(u64::MAX);
        Order { key: Instant(since.0.saturating_add(ageing.saturating_mul(priority.into()))), call }
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
        assert!(never(1) < Order { key: Instant(u64::MAX), call: CallId(2) } && never(1) == never(2));
    }
}
