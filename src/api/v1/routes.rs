//! The table of everything that can be asked: path, who may, shapes. Belongs here: the table, and the router made of it.
//! Not here: the answers.

use super::access::Access;
use super::problem::Problem;
use super::{V1, agents, calls, events, hooks, openapi, page, queues, recordings, sla, tickets, wallboard};
use crate::casework::rights;
use crate::casework::words::{Action, Role};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use schemars::{Schema, SchemaGenerator};
use std::sync::Arc;

/// One thing that can be asked.
pub struct Operation {
    pub method: &'static str,
    pub path: &'static str,
    /// Stable: generated clients name their functions by it.
    pub id: &'static str,
    pub summary: &'static str,
    pub who: Who,
    /// The parameters, as an object's schema.
    pub query: Option<fn(&mut SchemaGenerator) -> Schema>,
    /// Headers it heeds, and what they say.
    pub headers: &'static [(&'static str, &'static str)],
    /// What is sent with it.
    pub body: Option<fn(&mut SchemaGenerator) -> Schema>,
    pub answer: fn(&mut SchemaGenerator) -> Schema,
    /// Statuses of the problems it may answer beside 401, 403 and 503.
    pub problems: &'static [u16],
    pub(super) handler: fn() -> MethodRouter<Arc<V1>>,
}

/// Who may ask.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    These(&'static [Role]),
    /// Those who may do this with tickets.
    May(Action),
}

impl Who {
    pub fn includes(self, role: Role) -> bool {
        match self {
            Who::These(roles) => roles.contains(&role),
            Who::May(action) => rights::may(role, action),
        }
    }

    pub fn roles(self) -> impl Iterator<Item = Role> {
        Role::GIVEN.into_iter().filter(move |role| self.includes(*role))
    }
}

/// All of them.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().chain(&tickets::READINGS).chain(&tickets::ACTS)
}

use Role::{HotlineOffice, Operator, PlatformEngineer, ShiftLeader, Wallboard};

/// Departments' clerks work on tickets, and have no part in the hotline itself.
const HOTLINE: Who = Who::These(&[Operator, ShiftLeader, HotlineOffice, PlatformEngineer, Wallboard]);
const STAFF: Who = Who::These(&[Operator, ShiftLeader, HotlineOffice, PlatformEngineer]);
pub(super) const LEADERS: Who = Who::These(&[ShiftLeader, HotlineOffice, PlatformEngineer]);
const ENGINEERS: Who = Who::These(&[PlatformEngineer]);
/// A recording tells all that is masked elsewhere.
const LISTENERS: Who = Who::These(&[ShiftLeader, HotlineOffice]);
const OVERSEERS: Who = Who::These(&[HotlineOffice, PlatformEngineer]);

