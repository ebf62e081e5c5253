//! Series of the agents: their states, and what came of offers to them.

use super::names;
use crate::event::{AgentState, Chosen, NotReadyReason, OfferEnd};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use std::collections::BTreeMap;

pub(super) struct State {
    pub(super) agents: Gauge,
    pub(super) spent: Histogram,
}

impl State {
    pub(super) fn new(state: AgentState) -> Self {
        State {
            agents: gauge!(names::AGENTS, "state" => state.as_str()),
            spent: histogram!(names::AGENT_STATE, "state" => state.as_str()),
        }
    }
}

/// One of each kind; every not-ready reason is one state here.
pub(super) const AGENT_STATES: [AgentState; 8] = [
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
            ended: OFFER_ENDS.map(|(end, why)| (end, counter!(names::OFFERS_ENDED, "reason" => why))).into(),
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

const OFFER_ENDS: [(OfferEnd, &str); 6] = [
    (OfferEnd::NoAnswer, "no_answer"),
    (OfferEnd::Busy, "busy"),
    (OfferEnd::Declined, "declined"),
    (OfferEnd::Unreachable, "unreachable"),
    (OfferEnd::Failed, "failed"),
    (OfferEnd::Withdrawn, "withdrawn"),
];
