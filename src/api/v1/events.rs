//! `/v1/events` and `/v1/tickets/events`: a log, from any of its numbers on; as a page, or as a stream that goes on. Not here: WebSocket's
//! framing (`socket`), an event's shape (`event`).

use super::V1;
use super::calls::id_of;
use super::event::Event;
use super::extract::{Asked, Named};
use super::problem::Problem;
use super::socket;
use super::tickets::Happening;
use crate::api::listener::Lease;
use crate::api::logs::{Log, LogError, Told};
use crate::store::journal;
use axum::Json;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response, sse};
use futures_util::{Stream, StreamExt, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};

/// Which events.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    /// Those after this number; 0 for the log's first. Without it a stream begins with what happens from now on, and a
    /// page with the first.
    after_seq: Option<u64>,
    /// Of a page: 1 to 1000, of tickets' events at most 500 come; 200 by default.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
pub struct Events {
    events: Vec<Event>,
    /// Ask on with `after_seq`.
    last_seq: u64,
}

#[derive(Serialize, JsonSchema)]
pub struct TicketEvents {
    events: Vec<Happening>,
    /// Ask on with `after_seq`.
    last_seq: u64,
}

/// Either of the two.
#[derive(Serialize)]
struct Page {
    events: Vec<Value>,
    last_seq: u64,
}

/// Read at once.
const BATCH: u32 = 500;
const PATIENCE: Duration = Duration::from_secs(2);
/// So that whatever is in between does not take the stream for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub async fn list(
    State(api): State<Arc<V1>>,
    asked: Asked<EventsQuery>,
    request: Request,
) -> Result<Response, Problem> {
    serve(&api, api.log()?, asked, request).await
}

/// What happens to tickets.
pub async fn of_tickets(
    State(api): State<Arc<V1>>,
    asked: Asked<EventsQuery>,
    request: Request,
) -> Result<Response, Problem> {
    serve(&api, api.office()?.log.clone(), asked, request).await
}

async fn serve(api: &V1, log: Log, Asked(asked): Asked<EventsQuery>, request: Request) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let (oldest, newest) = log.bounds().await.map_err(|e| unreadable(&e))?;
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.ok();
    let streams = upgrade.is_some() || accepts_stream(&parts.headers);
    // After a break in the connection the browser says where it was.
    let resumed = parts.headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let after = resumed.or(asked.after_seq).unwrap_or(if streams { newest } else { oldest - 1 });
    if after.saturating_add(1) < oldest {
        return Err(Problem::gone(format!(
            "the log begins with event {oldest}: take a snapshot, and go on after its seq"
        )));
    }
    if after > newest {
        let why = "the log has been replaced, or has lost its end: take a snapshot, and go on after its seq";
        return Err(Problem::conflict(format!("after_seq is beyond the newest event, {newest}; {why}")));
    }
    if !streams {
        let limit = asked.limit.unwrap_or(200);
        if !(1..=1000).contains(&limit) {
            return Err(Problem::bad_request("limit is 1 to 1000"));
        }
        let told = read(&log, after, limit).await?;
        let last_seq = told.back().map_or(after, |told| told.seq);
        return Ok(Json(Page { events: told.into_iter().map(|told| told.event).collect(), last_seq }).into_response());
    }
    let place = api.streams.clone().try_acquire_owned();
    let place = place.map_err(|_| Problem::busy("so many streams are open already; close one, or ask again later"))?;
    if let Some(ConnectInfo(lease)) = parts.extensions.get::<ConnectInfo<Lease>>() {
        lease.extend();
    }
    let stream = follow(log, after, place);
    match upgrade {
        Some(upgrade) => Ok(upgrade.on_upgrade(move |socket| socket::send(socket, stream))),
        None => {
            let events = stream.map(|told| Ok::<_, Infallible>(as_sse(&told)));
            Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response())
        }
    }
}

pub async fn of_call(State(api): State<Arc<V1>>, Named(call): Named) -> Result<Json<Events>, Problem> {
    let id = id_of(&call)?;
    let Log::Calls { path, .. } = api.log()? else { return Err(Problem::unavailable("no event log is kept")) };
    let _place = api.readers.acquire().await.map_err(|_| Problem::unavailable("stopping"))?;
    let found = tokio::task::spawn_blocking(move || journal::of_call(&path, id)).await;
    let found =
        found.map_err(|_| Problem::unavailable("the reader failed"))?.map_err(|e| unreadable(&LogError::Calls(e)))?;
    let events: Vec<Event> = found.into_iter().map(Event::from).collect();
    match events.last().map(|event| event.seq) {
        Some(last_seq) => Ok(Json(Events { events, last_seq })),
        None => Err(Problem::not_found(format!("the event log has no call {call}"))),
    }
}

impl V1 {
    pub(super) fn log(&self) -> Result<Log, Problem> {
        let off = "no event log is kept: name a file as events in [storage]";
        self.sources.events.clone().ok_or_else(|| Problem::unavailable(off))
    }
}

fn accepts_stream(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|kind| kind.trim().starts_with("text/event-stream"))
}

fn as_sse(told: &Told) -> sse::Event {
    sse::Event::default().id(told.seq.to_string()).data(told.event.to_string())
}

/// Every event after `after`, for as long as the log is written. `_place` is held as long.
fn follow(log: Log, after: u64, _place: OwnedSemaphorePermit) -> impl Stream<Item = Told> + Send + Unpin {
    struct Follower {
        log: Log,
        after: u64,
        ready: VecDeque<Told>,
        changed: watch::Receiver<u64>,
        _place: OwnedSemaphorePermit,
    }
    let changed = log.changed();
    let follower = Follower { log, after, ready: VecDeque::new(), changed, _place };
    let events = stream::unfold(follower, |mut follower| async move {
        loop {
            if let Some(told) = follower.ready.pop_front() {
                follower.after = told.seq;
                return Some((told, follower));
            }
            follower.changed.mark_unchanged();
            match read(&follower.log, follower.after, BATCH).await {
                Ok(told) if !told.is_empty() => follower.ready = told,
                Ok(_) => follower.changed.changed().await.ok()?,
                // Whoever reads comes again, and is told why it is refused then.
                Err(_) => return None,
            }
        }
    });
    Box::pin(events)
}

async fn read(log: &Log, after: u64, limit: u32) -> Result<VecDeque<Told>, Problem> {
    let reading = tokio::time::timeout(PATIENCE, log.after(after, limit)).await;
    let read = reading.map_err(|_| Problem::unavailable("the log is not read in time"))?;
    read.map(VecDeque::from).map_err(|e| unreadable(&e))
}

pub(super) fn unreadable(error: &LogError) -> Problem {
    tracing::warn!(%error, "an API request cannot be answered from a log of events");
    Problem::unavailable("the log cannot be read now; the gateway's log says why")
}
