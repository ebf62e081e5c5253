//! Why an input was refused: who must do something else, with the value at fault. The state has not changed.

use crate::ids::{AgentNo, CallId, QueueName, SeatNo};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    UnknownAgent(AgentNo),
    NotSignedIn(AgentNo),
    /// A guest, outside the time they are admitted for.
    NotTheirDay(AgentNo),
    /// There is no wrap-up to lengthen.
    NotInWrapUp(AgentNo),
    /// Signed in at another seat which is still reachable, or on a call there.
    SignedInElsewhere {
        agent: AgentNo,
        seat: SeatNo,
    },
    SeatTaken {
        seat: SeatNo,
        by: AgentNo,
    },
    /// Ready was asked for while the seat has no registration.
    SeatUnreachable {
        agent: AgentNo,
        seat: SeatNo,
    },
    UnknownQueue(QueueName),
    /// As many wait as the queue allows, and nobody is ready for it.
    QueueFull {
        queue: QueueName,
        limit: u32,
    },
    /// No agent in the whole roster has the skills of any of its steps, signed in or not: waiting would be in vain.
    NoAgents(QueueName),
    AlreadyQueued(CallId),
    UnknownCall(CallId),
    /// The call is being offered or answered, so its place cannot change.
    NotInLine(CallId),
    /// The call is not being offered to anyone (any more).
    NotOffered(CallId),
    /// The call is not answered (yet).
    NotAnswered(CallId),
    /// Has a caller in hand.
    NotFree(AgentNo),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::UnknownAgent(agent) => write!(f, "agent {agent} is not in the configuration; add it there"),
            Refused::NotSignedIn(agent) => write!(f, "agent {agent} is not signed in; sign in first"),
            Refused::NotTheirDay(agent) => write!(f, "agent {agent} is a guest and not admitted at this time"),
            Refused::NotInWrapUp(agent) => write!(f, "agent {agent} is not in wrap-up; there is nothing to lengthen"),
            Refused::SignedInElsewhere { agent, seat } => {
                write!(f, "agent {agent} is signed in at seat {seat}; sign out there first")
            }
            Refused::SeatTaken { seat, by } => write!(f, "seat {seat} is taken by agent {by}, who must sign out first"),
            Refused::SeatUnreachable { agent, seat } => {
                write!(f, "agent {agent} cannot be ready: seat {seat} is not registered; check its phone")
            }
            Refused::UnknownQueue(queue) => write!(f, "queue {queue} is not in the configuration; add it there"),
            Refused::QueueFull { queue, limit } => write!(f, "queue {queue} is full: {limit} callers wait already"),
            Refused::NoAgents(queue) => {
                write!(f, "queue {queue}: no agent on the roster has its skills and levels")
            }
            Refused::AlreadyQueued(call) => write!(f, "call {call} is queued already; it must leave first"),
            Refused::UnknownCall(call) => write!(f, "call {call} is not here: never queued, or gone already"),
            Refused::NotInLine(call) => write!(f, "call {call} is not in line: a seat rings for it, or it is answered"),
            Refused::NotOffered(call) => write!(f, "call {call} is not being offered to an agent"),
            Refused::NotAnswered(call) => write!(f, "call {call} is not answered"),
            Refused::NotFree(agent) => write!(f, "agent {agent} has a caller in hand already"),
        }
    }
}

impl std::error::Error for Refused {}
