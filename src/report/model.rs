//! A report as numbers. Belongs here: what it is made of. Not here: counting (`gather`), words and layout (`tables`,
//! `text`, `html`).

use super::compliance::Rule;
use super::period::Period;
use crate::config::settings::{ReportSettings, Settings};
use crate::ids::{AgentNo, QueueName, Skill, TrunkName};
use crate::record::STATES;
use crate::sla::{Part, Window};
use crate::store::facts::{Coverage, Mark};
use crate::time::Instant;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the figures are measured against.
#[derive(Clone, Debug)]
pub struct Terms {
    pub report: ReportSettings,
    pub utc_offset: i16,
    /// N of each queue; another's is [`STANDARD`].
    pub within: BTreeMap<QueueName, Duration>,
    /// Of each agent of the configuration; empty without one.
    pub skills: BTreeMap<AgentNo, BTreeSet<Skill>>,
    /// Skills that queues ask for.
    pub asked_for: BTreeSet<Skill>,
}

/// GB/T 33358-2016.
pub const STANDARD: Duration = Duration::from_secs(15);

impl Terms {
    /// Without a configuration.
    pub fn usual() -> Terms {
        let (within, skills, asked_for) = Default::default();
        Terms { report: ReportSettings::default(), utc_offset: 480, within, skills, asked_for }
    }

    pub fn of(settings: &Settings) -> Terms {
        let core = &settings.core;
        Terms {
            report: settings.world.report.clone(),
            utc_offset: core.utc_offset,
            within: core.queues.iter().map(|q| (q.name.clone(), q.within)).collect(),
            skills: core.agents.iter().map(|a| (a.number.clone(), a.skills.keys().cloned().collect())).collect(),
            asked_for: core.queues.iter().map(|q| q.skill.clone()).collect(),
        }
    }

    pub fn within(&self, queue: Option<&QueueName>) -> Duration {
        queue.and_then(|queue| self.within.get(queue)).copied().unwrap_or(STANDARD)
    }

    /// N, if all queues share one.
    pub fn one_within(&self) -> Option<Duration> {
        let mut all = self.within.values();
        let first = *all.next().unwrap_or(&STANDARD);
        all.all(|within| *within == first).then_some(first)
    }
}

#[derive(Clone, Debug)]
pub struct Report {
    pub terms: Terms,
    pub period: Period,
    pub data: Data,
    pub total: Part,
    /// By the half hour of the day, all days of the period together.
    pub half_hours: Vec<Slot>,
    pub hours: Vec<Part>,
    pub days: Vec<Day>,
    /// With the standard's own N, whatever the queues have.
    pub fifteen: Part,
    pub queues: BTreeMap<QueueName, Part>,
    pub skills: BTreeMap<Skill, Part>,
    pub trunks: BTreeMap<TrunkName, Part>,
    pub tenants: BTreeMap<String, Part>,
    pub agents: BTreeMap<AgentNo, AgentRow>,
    /// Of all windows of 24 hours that end in the period, as far as the record goes back.
    pub worst: Option<Window>,
    /// Quarters of an hour of the period that are known, and those with an agent signed in.
    pub quarters: u64,
    pub staffed: u64,
    pub missed: Missed,
    pub emergencies: u64,
    pub rules: Vec<Rule>,
}

/// What the numbers stand on.
#[derive(Clone, Debug)]
pub struct Data {
    pub coverage: Coverage,
    /// Within the period.
    pub marks: Vec<Mark>,
}

impl Data {
    /// Events that the log lacks, as far as it knows.
    pub fn missing(&self) -> u64 {
        use crate::store::facts::MarkKind::*;
        let missing = |mark: &Mark| match mark.kind {
            Gap(missed) | Unknown(missed) | Pruned(missed) => missed,
            Start | Replaced => 0,
        };
        self.marks.iter().map(missing).sum()
    }

    pub fn starts(&self) -> usize {
        self.marks.iter().filter(|mark| mark.kind == crate::store::facts::MarkKind::Start).count()
    }

    /// Only a part of the period is known.
    pub fn is_partial(&self, period: Period) -> bool {
        self.coverage.first > period.from() || self.coverage.last < period.until()
    }

    /// Is every moment of the 24 hours before this one known?
    pub fn reaches_back(&self, ends: Instant) -> bool {
        self.coverage.first + crate::sla::WINDOW <= ends
    }
}

#[derive(Clone, Debug)]
pub struct Slot {
    pub part: Part,
    pub staff: Staff,
}

#[derive(Clone, Debug)]
pub struct Day {
    pub date: Date,
    pub part: Part,
    pub staff: Staff,
    pub worst: Option<Window>,
}

/// Time by state, in the order of [`STATES`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Staff(pub [Duration; STATES.len()]);

impl Staff {
    pub fn add(&mut self, state: crate::event::AgentState, time: Duration) {
        if let Some(index) = STATES.iter().position(|(known, _)| *known == state) {
            self.0[index] += time;
        }
    }

    fn of(&self, words: &[&str]) -> Duration {
        STATES.iter().zip(self.0).filter(|((_, word), _)| words.contains(word)).map(|(_, time)| time).sum()
    }

    /// Signed in.
    pub fn signed_in(&self) -> Duration {
        self.0.iter().sum()
    }

    pub fn ready(&self) -> Duration {
        self.of(&["ready"])
    }

    pub fn handling(&self) -> Duration {
        self.of(&["talking", "hold", "wrap_up"])
    }

    pub fn on_break(&self) -> Duration {
        self.of(&["not_ready_break"])
    }

    pub fn not_ready(&self) -> Duration {
        let rest = ["ready", "reserved", "talking", "hold", "wrap_up", "engaged"];
        self.signed_in() - self.of(&rest)
    }

    /// Handle / (handle + idle).
    pub fn occupancy(&self) -> Option<f64> {
        let (handle, idle) = (self.handling().as_secs_f64(), self.ready().as_secs_f64());
        (handle + idle > 0.0).then(|| handle / (handle + idle))
    }
}

/// What an agent did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AgentRow {
    /// Citizens' calls picked up.
    pub calls: u64,
    /// Of those, over.
    pub talks: u64,
    /// Includes hold.
    pub talk: Duration,
    pub hold: Duration,
    pub wrap_up: Duration,
    pub passed_on: u64,
    /// Calls of ours to citizens.
    pub back: u64,
    /// The agent's own.
    pub own: u64,
    pub offered: u64,
    /// 未应答: rang out.
    pub missed: u64,
    /// Refused or busy.
    pub declined: u64,
    /// Could not be rung.
    pub unreachable: u64,
    pub staff: Staff,
}

impl AgentRow {
    /// AHT: (talk with hold + wrap-up) / talks.
    pub fn handle_time(&self) -> Option<f64> {
        (self.talks > 0).then(|| (self.talk + self.wrap_up).as_secs_f64() / self.talks as f64)
    }
}

/// 漏接: citizens whose request nobody answered, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missed {
    /// Numbers that are known.
    pub callers: u64,
    /// Got through later, or were reached by a call of ours.
    pub served: u64,
    /// Were called back in vain.
    pub tried: u64,
}
