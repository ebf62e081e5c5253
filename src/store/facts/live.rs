//! The facts since a moment, held in memory and kept up to date from the log: for whoever asks every second. Belongs here: where
//! the facts end and the log goes on. Not here: what is counted of it (`api`).
//!
//! Whoever holds it is told each call once, when it is over, and of the wrap-ups that came after its end; calls that are up
//! are there to be looked at.

use super::file::learn;
use super::read::{FactsError, FactsReader};
use crate::ids::{AgentNo, CallId};
use crate::record::{CallRecord, Fold, Segment, Spell};
use crate::store::journal;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// Events read at once.
const BATCH: u32 = 4_096;

pub struct Live {
    fold: Fold,
    seq: u64,
    /// Over, but for an agent's wrap-up.
    wrapping_up: BTreeMap<CallId, CallRecord>,
}

/// What whoever holds it is told.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// The call is over.
    Over(&'a CallRecord),
    /// A wrap-up that the record had not yet when its call was over: of which conversation, and how long.
    WrappedUp(&'a CallRecord, &'a Segment, Duration),
}

/// The log is not the one that was followed, or has left events out: begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken;

impl Live {
    /// As of the events folded so far. `tell`: each call that is over and counts since `since`.
    ///
    /// # Errors
    /// The facts cannot be read.
    pub fn begin(facts: &mut FactsReader, since: Instant, mut tell: impl FnMut(Told<'_>)) -> Result<Live, FactsError> {
        let now = facts.now()?;
        facts.each_call(since, Instant(u64::MAX), |record| {
            if record.ended.is_some() {
                tell(Told::Over(&record));
            }
        })?;
        let mut wrapping_up = BTreeMap::new();
        for serving in now.agents.values().filter_map(|spell| spell.serving) {
            let over = facts.call(serving.call)?.filter(|record| record.ended.is_some());
            wrapping_up.extend(over.map(|record| (serving.call, record)));
        }
        Ok(Live { fold: Fold::resume(now.at, now.calls, now.agents), seq: now.seq, wrapping_up })
    }

    /// What has been recorded since.
    ///
    /// # Errors
    /// [`Broken`], or the log cannot be read.
    pub async fn go_on(
        &mut self,
        log: &Path,
        mut tell: impl FnMut(Told<'_>),
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
            self.pass_on(&mut tell);
            if !more {
                return Ok(Ok(()));
            }
        }
    }

    fn pass_on(&mut self, tell: &mut impl FnMut(Told<'_>)) {
        let changes = self.fold.take();
        for record in changes.calls.into_iter().filter(|record| record.ended.is_some()) {
            tell(Told::Over(&record));
            self.wrapping_up.insert(record.call, record);
        }
        for wrap_up in changes.wrap_ups {
            if let Some(record) = self.wrapping_up.get(&wrap_up.of.call)
                && let Some(segment) = record.segments.get(wrap_up.of.segment)
            {
                tell(Told::WrappedUp(record, segment, wrap_up.time));
            }
        }
        let agents = self.fold.agents();
        let awaited = |call: &CallId| agents.values().any(|spell| spell.serving.is_some_and(|of| of.call == *call));
        self.wrapping_up.retain(|call, _| awaited(call));
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

    /// Who is signed in.
    pub fn agents(&self) -> &BTreeMap<AgentNo, Spell> {
        self.fold.agents()
    }
}
