//! From the spool to the case store, in order, exactly once. Belongs here: batches, retries, what a refusal means.
//! Not here: the spool file (`store::file`), the store's own promises (`cases::CaseStore`).
//!
//! Exactly once = at least once (an entry leaves the spool only when the store has answered for it) + the store's
//! unique call id. One batch is in flight at a time, so the order of pickups is the order of opening.

use super::backoff::Backoff;
use super::file::{Entry, Settled, now_ms};
use super::spool::SpoolStatus;
use super::writer::Ask;
use crate::cases::{CaseStore, Outcome, StoreError};
use crate::ticket::NewTicket;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

#[derive(Clone, Debug)]
pub struct DeliverOptions {
    /// Most tickets in one call to the store.
    pub batch: u32,
    /// After a commit, how long to let tickets gather: nobody waits for the case store, and fuller batches cost less.
    pub linger: Duration,
    /// Between attempts while the store is unavailable: first, and longest.
    pub retry: (Duration, Duration),
    /// A store that has not answered by then counts as unavailable.
    pub attempt: Duration,
    /// How often a store with nothing to do is asked whether it is well.
    pub health: Duration,
}

impl Default for DeliverOptions {
    fn default() -> Self {
        DeliverOptions {
            batch: 256,
            linger: Duration::from_millis(50),
            retry: (Duration::from_millis(100), Duration::from_secs(30)),
            attempt: Duration::from_secs(60),
            health: Duration::from_secs(10),
        }
    }
}

/// Counts are since start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryStatus {
    /// Tickets the store opened for us.
    pub opened: u64,
    /// Tickets it had already: sent before a crash or a lost answer.
    pub already_open: u64,
    /// Tickets it refused for good.
    pub refused: u64,
    pub failed_attempts: u64,
    /// Why the store is unavailable; `None` while it answers.
    pub trouble: Option<Arc<str>>,
    /// When the oldest ticket in hand was spooled, milliseconds since the UNIX epoch; `None` with nothing in hand.
    pub oldest: Option<u64>,
}

impl DeliveryStatus {
    /// How long the oldest ticket in hand has been waiting for the store.
    pub fn lag(&self) -> Duration {
        Duration::from_millis(self.oldest.map_or(0, |at| now_ms().saturating_sub(at)))
    }
}

pub fn start<C: CaseStore>(
    options: DeliverOptions,
    cases: C,
    asks: mpsc::Sender<Ask>,
    spool: watch::Receiver<SpoolStatus>,
) -> (watch::Receiver<DeliveryStatus>, JoinHandle<()>) {
    let (status, seen) = watch::channel(DeliveryStatus::default());
    let backoff = Backoff::new(options.retry.0, options.retry.1);
    let deliverer = Deliverer { options, cases, asks, spool, status, backoff, through: 0 };
    (seen, tokio::spawn(deliverer.run()))
}

struct Deliverer<C> {
    options: DeliverOptions,
    cases: C,
    asks: mpsc::Sender<Ask>,
    spool: watch::Receiver<SpoolStatus>,
    status: watch::Sender<DeliveryStatus>,
    backoff: Backoff,
    /// Answered for, up to here.
    through: i64,
}

/// The spool's writer has ended.
struct Stopped;

impl<C: CaseStore> Deliverer<C> {
    /// Ends when the spool does.
    async fn run(mut self) {
        let _: Result<(), Stopped> = async {
            loop {
                let commits = self.spool.borrow_and_update().commits;
                let entries = self.read().await?;
                if entries.is_empty() {
                    self.rest(commits).await?;
                } else {
                    self.status.send_modify(|s| s.oldest = Some(entries[0].spooled_at));
                    let settled = self.deliver(entries).await;
                    self.through = settled.through;
                    self.asks.send(Ask::Settle(settled)).await.map_err(|_| Stopped)?;
                    self.status.send_modify(|s| s.oldest = None);
                }
            }
        }
        .await;
    }

    /// The next entries, in order; waits while the spool cannot be read.
    async fn read(&mut self) -> Result<Vec<Entry>, Stopped> {
        loop {
            let (reply, answer) = oneshot::channel();
            let ask = Ask::Read { after: self.through, limit: self.options.batch, reply };
            self.asks.send(ask).await.map_err(|_| Stopped)?;
            match answer.await.map_err(|_| Stopped)? {
                Ok(entries) => return Ok(entries),
                Err(error) => {
                    tracing::warn!(%error, "the ticket spool cannot be read; retrying");
                    sleep(self.backoff.failed()).await;
                }
            }
        }
    }

