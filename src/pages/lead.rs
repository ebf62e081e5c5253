//! What a shift leader's console asks of the gateway over `/live`, read and checked. Not here: whether who asks is a leader
//! (`gateway::supervision`).

use crate::acd::Forced;
use crate::call::Mode;
use crate::gateway::LeaderOrder;
use crate::ids::{AgentNo, CallId, QueueName, Skill};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Lead {
    Listen {
        agent: String,
    },
    ListenOnly,
    Whisper,
    Barge,
    EndListening,
    TakeOver {
        agent: String,
    },
    /// `call`: the one that the leader saw.
    Disconnect {
        agent: String,
        call: Option<String>,
        #[serde(default)]
        why: String,
    },
    /// `ready`, `not_ready` or `logged_out`.
    Force {
        agent: String,
        to: String,
        #[serde(default)]
        why: String,
    },
    MoveUp {
        call: String,
        #[serde(default)]
        why: String,
    },
    MoveCall {
        call: String,
        queue: String,
        #[serde(default)]
        why: String,
    },
    SetSkills {
        agent: String,
        skills: Vec<Level>,
        #[serde(default)]
        why: String,
    },
}

#[derive(Debug, Deserialize)]
pub struct Level {
    skill: String,
    level: u8,
}

/// As in the configuration.
const LEVELS: std::ops::RangeInclusive<u8> = 1..=10;

impl Lead {
    /// # Errors
    /// What the page cannot mean, in a stable word.
    pub fn order(self) -> Result<LeaderOrder, &'static str> {
        Ok(match self {
            Lead::Listen { agent } => LeaderOrder::Listen(AgentNo::new(agent)),
            Lead::ListenOnly => LeaderOrder::Speak(Mode::Listen),
            Lead::Whisper => LeaderOrder::Speak(Mode::Whisper),
            Lead::Barge => LeaderOrder::Speak(Mode::Barge),
            Lead::EndListening => LeaderOrder::EndListening,
            Lead::TakeOver { agent } => LeaderOrder::TakeOver(AgentNo::new(agent)),
            Lead::Disconnect { agent, call: seen, why } => {
                let call = seen.as_deref().map(call).transpose()?;
                LeaderOrder::Disconnect { agent: AgentNo::new(agent), call, why }
            }
            Lead::Force { agent, to, why } => {
                let to = match to.as_str() {
                    "ready" => Forced::Ready,
                    "not_ready" => Forced::NotReady,
                    "logged_out" => Forced::SignOut,
                    _ => return Err("unknown_state"),
                };
                LeaderOrder::Force { agent: AgentNo::new(agent), to, why }
            }
            Lead::MoveUp { call: id, why } => LeaderOrder::MoveUp { call: call(&id)?, why },
            Lead::MoveCall { call: id, queue, why } => {
                LeaderOrder::MoveCall { call: call(&id)?, queue: QueueName::new(queue), why }
            }
            Lead::SetSkills { agent, skills, why } => {
                if skills.iter().any(|one| !LEVELS.contains(&one.level)) {
                    return Err("unknown_level");
                }
                let skills = skills.into_iter().map(|one| (Skill::new(one.skill), one.level)).collect();
                LeaderOrder::SetSkills { agent: AgentNo::new(agent), skills, why }
            }
        })
    }
}

fn call(id: &str) -> Result<CallId, &'static str> {
    u64::from_str_radix(id, 16).map(CallId).map_err(|_| "no_call")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_of_the_console_are_read_or_refused() {
        let read = |json: &str| serde_json::from_str::<Lead>(json).expect(json).order();
        assert_eq!(read(r#"{"order":"listen","agent":"6601"}"#), Ok(LeaderOrder::Listen("6601".into())));
        assert_eq!(read(r#"{"order":"listen_only"}"#), Ok(LeaderOrder::Speak(Mode::Listen)));
        let skills = |level: u8| {
            read(&format!(
                r#"{{"order":"set_skills","agent":"6601","skills":[{{"skill":"english","level":{level}}}],"why":"x"}}"#
            ))
        };
        let english = [("english".into(), 5)].into();
        assert_eq!(skills(5), Ok(LeaderOrder::SetSkills { agent: "6601".into(), skills: english, why: "x".into() }));
        assert_eq!((skills(0), skills(11)), (Err("unknown_level"), Err("unknown_level")));
        assert_eq!(read(r#"{"order":"force","agent":"6601","to":"talking"}"#), Err("unknown_state"));
        assert_eq!(read(r#"{"order":"move_up","call":"no"}"#), Err("no_call"));
        let up = LeaderOrder::MoveUp { call: CallId(0xabc), why: String::new() };
        assert_eq!(read(r#"{"order":"move_up","call":"0000000000000abc"}"#), Ok(up));
    }
}
