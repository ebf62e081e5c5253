//! The one record of what happened: every call and agent event, emitted once, read by `sla`, `store`, `/metrics`,
//! logs and the demo. Belongs here: the facts as data. Not here: deciding them (`call`, `acd`), counting (`sla`).
//!
//! Invariants: per call exactly one `Arrived` first and exactly one `Ended` last (but for `LegClosed` and `Recorded`); `Queued` and `Answered` at most once;
//! a call that goes on to another queue is `Moved`, one passed on after its pickup `Transferred` and then `TakenOver`.
//! `Offered` only while the call waits in a queue. A call that a seat dials is `Dialled` instead of `Arrived`, in no queue
//! and in no figure of the service.

mod agent;

pub use agent::{AgentEvent, AgentState, NotReadyReason};

mod end;

pub use end::EndCause;

mod desk;

pub use desk::{ConsultEnd, LeaderAct, LeaderEvent, Supervision};

mod callback;

pub use callback::{CallbackChange, CallbackEntry, CallbackGone, CallbackKind, RememberedCaller};

mod forwarded;

pub use forwarded::{ForwardReason, Forwarded};

use crate::ids::{AgentNo, CallId, LegId, LineName, QueueName, SeatNo, Skill, TrunkName};
use crate::plane::LegStats;
use crate::plane::recording::Recording;
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
    /// An INVITE was taken for service, or a call of ours to a citizen came due (`purpose`). `cli` is as normalised for
    /// display and already masked if withheld.
    Arrived {
        trunk: TrunkName,
        dnis: String,
        cli: Option<String>,
        sip_call_id: String,
        test_call: bool,
        tenant: String,
        /// `None`: the number called is not ours.
        line: Option<LineName>,
        purpose: Purpose,
    },
    /// It reached us by being forwarded on its way; right after `Arrived`.
    Forwarded(Forwarded),
    /// The request for a human: the SLA clock starts.
    Queued {
        queue: QueueName,
        skill: Skill,
        position: usize,
        why: Why,
    },
    /// On to another queue, the original time kept.
    Moved {
        queue: QueueName,
        skill: Skill,
        position: usize,
        why: Why,
    },
    /// Nobody has come by the steps so far: from now on the queue's step `step` (0 is the first) counts too.
    Relaxed {
        step: u8,
    },
    /// Told to the caller.
    Announced {
        position: Option<usize>,
        estimate: Option<Duration>,
    },
    CallbackOffered,
    /// An agent's seat is being rung.
    Offered {
        agent: AgentNo,
        seat: SeatNo,
        leg: LegId,
        chosen: Chosen,
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
    /// The agent passed the caller on and is off the call; `Moved` follows.
    Transferred {
        agent: AgentNo,
        queue: QueueName,
    },
    /// A further agent picked up: the same call, the same ticket. `wait` since the transfer.
    TakenOver {
        agent: AgentNo,
        seat: SeatNo,
        queue: QueueName,
        wait: Duration,
        ring: Duration,
    },
    Digit(char),
    /// One side has sent no RTP since it was connected (one-way audio): look at its network and SDP address.
    NoAudio {
        leg: LegId,
    },
    /// What a far end says of why it ends or refuses its leg, in the network's words.
    FarEndCause {
        leg: LegId,
        /// SIP's final response to our INVITE.
        status: Option<u16>,
        /// ITU-T Q.850, from a Reason header.
        q850: Option<u8>,
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
    /// Media figures of one leg of this call. It may follow `Ended`, by a moment.
    LegClosed {
        leg: LegId,
        stats: LegStats,
    },
    /// A conversation of this call is on the disk; by a moment, or after a restart, it may follow `Ended`.
    Recorded(Recording),
    /// A seat's phone dialled: a call of its own. Takes the place of `Arrived`.
    Dialled {
        seat: SeatNo,
        /// Who was signed in there.
        agent: Option<AgentNo>,
        to: Party,
        sip_call_id: String,
    },
    /// Whom the seat dialled, or the caller was passed on to, has answered.
    Reached {
        ring: Duration,
    },
    /// The agent asked to pass the caller on to somebody; until that one answers the agent has the caller.
    PassingOn {
        agent: AgentNo,
        to: Party,
    },
    /// The agent is off the call, which is that party's now or soon: `TakenOver` follows where an agent answers.
    PassedOn {
        agent: AgentNo,
        to: Party,
    },
    /// That party could not be had, or its phone or page was lost: the caller stays with the agent, or goes back into the
    /// line (`Moved`).
    NotPassedOn {
        agent: AgentNo,
        to: Party,
        /// Of the SIP answer; 408 where nobody answered in time.
        status: u16,
    },
    /// 咨询: the agent calls somebody beside the caller, who is on hold meanwhile (`Held`); with a call for help not.
    Consulting {
        agent: AgentNo,
        to: Party,
    },
    /// That party has answered and talks with the agent.
    Consulted {
        ring: Duration,
    },
    /// 三方通话: the caller, the agent and that party hear one another.
    ThreeWay,
    /// That party is off the call; the caller is the agent's alone.
    ConsultOver {
        agent: AgentNo,
        to: Party,
        why: ConsultEnd,
    },
    /// 求助班长: the agent asks for the shift leader, or (`asked` false) no longer.
    Help {
        agent: AgentNo,
        asked: bool,
    },
    /// What a shift leader does with this call.
    Supervised {
        by: AgentNo,
        act: Supervision,
        /// Who has the call.
        agent: Option<AgentNo>,
        /// As the leader put it.
        why: Option<String>,
    },
    /// 转满意度评价: the agent is off the call, the caller is asked how it was.
    Surveyed {
        agent: AgentNo,
    },
    /// 满意度: the key the caller answered with, 1 to 5.
    Rated {
        score: u8,
    },
}

/// Whom a seat calls, or passes a caller on to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Party {
    Seat(SeatNo),
    /// E.164, or a service's short number (12330).
    Outside(String),
    /// 110 and the like: dialled whatever the rules say.
    Emergency(String),
}

