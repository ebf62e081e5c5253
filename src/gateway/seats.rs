//! Phones at the door: registering, proving which seat they are. Not here: what they dial (`dialling`).
//!
//! Security: nothing is kept, and nothing done, for a phone that has not proved by digest which seat it is.

use super::Gateway;
use crate::guard::intake::Sender;
use crate::ids::SeatNo;
use crate::sip::digest::Verdict;
use crate::sip::flow::{Flow, holder};
use crate::sip::message::uri::Uri;
use crate::sip::message::{Builder, Message, Method, Name, reason_phrase};
use crate::sip::registrar::{Change, Registrar};
use crate::sip::session::SERVER;
use crate::time::Instant;

impl Gateway {
    pub(super) fn register(&mut self, now: Instant, flow: Flow, msg: &Message<'_>) {
        let Some(seat) = self.authenticate(now, flow, msg) else { return };
        let tx = self.endpoint.accept(now, flow, msg);
        let path = |r: &Registrar| r.lookup(&seat).map(|b| (b.flow, b.call_id.clone()));
        let before = path(&self.registrar);
        let answer = self.registrar.register(now, flow, &seat, msg);
        let after = path(&self.registrar);
        // A phone that started anew or moved is reachable again, though its old registration had not run out.
        let renewed = answer.event.is_none() && after.is_some() && after != before;
        let tag = self.tokens.token();
        let mut b = response(msg, answer.status, &tag, flow);
        for contact in &answer.contacts {
            b = b.header(Name::Contact, contact);
        }
        for proxy in &answer.path {
            b = b.header(Name::Path, proxy);
        }
        if let Some(min) = answer.min_expires {
            b = b.header(Name::MinExpires, min.to_string().as_bytes());
        }
        self.endpoint.respond(now, tx, answer.status, b.finish());
        let renewed = renewed.then(|| Change::Reachable(seat.clone()));
        if let Some(change) = answer.event.or(renewed) {
            self.registration_changed(now, change);
        }
    }

    /// The seat whose secret the request proves; otherwise it has been challenged (401), refused (403) or left unanswered.
    pub(super) fn authenticate(&mut self, now: Instant, flow: Flow, msg: &Message<'_>) -> Option<SeatNo> {
        let claimed = self.digest.claimed(msg).map(SeatNo::new).or_else(|| caller(msg));
        if !self.may_try(now, flow, msg, claimed.as_ref()) {
            return None;
        }
        let source = holder(flow.remote.ip());
        let seats = &self.seats;
        let secret_of = |user: &str| seats.get(&SeatNo::new(user)).map(|s| s.secret.clone());
        let why = match self.digest.verify(now, source, msg, secret_of) {
            Verdict::Accepted { user } => {
                let seat = SeatNo::new(user);
                self.guard.proved(&seat, source);
                return Some(seat);
            }
            verdict @ (Verdict::Stale | Verdict::Missing) if self.is_heard(flow, msg, claimed.as_ref()) => {
                self.challenge(now, flow, msg, verdict == Verdict::Stale);
                return None;
            }
            Verdict::Stale | Verdict::Missing => {
                self.turn_away(now, flow, msg);
                return None;
            }
            Verdict::Refused => {
                self.guessed(now, flow, claimed.as_ref());
                "wrong user name or password"
            }
            Verdict::Unusable(why) => why,
        };
        // The same for a wrong password and an unknown user; no challenge, or phones try again for ever.
        tracing::debug!(peer = %flow.remote, why, "digest refused");
        self.refusals.unauthorized += 1;
        // A phone shows its user that the password is wrong; a stranger who calls learns nothing.
        if self.is_heard(flow, msg, claimed.as_ref()) {
            if self.may_answer(now, flow) {
                self.answer_stateless(flow, msg, 403, |b| b);
            }
        } else {
            self.turn_away(now, flow, msg);
        }
        None
    }

    /// Is this answered, whatever its credentials? A stranger may register, or call for help as one of our seats.
    fn is_heard(&self, flow: Flow, msg: &Message<'_>, claimed: Option<&SeatNo>) -> bool {
        let registers = msg.method() == Some(Method::Register);
        registers || self.sender(flow) != Sender::Stranger || self.calls_for_help(msg, claimed)
    }

    fn challenge(&mut self, now: Instant, flow: Flow, msg: &Message<'_>, stale: bool) {
        if !self.may_answer(now, flow) {
            return;
        }
        let challenges = self.digest.challenge(now, holder(flow.remote.ip()), stale);
        self.answer_stateless(flow, msg, 401, |mut b| {
            for challenge in &challenges {
                b = b.header(Name::WwwAuthenticate, challenge);
            }
            b
        });
    }

    /// From names a seat that this is not.
    pub(super) fn is_another_seats(&self, msg: &Message<'_>, seat: &SeatNo) -> bool {
        caller(msg).is_some_and(|caller| caller != *seat && self.seats.contains_key(&caller))
    }

    pub(super) fn registered_on(&self, flow: Flow, msg: &Message<'_>) -> bool {
        caller(msg).is_some_and(|seat| self.registrar.bindings(&seat).iter().any(|b| b.flow == flow))
    }
}

/// Whom From names.
fn caller(msg: &Message<'_>) -> Option<SeatNo> {
    let user = Uri::parse(msg.from().uri).ok()?.user?;
    std::str::from_utf8(user).ok().map(SeatNo::new)
}

fn response(msg: &Message<'_>, status: u16, tag: &str, flow: Flow) -> Builder {
    Builder::response(msg, status, reason_phrase(status), Some(tag.as_bytes()), flow.remote)
        .header(Name::Server, SERVER)
}
