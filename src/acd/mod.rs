//! Who gets which call, now. One deterministic value, [`Acd`]: an input in, outputs and the next timeout out.
//!
//! Belongs here: agents at seats, callers waiting, offers, wrap-up, and the matching of the two sides. Not here: legs,
//! ringing and audio (`call`, `seat`, `media`), counting what happened (`sla`), reading settings (`config`).
//!
//! How it stays right, and quick:
//! - An agent's [`Duty`] is the only owner of an offer or a talk; a call only knows with whom it is. What people see
//!   ([`AgentState`]) is derived from the duty, so there is nothing beside it to get stuck.
//! - Every change goes through `changes`, which keeps [`Index`] true. The index is a pure fold over agents and calls:
//!   never saved, rebuilt on restore, and `check` rebuilds and compares.
//! - After every input and every timer the matcher runs to its fixed point: while any ready agent may take any waiting
//!   caller (and seats can be rung), the first such caller in the one total [`Order`] is offered to the agent the [`policy`] puts first. There
//!   is no polling and no "dirty" list that could miss a pair.
//! - Both questions of the matcher are `O(log n)` for any mix of skills: see [`FirstFit`]. A caller accepted by a further
//!   step is re-filed under a wider [`ClassSet`]; an agent who is kept back is filed without the classes that may not
//!   have them ([`ReadyAgents`]), and only when a reserve becomes short or ceases to be are the few it holds re-filed.
//!
//! Where it grows: a strategy is a file in `policy/`; another reason to accept or to keep back is a class or a mask.

mod agent;
mod callers;
mod changes;
mod check;
mod estimate;
mod first_fit;
mod index;
mod line;
mod matcher;
mod offers;
mod order;
mod pace;
mod policy;
mod port;
mod queue;
mod ready;
mod refused;
mod roster;
mod saved;
mod seats;
mod skill;
mod stranded;
mod timers;
mod view;
mod wrap_up;

pub use port::{AcdInput, AcdOutput, Forced, Request, Waits};
pub use refused::Refused;
pub use view::{AgentView, InLine, QueueView, Standing};

use crate::config::settings::{AgentSettings, DistributorSettings, QueueSettings};
use crate::event::AgentEvent;
use crate::ids::{AgentNo, CallId, SeatNo};
use crate::time::Instant;
use agent::{Agent, AgentIx, Aim, Phase};
use index::Index;
use pace::Pace;
use queue::{Call, Queue, QueueIx};
use serde::{Deserialize, Serialize};
use skill::Requirements;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use timers::Timer;

#[cfg(doc)]
use {crate::event::AgentState, agent::Duty, first_fit::FirstFit, order::Order, ready::ReadyAgents, skill::ClassSet};

/// The call distributor. Saved and restored as a plain value; equal inputs give equal outputs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "saved::Saved", try_from = "saved::Saved")]
pub struct Acd {
    rules: DistributorSettings,
    /// Follows from the queues' settings and the rules.
    requirements: Requirements,
    /// Sorted by name.
    queues: Vec<Queue>,
    /// Sorted by number, so that the order of indexes is the order of numbers.
    agents: Vec<Agent>,
    calls: BTreeMap<CallId, Call>,
    /// Seats known to be without a registration. Never larger than the number of seats configured.
    lost_seats: BTreeSet<SeatNo>,
    /// Seats with a call of their own: nobody is ready there.
    engaged_seats: BTreeSet<SeatNo>,
    /// No offers before then: seats cannot be rung.
    rests_until: Option<Instant>,
    outputs: VecDeque<AcdOutput>,
    index: Index,
}

impl Acd {
    /// Everybody signed out, nobody waiting. Of two queues or agents of one name the first counts (`config` refuses them).
    pub fn new(queues: &[QueueSettings], agents: &[AgentSettings], rules: &DistributorSettings) -> Acd {
        let requirements = Requirements::of(queues.iter(), rules);
        let queues = queues.iter().map(|queue| (queue.clone(), Pace::default())).collect();
        let queues = Queue::all(queues, &requirements);
        let mut agents: Vec<Agent> = agents.iter().map(|a| Agent::new(a.clone(), &requirements)).collect();
        agents.sort_by(|a, b| a.number().cmp(b.number()));
        agents.dedup_by(|later, first| later.number() == first.number());
        let index = Index::build(&requirements, &queues, &agents, [].iter());
        let (calls, lost_seats, engaged_seats, rests_until, outputs) = Default::default();
        let rules = rules.clone();
        Acd { rules, requirements, queues, agents, calls, lost_seats, engaged_seats, rests_until, outputs, index }
    }

