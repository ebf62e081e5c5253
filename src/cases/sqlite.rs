//! Tickets in one SQLite file: the default store, and the reference for the contract. Belongs here: its SQL and what
//! its errors mean. Not here: retries and back-off (`store::deliver`).
//!
//! A batch is one round trip and one commit (WAL, synchronous=FULL): the rows travel as one JSON parameter. The
//! connection is taken out of its slot while it works and put back only when it is in a known state, so a dropped
//! future or an error closes it, SQLite rolls back, and the next batch connects anew.

use super::batch::{self, Batches, Failure, Numbers};
use super::history::{COUNTED, EarlierTicket, History, MOST_COUNTED};
use super::migrate::{Steps, migrate};
use super::row::{self, TicketRow};
use super::{CALLS_PER_CALLER, CaseStore, Outcome, StoreError};
use crate::event::RememberedCaller;
use crate::ticket::NewTicket;
use crate::time::Instant;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, Row};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::Mutex;

/// Version, name, text. A migration that has shipped is never edited; a change is a further file.
const MIGRATIONS: Steps = &[
    (1, "tickets", include_str!("migrations/sqlite/0001_tickets.sql")),
    (2, "route", include_str!("migrations/sqlite/0002_route.sql")),
    (3, "casework", include_str!("migrations/sqlite/0003_casework.sql")),
    (4, "casework_lists", include_str!("migrations/sqlite/0004_casework_lists.sql")),
    (5, "outcomes", include_str!("migrations/sqlite/0005_outcomes.sql")),
];

const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// How long a statement waits for another process's lock before the batch is given back for a retry.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// Opens what is not yet open. `?1`: array of rows (see [`TicketRow`]), call ids distinct.
/// The series are counted up first, so a row's number is `last - (rows of its series) + (its place among them)`.
const OPEN_BATCH: &str = "
BEGIN IMMEDIATE;
INSERT INTO ticket_series (series, last)
    SELECT value ->> 'series' AS s, count(*) FROM json_each(?1)
    WHERE value ->> 'call_id' NOT IN (SELECT call_id FROM tickets) GROUP BY s
    ON CONFLICT (series) DO UPDATE SET last = last + excluded.last;
WITH fresh AS MATERIALIZED (
    SELECT key, jsonb(value) AS v FROM json_each(?1)
    WHERE value ->> 'call_id' NOT IN (SELECT call_id FROM tickets)
), numbered AS (
    SELECT key, v, last - count(*) OVER (PARTITION BY series) + row_number() OVER (PARTITION BY series ORDER BY key) AS n
    FROM fresh JOIN ticket_series ON series = v ->> 'series'
)
INSERT INTO tickets (ticket_no, call_id, channel, dnis, tenant, test_call, cli_raw, cli_e164, cli_withheld, language,
        sip_call_id, icid, trunk, queue, skill, arrived_at, queued_at, ring_at, answered_at, wait_ms, within_n,
        agent_no, seat_no, legs, route)
    SELECT printf('%s%06d', v ->> 'series', n), v ->> 'call_id', v ->> 'channel', v ->> 'dnis', v ->> 'tenant',
        v ->> 'test_call', v ->> 'cli_raw', v ->> 'cli_e164', v ->> 'cli_withheld', v ->> 'language',
        v ->> 'sip_call_id', v ->> 'icid', v ->> 'trunk', v ->> 'queue', v ->> 'skill', v ->> 'arrived_at',
        v ->> 'queued_at', v ->> 'ring_at', v ->> 'answered_at', v ->> 'wait_ms', v ->> 'within_n', v ->> 'agent_no',
        v ->> 'seat_no', v ->> 'legs', v ->> 'route'
    FROM numbered ORDER BY key
    RETURNING call_id, ticket_no;
INSERT INTO restricted_callers (call_id, cli_raw, cli_e164)
    SELECT value ->> 'call_id', value ->> '$.restricted[0]', value ->> '$.restricted[1]' FROM json_each(?1)
    WHERE value ->> 'restricted' IS NOT NULL ON CONFLICT DO NOTHING;
COMMIT;";

const FIND_OPEN: &str = "SELECT call_id, ticket_no FROM tickets WHERE call_id IN (SELECT value FROM json_each(?1))";

/// `?1`: most tickets looked at, from the newest back (there is no index by time alone; ids rise with it); `?2`: answered
/// since, in milliseconds; `?3`: most callers. Beside `max`, SQLite takes the other columns from the row it found it in.
const RECENT: &str = "
SELECT cli_e164, agent_no, queue, max(answered_at) AS at
    FROM (SELECT cli_e164, agent_no, queue, answered_at, test_call FROM tickets ORDER BY id DESC LIMIT ?1)
    WHERE answered_at >= ?2 AND cli_e164 IS NOT NULL AND test_call = 0
    GROUP BY cli_e164 ORDER BY at DESC LIMIT ?3";

