//! A carrier's INVITE at the door: is there room for it? Not here: what becomes of the call (`calls`, `lines`).

use super::{Gateway, Service};
use crate::ids::TrunkName;
use crate::sip::flow::Flow;
use crate::sip::message::Message;
use crate::sip::reason;
use crate::time::Instant;

impl Gateway {
    pub(super) fn trunk_calls(&mut self, now: Instant, flow: Flow, msg: &Message<'_>, trunk: TrunkName) {
        let no_room = self.service == Service::Draining || !self.has_room();
        if no_room || !self.trunks.admit(&trunk) {
            self.refusals.overload += 1;
            return self.answer_stateless(flow, msg, 503, |b| reason::explain(b, 503));
        }
        self.call_arrives(now, flow, msg, trunk);
    }

    /// Each call needs a port for the citizen and one for a seat, so that a pickup never lacks one.
    pub(super) fn has_room(&self) -> bool {
        self.calls() < self.settings.limits.max_calls as usize
            && (self.calls() + self.own.len() + 1) * 2 <= self.ports.total()
            && self.ports.free() >= 2
    }
}
