//! What metrics, pages and tests read of the gateway. Nothing here decides or changes anything.

use super::{Gateway, Service};
use crate::acd::Acd;
use crate::callback::Pending;
use crate::config::settings::CoreSettings;
use crate::guard::Watch;
use crate::sip::endpoint::EndpointCounters;
use crate::time::Instant;
use crate::trunk::Trunks;
use crate::trunk::account::Registration;
use serde::{Deserialize, Serialize};

/// What is still alive; all zero once a day has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leftovers {
    pub calls: usize,
    pub legs: usize,
    pub client_transactions: usize,
    pub server_transactions: usize,
    pub ports_in_use: usize,
    pub waiting: usize,
    pub offers: usize,
    pub alarms: usize,
}

/// Requests and calls turned away, for /metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusals {
    /// From an address that is no peer: dropped without an answer.
    pub unknown_peer: u64,
    /// Credentials refused: wrong password, unknown user, unusable.
    pub unauthorized: u64,
    /// Left unanswered because the address is banned.
    pub banned: u64,
    /// Credentials not looked at so soon after wrong ones from the same address.
    pub slowed: u64,
    /// Strangers left unanswered because they had as many answers as they get.
    pub unanswered: u64,
    /// 503: new calls that had waited too long when the loop came to them.
    pub late: u64,
    /// 503: too many calls, no port, or draining.
    pub overload: u64,
    /// 503: too many calls of this trunk within ten seconds.
    pub rate: u64,
    /// 603: this trunk's rules do not let the caller in.
    pub denied: u64,
    pub unknown_number: u64,
    /// 403: dialled by a seat whose plan does not have it.
    pub not_in_plan: u64,
    /// 488: nothing in common in the SDP.
    pub not_acceptable: u64,
}

impl Gateway {
    pub fn leftovers(&self) -> Leftovers {
        let (client_transactions, server_transactions) = self.endpoint.live();
        Leftovers {
            calls: self.calls.len() + self.attempts.len() + self.own.len(),
            legs: self.legs.len() + self.abandoned.len(),
            client_transactions,
            server_transactions,
            ports_in_use: self.ports.in_use(),
            waiting: self.acd.waiting(),
            offers: self.acd.offers(),
            alarms: self.timers.armed() + self.clearing.len() + self.figures_due.len(),
        }
    }

    /// Calls with a citizen on them now, and those on their way to one.
    pub fn calls(&self) -> usize {
        self.calls.len() + self.engaged
    }

    /// Citizens to be called back, in the order of the calls in which they asked.
    pub fn callbacks(&self) -> impl Iterator<Item = &Pending> {
        self.callbacks.iter()
    }

    pub fn acd(&self) -> &Acd {
        &self.acd
    }

    pub fn settings(&self) -> &CoreSettings {
        &self.settings
    }

    pub fn trunks(&self) -> &Trunks {
        &self.trunks
    }

    /// Our registrations at carriers.
    pub fn registrations(&self) -> &[Registration] {
        &self.registrations
    }

    /// Seats with a phone registered now.
    pub fn seats_registered(&self) -> usize {
        self.registrar.seats()
    }

    pub fn refusals(&self) -> Refusals {
        self.refusals
    }

    pub fn watch(&self, now: Instant) -> Watch {
        self.guard.watch(now)
    }

    pub fn endpoint_counters(&self) -> EndpointCounters {
        self.endpoint.counters()
    }

    pub fn is_draining(&self) -> bool {
        self.service == Service::Draining
    }
}
