//! Who gets which call, now. One deterministic value, [`Acd`]: an input in, outputs and the next timeout out.
//!
//! Belongs here: agents at seats, callers waiting, offers, wrap-up, and the matching of the two sides. Not here: legs,
//! ringing and audio (`call`, `seat`, `media`), counting what happened (`sla`), reading settings (`config`).
//!
//! How it stays right, and quick:
//! - An agent's [`Duty`] is the only owner of an offer or a talk; a call only knows with whom it is. What people see
//!   ([`AgentState`]) is derived from the duty, so there is nothing beside it to get stuck.
//! - Every change goes through `set_presence`, `add_call`, `move_call` or `remove_call`, which keep [`Index`] true.
//!   The index is a pure fold over agents and calls: never saved, rebuilt on restore, and `check` rebuilds and compares.
//! - After every input and every timer the matcher runs to its fixed point: while any ready agent can take any waiting
//!   caller, the first such caller in the one total [`Order`] is offered to the agent the [`policy`] puts first. There
//!   is no polling and no "dirty" list that could miss a pair.
//! - Both questions of the matcher are `O(log n)` for any mix of skills: see [`FirstFit`].
//!
//! Where it grows: a strategy is a file in `policy/`; ageing is one line in `order`; a requirement that relaxes is a
//! waiting call re-filed under a wider [`ClassSet`]; a reserve masks classes out of what the ready side can take.

mod agent;
mod callers;
mod check;
mod first_fit;
mod index;
mod order;
mod policy;
mod port;
mod queue;
mod refused;
mod roster;
mod saved;
mod skill;
mod timers;
mod view;

pub use port::{AcdInput, AcdOutput, Forced, Request, Waits};
pub use refused::Refused;
pub use view::{AgentView, QueueView};

use crate::config::settings::{AgentSettings, DistributorSettings, QueueSettings};
use crate::event::{AgentEvent, Chosen};
use crate::ids::{AgentNo, CallId, SeatNo};
use crate::time::Instant;
use agent::{Agent, AgentIx, Duty, Presence};
use index::Index;
use queue::{Call, Place, Queue, QueueIx};
use serde::{Deserialize, Serialize};
use skill::Requirements;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use timers::Timer;

#[cfg(doc)]
use {crate::event::AgentState, first_fit::FirstFit, order::Order, skill::ClassSet};

/// The call distributor. Saved and restored as a plain value; equal inputs give equal outputs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "saved::Saved", try_from = "saved::Saved")]
pub struct Acd {
    /// Sorted by name.
    queues: Vec<Queue>,
    /// Sorted by number, so that the order of indexes is the order of numbers.
    agents: Vec<Agent>,
    calls: BTreeMap<CallId, Call>,
    /// Seats known to be without a registration. Never larger than the number of seats configured.
    lost_seats: BTreeSet<SeatNo>,
    outputs: VecDeque<AcdOutput>,
    index: Index,
}

impl Acd {
    /// Everybody signed out, nobody waiting. Of two queues or agents of one name the first counts (`config` refuses them).
    pub fn new(queues: &[QueueSettings], agents: &[AgentSettings], rules: &DistributorSettings) -> Acd {
        let _ = rules;
        let requirements = Requirements::of(queues);
        let mut queues: Vec<Queue> = queues.iter().map(|q| Queue::new(q, &requirements)).collect();
        queues.sort_by(|a, b| a.name.cmp(&b.name));
        queues.dedup_by(|later, first| later.name == first.name);
        let mut agents: Vec<Agent> = agents.iter().map(|a| Agent::new(a, &requirements)).collect();
        agents.sort_by(|a, b| a.number.cmp(&b.number));
        agents.dedup_by(|later, first| later.number == first.number);
        Acd::from_state(queues, agents, BTreeMap::new(), BTreeSet::new(), VecDeque::new())
    }

    /// One step. What is refused has changed nothing. Timers that are due are not run here, so a pickup that arrives
    /// together with the end of the ring time still counts.
    pub fn handle(&mut self, now: Instant, input: AcdInput) -> Result<(), Refused> {
        match input {
            AcdInput::SignIn { agent, seat } => self.sign_in(now, &agent, seat)?,
            AcdInput::SignOut { agent } => self.wish(now, &agent, agent::Wish::SignOut)?,
            AcdInput::Ready { agent } => self.wish(now, &agent, agent::Wish::Ready)?,
            AcdInput::NotReady { agent, reason } => self.wish(now, &agent, agent::Wish::NotReady(reason))?,
            AcdInput::SeatReachable { seat } => self.seat_reachable(now, &seat),
            AcdInput::SeatLost { seat } => self.seat_lost(now, seat),
            AcdInput::Enqueue(request) => self.enqueue(now, request)?,
            AcdInput::Leave { call } => self.leave(now, call)?,
            AcdInput::LeaveRinging { call } => self.leave_ringing(now, call)?,
            AcdInput::SeatQuiet { seat } => self.seat_quiet(now, &seat),
            AcdInput::Answered { call } => self.answered(now, call)?,
            AcdInput::OfferFailed { call, why } => self.offer_failed(now, call, why)?,
            AcdInput::Held { call } => self.set_phase(now, call, agent::Phase::Hold)?,
            AcdInput::Resumed { call } => self.set_phase(now, call, agent::Phase::Talking)?,
            AcdInput::TalkEnded { call } => self.talk_ended(now, call)?,
            AcdInput::Requeue { .. }
            | AcdInput::SetPriority { .. }
            | AcdInput::NotReached { .. }
            | AcdInput::ExtendWrapUp { .. }
            | AcdInput::Force { .. }
            | AcdInput::SetSkills { .. }
            | AcdInput::Admit(_)
            | AcdInput::Dismiss { .. } => {}
        }
        self.settle(now);
        Ok(())
    }

