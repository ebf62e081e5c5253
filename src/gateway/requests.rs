//! A request that begins something: which peer sent it, and what it may begin.
//!
//! Security: a peer that is neither a trunk (by address) nor a seat (by digest) gets no service and, but for the
//! digest challenge to a REGISTER, no answer (or 403: `strangers`); before it has proved itself it leaves no state behind.

use super::{Gateway, Output};
use crate::config::settings::Reliable;
use crate::ids::LegId;
use crate::sip::body;
use crate::sip::flow::Flow;
use crate::sip::message::uri::{Scheme, Uri};
use crate::sip::message::{Builder, Message, Method, Name};
use crate::sip::session::{self, Peer, SERVER, timer};
use crate::time::Instant;

impl Gateway {
    pub(super) fn request(&mut self, now: Instant, flow: Flow, msg: &Message<'_>) {
        if msg.method() == Some(Method::Cancel) {
            // Only a stranger's comes here: the endpoint answers the others'.
            return self.turn_away(now, flow, msg);
        }
        let mut unsupported = session::unsupported(msg, self.reliable_with(flow));
        if msg.method() == Some(Method::Register) && self.registrar.is_proxy(flow) {
            unsupported.retain(|option| !option.eq_ignore_ascii_case(b"path"));
        }
        if !unsupported.is_empty() && self.is_known(flow, msg) {
            // s8.2.2.3
            return self
                .answer_stateless(flow, msg, 420, |b| b.header(Name::Unsupported, &unsupported.join(&b", "[..])));
        }
        if msg.to_tag().is_none() && timer::is_too_small(msg) && self.is_known(flow, msg) {
            return self
                .answer_stateless(flow, msg, 422, |b| b.header_fmt(Name::MinSe, format_args!("{}", timer::MIN_SE)));
        }
        if msg.to_tag().is_some() {
            return self.request_in_dialog(now, flow, msg);
        }
        if has_unknown_scheme(msg) && self.is_known(flow, msg) {
            // s8.2.2.1
            return self.answer_stateless(flow, msg, 416, |b| b);
        }
        match msg.method() {
            Some(Method::Register) => self.register(now, flow, msg),
            Some(Method::Invite) => self.invite(now, flow, msg),
            Some(Method::Options) if self.is_known(flow, msg) => {
                let supported = session::supported(self.reliable_with(flow));
                let allowed = self.peer(flow, msg).allowed();
                self.answer_stateless(flow, msg, 200, |b| {
                    let b = b.header(Name::Allow, allowed).header(Name::Supported, supported);
                    b.header(Name::Accept, body::ACCEPT)
                })
            }
            Some(Method::Bye | Method::Cancel | Method::Update | Method::Prack | Method::Info)
                if self.is_known(flow, msg) =>
            {
                self.answer_stateless(flow, msg, 481, |b| b)
            }
            // Only who is on a call with a citizen has anybody to pass on.
            Some(Method::Refer) if self.is_known(flow, msg) && self.peer(flow, msg) == Peer::Phone => {
                self.answer_stateless(flow, msg, 403, |b| b)
            }
            _ if self.is_known(flow, msg) => {
                let allowed = self.peer(flow, msg).allowed();
                self.answer_stateless(flow, msg, 405, |b| b.header(Name::Allow, allowed))
            }
            _ => self.turn_away(now, flow, msg),
        }
    }

    fn request_in_dialog(&mut self, now: Instant, flow: Flow, msg: &Message<'_>) {
        match self.leg_of_dialog(msg) {
            Some(leg) => {
                let tx = self.endpoint.accept(now, flow, msg);
                self.follow(leg, flow);
                self.with_session(now, leg, |session, cx| session.request(cx, tx, flow, msg));
            }
            // s12.2.2: a dialog we do not have (any more).
            None if self.is_known(flow, msg) => self.answer_stateless(flow, msg, 481, |b| b),
            None => self.turn_away(now, flow, msg),
        }
    }

