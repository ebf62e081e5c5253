//! A seat's telephone: registered, with one line for offered calls and a keypad for feature codes.

use super::credentials::Account;
use super::dialog::AfterRefer;
use super::incoming::{Incoming, Plan};
use super::outgoing::{Outgoing, Target};
use super::registration::Registration;
use super::wire::{self, Cx, Station};
use super::{Ending, Outputs, UaFact, UaOutput};
use crate::sim::rng::Rng;
use crate::sip::message::{Framing, Message, Method};
use crate::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct PhoneParams {
    pub station: Station,
    /// Tags, branches and Call-IDs come from it: two phones need two seeds.
    pub seed: u64,
    pub account: Account,
    /// Host part of the registrar's URI.
    pub domain: String,
    pub expires: Duration,
    /// What its user does with a call; may be changed for the next one by [`Phone::set_plan`].
    pub plan: Plan,
}

#[derive(Clone, Debug)]
pub struct Phone {
    station: Station,
    account: Account,
    domain: String,
    expires: Duration,
    call_waiting: bool,
    /// How long it stays on a call it dialled.
    listens: Duration,
    plan: Plan,
    rng: Rng,
    out: Outputs,
    power: Power,
}

#[derive(Clone, Debug)]
enum Power {
    Off,
    On(Box<Body>),
}

#[derive(Clone, Debug)]
struct Body {
    registration: Registration,
    /// The newest call offered to us, live or not.
    line: Option<Incoming>,
    /// Finished or refused calls that still answer repeats; bounded.
    past: Vec<Incoming>,
    keypad: Vec<Dialled>,
}

#[derive(Clone, Debug)]
struct Dialled {
    code: String,
    /// With the port beside the line's for its media: both may be up.
    station: Station,
    call: Outgoing,
    since: Instant,
    listens: Duration,
    /// We end it ourselves if the gateway has not done so by then.
    hang_up_at: Option<Instant>,
    told: bool,
}

/// How long a phone listens to the confirmation of a feature code, unless told otherwise.
const CONFIRMATION: Duration = Duration::from_secs(3);
const MOST_PAST: usize = 8;

impl Phone {
    /// Switches the phone on; it registers at once.
    pub fn start(now: Instant, params: PhoneParams) -> Phone {
        let PhoneParams { station, seed, account, domain, expires, plan } = params;
        let mut phone = Phone {
            station,
            account,
            domain,
            expires,
            call_waiting: true,
            listens: CONFIRMATION,
            plan,
            rng: Rng::new(seed),
            out: Outputs::new(),
            power: Power::Off,
        };
        phone.power_on(now);
        phone
    }

    /// The plan for calls offered from now on.
    pub fn set_plan(&mut self, plan: Plan) {
        self.plan = plan;
    }

    /// Without it a phone that is dialling a feature code answers 486 to a call.
    pub fn set_call_waiting(&mut self, call_waiting: bool) {
        self.call_waiting = call_waiting;
    }

    /// How long it stays on what it dials from now on: longer than a feature code's confirmation takes.
    pub fn set_listens(&mut self, listens: Duration) {
        self.listens = listens;
    }

    pub fn is_on(&self) -> bool {
        matches!(self.power, Power::On(_))
    }

    pub fn is_registered(&self) -> bool {
        matches!(&self.power, Power::On(body) if body.registration.is_registered())
    }

    /// A call rings or is up.
    pub fn is_busy(&self) -> bool {
        matches!(&self.power, Power::On(body) if body.line.as_ref().is_some_and(Incoming::is_live))
    }

    pub fn address(&self) -> SocketAddr {
        self.station.sip
    }

    /// Speaks from another port of its address when it comes back.
    pub fn move_to(&mut self, port: u16) {
        self.station.sip.set_port(port);
    }

    /// Restarts as a new device of the same account: new tags and Call-IDs, nothing remembered.
    pub fn power_on(&mut self, now: Instant) {
        let mut cx = Cx { now, us: &self.station, rng: &mut self.rng, out: &mut self.out };
        let registration = Registration::start(&mut cx, self.account.clone(), self.domain.clone(), self.expires);
        self.power = Power::On(Box::new(Body { registration, line: None, past: Vec::new(), keypad: Vec::new() }));
    }

    /// Power cut: says nothing to anybody.
    pub fn power_off(&mut self) {
        let was_busy = self.is_busy();
        self.power = Power::Off;
        self.out.clear();
        if was_busy {
            self.out.push_back(UaOutput::Fact(UaFact::Ended(Ending::Died)));
        }
    }

