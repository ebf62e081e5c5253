//! Where each packet of a conversation lies in its file. Belongs here: two sides on one time line, and what of it is ready to be
//! written. Not here: files (`file`), when (`writer`). Pure.
//!
//! A stream's first packet lies where it arrived, those after it by their RTP timestamps, so that jitter is not heard. Timestamps that
//! leave the time of arrival behind (a jump, a pause, a clock that runs differently) are begun anew.

use super::{Side, Stream};
use crate::media::g711::ALAW_SILENCE;
use crate::time::Instant;
use std::time::Duration;

/// A packet that comes later than this is left out.
const SLACK: Duration = Duration::from_millis(500);
/// How far timestamps may stray from arrival, in samples: 250 ms.
const STRAY: u64 = 2_000;

#[derive(Debug)]
pub struct Timeline {
    begun: Instant,
    sides: [Option<Anchor>; 2],
    /// Left and right in turn, from sample `from` on; what came before is gone.
    ready: Vec<u8>,
    from: u64,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    stream: Stream,
    timestamp: u32,
    place: u64,
    end: u64,
}

impl Timeline {
    pub fn new(begun: Instant) -> Self {
        Timeline { begun, sides: [None; 2], ready: Vec::new(), from: 0 }
    }

    pub fn begun(&self) -> Instant {
        self.begun
    }

    /// A-law that came at `at`.
    pub fn place(&mut self, side: Side, stream: Stream, at: Instant, timestamp: u32, alaw: &[u8]) {
        let arrived = samples(at.since(self.begun));
        let before = self.sides[side as usize];
        let place = before.filter(|anchor| anchor.stream == stream).and_then(|anchor| {
            let step = timestamp.wrapping_sub(anchor.timestamp).cast_signed();
            anchor.place.checked_add_signed(step.into()).filter(|place| place.abs_diff(arrived) <= STRAY)
        });
        // After what lies there, unless that is far ahead: what came in a burst, or faster than speech, must neither fill memory nor
        // put off all that follows.
        let after = before.map_or(0, |anchor| anchor.end);
        let place = place.unwrap_or(if after > arrived + STRAY { arrived } else { after.max(arrived) });
        let end = place + alaw.len() as u64;
        let reached = before.map_or(0, |anchor| anchor.end);
        // Packets may overtake one another: the newest tells where the next lies.
        if end >= reached || before.is_none_or(|anchor| anchor.stream != stream) {
            self.sides[side as usize] = Some(Anchor { stream, timestamp, place, end: end.max(reached) });
        }
        if end <= self.from {
            return;
        }
        self.reach(end);
        let late = self.from.saturating_sub(place).min(alaw.len() as u64) as usize;
        let at = (place + late as u64 - self.from) as usize;
        for (pair, octet) in self.ready[2 * at..].chunks_exact_mut(2).zip(&alaw[late..]) {
            pair[side as usize] = *octet;
        }
    }

    /// What is due to be written at `now`, and the sample it begins with; to be taken away with [`Timeline::passed`].
    pub fn due(&mut self, now: Instant) -> (u64, &[u8]) {
        self.until(samples(now.since(self.begun)).saturating_sub(samples(SLACK)))
    }

    /// All that is left of a conversation that ended at `end`.
    pub fn rest(&mut self, end: Instant) -> (u64, &[u8]) {
        self.until(samples(end.since(self.begun)))
    }

    fn until(&mut self, until: u64) -> (u64, &[u8]) {
        self.reach(until);
        (self.from, &self.ready[..2 * until.saturating_sub(self.from) as usize])
    }

    /// So much is written, or given up.
    pub fn passed(&mut self, octets: usize) {
        self.ready.drain(..octets);
        self.from += octets as u64 / 2;
    }

    /// Silence up to this sample.
    fn reach(&mut self, until: u64) {
        let length = 2 * until.saturating_sub(self.from) as usize;
        if length > self.ready.len() {
            self.ready.resize(length, ALAW_SILENCE);
        }
    }
}

