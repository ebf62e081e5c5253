//! Skills with levels, reduced to what matching needs: each distinct requirement is a *class*, and what an agent can do
//! is the set of classes they meet. Matching then never looks at names or levels again.

use crate::config::settings::{DistributorSettings, QueueSettings, Relaxation};
use crate::ids::Skill;
use std::collections::{BTreeMap, BTreeSet};

/// A set of classes as bits. All sets of one distributor have the same width.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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

    pub fn words_mut(&mut self) -> &mut [u64] {
        &mut self.0
    }

    /// The classes by number.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        let bits = |word: u64| (0..64).filter(move |bit| word >> bit & 1 == 1);
        self.0.iter().enumerate().flat_map(move |(at, word)| bits(*word).map(move |bit| at * 64 + bit))
    }
}

pub(super) fn shares(a: &[u64], b: &[u64]) -> bool {
    a.iter().zip(b).any(|(a, b)| a & b != 0)
}

/// All that matters about an agent's skills.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ability {
    /// The classes of calls this agent can take.
    pub can: ClassSet,
    /// Their reserved skills, as places in [`Requirements::reserved`].
    pub rare: Vec<u16>,
}

/// The distinct requirements of all steps of all queues; a requirement's place is its class.
#[derive(Clone, Debug)]
pub(super) struct Requirements {
    classes: Vec<Requirement>,
    /// Skills whose speakers are last in choice, and how many ready ones are kept; none is, of those with 0.
    pub reserved: Vec<(Skill, u32)>,
    /// Classes whose calls may take even an agent who is kept back.
    pub exempt: ClassSet,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Requirement {
    /// All of these, at these levels or better.
    skills: BTreeMap<Skill, u8>,
    use_reserve: bool,
}

impl Requirement {
    fn of(step: &Relaxation) -> Requirement {
        Requirement { skills: step.skills.clone(), use_reserve: step.use_reserve }
    }
}

impl Requirements {
    pub fn of<'a>(queues: impl Iterator<Item = &'a QueueSettings>, rules: &DistributorSettings) -> Requirements {
        let distinct: BTreeSet<_> = queues.flat_map(|q| q.steps()).map(|step| Requirement::of(&step)).collect();
        let mut requirements = Requirements {
            classes: distinct.into_iter().collect(),
            reserved: rules.reserve.iter().map(|(skill, keep)| (skill.clone(), *keep)).collect(),
            exempt: ClassSet::default(),
        };
        let kept = || requirements.reserved.iter().filter(|(_, keep)| *keep > 0);
        let names_reserved = |r: &Requirement| kept().any(|(skill, _)| r.skills.contains_key(skill));
        requirements.exempt = requirements.classes_where(|r| r.use_reserve || names_reserved(r));
        requirements
    }

    /// Words of the class sets.
    pub fn width(&self) -> usize {
        self.classes.len().div_ceil(64)
    }

    pub fn count(&self) -> usize {
        self.classes.len()
    }

    /// The class of this step.
    pub fn class(&self, step: &Relaxation) -> ClassSet {
        let this = Requirement::of(step);
        self.classes_where(|requirement| *requirement == this)
    }

    /// What somebody with these skills can do.
    pub fn ability(&self, skills: &BTreeMap<Skill, u8>) -> Ability {
        let has = |(skill, level): (&Skill, &u8)| skills.get(skill).is_some_and(|mine| mine >= level);
        let reserved = self.reserved.iter().enumerate();
        Ability {
            can: self.classes_where(|requirement| requirement.skills.iter().all(has)),
            rare: reserved.filter(|(_, (skill, _))| skills.contains_key(skill)).map(|(at, _)| at as u16).collect(),
        }
    }

    fn classes_where(&self, holds: impl Fn(&Requirement) -> bool) -> ClassSet {
        let mut set = ClassSet::empty(self.width());
        for (class, _) in self.classes.iter().enumerate().filter(|(_, requirement)| holds(requirement)) {
            set.0[class / 64] |= 1 << (class % 64);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_met_by_its_level_or_a_better_one_in_every_skill() {
        let both =
            QueueSettings { also: [("tax".into(), 3)].into(), min_level: 5, ..QueueSettings::new("b", "english") };
        let english = QueueSettings { min_level: 8, ..QueueSettings::new("a", "english") };
        let queues = [both, english, QueueSettings::new("c", "mandarin")];
        let all = Requirements::of(queues.iter(), &DistributorSettings::default());
        // In order: english 5 and tax 3, english 8, mandarin 1.
        let met = |skills: &[(&str, u8)]| {
            let skills = skills.iter().map(|(skill, level)| (Skill::new(skill), *level)).collect();
            all.ability(&skills).can.iter().collect::<Vec<_>>()
        };
        assert_eq!(all.class(&queues[1].steps()[0]).iter().collect::<Vec<_>>(), [1]);
        assert_eq!(met(&[("english", 7)]), [0usize; 0]);
        assert_eq!(met(&[("english", 5), ("tax", 3)]), [0]);
        assert_eq!(met(&[("english", 10), ("tax", 2)]), [1]);
        assert_eq!(met(&[("english", 8), ("tax", 9), ("mandarin", 1)]), [0, 1, 2]);
    }

    #[test]
    fn a_step_that_names_a_reserved_skill_or_uses_the_reserve_takes_anybody() {
        let step = |skills: &[(&str, u8)], use_reserve| Relaxation {
            after: Default::default(),
            skills: skills.iter().map(|(skill, level)| (Skill::new(skill), *level)).collect(),
            use_reserve,
            interpreter: false,
        };
        let with = |skill| step(&[("mandarin", 1), (skill, 1)], false);
        let relax = vec![step(&[("mandarin", 1)], true), with("english"), with("korean")];
        let queue = QueueSettings { relax, ..QueueSettings::new("hotline", "mandarin") };
        let reserve = [("english".into(), 1), ("korean".into(), 0)].into();
        let all = Requirements::of([&queue].into_iter(), &DistributorSettings { reserve, ..Default::default() });
        let exempt: Vec<_> = queue.steps().iter().map(|step| all.exempt.shares(&all.class(step))).collect();
        // Of Korean none is kept, so its callers use no reserve either.
        assert_eq!(exempt, [false, true, true, false]);
        let rare = |skill: &str| all.ability(&[(Skill::new(skill), 1)].into()).rare;
        assert_eq!((rare("english"), rare("korean")), (vec![0], vec![1]));
    }
}
