//! Settings of the distributor's side: queues, agents, and the rules between them.

use crate::ids::{AgentNo, QueueName, Skill};
use crate::plane::PromptId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueueSettings {
    pub name: QueueName,
    /// Called numbers (any alias form; compared after normalisation) that lead here: short for a line of its own.
    pub numbers: BTreeSet<String>,
    /// The leading skill, by which figures are kept, and its minimum level (1-10).
    pub skill: Skill,
    pub min_level: u8,
    /// Further skills needed beside the leading one, with minimum levels.
    pub also: BTreeMap<Skill, u8>,
    /// Whom else the queue accepts as a caller waits on; in the order of `after`.
    pub relax: Vec<Relaxation>,
    /// 0 is served first.
    pub priority: u8,
    pub strategy: Strategy,
    /// The agent who served this caller last is chosen first, if ready.
    pub prefer_last_agent: bool,
    /// N of "answered within N seconds".
    pub within: Duration,
    pub short_abandon: Duration,
    pub max_waiting: u32,
    /// Waiting longer than this ends in `QueueTimeout`; `None` waits for ever.
    pub max_wait: Option<Duration>,
    pub overflow: Option<Overflow>,
    /// How long a seat rings before the offer ends.
    pub ring_timeout: Duration,
    pub rona: Rona,
    pub wrap_up: Duration,
    /// By how much an agent's request lengthens the wrap-up.
    pub wrap_up_extension: Duration,
    pub greeting: Option<PromptId>,
    pub music: PromptId,
    /// Announce 工号 to the caller at pickup.
    pub announce_agent: bool,
    /// BCP 47; also the language of announcements. `None`: zh-CN.
    pub language: Option<String>,
    pub announce: Announce,
    pub callback: Option<CallbackOffer>,
    pub test: bool,
}

/// From `after` on (counted from entering the queue) agents with these skills are accepted too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relaxation {
    pub after: Duration,
    /// All of these, at these levels or better.
    pub skills: BTreeMap<Skill, u8>,
    /// May take agents whom a reserve keeps for others.
    pub use_reserve: bool,
    /// Whoever is reached by this step needs an interpreter in a three-way call.
    pub interpreter: bool,
}

/// Which of the agents who can take a call gets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Strategy {
    #[default]
    LongestIdle,
    /// The smallest share of time on calls and wrap-up since signing in.
    LeastOccupied,
    /// The highest level in the queue's leading skill.
    MostSkilled,
}

/// Pass the caller to `queue`, the place in the order kept: when this queue is full or nobody at all has its skills,
/// and after a time of waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overflow {
    pub queue: QueueName,
    pub after: Option<Duration>,
}

/// What happens to an agent whose phone rang out (redirect on no answer).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rona {
    #[default]
    NotReady,
    /// Stays ready for so many missed offers in a row; the one after them makes not ready.
    Tolerate(u8),
    SignOut,
}

/// What is said to those who wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announce {
    /// `None`: nothing is announced.
    pub every: Option<Duration>,
    pub position: bool,
    pub estimate: bool,
}

/// Who waits is offered to be called back, the place kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackOffer {
    /// First offered after so long a wait, then with every announcement.
    pub after: Duration,
    /// The key that accepts it.
    pub key: char,
    /// Hanging up after the offer was heard accepts it too.
    pub on_hang_up: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentSettings {
    pub number: AgentNo,
    /// Skill -> level 1-10.
    pub skills: BTreeMap<Skill, u8>,
    pub team: Option<String>,
    /// Names of `[[shifts]]`; empty: any time.
    pub shifts: BTreeSet<String>,
    /// Shown on views and reports; may force other agents' states.
    pub leader: bool,
    /// Sits in for a reception day: admitted only within `[from, until)`, seconds of UNIX time.
    pub guest: Option<(u64, u64)>,
}

/// Rules over all queues.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DistributorSettings {
    /// One step of priority is worth so much waiting. Never zero.
    pub ageing: Duration,
    /// Skill -> how many ready agents who have it are kept for calls that need a reserved skill.
    pub reserve: BTreeMap<Skill, u32>,
}

impl Default for DistributorSettings {
    fn default() -> Self {
        DistributorSettings { ageing: Duration::from_secs(60), reserve: BTreeMap::new() }
    }
}

impl QueueSettings {
    /// GB/T 33358-2016: answered within 15 s. The other times are the hotline's habit.
    pub fn new(name: &str, skill: &str) -> QueueSettings {
        QueueSettings {
            name: QueueName::new(name),
            numbers: BTreeSet::new(),
            skill: Skill::new(skill),
            min_level: 1,
            also: BTreeMap::new(),
            relax: vec![],
            priority: 5,
            strategy: Strategy::default(),
            prefer_last_agent: false,
            within: Duration::from_secs(15),
            short_abandon: Duration::from_secs(5),
            max_waiting: 200,
            max_wait: None,
            overflow: None,
            ring_timeout: Duration::from_secs(20),
            rona: Rona::default(),
            wrap_up: Duration::from_secs(30),
            wrap_up_extension: Duration::from_secs(30),
            greeting: None,
            music: "music".into(),
            announce_agent: true,
            language: None,
            announce: Announce::default(),
            callback: None,
            test: false,
        }
    }

    /// All steps of the requirement, the first at once.
    pub fn steps(&self) -> Vec<Relaxation> {
        let mut skills = self.also.clone();
        skills.insert(self.skill.clone(), self.min_level);
        let first = Relaxation { after: Duration::ZERO, skills, use_reserve: false, interpreter: false };
        std::iter::once(first).chain(self.relax.iter().cloned()).collect()
    }
}

impl AgentSettings {
    pub fn new<'a>(number: impl AsRef<str>, skills: impl IntoIterator<Item = (&'a str, u8)>) -> AgentSettings {
        AgentSettings {
            number: AgentNo::new(number),
            skills: skills.into_iter().map(|(skill, level)| (Skill::new(skill), level)).collect(),
            team: None,
            shifts: BTreeSet::new(),
            leader: false,
            guest: None,
        }
    }

    /// Has every one of these skills, at these levels or better.
    pub fn meets(&self, skills: &BTreeMap<Skill, u8>) -> bool {
        skills.iter().all(|(skill, level)| self.skills.get(skill).is_some_and(|has| has >= level))
    }
}
