//! Where a ticket stands. Belongs here: each stage with exactly what is valid there. Not here: how it gets from one to the
//! next (`steps`, `case`).
//!
//! ```text
//! 待完善 -> 已受理 -> 待派遣 -> 已派遣 -> 已签收 -> 办理中 -> 已办结 -> 待回访 -> 已回访 -> 已归档
//!              |         ^---- returned, recalled ----'          ^          |         |
//!              '------------ answered, three-way, 110, declined -'          '- redone -'--> 待派遣 or 已受理
//! ```

use super::day::Day;
use super::words::{Disposition, OutOfScope, Satisfaction, Stage};
use crate::time::Instant;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Status {
    Draft,
    Accepted,
    AwaitingDispatch { departments: Departments },
    Dispatched(Assignment),
    SignedFor(Assignment),
    InHand(Assignment),
    Settled { how: Settlement },
    AwaitingCallback { how: Settlement },
    CalledBack { how: Settlement, callback: Callback, at: Instant },
    Archived { how: Settlement, callback: Option<Callback>, called_back_at: Option<Instant> },
}

/// Who works on it; the lead department answers for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Departments {
    pub lead: String,
    pub assisting: Vec<String>,
}

impl Departments {
    pub fn include(&self, department: &str) -> bool {
        self.lead == department || self.assisting.iter().any(|d| d == department)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    pub departments: Departments,
    pub dispatched_at: Instant,
    /// The last day on which it may be returned as wrongly assigned.
    pub return_due: Day,
    /// Asked for and not decided.
    pub extension: Option<ExtensionAsked>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExtensionAsked {
    pub days: u32,
    pub reason: String,
}

/// How the matter came to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "disposition", rename_all = "snake_case")]
pub enum Settlement {
    AnsweredNow { answer: String },
    ThreeWay { department: String, answer: String },
    Police { note: String },
    Declined { reason: OutOfScope, explanation: String },
    Passed { departments: Departments, result: String },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "snake_case", deny_unknown_fields)]
pub enum Callback {
    /// `process`: satisfaction with how the call and the matter were handled; `result`: with what came of it.
    Reached {
        process: Satisfaction,
        result: Satisfaction,
        solved: bool,
    },
    NotReached {
        attempts: u32,
    },
    /// The citizen wants none.
    Declined,
}

impl Callback {
    pub fn is_dissatisfied(&self) -> bool {
        matches!(self, Callback::Reached { process, result, .. } if process.is_dissatisfied() || result.is_dissatisfied())
    }

    /// The standard has such a ticket handled again.
    pub fn is_dissatisfied_with_both(&self) -> bool {
        matches!(self, Callback::Reached { process, result, .. } if process.is_dissatisfied() && result.is_dissatisfied())
    }
}

impl Settlement {
    pub fn disposition(&self) -> Disposition {
        match self {
            Settlement::AnsweredNow { .. } => Disposition::AnsweredNow,
            Settlement::ThreeWay { .. } => Disposition::ThreeWay,
            Settlement::Police { .. } => Disposition::Police,
            Settlement::Declined { .. } => Disposition::Declined,
            Settlement::Passed { .. } => Disposition::Passed,
        }
    }
}

impl Status {
    pub fn stage(&self) -> Stage {
        match self {
            Status::Draft => Stage::Draft,
            Status::Accepted => Stage::Accepted,
            Status::AwaitingDispatch { .. } => Stage::AwaitingDispatch,
            Status::Dispatched(_) => Stage::Dispatched,
            Status::SignedFor(_) => Stage::SignedFor,
            Status::InHand(_) => Stage::InHand,
            Status::Settled { .. } => Stage::Settled,
            Status::AwaitingCallback { .. } => Stage::AwaitingCallback,
            Status::CalledBack { .. } => Stage::CalledBack,
            Status::Archived { .. } => Stage::Archived,
        }
    }

    /// From dispatch to the result.
    pub fn assignment(&self) -> Option<&Assignment> {
        match self {
            Status::Dispatched(a) | Status::SignedFor(a) | Status::InHand(a) => Some(a),
            _ => None,
        }
    }

    pub(super) fn assignment_mut(&mut self) -> Option<&mut Assignment> {
        match self {
            Status::Dispatched(a) | Status::SignedFor(a) | Status::InHand(a) => Some(a),
            _ => None,
        }
    }

    pub fn settlement(&self) -> Option<&Settlement> {
        match self {
            Status::Settled { how }
            | Status::AwaitingCallback { how }
            | Status::CalledBack { how, .. }
            | Status::Archived { how, .. } => Some(how),
            _ => None,
        }
    }

    pub fn callback(&self) -> Option<(&Callback, Instant)> {
        match self {
            Status::CalledBack { callback, at, .. } => Some((callback, *at)),
            Status::Archived { callback: Some(callback), called_back_at: Some(at), .. } => Some((callback, *at)),
            _ => None,
        }
    }

    /// Those it is passed to, or meant for, or was settled by.
    pub fn departments(&self) -> Option<&Departments> {
        match (self, self.settlement()) {
            (Status::AwaitingDispatch { departments }, _) => Some(departments),
            (_, Some(Settlement::Passed { departments, .. })) => Some(departments),
            _ => self.assignment().map(|a| &a.departments),
        }
    }

    pub fn disposition(&self) -> Option<Disposition> {
        match self {
            Status::Draft | Status::Accepted => None,
            Status::AwaitingDispatch { .. } | Status::Dispatched(_) | Status::SignedFor(_) | Status::InHand(_) => {
                Some(Disposition::Passed)
            }
            _ => self.settlement().map(Settlement::disposition),
        }
    }
}
