//! The one reader of clocks: wall time at start plus monotonic time since.

use crate::time::Instant;
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall: u64,
    start: std::time::Instant,
}

impl Clock {
    pub fn start() -> Clock {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as u64);
        Clock { wall, start: std::time::Instant::now() }
    }

    pub fn now(&self) -> Instant {
        Instant(self.wall + self.start.elapsed().as_micros() as u64)
    }
}
