//! How the audio of seats in browsers fares, for `/metrics`: folded from what the media plane tells. Belongs here: sums and
//! what holds now. Not here: a seat's own story (`gateway::devices`), packets (`media`).

use crate::ids::SeatNo;
use crate::plane::MediaEvent;
use crate::plane::browser::{BrowserEvent, Lost, Quality};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Why a browser's audio ended, as metrics say it, in the order of [`BrowserFigures::lost`].
pub const ENDS: [&str; 5] = ["closed", "replaced", "silent", "never_connected", "broken"];

/// Totals since start, but for what holds now: `connected`, `jitter` and `round_trip`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrowserFigures {
    /// Seats whose browser's audio is up: they can be rung.
    pub connected: u64,
    /// Sessions that ended, by [`ENDS`].
    pub ended: [u64; 5],
    /// Packets that browsers sent and got, and of the latter those that they miss.
    pub received: u64,
    pub sent: u64,
    pub remote_lost: u64,
    /// The worst of those that are connected, as browsers measure it.
    pub jitter: Duration,
    pub round_trip: Duration,
}

/// Written on the media thread of browsers, read by whoever scrapes; neither holds it for longer than a sum takes.
#[derive(Debug, Default)]
pub struct BrowserBoard(Mutex<Board>);

#[derive(Debug, Default)]
struct Board {
    /// Those connected, with what they told last.
    seats: BTreeMap<SeatNo, Quality>,
    totals: BrowserFigures,
}

impl BrowserBoard {
    pub fn observe(&self, event: &MediaEvent) {
        let MediaEvent::Browser(event) = event else { return };
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Board { seats, totals } = &mut *board;
        match event {
            BrowserEvent::Up { seat } => drop(seats.insert(seat.clone(), Quality::default())),
            BrowserEvent::Down { seat, why } => {
                seats.remove(seat);
                let n = match why {
                    Lost::Closed => 0,
                    Lost::Replaced => 1,
                    Lost::Silent => 2,
                    Lost::NeverConnected => 3,
                    Lost::Broken => 4,
                };
                totals.ended[n] += 1;
            }
            BrowserEvent::Quality { seat, quality } => {
                // Figures of a session grow; one that began anew begins at nothing.
                if let Some(before) = seats.get_mut(seat) {
                    totals.received += quality.received.saturating_sub(before.received);
                    totals.sent += quality.sent.saturating_sub(before.sent);
                    totals.remote_lost += quality.remote_lost.saturating_sub(before.remote_lost);
                    *before = *quality;
                }
            }
        }
    }

    pub fn read(&self) -> BrowserFigures {
        let board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let worst = |of: fn(&Quality) -> Option<u32>| {
            Duration::from_micros(board.seats.values().filter_map(of).max().unwrap_or(0).into())
        };
        BrowserFigures {
            connected: board.seats.len() as u64,
            jitter: worst(|quality| quality.remote_jitter_us),
            round_trip: worst(|quality| quality.round_trip_us),
            ..board.totals.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_add_up_over_reloads_and_what_holds_now_is_of_those_connected() {
        let board = BrowserBoard::default();
        let seat = |no: &str| SeatNo::new(no);
        let tell = |event| board.observe(&MediaEvent::Browser(event));
        let quality = |sent, remote_lost, jitter| Quality {
            sent,
            received: 2 * sent,
            remote_lost,
            remote_jitter_us: Some(jitter),
            ..Quality::default()
        };
        tell(BrowserEvent::Up { seat: seat("8001") });
        tell(BrowserEvent::Up { seat: seat("8002") });
        tell(BrowserEvent::Quality { seat: seat("8001"), quality: quality(100, 3, 9_000) });
        tell(BrowserEvent::Quality { seat: seat("8002"), quality: quality(50, 0, 2_000) });
        tell(BrowserEvent::Quality { seat: seat("8001"), quality: quality(150, 4, 9_000) });
        // The page is loaded again.
        tell(BrowserEvent::Down { seat: seat("8001"), why: Lost::Replaced });
        assert_eq!(board.read().jitter, Duration::from_millis(2));
        tell(BrowserEvent::Up { seat: seat("8001") });
        tell(BrowserEvent::Quality { seat: seat("8001"), quality: quality(10, 1, 1_000) });
        tell(BrowserEvent::Down { seat: seat("8003"), why: Lost::NeverConnected });
        let read = board.read();
        assert_eq!((read.connected, read.ended), (2, [0, 1, 0, 1, 0]));
        assert_eq!((read.sent, read.received, read.remote_lost), (210, 420, 5));
    }
}
