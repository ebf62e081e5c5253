//! The media plane's clock. Belongs here: reading it. Not here: what is due when.

use crate::time::Instant;

/// The wall clock read once, monotonic time added to it. All threads use one: a leg that moves keeps its times.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall: Instant,
    start: std::time::Instant,
}

impl Clock {
    pub fn start() -> Self {
        let wall = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Clock { wall: Instant(wall.as_micros() as u64), start: std::time::Instant::now() }
    }

    pub fn now(&self) -> Instant {
        self.wall + self.start.elapsed()
    }
}
