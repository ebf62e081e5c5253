//! Asterisk's queue_log, as QueueMetrics and other tools read it: `time|callid|queuename|agent|event|data...`. Belongs here:
//! which fact is which line. Not here: reading the facts (`store::journal`).
//!
//! Times are UNIX seconds with microseconds. An agent's `data` are Asterisk's: CONNECT hold time, the other leg's id and
//! ring time (seconds); COMPLETE* hold time, call time and the first position; ABANDON position, first position and wait;
//! RINGNOANSWER milliseconds. Agents sign in for all queues at once, so their lines name the queue NONE. Test calls are left
//! out, and what seats dial.

use crate::event::{AgentEvent, AgentState, CallEvent, CallFact, EndCause, OfferEnd, Purpose, Why};
use crate::ids::{AgentNo, CallId};
use crate::record::state_word;
use crate::store::journal::{Entry, Recorded};
use crate::time::Instant;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Reads events from [`BEFORE`] the span on, writes the lines of the span.
pub struct QueueLog {
    from: Instant,
    until: Instant,
    text: String,
    calls: BTreeMap<CallId, Call>,
    agents: BTreeMap<AgentNo, AgentState>,
}

struct Call {
    cli: Option<String>,
    /// Now.
    queue: String,
    position: usize,
    first_position: usize,
    entered: Instant,
    /// The seat that rings, and since when.
    offered: Option<Instant>,
    talking: Option<Talking>,
}

struct Talking {
    agent: AgentNo,
    since: Instant,
    wait: Duration,
}

/// Calls that are up when the span begins have begun by then, but for very few.
pub const BEFORE: Duration = Duration::from_secs(12 * 3_600);

impl QueueLog {
    pub fn new(from: Instant, until: Instant) -> QueueLog {
        QueueLog { from, until, text: String::new(), calls: BTreeMap::new(), agents: BTreeMap::new() }
    }

    pub fn read(&mut self, recorded: &Recorded) {
        match &recorded.what {
            Entry::Call(event) => self.call(event),
            Entry::Agent(event) => self.agent(event),
            Entry::Started => {
                self.line(recorded.at, "NONE", "NONE", "NONE", "QUEUESTART", &[]);
                self.calls.clear();
                self.agents.clear();
            }
            Entry::Leader(_) | Entry::Gap { .. } | Entry::Unknown(_) => {}
        }
    }

    pub fn into_text(self) -> String {
        self.text
    }

    fn line(&mut self, at: Instant, call: &str, queue: &str, agent: &str, event: &str, data: &[String]) {
        if !(self.from..self.until).contains(&at) {
            return;
        }
        let micros = at.as_unix_micros();
        let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
        let _ = write!(self.text, "{seconds}.{rest:06}|{call}|{}|{}|{event}", plain(queue), plain(agent));
        for datum in data {
            self.text.push('|');
            self.text.push_str(&plain(datum));
        }
        self.text.push('\n');
    }

    fn call(&mut self, event: &CallEvent) {
        let CallEvent { at, call: id, what } = event;
        let name = id.to_string();
        if let CallFact::Arrived { cli, test_call: false, purpose: Purpose::Inbound, .. } = what {
            let call = Call {
                cli: cli.clone(),
                queue: String::new(),
                position: 0,
                first_position: 0,
                entered: *at,
                offered: None,
                talking: None,
            };
            self.calls.insert(*id, call);
            return;
        }
        let Some(call) = self.calls.get_mut(id) else { return };
        let secs = |time: Duration| time.as_secs().to_string();
        let lines: Vec<(String, String, &str, Vec<String>)> = match what {
            CallFact::Queued { queue, position, .. } => {
                (call.queue, call.position, call.first_position) = (queue.to_string(), *position, *position);
                call.entered = *at;
                let data = vec![String::new(), call.cli.clone().unwrap_or_default(), position.to_string()];
                vec![(call.queue.clone(), "NONE".into(), "ENTERQUEUE", data)]
            }
            CallFact::Moved { queue, position, why, .. } => {
                // Whom an agent passed on begins to wait anew; anybody else leaves one queue for the next.
                let passed_on = matches!(why, Why::Agent(_) | Why::SeatLost);
                let wait = secs(*at - call.entered);
                let left = (call.queue.clone(), call.position, call.first_position);
                (call.queue, call.position, call.first_position) = (queue.to_string(), *position, *position);
                call.entered = if passed_on { *at } else { call.entered };
                let data = vec![String::new(), call.cli.clone().unwrap_or_default(), position.to_string()];
                let enter = (call.queue.clone(), "NONE".into(), "ENTERQUEUE", data);
                let exit = match why {
                    Why::Agent(_) | Why::SeatLost => None,
                    Why::Key(key) => {
                        let data = vec![key.to_string(), left.1.to_string(), left.2.to_string(), wait];
                        Some((left.0, "NONE".into(), "EXITWITHKEY", data))
                    }
                    _ => {
                        let data = vec![left.1.to_string(), left.2.to_string(), wait];
                        Some((left.0, "NONE".into(), "EXITWITHTIMEOUT", data))
                    }
                };
                exit.into_iter().chain([enter]).collect()
            }
            CallFact::Announced { position: Some(position), .. } => {
                call.position = *position;
                vec![]
            }
            CallFact::Offered { .. } => {
                call.offered = Some(*at);
                vec![]
            }
            CallFact::OfferEnded { agent, why } => {
                let rang = call.offered.take().map_or(Duration::ZERO, |since| *at - since).as_millis().to_string();
                let event = match why {
                    OfferEnd::Withdrawn => "RINGCANCELED",
                    _ => "RINGNOANSWER",
                };
                vec![(call.queue.clone(), agent.to_string(), event, vec![rang])]
            }
            CallFact::Answered { agent, wait, ring, .. } | CallFact::TakenOver { agent, wait, ring, .. } => {
                call.offered = None;
                call.talking = Some(Talking { agent: agent.clone(), since: *at, wait: *wait });
                vec![(call.queue.clone(), agent.to_string(), "CONNECT", vec![secs(*wait), name.clone(), secs(*ring)])]
            }
            CallFact::Transferred { queue, .. } => passed(call, *at, &queue.to_string(), "BLINDTRANSFER"),
            CallFact::PassedOn { to, .. } => passed(call, *at, to.number(), "ATTENDEDTRANSFER"),
            CallFact::Ended { cause, .. } => ended(call, *at, *cause),
            _ => vec![],
        };
        if matches!(what, CallFact::Ended { .. }) {
            self.calls.remove(id);
        }
        for (queue, agent, event, data) in lines {
            self.line(*at, &name, &queue, &agent, event, &data);
        }
    }

