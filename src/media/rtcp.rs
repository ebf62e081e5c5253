//! RTCP of one leg: our reports out, what we need of theirs in. Belongs here: composing and reading compound packets,
//! and when the next report is due. Not here: the figures themselves (`sequence`, `outbound`). (RFC 3550 s6; RFC 7022.)

use super::outbound::SenderInfo;
use super::sequence::Block;
use crate::time::Instant;
use std::time::Duration;

/// Mean time between reports; each interval is drawn from half to one and a half of it (RFC 3550 s6.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// Longest compound we send: SR with one block, SDES, BYE; and what SRTCP adds.
pub const MAX_REPORT: usize = 128;

const SR: u8 = 200;
const RR: u8 = 201;
const SDES: u8 = 202;
const BYE: u8 = 203;

#[derive(Clone, Debug)]
pub struct Reporter {
    cname: [u8; 16],
    due: Instant,
    /// Middle 32 bits of the NTP time in their last sender report, and when it came.
    their_report: Option<(u32, Instant)>,
    remote_lost: u32,
}

/// Is this the last report?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    No,
    Bye,
}

impl Reporter {
    /// `random` names us to the far end and spreads the first reports, which come in half the time (RFC 3550 s6.2).
    pub fn new(now: Instant, random: u64) -> Self {
        let mut cname = [0; 16];
        for (i, c) in cname.iter_mut().enumerate() {
            *c = b"0123456789abcdef"[(random >> (4 * i) & 15) as usize];
        }
        Reporter { cname, due: now + interval(random) / 2, their_report: None, remote_lost: 0 }
    }

    pub fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    /// Packets of ours that the far end says it lost.
    pub fn remote_lost(&self) -> u32 {
        self.remote_lost
    }

    /// A received RTCP datagram. False: not RTCP, or its lengths contradict the datagram's.
    pub fn receive(&mut self, now: Instant, our_ssrc: u32, datagram: &[u8]) -> bool {
        let mut rest = datagram;
        while !rest.is_empty() {
            let Some((packet, after)) = split(rest) else { return false };
            rest = after;
            let blocks = match packet[1] {
                SR if packet.len() >= 28 => {
                    self.their_report = Some((u32_at(packet, 10), now));
                    &packet[28..]
                }
                RR if packet.len() >= 8 => &packet[8..],
                _ => continue,
            };
            let count = usize::from(packet[0] & 0x1F);
            if let Some(block) = blocks.chunks_exact(24).take(count).find(|b| u32_at(b, 0) == our_ssrc) {
                let lost = u32_at(block, 4) & 0xFF_FFFF;
                // A signed 24-bit number: doubled packets make it negative.
                self.remote_lost = if lost & 0x80_0000 != 0 { 0 } else { lost };
            }
        }
        !datagram.is_empty()
    }

    /// Writes the report due now and sets the next. Returns its length in `out` (at most [`MAX_REPORT`]).
    pub fn compose(
        &mut self,
        now: Instant,
        ssrc: u32,
        sender: Option<SenderInfo>,
        block: Option<Block>,
        closing: Closing,
        out: &mut [u8; MAX_REPORT],
    ) -> usize {
        self.due = now + interval(self.due.as_unix_micros().wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(ssrc));
        let mut w = Writer { out, len: 0 };
        let (kind, fixed) = if sender.is_some() { (SR, 28) } else { (RR, 8) };
        w.header(block.is_some() as u8, kind, fixed + if block.is_some() { 24 } else { 0 });
        w.words(&[ssrc]);
        if let Some(sender) = sender {
            let ntp = ntp(now);
            w.words(&[(ntp >> 32) as u32, ntp as u32, sender.timestamp, sender.packets, sender.octets]);
        }
        if let Some(block) = block {
            let (last, delay) = match self.their_report {
                Some((middle, at)) => (middle, (now.since(at).as_micros() * 65_536 / 1_000_000) as u32),
                None => (0, 0),
            };
            let lost = u32::from(block.fraction_lost) << 24 | block.lost;
            w.words(&[block.ssrc, lost, block.highest, block.jitter, last, delay]);
        }
        // One chunk: SSRC, CNAME item, end and padding to a word.
        w.header(1, SDES, 4 + 4 + 2 + 16 + 2);
        w.words(&[ssrc]);
        w.bytes(&[1, 16]);
        w.bytes(&self.cname);
        w.bytes(&[0, 0]);
        if closing == Closing::Bye {
            w.header(1, BYE, 8);
            w.words(&[ssrc]);
        }
        w.len
    }
}

