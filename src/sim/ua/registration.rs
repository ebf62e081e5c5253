//! A phone's registration: REGISTER, the challenge, refresh, and starting over when refused (RFC 3261 s10.2).

use super::UaFact;
use super::credentials::{Account, Credentials};
use super::wire::{self, Cx, Draft, Resend};
use crate::sip::message::{Message, Method, Name};
use crate::time::Instant;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Registration {
    account: Account,
    domain: String,
    expires: Duration,
    call_id: String,
    tag: String,
    cseq: u32,
    credentials: Option<Credentials>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// `challenged`: how many challenges this attempt has met.
    Asking {
        branch: String,
        resend: Resend,
        challenged: u8,
        expires: Duration,
    },
    Registered {
        refresh_at: Instant,
    },
    /// Refused or unanswered: again later.
    Resting {
        until: Instant,
    },
    /// Unregistered on purpose.
    Off,
}

/// Challenges met before an attempt is given up: the first, and one more if the nonce went stale.
const MOST_CHALLENGES: u8 = 2;
const REST: Duration = Duration::from_secs(5);

impl Registration {
    pub fn start(cx: &mut Cx<'_>, account: Account, domain: String, expires: Duration) -> Registration {
        let call_id = format!("{}@{}", cx.rng.token(), cx.us.sip.ip());
        let tag = cx.rng.token();
        let mut registration =
            Registration { account, domain, expires, call_id, tag, cseq: 0, credentials: None, state: State::Off };
        registration.ask(cx, expires, 0);
        registration
    }

    pub fn is_registered(&self) -> bool {
        matches!(self.state, State::Registered { .. })
    }

    pub fn refresh(&mut self, cx: &mut Cx<'_>) {
        self.ask(cx, self.expires, 0);
    }

    pub fn unregister(&mut self, cx: &mut Cx<'_>) {
        self.ask(cx, Duration::ZERO, 0);
    }

    pub fn owns(&self, msg: &Message<'_>) -> bool {
        msg.call_id() == self.call_id.as_bytes()
    }

    pub fn on_response(&mut self, cx: &mut Cx<'_>, msg: &Message<'_>) {
        let State::Asking { branch, challenged, expires, .. } = &self.state else { return };
        let (challenged, expires) = (*challenged, *expires);
        if msg.via().branch() != Some(branch.as_bytes()) {
            return;
        }
        match msg.status() {
            Some(200..=299) if expires.is_zero() => self.state = State::Off,
            Some(200..=299) => {
                let granted = granted(cx, msg).unwrap_or(expires);
                self.state = State::Registered { refresh_at: cx.now + granted.mul_f64(0.45 + 0.1 * cx.rng.unit()) };
                cx.fact(UaFact::Registered);
            }
            Some(401 | 407) if challenged < MOST_CHALLENGES => match Credentials::from_challenge(&self.account, msg) {
                Some(credentials) => {
                    self.credentials = Some(credentials);
                    self.ask(cx, expires, challenged + 1);
                }
                None => self.rest(cx, msg.status()),
            },
            Some(423) => {
                let least = msg.header(Name::MinExpires).and_then(|v| std::str::from_utf8(v).ok()?.parse().ok());
                self.expires = Duration::from_secs(least.unwrap_or(3_600));
                self.ask(cx, self.expires, challenged);
            }
            Some(status @ 300..) => self.rest(cx, Some(status)),
            _ => {}
        }
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Asking { resend, .. } => Some(resend.next_timeout()),
            State::Registered { refresh_at } => Some(*refresh_at),
            State::Resting { until } => Some(*until),
            State::Off => None,
        }
    }

    pub fn on_timeout(&mut self, cx: &mut Cx<'_>) {
        match &mut self.state {
            State::Asking { resend, expires, .. } => match (resend.on_timeout(cx.now, cx.out), expires.is_zero()) {
                (true, true) => self.state = State::Off,
                (true, false) => self.rest(cx, None),
                (false, _) => {}
            },
            State::Registered { refresh_at: at } | State::Resting { until: at } if cx.now >= *at => self.refresh(cx),
            _ => {}
        }
    }

    fn rest(&mut self, cx: &mut Cx<'_>, refused: Option<u16>) {
        self.credentials = None;
        self.state = State::Resting { until: cx.now + REST };
        cx.fact(UaFact::NotRegistered(refused));
    }

    fn ask(&mut self, cx: &mut Cx<'_>, expires: Duration, challenged: u8) {
        self.cseq += 1;
        let branch = wire::branch(cx.rng.token());
        let uri = format!("sip:{}", self.domain);
        let address = format!("<sip:{}@{}>", self.account.user, self.domain);
        let mut request = Draft {
            method: Method::Register,
            uri: &uri,
            branch: &branch,
            from: &format!("{address};tag={}", self.tag),
            to: &address,
            call_id: &self.call_id,
            cseq: self.cseq,
        }
        .build(cx.us)
        .header_fmt(Name::Contact, format_args!("<sip:{}@{}>", self.account.user, cx.us.sip))
        .header_fmt(Name::Expires, format_args!("{}", expires.as_secs()));
        if let Some(credentials) = &mut self.credentials {
            let (name, value) = credentials.authorize(&self.account, "REGISTER", &uri, &cx.rng.token());
            request = request.header(name, value.as_bytes());
        }
        let resend = Resend::other(cx.now, request.finish(), cx.out);
        self.state = State::Asking { branch, resend, challenged, expires };
    }
}

/// The time the registrar granted our contact.
fn granted(cx: &Cx<'_>, msg: &Message<'_>) -> Option<Duration> {
    let ours = cx.us.sip.to_string();
    let contact = msg.contacts().flatten().find(|c| wire::text(c.uri).contains(&ours));
    let seconds = contact.and_then(|c| std::str::from_utf8(c.params.get("expires")??).ok()?.parse().ok());
    seconds.or(msg.expires()).map(|s: u32| Duration::from_secs(u64::from(s)))
}
