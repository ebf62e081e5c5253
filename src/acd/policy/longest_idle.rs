//! The default: the agent who has been idle longest, on the gateway's monotonic clock (peers' pain 8). Work is shared
//! evenly without any count being kept.

use super::Rank;
use crate::acd::agent::AgentIx;
use crate::time::Instant;

pub(super) fn rank(agent: AgentIx, idle_since: Instant) -> Rank {
    Rank { merit: idle_since.as_unix_micros(), agent }
}
