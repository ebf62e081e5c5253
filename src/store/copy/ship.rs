//! The thread that follows the log and ships what is committed. Belongs here: when, how far, what to do when the database
//! is away. Not here: SQL of the copy (`table`).

use super::table::{Columns, CopyError, CopyTable, Place};
use crate::config::settings::PostgresSettings;
use crate::host::Clock;
use crate::store::backoff::Backoff;
use crate::store::journal;
use crate::time::Instant;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor, Row};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant as Moment, sleep, timeout};

#[derive(Clone, Debug)]
pub struct CopyOptions {
    /// The event log.
    pub log: PathBuf,
    pub to: PostgresSettings,
    /// Commits of the log within this time are shipped together.
    pub gather: Duration,
    /// Events in one statement, at most.
    pub batch: u32,
    /// Between attempts while the database is away: first, and longest.
    pub retry: (Duration, Duration),
    /// Older events are deleted from the copy.
    pub keep: Duration,
    /// Between deletions.
    pub prune_every: Duration,
}

impl CopyOptions {
    pub fn new(log: impl Into<PathBuf>, to: PostgresSettings, keep: Duration) -> Self {
        CopyOptions {
            log: log.into(),
            to,
            gather: Duration::from_secs(1),
            batch: 2_000,
            retry: (Duration::from_secs(1), Duration::from_secs(30)),
            keep,
            prune_every: Duration::from_secs(24 * 3_600),
        }
    }
}

/// How the copy stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyStatus {
    /// Since start.
    pub copied: u64,
    /// Of the first event that is not there yet; at start, before the copy has said how far it is, the start. `None`: all
    /// of the log is there.
    pub behind: Option<Instant>,
    /// Why the last attempt failed; `None` while the database takes events.
    pub trouble: Option<Arc<str>>,
}

impl CopyStatus {
    /// How long the first event that is not there has been waiting.
    pub fn lag(&self) -> Duration {
        self.behind.map_or(Duration::ZERO, |since| Clock::start().now().since(since))
    }
}

/// At the end, for what came last. The rest is shipped after the next start.
const LAST_WORDS: Duration = Duration::from_secs(3);
const PRUNED_AT_ONCE: u32 = 5_000;

const NEXT: &str = "SELECT seq, at_us, kind, call, agent, what FROM events WHERE seq > ? ORDER BY seq LIMIT ?";

/// Starts the shipping thread, which ends when the log's writer (whose `commits` these are) has ended and all is shipped, or
/// soon after.
pub fn start(
    options: CopyOptions,
    commits: watch::Receiver<u64>,
) -> std::io::Result<(watch::Receiver<CopyStatus>, JoinHandle<()>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let behind = Some(Clock::start().now());
    let (status, seen) = watch::channel(CopyStatus { behind, ..CopyStatus::default() });
    let shipper = Shipper {
        table: CopyTable::new(options.to.clone()),
        backoff: Backoff::new(options.retry.0, options.retry.1),
        prune_at: Moment::now(),
        options,
        status,
        log: None,
    };
    let mut ends = commits.clone();
    let work = async move {
        tokio::select! {
            () = shipper.run(commits) => {}
            () = async { ended(&mut ends).await; sleep(LAST_WORDS).await } => {}
        }
    };
    let thread = std::thread::Builder::new().name("event-copy".into()).spawn(move || runtime.block_on(work))?;
    Ok((seen, thread))
}

/// The log is written no more.
async fn ended(commits: &mut watch::Receiver<u64>) {
    while commits.changed().await.is_ok() {}
}

struct Shipper {
    options: CopyOptions,
    table: CopyTable,
    status: watch::Sender<CopyStatus>,
    backoff: Backoff,
    /// The log's identity and how far the copy is; `None`: it must be asked.
    log: Option<(String, Place)>,
    prune_at: Moment,
}

impl Shipper {
    async fn run(mut self, mut commits: watch::Receiver<u64>) {
        loop {
            let over = commits.has_changed().is_err();
            commits.mark_unchanged();
            match self.round().await {
                Ok(true) => {}
                Ok(false) if over => return,
                Ok(false) => {
                    if Moment::now() >= self.prune_at {
                        self.prune().await;
                    }
                    if commits.changed().await.is_ok() {
                        let _ = timeout(self.options.gather, ended(&mut commits)).await;
                    }
                }
                Err(error) => {
                    self.failed(error);
                    if over {
                        return;
                    }
                    let _ = timeout(self.backoff.failed(), ended(&mut commits)).await;
                }
            }
        }
    }

    /// Ships what comes next; whether there may be more.
    async fn round(&mut self) -> Result<bool, CopyError> {
        // The writer makes the log, and complains if it cannot.
        if !self.options.log.is_file() {
            return Ok(false);
        }
        let mut file = journal::open(&self.options.log).await.map_err(|e| CopyError(e.to_string()))?;
        let done = self.ship(&mut file).await;
        let _ = file.close().await;
        done
    }