    /// One step. What is refused has changed nothing. Timers that are due are not run here, so a pickup that arrives
    /// together with the end of the ring time still counts.
    pub fn handle(&mut self, now: Instant, input: AcdInput) -> Result<(), Refused> {
        match input {
            AcdInput::SignIn { agent, seat } => self.sign_in(now, &agent, seat)?,
            AcdInput::SignOut { agent } => self.wish(now, &agent, Aim::SignOut)?,
            AcdInput::Ready { agent } => self.wish(now, &agent, Aim::Ready)?,
            AcdInput::NotReady { agent, reason } => self.wish(now, &agent, Aim::NotReady(reason))?,
            AcdInput::SeatReachable { seat } => self.seat_reachable(now, &seat),
            AcdInput::SeatLost { seat } => self.seat_lost(now, seat),
            AcdInput::Enqueue(request) => self.enqueue(now, request)?,
            AcdInput::PutBack(request) => self.put_back(now, request)?,
            AcdInput::Leave { call } => self.leave(now, call)?,
            AcdInput::LeaveRinging { call } => self.leave_ringing(now, call)?,
            AcdInput::SeatQuiet { seat } => self.seat_quiet(now, &seat),
            AcdInput::SeatEngaged { seat } => self.seat_engaged(now, seat),
            AcdInput::SeatFree { seat } => self.seat_free(now, &seat),
            AcdInput::Taken { request, agent } => self.taken(now, request, &agent)?,
            AcdInput::Answered { call } => self.answered(now, call)?,
            AcdInput::OfferFailed { call, why } => self.offer_failed(now, call, why)?,
            AcdInput::CannotRing { call, until } => self.cannot_ring(now, call, until)?,
            AcdInput::Held { call } => self.set_phase(now, call, Phase::Hold)?,
            AcdInput::Resumed { call } => self.set_phase(now, call, Phase::Talking)?,
            AcdInput::TalkEnded { call } => self.talk_ended(now, call)?,
            AcdInput::SeatDead { call } => self.seat_dead(now, call)?,
            AcdInput::NotReached { call } => self.not_reached(now, call)?,
            AcdInput::Requeue { call, queue } => self.requeue(now, call, &queue)?,
            AcdInput::MoveUp { call } => self.move_up(now, call)?,
            AcdInput::ExtendWrapUp { agent } => self.extend_wrap_up(now, &agent)?,
            AcdInput::Force { agent, to, by } => self.force(now, &agent, to, by)?,
            AcdInput::SetSkills { agent, skills } => self.set_skills(&agent, skills)?,
            AcdInput::Admit(settings) => self.admit(now, settings),
            AcdInput::Dismiss { agent } => self.dismiss(now, &agent)?,
        }
        self.settle(now);
        Ok(())
    }

    /// What has been decided, oldest first. Drain it after every step.
    pub fn next_output(&mut self) -> Option<AcdOutput> {
        self.outputs.pop_front()
    }

    /// The next output if it is an agent's change of state, which touches no call: it may be told in the middle of a step.
    pub fn next_agent_event(&mut self) -> Option<AgentEvent> {
        let Some(AcdOutput::Agent(event)) = self.outputs.front() else { return None };
        let event = event.clone();
        self.outputs.pop_front();
        Some(event)
    }

    /// When [`Acd::handle_timeout`] wants to be called; may lie in the past.
    pub fn next_timeout(&self) -> Option<Instant> {
        [self.index.timers.next().map(|(at, _)| at), self.rests_until].into_iter().flatten().min()
    }

    /// Runs all timers due at `now`, in order of their times; of those of one call the milder first.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((_, timer)) = self.index.timers.next().filter(|(at, _)| *at <= now) {
            // Each timer belongs to a state which the end of the timer ends: this loop ends too.
            match self.milder(now, timer) {
                Timer::GuestOver(agent) => self.guest_over(now, agent),
                Timer::WrapUp(agent) => self.wrap_up_over(now, agent),
                Timer::Ring(agent) => self.rang_out(now, agent),
                Timer::Clearing(agent) => self.never_cleared(now, agent),
                // Said before anything is decided, below.
                Timer::Relax(_) => {}
                Timer::Overflow(call) => self.overflow_due(call),
                Timer::MaxWait(call) => self.waited_too_long(now, call),
            }
            self.settle(now);
        }
        if self.rests_until.is_some_and(|until| until <= now) {
            self.settle(now);
        }
    }

    fn roster(&self, ix: AgentIx) -> &Agent {
        &self.agents[ix.0 as usize]
    }

    fn queue_at(&self, ix: QueueIx) -> &Queue {
        &self.queues[ix.0 as usize]
    }

    fn find_agent(&self, number: &AgentNo) -> Option<AgentIx> {
        self.agents.binary_search_by(|a| a.number().cmp(number)).ok().map(|at| AgentIx(at as u32))
    }

    /// An agent who may say something: not one who has been dismissed and only ends the call in hand.
    fn agent_ix(&self, number: &AgentNo) -> Result<AgentIx, Refused> {
        let known = self.find_agent(number).filter(|ix| !self.roster(*ix).is_dismissed());
        known.ok_or_else(|| Refused::UnknownAgent(number.clone()))
    }
}
