//! `/live`: an agent's screen as it changes, whole each time, and the agent's orders, each answered. One WebSocket each.
//!
//! To the page: `{"screen":{...},"now":µs}`, `{"answer":1,"unable":null}`, `{"audio":"replaced"}` when another window has taken
//! this one's audio, and `{"now":µs}` now and then. From it: `{"id":1,"order":"ready"}` and the like (see [`Asked`]). Times are
//! microseconds since 1970; `now` is ours, so that a page whose clock is wrong counts right.
//!
//! A screen that is slow to take what it is sent misses what came in between, never the last.

use super::Pages;
use super::audio::{NoAudio, Page};
use super::lead::Lead;
use super::session::Open;
use crate::event::NotReadyReason;
use crate::gateway::{AgentOrder, Unable};
use crate::host::Clock;
use crate::ids::{AgentNo, QueueName, SeatNo};
use crate::runtime::inbox::Message as ToLoop;
use crate::screen::{AgentScreen, Floor};
use crate::time::Instant;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// An order is short, but for an offer of audio, which names every address of its machine.
const LONGEST: usize = 24 << 10;
/// How often a page is asked whether it is there, and how long it may be silent.
const ASK: Duration = Duration::from_secs(10);
const SILENT: Duration = Duration::from_secs(30);
/// The loop answers within a turn; where it does not, something is wrong that the page must show.
const PATIENCE: Duration = Duration::from_secs(5);

/// Orders of one page that wait for the one that is being done: a person's are far fewer.
const WAITING: usize = 16;

/// What a page may ask, each by a number of its own.
#[derive(Debug, Deserialize)]
struct Asked {
    id: u64,
    #[serde(flatten)]
    order: Order,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
enum Order {
    SignIn {
        seat: String,
    },
    SignOut,
    Ready,
    NotReady {
        reason: String,
    },
    ExtendWrapUp,
    HangUp,
    ToQueue {
        queue: String,
    },
    Answer,
    Hold,
    Resume,
    Dial {
        to: String,
    },
    TestCall,
    EndTestCall,
    Consult {
        to: String,
    },
    EndConsult,
    Transfer {
        to: Option<String>,
    },
    ThreeWay,
    Emergency,
    /// The first offer of the page's `RTCPeerConnection`; the answer has an `sdp`.
    AudioOffer {
        sdp: String,
    },
    /// Any later one of the same connection. Unable, `no_session`: begin anew with `audio_offer`.
    AudioReoffer {
        sdp: String,
    },
    AudioClose,
    Survey,
    AskHelp,
    NoHelp,
    /// Is the line there? Answered at once, whatever else is being done.
    Ping,
    /// The shift leader's console, from now on: `{"floor":{...},"now":µs}`.
    WatchFloor,
    #[serde(untagged)]
    Lead(Lead),
}

#[derive(Deserialize)]
struct Numbered {
    id: u64,
}

#[derive(Serialize)]
struct Shown<'a> {
    screen: &'a AgentScreen,
    now: Instant,
}

#[derive(Serialize)]
struct FloorShown<'a> {
    /// `None`: no longer shown here; to be asked for again.
    floor: Option<&'a Floor>,
    now: Instant,
}

/// The console, where a leader looks at it.
type Watched = Option<watch::Receiver<Option<Arc<Floor>>>>;

/// An order that is being carried out; with its answer, the console if that was asked for.
type Underway<'a> = Option<Pin<Box<dyn Future<Output = (Answer, Watched)> + Send + 'a>>>;

/// At least every [`ASK`]: a page that hears nothing for longer has lost the line.
#[derive(Serialize)]
struct TimeIs {
    now: Instant,
}

#[derive(Serialize)]
struct Answer {
    answer: u64,
    /// Why not; the page has the words for it.
    unable: Option<&'static str>,
    /// The same in a sentence, where there is one.
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sdp: Option<String>,
}

impl Answer {
    fn done(answer: u64) -> Answer {
        Answer { answer, unable: None, why: None, sdp: None }
    }

    fn unable(answer: u64, unable: &'static str, why: Option<String>) -> Answer {
        Answer { unable: Some(unable), why, ..Answer::done(answer) }
    }
}

