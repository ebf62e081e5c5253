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
}

/// Beyond so many standard errors a difference is no accident: with the few dozen seeds of a test, about 1 in 2,000.
pub const SIGMAS: f64 = 4.0;

impl Measured {
    pub fn of(observations: &[f64]) -> Measured {
        let n = observations.len() as f64;
        let mean = observations.iter().sum::<f64>() / n;
        let variance = observations.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Measured { mean, error: (variance / n).sqrt() }
    }

    pub fn agrees_with(&self, theory: f64) -> bool {
        // A figure that cannot vary (nobody abandons) must be met up to rounding.
        (self.mean - theory).abs() <= SIGMAS * self.error + 1e-9
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:9.4} ±{:7.4}", self.mean, SIGMAS * self.error)
    }
}

/// One value per seed, on two threads; the result does not depend on which thread does what.
pub fn over_seeds<T: Send>(seeds: u64, one: impl Fn(Rng) -> T + Sync) -> Vec<T> {
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
                    to.send((seed, one(Rng::new(0x0005_eed0 + seed)))).expect("the test waits");
                }
            });
        }
    });
    drop(to);
    let mut all: Vec<(u64, T)> = from.into_iter().collect();
    all.sort_by_key(|(seed, _)| *seed);
    all.into_iter().map(|(_, value)| value).collect()
}
