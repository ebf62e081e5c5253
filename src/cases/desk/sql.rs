//! The statements, one text for every SQL store. Belongs here: text and values. Not here: running them (`tables`).
//!
//! What dialects say differently is marked: `JSON_ROW(` builds an object of names and values, `JSON_TEXTS(` rows (`value`) of
//! an array's texts, `::json` makes a text JSON. Each
//! statement gives rows of one text; in a transaction a statement without rows stops it.

use super::filter::Filter;
use super::row::{CASE, OPENING, columns};
use crate::casework::{Actor, Day, Entry, Opening, Ticket};
use crate::ids::CallId;
use crate::time::Instant;
use std::fmt::Write;
use std::ops::Range;
use std::time::Duration;

/// Tells the store's dialects apart from nothing: a parameter's type is its column's.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(Option<String>),
    Int(Option<i64>),
    Real(Option<f64>),
    /// A text that is JSON, into a column of that type.
    Json(Option<String>),
}

impl Value {
    pub fn text(text: impl Into<String>) -> Value {
        Value::Text(Some(text.into()))
    }

    pub fn int(n: usize) -> Value {
        Value::Int(i64::try_from(n).ok())
    }

    fn at(at: Instant) -> Value {
        Value::Int(i64::try_from(at.as_unix_millis()).ok())
    }
}

/// One statement with its parameters `$1`, `$2`, ...
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub text: String,
    pub values: Vec<Value>,
}

impl Step {
    pub(super) fn new(text: impl Into<String>, values: Vec<Value>) -> Step {
        Step { text: text.into(), values }
    }

    /// Appends a parameter and gives its name.
    fn with(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }
}

fn object(names: impl Iterator<Item = &'static str>) -> String {
    let pairs: Vec<String> = names.map(|name| format!("'{name}', {name}")).collect();
    format!("CAST(JSON_ROW({}) AS TEXT)", pairs.join(", "))
}

fn tickets() -> String {
    format!("SELECT {} FROM tickets", object(OPENING.into_iter().chain(CASE)))
}

pub(super) fn one(ticket_no: &str) -> Step {
    Step::new(format!("{} WHERE ticket_no = $1", tickets()), vec![Value::text(ticket_no)])
}

pub(super) fn find(filter: &Filter, after: Option<i64>, limit: u32) -> Step {
    let mut step = Step::new(format!("{} WHERE 1 = 1", tickets()), vec![]);
    narrow(&mut step, filter);
    if let Some(after) = after {
        let after = step.with(Value::Int(Some(after)));
        let _ = write!(step.text, " AND id < {after}");
    }
    ordered(step, "id DESC", limit)
}

pub(super) fn due(filter: &Filter, until: Day, after: Option<(Day, i64)>, limit: u32) -> Step {
    let mut step = Step::new(format!("{} WHERE due_on IS NOT NULL AND due_on <= $1", tickets()), vec![]);
    step.with(Value::text(until.to_string()));
    narrow(&mut step, filter);
    if let Some((day, id)) = after {
        let (day, id) = (step.with(Value::text(day.to_string())), step.with(Value::Int(Some(id))));
        let _ = write!(step.text, " AND (due_on, id) > ({day}, {id})");
    }
    ordered(step, "due_on, id", limit)
}

fn ordered(mut step: Step, by: &str, limit: u32) -> Step {
    let limit = step.with(Value::Int(Some(i64::from(limit))));
    let _ = write!(step.text, " ORDER BY {by} LIMIT {limit}");
    step
}

fn narrow(step: &mut Step, filter: &Filter) {
    let equal = [
        ("type", filter.kind.map(|k| k.zh().to_owned())),
        ("urgency", filter.urgency.map(|u| u.zh().to_owned())),
        ("lead_department", filter.department.clone()),
        ("agent_no", filter.agent.clone()),
        ("cli_e164", filter.number.clone()),
        ("category_code", filter.category.clone()),
    ];
    for (column, wanted) in equal {
        if let Some(wanted) = wanted {
            let wanted = step.with(Value::text(wanted));
            let _ = write!(step.text, " AND {column} = {wanted}");
        }
    }
    for (column, wanted) in
        [("overdue", filter.overdue), ("supervised", filter.supervised), ("test_call", filter.test_call)]
    {
        if let Some(wanted) = wanted {
            let _ = write!(step.text, " AND {column} = {}", u8::from(wanted));
        }
    }
    for (condition, at) in [("answered_at >=", filter.received_from), ("answered_at <", filter.received_before)] {
        if let Some(at) = at {
            let at = step.with(Value::at(at));
            let _ = write!(step.text, " AND {condition} {at}");
        }
    }
    if let Some(department) = &filter.assisting {
        let department = step.with(Value::text(department));
        let _ = write!(
            step.text,
            " AND json_array_length(assist_departments) > 0
            AND EXISTS (SELECT 1 FROM JSON_TEXTS(assist_departments) WHERE value = {department})"
        );
    }
    if !filter.stages.is_empty() {
        let stages: Vec<String> = filter.stages.iter().map(|s| step.with(Value::text(s.zh()))).collect();
        let _ = write!(step.text, " AND status IN ({})", stages.join(", "));
    }
}

