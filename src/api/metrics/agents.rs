//! Series of the agents: their states, and what came of offers to them.

use super::names;
use crate::config::settings::CoreSettings;
use crate::event::{AgentEvent, AgentState, Chosen, NotReadyReason, OfferEnd};
use crate::ids::{AgentNo, QueueName, Skill};
use crate::time::Instant;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Everybody's state and what their time went into.
pub(super) struct Agents {
    now: BTreeMap<AgentNo, Running>,
    states: BTreeMap<&'static str, State>,
    skills: BTreeMap<Skill, [(&'static str, Gauge); 8]>,
}

struct Running {
    state: AgentState,
    since: Instant,
    /// Whose wrap-up comes next; `None` after a call that no queue is judged by.
    serving: Option<QueueName>,
}

struct State {
    agents: Gauge,
    spent: Histogram,
    time: Counter,
    /// Of times in this state that are over.
    sum: Duration,
}

impl State {
    fn new(state: AgentState) -> Self {
        State {
            agents: gauge!(names::AGENTS, "state" => state.as_str()),
            spent: histogram!(names::AGENT_STATE, "state" => state.as_str()),
            time: counter!(names::AGENT_TIME, "state" => state.as_str()),
            sum: Duration::ZERO,
        }
    }
}

impl Agents {
    /// Each configured agent starts signed out, a time that counts nowhere.
    pub(super) fn new(settings: &CoreSettings) -> Self {
        gauge!(names::SEATS).set(settings.seats.len() as f64);
        let asked = settings.queues.iter().flat_map(|queue| queue.steps()).flat_map(|step| step.skills.into_keys());
        let known = settings.agents.iter().flat_map(|agent| agent.skills.keys().cloned());
        let skills: BTreeSet<Skill> = asked.chain(known).collect();
        let skill = |skill: Skill| {
            let name = skill.as_str().to_owned();
            let state = |s: AgentState| {
                let state = s.as_str();
                (state, gauge!(names::SKILL_AGENTS, "skill" => name.clone(), "state" => state))
            };
            (skill, AGENT_STATES.map(state))
        };
        let out = || Running { state: AgentState::LoggedOut, since: Instant::ZERO, serving: None };
        let agents = Agents {
            now: settings.agents.iter().map(|agent| (agent.number.clone(), out())).collect(),
            states: AGENT_STATES.map(|s| (s.as_str(), State::new(s))).into(),
            skills: skills.into_iter().map(skill).collect(),
        };
        agents.states["logged_out"].agents.set(agents.now.len() as f64);
        agents
    }

    /// The agent was connected to a caller of this queue.
    pub(super) fn serves(&mut self, agent: &AgentNo, queue: Option<QueueName>) {
        if let Some(running) = self.now.get_mut(agent) {
            running.serving = queue;
        }
    }

    /// The wrap-up that this event ended, if it did.
    pub(super) fn changed(&mut self, event: &AgentEvent) -> Option<(QueueName, Duration)> {
        self.state(event.state).agents.increment(1.0);
        let before = self.now.remove(&event.agent);
        let serving = before.as_ref().and_then(|before| before.serving.clone());
        self.now.insert(event.agent.clone(), Running { state: event.state, since: event.at, serving: serving.clone() });
        let Running { state, since, .. } = before?;
        let spent = event.at.since(since);
        let old = self.state(state);
        old.agents.decrement(1.0);
        if state != AgentState::LoggedOut {
            old.spent.record(spent.as_secs_f64());
            old.sum += spent;
        }
        (state == AgentState::WrapUp).then_some((serving?, spent))
    }

    /// States that still run count up to now.
    pub(super) fn tell_time(&self, now: Instant) {
        let mut running: BTreeMap<&'static str, Duration> = BTreeMap::new();
        for agent in self.now.values().filter(|agent| agent.state != AgentState::LoggedOut) {
            *running.entry(agent.state.as_str()).or_default() += now.since(agent.since);
        }
        for (state, series) in &self.states {
            let all = series.sum + running.get(state).copied().unwrap_or_default();
            series.time.absolute(all.as_secs());
        }
    }

    /// A skill that nobody had and no queue asked for at the start has no series.
    pub(super) fn skills(&self, told: &BTreeMap<Skill, BTreeMap<AgentState, usize>>) {
        for (skill, states) in &self.skills {
            let agents = told.get(skill);
            for (state, gauge) in states {
                let of = agents.into_iter().flatten().filter(|(told, _)| told.as_str() == *state);
                gauge.set(of.map(|(_, agents)| *agents as f64).sum::<f64>());
            }
        }
    }

    fn state(&mut self, state: AgentState) -> &mut State {
        self.states.get_mut(state.as_str()).expect("every state has its series")
    }
}

/// One of each kind; every not-ready reason is one state here.
const AGENT_STATES: [AgentState; 8] = [
    AgentState::LoggedOut,
    AgentState::NotReady(NotReadyReason::Busy),
    AgentState::Ready,
    AgentState::Reserved,
    AgentState::Talking,
    AgentState::Hold,
    AgentState::WrapUp,
    AgentState::Engaged,
];

/// Offers made, by how far the requirement had been relaxed and whether the agent was the one who served the caller last.
pub(super) struct Offers {
    made: BTreeMap<(u8, bool), Counter>,
    ended: BTreeMap<OfferEnd, Counter>,
    interpreter: Counter,
}

/// Steps beyond this are counted together.
const LAST_STEP: u8 = 5;

impl Offers {
    pub(super) fn new() -> Self {
        let made = |step: u8, preferred: bool| {
            let step = if step == LAST_STEP { format!("{step}+") } else { step.to_string() };
            counter!(names::OFFERS, "step" => step, "preferred" => if preferred { "true" } else { "false" })
        };
        let all = (0..=LAST_STEP).flat_map(|step| [(step, false), (step, true)]);
        Offers {
            made: all.map(|(step, preferred)| ((step, preferred), made(step, preferred))).collect(),
            ended: OfferEnd::ALL.map(|end| (end, counter!(names::OFFERS_ENDED, "reason" => end.as_str()))).into(),
            interpreter: counter!(names::OFFERS_INTERPRETED),
        }
    }

    pub(super) fn made(&self, chosen: &Chosen) {
        self.made[&(chosen.step.min(LAST_STEP), chosen.preferred)].increment(1);
        self.interpreter.increment(u64::from(chosen.interpreter));
    }

    pub(super) fn ended(&self, why: OfferEnd) {
        self.ended[&why].increment(1);
    }
}
