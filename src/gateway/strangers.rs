//! Messages of those who are neither a trunk (by address) nor a phone (by where it registered). Belongs here: telling
//! them from the others, and how they are turned away. Not here: counting and bans (`guard`).
//!
//! A stranger may try to register, bring credentials, or belong to a dialog of ours whose tag it knows; anything else is
//! dropped unparsed (or answered 403, if so configured). ACKs and responses are never answered. A call for help on a
//! seat's credentials is looked at, and challenged, wherever it comes from.

use super::legs::Leg;
use super::{Gateway, Output};
use crate::config::settings::Unknown;
use crate::guard::intake::{Class, Kind, Sender, kind};
use crate::guard::{Admission, Consequence, Order};
use crate::ids::SeatNo;
use crate::seat::dial_plan;
use crate::sip::endpoint::Received;
use crate::sip::flow::{Flow, holder};
use crate::sip::message::{Message, Method, reason_phrase};
use crate::time::Instant;

impl Gateway {
    pub(super) fn sender(&self, flow: Flow) -> Sender {
        let ip = flow.remote.ip();
        if self.registrar.is_at(flow.remote) {
            Sender::Phone
        } else if self.trunks.peer(ip).is_some() {
            Sender::Trunk
        } else if self.registrar.is_home(ip) {
            Sender::Phone
        } else {
            Sender::Stranger
        }
    }

    /// When a message should be served, by a look at it. What will be dropped unparsed need not wait.
    pub fn class(&self, now: Instant, flow: Flow, bytes: &[u8]) -> Class {
        let (sender, kind) = (self.sender(flow), kind(bytes));
        match sender {
            Sender::Stranger if self.is_unheard(now, flow, kind, bytes) => Class::AtOnce,
            // From the address of phones, but by another path: a phone that starts anew, or whoever is behind the same NAT.
            Sender::Phone if !self.registrar.is_at(flow.remote) => Class::of(Sender::Trunk, kind),
            _ => Class::of(sender, kind),
        }
    }

    fn is_unheard(&self, now: Instant, flow: Flow, kind: Kind, bytes: &[u8]) -> bool {
        let banned = || self.guard.admission(now, holder(flow.remote.ip())) == Admission::Banned;
        match kind {
            // A call let in on credentials may be called off.
            Kind::Response | Kind::Ack | Kind::InDialog | Kind::Cancel => false,
            Kind::Register => banned(),
            Kind::New { proves: true } => banned() && !invited(bytes).is_some_and(|uri| self.leads_to_help(uri)),
            Kind::New { proves: false } => self.guard.settings().unknown == Unknown::Silence || banned(),
        }
    }