#[derive(Serialize)]
struct AudioIs {
    audio: &'static str,
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
    let audio = pages.audio.page(&agent);
    let mut floor: Watched = None;
    let (own, sound) = (&agent, &audio);
    // One after the other, as they came; the line is read meanwhile.
    let begin = |asked: Asked| -> Underway<'_> {
        Some(Box::pin(async move {
            let mut watched = None;
            (obey(pages, own, sound, &mut watched, asked).await, watched)
        }))
    };
    let (mut underway, mut waiting): (Underway<'_>, VecDeque<Asked>) = (None, VecDeque::new());
    let over = session.over();
    tokio::pin!(over);
    loop {
        let said = tokio::select! {
            changed = screens.changed() => match changed {
                Ok(()) => {
                    let screen: Option<Arc<AgentScreen>> = screens.borrow_and_update().clone();
                    let Some(screen) = screen else { continue };
                    audio.sits_at(screen.seat.as_ref());
                    text(&Shown { screen: &screen, now: clock.now() })
                }
                // The loop has ended, or the agent is off the roster.
                Err(_) => break,
            },
            shown = changed(&mut floor) => text(&FloorShown { floor: shown.as_deref(), now: clock.now() }),
            (answer, watched) = done(&mut underway) => {
                underway = waiting.pop_front().and_then(&begin);
                floor = watched.or(floor);
                text(&answer)
            }
            came = socket.recv() => match came {
                Some(Ok(Message::Text(asked))) => {
                    heard = tokio::time::Instant::now();
                    match serde_json::from_str(&asked) {
                        Ok(Asked { id, order: Order::Ping }) => text(&Answer::done(id)),
                        Ok(asked) if underway.is_none() => {
                            underway = begin(asked);
                            continue;
                        }
                        Ok(asked) if waiting.len() < WAITING => {
                            waiting.push_back(asked);
                            continue;
                        }
                        Ok(Asked { id, .. }) => text(&Answer::unable(id, "no_answer", None)),
                        // A page of another version: it is told, and keeps its call.
                        Err(error) => match serde_json::from_str(&asked) {
                            Ok(Numbered { id }) => text(&Answer::unable(id, "unknown_order", Some(error.to_string()))),
                            Err(_) => {
                                tracing::debug!(%agent, %error, "a page says what is no order");
                                break;
                            }
                        },
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                    heard = tokio::time::Instant::now();
                    continue;
                }
                Some(Ok(Message::Binary(_) | Message::Close(_)) | Err(_)) | None => break,
            },
            // A page sees no ping: it is told the time, and answers the ping all the same.
            _ = ask.tick() => {
                if heard.elapsed() >= SILENT || !sent(&mut socket, Message::Ping(Default::default())).await {
                    break;
                }
                text(&TimeIs { now: clock.now() })
            },
            () = audio.replaced() => text(&AudioIs { audio: "replaced" }),
            () = &mut over => {
                audio.close();
                break;
            }
        };
        if !sent(&mut socket, said).await {
            return;
        }
    }
    let _ = tokio::time::timeout(ASK, socket.send(Message::Close(None))).await;
}

/// Never, where nothing is being done.
async fn done(underway: &mut Underway<'_>) -> (Answer, Watched) {
    let Some(order) = underway else { return std::future::pending().await };
    let done = order.await;
    *underway = None;
    done
}

/// A page that takes nothing in all that time is gone.
async fn sent(socket: &mut WebSocket, message: Message) -> bool {
    matches!(tokio::time::timeout(SILENT, socket.send(message)).await, Ok(Ok(())))
}

/// To what the loop sends from now on.
async fn watch_floor(pages: &Pages, agent: &AgentNo, floor: &mut Watched, id: u64) -> Answer {
    let (sender, receiver) = watch::channel(None);
    let (tell, told) = oneshot::channel();
    pages.inbox.offer(ToLoop::WatchFloor { agent: agent.clone(), floor: sender, answer: tell });
    let answer = obeyed(id, told).await;
    if answer.unable.is_none() {
        *floor = Some(receiver);
    }
    answer
}

/// Nothing ever comes where no leader watches. `None`: no leader any more, or too many windows.
async fn changed(floor: &mut Watched) -> Option<Arc<Floor>> {
    let Some(watched) = floor else { return std::future::pending().await };
    if watched.changed().await.is_ok() {
        return watched.borrow_and_update().clone();
    }
    *floor = None;
    None
}

async fn obey(pages: &Pages, agent: &AgentNo, audio: &Page, floor: &mut Watched, Asked { id, order }: Asked) -> Answer {
    let order = match order {
        Order::SignIn { seat } => AgentOrder::SignIn(SeatNo::new(seat)),
        Order::SignOut => AgentOrder::SignOut,
        Order::Ready => AgentOrder::Ready,
        Order::NotReady { reason } => {
            let chosen = NotReadyReason::CHOSEN.into_iter().find(|known| known.as_str() == reason);
            match chosen {
                Some(chosen) => AgentOrder::NotReady(chosen),
                None => return Answer::unable(id, "unknown_reason", None),
            }
        }
        Order::ExtendWrapUp => AgentOrder::ExtendWrapUp,
        Order::HangUp => AgentOrder::HangUp,
        Order::ToQueue { queue } => AgentOrder::ToQueue(QueueName::new(queue)),
        Order::Answer => AgentOrder::Answer,
        Order::Hold => AgentOrder::Hold,
        Order::Resume => AgentOrder::Resume,
        Order::Dial { to } => AgentOrder::Dial(to),
        Order::TestCall => AgentOrder::TestCall,
        Order::EndTestCall => AgentOrder::EndTestCall,
        Order::Consult { to } => AgentOrder::Consult(to),
        Order::EndConsult => AgentOrder::EndConsult,
        Order::Transfer { to } => AgentOrder::Transfer(to),
        Order::ThreeWay => AgentOrder::ThreeWay,
        Order::Emergency => AgentOrder::Emergency,
        Order::Ping => return Answer::done(id),
        Order::AudioClose => {
            audio.close();
            return Answer::done(id);
        }
        Order::AudioOffer { sdp } => {
            let Some(seat) = seat_of(pages, agent).await else { return nowhere(id) };
            return answered(id, audio.offer(seat, &sdp).await);
        }
        Order::AudioReoffer { sdp } => {
            let Some(seat) = seat_of(pages, agent).await else { return nowhere(id) };
            return answered(id, audio.reoffer(seat, &sdp).await);
        }
        Order::Survey => AgentOrder::Survey,
        Order::AskHelp => AgentOrder::AskHelp(true),
        Order::NoHelp => AgentOrder::AskHelp(false),
        Order::WatchFloor => return watch_floor(pages, agent, floor, id).await,
        Order::Lead(lead) => match lead.order() {
            Ok(order) => AgentOrder::Lead(order),
            Err(unable) => return Answer::unable(id, unable, None),
        },
    };
    let (tell, told) = oneshot::channel();
    pages.inbox.offer(ToLoop::Order { agent: agent.clone(), order, answer: tell });
    obeyed(id, told).await
}

async fn obeyed(id: u64, told: oneshot::Receiver<Result<(), Unable>>) -> Answer {
    match tokio::time::timeout(PATIENCE, told).await {
        Ok(Ok(Ok(()))) => Answer::done(id),
        Ok(Ok(Err(unable))) => Answer::unable(id, Unable::as_str(&unable), Some(unable.to_string())),
        Ok(Err(_)) | Err(_) => Answer::unable(id, "no_answer", None),
    }
}

/// Audio is for the seat one is signed in at, as the gateway knows it now.
async fn seat_of(pages: &Pages, agent: &AgentNo) -> Option<SeatNo> {
    let (answer, told) = oneshot::channel();
    pages.inbox.offer(ToLoop::SeatOf { agent: agent.clone(), answer });
    tokio::time::timeout(PATIENCE, told).await.ok()?.ok()?
}

fn nowhere(id: u64) -> Answer {
    Answer::unable(id, "not_signed_in", Some("audio is for the seat where one is signed in".to_owned()))
}

fn answered(id: u64, outcome: Result<String, NoAudio>) -> Answer {
    match outcome {
        Ok(sdp) => Answer { sdp: Some(sdp), ..Answer::done(id) },
        Err(why) => Answer::unable(id, why.as_str(), Some(why.to_string())),
    }
}

fn text(what: &impl Serialize) -> Message {
    Message::Text(serde_json::to_string(what).expect("plain data").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::password::Passwords;
    use crate::pages::session::Sessions;
    use crate::runtime::inbox;
    use axum::routing::get;
    use futures_util::{SinkExt, StreamExt};
    use tokio::sync::Semaphore;
    use tokio_tungstenite::tungstenite::Message as Frame;
    use tokio_tungstenite::tungstenite::client::IntoClientRequest;

    /// The signalling loop does not come to it: nobody reads the inbox.
    #[tokio::test]
    async fn a_ping_is_answered_while_an_order_is_being_done_and_orders_keep_their_turn() {
        let (inbox, _outbox) = inbox::channel().unwrap();
        let sessions = Sessions::new(Duration::from_secs(60));
        let cookie = sessions.begin("6601".into()).unwrap();
        let pages = Pages {
            sessions,
            passwords: Passwords::new(Default::default()),
            agents: Default::default(),
            seats: vec![],
            inbox,
            audio: crate::pages::audio::Audio::new(None),
            screens: Arc::new(Semaphore::new(1)),
            encrypted: false,
        };
        let app = axum::Router::new().route("/live", get(live)).with_state(Arc::new(pages));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let mut request = format!("ws://{address}/live").into_client_request().unwrap();
        request.headers_mut().insert("cookie", format!("rexian={cookie}").parse().unwrap());
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (mut page, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        for order in ["ready", "hang_up", "ping"].into_iter().zip(1..) {
            let asked = serde_json::json!({ "order": order.0, "id": order.1 });
            page.send(Frame::text(asked.to_string())).await.unwrap();
        }
        let began = tokio::time::Instant::now();
        let mut answers = vec![];
        while answers.len() < 3 {
            let Some(Ok(frame)) = page.next().await else { panic!("closed: {answers:?}") };
            let Ok(text) = frame.to_text() else { continue };
            let heard: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
            if let Some(id) = heard["answer"].as_u64() {
                answers.push((id, heard["unable"].as_str().map(str::to_owned)));
                assert!(id != 3 || began.elapsed() < PATIENCE / 2, "the page has given up by now");
            }
        }
        let late = Some("no_answer".to_owned());
        assert_eq!(answers, [(3, None), (1, late.clone()), (2, late)]);
    }
}
