//! The distributor as bytes: its state without the index, which is built anew on restore. Bytes that do not add up
//! are refused instead of believed.

use super::Acd;
use super::agent::{Agent, AgentIx};
use super::index::Index;
use super::port::AcdOutput;
use super::queue::{Call, Place, Queue};
use crate::ids::{CallId, SeatNo};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[derive(Serialize, Deserialize)]
pub(super) struct Saved {
    queues: Vec<Queue>,
    agents: Vec<Agent>,
    calls: Vec<Call>,
    lost_seats: BTreeSet<SeatNo>,
    outputs: VecDeque<AcdOutput>,
}

impl From<Acd> for Saved {
    fn from(acd: Acd) -> Saved {
        let Acd { queues, agents, calls, lost_seats, outputs, index: _ } = acd;
        Saved { queues, agents, calls: calls.into_values().collect(), lost_seats, outputs }
    }
}

impl TryFrom<Saved> for Acd {
    type Error = String;

    fn try_from(saved: Saved) -> Result<Acd, String> {
        let Saved { queues, agents, calls, lost_seats, outputs } = saved;
        let width = queues.first().map_or(0, |q| q.needs.words().len());
        let queues_fit =
            queues.is_sorted_by(|a, b| a.name < b.name) && queues.iter().all(|q| q.needs.words().len() == width);
        let agents_fit =
            agents.is_sorted_by(|a, b| a.number < b.number) && agents.iter().all(|a| a.can.words().len() == width);
        if !queues_fit || !agents_fit {
            return Err("saved distributor: queues or agents are out of order or of different widths".into());
        }
        let lost = |call: &&Call| match call.place {
            Place::With(AgentIx(ix)) => ix as usize >= agents.len() || call.queue.0 as usize >= queues.len(),
            Place::Waiting => call.queue.0 as usize >= queues.len(),
        };
        if let Some(call) = calls.iter().find(lost) {
            return Err(format!("saved distributor: {:?} has no such queue or agent", call.order.call));
        }
        let calls = calls.into_iter().map(|call| (call.order.call, call)).collect();
        let acd = Acd::from_state(queues, agents, calls, lost_seats, outputs);
        acd.check().map_err(|problem| format!("saved distributor: {problem}"))?;
        Ok(acd)
    }
}

impl Acd {
    pub(super) fn from_state(
        queues: Vec<Queue>,
        agents: Vec<Agent>,
        calls: BTreeMap<CallId, Call>,
        lost_seats: BTreeSet<SeatNo>,
        outputs: VecDeque<AcdOutput>,
    ) -> Acd {
        let index = Index::build(&queues, &agents, calls.values());
        Acd { queues, agents, calls, lost_seats, outputs, index }
    }
}
