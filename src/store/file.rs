//! The spool file: its tables and what is done with it. Belongs here: SQL. Not here: when (`store::writer`).
//!
//! Each operation is one round trip to SQLite's thread and at most one commit (WAL, synchronous=FULL). The file is
//! held in exclusive locking mode: no shared-memory index, no lock calls per statement, and a second gateway opening
//! it is refused. A ticket is stored as JSON, so that a later version can still read what an earlier one spooled.

use crate::ticket::NewTicket;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, Row};
use std::path::Path;
use std::time::{Duration, SystemTime};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS spool (
    seq        INTEGER PRIMARY KEY,
    spooled_at INTEGER NOT NULL,
    ticket     TEXT    NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS set_aside (
    seq          INTEGER PRIMARY KEY,
    spooled_at   INTEGER NOT NULL,
    set_aside_at INTEGER NOT NULL,
    why          TEXT    NOT NULL,
    ticket       TEXT    NOT NULL
) STRICT;";

const COUNT: &str = "
SELECT (SELECT count(*) FROM spool), (SELECT count(*) FROM set_aside),
       max((SELECT coalesce(max(seq), 0) FROM spool), (SELECT coalesce(max(seq), 0) FROM set_aside));";

// Anonymous parameters, bound in order across the statements of one text: sqlx would take a gap in numbered ones
// (`?4` without `?1`..`?3` in the same statement) for further anonymous ones.
macro_rules! append {
    () => {
        "INSERT INTO spool (seq, spooled_at, ticket) SELECT ? + key, ?, value FROM json_each(?);"
    };
}
macro_rules! settle {
    () => {
        "INSERT INTO set_aside (seq, spooled_at, set_aside_at, why, ticket)
            SELECT seq, spooled_at, ?, value ->> '$[1]', ticket FROM json_each(?) JOIN spool ON seq = value ->> '$[0]';
         DELETE FROM spool WHERE seq <= ?;"
    };
}
const APPEND: &str = append!();
const SETTLE: &str = concat!("BEGIN IMMEDIATE;", settle!(), "COMMIT;");
const APPEND_AND_SETTLE: &str = concat!("BEGIN IMMEDIATE;", append!(), settle!(), "COMMIT;");

const ASIDE: &str = "SELECT seq, spooled_at, set_aside_at, why, ticket FROM set_aside ORDER BY seq LIMIT ?;";

/// Behind all that is spooled, in the order they were in. Parameters: the first new number, the old ones, these again.
const PUT_BACK: &str = "
BEGIN IMMEDIATE;
INSERT INTO spool (seq, spooled_at, ticket)
    SELECT ? + row_number() OVER (ORDER BY seq) - 1, spooled_at, ticket FROM set_aside
    WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq RETURNING seq;
DELETE FROM set_aside WHERE seq IN (SELECT value FROM json_each(?));
COMMIT;";

const READ: &str = "SELECT seq, spooled_at, ticket FROM spool WHERE seq > ? ORDER BY seq LIMIT ?;";

/// What the file held when it was opened.
pub struct Counts {
    pub depth: u64,
    pub set_aside: u64,
}

/// One spooled ticket on its way to the case store.
#[derive(Debug)]
pub struct Entry {
    pub seq: i64,
    /// Milliseconds since the UNIX epoch.
    pub spooled_at: u64,
    /// Or why its bytes cannot be read.
    pub ticket: Result<NewTicket, String>,
}

/// A spooled ticket that the case store refused for good, for people to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Its number among all that was ever spooled.
    pub seq: i64,
    /// Milliseconds since the UNIX epoch, as the next.
    pub spooled_at: u64,
    pub set_aside_at: u64,
    /// What the case store said, or why it cannot be read.
    pub why: String,
    /// As it was spooled: JSON, unless that is what is wrong with it.
    pub ticket: String,
}

/// Entries the case store has answered for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// All of these and before.
    pub through: i64,
    pub count: u64,
    /// Of these, the refused: sequence number and reason. They are set aside, not forgotten.
    pub refused: Vec<(i64, String)>,
}

impl Settled {
    pub fn merge(&mut self, other: Settled) {
        self.through = self.through.max(other.through);
        self.count += other.count;
        self.refused.extend(other.refused);
    }
}

pub struct SpoolFile {
    conn: SqliteConnection,
    next_seq: i64,
}

