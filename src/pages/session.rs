//! Who is signed in: random names in cookies, kept here only as digests, each for one agent and a shift at most.

use crate::api::v1::access::digest_of;
use crate::host::entropy;
use crate::ids::AgentNo;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Windows of one agent; the oldest gives way.
const PER_AGENT: usize = 4;

pub struct Sessions {
    length: Duration,
    open: Mutex<BTreeMap<[u8; 32], Session>>,
}

struct Session {
    agent: AgentNo,
    began: Instant,
    /// Dropped with the session: whoever serves it knows that it is over.
    _alive: watch::Sender<()>,
    over: watch::Receiver<()>,
}

/// A session that is open.
#[derive(Clone, Debug)]
pub struct Open {
    pub agent: AgentNo,
    pub left: Duration,
    over: watch::Receiver<()>,
}

impl Open {
    /// Comes when the session has ended, by sign-out or by time.
    pub async fn over(&mut self) {
        let ended = async { while self.over.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(self.left, ended).await;
    }
}

impl Sessions {
    pub fn new(length: Duration) -> Sessions {
        Sessions { length, open: Mutex::default() }
    }

    /// What goes into the cookie.
    pub fn begin(&self, agent: AgentNo) -> io::Result<String> {
        let name = URL_SAFE_NO_PAD.encode(entropy()?);
        let mut open = self.open.lock().unwrap_or_else(|e| e.into_inner());
        open.retain(|_, session| session.began.elapsed() < self.length);
        let own = open.iter().filter(|(_, session)| session.agent == agent);
        let mut own: Vec<(Instant, [u8; 32])> = own.map(|(name, session)| (session.began, *name)).collect();
        own.sort_unstable();
        for (_, oldest) in own.iter().rev().skip(PER_AGENT - 1) {
            open.remove(oldest);
        }
        let (alive, over) = watch::channel(());
        open.insert(digest_of(&name), Session { agent, began: Instant::now(), _alive: alive, over });
        Ok(name)
    }

    pub fn of(&self, headers: &HeaderMap) -> Option<Open> {
        let open = self.open.lock().unwrap_or_else(|e| e.into_inner());
        let session = open.get(&digest_of(cookie(headers)?))?;
        let left = self.length.checked_sub(session.began.elapsed()).filter(|left| !left.is_zero())?;
        Some(Open { agent: session.agent.clone(), left, over: session.over.clone() })
    }

    pub fn end(&self, headers: &HeaderMap) {
        if let Some(name) = cookie(headers) {
            self.open.lock().unwrap_or_else(|e| e.into_inner()).remove(&digest_of(name));
        }
    }
}

const COOKIE: &str = "rexian";
const HOST_COOKIE: &str = "__Host-rexian";

/// `name: None`: the cookie is to go.
pub fn set_cookie(name: Option<&str>, encrypted: bool) -> String {
    let (cookie, secure) = if encrypted { (HOST_COOKIE, "; Secure") } else { (COOKIE, "") };
    let (value, age) = name.map_or(("", "; Max-Age=0"), |name| (name, ""));
    format!("{cookie}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}")
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| [COOKIE, HOST_COOKIE].contains(name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(cookie: &str) -> HeaderMap {
        [(header::COOKIE, cookie.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn a_session_is_its_agents_until_it_ends() {
        let sessions = Sessions::new(Duration::from_secs(60));
        let name = sessions.begin(AgentNo::new("6601")).unwrap();
        let headers = with(&format!("lang=zh; __Host-rexian={name}"));
        assert_eq!(sessions.of(&headers).unwrap().agent, AgentNo::new("6601"));
        assert!(sessions.of(&with("__Host-rexian=guessed")).is_none());
        assert!(sessions.of(&HeaderMap::new()).is_none());
        sessions.end(&headers);
        assert!(sessions.of(&headers).is_none());
        let short = Sessions::new(Duration::ZERO);
        let name = short.begin(AgentNo::new("6601")).unwrap();
        assert!(short.of(&with(&format!("rexian={name}"))).is_none(), "its time is over");
    }

    #[test]
    fn an_agents_fifth_window_ends_the_first() {
        let sessions = Sessions::new(Duration::from_secs(60));
        let names: Vec<String> = (0..5).map(|_| sessions.begin(AgentNo::new("6601")).unwrap()).collect();
        let open = |name: &String| sessions.of(&with(&format!("rexian={name}"))).is_some();
        assert_eq!(names.iter().map(open).collect::<Vec<_>>(), [false, true, true, true, true]);
    }

    #[tokio::test]
    async fn whoever_serves_a_session_hears_of_its_end() {
        let sessions = Sessions::new(Duration::from_secs(60));
        let headers = with(&format!("rexian={}", sessions.begin(AgentNo::new("6601")).unwrap()));
        let mut open = sessions.of(&headers).unwrap();
        sessions.end(&headers);
        tokio::time::timeout(Duration::from_secs(5), open.over()).await.expect("told at once");
    }
}