fn samples(time: Duration) -> u64 {
    time.as_micros() as u64 / 125
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::LegId;

    const A: Stream = (LegId(1), 1);
    const B: Stream = (LegId(2), 1);

    fn ms(n: u64) -> Instant {
        Instant(7_000_000 + n * 1_000)
    }

    /// One side of what is left, as the octet that begins each 20 ms.
    fn side(octets: &[u8], side: Side) -> Vec<u8> {
        octets.chunks(320).map(|frame| frame[side as usize]).collect()
    }

    #[test]
    fn both_sides_lie_where_they_were_said_however_they_came() {
        let mut line = Timeline::new(ms(0));
        // Packets 2 and 3 change places, 4 comes 60 ms late with 5, 6 and 7; 9 is lost.
        for (at, n) in [(20, 1u8), (61, 3), (62, 2), (141, 4), (141, 5), (141, 6), (141, 7), (160, 8), (200, 10)] {
            line.place(Side::Caller, A, ms(at), (u32::MAX - 100).wrapping_add(160 * u32::from(n)), &[n; 160]);
        }
        for (at, n) in [(100, 51u8), (120, 52)] {
            line.place(Side::Others, B, ms(at), 160 * u32::from(n), &[n; 160]);
        }
        let s = ALAW_SILENCE;
        let rest = line.rest(ms(260)).1.to_vec();
        assert_eq!(side(&rest, Side::Caller), [s, 1, 2, 3, 4, 5, 6, 7, 8, s, 10, s, s]);
        assert_eq!(side(&rest, Side::Others), [s, s, s, s, s, 51, 52, s, s, s, s, s, s]);
    }

    #[test]
    fn other_streams_and_timestamps_that_stray_are_begun_anew_where_they_came() {
        let mut line = Timeline::new(ms(0));
        let said = [(0, A, 0, 1u8), (20, A, 160, 2), (40, B, 9_999, 3), (60, B, 900_000, 4), (80, B, 900_160, 5)];
        for (at, stream, timestamp, n) in said {
            line.place(Side::Caller, stream, ms(at), timestamp, &[n; 160]);
        }
        // A pause of which the timestamps do not tell.
        line.place(Side::Caller, B, ms(500), 900_320, &[6; 160]);
        let rest = side(line.rest(ms(540)).1, Side::Caller);
        assert_eq!(rest[..6], [1, 2, 3, 4, 5, ALAW_SILENCE]);
        assert_eq!(rest[24..], [ALAW_SILENCE, 6, ALAW_SILENCE]);
    }

    #[test]
    fn who_sends_faster_than_speech_fills_no_memory() {
        let mut line = Timeline::new(ms(0));
        for n in 0..10_000u32 {
            // Ever later, and from nowhere in between.
            line.place(Side::Caller, A, ms(0), n.wrapping_mul(if n % 2 == 0 { 1_600 } else { 77_777 }), &[1; 1_600]);
        }
        assert!(line.ready.len() <= 2 * (STRAY as usize + 2 * 1_600), "{} octets", line.ready.len());
        // When it speaks at a human pace again it is heard where it speaks.
        line.place(Side::Caller, A, ms(5_000), 1, &[7; 160]);
        assert_eq!(side(line.rest(ms(5_020)).1, Side::Caller)[250], 7);
    }

    #[test]
    fn what_came_after_all_of_it_was_written_is_left_out() {
        let mut line = Timeline::new(ms(0));
        line.place(Side::Caller, A, ms(600), 0, &[1; 160]);
        let due = line.due(ms(1_600)).1.len();
        line.passed(due);
        line.place(Side::Caller, A, ms(601), 160, &[2; 160]);
        line.place(Side::Others, B, ms(900), 0, &[3; 160]);
        assert!(line.rest(ms(1_600)).1.iter().all(|octet| *octet == ALAW_SILENCE));
    }

    #[test]
    fn what_is_due_is_written_once_and_what_comes_later_still_is_left_out() {
        let mut line = Timeline::new(ms(0));
        line.place(Side::Caller, A, ms(0), 0, &[1; 160]);
        assert_eq!(line.due(ms(500)), (0, &[][..]));
        let due = line.due(ms(1_500)).1.to_vec();
        assert_eq!((due.len(), due[0], due[1]), (16_000, 1, ALAW_SILENCE));
        line.passed(due.len());
        // Half of this one is due already.
        line.place(Side::Others, B, ms(990), 0, &[9; 160]);
        let (from, rest) = line.rest(ms(1_040));
        assert_eq!(from, 8_000);
        assert_eq!((rest.len(), rest[1], rest[159], rest[161]), (640, 9, 9, ALAW_SILENCE));
    }
}
