//! The last fact of a call: whether cause and times fit all that was seen of it.

use super::Audit;
use super::ledger::{End, Record, Stage};
use crate::event::{CallFact, EndCause};
use crate::ids::CallId;
use crate::time::Instant;
use std::time::Duration;

impl Audit {
    pub(super) fn ended(
        &mut self,
        now: Instant,
        id: CallId,
        record: &mut Record,
        stage: Stage,
        fact: &CallFact,
    ) -> Result<(), String> {
        let CallFact::Ended { cause, wait, talk, hold, queue, .. } = fact else { return Ok(()) };
        match (&record.line, cause) {
            (Some(line), _) if queue.as_ref() != Some(line) => return Err(format!("it was in {line}")),
            (None, EndCause::QueueFull | EndCause::NoAgents) => record.refused_by = queue.clone(),
            _ => {}
        }
        self.leave_queue(id, record);
        if let Some(third) = &record.third {
            return Err(format!("{third:?} is still on it"));
        }
        record.end = Some(End { at: now, cause: *cause });
        if *cause == EndCause::CallbackTaken && !record.callback_offered {
            return Err("nobody had offered to call back".into());
        }
        if let Stage::Answered { agent, spell, .. } = stage {
            record.spells.push(spell.over(now, false));
            self.touched.insert(agent.clone());
            self.disengage(&agent, id)?;
        }
        let answered_cause = matches!(
            cause,
            EndCause::CallerHangUp | EndCause::AgentHangUp | EndCause::PartyHangUp | EndCause::MediaTimeout
        );
        let Some(pickup) = &record.pickup else {
            // What never was in a line has not waited for an agent.
            let waited = if record.queue.is_some() { now - record.queued_at } else { Duration::ZERO };
            if answered_cause {
                return Err("such a cause is for answered calls".into());
            }
            if !talk.is_zero() || !hold.is_zero() || (*wait != waited && !record.is_ours()) {
                return Err("an unanswered call has its wait and no talk".into());
            }
            if record.tickets_opened > 0 {
                return Err("a ticket was opened, but no pickup reported".into());
            }
            return Ok(());
        };
        let right = *talk == record.talked() && *hold == record.held() && *wait == pickup.wait;
        // One who was passed on may wait in vain a second time, but not abandon: an agent has answered.
        let again = record.passed.is_some() && *cause == EndCause::QueueTimeout;
        if !answered_cause && !again && !matches!(cause, EndCause::TrunkFault | EndCause::OurFault) {
            return Err("such a cause is for unanswered calls".into());
        }
        if right {
            Ok(())
        } else {
            Err(format!("picked up {pickup:?}, talks {:?}: the durations are wrong", record.spells))
        }
    }
}
