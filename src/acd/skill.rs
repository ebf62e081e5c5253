//! Skills with levels, reduced to what matching needs: each distinct requirement is a *class*, and what an agent can do
//! is the set of classes they meet. Matching then never looks at names or levels again.

use crate::config::settings::QueueSettings;
use crate::ids::Skill;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A set of classes as bits. All sets of one distributor have the same width.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ClassSet(Vec<u64>);

impl ClassSet {
    pub fn empty(words: usize) -> ClassSet {
        ClassSet(vec![0; words])
    }

    pub fn add(&mut self, other: &ClassSet) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine |= theirs;
        }
    }

    pub fn shares(&self, other: &ClassSet) -> bool {
        shares(&self.0, &other.0)
    }

    pub fn words(&self) -> &[u64] {
        &self.0
    }
}

pub(super) fn shares(a: &[u64], b: &[u64]) -> bool {
    a.iter().zip(b).any(|(a, b)| a & b != 0)
}

/// The distinct requirements of all queues; a requirement's place is its class.
pub(super) struct Requirements(Vec<(Skill, u8)>);

impl Requirements {
    pub fn of(queues: &[QueueSettings]) -> Requirements {
        let distinct: BTreeSet<_> = queues.iter().map(|q| (q.skill.clone(), q.min_level)).collect();
        Requirements(distinct.into_iter().collect())
    }

    /// The class of "`skill` at `min_level` or better".
    pub fn class(&self, skill: &Skill, min_level: u8) -> ClassSet {
        self.classes_where(|(s, level)| s == skill && *level == min_level)
    }

    /// The classes of calls which somebody with these skills can take.
    pub fn met_by(&self, skills: &BTreeMap<Skill, u8>) -> ClassSet {
        self.classes_where(|(skill, min_level)| skills.get(skill).is_some_and(|level| level >= min_level))
    }

    fn classes_where(&self, holds: impl Fn(&(Skill, u8)) -> bool) -> ClassSet {
        let mut words = vec![0; self.0.len().div_ceil(64)];
        for (class, _) in self.0.iter().enumerate().filter(|(_, requirement)| holds(requirement)) {
            words[class / 64] |= 1 << (class % 64);
        }
        ClassSet(words)
    }
}

#[cfg(test)]
impl FromIterator<(Skill, u8)> for Requirements {
    fn from_iter<I: IntoIterator<Item = (Skill, u8)>>(all: I) -> Requirements {
        Requirements(all.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_met_by_its_level_or_a_better_one() {
        let (english, mandarin) = (Skill::new("english"), Skill::new("mandarin"));
        let all = Requirements(vec![(english.clone(), 5), (english.clone(), 8), (mandarin.clone(), 1)]);
        assert_eq!(all.class(&english, 8).words(), [0b010]);
        let met = |level| all.met_by(&BTreeMap::from([(english.clone(), level)])).words()[0];
        assert_eq!([met(4), met(5), met(7), met(8), met(10)], [0b000, 0b001, 0b001, 0b011, 0b011]);
    }
}
