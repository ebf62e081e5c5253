//! Words of what agents and shift leaders do with a call in hand. Not here: who may (`gateway`), what each hears (`call`).

use crate::ids::{AgentNo, Skill};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why a consulted party is off the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConsultEnd {
    /// It could not be had. `status`: of the SIP answer; 408 where nobody answered in time.
    NotReached {
        status: u16,
    },
    /// The agent went back to the caller.
    Returned,
    PartyHangUp,
    /// Its leg or its audio failed.
    PartyLost,
    /// The call is over, or is the agent's no more.
    CallOver,
}

impl ConsultEnd {
    /// Stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            ConsultEnd::NotReached { .. } => "not_reached",
            ConsultEnd::Returned => "returned",
            ConsultEnd::PartyHangUp => "party_hangup",
            ConsultEnd::PartyLost => "party_lost",
            ConsultEnd::CallOver => "call_over",
        }
    }

    /// Of one that could not be had.
    pub fn status(self) -> Option<u16> {
        match self {
            ConsultEnd::NotReached { status } => Some(status),
            _ => None,
        }
    }
}

/// What a shift leader does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Supervision {
    /// 监听: hears agent and caller, heard by nobody.
    Listen,
    /// 密语: the agent hears the leader too.
    Whisper,
    /// 强插: everybody hears the leader.
    Barge,
    /// No longer on the call.
    Left,
    /// 拦截: the call is the leader's.
    TakeOver,
    /// 强拆.
    Disconnect,
    /// To the front of the line.
    MoveUp,
    /// To another queue.
    MoveCall,
}

impl Supervision {
    /// Stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Supervision::Listen => "listen",
            Supervision::Whisper => "whisper",
            Supervision::Barge => "barge",
            Supervision::Left => "left",
            Supervision::TakeOver => "take_over",
            Supervision::Disconnect => "disconnect",
            Supervision::MoveUp => "move_up",
            Supervision::MoveCall => "move_call",
        }
    }
}

/// What a shift leader does with an agent, beside the calls; the agent's change of state has its own event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaderEvent {
    pub at: Instant,
    pub by: AgentNo,
    pub agent: AgentNo,
    pub act: LeaderAct,
    /// As the leader put it.
    pub why: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeaderAct {
    /// 强制示闲.
    ForcedReady,
    /// 强制示忙.
    ForcedNotReady,
    /// 强制签出.
    ForcedOut,
    /// For the rest of the shift.
    Skills(BTreeMap<Skill, u8>),
}

impl LeaderAct {
    /// Stable word.
    pub fn as_str(&self) -> &'static str {
        match self {
            LeaderAct::ForcedReady => "forced_ready",
            LeaderAct::ForcedNotReady => "forced_not_ready",
            LeaderAct::ForcedOut => "forced_out",
            LeaderAct::Skills(_) => "skills",
        }
    }
}
