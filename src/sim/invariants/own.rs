//! Calls that phones dialled, by their events: each begins once and ends once, in no queue and with no ticket.

use super::Audit;
use crate::event::CallFact;
use crate::ids::CallId;
use crate::time::Instant;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    Calling,
    Talking { since: Instant },
    Ended,
    LostInCrash,
}

impl Own {
    pub fn is_live(self) -> bool {
        matches!(self, Own::Calling | Own::Talking { .. })
    }

    /// The process died.
    pub fn lose(&mut self) {
        if self.is_live() {
            *self = Own::LostInCrash;
        }
    }

    fn follow(self, now: Instant, fact: &CallFact) -> Result<Own, String> {
        match (self, fact) {
            (Own::Calling, CallFact::Reached { .. }) => Ok(Own::Talking { since: now }),
            (Own::Calling | Own::Talking { .. }, CallFact::Ended { queue: None, wait, talk, hold, .. }) => {
                let talked = if let Own::Talking { since } = self { now - since } else { Duration::ZERO };
                let right = *talk == talked && wait.is_zero() && hold.is_zero();
                right.then_some(Own::Ended).ok_or_else(|| format!("it talked for {talked:?}"))
            }
            (Own::Calling | Own::Talking { .. }, CallFact::FarEndCause { .. } | CallFact::NoAudio { .. }) => Ok(self),
            (_, CallFact::LegClosed { .. }) => Ok(self),
            _ => Err("cannot follow".into()),
        }
    }
}

impl Audit {
    /// Is it a fact of such a call? Then it is judged.
    pub(super) fn is_own(&mut self, now: Instant, id: CallId, fact: &CallFact) -> bool {
        if let CallFact::Dialled { .. } = fact {
            if self.own.insert(id, Own::Calling).is_some() || self.calls.contains_key(&id) {
                self.fault(now, format!("{id:?} is dialled twice"));
            }
            return true;
        }
        let Some(own) = self.own.get(&id).copied() else { return false };
        match own.follow(now, fact) {
            Ok(next) => drop(self.own.insert(id, next)),
            Err(fault) => self.fault(now, format!("{id:?} of a phone's in {own:?}: {fact:?}: {fault}")),
        }
        true
    }
}
