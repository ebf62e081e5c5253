//! The pretend network: what happens to one datagram. Belongs here: seeded loss, duplication, reordering and delay.
//! Not here: addresses and the event queue (`day`).

use super::rng::Rng;
use std::time::Duration;

/// What one direction of a path does to datagrams. Probabilities are per datagram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faults {
    pub loss: f64,
    pub duplicate: f64,
    /// Held back long enough for later ones to overtake.
    pub reorder: f64,
    /// For how long at most.
    pub held_back: Duration,
    /// One-way delay: at least `delay`, plus an exponential share with mean `jitter`.
    pub delay: Duration,
    pub jitter: Duration,
}

/// Both directions, seen from the gateway.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    pub inbound: Faults,
    pub outbound: Faults,
}

impl Faults {
    const NONE: Faults = Faults {
        loss: 0.0,
        duplicate: 0.0,
        reorder: 0.0,
        held_back: Duration::from_millis(700),
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
    };
    /// A switched network: nothing lost, order kept.
    pub const CLEAN: Faults =
        Faults { loss: 0.0, duplicate: 0.0, reorder: 0.0, delay: Duration::from_millis(2), ..Faults::NONE };
    /// A bad line: 5 % loss, some repeats and overtaking.
    pub const BAD: Faults = Faults {
        loss: 0.05,
        duplicate: 0.02,
        reorder: 0.05,
        delay: Duration::from_millis(10),
        jitter: Duration::from_millis(15),
        ..Faults::NONE
    };
    /// Worse than anything a carrier may sell; SIP's retransmissions still get through most of the time.
    pub const HOSTILE: Faults = Faults {
        loss: 0.20,
        duplicate: 0.10,
        reorder: 0.20,
        delay: Duration::from_millis(40),
        jitter: Duration::from_millis(120),
        ..Faults::NONE
    };
    /// Less is lost, but what comes may come twice, and seconds late: old messages meet new calls.
    pub const STORM: Faults = Faults {
        loss: 0.10,
        duplicate: 0.10,
        reorder: 0.20,
        held_back: Duration::from_secs(2),
        delay: Duration::from_millis(30),
        jitter: Duration::from_millis(50),
    };

    /// True if datagrams arrive all, once and in order.
    pub fn keeps_order(&self) -> bool {
        self.loss == 0.0 && self.duplicate == 0.0 && self.reorder == 0.0 && self.jitter.is_zero()
    }

    /// When the copies of one datagram arrive, as delays from now: none, one or two.
    pub fn carry(&self, rng: &mut Rng) -> impl Iterator<Item = Duration> + use<> {
        let copies = if rng.chance(self.loss) { 0 } else { 1 + usize::from(rng.chance(self.duplicate)) };
        let mut delays = [None, None];
        for delay in delays.iter_mut().take(copies) {
            let mut late = self.delay + rng.exponential(self.jitter);
            if rng.chance(self.reorder) {
                late += rng.between(Duration::from_millis(5), self.held_back);
            }
            *delay = Some(late);
        }
        delays.into_iter().flatten()
    }
}

impl Path {
    pub const CLEAN: Path = Path { inbound: Faults::CLEAN, outbound: Faults::CLEAN };
    pub const BAD: Path = Path { inbound: Faults::BAD, outbound: Faults::BAD };
    pub const HOSTILE: Path = Path { inbound: Faults::HOSTILE, outbound: Faults::HOSTILE };
    pub const STORM: Path = Path { inbound: Faults::STORM, outbound: Faults::STORM };
    /// One direction only: what we send gets lost, what we hear does not.
    pub const DEAF: Path = Path { inbound: Faults::CLEAN, outbound: Faults::HOSTILE };

    pub fn keeps_order(&self) -> bool {
        self.inbound.keeps_order() && self.outbound.keeps_order()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_as_often_as_they_say() {
        let mut rng = Rng::new(3);
        let sent = 50_000;
        let copies: Vec<usize> = (0..sent).map(|_| Faults::BAD.carry(&mut rng).count()).collect();
        let share = |n: usize| copies.iter().filter(|&&c| c == n).count() as f64 / f64::from(sent);
        assert!((0.046..0.054).contains(&share(0)), "lost {}", share(0));
        assert!((0.016..0.022).contains(&share(2)), "doubled {}", share(2));
        assert!(Faults::CLEAN.carry(&mut rng).eq([Duration::from_millis(2)]));
    }
}
