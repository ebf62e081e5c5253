//! 满意度评价: after the talk the caller is asked to rate it with a key, and let go. Not here: the words (`ivr::spoken`).
//!
//! The talk is over for the agent and the figures when it begins; the call ends as one that the agent has ended.

use super::announcing::LONGEST_MESSAGE;
use super::{Call, CallInput, CallOutput, State};
use crate::event::{CallFact, EndCause};
use crate::leg::LegEnd;
use crate::plane::{PromptId, Source};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// For the key, once the question has been heard.
const PATIENCE: Duration = Duration::from_secs(15);
/// Shorter than any thanks.
const CROSSING: Duration = Duration::from_millis(300);

/// The keys that answer it.
const SCORES: std::ops::RangeInclusive<char> = '1'..='5';

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Survey {
    stage: Stage,
    /// Over by then, whatever is heard of it.
    pub(super) until: Instant,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Stage {
    Asking { thanks: Vec<PromptId> },
    Thanking,
}

/// What is said.
pub struct Questions {
    pub ask: Vec<PromptId>,
    pub thanks: Vec<PromptId>,
}

impl Call {
    /// The agent in conversation is off the call, and the caller asked how it was. False: nobody is in conversation with
    /// the caller alone.
    pub fn survey(&mut self, now: Instant, questions: Questions, out: &mut Vec<CallOutput>) -> bool {
        let Some((talk, ())) = self.take_talk(|talk| talk.consult.is_none().then_some(())) else { return false };
        let agent = self.agent_let_go(now, talk, out);
        out.push(CallOutput::Fact(CallFact::Surveyed { agent }));
        self.tell_caller(questions.ask, out);
        let stage = Stage::Asking { thanks: questions.thanks };
        self.state = State::Surveying(Survey { stage, until: now + LONGEST_MESSAGE });
        true
    }

    pub(super) fn surveying(
        &mut self,
        now: Instant,
        survey: Survey,
        input: CallInput,
        out: &mut Vec<CallOutput>,
    ) -> State {
        let cause = match (survey.stage, input) {
            (Stage::Asking { thanks }, CallInput::Digit(key)) if SCORES.contains(&key) => {
                let score = key as u8 - b'0';
                out.push(CallOutput::Fact(CallFact::Rated { score }));
                self.tell_caller(thanks, out);
                return State::Surveying(Survey { stage: Stage::Thanking, until: now + LONGEST_MESSAGE });
            }
            (stage @ Stage::Asking { .. }, CallInput::PlayEnded) => {
                return State::Surveying(Survey { stage, until: now + PATIENCE });
            }
            // The end of the question, on its way when the key was pressed.
            (stage @ Stage::Thanking, CallInput::PlayEnded) if survey.until - now + CROSSING > LONGEST_MESSAGE => {
                return State::Surveying(Survey { stage, until: survey.until });
            }
            (Stage::Thanking, CallInput::PlayEnded) => EndCause::AgentHangUp,
            (_, CallInput::Timeout) if now >= survey.until => EndCause::AgentHangUp,
            (_, CallInput::CallerEnded(LegEnd::HungUp)) => EndCause::CallerHangUp,
            (_, CallInput::CallerEnded(_)) => EndCause::TrunkFault,
            (_, CallInput::RtpTimeout { leg }) if leg == self.incoming.leg => EndCause::MediaTimeout,
            (_, CallInput::ForcedEnd) => EndCause::OurFault,
            (stage, _) => return State::Surveying(Survey { stage, until: survey.until }),
        };
        self.end(now, cause, out);
        State::Over
    }

    fn tell_caller(&self, prompts: Vec<PromptId>, out: &mut Vec<CallOutput>) {
        let source = Source::Play { prompts, then: Box::new(Source::Silence) };
        out.push(CallOutput::SetSource { leg: self.incoming.leg, source });
    }
}
