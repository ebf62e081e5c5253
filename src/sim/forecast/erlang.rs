//! One hour's load in the words of the search for a roster, which begins with Erlang A or C. Nothing is judged by them.

use crate::sim::erlang::{erlang_a, waits_longer};

/// One kind of caller, one kind of agent. Times in seconds.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Calls per second.
    pub arrivals: f64,
    /// Mean time an agent is busy with a call.
    pub handle: f64,
    /// Mean patience of exponential callers.
    pub patience: f64,
}

impl Load {
    /// Share of callers who are answered by `agents` (Erlang A: Poisson, exponential talk and patience).
    pub fn answered(&self, agents: u32) -> f64 {
        if self.arrivals <= 0.0 {
            return 1.0;
        }
        1.0 - erlang_a(agents, self.arrivals * self.handle, self.patience / self.handle).abandons
    }

    /// Share of callers answered within `seconds` (Erlang C: nobody gives up).
    pub fn within(&self, agents: u32, seconds: f64) -> f64 {
        let longer = waits_longer(agents, self.arrivals * self.handle, seconds / self.handle);
        longer.map_or(0.0, |longer| 1.0 - longer)
    }

    /// The fewest agents for which `good` holds.
    pub fn fewest(&self, good: impl Fn(&Load, u32) -> bool) -> u32 {
        (1..10_000).find(|agents| good(self, *agents)).unwrap_or(10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        // 20 Erlang on 24 agents, handle 180 s: Erlang C gives a waiting probability of 0.2981.
        let load = Load { arrivals: 20.0 / 180.0, handle: 180.0, patience: 180.0 };
        assert!((1.0 - load.within(24, 0.0) - 0.2981).abs() < 1e-3, "{}", load.within(24, 0.0));
        // As patient as an agent is busy: the system is M/M/inf, so the number of calls is Poisson(20) and those who
        // wait are its excess over 24; abandoned share = E[(N - 24)+] / 20.
        let mut p = (-20.0f64).exp();
        let mut excess = 0.0;
        for k in 1..200 {
            p *= 20.0 / f64::from(k);
            excess += p * (f64::from(k) - 24.0).max(0.0);
        }
        assert!((1.0 - load.answered(24) - excess / 20.0).abs() < 1e-9);
        assert!(load.answered(0).abs() < 1e-9 && load.answered(100) > 0.999_999);
    }
}
