//! One citizen call from INVITE to end. Belongs here: the call's state, what each leg is told, what the caller hears,
//! and the facts of the call (`CallFact`), of which this module is the only emitter.
//! Not here: who gets the call (`acd`), where it goes (`ivr`), SIP (`trunk`, `seat`, `sip`), packets (`media`). A call
//! knows legs.
//!
//! One file per stretch of the way: `announcing` (before the queue), `waiting` (in line), `ringing`, `talk` with `hold` and
//! `hearing` (who hears whom), and `transfer` back into the line, `passing` on to somebody; `consulting` is somebody beside
//! the caller, `supervising` a shift leader above both. `offering` is being called back instead of waiting, `callback` the call of ours then.
//! `own` is a call that a seat dials.
//!
//! Invariants: every call emits `Ended` exactly once, as its last fact; a ticket is opened exactly once, at the first
//! pickup, and that pickup is reported (ACK to the seat, 200 to the caller, bridge) only when the ticket is durable or
//! the spool's patience is over; the caller keeps the place in the queue until the bridge is up.

mod announcing;
mod callback;
mod consulting;
mod hearing;
mod hold;
mod offering;
mod own;
mod passing;
mod path;
mod port;
mod ringing;
mod supervising;
mod surveying;
mod talk;
mod ticket;
mod transfer;
mod view;
mod waiting;

pub use callback::{Attempt, purpose};
pub use consulting::Then;
pub use hearing::Mode;
pub use hold::NotHeld;
pub use own::{Joined, Near, OwnCall};
pub use port::{Ask, CallInput, CallOutput, Distributor, Terms};
pub use supervising::Comes;
pub use surveying::Questions;
pub use talk::announcement;

use crate::event::{CallFact, Chosen, EndCause};
use crate::ids::{AgentNo, CallId, LegId, QueueName, SeatNo, TrunkName};
use crate::leg::{Caller, HangupReason, Incoming, LegCommand, LegEnd};
use crate::time::Instant;
use announcing::Message;
use passing::{Away, By, Passing};
use path::Path;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use surveying::Survey;
use talk::{Pickup, Talk};
use waiting::InLine;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    id: CallId,
    incoming: Incoming,
    terms: Terms,
    arrived_at: Instant,
    state: State,
    /// The caller's leg has been told to answer, or to play early media.
    heard: bool,
    /// The request for a human; `None` before it.
    asked: Option<Asked>,
    /// What was before the agent passed the caller on; `None` until that happens.
    before: Option<Before>,
    route: Path,
    /// Queues it was in since somebody last chose one.
    been: Vec<QueueName>,
    /// Moves by the caller's keys.
    choices: u8,
    /// Keys pressed by either side.
    digits: u8,
    /// The place in the order of the line.
    since: Instant,
}

/// Key presses of one call in the record.
const MOST_DIGITS: u8 = 64;

#[allow(clippy::large_enum_variant)] // most calls of a busy hour are in conversation
#[derive(Clone, Debug, Serialize, Deserialize)]
enum State {
    /// Nothing is played yet, or no more: the call is on its way to a queue. Lasts no longer than one step.
    Arrived,
    /// A message comes before the queue, or instead of it.
    Announcing(Message),
    /// In the queue; the caller hears greeting, music and announcements.
    Waiting(InLine),
    /// An agent's seat is being rung; still in the queue.
    Ringing(Seat, InLine),
    /// The agent answered; the ticket is on its way to the disk.
    PickingUp(Pickup),
    Talking(Talk),
    /// The agent passes the caller on to somebody who has not answered yet.
    Passing(Passing),
    /// The caller talks with a party who is no agent.
    Away(Away),
    /// The caller is asked how it was; the agent has gone.
    Surveying(Survey),
    Over,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Asked {
    at: Instant,
    /// N of the queue asked first, wherever the call goes from there.
    within: Duration,
}

/// The talks before a transfer, together.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Before {
    /// For the first pickup.
    wait: Duration,
    talk: Duration,
    hold: Duration,
    /// When the caller was passed on.
    since: Instant,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Seat {
    agent: AgentNo,
    seat: SeatNo,
    leg: LegId,
    chosen: Chosen,
    ring_at: Instant,
    /// SIP Call-ID of the seat's leg, for the ticket; a browser's has none.
    sip_call_id: String,
    audio: Audio,
}

impl Seat {
    fn new(agent: AgentNo, seat: SeatNo, leg: LegId, chosen: Chosen, ring_at: Instant) -> Seat {
        Seat { agent, seat, leg, chosen, ring_at, sip_call_id: String::new(), audio: Audio::There }
    }
}

/// Whether the seat can be heard: a browser may be gone for a while, and its call waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Audio {
    There,
    Gone,
}

