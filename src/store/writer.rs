//! The task that owns the spool file. Belongs here: when to commit, what to do when the disk refuses. Not here: SQL
//! (`store::file`), the case store (`store::deliver`).
//!
//! Group commit: everything queued goes into one transaction; what arrives while it is being synced shares the next, and
//! what finds nothing under way is committed at once.
//! Removing delivered entries rides on a commit that is made anyway, or waits for a quiet moment: it needs no hurry,
//! since an entry delivered twice is recognised by its call id.

// A ticket moves from the queue to a batch and perhaps to the kept ones: a pointer moves cheaper than half a kilobyte.
#![allow(clippy::vec_box)]

use super::backoff::Backoff;
use super::callbacks::Unwritten;
use super::file::{Entry, SetAside, Settled, SpoolFile};
use super::spool::{OutcomeSink, SpoolOptions, SpoolOutcome, SpoolStatus};
use crate::event::CallbackChange;
use crate::ticket::NewTicket;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

/// Most tickets in one commit.
const BATCH: usize = 512;
/// How long settled entries wait for a commit to ride on.
const SETTLE_DELAY: Duration = Duration::from_millis(250);

/// What the file's owner is asked to do beside writing new tickets.
#[derive(Debug)]
pub enum Ask {
    Read {
        after: i64,
        limit: u32,
        reply: oneshot::Sender<Result<Vec<Entry>, String>>,
    },
    Settle(Settled),
    /// What is set aside, up to so many.
    SetAside {
        limit: u32,
        reply: oneshot::Sender<Result<Vec<SetAside>, String>>,
    },
    /// Deliver these once more.
    PutBack {
        seqs: Vec<i64>,
        reply: oneshot::Sender<Result<u64, String>>,
    },
    /// Write what is queued, now.
    Flush {
        done: oneshot::Sender<()>,
    },
    /// Write what is queued, close the file, end the task.
    Stop {
        done: oneshot::Sender<()>,
    },
}

pub struct Writer {
    options: SpoolOptions,
    /// `None` after a fault, until it can be opened again.
    file: Option<SpoolFile>,
    /// Numbers given out before a fault are not given again: the deliverer has passed them.
    first_seq: i64,
    queue: mpsc::Receiver<Box<NewTicket>>,
    changes: mpsc::Receiver<CallbackChange>,
    /// Of the callback list, on their way to the file.
    unwritten: Unwritten,
    asks: mpsc::Receiver<Ask>,
    outcomes: OutcomeSink,
    status: watch::Sender<SpoolStatus>,
    /// Refused by the disk; oldest first.
    kept: VecDeque<Box<NewTicket>>,
    backoff: Backoff,
    retry_at: Instant,
    /// Delivered, but not yet removed from the file.
    settled: Option<Settled>,
    settle_at: Instant,
}

impl Writer {
    pub fn new(
        options: SpoolOptions,
        file: SpoolFile,
        queue: mpsc::Receiver<Box<NewTicket>>,
        changes: mpsc::Receiver<CallbackChange>,
        asks: mpsc::Receiver<Ask>,
        outcomes: OutcomeSink,
        status: watch::Sender<SpoolStatus>,
    ) -> Self {
        let now = Instant::now();
        Writer {
            backoff: Backoff::new(options.retry.0, options.retry.1),
            options,
            first_seq: file.next_seq(),
            file: Some(file),
            queue,
            changes,
            unwritten: Unwritten::default(),
            asks,
            outcomes,
            status,
            kept: VecDeque::new(),
            retry_at: now,
            settled: None,
            settle_at: now,
        }
    }

