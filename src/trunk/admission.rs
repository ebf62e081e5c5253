//! How many calls a trunk carries at once, and how many begin in any ten seconds: what the carrier sold. Belongs here: the
//! counting. Not here: whose call it is, and what a refused one is told (`gateway::carriers`, `gateway::outbound`).
//!
//! Exact for a sliding window, in bounded memory: no more times are kept than calls may begin in one.

use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

pub const WINDOW: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Admission {
    max_calls: u32,
    /// `None`: as many begin as come.
    per_window: Option<u32>,
    active: u32,
    /// When the last `per_window` calls began, oldest first.
    recent: VecDeque<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// All channels are in use.
    Full,
    /// Too many have begun lately; one more may after so long.
    Rate { retry_after: Duration },
}

impl Admission {
    pub fn new(max_calls: u32, per_window: Option<u32>) -> Admission {
        Admission { max_calls, per_window, active: 0, recent: VecDeque::new() }
    }

    /// May one more call begin? If so it is counted until [`Admission::release`].
    pub fn admit(&mut self, now: Instant) -> Result<(), Refused> {
        if self.active >= self.max_calls {
            return Err(Refused::Full);
        }
        if let Some(limit) = self.per_window
            && self.recent.len() >= limit as usize
        {
            let free = self.recent.front().map_or(now + WINDOW, |oldest| *oldest + WINDOW);
            if now < free {
                return Err(Refused::Rate { retry_after: free - now });
            }
        }
        self.admit_anyway(now);
        Ok(())
    }

    /// An emergency: it counts, and is not refused.
    pub fn admit_anyway(&mut self, now: Instant) {
        self.active += 1;
        if let Some(limit) = self.per_window {
            self.recent.push_back(now);
            if self.recent.len() > limit as usize {
                self.recent.pop_front();
            }
        }
    }

    pub fn release(&mut self) {
        self.active = self.active.saturating_sub(1);
    }

    pub fn active(&self) -> u32 {
        self.active
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng::Rng;

    fn at(millis: u64) -> Instant {
        Instant(millis * 1_000)
    }

    /// Times in ms; `+` is let in, `f` is refused as full, a number is told to come back after so many ms; `x` is one
    /// that ended just before.
    #[track_caller]
    fn story(max: u32, per_window: Option<u32>, calls: &[(u64, &str)]) {
        let mut admission = Admission::new(max, per_window);
        for (when, wanted) in calls {
            let wanted = wanted.strip_prefix('x').inspect(|_| admission.release()).unwrap_or(wanted);
            let said = match admission.admit(at(*when)) {
                Ok(()) => "+".to_owned(),
                Err(Refused::Full) => "f".to_owned(),
                Err(Refused::Rate { retry_after }) => retry_after.as_millis().to_string(),
            };
            assert_eq!(said, *wanted, "at {when} of {calls:?}");
        }
    }

    #[test]
    fn channels_and_pace() {
        story(2, None, &[(0, "+"), (0, "+"), (1, "f"), (2, "x+"), (3, "f")]);
        story(9, Some(2), &[(0, "+"), (4_000, "+"), (9_999, "1"), (10_000, "+"), (10_001, "3999"), (14_000, "+")]);
        // Both: a channel that is free does not help against the pace.
        story(2, Some(2), &[(0, "+"), (1_000, "+"), (2_000, "f"), (3_000, "x7000"), (10_000, "+")]);
    }

    #[test]
    fn an_emergency_counts_but_is_not_refused() {
        let mut admission = Admission::new(1, Some(1));
        admission.admit(at(0)).unwrap();
        admission.admit_anyway(at(5_000));
        assert_eq!(admission.active(), 2);
        admission.release();
        admission.release();
        assert_eq!(admission.admit(at(10_000)), Err(Refused::Rate { retry_after: Duration::from_secs(5) }));
        assert_eq!(admission.admit(at(15_000)), Ok(()));
    }

    /// Against one who remembers every call since the beginning.
    #[test]
    fn as_one_who_remembers_everything_would_decide() {
        for seed in 0..200 {
            let mut rng = Rng::new(seed);
            let (max, limit) = (1 + rng.below(8) as u32, 1 + rng.below(6) as u32);
            let mut admission = Admission::new(max, Some(limit));
            let (mut begun, mut active, mut now) = (Vec::<Instant>::new(), 0, at(1_000_000));
            for _ in 0..400 {
                now = now + Duration::from_millis([0, 1, 200, 2_500, 9_999, 10_000][rng.below(6) as usize]);
                match rng.below(10) {
                    0..=5 => {
                        let lately = begun.iter().filter(|t| now.since(**t) < WINDOW).count();
                        let said = admission.admit(now);
                        match said {
                            Ok(()) => assert!(active < max && lately < limit as usize, "seed {seed}"),
                            Err(Refused::Full) => assert!(active >= max, "seed {seed}"),
                            Err(Refused::Rate { retry_after }) => {
                                let then = now + retry_after;
                                let before = Instant(then.0 - 1);
                                let within = |t: Instant| begun.iter().filter(|b| t.since(**b) < WINDOW).count();
                                assert!(within(before) >= limit as usize, "seed {seed}: sooner would do");
                                assert!(within(then) < limit as usize, "seed {seed}: too soon");
                            }
                        }
                        if said.is_ok() {
                            begun.push(now);
                            active += 1;
                        }
                    }
                    6 => {
                        admission.admit_anyway(now);
                        begun.push(now);
                        active += 1;
                    }
                    _ if active > 0 => {
                        admission.release();
                        active -= 1;
                    }
                    _ => {}
                }
                assert_eq!(admission.active(), active, "seed {seed}");
                assert!(admission.recent.len() <= limit as usize, "seed {seed}: memory is bounded");
            }
        }
    }
}
