//! Series of one trunk.

use super::names;
use crate::config::settings::TrunkSettings;
use crate::event::EndCause;
use crate::runtime::figures::TrunkFigures;
use crate::trunk::TurnedAway;
use crate::trunk::account::Status;
use metrics::{Counter, Gauge, counter, gauge};
use std::collections::{BTreeMap, BTreeSet};

/// What became of a request for a human.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered,
    Abandoned,
    Timeout,
    Refused,
    /// Chose to be called back.
    Callback,
    /// Of the trunk or of ours: in no percentage.
    Fault,
}

impl Outcome {
    const ALL: [Outcome; 6] =
        [Outcome::Answered, Outcome::Abandoned, Outcome::Timeout, Outcome::Refused, Outcome::Callback, Outcome::Fault];

    /// Of one that no agent picked up.
    pub(super) fn of_lost(cause: EndCause) -> Outcome {
        match cause {
            EndCause::ShortAbandon | EndCause::AbandonedInQueue | EndCause::AbandonedRinging => Outcome::Abandoned,
            EndCause::QueueTimeout => Outcome::Timeout,
            EndCause::QueueFull | EndCause::NoAgents => Outcome::Refused,
            EndCause::CallbackTaken => Outcome::Callback,
            _ => Outcome::Fault,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::Abandoned => "abandoned",
            Outcome::Timeout => "timeout",
            Outcome::Refused => "refused",
            Outcome::Callback => "callback",
            Outcome::Fault => "fault",
        }
    }
}

pub(super) struct Trunk {
    pub(super) offered: Counter,
    pub(super) calls: Gauge,
    up: Gauge,
    channels: Gauge,
    round_trip: Gauge,
    hops: [(&'static str, Gauge); 4],
    /// By tenant.
    requests: BTreeMap<String, [(Outcome, Counter); 6]>,
    full: Counter,
    rate: Counter,
    denied: Counter,
    /// Accounts by the state of their registration; none where the trunk has no account.
    accounts: Vec<(&'static str, Gauge)>,
}

impl Trunk {
    pub(super) fn new(settings: &TrunkSettings, most: u32, tenants: &BTreeSet<&str>) -> Self {
        let trunk = || settings.name.as_str().to_owned();
        let refused = |why: &'static str| counter!(names::TRUNK_REFUSALS, "trunk" => trunk(), "reason" => why);
        let hops = |state: &'static str| (state, gauge!(names::TRUNK_HOPS, "trunk" => trunk(), "state" => state));
        let account =
            |state: &'static str| (state, gauge!(names::TRUNK_ACCOUNTS, "trunk" => trunk(), "state" => state));
        let states = if settings.accounts.is_empty() { &[][..] } else { &Status::ALL };
        gauge!(names::TRUNK_CHANNEL_LIMIT, "trunk" => trunk()).set(f64::from(settings.max_calls.min(most)));
        let request = |tenant: &str, outcome: Outcome| {
            let (tenant, outcome) = (tenant.to_owned(), outcome.as_str());
            counter!(names::REQUESTS, "trunk" => trunk(), "tenant" => tenant, "outcome" => outcome)
        };
        let requests = |tenant: &&str| (tenant.to_string(), Outcome::ALL.map(|o| (o, request(tenant, o))));
        Trunk {
            requests: tenants.iter().map(requests).collect(),
            offered: counter!(names::CALLS_OFFERED, "trunk" => trunk()),
            calls: gauge!(names::TRUNK_CALLS, "trunk" => trunk()),
            up: gauge!(names::TRUNK_UP, "trunk" => trunk()),
            channels: gauge!(names::TRUNK_CHANNELS, "trunk" => trunk()),
            round_trip: gauge!(names::TRUNK_ROUND_TRIP, "trunk" => trunk()),
            hops: ["up", "resting", "probing", "down"].map(hops),
            full: refused("full"),
            rate: refused("rate"),
            denied: refused("denied"),
            accounts: states.iter().copied().map(account).collect(),
        }
    }

    pub(super) fn set(&self, figures: &TrunkFigures) {
        self.up.set(if figures.down { 0.0 } else { 1.0 });
        self.channels.set(f64::from(figures.channels));
        self.round_trip.set(figures.round_trip.as_secs_f64());
        for (state, gauge) in &self.hops {
            gauge.set(figures.hops.iter().filter(|hop| *hop == state).count() as f64);
        }
        let TurnedAway { full, rate, denied } = figures.turned_away;
        self.full.absolute(full);
        self.rate.absolute(rate);
        self.denied.absolute(denied);
    }

    pub(super) fn request(&self, tenant: &str, outcome: Outcome) {
        if let Some((_, counter)) = self.requests.get(tenant).and_then(|all| all.iter().find(|(o, _)| *o == outcome)) {
            counter.increment(1);
        }
    }

    /// The states of this trunk's accounts.
    pub(super) fn accounts(&self, states: &[&'static str]) {
        for (state, gauge) in &self.accounts {
            gauge.set(states.iter().filter(|s| *s == state).count() as f64);
        }
    }
}
