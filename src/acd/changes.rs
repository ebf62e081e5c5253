//! The only ways the distributor's state changes; each keeps the index true. Not here: what to change and when.

use super::Acd;
use super::agent::{Agent, AgentIx, Duty, Presence};
use super::index::Index;
use super::port::AcdOutput;
use super::queue::{Call, Place};
use crate::config::settings::AgentSettings;
use crate::event::AgentEvent;
use crate::ids::{AgentNo, CallId};
use crate::time::Instant;

impl Acd {
    /// `by`: who ordered it, if not the agent.
    pub(super) fn set_presence(&mut self, now: Instant, ix: AgentIx, presence: Presence, by: Option<AgentNo>) {
        self.index.unfile_duty(ix, &self.agents);
        let agent = &mut self.agents[ix.0 as usize];
        let standing = |presence: &Presence| (presence.works(), presence.is_dismissed());
        let stands = standing(&agent.presence) != standing(&presence);
        if stands {
            self.index.unfile_ability(agent);
        }
        let state_before = agent.state();
        let before = std::mem::replace(&mut agent.presence, presence);
        let (seat, state) = (agent.presence.seat(), agent.state());
        let moved = before.seat() != seat;
        if moved {
            self.index.move_seat(ix, before.seat(), seat);
        }
        if let Some(Duty::WrapUp { queue, taken, .. }) = before.duty()
            && state != state_before
        {
            self.queues[queue.0 as usize].pace.handled(now.since(*taken));
        }
        if state != state_before {
            agent.account(now, state_before);
        }
        if moved || state != state_before {
            agent.state_since = now;
            let event = AgentEvent { at: now, agent: agent.number().clone(), seat: agent.seat().cloned(), state, by };
            self.outputs.push_back(AcdOutput::Agent(event));
        }
        if stands {
            self.index.file_ability(agent);
        }
        self.index.file_duty(ix, &self.agents);
    }

    /// Gives a signed-in agent another duty at the same seat.
    pub(super) fn set_duty(&mut self, now: Instant, ix: AgentIx, duty: Duty) {
        self.set_duty_by(now, ix, duty, None);
    }

    pub(super) fn set_duty_by(&mut self, now: Instant, ix: AgentIx, duty: Duty, by: Option<AgentNo>) {
        match self.roster(ix).seat().cloned() {
            Some(seat) => self.set_presence(now, ix, Presence::SignedIn { seat, duty }, by),
            None => debug_assert!(false, "agent {ix:?} is signed out and was given {duty:?}"),
        }
    }

    pub(super) fn set_agent_settings(&mut self, ix: AgentIx, settings: AgentSettings) {
        self.index.unfile_duty(ix, &self.agents);
        let agent = &mut self.agents[ix.0 as usize];
        self.index.unfile_ability(agent);
        agent.ability = self.requirements.ability(&settings.skills);
        agent.settings = settings;
        self.index.file_ability(agent);
        self.index.file_duty(ix, &self.agents);
    }

    /// Adds or removes an agent. The places of those behind move, and the index is built anew: somebody joins or leaves
    /// the roster once in a shift, and the order by number stays plain for everything that happens all the time.
    pub(super) fn change_roster(&mut self, change: impl FnOnce(&mut Vec<Agent>)) {
        let held = self.calls.iter().filter_map(|(id, call)| match call.place {
            Place::With(ix) => Some((*id, self.roster(ix).number().clone())),
            Place::Waiting => None,
        });
        let held: Vec<(CallId, AgentNo)> = held.collect();
        change(&mut self.agents);
        for (id, number) in held {
            if let (Some(ix), Some(call)) = (self.find_agent(&number), self.calls.get_mut(&id)) {
                call.place = Place::With(ix);
            }
        }
        self.index = Index::build(&self.requirements, &self.queues, &self.agents, self.calls.values());
    }

    pub(super) fn add_call(&mut self, call: Call) {
        self.index.file_call(&call, &self.queues);
        self.calls.insert(call.order.call, call);
    }

    pub(super) fn change_call(&mut self, id: CallId, change: impl FnOnce(&mut Call)) {
        if let Some(call) = self.calls.get_mut(&id) {
            self.index.unfile_call(call, &self.queues);
            change(call);
            self.index.file_call(call, &self.queues);
        }
    }

    pub(super) fn move_call(&mut self, id: CallId, place: Place) {
        self.change_call(id, |call| call.place = place);
    }

    pub(super) fn remove_call(&mut self, id: CallId) -> Option<Call> {
        let call = self.calls.remove(&id)?;
        self.index.unfile_call(&call, &self.queues);
        Some(call)
    }
}
