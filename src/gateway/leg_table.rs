//! All legs, and which of them are at which seat: with thousands of calls up nobody looks through all for the two of a seat.
//! Belongs here: keeping the two in step. Not here: what a leg is (`legs`).
//!
//! Invariant: a leg's seat never changes while it is here.

use super::legs::Leg;
use crate::ids::{LegId, SeatNo};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::collections::btree_map::ValuesMut;
use std::ops::Deref;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Legs {
    all: BTreeMap<LegId, Leg>,
    /// Oldest first.
    at_seats: BTreeMap<SeatNo, Vec<LegId>>,
}

impl Legs {
    pub fn insert(&mut self, id: LegId, leg: Leg) {
        if let Some(seat) = leg.role.seat() {
            self.at_seats.entry(seat.clone()).or_default().push(id);
        }
        self.all.insert(id, leg);
    }

    pub fn remove(&mut self, id: &LegId) -> Option<Leg> {
        let gone = self.all.remove(id)?;
        if let Some(seat) = gone.role.seat()
            && let Some(here) = self.at_seats.get_mut(seat)
        {
            here.retain(|leg| leg != id);
            if here.is_empty() {
                self.at_seats.remove(seat);
            }
        }
        Some(gone)
    }

    pub fn get_mut(&mut self, id: &LegId) -> Option<&mut Leg> {
        self.all.get_mut(id)
    }

    pub fn values_mut(&mut self) -> ValuesMut<'_, LegId, Leg> {
        self.all.values_mut()
    }

    /// Those at this seat, oldest first.
    pub fn at<'a>(&'a self, seat: &SeatNo) -> impl Iterator<Item = (LegId, &'a Leg)> {
        let here = self.at_seats.get(seat).into_iter().flatten();
        here.filter_map(|id| self.all.get(id).map(|leg| (*id, leg)))
    }
}

impl Deref for Legs {
    type Target = BTreeMap<LegId, Leg>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}
