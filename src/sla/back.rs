//! Calls of ours to citizens: in no percentage of the service, so they have raw numbers of their own. Not here: who is
//! called back and when (`callback`).

use crate::event::CallbackKind;
use serde::Serialize;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CallsBack {
    /// Attempts: each one is a call.
    pub made: u64,
    /// The citizen and an agent talked.
    pub reached: u64,
}

/// Stable word for exports.
pub(super) fn name(kind: CallbackKind) -> &'static str {
    match kind {
        CallbackKind::Promised => "promised",
        CallbackKind::Missed => "missed",
    }
}
