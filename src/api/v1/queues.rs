//! `/v1/queues`: who waits, and today's counts.

use super::V1;
use super::problem::Problem;
use super::sla::midnight;
use super::time::{Moment, seconds};
use crate::host::Clock;
use crate::ids::QueueName;
use crate::record::CallRecord;
use crate::sla::Part;
use crate::time::Instant;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

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

pub async fn list(State(api): State<Arc<V1>>) -> Result<Json<QueuesNow>, Problem> {
    let clock = Clock::start().now();
    let settings = api.sources.queues.clone();
    let answer = api.facts(move |facts| {
        let now = facts.now()?;
        let mut parts: BTreeMap<_, _> =
            settings.iter().map(|queue| (queue.name.clone(), (queue.within, Part::new(&[])))).collect();
        facts.each_call(midnight(clock), Instant(i64::MAX as u64), |record| {
            let asked = record.asked.as_ref().and_then(|asked| parts.get_mut(&asked.queue));
            if let Some((within, part)) = asked {
                part.request(&record, *within);
            }
        })?;
        let at = clock.max(now.at);
        let queues = settings.iter().filter_map(|queue| {
            let waiting: Vec<Instant> =
                now.calls.iter().filter_map(waits).filter(|(name, _)| **name == queue.name).map(|(_, at)| at).collect();
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
        Ok(QueuesNow { seq: now.seq, at: Moment(at), queues: queues.collect() })
    });
    answer.await.map(Json)
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
