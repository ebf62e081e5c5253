//! What happens to an agent: the states, the reasons for a pause, and the event that tells of a change. Not here: who
//! changes them and when (`acd`).

use crate::ids::{AgentNo, SeatNo};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// Why an agent is not ready (示忙, 小休, ...).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NotReadyReason {
    /// 示忙, the agent's own choice.
    Busy,
    /// 小休.
    Break,
    /// 培训.
    Training,
    /// Rang out on an offered call.
    NoAnswer,
    /// Declined or busy on an offered call.
    Declined,
    /// The seat's registration is gone or the seat does not answer.
    Unreachable,
    /// Forced by a supervisor.
    Forced,
}

/// Agent states as people see them; derived from live facts, never stored beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AgentState {
    /// 签出 / 离线
    LoggedOut,
    NotReady(NotReadyReason),
    /// 空闲
    Ready,
    /// 预占用 / 振铃: holds an offer.
    Reserved,
    /// 通话
    Talking,
    /// 保持
    Hold,
    /// 话后整理
    WrapUp,
    /// 外呼 / 咨询: ready, but for a call of the seat's own.
    Engaged,
}

impl AgentState {
    pub fn as_str(self) -> &'static str {
        match self {
            AgentState::LoggedOut => "logged_out",
            AgentState::NotReady(_) => "not_ready",
            AgentState::Ready => "ready",
            AgentState::Reserved => "reserved",
            AgentState::Talking => "talking",
            AgentState::Hold => "hold",
            AgentState::WrapUp => "wrap_up",
            AgentState::Engaged => "engaged",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentEvent {
    pub at: Instant,
    pub agent: AgentNo,
    pub seat: Option<SeatNo>,
    pub state: AgentState,
    /// Who forced this state, if the agent did not choose it.
    pub by: Option<AgentNo>,
}
