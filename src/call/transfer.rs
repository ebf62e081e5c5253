//! An agent passes the caller on: the keys that ask for it, and what becomes of both sides.

use super::{Call, CallOutput, State};
use crate::config::settings::QueueSettings;
use crate::event::{CallFact, Why};
use crate::ids::{AgentNo, LegId};
use crate::leg::{HangupReason, LegCommand};
use crate::plane::{PromptId, Source};
use crate::time::Instant;
use std::time::Duration;

/// `*` and the language's key, within this time.
pub(super) const TOGETHER: Duration = Duration::from_secs(3);

impl Call {
    /// Who could pass the caller on now: the agent in conversation.
    pub fn talks_with(&self) -> Option<&AgentNo> {
        match &self.state {
            State::Talking(talk) => Some(&talk.seat.agent),
            _ => None,
        }
    }

    /// The leg of the agent in conversation.
    pub fn talks_on(&self) -> Option<LegId> {
        match &self.state {
            State::Talking(talk) => Some(talk.seat.leg),
            _ => None,
        }
    }

    /// The distributor has freed the agent and has the caller in `queue`, with the first time of asking.
    pub fn transferred(
        &mut self,
        now: Instant,
        queue: QueueSettings,
        position: usize,
        prompts: Vec<PromptId>,
        out: &mut Vec<CallOutput>,
    ) {
        let Some((mut talk, ())) = self.take_talk(|_| Some(())) else { return };
        talk.clear(out);
        self.before = Some(self.spent(now, &talk));
        let seat = talk.seat;
        // If it was its REFER that asked. What it may take for leave to go comes only now that it is certain.
        out.push(CallOutput::Tell { leg: seat.leg, command: LegCommand::AcceptRefer });
        out.push(CallOutput::Tell { leg: seat.leg, command: LegCommand::Referred(200) });
        out.push(CallOutput::Tell { leg: seat.leg, command: LegCommand::Hangup(HangupReason::Normal) });
        out.push(CallOutput::CloseMedia { leg: seat.leg });
        let agent = seat.agent;
        out.push(CallOutput::Fact(CallFact::Transferred { agent: agent.clone(), queue: queue.name.clone() }));
        self.enter(queue, position, Why::Agent(agent), out);
        self.state = self.wait_again(now, prompts, out);
    }

    /// Passed on already, to somebody who has not answered yet?
    pub fn is_passing(&self) -> bool {
        matches!(self.state, State::Passing(_))
    }

    /// The agent keeps the caller and hears that it cannot be.
    pub fn transfer_refused(&self, out: &mut Vec<CallOutput>) {
        if let State::Talking(talk) = &self.state {
            let then = Box::new(self.heard_by(talk, talk.seat.leg));
            let source = Source::Play { prompts: vec!["beep-error".into()], then };
            out.push(CallOutput::SetSource { leg: talk.seat.leg, source });
        }
    }
}
