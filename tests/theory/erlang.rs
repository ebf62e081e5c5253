//! Floors of equal agents against Erlang C (everybody waits) and Erlang A (callers give up).

use crate::figures::{Measured, SIGMAS, over_seeds};
use crate::floor::{Caller, Crowd, Fate, House};
use rexian::sim::erlang::{Steady, erlang_a, erlang_c};
use rexian::sim::rng::Rng;
use std::time::Duration;

/// The profile's mean talk.
pub const TALK: Duration = Duration::from_secs(165);

/// One floor at one load, and how long to look at it.
#[derive(Clone, Copy)]
struct Case {
    agents: u32,
    /// Load per agent.
    rho: f64,
    patience: Option<Duration>,
    seeds: u64,
    callers: usize,
    /// Callers not counted: the floor begins empty.
    warm_up: usize,
    /// Talk is longer than theory knows by this factor: 1.0, but for the controls.
    bias: f64,
}

impl Case {
    fn load(&self) -> f64 {
        self.rho * f64::from(self.agents)
    }

    /// Theory at a load that is off by `factor`; seconds.
    fn theory(&self, factor: f64) -> Option<Steady> {
        let talk = TALK.as_secs_f64();
        let steady = match self.patience {
            None => erlang_c(self.agents, self.load() * factor)?,
            Some(patience) => erlang_a(self.agents, self.load() * factor, patience.as_secs_f64() / talk / factor),
        };
        let seconds = talk * factor;
        let (mean_wait, mean_wait_if_any) = (steady.mean_wait * seconds, steady.mean_wait_if_any * seconds);
        Some(Steady { mean_wait, mean_wait_if_any, ..steady })
    }

    fn crowd(&self) -> Crowd {
        let per_second = self.load() / TALK.as_secs_f64();
        Crowd { per_second, talk: TALK.mul_f64(self.bias), patience: self.patience }
    }

    fn measure(&self) -> Seen {
        let house = House::of_equals(self.agents);
        // Seeds of its own: luck must not repeat from case to case.
        let first = (self.load() * 1e6) as u64 + self.patience.map_or(0, |p| p.as_secs());
        let days = over_seeds(first, self.seeds, |mut rng: Rng| {
            let crowd = self.crowd();
            let callers = crowd.draw(&mut rng, self.warm_up + self.callers);
            Day::of(&crowd, &callers, &house.run(&callers), self.warm_up, self.agents)
        });
        Seen::of(&days, self.callers)
    }
}

/// The same figures theory gives, of one stretch of a simulated floor; seconds.
pub struct Day {
    steady: Steady,
    /// By how much more than expected callers brought, as a share.
    luck: f64,
    /// How long was looked, in seconds.
    span: f64,
}

/// A figure that is one sum over another, as that of all days together with each day's part in it. The mean of the days'
/// own ratios would lean to one side (on a bad day more callers wait, and longer; a day with quick arrivals is short).
fn ratio(days: &[Day], above: impl Fn(&Day) -> f64, below: impl Fn(&Day) -> f64) -> Vec<f64> {
    let sum = |of: &dyn Fn(&Day) -> f64| days.iter().map(of).sum::<f64>();
    let (all, mean_below) = (sum(&above) / sum(&below), sum(&below) / days.len() as f64);
    days.iter().map(|day| all + (above(day) - all * below(day)) / mean_below).collect()
}

