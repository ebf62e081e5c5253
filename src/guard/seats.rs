//! Guesses at one seat's password from many addresses. Belongs here: counting them, and which addresses the seat's own
//! phones have. A seat that is guessed at is never locked: its phones' addresses are served as ever, and an address new
//! to it has one try before it is banned, so each guess costs the guesser an address and an honest phone that moved
//! loses nothing.

use crate::ids::SeatNo;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// Addresses remembered of one seat's phones; the least recently seen goes.
const HOMES: usize = 4;

/// Bounded by the configured seats: only their numbers get in here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seats(BTreeMap<SeatNo, Seat>);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Seat {
    /// Addresses where the password was proved, the latest last.
    homes: Vec<IpAddr>,
    guesses: u32,
    last: Instant,
}

impl Seats {
    pub fn proved(&mut self, seat: &SeatNo, source: IpAddr) {
        if let Some(known) = self.0.get(seat)
            && known.homes.last() == Some(&source)
        {
            return;
        }
        let homes = &mut self.0.entry(seat.clone()).or_default().homes;
        homes.retain(|home| *home != source);
        homes.push(source);
        homes.drain(..homes.len().saturating_sub(HOMES));
    }

    /// One more wrong password. True when this guess makes the seat one that is guessed at.
    pub fn guessed(&mut self, now: Instant, seat: &SeatNo, limit: u32, forget: Duration) -> bool {
        let known = self.0.entry(seat.clone()).or_default();
        if now.since(known.last) > forget {
            known.guesses = 0;
        }
        known.last = now;
        known.guesses = known.guesses.saturating_add(1);
        known.guesses == limit
    }

    pub fn is_home(&self, seat: &SeatNo, source: IpAddr) -> bool {
        self.0.get(seat).is_some_and(|known| known.homes.contains(&source))
    }

    /// Some seat's phone has proved its password there.
    pub fn shelters(&self, source: IpAddr) -> bool {
        self.0.values().any(|known| known.homes.contains(&source))
    }

    pub fn is_guessed_at(&self, now: Instant, seat: &SeatNo, limit: u32, forget: Duration) -> bool {
        self.0.get(seat).is_some_and(|known| known.is_guessed_at(now, limit, forget))
    }

    /// Seats guessed at now.
    pub fn guessed_at(&self, now: Instant, limit: u32, forget: Duration) -> usize {
        self.0.values().filter(|known| known.is_guessed_at(now, limit, forget)).count()
    }
}

impl Seat {
    fn is_guessed_at(&self, now: Instant, limit: u32, forget: Duration) -> bool {
        self.guesses >= limit && now.since(self.last) <= forget
    }
}