/// A side may hang up in the few milliseconds before the pickup is reported; the pickup is reported all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum AfterPickup {
    Bridge,
    /// The seat is dead: the caller is not its agent's.
    Back,
    End(EndCause),
}

impl Call {
    /// A call whose media is open. Next it is [`Call::queued`], [`Call::refused`], or told something first
    /// ([`Call::notice`], [`Call::closed`]).
    pub fn arrived(now: Instant, id: CallId, incoming: Incoming, terms: Terms, out: &mut Vec<CallOutput>) -> Call {
        let caller = &incoming.caller;
        out.push(CallOutput::Fact(CallFact::Arrived {
            trunk: incoming.trunk.clone(),
            dnis: incoming.dnis.clone(),
            cli: if caller.withheld { None } else { caller.e164.clone().or(caller.raw.clone()) },
            sip_call_id: incoming.sip_call_id.clone(),
            test_call: terms.test,
            tenant: terms.tenant.clone(),
            line: terms.line.clone(),
            purpose: terms.purpose,
        }));
        if let Some(forwarded) = &incoming.forwarded {
            out.push(CallOutput::Fact(CallFact::Forwarded(forwarded.clone())));
        }
        Call {
            id,
            incoming,
            terms,
            arrived_at: now,
            state: State::Arrived,
            heard: false,
            asked: None,
            before: None,
            route: Path::default(),
            been: vec![],
            choices: 0,
            digits: 0,
            since: now,
        }
    }

