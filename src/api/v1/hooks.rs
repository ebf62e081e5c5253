//! `/v1/webhooks`: how each stands, what its far end refused, and sending that again. Not here: telling them
//! (`api::webhooks`).

use super::V1;
use super::extract::{Asked, Hooked, Named};
use super::problem::Problem;
use super::time::Moment;
use crate::api::webhooks::{Hook, Ledger, Letter};
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

#[derive(Serialize, JsonSchema)]
pub struct Webhooks {
    webhooks: Vec<Webhook>,
}

#[derive(Serialize, JsonSchema)]
struct Webhook {
    name: String,
    url: String,
    /// calls or tickets.
    log: &'static str,
    /// Told as far as this event.
    seq: u64,
    /// Events of the log after that.
    behind: u64,
    /// Since the start.
    delivered: u64,
    dead_letters: u64,
    /// Why the far end does not take deliveries now; they wait.
    trouble: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LettersQuery {
    /// `seq` of the last letter of the page before.
    after_seq: Option<u64>,
}

#[derive(Serialize, JsonSchema)]
pub struct DeadLetters {
    /// At most 100.
    dead_letters: Vec<DeadLetter>,
}

/// An event that the far end refused by itself, again and again.
#[derive(Serialize, JsonSchema)]
struct DeadLetter {
    seq: u64,
    /// When it was set aside.
    at: Moment,
    why: String,
    /// It is about to be sent again.
    again: bool,
    event: Value,
}

/// It is sent again within seconds; if it is refused again it comes back here.
#[derive(Serialize, JsonSchema)]
pub struct SentAgain {
    seq: u64,
}

const PAGE: u32 = 100;

pub async fn list(State(api): State<Arc<V1>>) -> Result<Json<Webhooks>, Problem> {
    let mut webhooks = vec![];
    for hook in &api.sources.hooks {
        let standing = hook.standing.borrow().clone();
        let newest = hook.log.bounds().await.map_or(0, |(_, newest)| newest);
        let dead_letters = ledger(&api).await?.count(&hook.key()).await.map_err(|e| unreadable(&e))?;
        webhooks.push(Webhook {
            name: hook.name.clone(),
            url: hook.url.clone(),
            log: hook.of.as_str(),
            seq: standing.seq,
            behind: newest.saturating_sub(standing.seq),
            delivered: standing.delivered,
            dead_letters,
            trouble: standing.trouble,
        });
    }
    Ok(Json(Webhooks { webhooks }))
}

pub async fn letters(
    State(api): State<Arc<V1>>,
    Named(name): Named,
    Asked(asked): Asked<LettersQuery>,
) -> Result<Json<DeadLetters>, Problem> {
    let key = known(&api, &name)?.key();
    let letters = ledger(&api).await?.letters(&key, asked.after_seq.unwrap_or(0), PAGE).await;
    let letters = letters.map_err(|e| unreadable(&e))?;
    Ok(Json(DeadLetters { dead_letters: letters.into_iter().map(DeadLetter::from).collect() }))
}

pub async fn again(State(api): State<Arc<V1>>, Hooked(name, seq): Hooked) -> Result<Json<SentAgain>, Problem> {
    let key = known(&api, &name)?.key();
    match ledger(&api).await?.send_again(&key, seq).await.map_err(|e| unreadable(&e))? {
        true => Ok(Json(SentAgain { seq })),
        false => Err(Problem::not_found(format!("webhook {name} has no dead letter {seq}"))),
    }
}

impl From<Letter> for DeadLetter {
    fn from(letter: Letter) -> DeadLetter {
        let event = serde_json::from_str(&letter.event).unwrap_or_default();
        DeadLetter { seq: letter.seq, at: Moment(letter.at), why: letter.why, again: letter.again, event }
    }
}

fn known<'a>(api: &'a V1, name: &str) -> Result<&'a Hook, Problem> {
    let hook = api.sources.hooks.iter().find(|hook| hook.name == name);
    hook.ok_or_else(|| Problem::not_found(format!("there is no webhook {name:?} in the configuration")))
}

async fn ledger(api: &V1) -> Result<Ledger, Problem> {
    let path = api.sources.ledger.as_ref().ok_or_else(|| Problem::unavailable("no webhooks are kept"))?;
    Ledger::open(path).await.map_err(|e| unreadable(&e))
}

fn unreadable(error: &sqlx::Error) -> Problem {
    tracing::warn!(%error, "the webhooks' ledger cannot be used");
    Problem::unavailable("the webhooks' ledger cannot be used now; the gateway's log says why")
}