impl Day {
    /// Callers before `from` fill the floor and are not counted.
    pub fn of(crowd: &Crowd, callers: &[Caller], fates: &[Fate], from: usize, agents: u32) -> Day {
        let (begin, end) = (callers[from].at, callers[callers.len() - 1].at);
        let (mut waited, mut left, mut wait, mut busy) = (0u32, 0u32, 0.0, 0.0);
        for (i, (caller, fate)) in callers.iter().zip(fates).enumerate() {
            let waits = match fate {
                Fate::Served { at, .. } => {
                    busy += ((*at + caller.talk).min(end) - (*at).max(begin)).as_secs_f64();
                    *at - caller.at
                }
                Fate::Left => caller.patience.expect("only who has a limit leaves"),
            };
            if i >= from {
                left += u32::from(*fate == Fate::Left);
                waited += u32::from(!waits.is_zero());
                wait += waits.as_secs_f64();
            }
        }
        let counted = &callers[from..];
        let (n, span) = (counted.len() as f64, (end - begin).as_secs_f64());
        let talk = counted.iter().map(|c| c.talk.as_secs_f64()).sum::<f64>() / n;
        let steady = Steady {
            waits: f64::from(waited) / n,
            abandons: f64::from(left) / n,
            mean_wait: wait / n,
            mean_wait_if_any: wait / f64::from(waited.max(1)),
            occupancy: busy / (span * f64::from(agents)),
        };
        Day { steady, luck: talk / crowd.talk.as_secs_f64() - span / (n - 1.0) * crowd.per_second, span }
    }
}

pub struct Seen {
    pub waits: Measured,
    pub abandons: Measured,
    pub mean_wait: Measured,
    pub mean_wait_if_any: Measured,
    pub occupancy: Measured,
}

impl Seen {
    pub fn of(days: &[Day], callers: usize) -> Seen {
        let luck: Vec<f64> = days.iter().map(|day| day.luck).collect();
        let each = |figure: fn(&Steady) -> f64| {
            Measured::controlled(&days.iter().map(|day| figure(&day.steady)).collect::<Vec<_>>(), &luck)
        };
        let all = days.len() * callers;
        let if_any = ratio(days, |d| d.steady.mean_wait, |d| d.steady.waits);
        let occupancy = ratio(days, |d| d.steady.occupancy * d.span, |d| d.span);
        Seen {
            waits: each(|d| d.waits).share_of(all),
            abandons: each(|d| d.abandons).share_of(all),
            mean_wait: each(|d| d.mean_wait),
            mean_wait_if_any: Measured::controlled(&if_any, &luck),
            occupancy: Measured::controlled(&occupancy, &luck).share_of(all),
        }
    }

    /// The figures that are further from theory than chance explains.
    pub fn disagreements(&self, theory: &Steady) -> Vec<String> {
        let all = [
            ("share waiting", &self.waits, theory.waits),
            ("share abandoning", &self.abandons, theory.abandons),
            ("mean wait", &self.mean_wait, theory.mean_wait),
            ("mean wait if any", &self.mean_wait_if_any, theory.mean_wait_if_any),
            ("occupancy", &self.occupancy, theory.occupancy),
        ];
        let off = all.into_iter().filter(|(_, seen, theory)| !seen.agrees_with(*theory));
        off.map(|(what, seen, theory)| format!("{what}: theory {theory:.5}, seen {seen}")).collect()
    }

    pub fn row(&self, theory: &Steady) -> String {
        format!(
            "{:7.4} {}  {:9.3} {}  {:7.4} {}  {:7.4} {}",
            theory.waits,
            self.waits,
            theory.mean_wait,
            self.mean_wait,
            theory.abandons,
            self.abandons,
            theory.occupancy,
            self.occupancy
        )
    }
}

const HEAD: &str = "  n  rho patience | P(wait) seen ±4 se          | mean wait, s                  | P(abandon)               | occupancy";

