//! Tickets in PostgreSQL: the store of a production site. Belongs here: its statements and what its errors mean. Not
//! here: connections (`pool`), tables (`schema`), retries and back-off (`store::deliver`).
//!
//! A batch is one statement, so one round trip and one commit. It takes the row of each series it counts up with a lock
//! that ends with the transaction: writers come one after the other, and what is rolled back leaves no gap.

pub(crate) mod pool;
mod schema;

pub(crate) use schema::Schema;
pub use schema::Version;

use super::batch::{self, Batches, Failure, Numbers};
use super::history::{COUNTED, EarlierTicket, History, MOST_COUNTED};
use super::row::{self, TicketRow};
use super::{CALLS_PER_CALLER, CaseStore, Outcome, StoreError};
use crate::config::settings::PostgresSettings;
use crate::event::RememberedCaller;
use crate::ids::CallId;
use crate::ticket::NewTicket;
use crate::time::Instant;
use pool::Pool;
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Connection, Executor, Row};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Opens what is not yet open. `$1`: array of rows (see [`TicketRow`]), call ids distinct. The series are counted up in
/// the order of their names, so that two batches over midnight cannot wait for each other. Each call is looked up by itself: by
/// the index, whatever the planner believed of the table's size when it made the plan that the connection keeps.
const OPEN_BATCH: &str = "
WITH input AS MATERIALIZED (
    SELECT e.n, r.*, (SELECT ticket_no FROM tickets WHERE tickets.call_id = r.call_id) AS present
    FROM json_array_elements($1::json) WITH ORDINALITY AS e (v, n), json_to_record(e.v) AS r (
        series text, call_id text, channel text, dnis text, tenant text, test_call smallint, cli_raw text,
        cli_e164 text, cli_withheld smallint, restricted json, language text, sip_call_id text, icid text, trunk text,
        queue text, skill text, arrived_at bigint, queued_at bigint, ring_at bigint, answered_at bigint,
        wait_ms bigint, within_n smallint, agent_no text, seat_no text, legs json, route text)
), counted AS (
    INSERT INTO ticket_series AS s (series, last)
        SELECT series, count(*) FROM input WHERE present IS NULL GROUP BY series ORDER BY series
        ON CONFLICT (series) DO UPDATE SET last = s.last + excluded.last
        RETURNING series, last
), numbered AS (
    SELECT *, (last + 1 - row_number() OVER (PARTITION BY series ORDER BY n DESC))::text AS number
    FROM input JOIN counted USING (series) WHERE present IS NULL
), opened AS (
    INSERT INTO tickets (ticket_no, call_id, channel, dnis, tenant, test_call, cli_raw, cli_e164, cli_withheld,
            language, sip_call_id, icid, trunk, queue, skill, arrived_at, queued_at, ring_at, answered_at, wait_ms,
            within_n, agent_no, seat_no, legs, route)
        SELECT series || lpad(number, greatest(6, length(number)), '0'), call_id, channel, dnis, tenant, test_call,
            cli_raw, cli_e164, cli_withheld, language, sip_call_id, icid, trunk, queue, skill, arrived_at, queued_at,
            ring_at, answered_at, wait_ms, within_n, agent_no, seat_no, legs, route
        FROM numbered ORDER BY n
        RETURNING call_id, ticket_no
), apart AS (
    INSERT INTO restricted_callers (call_id, cli_raw, cli_e164)
        SELECT call_id, restricted ->> 0, restricted ->> 1 FROM numbered WHERE restricted IS NOT NULL
)
SELECT call_id, ticket_no, true FROM opened UNION ALL SELECT call_id, present, false FROM input WHERE present IS NOT NULL";

/// So often another writer may open a ticket of a batch between its beginning and its turn.
const RACES: u32 = 5;

/// `$1`: most tickets looked at, from the newest back; `$2`: answered since, in milliseconds; `$3`: most callers.
const RECENT: &str = "
SELECT cli_e164, agent_no, queue, answered_at FROM (
    SELECT DISTINCT ON (cli_e164) cli_e164, agent_no, queue, answered_at
    FROM (SELECT cli_e164, agent_no, queue, answered_at, test_call FROM tickets ORDER BY id DESC LIMIT $1) AS newest
    WHERE answered_at >= $2 AND cli_e164 IS NOT NULL AND test_call = 0
    ORDER BY cli_e164, answered_at DESC
) AS latest ORDER BY answered_at DESC LIMIT $3";

/// `$1`: number, `$2`: before, `$3` and `$4`: counted since, in milliseconds, `$5`: most counted, `$6`: most tickets. All of it
/// from the index `tickets_by_caller`.
pub const HISTORY: &str = "
SELECT ticket_no, answered_at, queue, type, title, status,
    (SELECT count(*) FROM (SELECT FROM tickets
        WHERE cli_e164 = $1 AND answered_at < $2 AND answered_at >= $3 AND test_call = 0 LIMIT $5) AS near),
    (SELECT count(*) FROM (SELECT FROM tickets
        WHERE cli_e164 = $1 AND answered_at < $2 AND answered_at >= $4 AND test_call = 0 LIMIT $5) AS far)
