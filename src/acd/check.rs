//! The invariants, as a simulation asks for them after every step. Written from the state alone and the slow way:
//! the index is only compared, never trusted, and skills are compared by name, not by class.

use super::Acd;
use super::agent::{Agent, AgentIx, Duty};
use super::index::Index;
use super::queue::{Place, QueueIx};
use crate::config::settings::Relaxation;
use crate::ids::{CallId, SeatNo, Skill};
use std::collections::{BTreeMap, BTreeSet};

impl Acd {
    /// `Err` says which invariant is broken, and by whom. `O(agents * steps + calls)`, so not for every call of a live
    /// system.
    pub fn check(&self) -> Result<(), String> {
        self.check_pairs()?;
        self.check_seats()?;
        let steps: Vec<Vec<Relaxation>> = self.queues.iter().map(|queue| queue.settings.steps()).collect();
        self.check_nobody_idle(&steps)?;
        self.check_reserve(&steps)?;
        if self.index != Index::build(&self.requirements, &self.queues, &self.agents, self.calls.values()) {
            return Err("the index differs from one built anew from the state".into());
        }
        Ok(())
    }

    /// Each agent has at most one call and each call at most one agent, and both say so.
    fn check_pairs(&self) -> Result<(), String> {
        let mut held: BTreeMap<CallId, AgentIx> = BTreeMap::new();
        for (ix, agent) in self.agents.iter().enumerate() {
            if let Some(call) = agent.call()
                && let Some(other) = held.insert(call, AgentIx(ix as u32))
            {
                return Err(format!("{call:?} is with {} and with {}", agent.number(), self.roster(other).number()));
            }
        }
        for (id, call) in &self.calls {
            let agent = match call.place {
                Place::Waiting => None,
                Place::With(ix) => Some(ix),
            };
            if held.remove(id) != agent {
                return Err(format!("{id:?} is {:?}, but no agent's duty says the same", call.place));
            }
            if call.order.call != *id {
                return Err(format!("{id:?} is ordered as {:?}", call.order.call));
            }
        }
        match held.first_key_value() {
            Some((call, ix)) => Err(format!("{} holds {call:?}, which is gone", self.roster(*ix).number())),
            None => Ok(()),
        }
    }

    /// One agent per seat, and none ready or reserved at a seat that is lost or engaged.
    fn check_seats(&self) -> Result<(), String> {
        let mut taken: BTreeSet<&SeatNo> = BTreeSet::new();
        for agent in &self.agents {
            let Some(seat) = agent.seat() else { continue };
            if !taken.insert(seat) {
                return Err(format!("seat {seat} has two agents, one of them {}", agent.number()));
            }
            if self.lost_seats.contains(seat)
                && matches!(agent.duty(), Some(Duty::Ready { .. } | Duty::Reserved { .. } | Duty::Clearing { .. }))
            {
                return Err(format!("{} is {:?} at seat {seat}, which is lost", agent.number(), agent.state()));
            }
            let engaged = self.engaged_seats.contains(seat);
            let wrong = match agent.duty() {
                Some(Duty::Ready { .. } | Duty::Reserved { .. } | Duty::Clearing { .. }) => engaged,
                Some(Duty::Engaged) => !engaged,
                _ => false,
            };
            if wrong {
                let own = if engaged { "has a call of its own" } else { "has none" };
                return Err(format!("{} is {:?} at seat {seat}, which {own}", agent.number(), agent.state()));
            }
        }
        Ok(())
    }

    /// No ready agent is idle while a call waits which they may get by a step it has reached, if seats can be rung.
    fn check_nobody_idle(&self, steps: &[Vec<Relaxation>]) -> Result<(), String> {
        if self.rests_until.is_some() {
            return Ok(());
        }
        let mut waited_for: BTreeMap<(QueueIx, u8), CallId> = BTreeMap::new();
        for (id, call) in self.calls.iter().filter(|(_, call)| call.place == Place::Waiting) {
            for step in 0..=call.step {
                waited_for.insert((call.queue, step), *id);
            }
        }
        let ready = self.ready_by_skill();
        for agent in self.agents.iter().filter(|agent| is_ready(agent)) {
            let may = |(queue, step): &(QueueIx, u8)| {
                self.is_eligible(agent, &steps[queue.0 as usize][usize::from(*step)], &ready)
            };
            if let Some((_, call)) = waited_for.iter().find(|(at, _)| may(at)) {
                return Err(format!("{} is ready and could serve {call:?}, which waits", agent.number()));
            }
        }
        Ok(())
    }

    /// The index would give each queue, by each of its steps, those agents who are eligible and nobody else.
    fn check_reserve(&self, steps: &[Vec<Relaxation>]) -> Result<(), String> {
        let ready = self.ready_by_skill();
        for (queue, steps) in self.queues.iter().zip(steps) {
            let filed: BTreeMap<AgentIx, &[u64]> = self.index.ready.iter(queue.ranking).collect();
            for (ix, agent) in self.agents.iter().enumerate() {
                let classes = filed.get(&AgentIx(ix as u32)).copied().unwrap_or_default();
                for (step, needs) in steps.iter().zip(&queue.steps) {
                    let found = super::skill::shares(classes, needs.needs.words());
                    if found != (is_ready(agent) && self.is_eligible(agent, step, &ready)) {
                        let (number, name) = (agent.number(), queue.name());
                        return Err(format!("the index has {number} wrong for queue {name}, {:?}", step.skills));
                    }
                }
            }
        }
        Ok(())
    }

