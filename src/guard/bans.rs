//! Which addresses fail to prove a password, how they are slowed, and when they are banned. Belongs here: the counting
//! and its lengths. Not here: what a failure is (`super`), closing connections (the shell).
//!
//! Only an address that holds a nonce we sent to it gets in here, so nobody can have another's address banned, and a
//! million forged addresses leave nothing. A million real ones are bounded: the longest quiet is forgotten first.

use crate::config::settings::GuardSettings;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

/// Addresses remembered; about 100 bytes each.
pub const CAPACITY: usize = 16_384;

/// The pause after a first failure; each further one doubles it.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(16);
/// Calls for help looked at in spite of it, in each minute: a phone needs two, one for its nonce; a guesser gains little.
const HELP: (u8, Duration) = (4, Duration::from_secs(60));
/// Where many honest phones may share an address: short enough for their repeats to get through.
const LONGEST_PAUSE_UNBANNED: Duration = Duration::from_secs(4);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bans {
    records: BTreeMap<IpAddr, Record>,
    /// When each record may be forgotten.
    order: BTreeSet<(Instant, IpAddr)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    failures: u32,
    bans: u32,
    state: State,
    forget: Instant,
    /// Calls for help in the minute that began then.
    help: (Instant, u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum State {
    Slowed { until: Instant },
    Banned { until: Instant },
}

/// What a failure led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    Slowed(Duration),
    Banned { failures: u32, length: Duration },
}

/// Whether credentials from an address are looked at now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    Open,
    Slowed,
    Banned,
}

impl Bans {
    pub fn admission(&self, now: Instant, source: IpAddr) -> Admission {
        match self.records.get(&source).map(|r| r.state) {
            Some(State::Banned { until }) if now < until => Admission::Banned,
            Some(State::Slowed { until }) if now < until => Admission::Slowed,
            _ => Admission::Open,
        }
    }

    pub fn may_call_for_help(&mut self, now: Instant, source: IpAddr) -> bool {
        let Some(record) = self.records.get_mut(&source) else { return true };
        if now.since(record.help.0) >= HELP.1 {
            record.help = (now, 0);
        }
        record.help.1 = record.help.1.saturating_add(1);
        record.help.1 <= HELP.0
    }

    /// `limit`: failures that make a ban; `None`: this address is never banned.
    pub fn failed(
        &mut self,
        now: Instant,
        source: IpAddr,
        limit: Option<u32>,
        settings: &GuardSettings,
    ) -> Consequence {
        let fresh = Record { failures: 0, bans: 0, state: State::Slowed { until: now }, forget: now, help: (now, 0) };
        let known = self.records.remove(&source);
        if let Some(known) = known {
            self.order.remove(&(known.forget, source));
        }
        let mut record = known.filter(|known| now < known.forget).unwrap_or(fresh);
        record.failures = record.failures.saturating_add(1);
        let banned = limit.is_some_and(|limit| record.failures >= limit);
        let (length, consequence) = if banned {
            let length = doubled(settings.ban, record.bans).min(settings.longest_ban);
            record.bans += 1;
            record.state = State::Banned { until: now + length };
            (length, Consequence::Banned { failures: record.failures, length })
        } else {
            let longest = if limit.is_some() { LONGEST_PAUSE } else { LONGEST_PAUSE_UNBANNED };
            let length = doubled(PAUSE, record.failures - 1).min(longest);
            record.state = State::Slowed { until: now + length };
            (length, Consequence::Slowed(length))
        };
        // As long again as it was banned: who only waits a ban out gets the next, longer one at the first failure.
        record.forget = now + length + length.max(settings.forget);
        self.order.insert((record.forget, source));
        self.records.insert(source, record);
        self.shrink(now);
        consequence
    }

    /// Addresses banned now.
    pub fn banned(&self, now: Instant) -> usize {
        self.records.values().filter(|r| matches!(r.state, State::Banned { until } if now < until)).count()
    }

    pub fn remembered(&self) -> usize {
        self.records.len()
    }

    fn shrink(&mut self, now: Instant) {
        while let Some(&(forget, source)) = self.order.first()
            && (forget <= now || self.records.len() > CAPACITY)
        {
            self.order.pop_first();
            self.records.remove(&source);
        }
    }
}

fn doubled(length: Duration, times: u32) -> Duration {
    length.saturating_mul(1u32.checked_shl(times).unwrap_or(u32::MAX))
}