/// Where the ticket is still at `version`.
pub(super) fn update(version: u32, ticket: &Ticket) -> Step {
    let mut step = Step::new("UPDATE tickets SET ", vec![]);
    for (n, (column, value)) in columns(&ticket.case).into_iter().enumerate() {
        let json = if matches!(value, Value::Json(_)) { "::json" } else { "" };
        let value = step.with(value);
        let _ = write!(step.text, "{}{column} = {value}{json}", if n == 0 { "" } else { ", " });
    }
    let no = step.with(Value::text(&ticket.opening.ticket_no));
    let version = step.with(Value::int(version as usize));
    let _ = write!(step.text, " WHERE ticket_no = {no} AND version = {version} RETURNING ticket_no");
    step
}

/// `left`: entries of the same transaction that come after this one.
pub(super) fn event(ticket: &Ticket, version: usize, left: usize, entry: &Entry, counts: Option<i64>) -> Step {
    let json = serde_json::to_string(entry).unwrap_or_default();
    let values = vec![
        Value::int(left),
        Value::text(&ticket.opening.ticket_no),
        Value::int(version),
        Value::at(entry.at),
        Value::text(json),
        Value::Int(counts),
    ];
    let text = "INSERT INTO case_events (seq, ticket_no, version, at, entry, counts)
        SELECT last - $1, $2, $3, $4, $5, $6 FROM case_sequence RETURNING ticket_no";
    Step::new(text, values)
}

fn event_rows() -> String {
    format!("SELECT {} FROM case_events", object(["seq", "ticket_no", "version", "entry"].into_iter()))
}

pub(super) fn history(ticket_no: &str, after: u32, limit: u32) -> Step {
    let mut step = Step::new(format!("{} WHERE ticket_no = $1 AND version > $2", event_rows()), vec![]);
    step.with(Value::text(ticket_no));
    step.with(Value::int(after as usize));
    ordered(step, "version", limit)
}

pub(super) fn events(after: i64, limit: u32) -> Step {
    ordered(Step::new(format!("{} WHERE seq > $1", event_rows()), vec![Value::Int(Some(after))]), "seq", limit)
}

/// What entries count as, and how often each: from an index alone.
pub(super) fn counted(period: &Range<Instant>) -> Step {
    let text = "SELECT CAST(JSON_ROW('counts', counts, 'times', COUNT(*)) AS TEXT) FROM case_events
        WHERE at >= $1 AND at < $2 AND counts > 0 GROUP BY counts";
    Step::new(text, vec![Value::at(period.start), Value::at(period.end)])
}

/// Tickets with entries from before it was kept what they count as.
pub(super) fn uncounted(period: &Range<Instant>) -> Step {
    let text =
        "SELECT DISTINCT ticket_no FROM case_events WHERE at >= $1 AND at < $2 AND counts IS NULL ORDER BY ticket_no";
    Step::new(text, vec![Value::at(period.start), Value::at(period.end)])
}

/// All of each ticket, together.
pub(super) fn histories(tickets: &[String]) -> Step {
    let mut step = Step::new("", vec![]);
    let named: Vec<String> = tickets.iter().map(|no| step.with(Value::text(no))).collect();
    let row = object(["ticket_no", "entry", "counts"].into_iter());
    let named = named.join(", ");
    step.text = format!("SELECT {row} FROM case_events WHERE ticket_no IN ({named}) ORDER BY ticket_no, version");
    step
}

pub(super) fn newest() -> Step {
    Step::new("SELECT CAST(last AS TEXT) FROM case_sequence", vec![])
}

pub(super) fn audit(ticket_no: &str, now: Instant, actor: &Actor, why: &str) -> Step {
    let actor = serde_json::to_string(actor).unwrap_or_default();
    let values = vec![Value::text(ticket_no), Value::at(now), Value::text(actor), Value::text(why)];
    let text = "INSERT INTO case_audit (ticket_no, at, actor, why) VALUES ($1, $2, $3, $4) RETURNING ticket_no";
    Step::new(text, values)
}

pub(super) fn audited(ticket_no: &str, after: i64, limit: u32) -> Step {
    let row = object(["seq", "ticket_no", "at", "actor", "why"].into_iter());
    let text = format!("SELECT {row} FROM case_audit WHERE ticket_no = $1 AND seq > $2");
    ordered(Step::new(text, vec![Value::text(ticket_no), Value::Int(Some(after))]), "seq", limit)
}

