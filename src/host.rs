//! What the machine gives: its clock and its randomness. The only readers of either; the pure layer is handed both.

use crate::time::Instant;
use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

/// Wall time at start plus monotonic time since. All threads of one part use one: a leg that moves keeps its times.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall: Instant,
    start: std::time::Instant,
}

impl Clock {
    pub fn start() -> Clock {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { wall: Instant(wall.as_micros() as u64), start: std::time::Instant::now() }
    }

    pub fn now(&self) -> Instant {
        self.wall + self.start.elapsed()
    }

    /// The same moment as a library of the world counts it.
    pub fn system(&self, at: Instant) -> std::time::Instant {
        self.start + at.since(self.wall)
    }

    /// And back.
    pub fn of_system(&self, at: std::time::Instant) -> Instant {
        self.wall + at.saturating_duration_since(self.start)
    }
}

/// Seeds passwords made up at start, tags, nonces and RTP streams.
pub fn entropy() -> std::io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}
