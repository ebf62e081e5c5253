//! Words of what agents and shift leaders do with a call in hand. Not here: who may (`gateway`), what each hears (`call`).

use serde::{Deserialize, Serialize};

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
