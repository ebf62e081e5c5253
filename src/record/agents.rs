//! An agent's time: how long in which state, by the quarter hour, so that any half hour, shift or day can be summed up
//! again in any time zone. Belongs here: states as words, cutting a spell at the quarters. Not here: sums (`fold`).

use crate::event::{AgentState, NotReadyReason};
use crate::ids::{CallId, SeatNo};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A quarter of an hour: every time zone in use begins its half hours on one.
pub const CELL: Duration = Duration::from_secs(900);

/// Quarters of an hour since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell(pub u64);

impl Cell {
    pub fn of(at: Instant) -> Cell {
        Cell(at.as_unix_micros() / CELL.as_micros() as u64)
    }

    pub fn begins(self) -> Instant {
        Instant(self.0 * CELL.as_micros() as u64)
    }
}

/// What an agent does now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spell {
    pub seat: Option<SeatNo>,
    pub state: AgentState,
    pub since: Instant,
    /// Whose wrap-up comes next.
    pub serving: Option<Serving>,
}

/// A conversation: the call, and which of its segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serving {
    pub call: CallId,
    pub segment: usize,
}

/// The spell's parts in each quarter.
pub(super) fn cut(since: Instant, until: Instant) -> impl Iterator<Item = (Cell, Duration)> {
    let mut from = since;
    std::iter::from_fn(move || {
        let cell = Cell::of(from);
        let to = Cell(cell.0 + 1).begins().min(until);
        (from < until).then(|| (cell, std::mem::replace(&mut from, to))).map(|(cell, begun)| (cell, to - begun))
    })
}

/// Every state that takes an agent's time, with its stable word.
pub const STATES: [(AgentState, &str); 13] = [
    (AgentState::Ready, "ready"),
    (AgentState::Reserved, "reserved"),
    (AgentState::Talking, "talking"),
    (AgentState::Hold, "hold"),
    (AgentState::WrapUp, "wrap_up"),
    (AgentState::Engaged, "engaged"),
    (AgentState::NotReady(NotReadyReason::Busy), "not_ready_busy"),
    (AgentState::NotReady(NotReadyReason::Break), "not_ready_break"),
    (AgentState::NotReady(NotReadyReason::Training), "not_ready_training"),
    (AgentState::NotReady(NotReadyReason::NoAnswer), "not_ready_no_answer"),
    (AgentState::NotReady(NotReadyReason::Declined), "not_ready_declined"),
    (AgentState::NotReady(NotReadyReason::Unreachable), "not_ready_unreachable"),
    (AgentState::NotReady(NotReadyReason::Forced), "not_ready_forced"),
];

/// `None`: signed out.
pub fn state_word(state: AgentState) -> Option<&'static str> {
    STATES.into_iter().find(|(known, _)| *known == state).map(|(_, word)| word)
}

pub fn state_of(word: &str) -> Option<AgentState> {
    STATES.into_iter().find(|(_, known)| *known == word).map(|(state, _)| state)
}
