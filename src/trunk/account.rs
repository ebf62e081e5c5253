//! A registration of ours at a carrier (RFC 3261 s10.2; in an IMS 3GPP TS 24.229 s5.1.1). Belongs here: when a REGISTER
//! goes out, to which of the carrier's proxies, and what its answer means. Not here: its text (`request`), reading
//! what was granted (`binding`), whose calls are taken and how ours go out (`gateway`).
//!
//! A proxy that is silent or failing is passed over for the next; when none is left, and after a refusal, we wait, longer
//! each time: a carrier that says 403 is not hammered, nor one that closes the connection after each 200. What was
//! granted before stays good until it expires, whatever becomes of its renewal.

mod binding;
mod proxies;
mod request;
mod status;

pub use binding::Binding;
pub use status::{Refusal, Status};

use crate::config::settings::{Account, RegisterQuirks};
use crate::ids::TrunkName;
use crate::sip::digest::client::{Login, Rounds};
use crate::sip::endpoint::{ClientTx, Endpoint};
use crate::sip::flow::{Flow, Transport};
use crate::sip::message::{Message, Name, delta_seconds};
use crate::sip::tokens::Tokens;
use crate::time::Instant;
use proxies::{another, next_after, same};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// After every proxy has failed; doubled each time (RFC 5626 s4.5 has the scheme, for phones).
const FAILED: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(300));
/// After the carrier has refused us.
const REFUSED: (Duration, Duration) = (Duration::from_secs(300), Duration::from_secs(3_600));
/// TS 24.229 s5.1.1.4.1: renewed so long before the end, or at half the time if that is later.
const BEFORE_THE_END: Duration = Duration::from_secs(600);
/// A carrier that grants less is not asked oftener.
const SOONEST: Duration = Duration::from_secs(5);
/// After a connection that was lost soon after the registration on it; doubled each time.
const LOST: (Duration, Duration) = (SOONEST, FAILED.1);
/// A connection that held so long may be followed by the next at once.
const LASTED: Duration = Duration::from_secs(60);

/// What a registration works with; borrowed from the gateway for one step.
pub struct Context<'a> {
    pub now: Instant,
    pub endpoint: &'a mut Endpoint,
    pub tokens: &'a mut Tokens,
    /// Comes back with each answer.
    pub owner: u64,
    /// The ways to the carrier's proxies, best first.
    pub paths: &'a [Flow],
    /// A proxy that has said nothing for so long is passed over, if there is another.
    pub patience: Duration,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Registration {
    pub trunk: TrunkName,
    pub account: Account,
    quirks: RegisterQuirks,
    login: Login,
    /// Of all its REGISTERs (s10.2).
    call_id: String,
    tag: String,
    seq: u32,
    /// Asked for; more than configured where the carrier insists (423).
    expires: Duration,
    state: State,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum State {
    /// Before the beginning, and after the end.
    Unregistered,
    Trying {
        ask: Ask,
        held: Option<Binding>,
        failures: u32,
    },
    Registered {
        binding: Binding,
        since: Instant,
        renew_at: Instant,
        /// How often in a row it has failed, or was lost, before this time.
        failures: u32,
    },
    /// Not taken for now.
    Refused {
        why: Refusal,
        failures: u32,
        last: Option<Flow>,
        retry_at: Instant,
        held: Option<Binding>,
    },
    /// De-registering.
    Leaving {
        ask: Ask,
    },
}

/// A REGISTER under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Ask {
    tx: ClientTx,
    flow: Flow,
    rounds: Rounds,
    /// It has told the least time it grants (423): once, or a bad one would have us ask for ever.
    lengthened: bool,
    /// Proxies that failed before this one.
    failed: Vec<Flow>,
    /// When its silence has lasted too long; `None`: it has spoken, or there is nobody else to ask.
    silent_at: Option<Instant>,
}

/// What an answer that is no success asks for.
enum Next {
    Again,
    OtherProxy(Refusal),
    Wait(Refusal),
}

