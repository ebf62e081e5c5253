//! `/v1/queues`: who waits, and today's counts.

use super::V1;
use super::board::{self, Counts, Of};
use super::problem::Problem;
use super::time::{Moment, seconds};
use crate::config::settings::QueueSettings;
use crate::store::facts::Live;
use crate::time::Instant;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
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
    let settings = &api.sources.queues;
    let shown = board::with(&api, |live, counts, at| {
        let queues = settings.iter().filter_map(|queue| shown(live, counts, at, queue)).collect();
        QueuesNow { seq: live.seq(), at: Moment(at), queues }
    });
    shown.await.map(Json)
}

fn shown(live: &Live, counts: &Counts, at: Instant, queue: &QueueSettings) -> Option<Queue> {
    let of = Of::Queue(queue.name.clone());
    let (waiting, longest) = board::waiting(live, counts, &of, at);
    let counters = &counts.today(&of)?.counters;
    Some(Queue {
        name: queue.name.to_string(),
        within_s: seconds(queue.within),
        waiting,
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
}
