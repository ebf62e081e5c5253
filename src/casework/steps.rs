//! What follows from a command. Belongs here: each command's conditions and the changes it brings. Not here: the table of
//! rights (`rights`), what a change does to the ticket (`case`).

use super::actor::{Actor, Post};
use super::case::Ticket;
use super::change::Change;
use super::command::Command;
use super::day::Day;
use super::matter::{Fill, check_text};
use super::refusal::Refusal;
use super::rights;
use super::rules::Rules;
use super::status::{Callback, Departments, Settlement, Status};
use super::words::{Action, Deadline, Field, Trigger, Urgency};
use crate::time::Instant;

/// Most departments that assist the lead.
const MOST_ASSISTING: usize = 8;
const ANSWER: usize = 4_000;
const NOTE: usize = 1_000;

/// What the deciding needs besides the ticket.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    pub rules: &'a Rules,
    pub now: Instant,
    /// The latest other ticket of the same number and category within [`super::Limits::repeated_within`], if there is one:
    /// only the store can tell. Asked for at `Accept`.
    pub earlier: Option<&'a str>,
}

impl Ticket {
    /// The changes that `command` brings, in order, or why it is refused. The ticket itself stays as it is.
    pub fn apply(&self, desk: &Circumstances<'_>, actor: &Actor, command: Command) -> Result<Vec<Change>, Refusal> {
        let action = command.action();
        self.permitted(actor, action)?;
        let changes = match command {
            Command::FillIn(fill) => self.fill_in(desk, actor, *fill)?,
            Command::Accept => self.accept(desk)?,
            Command::AnswerNow { answer } => {
                vec![Change::AnsweredNow { answer: text(Field::Answer, ANSWER, answer)? }]
            }
            Command::ThreeWay { department, answer } => {
                let department = text(Field::Department, 100, department)?;
                vec![Change::SettledInThreeWay { department, answer: text(Field::Answer, ANSWER, answer)? }]
            }
            Command::HandTo110 { note } => {
                let handed = Change::HandedTo110 { note: text(Field::Note, NOTE, note)? };
                [handed].into_iter().chain(self.supervised(Trigger::Emergency)).collect()
            }
            Command::Decline { reason, explanation } => {
                let missing = self.case.matter.missing(desk.rules);
                let missing: Vec<_> =
                    missing.into_iter().filter(|f| matches!(f, Field::Title | Field::Content)).collect();
                if !missing.is_empty() {
                    return Err(Refusal::Incomplete { missing });
                }
                vec![Change::Declined { reason, explanation: text(Field::Reason, NOTE, explanation)? }]
            }
            Command::Pass { lead, assisting, note } => {
                check_text(Field::Note, NOTE, &note)?;
                let lead = lead.or_else(|| self.usual_department(desk.rules));
                let lead = lead.ok_or(Refusal::Empty { field: Field::Department })?;
                vec![Change::Passed { departments: departments(desk.rules, lead, assisting)?, note }]
            }
            Command::Dispatch { lead, assisting } => self.dispatch(desk, lead, assisting)?,
            Command::SignFor => vec![Change::SignedFor],
            Command::Start => vec![Change::Started],
            Command::Settle { result } => vec![Change::Settled { result: text(Field::Result, ANSWER, result)? }],
            Command::Return { reason } => {
                let reason = text(Field::Reason, NOTE, reason)?;
                if let Some(due) = self.case.status.assignment().map(|a| a.return_due).filter(|due| today(desk) > *due)
                {
                    return Err(Refusal::TooLateToReturn { due });
                }
                vec![Change::Returned { reason, transfer_due: self.anew(desk, desk.rules.limits.transfer_days) }]
            }
            Command::Recall { reason } => {
                let transfer_due = self.anew(desk, desk.rules.limits.transfer_days);
                vec![Change::Recalled { reason: text(Field::Reason, NOTE, reason)?, transfer_due }]
            }
            Command::AskExtension { days, reason } => self.ask_extension(desk, days, reason)?,
            Command::GrantExtension => {
                let asked = self.extension_asked()?;
                let due = self.reply_due().ok_or(Refusal::NoDeadline)?;
                vec![Change::Extended { until: desk.rules.calendar.after(due, asked) }]
            }
            Command::RefuseExtension { reason } => {
                self.extension_asked()?;
                vec![Change::ExtensionRefused { reason: text(Field::Reason, NOTE, reason)? }]
            }
            Command::Urge { note } => vec![Change::Urged { note: text(Field::Note, NOTE, note)? }],
            Command::Supervise { reason } => {
                let note = text(Field::Reason, NOTE, reason)?;
                vec![Change::Supervised { trigger: Trigger::Ordered, note }]
            }
            Command::AskCallback => {
                self.complete_unless_declined(desk.rules)?;
                vec![Change::CallbackAsked]
            }
            Command::RecordCallback(callback) => self.called_back(desk, callback),
            Command::Redo { reason } => {
                self.complete(desk.rules)?;
                vec![self.redone(desk, text(Field::Reason, NOTE, reason)?)]
            }
            Command::Archive => self.archive(desk)?,
            Command::RaiseDeadline { deadline } => self.raise(desk, deadline)?,
            // Each caller is asked once.
            Command::Rate { .. } if self.case.rating.is_some() => return Err(Refusal::NothingChanges),
            Command::Rate { rating } => vec![Change::Rated { rating }],
        };
        Ok(changes)
    }

