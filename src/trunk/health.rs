//! Whether one hop lives, as a state machine: signs of life and of its lack in, the state and the pace of questions out.
//! Belongs here: what each sign means. Not here: sending OPTIONS (`gateway::health`), choosing among hops (`hops`).
//!
//! ```text
//!          silent              silent, misses in a row
//!   Up -----------> Probing ----------------------------> Down
//!    ^                 | ^                                  |
//!    +----- answer ----+ +------------ answer --------------+
//! ```
//!
//! Any answer at all is a sign of life, even 404 or 501: who refuses OPTIONS is there to refuse it. Out of Down a second
//! answer is wanted, so that a hop that flaps gets no calls at its first twitch.

use crate::config::settings::Probe;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Between the questions to a hop in doubt.
const QUICK: Duration = Duration::from_secs(1);
/// An answer is not waited for longer: UDP has been tried four times by then.
const PATIENCE: Duration = Duration::from_secs(4);
/// A hop nobody probes that failed a call gets none for so long.
const UNPROBED: Duration = Duration::from_secs(30);
/// No peer puts itself out of service for longer.
const LONGEST_REST: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Health {
    Up,
    /// Asked for no calls until then; or it is not probed and failed one.
    Resting {
        until: Instant,
    },
    /// In doubt: so many signs were missing in a row. Asked quickly.
    Probing {
        missed: u32,
    },
    Down {
        since: Instant,
    },
}

/// What was seen of a hop, by a question or by a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Answered,
    /// 503 with Retry-After (RFC 3261 s21.5.4).
    Rest {
        for_: Duration,
    },
    /// No answer in time, or the transport failed.
    Silent,
}

/// Better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Good,
    Doubtful,
    Resting,
    Down,
}

impl Health {
    /// `rules`: `None` if nobody asks this hop anything.
    pub fn after(self, now: Instant, rules: Option<&Probe>, sign: Sign) -> Health {
        let Some(rules) = rules else {
            return match sign {
                Sign::Answered => self.answered(now, 1),
                Sign::Rest { for_ } => Health::Resting { until: now + for_.min(LONGEST_REST) },
                Sign::Silent => Health::Resting { until: now + UNPROBED },
            };
        };
        match (sign, self) {
            (Sign::Answered, health) => health.answered(now, rules.misses),
            (Sign::Rest { for_ }, _) => Health::Resting { until: now + for_.min(LONGEST_REST) },
            (Sign::Silent, down @ Health::Down { .. }) => down,
            (Sign::Silent, Health::Probing { missed }) if missed + 1 < rules.misses => {
                Health::Probing { missed: missed + 1 }
            }
            (Sign::Silent, Health::Up | Health::Resting { .. }) if rules.misses > 1 => Health::Probing { missed: 1 },
            (Sign::Silent, _) => Health::Down { since: now },
        }
    }

    fn answered(self, now: Instant, misses: u32) -> Health {
        match self {
            Health::Resting { until } if now < until => self,
            // One more silence sends it back, one more answer lets it in.
            Health::Down { .. } => Health::Probing { missed: misses - 1 },
            _ => Health::Up,
        }
    }

    pub fn standing(self, now: Instant) -> Standing {
        match self {
            Health::Resting { until } if now < until => Standing::Resting,
            Health::Up | Health::Resting { .. } => Standing::Good,
            Health::Probing { .. } => Standing::Doubtful,
            Health::Down { .. } => Standing::Down,
        }
    }

    /// From one answer, or its absence, to the next question.
    pub fn pause(self, rules: &Probe) -> Duration {
        match self {
            Health::Probing { .. } => QUICK.min(rules.every),
            _ => rules.every,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Health::Up => "up",
            Health::Resting { .. } => "resting",
            Health::Probing { .. } => "probing",
            Health::Down { .. } => "down",
        }
    }
}

/// How long an answer to a question is waited for.
pub fn patience(rules: &Probe) -> Duration {
    PATIENCE.min(rules.every)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(30);

    fn at(secs: u64) -> Instant {
        Instant::from_unix_secs(secs)
    }

    fn show(health: Health, now: Instant) -> String {
        match health {
            Health::Up => "up".into(),
            Health::Resting { until } if now < until => format!("resting {}", until.since(now).as_secs()),
            Health::Resting { .. } => "rested".into(),
            Health::Probing { missed } => format!("probing {missed}"),
            Health::Down { since } => format!("down {}", now.since(since).as_secs()),
        }
    }

    /// Signs a second apart: `+` an answer, `-` silence, `R9` a rest of nine seconds; the states after each.
    #[track_caller]
    fn story(rules: Option<Probe>, signs: &str, wanted: &str) {
        let (mut health, mut states) = (Health::Up, vec![]);
        for (n, sign) in signs.split(' ').enumerate() {
            let now = at(1_000 + n as u64);
            let sign = match sign {
                "+" => Sign::Answered,
                "-" => Sign::Silent,
                rest => Sign::Rest { for_: Duration::from_secs(rest[1..].parse().unwrap()) },
            };
            health = health.after(now, rules.as_ref(), sign);
            states.push(show(health, now));
        }
        assert_eq!(states.join(", "), wanted, "{signs}");
    }

    #[test]
    fn what_becomes_of_a_probed_hop() {
        let probe = |misses| Some(Probe { every: EVERY, misses });
        story(probe(3), "+ - + - -", "up, probing 1, up, probing 1, probing 2");
        story(probe(3), "- - - - +", "probing 1, probing 2, down 0, down 1, probing 2");
        story(probe(3), "- - - + +", "probing 1, probing 2, down 0, probing 2, up");
        // It flaps: the first answer out of the dark is not yet believed.
        story(probe(3), "- - - + - + -", "probing 1, probing 2, down 0, probing 2, down 0, probing 2, down 0");
        story(probe(1), "- + + -", "down 0, probing 0, up, down 0");
        // It lives, and says when it wants calls again; that OPTIONS is answered changes nothing about it.
        story(probe(3), "R2 + + +", "resting 2, resting 1, up, up");
        story(probe(3), "R9 - + +", "resting 9, probing 1, up, up");
        story(probe(3), "- - - R9", "probing 1, probing 2, down 0, resting 9");
        story(probe(3), "R99999", "resting 300");
    }

    #[test]
    fn what_becomes_of_one_nobody_asks() {
        story(None, "+ - +", "up, resting 30, resting 29");
        story(None, "R5 -", "resting 5, resting 30");
    }

    #[test]
    fn asked_quickly_while_in_doubt() {
        let rules = Probe { every: EVERY, misses: 3 };
        assert_eq!(Health::Up.pause(&rules), EVERY);
        assert_eq!(Health::Probing { missed: 1 }.pause(&rules), QUICK);
        assert_eq!(Health::Down { since: at(1) }.pause(&rules), EVERY);
        let impatient = Probe { every: Duration::from_millis(500), misses: 3 };
        assert_eq!(Health::Probing { missed: 1 }.pause(&impatient), impatient.every);
        assert_eq!((patience(&rules), patience(&impatient)), (PATIENCE, impatient.every));
    }

    #[test]
    fn who_is_preferred() {
        let now = at(1_000);
        let order = [
            Health::Up,
            Health::Probing { missed: 1 },
            Health::Resting { until: at(1_001) },
            Health::Down { since: at(1) },
        ];
        let standings = order.map(|health| health.standing(now));
        assert!(standings.is_sorted(), "{standings:?}");
        assert_eq!(Health::Resting { until: now }.standing(now), Standing::Good);
    }
}
