//! The send side of a leg: one RTP stream for the leg's whole life, whatever feeds it. Belongs here: SSRC, sequence
//! number and timestamp continuity, payload type and codec mapping. Not here: what to play (`source`), sockets (`shard`).
//! (RFC 3550 s5.1, s7.1; RFC 7362 for why the far end must see one stream.)
//!
//! Played frames are numbered one after another. A relayed stream keeps its own gaps and order, shifted: the far end's
//! loss figures then tell the truth about the whole path. At each change of feed the number goes on by one, the
//! timestamp by the time that passed, and the marker is set.

use super::g711::{alaw_to_ulaw, ulaw_to_alaw};
use super::inbound::{Content, Part};
use super::rtp::{HEADER, Packet};
use super::tone::FRAME;
use crate::ids::LegId;
use crate::plane::{Codec, Negotiated};
use crate::time::Instant;

#[derive(Clone, Debug)]
pub struct Outbound {
    ssrc: u32,
    next_seq: u16,
    feed: Feed,
    /// The newest packet sent: its timestamp, how many samples it covers, when it went.
    last: Option<Last>,
    first_timestamp: u32,
    packets: u64,
    octets: u64,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    timestamp: u32,
    samples: u32,
    at: Instant,
}

/// What the newest packet came from.
#[derive(Clone, Copy, Debug)]
enum Feed {
    None,
    Player,
    Relay { from: LegId, epoch: u32, base: u64, newest: u64, seq_shift: u16, timestamp_shift: u32 },
}

/// What a sender report says (RFC 3550 s6.4.1).
#[derive(Clone, Copy, Debug)]
pub struct SenderInfo {
    pub timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

impl Outbound {
    /// The three are random (RFC 3550 s5.1).
    pub fn new(ssrc: u32, first_seq: u16, first_timestamp: u32) -> Self {
        Outbound { ssrc, next_seq: first_seq, feed: Feed::None, last: None, first_timestamp, packets: 0, octets: 0 }
    }

    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// When the newest packet went.
    pub fn last_sent(&self) -> Option<Instant> {
        self.last.map(|l| l.at)
    }

    /// One frame of A-law, due at `at`. Returns the packet's length in `out`.
    pub fn play(&mut self, at: Instant, alaw: &[u8; FRAME], agreed: &Negotiated, out: &mut [u8]) -> Option<usize> {
        let marker = !matches!(self.feed, Feed::Player);
        self.feed = Feed::Player;
        let timestamp = self.timestamp_at(at);
        let content = Content::Audio(Codec::Pcma, alaw);
        let len = self.write(self.next_seq, timestamp, marker, content, agreed, out)?;
        self.next_seq = self.next_seq.wrapping_add(1);
        self.last = Some(Last { timestamp, samples: FRAME as u32, at });
        Some(len)
    }

    /// One packet heard on the leg `from`. `None`: not for this leg (a straggler from before the bridge, or a content
    /// its party did not agree to).
    pub fn relay(
        &mut self,
        now: Instant,
        from: LegId,
        part: &Part<'_>,
        agreed: &Negotiated,
        out: &mut [u8],
    ) -> Option<usize> {
        let samples = match part.content {
            Content::Audio(_, payload) => payload.len() as u32,
            Content::Event(payload) if agreed.dtmf.is_some() => u32::from(u16::from_be_bytes([payload[2], payload[3]])),
            Content::Event(_) | Content::Nothing => {
                self.leave_out(part.number);
                return None;
            }
        };
        let begins = !matches!(self.feed, Feed::Relay { from: f, epoch, .. } if f == from && epoch == part.epoch);
        if begins {
            self.feed = Feed::Relay {
                from,
                epoch: part.epoch,
                base: part.number,
                newest: part.number,
                seq_shift: self.next_seq.wrapping_sub(part.number as u16),
                timestamp_shift: self.timestamp_at(now).wrapping_sub(part.timestamp),
            };
        }
        let Feed::Relay { base, newest, seq_shift, timestamp_shift, .. } = &mut self.feed else { return None };
        if part.number < *base {
            return None;
        }
        let seq = (part.number as u16).wrapping_add(*seq_shift);
        let timestamp = part.timestamp.wrapping_add(*timestamp_shift);
        if part.number >= *newest {
            *newest = part.number;
            self.next_seq = seq.wrapping_add(1);
            self.last = Some(Last { timestamp, samples, at: now });
        }
        self.write(seq, timestamp, part.marker || begins, part.content, agreed, out)
    }

