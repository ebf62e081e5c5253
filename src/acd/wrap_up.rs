//! 话后整理: what follows a talk, for how long, and what comes after it. An explicit state with its own timer (peers'
//! pain 9). An agent cuts it short by saying what they want to be (`roster`).

use super::agent::{AgentIx, Duty, Wish};
use super::{Acd, Refused};
use crate::ids::{AgentNo, CallId};
use crate::time::Instant;

impl Acd {
    pub(super) fn end_talk(&mut self, now: Instant, ix: AgentIx, id: CallId, taken: Instant, then: Wish) {
        let Some(call) = self.remove_call(id) else { return };
        let queue = &mut self.queues[call.queue.0 as usize];
        if queue.settings.wrap_up.is_zero() {
            queue.pace.handled(now.since(taken));
            self.grant(now, ix, then);
        } else {
            let until = now + queue.settings.wrap_up;
            self.set_duty(now, ix, Duty::WrapUp { of: id, queue: call.queue, taken, until, then });
        }
    }

    pub(super) fn extend_wrap_up(&mut self, now: Instant, number: &AgentNo) -> Result<(), Refused> {
        let ix = self.agent_ix(number)?;
        match self.roster(ix).duty().cloned() {
            None => Err(Refused::NotSignedIn(number.clone())),
            Some(Duty::WrapUp { of, queue, taken, until, then }) => {
                let until = until + self.queue_at(queue).settings.wrap_up_extension;
                self.set_duty(now, ix, Duty::WrapUp { of, queue, taken, until, then });
                Ok(())
            }
            Some(_) => Err(Refused::NotInWrapUp(number.clone())),
        }
    }

    pub(super) fn wrap_up_over(&mut self, now: Instant, ix: AgentIx) {
        if let Some(Duty::WrapUp { then, .. }) = self.roster(ix).duty() {
            let then = then.clone();
            self.grant(now, ix, then);
        }
    }
}
