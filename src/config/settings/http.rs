//! Who may ask the API. Not here: what each role may ask (`api::v1`).

use crate::casework::Actor;

/// One program or person that may ask. The token itself is nowhere: only whoever holds it knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// For logs, audits and the tickets' history. An operator's name is their 工号.
    pub who: Actor,
    /// SHA-256 of the token's text.
    pub sha256: [u8; 32],
}
