//! The spool as its users see it. Belongs here: putting a ticket, its outcome, the spool's status. Not here: the
//! writing task (`store::writer`), the file's SQL (`store::file`), delivery (`store::deliver`).

use super::callbacks;
use super::file::{SetAside, SpoolFile};
use super::writer::{Ask, Writer};
use crate::event::{CallbackChange, CallbackEntry};
use crate::ids::CallId;
use crate::ticket::NewTicket;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

#[derive(Clone, Debug)]
pub struct SpoolOptions {
    pub path: PathBuf,
    /// Tickets waiting for the writer. Full only when the disk has hung for this many pickups.
    pub queue: usize,
    /// Tickets kept in memory while the disk refuses them.
    pub kept: usize,
    /// The file may grow to this; then it refuses like a full disk. About 1 kB per undelivered ticket.
    pub max_bytes: u64,
    /// Between attempts to write what the disk refused: first, and longest.
    pub retry: (Duration, Duration),
}

impl SpoolOptions {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        SpoolOptions {
            path: path.into(),
            queue: 10_000,
            kept: 10_000,
            max_bytes: 1 << 30,
            retry: (Duration::from_millis(100), Duration::from_secs(5)),
        }
    }
}

/// What became of one ticket put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpoolOutcome {
    /// Durable on this machine's disk.
    Spooled { call: CallId },
    /// The disk refused it now. It is kept in memory and written when the disk takes it again.
    Failed { call: CallId },
}

/// The queue is full or the spool is closed: this ticket is not kept. Logged and counted as lost.
#[derive(Debug)]
pub struct PutRefused(pub Box<NewTicket>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolStatus {
    /// Durable here and not yet answered for by the case store.
    pub depth: u64,
    /// In memory only, because the disk refuses.
    pub kept: u64,
    /// Refused by the case store for good; they stay in the file for people to look at.
    pub set_aside: u64,
    /// Not stored anywhere: the queue or the memory for kept tickets was full. Must be 0. Since start.
    pub lost: u64,
    /// Why the last write failed; `None` while the disk takes tickets.
    pub trouble: Option<Arc<str>>,
    /// Counts commits that added tickets: what the deliverer waits on.
    pub commits: u64,
}

impl SpoolStatus {
    pub fn is_empty(&self) -> bool {
        self.depth == 0 && self.kept == 0
    }
}

/// The spool could not be opened: the gateway must not take calls it could not ticket.
#[derive(Debug)]
pub struct SpoolError {
    pub path: PathBuf,
    pub source: sqlx::Error,
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.source.as_database_error().and_then(|e| e.code());
        let advice = match code.as_deref() {
            Some("5") => "another gateway is using it; stop that one, or give this one a spool of its own",
            Some("8" | "14" | "1544") => "its folder must exist and be writable by this user",
            Some("11" | "26") => "it is damaged or not a spool; move it aside (it may hold tickets) and start again",
            _ => "it must be a file on a working local disk",
        };
        write!(f, "ticket spool {}: {} ({advice})", self.path.display(), self.source)
    }
}

impl std::error::Error for SpoolError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Where tickets are put. Cheap to clone; usable from any thread.
#[derive(Clone, Debug)]
pub struct Spool {
    tickets: mpsc::Sender<Box<NewTicket>>,
    callbacks: mpsc::Sender<CallbackChange>,
    asks: mpsc::Sender<Ask>,
    status: watch::Sender<SpoolStatus>,
}

impl Spool {
    /// Never blocks. The outcome comes to the sink given at opening. On refusal no outcome comes: the caller has it.
    pub fn put(&self, ticket: Box<NewTicket>) -> Result<(), PutRefused> {
        self.tickets.try_send(ticket).map_err(|e| {
            let ticket = e.into_inner();
            self.status.send_modify(|s| s.lost += 1);
            tracing::error!(call = %ticket.call, agent = %ticket.agent, queue = %ticket.queue,
                "ticket lost: the spool's queue is full; open this call's ticket by hand");
            PutRefused(ticket)
        })
    }

    /// Keeps a change of the callback list; it shares the next commit. Never blocks, and no outcome comes: a disk that
    /// refuses is tried again.
    pub fn keep(&self, change: CallbackChange) {
        if let Err(e) = self.callbacks.try_send(change) {
            self.status.send_modify(|s| s.lost += 1);
            let (CallbackChange::Put(CallbackEntry { of, .. }) | CallbackChange::Gone { of, .. }) = e.into_inner();
            tracing::error!(%of, "a change of the callback list is lost: the spool's queue is full");
        }
    }

    pub fn status(&self) -> watch::Receiver<SpoolStatus> {
        self.status.subscribe()
    }

    /// Returns when everything put before is durable (or refused).
    pub async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        self.ask(Ask::Flush { done }, wait).await;
    }

    /// Tickets that the case store refused for good, up to `limit`.
    pub async fn set_aside(&self, limit: u32) -> Result<Vec<SetAside>, String> {
        let (reply, answer) = oneshot::channel();
        self.answer(Ask::SetAside { limit, reply }, answer).await
    }

    /// Delivers these of them once more, in their order; how many there were.
    pub async fn put_back(&self, seqs: Vec<i64>) -> Result<u64, String> {
        let (reply, answer) = oneshot::channel();
        self.answer(Ask::PutBack { seqs, reply }, answer).await
    }

    async fn answer<T>(&self, ask: Ask, answer: oneshot::Receiver<Result<T, String>>) -> Result<T, String> {
        let closed = || "the spool is closed".to_owned();
        self.asks.send(ask).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    pub(super) async fn stop(&self) {
        let (done, wait) = oneshot::channel();
        self.ask(Ask::Stop { done }, wait).await;
    }

    async fn ask(&self, ask: Ask, wait: oneshot::Receiver<()>) {
        if self.asks.send(ask).await.is_ok() {
            let _ = wait.await;
        }
    }
}

/// What the writer tells the signalling loop, a commit's worth at a time.
pub(super) type OutcomeSink = Box<dyn FnMut(&[SpoolOutcome]) + Send>;

pub(super) async fn open(
    options: SpoolOptions,
    outcomes: OutcomeSink,
) -> Result<(Spool, Vec<CallbackEntry>, mpsc::Sender<Ask>, JoinHandle<()>), SpoolError> {
    let failed = |source| SpoolError { path: options.path.clone(), source };
    let (mut file, counts) = SpoolFile::open(&options.path, options.max_bytes, 1).await.map_err(failed)?;
    let kept = callbacks::read(file.connection()).await.map_err(failed)?;
    if counts.depth > 0 {
        tracing::info!(tickets = counts.depth, "the spool holds tickets from an earlier run; delivering them");
    }
    let (status, _) = watch::channel(SpoolStatus {
        depth: counts.depth,
        kept: 0,
        set_aside: counts.set_aside,
        lost: 0,
        trouble: None,
        commits: 0,
    });
    let (tickets, queue) = mpsc::channel(options.queue);
    // The deliverer asks one thing at a time; `Stop` comes beside it.
    let (asks, asked) = mpsc::channel(4);
    let (callbacks, changes) = mpsc::channel(options.queue);
    let spool = Spool { tickets, callbacks, asks: asks.clone(), status: status.clone() };
    let writer = Writer::new(options, file, queue, changes, asked, outcomes, status);
    Ok((spool, kept, asks, tokio::spawn(writer.run())))
}
