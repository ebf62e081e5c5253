//! What queueing theory says of a floor of equal agents: the yardstick the simulated one is held against. Belongs here:
//! the Erlang formulas for random (Poisson) arrivals and exponential times. Not here: floors with several skills, other
//! distributions, surges; those are for the simulation itself, which is why there is one.
//!
//! `load` is in erlangs, calls per second times mean handling seconds. Times are in units of the mean handling time.
//!
//! Sources: A. K. Erlang 1917 (B and C); C. Palm 1957 and Garnett, Mandelbaum, Reiman, "Designing a Call Center with
//! Impatient Customers", 2002 (A, the M/M/n+M queue).

/// A floor that runs on as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steady {
    /// Share of callers who do not find an agent free.
    pub waits: f64,
    /// Share of callers who hang up before an agent comes.
    pub abandons: f64,
    /// Mean wait of all callers, those who are served at once and those who hang up included.
    pub mean_wait: f64,
    /// Mean wait of those who have to wait at all.
    pub mean_wait_if_any: f64,
    /// Share of an agent's time spent on calls.
    pub occupancy: f64,
}

/// Erlang B: the share of callers turned away when nobody can wait. By its recursion over the agents, which adds and
/// multiplies positive numbers only: no factorial to overflow, nothing to cancel.
pub fn erlang_b(agents: u32, load: f64) -> f64 {
    (1..=agents).fold(1.0, |blocked, n| load * blocked / (f64::from(n) + load * blocked))
}

/// Erlang C: everybody waits until served. `None`: more load than agents, the line grows for ever.
pub fn erlang_c(agents: u32, load: f64) -> Option<Steady> {
    let n = f64::from(agents);
    if load >= n {
        return None;
    }
    let blocked = erlang_b(agents, load);
    let waits = blocked / (1.0 - load / n * (1.0 - blocked));
    let mean_wait_if_any = 1.0 / (n - load);
    Some(Steady { waits, abandons: 0.0, mean_wait: waits * mean_wait_if_any, mean_wait_if_any, occupancy: load / n })
}

/// Erlang C's share of callers who wait longer than `limit`.
pub fn waits_longer(agents: u32, load: f64, limit: f64) -> Option<f64> {
    let steady = erlang_c(agents, load)?;
    Some(steady.waits * (-limit / steady.mean_wait_if_any).exp())
}

/// Erlang A: callers hang up after an exponential time of mean `patience`.
///
/// The chain of "so many on the floor" in two halves, each relative to the state in which all agents are busy and nobody
/// waits: below it the sum is 1/B, above it each term follows from the one before and soon falls off, because the rate
/// of leaving grows with the line.
pub fn erlang_a(agents: u32, load: f64, patience: f64) -> Steady {
    let n = f64::from(agents);
    // Weights of: all busy and nobody in line; one more in line, and so on; their sum; their sum times the line's length.
    let (mut empty, mut term, mut above, mut in_line) = (1.0, 1.0, 0.0, 0.0);
    for waiting in (1..).map(f64::from as fn(u32) -> f64) {
        term *= load / (n + waiting / patience);
        above += term;
        in_line += waiting * term;
        if waiting * term <= 1e-17 * in_line {
            break;
        }
        if term > 1e200 {
            [empty, term, above, in_line] = [empty, term, above, in_line].map(|weight| weight / 1e200);
        }
    }
    let all = empty / erlang_b(agents, load) + above;
    let waits = (empty + above) / all;
    // Little: the line's length is the rate of arrival times the mean wait; each in line leaves at 1/patience.
    let mean_wait = in_line / all / load;
    let abandons = mean_wait / patience;
    Steady { waits, abandons, mean_wait, mean_wait_if_any: mean_wait / waits, occupancy: load * (1.0 - abandons) / n }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(found: f64, published: f64, to: f64) {
        assert!((found - published).abs() <= to, "{found} is not {published}");
    }

    /// The load at which so many lines lose 1 % (the tables printed in every traffic handbook).
    #[test]
    fn erlang_b_as_in_the_tables() {
        for (lines, load) in [(1, 0.0101), (5, 1.361), (10, 4.461), (20, 12.031), (50, 37.901), (100, 84.064)] {
            is(erlang_b(lines, load), 0.01, 2e-5);
        }
        is(erlang_b(0, 3.0), 1.0, 0.0);
        is(erlang_b(1, 1.0), 0.5, 0.0);
        is(erlang_b(2, 1.0), 0.2, 1e-12);
        assert!(erlang_b(10_000, 9_900.0).is_finite(), "no factorial in it");
    }

    /// Two agents and one erlang: a third waits; one agent: the share of busy time.
    #[test]
    fn erlang_c_as_in_the_tables() {
        is(erlang_c(2, 1.0).unwrap().waits, 1.0 / 3.0, 1e-12);
        is(erlang_c(1, 0.95).unwrap().waits, 0.95, 1e-12);
        is(erlang_c(1, 0.95).unwrap().mean_wait, 19.0, 1e-9);
        // Koole, "Call Center Optimization": a call a minute of 5 minutes and 8 agents.
        is(erlang_c(8, 5.0).unwrap().waits, 0.167, 5e-4);
        is(waits_longer(8, 5.0, 20.0 / 300.0).unwrap(), 0.137, 5e-4);
        assert_eq!(erlang_c(5, 5.0), None);
    }

    /// Garnett, Mandelbaum, Reiman 2002: 50 agents, 48 calls a minute, service 1 minute, patience 2 minutes.
    #[test]
    fn erlang_a_as_published() {
        let patient = erlang_c(50, 48.0).unwrap();
        is(patient.mean_wait * 60.0, 20.8, 0.1);
        is(patient.occupancy, 0.96, 1e-12);
        let impatient = erlang_a(50, 48.0, 2.0);
        is(impatient.abandons, 0.031, 5e-4);
        is(impatient.mean_wait * 60.0, 3.7, 0.05);
        is(impatient.occupancy, 0.93, 5e-3);
    }

    #[test]
    fn erlang_a_lies_between_b_and_c() {
        for (agents, load) in [(1, 0.7), (5, 4.5), (60, 57.0)] {
            let (patient, c) = (erlang_a(agents, load, 1e7), erlang_c(agents, load).unwrap());
            is(patient.waits, c.waits, 1e-4);
            is(patient.mean_wait / c.mean_wait, 1.0, 1e-3);
            is(erlang_a(agents, load, 1e-9).abandons, erlang_b(agents, load), 1e-6);
        }
        // Overload: who cannot be served leaves.
        let flooded = erlang_a(60, 120.0, 2.0);
        is(flooded.abandons, 0.5, 1e-6);
        is(flooded.occupancy, 1.0, 1e-6);
        is(erlang_a(5_000, 6_000.0, 1_000.0).abandons, 1.0 / 6.0, 1e-6);
    }
}