    fn permitted(&self, actor: &Actor, action: Action) -> Result<(), Refusal> {
        let role = actor.role();
        if !rights::may(role, action) {
            return Err(Refusal::NotYours { action, role, who: rights::holders(action) });
        }
        let departments = self.case.status.departments();
        if let Post::Clerk { department } = &actor.post
            && departments.is_none_or(|d| d.lead != *department)
        {
            // Another department's ticket is not even told of.
            let lead = departments.filter(|d| d.include(department)).map(|d| d.lead.clone());
            return Err(Refusal::NotYourDepartment { lead });
        }
        let stage = self.case.status.stage();
        if !rights::fits(action, stage) {
            return Err(Refusal::NotNow { action, stage, instead: rights::open_to(role, stage) });
        }
        Ok(())
    }

    fn fill_in(&self, desk: &Circumstances<'_>, actor: &Actor, mut fill: Fill) -> Result<Vec<Change>, Refusal> {
        let matter = &self.case.matter;
        if matter.confidential && fill.confidential == Some(false) {
            self.permitted(actor, Action::LiftConfidentiality)?;
        }
        let repeat_of = fill.repeat_of.take().filter(|no| self.case.repeat_of.as_ref() != Some(no));
        if repeat_of.as_ref() == Some(&self.opening.ticket_no) {
            return Err(Refusal::RepeatOfItself);
        }
        let filled = matter.changed_by(fill, desk.rules)?;
        let mut after = matter.clone();
        after.take(&filled);
        let missing = after.missing(desk.rules);
        // What was complete stays complete.
        if !missing.is_empty() && matter.missing(desk.rules).is_empty() {
            return Err(Refusal::Incomplete { missing });
        }
        let critical = filled.fill.urgency == Some(Urgency::Critical);
        let mut changes = vec![];
        if filled != Default::default() {
            changes.push(Change::Filled(Box::new(filled)));
        }
        changes.extend(critical.then(|| self.supervised(Trigger::Emergency)).flatten());
        if let Some(ticket_no) = repeat_of {
            let ticket_no = text(Field::RepeatOf, 40, ticket_no)?;
            changes.push(Change::Repeats { ticket_no });
            changes.extend(self.supervised(Trigger::Repeated));
        }
        if changes.is_empty() { Err(Refusal::NothingChanges) } else { Ok(changes) }
    }

    fn accept(&self, desk: &Circumstances<'_>) -> Result<Vec<Change>, Refusal> {
        self.complete(desk.rules)?;
        let mut changes = vec![Change::Accepted];
        if let (None, Some(earlier)) = (&self.case.repeat_of, desk.earlier) {
            changes.push(Change::Repeats { ticket_no: earlier.to_owned() });
            changes.extend(self.supervised(Trigger::Repeated));
        }
        Ok(changes)
    }

    fn dispatch(
        &self,
        desk: &Circumstances<'_>,
        lead: Option<String>,
        assisting: Option<Vec<String>>,
    ) -> Result<Vec<Change>, Refusal> {
        let proposed = self.case.status.departments().ok_or(Refusal::Empty { field: Field::Department })?;
        let lead = lead.unwrap_or_else(|| proposed.lead.clone());
        let assisting =
            assisting.unwrap_or_else(|| proposed.assisting.iter().filter(|d| **d != lead).cloned().collect());
        let departments = departments(desk.rules, lead, assisting)?;
        Ok(vec![Change::Dispatched {
            departments,
            return_due: desk.rules.due(desk.now, desk.rules.limits.return_days),
        }])
    }

    fn ask_extension(&self, desk: &Circumstances<'_>, days: u32, reason: String) -> Result<Vec<Change>, Refusal> {
        let limits = &desk.rules.limits;
        let due = self.reply_due().ok_or(Refusal::NoDeadline)?;
        if self.extension_asked().is_ok() {
            return Err(Refusal::ExtensionPending);
        }
        if self.case.extensions >= limits.extensions {
            return Err(Refusal::NoMoreExtensions { most: limits.extensions });
        }
        if !(1..=limits.extension_days).contains(&days) {
            return Err(Refusal::ExtensionDays { most: limits.extension_days });
        }
        if today(desk) > due {
            return Err(Refusal::AlreadyLate { due });
        }
        Ok(vec![Change::ExtensionAsked { days, reason: text(Field::Reason, NOTE, reason)? }])
    }