    fn ready_by_skill(&self) -> BTreeMap<&Skill, u32> {
        let mut ready = BTreeMap::new();
        for skill in self.agents.iter().filter(|agent| is_ready(agent)).flat_map(|agent| agent.settings.skills.keys()) {
            *ready.entry(skill).or_default() += 1;
        }
        ready
    }

    /// May this ready agent get a call by this step? The law in words: the skills at their levels, and not kept back.
    fn is_eligible(&self, agent: &Agent, step: &Relaxation, ready: &BTreeMap<&Skill, u32>) -> bool {
        let has = |(skill, level): (&Skill, &u8)| agent.settings.skills.get(skill).is_some_and(|mine| mine >= level);
        let kept = |skill: &Skill| self.rules.reserve.get(skill).copied().unwrap_or(0);
        let needs_reserved = step.skills.keys().any(|skill| kept(skill) > 0);
        let short = |skill: &Skill| kept(skill) > 0 && ready.get(skill).is_some_and(|count| *count <= kept(skill));
        let kept_back = !step.use_reserve && !needs_reserved && agent.settings.skills.keys().any(short);
        step.skills.iter().all(has) && !kept_back
    }
}

fn is_ready(agent: &Agent) -> bool {
    matches!(agent.duty(), Some(Duty::Ready { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acd::agent::Presence;
    use crate::acd::order::Order;
    use crate::acd::port::Waits;
    use crate::acd::queue::Call;
    use crate::config::settings::{AgentSettings, DistributorSettings, QueueSettings};
    use crate::time::Instant;

    fn agent(number: &str, duty: Duty) -> (AgentSettings, Presence) {
        let presence = Presence::SignedIn { seat: number.into(), duty };
        (AgentSettings::new(number, [("mandarin", 5)]), presence)
    }

    fn acd(agents: Vec<(AgentSettings, Presence)>, places: &[Place]) -> Acd {
        let (agents, presences): (Vec<_>, Vec<_>) = agents.into_iter().unzip();
        let mut acd = Acd::new(&[QueueSettings::new("hotline", "mandarin")], &agents, &DistributorSettings::default());
        for (agent, presence) in acd.agents.iter_mut().zip(presences) {
            agent.presence = presence;
        }
        for (place, id) in places.iter().zip(1..) {
            let (now, id) = (Instant(id), CallId(id));
            let call = Call {
                queue: QueueIx(0),
                order: Order::new(now, 5, acd.rules.ageing, id),
                since: now,
                entered: now,
                step: 0,
                preferred: None,
                waits: Waits::OnTheLine,
                overflow_said: false,
                place: *place,
            };
            acd.calls.insert(id, call);
        }
        acd.index = Index::build(&acd.requirements, &acd.queues, &acd.agents, acd.calls.values());
        acd
    }

    fn reserved(call: u64) -> Duty {
        Duty::Reserved { call: CallId(call), ring_until: Instant(9), idle_since: Instant(1) }
    }

    #[track_caller]
    fn finds(acd: &Acd, problem: &str) {
        let found = acd.check().expect_err("not found");
        assert!(found.contains(problem), "{found}");
        let bytes = postcard::to_stdvec(acd).expect("saves");
        if !found.contains("index") {
            assert!(postcard::from_bytes::<Acd>(&bytes).is_err(), "restored all the same");
        }
    }

    #[test]
    fn each_broken_invariant_is_found_and_not_restored() {
        let ready = Duty::Ready { idle_since: Instant(1) };
        let with = |ix| Place::With(AgentIx(ix));
        assert_eq!(acd(vec![agent("1", reserved(1)), agent("2", ready.clone())], &[with(0)]).check(), Ok(()));
        finds(&acd(vec![agent("1", reserved(1)), agent("2", reserved(1))], &[with(0)]), "is with 2 and with 1");
        finds(&acd(vec![agent("1", ready.clone())], &[with(0)]), "no agent's duty says the same");
        finds(&acd(vec![agent("1", reserved(1))], &[Place::Waiting]), "no agent's duty says the same");
        finds(&acd(vec![agent("1", reserved(7))], &[]), "which is gone");
        finds(&acd(vec![agent("1", ready.clone())], &[Place::Waiting]), "is ready and could serve");

        let mut two_at_one_seat = acd(vec![agent("1", ready.clone()), agent("2", ready.clone())], &[]);
        two_at_one_seat.agents[1].presence = two_at_one_seat.agents[0].presence.clone();
        finds(&two_at_one_seat, "seat 1 has two agents");
        let mut lost = acd(vec![agent("1", ready.clone())], &[]);
        lost.lost_seats.insert("1".into());
        finds(&lost, "which is lost");
        let mut stale = acd(vec![agent("1", ready)], &[]);
        stale.agents[0].presence = Presence::SignedOut;
        finds(&stale, "the index has 1 wrong");
    }
}
