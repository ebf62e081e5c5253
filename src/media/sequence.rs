//! What one received RTP stream has lost, and how evenly it comes. Belongs here: extended sequence numbers, loss and
//! jitter. Not here: whose stream it is (`latch`), what is in it. (RFC 3550 s6.4.1, A.1, A.3, A.8.)

use crate::time::Instant;

/// A step forward of this many packets or more is a restart of the sender, or an attack (RFC 3550 A.1).
const MAX_DROPOUT: u16 = 3_000;
/// Packets this far behind are late; further behind, the sender restarted.
const MAX_MISORDER: u16 = 100;

/// What one packet's sequence number means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// New, with its extended number; within one epoch these tell order across wrap-around.
    New(u64),
    /// Came before, or comes too late to be told from one that did.
    Repeated,
    /// Far from the stream; believed only if the next packet follows it.
    Wild,
}

/// Receive side of a leg over its whole life: streams follow one another (epochs), the figures add up.
#[derive(Clone, Debug, Default)]
pub struct Sequence {
    stream: Option<Stream>,
    epoch: u32,
    expected_before: u64,
    unique_before: u64,
    jitter_q4: u32,
}

#[derive(Clone, Debug)]
struct Stream {
    ssrc: u32,
    base: u64,
    max: u64,
    /// Which of the 64 numbers up to `max` have come; bit 0 is `max`.
    window: u64,
    unique: u64,
    /// The number that would confirm a restart.
    wild_next: Option<u16>,
    transit: Option<i64>,
    reported: Reported,
}

/// Where the last report block stood, for its "fraction lost".
#[derive(Clone, Copy, Debug, Default)]
struct Reported {
    expected: u64,
    unique: u64,
}

/// The figures of a report block (RFC 3550 s6.4.1) about the present stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    pub ssrc: u32,
    pub fraction_lost: u8,
    pub lost: u32,
    pub highest: u32,
    pub jitter: u32,
}

impl Sequence {
    /// A new source begins: what was counted so far stays counted.
    pub fn restart(&mut self, ssrc: u32, seq: u16) {
        if let Some(old) = self.stream.take() {
            self.expected_before += old.expected();
            self.unique_before += old.unique;
        }
        self.epoch = self.epoch.wrapping_add(1);
        // One full cycle of headroom below, so that nothing before the first packet goes negative.
        let base = 0x1_0000 + u64::from(seq);
        self.stream = Some(Stream {
            ssrc,
            base,
            max: base - 1,
            window: 0,
            unique: 0,
            wild_next: None,
            transit: None,
            reported: Reported::default(),
        });
    }

    /// Counts a packet of the present stream.
    pub fn place(&mut self, ssrc: u32, seq: u16) -> Place {
        let Some(stream) = &mut self.stream else {
            self.restart(ssrc, seq);
            return self.place(ssrc, seq);
        };
        let ahead = seq.wrapping_sub(stream.max as u16);
        let behind = ahead.wrapping_neg();
        if (1..MAX_DROPOUT).contains(&ahead) {
            stream.window = stream.window.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
            stream.max += u64::from(ahead);
            stream.unique += 1;
            stream.wild_next = None;
            return Place::New(stream.max);
        }
        if behind < MAX_MISORDER {
            let bit = 1u64.checked_shl(u32::from(behind)).unwrap_or(0);
            let number = stream.max - u64::from(behind);
            if bit == 0 || stream.window & bit != 0 {
                return Place::Repeated;
            }
            stream.window |= bit;
            stream.unique += 1;
            // The first packets of a stream may themselves be out of order.
            stream.base = stream.base.min(number);
            return Place::New(number);
        }
        if stream.wild_next == Some(seq) {
            self.restart(ssrc, seq);
            return self.place(ssrc, seq);
        }
        stream.wild_next = Some(seq.wrapping_add(1));
        Place::Wild
    }

    /// Feeds the jitter estimate with an audio packet (an event's timestamp is its start, so events do not count).
    pub fn time(&mut self, now: Instant, timestamp: u32) {
        let Some(stream) = &mut self.stream else { return };
        let arrival = (now.as_unix_micros() / 125) as u32;
        let transit = i64::from(arrival.wrapping_sub(timestamp));
        if let Some(before) = stream.transit.replace(transit) {
            let d = (transit - before).unsigned_abs().min(u64::from(u32::MAX)) as u32;
            // A second or more is a pause or a new clock base, not jitter.
            if d < 8_000 {
                self.jitter_q4 = self.jitter_q4 + d - ((self.jitter_q4 + 8) >> 4);
            }
        }
    }