/// The call's ticket, where its recordings are and what they are known by.
pub(super) fn recorded(call: CallId, at: &str, sha256: &str) -> Step {
    let values = vec![Value::text(at), Value::text(sha256), Value::text(call.to_string())];
    let text = "UPDATE tickets SET recording_ref = $1, recording_sha256 = $2 WHERE call_id = $3 RETURNING ticket_no";
    Step::new(text, values)
}

pub(super) fn recordings(call: CallId) -> Step {
    let row = object(["recording_sha256", "recording_deleted_at"].into_iter());
    let text = format!("SELECT {row} FROM tickets WHERE call_id = $1 AND recording_sha256 IS NOT NULL");
    Step::new(text, vec![Value::text(call.to_string())])
}

const NOT_FORGOTTEN: &str = "recording_ref IS NOT NULL AND recording_deleted_at IS NULL AND call_id IN";

pub(super) fn forgotten(now: Instant, calls: &[CallId]) -> Step {
    let mut step = Step::new("", vec![Value::at(now)]);
    let calls: Vec<String> = calls.iter().map(|call| step.with(Value::text(call.to_string()))).collect();
    let calls = calls.join(", ");
    step.text =
        format!("UPDATE tickets SET recording_deleted_at = $1 WHERE {NOT_FORGOTTEN} ({calls}) RETURNING ticket_no");
    step
}

/// Before [`forgotten`], in the same transaction.
pub(super) fn forgotten_audit(now: Instant, actor: &Actor, why: &str, calls: &[CallId]) -> Step {
    let actor = serde_json::to_string(actor).unwrap_or_default();
    let mut step = Step::new("", vec![Value::at(now), Value::text(actor), Value::text(why)]);
    let calls: Vec<String> = calls.iter().map(|call| step.with(Value::text(call.to_string()))).collect();
    let calls = calls.join(", ");
    step.text = format!(
        "INSERT INTO case_audit (ticket_no, at, actor, why) SELECT ticket_no, $1, $2, $3 FROM tickets
            WHERE {NOT_FORGOTTEN} ({calls}) RETURNING ticket_no"
    );
    step
}

pub(super) fn of_call(call: CallId) -> Step {
    Step::new("SELECT ticket_no FROM tickets WHERE call_id = $1", vec![Value::text(call.to_string())])
}

/// The latest other ticket of this number and category, picked up before this one.
pub(super) fn earlier(opening: &Opening, number: &str, category: &str, within: Duration) -> Step {
    let at = opening.received_at;
    let since = Instant(at.0.saturating_sub(within.as_micros() as u64));
    let values = vec![
        Value::text(number),
        Value::at(at),
        Value::at(since),
        Value::text(category),
        Value::text(&opening.ticket_no),
    ];
    let text = "SELECT ticket_no FROM tickets WHERE cli_e164 = $1 AND answered_at <= $2 AND answered_at > $3
        AND category_code = $4 AND ticket_no <> $5 AND test_call = 0 ORDER BY answered_at DESC LIMIT 1";
    Step::new(text, values)
}

/// No row if the key is there already.
pub(super) fn keep_key(now: Instant, actor: &Actor, key: &str, digest: &str, ticket: &Ticket, entries: usize) -> Step {
    let values = vec![
        Value::text(&actor.name),
        Value::text(key),
        Value::text(digest),
        Value::text(&ticket.opening.ticket_no),
        Value::int(ticket.case.version as usize),
        Value::int(entries),
        Value::at(now),
    ];
    let text = "INSERT INTO case_keys (actor, key, digest, ticket_no, version, entries, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING key";
    Step::new(text, values)
}

pub(super) fn find_key(actor: &Actor, key: &str) -> Step {
    let row = object(["digest", "ticket_no", "version", "entries"].into_iter());
    let text = format!("SELECT {row} FROM case_keys WHERE actor = $1 AND key = $2");
    Step::new(text, vec![Value::text(&actor.name), Value::text(key)])
}

pub(super) fn forget_keys(before: Instant) -> Step {
    Step::new("DELETE FROM case_keys WHERE at < $1 RETURNING key", vec![Value::at(before)])
}

/// Tickets nobody has touched since pickup; older ones are from before there was a desk, and wait until somebody does.
pub(super) fn untouched(since: Instant, limit: u32) -> Step {
    let text = "SELECT ticket_no FROM tickets WHERE version = 0 AND answered_at >= $1";
    ordered(Step::new(text, vec![Value::at(since)]), "answered_at", limit)
}

/// Tickets of which a deadline has passed and was not raised.
pub(super) fn alarms(today: Day, limit: u32) -> Step {
    let text = "SELECT ticket_no FROM tickets WHERE alarm_on IS NOT NULL AND alarm_on < $1";
    ordered(Step::new(text, vec![Value::text(today.to_string())]), "alarm_on", limit)
}
