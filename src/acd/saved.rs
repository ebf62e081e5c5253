//! The distributor as bytes: its state without the index, which is built anew on restore. Bytes that do not add up
//! are refused instead of believed.

use super::Acd;
use super::agent::{Agent, AgentIx, Duty};
use super::index::Index;
use super::pace::Pace;
use super::port::AcdOutput;
use super::queue::{Call, Place, Queue, QueueIx};
use super::skill::Requirements;
use crate::config::settings::{DistributorSettings, QueueSettings};
use crate::ids::{CallId, SeatNo};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[derive(Serialize, Deserialize)]
pub(super) struct Saved {
    rules: DistributorSettings,
    queues: Vec<(QueueSettings, Pace)>,
    agents: Vec<Agent>,
    calls: Vec<Call>,
    lost_seats: BTreeSet<SeatNo>,
    engaged_seats: BTreeSet<SeatNo>,
    rests_until: Option<Instant>,
    outputs: VecDeque<AcdOutput>,
}

impl From<Acd> for Saved {
    fn from(acd: Acd) -> Saved {
        let Acd { rules, queues, agents, calls, lost_seats, engaged_seats, rests_until, outputs, .. } = acd;
        let queues = queues.into_iter().map(|queue| (queue.settings, queue.pace)).collect();
        let calls = calls.into_values().collect();
        Saved { rules, queues, agents, calls, lost_seats, engaged_seats, rests_until, outputs }
    }
}

impl TryFrom<Saved> for Acd {
    type Error = String;

    fn try_from(saved: Saved) -> Result<Acd, String> {
        let Saved { rules, queues, mut agents, calls, lost_seats, engaged_seats, rests_until, outputs } = saved;
        if !queues.is_sorted_by(|(a, _), (b, _)| a.name < b.name)
            || !agents.is_sorted_by(|a, b| a.number() < b.number())
        {
            return Err("saved distributor: queues or agents are out of order".into());
        }
        let requirements = Requirements::of(queues.iter().map(|(settings, _)| settings), &rules);
        let queues = Queue::all(queues, &requirements);
        for agent in &mut agents {
            agent.ability = requirements.ability(&agent.settings.skills);
        }
        let no_queue = |ix: QueueIx| ix.0 as usize >= queues.len();
        let no_agent = |place| matches!(place, Place::With(AgentIx(ix)) if ix as usize >= agents.len());
        let lost = |call: &&Call| {
            no_queue(call.queue)
                || no_agent(call.place)
                || usize::from(call.step) >= queues[call.queue.0 as usize].steps.len()
        };
        if let Some(call) = calls.iter().find(lost) {
            return Err(format!("saved distributor: {:?} has no such queue, step or agent", call.order.call));
        }
        let wraps_up = |agent: &&Agent| matches!(agent.duty(), Some(Duty::WrapUp { queue, .. }) if no_queue(*queue));
        if let Some(agent) = agents.iter().find(wraps_up) {
            return Err(format!("saved distributor: {} is in wrap-up of no queue", agent.number()));
        }
        let calls: BTreeMap<CallId, Call> = calls.into_iter().map(|call| (call.order.call, call)).collect();
        let index = Index::build(&requirements, &queues, &agents, calls.values());
        let acd =
            Acd { rules, requirements, queues, agents, calls, lost_seats, engaged_seats, rests_until, outputs, index };
        acd.check().map_err(|problem| format!("saved distributor: {problem}"))?;
        Ok(acd)
    }
}
