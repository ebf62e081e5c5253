//! Which of the ready agents who can take a call gets it: one strategy per file, each a pure ranking.
//! Not here: who can take what (`skill`), which call is served next (`order`).

mod longest_idle;

use super::agent::AgentIx;
use super::first_fit::FirstFit;
use super::skill::ClassSet;
use crate::time::Instant;

/// Lower gets the call first; the roster index (so, the agent's number) decides between equals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub merit: u64,
    pub agent: AgentIx,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Strategy {
    #[default]
    LongestIdle,
}

impl Strategy {
    fn rank(self, agent: AgentIx, idle_since: Instant) -> Rank {
        match self {
            Strategy::LongestIdle => longest_idle::rank(agent, idle_since),
        }
    }
}

/// The ready agents in the order of a strategy. An agent's rank may not change while they are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReadyAgents {
    strategy: Strategy,
    ranked: FirstFit<Rank>,
}

impl ReadyAgents {
    /// `width`: words of the class sets.
    pub fn new(strategy: Strategy, width: usize) -> ReadyAgents {
        ReadyAgents { strategy, ranked: FirstFit::new(width) }
    }

    pub fn add(&mut self, agent: AgentIx, idle_since: Instant, can: &ClassSet) {
        self.ranked.insert(self.strategy.rank(agent, idle_since), can.words());
    }

    pub fn remove(&mut self, agent: AgentIx, idle_since: Instant) {
        self.ranked.remove(&self.strategy.rank(agent, idle_since));
    }

    /// The agent who gets a call with these needs.
    pub fn choose(&self, needs: &ClassSet) -> Option<AgentIx> {
        self.ranked.first_sharing(needs.words()).map(|rank| rank.agent)
    }

    /// All classes for which somebody is ready.
    pub fn classes(&self) -> &[u64] {
        self.ranked.union()
    }
}
