//! What becomes of an offer: answered, failed, rung out; and the talk until it ends.
//! Not here: how an offer comes about (`matcher`), calls in line (`callers`), what follows a talk (`wrap_up`).

use super::agent::{Agent, AgentIx, Aim, Duty, Phase, Presence, Wish};
use super::port::{AcdOutput, Request};
use super::queue::{Place, QueueIx};
use super::{Acd, Refused};
use crate::config::settings::Rona;
use crate::event::{NotReadyReason, OfferEnd};
use crate::ids::{AgentNo, CallId};
use crate::time::Instant;

impl Acd {
    pub(super) fn answered(&mut self, now: Instant, id: CallId) -> Result<(), Refused> {
        let Some((ix, Duty::Reserved { .. })) = self.with(id)? else { return Err(Refused::NotOffered(id)) };
        self.left_line(now, id, false);
        let Agent { missed, state_since: taken, .. } = &mut self.agents[ix.0 as usize];
        *missed = 0;
        let then = Wish::own(Aim::Ready);
        let duty = Duty::OnCall { call: id, phase: Phase::Talking, taken: *taken, then };
        self.set_duty(now, ix, duty);
        Ok(())
    }

    pub(super) fn offer_failed(&mut self, now: Instant, id: CallId, why: OfferEnd) -> Result<(), Refused> {
        let Some((ix, Duty::Reserved { idle_since, .. })) = self.with(id)? else {
            return Err(Refused::NotOffered(id));
        };
        let queue = self.calls[&id].queue;
        self.move_call(id, Place::Waiting);
        let duty = match why {
            OfferEnd::NoAnswer => {
                self.missed(now, ix, queue);
                return Ok(());
            }
            OfferEnd::Busy | OfferEnd::Declined => Duty::NotReady(NotReadyReason::Declined),
            OfferEnd::Unreachable | OfferEnd::Failed => Duty::NotReady(NotReadyReason::Unreachable),
            OfferEnd::Withdrawn => Duty::Ready { idle_since },
        };
        self.set_duty(now, ix, duty);
        Ok(())
    }

    pub(super) fn cannot_ring(&mut self, now: Instant, id: CallId, until: Instant) -> Result<(), Refused> {
        self.offer_failed(now, id, OfferEnd::Withdrawn)?;
        self.rests_until = self.rests_until.max(Some(until));
        Ok(())
    }

    /// The seat rang for the queue's ring time.
    pub(super) fn rang_out(&mut self, now: Instant, ix: AgentIx) {
        let agent = self.roster(ix);
        if let Some(Duty::Reserved { call, .. }) = agent.duty() {
            let call = *call;
            let queue = self.calls[&call].queue;
            self.outputs.push_back(AcdOutput::OfferTimedOut { call, agent: agent.number().clone() });
            self.move_call(call, Place::Waiting);
            self.missed(now, ix, queue);
        }
    }

    /// RONA.
    fn missed(&mut self, now: Instant, ix: AgentIx, queue: QueueIx) {
        let rona = self.queue_at(queue).settings.rona;
        let missed = &mut self.agents[ix.0 as usize].missed;
        *missed = missed.saturating_add(1);
        match rona {
            // Behind the others who are ready: they may be at their desks.
            Rona::Tolerate(times) if *missed <= times.into() => self.set_duty(now, ix, Duty::Ready { idle_since: now }),
            Rona::Tolerate(_) | Rona::NotReady => self.set_duty(now, ix, Duty::NotReady(NotReadyReason::NoAnswer)),
            Rona::SignOut => self.set_presence(now, ix, Presence::SignedOut, None),
        }
    }

    pub(super) fn set_phase(&mut self, now: Instant, id: CallId, phase: Phase) -> Result<(), Refused> {
        let (ix, taken, then) = self.talking(id)?;
        self.set_duty(now, ix, Duty::OnCall { call: id, phase, taken, then });
        Ok(())
    }

    pub(super) fn talk_ended(&mut self, now: Instant, id: CallId) -> Result<(), Refused> {
        let (ix, taken, then) = self.talking(id)?;
        self.end_talk(now, ix, id, taken, then);
        Ok(())
    }

    pub(super) fn seat_dead(&mut self, now: Instant, id: CallId) -> Result<(), Refused> {
        let Some((ix, Duty::OnCall { call, phase, taken, then })) = self.with(id)? else {
            return Err(Refused::NotAnswered(id));
        };
        if then.to == Aim::Ready {
            let then = Wish::own(Aim::NotReady(NotReadyReason::Unreachable));
            self.set_duty(now, ix, Duty::OnCall { call, phase, taken, then });
        }
        Ok(())
    }

    /// There was no talk, so there is nothing to write up and nothing to learn from.
    pub(super) fn not_reached(&mut self, now: Instant, id: CallId) -> Result<(), Refused> {
        let (ix, _, then) = self.talking(id)?;
        self.remove_call(id);
        self.grant(now, ix, then);
        Ok(())
    }

    /// A colleague passed this caller on to the agent's phone, and the agent answered.
    pub(super) fn taken(&mut self, now: Instant, request: Request, number: &AgentNo) -> Result<(), Refused> {
        let id = request.call;
        if self.calls.contains_key(&id) {
            return Err(Refused::AlreadyQueued(id));
        }
        let queue = self.queue_ix(&request.queue).ok_or_else(|| Refused::UnknownQueue(request.queue.clone()))?;
        let ix = self.agent_ix(number)?;
        let then = match self.roster(ix).duty() {
            Some(Duty::Ready { .. } | Duty::Engaged) => Wish::own(Aim::Ready),
            Some(Duty::NotReady(reason)) => Wish::own(Aim::NotReady(*reason)),
            Some(Duty::WrapUp { then, .. }) => then.clone(),
            Some(Duty::Reserved { .. } | Duty::Clearing { .. } | Duty::OnCall { .. }) => {
                return Err(Refused::NotFree(number.clone()));
            }
            None => return Err(Refused::NotSignedIn(number.clone())),
        };
        self.file_request(now, request, queue, Place::With(ix));
        self.set_duty(now, ix, Duty::OnCall { call: id, phase: Phase::Talking, taken: now, then });
        Ok(())
    }

    /// Who talks on this call, since when the seat rang for it, and what comes after it.
    fn talking(&self, id: CallId) -> Result<(AgentIx, Instant, Wish), Refused> {
        match self.with(id)? {
            Some((ix, Duty::OnCall { taken, then, .. })) => Ok((ix, taken, then)),
            _ => Err(Refused::NotAnswered(id)),
        }
    }
}
