//! What the agents' time went into, from their state changes; occupancy = handle / (handle + idle), where handle is
//! talk, hold and wrap-up, and idle is ready. Ringing, not-ready and calls of their own are neither.

use super::counters::seconds;
use crate::event::{AgentEvent, AgentState};
use crate::ids::{AgentNo, QueueName};
use crate::time::Instant;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Times of states that are over, all agents together. Serialises as seconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AgentTimes {
    #[serde(rename = "idle_seconds", serialize_with = "seconds")]
    pub idle: Duration,
    #[serde(rename = "ringing_seconds", serialize_with = "seconds")]
    pub ringing: Duration,
    #[serde(rename = "talk_seconds", serialize_with = "seconds")]
    pub talking: Duration,
    #[serde(rename = "hold_seconds", serialize_with = "seconds")]
    pub hold: Duration,
    #[serde(rename = "wrap_up_seconds", serialize_with = "seconds")]
    pub wrap_up: Duration,
    #[serde(rename = "not_ready_seconds", serialize_with = "seconds")]
    pub not_ready: Duration,
    /// On calls of their own.
    #[serde(rename = "engaged_seconds", serialize_with = "seconds")]
    pub engaged: Duration,
    /// Agents signed in. As large as the roster.
    #[serde(skip)]
    now: BTreeMap<AgentNo, Running>,
}

#[derive(Clone, Debug)]
struct Running {
    state: AgentState,
    since: Instant,
    /// Whose wrap-up comes next; `None` after a test call.
    serving: Option<QueueName>,
}

impl AgentTimes {
    /// The agent was connected to a caller of this queue.
    pub(super) fn serves(&mut self, agent: &AgentNo, queue: Option<QueueName>) {
        if let Some(running) = self.now.get_mut(agent) {
            running.serving = queue;
        }
    }

    /// The wrap-up that this event ended, if it did.
    pub(super) fn observe(&mut self, event: &AgentEvent) -> Option<(QueueName, Duration)> {
        let before = self.now.remove(&event.agent);
        if event.state != AgentState::LoggedOut {
            let serving = before.as_ref().and_then(|running| running.serving.clone());
            self.now.insert(event.agent.clone(), Running { state: event.state, since: event.at, serving });
        }
        let before = before?;
        let time = event.at - before.since;
        if let Some(sum) = self.of(before.state) {
            *sum += time;
        }
        match before.state {
            AgentState::WrapUp => Some((before.serving?, time)),
            _ => None,
        }
    }

    pub(super) fn occupancy(&self, now: Instant) -> Option<f64> {
        let mut all = self.clone();
        for running in self.now.values() {
            if let Some(sum) = all.of(running.state) {
                *sum += now - running.since;
            }
        }
        let handle = (all.talking + all.hold + all.wrap_up).as_secs_f64();
        let busy_or_idle = handle + all.idle.as_secs_f64();
        (busy_or_idle > 0.0).then(|| handle / busy_or_idle)
    }

    fn of(&mut self, state: AgentState) -> Option<&mut Duration> {
        match state {
            AgentState::LoggedOut => None,
            AgentState::NotReady(_) => Some(&mut self.not_ready),
            AgentState::Ready => Some(&mut self.idle),
            AgentState::Reserved => Some(&mut self.ringing),
            AgentState::Talking => Some(&mut self.talking),
            AgentState::Hold => Some(&mut self.hold),
            AgentState::WrapUp => Some(&mut self.wrap_up),
            AgentState::Engaged => Some(&mut self.engaged),
        }
    }
}
