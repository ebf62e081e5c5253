//! The event log: every call and agent event on disk, in order, numbered from 1 without gaps, so that "why did this call
//! go there?" and a past day can be looked up. Belongs here: what is recorded, and handing it over. Not here: the
//! writing thread (`writer`), SQL (`file`), looking up (`read`), what is folded from it (`super::facts`).
//!
//! Invariants. Nobody waits for the log: what its queue does not take, or a failing disk makes it leave out, is counted
//! and marked in the log itself, in its place, as a [`Entry::Gap`]. A process that dies loses at most the last batch.
//! The keys a caller pressed are not kept (they may be a PIN), only that one was; the number is kept as the fact has it.

mod file;
mod read;
mod source;
mod writer;

pub(super) use file::Fields;
pub use read::{JournalError, after, bounds, for_each, of_call, read_day};
pub(super) use read::{block_on, identity, open};
pub(super) use source::{Bounds, Source};

use crate::event::{AgentEvent, CallEvent, CallFact, LeaderEvent};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

#[derive(Clone, Debug)]
pub struct JournalOptions {
    pub path: PathBuf,
    /// Events waiting for the disk: at a thousand calls a second, several seconds' worth.
    pub queue: usize,
    /// A batch is written when it is so large or so old.
    pub batch: usize,
    pub window: Duration,
    /// Between attempts to write what the disk refused.
    pub retry: Duration,
    /// Older events are deleted.
    pub keep: Duration,
    /// Between deletions, and from the start to the first.
    pub prune_every: Duration,
}

impl JournalOptions {
    pub fn new(path: impl Into<PathBuf>, keep: Duration) -> Self {
        JournalOptions {
            path: path.into(),
            queue: 65_536,
            batch: 512,
            window: Duration::from_millis(200),
            retry: Duration::from_secs(1),
            keep,
            prune_every: Duration::from_secs(24 * 3_600),
        }
    }
}

/// One row of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// From 1, without gaps.
    pub seq: u64,
    pub at: Instant,
    pub what: Entry,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    Call(CallEvent),
    Agent(AgentEvent),
    Leader(LeaderEvent),
    /// A gateway began to write here: calls that were up before and have no end were lost with the process.
    Started,
    /// So many events are missing here.
    Gap {
        missed: u64,
        why: GapWhy,
    },
    /// Written by a version that this one does not understand: its JSON.
    Unknown(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapWhy {
    /// The log's queue was full: the disk was slow or refused.
    QueueFull,
    /// The gateway's observer was behind and left events out.
    Observer,
}

/// How the log is doing; shared with its threads.
#[derive(Debug, Default)]
pub struct JournalStatus {
    written: AtomicU64,
    dropped: AtomicU64,
    failing: AtomicBool,
    /// Missed after the last event that got through; the writer marks them when it ends.
    unmarked: Mutex<Option<Gap>>,
}

/// [`JournalStatus`] at one moment. Counts are since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalFigures {
    /// Events, without the marks of gaps.
    pub written: u64,
    /// Missing from the log.
    pub dropped: u64,
    /// The disk refuses now.
    pub failing: bool,
}