    /// Changes when the numbering starts afresh.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Packets that should have come and did not, over all streams of this leg.
    pub fn lost(&self) -> u64 {
        let (expected, unique) = self.stream.as_ref().map_or((0, 0), |s| (s.expected(), s.unique));
        (self.expected_before + expected).saturating_sub(self.unique_before + unique)
    }

    /// Interarrival jitter in microseconds.
    pub fn jitter_us(&self) -> u32 {
        (self.jitter_q4 >> 4) * 125
    }

    /// The report block to send now; remembers it for the next one's fraction.
    pub fn report(&mut self) -> Option<Block> {
        let jitter = self.jitter_q4 >> 4;
        let stream = self.stream.as_mut()?;
        let now = Reported { expected: stream.expected(), unique: stream.unique };
        let expected = now.expected.saturating_sub(stream.reported.expected);
        let lost = expected.saturating_sub(now.unique.saturating_sub(stream.reported.unique));
        stream.reported = now;
        Some(Block {
            ssrc: stream.ssrc,
            fraction_lost: (lost * 256).checked_div(expected).unwrap_or(0).min(255) as u8,
            lost: now.expected.saturating_sub(now.unique).min(0x7F_FFFF) as u32,
            highest: (stream.max - 0x1_0000) as u32,
            jitter,
        })
    }
}

impl Stream {
    fn expected(&self) -> u64 {
        self.max + 1 - self.base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost_after(seqs: impl IntoIterator<Item = u16>) -> u64 {
        let mut s = Sequence::default();
        for seq in seqs {
            s.place(1, seq);
        }
        s.lost()
    }

    #[test]
    fn loss_is_gaps_only() {
        let table: [(&str, Vec<u16>, u64); 9] = [
            ("in order", vec![1, 2, 3, 4], 0),
            ("a gap", vec![1, 2, 5, 6], 2),
            ("reordered", vec![1, 3, 2, 5, 4], 0),
            ("reordered from the first", vec![3, 1, 2, 4], 0),
            ("doubled", vec![1, 1, 2, 2, 3, 3], 0),
            ("doubled must not hide a gap", vec![1, 1, 1, 4], 2),
            ("wrap", vec![65_534, 65_535, 0, 1], 0),
            ("a gap over the wrap", vec![65_534, 1], 2),
            ("one wild packet is no loss", vec![1, 2, 30_000, 3, 4], 0),
        ];
        for (name, seqs, expected) in table {
            assert_eq!(lost_after(seqs), expected, "{name}");
        }
        assert_eq!(lost_after((0..200_000u32).map(|n| n as u16)), 0, "three times round");
    }

    #[test]
    fn a_restarted_sender_is_believed_at_its_second_packet() {
        let mut s = Sequence::default();
        s.place(1, 10);
        let epoch = s.epoch();
        assert_eq!(s.place(1, 40_000), Place::Wild);
        assert_eq!(s.place(1, 40_001), Place::New(0x1_0000 + 40_001));
        assert_ne!(s.epoch(), epoch);
        assert_eq!(s.lost(), 0);
    }

    #[test]
    fn figures_add_up_over_streams() {
        let mut s = Sequence::default();
        [1, 3].iter().for_each(|seq| {
            s.place(1, *seq);
        });
        s.restart(2, 500);
        [500, 502].iter().for_each(|seq| {
            s.place(2, *seq);
        });
        assert_eq!(s.lost(), 2);
        let block = s.report().unwrap();
        assert_eq!((block.ssrc, block.lost, block.highest, block.fraction_lost), (2, 1, 502, 85));
        assert_eq!(s.report().unwrap().fraction_lost, 0, "nothing new since");
    }

    #[test]
    fn jitter_is_zero_for_an_even_stream_and_grows_with_unevenness() {
        let run = |wobble_us: u64| {
            let mut s = Sequence::default();
            for n in 0..500u32 {
                s.place(1, n as u16);
                s.time(Instant(1_000_000 + u64::from(n) * 20_000 + u64::from(n % 2) * wobble_us), n * 160);
            }
            s.jitter_us()
        };
        assert_eq!(run(0), 0);
        let five_ms = run(5_000);
        assert!((4_000..6_000).contains(&five_ms), "{five_ms} µs for packets 5 ms early and late in turn");
    }
}
