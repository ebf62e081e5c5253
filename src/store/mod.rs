//! Local durability: a ticket is on this machine's disk before its pickup is reported, and reaches the case store
//! behind it, exactly once, whenever that store can take it; the list of citizens to be called back, kept beside it; and
//! the log of events (`journal`) with the facts folded from it (`facts`) and its copy in a database (`copy`). Belongs here:
//! the spool, its delivery, the log. Not here: what a case store is (`cases`), what a ticket says (`ticket`), when one is opened (`call`).
//!
//! ```text
//! signalling loop --put--> writer task (owns the spool file) <--ask: read, settle-- deliverer task --> CaseStore
//!        ^----- Spooled / Failed ----'
//! ```
//! Invariants. The spool file has one owner, the writer; it holds the file's lock, so two gateways cannot share one.
//! A ticket leaves the spool only after the case store has answered for it; a crash in between sends it again, and
//! the call id makes the second time harmless. What concerns one ticket is delivered in the order it was put: one batch
//! is in flight at a time, and what is put back after a refusal keeps its order. Who adds commands about a ticket to the
//! spool sets aside with a refused one all later ones of its call. Everything is bounded: the queue, the tickets kept in memory while
//! the disk refuses, the file.

pub(crate) mod backoff;
mod callbacks;
pub mod copy;
pub mod deliver;
pub mod door;
pub mod facts;
mod file;
pub mod journal;
pub mod spool;
mod writer;

pub use deliver::{DeliverOptions, DeliveryStatus};
pub use file::SetAside;
pub use spool::{PutRefused, Spool, SpoolError, SpoolOptions, SpoolOutcome, SpoolStatus};

use crate::cases::CaseStore;
use crate::event::CallbackEntry;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The spool and its deliverer, running on the current tokio runtime.
pub struct Store {
    spool: Spool,
    callbacks: Vec<CallbackEntry>,
    delivery: watch::Receiver<DeliveryStatus>,
    writer: JoinHandle<()>,
    deliverer: JoinHandle<()>,
    /// None: its socket could not be opened, which has been logged.
    door: Option<JoinHandle<()>>,
}

impl Store {
    /// Opens (or creates) the spool and starts delivering what an earlier run left in it. `outcomes` is called by the
    /// writer task, once per commit; it must not block.
    pub async fn open<C: CaseStore>(
        spool: SpoolOptions,
        deliver: DeliverOptions,
        cases: C,
        outcomes: impl FnMut(&[SpoolOutcome]) + Send + 'static,
    ) -> Result<Store, SpoolError> {
        let path = spool.path.clone();
        let (spool, callbacks, asks, writer) = spool::open(spool, Box::new(outcomes)).await?;
        let door = door::open(spool.clone(), &path)
            .inspect_err(|error| {
                let socket = door::path(&path);
                tracing::warn!(socket = %socket.display(), %error, "`rexian spool` cannot reach this gateway");
            })
            .ok();
        let (delivery, deliverer) = deliver::start(deliver, cases, asks, spool.status());
        Ok(Store { spool, callbacks, delivery, writer, deliverer, door })
    }

    pub fn spool(&self) -> Spool {
        self.spool.clone()
    }

    /// Citizens to be called back, as an earlier run left them. The first time; then they are with the gateway.
    pub fn take_callbacks(&mut self) -> Vec<CallbackEntry> {
        std::mem::take(&mut self.callbacks)
    }

    pub fn delivery(&self) -> watch::Receiver<DeliveryStatus> {
        self.delivery.clone()
    }

    /// Waits up to `patience` for everything to be delivered, then makes the rest durable and closes the file.
    /// Call it after the last `put`. Returns how many tickets the next start will deliver.
    pub async fn close(self, patience: Duration) -> u64 {
        let mut status = self.spool.status();
        self.spool.flush().await;
        let _ = tokio::time::timeout(patience, status.wait_for(SpoolStatus::is_empty)).await;
        if let Some(door) = self.door {
            door.abort();
        }
        self.deliverer.abort();
        let _ = self.deliverer.await;
        self.spool.stop().await;
        let _ = self.writer.await;
        let left = status.borrow();
        left.depth + left.kept
    }
}
