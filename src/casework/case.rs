//! The ticket as a value, and what each change does to it. Belongs here: the fold over the history, the deadlines that run.
//! Not here: which changes may happen (`steps`).
//!
//! A [`Case`] is nothing but its history: folding the same entries gives the same case, and an entry that does not fit is an
//! error, so a history that can be read explains the state it is stored beside.

use super::change::{Change, Entry};
use super::day::Day;
use super::matter::Matter;
use super::rules::Rules;
use super::status::{Assignment, ExtensionAsked, Settlement, Status};
use super::tally::Course;
use super::words::{Deadline, Role, Satisfaction, Trigger};
use crate::time::Instant;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is known from the pickup and never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    pub ticket_no: String,
    /// As 16 hex digits.
    pub call_id: String,
    pub channel: String,
    pub received_at: Instant,
    /// E.164 where it could be had; none when withheld.
    pub number: Option<String>,
    pub withheld: bool,
    pub language: Option<String>,
    pub queue: String,
    /// Who picked up.
    pub agent: String,
    pub test_call: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    pub opening: Opening,
    pub case: Case,
}

/// What people have made of it since. A field that an older one lacks has the value of a new ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Case {
    /// Entries folded: the number of the last one. 0: nobody has touched it.
    pub version: u32,
    pub matter: Matter,
    pub status: Status,
    pub repeat_of: Option<String>,
    /// The last day for dispatch, and for the reply; none for test calls.
    pub transfer_due: Option<Day>,
    pub reply_due: Option<Day>,
    /// Instead of `reply_due`.
    pub extended_to: Option<Day>,
    /// Extensions of the present handling.
    pub extensions: u32,
    pub times: Times,
    pub supervised: BTreeSet<Trigger>,
    /// Deadlines of the present handling that have passed and were raised.
    pub missed: BTreeSet<Deadline>,
    /// One was missed at some time.
    pub overdue: bool,
    /// 满意度评价: of the call, by a key after it.
    pub rating: Option<Satisfaction>,
    /// What later entries count as.
    pub course: Course,
}

/// How often something happened, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Times {
    pub returned: u32,
    pub extended: u32,
    pub urged: u32,
    pub redone: u32,
}

/// This change cannot follow on this history: the store was written by other hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    pub version: u32,
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "entry {} of the history does not follow from those before it", self.version)
    }
}

impl Default for Case {
    fn default() -> Self {
        Case {
            version: 0,
            matter: Matter::default(),
            status: Status::Draft,
            repeat_of: None,
            transfer_due: None,
            reply_due: None,
            extended_to: None,
            extensions: 0,
            times: Times::default(),
            supervised: BTreeSet::new(),
            missed: BTreeSet::new(),
            overdue: false,
            rating: None,
            course: Course::Unknown,
        }
    }
}

impl Ticket {
    /// As it is at pickup.
    pub fn new(opening: Opening) -> Ticket {
        Ticket { opening, case: Case::default() }
    }

    /// The first change of every ticket.
    pub fn received(&self, rules: &Rules) -> Change {
        let due = |days| (!self.opening.test_call).then(|| rules.due(self.opening.received_at, days));
        Change::Received { transfer_due: due(rules.limits.transfer_days), reply_due: due(rules.limits.reply_days) }
    }
}

impl Case {
    pub fn of(history: &[Entry]) -> Result<Case, Misfit> {
        let mut case = Case::default();
        history.iter().try_for_each(|entry| case.take(entry).map(drop)).map(|()| case)
    }

    /// Folds the next entry in, and says what it counts as, if that is known. On a misfit the case is as it was.
    pub fn take(&mut self, entry: &Entry) -> Result<Option<i64>, Misfit> {
        let misfit = Misfit { version: self.version + 1 };
        let received = matches!(entry.change, Change::Received { .. });
        if received != (self.version == 0) || (received && entry.by.role() != Role::System) {
            return Err(misfit);
        }
        self.change(&entry.change, entry.at).ok_or(misfit)?;
        self.version += 1;
        Ok(self.course.step(entry))
    }

