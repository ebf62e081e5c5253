//! The four transaction machines of RFC 3261 s17, one file per figure, as RFC 6026 corrects the two INVITE ones.
//! Belongs here: states, and for each event the next state and what to do ([`Output`]). Not here: finding the
//! transaction a message belongs to, keeping time, sending ([`super::endpoint`]).
//!
//! A machine is a value: `handle` consumes the state and returns the next one. Its variants hold the bytes that
//! may still have to be sent in that state and nothing else, which is what makes a lingering transaction small.
//!
//! | file              | RFC 3261 figure              | timers        |
//! |-------------------|------------------------------|---------------|
//! | `invite_client`   | 5 (RFC 6026 s8.4: Accepted)  | A B D M       |
//! | `client`          | 6                            | E F K         |
//! | `invite_server`   | 7 (RFC 6026 s8.5: Accepted)  | G H I L       |
//! | `server`          | 8                            | J             |

pub mod client;
mod derived;
pub mod invite_client;
pub mod invite_server;
pub mod server;

use super::flow::Transport;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Round-trip time estimate (RFC 3261 table 4).
pub const T1: Duration = Duration::from_millis(500);
/// Longest interval between retransmissions of non-INVITE requests and of INVITE responses.
pub const T2: Duration = Duration::from_secs(4);
/// Longest time a message stays in the network.
pub const T4: Duration = Duration::from_secs(5);
/// Timers B, F, H, J, L, M; and D, which must be at least 32 s: the same 64*T1.
pub const PATIENCE: Duration = Duration::from_secs(32);

/// The RFC's timers by their letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Timer {
    A,
    B,
    D,
    E,
    F,
    G,
    H,
    I,
    J,
    K,
    L,
    M,
    /// Unnamed in RFC 3261 s9.1: how long a cancelled INVITE waits for its final response.
    AfterCancel,
}

impl Timer {
    /// Paces retransmissions. A transaction runs at most one such timer beside one that ends a state.
    pub fn paces(self) -> bool {
        matches!(self, Timer::A | Timer::E | Timer::G)
    }
}

/// What a machine asks for, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Put these bytes on the transaction's flow.
    Send(Vec<u8>),
    /// Open a client transaction of its own for this CANCEL.
    Cancel(Vec<u8>),
    /// Hand the message of this event to the transaction user.
    PassUp,
    Start(Timer, Duration),
    Stop(Timer),
    /// Tell the user that the awaited message (final response or ACK) did not come.
    TimedOut,
    /// Tell the user that the transport failed.
    Unreachable,
}

/// Streams deliver or fail: the machines then neither retransmit nor wait for retransmissions.
fn reliable(transport: Transport) -> bool {
    transport.is_stream()
}
