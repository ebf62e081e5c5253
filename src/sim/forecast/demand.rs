//! Who calls: from a profile, or as on a past day. Belongs here: drawing citizens. Not here: what becomes of them.

use super::past::PastDay;
use crate::sim::rng::Rng;
use std::time::Duration;

/// One citizen, complete before the day begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citizen {
    /// Since midnight.
    pub at: Duration,
    /// The number dialled.
    pub number: String,
    /// What the citizen speaks, by the profile's name for it.
    pub language: String,
    /// How long the citizen waits for a human.
    pub patience: Duration,
    pub talk: Duration,
    /// How long the agent lets it ring.
    pub ring: Duration,
    /// How long the agent works on after the talk; `None`: as long as the queue says.
    pub wrap_up: Option<Duration>,
}

#[derive(Clone, Debug)]
pub enum Demand {
    Profile(Profile),
    /// Arrivals, talks and abandoned waits of a past day; what that day does not tell comes from the profile.
    Past(PastDay, Profile),
}

/// The statistics of a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Calls a day before any surge.
    pub calls: u32,
    /// Share of the day's calls in each hour from midnight; any scale.
    pub curve: [f64; 24],
    pub talk: Spread,
    pub wrap_up: WrapUp,
    pub ring: Spread,
    pub patience: Patience,
    /// The first is spoken by all who speak none of the others.
    pub languages: Vec<Language>,
    /// The whole day's calls times this.
    pub surge: f64,
    pub bursts: Vec<Burst>,
}

/// A lognormal time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Of the logarithm of seconds; minus infinity is no time at all.
    pub mu: f64,
    pub sigma: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WrapUp {
    /// Agents end it when they are done.
    Drawn(Spread),
    /// It lasts as long as the queue's setting.
    AsTheQueueSays,
}

/// A share gives up within moments whatever happens, the rest has exponential patience.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    pub hasty: f64,
    pub hasty_within: Duration,
    pub mean: Duration,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Language {
    pub name: String,
    /// Of all calls, 0 to 1.
    pub share: f64,
    /// The number by which those citizens reach a queue that serves them.
    pub number: String,
}

/// For some minutes so many times the usual calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    /// Since midnight.
    pub at: Duration,
    pub length: Duration,
    pub times: f64,
}

impl Spread {
    pub const NONE: Spread = Spread { mu: f64::NEG_INFINITY, sigma: 0.0 };

    /// By mean and coefficient of variation.
    pub fn of(mean: Duration, cv: f64) -> Spread {
        let variance = (1.0 + cv * cv).ln();
        Spread { mu: mean.as_secs_f64().ln() - variance / 2.0, sigma: variance.sqrt() }
    }

    /// Seconds.
    pub fn mean(self) -> f64 {
        (self.mu + self.sigma * self.sigma / 2.0).exp()
    }

    /// The same shape around another mean.
    pub fn with_mean(self, mean: Duration) -> Spread {
        Spread { mu: mean.as_secs_f64().ln() - self.sigma * self.sigma / 2.0, sigma: self.sigma }
    }

    fn draw(self, rng: &mut Rng) -> Duration {
        rng.lognormal(self.mu, self.sigma)
    }
}

impl Demand {
    pub fn profile(&self) -> &Profile {
        match self {
            Demand::Profile(profile) | Demand::Past(_, profile) => profile,
        }
    }

    pub fn profile_mut(&mut self) -> &mut Profile {
        match self {
            Demand::Profile(profile) | Demand::Past(_, profile) => profile,
        }
    }

    /// Calls expected in each hour, surges included.
    pub fn hourly(&self) -> [f64; 24] {
        match self {
            Demand::Profile(profile) => profile.hourly(),
            Demand::Past(past, _) => {
                let mut hours = [0.0; 24];
                for call in &past.calls {
                    hours[(call.at.as_secs() / 3_600).min(23) as usize] += 1.0;
                }
                hours
            }
        }
    }

