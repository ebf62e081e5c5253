//! What the media plane tells about browsers, whether a call is on or not: a seat in a browser keeps one audio session for
//! the shift. Belongs here: plain data. Not here: packets and sessions (`media::webrtc`), what follows from it (`gateway`).
//!
//! `Up` and `Down` of a seat alternate, except that a session that never came up is `Down` without an `Up`.

use crate::ids::SeatNo;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BrowserEvent {
    /// Keys are agreed and packets pass: the seat can be rung.
    Up { seat: SeatNo },
    /// A leg that is open on the seat stays open and is heard again after the next `Up`.
    Down { seat: SeatNo, why: Lost },
    /// How the seat's audio fares, every few seconds.
    Quality { seat: SeatNo, quality: Quality },
}

/// Why a browser's audio is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lost {
    /// Its page closed it, or we did at its page's wish.
    Closed,
    /// A newer session of the same seat takes its place: a page reloaded.
    Replaced,
    /// Nothing genuine came any more: a tab that died, a machine asleep, a network gone. It may come back by itself.
    Silent,
    /// It was accepted and then never connected: a firewall between, or a page that went away.
    NeverConnected,
    /// What it sent broke its session.
    Broken,
}

/// Figures since the session began, but for `lost_share` and `round_trip_us`: of the last few seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// Packets the browser got and gave.
    pub sent: u64,
    pub received: u64,
    /// Of what we sent, what the browser misses.
    pub remote_lost: u64,
    /// Of what we sent, in thousandths.
    pub lost_permille: Option<u16>,
    /// As the browser measures it.
    pub remote_jitter_us: Option<u32>,
    pub round_trip_us: Option<u32>,
}
