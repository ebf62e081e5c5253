//! What the standard asks of a period's work on tickets, counted from their histories. Belongs here: what counts where. Not here: which
//! tickets (`cases::desk`), what a share must be (`report`).
//!
//! Each deadline counts once, when it is decided: when it is kept or, once its day is over, when it is raised as missed. Tickets of
//! test calls have none, and count nowhere.
//!
//! What an entry counts as depends on what came before it ([`Course`]) and is a few bits. Stores keep them with the entry, so that a
//! month is added up without a single history being read.

use super::change::{Change, Entry};
use super::day::Day;
use super::status::Callback;
use super::words::Deadline;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The most working days that an extension usually has.
const USUAL_EXTENSION: u32 = 10;

const SHARES: usize = 9;
/// The bit of what was made confidential; those below are for shares.
const CONFIDENTIAL: usize = 40;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub part: u64,
    pub of: u64,
}

impl Share {
    fn add(&mut self, counts: bool) {
        self.part += u64::from(counts);
        self.of += 1;
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Dispatched by the day for it, of those that had to be.
    pub transferred: Share,
    /// Settled by the day of the reply (as extended), of those that had to be.
    pub replied: Share,
    /// By 10 working days at most, of all extensions.
    pub extended: Share,
    /// Within the days for it, of all that were returned as wrongly assigned.
    pub returned: Share,
    /// Answered on the spot (直办), of all that were disposed of.
    pub answered_now: Share,
    /// The citizen was reached, of all callbacks.
    pub reached: Share,
    /// Fairly satisfied or better with how it was handled, and with what came of it, of those reached.
    pub satisfied_with_process: Share,
    pub satisfied_with_result: Share,
    /// Fairly satisfied or better, of those who rated their call with a key.
    pub satisfied_with_call: Share,
    /// Made confidential on request.
    pub confidential: u64,
}

impl Tally {
    /// `history`: a ticket's, whole and in order. What happened within `period` counts.
    pub fn count<'a>(&mut self, history: impl IntoIterator<Item = &'a Entry>, period: &Range<Instant>) {
        let mut course = Course::Unknown;
        for entry in history {
            // What comes before the period decides how later ones count, and counts nowhere.
            let bits = course.step(entry).unwrap_or(0);
            if period.contains(&entry.at) {
                self.add(bits, 1);
            }
        }
    }

    /// So many entries that each count as `bits`.
    pub fn add(&mut self, bits: i64, times: u64) {
        for (n, share) in self.shares().into_iter().enumerate() {
            share.of += times * (bits >> (2 * n) & 1) as u64;
            share.part += times * (bits >> (2 * n + 1) & 1) as u64;
        }
        self.confidential += times * (bits >> CONFIDENTIAL & 1) as u64;
    }

    /// Of one entry: for each share whether it is of the whole, and of the part.
    fn bits(mut self) -> i64 {
        let confidential = (self.confidential as i64) << CONFIDENTIAL;
        let shares = self.shares().into_iter().enumerate();
        shares.fold(confidential, |bits, (n, Share { part, of })| bits | ((*of | *part << 1) as i64) << (2 * n))
    }

    /// In the order of their bits, which are stored: never in another.
    fn shares(&mut self) -> [&mut Share; SHARES] {
        [
            &mut self.transferred,
            &mut self.replied,
            &mut self.extended,
            &mut self.returned,
            &mut self.answered_now,
            &mut self.reached,
            &mut self.satisfied_with_process,
            &mut self.satisfied_with_result,
            &mut self.satisfied_with_call,
        ]
    }

