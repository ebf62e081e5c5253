//! What the distributor is told and what it decides: plain comparable data. Not here: what it does with them.

use crate::event::{AgentEvent, NotReadyReason, OfferEnd};
use crate::ids::{AgentNo, CallId, QueueName, SeatNo};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AcdInput {
    /// 签入. The agent starts as 示忙 (`NotReady(Busy)`) and gets calls only after `Ready`. Signing in from a phone shows
    /// that the phone is there, so the seat counts as reachable. Repeating it at the same seat changes nothing.
    SignIn {
        agent: AgentNo,
        seat: SeatNo,
    },
    /// 签出. On a call: after talk and wrap-up. While reserved: the offer is withdrawn. In wrap-up: at once.
    SignOut {
        agent: AgentNo,
    },
    /// 示闲. On a call: takes back an earlier wish. In wrap-up: ends it. Already ready: keeps the idle time.
    Ready {
        agent: AgentNo,
    },
    /// 示忙, 小休, ... Same timing as `SignOut`.
    NotReady {
        agent: AgentNo,
        reason: NotReadyReason,
    },
    /// The seat registered. An agent there who was not ready because unreachable is ready again.
    SeatReachable {
        seat: SeatNo,
    },
    /// The seat's registration is gone: its agent is not ready (unreachable), after the call if there is one.
    SeatLost {
        seat: SeatNo,
    },
    /// A citizen asks for a human. `since` is when they first did (the order key): earlier than now after a transfer.
    Enqueue {
        call: CallId,
        queue: QueueName,
        since: Instant,
    },
    /// The call is over or leaves the distributor, wherever it was: waiting, offered (the agent is ready again with the
    /// idle time kept) or answered (as `TalkEnded`). The caller of this input cancels the ringing leg itself.
    Leave {
        call: CallId,
    },
    /// As `Leave`, but the seat of its offer still rings while the CANCEL is under way. The call is gone at once; the
    /// agent stays reserved until `SeatQuiet`, so that the next call does not find the phone busy. A seat that is not
    /// quiet by the end of the ring time makes its agent not ready (unreachable).
    LeaveRinging {
        call: CallId,
    },
    /// A seat left ringing by `LeaveRinging` has stopped: its agent is ready again with the idle time kept.
    SeatQuiet {
        seat: SeatNo,
    },
    /// The agent who holds the offer picked up.
    Answered {
        call: CallId,
    },
    /// The offer ended without a pickup; the call keeps its place. `NoAnswer`, `Declined`, `Busy`, `Unreachable` and
    /// `Failed` make the agent not ready, `Withdrawn` ready again with the idle time kept.
    OfferFailed {
        call: CallId,
        why: OfferEnd,
    },
    Held {
        call: CallId,
    },
    Resumed {
        call: CallId,
    },
    /// The talk is over: wrap-up, then ready, or whatever the agent asked for meanwhile.
    TalkEnded {
        call: CallId,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AcdOutput {
    /// Ring this agent at this seat.
    Offer {
        call: CallId,
        agent: AgentNo,
        seat: SeatNo,
    },
    /// 座席未应答: the seat rang for the queue's ring time. The agent is not ready and the caller back in place
    /// already; cancel the leg.
    OfferTimedOut {
        call: CallId,
        agent: AgentNo,
    },
    /// The agent signed out, went not ready or lost the seat while reserved. The caller is back in place; cancel the leg.
    OfferWithdrawn {
        call: CallId,
        agent: AgentNo,
    },
    /// The caller waited for the queue's limit and is no longer known here.
    QueueTimeout {
        call: CallId,
    },
    Agent(AgentEvent),
}
