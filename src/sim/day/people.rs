//! The agents at the phones: what they want, what they dial to get it, and what they do with a call.

use super::scenario::{CODES, Scenario};
use crate::event::AgentState;
use crate::sim::rng::Rng;
use crate::sim::ua::{Plan, Reaction};
use crate::time::Instant;
use std::time::Duration;

#[derive(Debug)]
pub struct Person {
    pub number: String,
    /// Dials the number too: the seat is nobody's own.
    signs_in_by_number: bool,
    /// What the agent's display says.
    pub shown: AgentState,
    wants: Want,
    /// A feature code is being dialled.
    pub dialling: bool,
    /// One thought at a time: the next.
    pub thinks_at: Option<Instant>,
    rng: Rng,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    Work,
    Break { until: Instant },
    GoHome,
}

/// What a person does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Dial(String),
    /// Nothing to do before this moment.
    ThinkAt(Instant),
    Rest,
}

impl Person {
    pub fn new(agent: usize, number: String, rng: Rng) -> Person {
        Person {
            number,
            signs_in_by_number: agent % 2 == 1,
            shown: AgentState::LoggedOut,
            wants: Want::Work,
            dialling: false,
            thinks_at: None,
            rng,
        }
    }

    pub fn delay(&mut self, low_ms: u64, high_ms: u64) -> Duration {
        self.rng.between(Duration::from_millis(low_ms), Duration::from_millis(high_ms))
    }

    /// When the next break begins, or the next power cut comes; `None`: never.
    pub fn next_after(&mut self, per_hour: f64) -> Option<Duration> {
        (per_hour > 0.0).then(|| self.rng.exponential(Duration::from_secs_f64(3_600.0 / per_hour)))
    }

    pub fn take_break(&mut self, now: Instant) {
        if self.wants == Want::Work {
            self.wants = Want::Break { until: now + self.delay(30_000, 300_000) };
        }
    }

    pub fn go_home(&mut self) {
        self.wants = Want::GoHome;
    }

    /// What to dial, if what the display says is not what is wanted.
    pub fn think(&mut self, now: Instant) -> Act {
        if let Want::Break { until } = self.wants
            && now >= until
        {
            self.wants = Want::Work;
        }
        let [sign_in, sign_out, ready, not_ready] = CODES;
        match (self.wants, self.shown) {
            (Want::Work | Want::Break { .. }, AgentState::LoggedOut) if self.signs_in_by_number => {
                Act::Dial(format!("{sign_in}{}", self.number))
            }
            (Want::Work | Want::Break { .. }, AgentState::LoggedOut) => Act::Dial(sign_in.to_string()),
            (Want::Work, AgentState::NotReady(_)) => Act::Dial(ready.to_string()),
            (Want::Break { .. }, AgentState::Ready | AgentState::WrapUp) => Act::Dial(format!("{not_ready}1")),
            (Want::Break { until }, AgentState::NotReady(_)) => Act::ThinkAt(until),
            (Want::GoHome, AgentState::LoggedOut) => Act::Rest,
            (Want::GoHome, _) => Act::Dial(sign_out.to_string()),
            _ => Act::Rest,
        }
    }

    /// What this person will do with the next call.
    pub fn plan(&mut self, scenario: &Scenario) -> Plan {
        let t = &scenario.troubles;
        let rng = &mut self.rng;
        let after = Duration::from_millis(500) + rng.exponential(Duration::from_secs(2)).min(Duration::from_secs(10));
        let odd = [t.unanswered, t.refused, t.silent, t.bad_answer];
        let well = (1.0 - odd.iter().sum::<f64>()).max(0.0);
        let reaction = match rng.weighted(&[odd[0], odd[1], odd[2], odd[3], well]) {
            0 => Reaction::Ignore,
            1 => Reaction::Refuse { after, status: [486, 603, 480, 404, 500][rng.below(5) as usize] },
            2 => Reaction::Silent,
            3 => Reaction::AnswerBadly { after },
            _ => Reaction::Answer { after },
        };
        let hold = rng.chance(t.hold).then(|| {
            let (ten, minute) = (Duration::from_secs(10), Duration::from_secs(60));
            (rng.between(Duration::ZERO, ten), rng.between(Duration::from_millis(100), minute))
        });
        // The citizen hangs up first most of the time; the agent never stays on for ever.
        let (mu, sigma) = scenario.talk;
        let hang_up_after = Some(rng.lognormal(mu + 0.5, sigma));
        Plan { reaction, hold, hang_up_after }
    }
}
