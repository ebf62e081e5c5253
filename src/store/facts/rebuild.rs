//! Folding the whole log again, into a file of its own, and comparing: the facts must be what the log says. Not here:
//! what is printed of it (`report`).

use super::file::{BATCH, FactsFile, parsed};
use super::follow::catch_up;
use super::read::FactsError;
use crate::config::settings::PostgresSettings;
use crate::ids::CallId;
use crate::record::CallRecord;
use crate::store::copy::CopyReader;
use crate::store::journal::{self, Source, block_on};
use crate::time::Instant;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Executor, Row as _};
use std::path::Path;
use std::time::Duration;
use tokio::time::sleep;

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rebuilt {
    /// Compared from here on; before, the log has lost what made up the state of things.
    pub from: Instant,
    pub until: Instant,
    pub calls: u64,
    /// Quarters of an hour of agents' states.
    pub quarters: u64,
    /// At most [`LOOKED_AT`] of each kind.
    pub differences: Vec<Difference>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// JSON of what is kept and of what the log gives; `None`: nothing.
    Call { call: CallId, kept: Option<String>, rebuilt: Option<String> },
    /// Of one agent in one state, within a quarter.
    Time { agent: String, state: String, begins: Instant, kept: Duration, rebuilt: Duration },
}

const LOOKED_AT: u32 = 10_000;
const LOCK_PATIENCE: Duration = Duration::from_secs(20);
/// Agents' states and calls that a pruned log no longer tells of are over by then.
const SETTLED: Duration = Duration::from_secs(24 * 3_600);

const CALLS: &str = "SELECT coalesce(a.call, b.call), a.record, b.record
    FROM (SELECT call, record FROM main.calls WHERE counted_us >= ?1) AS a
    FULL JOIN (SELECT call, record FROM again.calls WHERE counted_us >= ?1) AS b ON a.call = b.call
    WHERE a.record IS NOT b.record LIMIT ?2";
const TIMES: &str = "SELECT coalesce(a.agent, b.agent), coalesce(a.state, b.state), coalesce(a.cell, b.cell),
        coalesce(a.us, 0), coalesce(b.us, 0)
    FROM (SELECT * FROM main.agent_time WHERE cell > ?1) AS a
    FULL JOIN (SELECT * FROM again.agent_time WHERE cell > ?1) AS b USING (cell, agent, state)
    WHERE a.us IS NOT b.us LIMIT ?2";
const COUNTS: &str = "SELECT (SELECT count(*) FROM again.calls WHERE counted_us >= ?1),
    (SELECT count(*) FROM again.agent_time WHERE cell > ?2), (SELECT now_us FROM again.position)";

/// Brings `facts` up to date, folds `log` once more into `again`, and compares the two. `replace`: then puts what the log
/// gives in place of what is kept, for the time that was compared.
///
/// # Errors
/// One of the files cannot be read or written.
pub fn rebuild(log: &Path, facts: &Path, again: &Path, replace: bool) -> Result<Rebuilt, FactsError> {
    catch_up(log, facts)?;
    let work = async {
        let mut events = journal::open(log).await.map_err(|e| fault(&e.path, e.why))?;
        let rebuilt = fold_again(&mut events, facts, again, replace).await;
        let _ = events.close().await;
        rebuilt
    };
    block_on(work).map_err(|e| fault(facts, e))?
}

/// The same of the log's copy. `log`: the file, if there is one; else the copy must be of one log only, and `facts` are
/// brought up to date from it.
///
/// # Errors
/// The database cannot be read, or one of the files not read or written.
pub fn rebuild_from_copy(
    copy: &PostgresSettings,
    log: Option<&Path>,
    facts: &Path,
    again: &Path,
    replace: bool,
) -> Result<Rebuilt, FactsError> {
    if let Some(log) = log {
        catch_up(log, facts)?;
    }
    let work = async {
        let identity = match log {
            Some(log) => Some(journal::identity(log).await.map_err(|e| fault(&e.path, e.why))?),
            None => None,
        };
        let events = CopyReader::open(copy, identity).await;
        let mut events = events.map_err(|e| fault(facts, e.to_string()))?;
        if log.is_none() {
            let kept = |e: sqlx::Error| fault(facts, e.to_string());
            let mut file = FactsFile::open(facts).await.map_err(kept)?;
            while file.fold_on(&mut events, BATCH).await.map_err(kept)? > 0 {}
            file.close().await;
        }
        fold_again(&mut events, facts, again, replace).await
    };
    block_on(work).map_err(|e| fault(facts, e))?
}

fn fault(path: &Path, why: String) -> FactsError {
    FactsError { path: path.to_owned(), why }
}