    /// All citizens of the day, in order of arrival.
    pub fn citizens(&self, seed: u64) -> Vec<Citizen> {
        let mut rng = Rng::new(seed);
        let mut when = rng.fork();
        match self {
            Demand::Profile(profile) => {
                let arrivals = profile.arrivals(&mut when);
                arrivals.into_iter().map(|at| profile.citizen(at, &mut rng.fork())).collect()
            }
            Demand::Past(past, profile) => past.citizens(profile, &mut rng),
        }
    }
}

impl Profile {
    /// Exactly the day's number of calls, spread as a Poisson process of that total is: each by itself, by the curve.
    fn arrivals(&self, rng: &mut Rng) -> Vec<Duration> {
        let calls = (f64::from(self.calls) * self.surge).round() as usize;
        let hour = Duration::from_secs(3_600);
        let mut arrivals: Vec<Duration> =
            (0..calls).map(|_| hour * rng.weighted(&self.curve) as u32 + hour.mul_f64(rng.unit())).collect();
        for burst in &self.bursts {
            let usual = self.expected(burst.at, burst.length) * self.surge;
            let more = (usual * (burst.times - 1.0)).round().max(0.0) as usize;
            arrivals.extend((0..more).map(|_| burst.at + burst.length.mul_f64(rng.unit())));
        }
        arrivals.retain(|at| *at < super::DAY);
        arrivals.sort();
        arrivals
    }

    /// Calls expected in `[from, from + length)` by the curve alone.
    fn expected(&self, from: Duration, length: Duration) -> f64 {
        let total: f64 = self.curve.iter().sum();
        let until = from + length;
        let share = |hour: usize| {
            let begins = Duration::from_secs(3_600 * hour as u64);
            let ends = begins + Duration::from_secs(3_600);
            let part = until.min(ends).saturating_sub(from.max(begins));
            self.curve[hour] * part.as_secs_f64() / 3_600.0
        };
        f64::from(self.calls) * (0..24).map(share).sum::<f64>() / total
    }

    fn hourly(&self) -> [f64; 24] {
        let hour = Duration::from_secs(3_600);
        std::array::from_fn(|h| {
            let begins = hour * h as u32;
            let burst = |b: &Burst| {
                let from = b.at.max(begins);
                let until = (b.at + b.length).min(begins + hour);
                self.expected(from, until.saturating_sub(from)) * (b.times - 1.0)
            };
            (self.expected(begins, hour) + self.bursts.iter().map(burst).sum::<f64>()) * self.surge
        })
    }

    /// Draws always the same number of times, so that one changed setting leaves all other traits as they were.
    fn citizen(&self, at: Duration, rng: &mut Rng) -> Citizen {
        let language = &self.languages[rng.weighted(&self.languages.iter().map(|l| l.share).collect::<Vec<_>>())];
        let mut citizen = self.unknown(at, rng);
        citizen.language.clone_from(&language.name);
        citizen.number.clone_from(&language.number);
        citizen
    }

    /// Somebody of whom only the moment is known.
    pub(super) fn unknown(&self, at: Duration, rng: &mut Rng) -> Citizen {
        let main = &self.languages[0];
        let Patience { hasty, hasty_within, mean } = self.patience;
        let (is_hasty, soon, later) = (rng.chance(hasty), hasty_within.mul_f64(rng.unit()), rng.exponential(mean));
        let talk = self.talk.draw(rng);
        let ring = self.ring.draw(rng);
        let wrap_up = match self.wrap_up {
            WrapUp::Drawn(spread) => Some(spread.draw(rng)),
            WrapUp::AsTheQueueSays => None,
        };
        Citizen {
            at,
            number: main.number.clone(),
            language: main.name.clone(),
            patience: if is_hasty { soon } else { later },
            talk,
            ring,
            wrap_up,
        }
    }
}
