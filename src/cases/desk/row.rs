//! A stored ticket as JSON between the store and us, and its columns as they are written. Belongs here: which column holds what.
//! Not here: statements (`sql`).

use super::DeskError;
use super::sql::Value;
use crate::casework::words::{Kind, Urgency};
use crate::casework::{Actor, Callback, Case, Classified, Coordinates, Day, Entry, Matter, Opening, Ticket};
use crate::time::Instant;
use serde::{Deserialize, Deserializer};

/// Columns that are read, but for the part of the pickup in [`OPENING`].
pub(super) const CASE: [&str; 21] = [
    "version",
    "state",
    "type",
    "category_code",
    "category_1",
    "category_2",
    "category_3",
    "category_4",
    "category_5",
    "urgency",
    "confidential",
    "district",
    "street",
    "community",
    "address",
    "latitude",
    "longitude",
    "title",
    "content",
    "caller_name",
    "callback_no",
];

pub(super) const OPENING: [&str; 12] = [
    "id",
    "ticket_no",
    "call_id",
    "channel",
    "answered_at",
    "cli_e164",
    "cli_raw",
    "cli_withheld",
    "language",
    "queue",
    "agent_no",
    "test_call",
];

pub(super) struct Stored {
    /// The order of pickup.
    pub id: i64,
    pub ticket: Ticket,
}

#[derive(Deserialize)]
struct Row {
    id: i64,
    ticket_no: String,
    call_id: String,
    channel: String,
    answered_at: u64,
    cli_e164: Option<String>,
    cli_raw: Option<String>,
    cli_withheld: u8,
    language: Option<String>,
    queue: String,
    agent_no: String,
    test_call: u8,
    version: u32,
    state: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    category_code: Option<String>,
    category_1: Option<String>,
    category_2: Option<String>,
    category_3: Option<String>,
    category_4: Option<String>,
    category_5: Option<String>,
    urgency: String,
    confidential: u8,
    district: Option<String>,
    street: Option<String>,
    community: Option<String>,
    address: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    title: Option<String>,
    content: Option<String>,
    caller_name: Option<String>,
    callback_no: Option<String>,
}

/// One change of one ticket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// Its place among the changes of all tickets.
    pub seq: i64,
    pub ticket_no: String,
    /// Its place among those of this ticket.
    pub version: u32,
    #[serde(deserialize_with = "from_text")]
    pub entry: Entry,
}

/// An entry of a history, with what it counts as if that is kept.
#[derive(Deserialize)]
pub(super) struct Told {
    pub ticket_no: String,
    #[serde(deserialize_with = "from_text")]
    pub entry: Entry,
    pub counts: Option<i64>,
}

/// So many entries count as this.
#[derive(Deserialize)]
pub(super) struct Counted {
    pub counts: i64,
    pub times: u64,
}

/// What a ticket says of its call's recordings, also of those that are gone.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Recordings {
    /// In their order, by spaces.
    pub recording_sha256: String,
    /// In milliseconds since 1970; `None`: they are there.
    pub recording_deleted_at: Option<u64>,
}

/// One reading of an unmasked ticket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Audited {
    pub seq: i64,
    pub ticket_no: String,
    #[serde(deserialize_with = "from_millis")]
    pub at: Instant,
    #[serde(deserialize_with = "from_text")]
    pub actor: Actor,
    pub why: String,
}

#[derive(Deserialize)]
pub(super) struct Key {
    pub digest: String,
    pub ticket_no: String,
    pub version: u32,
    pub entries: u32,
}

fn from_text<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(from: D) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    serde_json::from_str(&text).map_err(serde::de::Error::custom)
}

fn from_millis<'de, D: Deserializer<'de>>(from: D) -> Result<Instant, D::Error> {
    u64::deserialize(from).map(instant)
}

fn instant(millis: u64) -> Instant {
    Instant(millis.saturating_mul(1_000))
}

pub(super) fn stored(text: &str) -> Result<Stored, DeskError> {
    let corrupt = |e: serde_json::Error| DeskError::Corrupt { what: e.to_string() };
    let row: Row = serde_json::from_str(text).map_err(corrupt)?;
    let matter = matter(&row);
    let mut case = match &row.state {
        None => Case::default(),
        Some(state) => serde_json::from_str(state).map_err(corrupt)?,
    };
    if case.version != row.version {
        return Err(DeskError::Corrupt {
            what: format!("state of version {} at version {}", case.version, row.version),
        });
    }
    case.matter = matter;
    let opening = Opening {
        ticket_no: row.ticket_no,
        call_id: row.call_id,
        channel: row.channel,
        received_at: instant(row.answered_at),
        number: row.cli_e164.or(row.cli_raw),
        withheld: row.cli_withheld != 0,
        language: row.language,
        queue: row.queue,
        agent: row.agent_no,
        test_call: row.test_call != 0,
    };
    Ok(Stored { id: row.id, ticket: Ticket { opening, case } })
}

