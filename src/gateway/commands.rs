//! What shift leaders and the API order: translated for the distributor and the calls.

use super::Gateway;
use crate::acd::AcdInput;
use crate::event::Why;
use crate::ids::{AgentNo, CallId, QueueName};
use crate::time::Instant;

/// An order from outside the telephone world (the API, the leader's console). Whoever passes it in has checked who may.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Whatever concerns agents and the order of the line: `Force`, `SetSkills`, `MoveUp`, `Admit`, `Dismiss`, ...
    Distributor(AcdInput),
    /// A waiting call goes to another queue, its place kept.
    MoveCall { call: CallId, queue: QueueName, by: AgentNo },
    /// An answered call is passed on by its agent, the original arrival time kept.
    Transfer { call: CallId, queue: QueueName },
    /// The citizen of this entry of the callback list is to be called now.
    CallBack { of: CallId },
}

impl Gateway {
    pub(super) fn command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Distributor(input) => {
                if let Err(refused) = self.acd.handle(now, input) {
                    tracing::warn!(%refused, "order refused");
                }
            }
            Command::CallBack { of } => self.take_callback(now, of),
            Command::MoveCall { call, queue, by } => {
                if let Err(refused) = self.move_call(now, call, &queue, Why::Supervisor(by)) {
                    tracing::warn!(%refused, "move refused");
                }
            }
            Command::Transfer { call, queue } => {
                if let Err(refused) = self.transfer(now, call, &queue) {
                    tracing::warn!(%refused, "transfer refused");
                }
            }
        }
    }
}
