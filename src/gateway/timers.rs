//! One alarm per key, earliest first.

use crate::ids::{CallId, LegId};
use crate::sip::endpoint::ClientTx;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What each alarm is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Alarm {
    /// The session's own repeats and limits.
    Leg(LegId),
    /// What the call asked to be woken for: the spool's patience, an announcement, a message that never ends.
    Call(CallId),
    /// A seat whose offer was withdrawn has not stopped ringing.
    Clearing(LegId),
    /// A feature-code or test call has lasted long enough.
    Feature(LegId),
    /// The audio of a phone in a browser is gone, and has been waited for long enough.
    Softphone(LegId),
    /// A hop is to be asked whether it lives, or has not answered in time.
    Probe(u32),
    /// The hop our INVITE went to has said nothing at all.
    Silence(LegId),
    /// Nothing can come any more for an INVITE of ours that was given up.
    Abandoned(ClientTx),
    /// An account is to be registered, or again.
    Account(u32),
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timers {
    by_time: BTreeSet<(Instant, Alarm)>,
    by_key: BTreeMap<Alarm, Instant>,
}

impl Timers {
    /// Sets, moves or (with `None`) clears the alarm.
    pub fn set(&mut self, alarm: Alarm, at: Option<Instant>) {
        let old = match at {
            Some(at) => self.by_key.insert(alarm, at),
            None => self.by_key.remove(&alarm),
        };
        if old == at {
            return;
        }
        if let Some(old) = old {
            self.by_time.remove(&(old, alarm));
        }
        if let Some(at) = at {
            self.by_time.insert((at, alarm));
        }
    }

    pub fn is_set(&self, alarm: Alarm) -> bool {
        self.by_key.contains_key(&alarm)
    }

    pub fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes one alarm that is due.
    pub fn due(&mut self, now: Instant) -> Option<Alarm> {
        let &(at, alarm) = self.by_time.first()?;
        if at > now {
            return None;
        }
        self.by_time.pop_first();
        self.by_key.remove(&alarm);
        Some(alarm)
    }

    /// Alarms set now.
    pub fn armed(&self) -> usize {
        self.by_key.len()
    }
}
