//! The facts' file: its rows, and folding a part of the log into it in one commit. Belongs here: SQL. Not here: when
//! (`follow`), reports' questions (`read`).

use crate::cases::migrate::{self, Steps};
use crate::ids::AgentNo;
use crate::record::{CallRecord, Changes, Fold, Spell, state_word};
use crate::store::journal::{Entry, Recorded, Source};
use crate::time::Instant;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor, Row as _};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Version, name, text. A migration that has shipped is never edited; a change is a further file.
const MIGRATIONS: Steps = &[(1, "facts", include_str!("../migrations/facts/0001_facts.sql"))];

/// Longest wait for whoever holds the file: a gateway and a report may fold in turns.
const LOCK_PATIENCE: Duration = Duration::from_secs(20);
/// Events in one commit.
pub(super) const BATCH: u32 = 8_192;

const UPSERT: &str = "INSERT INTO calls (call, counted_us, ended_us, verdict, record)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?) WHERE true
    ON CONFLICT (call) DO UPDATE SET counted_us = excluded.counted_us, ended_us = excluded.ended_us,
        verdict = excluded.verdict, record = excluded.record";
const WRAP_UP: &str = "UPDATE calls SET record = json_set(record,
        '$.segments[' || ?1 || '].wrap_up', (record ->> ('$.segments[' || ?1 || '].wrap_up')) + ?2,
        '$.segments[' || ?1 || '].wrap_ups', (record ->> ('$.segments[' || ?1 || '].wrap_ups')) + 1)
    WHERE call = ?3 AND record ->> ('$.segments[' || ?1 || '].wrap_up') IS NOT NULL";
const ADD_TIMES: &str = "INSERT INTO agent_time (cell, agent, state, us)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true
    ON CONFLICT (cell, agent, state) DO UPDATE SET us = us + excluded.us";
const MARKS: &str = "INSERT INTO marks (at_us, kind, missed)
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)";
const MOVE_ON: &str = "INSERT INTO position (one, seq, at_us, now_us, first_us) VALUES (1, ?, ?, ?, ?)
    ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, at_us = excluded.at_us, now_us = excluded.now_us";

/// How far the log has been folded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Position {
    seq: i64,
    at: i64,
    now: i64,
}

pub(super) struct FactsFile {
    conn: SqliteConnection,
    /// The fold as of a position; another process may have gone on from there.
    fold: Option<(Position, Fold)>,
}

impl FactsFile {
    pub(super) async fn open(path: &Path) -> Result<FactsFile, sqlx::Error> {
        let conn = migrate::open(path, MIGRATIONS, LOCK_PATIENCE).await?;
        Ok(FactsFile { conn, fold: None })
    }

    pub(super) async fn close(self) {
        if let Err(error) = self.conn.close().await {
            tracing::warn!(%error, "closing the facts; their next opening recovers them");
        }
    }

    /// Folds the next events of `log`, at most `limit`; how many they were.
    pub(super) async fn fold_on(&mut self, log: &mut impl Source, limit: u32) -> Result<u64, sqlx::Error> {
        self.fold_until(log, limit, i64::MAX).await
    }

    /// As far as the event `until`.
    pub(super) async fn fold_until(
        &mut self,
        log: &mut impl Source,
        limit: u32,
        until: i64,
    ) -> Result<u64, sqlx::Error> {
        // After a fault the fold in memory may be ahead of the file.
        let known = self.fold.take();
        let mut tx = self.conn.begin_with("BEGIN IMMEDIATE").await?;
        let position = position(&mut tx).await?;
        let mut marks = Marks::default();
        let (mut fold, mut place) = match known {
            Some((at, fold)) if at == position => (fold, position),
            _ => (load(&mut tx, position).await?, position),
        };
        if place.seq > 0 && !is_the_same_log(log, place).await? {
            place.seq = rows_before(log, place.at).await?;
            marks.put(place.now, "replaced", 0);
            fold.gap(Instant(place.now as u64));
        }
        let events = log.next(place.seq, until, limit).await?;
        let (folded, mut first) = (events.len() as u64, None);
        for event in events {
            let pruned = event.seq as i64 - place.seq - 1;
            if pruned > 0 && place.seq > 0 {
                marks.put(place.now, "pruned", pruned as u64);
                fold.gap(Instant(place.now as u64));
            }
            place = Position { seq: event.seq as i64, at: event.at.0 as i64, now: 0 };
            first.get_or_insert(place.at);
            if let Some((kind, missed)) = learn(&mut fold, event) {
                marks.put(place.at, kind, missed);
            }
            place.now = fold.now().0 as i64;
        }
        if place != position || !marks.0.is_empty() {
            write(&mut tx, fold.take(), marks).await?;
            let first = first.unwrap_or(place.at);
            let query = sqlx::query(MOVE_ON).bind(place.seq).bind(place.at).bind(place.now).bind(first);
            tx.execute(query).await?;
        }
        tx.commit().await?;
        self.fold = Some((place, fold));
        Ok(folded)
    }
}

