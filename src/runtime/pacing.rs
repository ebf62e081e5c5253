//! How fast tickets are told what comes after their call: a bounded number of calls in a round, oldest first, those that were tried
//! in vain ever more rarely. Pure. Not here: what they are told (`recordings`, `ratings`).

use crate::ids::CallId;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

/// Between rounds.
pub const PACE: Duration = Duration::from_secs(1);
/// Calls in one round: ten times what the busiest hour ends.
const A_ROUND: usize = 20;
/// Between tries on one call.
const RAREST: Duration = Duration::from_secs(600);

/// Which calls are tried when; those not in it never were.
#[derive(Debug, Default)]
pub struct Pacing {
    waits: BTreeMap<CallId, Wait>,
}

#[derive(Debug)]
struct Wait {
    until: Instant,
    tries: u32,
}

impl Pacing {
    /// Those of a round, oldest first.
    pub fn due<T>(&mut self, now: Instant, untold: &BTreeMap<CallId, T>) -> Vec<CallId> {
        self.waits.retain(|call, _| untold.contains_key(call));
        let due = |call: &CallId| self.waits.get(call).is_none_or(|wait| wait.until <= now);
        untold.keys().copied().filter(due).take(A_ROUND).collect()
    }

    pub fn in_vain(&mut self, call: CallId, now: Instant) {
        let wait = self.waits.entry(call).or_insert(Wait { until: now, tries: 0 });
        wait.until = now + (PACE * 2u32.pow(wait.tries.min(10))).min(RAREST);
        wait.tries += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_is_told_oldest_first_in_bounded_rounds_and_the_hopeless_are_asked_rarely() {
        let mut untold: BTreeMap<CallId, ()> = (0..1_000).map(|n| (CallId(n), ())).collect();
        let (mut pacing, mut now, mut asked) = (Pacing::default(), Instant(1_000_000), BTreeMap::new());
        // The oldest 30 have no ticket and never will.
        let mut told = vec![];
        for _ in 0..3_600 {
            let round = pacing.due(now, &untold);
            assert!(round.len() <= A_ROUND && round.is_sorted());
            for call in round {
                *asked.entry(call).or_insert(0) += 1;
                if call.0 < 30 {
                    pacing.in_vain(call, now);
                } else {
                    untold.remove(&call);
                    told.push(call.0);
                }
            }
            now = now + PACE;
        }
        assert!(told.len() == 970 && told.is_sorted());
        assert!(asked.values().all(|times| (1..=16).contains(times)), "{asked:?}");
        assert_eq!(pacing.waits.len(), 30);
        // Told otherwise, or taken away by hand: nothing of it is kept.
        pacing.due(now, &BTreeMap::<CallId, ()>::new());
        assert!(pacing.waits.is_empty());
    }
}
