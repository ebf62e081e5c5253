//! How fast a queue's calls are handled and how patient its callers are, learnt as the day goes: running means in whole
//! numbers, the same on every machine. Not here: what is made of them (`estimate`).

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Talk (165 s) and wrap-up (30 s), the hotline's long-time means: believed until calls have shown better.
const HANDLING: Duration = Duration::from_secs(195);
/// One call moves the mean by this part.
const HANDLING_MEMORY: i64 = 32;

/// Callers hang up after 300 s in the mean.
const PATIENCE: Duration = Duration::from_secs(300);
/// What was seen in so much waiting, summed over all callers, is remembered; older things fade.
const PATIENCE_MEMORY: u64 = 20_000_000_000;
/// One caller gone, in the unit of `gone`.
const ONE: u64 = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pace {
    /// Microseconds that a call takes an agent up.
    handling: i64,
    /// Millionths of callers who hung up in the last `PATIENCE_MEMORY` microseconds of waiting.
    gone: u64,
}

impl Default for Pace {
    fn default() -> Pace {
        let gone = u128::from(PATIENCE_MEMORY) * u128::from(ONE) / PATIENCE.as_micros();
        Pace { handling: HANDLING.as_micros() as i64, gone: gone as u64 }
    }
}

impl Pace {
    /// An agent was taken up by a call for so long: ringing, talk, wrap-up.
    pub fn handled(&mut self, time: Duration) {
        let time = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        self.handling += (time - self.handling) / HANDLING_MEMORY;
    }

    /// A caller has left the line after so long, by hanging up or not. Whoever hangs up sooner than `short` says nothing
    /// about the patience of those who wait.
    pub fn waited(&mut self, time: Duration, short: Duration, hung_up: bool) {
        let Some(time) = time.checked_sub(short) else { return };
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).min(PATIENCE_MEMORY);
        let faded = u128::from(self.gone) * u128::from(time) / u128::from(PATIENCE_MEMORY);
        self.gone = self.gone - faded as u64 + if hung_up { ONE } else { 0 };
    }

    /// Seconds that a call takes an agent up.
    pub fn handling_secs(&self) -> f64 {
        self.handling as f64 / 1e6
    }

    /// Which part of those who wait hangs up in a second.
    pub fn hang_ups_per_sec(&self) -> f64 {
        self.gone as f64 / ONE as f64 / (PATIENCE_MEMORY as f64 / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learns_what_calls_take_and_how_long_callers_stay() {
        let secs = Duration::from_secs;
        let mut pace = Pace::default();
        assert_eq!((pace.handling_secs(), (pace.hang_ups_per_sec() * 3e5).round()), (195.0, 1e3));
        for call in 0..400 {
            pace.handled(secs(300));
            // One of three gives up; all wait 40 s, of which 5 do not count: one in 105 s.
            pace.waited(secs(40), secs(5), call % 3 == 0);
            pace.waited(secs(3), secs(5), true);
        }
        assert!((pace.handling_secs() - 300.0).abs() < 1.0, "{pace:?}");
        let mut last = 0.0;
        for call in 0..3_000 {
            pace.waited(secs(40), secs(5), call % 3 == 0);
            last = pace.hang_ups_per_sec() * 105.0;
        }
        assert!((last - 1.0).abs() < 0.02, "{last}");
    }
}
