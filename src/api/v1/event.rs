//! An event as the API shows it: flat, named, stable, whatever the log's own form is. Belongs here: the shape of each
//! event. Not here: when it happens (`event`), reading the log (`events`).

use super::time::{Moment, seconds};
use crate::event::{AgentEvent, AgentState, CallFact, LeaderAct, LeaderEvent, Party, Purpose};
use crate::plane::LegStats;
use crate::plane::recording::Recording;
use crate::store::journal::{Entry, GapWhy, Recorded};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// One entry of the event log. `seq` counts from 1 without gaps: ask with `after_seq` for those that follow.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Event {
    pub seq: u64,
    pub at: Moment,
    /// Of what happened to a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    #[serde(flatten)]
    pub what: What,
}

/// What happened. Times are seconds.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type")]
pub enum What {
    /// A gateway began to write: calls that were up before it and have no end were lost with its process.
    #[serde(rename = "log.started")]
    Started,
    /// So many events are missing here.
    #[serde(rename = "log.gap")]
    Gap { missed: u64, why: &'static str },
    /// Written by a later version.
    #[serde(rename = "log.unknown")]
    Unknown,
    /// A shift leader's act on an agent. `act`: forced_ready, forced_not_ready, forced_out or skills.
    #[serde(rename = "agent.led")]
    Led {
        by: String,
        agent: String,
        act: &'static str,
        /// Of `skills`: name and level.
        skills: Option<BTreeMap<String, u8>>,
        why: Option<String>,
    },
    #[serde(rename = "agent.state")]
    AgentState {
        agent: String,
        seat: Option<String>,
        state: &'static str,
        /// Of `not_ready`.
        reason: Option<&'static str>,
        /// Who forced it, if the agent did not choose it.
        by: Option<String>,
    },
    /// `caller` is absent if withheld.
    #[serde(rename = "call.arrived")]
    Arrived {
        trunk: String,
        dnis: String,
        caller: Option<String>,
        sip_call_id: String,
        test_call: bool,
        tenant: String,
        line: Option<String>,
        /// inbound, callback or missed_call.
        purpose: &'static str,
        /// The call that a call of ours answers.
        of: Option<String>,
    },
    #[serde(rename = "call.forwarded")]
    Forwarded { by: Option<String>, called: Option<String>, why: Option<&'static str> },
    /// The request for a human: the service clock starts.
    #[serde(rename = "call.queued")]
    Queued { queue: String, skill: String, position: usize, why: &'static str },
    #[serde(rename = "call.moved")]
    Moved { queue: String, skill: String, position: usize, why: &'static str },
    #[serde(rename = "call.relaxed")]
    Relaxed { step: u8 },
    #[serde(rename = "call.announced")]
    Announced { position: Option<usize>, estimate_s: Option<f64> },
    #[serde(rename = "call.callback_offered")]
    CallbackOffered,
    #[serde(rename = "call.offered")]
    Offered { agent: String, seat: String, step: u8, preferred: bool, interpreter: bool },
    #[serde(rename = "call.offer_ended")]
    OfferEnded { agent: String, why: &'static str },
    #[serde(rename = "call.answered")]
    Answered { agent: String, seat: String, queue: String, wait_s: f64, ring_s: f64, spooled: bool },
    #[serde(rename = "call.held")]
    Held,
    #[serde(rename = "call.resumed")]
    Resumed,
    #[serde(rename = "call.transferred")]
    Transferred { agent: String, queue: String },
    #[serde(rename = "call.taken_over")]
    TakenOver { agent: String, seat: String, queue: String, wait_s: f64, ring_s: f64 },
    /// A key was pressed; which one is kept nowhere.
    #[serde(rename = "call.key")]
    Key,
    #[serde(rename = "call.no_audio")]
    NoAudio { leg: String },
    #[serde(rename = "call.far_end_cause")]
    FarEndCause { leg: String, status: Option<u16>, q850: Option<u8> },
    #[serde(rename = "call.ended")]
    Ended { cause: &'static str, queue: Option<String>, skill: Option<String>, wait_s: f64, talk_s: f64, hold_s: f64 },
    /// Media figures of one leg; may follow the call's end by a moment.
    #[serde(rename = "call.leg_closed")]
    LegClosed { leg: String, received: u64, sent: u64, lost: u64, remote_lost: u64, refused: u64, jitter_s: f64 },
    /// A conversation is kept as a file: see `/v1/recordings`. May follow the call's end by a moment.
    #[serde(rename = "call.recorded")]
    Recorded { segment: u16, sha256: String, from: Moment, until: Moment, seconds: f64, complete: bool },
    #[serde(rename = "call.dialled")]
    Dialled { seat: String, agent: Option<String>, to: To, sip_call_id: String },
    #[serde(rename = "call.reached")]
    Reached { ring_s: f64 },
    #[serde(rename = "call.passing_on")]
    PassingOn { agent: String, to: To },
    #[serde(rename = "call.passed_on")]
    PassedOn { agent: String, to: To },
    #[serde(rename = "call.not_passed_on")]
    NotPassedOn { agent: String, to: To, status: u16 },
    #[serde(rename = "call.consulting")]
    Consulting { agent: String, to: To },
    #[serde(rename = "call.consulted")]
    Consulted { ring_s: f64 },
    #[serde(rename = "call.three_way")]
    ThreeWay,
    #[serde(rename = "call.consult_over")]
    ConsultOver { agent: String, to: To, why: &'static str, status: Option<u16> },
    #[serde(rename = "call.help")]
    Help { agent: String, asked: bool },
    /// A shift leader's act. `act`: listen, whisper, barge, left, take_over, disconnect, move_up or move_call.
    #[serde(rename = "call.supervised")]
    Supervised { by: String, act: &'static str, agent: Option<String>, why: Option<String> },
    #[serde(rename = "call.surveyed")]
    Surveyed { agent: String },
    #[serde(rename = "call.rated")]
    Rated { score: u8 },
}

/// Every `type` there is.
pub fn event_types() -> Vec<String> {
    types_of::<What>()
}

pub(super) fn types_of<T: JsonSchema>() -> Vec<String> {
    let schema = schemars::schema_for!(T);
    let variants = schema.get("oneOf").and_then(|all| all.as_array()).cloned().unwrap_or_default();
    variants.iter().filter_map(|one| one["properties"]["type"]["const"].as_str()).map(str::to_owned).collect()
}

/// Whom a seat dials or passes a caller on to. `kind`: seat, outside or emergency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct To {
    pub kind: &'static str,
    pub number: String,
}

impl From<Recorded> for Event {
    fn from(recorded: Recorded) -> Event {
        let (call, what) = match recorded.what {
            Entry::Call(event) => (Some(event.call.to_string()), What::from(event.what)),
            Entry::Agent(event) => (None, What::from(event)),
            Entry::Leader(event) => (None, What::from(event)),
            Entry::Started => (None, What::Started),
            Entry::Gap { missed, why: GapWhy::QueueFull } => (None, What::Gap { missed, why: "queue_full" }),
            Entry::Gap { missed, why: GapWhy::Observer } => (None, What::Gap { missed, why: "observer" }),
            Entry::Unknown(_) => (None, What::Unknown),
        };
        Event { seq: recorded.seq, at: Moment(recorded.at), call, what }
    }
}

impl From<AgentEvent> for What {
    fn from(AgentEvent { agent, seat, state, by, .. }: AgentEvent) -> What {
        What::AgentState {
            agent: agent.to_string(),
            seat: seat.map(|seat| seat.to_string()),
            state: state.as_str(),
            reason: AgentState::reason(state),
            by: by.map(|by| by.to_string()),
        }
    }
}

impl From<LeaderEvent> for What {
    fn from(LeaderEvent { by, agent, act, why, .. }: LeaderEvent) -> What {
        let word = act.as_str();
        let skills = match act {
            LeaderAct::Skills(skills) => {
                Some(skills.into_iter().map(|(skill, level)| (skill.to_string(), level)).collect())
            }
            _ => None,
        };
        What::Led { by: by.to_string(), agent: agent.to_string(), act: word, skills, why }
    }
}

/// Why an agent is not ready.
impl From<CallFact> for What {
    fn from(fact: CallFact) -> What {
        match fact {
            CallFact::Arrived { trunk, dnis, cli, sip_call_id, test_call, tenant, line, purpose } => {
                let (purpose, of) = match purpose {
                    Purpose::Inbound => ("inbound", None),
                    Purpose::Callback { of } => ("callback", Some(of.to_string())),
                    Purpose::MissedCall { of } => ("missed_call", Some(of.to_string())),
                };
                let (trunk, line) = (trunk.to_string(), line.map(|line| line.to_string()));
                What::Arrived { trunk, dnis, caller: cli, sip_call_id, test_call, tenant, line, purpose, of }
            }
            CallFact::Forwarded(f) => {
                What::Forwarded { by: f.by, called: f.called, why: f.why.map(|why| why.as_str()) }
            }
            CallFact::Queued { queue, skill, position, why } => {
                What::Queued { queue: queue.to_string(), skill: skill.to_string(), position, why: why.as_str() }
            }
            CallFact::Moved { queue, skill, position, why } => {
                What::Moved { queue: queue.to_string(), skill: skill.to_string(), position, why: why.as_str() }
            }
            CallFact::Relaxed { step } => What::Relaxed { step },
            CallFact::Announced { position, estimate } => {
                What::Announced { position, estimate_s: estimate.map(seconds) }
            }
            CallFact::CallbackOffered => What::CallbackOffered,
            CallFact::Offered { agent, seat, chosen, .. } => What::Offered {
                agent: agent.to_string(),
                seat: seat.to_string(),
                step: chosen.step,
                preferred: chosen.preferred,
                interpreter: chosen.interpreter,
            },
            CallFact::OfferEnded { agent, why } => What::OfferEnded { agent: agent.to_string(), why: why.as_str() },
            CallFact::Answered { agent, seat, queue, wait, ring, spooled } => What::Answered {
                agent: agent.to_string(),
                seat: seat.to_string(),
                queue: queue.to_string(),
                wait_s: seconds(wait),
                ring_s: seconds(ring),
                spooled,
            },
            CallFact::Held => What::Held,
            CallFact::Resumed => What::Resumed,
            CallFact::Transferred { agent, queue } => {
                What::Transferred { agent: agent.to_string(), queue: queue.to_string() }
            }
            CallFact::TakenOver { agent, seat, queue, wait, ring } => What::TakenOver {
                agent: agent.to_string(),
                seat: seat.to_string(),
                queue: queue.to_string(),
                wait_s: seconds(wait),
                ring_s: seconds(ring),
            },
            CallFact::Digit(_) => What::Key,
            CallFact::NoAudio { leg } => What::NoAudio { leg: leg.to_string() },
            CallFact::FarEndCause { leg, status, q850 } => What::FarEndCause { leg: leg.to_string(), status, q850 },
            CallFact::Ended { cause, queue, skill, wait, talk, hold } => What::Ended {
                cause: cause.as_str(),
                queue: queue.map(|queue| queue.to_string()),
                skill: skill.map(|skill| skill.to_string()),
                wait_s: seconds(wait),
                talk_s: seconds(talk),
                hold_s: seconds(hold),
            },
            CallFact::LegClosed { leg, stats } => {
                let LegStats { received, sent, lost, remote_lost, refused, jitter_us } = stats;
                let jitter_s = f64::from(jitter_us) / 1e6;
                What::LegClosed { leg: leg.to_string(), received, sent, lost, remote_lost, refused, jitter_s }
            }
            CallFact::Recorded(Recording { segment, sha256, ms, from, to, complete, .. }) => What::Recorded {
                segment,
                sha256,
                from: Moment(from),
                until: Moment(to),
                seconds: ms as f64 / 1e3,
                complete,
            },
            CallFact::Dialled { seat, agent, to, sip_call_id } => {
                let (seat, agent) = (seat.to_string(), agent.map(|agent| agent.to_string()));
                What::Dialled { seat, agent, to: to.into(), sip_call_id }
            }
            CallFact::Reached { ring } => What::Reached { ring_s: seconds(ring) },
            CallFact::PassingOn { agent, to } => What::PassingOn { agent: agent.to_string(), to: to.into() },
            CallFact::PassedOn { agent, to } => What::PassedOn { agent: agent.to_string(), to: to.into() },
            CallFact::NotPassedOn { agent, to, status } => {
                What::NotPassedOn { agent: agent.to_string(), to: to.into(), status }
            }
            CallFact::Consulting { agent, to } => What::Consulting { agent: agent.to_string(), to: to.into() },
            CallFact::Consulted { ring } => What::Consulted { ring_s: seconds(ring) },
            CallFact::ThreeWay => What::ThreeWay,
            CallFact::ConsultOver { agent, to, why } => {
                let (agent, to) = (agent.to_string(), to.into());
                What::ConsultOver { agent, to, why: why.as_str(), status: why.status() }
            }
            CallFact::Help { agent, asked } => What::Help { agent: agent.to_string(), asked },
            CallFact::Supervised { by, act, agent, why } => {
                let agent = agent.map(|agent| agent.to_string());
                What::Supervised { by: by.to_string(), act: act.as_str(), agent, why }
            }
            CallFact::Surveyed { agent } => What::Surveyed { agent: agent.to_string() },
            CallFact::Rated { score } => What::Rated { score },
        }
    }
}

impl From<Party> for To {
    fn from(party: Party) -> To {
        let (kind, number) = match party {
            Party::Seat(seat) => ("seat", seat.to_string()),
            Party::Outside(number) => ("outside", number),
            Party::Emergency(number) => ("emergency", number),
        };
        To { kind, number }
    }
}
