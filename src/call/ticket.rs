//! The ticket as it is known at pickup.

use super::{Call, Seat};
use crate::event::Purpose;
use crate::ticket::NewTicket;
use crate::time::Instant;

impl Call {
    pub(super) fn ticket(&self, answered_at: Instant, seat: &Seat) -> NewTicket {
        let (incoming, queue) = (&self.incoming, &self.terms.queue);
        let wait = answered_at - self.asked_at();
        NewTicket {
            call: self.id,
            channel: if self.terms.purpose == Purpose::Inbound { "phone" } else { "callback" }.into(),
            dnis: incoming.dnis.clone(),
            tenant: self.terms.tenant.clone(),
            test_call: self.terms.test,
            cli_raw: incoming.caller.raw.clone(),
            cli_e164: incoming.caller.e164.clone(),
            cli_withheld: incoming.caller.withheld,
            language: queue.language.clone(),
            sip_call_id: incoming.sip_call_id.clone(),
            icid: incoming.icid.clone(),
            trunk: incoming.trunk.clone(),
            queue: queue.name.clone(),
            skill: queue.skill.clone(),
            arrived_at: self.arrived_at,
            queued_at: self.asked_at(),
            ring_at: seat.ring_at,
            answered_at,
            wait_ms: wait.as_millis() as u64,
            within_n: self.asked.is_some_and(|asked| wait <= asked.within),
            agent: seat.agent.clone(),
            seat: seat.seat.clone(),
            legs: vec![incoming.sip_call_id.clone(), seat.sip_call_id.clone()],
            route: self.route.to(&seat.agent, seat.chosen),
        }
    }
}
