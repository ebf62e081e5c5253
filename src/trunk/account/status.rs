//! How a registration stands, in the words of logs and metrics. Not here: what leads from one to the other (`super`).

use super::Binding;
use crate::sip::digest::client::Unmet;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why the carrier does not have us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    NoAnswer,
    /// No proxy is known, or we have no address of its kind.
    NoWay,
    /// The connection we registered on was closed soon after.
    Closed,
    Challenge(Unmet),
    Status(u16, String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoAnswer => f.write_str("no proxy of the trunk answers: check its hops, and whether they moved"),
            Refusal::NoWay => f.write_str("no hop can be reached: listen on its transport and address family in [sip]"),
            Refusal::Closed => f.write_str("it closes the connection soon after each answer: ask the carrier why"),
            Refusal::Challenge(unmet) => unmet.fmt(f),
            Refusal::Status(status, text) => write!(f, "the carrier says {status} {text}"),
        }
    }
}

/// What is told of a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status<'a> {
    Unregistered,
    Trying,
    Registered(&'a Binding),
    Refused(&'a Refusal),
    Leaving,
}

impl Status<'_> {
    pub const ALL: [&'static str; 5] = ["unregistered", "trying", "registered", "refused", "leaving"];

    pub fn as_str(&self) -> &'static str {
        match self {
            Status::Unregistered => "unregistered",
            Status::Trying => "trying",
            Status::Registered(_) => "registered",
            Status::Refused(_) => "refused",
            Status::Leaving => "leaving",
        }
    }
}
