//! The one total order of waiting callers, across all queues (peers' pain 6).

use crate::ids::CallId;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// Lower is served first. The fields' order is the rule: priority, then who asked first, then the call number, so
/// that two callers are never equal.
///
/// A key is fixed when the call is queued and never re-sorted. Ageing fits in without changing that: when one step of
/// priority is worth `d` of waiting, `since + priority * d` in one band orders callers as strictly as now, at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Order {
    priority: u8,
    /// The original request for a human.
    pub since: Instant,
    pub call: CallId,
}

impl Order {
    pub fn new(priority: u8, since: Instant, call: CallId) -> Order {
        Order { priority, since, call }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priority_then_age_then_call_number() {
        let order = |priority, since, call| Order::new(priority, Instant(since), CallId(call));
        let sorted = [order(0, 9, 9), order(1, 1, 7), order(1, 1, 8), order(1, 2, 1), order(2, 0, 0)];
        assert!(sorted.windows(2).all(|w| w[0] < w[1]));
    }
}
