//! What the distributor is told and what it decides: plain comparable data. Not here: what it does with them.

use crate::config::settings::AgentSettings;
use crate::event::{AgentEvent, Chosen, NotReadyReason, OfferEnd};
use crate::ids::{AgentNo, CallId, QueueName, SeatNo, Skill};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// A citizen asks for a human.
    Enqueue(Request),
    /// A caller whom an agent passed on to nobody: as `Enqueue`, whatever room and staff the queue has.
    PutBack(Request),
    /// A call in line goes on to another queue: `since`, priority and preference kept, the queue's steps begin anew. Refused
    /// while a seat rings for it, and (with the call left where it is) when the other queue refuses it.
    Requeue {
        call: CallId,
        queue: QueueName,
    },
    /// A call in line goes to the front, over all queues: it is the next of whoever may take it. Those moved up keep the order
    /// in which they were.
    MoveUp {
        call: CallId,
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
    /// The seat has a call of its own, dialled by it or by a colleague. Its agent is not ready for others: an offer that
    /// rings there is withdrawn, its caller keeps the place.
    SeatEngaged {
        seat: SeatNo,
    },
    /// The seat's last such call is over: whoever would be ready there is.
    SeatFree {
        seat: SeatNo,
    },
    /// An agent has this caller without an offer: passed on by a colleague. Refused if the agent is not signed in, or is
    /// reserved or on a call. What the agent was comes back after talk and wrap-up.
    Taken {
        request: Request,
        agent: AgentNo,
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
    /// We could not even ring the agent, for want of our own (a media port): as `OfferFailed` that was withdrawn, and
    /// nobody is offered anything before `until`, or the same would come of it at once.
    CannotRing {
        call: CallId,
        until: Instant,
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
    /// The phone or page on this call has died, registered or not: after the talk its agent is not ready (unreachable),
    /// unless something else but ready was asked for.
    SeatDead {
        call: CallId,
    },
    /// The citizen of a callback was not reached: as `TalkEnded`, without wrap-up.
    NotReached {
        call: CallId,
    },
    /// The agent needs longer after this call: the wrap-up ends later by the queue's extension. Only in wrap-up.
    ExtendWrapUp {
        agent: AgentNo,
    },
    /// A shift leader sets an agent's state: same timing as the agent's own wish, `by` in the event. `Ready` also ends a
    /// not-ready of any reason.
    Force {
        agent: AgentNo,
        to: Forced,
        by: AgentNo,
    },
    /// New skills for the rest of the shift; a call in hand goes on.
    SetSkills {
        agent: AgentNo,
        skills: BTreeMap<Skill, u8>,
    },
    /// Adds an agent to the roster (a guest on a reception day); one who is there already gets these settings.
    Admit(AgentSettings),
    /// Takes an agent off the roster: signed out as by `SignOut`, and refused after that.
    Dismiss {
        agent: AgentNo,
    },
}

/// A request for a human, or for an agent to call a citizen back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub call: CallId,
    pub queue: QueueName,
    /// When they first asked (the order key): earlier than now after a transfer, or for a callback.
    pub since: Instant,
    /// Instead of the queue's.
    pub priority: Option<u8>,
    /// Chosen first when ready and able, if the queue does so: who served this caller last.
    pub preferred: Option<AgentNo>,
    pub waits: Waits,
}

impl Request {
    /// A caller who asks now.
    pub fn of_caller(call: CallId, queue: QueueName, since: Instant) -> Request {
        Request { call, queue, since, priority: None, preferred: None, waits: Waits::OnTheLine }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Waits {
    /// A caller hears music: the queue's limits hold.
    OnTheLine,
    /// To be called back: has a place in the order, but is no waiting caller; no limit and no overflow.
    ForCallback,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Forced {
    Ready,
    /// Becomes `NotReady(Forced)`.
    NotReady,
    SignOut,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AcdOutput {
    /// Ring this agent at this seat.
    Offer {
        call: CallId,
        agent: AgentNo,
        seat: SeatNo,
        chosen: Chosen,
    },
    /// The caller's queue now accepts by this step too.
    Relaxed {
        call: CallId,
        step: u8,
    },
    /// The caller waited for the queue's overflow time and is still in line: `Requeue` it, or leave it. Said once per queue.
    OverflowDue {
        call: CallId,
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
