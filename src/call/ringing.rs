//! A seat is being rung for a caller who keeps the place in line.

use super::waiting::InLine;
use super::{Call, CallInput, CallOutput, Distributor, Seat, State};
use crate::event::{CallFact, Chosen, EndCause, OfferEnd};
use crate::ids::{AgentNo, LegId, SeatNo};
use crate::leg::{HangupReason, LegCommand, LegEnd, Place};
use crate::time::Instant;

impl Call {
    #[allow(clippy::too_many_arguments)] // an offer, taken apart once
    pub(super) fn ring(
        &mut self,
        now: Instant,
        agent: AgentNo,
        seat: SeatNo,
        leg: LegId,
        chosen: Chosen,
        line: InLine,
        out: &mut Vec<CallOutput>,
    ) -> State {
        out.push(CallOutput::Place(Place {
            leg,
            agent: agent.clone(),
            seat: seat.clone(),
            caller: self.incoming.caller.clone(),
            call_id: self.id.to_string(),
        }));
        State::Ringing(Seat::new(agent, seat, leg, chosen, now), line)
    }

    /// The seat's SIP Call-ID, known once its INVITE has been written.
    pub fn seat_placed(&mut self, leg: LegId, sip_call_id: String) {
        if let State::Ringing(seat, _) = &mut self.state
            && seat.leg == leg
        {
            seat.sip_call_id = sip_call_id;
        }
    }

    pub(super) fn ringing(
        &mut self,
        now: Instant,
        seat: Seat,
        mut line: InLine,
        input: CallInput,
        out: &mut Vec<CallOutput>,
    ) -> State {
        let cause = match input {
            CallInput::OfferRevoked(why) => {
                stop_ringing(&seat, why, out);
                return self.back_in_line(line, out);
            }
            CallInput::SeatEnded { leg, end } if leg == seat.leg => {
                let why = offer_end(end);
                out.push(CallOutput::CloseMedia { leg });
                out.push(CallOutput::Fact(CallFact::OfferEnded { agent: seat.agent, why }));
                out.push(CallOutput::Distributor(Distributor::OfferFailed(why)));
                return self.back_in_line(line, out);
            }
            CallInput::SeatAnswered { .. } => return self.pick_up(now, seat, out),
            CallInput::LeftForCallback => EndCause::CallbackTaken,
            CallInput::CallbackTaken { prompts } => {
                stop_ringing(&seat, OfferEnd::Withdrawn, out);
                out.push(CallOutput::Distributor(Distributor::LeaveAfter(seat.leg)));
                return self.promised(now, prompts, out);
            }
            CallInput::CallerEnded(end) => self.abandoned(now, end, EndCause::AbandonedRinging),
            CallInput::RtpTimeout { .. } => self.fell_silent(),
            CallInput::QueueTimeout => EndCause::QueueTimeout,
            CallInput::ForcedEnd => EndCause::OurFault,
            other => {
                match other {
                    CallInput::PlayEnded => line.heard_all(),
                    CallInput::Digit(key) => line.wishes(key),
                    _ => {}
                }
                return State::Ringing(seat, line);
            }
        };
        stop_ringing(&seat, OfferEnd::Withdrawn, out);
        out.push(CallOutput::Distributor(Distributor::LeaveAfter(seat.leg)));
        self.end(now, cause, out);
        State::Over
    }
}

pub(super) fn stop_ringing(seat: &Seat, why: OfferEnd, out: &mut Vec<CallOutput>) {
    let_go(seat.leg, out);
    out.push(CallOutput::CloseMedia { leg: seat.leg });
    out.push(CallOutput::Fact(CallFact::OfferEnded { agent: seat.agent.clone(), why }));
}

pub(super) fn let_go(leg: LegId, out: &mut Vec<CallOutput>) {
    out.push(CallOutput::Tell { leg, command: LegCommand::Hangup(HangupReason::Withdrawn) });
}

pub(super) fn offer_end(end: LegEnd) -> OfferEnd {
    match end {
        LegEnd::Busy => OfferEnd::Busy,
        LegEnd::Declined => OfferEnd::Declined,
        LegEnd::NoAnswer => OfferEnd::NoAnswer,
        LegEnd::Unreachable => OfferEnd::Unreachable,
        LegEnd::HungUp | LegEnd::Released | LegEnd::Fault => OfferEnd::Failed,
    }
}
