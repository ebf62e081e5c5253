//! What reports ask of the facts. For commands: these functions wait for the disk.

use super::file::parsed;
use crate::event::AgentState;
use crate::ids::AgentNo;
use crate::record::{CallRecord, Cell, Spell, Times, running, state_of};
use crate::time::Instant;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{ConnectOptions, Executor, Row as _};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::Runtime;

/// The facts cannot be read or written: which file, and why.
#[derive(Debug)]
pub struct FactsError {
    pub path: PathBuf,
    pub why: String,
}

impl fmt::Display for FactsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for FactsError {}

/// What span of time the facts are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The first event that was ever folded.
    pub first: Instant,
    /// The last one.
    pub last: Instant,
}

/// Something that happened to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub at: Instant,
    pub kind: MarkKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// A gateway began to write.
    Start,
    /// So many events were never written.
    Gap(u64),
    /// Written by a later version of the program.
    Unknown(u64),
    /// Deleted for their age before they were folded.
    Pruned(u64),
    /// The log was replaced, or lost its end.
    Replaced,
}

pub struct FactsReader {
    path: PathBuf,
    runtime: Runtime,
    conn: SqliteConnection,
}

const LOCK_PATIENCE: Duration = Duration::from_secs(5);
const LONGEST_CALL: Duration = Duration::from_secs(24 * 3_600);
/// Records in memory at once.
const PAGE: i64 = 4_096;

// By time of counting, then by call: the order is total, so that a page ends where the next begins. An index ends with
// the call by itself.
const CALLS: &str = "SELECT record, counted_us, call FROM calls INDEXED BY calls_by_time
    WHERE counted_us >= ?1 AND counted_us < ?2 AND (counted_us > ?1 OR call > ?3) ORDER BY counted_us, call LIMIT ?4";
// No call of the day before yesterday is up today.
const CARRIED_OVER: &str = "SELECT record FROM calls INDEXED BY calls_by_time
    WHERE counted_us >= ?2 AND counted_us < ?1 AND (ended_us >= ?1 OR ended_us IS NULL) ORDER BY counted_us";
const VERDICTS: &str = "SELECT counted_us, verdict FROM calls INDEXED BY calls_by_verdict
    WHERE counted_us >= ? AND counted_us < ? AND verdict IS NOT NULL ORDER BY counted_us";
const TIMES: &str = "SELECT cell, agent, state, us FROM agent_time WHERE cell >= ? AND cell < ?";

impl FactsReader {
    /// # Errors
    /// The file is not there, or holds no facts.
    pub fn open(path: &Path) -> Result<FactsReader, FactsError> {
        let fault = |why: String| FactsError { path: path.to_owned(), why };
        if !path.is_file() {
            return Err(fault("there is no such file".into()));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| fault(e.to_string()))?;
        let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(LOCK_PATIENCE);
        let conn = runtime.block_on(options.disable_statement_logging().connect());
        let mut conn = conn.map_err(|e| fault(e.to_string()))?;
        // All answers are of one moment, whatever is folded meanwhile.
        runtime.block_on(conn.execute("BEGIN")).map_err(|e| fault(e.to_string()))?;
        Ok(FactsReader { path: path.to_owned(), runtime, conn })
    }

    /// `None`: nothing has been folded yet.
    pub fn coverage(&mut self) -> Result<Option<Coverage>, FactsError> {
        let rows = self.rows(sqlx::query("SELECT first_us, now_us FROM position"))?;
        let row = rows.first().map(|row| Ok(Coverage { first: instant(row, 0)?, last: instant(row, 1)? }));
        row.transpose().map_err(|e| self.fault(&e))
    }

    /// Each call that counts in `[from, until)`, in the order of counting.
    pub fn each_call(
        &mut self,
        from: Instant,
        until: Instant,
        mut tell: impl FnMut(CallRecord),
    ) -> Result<(), FactsError> {
        let mut after = (bound(from), i64::MIN);
        loop {
            let query = sqlx::query(CALLS).bind(after.0).bind(bound(until)).bind(after.1).bind(PAGE);
            let rows = self.rows(query)?;
            for row in &rows {
                let record = row.try_get(0).and_then(parsed).map_err(|e| self.fault(&e))?;
                tell(record);
            }
            let Some(last) = rows.last().filter(|_| rows.len() as i64 == PAGE) else { return Ok(()) };
            let place = last.try_get(1).and_then(|counted| Ok((counted, last.try_get(2)?)));
            after = place.map_err(|e| self.fault(&e))?;
        }
    }

