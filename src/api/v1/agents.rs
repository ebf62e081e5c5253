//! `/v1/agents`: the roster, and what everybody does now.

use super::V1;
use super::problem::Problem;
use super::time::Moment;
use crate::event::AgentState;
use crate::host::Clock;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

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
