//! `/v1/wallboard`: all that the big screen shows, in one answer. Not here: the counting (`board`), formulas (`sla`).
//!
//! Waiting callers, counts and agents in total are as of one event of the log; channels, and agents by skill, are what the
//! gateway told last, a second ago at the most: skills change for a shift, and no event says so.

use super::V1;
use super::board::{self, Counts, Of};
use super::memo::Memo;
use super::problem::Problem;
use super::sla::NamedFigure;
use super::time::{Moment, seconds};
use crate::event::{AgentState, NotReadyReason};
use crate::sla::{Figure, Unit};
use crate::store::facts::Live;
use crate::time::Instant;
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

#[derive(Serialize, JsonSchema)]
pub struct Wallboard {
    /// The last event this includes: go on with `/v1/events?after_seq=`.
    seq: u64,
    at: Moment,
    total: Group,
    /// 技能组: by the leading skill of the queues.
    skills: BTreeMap<String, Group>,
    /// Of all trunks, by calls in either direction.
    channels_in_use: u32,
    trunks: Vec<Trunk>,
}

#[derive(Serialize, JsonSchema)]
struct Group {
    /// Callers who wait for an agent, ringing included.
    waiting: usize,
    longest_wait_s: f64,
    today: Today,
    /// N of "within N seconds"; `null`: the queues differ.
    within_s: Option<f64>,
    /// Today's, and `connection_rate_24h`, each with its formula.
    figures: Vec<NamedFigure>,
    agents: Agents,
}

/// Since midnight in China, by the queue asked first; test calls left out.
#[derive(Serialize, JsonSchema)]
struct Today {
    /// Requests for a human, those still waiting included.
    offered: u64,
    answered: u64,
    answered_within: u64,
    /// Requests that no agent answered, callbacks taken not among them: the sum of the following four.
    lost: u64,
    abandoned: u64,
    refused: u64,
    timed_out: u64,
    faults: u64,
    callbacks_taken: u64,
}

/// How many, by what they do now.
#[derive(Default, Serialize, JsonSchema)]
struct Agents {
    signed_in: usize,
    /// 空闲
    idle: usize,
    /// 振铃
    ringing: usize,
    /// 通话, hold included.
    talking: usize,
    /// 保持: of those who talk.
    on_hold: usize,
    /// 话后整理
    wrap_up: usize,
    /// 示忙
    busy: usize,
    /// 小休
    on_break: usize,
    /// 培训
    training: usize,
    /// Not ready for another reason: no answer, declined, unreachable, forced.
    away: usize,
    /// In a call of the seat's own.
    engaged: usize,
}

#[derive(Serialize, JsonSchema)]
struct Trunk {
    name: String,
    channels_in_use: u32,
    channels: u32,
    /// Some hop of it answers.
    up: bool,
}

/// However many screens there are.
pub(super) type Shown = Memo<(), Arc<Wallboard>>;

pub(super) fn shown() -> Shown {
    Memo::new(Duration::from_secs(1), 1)
}

/// Of today, in this order.
const FIGURES: [&str; 6] =
    ["connection_rate", "service_level", "timely_answer", "average_speed_of_answer", "talk_time", "wrap_up_time"];

pub async fn now(State(api): State<Arc<V1>>) -> Result<Json<Arc<Wallboard>>, Problem> {
    api.wallboard.answer((), made(&api)).await.map(Json)
}

async fn made(api: &V1) -> Result<Arc<Wallboard>, Problem> {
    let (told, by_skill) = match &api.sources.latest {
        Some(latest) => {
            let latest = latest.borrow();
            (latest.trunks.clone(), latest.skills.clone())
        }
        None => Default::default(),
    };
    let trunks: Vec<Trunk> = told
        .iter()
        .map(|trunk| Trunk {
            name: trunk.name.to_string(),
            channels_in_use: trunk.channels,
            channels: trunk.limit,
            up: !trunk.down,
        })
        .collect();
    board::with(api, |live, counts, at| {
        let mut all = Agents::default();
        live.agents().values().for_each(|spell| all.add(spell.state, 1));
        let skill = |skill| {
            let mut agents = Agents::default();
            by_skill.get(skill).into_iter().flatten().for_each(|(state, n)| agents.add(*state, *n));
            (skill.to_string(), group(live, counts, &Of::Skill(skill.clone()), at, agents))
        };
        Arc::new(Wallboard {
            seq: live.seq(),
            at: Moment(at),
            total: group(live, counts, &Of::All, at, all),
            skills: counts.skills().map(skill).collect(),
            channels_in_use: trunks.iter().map(|trunk| trunk.channels_in_use).sum(),
            trunks,
        })
    })
    .await
}

fn group(live: &Live, counts: &Counts, of: &Of, at: Instant, agents: Agents) -> Group {
    let (waiting, longest) = board::waiting(live, counts, of, at);
    let part = counts.today(of).cloned().unwrap_or_default();
    let (c, within) = (&part.counters, counts.within(of));
    let (answered, requests) = counts.last_day(of, at);
    let last_day = Figure {
        id: "connection_rate_24h",
        zh: "接通率（近24小时）".into(),
        en: "connection rate, last 24 hours".into(),
        formula: "A / R of the last 24 h",
        unit: Unit::Ratio,
        value: (requests > 0).then(|| answered as f64 / requests as f64),
    };
    let today = part.figures(within).into_iter().filter(|figure| FIGURES.contains(&figure.id));
    Group {
        waiting,
        longest_wait_s: seconds(longest),
        today: Today {
            offered: c.offered,
            answered: c.answered,
            answered_within: c.answered_within,
            lost: c.abandoned() + c.refused() + c.timed_out() + c.faults(),
            abandoned: c.abandoned(),
            refused: c.refused(),
            timed_out: c.timed_out(),
            faults: c.faults(),
            callbacks_taken: c.callbacks(),
        },
        within_s: within.map(seconds),
        figures: today.chain([last_day]).map(NamedFigure::from).collect(),
        agents,
    }
}

impl Agents {
    fn add(&mut self, state: AgentState, n: usize) {
        let place = match state {
            AgentState::LoggedOut => return,
            AgentState::Ready => &mut self.idle,
            AgentState::Reserved => &mut self.ringing,
            AgentState::Talking => &mut self.talking,
            AgentState::Hold => {
                self.on_hold += n;
                &mut self.talking
            }
            AgentState::WrapUp => &mut self.wrap_up,
            AgentState::Engaged => &mut self.engaged,
            AgentState::NotReady(NotReadyReason::Busy) => &mut self.busy,
            AgentState::NotReady(NotReadyReason::Break) => &mut self.on_break,
            AgentState::NotReady(NotReadyReason::Training) => &mut self.training,
            AgentState::NotReady(_) => &mut self.away,
        };
        *place += n;
        self.signed_in += n;
    }
}
