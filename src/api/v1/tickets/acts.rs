//! What is done with a ticket: one operation for each command of `casework`. Belongs here: their table, and a request as an order.
//! Not here: whether it may be done, and what follows (`casework`).
//!
//! An act with `If-Match` is done to the ticket as its sender has seen it, or not at all; one with `Idempotency-Key` is done
//! once, however often it is sent.

use super::shape::Step;
use super::{etag, refused};
use crate::api::v1::V1;
use crate::api::v1::extract::{Asking, Named, Told};
use crate::api::v1::problem::Problem;
use crate::api::v1::routes::{Operation, Who};
use crate::cases::desk::{Applied, Order};
use crate::casework::Command;
use crate::casework::words::Action;
use crate::host::Clock;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;

const HEADERS: &[(&str, &str)] = &[
    ("If-Match", "The ETag of the ticket as you have seen it; with another one by now: 412. Left out: whatever it is."),
    (
        "Idempotency-Key",
        "Yours, unique, at most 200 characters, known for 7 days: sent again, the first answer comes again.",
    ),
    refused::LANGUAGE,
];

macro_rules! act {
    ($path:literal, $id:literal, $command:literal, $action:ident, $summary:literal) => {
        Operation {
            method: "POST",
            path: concat!("/v1/tickets/{ticket_no}/", $path),
            id: $id,
            summary: $summary,
            who: Who::May(Action::$action),
            query: None,
            headers: HEADERS,
            body: Some(|g| body($command, g)),
            answer: |g| g.subschema_for::<Done>(),
            problems: &[400, 404, 409, 412, 413, 422],
            handler: || {
                post(async |api, asking, no, headers, body| act($command, api, asking, no, headers, body).await)
            },
        }
    };
}

#[rustfmt::skip]
pub(in crate::api::v1) const ACTS: [Operation; 22] = [
    act!("fill-in", "fillInTicket", "fill_in", FillIn, "Fills in fields; those left out stay, an empty text clears one. A category is a leaf's code."),
    act!("accept", "acceptTicket", "accept", Accept, "受理: what is needed is filled in."),
    act!("answer-now", "answerTicketNow", "answer_now", AnswerNow, "直接办理: answered on the spot."),
    act!("three-way", "settleTicketInThreeWayCall", "three_way", ThreeWay, "三方办理: settled with a department or another hotline in the call."),
    act!("hand-to-110", "handTicketTo110", "hand_to_110", HandTo110, "转110: a threat to life or property."),
    act!("decline", "declineTicket", "decline", Decline, "不予受理: out of scope, with the reason."),
    act!("pass", "passTicket", "pass", Pass, "转交办理: to a lead department, or to the category's, and those that assist."),
    act!("dispatch", "dispatchTicket", "dispatch", Dispatch, "派遣: to the departments proposed, or to others."),
    act!("sign-for", "signForTicket", "sign_for", SignFor, "签收, by the lead department."),
    act!("start", "startTicket", "start", Start, "The department begins its work (办理中)."),
    act!("settle", "settleTicket", "settle", Settle, "办结, with the result."),
    act!("return", "returnTicket", "return", Return, "退回: wrongly assigned, within the days for it."),
    act!("recall", "recallTicket", "recall", Recall, "收回: taken back from the departments."),
    act!("ask-extension", "askTicketExtension", "ask_extension", AskExtension, "申请延期: so many working days more."),
    act!("grant-extension", "grantTicketExtension", "grant_extension", DecideExtension, "Grants what was asked for."),
    act!("refuse-extension", "refuseTicketExtension", "refuse_extension", DecideExtension, "Refuses it, with the reason."),
    act!("urge", "urgeTicket", "urge", Urge, "催办."),
    act!("supervise", "superviseTicket", "supervise", Supervise, "督办, by order."),
    act!("ask-callback", "askTicketCallback", "ask_callback", AskCallback, "转回访: the citizen is to be called back."),
    act!("record-callback", "recordTicketCallback", "record_callback", RecordCallback, "登记回访: satisfaction, or why nobody was reached."),
    act!("redo", "redoTicket", "redo", Redo, "重新办理: handled again."),
    act!("archive", "archiveTicket", "archive", Archive, "归档."),
];

/// What came of an act.
#[derive(Serialize, JsonSchema)]
struct Done {
    ticket_no: String,
    /// The ticket's after it, as in `ETag`.
    version: u32,
    /// It had been done before with this key; this is the first answer again.
    again: bool,
    /// What it brought, masked.
    changes: Vec<Step>,
}

async fn act(
    name: &'static str,
    State(api): State<Arc<V1>>,
    asking: Asking,
    Named(ticket_no): Named,
    headers: HeaderMap,
    Told(body): Told<Map<String, Value>>,
) -> Result<Response, Problem> {
    let command = command(name, body)?;
    let (expected, key) = (expected(&headers)?, key(&headers)?);
    let order = Order { ticket_no: ticket_no.clone(), command, expected, key };
    let applied = api.office()?.desk.apply(Clock::start().now(), &asking.actor, &order).await;
    let Applied { version, entries, again } = applied.map_err(|e| refused::told(e, &asking))?;
    let before = version.saturating_sub(entries.len() as u32);
    let changes = (before + 1..).zip(entries).map(|(version, entry)| Step::of(version, entry)).collect();
    Ok(([(header::ETAG, etag(version))], Json(Done { ticket_no, version, again, changes })).into_response())
}

