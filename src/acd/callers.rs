//! What calls do: queue, leave, get answered, be held, end; and the two timers of a waiting caller.
//! Not here: the agents' own wishes (`roster`), who gets which call (`settle` in the parent).

use super::agent::{AgentIx, Duty, Phase, Wish};
use super::order::Order;
use super::port::{AcdOutput, Request};
use super::queue::{Call, Place, QueueIx};
use super::{Acd, Refused};
use crate::event::{NotReadyReason, OfferEnd};
use crate::ids::CallId;
use crate::time::Instant;

impl Acd {
    pub(super) fn enqueue(&mut self, now: Instant, request: Request) -> Result<(), Refused> {
        let Request { call: id, queue: ref name, since, .. } = request;
        if self.calls.contains_key(&id) {
            return Err(Refused::AlreadyQueued(id));
        }
        let Ok(at) = self.queues.binary_search_by(|q| q.name.cmp(name)) else {
            return Err(Refused::UnknownQueue(name.clone()));
        };
        let queue = &self.queues[at];
        if !self.index.staffed.shares(&queue.needs) {
            return Err(Refused::NoAgents(name.clone()));
        }
        // A full line refuses only those who would have to stand in it.
        if self.index.lines[at].len() >= queue.max_waiting as usize && self.index.ready.choose(&queue.needs).is_none() {
            return Err(Refused::QueueFull { queue: name.clone(), limit: queue.max_waiting });
        }
        self.add_call(Call {
            queue: QueueIx(at as u32),
            order: Order::new(queue.priority, since, id),
            deadline: queue.max_wait.map(|limit| now + limit),
            place: Place::Waiting,
        });
        Ok(())
    }

    pub(super) fn leave(&mut self, now: Instant, id: CallId) -> Result<(), Refused> {
        match self.with(id)? {
            None => self.remove_call(id),
            Some((ix, Duty::Reserved { idle_since, .. })) => {
                self.remove_call(id);
                self.set_duty(now, ix, Duty::Ready { idle_since });
            }
            Some((ix, Duty::OnCall { then, .. })) => self.end_talk(now, ix, id, then),
            Some((ix, duty)) => debug_assert!(false, "{id:?} is with {ix:?}, who is {duty:?}"),
        }
        Ok(())
    }

    pub(super) fn leave_ringing(&mut self, now: Instant, id: CallId) -> Result<(), Refused> {
        let Some((ix, Duty::Reserved { ring_until, idle_since, .. })) = self.with(id)? else {
            return self.leave(now, id);
        };
        self.remove_call(id);
        self.set_duty(now, ix, Duty::Clearing { until: ring_until, idle_since });
        Ok(())
    }

    pub(super) fn answered(&mut self, now: Instant, id: CallId) -> Result<(), Refused> {
        let Some((ix, Duty::Reserved { .. })) = self.with(id)? else { return Err(Refused::NotOffered(id)) };
        self.set_duty(now, ix, Duty::OnCall { call: id, phase: Phase::Talking, then: Wish::Ready });
        Ok(())
    }

    pub(super) fn offer_failed(&mut self, now: Instant, id: CallId, why: OfferEnd) -> Result<(), Refused> {
        let Some((ix, Duty::Reserved { idle_since, .. })) = self.with(id)? else {
            return Err(Refused::NotOffered(id));
        };
        let duty = match why {
            OfferEnd::NoAnswer => Duty::NotReady(NotReadyReason::NoAnswer),
            OfferEnd::Busy | OfferEnd::Declined => Duty::NotReady(NotReadyReason::Declined),
            OfferEnd::Unreachable | OfferEnd::Failed => Duty::NotReady(NotReadyReason::Unreachable),
            OfferEnd::Withdrawn => Duty::Ready { idle_since },
        };
        self.move_call(id, Place::Waiting);
        self.set_duty(now, ix, duty);
        Ok(())
    }

    pub(super) fn set_phase(&mut self, now: Instant, id: CallId, phase: Phase) -> Result<(), Refused> {
        let Some((ix, Duty::OnCall { then, .. })) = self.with(id)? else { return Err(Refused::NotAnswered(id)) };
        self.set_duty(now, ix, Duty::OnCall { call: id, phase, then });
        Ok(())
    }

    pub(super) fn talk_ended(&mut self, now: Instant, id: CallId) -> Result<(), Refused> {
        let Some((ix, Duty::OnCall { then, .. })) = self.with(id)? else { return Err(Refused::NotAnswered(id)) };
        self.end_talk(now, ix, id, then);
        Ok(())
    }

    /// The seat rang for the queue's ring time (RONA).
    pub(super) fn rang_out(&mut self, now: Instant, ix: AgentIx) {
        let agent = self.roster(ix);
        if let Some(Duty::Reserved { call, .. }) = agent.duty() {
            let call = *call;
            self.outputs.push_back(AcdOutput::OfferTimedOut { call, agent: agent.number.clone() });
            self.move_call(call, Place::Waiting);
            self.set_duty(now, ix, Duty::NotReady(NotReadyReason::NoAnswer));
        }
    }

    pub(super) fn waited_too_long(&mut self, id: CallId) {
        self.remove_call(id);
        self.outputs.push_back(AcdOutput::QueueTimeout { call: id });
    }

    fn end_talk(&mut self, now: Instant, ix: AgentIx, id: CallId, then: Wish) {
        let wrap_up = self.calls.get(&id).map(|call| self.queue_at(call.queue).wrap_up).unwrap_or_default();
        self.remove_call(id);
        if wrap_up.is_zero() {
            self.grant(now, ix, then);
        } else {
            self.set_duty(now, ix, Duty::WrapUp { until: now + wrap_up, then });
        }
    }

    /// Who has this call, and as what; `None` while it waits.
    fn with(&self, id: CallId) -> Result<Option<(AgentIx, Duty)>, Refused> {
        let call = self.calls.get(&id).ok_or(Refused::UnknownCall(id))?;
        Ok(match call.place {
            Place::Waiting => None,
            Place::With(ix) => self.roster(ix).duty().map(|duty| (ix, duty.clone())),
        })
    }
}
