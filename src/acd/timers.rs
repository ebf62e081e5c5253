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
pub(super) struct Timers {
    all: BTreeSet<(Instant, Timer)>,
    /// The `Relax` ones apart: they are asked for before each decision.
    steps: BTreeSet<(Instant, CallId)>,
}

impl Timers {
    pub fn start(&mut self, at: Instant, timer: Timer) {
        match timer {
            Timer::Relax(call) => self.steps.insert((at, call)),
            timer => self.all.insert((at, timer)),
        };
    }

    pub fn stop(&mut self, at: Instant, timer: Timer) {
        match timer {
            Timer::Relax(call) => self.steps.remove(&(at, call)),
            timer => self.all.remove(&(at, timer)),
        };
    }

    pub fn next(&self) -> Option<(Instant, Timer)> {
        let step = self.steps.first().map(|(at, call)| (*at, Timer::Relax(*call)));
        [self.all.first().copied(), step].into_iter().flatten().min()
    }

    /// The call whose next step is due.
    pub fn step_due(&self, now: Instant) -> Option<CallId> {
        self.steps.first().filter(|(at, _)| *at <= now).map(|(_, call)| *call)
    }
}
