//! The one source of chance in the pretend world. Belongs here: a small seeded generator and the distributions the
//! load profile names. Not here: anything the product itself draws (that is `sip::tokens`).

use std::time::Duration;

/// SplitMix64: one word of state, every seed good, cheap to fork. Not for secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// An independent stream: drawing from it never shifts what this one draws later.
    pub fn fork(&mut self) -> Rng {
        Rng(self.next_u64())
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In `0..n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// In `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        low + high.saturating_sub(low).mul_f64(self.unit())
    }

    pub fn exponential(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-(1.0 - self.unit()).ln())
    }

    /// `exp(N(mu, sigma))` seconds.
    pub fn lognormal(&mut self, mu: f64, sigma: f64) -> Duration {
        // Box-Muller, one of the pair; 1 - unit() keeps the logarithm finite.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.unit()).cos();
        Duration::from_secs_f64((mu + sigma * normal).exp().min(86_400.0))
    }

    /// An index into `weights`, in proportion to them.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (i, w) in weights.iter().enumerate() {
            left -= w;
            if left < 0.0 {
                return i;
            }
        }
        weights.len().saturating_sub(1)
    }

    /// 16 hex digits for tags, branches and Call-IDs.
    pub fn token(&mut self) -> String {
        format!("{:016x}", self.next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn talk_times_have_the_profiles_mean_and_tail() {
        let mut rng = Rng::new(7);
        let mut talks: Vec<f64> = (0..40_000).map(|_| rng.lognormal(4.759, 0.833).as_secs_f64()).collect();
        talks.sort_by(f64::total_cmp);
        let mean = talks.iter().sum::<f64>() / talks.len() as f64;
        let p95 = talks[talks.len() * 95 / 100];
        assert!((160.0..170.0).contains(&mean), "mean talk {mean} s, the profile says 165 s");
        assert!((445.0..475.0).contains(&p95), "95th percentile {p95} s, the profile says 459 s");
    }

    #[test]
    fn weights_are_respected() {
        let mut rng = Rng::new(1);
        let mut hits = [0u32; 3];
        for _ in 0..30_000 {
            hits[rng.weighted(&[1.0, 0.0, 2.0])] += 1;
        }
        assert_eq!(hits[1], 0);
        assert!((9_500..10_500).contains(&hits[0]), "{hits:?}");
    }
}
