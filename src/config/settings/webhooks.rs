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
    /// Types of events, as `call.ended`, or all of a kind, as `call.*`; none: all events.
    pub events: Vec<String>,
}
