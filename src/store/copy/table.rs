//! The table of the copy. Belongs here: its statements and what its errors mean. Not here: when (`ship`).

use crate::cases::postgres::pool::Pool;
use crate::cases::postgres::{Schema, Version, told};
use crate::config::settings::PostgresSettings;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor, Row};
use std::fmt;
use tokio::sync::OnceCell;

/// Version, name, text. A migration that has shipped is never edited; a change is a further file. Lock: `rexlog` in ASCII.
const SCHEMA: Schema = Schema {
    versions: "event_log_versions",
    steps: &[(1, "event_log", include_str!("../migrations/copy/0001_event_log.sql"))],
    lock: 0x7265_786c_6f67,
};

const INSERT: &str = "INSERT INTO event_log (log, seq, at_us, kind, call, agent, what)
    SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
    ON CONFLICT DO NOTHING";
const NEWEST: &str = "SELECT seq, at_us FROM event_log WHERE log = $1 ORDER BY seq DESC LIMIT 1";
// The last row stays, whatever its age: the copy is as far as that.
const DELETE: &str = "DELETE FROM event_log WHERE log = $1 AND seq IN (SELECT seq FROM event_log
    WHERE log = $1 AND at_us < $2 AND seq < (SELECT max(seq) FROM event_log WHERE log = $1) ORDER BY at_us LIMIT $3)";

/// The copy cannot be written or read: where, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyError(pub(super) String);

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CopyError {}

/// Rows of the log, column by column.
#[derive(Default)]
pub(super) struct Columns {
    pub seq: Vec<i64>,
    pub at: Vec<i64>,
    pub kind: Vec<String>,
    pub call: Vec<Option<String>>,
    pub agent: Vec<Option<String>>,
    pub what: Vec<String>,
}

/// Where in a log: a number, and its event's time, by which one log is told from another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub seq: i64,
    pub at: i64,
}

pub struct CopyTable {
    pool: Pool,
    /// It has been found to be ours.
    known: OnceCell<()>,
}

impl CopyTable {
    /// Connects to nothing yet.
    pub fn new(settings: PostgresSettings) -> CopyTable {
        CopyTable { pool: Pool::new(settings), known: OnceCell::new() }
    }

    /// Whether it answers and how the table fits; changes nothing.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn version(&self) -> Result<Version, CopyError> {
        self.pool.with(async |conn| SCHEMA.version(conn).await).await.map_err(|e| self.fault(&e))
    }

    /// Brings the table up to date, which may take long.
    ///
    /// # Errors
    /// It does not answer, or this role may not.
    pub async fn migrate(&self) -> Result<(), CopyError> {
        let migrated = async {
            let mut conn = self.pool.connect().await?;
            SCHEMA.migrate(&mut conn).await?;
            conn.close().await
        };
        migrated.await.map_err(|e| self.fault(&e))
    }

    /// The last of `log` that is here.
    pub(super) async fn newest(&self, log: &str) -> Result<Option<Place>, CopyError> {
        self.with(async |conn| {
            let row = conn.fetch_optional(sqlx::query(NEWEST).bind(log)).await?;
            row.map(|row| Ok(Place { seq: row.try_get(0)?, at: row.try_get(1)? })).transpose()
        })
        .await
    }

    /// All of `rows` that are not here yet, or none; how many they were.
    pub(super) async fn insert(&self, log: &str, rows: &Columns) -> Result<u64, CopyError> {
        self.with(async |conn| {
            let query = sqlx::query(INSERT).bind(log).bind(&rows.seq).bind(&rows.at).bind(&rows.kind);
            let done = conn.execute(query.bind(&rows.call).bind(&rows.agent).bind(&rows.what)).await?;
            Ok(done.rows_affected())
        })
        .await
    }

    /// At most `limit` rows; how many there were.
    pub(super) async fn delete_before(&self, log: &str, at: i64, limit: u32) -> Result<u64, CopyError> {
        let query = sqlx::query(DELETE).bind(log).bind(at).bind(i64::from(limit));
        self.with(async |conn| Ok(conn.execute(query).await?.rows_affected())).await
    }

    /// One for the asker alone, the table known to be ours.
    pub(super) async fn connect(&self) -> Result<PgConnection, CopyError> {
        self.known.get_or_try_init(|| self.prepare()).await?;
        self.pool.connect().await.map_err(|e| self.fault(&e))
    }

    async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, CopyError> {
        self.known.get_or_try_init(|| self.prepare()).await?;
        self.pool.with(work).await.map_err(|e| self.fault(&e))
    }

    async fn prepare(&self) -> Result<(), CopyError> {
        match self.version().await? {
            Version::Ours(_) => Ok(()),
            Version::Older { .. } => self.migrate().await,
            newer @ Version::Newer { .. } => Err(self.trouble(&newer.to_string())),
        }
    }

    pub(super) fn fault(&self, e: &sqlx::Error) -> CopyError {
        self.trouble(&told(e))
    }

    pub(super) fn trouble(&self, what: &str) -> CopyError {
        CopyError(format!("event log's copy {}: {what}", self.pool.settings()))
    }
}
