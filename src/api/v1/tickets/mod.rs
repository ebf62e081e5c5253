//! `/v1/tickets`: finding and reading tickets, and what happened to them. Belongs here: the answers of each reading, and the table of
//! them. Not here: what may be read by whom (`casework`, `cases::desk`), shapes (`shape`), what is looked for (`query`), what tickets
//! are sorted by (`office`).

mod acts;
mod office;
mod query;
mod refused;
mod shape;

use super::V1;
use super::events;
use super::extract::{Asked, Asking, Named, Told};
use super::problem::Problem;
use super::routes::{LEADERS, Operation, Who};
use super::time::Moment;
use crate::api::logs::Log;
use crate::cases::Cases;
use crate::cases::desk::{Desk, DeskError, Filter, Page};
use crate::cases::history::{History, Repeat};
use crate::casework::words::{Action, Role};
use crate::casework::{self, Day};
use crate::host::Clock;
pub(super) use acts::ACTS;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use query::{DueQuery, MoreQuery, TicketsQuery};
pub(super) use refused::told;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
pub(in crate::api) use shape::Happening;
pub use shape::event_types;
use shape::{Ticket, Who as Person};
use std::sync::Arc;

/// Where tickets are worked on: connections to the case store apart from those that pickups go by.
pub struct Office {
    /// Long lists keep nobody waiting at the desk.
    pub lists: Desk<Cases>,
    pub desk: Desk<Cases>,
    pub log: Log,
    /// Of the hotline's own city, for numbers that are looked for without one.
    pub area_code: String,
}

pub(super) const READINGS: [Operation; 10] = [
    Operation {
        method: "GET",
        path: "/v1/tickets",
        id: "listTickets",
        summary: "Tickets that fit, newest first, masked, a page at a time. A department's clerk finds those that it leads or assists with.",
        who: Who::May(Action::Read),
        query: Some(|g| g.subschema_for::<TicketsQuery>()),
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<Tickets>(),
        problems: &[400],
        handler: || get(list),
    },
    Operation {
        method: "GET",
        path: "/v1/tickets/due",
        id: "listDueTickets",
        summary: "Tickets with something to be done by a day, the most urgent first; what is late comes with it.",
        who: Who::May(Action::Read),
        query: Some(|g| g.subschema_for::<DueQuery>()),
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<Tickets>(),
        problems: &[400],
        handler: || get(async |api, asking, asked| due(api, asking, asked, 0).await),
    },
    Operation {
        method: "GET",
        path: "/v1/tickets/overdue",
        id: "listOverdueTickets",
        summary: "Tickets with something that had to be done by yesterday, the latest first to have been due.",
        who: Who::May(Action::Read),
        query: Some(|g| g.subschema_for::<DueQuery>()),
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<Tickets>(),
        problems: &[400],
        handler: || get(async |api, asking, asked| due(api, asking, asked, -1).await),
    },
    Operation {
        method: "GET",
        path: "/v1/tickets/events",
        id: "listTicketEvents",
        summary: "Changes of all tickets after `after_seq`, in order, as a page, as SSE or over a WebSocket, as `/v1/events` \
            gives those of calls; each of the two logs has a `seq` of its own. Names, numbers and texts are not in it.",
        who: LEADERS,
        query: Some(|g| g.subschema_for::<events::EventsQuery>()),
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<events::TicketEvents>(),
        problems: &[400, 409, 410],
        handler: || get(events::of_tickets),
    },
    Operation {
        method: "GET",
        path: "/v1/tickets/{ticket_no}",
        id: "getTicket",
        summary: "One ticket, masked. `ETag` is its version: send it as `If-Match` with what is done next.",
        who: Who::May(Action::Read),
        query: None,
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<Ticket>(),
        problems: &[404],
        handler: || get(one),
    },
    Operation {
        method: "POST",
        path: "/v1/tickets/{ticket_no}/reveal",
        id: "revealTicket",
        summary: "The whole ticket, once it is written down who wanted to see it, and why.",
        who: Who::May(Action::Reveal),
        query: None,
        headers: &[refused::LANGUAGE],
        body: Some(|g| g.subschema_for::<Why>()),
        answer: |g| g.subschema_for::<Ticket>(),
        problems: &[400, 404, 413],
        handler: || post(reveal),
    },
    Operation {
        method: "GET",
        path: "/v1/tickets/{ticket_no}/history",
        id: "getTicketHistory",
        summary: "What happened to the ticket, who did it, when and why, oldest first; masked.",
        who: Who::May(Action::Read),
        query: Some(|g| g.subschema_for::<MoreQuery>()),
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<TicketHistory>(),
        problems: &[400, 404],
        handler: || get(history),
    },
    Operation {
        method: "GET",
        path: "/v1/tickets/{ticket_no}/audit",
        id: "getTicketAudit",
        summary: "Who has seen the whole ticket, when and why, oldest first.",
        who: Who::May(Action::ReadAudit),
        query: Some(|g| g.subschema_for::<MoreQuery>()),
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<Audit>(),
        problems: &[400, 404],
        handler: || get(audit),
    },
    Operation {
        method: "GET",
        path: "/v1/tickets/{ticket_no}/caller",
        id: "getTicketCaller",
        summary: "The caller's earlier tickets, and which of them this one may be about.",
        who: Who::These(&[Role::Operator, Role::ShiftLeader, Role::HotlineOffice]),
        query: None,
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<CallerHistory>(),
        problems: &[404],
        handler: || get(caller),
    },
    Operation {
        method: "GET",
        path: "/v1/categories",
        id: "listCategories",
        summary: "The tree that tickets are classified by, and the departments they may be passed to, as the office's files have them.",
        who: Who::May(Action::Read),
        query: None,
        headers: &[],
        body: None,
        answer: |g| g.subschema_for::<office::Categories>(),
        problems: &[],
        handler: || get(office::categories),
    },
];

