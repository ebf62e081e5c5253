//! The call part of a ticket (工单), as known at pickup. Belongs here: the fields. Not here: numbering and storing
//! (`cases`), durability (`store::spool`). The matter, handling and outcome parts are filled in after pickup.

use crate::ids::{AgentNo, CallId, QueueName, SeatNo, Skill, TrunkName};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// Opened exactly once per picked-up call; `call` is its key everywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTicket {
    pub call: CallId,
    /// How the citizen reached us; `phone` for calls.
    pub channel: String,
    pub dnis: String,
    pub tenant: String,
    pub test_call: bool,
    /// The calling number exactly as the trunk sent it.
    pub cli_raw: Option<String>,
    /// Normalised to E.164 (`+86...`), when it can be.
    pub cli_e164: Option<String>,
    /// The caller asked for privacy: masked to agents, stored restricted.
    pub cli_withheld: bool,
    pub language: Option<String>,
    pub sip_call_id: String,
    /// IMS charging id, when the trunk sent one (P-Charging-Vector).
    pub icid: Option<String>,
    pub trunk: TrunkName,
    pub queue: QueueName,
    pub skill: Skill,
    pub arrived_at: Instant,
    pub queued_at: Instant,
    pub ring_at: Instant,
    pub answered_at: Instant,
    pub wait_ms: u64,
    /// Answered within the queue's N seconds.
    pub within_n: bool,
    pub agent: AgentNo,
    pub seat: SeatNo,
    /// SIP Call-IDs of the legs joined at pickup: trunk first, seat second.
    pub legs: Vec<String>,
    /// How the call came to this agent: `line 12345: mandarin; key 2: english; relaxed 1; 6606 (step 1)`.
    // A spool written before this field was there must still be read.
    #[serde(default)]
    pub route: String,
}
