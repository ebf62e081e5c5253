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
                && matches!(agent.duty(), Some(Duty::Ready { .. } | Duty::Reserved { .. }))
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