impl SpoolFile {
    /// New entries are numbered from `first_seq` or after the last one in the file, whichever is later.
    pub async fn open(path: &Path, max_bytes: u64, first_seq: i64) -> Result<(SpoolFile, Counts), sqlx::Error> {
        let mut conn = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .locking_mode(SqliteLockingMode::Exclusive)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_millis(200))
            .disable_statement_logging()
            .connect()
            .await?;
        // Its value is bounded by the type; a pragma takes no parameter.
        let pages = (max_bytes / 4096).clamp(8, u64::from(u32::MAX - 1));
        conn.execute(sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"))).await?;
        conn.execute(SCHEMA).await?;
        conn.execute(super::callbacks::SCHEMA).await?;
        let row = conn.fetch_one(COUNT).await?;
        let counts = Counts { depth: row.try_get::<i64, _>(0)? as u64, set_aside: row.try_get::<i64, _>(1)? as u64 };
        Ok((SpoolFile { conn, next_seq: first_seq.max(row.try_get::<i64, _>(2)? + 1) }, counts))
    }

    /// Adds `tickets` and removes what is settled, in one commit. On an error neither has happened (or, when only the
    /// confirmation failed, both have: adding again is harmless, the case store knows the call).
    pub async fn append(&mut self, tickets: &[Box<NewTicket>], settled: Option<&Settled>) -> Result<(), sqlx::Error> {
        let json = serde_json::to_string(tickets).map_err(|e| sqlx::Error::Encode(e.into()))?;
        let statement = if settled.is_some() { APPEND_AND_SETTLE } else { APPEND };
        self.write(statement, Some(&json), settled).await?;
        self.next_seq += tickets.len() as i64;
        Ok(())
    }

    pub fn next_seq(&self) -> i64 {
        self.next_seq
    }

    pub async fn settle(&mut self, settled: &Settled) -> Result<(), sqlx::Error> {
        self.write(SETTLE, None, Some(settled)).await
    }

    /// Up to `limit` entries after `after`, in order.
    pub async fn read(&mut self, after: i64, limit: u32) -> Result<Vec<Entry>, sqlx::Error> {
        let rows = self.conn.fetch_all(sqlx::query(READ).bind(after).bind(limit)).await?;
        rows.iter()
            .map(|row| {
                let json: &str = row.try_get(2)?;
                Ok(Entry {
                    seq: row.try_get(0)?,
                    spooled_at: row.try_get::<i64, _>(1)? as u64,
                    ticket: serde_json::from_str(json).map_err(|e| format!("the spooled entry cannot be read: {e}")),
                })
            })
            .collect()
    }

    /// The first `limit` of what is set aside.
    pub async fn set_aside(&mut self, limit: u32) -> Result<Vec<SetAside>, sqlx::Error> {
        let rows = self.conn.fetch_all(sqlx::query(ASIDE).bind(limit)).await?;
        rows.iter()
            .map(|row| {
                Ok(SetAside {
                    seq: row.try_get(0)?,
                    spooled_at: row.try_get::<i64, _>(1)? as u64,
                    set_aside_at: row.try_get::<i64, _>(2)? as u64,
                    why: row.try_get(3)?,
                    ticket: row.try_get(4)?,
                })
            })
            .collect()
    }

    /// Spools again what is set aside under these numbers; how many there were.
    pub async fn put_back(&mut self, seqs: &[i64]) -> Result<u64, sqlx::Error> {
        let json = serde_json::to_string(seqs).map_err(|e| sqlx::Error::Encode(e.into()))?;
        let query = sqlx::query(PUT_BACK).bind(self.next_seq).bind(&json).bind(&json);
        match self.conn.fetch_all(query).await {
            Ok(rows) => {
                self.next_seq += rows.len() as i64;
                Ok(rows.len() as u64)
            }
            Err(e) => {
                let _ = self.conn.execute("ROLLBACK").await;
                Err(e)
            }
        }
    }

    /// For what else is kept in this file.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.conn
    }

    pub async fn close(self) {
        if let Err(e) = self.conn.close().await {
            tracing::warn!(error = %e, "closing the ticket spool; its next opening recovers it");
        }
    }

    async fn write(
        &mut self,
        statement: &'static str,
        tickets: Option<&str>,
        settled: Option<&Settled>,
    ) -> Result<(), sqlx::Error> {
        let (mut query, now) = (sqlx::query(statement), now_ms() as i64);
        if let Some(json) = tickets {
            query = query.bind(self.next_seq).bind(now).bind(json);
        }
        if let Some(settled) = settled {
            let refused = serde_json::to_string(&settled.refused).map_err(|e| sqlx::Error::Encode(e.into()))?;
            query = query.bind(now).bind(refused).bind(settled.through);
        }
        let result = self.conn.execute(query).await;
        if result.is_err() {
            // Fails when SQLite has rolled back by itself, or when there was no transaction: both are what is wanted.
            let _ = self.conn.execute("ROLLBACK").await;
        }
        result.map(drop)
    }
}

/// Milliseconds since the UNIX epoch.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}