FROM tickets WHERE cli_e164 = $1 AND answered_at < $2 AND test_call = 0 ORDER BY answered_at DESC LIMIT $6";

/// `transaction_read_only` is on as well when the server is a standby.
const HEALTH: &str = "SELECT current_setting('transaction_read_only') = 'on', (SELECT 1 FROM tickets LIMIT 1)";

/// Cheap to clone; the clones share their connections.
#[derive(Clone)]
pub struct PostgresCases(Arc<Shared>);

struct Shared {
    pool: Pool,
    prefix: String,
    /// The tables have been found to be ours.
    tables: OnceCell<()>,
}

impl PostgresCases {
    /// Connects to nothing yet: a store that is down at start must not keep the gateway from starting.
    pub fn new(settings: PostgresSettings, prefix: impl Into<String>) -> Self {
        PostgresCases(Arc::new(Shared { pool: Pool::new(settings), prefix: prefix.into(), tables: OnceCell::new() }))
    }

    /// The same database by connections of its own.
    pub fn apart(&self, connections: u32) -> Self {
        let settings = PostgresSettings { connections, ..self.0.pool.settings().clone() };
        PostgresCases::new(settings, self.0.prefix.clone())
    }

    /// Whether it answers and how its tables fit; changes nothing.
    pub async fn version(&self) -> Result<Version, StoreError> {
        self.0.pool.with(async |conn| schema::TICKETS.version(conn).await).await.map_err(|e| self.unavailable(&e))
    }

    /// Brings the tables up to date, which may take long.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let migrated = async {
            let mut conn = self.0.pool.connect().await?;
            schema::TICKETS.migrate(&mut conn).await?;
            conn.close().await
        };
        migrated.await.map_err(|e| self.unavailable(&e))
    }

    /// The call of a ticket.
    pub async fn call_of(&self, ticket_no: &str) -> Result<Option<CallId>, StoreError> {
        let row = self.0.pool.with(async |conn| {
            let find = sqlx::query("SELECT call_id FROM tickets WHERE ticket_no = $1").bind(ticket_no);
            conn.fetch_optional(find).await?.map(|row| row.try_get::<String, _>(0)).transpose()
        });
        let id = row.await.map_err(|e| self.unavailable(&e))?;
        Ok(id.and_then(|id| u64::from_str_radix(&id, 16).ok()).map(CallId))
    }

    /// Runs `work` on a connection once the tables are known to be ours.
    pub(super) async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        self.0.tables.get_or_try_init(|| self.prepare()).await?;
        self.0.pool.with(work).await.map_err(|e| self.unavailable(&e))
    }

    async fn prepare(&self) -> Result<(), StoreError> {
        match self.version().await? {
            Version::Ours(_) => Ok(()),
            Version::Older { .. } => self.migrate().await,
            newer @ Version::Newer { .. } => Err(self.trouble(&newer.to_string())),
        }
    }

    async fn write(&self, rows: &[TicketRow<'_>]) -> Result<Numbers, Failure> {
        let json = row::json(rows).map_err(|e| Failure::Row(e.to_string()))?;
        self.0.tables.get_or_try_init(|| self.prepare()).await.map_err(Failure::Store)?;
        for _ in 0..RACES {
            let result =
                self.0.pool.with(async |conn| numbers(conn.fetch_all(sqlx::query(OPEN_BATCH).bind(&json)).await?));
            match result.await {
                Ok(numbers) => return Ok(numbers),
                // Another writer, or our own earlier attempt that nobody listened to, has opened one of these calls
                // since this statement began. All is rolled back; the next one sees it.
                Err(e) if violated(&e) == Some("tickets_call_id_key") => {}
                Err(e) if is_the_rows_fault(&e) => return Err(Failure::Row(e.to_string())),
                Err(e) => return Err(Failure::Store(self.unavailable(&e))),
            }
        }
        Err(Failure::Store(self.trouble("other writers keep opening tickets of this batch")))
    }

    fn unavailable(&self, e: &sqlx::Error) -> StoreError {
        self.trouble(&told(e))
    }

    fn trouble(&self, what: &str) -> StoreError {
        StoreError { reason: format!("case store {}: {what}", self.0.pool.settings()) }
    }
}

impl Batches for PostgresCases {
    fn prefix(&self) -> &str {
        &self.0.prefix
    }

    async fn open_batch(&self, rows: &[TicketRow<'_>]) -> Result<Numbers, Failure> {
        self.write(rows).await
    }
}

impl CaseStore for PostgresCases {
    async fn open_tickets(&self, tickets: &[NewTicket]) -> Result<Vec<Outcome>, StoreError> {
        batch::open_tickets(self, tickets).await
    }

    async fn recent_callers(&self, limit: u32, since: Instant) -> Result<Vec<RememberedCaller>, StoreError> {
        let most = i64::from(limit).saturating_mul(CALLS_PER_CALLER);
        let since = since.as_unix_millis() as i64;
        self.with(async |conn| {
            let query = sqlx::query(RECENT).bind(most).bind(since).bind(i64::from(limit));
            conn.fetch_all(query).await?.iter().map(remembered).collect()
        })
        .await
    }

