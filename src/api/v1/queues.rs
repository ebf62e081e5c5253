//! `/v1/queues`: who waits, and today's counts.

use super::V1;
use super::events::unreadable;
use super::problem::Problem;
use super::sla::midnight;
use super::time::{Moment, seconds};
use crate::api::logs::{Log, LogError};
use crate::config::settings::QueueSettings;
use crate::host::Clock;
use crate::ids::QueueName;
use crate::record::CallRecord;
use crate::sla::Part;
use crate::store::facts::{Broken, Live};
use crate::time::Instant;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

#[derive(Serialize, JsonSchema)]
pub struct QueuesNow {
    /// The last event this includes: go on with `/v1/events?after_seq=`.
    seq: u64,
    at: Moment,
    queues: Vec<Queue>,
}

#[derive(Serialize, JsonSchema)]
struct Queue {
    name: String,
    /// N of "within N seconds".
    within_s: f64,
    /// Callers who wait for an agent, ringing included.
    waiting: usize,
    longest_wait_s: f64,
    today: Today,
}

/// Since midnight in China, by the queue asked first; test calls left out.
#[derive(Serialize, JsonSchema)]
struct Today {
    /// Requests for a human, those still waiting included.
    offered: u64,
    answered: u64,
    answered_within: u64,
    abandoned: u64,
    refused: u64,
    timed_out: u64,
}

/// Today's counts of calls that are over, which further events only add to; so that who asks every second costs nothing.
pub(super) struct Board {
    midnight: Instant,
    live: Live,
    /// By queue, with its N.
    parts: BTreeMap<QueueName, (Duration, Part)>,
    commits: watch::Receiver<u64>,
}

pub async fn list(State(api): State<Arc<V1>>) -> Result<Json<QueuesNow>, Problem> {
    let clock = Clock::start().now();
    // One brings it up to date, and the others have the answer then.
    let mut place = api.board.lock().await;
    let kept = match place.take().filter(|board| board.midnight == midnight(clock)) {
        Some(mut board) => board.go_on(&api).await?.is_ok().then_some(board),
        None => None,
    };
    let board = match kept {
        Some(board) => board,
        None => {
            let mut board = Board::begin(&api, midnight(clock)).await?;
            // Broken at once: the facts are folded of this log later; until then they are what there is.
            let _ = board.go_on(&api).await?;
            board
        }
    };
    let answer = board.shown(clock, &api.sources.queues);
    *place = Some(board);
    Ok(Json(answer))
}

/// The event log, and a count of its commits.
fn journal(api: &V1) -> Result<(PathBuf, watch::Receiver<u64>), Problem> {
    match api.log()? {
        Log::Calls { path, changed } => Ok((path, changed)),
        Log::Tickets { .. } => Err(Problem::unavailable("no event log is kept")),
    }
}

impl Board {
    async fn begin(api: &V1, midnight: Instant) -> Result<Board, Problem> {
        let (_, mut commits) = journal(api)?;
        commits.mark_changed();
        let queues = api.sources.queues.iter().map(|queue| (queue.name.clone(), (queue.within, Part::new(&[]))));
        let mut parts: BTreeMap<_, _> = queues.collect();
        let begun = api.facts(move |facts| {
            let live = Live::begin(facts, midnight, |record| count(&mut parts, midnight, record))?;
            Ok((live, parts))
        });
        let (live, parts) = begun.await?;
        Ok(Board { midnight, live, parts, commits })
    }

    async fn go_on(&mut self, api: &V1) -> Result<Result<(), Broken>, Problem> {
        if !self.commits.has_changed().unwrap_or(true) {
            return Ok(Ok(()));
        }
        self.commits.mark_unchanged();
        let (log, _) = journal(api)?;
        let (parts, midnight) = (&mut self.parts, self.midnight);
        let read = self.live.go_on(&log, |record| count(parts, midnight, record)).await;
        read.map_err(|e| unreadable(&LogError::Calls(e)))
    }

    fn shown(&self, clock: Instant, settings: &[QueueSettings]) -> QueuesNow {
        let mut parts = self.parts.clone();
        self.live.calls().for_each(|record| count(&mut parts, self.midnight, record));
        let at = clock.max(self.live.at());
        let queues = settings.iter().filter_map(|queue| {
            let waiting = self.live.calls().filter_map(waits).filter(|(name, _)| **name == queue.name);
            let waiting: Vec<Instant> = waiting.map(|(_, since)| since).collect();
            let longest = waiting.iter().map(|since| at.since(*since)).max().unwrap_or_default();
            let (within, Part { counters, .. }) = parts.get(&queue.name)?;
            Some(Queue {
                name: queue.name.to_string(),
                within_s: seconds(*within),
                waiting: waiting.len(),
                longest_wait_s: seconds(longest),
                today: Today {
                    offered: counters.offered,
                    answered: counters.answered,
                    answered_within: counters.answered_within,
                    abandoned: counters.abandoned(),
                    refused: counters.refused(),
                    timed_out: counters.timed_out(),
                },
            })
        });
        QueuesNow { seq: self.live.seq(), at: Moment(at), queues: queues.collect() }
    }
}

fn count(parts: &mut BTreeMap<QueueName, (Duration, Part)>, midnight: Instant, record: &CallRecord) {
    let asked = record.asked.as_ref().filter(|_| record.counted_at() >= midnight);
    if let Some((within, part)) = asked.and_then(|asked| parts.get_mut(&asked.queue)) {
        part.request(record, *within);
    }
}

/// The queue that a caller waits in, and since when: a wait goes on after a move, and begins anew after a pickup.
pub(super) fn waits(record: &CallRecord) -> Option<(&QueueName, Instant)> {
    let asked = record.asked.as_ref().filter(|_| record.ended.is_none())?;
    let entered = record.moves.last().unwrap_or(asked);
    match record.segments.last() {
        None => Some((&entered.queue, asked.at)),
        Some(last) => {
            let over = last.until.filter(|over| last.passed_on && entered.at >= *over)?;
            Some((&entered.queue, over))
        }
    }
}
