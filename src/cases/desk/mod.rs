//! Work on the stored tickets: commands, readings, lists, deadlines. Belongs here: loading, deciding by `casework`, writing
//! exactly once. Not here: the rules (`casework`), SQL (`sql`, `tables`), when deadlines are looked for (`worker`).
//!
//! ```text
//! apply: load ticket + version -> Ticket::apply -> one transaction: key, ticket WHERE version = that, case_events, or none of it
//! ```
//! Promises, checked by the contract suite on every store:
//! - a command is carried out whole or not at all, and once for each idempotency key;
//! - two writers never both build on one version: the later is told (`Conflict`) or, if it did not ask, decides anew;
//! - the events of one ticket are in the order of its versions, those of all tickets in the order of `seq`, without gaps, and
//!   none appears below a seq that somebody has read;
//! - what leaves here is masked, except by [`Desk::reveal`], which writes down who looked before it shows anything;
//! - each deadline is raised once, however many gateways look for it.

mod filter;
mod lists;
mod recorded;
mod row;
mod sql;
pub mod tables;
mod tally;
mod worker;

pub use filter::{Filter, Page};
pub use lists::Caller;
pub use worker::{watch, work};

use super::StoreError;
use crate::casework::words::{Action, Field};
use crate::casework::{self, Actor, Command, Entry, Misfit, Refusal, Rules, Ticket, rights};
use crate::time::Instant;
use row::{Event, Key, Stored};
use sha2::{Digest, Sha256};
use sql::{Step, Value};
use std::fmt;
use std::sync::Arc;
use tables::{Ran, Tables};

pub use row::{Audited as AuditEntry, Event as CaseEvent, Recordings};

/// Most rows of one answer.
pub const MOST_ROWS: u32 = 500;

/// So often a command without an expected version is decided anew because others were faster.
const RACES: u32 = 50;

/// Of a ticket, in bytes.
const LONGEST_NUMBER: usize = 64;

/// Characters of a reason to look behind the mask, and of an idempotency key.
const LONGEST_NOTE: usize = 200;

/// A command on one ticket.
#[derive(Clone, Debug)]
pub struct Order {
    pub ticket_no: String,
    pub command: Command,
    /// The version the sender has seen; with another the command is not carried out. None: whatever it is by now.
    pub expected: Option<u32>,
    /// Chosen by the sender, unique among theirs: sent again, the same order is answered and not carried out again.
    pub key: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The ticket's by now.
    pub version: u32,
    /// What the command brought, masked as for anybody.
    pub entries: Vec<Entry>,
    /// It had been carried out before; this is the first answer again.
    pub again: bool,
}

/// Why nothing was done, or nothing is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskError {
    /// Not there, or not for this reader to know of.
    NoSuchTicket,
    /// Somebody was faster; read again and decide again.
    Conflict {
        version: u32,
    },
    /// This key came with another order.
    KeyReused,
    /// A text of the request itself (reason, key, page) that cannot be used.
    BadRequest {
        what: &'static str,
    },
    Refused(Refusal),
    /// The store could not work now; the order may be sent again with the same key.
    Store(StoreError),
    /// What is stored is not what this program wrote.
    Corrupt {
        what: String,
    },
}

impl fmt::Display for DeskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeskError::NoSuchTicket => f.write_str("there is no such ticket"),
            DeskError::Conflict { version } => {
                write!(f, "the ticket has changed meanwhile, it is at version {version}")
            }
            DeskError::KeyReused => f.write_str("this idempotency key was used for another command; choose a new one"),
            DeskError::BadRequest { what } => f.write_str(what),
            DeskError::Refused(refusal) => refusal.fmt(f),
            DeskError::Store(error) => error.fmt(f),
            DeskError::Corrupt { what } => {
                write!(f, "the stored ticket cannot be read: {what}; restore it from a backup")
            }
        }
    }
}

impl std::error::Error for DeskError {}

impl From<Refusal> for DeskError {
    fn from(refusal: Refusal) -> Self {
        DeskError::Refused(refusal)
    }
}

impl From<StoreError> for DeskError {
    fn from(error: StoreError) -> Self {
        DeskError::Store(error)
    }
}

impl From<Misfit> for DeskError {
    fn from(misfit: Misfit) -> Self {
        DeskError::Corrupt { what: misfit.to_string() }
    }
}

/// What happened, and what it counts as (see [`casework::Course::step`]).
type Counted = (Entry, Option<i64>);

/// The office where tickets are worked on: a store and the rules. Every answer is for one actor.
pub struct Desk<T> {
    tables: T,
    rules: Arc<Rules>,
}