    async fn history(&self, number: &str, before: Instant, limit: u32) -> Result<History, StoreError> {
        let at = before.as_unix_millis() as i64;
        let [near, far] = COUNTED.map(|d| at - d.as_millis() as i64);
        self.with(async |conn| {
            let query = sqlx::query(HISTORY).bind(number).bind(at).bind(near).bind(far);
            let rows = conn.fetch_all(query.bind(i64::from(MOST_COUNTED)).bind(i64::from(limit))).await?;
            let counted = |n| rows.first().map_or(Ok(0), |row| row.try_get::<i64, _>(n));
            Ok(History {
                in_30_days: counted(6)? as u32,
                in_365_days: counted(7)? as u32,
                tickets: rows.iter().map(earlier).collect::<Result<_, _>>()?,
            })
        })
        .await
    }

    async fn health(&self) -> Result<(), StoreError> {
        let read_only = self.with(async |conn| conn.fetch_one(HEALTH).await?.try_get(0)).await?;
        match read_only {
            true => Err(self.trouble(READ_ONLY)),
            false => Ok(()),
        }
    }
}

fn numbers(rows: Vec<PgRow>) -> Result<Numbers, sqlx::Error> {
    let mut numbers = Numbers::default();
    for row in rows {
        let of = if row.try_get(2)? { &mut numbers.opened } else { &mut numbers.already };
        of.insert(row.try_get(0)?, row.try_get(1)?);
    }
    Ok(numbers)
}

fn remembered(row: &PgRow) -> Result<RememberedCaller, sqlx::Error> {
    let (agent, queue): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
    Ok(RememberedCaller { number: row.try_get(0)?, agent: agent.into(), queue: queue.into(), at: instant(row, 3)? })
}

fn earlier(row: &PgRow) -> Result<EarlierTicket, sqlx::Error> {
    Ok(EarlierTicket {
        ticket_no: row.try_get(0)?,
        answered_at: instant(row, 1)?,
        queue: row.try_get(2)?,
        kind: row.try_get(3)?,
        title: row.try_get(4)?,
        status: row.try_get(5)?,
    })
}

fn instant(row: &PgRow, column: usize) -> Result<Instant, sqlx::Error> {
    Ok(Instant(row.try_get::<i64, _>(column)? as u64 * 1_000))
}

/// The five characters by which PostgreSQL names an error.
fn sqlstate(e: &sqlx::Error) -> Option<String> {
    let e = match e {
        sqlx::Error::Migrate(within) => match &**within {
            MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => e,
            _ => return None,
        },
        e => e,
    };
    e.as_database_error().and_then(|e| e.code()).map(|code| code.into_owned())
}

/// The unique constraint that was violated.
fn violated(e: &sqlx::Error) -> Option<&str> {
    e.as_database_error().filter(|e| e.is_unique_violation()).and_then(|e| e.constraint())
}

/// Values that no column takes, constraints that they violate, texts too long for an index. Not a number given twice:
/// then the series is behind its tickets (restored from an older backup?), and no other row would fare better.
fn is_the_rows_fault(e: &sqlx::Error) -> bool {
    let code = sqlstate(e);
    matches!(code.as_deref().and_then(|c| c.get(..2)), Some("22" | "23" | "54")) && violated(e).is_none()
}

const READ_ONLY: &str = "it is read-only; is it a standby, or is default_transaction_read_only set?";

/// What is wrong, and what the operator can do about it.
pub(crate) fn told(e: &sqlx::Error) -> String {
    match advice(e) {
        Some(advice) => format!("{e} ({advice})"),
        None => e.to_string(),
    }
}

fn advice(e: &sqlx::Error) -> Option<&'static str> {
    if violated(e) == Some("tickets_ticket_no_key") {
        return Some("ticket_series is behind the tickets; set `last` of today's series to its highest number");
    }
    Some(match sqlstate(e).as_deref() {
        Some("28P01" | "28000") => "mend the user, the password, or the server's pg_hba.conf",
        Some("3D000") => "create the database: deploy/README.md says how",
        Some("42501") => {
            "this role may not; let the tables' owner run `rexian migrate` and grant what deploy/README.md says"
        }
        Some("42P01" | "42703" | "3F000") => "the tables are not there or not ours; run `rexian migrate`",
        Some("25006") => READ_ONLY,
        Some("53100") => "the server's disk is full: make room there",
        Some("53300") => "raise the server's max_connections, or lower `connections`",
        Some("57014") => "the server was too slow: look for locks and load there",
        Some("57P01" | "57P02" | "57P03") => "the server is stopping or starting",
        Some(_) => return None,
        None => match e {
            sqlx::Error::Io(_) => "is the server running, and may this machine reach it?",
            sqlx::Error::Tls(_) => "look at sslmode and ca, and at the server's ssl settings",
            _ => return None,
        },
    })
}
