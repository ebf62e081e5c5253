//! Following the log: the gateway's thread that folds what is committed, and a command's catching up. Not here: what is
//! done with the events (`file`).

use super::file::{BATCH, FactsFile};
use super::read::FactsError;
use crate::store::journal;
use sqlx::Connection;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant as Moment, sleep};

#[derive(Clone, Debug)]
pub struct FactsOptions {
    /// The event log.
    pub log: PathBuf,
    pub facts: PathBuf,
    /// Commits of the log within this time are folded together.
    pub gather: Duration,
    /// After a fault.
    pub retry: Duration,
}

impl FactsOptions {
    pub fn new(log: impl Into<PathBuf>, facts: impl Into<PathBuf>) -> Self {
        FactsOptions {
            log: log.into(),
            facts: facts.into(),
            gather: Duration::from_millis(500),
            retry: Duration::from_secs(5),
        }
    }
}

/// Said at most so often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// Starts the folding thread, which ends when the log's writer (whose `commits` these are) has ended and all is folded.
pub fn start(options: FactsOptions, mut commits: watch::Receiver<u64>) -> std::io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut complained: Option<Moment> = None;
    let follow = async move {
        loop {
            let over = commits.has_changed().is_err();
            commits.mark_unchanged();
            // The writer makes the log, and complains if it cannot.
            let folded = if options.log.is_file() { fold_all(&options).await } else { Ok(()) };
            let pause = match folded {
                Ok(()) => options.gather,
                Err(error) => {
                    if complained.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY) {
                        complained = Some(Moment::now());
                        tracing::error!(%error, "the facts of reports cannot be brought up to date; calls and the event \
                            log are not affected, and it is tried again");
                    }
                    options.retry
                }
            };
            if over {
                return;
            }
            let changed = async {
                sleep(pause).await;
                commits.changed().await
            };
            let _ = changed.await;
        }
    };
    std::thread::Builder::new().name("facts".into()).spawn(move || runtime.block_on(follow))
}

/// Folds everything the log has. Creates the facts if there are none.
///
/// # Errors
/// The log is not there or cannot be read, or the facts cannot be written.
pub fn catch_up(log: &Path, facts: &Path) -> Result<(), FactsError> {
    let options = FactsOptions::new(log, facts);
    journal::block_on(fold_all(&options)).map_err(|e| FactsError { path: facts.into(), why: e })?
}

/// One opening per round: whatever was wrong with a file, the next round finds it as it is then.
async fn fold_all(options: &FactsOptions) -> Result<(), FactsError> {
    let of = |path: &Path| {
        let path = path.to_owned();
        move |e: sqlx::Error| FactsError { path, why: e.to_string() }
    };
    let mut log = journal::open(&options.log).await.map_err(|e| FactsError { path: e.path, why: e.why })?;
    let mut facts = FactsFile::open(&options.facts).await.map_err(of(&options.facts))?;
    let done = loop {
        match facts.fold_on(&mut log, BATCH).await {
            Ok(events) if events < u64::from(BATCH) => break Ok(()),
            Ok(_) => {}
            Err(error) => break Err(of(&options.facts)(error)),
        }
    };
    facts.close().await;
    let _ = log.close().await;
    done
}
