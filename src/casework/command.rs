//! What people ask to have done with a ticket. Belongs here: the commands as data. Not here: whether they may (`rights`), what
//! follows (`steps`).

use super::matter::Fill;
use super::status::Callback;
use super::words::{Action, Deadline, OutOfScope, Satisfaction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    FillIn(Box<Fill>),
    Accept,
    AnswerNow {
        answer: String,
    },
    /// Settled while a department or another hotline was in the call.
    ThreeWay {
        department: String,
        answer: String,
    },
    /// A threat to life or property: at once, with nothing filled in; that may follow until it is archived.
    #[serde(rename = "hand_to_110")]
    HandTo110 {
        note: String,
    },
    Decline {
        reason: OutOfScope,
        explanation: String,
    },
    Pass {
        /// None: the category's department.
        lead: Option<String>,
        #[serde(default)]
        assisting: Vec<String>,
        #[serde(default)]
        note: String,
    },
    /// To the departments proposed, or to others.
    Dispatch {
        #[serde(default)]
        lead: Option<String>,
        #[serde(default)]
        assisting: Option<Vec<String>>,
    },
    SignFor,
    Start,
    Settle {
        result: String,
    },
    Return {
        reason: String,
    },
    Recall {
        reason: String,
    },
    AskExtension {
        days: u32,
        reason: String,
    },
    GrantExtension,
    RefuseExtension {
        reason: String,
    },
    Urge {
        note: String,
    },
    Supervise {
        reason: String,
    },
    AskCallback,
    RecordCallback(Callback),
    Redo {
        reason: String,
    },
    Archive,
    RaiseDeadline {
        deadline: Deadline,
    },
    /// As the caller pressed it.
    Rate {
        rating: Satisfaction,
    },
}

impl Command {
    pub fn action(&self) -> Action {
        match self {
            Command::FillIn(_) => Action::FillIn,
            Command::Accept => Action::Accept,
            Command::AnswerNow { .. } => Action::AnswerNow,
            Command::ThreeWay { .. } => Action::ThreeWay,
            Command::HandTo110 { .. } => Action::HandTo110,
            Command::Decline { .. } => Action::Decline,
            Command::Pass { .. } => Action::Pass,
            Command::Dispatch { .. } => Action::Dispatch,
            Command::SignFor => Action::SignFor,
            Command::Start => Action::Start,
            Command::Settle { .. } => Action::Settle,
            Command::Return { .. } => Action::Return,
            Command::Recall { .. } => Action::Recall,
            Command::AskExtension { .. } => Action::AskExtension,
            Command::GrantExtension | Command::RefuseExtension { .. } => Action::DecideExtension,
            Command::Urge { .. } => Action::Urge,
            Command::Supervise { .. } => Action::Supervise,
            Command::AskCallback => Action::AskCallback,
            Command::RecordCallback(_) => Action::RecordCallback,
            Command::Redo { .. } => Action::Redo,
            Command::Archive => Action::Archive,
            Command::RaiseDeadline { .. } => Action::RaiseDeadline,
            Command::Rate { .. } => Action::Rate,
        }
    }
}
