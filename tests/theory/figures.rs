//! A figure measured over independent seeds, with its error. Belongs here: the arithmetic of "as theory says".

use rexian::sim::rng::Rng;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

/// Mean over seeds (each seed's own mean is one observation: within a seed waits depend on one another) and its
/// standard error.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub mean: f64,
    pub error: f64,
    /// What cannot be seen at all: a share so close to nobody or everybody that none of the callers may show it.
    grain: f64,
}

/// Beyond so many standard errors a difference counts. Waits are skewed (a bad day is worse than a good one is good), so
/// with two dozen seeds this cries wolf up to once in 50 cases, not as seldom as normal figures would; see the test
/// `the_yardstick_itself_is_true`. Seeds are fixed, so what passes goes on passing.
pub const SIGMAS: f64 = 4.0;

impl Measured {
    /// Much of what one day differs from another is how much load chance brought. `luck` says it per seed and is known
    /// to be 0 on average, so what goes along with it is taken out (a control variate, by linear regression).
    pub fn controlled(observations: &[f64], luck: &[f64]) -> Measured {
        let n = observations.len() as f64;
        let average = |of: &mut dyn Iterator<Item = f64>| of.sum::<f64>() / n;
        let (mean, mean_luck) = (average(&mut observations.iter().copied()), average(&mut luck.iter().copied()));
        let both = || observations.iter().zip(luck).map(|(x, l)| (x - mean, l - mean_luck));
        let spread: f64 = both().map(|(_, l)| l * l).sum();
        let slope = if spread > 0.0 { both().map(|(x, l)| x * l).sum::<f64>() / spread } else { 0.0 };
        let left: f64 = both().map(|(x, l)| (x - slope * l).powi(2)).sum();
        Measured { mean: mean - slope * mean_luck, error: (left / (n - 2.0) / n).sqrt(), grain: 1e-9 }
    }

    /// For a share of so many callers.
    pub fn share_of(self, callers: usize) -> Measured {
        Measured { grain: 5.0 / callers as f64, ..self }
    }

    pub fn agrees_with(&self, theory: f64) -> bool {
        (self.mean - theory).abs() <= SIGMAS * self.error + self.grain
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:9.4} ±{:7.4}", self.mean, SIGMAS * self.error)
    }
}

/// One value per seed from `first` on, on two threads; the result does not depend on which thread does what.
pub fn over_seeds<T: Send>(first: u64, seeds: u64, one: impl Fn(Rng) -> T + Sync) -> Vec<T> {
    let (next, (to, from)) = (AtomicU64::new(0), mpsc::channel());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (to, next, one) = (to.clone(), &next, &one);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    to.send((seed, one(Rng::new(first + seed)))).expect("the test waits");
                }
            });
        }
    });
    drop(to);
    let mut all: Vec<(u64, T)> = from.into_iter().collect();
    all.sort_by_key(|(seed, _)| *seed);
    all.into_iter().map(|(_, value)| value).collect()
}