    fn invite(&mut self, now: Instant, flow: Flow, msg: &Message<'_>) {
        let claims_seat = msg.header(Name::Authorization).is_some() || self.registered_on(flow, msg);
        if claims_seat {
            match self.authenticate(now, flow, msg) {
                Some(seat) if self.is_another_seats(msg, &seat) => self.answer_stateless(flow, msg, 403, |b| b),
                Some(seat) => self.seat_dials(now, flow, msg, seat),
                None => {}
            }
            return;
        }
        match self.trunks.peer(flow.remote.ip()).map(|t| t.name.clone()) {
            // RFC 3891: nobody outside takes a call of ours over.
            Some(_) if msg.header(Name::Replaces).is_some() => self.answer_stateless(flow, msg, 403, |b| b),
            Some(_) if body::description(msg).is_err() => {
                self.answer_stateless(flow, msg, 415, |b| b.header(Name::Accept, body::ACCEPT))
            }
            // s20.1: nothing that we could answer with is acceptable.
            Some(_) if !accepts_sdp(msg) => self.answer_stateless(flow, msg, 406, |b| b),
            // s8.2.2.2: the same request by another path (a forking proxy) is the same call.
            Some(_) if self.callers.contains_key(&caller_key(msg)) => self.answer_stateless(flow, msg, 482, |b| b),
            Some(trunk) => self.trunk_calls(now, flow, msg, trunk),
            None => self.turn_away(now, flow, msg),
        }
    }

    /// Whether provisional responses to this peer are acknowledged; phones have no profile.
    fn reliable_with(&self, flow: Flow) -> Reliable {
        self.trunks.peer(flow.remote.ip()).map_or(Reliable::default(), |t| t.profile.reliable)
    }

    /// What is there, of those we know.
    fn peer(&self, flow: Flow, msg: &Message<'_>) -> Peer {
        if self.registered_on(flow, msg) { Peer::Phone } else { Peer::Carrier }
    }

    /// A trunk by address, or a seat by the path it registered on.
    fn is_known(&self, flow: Flow, msg: &Message<'_>) -> bool {
        self.trunks.peer(flow.remote.ip()).is_some() || self.registered_on(flow, msg)
    }

    pub(super) fn answer_stateless(
        &mut self,
        flow: Flow,
        msg: &Message<'_>,
        status: u16,
        headers: impl FnOnce(Builder) -> Builder,
    ) {
        let b = self.endpoint.refusal(flow, msg, status).header(Name::Server, SERVER);
        self.endpoint.send_refusal(flow, msg, headers(b).finish());
    }

    /// What is written goes out before what follows.
    pub(super) fn flush(&mut self) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            self.outputs.push_back(Output::Send(transmit));
        }
    }

    /// The dialog a request names: our tag carries the leg's number in front.
    pub(super) fn leg_of_dialog(&self, msg: &Message<'_>) -> Option<LegId> {
        let tag = std::str::from_utf8(msg.to_tag()?).ok()?;
        let leg = LegId(u64::from_str_radix(tag.split('-').next()?, 16).ok()?);
        let known = self.legs.get(&leg)?;
        known.session()?.owns(msg).then_some(leg)
    }
}

fn has_unknown_scheme(msg: &Message<'_>) -> bool {
    let uri = msg.request_uri().and_then(|uri| Uri::parse(uri).ok());
    uri.is_some_and(|uri| matches!(uri.scheme, Scheme::Other(_)))
}

/// s13.2.1: without an Accept, application/sdp is understood to be acceptable.
fn accepts_sdp(msg: &Message<'_>) -> bool {
    let ranges = ["application/sdp", "application/*", "*/*"];
    msg.header(Name::Accept).is_none() || ranges.iter().any(|range| msg.lists(Name::Accept, range))
}

pub(super) fn caller_key(msg: &Message<'_>) -> super::CallerKey {
    (msg.call_id().to_vec(), msg.from_tag().unwrap_or_default().to_vec())
}
