//! The ready agents, ranked, each under the classes of calls they may get now. Here the reserve is kept: an agent who is
//! kept back is filed without the classes that neither name a reserved skill nor use the reserve.
//! Not here: what makes a good rank (`policy`), who is ready (the agents' duties; this is part of the index).

use super::agent::{Agent, AgentIx};
use super::first_fit::FirstFit;
use super::policy::{Rank, Ranking};
use super::skill::{Ability, ClassSet, Requirements, shares};
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReadyAgents {
    rankings: Vec<Ranked>,
    reserves: Vec<Reserve>,
    exempt: ClassSet,
    /// All classes for which somebody is ready.
    open: ClassSet,
    /// Empty but while an agent is being filed.
    scratch: Vec<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Ranked {
    ranking: Ranking,
    /// The classes of the queues that use this ranking; nobody else needs to be in it.
    serves: ClassSet,
    agents: FirstFit<Rank>,
}

/// One reserved skill.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reserve {
    keep: usize,
    /// The ready agents who have it.
    ready: BTreeSet<AgentIx>,
}

impl Reserve {
    /// Never where none is kept.
    fn is_short(&self) -> bool {
        self.keep > 0 && self.ready.len() <= self.keep
    }
}

impl ReadyAgents {
    /// `rankings`: each with the classes of the queues that use it.
    pub fn new(rankings: impl Iterator<Item = (Ranking, ClassSet)>, requirements: &Requirements) -> ReadyAgents {
        let width = requirements.width();
        let ranked = |(ranking, serves)| Ranked { ranking, serves, agents: FirstFit::new(width) };
        let reserve = |keep: u32| Reserve { keep: keep as usize, ready: BTreeSet::new() };
        ReadyAgents {
            rankings: rankings.map(ranked).collect(),
            reserves: requirements.reserved.iter().map(|(_, keep)| reserve(*keep)).collect(),
            exempt: requirements.exempt.clone(),
            open: ClassSet::empty(width),
            scratch: Vec::new(),
        }
    }

    /// Files an agent who is ready. `O(log n)`, and as much again for each of the few kept back with them so far.
    pub fn add(&mut self, ix: AgentIx, agents: &[Agent]) {
        let rare = &agents[ix.0 as usize].ability.rare;
        for &skill in rare {
            let reserve = &mut self.reserves[skill as usize];
            let was_short = reserve.is_short();
            reserve.ready.insert(ix);
            if was_short && !reserve.is_short() {
                self.refile(skill, ix, agents);
            }
        }
        self.file(ix, agents);
        self.sum();
    }

    /// Takes out an agent who still is ready.
    pub fn remove(&mut self, ix: AgentIx, agents: &[Agent]) {
        let agent = &agents[ix.0 as usize];
        let Some(idle_since) = agent.idle_since() else { return };
        for Ranked { ranking, agents, .. } in &mut self.rankings {
            agents.remove(&ranking.rank(ix, agent, idle_since));
        }
        for &skill in &agent.ability.rare {
            let reserve = &mut self.reserves[skill as usize];
            let was_short = reserve.is_short();
            reserve.ready.remove(&ix);
            if !was_short && reserve.is_short() {
                self.refile(skill, ix, agents);
            }
        }
        self.sum();
    }

    /// The first in a ranking who may take a call of these classes.
    pub fn choose(&self, ranking: usize, needs: &ClassSet) -> Option<AgentIx> {
        self.rankings[ranking].agents.first_sharing(needs.words()).map(|rank| rank.agent)
    }

    /// May this agent get a call of these classes now?
    pub fn may_take(&self, agent: &Agent, needs: &ClassSet) -> bool {
        if agent.idle_since().is_none() {
            return false;
        }
        let can = agent.ability.can.words();
        if self.keeps_back(&agent.ability) {
            let exempt = self.exempt.words();
            can.iter().zip(exempt).zip(needs.words()).any(|((can, exempt), needs)| can & exempt & needs != 0)
        } else {
            shares(can, needs.words())
        }
    }

    /// All classes for which somebody is ready.
    pub fn classes(&self) -> &[u64] {
        self.open.words()
    }

    /// Who is filed in a ranking, under which classes.
    pub fn iter(&self, ranking: usize) -> impl Iterator<Item = (AgentIx, &[u64])> {
        self.rankings[ranking].agents.iter().map(|(rank, classes)| (rank.agent, classes))
    }

    fn keeps_back(&self, ability: &Ability) -> bool {
        ability.rare.iter().any(|skill| self.reserves[*skill as usize].is_short())
    }

    /// The reserve of `skill` has become short or ceased to be: as many agents as are kept, no more, are filed anew.
    fn refile(&mut self, skill: u16, but: AgentIx, agents: &[Agent]) {
        let others: Vec<AgentIx> =
            self.reserves[skill as usize].ready.iter().copied().filter(|ix| *ix != but).collect();
        for ix in others {
            self.file(ix, agents);
        }
    }

    /// Files under the classes of now, whether filed already or not.
    fn file(&mut self, ix: AgentIx, agents: &[Agent]) {
        let agent = &agents[ix.0 as usize];
        let Some(idle_since) = agent.idle_since() else { return };
        let kept = self.keeps_back(&agent.ability);
        for Ranked { ranking, serves, agents } in &mut self.rankings {
            let served = agent.ability.can.words().iter().zip(serves.words()).map(|(can, serves)| can & serves);
            match kept {
                true => self.scratch.extend(served.zip(self.exempt.words()).map(|(class, exempt)| class & exempt)),
                false => self.scratch.extend(served),
            }
            let rank = ranking.rank(ix, agent, idle_since);
            match self.scratch.iter().all(|word| *word == 0) {
                true => agents.remove(&rank),
                false => agents.insert(rank, &self.scratch),
            }
            self.scratch.clear();
        }
    }

    fn sum(&mut self) {
        let open = self.open.words_mut();
        open.fill(0);
        for ranked in &self.rankings {
            // An empty ranking has an empty union.
            open.iter_mut().zip(ranked.agents.union()).for_each(|(open, union)| *open |= union);
        }
    }
}