const OPERATIONS: [Operation; 14] = [
    Operation {
        method: "GET",
        path: "/v1/queues",
        id: "listQueues",
        summary: "Every queue as it stands: who waits, for how long, and today's counts.",
        who: HOTLINE,
        query: None,
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<queues::QueuesNow>(),
        problems: &[],
        handler: || get(queues::list),
    },
    Operation {
        method: "GET",
        path: "/v1/agents",
        id: "listAgents",
        summary: "Every agent of the roster and what they do now.",
        who: STAFF,
        query: None,
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<agents::AgentsNow>(),
        problems: &[],
        handler: || get(agents::list),
    },
    Operation {
        method: "GET",
        path: "/v1/agents/today",
        id: "getOwnDay",
        summary: "The figures of the day so far of whoever asks, by their number. Computed three times a minute.",
        who: STAFF,
        query: None,
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<agents::OwnDay>(),
        problems: &[],
        handler: || get(agents::today),
    },
    Operation {
        method: "GET",
        path: "/v1/calls",
        id: "listCalls",
        summary: "Calls, latest first: those that are up (`up=true`), or those of a period, a page at a time.",
        who: LEADERS,
        query: Some(|g| g.subschema_for::<calls::CallsQuery>()),
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<calls::Calls>(),
        problems: &[400],
        handler: || get(calls::list),
    },
    Operation {
        method: "GET",
        path: "/v1/calls/{call}",
        id: "getCall",
        summary: "One call's record.",
        who: STAFF,
        query: None,
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<calls::Call>(),
        problems: &[400, 404],
        handler: || get(calls::one),
    },
    Operation {
        method: "GET",
        path: "/v1/calls/{call}/events",
        id: "getCallEvents",
        summary: "One call's events in order, with the gaps and restarts between them.",
        who: LEADERS,
        query: None,
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<events::Events>(),
        problems: &[400, 404],
        handler: || get(events::of_call),
    },
    Operation {
        method: "GET",
        path: "/v1/sla",
        id: "getSla",
        summary: "Every named figure of a period, in total and by queue, with its formula and the raw counts.",
        who: HOTLINE,
        query: Some(|g| g.subschema_for::<sla::SlaQuery>()),
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<sla::Sla>(),
        problems: &[400],
        handler: || get(sla::of_period),
    },
    Operation {
        method: "GET",
        path: "/v1/wallboard",
        id: "getWallboard",
        summary: "Everything a big screen shows: who waits, today's counts and figures, the connection rate of the last 24 \
            hours, agents by state, in total and by skill, and the trunks' channels. Computed at most once a second.",
        who: HOTLINE,
        query: None,
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<wallboard::Wallboard>(),
        problems: &[],
        handler: || get(wallboard::now),
    },
    Operation {
        method: "GET",
        path: "/v1/events",
        id: "listEvents",
        summary: "Events after `after_seq`, in order. JSON gives one page; with `Accept: text/event-stream` the events go \
            on as they happen (SSE: `Last-Event-ID` resumes); a WebSocket gets one event per text message.",
        who: LEADERS,
        query: Some(|g| g.subschema_for::<events::EventsQuery>()),
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<events::Events>(),
        problems: &[400, 409, 410],
        handler: || get(events::list),
    },
    Operation {
        method: "GET",
        path: "/v1/recordings",
        id: "listRecordings",
        summary: "What was recorded of a call: each conversation with an agent, and each part of it between holds.",
        who: LISTENERS,
        query: Some(|g| g.subschema_for::<recordings::RecordingsQuery>()),
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<recordings::Recordings>(),
        problems: &[400, 404],
        handler: || get(recordings::list),
    },
    Operation {
        method: "GET",
        path: "/v1/recordings/{recording}/audio",
        id: "getRecordingAudio",
        summary: "The sound, or the part that `Range` asks for (206), once it is written down with the call's ticket who listens. \
            WAV, A-law: the citizen left, whom the citizen hears right.",
        who: LISTENERS,
        query: None,
        headers: &[("Range", "bytes=0-1023, one range."), ("If-Range", "The `ETag` of what is there already.")],
        body: None,
        answer: recordings::sound,
        problems: &[400, 404, 416],
        handler: || get(recordings::audio),
    },
    Operation {
        method: "GET",
        path: "/v1/webhooks",
        id: "listWebhooks",
        summary: "Every webhook, how far it has been told, and why it is behind if it is.",
        who: OVERSEERS,
        query: None,
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<hooks::Webhooks>(),
        problems: &[],
        handler: || get(hooks::list),
    },
    Operation {
        method: "GET",
        path: "/v1/webhooks/{webhook}/dead-letters",
        id: "listDeadLetters",
        summary: "Events that a webhook's far end refused by themselves, in order.",
        who: OVERSEERS,
        query: Some(|g| g.subschema_for::<hooks::LettersQuery>()),
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<hooks::DeadLetters>(),
        problems: &[400, 404],
        handler: || get(hooks::letters),
    },
    Operation {
        method: "POST",
        path: "/v1/webhooks/{webhook}/dead-letters/{seq}/retry",
        id: "retryDeadLetter",
        summary: "Sends a dead letter again.",
        who: ENGINEERS,
        query: None,
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<hooks::SentAgain>(),
        problems: &[400, 404],
        handler: || post(hooks::again),
    },
];

pub(super) fn router(api: Arc<V1>, access: Arc<Access>) -> Router {
    let mut router = Router::new();
    for operation in operations() {
        let access = access.clone();
        let guard = move |request: Request, next: Next| admit(access.clone(), operation, request, next);
        router = router.route(operation.path, (operation.handler)().layer(from_fn(guard)));
    }
    router
        .route("/v1", get(page::overview))
        .route("/v1/openapi.json", get(openapi::description))
        .route("/v1/{*rest}", axum::routing::any(move |request: Request| nothing_there(access.clone(), request)))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .with_state(api)
}

/// Lets those through whose role may ask; the answer to all others is the same whatever is behind the path.
async fn admit(access: Arc<Access>, operation: &'static Operation, mut request: Request, next: Next) -> Response {
    let caller = match access.caller(request.headers()) {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let role = caller.role();
    if !operation.who.includes(role) {
        return Problem::forbidden(format!("{} is not for the role {}", operation.id, role.as_str())).into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Strangers do not learn what paths there are.
async fn nothing_there(access: Arc<Access>, request: Request) -> Problem {
    match access.caller(request.headers()) {
        Ok(_) => Problem::not_found(format!("there is no {}; see /v1/openapi.json", request.uri().path())),
        Err(problem) => problem,
    }
}
