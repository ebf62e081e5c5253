//! Looking up what the event log holds, also while a gateway writes it. For commands: these functions wait for the disk.

use super::Recorded;
use super::file::recorded;
use crate::ids::CallId;
use crate::time::Instant;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Executor, Row as _};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The event log cannot be read: which file, and why.
#[derive(Debug)]
pub struct JournalError {
    pub path: PathBuf,
    pub why: String,
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event log {}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for JournalError {}

// What is missing between a call's facts is part of its story.
const OF_CALL: &str = "SELECT seq, at_us, kind, call, what, agent FROM events
    WHERE call = ?1 OR (kind IN ('gap', 'start')
        AND seq > (SELECT min(seq) FROM events WHERE call = ?1) AND seq < (SELECT max(seq) FROM events WHERE call = ?1))
    ORDER BY seq";
const OF_DAY: &str =
    "SELECT seq, at_us, kind, call, what, agent FROM events WHERE at_us >= ? AND at_us < ? ORDER BY seq";
const AFTER: &str = "SELECT seq, at_us, kind, call, what, agent FROM events WHERE seq > ? ORDER BY seq LIMIT ?";

/// Longest wait for whoever holds the file.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Everything in `[from, until)`, in the order it was recorded. A day of 10,000 calls is some hundred thousand rows.
///
/// # Errors
/// The file is not there, or is no event log.
pub fn read_day(path: &Path, from: Instant, until: Instant) -> Result<Vec<Recorded>, JournalError> {
    let bound = |at: Instant| i64::try_from(at.as_unix_micros()).unwrap_or(i64::MAX);
    read(path, sqlx::query(OF_DAY).bind(bound(from)).bind(bound(until)))
}

/// As [`read_day`], a part at a time: for spans that are too long to hold.
///
/// # Errors
/// The file is not there, or is no event log.
pub fn for_each(
    path: &Path,
    from: Instant,
    until: Instant,
    mut tell: impl FnMut(Recorded),
) -> Result<(), JournalError> {
    let mut part = from;
    while part < until {
        let next = (part + PART).min(until);
        read_day(path, part, next)?.into_iter().for_each(&mut tell);
        part = next;
    }
    Ok(())
}

const PART: Duration = Duration::from_secs(2 * 3_600);

/// One call's facts in order, and the gaps and starts between them; empty if the log has none of it.
///
/// # Errors
/// The file is not there, or is no event log.
pub fn of_call(path: &Path, call: CallId) -> Result<Vec<Recorded>, JournalError> {
    read(path, sqlx::query(OF_CALL).bind(call.to_string()))
}

/// What follows the event `seq`, in order, at most `limit`.
///
/// # Errors
/// The file is not there, or is no event log.
pub async fn after(path: &Path, seq: u64, limit: u32) -> Result<Vec<Recorded>, JournalError> {
    let mut conn = open(path).await?;
    let query = sqlx::query(AFTER).bind(i64::try_from(seq).unwrap_or(i64::MAX)).bind(limit);
    let rows = conn.fetch_all(query).await.and_then(|rows| rows.iter().map(recorded).collect());
    let _ = conn.close().await;
    rows.map_err(|e| JournalError { path: path.to_owned(), why: e.to_string() })
}

/// The numbers of the oldest and the newest event; `None`: it has none.
///
/// # Errors
/// The file is not there, or is no event log.
pub async fn bounds(path: &Path) -> Result<Option<(u64, u64)>, JournalError> {
    let mut conn = open(path).await?;
    let row = conn.fetch_one("SELECT min(seq), max(seq) FROM events").await;
    let _ = conn.close().await;
    let bounds = row.and_then(|row| {
        let (oldest, newest): (Option<i64>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        Ok(oldest.zip(newest).map(|(oldest, newest)| (oldest as u64, newest as u64)))
    });
    bounds.map_err(|e| JournalError { path: path.to_owned(), why: e.to_string() })
}

/// By which the log is told from all others.
pub(in crate::store) async fn identity(path: &Path) -> Result<String, JournalError> {
    let mut conn = open(path).await?;
    let row = conn.fetch_one("SELECT log FROM identity").await;
    let _ = conn.close().await;
    row.and_then(|row| row.try_get(0)).map_err(|e| JournalError { path: path.to_owned(), why: e.to_string() })
}

/// For reading, also while it is written.
pub(in crate::store) async fn open(path: &Path) -> Result<SqliteConnection, JournalError> {
    if !path.is_file() {
        return Err(JournalError { path: path.to_owned(), why: "there is no such file".into() });
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(LOCK_PATIENCE);
    let opened = options.disable_statement_logging().connect().await;
    opened.map_err(|e| JournalError { path: path.to_owned(), why: e.to_string() })
}

fn read(path: &Path, query: Query<'static, Sqlite, SqliteArguments>) -> Result<Vec<Recorded>, JournalError> {
    let fault = |why: String| JournalError { path: path.to_owned(), why };
    let rows = async {
        let mut conn = open(path).await?;
        let rows = conn.fetch_all(query).await.and_then(|rows| rows.iter().map(recorded).collect());
        let _ = conn.close().await;
        rows.map_err(|e: sqlx::Error| fault(e.to_string()))
    };
    block_on(rows).unwrap_or_else(|why| Err(fault(why)))
}

/// On a thread of its own: whoever asks may be on a runtime already.
pub(in crate::store) fn block_on<T: Send>(work: impl Future<Output = T> + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let working = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(|e| e.to_string()).map(|runtime| runtime.block_on(work))
        });
        working.join().map_err(|_| "the worker failed".to_owned())?
    })
}