    pub(super) fn stranger<'m>(&mut self, now: Instant, flow: Flow, bytes: &'m [u8]) -> Received<'m> {
        if self.is_unheard(now, flow, kind(bytes), bytes) {
            self.unheard(now, flow);
            return Received::Nothing;
        }
        let strays = self.endpoint.counters().stray;
        match self.endpoint.receive_stranger(now, flow, bytes) {
            Ok(received) => {
                // A CANCEL goes on to be turned away.
                if matches!(received, Received::Nothing) && self.endpoint.counters().stray > strays {
                    self.belongs_to_nothing(flow);
                }
                received
            }
            Err(malformed) => {
                self.refusals.unknown_peer += 1;
                if self.may_refuse(now, flow) {
                    self.endpoint.refuse_malformed(flow, &malformed, 403, reason_phrase(403));
                }
                self.belongs_to_nothing(flow);
                Received::Nothing
            }
        }
    }

    /// A request of somebody who may not ask for this.
    pub(super) fn turn_away(&mut self, now: Instant, flow: Flow, msg: &Message<'_>) {
        self.refusals.unknown_peer += 1;
        if msg.method() != Some(Method::Ack) && self.may_refuse(now, flow) {
            self.answer_stateless(flow, msg, 403, |b| b);
        }
        self.belongs_to_nothing(flow);
    }

    /// What came is about no call and no phone of ours: from a stranger it must not keep a connection open.
    pub(super) fn belongs_to_nothing(&mut self, flow: Flow) {
        if self.sender(flow) == Sender::Stranger {
            self.close(flow);
        }
    }

    fn may_refuse(&mut self, now: Instant, flow: Flow) -> bool {
        self.guard.settings().unknown == Unknown::Refuse && self.may_answer(now, flow)
    }

    /// Whoever is not known by address gets only so many answers. Where phones are at home strangers' floods take none away.
    pub(super) fn may_answer(&mut self, now: Instant, flow: Flow) -> bool {
        let source = holder(flow.remote.ip());
        let may = match self.sender(flow) {
            Sender::Trunk => true,
            Sender::Phone if self.registrar.is_at(flow.remote) => true,
            Sender::Phone => self.guard.may_answer_at_home(now, source),
            Sender::Stranger => self.guard.may_answer(now, source),
        };
        self.refusals.unanswered += u64::from(!may);
        may
    }

    /// Does this request call for help, as one of our seats?
    pub(super) fn calls_for_help(&self, msg: &Message<'_>, seat: Option<&SeatNo>) -> bool {
        let ours = seat.is_some_and(|seat| self.seats.contains_key(seat));
        let begins = msg.method() == Some(Method::Invite) && msg.to_tag().is_none();
        ours && begins && msg.request_uri().is_some_and(|uri| self.leads_to_help(uri))
    }

    fn leads_to_help(&self, uri: &[u8]) -> bool {
        dial_plan::is_for_help(uri, &self.settings.dialling.emergency, &self.settings.area_code)
    }

    /// May this request's credentials be looked at? `seat`: whom it claims to be. A phone on the path it registered on
    /// always may.
    pub(super) fn may_try(&mut self, now: Instant, flow: Flow, msg: &Message<'_>, seat: Option<&SeatNo>) -> bool {
        let registered = seat.is_some_and(|seat| self.registrar.bindings(seat).iter().any(|b| b.flow == flow));
        let source = holder(flow.remote.ip());
        match self.guard.admission(now, source) {
            _ if registered => true,
            Admission::Open => true,
            _ if self.calls_for_help(msg, seat) && self.guard.may_call_for_help(now, source) => true,
            Admission::Slowed => {
                self.refusals.slowed += 1;
                false
            }
            Admission::Banned => {
                self.unheard(now, flow);
                false
            }
        }
    }

    /// A wrong password, with a nonce of ours.
    pub(super) fn guessed(&mut self, now: Instant, flow: Flow, seat: Option<&SeatNo>) {
        let source = holder(flow.remote.ip());
        let seat = seat.filter(|seat| self.seats.contains_key(*seat));
        let home = self.registrar.is_home(flow.remote.ip());
        if let Consequence::Banned { length, .. } = self.guard.failed(now, source, seat, home) {
            self.outputs.push_back(Output::Guard(Order::Ban { source, length }));
            self.close(flow);
        }
    }

    fn unheard(&mut self, now: Instant, flow: Flow) {
        if self.guard.admission(now, holder(flow.remote.ip())) == Admission::Banned {
            self.refusals.banned += 1;
        } else {
            self.refusals.unknown_peer += 1;
        }
        // Whoever is not served must not keep one of the connections there may be.
        self.close(flow);
    }

    /// Does a phone or a call need this connection?
    pub fn needs(&self, flow: Flow) -> bool {
        self.registrar.is_at(flow.remote)
            || self.legs.values().filter_map(Leg::session).any(|session| session.flow() == flow)
    }

    /// Is a trunk or a phone at the other end, or a call?
    pub fn is_served(&self, flow: Flow) -> bool {
        self.sender(flow) != Sender::Stranger || self.needs(flow)
    }

    fn close(&mut self, flow: Flow) {
        if flow.transport.is_stream() && !self.needs(flow) {
            self.flush();
            self.outputs.push_back(Output::Guard(Order::Close(flow)));
        }
    }

    /// The loop is late: a trunk's new call gets 503 at once, and leaves nothing behind. Anything else is served.
    pub(super) fn shed(&mut self, now: Instant, flow: Flow, bytes: &[u8]) {
        let parsed = self.endpoint.peek(now, flow, bytes);
        match parsed.filter(|msg| msg.method() == Some(Method::Invite) && msg.to_tag().is_none()) {
            Some(msg) if self.sender(flow) == Sender::Trunk && !self.registered_on(flow, &msg) => {
                self.refusals.late += 1;
                self.endpoint.refuse(flow, &msg, 503);
            }
            _ => self.message(now, flow, bytes),
        }
    }
}

/// Whom an INVITE calls, by a look at its first line.
fn invited(bytes: &[u8]) -> Option<&[u8]> {
    bytes.trim_ascii_start().strip_prefix(b"INVITE ")?.split(|b| b.is_ascii_whitespace()).next()
}
