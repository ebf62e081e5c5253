//! The service figures counted a second time: from the finished ledger, by another road than `sla`'s running fold.

use super::Audit;
use super::ledger::Record;
use crate::event::{CallbackKind, EndCause, Purpose};
use crate::ids::QueueName;
use crate::sla::Counters;
use std::time::Duration;

impl Audit {
    /// What differs between the product's counters and ours, by name.
    pub(super) fn differences(&self) -> Vec<String> {
        let mut found = Vec::new();
        for name in self.queues.keys() {
            let theirs = self.summary.queue(name).cloned().unwrap_or_default();
            compare(&format!("queue {name}"), &theirs, &self.recount(Some(name)), &mut found);
        }
        compare("all queues", self.summary.total(), &self.recount(None), &mut found);
        for (name, queue) in &self.queues {
            let live = self.summary.queue(name).cloned().unwrap_or_default();
            let records = self.records.part(Some(name), queue.within).counters;
            compare(&format!("queue {name} by its records"), &records, &live, &mut found);
        }
        let part = self.records.part(None, Duration::ZERO);
        let mut say = |what: &str, theirs: u64, ours: u64| {
            if theirs != ours {
                found.push(format!("{what}: counted {theirs}, recounted {ours}"));
            }
        };
        let inbound = self.calls.values().filter(|r| !r.is_ours()).count() as u64;
        say("arrived", self.summary.arrived(), inbound);
        for kind in [CallbackKind::Promised, CallbackKind::Missed] {
            let theirs = self.summary.calls_back(kind);
            let of_kind = |r: &&Record| match r.purpose {
                Purpose::Inbound => false,
                Purpose::Callback { .. } => kind == CallbackKind::Promised,
                Purpose::MissedCall { .. } => kind == CallbackKind::Missed,
            };
            let reached = |r: &&Record| r.pickup.is_some() && r.end.is_some();
            say("called back", theirs.made, self.calls.values().filter(of_kind).count() as u64);
            say("called back, by records", part.back(kind).made, theirs.made);
            say("reached, by records", part.back(kind).reached, theirs.reached);
            say("reached", theirs.reached, self.calls.values().filter(of_kind).filter(reached).count() as u64);
        }
        let live = self.calls.values().filter(|r| r.end.is_none()).count() as u64;
        say("arrived, by records", part.arrived, inbound);
        say("of unknown beginning", part.unknown, 0);
        say("still open", self.summary.open() as u64, live);
        let silent = |r: &&Record| asked(r).is_none() && r.end.is_some() && !r.is_ours();
        let without = self.calls.values().filter(silent).count() as u64;
        say("without a request", self.summary.without_request().values().sum(), without);
        found
    }

    fn recount(&self, queue: Option<&QueueName>) -> Counters {
        let mut c = Counters::default();
        let judged = || self.calls.values().filter(|r| !r.is_ours());
        for spell in judged().flat_map(|r| &r.spells).filter(|s| queue.is_none_or(|queue| *queue == s.queue)) {
            c.talks += 1;
            c.talk += spell.talk();
            c.hold += spell.hold;
            c.transferred += u64::from(spell.passed_on);
        }
        for (record, asked) in judged().filter_map(|r| Some((r, asked(r)?))) {
            if queue.is_some_and(|q| q != asked) {
                continue;
            }
            let within = self.queues.get(asked).map_or(Duration::ZERO, |q| q.within);
            c.offered += 1;
            if let Some(pickup) = &record.pickup {
                c.answered += 1;
                c.answered_within += u64::from(pickup.wait <= within);
                c.answered_wait += pickup.wait;
                c.longest_wait = c.longest_wait.max(pickup.wait);
            }
            if let (Some(end), None) = (&record.end, &record.pickup) {
                *c.lost.entry(end.cause).or_default() += 1;
                let waited = end.at - record.queued_at;
                c.longest_wait = c.longest_wait.max(waited);
                let abandoned = matches!(
                    end.cause,
                    EndCause::AbandonedInQueue | EndCause::AbandonedRinging | EndCause::ShortAbandon
                );
                c.abandoned_within += u64::from(abandoned && waited <= within);
            }
        }
        // Wrap-up is counted from the agents' states alone; here by their own stopwatch.
        let wraps = self.wrap_ups.iter().filter(|(q, _)| queue.is_none_or(|queue| queue == q));
        for (_, length) in wraps {
            c.wrap_ups += 1;
            c.wrap_up += *length;
        }
        c
    }
}

/// The queue a call asked for; a call turned away at the door asked too.
fn asked(record: &Record) -> Option<&QueueName> {
    record.queue.as_ref().or(record.refused_by.as_ref())
}

fn compare(whose: &str, theirs: &Counters, ours: &Counters, found: &mut Vec<String>) {
    if theirs != ours {
        found.push(format!("{whose}: counted {theirs:?}, recounted {ours:?}"));
    }
}
