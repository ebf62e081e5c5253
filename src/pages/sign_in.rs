//! `/session`: signing in on a page with agent number and password, who one is, and out again. Not here: 签入 at a seat,
//! which is an order of the page (`live`).

use super::Pages;
use super::door::Peer;
use super::password::Verdict;
use super::session::set_cookie;
use crate::ids::AgentNo;
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    agent: String,
    password: String,
}

/// Why not; the page has the words.
#[derive(Serialize)]
struct Refusal {
    error: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_s: Option<u64>,
}

#[derive(Serialize)]
struct Who {
    agent: String,
    leader: bool,
    /// The seats there are.
    seats: Vec<String>,
}

pub async fn sign_in(
    State(pages): State<Arc<Pages>>,
    ConnectInfo(Peer(from, _)): ConnectInfo<Peer>,
    Json(Credentials { agent, password }): Json<Credentials>,
) -> Response {
    // Longer than any number: not worth a look, nor a line in the log.
    if agent.len() > 16 {
        return refused(StatusCode::UNAUTHORIZED, "wrong_password", None);
    }
    let agent = AgentNo::new(agent);
    match pages.passwords.check(from, &agent, password).await {
        Verdict::Right => {}
        Verdict::Wrong => {
            tracing::warn!(peer = %from, agent = %agent, "wrong agent number or password on a page");
            return refused(StatusCode::UNAUTHORIZED, "wrong_password", None);
        }
        Verdict::Wait(wait) => {
            let seconds = wait.as_secs() + 1;
            return refused(StatusCode::TOO_MANY_REQUESTS, "too_many_guesses", Some(seconds));
        }
    }
    let Some(who) = pages.who(&agent) else {
        return refused(StatusCode::UNAUTHORIZED, "wrong_password", None);
    };
    match pages.sessions.begin(agent) {
        Ok(name) => ([(header::SET_COOKIE, set_cookie(Some(&name), pages.encrypted))], Json(who)).into_response(),
        Err(error) => {
            tracing::error!(%error, "no random bytes for a session");
            refused(StatusCode::SERVICE_UNAVAILABLE, "unavailable", None)
        }
    }
}

pub async fn who(State(pages): State<Arc<Pages>>, headers: HeaderMap) -> Response {
    let who = pages.sessions.of(&headers).and_then(|open| pages.who(&open.agent));
    who.map_or_else(|| refused(StatusCode::UNAUTHORIZED, "not_signed_in", None), |who| Json(who).into_response())
}

pub async fn sign_out(State(pages): State<Arc<Pages>>, headers: HeaderMap) -> Response {
    pages.sessions.end(&headers);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, set_cookie(None, pages.encrypted))]).into_response()
}

impl Pages {
    /// `None`: an agent who is in the configuration no more.
    fn who(&self, agent: &AgentNo) -> Option<Who> {
        let leader = *self.agents.get(agent)?;
        let seats = self.seats.iter().map(ToString::to_string).collect();
        Some(Who { agent: agent.to_string(), leader, seats })
    }
}

fn refused(status: StatusCode, error: &'static str, wait_s: Option<u64>) -> Response {
    let retry = wait_s.map(|seconds| [(header::RETRY_AFTER, seconds.to_string())]);
    (status, retry, Json(Refusal { error, wait_s })).into_response()
}
