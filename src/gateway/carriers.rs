//! A carrier's INVITE at the door: is its caller let in, and is there room? Not here: what becomes of the call (`calls`,
//! `lines`).

use super::{Gateway, Service};
use crate::ids::TrunkName;
use crate::sip::flow::Flow;
use crate::sip::message::Message;
use crate::sip::reason;
use crate::time::Instant;
use crate::trunk::admission::Refused;
use crate::trunk::{caller, rules};

impl Gateway {
    /// How its hops stand makes no difference: whatever comes from a peer is taken.
    pub(super) fn trunk_calls(&mut self, now: Instant, flow: Flow, msg: &Message<'_>, trunk: TrunkName) {
        let Some(settings) = self.trunks.get(&trunk) else { return };
        let who = caller::caller(msg, &settings.profile, &self.settings.area_code);
        if !rules::lets_in(&settings.callers, &who, &self.settings.area_code) {
            self.refusals.denied += 1;
            self.trunks.denied(&trunk);
            // Not 403, which a carrier may take for a fault of the trunk: an alarm, or the call again by its other core.
            // 603 is about this call, and everywhere (RFC 3261 s21.6.2).
            return self.answer_stateless(flow, msg, 603, |b| reason::explain(b, 603));
        }
        if self.service == Service::Draining || !self.has_room() {
            self.refusals.overload += 1;
            return self.answer_stateless(flow, msg, 503, |b| reason::explain(b, 503));
        }
        let leg = self.new_leg();
        match self.trunks.admit(now, &trunk, leg) {
            Ok(()) => self.call_arrives(now, flow, msg, trunk, leg),
            Err(Refused::Full) => {
                self.refusals.overload += 1;
                self.answer_stateless(flow, msg, 503, |b| reason::explain(b, 503))
            }
            Err(Refused::Rate { retry_after }) => {
                self.refusals.rate += 1;
                let seconds = retry_after.as_micros().div_ceil(1_000_000) as u64;
                self.answer_stateless(flow, msg, 503, |b| reason::explain_until(b, 503, seconds))
            }
        }
    }

    /// Each call needs a port for the citizen and one for a seat, so that a pickup never lacks one.
    pub(super) fn has_room(&self) -> bool {
        self.calls() < self.settings.limits.max_calls as usize
            && (self.calls() + self.own.len() + 1) * 2 <= self.ports.total()
            && self.ports.free() >= 2
    }
}
