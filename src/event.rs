//! The one record of what happened: every call and agent event, emitted once, read by `sla`, `store`, `/metrics`,
//! logs and the demo. Belongs here: the facts as data. Not here: deciding them (`call`, `acd`), counting (`sla`).
//!
//! Invariants: per call exactly one `Arrived` first and exactly one `Ended` last; `Answered` at most once;
//! `Offered` only between `Queued` and `Answered`/`Ended`.

use crate::ids::{AgentNo, CallId, LegId, QueueName, SeatNo, Skill, TrunkName};
use crate::plane::LegStats;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEvent {
    pub at: Instant,
    pub call: CallId,
    pub what: CallFact,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallFact {
    /// An INVITE was taken for service. `cli` is as normalised for display and already masked if withheld.
    Arrived {
        trunk: TrunkName,
        dnis: String,
        cli: Option<String>,
        sip_call_id: String,
        test_call: bool,
    },
    /// The request for a human: the SLA clock starts.
    Queued {
        queue: QueueName,
        skill: Skill,
        position: usize,
    },
    /// An agent's seat is being rung.
    Offered {
        agent: AgentNo,
        seat: SeatNo,
        leg: LegId,
    },
    /// That offer ended without a pickup; the caller keeps the place.
    OfferEnded {
        agent: AgentNo,
        why: OfferEnd,
    },
    /// Pickup: the agent answered, and the ticket is durable in the spool (`spooled`) or the spool did not
    /// answer in time (then the ticket still follows). `wait` = request to agent connected, ringing included.
    Answered {
        agent: AgentNo,
        seat: SeatNo,
        queue: QueueName,
        wait: Duration,
        ring: Duration,
        spooled: bool,
    },
    Held,
    Resumed,
    Digit(char),
    /// One side has sent no RTP since it was connected (one-way audio): look at its network and SDP address.
    NoAudio {
        leg: LegId,
    },
    /// The last event of a call. `talk` includes hold; both zero when never answered.
    Ended {
        cause: EndCause,
        queue: Option<QueueName>,
        skill: Option<Skill>,
        wait: Duration,
        talk: Duration,
        hold: Duration,
    },
    /// Media figures of one leg of this call. The only fact that may follow `Ended`, by a moment.
    LegClosed {
        leg: LegId,
        stats: LegStats,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OfferEnd {
    /// 座席未应答: rang out (RONA).
    NoAnswer,
    Busy,
    Declined,
    /// No contact, transport failure, or no reply at all.
    Unreachable,
    /// The seat answered but its leg failed before the bridge was up.
    Failed,
    /// The caller hung up, or the system withdrew the offer.
    Withdrawn,
}

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
    /// The number called is not ours.
    UnknownNumber,
    /// The carrier's leg failed (no ACK, protocol error, transport).
    TrunkFault,
    /// We failed: no media port, internal limit, drain time over.
    OurFault,
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
            EndCause::UnknownNumber => "unknown_number",
            EndCause::TrunkFault => "trunk_fault",
            EndCause::OurFault => "our_fault",
        }
    }

    pub const ALL: [EndCause; 13] = [
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
        EndCause::UnknownNumber,
        EndCause::TrunkFault,
        EndCause::OurFault,
    ];
}

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
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentEvent {
    pub at: Instant,
    pub agent: AgentNo,
    pub seat: Option<SeatNo>,
    pub state: AgentState,
}
