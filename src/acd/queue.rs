//! One queue as the distributor needs it, and one call in it. Not here: the order (`order`), who may serve (`skill`).

use super::agent::AgentIx;
use super::order::Order;
use super::pace::Pace;
use super::policy::{self, Ranking};
use super::port::Waits;
use super::skill::{ClassSet, Requirements};
use crate::config::settings::{QueueSettings, Relaxation};
use crate::ids::{AgentNo, QueueName};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct QueueIx(pub u32);

#[derive(Clone, Debug)]
pub(super) struct Queue {
    pub settings: QueueSettings,
    /// Never empty; in the order of `after`.
    pub steps: Vec<Step>,
    /// Place of its ranking among those in use.
    pub ranking: usize,
    pub pace: Pace,
}

/// One step of the requirement.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Counted from entering the queue.
    pub after: Duration,
    /// The class of this step.
    pub needs: ClassSet,
    /// The classes of this step and of all before it.
    pub accepts: ClassSet,
    pub interpreter: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Call {
    pub queue: QueueIx,
    pub order: Order,
    /// The original request for a human.
    pub since: Instant,
    /// Limits and steps count from here: a caller passed on after a long talk has not waited all that time.
    pub entered: Instant,
    /// The last step reached while in line.
    pub step: u8,
    pub preferred: Option<AgentNo>,
    pub waits: Waits,
    pub overflow_said: bool,
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    Waiting,
    /// Offered to this agent or talking: the agent's duty says which.
    With(AgentIx),
}

impl Queue {
    /// Sorted by name; of two of one name the first counts.
    pub fn all(mut queues: Vec<(QueueSettings, Pace)>, requirements: &Requirements) -> Vec<Queue> {
        queues.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        queues.dedup_by(|(later, _), (first, _)| later.name == first.name);
        let rankings = policy::in_use(queues.iter().map(|(settings, _)| settings));
        let one = |(settings, pace): (QueueSettings, Pace)| {
            let ranking = Ranking::of(&settings);
            Queue {
                steps: steps(&settings, requirements),
                ranking: rankings.iter().position(|r| *r == ranking).unwrap_or_default(),
                settings,
                pace,
            }
        };
        queues.into_iter().map(one).collect()
    }

    pub fn name(&self) -> &QueueName {
        &self.settings.name
    }

    pub fn step(&self, step: u8) -> &Step {
        &self.steps[step as usize]
    }

    /// The steps that count for a call which has reached `step`.
    pub fn reached(&self, step: u8) -> &[Step] {
        &self.steps[..=step as usize]
    }

    /// Whom a caller may get on entering; and whom by the last step.
    pub fn at_first(&self) -> &ClassSet {
        let later = self.steps.iter().position(|step| !step.after.is_zero()).unwrap_or(self.steps.len());
        &self.steps[later.max(1) - 1].accepts
    }

    pub fn at_last(&self) -> &ClassSet {
        &self.steps[self.steps.len() - 1].accepts
    }
}

/// A step's number is a byte: what a configuration says beyond that is never reached.
const MOST_STEPS: usize = 1 << u8::BITS;

fn steps(settings: &QueueSettings, requirements: &Requirements) -> Vec<Step> {
    let mut accepts = ClassSet::empty(requirements.width());
    let step = |step: Relaxation| {
        let needs = requirements.class(&step);
        accepts.add(&needs);
        Step { after: step.after, needs, accepts: accepts.clone(), interpreter: step.interpreter }
    };
    settings.steps().into_iter().take(MOST_STEPS).map(step).collect()
}

impl Call {
    /// When the next step is reached.
    pub fn next_step(&self, queue: &Queue) -> Option<Instant> {
        queue.steps.get(self.step as usize + 1).map(|step| self.entered + step.after)
    }

    /// When passing on to another queue falls due.
    pub fn overflow(&self, queue: &Queue) -> Option<Instant> {
        let after = queue.settings.overflow.as_ref()?.after?;
        (self.waits == Waits::OnTheLine && !self.overflow_said).then(|| self.entered + after)
    }

    /// When waiting ends in a timeout.
    pub fn deadline(&self, queue: &Queue) -> Option<Instant> {
        let limit = queue.settings.max_wait?;
        (self.waits == Waits::OnTheLine).then(|| self.entered + limit)
    }
}