    /// What has been decided, oldest first. Drain it after every step.
    pub fn next_output(&mut self) -> Option<AcdOutput> {
        self.outputs.pop_front()
    }

    /// When [`Acd::handle_timeout`] wants to be called; may lie in the past.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.index.timers.next().map(|(at, _)| at)
    }

    /// Runs all timers due at `now`, in order of their times.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, timer)) = self.index.timers.next() {
            if at > now {
                break;
            }
            // A timer runs once, whatever comes of it: this loop ends.
            self.index.timers.stop(at, timer);
            match timer {
                Timer::WrapUp(agent) => self.wrap_up_over(now, agent),
                Timer::Ring(agent) => self.rang_out(now, agent),
                Timer::Clearing(agent) => self.never_cleared(now, agent),
                Timer::MaxWait(call) => self.waited_too_long(call),
            }
            self.settle(now);
        }
    }

    /// The matcher: offers calls until no ready agent can take any waiting caller.
    fn settle(&mut self, now: Instant) {
        while let Some(order) = self.index.first_servable() {
            let queue = self.queue_at(self.calls[&order.call].queue);
            let Some(agent) = self.index.ready.choose(&queue.needs) else {
                debug_assert!(false, "{order:?} can be served, but no agent was found");
                return;
            };
            self.offer(now, order.call, agent);
        }
    }

    fn offer(&mut self, now: Instant, call: CallId, ix: AgentIx) {
        let ring_timeout = self.queue_at(self.calls[&call].queue).ring_timeout;
        let agent = self.roster(ix);
        let Presence::SignedIn { seat, duty: Duty::Ready { idle_since } } = &agent.presence else {
            debug_assert!(false, "{:?} is filed as ready, but is {:?}", agent.number, agent.presence);
            return;
        };
        let (seat, idle_since) = (seat.clone(), *idle_since);
        self.outputs.push_back(AcdOutput::Offer { call, agent: agent.number.clone(), seat, chosen: Chosen::default() });
        self.move_call(call, Place::With(ix));
        self.set_duty(now, ix, Duty::Reserved { call, ring_until: now + ring_timeout, idle_since });
    }

    // The only four ways state changes; each keeps the index true.

    fn set_presence(&mut self, now: Instant, ix: AgentIx, presence: Presence) {
        let agent = &mut self.agents[ix.0 as usize];
        let state_before = agent.state();
        self.index.unfile_duty(ix, agent);
        let before = std::mem::replace(&mut agent.presence, presence);
        self.index.file_duty(ix, agent);
        let moved = before.seat() != agent.seat();
        if moved {
            self.index.move_seat(ix, before.seat(), agent.seat());
        }
        let state = agent.state();
        if moved || state != state_before {
            agent.state_since = now;
            let event =
                AgentEvent { at: now, agent: agent.number.clone(), seat: agent.seat().cloned(), state, by: None };
            self.outputs.push_back(AcdOutput::Agent(event));
        }
    }

    /// Gives a signed-in agent another duty at the same seat.
    fn set_duty(&mut self, now: Instant, ix: AgentIx, duty: Duty) {
        match self.roster(ix).seat().cloned() {
            Some(seat) => self.set_presence(now, ix, Presence::SignedIn { seat, duty }),
            None => debug_assert!(false, "agent {ix:?} is signed out and was given {duty:?}"),
        }
    }

    fn add_call(&mut self, call: Call) {
        self.index.file_call(&call, &self.queues);
        self.calls.insert(call.order.call, call);
    }

    fn move_call(&mut self, id: CallId, place: Place) {
        if let Some(call) = self.calls.get_mut(&id) {
            self.index.unfile_call(call);
            call.place = place;
            self.index.file_call(call, &self.queues);
        }
    }

    fn remove_call(&mut self, id: CallId) {
        if let Some(call) = self.calls.remove(&id) {
            self.index.unfile_call(&call);
        }
    }

    fn roster(&self, ix: AgentIx) -> &Agent {
        &self.agents[ix.0 as usize]
    }

    fn queue_at(&self, ix: QueueIx) -> &Queue {
        &self.queues[ix.0 as usize]
    }

    fn agent_ix(&self, number: &AgentNo) -> Result<AgentIx, Refused> {
        match self.agents.binary_search_by(|a| a.number.cmp(number)) {
            Ok(at) => Ok(AgentIx(at as u32)),
            Err(_) => Err(Refused::UnknownAgent(number.clone())),
        }
    }
}
