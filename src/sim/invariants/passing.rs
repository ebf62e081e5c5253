//! Callers whom an agent's phone passes on to somebody, by the call's events: until that one answers the caller is the
//! agent's, or in nobody's hands while it rings there.

use super::Audit;
use super::ledger::{Record, Stage};
use super::spells::Spell;
use crate::event::{CallFact, Party};
use crate::ids::CallId;
use crate::time::Instant;

/// Somebody beside the caller: called once, gone once, or passed on to.
pub(super) fn consults(record: &mut Record, stage: Stage, fact: &CallFact) -> Result<Stage, String> {
    let Stage::Answered { agent, .. } = &stage else { return Err("nobody has the caller".into()) };
    match (fact, &record.third) {
        (CallFact::Consulting { agent: named, to }, None) if named == agent => record.third = Some(to.clone()),
        (CallFact::Consulted { .. } | CallFact::ThreeWay, Some(_)) => {}
        (CallFact::ConsultOver { to, .. }, Some(third)) if to == third => record.third = None,
        (_, third) => return Err(format!("it is with {agent} and {third:?}")),
    }
    Ok(stage)
}

impl Audit {
    pub(super) fn passes_on(
        &mut self,
        now: Instant,
        id: CallId,
        record: &mut Record,
        stage: Stage,
        fact: &CallFact,
    ) -> Result<Stage, String> {
        match (stage, fact) {
            (Stage::Answered { agent, seat, spell }, CallFact::PassingOn { agent: named, to }) => {
                if agent != *named || record.to.is_some() {
                    return Err(format!("it is with {agent}, on the way to {:?}", record.to));
                }
                if record.third.take().is_some_and(|third| third != *to) {
                    return Err("somebody else is still on it".into());
                }
                record.to = Some(to.clone());
                Ok(Stage::Answered { agent, seat, spell })
            }
            (Stage::Answered { agent, spell, .. }, CallFact::PassedOn { agent: named, to }) => {
                record.spells.push(spell.over(now, true));
                record.passed = Some(now);
                self.disengage(&agent, id)?;
                if agent != *named || record.to.as_ref() != Some(to) {
                    return Err(format!("it is with {agent}, on the way to {:?}", record.to));
                }
                Ok(Stage::Passed)
            }
            (stage, CallFact::NotPassedOn { to, .. }) => {
                if record.to.take().as_ref() != Some(to) {
                    return Err("nobody asked for that party".into());
                }
                if std::mem::take(&mut record.reached) {
                    record.passed = Some(now);
                }
                Ok(stage)
            }
            (Stage::Passed, CallFact::Reached { .. }) if record.to.is_some() => {
                record.reached = true;
                Ok(Stage::Passed)
            }
            // A colleague to whose seat it was passed on.
            (Stage::Passed, CallFact::TakenOver { agent, seat, queue, wait, .. }) => {
                if record.to.take() != Some(Party::Seat(seat.clone())) || record.line.as_ref() != Some(queue) {
                    return Err(format!("it was on its way elsewhere, from {:?}", record.line));
                }
                if record.passed.is_none_or(|at| *wait != now - at) {
                    return Err(format!("passed on at {:?}: the wait is wrong", record.passed));
                }
                record.reached = false;
                self.touched.insert(agent.clone());
                if let Some(other) = self.engaged.insert(agent.clone(), id) {
                    return Err(format!("the agent is with {other:?}"));
                }
                self.serves(agent, record, queue);
                let spell = Spell::begun(queue.clone(), now);
                Ok(Stage::Answered { agent: agent.clone(), seat: seat.clone(), spell })
            }
            (stage, _) => Err(format!("cannot follow {stage:?}")),
        }
    }
}
