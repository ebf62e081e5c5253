//! Why a call ended. Not here: who decides it (`call`), what it counts for (`sla`).

use serde::{Deserialize, Serialize};

/// Why a call ended; kept apart because the SLA formulas need them apart (domain facts, "SLA formulas").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EndCause {
    /// Answered, then the caller hung up.
    CallerHangUp,
    /// Answered, then the agent hung up.
    AgentHangUp,
    /// Answered, then the audio of one side was gone too long.
    MediaTimeout,
    /// 速挂: hung up sooner than the short-abandon threshold after the request.
    ShortAbandon,
    /// 排队放弃: the caller hung up in the queue.
    AbandonedInQueue,
    /// 振铃放弃: the caller hung up while an agent's seat rang.
    AbandonedRinging,
    /// Hung up before asking for a human (greeting).
    AbandonedBeforeQueue,
    /// 队列满.
    QueueFull,
    /// 超时溢出: waited longer than the queue's limit.
    QueueTimeout,
    /// Nobody with the skill is signed in and the queue does not wait for one.
    NoAgents,
    /// Chose to be called back instead of waiting.
    CallbackTaken,
    /// Hung up during the notice before the queue: served without an agent.
    Deflected,
    /// Called out of the line's hours.
    Closed,
    /// A call of ours to a citizen that the citizen did not answer.
    NotReached,
    /// The number called is not ours.
    UnknownNumber,
    /// The carrier's leg failed (no ACK, protocol error, transport).
    TrunkFault,
    /// We failed: no media port, internal limit, drain time over.
    OurFault,
    /// The party whom a seat dialled, or whom the caller was passed on to, hung up.
    PartyHangUp,
    /// A call that a seat dialled was joined with the caller whom its agent passed on.
    Joined,
    /// Passed on to a party outside, with whom the caller talked for as long as that may last.
    TimeLimit,
}

impl EndCause {
    /// Stable label for metrics, exports and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            EndCause::CallerHangUp => "caller_hangup",
            EndCause::AgentHangUp => "agent_hangup",
            EndCause::MediaTimeout => "media_timeout",
            EndCause::ShortAbandon => "short_abandon",
            EndCause::AbandonedInQueue => "abandoned_in_queue",
            EndCause::AbandonedRinging => "abandoned_ringing",
            EndCause::AbandonedBeforeQueue => "abandoned_before_queue",
            EndCause::QueueFull => "queue_full",
            EndCause::QueueTimeout => "queue_timeout",
            EndCause::NoAgents => "no_agents",
            EndCause::CallbackTaken => "callback_taken",
            EndCause::Deflected => "deflected",
            EndCause::Closed => "closed",
            EndCause::NotReached => "not_reached",
            EndCause::UnknownNumber => "unknown_number",
            EndCause::TrunkFault => "trunk_fault",
            EndCause::OurFault => "our_fault",
            EndCause::PartyHangUp => "party_hangup",
            EndCause::Joined => "joined",
            EndCause::TimeLimit => "time_limit",
        }
    }

    pub const ALL: [EndCause; 20] = [
        EndCause::CallerHangUp,
        EndCause::AgentHangUp,
        EndCause::MediaTimeout,
        EndCause::ShortAbandon,
        EndCause::AbandonedInQueue,
        EndCause::AbandonedRinging,
        EndCause::AbandonedBeforeQueue,
        EndCause::QueueFull,
        EndCause::QueueTimeout,
        EndCause::NoAgents,
        EndCause::CallbackTaken,
        EndCause::Deflected,
        EndCause::Closed,
        EndCause::NotReached,
        EndCause::UnknownNumber,
        EndCause::TrunkFault,
        EndCause::OurFault,
        EndCause::PartyHangUp,
        EndCause::Joined,
        EndCause::TimeLimit,
    ];
}