impl Registration {
    pub fn new(trunk: TrunkName, account: Account, quirks: RegisterQuirks, tokens: &mut Tokens) -> Registration {
        Registration {
            trunk,
            quirks,
            login: Login::new(&account.auth_user, account.password.clone()),
            call_id: format!("{}@{}", tokens.token(), account.domain),
            tag: tokens.token(),
            seq: 0,
            expires: account.expires,
            account,
            state: State::Unregistered,
        }
    }

    /// Its time has come: the first REGISTER, a renewal, or another try.
    pub fn due(&mut self, cx: &mut Context<'_>) {
        match std::mem::replace(&mut self.state, State::Unregistered) {
            State::Unregistered => self.ask_first(cx, None, None, 0),
            State::Registered { binding, since, failures, .. } => {
                let known = binding.flow;
                let failures = if cx.now.since(since) < LASTED { failures } else { 0 };
                self.ask_first(cx, Some(known), Some(binding), failures);
            }
            State::Refused { failures, last, held, .. } => {
                let after = last.and_then(|last| next_after(cx.paths, last));
                self.ask_first(cx, after, held, failures);
            }
            State::Trying { ask, held, failures } if ask.silent_at.is_some_and(|at| at <= cx.now) => {
                self.other_proxy(cx, ask, held, failures, Refusal::NoAnswer, None)
            }
            busy @ (State::Trying { .. } | State::Leaving { .. }) => self.state = busy,
        }
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Registered { renew_at: at, .. } | State::Refused { retry_at: at, .. } => Some(*at),
            State::Trying { ask, .. } => ask.silent_at,
            // The transaction's own timers end these.
            State::Unregistered | State::Leaving { .. } => None,
        }
    }

    pub fn status(&self, now: Instant) -> Status<'_> {
        match (&self.state, self.binding(now)) {
            (State::Leaving { .. }, _) => Status::Leaving,
            (_, Some(binding)) => Status::Registered(binding),
            (State::Trying { .. }, None) => Status::Trying,
            (State::Refused { why, .. }, None) => Status::Refused(why),
            (State::Unregistered | State::Registered { .. }, None) => Status::Unregistered,
        }
    }

    /// What the last renewal failed by, while the carrier still has us.
    pub fn trouble(&self) -> Option<&Refusal> {
        match &self.state {
            State::Refused { why, .. } => Some(why),
            _ => None,
        }
    }

    /// What the carrier granted and has not run out.
    pub fn binding(&self, now: Instant) -> Option<&Binding> {
        let (State::Trying { held: Some(binding), .. }
        | State::Refused { held: Some(binding), .. }
        | State::Registered { binding, .. }) = &self.state
        else {
            return None;
        };
        (now < binding.until).then_some(binding)
    }

    /// A clean stop: the carrier is told, so that it sends its calls elsewhere at once.
    pub fn leave(&mut self, cx: &mut Context<'_>) {
        match std::mem::replace(&mut self.state, State::Unregistered) {
            State::Trying { ask, held, .. } => self.say_goodbye(cx, held.map_or(ask.flow, |binding| binding.flow)),
            State::Registered { binding, .. } | State::Refused { held: Some(binding), .. } => {
                self.say_goodbye(cx, binding.flow)
            }
            leaving @ State::Leaving { .. } => self.state = leaving,
            State::Unregistered | State::Refused { held: None, .. } => {}
        }
    }

    fn say_goodbye(&mut self, cx: &mut Context<'_>, flow: Flow) {
        let tx = self.send(cx, flow, Duration::ZERO);
        let ask = Ask { tx, flow, rounds: Rounds::default(), lengthened: false, failed: vec![], silent_at: None };
        self.state = State::Leaving { ask };
    }

    /// This proxy answers nothing any more: another one is asked to take us, if there is one that may live.
    pub fn leave_proxy(&mut self, cx: &mut Context<'_>, transport: Transport, remote: SocketAddr) {
        let at = |flow: &Flow| (flow.transport, flow.remote) == (transport, remote);
        match std::mem::replace(&mut self.state, State::Unregistered) {
            State::Registered { binding, .. }
                if at(&binding.flow) && cx.paths.first().is_some_and(|path| !at(path)) =>
            {
                self.ask_first(cx, None, Some(binding), 0)
            }
            other => self.state = other,
        }
    }

    /// Do the carrier's calls come by this connection?
    pub fn is_on(&self, flow: Flow) -> bool {
        let at = |used: &Flow| (used.transport, used.remote) == (flow.transport, flow.remote);
        matches!(&self.state, State::Registered { binding, .. } if flow.transport.is_stream() && at(&binding.flow))
    }

    /// That connection is gone.
    pub fn lost(&mut self, cx: &mut Context<'_>) {
        match std::mem::replace(&mut self.state, State::Unregistered) {
            State::Registered { binding, since, failures, .. } => {
                let known = binding.flow;
                match cx.now.since(since) < LASTED {
                    true => self.wait(cx, Refusal::Closed, LOST, failures, Some(known), None, Some(binding)),
                    false => self.ask_first(cx, Some(known), Some(binding), 0),
                }
            }
            other => self.state = other,
        }
    }

    pub fn answered(&mut self, cx: &mut Context<'_>, tx: ClientTx, msg: &Message<'_>) {
        let Some(status) = msg.status() else { return };
        if status < 200 {
            match &mut self.state {
                State::Trying { ask, .. } if ask.tx == tx => ask.silent_at = None,
                _ => {}
            }
            return;
        }
        match std::mem::replace(&mut self.state, State::Unregistered) {
            State::Trying { ask, held, failures } if ask.tx == tx => {
                if status < 300 {
                    self.granted(cx, ask.flow, failures, msg);
                } else {
                    self.refused(cx, ask, held, failures, status, msg);
                }
            }
            State::Leaving { mut ask } if ask.tx == tx => {
                if matches!(status, 401 | 407) && self.login.take_up(&mut ask.rounds, cx.tokens, msg).is_ok() {
                    ask.tx = self.send(cx, ask.flow, Duration::ZERO);
                    self.state = State::Leaving { ask };
                }
            }
            other => self.state = other,
        }
    }

    /// No answer, or no connection.
    pub fn failed(&mut self, cx: &mut Context<'_>, tx: ClientTx) {
        match std::mem::replace(&mut self.state, State::Unregistered) {
            State::Trying { ask, held, failures } if ask.tx == tx => {
                self.other_proxy(cx, ask, held, failures, Refusal::NoAnswer, None)
            }
            State::Leaving { ask } if ask.tx == tx => {}
            other => self.state = other,
        }
    }

    fn granted(&mut self, cx: &mut Context<'_>, flow: Flow, failures: u32, msg: &Message<'_>) {
        self.login.learn(msg);
        let granted = binding::granted(&self.account, &flow, msg).unwrap_or(self.expires);
        if granted.is_zero() {
            let why = Refusal::Status(200, "OK, but keeps us for no time".into());
            return self.wait(cx, why, REFUSED, failures, Some(flow), None, None);
        }
        let binding = Binding::read(flow, cx.now + granted, msg);
        // Many gateways that were switched on together do not renew together.
        let jitter = Duration::from_millis(cx.tokens.next_u64() % (granted.as_millis() as u64 / 10).max(1));
        let wait = granted.saturating_sub(BEFORE_THE_END).max(granted / 2).saturating_sub(jitter);
        self.state = State::Registered { binding, since: cx.now, renew_at: cx.now + wait.max(SOONEST), failures };
    }

    fn refused(
        &mut self,
        cx: &mut Context<'_>,
        mut ask: Ask,
        held: Option<Binding>,
        failures: u32,
        status: u16,
        msg: &Message<'_>,
    ) {
        match self.next(cx, &mut ask, status, msg) {
            Next::Again => {
                ask.tx = self.send(cx, ask.flow, self.expires);
                ask.silent_at = silent_at(cx, ask.flow, &ask.failed);
                self.state = State::Trying { ask, held, failures };
            }
            Next::OtherProxy(why) => self.other_proxy(cx, ask, held, failures, why, retry_after(msg)),
            // It does not have us any more.
            Next::Wait(why) => self.wait(cx, why, REFUSED, failures, Some(ask.flow), retry_after(msg), None),
        }
    }

    fn next(&mut self, cx: &mut Context<'_>, ask: &mut Ask, status: u16, msg: &Message<'_>) -> Next {
        let phrase = String::from_utf8_lossy(msg.reason_phrase().unwrap_or_default());
        let why = Refusal::Status(status, phrase.chars().take(80).collect());
        match status {
            401 | 407 => match self.login.take_up(&mut ask.rounds, cx.tokens, msg) {
                Ok(()) => Next::Again,
                Err(unmet) => Next::Wait(Refusal::Challenge(unmet)),
            },
            423 => match msg.header(Name::MinExpires).and_then(delta_seconds) {
                Some(least) if !ask.lengthened && Duration::from_secs(least.into()) > self.expires => {
                    ask.lengthened = true;
                    self.expires = Duration::from_secs(least.into());
                    Next::Again
                }
                _ => Next::Wait(why),
            },
            // Not of us, but of this proxy, or of this moment.
            300..=399 | 408 | 430 | 480 | 500..=599 => Next::OtherProxy(why),
            _ => Next::Wait(why),
        }
    }

    fn other_proxy(
        &mut self,
        cx: &mut Context<'_>,
        ask: Ask,
        held: Option<Binding>,
        failures: u32,
        why: Refusal,
        at_least: Option<Duration>,
    ) {
        let Ask { flow, mut failed, .. } = ask;
        failed.push(flow);
        match another(cx.paths, flow, &failed) {
            Some(next) => self.ask(cx, next, failed, held, failures),
            None => self.wait(cx, why, FAILED, failures, Some(flow), at_least, held),
        }
    }

    fn ask_first(&mut self, cx: &mut Context<'_>, wanted: Option<Flow>, held: Option<Binding>, failures: u32) {
        let known = wanted.and_then(|flow| cx.paths.iter().find(|path| same(path, &flow)));
        match known.or(cx.paths.first()).copied() {
            Some(path) => self.ask(cx, path, vec![], held, failures),
            None => self.wait(cx, Refusal::NoWay, FAILED, failures, None, None, held),
        }
    }

    fn ask(&mut self, cx: &mut Context<'_>, flow: Flow, failed: Vec<Flow>, held: Option<Binding>, failures: u32) {
        let tx = self.send(cx, flow, self.expires);
        let silent_at = silent_at(cx, flow, &failed);
        let ask = Ask { tx, flow, rounds: Rounds::default(), lengthened: false, failed, silent_at };
        self.state = State::Trying { ask, held, failures };
    }

    #[expect(clippy::too_many_arguments, reason = "all that the next try needs to know")]
    fn wait(
        &mut self,
        cx: &mut Context<'_>,
        why: Refusal,
        (shortest, longest): (Duration, Duration),
        failures: u32,
        last: Option<Flow>,
        at_least: Option<Duration>,
        held: Option<Binding>,
    ) {
        let wait = (shortest * 2u32.saturating_pow(failures.min(10))).min(longest).max(at_least.unwrap_or_default());
        let jitter = Duration::from_millis(cx.tokens.next_u64() % (wait.as_millis() as u64 / 4).max(1));
        let held = held.filter(|binding| cx.now < binding.until);
        let retry_at = cx.now + wait + jitter;
        self.state = State::Refused { why, failures: failures.saturating_add(1), last, retry_at, held };
    }

    fn send(&mut self, cx: &mut Context<'_>, flow: Flow, expires: Duration) -> ClientTx {
        let branch = cx.tokens.branch();
        let request = self.request(&flow, &branch, expires);
        cx.endpoint.request(cx.now, flow, &branch, cx.owner, request)
    }
}

/// Retry-After, within reason.
fn retry_after(msg: &Message<'_>) -> Option<Duration> {
    let value = msg.header(Name::RetryAfter)?;
    let digits = value.iter().position(|b| !b.is_ascii_digit()).unwrap_or(value.len());
    delta_seconds(&value[..digits]).map(|seconds| Duration::from_secs(seconds.into()).min(REFUSED.1))
}

/// Until when a proxy is waited for: with nobody else to ask, as long as a transaction lasts.
fn silent_at(cx: &Context<'_>, asked: Flow, failed: &[Flow]) -> Option<Instant> {
    another(cx.paths, asked, failed).map(|_| cx.now + cx.patience)
}
