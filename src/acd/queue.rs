//! One queue as the distributor needs it, and one call in it. Not here: the order (`order`), who may serve (`skill`).

use super::agent::AgentIx;
use super::order::Order;
use super::skill::{ClassSet, Requirements};
use crate::config::settings::QueueSettings;
use crate::ids::QueueName;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct QueueIx(pub u32);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Queue {
    pub name: QueueName,
    /// The classes whose agents may take this queue's calls.
    pub needs: ClassSet,
    pub priority: u8,
    pub max_waiting: u32,
    pub max_wait: Option<Duration>,
    pub ring_timeout: Duration,
    pub wrap_up: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Call {
    pub queue: QueueIx,
    pub order: Order,
    /// When waiting ends in a timeout. Counted from entering this queue, not from the original request: a caller passed
    /// on after a long talk has not waited all that time.
    pub deadline: Option<Instant>,
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    Waiting,
    /// Offered to this agent or talking: the agent's duty says which.
    With(AgentIx),
}

impl Queue {
    pub fn new(settings: &QueueSettings, requirements: &Requirements) -> Queue {
        Queue {
            name: settings.name.clone(),
            needs: requirements.class(&settings.skill, settings.min_level),
            priority: settings.priority,
            max_waiting: settings.max_waiting,
            max_wait: settings.max_wait,
            ring_timeout: settings.ring_timeout,
            wrap_up: settings.wrap_up,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A queue that needs the first of the requirements.
    pub fn queue(requirements: &Requirements) -> Queue {
        Queue {
            name: "hotline".into(),
            needs: requirements.class(&"mandarin".into(), 1),
            priority: 5,
            max_waiting: 10,
            max_wait: None,
            ring_timeout: Duration::from_secs(20),
            wrap_up: Duration::ZERO,
        }
    }
}
