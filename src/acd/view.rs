//! What wallboards, metrics and the live view read. Nothing here decides or changes anything.

use super::Acd;
use super::agent::{Agent, Aim, Duty};
use super::port::Waits;
use super::queue::{Call, Place};
use crate::event::AgentState;
use crate::ids::{AgentNo, CallId, QueueName, SeatNo, Skill};
use crate::time::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

/// One queue now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueView<'a> {
    pub name: &'a QueueName,
    /// Callers in line; one an agent's seat rings for is not in line.
    pub waiting: usize,
    /// Citizens in line to be called back.
    pub callbacks: usize,
    /// When the caller in line the longest asked for a human.
    pub oldest: Option<Instant>,
}

/// One agent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgentView<'a> {
    pub number: &'a AgentNo,
    pub state: AgentState,
    /// When this state began.
    pub since: Instant,
    pub seat: Option<&'a SeatNo>,
    pub team: Option<&'a str>,
    /// Those of now.
    pub skills: &'a BTreeMap<Skill, u8>,
    pub leader: bool,
    /// The call offered to or spoken on by this agent.
    pub call: Option<CallId>,
    /// The call of the wrap-up.
    pub serving: Option<CallId>,
    /// When ringing or wrap-up ends by itself.
    pub until: Option<Instant>,
    /// What the agent is to be after the call in hand, if not ready.
    pub then: Option<AgentState>,
}

/// One caller in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InLine<'a> {
    pub call: CallId,
    pub queue: &'a QueueName,
    /// A shift leader has put them to the front.
    pub moved_up: bool,
}

/// Why a call in line is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing<'a> {
    pub queue: &'a QueueName,
    pub position: usize,
    /// The last step of the queue's requirement that counts already (0 is the first).
    pub step: u8,
    /// Agents who meet a step that counts and take calls now, whether they have one in hand or not.
    pub working: usize,
    /// How many of these are ready, but kept for callers who need their reserved skills.
    pub kept_back: usize,
}

impl Acd {
    /// `None`: no such agent.
    pub fn agent_state(&self, number: &AgentNo) -> Option<AgentState> {
        self.find_agent(number).map(|ix| self.roster(ix).state())
    }

    pub fn agent(&self, number: &AgentNo) -> Option<AgentView<'_>> {
        self.find_agent(number).map(|ix| view(self.roster(ix)))
    }

    /// Who is signed in at this seat.
    pub fn agent_at(&self, seat: &SeatNo) -> Option<&AgentNo> {
        self.index.seats.get(seat).map(|ix| self.roster(*ix).number())
    }

    /// Place in the queue's line among those who wait on the phone, from 1; `None` for a call that is not in line (being
    /// offered, answered, unknown).
    pub fn position(&self, id: CallId) -> Option<usize> {
        let call = self.calls.get(&id).filter(|call| call.place == Place::Waiting)?;
        Some(self.index.lines[call.queue.0 as usize].callers_before(&call.order) + 1)
    }

    /// "Why does this call wait?" `None`: it does not. `O(agents)`: for a person who asks.
    pub fn why(&self, id: CallId) -> Option<Standing<'_>> {
        let position = self.position(id)?;
        let call = &self.calls[&id];
        let queue = self.queue_at(call.queue);
        let able = |agent: &&Agent| agent.works() && agent.ability.can.shares(&queue.step(call.step).accepts);
        let kept = self.agents.iter().filter(able).filter(|agent| agent.idle_since().is_some()).count();
        let working = self.agents.iter().filter(able).count();
        Some(Standing { queue: queue.name(), position, step: call.step, working, kept_back: kept })
    }

    /// The agent to whom a call is offered or with whom it is talking.
    pub fn agent_of(&self, id: CallId) -> Option<&AgentNo> {
        match self.calls.get(&id)?.place {
            Place::Waiting => None,
            Place::With(ix) => Some(self.roster(ix).number()),
        }
    }

    /// Callers in line, all queues.
    pub fn waiting(&self) -> usize {
        self.index.lines.iter().map(|line| line.callers()).sum()
    }

    /// The first callers in line, over all queues, in the order of the line.
    pub fn first_in_line(&self, most: usize) -> Vec<InLine<'_>> {
        let waiting = |call: &&Call| call.place == Place::Waiting && call.waits == Waits::OnTheLine;
        let mut all: Vec<&Call> = self.calls.values().filter(waiting).collect();
        all.sort_unstable_by_key(|call| call.order);
        let shown = |call: &Call| InLine {
            call: call.order.call,
            queue: self.queue_at(call.queue).name(),
            moved_up: call.order.is_moved_up(),
        };
        all.into_iter().take(most).map(shown).collect()
    }

    /// Seats being rung.
    pub fn offers(&self) -> usize {
        self.index.offers
    }

    /// Calls known here: waiting, offered or talking.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// How long the oldest request in line has waited; zero when nobody does.
    pub fn longest_wait(&self, now: Instant) -> Duration {
        self.queues().filter_map(|queue| queue.oldest).min().map_or(Duration::ZERO, |oldest| now.since(oldest))
    }

    /// How many agents are in a state `which` accepts.
    pub fn count_agents(&self, which: impl Fn(AgentState) -> bool) -> usize {
        self.agents.iter().filter(|agent| which(agent.state())).count()
    }

    /// All queues by name.
    pub fn queues(&self) -> impl Iterator<Item = QueueView<'_>> {
        (0..self.queues.len()).map(|at| self.queue_view(at))
    }

    fn queue_view(&self, at: usize) -> QueueView<'_> {
        let (queue, line) = (&self.queues[at], &self.index.lines[at]);
        QueueView { name: queue.name(), waiting: line.callers(), callbacks: line.callbacks(), oldest: line.oldest() }
    }

    /// The queues whose callers this agent may be given, at whatever step, by name.
    pub fn queues_of(&self, number: &AgentNo) -> impl Iterator<Item = QueueView<'_>> {
        let can = self.find_agent(number).map(|ix| &self.roster(ix).ability.can);
        let serves = move |at: &usize| {
            let step = self.queues[*at].steps.last();
            step.zip(can).is_some_and(|(step, can)| can.shares(&step.accepts))
        };
        (0..self.queues.len()).filter(serves).map(|at| self.queue_view(at))
    }

    /// All agents of the roster by number.
    pub fn agents(&self) -> impl Iterator<Item = AgentView<'_>> {
        self.agents.iter().map(view)
    }
}

fn view(agent: &Agent) -> AgentView<'_> {
    AgentView {
        number: agent.number(),
        state: agent.state(),
        since: agent.state_since,
        seat: agent.seat(),
        team: agent.settings.team.as_deref(),
        skills: &agent.settings.skills,
        leader: agent.settings.leader,
        call: agent.call(),
        serving: match agent.duty() {
            Some(Duty::WrapUp { of, .. }) => Some(*of),
            _ => None,
        },
        until: agent.until(),
        then: agent.presence.then().and_then(|aim| match aim {
            Aim::Ready => None,
            Aim::NotReady(reason) => Some(AgentState::NotReady(reason)),
            Aim::SignOut | Aim::Dismissal => Some(AgentState::LoggedOut),
        }),
    }
}