fn hold_against_theory(cases: &[Case]) {
    println!("{HEAD}");
    let mut faults = Vec::new();
    for case in cases {
        let (theory, seen) = (case.theory(1.0).expect("a load it can carry"), case.measure());
        let patience = case.patience.map_or("-".into(), |p| p.as_secs().to_string());
        println!("{:3} {:4.2} {patience:>8} | {}", case.agents, case.rho, seen.row(&theory));
        let name = format!("{} agents at {}, patience {patience}", case.agents, case.rho);
        faults.extend(seen.disagreements(&theory).into_iter().map(|fault| format!("{name}: {fault}")));
        // The errors are small enough to matter: talk 5 % longer would be seen, in the wait and in the share that waits.
        let longer = case.theory(1.05);
        let noticed = |seen: &Measured, figure: fn(&Steady) -> f64| match &longer {
            Some(longer) => (figure(longer) - figure(&theory)).abs() > SIGMAS * seen.error,
            None => true,
        };
        if !noticed(&seen.mean_wait, |s| s.mean_wait) || !noticed(&seen.waits, |s| s.waits) {
            faults.push(format!("{name}: too few callers to tell: {}", seen.row(&theory)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn patient(agents: u32, rho: f64, seeds: u64, callers: usize, warm_up: usize) -> Case {
    Case { agents, rho, patience: None, seeds, callers, warm_up, bias: 1.0 }
}

fn impatient(agents: u32, rho: f64, patience: u64, seeds: u64, callers: usize) -> Case {
    Case { patience: Some(Duration::from_secs(patience)), ..patient(agents, rho, seeds, callers, 1_000) }
}

#[test]
fn who_waits_waits_as_erlang_c_says() {
    hold_against_theory(&[
        patient(1, 0.7, 24, 10_000, 500),
        patient(1, 0.9, 24, 20_000, 2_000),
        patient(1, 0.95, 24, 40_000, 10_000),
        patient(5, 0.7, 24, 10_000, 500),
        patient(5, 0.9, 24, 20_000, 2_000),
        patient(5, 0.95, 24, 30_000, 8_000),
        patient(20, 0.7, 24, 10_000, 500),
        patient(20, 0.9, 24, 20_000, 2_000),
        patient(20, 0.95, 24, 30_000, 8_000),
        patient(60, 0.7, 24, 20_000, 500),
        patient(60, 0.9, 24, 20_000, 2_000),
        patient(60, 0.95, 24, 30_000, 5_000),
    ]);
}

#[test]
fn who_gives_up_gives_up_as_erlang_a_says() {
    hold_against_theory(&[
        impatient(1, 0.9, 300, 24, 5_000),
        impatient(5, 0.95, 300, 24, 5_000),
        impatient(20, 0.95, 700, 24, 10_000),
        impatient(20, 1.3, 300, 24, 5_000),
        impatient(60, 0.95, 300, 24, 10_000),
        impatient(60, 1.1, 300, 24, 10_000),
        impatient(60, 1.1, 700, 24, 10_000),
        impatient(60, 1.6, 300, 24, 5_000),
        impatient(60, 1.6, 700, 24, 5_000),
    ]);
}

/// The control: talk is 5 % longer than theory is told.
#[test]
fn a_floor_that_is_a_little_slower_is_found_out() {
    for case in [patient(20, 0.9, 24, 20_000, 2_000), impatient(60, 1.1, 300, 24, 10_000)] {
        let slower = Case { bias: 1.05, ..case };
        let found = slower.measure().disagreements(&case.theory(1.0).expect("a load it can carry"));
        println!("{found:#?}");
        let names = ["share waiting", "mean wait"];
        assert!(names.iter().all(|name| found.iter().any(|f| f.starts_with(name))), "passed as right: {found:?}");
    }
}

/// The yardstick held against itself: over many days no figure leans to one side, and tests of 24 seeds that are right
/// are seldom called wrong.
#[test]
fn the_yardstick_itself_is_true() {
    let case = patient(5, 0.8, 1_200, 1_700, 200);
    let (theory, crowd, house) = (case.theory(1.0).expect("a load it can carry"), case.crowd(), House::of_equals(5));
    let days = over_seeds(1_000_000, case.seeds, |mut rng: Rng| {
        let callers = crowd.draw(&mut rng, case.warm_up + case.callers);
        Day::of(&crowd, &callers, &house.run(&callers), case.warm_up, case.agents)
    });
    let all = Seen::of(&days, case.callers);
    println!(
        "{} days: {}; wait if any {} of {:.2}",
        days.len(),
        all.row(&theory),
        all.mean_wait_if_any,
        theory.mean_wait_if_any
    );
    assert!(all.disagreements(&theory).is_empty(), "{:?}", all.disagreements(&theory));
    let tests = days.chunks_exact(24).map(|days| Seen::of(days, case.callers));
    let alarms = tests.filter(|seen| !seen.disagreements(&theory).is_empty()).count();
    println!("{alarms} of {} tests of 24 seeds would have cried wolf", days.len() / 24);
    assert!(alarms <= 4, "{alarms} of {}", days.len() / 24);
}
