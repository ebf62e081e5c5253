//! The event log's file: its rows and what is done with them. Belongs here: SQL and the rows' form. Not here: when
//! (`writer`).
//!
//! A batch is one round trip and one commit. WAL, so that it is read while it is written; synchronous=NORMAL: a process
//! that dies loses nothing committed, a machine that loses power perhaps the last moments, and never the file.

use super::{Entry, Gap, GapWhy, Message, Recorded};
use crate::cases::migrate::{self, Steps};
use crate::event::{AgentEvent, AgentState, CallEvent, CallFact, LeaderAct, LeaderEvent};
use crate::ids::{AgentNo, CallId, SeatNo};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, Executor, Row as _};
use std::path::Path;
use std::time::Duration;

/// Version, name, text. A migration that has shipped is never edited; a change is a further file.
const MIGRATIONS: Steps = &[
    (1, "events", include_str!("../migrations/journal/0001_events.sql")),
    (2, "identity", include_str!("../migrations/journal/0002_identity.sql")),
];

const LOCK_PATIENCE: Duration = Duration::from_secs(2);

// One number was given out: another gateway writes into the same file. The batch fails and is numbered anew.
const APPEND: &str = "INSERT INTO events (seq, at_us, kind, call, agent, what)
    SELECT ? + key, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)";

// The last row stays, whatever its age: numbers go on from it.
const DELETE: &str = "DELETE FROM events WHERE seq IN
    (SELECT seq FROM events WHERE at_us < ? AND seq < (SELECT max(seq) FROM events) ORDER BY at_us LIMIT ?)";

/// at_us, kind, call, agent, what.
#[derive(Serialize)]
pub(super) struct Row<'a>(u64, &'static str, Option<String>, Option<&'a str>, String);

/// An agent's event without what has a column of its own.
#[derive(Serialize, Deserialize)]
struct AgentFact {
    seat: Option<SeatNo>,
    state: AgentState,
    by: Option<AgentNo>,
}

/// The same of a leader's.
#[derive(Serialize, Deserialize)]
struct LeaderFact {
    by: AgentNo,
    act: LeaderAct,
    why: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct GapFact {
    missed: u64,
    why: GapWhy,
}

impl Row<'_> {
    pub(super) fn started(at: Instant) -> Row<'static> {
        let what = format!(r#"{{"version":"{}"}}"#, env!("CARGO_PKG_VERSION"));
        Row(at.as_unix_micros(), "start", None, None, what)
    }

    pub(super) fn of(message: &Message) -> Row<'_> {
        // Facts are plain data: they always have a JSON form.
        fn json(fact: &impl Serialize) -> String {
            serde_json::to_string(fact).unwrap_or_default()
        }
        match message {
            Message::Call(CallEvent { at, call, what }) => {
                Row(at.as_unix_micros(), "call", Some(call.to_string()), agent_of(what), json(what))
            }
            Message::Agent(AgentEvent { at, agent, seat, state, by }) => {
                let fact = AgentFact { seat: seat.clone(), state: *state, by: by.clone() };
                Row(at.as_unix_micros(), "agent", None, Some(agent.as_str()), json(&fact))
            }
            Message::Leader(LeaderEvent { at, by, agent, act, why }) => {
                let fact = LeaderFact { by: by.clone(), act: act.clone(), why: why.clone() };
                Row(at.as_unix_micros(), "leader", None, Some(agent.as_str()), json(&fact))
            }
            Message::Started(at) => Row::started(*at),
            Message::Gap(Gap { at, missed, why }) => {
                Row(at.as_unix_micros(), "gap", None, None, json(&GapFact { missed: *missed, why: *why }))
            }
        }
    }
}

