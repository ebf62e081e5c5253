//! The API: what programs ask and are told, under `/v1`. Belongs here: who may ask what (`access`, `routes`), its
//! description (`openapi`, `page`), errors (`problem`), and one module per thing that is asked for. Not here: the facts
//! (`store`), the figures (`sla`).
//!
//! Invariants. What is shown was recorded first: answers come from the event log and the facts folded from it, each with
//! the number of the last event it includes, so that a snapshot and the events after it make a whole. One table says each
//! path, its roles and its shapes; the router, the checks and the description are made of it.

pub mod access;
mod agents;
mod board;
mod calls;
pub(super) mod event;
mod events;
mod extract;
mod hooks;
mod memo;
mod openapi;
mod page;
mod problem;
mod queues;
mod recordings;
mod routes;
mod sla;
mod socket;
pub(super) mod tickets;
mod time;
mod wallboard;

use crate::api::logs::Log;
use crate::api::webhooks::Hook;
use crate::config::settings::{AgentSettings, ApiToken, QueueSettings};
use crate::media::recording::Library;
use crate::runtime::observer::Latest;
use crate::store::facts::{FactsError, FactsReader};
use access::{Access, SignedIn};
use axum::Router;
use problem::Problem;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;

pub use event::event_types;
pub use routes::{Operation, operations};
pub use tickets::{Office, event_types as ticket_event_types};

/// What the answers are made of.
pub struct Sources {
    pub tokens: Vec<ApiToken>,
    /// The event log.
    pub events: Option<Log>,
    pub facts: Option<PathBuf>,
    /// The webhooks at work, and what is kept of them.
    pub hooks: Vec<Hook>,
    pub ledger: Option<PathBuf>,
    pub queues: Vec<QueueSettings>,
    pub agents: Vec<AgentSettings>,
    /// Where tickets are worked on.
    pub office: Option<Office>,
    /// `None`: nothing is recorded.
    pub recordings: Option<Library>,
    /// What the gateway tells about itself every second.
    pub latest: Option<Latest>,
}

impl Sources {
    /// For a gateway that keeps nothing and answers nobody.
    pub fn none() -> Sources {
        Sources {
            tokens: vec![],
            events: None,
            facts: None,
            hooks: vec![],
            ledger: None,
            queues: vec![],
            agents: vec![],
            office: None,
            recordings: None,
            latest: None,
        }
    }
}

/// Answers in the making at once: each holds a thread and a file.
const READERS: usize = 8;
/// Streams of events at once.
const STREAMS: usize = 32;

/// What answers, whoever asks by whatever door.
#[derive(Clone)]
pub struct Api(Arc<V1>);

pub(super) struct V1 {
    sources: Sources,
    readers: Semaphore,
    board: tokio::sync::Mutex<Option<board::Board>>,
    periods: sla::Periods,
    wallboard: wallboard::Shown,
    days: agents::Days,
    streams: Arc<Semaphore>,
}

impl Api {
    pub fn new(sources: Sources) -> Api {
        let (readers, streams) = (Semaphore::new(READERS), Arc::new(Semaphore::new(STREAMS)));
        let (board, periods, wallboard, days) =
            (Default::default(), sla::periods(), wallboard::shown(), agents::days());
        Api(Arc::new(V1 { sources, readers, board, periods, wallboard, days, streams }))
    }

    /// For who has a token.
    pub fn router(&self) -> Router {
        routes::router(self.0.clone(), Arc::new(Access::new(&self.0.sources.tokens)))
    }

    /// Also for who is signed in.
    pub fn router_of_pages(&self, signed_in: SignedIn) -> Router {
        let access = Access::new(&self.0.sources.tokens).or(signed_in);
        routes::router(self.0.clone(), Arc::new(access))
    }
}

impl V1 {
    /// Asks the facts, on a thread that may wait for the disk.
    async fn facts<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut FactsReader) -> Result<T, FactsError> + Send + 'static,
    ) -> Result<T, Problem> {
        let off = "no facts are kept: name a file as facts in [storage]";
        let path = self.sources.facts.clone().ok_or_else(|| Problem::unavailable(off))?;
        let _place = self.readers.acquire().await.map_err(|_| Problem::unavailable("stopping"))?;
        let asked = tokio::task::spawn_blocking(move || FactsReader::open(&path).and_then(|mut facts| ask(&mut facts)));
        match asked.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::warn!(%error, "an API request cannot be answered from the facts");
                Err(Problem::unavailable("the facts cannot be read now; the gateway's log says why"))
            }
            Err(_) => Err(Problem::unavailable("the reader failed")),
        }
    }
}
