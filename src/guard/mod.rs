//! Who may knock: how many answers a stranger gets, how guessing at passwords is slowed and ends in a ban, and in which
//! order messages are served when more come than can be. Belongs here: those decisions, as plain values. Not here:
//! whether a password is right (`sip::digest`), which addresses are trunks' or phones' (`gateway`), sockets (`net`).
//!
//! What is counted. A failure is a wrong password given with a nonce that we sent to that very address (a nonce is sealed
//! over its address): so an attacker who forges the phone's address on UDP can neither have it banned nor fill the table.
//!
//! What a ban stops. Only asking to be let in: REGISTERs, and calls on credentials, from that address. It never touches a
//! registered phone's own flow, requests inside dialogs, trunks' peers, or the networks of `never_ban`. Nor is an address
//! banned where phones of ours are at home: a NAT may have one phone with an old password and fifty others behind it. And a
//! seat's call for help is looked at all the same, so many times a minute.
//!
//! Bounds: [`bans::CAPACITY`] addresses, the configured seats, a fixed table of counters.

pub mod allowance;
pub mod bans;
pub mod intake;
mod seats;

use crate::config::settings::{Cidr, GuardSettings};
use crate::ids::SeatNo;
use crate::sip::flow::Flow;
use crate::time::Instant;
use allowance::Allowance;
use bans::Bans;
pub use bans::{Admission, Consequence};
use seats::Seats;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Duration;

/// For the shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Take next to no new connections from there for so long, and close those it has that the gateway does not need.
    Ban { source: IpAddr, length: Duration },
    /// A banned peer's connection.
    Close(Flow),
}

/// Counters and levels for /metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Bans since start.
    pub bans: u64,
    pub banned_now: usize,
    /// Seats whose password is being guessed at now.
    pub seats_guessed_at: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    settings: GuardSettings,
    never_ban: Vec<Cidr>,
    sources: Bans,
    seats: Seats,
    allowance: Allowance,
    bans: u64,
}

impl Guard {
    /// `trunks`: their peers' networks. `key`: unguessable.
    pub fn new(settings: GuardSettings, trunks: impl IntoIterator<Item = Cidr>, key: u64) -> Guard {
        let never_ban = settings.never_ban.iter().copied().chain(trunks).collect();
        let (sources, seats, allowance) = (Bans::default(), Seats::default(), Allowance::new(key));
        Guard { settings, never_ban, sources, seats, allowance, bans: 0 }
    }

    pub fn settings(&self) -> &GuardSettings {
        &self.settings
    }

    /// Whether credentials from there are looked at now. `source` is [`crate::sip::flow::holder`] of an address.
    pub fn admission(&self, now: Instant, source: IpAddr) -> Admission {
        self.sources.admission(now, source)
    }

    /// May a stranger there be answered once more?
    pub fn may_answer(&mut self, now: Instant, source: IpAddr) -> bool {
        self.allowance.take(now, source)
    }

    /// The same for whoever comes from an address where phones are registered.
    pub fn may_answer_at_home(&mut self, now: Instant, source: IpAddr) -> bool {
        self.allowance.take_at_home(now, source)
    }

    pub fn proved(&mut self, seat: &SeatNo, source: IpAddr) {
        self.seats.proved(seat, source);
    }

    /// May a call for help from there be looked at, though it is slowed or banned?
    pub fn may_call_for_help(&mut self, now: Instant, source: IpAddr) -> bool {
        self.sources.may_call_for_help(now, source)
    }

    /// A wrong password, with a nonce of ours. `seat`: whose, if there is such a seat. `home`: a phone is registered there.
    pub fn failed(&mut self, now: Instant, source: IpAddr, seat: Option<&SeatNo>, home: bool) -> Consequence {
        let GuardSettings { failures, seat_failures, forget, .. } = self.settings;
        let strange = seat.filter(|seat| !self.seats.is_home(seat, source));
        if let Some(seat) = strange
            && self.seats.guessed(now, seat, seat_failures, forget)
        {
            tracing::warn!(%seat, guesses = seat_failures, "seat guessed at: an address new to it has one try only");
        }
        let hunted = strange.is_some_and(|seat| self.seats.is_guessed_at(now, seat, seat_failures, forget));
        let home = home || self.seats.shelters(source);
        let exempt = home || self.never_ban.iter().any(|network| network.contains(source));
        let limit = (!exempt).then_some(if hunted { 1 } else { failures });
        let consequence = self.sources.failed(now, source, limit, &self.settings);
        if let Consequence::Banned { failures, length } = consequence {
            self.bans += 1;
            // Stable wording: deploy/fail2ban reads it.
            tracing::warn!(address = %source, failures, seconds = length.as_secs(), "address banned");
        }
        consequence
    }

    pub fn watch(&self, now: Instant) -> Watch {
        let GuardSettings { seat_failures, forget, .. } = self.settings;
        Watch {
            bans: self.bans,
            banned_now: self.sources.banned(now),
            seats_guessed_at: self.seats.guessed_at(now, seat_failures, forget),
        }
    }

    /// Addresses held in memory.
    pub fn remembered(&self) -> usize {
        self.sources.remembered()
    }
}

#[cfg(test)]
mod tests;
