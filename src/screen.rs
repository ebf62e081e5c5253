//! What people at the hotline see of the live state: plain data, the whole of it each time, so that a screen which
//! missed something is right again with the next. Not here: reading it off the gateway (`gateway::screens`), showing it
//! (`pages`).
//!
//! Callers' numbers are in it: a screen is for the agent whose call it is, and for who leads the shift.

use crate::event::{AgentState, Purpose};
use crate::ids::{AgentNo, CallId, LineName, QueueName, SeatNo, Skill};
use crate::time::Instant;
use serde::{Deserialize, Serialize, Serializer};

/// One agent's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AgentScreen {
    pub agent: AgentNo,
    pub seat: Option<SeatNo>,
    #[serde(flatten)]
    pub doing: Doing,
    pub leader: bool,
    /// The seat has a device that can be rung.
    pub reachable: bool,
    /// Which of its devices that is.
    pub audio: Option<ReachedBy>,
    pub call: Option<CallScreen>,
    /// The call of the wrap-up.
    #[serde(serialize_with = "hex_or_none")]
    pub serving: Option<CallId>,
    /// Since when this agent asks for a shift leader.
    pub help: Option<Instant>,
    /// A leader's: on whose call, and how.
    pub listening: Option<Listening>,
    /// Of the seat's calls of its own the first.
    pub own: Option<OwnScreen>,
    pub own_calls: u32,
    /// What was dialled on the page last, if nobody was reached.
    pub dialled_in_vain: Option<InVain>,
    /// The agent hears herself.
    pub test_call: bool,
    /// Where this agent's skills are asked for.
    pub queues: Vec<QueueScreen>,
}

/// By what a seat is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReachedBy {
    Browser,
    Phone,
}

/// What an agent does, and what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Doing {
    /// Words of [`AgentState`] and its reason.
    pub state: &'static str,
    pub reason: Option<&'static str>,
    pub since: Instant,
    /// When it ends by itself: ringing, wrap-up.
    pub until: Option<Instant>,
    /// What was asked for meanwhile: `ready`, `not_ready` or `logged_out`.
    pub then: Option<&'static str>,
}

impl Doing {
    pub fn new(state: AgentState, since: Instant, until: Option<Instant>, then: Option<AgentState>) -> Doing {
        Doing { state: state.as_str(), reason: state.reason(), since, until, then: then.map(AgentState::as_str) }
    }
}

/// A citizen's call, as the agent sees it whom it rings or who has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CallScreen {
    #[serde(serialize_with = "hex")]
    pub call: CallId,
    pub stage: Stage,
    /// `None`: withheld.
    pub caller: Option<String>,
    pub withheld: bool,
    /// The number called, and the line it stands for.
    pub dnis: String,
    pub line: Option<LineName>,
    pub queue: QueueName,
    pub skill: Skill,
    pub purpose: &'static str,
    pub test: bool,
    /// The request for a human.
    pub asked: Instant,
    /// The pickup by the agent who has it.
    pub answered: Option<Instant>,
    /// How it came here, for people.
    pub path: String,
    /// Whom the agent has called beside the caller, or passes the caller on to.
    pub party: Option<PartyScreen>,
    /// Who could not be had when last asked for.
    pub unreached: Option<Unreached>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartyScreen {
    /// A seat, or a number.
    pub to: String,
    pub stage: PartyStage,
    pub since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyStage {
    Calling,
    /// With the agent alone.
    Talking,
    ThreeWay,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreached {
    pub to: String,
    /// Of the SIP answer; 408: nobody answered in time.
    pub status: u16,
    pub at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Waiting,
    Ringing,
    Talking,
    Held,
    /// On hold while the agent talks with somebody else, or calls them.
    Consulting,
    ThreeWay,
    /// Being passed on to somebody who has not answered.
    Passing,
    /// With somebody who is no agent.
    Away,
    /// A citizen is being called back.
    Calling,
}

/// A call of a seat's own, as either seat sees it; or a caller whom a colleague has sent there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OwnScreen {
    #[serde(serialize_with = "hex")]
    pub call: CallId,
    /// Who is at the other end: a seat, a number; a caller may withhold theirs.
    pub to: Option<String>,
    /// The other end called.
    pub incoming: bool,
    pub stage: OwnStage,
    pub since: Instant,
}

/// Whom nobody answered, and the SIP status that says why (486 busy, 480 no answer, 404 no such number).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InVain {
    pub to: String,
    pub status: u16,
    pub at: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnStage {
    /// Here, to be answered.
    Ringing,
    /// There.
    Calling,
    Talking,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueueScreen {
    pub name: QueueName,
    pub waiting: usize,
    pub callbacks: usize,
    /// When the caller in line the longest asked for a human.
    pub oldest: Option<Instant>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listening {
    /// The other one of the two: whom the leader hears, or who hears the agent.
    pub agent: AgentNo,
    /// `listen`, `whisper` or `barge`.
    pub mode: &'static str,
    pub since: Instant,
}

/// The shift leader's console.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Floor {
    pub agents: Vec<FloorAgent>,
    pub queues: Vec<FloorQueue>,
    /// In the order of the line, the first [`MOST_WAITING`].
    pub waiting: Vec<FloorCaller>,
}

pub const MOST_WAITING: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FloorAgent {
    pub agent: AgentNo,
    pub seat: Option<SeatNo>,
    pub team: Option<String>,
    pub leader: bool,
    #[serde(flatten)]
    pub doing: Doing,
    pub reachable: bool,
    pub help: Option<Instant>,
    pub skills: Vec<SkillLevel>,
    pub call: Option<FloorCall>,
    pub listened_by: Option<Listening>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkillLevel {
    pub skill: Skill,
    pub level: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FloorCall {
    #[serde(serialize_with = "hex")]
    pub call: CallId,
    pub queue: QueueName,
    pub stage: Stage,
    pub caller: Option<String>,
    pub asked: Instant,
    pub answered: Option<Instant>,
    pub party: Option<PartyScreen>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FloorQueue {
    #[serde(flatten)]
    pub queue: QueueScreen,
    pub skill: Skill,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FloorCaller {
    #[serde(serialize_with = "hex")]
    pub call: CallId,
    pub queue: QueueName,
    /// `None`: withheld.
    pub caller: Option<String>,
    pub asked: Instant,
    /// As the line or the queue gives it.
    pub priority: u8,
    /// A shift leader has put them before all others.
    pub moved_up: bool,
}

/// As people and APIs write it: as a number it is too long for a browser.
fn hex<S: Serializer>(call: &CallId, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(call)
}

fn hex_or_none<S: Serializer>(call: &Option<CallId>, to: S) -> Result<S::Ok, S::Error> {
    call.map(|call| call.to_string()).serialize(to)
}

/// Word of a call's purpose.
pub fn purpose_word(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Inbound => "inbound",
        Purpose::Callback { .. } => "callback",
        Purpose::MissedCall { .. } => "missed_call",
    }
}
