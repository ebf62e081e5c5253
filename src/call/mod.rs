//! One citizen call from INVITE to end. Belongs here: the call's state, what each leg is told, what the caller hears,
//! and the facts of the call (`CallFact`), of which this module is the only emitter.
//! Not here: who gets the call (`acd`), SIP (`trunk`, `seat`, `sip`), packets (`media`). A call knows legs.
//!
//! Invariants: every call emits `Ended` exactly once, as its last fact; a ticket is opened exactly once, at pickup,
//! and the pickup is reported (ACK to the seat, 200 to the caller, bridge) only when the ticket is durable or the
//! spool's patience is over; the caller keeps the place in the queue until the bridge is up.

mod callback;
mod talk;
mod ticket;

use crate::config::settings::{AnswerMode, QueueSettings};
use crate::event::{CallFact, Chosen, EndCause, OfferEnd, Purpose, Why};
use crate::ids::{AgentNo, CallId, LegId, SeatNo, TrunkName};
use crate::leg::{HangupReason, Incoming, LegCommand, LegEnd, Place};
use crate::plane::{Direction, Source};
use crate::ticket::NewTicket;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;
pub use callback::Attempt;
use talk::Hold;
pub use talk::announcement;

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
    CallerEnded(LegEnd),
    /// The ticket is durable.
    Spooled,
    /// The spool cannot take it now; the shell keeps it and retries.
    SpoolFailed,
    /// The wake-up asked for by `next_timeout`.
    Timeout,
    /// RTP of one side has stopped.
    RtpTimeout,
    /// One side has sent no RTP at all since it was connected.
    NoAudio {
        leg: LegId,
    },
    Digit(char),
    /// What was played to this leg has run out.
    PlayEnded {
        leg: LegId,
    },
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
    /// The citizen of a callback did not answer; the agent is off the phone.
    NotReached,
}

/// Terms fixed when the call arrived; a configuration change does not touch calls in progress.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Terms {
    pub queue: QueueSettings,
    pub answer: AnswerMode,
    pub tenant: String,
    pub spool_patience: Duration,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    id: CallId,
    purpose: Purpose,
    incoming: Incoming,
    terms: Terms,
    arrived_at: Instant,
    queued_at: Instant,
    state: State,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum State {
    /// In the queue; the caller hears greeting, then music.
    Waiting,
    /// An agent's seat is being rung; still in the queue.
    Ringing(Seat),
    /// The agent answered; the ticket is on its way to the disk.
    PickingUp {
        seat: Seat,
        answered_at: Instant,
        patience: Instant,
        then: AfterPickup,
    },
    Talking {
        seat: Seat,
        answered_at: Instant,
        hold: Hold,
    },
    Over,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Seat {
    agent: AgentNo,
    seat: SeatNo,
    leg: LegId,
    ring_at: Instant,
    /// SIP Call-ID of the seat's leg, for the ticket.
    sip_call_id: String,
}

/// A side may hang up in the few milliseconds before the pickup is reported; the pickup is reported all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum AfterPickup {
    Bridge,
    End(EndCause),
}

impl Call {
    /// A call that has found its queue. The caller's media is open; the distributor has it queued at `position`.
    pub fn arrived(now: Instant, id: CallId, incoming: Incoming, terms: Terms, out: &mut Vec<CallOutput>) -> Call {
        let leg = incoming.leg;
        out.push(CallOutput::Fact(CallFact::Arrived {
            trunk: incoming.trunk.clone(),
            dnis: incoming.dnis.clone(),
            cli: if incoming.caller.withheld {
                None
            } else {
                incoming.caller.e164.clone().or(incoming.caller.raw.clone())
            },
            sip_call_id: incoming.sip_call_id.clone(),
            test_call: terms.queue.test,
            tenant: terms.tenant.clone(),
            line: None,
            purpose: Purpose::Inbound,
        }));
        let command = match terms.answer {
            AnswerMode::OnQueue => LegCommand::Answer,
            AnswerMode::OnPickup => LegCommand::EarlyMedia,
        };
        out.push(CallOutput::Tell { leg, command });
        let music = Source::Music(terms.queue.music.clone());
        let source = match &terms.queue.greeting {
            Some(greeting) => Source::Play { prompts: vec![greeting.clone()], then: Box::new(music) },
            None => music,
        };
        out.push(CallOutput::SetSource { leg, source });
        Call { id, purpose: Purpose::Inbound, incoming, terms, arrived_at: now, queued_at: now, state: State::Waiting }
    }

