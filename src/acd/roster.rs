//! What agents are: signed in and out, ready and not ready, by their own wish or a shift leader's order; and who is on
//! the roster at all. Not here: their seats' phones (`seats`), calls (`offers`), the wrap-up (`wrap_up`).

use super::agent::{Agent, AgentIx, Aim, Duty, Presence, Wish};
use super::port::{AcdOutput, Forced};
use super::queue::Place;
use super::{Acd, Refused};
use crate::config::settings::AgentSettings;
use crate::event::NotReadyReason;
use crate::ids::{AgentNo, SeatNo, Skill};
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};

impl Acd {
    pub(super) fn sign_in(&mut self, now: Instant, number: &AgentNo, seat: SeatNo) -> Result<(), Refused> {
        let ix = self.agent_ix(number)?;
        if let Some((from, until)) = self.roster(ix).settings.guest
            && !(from.saturating_mul(1_000_000)..until.saturating_mul(1_000_000)).contains(&now.as_unix_micros())
        {
            return Err(Refused::NotTheirDay(number.clone()));
        }
        if let Some(&by) = self.index.seats.get(&seat)
            && by != ix
        {
            return Err(Refused::SeatTaken { seat, by: self.roster(by).number().clone() });
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
        let duty = Duty::NotReady(NotReadyReason::Busy);
        self.set_presence(now, ix, Presence::SignedIn { seat, duty }, None);
        Ok(())
    }

    /// The agent asks to be ready, not ready or gone.
    pub(super) fn wish(&mut self, now: Instant, number: &AgentNo, to: Aim) -> Result<(), Refused> {
        let ix = self.agent_ix(number)?;
        self.take_wish(now, ix, Wish::own(to))
    }

    pub(super) fn force(&mut self, now: Instant, number: &AgentNo, to: Forced, by: AgentNo) -> Result<(), Refused> {
        let ix = self.agent_ix(number)?;
        let to = match to {
            Forced::Ready => Aim::Ready,
            Forced::NotReady => Aim::NotReady(NotReadyReason::Forced),
            Forced::SignOut => Aim::SignOut,
        };
        self.take_wish(now, ix, Wish { to, by: Some(by) })
    }

    /// Now if nothing is in hand, after talk and wrap-up otherwise; the last word counts.
    fn take_wish(&mut self, now: Instant, ix: AgentIx, wish: Wish) -> Result<(), Refused> {
        let agent = self.roster(ix);
        let Presence::SignedIn { seat, duty } = &agent.presence else {
            return Err(Refused::NotSignedIn(agent.number().clone()));
        };
        match (duty, wish.to) {
            (Duty::OnCall { call, phase, taken, .. }, _) => {
                let duty = Duty::OnCall { call: *call, phase: *phase, taken: *taken, then: wish };
                self.set_duty(now, ix, duty);
            }
            (Duty::Ready { .. } | Duty::Reserved { .. } | Duty::Clearing { .. } | Duty::Engaged, Aim::Ready) => {}
            (Duty::NotReady(_) | Duty::WrapUp { .. }, Aim::Ready) if self.lost_seats.contains(seat) => {
                return Err(Refused::SeatUnreachable { agent: agent.number().clone(), seat: seat.clone() });
            }
            (Duty::Reserved { .. }, _) => {
                self.withdraw_offer(ix);
                self.grant(now, ix, wish);
            }
            (Duty::NotReady(_) | Duty::Ready { .. } | Duty::Clearing { .. }, _) => self.grant(now, ix, wish),
            // The call of the seat's own goes on; it is no call of the distributor's.
            (Duty::WrapUp { .. } | Duty::Engaged, _) => self.grant(now, ix, wish),
        }
        Ok(())
    }

    /// What was wished for comes true now. Nobody becomes ready at a seat that is lost, or while it has a call of its own. Whoever is dismissed is no
    /// longer at `ix` after it.
    pub(super) fn grant(&mut self, now: Instant, ix: AgentIx, Wish { to, by }: Wish) {
        let is_at = |seats: &BTreeSet<SeatNo>| self.roster(ix).seat().is_some_and(|seat| seats.contains(seat));
        let (lost, engaged) = (is_at(&self.lost_seats), is_at(&self.engaged_seats));
        match to {
            Aim::Ready if lost => self.set_duty(now, ix, Duty::NotReady(NotReadyReason::Unreachable)),
            Aim::Ready if engaged => self.set_duty_by(now, ix, Duty::Engaged, by),
            Aim::Ready => self.set_duty_by(now, ix, Duty::Ready { idle_since: now }, by),
            Aim::NotReady(reason) => self.set_duty_by(now, ix, Duty::NotReady(reason), by),
            Aim::SignOut => self.set_presence(now, ix, Presence::SignedOut, by),
            Aim::Dismissal => {
                self.set_presence(now, ix, Presence::SignedOut, by);
                self.change_roster(|agents| drop(agents.remove(ix.0 as usize)));
            }
        }
    }

    /// The caller goes back in place; the agent's new duty is for the caller of this to set.
    pub(super) fn withdraw_offer(&mut self, ix: AgentIx) {
        let agent = self.roster(ix);
        if let Some(Duty::Reserved { call, .. }) = agent.duty() {
            let call = *call;
            self.outputs.push_back(AcdOutput::OfferWithdrawn { call, agent: agent.number().clone() });
            self.move_call(call, Place::Waiting);
        }
    }

    pub(super) fn set_skills(&mut self, number: &AgentNo, skills: BTreeMap<Skill, u8>) -> Result<(), Refused> {
        let ix = self.agent_ix(number)?;
        let settings = AgentSettings { skills, ..self.roster(ix).settings.clone() };
        self.set_agent_settings(ix, settings);
        Ok(())
    }

    pub(super) fn admit(&mut self, now: Instant, settings: AgentSettings) {
        match self.agents.binary_search_by(|agent| agent.number().cmp(&settings.number)) {
            Ok(at) => {
                let ix = AgentIx(at as u32);
                self.set_agent_settings(ix, settings);
                if self.roster(ix).is_dismissed() {
                    // Wanted again before the call in hand was over.
                    let _ = self.take_wish(now, ix, Wish::own(Aim::SignOut));
                }
            }
            Err(at) => {
                let agent = Agent::new(settings, &self.requirements);
                self.change_roster(|agents| agents.insert(at, agent));
            }
        }
    }

    pub(super) fn dismiss(&mut self, now: Instant, number: &AgentNo) -> Result<(), Refused> {
        let ix = self.agent_ix(number)?;
        match self.roster(ix).presence {
            Presence::SignedIn { .. } => self.take_wish(now, ix, Wish::own(Aim::Dismissal)),
            Presence::SignedOut => {
                self.change_roster(|agents| drop(agents.remove(ix.0 as usize)));
                Ok(())
            }
        }
    }

    pub(super) fn guest_over(&mut self, now: Instant, ix: AgentIx) {
        let _ = self.take_wish(now, ix, Wish::own(Aim::SignOut));
    }
}