    /// The standard: dissatisfied with both the process and the result, it is handled again; once by itself, then by order.
    fn called_back(&self, desk: &Circumstances<'_>, callback: Callback) -> Vec<Change> {
        let out_of_scope = matches!(self.case.status.settlement(), Some(Settlement::Declined { .. }));
        let again =
            callback.is_dissatisfied_with_both() && !out_of_scope && self.case.times.redone < desk.rules.limits.redo;
        let supervised = callback.is_dissatisfied().then(|| self.supervised(Trigger::Dissatisfied)).flatten();
        let redone = again.then(|| self.redone(desk, Trigger::Dissatisfied.zh().to_owned()));
        [Change::CalledBack(callback)].into_iter().chain(supervised).chain(redone).collect()
    }

    fn redone(&self, desk: &Circumstances<'_>, reason: String) -> Change {
        let limits = &desk.rules.limits;
        let (transfer_due, reply_due) = (self.anew(desk, limits.transfer_days), self.anew(desk, limits.reply_days));
        Change::Redone { reason, transfer_due, reply_due }
    }

    fn archive(&self, desk: &Circumstances<'_>) -> Result<Vec<Change>, Refusal> {
        if matches!(self.case.status, Status::Settled { how: Settlement::Passed { .. } }) {
            return Err(Refusal::CallbackFirst);
        }
        self.complete_unless_declined(desk.rules)?;
        Ok(vec![Change::Archived])
    }

    fn raise(&self, desk: &Circumstances<'_>, deadline: Deadline) -> Result<Vec<Change>, Refusal> {
        let mut running = self.case.running().filter(|(d, due)| *d == deadline && *due < today(desk));
        let due = running.next().filter(|_| !self.case.missed.contains(&deadline));
        let (_, due) = due.ok_or(Refusal::NotMissed { deadline })?;
        Ok([Change::Missed { deadline, due }].into_iter().chain(self.supervised(Trigger::Late)).collect())
    }

    /// Once for each trigger.
    fn supervised(&self, trigger: Trigger) -> Option<Change> {
        (!self.case.supervised.contains(&trigger)).then(|| Change::Supervised { trigger, note: String::new() })
    }

    fn complete(&self, rules: &Rules) -> Result<(), Refusal> {
        let missing = self.case.matter.missing(rules);
        if missing.is_empty() { Ok(()) } else { Err(Refusal::Incomplete { missing }) }
    }

    /// What is not taken on need not be classified.
    fn complete_unless_declined(&self, rules: &Rules) -> Result<(), Refusal> {
        match self.case.status.settlement() {
            Some(Settlement::Declined { .. }) => Ok(()),
            _ => self.complete(rules),
        }
    }

    fn usual_department(&self, rules: &Rules) -> Option<String> {
        let category = self.case.matter.category.as_ref()?;
        rules.categories.get(&category.code)?.department.clone()
    }

    fn extension_asked(&self) -> Result<u32, Refusal> {
        let assignment = self.case.status.assignment();
        assignment.and_then(|a| a.extension.as_ref()).map(|asked| asked.days).ok_or(Refusal::NoExtensionAsked)
    }

    fn reply_due(&self) -> Option<Day> {
        self.case.extended_to.or(self.case.reply_due)
    }

    /// A deadline that begins now; none for a test call.
    fn anew(&self, desk: &Circumstances<'_>, days: u32) -> Option<Day> {
        (!self.opening.test_call).then(|| desk.rules.due(desk.now, days))
    }
}

fn today(desk: &Circumstances<'_>) -> Day {
    Day::of(desk.now).0
}

/// Trimmed, not empty, of bounded length.
fn text(field: Field, limit: usize, value: String) -> Result<String, Refusal> {
    let value = value.trim();
    if value.is_empty() {
        return Err(Refusal::Empty { field });
    }
    check_text(field, limit, value).map(|()| value.to_owned())
}

fn departments(rules: &Rules, lead: String, assisting: Vec<String>) -> Result<Departments, Refusal> {
    let lead = text(Field::Department, 100, lead)?;
    let unlike = |(n, d): (usize, &String)| *d != lead && !assisting[..n].contains(d);
    if assisting.len() > MOST_ASSISTING || !assisting.iter().enumerate().all(unlike) {
        return Err(Refusal::Assisting { limit: MOST_ASSISTING });
    }
    for name in [&lead].into_iter().chain(&assisting) {
        check_text(Field::Department, 100, name)?;
        if name.is_empty() || !(rules.departments.is_empty() || rules.departments.contains(name)) {
            return Err(Refusal::NoSuchDepartment { name: name.clone() });
        }
    }
    Ok(Departments { lead, assisting })
}