    pub fn unregister(&mut self, now: Instant) {
        self.step(now, |body, cx, _| {
            body.registration.unregister(cx);
            None
        });
    }

    /// Registers again at once, e.g. because the gateway was restarted.
    pub fn register(&mut self, now: Instant) {
        self.step(now, |body, cx, _| {
            body.registration.refresh(cx);
            None
        });
    }

    /// Puts down what it dialled, answered or not.
    pub fn hang_up_dialled(&mut self, now: Instant) {
        self.step(now, |body, cx, _| {
            for dialled in body.keypad.iter_mut().filter(|d| d.call.is_live()) {
                dialled.call.hang_up(cx);
            }
            None
        });
    }

    /// Dials a feature code or a number; [`UaFact::Dialled`] tells what came of it.
    pub fn dial(&mut self, now: Instant, code: &str) {
        self.dial_for(now, code, self.listens);
    }

    /// The same, and stays on it for so long.
    pub fn dial_for(&mut self, now: Instant, code: &str, listens: Duration) {
        self.step(now, |body, cx, phone| {
            let target = Target {
                uri: format!("sip:{code}@{}", phone.domain),
                from: format!("<sip:{}@{}>", phone.account.user, phone.domain),
                to: format!("<sip:{code}@{}>", phone.domain),
                extra: Vec::new(),
                account: Some(phone.account.clone()),
            };
            let mut station = cx.us.clone();
            station.rtp.set_port(station.rtp.port() + 1);
            let mut cx = Cx { now: cx.now, us: &station, rng: cx.rng, out: cx.out };
            let call = Outgoing::start(&mut cx, target);
            let code = code.to_string();
            body.keypad.push(Dialled { code, station, call, since: now, listens, hang_up_at: None, told: false });
            None
        });
    }

    /// Declines a ringing call, ends one that is up.
    pub fn hang_up(&mut self, now: Instant) {
        self.step(now, |body, cx, _| body.line.as_mut()?.hang_up(cx));
    }

    pub fn hold(&mut self, now: Instant, hold: bool) {
        self.step(now, |body, cx, _| {
            if let Some(line) = &mut body.line {
                line.hold(cx, hold);
            }
            None
        });
    }

    /// Its transfer key: the far end of its call is to go to this number.
    pub fn refer(&mut self, now: Instant, code: &str, then: AfterRefer) {
        self.step(now, |body, cx, phone| {
            if let Some(dialog) = body.line.as_mut().and_then(Incoming::dialog) {
                dialog.refer(cx, &format!("sip:{code}@{}", phone.domain), then);
            }
            None
        });
    }

    /// The same, to whom it has dialled and talks with on its other line. False: nobody.
    pub fn refer_to_dialled(&mut self, now: Instant, then: AfterRefer) -> bool {
        let mut asked = false;
        self.step(now, |body, cx, phone| {
            let consulted = body.keypad.iter_mut().rev().find(|d| d.call.is_live());
            let consulted = consulted.and_then(|d| Some((d.code.clone(), d.call.dialog()?.replaced())));
            let line = body.line.as_mut().and_then(Incoming::dialog);
            if let (Some((code, replaced)), Some(dialog)) = (consulted, line) {
                asked = true;
                dialog.refer(cx, &format!("sip:{code}@{}?{replaced}", phone.domain), then);
            }
            None
        });
        asked
    }

    pub fn on_message(&mut self, now: Instant, bytes: &[u8]) {
        let Ok(msg) = Message::parse(bytes, Framing::Datagram) else { return };
        self.step(now, |body, cx, phone| body.on_message(cx, phone, bytes, &msg));
    }

    pub fn on_timeout(&mut self, now: Instant) {
        self.step(now, |body, cx, _| body.on_timeout(cx));
    }

    pub fn poll(&mut self) -> Option<UaOutput> {
        self.out.pop_front()
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        let Power::On(body) = &self.power else { return None };
        let keypad = body.keypad.iter().flat_map(|d| [d.call.next_timeout(), d.hang_up_at]);
        let calls = body.line.iter().chain(&body.past).map(Incoming::next_timeout);
        calls.chain(keypad).chain([body.registration.next_timeout()]).flatten().min()
    }