    pub fn handle(&mut self, now: Instant, input: CallInput, out: &mut Vec<CallOutput>) {
        use CallInput as In;
        match &input {
            _ if matches!(self.state, State::Over) => return,
            In::Digit(digit) => {
                // Of a caller who plays with the keys the record keeps the first.
                self.digits = self.digits.saturating_add(1);
                if self.digits <= MOST_DIGITS {
                    out.push(CallOutput::Fact(CallFact::Digit(*digit)));
                }
            }
            In::NoAudio { leg } => out.push(CallOutput::Fact(CallFact::NoAudio { leg: *leg })),
            In::Relaxed { step } => {
                self.route.relaxed(*step);
                out.push(CallOutput::Fact(CallFact::Relaxed { step: *step }));
            }
            // A phone that answers after its offer ended: let it go (it is acknowledged and hung up by its session).
            In::SeatAnswered { leg } if self.seat_leg() != Some(*leg) => return ringing::let_go(*leg, out),
            In::PartyAnswered { leg } if !self.waits_for(*leg) => {
                return ringing::let_go(*leg, out);
            }
            In::SeatAudio { leg, there } => return self.seat_audio(now, *leg, *there, out),
            _ => {}
        }
        self.state = match std::mem::replace(&mut self.state, State::Over) {
            State::Announcing(message) => self.announcing(now, message, input, out),
            State::Waiting(line) => self.waiting(now, line, input, out),
            State::Ringing(seat, line) => self.ringing(now, seat, line, input, out),
            State::PickingUp(pickup) => self.picking_up(now, pickup, input, out),
            State::Talking(talk) => self.talking(now, talk, input, out),
            State::Passing(passing) => self.passing(now, passing, input, out),
            State::Away(away) => self.away(now, away, input, out),
            State::Surveying(survey) => self.surveying(now, survey, input, out),
            state @ (State::Arrived | State::Over) => state,
        };
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Announcing(message) => Some(message.until),
            State::Waiting(line) => line.next_timeout(),
            State::PickingUp(pickup) => Some(pickup.patience),
            State::Talking(talk) => talk.next_timeout(),
            State::Passing(passing) => Some(passing.until),
            State::Away(away) => away.until,
            State::Surveying(survey) => Some(survey.until),
            State::Arrived | State::Ringing(..) | State::Over => None,
        }
    }

    pub fn id(&self) -> CallId {
        self.id
    }

    /// In the queue, no seat ringing.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }

    /// An agent's seat rings.
    pub fn is_ringing(&self) -> bool {
        matches!(self.state, State::Ringing(..))
    }

    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Citizen and agent hear one another.
    pub fn is_in_conversation(&self) -> bool {
        matches!(&self.state, State::Talking(talk) if !talk.is_held())
    }

    /// The citizen's.
    pub fn leg(&self) -> LegId {
        self.incoming.leg
    }

    pub fn trunk(&self) -> &TrunkName {
        &self.incoming.trunk
    }

    pub fn caller(&self) -> &Caller {
        &self.incoming.caller
    }

    /// The place in the order: a notice before the queue costs nobody the place.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// Queues it was in since somebody last chose one.
    pub fn been(&self) -> &[QueueName] {
        &self.been
    }

    fn asked_at(&self) -> Instant {
        self.asked.map_or(self.arrived_at, |asked| asked.at)
    }

    fn seat_leg(&self) -> Option<LegId> {
        match &self.state {
            State::Ringing(seat, _) => Some(seat.leg),
            State::PickingUp(pickup) => Some(pickup.seat.leg),
            State::Talking(talk) => Some(talk.seat.leg),
            State::Passing(Passing { by: By::Agent(talk), .. }) => Some(talk.seat.leg),
            State::Passing(_) | State::Away(_) | State::Surveying(_) => None,
            State::Arrived | State::Announcing(_) | State::Waiting(_) | State::Over => None,
        }
    }

    fn ended_waiting(&mut self, now: Instant, cause: EndCause, out: &mut Vec<CallOutput>) -> State {
        out.push(CallOutput::Distributor(Distributor::Leave));
        self.end(now, cause, out);
        State::Over
    }

    /// Ends a call nobody talks on now. What never asked for a human has not waited for one.
    fn end(&mut self, now: Instant, cause: EndCause, out: &mut Vec<CallOutput>) {
        let (talk, hold, wait) = match (&self.before, self.asked) {
            (Some(before), _) => (before.talk, before.hold, before.wait),
            (None, Some(asked)) => (Duration::ZERO, Duration::ZERO, now - asked.at),
            (None, None) => (Duration::ZERO, Duration::ZERO, Duration::ZERO),
        };
        self.finish(talk, hold, wait, cause, out);
    }

    fn finish(&mut self, talk: Duration, hold: Duration, wait: Duration, cause: EndCause, out: &mut Vec<CallOutput>) {
        let leg = self.incoming.leg;
        out.push(CallOutput::Tell { leg, command: LegCommand::Hangup(hangup_reason(cause)) });
        out.push(CallOutput::CloseMedia { leg });
        let queue = self.asked.map(|_| self.terms.queue.name.clone());
        let skill = self.asked.map(|_| self.terms.queue.skill.clone());
        out.push(CallOutput::Fact(CallFact::Ended { cause, queue, skill, wait, talk, hold }));
        out.push(CallOutput::Over);
        self.state = State::Over;
    }

    /// The caller's audio has stopped where no agent is with them.
    fn fell_silent(&self) -> EndCause {
        if self.before.is_some() { EndCause::MediaTimeout } else { EndCause::TrunkFault }
    }

    /// Only a caller's hang-up is an abandon, and only before anybody answered; a failed trunk leg is the trunk's fault.
    fn abandoned(&self, now: Instant, end: LegEnd, cause: EndCause) -> EndCause {
        match end {
            LegEnd::HungUp if self.before.is_some() => EndCause::CallerHangUp,
            LegEnd::HungUp if now - self.asked_at() < self.terms.queue.short_abandon => EndCause::ShortAbandon,
            LegEnd::HungUp => cause,
            _ => EndCause::TrunkFault,
        }
    }
}

/// How the caller's carrier is told. Where the caller hung up nothing is sent: the leg is over already.
fn hangup_reason(cause: EndCause) -> HangupReason {
    match cause {
        EndCause::UnknownNumber => HangupReason::UnknownNumber,
        EndCause::QueueFull => HangupReason::Busy,
        EndCause::QueueTimeout | EndCause::NoAgents => HangupReason::NoService,
        EndCause::MediaTimeout => HangupReason::MediaTimeout,
        EndCause::OurFault => HangupReason::OurFault,
        _ => HangupReason::Normal,
    }
}