    fn agent(&mut self, event: &AgentEvent) {
        let AgentEvent { at, agent, state, .. } = event;
        let before = self.agents.insert(agent.clone(), *state).unwrap_or(AgentState::LoggedOut);
        let signed_in = |state: AgentState| state != AgentState::LoggedOut;
        let paused = |state: AgentState| matches!(state, AgentState::NotReady(_));
        let name = agent.to_string();
        if !signed_in(before) && signed_in(*state) {
            self.line(*at, "NONE", "NONE", &name, "ADDMEMBER", &[String::new()]);
        }
        if paused(before) && before != *state {
            self.line(*at, "NONE", "NONE", &name, "UNPAUSE", &[]);
        }
        if paused(*state) && before != *state {
            let reason = state_word(*state).and_then(|word| word.strip_prefix("not_ready_")).unwrap_or_default();
            self.line(*at, "NONE", "NONE", &name, "PAUSE", &[reason.to_owned()]);
        }
        if signed_in(before) && !signed_in(*state) {
            self.line(*at, "NONE", "NONE", &name, "REMOVEMEMBER", &[String::new()]);
        }
    }
}

type Line = (String, String, &'static str, Vec<String>);

/// The agent is off the call, which goes on.
fn passed(call: &mut Call, at: Instant, to: &str, event: &'static str) -> Vec<Line> {
    let Some(talking) = call.talking.take() else { return vec![] };
    let (wait, talk) = (talking.wait.as_secs().to_string(), (at - talking.since).as_secs().to_string());
    let data = match event {
        // extension, context, hold time, call time, first position
        "BLINDTRANSFER" => vec![to.to_owned(), "rexian".into(), wait, talk, call.first_position.to_string()],
        // method, what it was, hold time, call time, first position
        _ => vec!["APP".into(), to.to_owned(), wait, talk, call.first_position.to_string()],
    };
    vec![(call.queue.clone(), talking.agent.to_string(), event, data)]
}

fn ended(call: &mut Call, at: Instant, cause: EndCause) -> Vec<Line> {
    if let Some(talking) = call.talking.take() {
        let event = if cause == EndCause::AgentHangUp { "COMPLETEAGENT" } else { "COMPLETECALLER" };
        let (wait, talk) = (talking.wait.as_secs().to_string(), (at - talking.since).as_secs().to_string());
        let data = vec![wait, talk, call.first_position.to_string()];
        return vec![(call.queue.clone(), talking.agent.to_string(), event, data)];
    }
    if call.queue.is_empty() {
        // Never in a queue.
        return vec![];
    }
    let (position, first, wait) =
        (call.position.to_string(), call.first_position.to_string(), (at - call.entered).as_secs().to_string());
    let event = match cause {
        EndCause::QueueTimeout | EndCause::QueueFull => "EXITWITHTIMEOUT",
        EndCause::NoAgents | EndCause::Closed => "EXITEMPTY",
        EndCause::CallbackTaken => "EXITWITHKEY",
        // A fault is told as the caller's leaving: the format has no other word.
        _ => "ABANDON",
    };
    let data = match event {
        "EXITWITHKEY" => vec!["callback".into(), position, first, wait],
        _ => vec![position, first, wait],
    };
    vec![(call.queue.clone(), "NONE".into(), event, data)]
}

/// The format's own separator and line ends never come from a name.
fn plain(text: &str) -> String {
    text.replace(['|', '\n', '\r'], " ")
}
