//! `/v1/agents`: the roster, and what everybody does now; `/v1/agents/today`: one's own figures of the day.

use super::V1;
use super::extract::Asking;
use super::memo::Memo;
use super::problem::Problem;
use super::sla::midnight;
use super::time::{Moment, seconds};
use crate::event::AgentState;
use crate::host::Clock;
use crate::ids::AgentNo;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

#[derive(Serialize, JsonSchema)]
pub struct AgentsNow {
    /// The last event this includes: go on with `/v1/events?after_seq=`.
    seq: u64,
    at: Moment,
    agents: Vec<Agent>,
}

#[derive(Serialize, JsonSchema)]
struct Agent {
    /// 工号
    number: String,
    /// Where they are signed in.
    seat: Option<String>,
    /// logged_out, ready, reserved, talking, hold, wrap_up, engaged or not_ready.
    state: &'static str,
    /// Of `not_ready`.
    reason: Option<&'static str>,
    since: Option<Moment>,
    /// The call they talk in, or wrap up.
    call: Option<String>,
}

pub async fn list(State(api): State<Arc<V1>>) -> Result<Json<AgentsNow>, Problem> {
    let clock = Clock::start().now();
    let now = api.facts(|facts| facts.now()).await?;
    let agents = api.sources.agents.iter().map(|settings| {
        let spell = now.agents.get(&settings.number);
        let state = spell.map_or(AgentState::LoggedOut, |spell| spell.state);
        let busy = matches!(state, AgentState::Talking | AgentState::Hold | AgentState::WrapUp);
        let call = spell.and_then(|spell| spell.serving).filter(|_| busy);
        Agent {
            number: settings.number.to_string(),
            seat: spell.and_then(|spell| spell.seat.as_ref()).map(ToString::to_string),
            state: state.as_str(),
            reason: state.reason(),
            since: spell.map(|spell| Moment(spell.since)),
            call: call.map(|serving| serving.call.to_string()),
        }
    });
    Ok(Json(AgentsNow { seq: now.seq, at: Moment(clock.max(now.at)), agents: agents.collect() }))
}

/// Since midnight in China, of conversations that are over; test calls left out.
#[derive(Clone, Default, Serialize, JsonSchema)]
pub struct OwnDay {
    conversations: u64,
    talk_s: f64,
    wrap_up_s: f64,
    /// `null`: there was none.
    mean_talk_s: Option<f64>,
}

/// Everybody's: one reading of the day serves all who ask.
pub(super) type Days = Memo<(), Arc<BTreeMap<AgentNo, OwnDay>>>;

pub(super) fn days() -> Days {
    Memo::new(Duration::from_secs(20), 1)
}

pub async fn today(State(api): State<Arc<V1>>, asking: Asking) -> Result<Json<OwnDay>, Problem> {
    let clock = Clock::start().now();
    let days = api.days.answer((), async {
        let counted = api.facts(move |facts| {
            let mut days = BTreeMap::<AgentNo, OwnDay>::new();
            facts.each_call(midnight(clock), clock, |record| {
                for segment in record.segments.iter().filter(|segment| record.is_judged() && segment.until.is_some()) {
                    if let Some(agent) = segment.agent() {
                        days.entry(agent.clone()).or_default().add(segment.talk(), segment.wrap_up);
                    }
                }
            })?;
            Ok(Arc::new(days))
        });
        counted.await
    });
    Ok(Json(days.await?.get(&AgentNo::new(asking.actor.name)).cloned().unwrap_or_default()))
}

impl OwnDay {
    fn add(&mut self, talk: Duration, wrap_up: Duration) {
        self.conversations += 1;
        self.talk_s += seconds(talk);
        self.wrap_up_s += seconds(wrap_up);
        self.mean_talk_s = Some(self.talk_s / self.conversations as f64);
    }
}