fn agent_of(fact: &CallFact) -> Option<&str> {
    match fact {
        CallFact::Offered { agent, .. }
        | CallFact::OfferEnded { agent, .. }
        | CallFact::Answered { agent, .. }
        | CallFact::Transferred { agent, .. }
        | CallFact::TakenOver { agent, .. }
        | CallFact::Dialled { agent: Some(agent), .. }
        | CallFact::PassingOn { agent, .. }
        | CallFact::PassedOn { agent, .. }
        | CallFact::Consulting { agent, .. }
        | CallFact::ConsultOver { agent, .. }
        | CallFact::Help { agent, .. }
        | CallFact::Supervised { agent: Some(agent), .. }
        | CallFact::Surveyed { agent }
        | CallFact::NotPassedOn { agent, .. } => Some(agent.as_str()),
        _ => None,
    }
}

/// A row as it is stored.
pub(in crate::store) struct Fields<'a> {
    pub seq: i64,
    pub at: i64,
    pub kind: &'a str,
    pub call: Option<&'a str>,
    pub agent: Option<&'a str>,
    pub what: &'a str,
}

impl Fields<'_> {
    pub fn recorded(&self) -> Recorded {
        let (at, what) = (Instant(self.at as u64), self.what);
        let entry = match (self.kind, self.call.and_then(|id| u64::from_str_radix(id, 16).ok()), self.agent) {
            ("call", Some(id), _) => {
                serde_json::from_str(what).ok().map(|what| Entry::Call(CallEvent { at, call: CallId(id), what }))
            }
            ("agent", _, Some(agent)) => serde_json::from_str(what).ok().map(|AgentFact { seat, state, by }| {
                Entry::Agent(AgentEvent { at, agent: AgentNo::new(agent), seat, state, by })
            }),
            ("leader", _, Some(agent)) => serde_json::from_str(what).ok().map(|LeaderFact { by, act, why }| {
                Entry::Leader(LeaderEvent { at, by, agent: AgentNo::new(agent), act, why })
            }),
            ("start", ..) => Some(Entry::Started),
            ("gap", ..) => serde_json::from_str(what).ok().map(|GapFact { missed, why }| Entry::Gap { missed, why }),
            _ => None,
        };
        let what = entry.unwrap_or_else(|| Entry::Unknown(what.to_owned()));
        Recorded { seq: self.seq as u64, at, what }
    }
}

/// A row of seq, at_us, kind, call, what, agent.
pub(super) fn recorded(row: &SqliteRow) -> Result<Recorded, sqlx::Error> {
    let (seq, at, kind) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let (call, what, agent) = (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?);
    Ok(Fields { seq, at, kind, call, agent, what }.recorded())
}

pub(super) struct EventFile {
    conn: SqliteConnection,
    next_seq: i64,
}

impl EventFile {
    pub(super) async fn open(path: &Path) -> Result<EventFile, sqlx::Error> {
        let mut conn = migrate::open(path, MIGRATIONS, LOCK_PATIENCE).await?;
        let next_seq = conn.fetch_one("SELECT coalesce(max(seq), 0) + 1 FROM events").await?.try_get(0)?;
        Ok(EventFile { conn, next_seq })
    }

    /// All of `rows` or none.
    pub(super) async fn append(&mut self, rows: &[Row<'_>]) -> Result<(), sqlx::Error> {
        let json = serde_json::to_string(rows).map_err(|e| sqlx::Error::Encode(e.into()))?;
        self.conn.execute(sqlx::query(APPEND).bind(self.next_seq).bind(json)).await?;
        self.next_seq += rows.len() as i64;
        Ok(())
    }

    /// At most `limit` rows; how many there were.
    pub(super) async fn delete_before(&mut self, at: Instant, limit: u32) -> Result<u64, sqlx::Error> {
        let query = sqlx::query(DELETE).bind(at.as_unix_micros() as i64).bind(limit);
        Ok(self.conn.execute(query).await?.rows_affected())
    }

    pub(super) async fn close(self) {
        if let Err(error) = self.conn.close().await {
            tracing::warn!(%error, "closing the event log; its next opening recovers it");
        }
    }
}