    /// Runs `f` on a phone that has power; an ending it returns is the current line's.
    fn step(&mut self, now: Instant, f: impl FnOnce(&mut Body, &mut Cx<'_>, &Known<'_>) -> Option<Ending>) {
        let Power::On(body) = &mut self.power else { return };
        let known =
            Known { account: &self.account, domain: &self.domain, call_waiting: self.call_waiting, plan: self.plan };
        let mut cx = Cx { now, us: &self.station, rng: &mut self.rng, out: &mut self.out };
        if let Some(ending) = f(body, &mut cx, &known) {
            cx.fact(UaFact::Ended(ending));
        }
    }
}

/// What a powered phone's parts may read.
struct Known<'a> {
    account: &'a Account,
    domain: &'a str,
    call_waiting: bool,
    plan: Plan,
}

impl Body {
    fn on_message(&mut self, cx: &mut Cx<'_>, phone: &Known<'_>, raw: &[u8], msg: &Message<'_>) -> Option<Ending> {
        if let Some(line) = &mut self.line
            && line.owns(msg)
        {
            return line.on_message(cx, msg);
        }
        if let Some(past) = self.past.iter_mut().find(|c| c.owns(msg)) {
            past.on_message(cx, msg);
            return None;
        }
        if let Some(dialled) = self.keypad.iter_mut().find(|d| d.call.owns(msg)) {
            dialled.step(cx, |call, cx| call.on_message(cx, msg));
            return None;
        }
        if self.registration.owns(msg) {
            self.registration.on_response(cx, msg);
            return None;
        }
        match msg.method() {
            Some(Method::Invite) if msg.to_tag().is_none() => self.on_invite(cx, phone, raw, msg),
            Some(Method::Options) => cx.send(wire::reply(msg, 200, Some("options"), cx.us)),
            Some(Method::Ack) | None => {}
            Some(_) => cx.send(wire::reply(msg, 481, Some("nothing-known"), cx.us)),
        }
        None
    }

    fn on_invite(&mut self, cx: &mut Cx<'_>, phone: &Known<'_>, raw: &[u8], msg: &Message<'_>) {
        self.past.retain(|c| !c.is_gone());
        if self.past.len() >= MOST_PAST {
            self.past.remove(0);
        }
        if self.line.as_ref().is_some_and(Incoming::is_live) {
            cx.fact(UaFact::SecondCall { rexian_call: wire::rexian_call(msg) });
            self.past.push(Incoming::refuse(cx, raw, msg, 486));
            return;
        }
        if let Some(dialled) = self.keypad.iter().find(|d| !phone.call_waiting && d.call.is_live()) {
            cx.fact(UaFact::OffHook { since: dialled.since });
            self.past.push(Incoming::refuse(cx, raw, msg, 486));
            return;
        }
        self.past.extend(self.line.take());
        self.line = Some(Incoming::ring(cx, raw, msg, phone.plan));
    }

    fn on_timeout(&mut self, cx: &mut Cx<'_>) -> Option<Ending> {
        self.registration.on_timeout(cx);
        for dialled in &mut self.keypad {
            if dialled.hang_up_at.is_some_and(|at| cx.now >= at) {
                dialled.hang_up_at = None;
                dialled.call.hang_up(cx);
            }
            dialled.step(cx, |call, cx| call.on_timeout(cx));
        }
        self.keypad.retain(|d| !d.call.is_gone());
        for past in &mut self.past {
            past.on_timeout(cx);
        }
        self.past.retain(|c| !c.is_gone());
        let line = self.line.as_mut()?;
        let ending = line.on_timeout(cx);
        if line.is_gone() {
            self.line = None;
        }
        ending
    }
}

impl Dialled {
    /// Lets the call move, and turns what it says into [`UaFact::Dialled`].
    fn step(&mut self, cx: &mut Cx<'_>, f: impl FnOnce(&mut Outgoing, &mut Cx<'_>) -> Option<Ending>) {
        let mut out = Outputs::new();
        let mut inner = Cx { now: cx.now, us: &self.station, rng: cx.rng, out: &mut out };
        let ending = f(&mut self.call, &mut inner);
        let mut answered = false;
        for output in out {
            match output {
                UaOutput::Send(bytes) => cx.send(bytes),
                UaOutput::Fact(UaFact::Answered(_)) => answered = true,
                UaOutput::Fact(_) => {}
            }
        }
        let refused = match ending {
            _ if answered => None,
            Some(Ending::Refused(status)) => Some(Some(status)),
            Some(_) => Some(None),
            None => return,
        };
        if answered {
            self.hang_up_at = Some(cx.now + self.listens);
        } else {
            self.hang_up_at = None;
        }
        if !self.told {
            self.told = true;
            cx.fact(UaFact::Dialled { code: self.code.clone(), refused });
        }
    }
}
