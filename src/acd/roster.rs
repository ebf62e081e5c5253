//! What agents and their seats do: sign in and out, ready and not ready, seats that come and go, wrap-up that ends.
//! Not here: calls (`callers`), who gets one (`settle` in the parent).

use super::agent::{AgentIx, Duty, Presence, Wish};
use super::port::AcdOutput;
use super::queue::Place;
use super::{Acd, Refused};
use crate::event::NotReadyReason;
use crate::ids::{AgentNo, SeatNo};
use crate::time::Instant;

impl Acd {
    pub(super) fn sign_in(&mut self, now: Instant, number: &AgentNo, seat: SeatNo) -> Result<(), Refused> {
        let ix = self.agent_ix(number)?;
        if let Some(&by) = self.index.seats.get(&seat)
            && by != ix
        {
            return Err(Refused::SeatTaken { seat, by: self.roster(by).number.clone() });
        }
        match &self.roster(ix).presence {
            Presence::SignedIn { seat: at, .. } if *at == seat => {
                self.seat_reachable(now, &seat);
                return Ok(());
            }
            // Whoever lost their phone may move on to another seat; one on a call or at a live seat may not.
            Presence::SignedIn { seat: at, duty }
                if !self.lost_seats.contains(at) || matches!(duty, Duty::OnCall { .. }) =>
            {
                return Err(Refused::SignedInElsewhere { agent: number.clone(), seat: at.clone() });
            }
            Presence::SignedIn { .. } | Presence::SignedOut => {}
        }
        self.lost_seats.remove(&seat);
        self.set_presence(now, ix, Presence::SignedIn { seat, duty: Duty::NotReady(NotReadyReason::Busy) });
        Ok(())
    }

    /// The agent asks to be ready, not ready or gone.
    pub(super) fn wish(&mut self, now: Instant, number: &AgentNo, wish: Wish) -> Result<(), Refused> {
        let ix = self.agent_ix(number)?;
        let Presence::SignedIn { seat, duty } = &self.roster(ix).presence else {
            return Err(Refused::NotSignedIn(number.clone()));
        };
        match (duty, wish) {
            (Duty::OnCall { call, phase, .. }, then) => {
                let duty = Duty::OnCall { call: *call, phase: *phase, then };
                self.set_duty(now, ix, duty);
            }
            (Duty::Ready { .. } | Duty::Reserved { .. } | Duty::Clearing { .. }, Wish::Ready) => {}
            (Duty::NotReady(_) | Duty::WrapUp { .. }, Wish::Ready) if self.lost_seats.contains(seat) => {
                return Err(Refused::SeatUnreachable { agent: number.clone(), seat: seat.clone() });
            }
            (Duty::Reserved { .. }, wish) => {
                self.withdraw_offer(ix);
                self.grant(now, ix, wish);
            }
            (Duty::NotReady(_) | Duty::Ready { .. } | Duty::Clearing { .. } | Duty::WrapUp { .. }, wish) => {
                self.grant(now, ix, wish)
            }
        }
        Ok(())
    }

    pub(super) fn seat_reachable(&mut self, now: Instant, seat: &SeatNo) {
        self.lost_seats.remove(seat);
        if let Some(&ix) = self.index.seats.get(seat)
            && let Some(Duty::NotReady(NotReadyReason::Unreachable)) = self.roster(ix).duty()
        {
            self.grant(now, ix, Wish::Ready);
        }
    }

    pub(super) fn seat_lost(&mut self, now: Instant, seat: SeatNo) {
        let at_seat = self.index.seats.get(&seat).copied();
        self.lost_seats.insert(seat);
        let Some(ix) = at_seat else { return };
        match self.roster(ix).duty() {
            Some(Duty::Reserved { .. }) => self.withdraw_offer(ix),
            Some(Duty::Ready { .. } | Duty::Clearing { .. }) => {}
            // A talk may outlive its registration, and wrap-up needs no phone: the loss shows when they end.
            Some(Duty::NotReady(_) | Duty::OnCall { .. } | Duty::WrapUp { .. }) | None => return,
        }
        self.set_duty(now, ix, Duty::NotReady(NotReadyReason::Unreachable));
    }

    pub(super) fn seat_quiet(&mut self, now: Instant, seat: &SeatNo) {
        if let Some(&ix) = self.index.seats.get(seat)
            && let Some(Duty::Clearing { idle_since, .. }) = self.roster(ix).duty()
        {
            let idle_since = *idle_since;
            self.set_duty(now, ix, Duty::Ready { idle_since });
        }
    }

    pub(super) fn never_cleared(&mut self, now: Instant, ix: AgentIx) {
        if let Some(Duty::Clearing { .. }) = self.roster(ix).duty() {
            self.set_duty(now, ix, Duty::NotReady(NotReadyReason::Unreachable));
        }
    }

    pub(super) fn wrap_up_over(&mut self, now: Instant, ix: AgentIx) {
        if let Some(Duty::WrapUp { then, .. }) = self.roster(ix).duty() {
            self.grant(now, ix, *then);
        }
    }

    /// What was wished for comes true now. Nobody becomes ready at a seat that is lost.
    pub(super) fn grant(&mut self, now: Instant, ix: AgentIx, wish: Wish) {
        let lost = self.roster(ix).seat().is_some_and(|seat| self.lost_seats.contains(seat));
        match wish {
            Wish::Ready if lost => self.set_duty(now, ix, Duty::NotReady(NotReadyReason::Unreachable)),
            Wish::Ready => self.set_duty(now, ix, Duty::Ready { idle_since: now }),
            Wish::NotReady(reason) => self.set_duty(now, ix, Duty::NotReady(reason)),
            Wish::SignOut => self.set_presence(now, ix, Presence::SignedOut),
        }
    }

    /// The caller goes back in place; the agent's new duty is for the caller of this to set.
    fn withdraw_offer(&mut self, ix: AgentIx) {
        let agent = self.roster(ix);
        if let Some(Duty::Reserved { call, .. }) = agent.duty() {
            let call = *call;
            self.outputs.push_back(AcdOutput::OfferWithdrawn { call, agent: agent.number.clone() });
            self.move_call(call, Place::Waiting);
        }
    }
}