impl JournalStatus {
    pub fn read(&self) -> JournalFigures {
        JournalFigures {
            written: self.written.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            failing: self.failing.load(Ordering::Relaxed),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Gap {
    at: Instant,
    missed: u64,
    why: GapWhy,
}

#[derive(Debug)]
enum Message {
    Call(CallEvent),
    Agent(AgentEvent),
    Leader(LeaderEvent),
    Gap(Gap),
    Started(Instant),
}

impl Message {
    /// The mark of a gap is none: what it stands for has been counted already.
    fn is_event(&self) -> bool {
        !matches!(self, Message::Gap(_) | Message::Started(_))
    }

    /// What a row was written for.
    fn again(at: Instant, entry: &Entry) -> Option<Message> {
        match entry {
            Entry::Call(event) => Some(Message::Call(event.clone())),
            Entry::Agent(event) => Some(Message::Agent(event.clone())),
            Entry::Leader(event) => Some(Message::Leader(event.clone())),
            Entry::Gap { missed, why } => Some(Message::Gap(Gap { at, missed: *missed, why: *why })),
            Entry::Started => Some(Message::Started(at)),
            Entry::Unknown(_) => None,
        }
    }
}

/// The sending side. Dropping it ends the log in order: what is queued is written.
#[derive(Debug)]
pub struct Journal {
    queue: mpsc::Sender<Message>,
    status: Arc<JournalStatus>,
    missing: Option<Gap>,
    complained: Option<std::time::Instant>,
    commits: watch::Receiver<u64>,
}

/// Said at most so often.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// Starts the writing thread. A file that cannot be opened is tried again and again: the hotline answers all the same.
pub fn start(options: JournalOptions) -> std::io::Result<(Journal, Arc<JournalStatus>, JoinHandle<()>)> {
    let (queue, events) = mpsc::channel(options.queue);
    let status = Arc::new(JournalStatus::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (committed, commits) = watch::channel(0);
    let writer = writer::Writer::new(options, events, status.clone(), committed);
    let thread = std::thread::Builder::new().name("journal".into()).spawn(move || runtime.block_on(writer.run()))?;
    Ok((Journal { queue, status: status.clone(), missing: None, complained: None, commits }, status, thread))
}

/// Appends a record that is complete already - of a day in virtual time, say - to the log at `path`, which no gateway writes.
///
/// # Errors
/// The file cannot be written.
pub fn write_all(path: &Path, events: &[(Instant, Entry)]) -> Result<(), JournalError> {
    let messages: Vec<Message> = events.iter().filter_map(|(at, entry)| Message::again(*at, entry)).collect();
    let write = async {
        let mut file = file::EventFile::open(path).await?;
        for part in messages.chunks(AT_ONCE) {
            file.append(&part.iter().map(file::Row::of).collect::<Vec<_>>()).await?;
        }
        file.close().await;
        Ok(())
    };
    read::block_on(write)
        .and_then(|done| done.map_err(|e: sqlx::Error| e.to_string()))
        .map_err(|why| JournalError { path: path.to_owned(), why })
}

const AT_ONCE: usize = 4_096;

impl Journal {
    /// Counts commits: for whoever reads the log behind its writer. It ends with the writer.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.clone()
    }

    pub fn call(&mut self, event: &CallEvent) {
        let mut event = event.clone();
        if let CallFact::Digit(key) = &mut event.what {
            *key = '?';
        }
        let at = event.at;
        self.put(at, Message::Call(event));
    }

    pub fn agent(&mut self, event: &AgentEvent) {
        self.put(event.at, Message::Agent(event.clone()));
    }

    pub fn leader(&mut self, event: &LeaderEvent) {
        self.put(event.at, Message::Leader(event.clone()));
    }

    /// The caller of this could not hand over so many events before the next one.
    pub fn missed(&mut self, at: Instant, events: u64) {
        self.note(Gap { at, missed: events, why: GapWhy::Observer });
    }

    fn put(&mut self, at: Instant, message: Message) {
        // The mark goes where the events are missing: before the next one that gets through.
        if let Some(gap) = self.missing.take()
            && self.queue.try_send(Message::Gap(gap)).is_err()
        {
            self.missing = Some(gap);
        }
        let lost = match self.missing {
            Some(_) => true,
            None => matches!(self.queue.try_send(message), Err(TrySendError::Full(_) | TrySendError::Closed(_))),
        };
        if lost {
            self.note(Gap { at, missed: 1, why: GapWhy::QueueFull });
        }
    }

    fn note(&mut self, gap: Gap) {
        self.status.dropped.fetch_add(gap.missed, Ordering::Relaxed);
        match &mut self.missing {
            Some(missing) => missing.missed += gap.missed,
            None => self.missing = Some(gap),
        }
        if self.complained.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY) {
            self.complained = Some(std::time::Instant::now());
            let dropped = self.status.dropped.load(Ordering::Relaxed);
            tracing::error!(dropped, why = ?gap.why, "events are missing from the event log; calls are not affected");
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if let (Some(gap), Ok(mut unmarked)) = (self.missing.take(), self.status.unmarked.lock()) {
            *unmarked = Some(gap);
        }
    }
}
