//! Settings of what phones may dial.

use crate::ids::TrunkName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiallingSettings {
    /// By which seats call outside; `None`: they do not, but for help, which goes by any trunk that calls out.
    pub trunk: Option<TrunkName>,
    /// Dialled from every seat, whatever its plan.
    pub emergency: BTreeSet<String>,
    /// How long whoever is dialled rings.
    pub ring_timeout: Duration,
    /// How long a caller whom an agent passed on to a party outside may talk with it.
    pub passed_on_at_most: Duration,
    /// Callers whom one seat has passed on to parties outside, at once.
    pub passed_on_per_seat: u32,
    pub plans: Vec<DialPlan>,
}

impl Default for DiallingSettings {
    fn default() -> DiallingSettings {
        DiallingSettings {
            trunk: None,
            emergency: ["110", "119", "120", "122"].map(str::to_owned).into(),
            ring_timeout: Duration::from_secs(60),
            passed_on_at_most: Duration::from_secs(2 * 3_600),
            passed_on_per_seat: 2,
            plans: vec![],
        }
    }
}

/// A class of seats by what they may call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialPlan {
    pub name: String,
    pub may_call: Vec<Reach>,
    /// Not even if a class above has it.
    pub never: Vec<Reach>,
}

/// Some of what can be dialled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    Seats,
    /// Land lines of the own city.
    City,
    /// Land lines of other cities.
    National,
    Mobile,
    /// 400 and 800.
    TollFree,
    /// Public services of five digits, 12300 to 12399: the other hotlines.
    Hotlines,
    /// Full numbers that begin so: `+8653182`, `+81`.
    Prefix(String),
    /// This service alone: `12110`, `95588`.
    Code(String),
}
