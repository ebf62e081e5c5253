//! The distributor's timers by name. Each is derived from the state it belongs to and dies with it.

use super::agent::AgentIx;
use crate::ids::CallId;
use crate::time::Instant;
use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    // Of timers due at the same instant the earlier named runs first: who becomes free just in time serves the caller
    // whose patience limit ends just then; and a caller accepted more widely just in time need not go elsewhere.
    /// The guest's day is over: signed out, after the call if there is one.
    GuestOver(AgentIx),
    /// The wrap-up is over: ready, or what was wished for meanwhile.
    WrapUp(AgentIx),
    /// The seat rang long enough: RONA, caller back in place.
    Ring(AgentIx),
    /// The seat did not stop ringing for a caller who left: agent not ready.
    Clearing(AgentIx),
    // The three of a waiting call do not run while an agent's seat rings for it.
    /// The caller is accepted by a further step.
    Relax(CallId),
    /// The caller should be passed to another queue.
    Overflow(CallId),
    /// The caller waited for the queue's limit.
    MaxWait(CallId),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Timers(BTreeSet<(Instant, Timer)>);

impl Timers {
    pub fn start(&mut self, at: Instant, timer: Timer) {
        self.0.insert((at, timer));
    }

    pub fn stop(&mut self, at: Instant, timer: Timer) {
        self.0.remove(&(at, timer));
    }

    pub fn next(&self) -> Option<(Instant, Timer)> {
        self.0.first().copied()
    }
}
