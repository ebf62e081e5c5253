//! What people at the hotline open in a browser: served by the gateway itself, no other server, no build step. Belongs
//! here: signing in (`sign_in`, `password`, `session`), the agent's live screen and orders (`live`), a page's audio
//! on its way to the media plane (`audio`), the files of the site (`site`), the door to all of it (`door`). Not here: what a screen shows (`gateway::screens`), the API for programs
//! (`api`).
//!
//! Security: strict cookies, every request that changes something and every WebSocket from our own origin only, a content
//! security policy that runs no script but our files, passwords as Argon2id, guesses slowed. What a browser sends is
//! bounded before it is kept.

mod audio;
mod door;
mod lead;
mod live;
pub mod password;
mod session;
mod sign_in;
mod site;

use crate::api::v1::Api;
use crate::casework::{Actor, Post};
use crate::config::settings::{AgentSettings, PagesSettings, SeatSettings};
use crate::ids::{AgentNo, SeatNo};
use crate::media::webrtc::BrowserDoor;
use crate::net::tls::Tls;
use crate::runtime::inbox::Inbox;
use audio::Audio;
use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::HeaderMap;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use door::{Door, Peer};
use password::Passwords;
use session::Sessions;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// A sign-in and an order are small.
const LONGEST_BODY: usize = 4 << 10;
/// Live screens at once: every agent in two windows, and the leaders.
const SCREENS: usize = 256;

pub(crate) struct Pages {
    sessions: Sessions,
    passwords: Passwords,
    /// Number -> does this agent lead the shift?
    agents: BTreeMap<AgentNo, bool>,
    seats: Vec<SeatNo>,
    inbox: Inbox,
    audio: Arc<Audio>,
    screens: Arc<Semaphore>,
    /// Cookies are for TLS only.
    encrypted: bool,
}

/// Listens and serves until the runtime ends. Returns the address listened on.
pub async fn serve(
    settings: PagesSettings,
    tls: Option<Arc<Tls>>,
    agents: &[AgentSettings],
    seats: &[SeatSettings],
    inbox: Inbox,
    audio: Option<BrowserDoor>,
    v1: &Api,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(settings.listen).await?;
    let address = listener.local_addr()?;
    let pages = Pages {
        sessions: Sessions::new(settings.session),
        passwords: Passwords::new(settings.passwords),
        agents: agents.iter().map(|agent| (agent.number.clone(), agent.leader)).collect(),
        seats: seats.iter().map(|seat| seat.number.clone()).collect(),
        inbox,
        audio: Audio::new(audio),
        screens: Arc::new(Semaphore::new(SCREENS)),
        encrypted: tls.is_some(),
    };
    let app = router(Arc::new(pages), v1).into_make_service_with_connect_info::<Peer>();
    let door = Door::open(listener, tls);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(door, app).await {
            tracing::error!(%error, "the pages have ended: nobody can sign in on one until a restart");
        }
    });
    Ok(address)
}

fn router(pages: Arc<Pages>, v1: &Api) -> Router {
    let (signed_in, known) = (pages.clone(), pages.clone());
    let v1 = v1.router_of_pages(Arc::new(move |headers| signed_in.actor(headers)));
    let own = Router::new()
        .route("/session", post(sign_in::sign_in).get(sign_in::who).delete(sign_in::sign_out))
        .route("/live", get(live::live))
        .merge(site::router())
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(pages);
    let known = middleware::from_fn_with_state(known, know);
    own.merge(v1).layer(known).layer(middleware::from_fn(site::guarded))
}

/// The connection of who is signed in may live; `/v1` takes the lease of its streams from the same place as at its own door.
async fn know(State(pages): State<Arc<Pages>>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(Peer(_, lease))) = request.extensions().get::<ConnectInfo<Peer>>().cloned() {
        if pages.sessions.of(request.headers()).is_some() {
            lease.extend();
        }
        request.extensions_mut().insert(ConnectInfo(lease));
    }
    next.run(request).await
}

impl Pages {
    /// Who is signed in, as tickets know them.
    fn actor(&self, headers: &HeaderMap) -> Option<Actor> {
        let agent = self.sessions.of(headers)?.agent;
        let post = if *self.agents.get(&agent)? { Post::ShiftLeader } else { Post::Operator };
        Some(Actor::new(agent.to_string(), post))
    }
}