    pub async fn run(mut self) {
        let mut batch = Vec::with_capacity(BATCH);
        let stopped = loop {
            // In this order nothing starves: the deliverer asks one thing at a time, the two sleeps are rare.
            tokio::select! {
                biased;
                Some(ask) = self.asks.recv() => match ask {
                    Ask::Read { after, limit, reply } => {
                        let _ = reply.send(self.read(after, limit).await);
                    }
                    Ask::Settle(settled) => self.note_settled(settled),
                    Ask::SetAside { limit, reply } => {
                        let _ = reply.send(self.set_aside(limit).await);
                    }
                    Ask::PutBack { seqs, reply } => {
                        let _ = reply.send(self.put_back(&seqs).await);
                    }
                    Ask::Flush { done } => {
                        self.flush(&mut batch).await;
                        let _ = done.send(());
                    }
                    Ask::Stop { done } => break Some(done),
                },
                _ = sleep_until(self.retry_at), if !self.kept.is_empty() || !self.unwritten.is_empty() => {
                    if !self.kept.is_empty() {
                        self.write_kept().await;
                    }
                    self.write_changes().await;
                }
                _ = sleep_until(self.settle_at), if self.settled.is_some() => self.settle().await,
                n = self.queue.recv_many(&mut batch, BATCH) => {
                    if n == 0 {
                        break None;
                    }
                    self.write(&mut batch).await;
                    self.write_changes().await;
                }
                Some(change) = self.changes.recv() => {
                    self.unwritten.note(change, self.options.kept);
                    self.write_changes().await;
                }
            }
        };
        self.queue.close();
        self.changes.close();
        self.flush(&mut batch).await;
        for ticket in &self.kept {
            tracing::error!(call = %ticket.call, agent = %ticket.agent, queue = %ticket.queue,
                "ticket lost: the spool's disk still refuses it at shutdown; open this call's ticket by hand");
        }
        self.settle().await;
        if let Some(file) = self.file.take() {
            file.close().await;
        }
        if let Some(done) = stopped {
            let _ = done.send(());
        }
    }

    /// Writes everything put so far, with one more try for what the disk has refused.
    async fn flush(&mut self, batch: &mut Vec<Box<NewTicket>>) {
        while let Ok(ticket) = self.queue.try_recv() {
            batch.push(ticket);
            if batch.len() == BATCH {
                self.write(batch).await;
            }
        }
        self.write(batch).await;
        while !self.kept.is_empty() && self.write_kept().await {}
        self.write_changes().await;
    }

    /// Commits `batch` and reports each ticket. Leaves `batch` empty.
    async fn write(&mut self, batch: &mut Vec<Box<NewTicket>>) {
        if batch.is_empty() {
            return;
        }
        let result = self.append(batch).await;
        match result {
            Ok(()) => {
                self.report(batch.iter().map(|t| SpoolOutcome::Spooled { call: t.call }));
                batch.clear();
                // The disk takes tickets again: no need to wait with the kept ones.
                self.retry_at = Instant::now();
            }
            Err(why) => {
                self.report(batch.iter().map(|t| SpoolOutcome::Failed { call: t.call }));
                self.kept.extend(batch.drain(..));
                self.trouble(why);
            }
        }
    }

    /// One more try for the oldest tickets the disk has refused; whether it took them.
    async fn write_kept(&mut self) -> bool {
        let mut batch: Vec<_> = self.kept.drain(..self.kept.len().min(BATCH)).collect();
        match self.append(&batch).await {
            Ok(()) => {
                tracing::info!(
                    tickets = batch.len(),
                    "the spool's disk takes tickets again; kept ones are now durable"
                );
                self.retry_at = Instant::now();
                self.status.send_modify(|s| s.kept = self.kept.len() as u64);
                true
            }
            Err(why) => {
                while let Some(ticket) = batch.pop() {
                    self.kept.push_front(ticket);
                }
                self.trouble(why);
                false
            }
        }
    }

    /// Commits what has come for the callback list, and what the disk refused before.
    async fn write_changes(&mut self) {
        while let Ok(change) = self.changes.try_recv() {
            self.unwritten.note(change, self.options.kept);
        }
        if self.unwritten.is_empty() {
            return;
        }
        let changes = std::mem::take(&mut self.unwritten);
        let result = match self.open().await {
            Ok(file) => changes.write(file.connection()).await,
            Err(e) => Err(e),
        };
        if let Err(e) = result {
            self.unwritten = changes;
            let why = self.faulted(e).await;
            return self.trouble(why);
        }
        if self.kept.is_empty() {
            self.backoff.reset();
            self.status.send_modify(|s| s.trouble = None);
        }
    }

    /// Makes `tickets` durable; what is settled rides along.
    async fn append(&mut self, tickets: &[Box<NewTicket>]) -> Result<(), String> {
        let settled = self.settled.take();
        let result = match self.open().await {
            Ok(file) => file.append(tickets, settled.as_ref()).await,
            Err(e) => Err(e),
        };
        if let Err(e) = result {
            self.settled = settled;
            return Err(self.faulted(e).await);
        }
        self.backoff.reset();
        self.status.send_modify(|s| {
            s.depth += tickets.len() as u64;
            s.commits += 1;
            s.trouble = None;
        });
        self.forget(settled);
        Ok(())
    }

