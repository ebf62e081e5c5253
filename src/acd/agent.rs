//! One agent: where they sit and what they do, as a sum type whose variants hold only what is valid there.
//! Not here: what moves an agent from one duty to the next (`roster`, `callers`).

use super::skill::{ClassSet, Requirements};
use crate::config::settings::AgentSettings;
use crate::event::{AgentState, NotReadyReason};
use crate::ids::{AgentNo, CallId, SeatNo};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// Place in the roster, which is sorted by number: comparing two of these compares the agents' numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct AgentIx(pub u32);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Agent {
    pub number: AgentNo,
    /// The classes of calls this agent can take.
    pub can: ClassSet,
    pub presence: Presence,
    /// When the state people see last changed.
    pub state_since: Instant,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Presence {
    SignedOut,
    SignedIn { seat: SeatNo, duty: Duty },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Duty {
    NotReady(NotReadyReason),
    /// Idle since the wrap-up ended or the agent said ready. An offer withdrawn through no fault of the agent keeps it.
    Ready {
        idle_since: Instant,
    },
    /// Holds the one offer of `call`.
    Reserved {
        call: CallId,
        ring_until: Instant,
        idle_since: Instant,
    },
    /// The caller left while the seat rang, and it has not stopped yet. People see `Reserved`.
    Clearing {
        until: Instant,
        idle_since: Instant,
    },
    OnCall {
        call: CallId,
        phase: Phase,
        then: Wish,
    },
    WrapUp {
        until: Instant,
        then: Wish,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    Talking,
    Hold,
}

/// What the agent wants to be; pending while on a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Wish {
    Ready,
    NotReady(NotReadyReason),
    SignOut,
}

impl Agent {
    pub fn new(settings: &AgentSettings, requirements: &Requirements) -> Agent {
        Agent {
            number: settings.number.clone(),
            can: requirements.met_by(&settings.skills),
            presence: Presence::SignedOut,
            state_since: Instant::ZERO,
        }
    }

    pub fn state(&self) -> AgentState {
        match &self.presence {
            Presence::SignedOut => AgentState::LoggedOut,
            Presence::SignedIn { duty, .. } => match duty {
                Duty::NotReady(reason) => AgentState::NotReady(*reason),
                Duty::Ready { .. } => AgentState::Ready,
                Duty::Reserved { .. } | Duty::Clearing { .. } => AgentState::Reserved,
                Duty::OnCall { phase: Phase::Talking, .. } => AgentState::Talking,
                Duty::OnCall { phase: Phase::Hold, .. } => AgentState::Hold,
                Duty::WrapUp { .. } => AgentState::WrapUp,
            },
        }
    }

    pub fn seat(&self) -> Option<&SeatNo> {
        self.presence.seat()
    }

    pub fn duty(&self) -> Option<&Duty> {
        match &self.presence {
            Presence::SignedOut => None,
            Presence::SignedIn { duty, .. } => Some(duty),
        }
    }

    /// The call this agent is reserved for or speaking on.
    pub fn call(&self) -> Option<CallId> {
        match self.duty() {
            Some(Duty::Reserved { call, .. } | Duty::OnCall { call, .. }) => Some(*call),
            _ => None,
        }
    }
}

impl Presence {
    pub fn seat(&self) -> Option<&SeatNo> {
        match self {
            Presence::SignedOut => None,
            Presence::SignedIn { seat, .. } => Some(seat),
        }
    }
}