struct Writer<'o> {
    out: &'o mut [u8; MAX_REPORT],
    len: usize,
}

impl Writer<'_> {
    fn header(&mut self, count: u8, kind: u8, len: usize) {
        let words = (len / 4 - 1) as u16;
        self.bytes(&[0x80 | count, kind]);
        self.bytes(&words.to_be_bytes());
    }
    fn words(&mut self, words: &[u32]) {
        words.iter().for_each(|w| self.bytes(&w.to_be_bytes()));
    }
    fn bytes(&mut self, b: &[u8]) {
        self.out[self.len..self.len + b.len()].copy_from_slice(b);
        self.len += b.len();
    }
}

/// The first packet of a compound, padding included, and the rest.
fn split(compound: &[u8]) -> Option<(&[u8], &[u8])> {
    let &[first, _, hi, lo, ..] = compound else { return None };
    let len = 4 * (usize::from(u16::from_be_bytes([hi, lo])) + 1);
    (first >> 6 == 2 && len <= compound.len()).then(|| compound.split_at(len))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// 32.32 seconds since 1900.
fn ntp(now: Instant) -> u64 {
    let micros = now.as_unix_micros();
    let fraction = ((micros % 1_000_000) << 32) / 1_000_000;
    (micros / 1_000_000 + 2_208_988_800) << 32 | fraction
}

fn interval(random: u64) -> Duration {
    let half = INTERVAL.as_micros() as u64 / 2;
    Duration::from_micros(half + random % (2 * half))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENDER: SenderInfo = SenderInfo { timestamp: 8_000, packets: 50, octets: 8_000 };
    const BLOCK: Block = Block { ssrc: 7, fraction_lost: 128, lost: 3, highest: 1_000, jitter: 16 };

    #[test]
    fn a_report_is_read_back_by_the_other_side() {
        let now = Instant::from_unix_secs(1_800_000_000);
        let (mut ours, mut out) = (Reporter::new(now, 1), [0; MAX_REPORT]);
        let len = ours.compose(now, 9, Some(SENDER), Some(BLOCK), Closing::Bye, &mut out);
        let mut theirs = Reporter::new(now, 2);
        assert!(theirs.receive(now, 7, &out[..len]));
        assert_eq!(theirs.remote_lost(), 3);
        let kinds: Vec<u8> =
            std::iter::successors(split(&out[..len]), |(_, rest)| split(rest)).map(|(p, _)| p[1]).collect();
        assert_eq!(kinds, [SR, SDES, BYE]);

        // Their answer names our report's time, and how long ago it came: half a second.
        let len = theirs.compose(
            now + Duration::from_millis(500),
            7,
            None,
            Some(Block { ssrc: 9, ..BLOCK }),
            Closing::No,
            &mut out,
        );
        let rr = split(&out[..len]).unwrap().0;
        assert_eq!((rr[1], u32_at(rr, 24), u32_at(rr, 28)), (RR, (ntp(now) >> 16) as u32, 32_768));
    }

    #[test]
    fn reports_come_every_five_seconds_more_or_less() {
        let mut now = Instant::from_unix_secs(1_000);
        let (mut r, mut out, begun, mut count) = (Reporter::new(now, 77), [0; MAX_REPORT], now, 0);
        while now.since(begun) < Duration::from_secs(500) {
            if r.is_due(now) {
                r.compose(now, 9, None, None, Closing::No, &mut out);
                count += 1;
            }
            now = now + Duration::from_millis(100);
        }
        assert!((80..125).contains(&count), "{count} reports in 500 s");
    }

    #[test]
    fn lengths_that_lie_are_refused() {
        let now = Instant::from_unix_secs(1_000);
        let mut r = Reporter::new(now, 1);
        assert!(!r.receive(now, 1, &[]));
        assert!(!r.receive(now, 1, &[0x81, 200, 0, 6, 0, 0, 0, 1]));
        assert!(!r.receive(now, 1, &[0x41, 200, 0, 0]));
        // Claims 31 blocks and holds none: nothing to read, no harm.
        assert!(r.receive(now, 1, &[0x9F, 201, 0, 1, 0, 0, 0, 1]));
    }
}
