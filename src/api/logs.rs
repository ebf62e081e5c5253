//! The two logs that others follow: what happens to calls and agents, and what happens to tickets. Belongs here: reading either as
//! the API shows it. Not here: streams and pages of them (`v1::events`), deliveries (`webhooks`).
//!
//! Each has a `seq` of its own, from 1 and without gaps; they say nothing of each other. The first is this gateway's, and ends with
//! its files; the second is the case store's, the same for every gateway that works on it, and never deleted.

use super::v1::event::Event;
use super::v1::tickets::Happening;
use crate::cases::Cases;
use crate::cases::desk::{Desk, DeskError};
use crate::store::journal::{self, JournalError};
use crate::time::Instant;
use serde_json::Value;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::watch;

#[derive(Clone)]
pub enum Log {
    /// The event log; `changed` counts its commits.
    Calls { path: PathBuf, changed: watch::Receiver<u64> },
    /// `changed`: the newest seq. Connections belong to `world`, whoever asks.
    Tickets { desk: Arc<Desk<Cases>>, changed: watch::Receiver<u64>, world: Handle },
}

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub seq: u64,
    pub at: Instant,
    /// As the API shows it.
    pub event: Value,
}

#[derive(Debug)]
pub enum LogError {
    Calls(JournalError),
    Tickets(DeskError),
    Stopping,
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogError::Calls(error) => error.fmt(f),
            LogError::Tickets(error) => error.fmt(f),
            LogError::Stopping => f.write_str("the gateway stops"),
        }
    }
}

impl Log {
    /// The oldest and the newest entry; `(1, 0)`: there is none.
    pub async fn bounds(&self) -> Result<(u64, u64), LogError> {
        match self {
            Log::Calls { path, .. } => Ok(journal::bounds(path).await.map_err(LogError::Calls)?.unwrap_or((1, 0))),
            Log::Tickets { desk, world, .. } => {
                let desk = desk.clone();
                let newest = world.spawn(async move { desk.newest().await }).await.map_err(|_| LogError::Stopping)?;
                Ok((1, newest.map_err(LogError::Tickets)?.unsigned_abs()))
            }
        }
    }

    /// Those after `seq`, in order, at most so many.
    pub async fn after(&self, seq: u64, limit: u32) -> Result<Vec<Told>, LogError> {
        match self {
            Log::Calls { path, .. } => {
                let read = journal::after(path, seq, limit).await.map_err(LogError::Calls)?;
                Ok(read
                    .into_iter()
                    .map(|recorded| Told::call(recorded.seq, recorded.at, Event::from(recorded)))
                    .collect())
            }
            Log::Tickets { desk, world, .. } => {
                let (desk, seq) = (desk.clone(), i64::try_from(seq).unwrap_or(i64::MAX));
                let read = world.spawn(async move { desk.events(seq, limit).await }).await;
                let read = read.map_err(|_| LogError::Stopping)?.map_err(LogError::Tickets)?;
                let told = |event: crate::cases::desk::CaseEvent| {
                    let (seq, at) = (event.seq.unsigned_abs(), event.entry.at);
                    Told { seq, at, event: serde_json::to_value(Happening::from(event)).unwrap_or_default() }
                };
                Ok(read.into_iter().map(told).collect())
            }
        }
    }

    /// Changes when there may be more; its sender is gone when there will be none.
    pub fn changed(&self) -> watch::Receiver<u64> {
        match self {
            Log::Calls { changed, .. } | Log::Tickets { changed, .. } => changed.clone(),
        }
    }
}

impl Told {
    fn call(seq: u64, at: Instant, event: Event) -> Told {
        Told { seq, at, event: serde_json::to_value(event).unwrap_or_default() }
    }

    /// `call.answered`, `ticket.dispatched`, ...
    pub fn kind(&self) -> &str {
        self.event["type"].as_str().unwrap_or_default()
    }
}