impl<T: Tables> Desk<T> {
    pub fn new(tables: T, rules: Arc<Rules>) -> Self {
        Desk { tables, rules }
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The ticket, masked.
    pub async fn get(&self, actor: &Actor, ticket_no: &str) -> Result<Ticket, DeskError> {
        let Stored { ticket, .. } = self.load(ticket_no).await?;
        readable(&ticket, actor)?;
        Ok(ticket.masked(ticket.sight(actor)))
    }

    /// The ticket unmasked. Who looked, when and why is durable before anything is shown.
    pub async fn reveal(&self, now: Instant, actor: &Actor, ticket_no: &str, why: &str) -> Result<Ticket, DeskError> {
        let why =
            note(why).ok_or(DeskError::BadRequest { what: "say in a few words why the whole ticket is needed" })?;
        let Stored { ticket, .. } = self.load(ticket_no).await?;
        readable(&ticket, actor)?;
        ticket.may_reveal(actor)?;
        self.tables.run(&[sql::audit(ticket_no, now, actor, why)]).await?;
        Ok(ticket)
    }

    /// What happened to the ticket, oldest first, from after entry `after` on; masked. Entry n makes version n.
    pub async fn history(
        &self,
        actor: &Actor,
        ticket_no: &str,
        after: u32,
        limit: u32,
    ) -> Result<Vec<CaseEvent>, DeskError> {
        let Stored { ticket, .. } = self.load(ticket_no).await?;
        readable(&ticket, actor)?;
        let mut events = self.events_of(sql::history(ticket_no, after, capped(limit))).await?;
        for event in &mut events {
            event.entry.change = event.entry.change.masked(ticket.sight(actor));
        }
        Ok(events)
    }

    /// Who has read the ticket unmasked, oldest first, from after `after` on.
    pub async fn audit(
        &self,
        actor: &Actor,
        ticket_no: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditEntry>, DeskError> {
        let role = actor.role();
        if !rights::may(role, Action::ReadAudit) {
            let who = rights::holders(Action::ReadAudit);
            return Err(Refusal::NotYours { action: Action::ReadAudit, role, who }.into());
        }
        self.load(ticket_no).await?;
        self.parsed(sql::audited(ticket_no, after, capped(limit))).await
    }

    /// All changes of all tickets after `seq`, in order: what webhooks and live streams replay. Nobody's names, numbers or
    /// texts are in it: who needs them reads the ticket.
    pub async fn events(&self, after_seq: i64, limit: u32) -> Result<Vec<CaseEvent>, DeskError> {
        let mut events = self.events_of(sql::events(after_seq, capped(limit))).await?;
        for event in &mut events {
            event.entry.change = event.entry.change.masked(casework::Sight::Texts);
        }
        Ok(events)
    }

    /// The number of the latest change of any ticket; 0: there was none.
    pub async fn newest(&self) -> Result<i64, DeskError> {
        Ok(self.parsed(sql::newest()).await?.pop().unwrap_or(0))
    }

    /// Carries the command out, or says why not.
    pub async fn apply(&self, now: Instant, actor: &Actor, order: &Order) -> Result<Applied, DeskError> {
        let bad_key = DeskError::BadRequest { what: "an idempotency key has 1 to 200 printable characters" };
        if order.key.as_deref().is_some_and(|key| note(key) != Some(key)) {
            return Err(bad_key);
        }
        let key = order.key.as_deref().map(|key| (key, digest(order)));
        for _ in 0..RACES {
            if let Some((key, digest)) = &key
                && let Some(answered) = self.answered(actor, key, digest).await?
            {
                return Ok(answered);
            }
            let mut stored = self.load(&order.ticket_no).await?;
            readable(&stored.ticket, actor)?;
            self.learn_course(&mut stored.ticket).await?;
            let version = stored.ticket.case.version;
            if order.expected.is_some_and(|expected| expected != version) {
                return Err(DeskError::Conflict { version });
            }
            let (ticket, entries) = self.decide(now, actor, stored.ticket, order.command.clone()).await?;
            let key = key.as_ref().map(|(key, digest)| (*key, digest.as_str()));
            if self.write(now, actor, version, &ticket, &entries, key).await? {
                let sight = ticket.sight(actor);
                let entries = entries.iter().map(|(e, _)| Entry { change: e.change.masked(sight), ..e.clone() });
                return Ok(Applied { version: ticket.case.version, entries: entries.collect(), again: false });
            }
        }
        Err(DeskError::Store(StoreError { reason: "other writers keep changing this ticket".into() }))
    }

    /// The ticket as the command leaves it, and the entries that made it so. The first to touch it also writes its receipt.
    async fn decide(
        &self,
        now: Instant,
        actor: &Actor,
        mut ticket: Ticket,
        command: Command,
    ) -> Result<(Ticket, Vec<Counted>), DeskError> {
        let mut entries = vec![];
        if ticket.case.version == 0 {
            entries.push(receipt(&mut ticket, &self.rules)?);
        }
        let earlier = match &command {
            Command::Accept => self.earlier(&ticket).await?,
            Command::FillIn(fill) => {
                if let Some(no) = fill.repeat_of.as_deref().filter(|no| !no.is_empty()) {
                    self.load(no).await.map_err(|e| match e {
                        DeskError::NoSuchTicket => Refusal::NotText { field: Field::RepeatOf }.into(),
                        other => other,
                    })?;
                }
                None
            }
            _ => None,
        };
        let desk = casework::Circumstances { rules: &self.rules, now, earlier: earlier.as_deref() };
        for change in ticket.apply(&desk, actor, command)? {
            let entry = Entry { at: now, by: actor.clone(), change };
            let counts = ticket.case.take(&entry)?;
            entries.push((entry, counts));
        }
        Ok((ticket, entries))
    }

    /// False: somebody was faster, and nothing is written.
    async fn write(
        &self,
        now: Instant,
        actor: &Actor,
        version: u32,
        ticket: &Ticket,
        entries: &[Counted],
        key: Option<(&str, &str)>,
    ) -> Result<bool, DeskError> {
        let mut steps = vec![];
        if let Some((key, digest)) = key {
            steps.push(sql::keep_key(now, actor, key, digest, ticket, entries.len()));
        }
        steps.push(sql::update(version, ticket));
        steps.push(Step::new(
            "UPDATE case_sequence SET last = last + $1 RETURNING 'last'",
            vec![Value::int(entries.len())],
        ));
        for (n, (entry, counts)) in entries.iter().enumerate() {
            let version = ticket.case.version as usize - entries.len() + 1 + n;
            steps.push(sql::event(ticket, version, entries.len() - 1 - n, entry, *counts));
        }
        Ok(matches!(self.tables.run(&steps).await?, Ran::All(_)))
    }

    /// The first answer to an order that was carried out before.
    async fn answered(&self, actor: &Actor, key: &str, digest: &str) -> Result<Option<Applied>, DeskError> {
        let Some(found) = self.parsed::<Key>(sql::find_key(actor, key)).await?.pop() else { return Ok(None) };
        if found.digest != digest {
            return Err(DeskError::KeyReused);
        }
        let Stored { ticket, .. } = self.load(&found.ticket_no).await?;
        let events =
            self.events_of(sql::history(&found.ticket_no, found.version - found.entries, found.entries)).await?;
        let entries =
            events.into_iter().map(|e| Entry { change: e.entry.change.masked(ticket.sight(actor)), ..e.entry });
        Ok(Some(Applied { version: found.version, entries: entries.collect(), again: true }))
    }

    async fn earlier(&self, ticket: &Ticket) -> Result<Option<String>, DeskError> {
        let within = self.rules.limits.repeated_within;
        match (&ticket.opening.number, &ticket.case.matter.category) {
            (Some(number), Some(category)) if !ticket.opening.test_call => {
                Ok(self.read(sql::earlier(&ticket.opening, number, &category.code, within)).await?.pop())
            }
            _ => Ok(None),
        }
    }

    async fn load(&self, ticket_no: &str) -> Result<Stored, DeskError> {
        // What no number looks like is not asked for: stores take offence at some characters.
        let fits = ticket_no.len() <= LONGEST_NUMBER && ticket_no.bytes().all(|b| b.is_ascii_graphic());
        if !fits {
            return Err(DeskError::NoSuchTicket);
        }
        self.rows(sql::one(ticket_no)).await?.pop().ok_or(DeskError::NoSuchTicket)
    }

    async fn rows(&self, step: Step) -> Result<Vec<Stored>, DeskError> {
        self.read(step).await?.iter().map(|text| row::stored(text)).collect()
    }

    async fn events_of(&self, step: Step) -> Result<Vec<Event>, DeskError> {
        self.parsed(step).await
    }

    async fn parsed<R: serde::de::DeserializeOwned>(&self, step: Step) -> Result<Vec<R>, DeskError> {
        let corrupt = |e: serde_json::Error| DeskError::Corrupt { what: e.to_string() };
        self.read(step).await?.iter().map(|text| serde_json::from_str(text).map_err(corrupt)).collect()
    }

    async fn read(&self, step: Step) -> Result<Vec<String>, DeskError> {
        match self.tables.run(&[step]).await? {
            Ran::All(mut rows) => Ok(rows.pop().unwrap_or_default()),
            Ran::StoppedAt(_) => Ok(vec![]),
        }
    }
}

/// Folds the receipt in.
fn receipt(ticket: &mut Ticket, rules: &Rules) -> Result<Counted, Misfit> {
    let change = ticket.received(rules);
    let entry = Entry { at: ticket.opening.received_at, by: Actor::system(), change };
    ticket.case.take(&entry).map(|counts| (entry, counts))
}

/// A clerk is not told that another department's ticket is there.
fn readable(ticket: &Ticket, actor: &Actor) -> Result<(), DeskError> {
    ticket.may_read(actor).map_err(|refusal| match refusal {
        Refusal::NotYourDepartment { .. } => DeskError::NoSuchTicket,
        other => other.into(),
    })
}

fn capped(limit: u32) -> u32 {
    limit.clamp(1, MOST_ROWS)
}

/// A short printable text.
fn note(text: &str) -> Option<&str> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= LONGEST_NOTE && !text.chars().any(char::is_control);
    fits.then_some(text)
}

fn digest(order: &Order) -> String {
    let command = serde_json::to_string(&order.command).unwrap_or_default();
    let mut hash = Sha256::new();
    hash.update(order.ticket_no.as_bytes());
    hash.update([0]);
    hash.update(command.as_bytes());
    crate::sip::digest::hex(&hash.finalize())
}
