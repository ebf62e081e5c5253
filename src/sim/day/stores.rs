//! The pretend spool and case store behind the gateway: durable after a while, failing in bad weather, killed at times.

use super::scenario::SpoolWeather;
use crate::ids::CallId;
use crate::sim::rng::Rng;
use crate::ticket::NewTicket;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

#[derive(Debug)]
pub struct Stores {
    weather: SpoolWeather,
    rng: Rng,
    /// On their way to the disk, or to be tried again: gone if the process dies.
    in_memory: BTreeMap<CallId, NewTicket>,
    /// On the disk, not yet in the case store.
    spool: BTreeMap<CallId, NewTicket>,
    cases: BTreeMap<CallId, NewTicket>,
    /// Deliveries of a ticket the case store had already (its acknowledgement was lost).
    pub repeats: usize,
    pub faults: Vec<String>,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Durable,
    /// Not now; tried again after a while.
    Failed,
}

const RETRY: Duration = Duration::from_secs(1);

impl Stores {
    pub fn new(weather: SpoolWeather, rng: Rng) -> Stores {
        Stores {
            weather,
            rng,
            in_memory: BTreeMap::new(),
            spool: BTreeMap::new(),
            cases: BTreeMap::new(),
            repeats: 0,
            faults: Vec::new(),
        }
    }

    /// A ticket is handed over. Returns when to call [`Stores::write`].
    pub fn open(&mut self, ticket: &NewTicket) -> Duration {
        if self.ticket(ticket.call).is_some() || self.in_memory.contains_key(&ticket.call) {
            self.faults.push(format!("a second ticket for {:?}", ticket.call));
        }
        self.in_memory.insert(ticket.call, ticket.clone());
        match self.weather {
            SpoolWeather::Slow if self.rng.chance(0.3) => self.rng.exponential(Duration::from_millis(800)),
            _ => self.rng.between(Duration::from_millis(1), Duration::from_millis(6)),
        }
    }

    /// The disk's answer; `None` if the process died meanwhile. After `Failed`, again in [`Stores::retry_after`].
    pub fn write(&mut self, now: Instant, call: CallId) -> Option<Written> {
        if !self.in_memory.contains_key(&call) {
            return None;
        }
        if self.is_storm(now, 7) && self.rng.chance(0.8) {
            return Some(Written::Failed);
        }
        let ticket = self.in_memory.remove(&call)?;
        self.spool.insert(call, ticket);
        Some(Written::Durable)
    }

    pub fn retry_after(&self) -> Duration {
        RETRY
    }

    /// Moves what is spooled into the case store, if it is there.
    pub fn deliver(&mut self, now: Instant) {
        if self.is_storm(now, 11) {
            return;
        }
        let mut unacknowledged = BTreeMap::new();
        for (call, ticket) in std::mem::take(&mut self.spool) {
            match self.cases.entry(call) {
                Entry::Occupied(_) => self.repeats += 1,
                Entry::Vacant(place) => drop(place.insert(ticket.clone())),
            }
            if self.rng.chance(0.05) {
                unacknowledged.insert(call, ticket);
            }
        }
        self.spool = unacknowledged;
    }

    /// `kill -9`: a write under way may or may not have reached the disk.
    pub fn crash(&mut self) {
        for (call, ticket) in std::mem::take(&mut self.in_memory) {
            if self.rng.chance(0.5) {
                self.spool.insert(call, ticket);
            }
        }
    }

    /// The day is over, the weather fine again.
    pub fn settle(&mut self) {
        self.spool.append(&mut self.in_memory);
        self.weather = SpoolWeather::Fine;
        while !self.spool.is_empty() {
            self.deliver(Instant::ZERO);
        }
    }

    pub fn ticket(&self, call: CallId) -> Option<&NewTicket> {
        self.cases.get(&call).or_else(|| self.spool.get(&call))
    }

    pub fn cases(&self) -> &BTreeMap<CallId, NewTicket> {
        &self.cases
    }

    /// In failing weather every few minutes are bad; `phase` keeps the two stores' storms apart.
    fn is_storm(&self, now: Instant, phase: u64) -> bool {
        self.weather == SpoolWeather::Failing && (now.as_unix_millis() / 60_000 + phase) % 5 < 2
    }
}
