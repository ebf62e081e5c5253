//! Citizens to be called back and callers who are known, as kept across restarts: data only.
//! Not here: what becomes of them (`callback`, `ivr::memory`).

use crate::ids::{AgentNo, CallId, LineName, QueueName};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// A citizen to be called back, as kept across restarts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackEntry {
    /// The call in which it was promised or missed: the key.
    pub of: CallId,
    pub kind: CallbackKind,
    /// E.164, never withheld.
    pub number: String,
    pub dnis: String,
    pub tenant: String,
    pub line: Option<LineName>,
    pub queue: QueueName,
    pub language: Option<String>,
    /// When the citizen first asked for a human: the place in the order.
    pub since: Instant,
    /// Attempts made so far.
    pub attempts: u8,
    /// Not called before this moment.
    pub not_before: Instant,
    /// How often this number called in vain; the calls are one entry.
    pub missed: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CallbackKind {
    Promised,
    /// 漏接
    Missed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallbackChange {
    /// New, or changed.
    Put(CallbackEntry),
    Gone {
        of: CallId,
        why: CallbackGone,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CallbackGone {
    /// The citizen was reached.
    Reached,
    /// The citizen has got through by calling again.
    GotThrough,
    /// All attempts were in vain.
    GivenUp,
    /// Kept long enough.
    Expired,
}

/// Who served a caller last and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RememberedCaller {
    /// E.164.
    pub number: String,
    pub agent: AgentNo,
    pub queue: QueueName,
    pub at: Instant,
}