    /// The distributor has taken the call in: the SLA clock runs.
    pub fn queued(&self, position: usize, out: &mut Vec<CallOutput>) {
        let queue = &self.terms.queue;
        out.push(CallOutput::Fact(CallFact::Queued {
            queue: queue.name.clone(),
            skill: queue.skill.clone(),
            position,
            why: Why::Line,
        }));
    }

    /// The distributor refused it (queue full, nobody signed in).
    pub fn refused(&mut self, now: Instant, cause: EndCause, out: &mut Vec<CallOutput>) {
        self.end(now, cause, out);
    }

    pub fn handle(&mut self, now: Instant, input: CallInput, out: &mut Vec<CallOutput>) {
        use CallInput as In;
        let state = std::mem::replace(&mut self.state, State::Over);
        self.state = match (state, input) {
            (State::Over, _) => State::Over,
            (state, In::Digit(digit)) => {
                out.push(CallOutput::Fact(CallFact::Digit(digit)));
                state
            }
            (state, In::NoAudio { leg }) => {
                out.push(CallOutput::Fact(CallFact::NoAudio { leg }));
                state
            }

            (State::Waiting, In::Offered { agent, seat, leg, chosen }) => {
                out.push(CallOutput::Fact(CallFact::Offered { agent: agent.clone(), seat: seat.clone(), leg, chosen }));
                self.ring(now, agent, seat, leg, out)
            }
            (State::Waiting, In::QueueTimeout) => self.ended_waiting(now, EndCause::QueueTimeout, out),
            (State::Waiting, In::CallerEnded(end)) => {
                self.ended_waiting(now, self.abandoned(now, end, EndCause::AbandonedInQueue), out)
            }
            (State::Waiting, In::RtpTimeout) => self.ended_waiting(now, EndCause::TrunkFault, out),
            (State::Waiting, In::ForcedEnd) => self.ended_waiting(now, EndCause::OurFault, out),

            (State::Ringing(seat), In::OfferRevoked(why)) => {
                self.stop_ringing(&seat, why, out);
                State::Waiting
            }
            (State::Ringing(seat), In::SeatEnded { leg, end }) if leg == seat.leg => {
                let why = offer_end(end);
                out.push(CallOutput::CloseMedia { leg });
                out.push(CallOutput::Fact(CallFact::OfferEnded { agent: seat.agent, why }));
                out.push(CallOutput::Distributor(Distributor::OfferFailed(why)));
                State::Waiting
            }
            (State::Ringing(seat), In::SeatAnswered { leg }) if leg == seat.leg => self.pick_up(now, seat, out),
            (State::Ringing(seat), In::CallerEnded(end)) => {
                let cause = self.abandoned(now, end, EndCause::AbandonedRinging);
                self.ended_ringing(now, seat, cause, out)
            }
            (State::Ringing(seat), In::RtpTimeout) => self.ended_ringing(now, seat, EndCause::TrunkFault, out),
            (State::Ringing(seat), In::QueueTimeout) => self.ended_ringing(now, seat, EndCause::QueueTimeout, out),
            (State::Ringing(seat), In::ForcedEnd) => self.ended_ringing(now, seat, EndCause::OurFault, out),

            (State::PickingUp { seat, answered_at, patience, then }, input) => {
                self.picking_up(now, seat, answered_at, patience, then, input, out)
            }
            (State::Talking { seat, answered_at, hold }, input) => {
                self.talking(now, seat, answered_at, hold, input, out)
            }

            // A phone that answers after its offer ended: let it go (it is acknowledged and hung up by its session).
            (state, In::SeatAnswered { leg }) => {
                out.push(CallOutput::Tell { leg, command: LegCommand::Hangup(HangupReason::Withdrawn) });
                state
            }
            (state, _) => state,
        };
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::PickingUp { patience, .. } => Some(*patience),
            _ => None,
        }
    }

    pub fn id(&self) -> CallId {
        self.id
    }

    /// In the queue, no seat ringing.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting)
    }

    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    pub fn trunk(&self) -> &TrunkName {
        &self.incoming.trunk
    }

    pub fn queued_at(&self) -> Instant {
        self.queued_at
    }

    /// The seat's SIP Call-ID, known once its INVITE has been written.
    pub fn seat_placed(&mut self, leg: LegId, sip_call_id: String) {
        if let State::Ringing(seat) = &mut self.state
            && seat.leg == leg
        {
            seat.sip_call_id = sip_call_id;
        }
    }

    fn ring(&mut self, now: Instant, agent: AgentNo, seat: SeatNo, leg: LegId, out: &mut Vec<CallOutput>) -> State {
        out.push(CallOutput::Place(Place {
            leg,
            agent: agent.clone(),
            seat: seat.clone(),
            caller: self.incoming.caller.clone(),
            call_id: self.id.to_string(),
        }));
        State::Ringing(Seat { agent, seat, leg, ring_at: now, sip_call_id: String::new() })
    }

    fn stop_ringing(&self, seat: &Seat, why: OfferEnd, out: &mut Vec<CallOutput>) {
        out.push(CallOutput::Tell { leg: seat.leg, command: LegCommand::Hangup(HangupReason::Withdrawn) });
        out.push(CallOutput::CloseMedia { leg: seat.leg });
        out.push(CallOutput::Fact(CallFact::OfferEnded { agent: seat.agent.clone(), why }));
    }

    fn ended_waiting(&mut self, now: Instant, cause: EndCause, out: &mut Vec<CallOutput>) -> State {
        out.push(CallOutput::Distributor(Distributor::Leave));
        self.end(now, cause, out);
        State::Over
    }

    fn ended_ringing(&mut self, now: Instant, seat: Seat, cause: EndCause, out: &mut Vec<CallOutput>) -> State {
        self.stop_ringing(&seat, OfferEnd::Withdrawn, out);
        out.push(CallOutput::Distributor(Distributor::LeaveAfter(seat.leg)));
        self.end(now, cause, out);
        State::Over
    }

    /// Ends an unanswered call.
    fn end(&mut self, now: Instant, cause: EndCause, out: &mut Vec<CallOutput>) {
        self.finish(Duration::ZERO, Duration::ZERO, now - self.queued_at, cause, out);
    }

    fn finish(&mut self, talk: Duration, hold: Duration, wait: Duration, cause: EndCause, out: &mut Vec<CallOutput>) {
        let leg = self.incoming.leg;
        out.push(CallOutput::Tell { leg, command: LegCommand::Hangup(hangup_reason(cause)) });
        out.push(CallOutput::CloseMedia { leg });
        let (queue, skill) = (Some(self.terms.queue.name.clone()), Some(self.terms.queue.skill.clone()));
        out.push(CallOutput::Fact(CallFact::Ended { cause, queue, skill, wait, talk, hold }));
        out.push(CallOutput::Over);
        self.state = State::Over;
    }

    /// Only a caller's hang-up is an abandon; a failed trunk leg is the trunk's fault.
    fn abandoned(&self, now: Instant, end: LegEnd, cause: EndCause) -> EndCause {
        match end {
            LegEnd::HungUp if now - self.queued_at < self.terms.queue.short_abandon => EndCause::ShortAbandon,
            LegEnd::HungUp => cause,
            _ => EndCause::TrunkFault,
        }
    }
}

fn offer_end(end: LegEnd) -> OfferEnd {
    match end {
        LegEnd::Busy => OfferEnd::Busy,
        LegEnd::Declined => OfferEnd::Declined,
        LegEnd::NoAnswer => OfferEnd::NoAnswer,
        LegEnd::Unreachable => OfferEnd::Unreachable,
        LegEnd::HungUp | LegEnd::Released | LegEnd::Fault => OfferEnd::Failed,
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