    /// The far end is on hold: what passes meanwhile is not lost, so the stream goes on by one afterwards.
    pub fn pause(&mut self) {
        self.feed = Feed::None;
    }

    pub fn sender_info(&self, now: Instant) -> Option<SenderInfo> {
        let last = self.last?;
        Some(SenderInfo {
            timestamp: last.timestamp.wrapping_add(samples_in(now.since(last.at))),
            packets: self.packets as u32,
            octets: self.octets as u32,
        })
    }

    /// The packet with this number is not passed on: close the gap, or the far end would count it as lost.
    fn leave_out(&mut self, number: u64) {
        if let Feed::Relay { newest, seq_shift, .. } = &mut self.feed
            && number == *newest + 1
        {
            *newest = number;
            *seq_shift = seq_shift.wrapping_sub(1);
        }
    }

    /// Timestamp of a packet that begins at `at`: time has passed, and what was sent last is not overlapped.
    fn timestamp_at(&self, at: Instant) -> u32 {
        match self.last {
            Some(last) => last.timestamp.wrapping_add(samples_in(at.since(last.at)).max(last.samples)),
            None => self.first_timestamp,
        }
    }

    fn write(
        &mut self,
        seq: u16,
        timestamp: u32,
        marker: bool,
        content: Content<'_>,
        agreed: &Negotiated,
        out: &mut [u8],
    ) -> Option<usize> {
        let (payload_type, payload) = match content {
            Content::Audio(_, payload) => (agreed.payload_type, payload),
            Content::Event(payload) => (agreed.dtmf?, payload),
            Content::Nothing => return None,
        };
        let packet = Packet { payload_type, marker, seq, timestamp, ssrc: self.ssrc, payload };
        let len = packet.write(out)?;
        match (content, agreed.codec) {
            (Content::Audio(Codec::Pcma, _), Codec::Pcmu) => alaw_to_ulaw(&mut out[HEADER..len]),
            (Content::Audio(Codec::Pcmu, _), Codec::Pcma) => ulaw_to_alaw(&mut out[HEADER..len]),
            _ => {}
        }
        self.packets += 1;
        self.octets += payload.len() as u64;
        Some(len)
    }
}

fn samples_in(time: std::time::Duration) -> u32 {
    (time.as_micros() / 125) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Direction;

    fn agreed(codec: Codec, dtmf: Option<u8>) -> Negotiated {
        let remote = "127.0.0.1:4000".parse().unwrap();
        let payload_type = if codec == Codec::Pcma { 8 } else { 0 };
        Negotiated {
            remote_rtp: remote,
            remote_rtcp: remote,
            rtcp_mux: false,
            codec,
            payload_type,
            dtmf,
            direction: Direction::SendRecv,
            srtp: None,
            webrtc: None,
        }
    }

    fn audio(epoch: u32, number: u64, timestamp: u32, payload: &[u8]) -> Part<'_> {
        Part { epoch, number, timestamp, marker: false, content: Content::Audio(Codec::Pcma, payload) }
    }

    const A: LegId = LegId(1);
    const B: LegId = LegId(2);

    fn ms(n: u64) -> Instant {
        Instant(1_000_000 + n * 1_000)
    }

    /// (marker, seq, timestamp) of the packet written.
    fn head(out: &[u8], len: usize) -> (bool, u16, u32) {
        let p = Packet::parse(&out[..len]).unwrap();
        assert_eq!(p.ssrc, 0xABCD);
        (p.marker, p.seq, p.timestamp)
    }