    /// Calls that count before `at` and were up then or later.
    pub fn carried_over(&mut self, at: Instant) -> Result<Vec<CallRecord>, FactsError> {
        let since = Instant(at.0.saturating_sub(LONGEST_CALL.as_micros() as u64));
        let rows = self.rows(sqlx::query(CARRIED_OVER).bind(bound(at)).bind(bound(since)))?;
        let records: Result<Vec<_>, _> = rows.iter().map(|row| row.try_get(0).and_then(parsed)).collect();
        records.map_err(|e| self.fault(&e))
    }

    /// What is in the connection rate, by request: when, and whether it was answered.
    pub fn verdicts(&mut self, from: Instant, until: Instant) -> Result<Vec<(Instant, bool)>, FactsError> {
        let rows = self.rows(sqlx::query(VERDICTS).bind(bound(from)).bind(bound(until)))?;
        let all: Result<Vec<_>, _> =
            rows.iter().map(|row| Ok((instant(row, 0)?, row.try_get::<i64, _>(1)? == 1))).collect();
        all.map_err(|e| self.fault(&e))
    }

    /// Agents' times of the quarters that begin in `[from, until)`, states that go on included.
    pub fn times(&mut self, from: Instant, until: Instant) -> Result<Times, FactsError> {
        let (first, end) = (cell_from(from), cell_from(until));
        let rows = self.rows(sqlx::query(TIMES).bind(first.0 as i64).bind(end.0 as i64))?;
        let mut times = Times::new();
        for row in &rows {
            let entry = entry(row).map_err(|e| self.fault(&e))?;
            times.extend(entry);
        }
        let last = self.coverage()?.map_or(Instant::ZERO, |coverage| coverage.last);
        for ((agent, cell, state), time) in running(&self.spells()?, last) {
            if (first..end).contains(&cell) {
                *times.entry((agent, cell, state)).or_default() += time;
            }
        }
        Ok(times)
    }

    pub(super) fn spells(&mut self) -> Result<BTreeMap<AgentNo, Spell>, FactsError> {
        let rows = self.rows(sqlx::query("SELECT agent, spell FROM agents_now"))?;
        let spell = |row: &SqliteRow| Ok((AgentNo::new(row.try_get::<&str, _>(0)?), parsed(row.try_get(1)?)?));
        rows.iter().map(spell).collect::<Result<_, sqlx::Error>>().map_err(|e| self.fault(&e))
    }

    /// In order of time.
    pub fn marks(&mut self, from: Instant, until: Instant) -> Result<Vec<Mark>, FactsError> {
        let query = "SELECT at_us, kind, missed FROM marks WHERE at_us >= ? AND at_us < ? ORDER BY at_us";
        let rows = self.rows(sqlx::query(query).bind(bound(from)).bind(bound(until)))?;
        rows.iter().map(mark).collect::<Result<_, _>>().map_err(|e| self.fault(&e))
    }

    pub(super) fn rows(
        &mut self,
        query: sqlx::query::Query<'_, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    ) -> Result<Vec<SqliteRow>, FactsError> {
        let rows = self.runtime.block_on(self.conn.fetch_all(query));
        rows.map_err(|e| self.fault(&e))
    }

    pub(super) fn fault(&self, error: &sqlx::Error) -> FactsError {
        FactsError { path: self.path.clone(), why: error.to_string() }
    }
}

fn bound(at: Instant) -> i64 {
    i64::try_from(at.as_unix_micros()).unwrap_or(i64::MAX)
}

fn instant(row: &SqliteRow, column: usize) -> Result<Instant, sqlx::Error> {
    Ok(Instant(row.try_get::<i64, _>(column)? as u64))
}

/// The first quarter that begins at `at` or later.
fn cell_from(at: Instant) -> Cell {
    let cell = Cell::of(at);
    if cell.begins() < at { Cell(cell.0 + 1) } else { cell }
}

/// Of [`Times`].
type Entry = ((AgentNo, Cell, AgentState), Duration);

/// `None`: a state of a later version.
fn entry(row: &SqliteRow) -> Result<Option<Entry>, sqlx::Error> {
    let (cell, agent, state): (i64, &str, &str) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let time = Duration::from_micros(row.try_get::<i64, _>(3)? as u64);
    Ok(state_of(state).map(|state| ((AgentNo::new(agent), Cell(cell as u64), state), time)))
}

fn mark(row: &SqliteRow) -> Result<Mark, sqlx::Error> {
    let missed = row.try_get::<i64, _>(2)? as u64;
    let kind = match row.try_get(1)? {
        "start" => MarkKind::Start,
        "gap" => MarkKind::Gap(missed),
        "pruned" => MarkKind::Pruned(missed),
        "replaced" => MarkKind::Replaced,
        _ => MarkKind::Unknown(missed),
    };
    Ok(Mark { at: instant(row, 0)?, kind })
}
