//! The facts since a moment, held in memory and kept up to date from the log: for whoever asks every second. Belongs here: where
//! the facts end and the log goes on. Not here: what is counted of it (`api`).
//!
//! Whoever holds it is told each call once, when it is over; those that are up are there to be looked at.

use super::file::learn;
use super::read::{FactsError, FactsReader};
use crate::record::{CallRecord, Fold};
use crate::store::journal;
use crate::time::Instant;
use std::path::Path;

/// Events read at once.
const BATCH: u32 = 4_096;

pub struct Live {
    fold: Fold,
    seq: u64,
}

/// The log is not the one that was followed, or has left events out: begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl Live {
    /// As of the events folded so far. `tell`: of each call that is over and counts since `since`.
    ///
    /// # Errors
    /// The facts cannot be read.
    pub fn begin(
        facts: &mut FactsReader,
        since: Instant,
        mut tell: impl FnMut(&CallRecord),
    ) -> Result<Live, FactsError> {
        let now = facts.now()?;
        facts.each_call(since, Instant(u64::MAX), |record| {
            if record.ended.is_some() {
                tell(&record);
            }
        })?;
        Ok(Live { fold: Fold::resume(now.at, now.calls, now.agents), seq: now.seq })
    }

    /// What has been recorded since. `tell`: of each call that is over now.
    ///
    /// # Errors
    /// [`Broken`], or the log cannot be read.
    pub async fn go_on(
        &mut self,
        log: &Path,
        mut tell: impl FnMut(&CallRecord),
    ) -> Result<Result<(), Broken>, journal::JournalError> {
        loop {
            let events = journal::after(log, self.seq, BATCH).await?;
            let more = events.len() == BATCH as usize;
            if events.is_empty() {
                let newest = journal::bounds(log).await?.map_or(0, |(_, newest)| newest);
                return Ok(if newest == self.seq { Ok(()) } else { Err(Broken) });
            }
            for event in events {
                if event.seq != self.seq + 1 {
                    return Ok(Err(Broken));
                }
                self.seq = event.seq;
                learn(&mut self.fold, event);
            }
            let changes = self.fold.take();
            changes.calls.iter().filter(|record| record.ended.is_some()).for_each(&mut tell);
            if !more {
                return Ok(Ok(()));
            }
        }
    }

    /// The last event that is in it.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Of the last event.
    pub fn at(&self) -> Instant {
        self.fold.now()
    }

    /// Calls that are up.
    pub fn calls(&self) -> impl Iterator<Item = &CallRecord> {
        self.fold.open()
    }
}
