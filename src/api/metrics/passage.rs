//! Series of a caller's way between queues and agents, and of calling back.

use super::names;
use crate::event::{CallbackChange, CallbackGone, CallbackKind, Why};
use crate::ids::AgentNo;
use metrics::{Counter, Gauge, counter, gauge};
use std::collections::BTreeMap;

pub(super) struct Passage {
    moves: BTreeMap<&'static str, Counter>,
    pub(super) transfers: Counter,
    pub(super) taken_over: Counter,
    pub(super) announced: Counter,
}

impl Passage {
    pub(super) fn new() -> Self {
        // A supervisor's and an agent's number are no part of the reason.
        let nobody = || AgentNo::new("");
        let every = [
            Why::Line,
            Why::Country(String::new()),
            Why::Remembered,
            Why::Key('0'),
            Why::Agent(nobody()),
            Why::Full,
            Why::NoAgents,
            Why::Overflow,
            Why::Closed,
            Why::Callback,
            Why::Supervisor(nobody()),
            Why::SeatLost,
        ];
        Passage {
            moves: every.map(|why| (why.as_str(), counter!(names::MOVES, "reason" => why.as_str()))).into(),
            transfers: counter!(names::TRANSFERS),
            taken_over: counter!(names::TAKEN_OVER),
            announced: counter!(names::ANNOUNCED),
        }
    }

    pub(super) fn moved(&self, why: &Why) {
        if let Some(counter) = self.moves.get(why.as_str()) {
            counter.increment(1);
        }
    }
}

pub(super) struct Callbacks {
    kinds: BTreeMap<CallbackKind, Kind>,
    gone: BTreeMap<CallbackGone, Counter>,
    pub(super) offered: Counter,
}

struct Kind {
    made: Counter,
    reached: Counter,
    pending: Gauge,
}

impl Callbacks {
    pub(super) fn new() -> Self {
        let kind = |name: &'static str| Kind {
            made: counter!(names::CALLBACKS_MADE, "kind" => name),
            reached: counter!(names::CALLBACKS_REACHED, "kind" => name),
            pending: gauge!(names::CALLBACKS_PENDING, "kind" => name),
        };
        let gone = [
            (CallbackGone::Reached, "reached"),
            (CallbackGone::GotThrough, "got_through"),
            (CallbackGone::GivenUp, "given_up"),
            (CallbackGone::Expired, "expired"),
        ];
        Callbacks {
            kinds: [(CallbackKind::Promised, kind("promised")), (CallbackKind::Missed, kind("missed"))].into(),
            gone: gone.map(|(why, name)| (why, counter!(names::CALLBACKS_GONE, "reason" => name))).into(),
            offered: counter!(names::CALLBACKS_OFFERED),
        }
    }

    pub(super) fn made(&self, kind: CallbackKind) {
        self.kinds[&kind].made.increment(1);
    }

    pub(super) fn reached(&self, kind: CallbackKind) {
        self.kinds[&kind].reached.increment(1);
    }

    pub(super) fn pending(&self, kind: CallbackKind, entries: usize) {
        self.kinds[&kind].pending.set(entries as f64);
    }

    pub(super) fn changed(&self, change: &CallbackChange) {
        if let CallbackChange::Gone { why, .. } = change {
            self.gone[why].increment(1);
        }
    }
}