/// `?1`: number, `?2`: before, `?3` and `?4`: counted since, in milliseconds, `?5`: most counted, `?6`: most tickets. All of it
/// from the index `tickets_by_caller`.
pub const HISTORY: &str = "
SELECT ticket_no, answered_at, queue, type, title, status,
    (SELECT count(*) FROM (SELECT 1 FROM tickets
        WHERE cli_e164 = ?1 AND answered_at < ?2 AND answered_at >= ?3 AND test_call = 0 LIMIT ?5)),
    (SELECT count(*) FROM (SELECT 1 FROM tickets
        WHERE cli_e164 = ?1 AND answered_at < ?2 AND answered_at >= ?4 AND test_call = 0 LIMIT ?5))
FROM tickets WHERE cli_e164 = ?1 AND answered_at < ?2 AND test_call = 0 ORDER BY answered_at DESC LIMIT ?6";

const BEHIND: &str = " (ticket_series is behind the tickets; set `last` of today's series to its highest number)";

pub struct SqliteCases {
    path: PathBuf,
    prefix: String,
    access: Access,
    link: Mutex<Link>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Full,
    /// Nothing is made, migrated or changed.
    Reading,
}

enum Link {
    /// Never reached yet: the file may be created.
    New,
    /// Lost or busy: the file must exist. Creating an empty one here would start the day's numbers again.
    Down,
    Up(Open),
}

/// A connection and the file it is open on.
struct Open {
    conn: SqliteConnection,
    inode: (u64, u64),
}

impl SqliteCases {
    /// Touches no file yet: a store that is down at start must not keep the gateway from starting.
    pub fn new(path: impl Into<PathBuf>, prefix: impl Into<String>) -> Self {
        SqliteCases { path: path.into(), prefix: prefix.into(), access: Access::Full, link: Mutex::new(Link::New) }
    }

    /// The file as it is: for who only reads, with or without a gateway at work on it.
    pub fn reading(path: impl Into<PathBuf>) -> Self {
        SqliteCases { access: Access::Reading, ..SqliteCases::new(path, "") }
    }

    /// One more handle on the same file.
    pub fn another(&self) -> Self {
        SqliteCases { access: self.access, ..SqliteCases::new(self.path.clone(), self.prefix.clone()) }
    }

    /// Runs `work` on a usable connection, which is kept only if `work` leaves it in a known state.
    pub(super) async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let mut link = self.link.lock().await;
        let mut open = match std::mem::replace(&mut *link, Link::Down) {
            // A file moved away or replaced while open would swallow tickets for good.
            Link::Up(open) if inode(&self.path).ok() == Some(open.inode) => open,
            Link::Up(open) => {
                let _ = open.conn.close().await;
                self.connect(false).await?
            }
            Link::Down => self.connect(false).await?,
            Link::New => match self.connect(true).await {
                Ok(open) => open,
                Err(e) => {
                    *link = Link::New;
                    return Err(e);
                }
            },
        };
        match work(&mut open.conn).await {
            Ok(value) => {
                *link = Link::Up(open);
                Ok(value)
            }
            Err(e) => {
                let _ = open.conn.close().await;
                Err(e)
            }
        }
    }

    async fn connect(&self, create: bool) -> Result<Open, sqlx::Error> {
        if self.access == Access::Reading {
            return self.look().await;
        }
        let mut conn = SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(LOCK_PATIENCE)
            .foreign_keys(true)
            .disable_statement_logging()
            .connect()
            .await?;
        migrate(&mut conn, MIGRATIONS).await?;
        Ok(Open { conn, inode: inode(&self.path)? })
    }

    async fn look(&self) -> Result<Open, sqlx::Error> {
        let options = SqliteConnectOptions::new().filename(&self.path).read_only(true).busy_timeout(LOCK_PATIENCE);
        let mut conn = options.disable_statement_logging().connect().await?;
        let row = conn.fetch_one("SELECT coalesce(max(version), 0) FROM _sqlx_migrations").await?;
        match row.try_get::<i64, _>(0)? {
            version if version == NEWEST => Ok(Open { conn, inode: inode(&self.path)? }),
            version => {
                let what = format!("its tables are of version {version}, this program's of {NEWEST}");
                Err(sqlx::Error::Configuration(what.into()))
            }
        }
    }

    /// All of `rows` in one transaction, or none. Ticket numbers by call id, and which of them are new.
    async fn write(&self, rows: &[TicketRow<'_>]) -> Result<Numbers, sqlx::Error> {
        let json = row::json(rows)?;
        self.with(async |conn| {
            let opened = numbers(&conn.fetch_all(sqlx::query(OPEN_BATCH).bind(json)).await?)?;
            let rest: Vec<&str> = rows.iter().map(|r| &*r.call_id).filter(|c| !opened.contains_key(*c)).collect();
            let already = match rest.is_empty() {
                true => BTreeMap::new(),
                false => {
                    let json = serde_json::to_string(&rest).map_err(|e| sqlx::Error::Encode(e.into()))?;
                    numbers(&conn.fetch_all(sqlx::query(FIND_OPEN).bind(json)).await?)?
                }
            };
            Ok(Numbers { opened, already })
        })
        .await
    }

    pub(super) fn unavailable(&self, e: &sqlx::Error) -> StoreError {
        let advice = if is_number_taken(e) { BEHIND } else { "" };
        StoreError { reason: format!("case store {}: {e}{advice}", self.path.display()) }
    }
}

