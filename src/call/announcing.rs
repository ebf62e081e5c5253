//! A message before anything else: the notice on a line with a known failure, or that the line is closed.

use super::{Ask, Call, CallInput, CallOutput, State};
use crate::event::{EndCause, Why};
use crate::leg::LegEnd;
use crate::plane::{PromptId, Source};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The end of a message is reported by the media plane; a call must not hang on a report that never comes.
pub(super) const LONGEST_MESSAGE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Message {
    then: Then,
    /// Over by then, whatever is heard of it.
    pub(super) until: Instant,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Then {
    Queue(Why),
    Closed,
    /// The citizen is told that we will call.
    Promised,
}

impl Call {
    /// Tells the caller something that may make the call needless; who stays is queued. Any key skips it.
    pub fn notice(&mut self, now: Instant, prompt: PromptId, why: Why, out: &mut Vec<CallOutput>) {
        self.message(now, vec![prompt], Then::Queue(why), out);
    }

    /// Tells the caller that the line is closed, and ends the call.
    pub fn closed(&mut self, now: Instant, prompts: Vec<PromptId>, out: &mut Vec<CallOutput>) {
        self.message(now, prompts, Then::Closed, out);
    }

    /// Out of the line, to be called back.
    pub(super) fn promised(&mut self, now: Instant, prompts: Vec<PromptId>, out: &mut Vec<CallOutput>) -> State {
        self.message(now, prompts, Then::Promised, out);
        std::mem::replace(&mut self.state, State::Over)
    }

    fn message(&mut self, now: Instant, prompts: Vec<PromptId>, then: Then, out: &mut Vec<CallOutput>) {
        self.pick_up_line(out);
        let source = Source::Play { prompts, then: Box::new(Source::Silence) };
        out.push(CallOutput::SetSource { leg: self.incoming.leg, source });
        self.state = State::Announcing(Message { then, until: now + LONGEST_MESSAGE });
    }

    pub(super) fn announcing(
        &mut self,
        now: Instant,
        message: Message,
        input: CallInput,
        out: &mut Vec<CallOutput>,
    ) -> State {
        let ended = match (&message.then, input) {
            (_, CallInput::PlayEnded) => None,
            (_, CallInput::Timeout) if now >= message.until => None,
            (Then::Queue(_), CallInput::Digit(_)) => None,
            // Whatever happens now, we will call.
            (Then::Promised, CallInput::CallerEnded(_) | CallInput::RtpTimeout { .. } | CallInput::ForcedEnd) => {
                Some(EndCause::CallbackTaken)
            }
            // Served without an agent.
            (Then::Queue(_), CallInput::CallerEnded(LegEnd::HungUp)) => Some(EndCause::Deflected),
            (Then::Closed, CallInput::CallerEnded(LegEnd::HungUp)) => Some(EndCause::Closed),
            (_, CallInput::CallerEnded(_) | CallInput::RtpTimeout { .. }) => Some(EndCause::TrunkFault),
            (_, CallInput::ForcedEnd) => Some(EndCause::OurFault),
            _ => return State::Announcing(message),
        };
        match (message.then, ended) {
            (_, Some(cause)) => self.end(now, cause, out),
            (Then::Promised, None) => self.end(now, EndCause::CallbackTaken, out),
            (Then::Closed, None) => self.end(now, EndCause::Closed, out),
            (Then::Queue(why), None) => {
                out.push(CallOutput::Ask(Ask::Queue(why)));
                return State::Arrived;
            }
        }
        State::Over
    }
}
