//! Phones at the door: registering, proving which seat they are. Not here: what they dial (`dialling`).
//!
//! Security: nothing is kept, and nothing done, for a phone that has not proved by digest which seat it is.

use super::Gateway;
use crate::ids::SeatNo;
use crate::sip::digest::Verdict;
use crate::sip::flow::Flow;
use crate::sip::message::uri::Uri;
use crate::sip::message::{Builder, Message, Name, reason_phrase};
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
        if let Some(min) = answer.min_expires {
            b = b.header(Name::MinExpires, min.to_string().as_bytes());
        }
        self.endpoint.respond(now, tx, answer.status, b.finish());
        let renewed = renewed.then(|| Change::Reachable(seat.clone()));
        if let Some(change) = answer.event.or(renewed) {
            self.registration_changed(now, change);
        }
    }

    /// The seat whose secret the request proves; otherwise it has been challenged (401) or refused (403).
    pub(super) fn authenticate(&mut self, now: Instant, flow: Flow, msg: &Message<'_>) -> Option<SeatNo> {
        let seats = &self.seats;
        let verdict = self.digest.verify(now, msg, |user| seats.get(&SeatNo::new(user)).map(|s| s.secret.clone()));
        let challenges = match verdict {
            Verdict::Accepted { user } => return Some(SeatNo::new(user)),
            Verdict::Stale => self.digest.challenge(now, true),
            Verdict::Missing => self.digest.challenge(now, false),
            // The same for a wrong password and an unknown user; no challenge, or phones try again for ever.
            Verdict::Refused(why) => {
                tracing::debug!(peer = %flow.remote, why, "digest refused");
                self.refusals.unauthorized += 1;
                self.answer_stateless(flow, msg, 403, |b| b);
                return None;
            }
        };
        self.answer_stateless(flow, msg, 401, |mut b| {
            for challenge in &challenges {
                b = b.header(Name::WwwAuthenticate, challenge);
            }
            b
        });
        None
    }

    pub(super) fn registered_on(&self, flow: Flow, msg: &Message<'_>) -> bool {
        let user = Uri::parse(msg.from().uri).ok().and_then(|u| u.user);
        let Some(user) = user.and_then(|u| std::str::from_utf8(u).ok()) else { return false };
        self.registrar.bindings(&SeatNo::new(user)).iter().any(|b| b.flow == flow)
    }
}

fn response(msg: &Message<'_>, status: u16, tag: &str, flow: Flow) -> Builder {
    Builder::response(msg, status, reason_phrase(status), Some(tag.as_bytes()), flow.remote)
        .header(Name::Server, SERVER)
}
