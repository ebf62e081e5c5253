//! `/v1/calls`: call records, those that are up and those of a period.

use super::V1;
use super::board::waits;
use super::event::To;
use super::extract::{Asked, Named};
use super::problem::Problem;
use super::sla::period;
use super::time::{Moment, seconds};
use crate::ids::CallId;
use crate::record::{CallRecord, Entered, Kind, Offer, Offered, Segment, With};
use crate::time::Instant;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Which calls; by default today's so far.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallsQuery {
    /// Only calls that are up, all of them; the other parameters do not go with it.
    #[serde(default)]
    up: bool,
    /// By the request for a human, or by the arrival where there was none.
    from: Option<Moment>,
    until: Option<Moment>,
    /// 1 to 500; 100 by default.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Calls {
    calls: Vec<Call>,
    /// Ask for the next page with `after`; `null`: this is the last.
    next: Option<String>,
}

/// A call's record (CDR). Absent moments have not come.
#[derive(Serialize, JsonSchema)]
pub struct Call {
    /// 16 hexadecimal digits, as in logs and tickets.
    call: String,
    /// inbound, test, callback, missed_call, dialled or unknown.
    kind: &'static str,
    /// For a call of ours: the call it answers.
    of: Option<String>,
    /// The caller, if not withheld; for a call that a seat dials, the agent or the seat.
    src: Option<String>,
    dst: String,
    trunk: Option<String>,
    line: Option<String>,
    tenant: String,
    begun_at: Moment,
    /// The request for a human.
    asked_at: Option<Moment>,
    queue: Option<String>,
    skill: Option<String>,
    /// The queue where the caller waits now.
    waiting_in: Option<String>,
    wait_s: Option<f64>,
    moves: Vec<Move>,
    offers: Vec<SeatOffer>,
    segments: Vec<Conversation>,
    ended_at: Option<Moment>,
    /// Why it ended; process_died and end_not_recorded: nobody recorded it.
    cause: Option<&'static str>,
}

#[derive(Serialize, JsonSchema)]
struct Move {
    at: Moment,
    queue: String,
    why: String,
}

/// A seat that was rung.
#[derive(Serialize, JsonSchema)]
struct SeatOffer {
    agent: String,
    seat: String,
    at: Moment,
    until: Option<Moment>,
    /// answered, or why it ended without a pickup.
    outcome: Option<&'static str>,
}

/// One conversation, with an agent or another party.
#[derive(Serialize, JsonSchema)]
struct Conversation {
    agent: Option<String>,
    seat: Option<String>,
    with: Option<To>,
    queue: Option<String>,
    from: Moment,
    until: Option<Moment>,
    wait_s: f64,
    ring_s: f64,
    hold_s: f64,
    wrap_up_s: f64,
    passed_on: bool,
}

const LONGEST: Duration = Duration::from_secs(400 * 86_400);

pub async fn list(State(api): State<Arc<V1>>, Asked(asked): Asked<CallsQuery>) -> Result<Json<Calls>, Problem> {
    if asked.up {
        let now = api.facts(|facts| facts.now()).await?;
        return Ok(Json(Calls { calls: now.calls.iter().map(Call::from).collect(), next: None }));
    }
    let (from, until) = period(asked.from, asked.until, LONGEST)?;
    let limit = asked.limit.unwrap_or(100);
    if !(1..=500).contains(&limit) {
        return Err(Problem::bad_request("limit is 1 to 500"));
    }
    let after = asked.after.as_deref().map(place).transpose()?;
    let records = api.facts(move |facts| facts.page(from, until, after, limit)).await?;
    let last = records.last().filter(|_| records.len() == limit as usize);
    let next = last.map(|record| format!("{}-{}", record.counted_at().as_unix_micros(), record.call));
    Ok(Json(Calls { calls: records.iter().map(Call::from).collect(), next }))
}

pub async fn one(State(api): State<Arc<V1>>, Named(call): Named) -> Result<Json<Call>, Problem> {
    let id = id_of(&call)?;
    let record = api.facts(move |facts| facts.call(id)).await?;
    record.map(|record| Json(Call::from(&record))).ok_or_else(|| Problem::not_found(format!("there is no call {call}")))
}

pub(super) fn id_of(call: &str) -> Result<CallId, Problem> {
    let id = Some(call).filter(|call| call.len() == 16).and_then(|call| u64::from_str_radix(call, 16).ok());
    id.map(CallId).ok_or_else(|| Problem::bad_request("a call is named by 16 hexadecimal digits"))
}

/// Of [`Calls::next`].
fn place(after: &str) -> Result<(Instant, CallId), Problem> {
    let parts = after.split_once('-').and_then(|(at, call)| Some((at.parse().ok()?, id_of(call).ok()?)));
    let (at, call) = parts.ok_or_else(|| Problem::bad_request("after is not the `next` of a page"))?;
    Ok((Instant(at), call))
}

impl From<&CallRecord> for Call {
    fn from(record: &CallRecord) -> Call {
        let of = match &record.kind {
            Kind::Callback { of } | Kind::MissedCall { of } => Some(of.to_string()),
            _ => None,
        };
        let text = |name: &dyn std::fmt::Display| name.to_string();
        Call {
            call: record.call.to_string(),
            kind: record.kind.as_str(),
            of,
            src: record.src.clone(),
            dst: record.dst.clone(),
            trunk: record.trunk.as_ref().map(|name| text(name)),
            line: record.line.as_ref().map(|name| text(name)),
            tenant: record.tenant.clone(),
            begun_at: Moment(record.begun),
            asked_at: record.asked.as_ref().map(|asked| Moment(asked.at)),
            queue: record.asked.as_ref().map(|asked| asked.queue.to_string()),
            skill: record.asked.as_ref().and_then(|asked| asked.skill.as_ref()).map(|skill| text(skill)),
            waiting_in: waits(record).map(|(queue, _)| queue.to_string()),
            wait_s: record.wait().map(seconds),
            moves: record.moves.iter().map(Move::from).collect(),
            offers: record.offers.iter().map(SeatOffer::from).collect(),
            segments: record.segments.iter().map(Conversation::from).collect(),
            ended_at: record.ended.map(Moment),
            cause: record.ending.map(|ending| ending.as_str()),
        }
    }
}

impl From<&Entered> for Move {
    fn from(entered: &Entered) -> Move {
        Move { at: Moment(entered.at), queue: entered.queue.to_string(), why: entered.why.clone() }
    }
}

impl From<&Offer> for SeatOffer {
    fn from(offer: &Offer) -> SeatOffer {
        let outcome = offer.outcome.map(|outcome| match outcome {
            Offered::Answered => "answered",
            Offered::Ended(why) => why.as_str(),
        });
        let (agent, seat) = (offer.agent.to_string(), offer.seat.to_string());
        SeatOffer { agent, seat, at: Moment(offer.at), until: offer.until.map(Moment), outcome }
    }
}

impl From<&Segment> for Conversation {
    fn from(segment: &Segment) -> Conversation {
        let (agent, seat, with) = match &segment.with {
            With::Agent { agent, seat } => (Some(agent.to_string()), Some(seat.to_string()), None),
            With::Party(party) => (None, None, Some(To::from(party.clone()))),
        };
        Conversation {
            agent,
            seat,
            with,
            queue: segment.queue.as_ref().map(ToString::to_string),
            from: Moment(segment.from),
            until: segment.until.map(Moment),
            wait_s: seconds(segment.wait),
            ring_s: seconds(segment.ring),
            hold_s: seconds(segment.hold),
            wrap_up_s: seconds(segment.wrap_up),
            passed_on: segment.passed_on,
        }
    }
}
