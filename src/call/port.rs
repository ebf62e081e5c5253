//! What a call is told and what it wants done: plain comparable data. Not here: what it does with them.

use crate::config::settings::{AnswerMode, QueueSettings};
use crate::event::{CallFact, Chosen, OfferEnd, Purpose, Why};
use crate::ids::{AgentNo, LegId, LineName, SeatNo};
use crate::leg::{LegCommand, LegEnd, Place};
use crate::plane::{Direction, PromptId, Source};
use crate::ticket::NewTicket;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What happened to a call.
#[derive(Clone, Debug, PartialEq)]
pub enum CallInput {
    /// The distributor chose an agent; `leg` is the leg that will ring the seat.
    Offered {
        agent: AgentNo,
        seat: SeatNo,
        leg: LegId,
        chosen: Chosen,
    },
    /// The distributor took the offer back (rang out, agent gone).
    OfferRevoked(OfferEnd),
    /// The queue now accepts by this step too.
    Relaxed {
        step: u8,
    },
    /// Waited longer than the queue allows (the distributor has removed it already).
    QueueTimeout,
    SeatAnswered {
        leg: LegId,
    },
    SeatEnded {
        leg: LegId,
        end: LegEnd,
    },
    /// The seat's media direction, seen from us, after a re-offer.
    SeatMedia {
        leg: LegId,
        direction: Direction,
    },
    /// The seat's browser is gone for now, or there again; a phone that is gone has ended its leg.
    SeatAudio {
        leg: LegId,
        there: bool,
    },
    /// The phone of whom a seat dialled, or passes the caller on to, rings.
    PartyRings {
        leg: LegId,
    },
    /// Whom we call is heard before answering: ring-back or an announcement of the carrier's.
    EarlyMedia {
        leg: LegId,
    },
    /// That party refuses; `PartyEnded` follows.
    PartyRefused {
        leg: LegId,
        status: u16,
        /// Of the telephone network (Q.850).
        cause: Option<u8>,
    },
    PartyAnswered {
        leg: LegId,
    },
    PartyEnded {
        leg: LegId,
        end: LegEnd,
    },
    CallerEnded(LegEnd),
    /// The ticket is durable.
    Spooled,
    /// The spool cannot take it now; the shell keeps it and retries.
    SpoolFailed,
    /// The wake-up asked for by `next_timeout`.
    Timeout,
    /// What was played to the caller has run out.
    PlayEnded,
    /// RTP of one side has stopped.
    RtpTimeout {
        leg: LegId,
    },
    /// One side has sent no RTP at all since it was connected.
    NoAudio {
        leg: LegId,
    },
    /// The caller pressed a key.
    Digit(char),
    /// A key on the seat's phone.
    SeatDigit {
        leg: LegId,
        digit: char,
    },
    /// The caller's key for a callback was pressed, and the promise is on the list.
    CallbackTaken {
        /// Which say so.
        prompts: Vec<PromptId>,
    },
    /// The caller has hung up to be called back, and the promise is on the list.
    LeftForCallback,
    /// A call of ours is not wanted any more: the citizen has got through, or may not be called now.
    Withdrawn,
    /// The drain's time is over.
    ForcedEnd,
}

/// What a call wants done, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum CallOutput {
    Fact(CallFact),
    Tell {
        leg: LegId,
        command: LegCommand,
    },
    Place(Place),
    /// Call the citizen by the trunk for callbacks.
    Dial {
        leg: LegId,
        /// E.164.
        number: String,
    },
    SetSource {
        leg: LegId,
        source: Source,
    },
    CloseMedia {
        leg: LegId,
    },
    OpenTicket(Box<NewTicket>),
    Distributor(Distributor),
    Ask(Ask),
    /// The call is over and may be dropped.
    Over,
}

/// What the distributor is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Distributor {
    Answered,
    OfferFailed(OfferEnd),
    Leave,
    /// Leave, once this leg has stopped ringing: until then the seat is not free for the next call.
    LeaveAfter(LegId),
    Held,
    Resumed,
    TalkEnded,
    /// The phone or page of the agent on the call has died; how the call goes on is said next.
    SeatDead,
    /// The citizen of a callback did not answer; the agent is off the phone.
    NotReached,
}

/// What only settings and distributor together can answer, by a method of [`super::Call`].
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Into the queue of its terms: [`super::Call::queued`] or [`super::Call::refused`].
    Queue(Why),
    /// A key pressed in line: [`super::Call::moved`], [`super::Call::wishes`], or nothing if the key means nothing.
    Key(char),
    /// What is there to say to who waits? [`super::Call::announce`].
    Announcement,
    /// The agent passes the caller on by a language's key: [`super::Call::transferred`] or
    /// [`super::Call::transfer_refused`].
    Transfer(char),
    /// The caller has been put through to this leg: [`super::Call::landed`] if an agent is there.
    Landed(LegId),
    /// Nobody has the caller any more, who is to be in line again: [`super::Call::back`].
    Back(Why),
}

/// Terms fixed when the call arrived; a configuration change does not touch calls in progress.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Terms {
    /// First where the call is to go, then where it is. Follows the moves.
    pub queue: QueueSettings,
    pub answer: AnswerMode,
    pub tenant: String,
    pub line: Option<LineName>,
    pub test: bool,
    pub purpose: Purpose,
    /// Instead of the queue's.
    pub priority: Option<u8>,
    pub greeting: Option<PromptId>,
    /// Played after the greeting until any key is pressed.
    pub invitations: Vec<PromptId>,
    /// The languages' keys count for this caller.
    pub by_key: bool,
    pub spool_patience: Duration,
    /// How long the caller may talk with somebody outside whom an agent passed them on to.
    pub longest_away: Duration,
}

impl Terms {
    /// Those of a queue alone, without a line.
    pub fn of_queue(
        queue: QueueSettings,
        answer: AnswerMode,
        tenant: String,
        spool_patience: Duration,
        longest_away: Duration,
    ) -> Terms {
        Terms {
            answer,
            tenant,
            spool_patience,
            longest_away,
            line: None,
            test: queue.test,
            purpose: Purpose::Inbound,
            priority: None,
            greeting: queue.greeting.clone(),
            invitations: vec![],
            by_key: false,
            queue,
        }
    }
}
