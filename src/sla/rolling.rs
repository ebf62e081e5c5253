//! 接通率 over any continuous 24 hours (GB/T 33358-2016): not by the day nor by the hour, but over every window that
//! could be chosen. Not here: what is a request and what an answer (`record`).

use crate::time::Instant;
use std::time::Duration;

pub const WINDOW: Duration = Duration::from_secs(24 * 3_600);

/// 24 hours: requests after `ends - 24 h`, up to and with `ends`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub ends: Instant,
    /// R
    pub requests: u64,
    /// A
    pub answered: u64,
}

impl Window {
    pub fn rate(&self) -> f64 {
        self.answered as f64 / self.requests as f64
    }
}

/// The window with the lowest rate of those that end in `[from, until)`. `requests`: the moment of each request that is
/// over, and whether it was answered, in order of time, from `from - 24 h` on. Of equally low ones the first; `None`: no
/// such window has a request.
pub fn worst(requests: &[(Instant, bool)], from: Instant, until: Instant) -> Option<Window> {
    let leaves = |index: usize| requests.get(index).map(|(at, _)| *at + WINDOW);
    let (mut head, mut tail) = (0, 0);
    let (mut all, mut answered) = (0_u64, 0_u64);
    let mut worst: Option<Window> = None;
    // The rate changes only where a request enters or leaves: those moments are all that need a look.
    let mut ends = from;
    loop {
        while let Some((_, yes)) = requests.get(head).filter(|(at, _)| *at <= ends) {
            (all, answered, head) = (all + 1, answered + u64::from(*yes), head + 1);
        }
        while let Some((_, yes)) = requests.get(tail).filter(|_| leaves(tail).is_some_and(|at| at <= ends)) {
            (all, answered, tail) = (all - 1, answered - u64::from(*yes), tail + 1);
        }
        let here = Window { ends, requests: all, answered };
        let is_worse = |worst: Window| {
            let (ours, theirs) = (u128::from(answered), u128::from(worst.answered));
            ours * u128::from(worst.requests) < theirs * u128::from(all)
        };
        if all > 0 && worst.is_none_or(is_worse) {
            worst = Some(here);
        }
        let next = requests.get(head).map(|(at, _)| *at).into_iter().chain(leaves(tail)).min();
        match next.filter(|at| *at < until) {
            Some(at) => ends = at,
            None => return worst,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(n: f64) -> Instant {
        Instant((n * 3.6e9) as u64)
    }

    /// Every window, one by one, at a resolution finer than the requests.
    fn by_hand(requests: &[(Instant, bool)], from: u64, until: u64) -> Option<(u64, u64)> {
        let rates = (from * 4..until * 4).filter_map(|quarter| {
            let ends = hours(quarter as f64 / 4.0);
            let inside: Vec<bool> =
                requests.iter().filter(|(at, _)| *at <= ends && *at + WINDOW > ends).map(|(_, yes)| *yes).collect();
            let answered = inside.iter().filter(|yes| **yes).count() as u64;
            (!inside.is_empty()).then_some((answered, inside.len() as u64))
        });
        rates.min_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1)))
    }

    /// A bad evening and a bad morning: each day by itself holds 95 %, the 24 hours across midnight do not.
    #[test]
    fn a_window_across_midnight_may_be_worse_than_either_day() {
        let mut requests = vec![];
        for call in 0..100 {
            requests.push((hours(20.0 + f64::from(call) / 100.0), call >= 5));
            requests.push((hours(28.0 + f64::from(call) / 100.0), call >= 5));
            for hour in [1.0, 2.0, 46.0, 47.0] {
                requests.push((hours(hour), true));
            }
        }
        requests.sort();
        let found = worst(&requests, hours(24.0), hours(48.0)).unwrap();
        // Just after the morning's five: nobody was answered yet.
        assert_eq!((found.requests, found.answered), (105, 95), "each day by itself has 295 of 300");
        assert_eq!(found.ends, hours(28.04));
    }

    #[test]
    fn it_finds_what_trying_every_window_finds() {
        let mut state = 7u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for round in 0..200 {
            let mut requests: Vec<_> =
                (0..1 + random(60)).map(|_| (hours(random(96 * 4) as f64 / 4.0), random(3) > 0)).collect();
            requests.sort();
            let found = worst(&requests, hours(24.0), hours(72.0)).map(|w| w.rate());
            let expected = by_hand(&requests, 24, 72).map(|(a, r)| a as f64 / r as f64);
            assert_eq!(found, expected, "round {round}: {requests:?}");
        }
    }

    #[test]
    fn no_request_no_window() {
        assert_eq!(worst(&[], hours(0.0), hours(24.0)), None);
        assert_eq!(worst(&[(hours(30.0), true)], hours(0.0), hours(24.0)), None);
    }
}
