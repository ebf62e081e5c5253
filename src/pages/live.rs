//! `/live`: an agent's screen as it changes, whole each time, and the agent's orders, each answered. One WebSocket each.
//!
//! To the page: `{"screen":{...},"now":µs}` and `{"answer":1,"unable":null}`. From it: `{"id":1,"order":"ready"}` and the
//! like (see [`Asked`]). Times are microseconds since 1970; `now` is ours, so that a page whose clock is wrong counts right.
//!
//! A screen that is slow to take what it is sent misses what came in between, never the last.

use super::Pages;
use super::session::Open;
use crate::event::NotReadyReason;
use crate::gateway::{AgentOrder, Unable};
use crate::host::Clock;
use crate::ids::{AgentNo, QueueName, SeatNo};
use crate::runtime::inbox::Message as ToLoop;
use crate::screen::AgentScreen;
use crate::time::Instant;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// An order is short.
const LONGEST: usize = 1_024;
/// How often a page is asked whether it is there, and how long it may be silent.
const ASK: Duration = Duration::from_secs(10);
const SILENT: Duration = Duration::from_secs(30);
/// The loop answers within a turn; where it does not, something is wrong that the page must show.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a page may ask.
#[derive(Debug, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
enum Asked {
    SignIn { id: u64, seat: String },
    SignOut { id: u64 },
    Ready { id: u64 },
    NotReady { id: u64, reason: String },
    ExtendWrapUp { id: u64 },
    HangUp { id: u64 },
    ToQueue { id: u64, queue: String },
    Consult { id: u64, to: String },
    EndConsult { id: u64 },
    Transfer { id: u64, to: Option<String> },
    ThreeWay { id: u64 },
    Emergency { id: u64 },
}

#[derive(Serialize)]
struct Shown<'a> {
    screen: &'a AgentScreen,
    now: Instant,
}

#[derive(Serialize)]
struct Answer {
    answer: u64,
    /// Why not; the page has the words for it.
    unable: Option<&'static str>,
    /// The same in a sentence, where there is one.
    why: Option<String>,
}

pub async fn live(State(pages): State<Arc<Pages>>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    let Some(session) = pages.sessions.of(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    let Ok(place) = pages.screens.clone().try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    upgrade.max_message_size(LONGEST).max_frame_size(LONGEST).on_upgrade(async move |socket| {
        serve(&pages, session, socket).await;
        drop(place);
    })
}

async fn serve(pages: &Pages, mut session: Open, mut socket: WebSocket) {
    let clock = Clock::start();
    let agent = session.agent.clone();
    let (sender, mut screens) = watch::channel(None);
    pages.inbox.offer(ToLoop::Watch { agent: agent.clone(), screen: sender });
    let (mut ask, mut heard) = (tokio::time::interval(ASK), tokio::time::Instant::now());
    let over = session.over();
    tokio::pin!(over);
    loop {
        let said = tokio::select! {
            changed = screens.changed() => match changed {
                Ok(()) => {
                    let screen: Option<Arc<AgentScreen>> = screens.borrow_and_update().clone();
                    let Some(screen) = screen else { continue };
                    text(&Shown { screen: &screen, now: clock.now() })
                }
                // The loop has ended, or the agent is off the roster.
                Err(_) => break,
            },
            came = socket.recv() => match came {
                Some(Ok(Message::Text(asked))) => {
                    heard = tokio::time::Instant::now();
                    match serde_json::from_str(&asked) {
                        Ok(asked) => text(&order(pages, &agent, asked).await),
                        Err(error) => {
                            tracing::debug!(%agent, %error, "a page asked what it cannot");
                            break;
                        }
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                    heard = tokio::time::Instant::now();
                    continue;
                }
                Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => break,
            },
            _ = ask.tick() => match heard.elapsed() < SILENT {
                true => Message::Ping(Default::default()),
                false => break,
            },
            () = &mut over => break,
        };
        // A page that takes nothing in all that time is gone.
        if !matches!(tokio::time::timeout(SILENT, socket.send(said)).await, Ok(Ok(()))) {
            return;
        }
    }
    let _ = tokio::time::timeout(ASK, socket.send(Message::Close(None))).await;
}

async fn order(pages: &Pages, agent: &AgentNo, asked: Asked) -> Answer {
    let (answer, order) = match asked {
        Asked::SignIn { id, seat } => (id, Some(AgentOrder::SignIn(SeatNo::new(seat)))),
        Asked::SignOut { id } => (id, Some(AgentOrder::SignOut)),
        Asked::Ready { id } => (id, Some(AgentOrder::Ready)),
        Asked::NotReady { id, reason } => {
            let chosen = NotReadyReason::CHOSEN.into_iter().find(|known| known.as_str() == reason);
            (id, chosen.map(AgentOrder::NotReady))
        }
        Asked::ExtendWrapUp { id } => (id, Some(AgentOrder::ExtendWrapUp)),
        Asked::HangUp { id } => (id, Some(AgentOrder::HangUp)),
        Asked::ToQueue { id, queue } => (id, Some(AgentOrder::ToQueue(QueueName::new(queue)))),
        Asked::Consult { id, to } => (id, Some(AgentOrder::Consult(to))),
        Asked::EndConsult { id } => (id, Some(AgentOrder::EndConsult)),
        Asked::Transfer { id, to } => (id, Some(AgentOrder::Transfer(to))),
        Asked::ThreeWay { id } => (id, Some(AgentOrder::ThreeWay)),
        Asked::Emergency { id } => (id, Some(AgentOrder::Emergency)),
    };
    let Some(order) = order else { return Answer { answer, unable: Some("unknown_reason"), why: None } };
    let (tell, told) = oneshot::channel();
    pages.inbox.offer(ToLoop::Order { agent: agent.clone(), order, answer: tell });
    match tokio::time::timeout(PATIENCE, told).await {
        Ok(Ok(Ok(()))) => Answer { answer, unable: None, why: None },
        Ok(Ok(Err(unable))) => Answer { answer, unable: Some(Unable::as_str(&unable)), why: Some(unable.to_string()) },
        Ok(Err(_)) | Err(_) => Answer { answer, unable: Some("no_answer"), why: None },
    }
}

fn text(what: &impl Serialize) -> Message {
    Message::Text(serde_json::to_string(what).expect("plain data").into())
}
