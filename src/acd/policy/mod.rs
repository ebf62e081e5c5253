//! Which of the ready agents who can take a call gets it: one strategy per file, each a pure merit.
//! Not here: who can take what (`skill`), keeping the ready in order (`ready`), which call is served next (`order`).

mod least_occupied;
mod longest_idle;
mod most_skilled;

use super::agent::{Agent, AgentIx};
use crate::config::settings::{QueueSettings, Strategy};
use crate::ids::Skill;
use crate::time::Instant;
use std::collections::BTreeSet;

/// Lower gets the call first; the fields' order is the rule. Whoever has the fewest reserved skills, kept or
/// not, goes first whatever the strategy, so that Mandarin reaches the language seats last; the place in the roster (so, the agent's number)
/// decides between equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    rare: u32,
    merit: u32,
    idle_since: Instant,
    pub agent: AgentIx,
}

/// A strategy, and over which skill if it ranks by one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ranking {
    LongestIdle,
    LeastOccupied,
    MostSkilled(Skill),
}

impl Ranking {
    pub fn of(queue: &QueueSettings) -> Ranking {
        match queue.strategy {
            Strategy::LongestIdle => Ranking::LongestIdle,
            Strategy::LeastOccupied => Ranking::LeastOccupied,
            Strategy::MostSkilled => Ranking::MostSkilled(queue.skill.clone()),
        }
    }

    /// Of an agent who is ready since `idle_since`.
    pub fn rank(&self, ix: AgentIx, agent: &Agent, idle_since: Instant) -> Rank {
        let merit = match self {
            Ranking::LongestIdle => longest_idle::merit(),
            Ranking::LeastOccupied => least_occupied::merit(&agent.work),
            Ranking::MostSkilled(skill) => most_skilled::merit(&agent.settings.skills, skill),
        };
        Rank { rare: agent.ability.rare.len() as u32, merit, idle_since, agent: ix }
    }
}

/// The rankings some queue uses: only these are kept.
pub(super) fn in_use<'a>(queues: impl Iterator<Item = &'a QueueSettings>) -> Vec<Ranking> {
    queues.map(Ranking::of).collect::<BTreeSet<_>>().into_iter().collect()
}
