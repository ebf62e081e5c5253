//! The figures of one part of a period - a queue, a skill, a trunk, half an hour - from finished records. Belongs here:
//! several N at once, ends by cause. Not here: which records belong to the part (`report`).

use super::metrics::{self, Figure};
use super::{CallsBack, Counters};
use crate::event::CallbackKind;
use crate::record::{CallRecord, Ending, Kind, Segment};
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Part {
    /// With each queue's own N.
    pub counters: Counters,
    /// Further N, the same for all queues.
    pub levels: Vec<Level>,
    /// Every citizen's call, those that never asked for a human too.
    pub arrived: u64,
    /// Of those, the ones that never asked, by how they ended.
    pub without_request: BTreeMap<Ending, u64>,
    /// How the requests ended that nobody answered; process deaths apart from other faults of ours.
    pub unanswered: BTreeMap<Ending, u64>,
    /// Up when the process died or its events were lost, answered or not.
    pub cut_off: u64,
    /// Not over yet.
    pub open: u64,
    pub test_calls: u64,
    /// Their beginning is missing from the log; they count in nothing else.
    pub unknown: u64,
    /// Dialled by seats.
    pub dialled: u64,
    pub back: BTreeMap<CallbackKind, CallsBack>,
}

/// Within N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    pub n: Duration,
    /// A_N
    pub answered: u64,
    /// Ab_N
    pub abandoned: u64,
}

impl Part {
    pub fn new(levels: &[Duration]) -> Part {
        let level = |n: &Duration| Level { n: *n, answered: 0, abandoned: 0 };
        Part { levels: levels.iter().map(level).collect(), ..Part::default() }
    }

    /// A whole call. `within`: N of the queue it asked.
    pub fn count(&mut self, record: &CallRecord, within: Duration) {
        self.request(record, within);
        if record.is_judged() {
            record.segments.iter().for_each(|segment| self.conversation(segment));
        }
    }

    /// One conversation of a citizen's call: each belongs to the queue it was held for.
    pub fn conversation(&mut self, segment: &Segment) {
        self.counters.conversation(segment);
    }

    /// A wrap-up that its conversation did not have yet when it was counted.
    pub fn wrapped_up(&mut self, time: Duration) {
        self.counters.wrapped_up(time);
    }

    /// A call without its conversations.
    pub fn request(&mut self, record: &CallRecord, within: Duration) {
        match &record.kind {
            Kind::Inbound => self.inbound(record, within),
            Kind::Test => {
                self.arrived += 1;
                self.test_calls += 1;
            }
            Kind::Callback { .. } => self.ours(CallbackKind::Promised, record),
            Kind::MissedCall { .. } => self.ours(CallbackKind::Missed, record),
            Kind::Dialled { .. } => self.dialled += 1,
            Kind::Unknown => self.unknown += 1,
        }
    }

    fn inbound(&mut self, record: &CallRecord, within: Duration) {
        self.arrived += 1;
        let abandoned = self.counters.abandoned();
        self.counters.request(record, within);
        match record.ending {
            None => self.open += 1,
            Some(ending) => {
                self.cut_off += u64::from(matches!(ending, Ending::Lost(_)));
                match (&record.asked, record.pickup()) {
                    (None, _) => *self.without_request.entry(ending).or_default() += 1,
                    (Some(_), None) => *self.unanswered.entry(ending).or_default() += 1,
                    (Some(_), Some(_)) => {}
                }
            }
        }
        let (answered, abandoned) = (record.pickup().is_some(), self.counters.abandoned() > abandoned);
        if let Some(wait) = record.wait() {
            for level in self.levels.iter_mut().filter(|level| wait <= level.n) {
                level.answered += u64::from(answered);
                level.abandoned += u64::from(abandoned);
            }
        }
    }

    fn ours(&mut self, kind: CallbackKind, record: &CallRecord) {
        let back = self.back.entry(kind).or_default();
        back.made += 1;
        back.reached += u64::from(record.pickup().is_some() && record.ended.is_some());
    }

    /// The named figures with each queue's own N, which is `within` where all share one.
    pub fn figures(&self, within: Option<Duration>) -> Vec<Figure> {
        metrics::figures(&self.counters, within)
    }

    /// The named figures with the N of `level`.
    pub fn figures_within(&self, level: Level) -> Vec<Figure> {
        let (answered_within, abandoned_within) = (level.answered, level.abandoned);
        metrics::figures(&Counters { answered_within, abandoned_within, ..self.counters.clone() }, Some(level.n))
    }

    /// Of one figure of [`metrics::ALL`].
    pub fn value(&self, id: &str) -> Option<f64> {
        metrics::ALL.iter().find(|metric| metric.id == id).and_then(|metric| (metric.of)(&self.counters))
    }

    pub fn back(&self, kind: CallbackKind) -> CallsBack {
        self.back.get(&kind).copied().unwrap_or_default()
    }
}
