//! The smallest roster that holds a target in every hour. Erlang gives the first guess, whole simulated days decide:
//! hours that miss are raised, then hours are lowered one seat at a time until none can be. Only seats outside the
//! roster's groups are added or taken; the groups stay as they are.

use super::erlang::Load;
use super::outcome::{Outcome, Part};
use super::roster::{Hourly, Roster};
use super::{Scene, run};
use std::time::Duration;

/// What every hour must reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Aim {
    /// 0 to 1.
    pub target: f64,
    pub by: Measure,
    /// Days simulated for each guess; an hour is judged over all of them.
    pub days: u32,
    pub seed: u64,
    /// Guesses at most.
    pub guesses: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// 接通率: A / R.
    Connection,
    /// N秒人工接通率: A_N / R.
    Service,
}

#[derive(Clone, Debug)]
pub struct Found {
    pub roster: Roster,
    /// What Erlang would have said.
    pub guess: Hourly,
    pub outcome: Outcome,
    /// Guesses simulated.
    pub guesses: u32,
    /// Hours that miss the target all the same: more seats do not help, or the guesses ran out.
    pub missed: Vec<usize>,
    /// The guesses ran out before no hour could be lowered.
    pub cut_short: bool,
}

impl Measure {
    /// `None`: nobody called.
    pub fn of(self, part: &Part) -> Option<f64> {
        match self {
            Measure::Connection => part.connection_rate(),
            Measure::Service => part.service_level(),
        }
    }
}

/// Runs `days` days, on as many threads as there are cores.
pub fn run_days(scene: &Scene, seed: u64, days: u32) -> Vec<super::Day> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(days as usize).max(1);
    let mut all: Vec<Option<super::Day>> = (0..days).map(|_| None).collect();
    std::thread::scope(|scope| {
        for (core, part) in all.chunks_mut((days as usize).div_ceil(cores)).enumerate() {
            let first = seed + (core * (days as usize).div_ceil(cores)) as u64;
            scope.spawn(move || {
                for (seed, day) in (first..).zip(part) {
                    *day = Some(run(scene, seed));
                }
            });
        }
    });
    all.into_iter().flatten().collect()
}

pub fn find(scene: &Scene, roster: &Roster, aim: Aim, mut told: impl FnMut(u32, &Hourly)) -> Found {
    let floor = roster.in_groups().map(|groups| groups.max(1));
    let guess = guess(scene, aim);
    let mut search = Search { scene, aim, roster: roster.clone(), tried: 0, told: &mut told };
    let mut seats: Hourly = std::array::from_fn(|h| guess[h].max(floor[h]));
    let mut outcome = search.simulate(&seats);
    // An hour that could not be lowered, or could not be raised with effect, is done with.
    let mut settled: [bool; 24] = std::array::from_fn(|h| seats[h] == floor[h]);
    let mut hopeless = [false; 24];
    outcome = search.raise(&mut seats, outcome, &mut settled, &mut hopeless);
    while settled.contains(&false) && search.left() {
        // Neighbours share callers who wait across the hour, so every other hour is tried at once.
        for parity in 0..2 {
            let trying: Vec<usize> = (0..24).filter(|h| h % 2 == parity && !settled[*h]).collect();
            if trying.is_empty() || !search.left() {
                continue;
            }
            let mut fewer = seats;
            for h in &trying {
                fewer[*h] -= 1;
            }
            let tried = search.simulate(&fewer);
            let mut refused = false;
            for &h in &trying {
                let harmed = [h, h + 1].into_iter().any(|x| x < 24 && !hopeless[x] && !search.holds(&tried, x));
                if harmed {
                    settled[h] = true;
                    refused = true;
                } else {
                    seats[h] = fewer[h];
                    settled[h] = seats[h] == floor[h];
                }
            }
            outcome = if refused { search.simulate(&seats) } else { tried };
            outcome = search.raise(&mut seats, outcome, &mut settled, &mut hopeless);
        }
    }
    let missed: Vec<usize> = (0..24).filter(|h| !search.holds(&outcome, *h)).collect();
    let cut_short = settled.contains(&false);
    let guesses = search.tried;
    Found { roster: Roster { seats, ..roster.clone() }, guess, outcome, guesses, missed, cut_short }
}

struct Search<'a> {
    scene: &'a Scene,
    aim: Aim,
    roster: Roster,
    tried: u32,
    told: &'a mut dyn FnMut(u32, &Hourly),
}

impl Search<'_> {
    fn left(&self) -> bool {
        self.tried < self.aim.guesses
    }

    fn simulate(&mut self, seats: &Hourly) -> Outcome {
        self.tried += 1;
        (self.told)(self.tried, seats);
        self.roster.seats = *seats;
        let scene = Scene { posts: self.roster.posts(), ..self.scene.clone() };
        Outcome::of(&run_days(&scene, self.aim.seed, self.aim.days))
    }

    fn holds(&self, outcome: &Outcome, hour: usize) -> bool {
        self.aim.by.of(&outcome.hours[hour].0).is_none_or(|rate| rate >= self.aim.target)
    }

    /// Adds seats to hours that miss until none does. What was raised need not be lowered again.
    fn raise(
        &mut self,
        seats: &mut Hourly,
        mut outcome: Outcome,
        settled: &mut [bool; 24],
        hopeless: &mut [bool; 24],
    ) -> Outcome {
        let mut raised = [0u32; 24];
        while self.left() {
            let missing: Vec<usize> = (0..24).filter(|h| !hopeless[*h] && !self.holds(&outcome, *h)).collect();
            if missing.is_empty() {
                break;
            }
            for h in missing {
                let rate = self.aim.by.of(&outcome.hours[h].0).unwrap_or(1.0);
                let step = (f64::from(seats[h]) * (self.aim.target - rate) / 4.0).ceil().clamp(1.0, 20.0) as u32;
                seats[h] += step;
                raised[h] += step;
                // A single seat at a time is exact; a leap may have gone too far and is tried downwards again.
                settled[h] = step == 1;
                // Three times the work's need and still missing: it is not for want of seats.
                hopeless[h] = raised[h] > 40 + 2 * seats[h] / 3;
                settled[h] |= hopeless[h];
            }
            outcome = self.simulate(seats);
        }
        outcome
    }
}

fn guess(scene: &Scene, aim: Aim) -> Hourly {
    let profile = scene.demand.profile();
    let calls = scene.demand.hourly();
    let within = scene.settings.queues.first().map_or(Duration::from_secs(15), |queue| queue.within).as_secs_f64();
    let handle = profile.talk.mean() + profile.ring.mean() + scene.mean_wrap_up();
    calls.map(|calls| {
        let load = Load { arrivals: calls / 3_600.0, handle, patience: profile.patience.mean.as_secs_f64().max(1.0) };
        load.fewest(|load, agents| match aim.by {
            Measure::Connection => load.answered(agents) * (1.0 - profile.patience.hasty) >= aim.target,
            Measure::Service => load.within(agents, within) >= aim.target || agents >= 5_000,
        })
    })
}