impl Batches for SqliteCases {
    fn prefix(&self) -> &str {
        &self.prefix
    }

    async fn open_batch(&self, rows: &[TicketRow<'_>]) -> Result<Numbers, Failure> {
        self.write(rows).await.map_err(|e| match is_the_rows_fault(&e) {
            true => Failure::Row(e.to_string()),
            false => Failure::Store(self.unavailable(&e)),
        })
    }
}

impl CaseStore for SqliteCases {
    async fn open_tickets(&self, tickets: &[NewTicket]) -> Result<Vec<Outcome>, StoreError> {
        batch::open_tickets(self, tickets).await
    }

    async fn recent_callers(&self, limit: u32, since: Instant) -> Result<Vec<RememberedCaller>, StoreError> {
        let most = i64::from(limit).saturating_mul(CALLS_PER_CALLER);
        let since = since.as_unix_millis() as i64;
        let rows = self.with(async |conn| {
            let query = sqlx::query(RECENT).bind(most).bind(since).bind(i64::from(limit));
            let rows = conn.fetch_all(query).await?;
            rows.iter().map(remembered).collect::<Result<Vec<_>, _>>()
        });
        rows.await.map_err(|e| self.unavailable(&e))
    }

    async fn history(&self, number: &str, before: Instant, limit: u32) -> Result<History, StoreError> {
        let at = before.as_unix_millis() as i64;
        let [near, far] = COUNTED.map(|d| at - d.as_millis() as i64);
        let rows = self.with(async |conn| {
            let query = sqlx::query(HISTORY).bind(number).bind(at).bind(near).bind(far);
            let rows = conn.fetch_all(query.bind(MOST_COUNTED).bind(limit)).await?;
            let counted =
                rows.first().map_or(Ok((0, 0)), |row| Ok::<_, sqlx::Error>((row.try_get(6)?, row.try_get(7)?)))?;
            let tickets = rows.iter().map(earlier).collect::<Result<_, _>>()?;
            Ok(History { in_30_days: counted.0, in_365_days: counted.1, tickets })
        });
        rows.await.map_err(|e| self.unavailable(&e))
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.with(async |conn| conn.execute("SELECT 1 FROM tickets LIMIT 1").await.map(drop))
            .await
            .map_err(|e| self.unavailable(&e))
    }
}

fn numbers(rows: &[SqliteRow]) -> Result<BTreeMap<String, String>, sqlx::Error> {
    rows.iter().map(|r| Ok((r.try_get(0)?, r.try_get(1)?))).collect()
}

fn remembered(row: &SqliteRow) -> Result<RememberedCaller, sqlx::Error> {
    let (agent, queue): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
    let at = Instant(row.try_get::<i64, _>(3)? as u64 * 1_000);
    Ok(RememberedCaller { number: row.try_get(0)?, agent: agent.into(), queue: queue.into(), at })
}

fn earlier(row: &SqliteRow) -> Result<EarlierTicket, sqlx::Error> {
    Ok(EarlierTicket {
        ticket_no: row.try_get(0)?,
        answered_at: Instant(row.try_get::<i64, _>(1)? as u64 * 1_000),
        queue: row.try_get(2)?,
        kind: row.try_get(3)?,
        title: row.try_get(4)?,
        status: row.try_get(5)?,
    })
}

/// A constraint or a type was violated: another row would fare better, the same row never will.
fn is_the_rows_fault(e: &sqlx::Error) -> bool {
    const SQLITE_TOOBIG: i32 = 18;
    const SQLITE_CONSTRAINT: i32 = 19;
    const SQLITE_MISMATCH: i32 = 20;
    let code = e.as_database_error().and_then(|e| e.code()).and_then(|c| c.parse::<i32>().ok());
    matches!(code.map(|c| c & 0xff), Some(SQLITE_TOOBIG | SQLITE_CONSTRAINT | SQLITE_MISMATCH)) && !is_number_taken(e)
}

/// The series is behind its tickets (restored from an older backup?): no other row would fare better.
fn is_number_taken(e: &sqlx::Error) -> bool {
    e.as_database_error().is_some_and(|e| e.is_unique_violation() && e.message().contains("tickets.ticket_no"))
}

fn inode(path: &Path) -> std::io::Result<(u64, u64)> {
    std::fs::metadata(path).map(|m| (m.dev(), m.ino()))
}
