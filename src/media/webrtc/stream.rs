//! One RTP stream to a browser for its whole session, though legs come and go, each numbered in its own way (RFC 3550 s5.1,
//! RFC 3711 s3.3.1). Belongs here: numbers and timestamps. Not here: what is sent (`leg`), encryption (`session`).

use crate::ids::LegId;
use crate::time::Instant;

#[derive(Debug)]
pub struct Stream {
    /// The index (sequence number with its rollovers) that comes next, and the newest timestamp with its time.
    next: u64,
    newest: Option<(u32, Instant)>,
    source: Option<Source>,
}

/// The leg whose packets are sent now.
#[derive(Debug)]
struct Source {
    leg: LegId,
    /// Its newest number, as it counts and as the stream does; nothing below `first` is sent.
    seq: u16,
    index: u64,
    first: u64,
    timestamp_shift: u32,
}

impl Stream {
    /// `random` is where it begins: in the lower half, for a receiver that misses the first packets could not know of a
    /// rollover.
    pub fn new(random: u64) -> Stream {
        Stream { next: random & 0x7FFF, newest: None, source: None }
    }

    /// Index and timestamp of a packet of `leg`. `None`: it is older than the change to its leg.
    pub fn place(&mut self, now: Instant, leg: LegId, seq: u16, timestamp: u32) -> Option<(u64, u32)> {
        let source = match &mut self.source {
            Some(source) if source.leg == leg => source,
            other => {
                // As much media time as real time has passed.
                let begins = self.newest.map_or(timestamp, |(newest, at)| {
                    newest.wrapping_add((now.since(at).as_micros() / 125) as u32).wrapping_add(1)
                });
                let shift = begins.wrapping_sub(timestamp);
                other.insert(Source { leg, seq, index: self.next, first: self.next, timestamp_shift: shift })
            }
        };
        let ahead = seq.wrapping_sub(source.seq) as i16;
        let index = source.index.checked_add_signed(ahead.into()).filter(|index| *index >= source.first)?;
        let timestamp = timestamp.wrapping_add(source.timestamp_shift);
        if index >= source.index {
            (source.seq, source.index) = (seq, index);
            self.next = index + 1;
            self.newest = Some((timestamp, now));
        }
        Some((index, timestamp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Instant {
        Instant(1_000_000 + n * 1_000)
    }

    #[test]
    fn call_after_call_is_one_stream_with_its_rollovers() {
        let mut stream = Stream::new(0xFFFF_0000_0000_8005);
        let (first, second) = (LegId(1), LegId(2));
        let steps = [
            (0, first, 65_534, 1_000, Some((5, 1_000))),
            (20, first, 65_535, 1_160, Some((6, 1_160))),
            // Out of order over the source's rollover.
            (40, first, 1, 1_480, Some((8, 1_480))),
            (41, first, 0, 1_320, Some((7, 1_320))),
            // A second later another call, which knows nothing of these numbers.
            (1_040, second, 100, 77, Some((9, 1_480 + 8_000 + 1))),
            (1_060, second, 101, 237, Some((10, 1_480 + 8_000 + 161))),
            (1_061, second, 99, 0, None),
        ];
        for (at, leg, seq, timestamp, expected) in steps {
            assert_eq!(stream.place(ms(at), leg, seq, timestamp), expected, "{leg:?} {seq}");
        }
        // 200,000 packets: the index grows past 16 bits.
        let last = (102..200_102u32).map(|n| stream.place(ms(2_000), second, n as u16, 0).unwrap().0).last();
        assert_eq!(last, Some(200_010));
    }
}