/// At most 100 of a history or an audit at once.
const PAGE: u32 = 100;
/// Earlier tickets of a caller that are listed.
const EARLIER: u32 = 20;

#[derive(Serialize, JsonSchema)]
struct Tickets {
    tickets: Vec<Ticket>,
    /// Ask for the next page with `after`; `null`: this is the last.
    next: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Why {
    /// 1 to 200 characters, kept with the name of who asks.
    reason: String,
}

#[derive(Serialize, JsonSchema)]
struct TicketHistory {
    /// At most 100.
    history: Vec<Happening>,
    /// Ask on with `after`; `null`: that was all.
    next: Option<u32>,
}

#[derive(Serialize, JsonSchema)]
struct Audit {
    /// At most 100.
    readings: Vec<Reading>,
    /// Ask on with `after`; `null`: that was all.
    next: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
struct Reading {
    at: Moment,
    by: Person,
    reason: String,
}

#[derive(Serialize, JsonSchema)]
struct CallerHistory {
    /// Masked; `null`: it was withheld, and nothing is known of the caller.
    number: Option<String>,
    /// Tickets of the 30 and 365 days before; counted up to 1000.
    in_30_days: u32,
    in_365_days: u32,
    /// The latest 20, latest first.
    tickets: Vec<Earlier>,
    /// For whoever works on the ticket to decide.
    repeat: Option<Hint>,
}

#[derive(Serialize, JsonSchema)]
struct Earlier {
    ticket_no: String,
    answered_at: Moment,
    queue: String,
    /// 咨询, 求助, ...; `null` until it is filled in.
    kind: Option<String>,
    title: Option<String>,
    /// 待完善, 已受理, ...
    status: String,
}

/// The call may be about this ticket. `why`: in_hand (it is still being dealt with), soon (the citizen called a few days ago).
#[derive(Serialize, JsonSchema)]
struct Hint {
    ticket_no: String,
    why: &'static str,
}

async fn list(
    State(api): State<Arc<V1>>,
    asking: Asking,
    Asked(asked): Asked<TicketsQuery>,
) -> Result<Json<Tickets>, Problem> {
    let office = api.office()?;
    let after = asked.after;
    let (filter, limit) = asked.understood(&office.area_code)?;
    let page = office.lists.find(&asking.actor, &filter, after, limit).await;
    Ok(Tickets::of(page.map_err(|e| refused::told(e, &asking))?, &asking, |id| id.to_string()))
}

/// `by`: days from today that is looked until if nothing is said.
async fn due(
    State(api): State<Arc<V1>>,
    asking: Asking,
    Asked(asked): Asked<DueQuery>,
    by: i32,
) -> Result<Json<Tickets>, Problem> {
    let office = api.office()?;
    let usual = Day::of(Clock::start().now()).0.plus(by);
    let until = asked.until.map_or(usual, |until| if by < 0 { until.min(usual) } else { until });
    let (after, limit) = (asked.place()?, query::limit(asked.limit)?);
    let filter = Filter { department: asked.department, ..Filter::default() };
    let page = office.lists.due(&asking.actor, &filter, until, after, limit).await;
    Ok(Tickets::of(page.map_err(|e| refused::told(e, &asking))?, &asking, |(day, id)| format!("{day}.{id}")))
}

async fn one(State(api): State<Arc<V1>>, asking: Asking, Named(no): Named) -> Result<Response, Problem> {
    let ticket = api.office()?.desk.get(&asking.actor, &no).await;
    shown(ticket, &asking)
}

async fn reveal(
    State(api): State<Arc<V1>>,
    asking: Asking,
    Named(no): Named,
    Told(Why { reason }): Told<Why>,
) -> Result<Response, Problem> {
    let ticket = api.office()?.desk.reveal(Clock::start().now(), &asking.actor, &no, &reason).await;
    shown(ticket, &asking)
}

fn shown(ticket: Result<casework::Ticket, DeskError>, asking: &Asking) -> Result<Response, Problem> {
    let ticket = ticket.map_err(|e| refused::told(e, asking))?;
    let tag = etag(ticket.case.version);
    Ok(([(header::ETAG, tag)], Json(Ticket::of(ticket, &asking.actor))).into_response())
}

/// Of a ticket: its version.
fn etag(version: u32) -> String {
    format!("\"{version}\"")
}

async fn history(
    State(api): State<Arc<V1>>,
    asking: Asking,
    Named(no): Named,
    Asked(asked): Asked<MoreQuery>,
) -> Result<Json<TicketHistory>, Problem> {
    let after = asked.after.unwrap_or(0);
    let found = api.office()?.desk.history(&asking.actor, &no, after, PAGE).await;
    let found = found.map_err(|e| refused::told(e, &asking))?;
    let next = found.last().filter(|_| found.len() == PAGE as usize).map(|event| event.version);
    Ok(Json(TicketHistory { history: found.into_iter().map(Happening::from).collect(), next }))
}

async fn audit(
    State(api): State<Arc<V1>>,
    asking: Asking,
    Named(no): Named,
    Asked(asked): Asked<MoreQuery>,
) -> Result<Json<Audit>, Problem> {
    let after = i64::from(asked.after.unwrap_or(0));
    let found = api.office()?.desk.audit(&asking.actor, &no, after, PAGE).await;
    let found = found.map_err(|e| refused::told(e, &asking))?;
    let next = found.last().filter(|_| found.len() == PAGE as usize).map(|reading| reading.seq);
    let reading = |entry: crate::cases::desk::AuditEntry| Reading {
        at: Moment(entry.at),
        by: Person::from(&entry.actor),
        reason: entry.why,
    };
    Ok(Json(Audit { readings: found.into_iter().map(reading).collect(), next }))
}

async fn caller(State(api): State<Arc<V1>>, asking: Asking, Named(no): Named) -> Result<Json<CallerHistory>, Problem> {
    let found = api.office()?.lists.caller(&asking.actor, &no, EARLIER).await.map_err(|e| refused::told(e, &asking))?;
    let History { in_30_days, in_365_days, .. } = found.history;
    let repeat = found.history.repeat(found.at).map(|repeat| match repeat {
        Repeat::InHand(ticket) => Hint { ticket_no: ticket.ticket_no.clone(), why: "in_hand" },
        Repeat::Soon(ticket) => Hint { ticket_no: ticket.ticket_no.clone(), why: "soon" },
    });
    let tickets = found.history.tickets.into_iter().map(|earlier| Earlier {
        ticket_no: earlier.ticket_no,
        answered_at: Moment(earlier.answered_at),
        queue: earlier.queue,
        kind: earlier.kind,
        title: earlier.title,
        status: earlier.status,
    });
    Ok(Json(CallerHistory { number: found.number, in_30_days, in_365_days, tickets: tickets.collect(), repeat }))
}

impl Tickets {
    fn of<K>(page: Page<K>, asking: &Asking, place: impl FnOnce(K) -> String) -> Json<Tickets> {
        let tickets = page.tickets.into_iter().map(|ticket| Ticket::of(ticket, &asking.actor)).collect();
        Json(Tickets { tickets, next: page.next.map(place) })
    }
}

impl V1 {
    pub(super) fn office(&self) -> Result<&Office, Problem> {
        self.sources.office.as_ref().ok_or_else(|| Problem::unavailable("no tickets are worked on here"))
    }
}