/// What happened to the log itself, if that is what the event tells: which kind of mark, and how many events are missing.
pub(super) fn learn(fold: &mut Fold, event: Recorded) -> Option<(&'static str, u64)> {
    let Recorded { at, what, .. } = event;
    match what {
        Entry::Call(event) => fold.call(&event),
        Entry::Agent(event) => fold.agent(&event),
        // In no figure.
        Entry::Leader(_) => {}
        Entry::Started => {
            fold.started(at);
            return Some(("start", 0));
        }
        Entry::Gap { missed, .. } => {
            fold.gap(at);
            return Some(("gap", missed));
        }
        Entry::Unknown(_) => {
            fold.gap(at);
            return Some(("unknown", 1));
        }
    }
    None
}

#[derive(Default)]
struct Marks(Vec<(i64, &'static str, u64)>);

impl Marks {
    fn put(&mut self, at: i64, kind: &'static str, missed: u64) {
        self.0.push((at, kind, missed));
    }
}

async fn position(conn: &mut SqliteConnection) -> Result<Position, sqlx::Error> {
    match conn.fetch_optional("SELECT seq, at_us, now_us FROM position").await? {
        None => Ok(Position::default()),
        Some(row) => Ok(Position { seq: row.try_get(0)?, at: row.try_get(1)?, now: row.try_get(2)? }),
    }
}

async fn load(conn: &mut SqliteConnection, position: Position) -> Result<Fold, sqlx::Error> {
    let rows = conn.fetch_all("SELECT record FROM calls WHERE ended_us IS NULL").await?;
    let open: Result<Vec<CallRecord>, sqlx::Error> = rows.iter().map(|row| parsed(row.try_get(0)?)).collect();
    let rows = conn.fetch_all("SELECT agent, spell FROM agents_now").await?;
    let agents: Result<BTreeMap<AgentNo, Spell>, sqlx::Error> =
        rows.iter().map(|row| Ok((AgentNo::new(row.try_get::<&str, _>(0)?), parsed(row.try_get(1)?)?))).collect();
    Ok(Fold::resume(Instant(position.now as u64), open?, agents?))
}

pub(super) fn parsed<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(json).map_err(|e| sqlx::Error::Decode(e.into()))
}

/// Its last event is there still, and of the same time.
async fn is_the_same_log(log: &mut impl Source, place: Position) -> Result<bool, sqlx::Error> {
    match log.time_of(place.seq).await? {
        Some(at) => Ok(at == place.at),
        // Deleted for its age; a log that ends before it is another one, or has lost its end with the machine's power.
        None => Ok(log.bounds().await?.is_some_and(|bounds| bounds.last > place.seq)),
    }
}

/// The number before the first event later than `at`.
async fn rows_before(log: &mut impl Source, at: i64) -> Result<i64, sqlx::Error> {
    match log.first_after(at).await? {
        Some(first) => Ok(first - 1),
        None => Ok(log.bounds().await?.map_or(0, |bounds| bounds.last)),
    }
}

async fn write(conn: &mut SqliteConnection, changes: Changes, marks: Marks) -> Result<(), sqlx::Error> {
    let Changes { mut calls, wrap_ups, times, agents } = changes;
    let mut later = Vec::new();
    for wrap_up in wrap_ups {
        let here = calls.iter_mut().rfind(|record| record.call == wrap_up.of.call);
        match here.and_then(|record| record.segments.get_mut(wrap_up.of.segment)) {
            Some(segment) => {
                segment.wrap_up += wrap_up.time;
                segment.wrap_ups += 1;
            }
            None => later.push(wrap_up),
        }
    }
    let rows: Vec<_> = calls
        .iter()
        .map(|r| {
            let (call, counted, ended) = (r.call.0 as i64, r.counted_at().0, r.ended.map(|at| at.0));
            (call, counted, ended, r.verdict().map(u8::from), serde_json::to_string(r).unwrap_or_default())
        })
        .collect();
    put(conn, UPSERT, &rows).await?;
    for wrap_up in later {
        let query = sqlx::query(WRAP_UP).bind(wrap_up.of.segment as i64).bind(wrap_up.time.as_micros() as i64);
        conn.execute(query.bind(wrap_up.of.call.0 as i64)).await?;
    }
    let times: Vec<_> = times
        .iter()
        .filter_map(|((agent, cell, state), time)| {
            Some((cell.0, agent.as_str(), state_word(*state)?, time.as_micros() as u64))
        })
        .collect();
    put(conn, ADD_TIMES, &times).await?;
    let (gone, now): (Vec<_>, Vec<_>) = agents.iter().partition(|(_, spell)| spell.is_none());
    let gone: Vec<&str> = gone.iter().map(|(agent, _)| agent.as_str()).collect();
    put(conn, "DELETE FROM agents_now WHERE agent IN (SELECT value FROM json_each(?))", &gone).await?;
    let now: Vec<_> =
        now.iter().map(|(agent, spell)| (agent.as_str(), serde_json::to_string(spell).unwrap_or_default())).collect();
    let replace = "INSERT OR REPLACE INTO agents_now SELECT value ->> 0, value ->> 1 FROM json_each(?)";
    put(conn, replace, &now).await?;
    put(conn, MARKS, &marks.0).await
}

/// All rows in one statement.
async fn put<T: serde::Serialize>(
    conn: &mut SqliteConnection,
    statement: &'static str,
    rows: &[T],
) -> Result<(), sqlx::Error> {
    if !rows.is_empty() {
        let json = serde_json::to_string(rows).map_err(|e| sqlx::Error::Encode(e.into()))?;
        conn.execute(sqlx::query(statement).bind(json)).await?;
    }
    Ok(())
}