    /// Until a commit after the one numbered `seen` brings tickets; looks after the idle store meanwhile.
    async fn rest(&mut self, seen: u64) -> Result<(), Stopped> {
        loop {
            let news = timeout(self.options.health, self.spool.wait_for(|s| s.commits != seen)).await;
            match news.map(|seen| seen.map(drop)) {
                Ok(Ok(())) => break,
                Ok(Err(_)) => return Err(Stopped),
                Err(_) => match timeout(self.options.attempt, self.cases.health()).await {
                    Ok(Ok(())) => self.well(),
                    Ok(Err(e)) => self.unavailable(e),
                    Err(_) => self.unavailable(no_answer(self.options.attempt)),
                },
            }
        }
        sleep(self.options.linger).await;
        Ok(())
    }

    /// Until the store has answered for every one of `entries`.
    async fn deliver(&mut self, entries: Vec<Entry>) -> Settled {
        let mut settled = Settled {
            through: entries.last().map_or(self.through, |e| e.seq),
            count: entries.len() as u64,
            refused: Vec::new(),
        };
        let (mut seqs, mut tickets) = (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
        for entry in entries {
            match entry.ticket {
                Ok(ticket) => {
                    seqs.push(entry.seq);
                    tickets.push(ticket);
                }
                Err(why) => self.refused(entry.seq, None, why, &mut settled),
            }
        }
        let outcomes = self.open(&tickets).await;
        let (mut opened, mut already_open) = (0, 0);
        for ((seq, ticket), outcome) in seqs.into_iter().zip(&tickets).zip(outcomes) {
            match outcome {
                Outcome::Opened { ticket_no } => {
                    tracing::debug!(call = %ticket.call, ticket_no, "ticket opened");
                    opened += 1;
                }
                Outcome::AlreadyOpen { ticket_no } => {
                    tracing::debug!(call = %ticket.call, ticket_no, "ticket was already open");
                    already_open += 1;
                }
                Outcome::Refused { why } => self.refused(seq, Some(ticket), why, &mut settled),
            }
        }
        self.status.send_modify(|s| {
            s.opened += opened;
            s.already_open += already_open;
            s.refused += settled.refused.len() as u64;
        });
        settled
    }

    /// Until the store answers. An outcome per ticket.
    async fn open(&mut self, tickets: &[NewTicket]) -> Vec<Outcome> {
        if tickets.is_empty() {
            return Vec::new();
        }
        loop {
            let error = match timeout(self.options.attempt, self.cases.open_tickets(tickets)).await {
                Ok(Ok(outcomes)) if outcomes.len() == tickets.len() => {
                    self.well();
                    return outcomes;
                }
                Ok(Ok(outcomes)) => StoreError {
                    reason: format!("case store answered {} outcomes for {} tickets", outcomes.len(), tickets.len()),
                },
                Ok(Err(e)) => e,
                Err(_) => no_answer(self.options.attempt),
            };
            self.unavailable(error);
            sleep(self.backoff.failed()).await;
        }
    }

    /// Poison: it must not block the tickets behind it.
    fn refused(&self, seq: i64, ticket: Option<&NewTicket>, why: String, settled: &mut Settled) {
        tracing::error!(
            call = ticket.map(|t| tracing::field::display(t.call)),
            seq,
            why,
            "the case store refuses this ticket for good; it is set aside in the spool"
        );
        settled.refused.push((seq, why));
    }

    fn well(&mut self) {
        self.backoff.reset();
        let was_in_trouble = self.status.borrow().trouble.is_some();
        if was_in_trouble {
            self.status.send_modify(|s| s.trouble = None);
            tracing::info!("the case store answers again");
        }
    }

    fn unavailable(&self, error: StoreError) {
        let first = self.status.borrow().trouble.is_none();
        if first {
            tracing::error!(%error, "the case store is unavailable: pickups go on, tickets wait in the spool");
        }
        self.status.send_modify(|s| {
            s.failed_attempts += 1;
            s.trouble = Some(error.reason.as_str().into());
        });
    }
}

fn no_answer(after: Duration) -> StoreError {
    StoreError { reason: format!("case store gave no answer within {after:?}") }
}