    fn change(&mut self, change: &Change, at: Instant) -> Option<()> {
        use Status::*;
        match change {
            Change::Received { transfer_due, reply_due } => {
                (self.transfer_due, self.reply_due) = (*transfer_due, *reply_due);
            }
            Change::Filled(filled) if !matches!(self.status, Archived { .. }) => self.matter.take(filled),
            Change::Repeats { ticket_no } => self.repeat_of = Some(ticket_no.clone()),
            Change::Rated { rating } => self.rating = Some(*rating),
            Change::Urged { .. } => self.times.urged += 1,
            Change::Supervised { trigger, .. } => {
                self.supervised.insert(*trigger);
            }
            Change::Missed { deadline, due } => {
                self.running().find(|running| *running == (*deadline, *due))?;
                self.missed.insert(*deadline);
                self.overdue = true;
            }
            Change::ExtensionAsked { days, reason } => {
                let assignment = self.status.assignment_mut().filter(|a| a.extension.is_none())?;
                assignment.extension = Some(ExtensionAsked { days: *days, reason: reason.clone() });
            }
            Change::Extended { until } => {
                self.status.assignment_mut()?.extension.take()?;
                self.extended_to = Some(*until);
                self.extensions += 1;
                self.times.extended += 1;
                self.missed.remove(&Deadline::Reply);
            }
            Change::ExtensionRefused { .. } => {
                self.status.assignment_mut()?.extension.take()?;
            }
            Change::Redone { transfer_due, reply_due, .. } => {
                let CalledBack { how, .. } = &self.status else { return None };
                self.status = match how {
                    Settlement::Passed { departments, .. } => AwaitingDispatch { departments: departments.clone() },
                    _ => Accepted,
                };
                (self.transfer_due, self.reply_due, self.extended_to) = (*transfer_due, *reply_due, None);
                self.extensions = 0;
                self.missed.clear();
                self.times.redone += 1;
            }
            Change::Returned { transfer_due, .. } | Change::Recalled { transfer_due, .. } => {
                let departments = self.status.assignment()?.departments.clone();
                self.status = AwaitingDispatch { departments };
                self.transfer_due = *transfer_due;
                self.missed.remove(&Deadline::Transfer);
                self.times.returned += u32::from(matches!(change, Change::Returned { .. }));
            }
            step => self.status = next(&self.status, step, at)?,
        }
        Some(())
    }

    /// Deadlines that still have to be met, whether or not they have been: until dispatch, until the reply.
    pub fn running(&self) -> impl Iterator<Item = (Deadline, Day)> {
        let before_dispatch = matches!(self.status, Status::Draft | Status::Accepted | Status::AwaitingDispatch { .. });
        let unsettled = before_dispatch || self.status.assignment().is_some();
        let transfer = self.transfer_due.filter(|_| before_dispatch).map(|due| (Deadline::Transfer, due));
        let reply = self.extended_to.or(self.reply_due).filter(|_| unsettled).map(|due| (Deadline::Reply, due));
        transfer.into_iter().chain(reply)
    }

    /// The next day by which something must be done.
    pub fn due(&self) -> Option<Day> {
        self.running().map(|(_, due)| due).min()
    }

    /// The deadline to be raised next, once its day is over.
    pub fn alarm(&self) -> Option<(Deadline, Day)> {
        self.running().filter(|(deadline, _)| !self.missed.contains(deadline)).min_by_key(|(_, due)| *due)
    }
}

/// The chain: each step from exactly the stages it may be taken at.
fn next(status: &Status, step: &Change, at: Instant) -> Option<Status> {
    use Status::*;
    let settled = |how| Some(Settled { how });
    match (status, step) {
        (Draft, Change::Accepted) => Some(Accepted),
        (Accepted, Change::AnsweredNow { answer }) => settled(Settlement::AnsweredNow { answer: answer.clone() }),
        (Accepted, Change::SettledInThreeWay { department, answer }) => {
            settled(Settlement::ThreeWay { department: department.clone(), answer: answer.clone() })
        }
        (Draft | Accepted, Change::HandedTo110 { note }) => settled(Settlement::Police { note: note.clone() }),
        (Draft | Accepted, Change::Declined { reason, explanation }) => {
            settled(Settlement::Declined { reason: *reason, explanation: explanation.clone() })
        }
        (Accepted, Change::Passed { departments, .. }) => Some(AwaitingDispatch { departments: departments.clone() }),
        (AwaitingDispatch { .. }, Change::Dispatched { departments, return_due }) => Some(Dispatched(Assignment {
            departments: departments.clone(),
            dispatched_at: at,
            return_due: *return_due,
            extension: None,
        })),
        (Dispatched(assignment), Change::SignedFor) => Some(SignedFor(assignment.clone())),
        (SignedFor(assignment), Change::Started) => Some(InHand(assignment.clone())),
        (InHand(Assignment { departments, .. }), Change::Settled { result }) => {
            settled(Settlement::Passed { departments: departments.clone(), result: result.clone() })
        }
        (Settled { how }, Change::CallbackAsked) => Some(AwaitingCallback { how: how.clone() }),
        (AwaitingCallback { how }, Change::CalledBack(callback)) => {
            Some(CalledBack { how: how.clone(), callback: callback.clone(), at })
        }
        (Settled { how }, Change::Archived) if !matches!(how, Settlement::Passed { .. }) => {
            Some(Archived { how: how.clone(), callback: None, called_back_at: None })
        }
        (CalledBack { how, callback, at }, Change::Archived) => {
            Some(Archived { how: how.clone(), callback: Some(callback.clone()), called_back_at: Some(*at) })
        }
        _ => None,
    }
}
