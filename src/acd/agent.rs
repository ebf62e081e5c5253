//! One agent: where they sit and what they do, as a sum type whose variants hold only what is valid there.
//! Not here: what moves an agent from one duty to the next (`roster`, `offers`, `wrap_up`).

use super::queue::QueueIx;
use super::skill::{Ability, Requirements};
use crate::config::settings::AgentSettings;
use crate::event::{AgentState, NotReadyReason};
use crate::ids::{AgentNo, CallId, SeatNo};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Place in the roster, which is sorted by number: comparing two of these compares the agents' numbers. Adding or
/// removing an agent moves the places behind, see [`super::Acd::change_roster`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct AgentIx(pub u32);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Agent {
    /// With the skills of now.
    pub settings: AgentSettings,
    /// Follows from the skills; worked out anew on restore.
    #[serde(skip)]
    pub ability: Ability,
    pub presence: Presence,
    /// When the state people see last changed.
    pub state_since: Instant,
    pub work: Work,
    /// Offers not picked up in a row.
    pub missed: u32,
}

/// How busy somebody has been since signing in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Work {
    signed_in: Instant,
    /// On calls, queues' or their own, and in wrap-up.
    busy: Duration,
    /// Share of the time since signing in, in parts per million, taken when last becoming ready.
    pub share: u32,
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
        /// When the seat began to ring for it.
        taken: Instant,
        then: Wish,
    },
    WrapUp {
        /// The call whose wrap-up it is.
        of: CallId,
        /// Whose call it was.
        queue: QueueIx,
        /// When the seat began to ring for the call.
        taken: Instant,
        until: Instant,
        then: Wish,
    },
    /// Ready, but for a call that the seat has dialled or was dialled by a colleague.
    Engaged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    Talking,
    Hold,
}

/// What the agent is to be; pending while on a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wish {
    pub to: Aim,
    /// Whose order it is, if not the agent's own wish.
    pub by: Option<AgentNo>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Aim {
    Ready,
    NotReady(NotReadyReason),
    SignOut,
    /// Signed out and off the roster.
    Dismissal,
}

impl Wish {
    /// The agent's own.
    pub fn own(to: Aim) -> Wish {
        Wish { to, by: None }
    }
}

impl Agent {
    pub fn new(settings: AgentSettings, requirements: &Requirements) -> Agent {
        Agent {
            ability: requirements.ability(&settings.skills),
            settings,
            presence: Presence::SignedOut,
            state_since: Instant::ZERO,
            work: Work::default(),
            missed: 0,
        }
    }

    pub fn number(&self) -> &AgentNo {
        &self.settings.number
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
                Duty::Engaged => AgentState::Engaged,
            },
        }
    }

    pub fn seat(&self) -> Option<&SeatNo> {
        self.presence.seat()
    }

    pub fn duty(&self) -> Option<&Duty> {
        self.presence.duty()
    }

    /// `None`: not ready for a call.
    pub fn idle_since(&self) -> Option<Instant> {
        match self.duty() {
            Some(Duty::Ready { idle_since }) => Some(*idle_since),
            _ => None,
        }
    }

    /// The call this agent is reserved for or speaking on.
    pub fn call(&self) -> Option<CallId> {
        match self.duty() {
            Some(Duty::Reserved { call, .. } | Duty::OnCall { call, .. }) => Some(*call),
            _ => None,
        }
    }

    /// When the duty ends by itself.
    pub fn until(&self) -> Option<Instant> {
        match self.duty()? {
            Duty::Reserved { ring_until: until, .. } | Duty::WrapUp { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// Takes calls, or will when the one in hand is done.
    pub fn works(&self) -> bool {
        self.presence.works()
    }

    /// Off the roster already, but for the call in hand.
    pub fn is_dismissed(&self) -> bool {
        self.presence.is_dismissed()
    }

    /// When a guest who is signed in, and not about to go, has to.
    pub fn guest_until(&self) -> Option<Instant> {
        let (_, until) = self.settings.guest?;
        let goes = matches!(self.presence.then(), Some(Aim::SignOut | Aim::Dismissal));
        (self.seat().is_some() && !goes).then(|| Instant(until.saturating_mul(1_000_000)))
    }

    /// Keeps the books when the state changes from `before` to that of now.
    pub fn account(&mut self, now: Instant, before: AgentState) {
        // Moving on from a seat that lost its phone is no new shift.
        if before == AgentState::LoggedOut {
            self.work = Work { signed_in: now, ..Work::default() };
        }
        if matches!(before, AgentState::Talking | AgentState::Hold | AgentState::WrapUp | AgentState::Engaged) {
            self.work.busy += now.since(self.state_since);
        }
        if self.state() == AgentState::Ready {
            self.work.share = self.work.share_at(now);
        }
    }
}

impl Work {
    fn share_at(&self, now: Instant) -> u32 {
        let all = now.since(self.signed_in).as_micros();
        (self.busy.as_micros() * 1_000_000).checked_div(all).map_or(0, |share| share as u32)
    }
}

impl Presence {
    pub fn seat(&self) -> Option<&SeatNo> {
        match self {
            Presence::SignedOut => None,
            Presence::SignedIn { seat, .. } => Some(seat),
        }
    }

    pub fn duty(&self) -> Option<&Duty> {
        match self {
            Presence::SignedOut => None,
            Presence::SignedIn { duty, .. } => Some(duty),
        }
    }

    pub fn works(&self) -> bool {
        !matches!(self.duty(), None | Some(Duty::NotReady(_)))
    }

    pub fn is_dismissed(&self) -> bool {
        self.then() == Some(Aim::Dismissal)
    }

    /// What comes after the call in hand.
    pub fn then(&self) -> Option<Aim> {
        match self.duty() {
            Some(Duty::OnCall { then, .. } | Duty::WrapUp { then, .. }) => Some(then.to),
            _ => None,
        }
    }
}
