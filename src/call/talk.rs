//! From the agent's answer to the end of the conversation: pickup, bridge, hold.

use super::{AfterPickup, Call, CallInput, CallOutput, Distributor, Seat, State};
use crate::config::settings::AnswerMode;
use crate::event::{CallFact, EndCause};
use crate::ids::AgentNo;
use crate::leg::{HangupReason, LegCommand, LegEnd};
use crate::plane::{PromptId, Source};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Hold {
    /// In conversation; `so_far` was spent on hold before.
    Off {
        so_far: Duration,
    },
    On {
        since: Instant,
        so_far: Duration,
    },
}

impl Hold {
    fn total(self, now: Instant) -> Duration {
        match self {
            Hold::Off { so_far } => so_far,
            Hold::On { since, so_far } => so_far + (now - since),
        }
    }
}

impl Call {
    pub(super) fn pick_up(&mut self, now: Instant, seat: Seat, out: &mut Vec<CallOutput>) -> State {
        out.push(CallOutput::Distributor(Distributor::Answered));
        out.push(CallOutput::OpenTicket(Box::new(self.ticket(now, &seat))));
        let patience = now + self.terms.spool_patience;
        State::PickingUp { seat, answered_at: now, patience, then: AfterPickup::Bridge }
    }

    #[allow(clippy::too_many_arguments)] // the fields of one state, taken apart once
    pub(super) fn picking_up(
        &mut self,
        now: Instant,
        seat: Seat,
        answered_at: Instant,
        patience: Instant,
        then: AfterPickup,
        input: CallInput,
        out: &mut Vec<CallOutput>,
    ) -> State {
        let spooled = match input {
            CallInput::Spooled => true,
            CallInput::SpoolFailed => false,
            CallInput::Timeout if now >= patience => false,
            // The first side to go decides the cause.
            other => {
                let then = match (then, end_cause(&other, &seat)) {
                    (AfterPickup::Bridge, Some(cause)) => AfterPickup::End(cause),
                    (then, _) => then,
                };
                return State::PickingUp { seat, answered_at, patience, then };
            }
        };
        let wait = answered_at - self.queued_at;
        out.push(CallOutput::Fact(CallFact::Answered {
            agent: seat.agent.clone(),
            seat: seat.seat.clone(),
            queue: self.terms.queue.name.clone(),
            wait,
            ring: answered_at - seat.ring_at,
            spooled,
        }));
        out.push(CallOutput::Tell { leg: seat.leg, command: LegCommand::Acknowledge });
        match then {
            AfterPickup::Bridge => self.bridge(seat, answered_at, out),
            AfterPickup::End(cause) => {
                self.hang_up_both(now, seat, answered_at, Hold::Off { so_far: Duration::ZERO }, cause, out)
            }
        }
    }

    fn bridge(&self, seat: Seat, answered_at: Instant, out: &mut Vec<CallOutput>) -> State {
        let caller = self.incoming.leg;
        if self.terms.answer == AnswerMode::OnPickup {
            out.push(CallOutput::Tell { leg: caller, command: LegCommand::Answer });
        }
        let agent = Source::Leg(seat.leg);
        let source = if self.terms.queue.announce_agent {
            Source::Play { prompts: announcement(&seat.agent), then: Box::new(agent) }
        } else {
            agent
        };
        out.push(CallOutput::SetSource { leg: caller, source });
        // The agent hears the citizen at once, also while the number is announced.
        out.push(CallOutput::SetSource { leg: seat.leg, source: Source::Leg(caller) });
        State::Talking { seat, answered_at, hold: Hold::Off { so_far: Duration::ZERO } }
    }

    pub(super) fn talking(
        &mut self,
        now: Instant,
        seat: Seat,
        answered_at: Instant,
        hold: Hold,
        input: CallInput,
        out: &mut Vec<CallOutput>,
    ) -> State {
        if let Some(cause) = end_cause(&input, &seat) {
            return self.hang_up_both(now, seat, answered_at, hold, cause, out);
        }
        let caller = self.incoming.leg;
        let hold = match (input, hold) {
            // The seat put us on hold when it no longer wants to hear the caller.
            (CallInput::SeatMedia { leg, direction }, Hold::Off { so_far })
                if leg == seat.leg && !direction.sends() =>
            {
                out.push(CallOutput::SetSource { leg: caller, source: Source::Music(self.terms.queue.music.clone()) });
                out.push(CallOutput::Fact(CallFact::Held));
                out.push(CallOutput::Distributor(Distributor::Held));
                Hold::On { since: now, so_far }
            }
            (CallInput::SeatMedia { leg, direction }, Hold::On { .. }) if leg == seat.leg && direction.sends() => {
                out.push(CallOutput::SetSource { leg: caller, source: Source::Leg(leg) });
                out.push(CallOutput::Fact(CallFact::Resumed));
                out.push(CallOutput::Distributor(Distributor::Resumed));
                Hold::Off { so_far: hold.total(now) }
            }
            (_, hold) => hold,
        };
        State::Talking { seat, answered_at, hold }
    }

    fn hang_up_both(
        &mut self,
        now: Instant,
        seat: Seat,
        answered_at: Instant,
        hold: Hold,
        cause: EndCause,
        out: &mut Vec<CallOutput>,
    ) -> State {
        let reason = if cause == EndCause::MediaTimeout { HangupReason::MediaTimeout } else { HangupReason::Normal };
        out.push(CallOutput::Tell { leg: seat.leg, command: LegCommand::Hangup(reason) });
        out.push(CallOutput::CloseMedia { leg: seat.leg });
        out.push(CallOutput::Distributor(Distributor::TalkEnded));
        let wait = answered_at - self.queued_at;
        self.finish(now - answered_at, hold.total(now), wait, cause, out);
        State::Over
    }
}

/// Does this input end an answered call, and why?
fn end_cause(input: &CallInput, seat: &Seat) -> Option<EndCause> {
    match input {
        CallInput::CallerEnded(LegEnd::HungUp) => Some(EndCause::CallerHangUp),
        CallInput::CallerEnded(_) => Some(EndCause::TrunkFault),
        CallInput::SeatEnded { leg, end: LegEnd::HungUp } if *leg == seat.leg => Some(EndCause::AgentHangUp),
        CallInput::SeatEnded { leg, .. } if *leg == seat.leg => Some(EndCause::OurFault),
        CallInput::RtpTimeout => Some(EndCause::MediaTimeout),
        CallInput::ForcedEnd => Some(EndCause::OurFault),
        _ => None,
    }
}

/// 工号 6632 为您服务: what the citizen hears at pickup. Characters other than digits are not spoken.
pub fn announcement(agent: &AgentNo) -> Vec<PromptId> {
    let digits = agent.as_str().chars().filter(char::is_ascii_digit).map(|d| PromptId::from(format!("digit-{d}")));
    std::iter::once("agent-number".into()).chain(digits).chain(std::iter::once("at-your-service".into())).collect()
}
