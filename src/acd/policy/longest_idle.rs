//! The default: the agent who has been idle longest, on the gateway's monotonic clock (peers' pain 8). Work is shared
//! evenly without any count being kept.

/// All are equal, and idle time decides between equals.
pub(super) fn merit() -> u32 {
    0
}
