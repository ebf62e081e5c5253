//! The invariants, as a simulation asks for them after every step. Written from the state alone and the slow way:
//! the index is only compared, never trusted.

use super::Acd;
use super::agent::{AgentIx, Duty};
use super::index::Index;
use super::queue::Place;
use super::skill::ClassSet;
use crate::ids::{CallId, SeatNo};
use std::collections::{BTreeMap, BTreeSet};

impl Acd {
    /// `Err` says which invariant is broken, and by whom. `O(agents + calls)`, so not for every call of a live system.
    pub fn check(&self) -> Result<(), String> {
        self.check_pairs()?;
        self.check_seats()?;
        self.check_nobody_idle()?;
        if self.index != Index::build(&self.queues, &self.agents, self.calls.values()) {
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
                return Err(format!("{call:?} is with {} and with {}", agent.number, self.roster(other).number));
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
            Some((call, ix)) => Err(format!("{} holds {call:?}, which is gone", self.roster(*ix).number)),
            None => Ok(()),
        }
    }

    /// One agent per seat, and none ready or reserved at a seat that is lost.
    fn check_seats(&self) -> Result<(), String> {
        let mut taken: BTreeSet<&SeatNo> = BTreeSet::new();
        for agent in &self.agents {
            let Some(seat) = agent.seat() else { continue };
            if !taken.insert(seat) {
                return Err(format!("seat {seat} has two agents, one of them {}", agent.number));
            }
            if self.lost_seats.contains(seat)
                && matches!(agent.duty(), Some(Duty::Ready { .. } | Duty::Reserved { .. } | Duty::Clearing { .. }))
            {
                return Err(format!("{} is {:?} at seat {seat}, which is lost", agent.number, agent.state()));
            }
        }
        Ok(())
    }

    /// No ready agent is idle while a caller waits whom they could serve.
    fn check_nobody_idle(&self) -> Result<(), String> {
        let mut waited_for: BTreeMap<&[u64], (&ClassSet, CallId)> = BTreeMap::new();
        for call in self.calls.values().filter(|call| call.place == Place::Waiting) {
            let needs = &self.queue_at(call.queue).needs;
            waited_for.insert(needs.words(), (needs, call.order.call));
        }
        for agent in self.agents.iter().filter(|agent| matches!(agent.duty(), Some(Duty::Ready { .. }))) {
            if let Some((_, call)) = waited_for.values().find(|(needs, _)| agent.can.shares(needs)) {
                return Err(format!("{} is ready and could serve {call:?}, which waits", agent.number));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acd::agent::{Agent, Presence};
    use crate::acd::order::Order;
    use crate::acd::queue::{Call, QueueIx};
    use crate::acd::skill::Requirements;
    use crate::config::settings::AgentSettings;
    use crate::time::Instant;
    use std::collections::VecDeque;

    fn agent(number: &str, duty: Duty) -> Agent {
        let settings = AgentSettings::new(number, [("mandarin", 5)]);
        let mut agent = Agent::new(&settings, &requirements());
        agent.presence = Presence::SignedIn { seat: number.into(), duty };
        agent
    }

    fn requirements() -> Requirements {
        Requirements::from_iter([("mandarin".into(), 1)])
    }

    fn acd(agents: Vec<Agent>, places: &[Place]) -> Acd {
        let queue = crate::acd::queue::tests::queue(&requirements());
        let calls = places.iter().zip(1..).map(|(place, id)| {
            let order = Order::new(5, Instant(id), CallId(id));
            (CallId(id), Call { queue: QueueIx(0), order, deadline: None, place: *place })
        });
        Acd::from_state(vec![queue], agents, calls.collect(), BTreeSet::new(), VecDeque::new())
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
        finds(&stale, "the index differs");
    }
}