fn command(name: &str, mut body: Map<String, Value>) -> Result<Command, Problem> {
    let sent: Vec<String> = body.iter().filter(|(_, value)| !value.is_null()).map(|(field, _)| field.clone()).collect();
    if body.insert("command".into(), name.into()).is_some() {
        return Err(Problem::bad_request("body: unknown field `command`: the path says it"));
    }
    let command: Command =
        serde_json::from_value(Value::Object(body)).map_err(|e| Problem::bad_request(format!("body: {e}")))?;
    // Of a command without fields nobody has looked at them.
    let understood = serde_json::to_value(&command).unwrap_or_default();
    match sent.iter().find(|field| understood.get(field).is_none()) {
        Some(field) => Err(Problem::bad_request(format!("body: unknown field `{field}`"))),
        None => Ok(command),
    }
}

/// RFC 9110 §13.1.1. A tag that something on the way has weakened still names a version.
fn expected(headers: &HeaderMap) -> Result<Option<u32>, Problem> {
    let Some(tag) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let wrong = || Problem::bad_request(r#"If-Match is the ETag of a ticket, as "7", or *"#);
    let tag = tag.to_str().map_err(|_| wrong())?.trim();
    if tag == "*" {
        return Ok(None);
    }
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse().ok());
    version.map(Some).ok_or_else(wrong)
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let text = |value: &axum::http::HeaderValue| value.to_str().map(|key| key.trim().to_owned());
    let key = headers.get("idempotency-key").map(text).transpose();
    key.map_err(|_| Problem::bad_request("Idempotency-Key has characters other than printable ASCII"))
}

/// The command's fields.
fn body(name: &str, schemas: &mut SchemaGenerator) -> Schema {
    let all = Command::json_schema(schemas);
    let variants = all.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    let named = |variant: &&Value| variant["properties"]["command"]["const"] == name;
    let Some(variant) = variants.into_iter().find(named) else { return Schema::default() };
    let mut variant = variant.clone();
    variant["properties"].as_object_mut().map(|properties| properties.remove("command"));
    if let Some(required) = variant["required"].as_array_mut() {
        required.retain(|field| field != "command");
    }
    if variant["required"].as_array().is_some_and(Vec::is_empty) {
        variant.as_object_mut().map(|variant| variant.remove("required"));
    }
    Schema::try_from(variant).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_command_has_its_operation_and_its_fields_but_those_of_the_system() {
        let mut schemas = SchemaGenerator::default();
        let all = Command::json_schema(&mut schemas);
        let variants = all.get("oneOf").unwrap().as_array().unwrap();
        let commands: BTreeSet<String> =
            variants.iter().map(|v| v["properties"]["command"]["const"].as_str().unwrap().replace('_', "-")).collect();
        let acts: BTreeSet<String> = ACTS
            .iter()
            .map(|act| act.path.rsplit('/').next().unwrap().to_owned())
            .chain(["raise-deadline".into(), "rate".into()])
            .collect();
        assert_eq!(commands, acts);
        let fields = |name: &str| body(name, &mut SchemaGenerator::default()).to_value();
        assert_eq!(fields("settle")["required"], serde_json::json!(["result"]));
        assert_eq!(fields("settle")["properties"].as_object().unwrap().len(), 1);
        assert_eq!((&fields("accept")["properties"], fields("accept").get("required")), (&serde_json::json!({}), None));
        assert!(fields("fill_in")["properties"]["callback_no"].is_object(), "{}", fields("fill_in"));
        assert_eq!(fields("record_callback")["oneOf"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn a_command_is_read_whole_or_refused() {
        let read = |name: &str, body: &str| command(name, serde_json::from_str(body).unwrap());
        assert_eq!(read("accept", "{}"), Ok(Command::Accept));
        assert!(
            matches!(read("settle", r#"{"result": "修好了"}"#), Ok(Command::Settle { result }) if result == "修好了")
        );
        assert!(matches!(read("record_callback", r#"{"outcome": "declined"}"#), Ok(Command::RecordCallback(_))));
        for (name, body) in [
            ("accept", r#"{"now": true}"#),
            ("settle", "{}"),
            ("settle", r#"{"result": 1}"#),
            ("settle", r#"{"result": "x", "reply": "y"}"#),
            ("fill_in", r#"{"titel": "x"}"#),
            ("record_callback", r#"{"outcome": "declined", "solved": true}"#),
            ("accept", r#"{"command": "archive"}"#),
        ] {
            assert_eq!(read(name, body).map_err(|problem| problem.status()), Err(400), "{name} {body}");
        }
    }
}