async fn fold_again(
    events: &mut impl Source,
    facts: &Path,
    again: &Path,
    replace: bool,
) -> Result<Rebuilt, FactsError> {
    let of = |e: sqlx::Error| fault(again, e.to_string());
    let mut fresh = FactsFile::open(again).await.map_err(of)?;
    let kept = |e: sqlx::Error| fault(facts, e.to_string());
    let options = SqliteConnectOptions::new().filename(facts).busy_timeout(LOCK_PATIENCE);
    let mut conn = options.disable_statement_logging().connect().await.map_err(kept)?;
    let attach = sqlx::query("ATTACH ? AS again").bind(again.to_string_lossy().into_owned());
    conn.execute(attach).await.map_err(kept)?;
    // The gateway folds on meanwhile, and the copy comes behind: until the two are as far as each other, under both files'
    // locks.
    let mut tries = 0..TRIES;
    let mut tx = loop {
        let until = place(&mut conn, KEPT).await.map_err(kept)?;
        while fresh.fold_until(events, BATCH, until).await.map_err(of)? > 0 {}
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.map_err(kept)?;
        let (is, was) = (place(&mut tx, KEPT).await.map_err(kept)?, place(&mut tx, AGAIN).await.map_err(kept)?);
        if is == was {
            break tx;
        }
        tx.rollback().await.map_err(kept)?;
        if tries.next().is_none() {
            let why =
                format!("are of event {is}, and the log is folded again as far as {was}: try when it has come further");
            return Err(fault(facts, why));
        }
        sleep(PAUSE).await;
    };
    fresh.close().await;
    let bounds = events.bounds().await.map_err(of)?;
    let (first, at) = bounds.map_or((1, 0), |bounds| (bounds.first, bounds.first_at));
    let from = if first == 1 { Instant(at as u64) } else { Instant(at as u64) + SETTLED };
    let rebuilt = compare(&mut tx, from).await.map_err(kept)?;
    if replace && !rebuilt.differences.is_empty() {
        put_in_place(&mut tx, from).await.map_err(kept)?;
    }
    tx.commit().await.map_err(kept)?;
    let _ = conn.close().await;
    Ok(rebuilt)
}

const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

const KEPT: &str = "SELECT coalesce((SELECT seq FROM main.position), 0)";
const AGAIN: &str = "SELECT coalesce((SELECT seq FROM again.position), 0)";

async fn place(conn: &mut SqliteConnection, whose: &'static str) -> Result<i64, sqlx::Error> {
    conn.fetch_one(whose).await?.try_get(0)
}

/// The last quarter that may be incomplete: that in which it begins.
fn before(from: Instant) -> i64 {
    crate::record::Cell::of(from).0 as i64
}

async fn compare(conn: &mut SqliteConnection, from: Instant) -> Result<Rebuilt, sqlx::Error> {
    let (at, cell) = (from.as_unix_micros() as i64, before(from));
    let mut differences = Vec::new();
    let rows = conn.fetch_all(sqlx::query(CALLS).bind(at).bind(LOOKED_AT)).await?;
    for row in &rows {
        let (kept, rebuilt): (Option<String>, Option<String>) = (row.try_get(1)?, row.try_get(2)?);
        // Two versions of the program may write the same record in two ways.
        let record = |json: &Option<String>| json.as_deref().and_then(|json| parsed::<CallRecord>(json).ok());
        if record(&kept).is_none() || record(&kept) != record(&rebuilt) {
            let call = CallId(row.try_get::<i64, _>(0)? as u64);
            differences.push(Difference::Call { call, kept, rebuilt });
        }
    }
    let rows = conn.fetch_all(sqlx::query(TIMES).bind(cell).bind(LOOKED_AT)).await?;
    for row in &rows {
        let begins = crate::record::Cell(row.try_get::<i64, _>(2)? as u64).begins();
        let time = |column| Ok::<_, sqlx::Error>(Duration::from_micros(row.try_get::<i64, _>(column)? as u64));
        let (kept, rebuilt) = (time(3)?, time(4)?);
        differences.push(Difference::Time { agent: row.try_get(0)?, state: row.try_get(1)?, begins, kept, rebuilt });
    }
    let row = conn.fetch_one(sqlx::query(COUNTS).bind(at).bind(cell)).await?;
    let (calls, quarters) = (row.try_get::<i64, _>(0)? as u64, row.try_get::<i64, _>(1)? as u64);
    let until = Instant(row.try_get::<Option<i64>, _>(2)?.unwrap_or(at) as u64);
    Ok(Rebuilt { from, until, calls, quarters, differences })
}

async fn put_in_place(conn: &mut SqliteConnection, from: Instant) -> Result<(), sqlx::Error> {
    let (at, cell) = (from.as_unix_micros() as i64, before(from));
    for (statement, since) in [
        ("DELETE FROM main.calls WHERE counted_us >= ?", at),
        ("INSERT OR REPLACE INTO main.calls SELECT * FROM again.calls WHERE counted_us >= ?", at),
        ("DELETE FROM main.agent_time WHERE cell > ?", cell),
        ("INSERT INTO main.agent_time SELECT * FROM again.agent_time WHERE cell > ?", cell),
    ] {
        conn.execute(sqlx::query(statement).bind(since)).await?;
    }
    for statement in ["DELETE FROM main.agents_now", "INSERT INTO main.agents_now SELECT * FROM again.agents_now"] {
        conn.execute(statement).await?;
    }
    Ok(())
}