fn matter(row: &Row) -> Matter {
    let text = |column: &Option<String>| column.clone().unwrap_or_default();
    let millionths = |degrees: f64| (degrees * 1e6).round() as i32;
    let path = [&row.category_1, &row.category_2, &row.category_3, &row.category_4, &row.category_5];
    let path = path.into_iter().flatten().cloned().collect();
    Matter {
        kind: row.kind.as_deref().and_then(Kind::from_zh),
        category: row.category_code.clone().map(|code| Classified { code, path }),
        urgency: Urgency::from_zh(&row.urgency).unwrap_or(Urgency::Normal),
        confidential: row.confidential != 0,
        title: text(&row.title),
        content: text(&row.content),
        name: text(&row.caller_name),
        callback_no: text(&row.callback_no),
        district: text(&row.district),
        street: text(&row.street),
        community: text(&row.community),
        address: text(&row.address),
        coordinates: row.latitude.zip(row.longitude).map(|(latitude, longitude)| Coordinates {
            latitude: millionths(latitude),
            longitude: millionths(longitude),
        }),
    }
}

/// Every column that a command may change, as it is now. `state` is all that has none: the matter has.
pub(super) fn columns(case: &Case) -> Vec<(&'static str, Value)> {
    let Case { matter, status, .. } = case;
    let text = |text: &str| Value::Text((!text.is_empty()).then(|| text.to_owned()));
    let word = |word: Option<&str>| Value::Text(word.map(str::to_owned));
    let day = |day: Option<Day>| Value::Text(day.map(|day| day.to_string()));
    let flag = |set: bool| Value::int(usize::from(set));
    let degrees = |of: fn(Coordinates) -> i32| Value::Real(matter.coordinates.map(|c| f64::from(of(c)) / 1e6));
    let level = |n: usize| word(matter.category.as_ref().and_then(|c| c.path.get(n)).map(String::as_str));
    let departments = status.departments();
    let assisting = departments.map(|d| serde_json::to_string(&d.assisting).unwrap_or_default());
    let satisfaction = match status.callback() {
        Some((Callback::Reached { process, result, solved }, _)) => Some((process.points(), result.points(), *solved)),
        _ => None,
    };
    let rated = |of: fn((u8, u8, bool)) -> u8| Value::Int(satisfaction.map(|s| i64::from(of(s))));
    let mut state = serde_json::to_value(Case { matter: Matter::default(), ..case.clone() }).unwrap_or_default();
    if let Some(state) = state.as_object_mut() {
        state.remove("matter");
    }
    vec![
        ("version", Value::int(case.version as usize)),
        ("state", Value::Text(Some(state.to_string()))),
        ("due_on", day(case.due())),
        ("alarm_on", day(case.alarm().map(|(_, day)| day))),
        ("repeat_of", word(case.repeat_of.as_deref())),
        ("type", word(matter.kind.map(Kind::zh))),
        ("category_code", word(matter.category.as_ref().map(|c| c.code.as_str()))),
        ("category_1", level(0)),
        ("category_2", level(1)),
        ("category_3", level(2)),
        ("category_4", level(3)),
        ("category_5", level(4)),
        ("urgency", word(Some(matter.urgency.zh()))),
        ("confidential", flag(matter.confidential)),
        ("district", text(&matter.district)),
        ("street", text(&matter.street)),
        ("community", text(&matter.community)),
        ("address", text(&matter.address)),
        ("latitude", degrees(|c| c.latitude)),
        ("longitude", degrees(|c| c.longitude)),
        ("title", text(&matter.title)),
        ("content", text(&matter.content)),
        ("caller_name", text(&matter.name)),
        ("callback_no", text(&matter.callback_no)),
        ("disposition", word(status.disposition().map(|d| d.zh()))),
        ("lead_department", word(departments.map(|d| d.lead.as_str()))),
        ("assist_departments", Value::Json(assisting)),
        ("status", word(Some(status.stage().zh()))),
        ("returned", flag(case.times.returned > 0)),
        ("extended", flag(case.times.extended > 0)),
        ("urged", flag(case.times.urged > 0)),
        ("supervised", flag(!case.supervised.is_empty())),
        ("redone", flag(case.times.redone > 0)),
        ("overdue", flag(case.overdue)),
        ("transfer_due", day(case.transfer_due)),
        ("return_due", day(status.assignment().map(|a| a.return_due))),
        ("reply_due", day(case.reply_due)),
        ("extended_to", day(case.extended_to)),
        ("satisfaction_call", rated(|s| s.0)),
        ("satisfaction_result", rated(|s| s.1)),
        ("solved", rated(|s| u8::from(s.2))),
        ("call_rating", Value::Int(case.rating.map(|rating| i64::from(rating.points())))),
        ("callback_at", Value::Int(status.callback().map(|(_, at)| at.as_unix_millis() as i64))),
    ]
}
