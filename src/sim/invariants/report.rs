//! What a day came to.

use crate::event::EndCause;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Broken invariants, each with its time; empty is what is wanted. Bounded.
    pub faults: Vec<String>,
    /// Calls carriers placed.
    pub placed: u64,
    /// Of them taken for service by the gateway (the rest was refused at the door, or never got through).
    pub arrived: u64,
    pub answered: u64,
    pub within_n: u64,
    /// By end cause; calls that died with the process are not here.
    pub causes: BTreeMap<EndCause, u64>,
    pub lost_in_crash: u64,
    pub tickets: u64,
    /// Pickups reported before the ticket was durable.
    pub unspooled: u64,
    /// Offers that met a phone whose last call's end was still on its way.
    pub second_calls: u64,
    /// Offers to a phone whose agent was still dialling a feature code, and which has one line.
    pub off_hook: u64,
    pub wait: Duration,
    pub talk: Duration,
    /// How often the distributor's rules came into play: `moved`, `relaxed`, `announced`, `passed on`, `taken over`, ...
    pub turns: BTreeMap<&'static str, u64>,
    /// Inputs the gateway handled.
    pub steps: u64,
    /// Over every output, in order.
    pub hash: u64,
}

impl Report {
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// Adds another day's figures (its faults and hash stay its own).
    pub fn add(&mut self, other: &Report) {
        self.placed += other.placed;
        self.arrived += other.arrived;
        self.answered += other.answered;
        self.within_n += other.within_n;
        for (cause, n) in &other.causes {
            *self.causes.entry(*cause).or_default() += n;
        }
        self.lost_in_crash += other.lost_in_crash;
        self.tickets += other.tickets;
        self.unspooled += other.unspooled;
        self.second_calls += other.second_calls;
        self.off_hook += other.off_hook;
        self.wait += other.wait;
        self.talk += other.talk;
        for (turn, n) in &other.turns {
            *self.turns.entry(turn).or_default() += n;
        }
        self.steps += other.steps;
    }
}
