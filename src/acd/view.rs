//! What wallboards, metrics and the live view read. Nothing here decides or changes anything.

use super::Acd;
use super::agent::Agent;
use super::queue::Place;
use crate::event::AgentState;
use crate::ids::{AgentNo, CallId, QueueName, SeatNo};
use crate::time::Instant;
use std::time::Duration;

/// One queue now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueView<'a> {
    pub name: &'a QueueName,
    /// Callers in line; one an agent's seat rings for is not in line.
    pub waiting: usize,
    /// When the one in line the longest asked for a human.
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
    /// The call offered to or spoken on by this agent.
    pub call: Option<CallId>,
}

impl Acd {
    /// `None`: no such agent.
    pub fn agent_state(&self, number: &AgentNo) -> Option<AgentState> {
        self.agent(number).map(|agent| agent.state)
    }

    pub fn agent(&self, number: &AgentNo) -> Option<AgentView<'_>> {
        let ix = self.agent_ix(number).ok()?;
        Some(view(self.roster(ix)))
    }

    /// Who is signed in at this seat.
    pub fn agent_at(&self, seat: &SeatNo) -> Option<&AgentNo> {
        self.index.seats.get(seat).map(|ix| &self.roster(*ix).number)
    }

    /// Place in the queue's line, from 1; `None` for a call that is not in line (being offered, answered, unknown).
    pub fn position(&self, id: CallId) -> Option<usize> {
        let call = self.calls.get(&id)?;
        self.index.lines[call.queue.0 as usize].rank(&call.order).map(|before| before + 1)
    }

    /// The agent to whom a call is offered or with whom it is talking.
    pub fn agent_of(&self, id: CallId) -> Option<&AgentNo> {
        match self.calls.get(&id)?.place {
            Place::Waiting => None,
            Place::With(ix) => Some(&self.roster(ix).number),
        }
    }

    /// Callers in line, all queues.
    pub fn waiting(&self) -> usize {
        self.index.waiting.len()
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
        self.queues.iter().zip(&self.index.lines).map(|(queue, line)| QueueView {
            name: &queue.name,
            waiting: line.len(),
            // Within one queue the priority is the same, so the first in order is the oldest request.
            oldest: line.first().map(|order| order.since),
        })
    }

    /// All agents of the roster by number.
    pub fn agents(&self) -> impl Iterator<Item = AgentView<'_>> {
        self.agents.iter().map(view)
    }
}

fn view(agent: &Agent) -> AgentView<'_> {
    AgentView {
        number: &agent.number,
        state: agent.state(),
        since: agent.state_since,
        seat: agent.seat(),
        call: agent.call(),
    }
}
