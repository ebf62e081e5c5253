//! Settings of webhooks: who is told what happens.

use super::Secret;
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Stable: the place in the log is kept under it.
    pub name: String,
    /// http or https.
    pub url: String,
    /// Signs each delivery.
    pub secret: Secret,
    /// Of https: PEM file of the CAs that the far end's certificate may be of.
    pub trust: Option<PathBuf>,
    pub log: WebhookLog,
    /// Types of events, as `call.ended`, or all of a kind, as `call.*`; none: all events.
    pub events: Vec<String>,
}

/// What it is told of; each of the two counts its events by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookLog {
    /// Calls and agents.
    Calls,
    Tickets,
}

impl WebhookLog {
    pub const ALL: [WebhookLog; 2] = [WebhookLog::Calls, WebhookLog::Tickets];

    pub fn as_str(self) -> &'static str {
        match self {
            WebhookLog::Calls => "calls",
            WebhookLog::Tickets => "tickets",
        }
    }
}