impl Party {
    pub fn number(&self) -> &str {
        match self {
            Party::Seat(seat) => seat.as_str(),
            Party::Outside(number) | Party::Emergency(number) => number,
        }
    }
}

/// What a call is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// The citizen calls us.
    #[default]
    Inbound,
    /// We call a citizen back who chose that instead of waiting in this call.
    Callback { of: CallId },
    /// 漏接回拨: we call a citizen back who was not answered in this call.
    MissedCall { of: CallId },
}

/// Why a call went to a queue; with it "why did this call go there?" is one look-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// The number called leads there.
    Line,
    /// The caller's country code.
    Country(String),
    /// The language this caller was served in before.
    Remembered,
    /// The caller pressed it.
    Key(char),
    /// An agent passed the caller on.
    Agent(AgentNo),
    /// The queue before was full.
    Full,
    /// Nobody at all has the skills of the queue before.
    NoAgents,
    /// Waited long enough in the queue before.
    Overflow,
    /// The line is closed now.
    Closed,
    /// It is a call of ours to the citizen.
    Callback,
    Supervisor(AgentNo),
    /// The phone or page of whom the caller talked with died.
    SeatLost,
}

impl Why {
    /// Stable word for logs, records and tables.
    pub fn as_str(&self) -> &'static str {
        match self {
            Why::Line => "line",
            Why::Country(_) => "country",
            Why::Remembered => "remembered",
            Why::Key(_) => "key",
            Why::Agent(_) => "agent",
            Why::Full => "full",
            Why::NoAgents => "no_agents",
            Why::Overflow => "overflow",
            Why::Closed => "closed",
            Why::Callback => "callback",
            Why::Supervisor(_) => "supervisor",
            Why::SeatLost => "seat_lost",
        }
    }
}

/// Why this agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// The step of the queue's requirement by which the agent qualifies (0: the full requirement).
    pub step: u8,
    /// The agent who served this caller last.
    pub preferred: bool,
    /// Needs an interpreter in a three-way call.
    pub interpreter: bool,
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

impl OfferEnd {
    /// Stable word for metrics and APIs.
    pub fn as_str(self) -> &'static str {
        match self {
            OfferEnd::NoAnswer => "no_answer",
            OfferEnd::Busy => "busy",
            OfferEnd::Declined => "declined",
            OfferEnd::Unreachable => "unreachable",
            OfferEnd::Failed => "failed",
            OfferEnd::Withdrawn => "withdrawn",
        }
    }

    pub const ALL: [OfferEnd; 6] = [
        OfferEnd::NoAnswer,
        OfferEnd::Busy,
        OfferEnd::Declined,
        OfferEnd::Unreachable,
        OfferEnd::Failed,
        OfferEnd::Withdrawn,
    ];
}
