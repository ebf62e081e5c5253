//! Nobody idle while a caller waits whom they could serve: the law of steps and reserve, from the outside.

use super::Audit;
use super::ledger::Record;
use crate::config::settings::Relaxation;
use crate::event::{AgentState, Chosen};
use crate::ids::{AgentNo, Skill};
use crate::time::Instant;
use std::collections::BTreeMap;

impl Audit {
    pub(super) fn check_nobody_idle(&mut self, now: Instant) {
        let ready: Vec<&AgentNo> =
            self.agents.iter().filter(|(_, shown)| shown.state == AgentState::Ready).map(|(agent, _)| agent).collect();
        if ready.is_empty() {
            return;
        }
        let kept = self.kept_back(&ready);
        let mut found = None;
        for (queue, calls) in self.waiting.iter().filter(|(_, calls)| !calls.is_empty()) {
            // Who has been in the queue longest has reached all the steps that any other has.
            let longest = calls.iter().filter_map(|call| Some((self.calls.get(call)?.entered, call))).min();
            let (Some((entered, call)), Some(steps)) = (longest, self.steps_by_queue.get(queue)) else { continue };
            // A step that is due at this very moment may be taken a moment later.
            let reached = steps.iter().enumerate().filter(|(k, step)| *k == 0 || entered + step.after < now);
            for (k, step) in reached {
                let may_use =
                    |agent: &AgentNo| step.use_reserve || needs_reserved(step, &self.reserve) || !kept.contains(&agent);
                if let Some(agent) = ready.iter().find(|agent| self.has_skills(agent, step) && may_use(agent)) {
                    let since = self.agents[*agent].since;
                    found = Some(format!(
                        "agent {agent} is ready since {since:?} while {call:?} waits in {queue} at step {k}"
                    ));
                }
            }
        }
        if let Some(found) = found {
            self.fault(now, found);
        }
    }

    /// The step has been reached, and the agent meets it.
    pub(super) fn chosen_rightly(
        &self,
        now: Instant,
        record: &Record,
        agent: &AgentNo,
        chosen: &Chosen,
    ) -> Result<(), String> {
        let queue = record.line.as_ref().and_then(|queue| self.queues.get(queue));
        let Some(step) = self.steps_of(record).get(usize::from(chosen.step)) else { return Err("no such step".into()) };
        if record.entered + step.after > now {
            return Err(format!("that step is not reached: in the queue since {:?}", record.entered));
        }
        if !self.has_skills(agent, step) || chosen.interpreter != step.interpreter {
            return Err("the agent does not meet that step".into());
        }
        if chosen.preferred && queue.is_some_and(|q| !q.prefer_last_agent) {
            return Err("its queue prefers nobody".into());
        }
        Ok(())
    }

    pub(super) fn has_skills(&self, agent: &AgentNo, step: &Relaxation) -> bool {
        let skills = self.skills.get(agent);
        step.skills.iter().all(|(skill, level)| skills.and_then(|s| s.get(skill)).is_some_and(|has| has >= level))
    }

    /// Agents who have a reserved skill of which no more are ready than are to be kept.
    fn kept_back<'a>(&self, ready: &[&'a AgentNo]) -> Vec<&'a AgentNo> {
        let has = |agent: &AgentNo, skill: &Skill| self.skills.get(agent).is_some_and(|s| s.contains_key(skill));
        let scarce: Vec<&Skill> = self
            .reserve
            .iter()
            .filter(|(skill, keep)| {
                **keep > 0 && ready.iter().filter(|agent| has(agent, skill)).count() <= **keep as usize
            })
            .map(|(skill, _)| skill)
            .collect();
        ready.iter().copied().filter(|agent| scarce.iter().any(|skill| has(agent, skill))).collect()
    }
}

fn needs_reserved(step: &Relaxation, reserve: &BTreeMap<Skill, u32>) -> bool {
    step.skills.keys().any(|skill| reserve.get(skill).is_some_and(|keep| *keep > 0))
}