    async fn ship(&mut self, file: &mut SqliteConnection) -> Result<bool, CopyError> {
        // After a fault nobody knows what has become of the last batch: only the copy does.
        let (log, place) = match self.log.take() {
            Some(known) => known,
            None => self.find(file).await?,
        };
        let rows = self.next(file, place).await.map_err(|e| self.unreadable(&e))?;
        self.status.send_modify(|status| status.behind = rows.at.first().map(|at| Instant(*at as u64)));
        let (Some(&seq), Some(&at)) = (rows.seq.last(), rows.at.last()) else {
            self.well(0);
            self.log = Some((log, place));
            return Ok(false);
        };
        sync(&self.options.log).map_err(|e| CopyError(format!("event log {}: {e}", self.options.log.display())))?;
        let inserted = self.table.insert(&log, &rows).await?;
        // Fewer: some were there. The statement of a process that died, or another gateway's? The next round will see.
        if inserted == rows.seq.len() as u64 {
            self.log = Some((log, Place { seq, at }));
        }
        self.well(inserted);
        Ok(true)
    }

    /// How far the copy is, if it is one of this log.
    async fn find(&self, file: &mut SqliteConnection) -> Result<(String, Place), CopyError> {
        let unreadable = |e: sqlx::Error| self.unreadable(&e);
        let row =
            file.fetch_one("SELECT log, (SELECT min(seq) FROM events) FROM identity").await.map_err(unreadable)?;
        let (log, oldest): (String, Option<i64>) = (row.get(0), row.get(1));
        let Some(place) = self.table.newest(&log).await? else { return Ok((log, Place::default())) };
        let find = sqlx::query("SELECT at_us FROM events WHERE seq = ?").bind(place.seq);
        let here = file.fetch_optional(find).await.map_err(unreadable)?;
        let same = match here {
            Some(row) => row.get::<i64, _>(0) == place.at,
            // Deleted here for its age: the copy lacks what was deleted after it.
            None => oldest.is_some_and(|oldest| oldest > place.seq),
        };
        match same {
            true => Ok((log, place)),
            false => Err(self.table.trouble(&format!(
                "its event {} of log {log} is not the one of {}: was the log restored from a backup, or does another \
                 gateway write a copy of this file? Nothing is shipped until that is settled; deploy/README.md says how",
                place.seq,
                self.options.log.display()
            ))),
        }
    }

    async fn next(&self, file: &mut SqliteConnection, place: Place) -> Result<Columns, sqlx::Error> {
        let mut rows = Columns::default();
        for row in file.fetch_all(sqlx::query(NEXT).bind(place.seq).bind(self.options.batch)).await? {
            rows.seq.push(row.try_get(0)?);
            rows.at.push(row.try_get(1)?);
            rows.kind.push(row.try_get(2)?);
            rows.call.push(row.try_get(3)?);
            rows.agent.push(row.try_get(4)?);
            rows.what.push(row.try_get(5)?);
        }
        Ok(rows)
    }

    /// A copy that keeps what it should not is no reason to ship nothing: the role may be one that only adds.
    async fn prune(&mut self) {
        self.prune_at = Moment::now() + self.options.prune_every;
        let Some((log, _)) = &self.log else { return };
        let keep = u64::try_from(self.options.keep.as_micros()).unwrap_or(u64::MAX);
        let before = Clock::start().now().0.saturating_sub(keep) as i64;
        let more = match self.table.delete_before(log, before, PRUNED_AT_ONCE).await {
            Ok(deleted) => deleted == u64::from(PRUNED_AT_ONCE),
            Err(error) => {
                tracing::warn!(%error, "old events cannot be deleted from the event log's copy; tried again tomorrow");
                false
            }
        };
        if more {
            self.prune_at = Moment::now();
        }
    }

    fn well(&mut self, copied: u64) {
        self.backoff.reset();
        self.status.send_modify(|status| {
            status.copied += copied;
            if status.trouble.take().is_some() {
                tracing::info!("the event log's copy is written again");
            }
        });
    }

    fn failed(&self, error: CopyError) {
        if self.status.borrow().trouble.is_none() {
            tracing::error!(%error, "the event log cannot be copied: events wait in the log on this machine");
        }
        self.status.send_modify(|status| status.trouble = Some(error.0.into()));
    }

    fn unreadable(&self, e: &sqlx::Error) -> CopyError {
        CopyError(format!("event log {}: {e}", self.options.log.display()))
    }
}

/// What was read is on the disk then: the log's writer leaves that to the system, but a number that the copy knows must not
/// be given a second time when the power has failed. Without this file, all is in the log proper, and synced.
fn sync(log: &Path) -> std::io::Result<()> {
    let mut name = log.as_os_str().to_owned();
    name.push("-wal");
    match std::fs::File::open(name) {
        Ok(file) => file.sync_data(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