    fn step(&mut self, running: &mut Running, change: &Change, today: Day) {
        match change {
            Change::Received { transfer_due, reply_due } | Change::Redone { transfer_due, reply_due, .. } => {
                *running = Running { transfer: *transfer_due, reply: *reply_due, ..Running::default() };
            }
            Change::Recalled { transfer_due, .. } => running.transfer = *transfer_due,
            Change::Returned { transfer_due, .. } => {
                self.returned.add(running.return_due.is_none_or(|due| today <= due));
                running.transfer = *transfer_due;
            }
            Change::Dispatched { return_due, .. } => {
                running.return_due = Some(*return_due);
                decided(&mut running.transfer, &mut self.transferred, today);
            }
            Change::Missed { deadline: Deadline::Transfer, .. } => missed(&mut running.transfer, &mut self.transferred),
            Change::Missed { deadline: Deadline::Reply, .. } => missed(&mut running.reply, &mut self.replied),
            Change::ExtensionAsked { days, .. } => running.asked = *days,
            Change::Extended { until } => {
                self.extended.add(running.asked <= USUAL_EXTENSION);
                // One that was missed before it was extended stays missed.
                running.reply = running.reply.map(|_| *until);
            }
            Change::AnsweredNow { .. } => self.disposed(running, true, today),
            Change::SettledInThreeWay { .. } | Change::HandedTo110 { .. } | Change::Declined { .. } => {
                self.disposed(running, false, today);
            }
            Change::Passed { .. } => self.answered_now.add(false),
            Change::Settled { .. } => decided(&mut running.reply, &mut self.replied, today),
            Change::CalledBack(callback) => {
                self.reached.add(matches!(callback, Callback::Reached { .. }));
                if let Callback::Reached { process, result, .. } = callback {
                    self.satisfied_with_process.add(!process.is_dissatisfied());
                    self.satisfied_with_result.add(!result.is_dissatisfied());
                }
            }
            Change::Rated { rating } => self.satisfied_with_call.add(!rating.is_dissatisfied()),
            Change::Filled(filled) => self.confidential += u64::from(filled.fill.confidential == Some(true)),
            Change::Repeats { .. }
            | Change::Accepted
            | Change::SignedFor
            | Change::Started
            | Change::ExtensionRefused { .. }
            | Change::Urged { .. }
            | Change::Supervised { .. }
            | Change::CallbackAsked
            | Change::Archived => {}
        }
    }

    fn disposed(&mut self, running: &mut Running, on_the_spot: bool, today: Day) {
        self.answered_now.add(on_the_spot);
        decided(&mut running.reply, &mut self.replied, today);
    }
}

/// How far a ticket has come, as far as that decides what its next entry counts as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Course {
    /// Of a ticket from before this was kept: its history tells.
    #[default]
    Unknown,
    /// Of a test call, which counts nowhere.
    Uncounted,
    Running(Running),
}

impl Course {
    /// After all of these.
    pub fn of<'a>(history: impl IntoIterator<Item = &'a Entry>) -> Course {
        let mut course = Course::Unknown;
        for entry in history {
            course.step(entry);
        }
        course
    }

    /// Goes on by one entry: what it counts as, in the bits of [`Tally::add`]; `None`: that is not known.
    pub fn step(&mut self, entry: &Entry) -> Option<i64> {
        if let Change::Received { transfer_due, .. } = &entry.change {
            *self = transfer_due.map_or(Course::Uncounted, |_| Course::Running(Running::default()));
        }
        match self {
            Course::Unknown => None,
            Course::Uncounted => Some(0),
            Course::Running(running) => {
                let mut one = Tally::default();
                one.step(running, &entry.change, Day::of(entry.at).0);
                Some(one.bits())
            }
        }
    }
}

/// Deadlines of the present handling that are not decided yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    transfer: Option<Day>,
    reply: Option<Day>,
    return_due: Option<Day>,
    /// Days of the extension that was asked for last.
    asked: u32,
}

fn decided(due: &mut Option<Day>, share: &mut Share, today: Day) {
    if let Some(due) = due.take() {
        share.add(today <= due);
    }
}

fn missed(due: &mut Option<Day>, share: &mut Share) {
    if due.take().is_some() {
        share.add(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_share_has_bits_of_its_own_and_they_add_up() {
        let mut all = BTreeSet::new();
        for n in 0..SHARES {
            for part in [0, 1] {
                let mut one = Tally::default();
                *one.shares()[n] = Share { part, of: 1 };
                let (mut three, mut sum) = (Tally::default(), Tally::default());
                *three.shares()[n] = Share { part: 3 * part, of: 3 };
                sum.add(one.bits(), 3);
                assert_eq!(sum, three);
                all.insert(one.bits());
            }
        }
        let confidential = Tally { confidential: 1, ..Tally::default() };
        all.insert(confidential.bits());
        assert_eq!(all.len(), 2 * SHARES + 1);
        let mut sum = Tally::default();
        all.iter().for_each(|bits| sum.add(*bits, 2));
        assert_eq!((sum.confidential, *sum.shares()[0]), (2, Share { part: 2, of: 4 }));
    }
}