    #[test]
    fn music_then_a_leg_then_another_leg_is_one_stream() {
        let (mut o, mut out, us) = (Outbound::new(0xABCD, 65_534, 1_000), [0; 256], agreed(Codec::Pcma, None));
        let frame = [0xD5; FRAME];
        let mut sent = Vec::new();
        for n in 0..3 {
            let len = o.play(ms(n * 20), &frame, &us, &mut out).unwrap();
            sent.push(head(&out, len));
        }
        // The bridge comes 7 ms after a frame; packet 71 is lost on the way, 73 and 72 change places.
        for (at, number) in [(47, 70u64), (87, 73), (88, 72), (107, 74)] {
            let len =
                o.relay(ms(at), A, &audio(1, number, 50_000 + number as u32 * 160, &frame), &us, &mut out).unwrap();
            sent.push(head(&out, len));
        }
        let len = o.relay(ms(207), B, &audio(1, 9, 77, &frame), &us, &mut out).unwrap();
        sent.push(head(&out, len));
        assert_eq!(
            sent,
            [
                (true, 65_534, 1_000),
                (false, 65_535, 1_160),
                (false, 0, 1_320),
                (true, 1, 1_480),
                (false, 4, 1_960),
                (false, 3, 1_800),
                (false, 5, 2_120),
                (true, 6, 2_920),
            ]
        );
    }

    #[test]
    fn stragglers_from_before_the_bridge_are_dropped() {
        let (mut o, mut out, us) = (Outbound::new(1, 0, 0), [0; 256], agreed(Codec::Pcma, None));
        assert!(o.relay(ms(0), A, &audio(1, 100, 0, &[1]), &us, &mut out).is_some());
        assert!(o.relay(ms(1), A, &audio(1, 99, 0, &[1]), &us, &mut out).is_none());
    }

    #[test]
    fn what_passes_during_a_hold_is_no_loss() {
        let (mut o, mut out, us) = (Outbound::new(0xABCD, 10, 0), [0; 256], agreed(Codec::Pcma, None));
        let frame = [0xD5; FRAME];
        let mut sent = Vec::new();
        for (at, number) in [(0, 100u64), (20, 101), (640, 132), (660, 133)] {
            if number == 132 {
                o.pause();
            }
            let part = audio(1, number, number as u32 * 160, &frame);
            let len = o.relay(ms(at), A, &part, &us, &mut out).unwrap();
            sent.push(head(&out, len));
        }
        assert_eq!(sent, [(true, 10, 0), (false, 11, 160), (true, 12, 160 + 4_960), (false, 13, 160 + 5_120)]);
    }

    #[test]
    fn events_are_mapped_or_left_out_without_a_gap() {
        let event = [5, 0x8A, 1, 0xE0];
        let part = |number| Part { epoch: 1, number, timestamp: 160, marker: true, content: Content::Event(&event) };
        for (dtmf, expected) in [(Some(100), vec![(8, 50), (100, 51), (8, 52)]), (None, vec![(8, 50), (8, 51)])] {
            let (mut o, mut out, us) = (Outbound::new(1, 50, 0), [0; 256], agreed(Codec::Pcma, dtmf));
            let mut seen = Vec::new();
            for p in [audio(1, 7, 0, &[1]), part(8), audio(1, 9, 320, &[1])] {
                if let Some(len) = o.relay(ms(0), A, &p, &us, &mut out) {
                    let p = Packet::parse(&out[..len]).unwrap();
                    seen.push((p.payload_type, p.seq));
                }
            }
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn the_codec_is_what_the_leg_agreed_to() {
        let (mut o, mut out) = (Outbound::new(1, 0, 0), [0; 256]);
        let len = o.play(ms(0), &[0xD5; FRAME], &agreed(Codec::Pcmu, None), &mut out).unwrap();
        let p = Packet::parse(&out[..len]).unwrap();
        assert_eq!((p.payload_type, p.payload.len()), (0, FRAME));
        assert!(p.payload.iter().all(|u| crate::media::g711::ulaw_to_linear(*u).abs() <= 8), "silence stays silence");
    }
}