    async fn settle(&mut self) {
        let Some(settled) = self.settled.take() else { return };
        let result = match self.open().await {
            Ok(file) => file.settle(&settled).await,
            Err(e) => Err(e),
        };
        match result {
            Ok(()) => self.forget(Some(settled)),
            Err(e) => {
                self.settled = Some(settled);
                let why = self.faulted(e).await;
                self.settle_at = Instant::now() + self.options.retry.1;
                tracing::warn!(error = %why, "delivered tickets could not be removed from the spool; retrying");
            }
        }
    }

    async fn read(&mut self, after: i64, limit: u32) -> Result<Vec<Entry>, String> {
        let result = match self.open().await {
            Ok(file) => file.read(after, limit).await,
            Err(e) => Err(e),
        };
        match result {
            Ok(entries) => Ok(entries),
            Err(e) => Err(self.faulted(e).await),
        }
    }

    async fn set_aside(&mut self, limit: u32) -> Result<Vec<SetAside>, String> {
        // What was refused a moment ago is among them.
        self.settle().await;
        let result = match self.open().await {
            Ok(file) => file.set_aside(limit).await,
            Err(e) => Err(e),
        };
        match result {
            Ok(found) => Ok(found),
            Err(e) => Err(self.faulted(e).await),
        }
    }

    async fn put_back(&mut self, seqs: &[i64]) -> Result<u64, String> {
        let result = match self.open().await {
            Ok(file) => file.put_back(seqs).await,
            Err(e) => Err(e),
        };
        match result {
            Ok(count) => {
                self.status.send_modify(|s| {
                    s.depth += count;
                    s.set_aside = s.set_aside.saturating_sub(count);
                    s.commits += 1;
                });
                Ok(count)
            }
            Err(e) => Err(self.faulted(e).await),
        }
    }

    fn note_settled(&mut self, new: Settled) {
        match &mut self.settled {
            Some(settled) => settled.merge(new),
            None => {
                self.settled = Some(new);
                self.settle_at = Instant::now() + SETTLE_DELAY;
            }
        }
    }

    /// The file no longer holds these.
    fn forget(&mut self, settled: Option<Settled>) {
        if let Some(settled) = settled {
            self.status.send_modify(|s| {
                s.depth = s.depth.saturating_sub(settled.count);
                s.set_aside += settled.refused.len() as u64;
            });
        }
    }

    async fn open(&mut self) -> Result<&mut SpoolFile, sqlx::Error> {
        if self.file.is_none() {
            let (file, counts) = SpoolFile::open(&self.options.path, self.options.max_bytes, self.first_seq).await?;
            self.status.send_modify(|s| (s.depth, s.set_aside) = (counts.depth, counts.set_aside));
            self.file = Some(file);
        }
        Ok(self.file.as_mut().expect("opened above"))
    }

    /// A full disk leaves the file in order; after any other fault it is opened anew, which recovers it.
    async fn faulted(&mut self, e: sqlx::Error) -> String {
        const SQLITE_FULL: &str = "13";
        let full = e.as_database_error().and_then(|e| e.code()).is_some_and(|c| c == SQLITE_FULL);
        if !full && let Some(file) = self.file.take() {
            self.first_seq = file.next_seq();
            file.close().await;
        }
        format!("{}: {e}", self.options.path.display())
    }

    /// The disk has refused: bound what is kept, set the next attempt, say so once.
    fn trouble(&mut self, why: String) {
        let mut lost = 0;
        while self.kept.len() > self.options.kept {
            let ticket = self.kept.pop_back().expect("longer than a bound");
            tracing::error!(call = %ticket.call, agent = %ticket.agent, queue = %ticket.queue,
                "ticket lost: the spool's disk refuses and memory for kept tickets is full; open it by hand");
            lost += 1;
        }
        self.retry_at = Instant::now() + self.backoff.failed();
        let first = self.status.borrow().trouble.is_none();
        if first {
            tracing::error!(error = %why, "the spool's disk refuses tickets: pickups go on, tickets are kept in memory");
        }
        self.status.send_modify(|s| {
            s.kept = self.kept.len() as u64;
            s.lost += lost;
            s.trouble = Some(why.into());
        });
    }

    fn report(&mut self, outcomes: impl Iterator<Item = SpoolOutcome>) {
        let outcomes: Vec<_> = outcomes.collect();
        (self.outcomes)(&outcomes);
    }
}
