//! What the hotline office decides and may change: limits, calendar, categories, departments. Belongs here: the values and the
//! standard's defaults (GB/T 33358-2016). Not here: what they are applied to (`steps`).

use super::calendar::Calendar;
use super::categories::Categories;
use super::day::Day;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    pub limits: Limits,
    pub calendar: Calendar,
    pub categories: Categories,
    /// Whom tickets may be passed to; empty: anybody.
    pub departments: BTreeSet<String>,
}

/// Days are working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// From receipt (or return, or handling again) to dispatch.
    pub transfer_days: u32,
    /// From dispatch; after it a department keeps what it was given.
    pub return_days: u32,
    /// From receipt (or handling again) to the reply.
    pub reply_days: u32,
    /// Most that one extension adds to the day of the reply.
    pub extension_days: u32,
    /// Extensions of one handling.
    pub extensions: u32,
    /// So often a citizen's double dissatisfaction has the ticket handled again by itself.
    pub redo: u32,
    /// Minutes after midnight; what comes in later counts from the next working day.
    pub closes: u16,
    /// An earlier ticket of the same number and category makes one repeated, so long after it.
    pub repeated_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            transfer_days: 2,
            return_days: 2,
            reply_days: 5,
            extension_days: 10,
            extensions: 1,
            redo: 1,
            closes: 17 * 60 + 30,
            repeated_within: Duration::from_secs(30 * 86_400),
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            limits: Limits::default(),
            calendar: Calendar::shipped(),
            categories: Categories::default(),
            departments: BTreeSet::new(),
        }
    }
}

impl Rules {
    /// The last day of what begins at `at` and may take so many working days.
    pub fn due(&self, at: Instant, working_days: u32) -> Day {
        self.calendar.after(self.calendar.counts_from(at, self.limits.closes), working_days)
    }
}
