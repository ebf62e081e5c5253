//! What happened to a ticket: its history, one change at a time. Belongs here: the changes, each with its why. Not here:
//! deciding them (`steps`), what they do to the ticket (`case`).

use super::actor::Actor;
use super::day::Day;
use super::matter::Filled;
use super::status::{Callback, Departments};
use super::words::{Deadline, OutOfScope, Satisfaction, Trigger};
use crate::time::Instant;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who changed what, when; the why is in the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Instant,
    pub by: Actor,
    pub change: Change,
}

/// Enough to rebuild the ticket: no deadline is computed twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Picked up. Without days: a test call, which no deadline runs for.
    Received {
        transfer_due: Option<Day>,
        reply_due: Option<Day>,
    },
    Filled(Box<Filled>),
    Repeats {
        ticket_no: String,
    },
    Accepted,
    AnsweredNow {
        answer: String,
    },
    SettledInThreeWay {
        department: String,
        answer: String,
    },
    #[serde(rename = "handed_to_110")]
    HandedTo110 {
        note: String,
    },
    Declined {
        reason: OutOfScope,
        explanation: String,
    },
    Passed {
        departments: Departments,
        note: String,
    },
    Dispatched {
        departments: Departments,
        return_due: Day,
    },
    SignedFor,
    Started,
    Settled {
        result: String,
    },
    Returned {
        reason: String,
        transfer_due: Option<Day>,
    },
    Recalled {
        reason: String,
        transfer_due: Option<Day>,
    },
    ExtensionAsked {
        days: u32,
        reason: String,
    },
    Extended {
        until: Day,
    },
    ExtensionRefused {
        reason: String,
    },
    Urged {
        note: String,
    },
    Supervised {
        trigger: Trigger,
        note: String,
    },
    CallbackAsked,
    CalledBack(Callback),
    Redone {
        reason: String,
        transfer_due: Option<Day>,
        reply_due: Option<Day>,
    },
    Archived,
    Missed {
        deadline: Deadline,
        due: Day,
    },
    /// 满意度评价: the caller rated the call with a key, right after it.
    Rated {
        rating: Satisfaction,
    },
}
