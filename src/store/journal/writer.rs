//! The thread that owns the event log: when to commit, what to do when the disk refuses. Not here: SQL (`file`).

use super::file::{EventFile, Row};
use super::{COMPLAIN_EVERY, JournalOptions, JournalStatus, Message};
use crate::host::Clock;
use crate::time::Instant;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant as Moment, sleep, sleep_until, timeout_at};

/// Rows deleted in one go, so that a batch of events never waits long for its turn.
const PRUNED_AT_ONCE: u32 = 2_000;
const PRUNE_PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Writer {
    options: JournalOptions,
    queue: mpsc::Receiver<Message>,
    status: Arc<JournalStatus>,
    /// `None` until it can be opened, and after a fault.
    file: Option<EventFile>,
    /// Not yet told to the file: when this run began.
    began: Option<Instant>,
    complained: Option<Moment>,
    committed: watch::Sender<u64>,
}

impl Writer {
    pub(super) fn new(
        options: JournalOptions,
        queue: mpsc::Receiver<Message>,
        status: Arc<JournalStatus>,
        committed: watch::Sender<u64>,
    ) -> Self {
        Writer { options, queue, status, file: None, began: Some(Clock::start().now()), complained: None, committed }
    }

    pub(super) async fn run(mut self) {
        let mut batch = Vec::with_capacity(self.options.batch);
        // Opens the file at once, so that a wrong path is noticed at start.
        self.write(&mut batch, false).await;
        let mut prune_at = Moment::now() + self.options.prune_every;
        loop {
            tokio::select! {
                biased;
                () = sleep_until(prune_at) => {
                    let more = self.prune().await;
                    prune_at = Moment::now() + if more { PRUNE_PAUSE } else { self.options.prune_every };
                }
                taken = self.queue.recv_many(&mut batch, self.options.batch) => {
                    if taken == 0 {
                        break;
                    }
                    self.gather(&mut batch).await;
                    self.write(&mut batch, true).await;
                }
            }
        }
        let unmarked = self.status.unmarked.lock().ok().and_then(|mut unmarked| unmarked.take());
        batch.extend(unmarked.map(Message::Gap));
        self.write(&mut batch, true).await;
        if let Some(file) = self.file.take() {
            file.close().await;
        }
    }

    /// Waits for more to share the commit.
    async fn gather(&mut self, batch: &mut Vec<Message>) {
        let deadline = Moment::now() + self.options.window;
        while batch.len() < self.options.batch {
            let room = self.options.batch - batch.len();
            match timeout_at(deadline, self.queue.recv_many(batch, room)).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }

    /// Writes `batch`, trying again while the disk refuses it: meanwhile the queue fills, and what it does not take is
    /// dropped there. `insist`: not to be given up but at the very end.
    async fn write(&mut self, batch: &mut Vec<Message>, insist: bool) {
        let mut rows: Vec<Row<'_>> =
            self.began.map(Row::started).into_iter().chain(batch.iter().map(Row::of)).collect();
        while !rows.is_empty() {
            match self.append(&rows).await {
                Ok(()) => {
                    let events = batch.iter().filter(|message| message.is_event()).count();
                    self.status.written.fetch_add(events as u64, Ordering::Relaxed);
                    self.status.failing.store(false, Ordering::Relaxed);
                    self.began = None;
                    self.committed.send_modify(|commits| *commits += 1);
                    rows.clear();
                }
                Err(error) => {
                    self.trouble(&error, batch.len());
                    if !insist {
                        break;
                    }
                    if self.queue.is_closed() {
                        self.give_up(batch);
                        break;
                    }
                    sleep(self.options.retry).await;
                }
            }
        }
        batch.clear();
    }

    async fn append(&mut self, rows: &[Row<'_>]) -> Result<(), sqlx::Error> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => EventFile::open(&self.options.path).await?,
        };
        match file.append(rows).await {
            Ok(()) => {
                self.file = Some(file);
                Ok(())
            }
            // Opened anew, the file is recovered, and numbered on from what is in it.
            Err(e) => {
                file.close().await;
                Err(e)
            }
        }
    }

    /// Nobody will ever write these.
    fn give_up(&mut self, batch: &[Message]) {
        let mut lost = batch.iter().filter(|message| message.is_event()).count() as u64;
        while let Ok(message) = self.queue.try_recv() {
            lost += u64::from(message.is_event());
        }
        self.status.dropped.fetch_add(lost, Ordering::Relaxed);
        tracing::error!(events = lost, file = %self.options.path.display(), "the event log ends without its last events");
    }

    /// Deletes some of what is too old; whether there is more.
    async fn prune(&mut self) -> bool {
        // The wall clock anew: a gateway runs for months.
        let keep = u64::try_from(self.options.keep.as_micros()).unwrap_or(u64::MAX);
        let before = Instant(Clock::start().now().0.saturating_sub(keep));
        let Some(file) = &mut self.file else { return false };
        match file.delete_before(before, PRUNED_AT_ONCE).await {
            Ok(deleted) => deleted == u64::from(PRUNED_AT_ONCE),
            Err(error) => {
                self.trouble(&error, 0);
                false
            }
        }
    }

    fn trouble(&mut self, error: &sqlx::Error, waiting: usize) {
        self.status.failing.store(true, Ordering::Relaxed);
        if self.complained.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY) {
            self.complained = Some(Moment::now());
            tracing::error!(%error, file = %self.options.path.display(), waiting,
                "the event log cannot be written: calls go on; look at the disk, or move the file away");
        }
    }
}
