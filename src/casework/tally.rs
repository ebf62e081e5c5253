//! What the standard asks of a period's work on tickets, counted from their histories. Belongs here: what counts where. Not here: which
//! tickets (`cases::desk`), what a share must be (`report`).
//!
//! Each deadline counts once, when it is decided: when it is kept or, once its day is over, when it is raised as missed. Tickets of
//! test calls have none, and count nowhere.

use super::change::{Change, Entry};
use super::day::Day;
use super::status::Callback;
use super::words::Deadline;
use crate::time::Instant;
use std::ops::Range;

/// The most working days that an extension usually has.
const USUAL_EXTENSION: u32 = 10;

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
    /// Made confidential on request.
    pub confidential: u64,
}

impl Tally {
    /// `history`: a ticket's, whole and in order. What happened within `period` counts.
    pub fn count<'a>(&mut self, history: impl IntoIterator<Item = &'a Entry>, period: &Range<Instant>) {
        let mut running = Running::default();
        for entry in history {
            if let Change::Received { transfer_due: None, .. } = entry.change {
                return;
            }
            // What comes before the period decides how later ones count, and counts nowhere.
            let mut elsewhere = Tally::default();
            let here = if period.contains(&entry.at) { &mut *self } else { &mut elsewhere };
            here.step(&mut running, &entry.change, Day::of(entry.at).0);
        }
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

/// Deadlines of the present handling that are not decided yet.
#[derive(Default)]
struct Running {
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
