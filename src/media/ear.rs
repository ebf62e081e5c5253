//! One leg as another hears it in a mix: packets come unevenly, 20 ms are taken at even times. Belongs here: the order of
//! what came, its delay, what fills a gap. Not here: the sum (`mixer`), when a frame is due (`pacer`).
//!
//! Packets lie on a time line by their RTP timestamps, [`DEPTH`] behind their arrival. What is missing when it is due is the
//! last 20 ms again at half the loudness, and again: a single loss is hardly heard, a speaker who stops fades out.
//!
//! Two clocks never agree, and paths change. Audio that keeps coming too late is put later by whole frames (the gap
//! was filled already); of audio that waits longer than needed for two seconds, two frames become one. So the delay follows the
//! path between none and [`FURTHEST`]; 200 ppm is one such correction in 100 s.

use super::g711::{alaw_to_linear, ulaw_to_linear};
use super::inbound::{Content, MAX_AUDIO, Part};
use super::tone::FRAME;
use crate::ids::LegId;
use crate::plane::Codec;

/// How long a stream's first packet waits: 40 ms.
const DEPTH: u64 = 2 * FRAME as u64;
/// No packet waits longer than this, 120 ms: what would is heard after [`DEPTH`] instead.
const FURTHEST: u64 = 6 * FRAME as u64;
/// What lies ready before each frame of an even stream, and a frame more, is too much.
const TOO_MUCH: u64 = DEPTH + 2 * FRAME as u64;
/// Frames of which the least is looked at: 2 s.
const WINDOW: u8 = 100;
const CAPACITY: usize = 4_096;
const _: () = assert!(CAPACITY >= FURTHEST as usize + MAX_AUDIO && CAPACITY.is_power_of_two());
/// Nothing came for this sample; G.711 has no such value.
const HOLE: i16 = i16::MIN;

#[derive(Debug)]
pub struct Ear {
    speaker: LegId,
    /// Samples by their place on the time line, modulo the capacity.
    ring: Box<[i16; CAPACITY]>,
    /// The place that is heard next.
    read: u64,
    stream: Option<Stream>,
    /// The last 20 ms heard.
    tail: [i16; FRAME],
    /// Least that lay ready before a frame, and how many frames were looked at.
    least: u64,
    frames: u8,
}

/// Where timestamps lie on the time line: by the newest packet.
#[derive(Clone, Copy, Debug)]
struct Stream {
    epoch: u32,
    timestamp: u32,
    place: u64,
    /// The end of the newest packet.
    end: u64,
}

/// Where one packet lies.
enum Place {
    Newest(u64),
    /// It comes after packets that were sent later.
    Straggler(u64),
}

impl Ear {
    pub fn new(speaker: LegId) -> Self {
        Ear {
            speaker,
            ring: Box::new([HOLE; CAPACITY]),
            // Far from zero, so that nothing before it is negative.
            read: 1 << 40,
            stream: None,
            tail: [0; FRAME],
            least: u64::MAX,
            frames: 0,
        }
    }

    pub fn speaker(&self) -> LegId {
        self.speaker
    }

    /// A packet of the speaker's. Key presses are passed on to nobody: where they are, the audio has a gap.
    pub fn take(&mut self, part: &Part<'_>) {
        let Content::Audio(codec, payload) = part.content else { return };
        let place = match self.place(part) {
            Place::Newest(place) => {
                let end = place + payload.len() as u64;
                self.stream = Some(Stream { epoch: part.epoch, timestamp: part.timestamp, place, end });
                place
            }
            Place::Straggler(place) => place,
        };
        let past = self.read.saturating_sub(place).min(payload.len() as u64);
        for (at, octet) in (place + past..).zip(&payload[past as usize..]) {
            self.ring[at as usize % CAPACITY] = match codec {
                Codec::Pcma => alaw_to_linear(*octet),
                Codec::Pcmu => ulaw_to_linear(*octet),
            };
        }
    }

    /// Adds the next 20 ms.
    pub fn add_to(&mut self, sum: &mut [i32; FRAME]) {
        let spare = self.has_too_much();
        for (n, sum) in sum.iter_mut().enumerate() {
            let mut sample = self.pull(n);
            if spare {
                let later = i32::from(self.pull(n + FRAME).unwrap_or(0));
                let weight = n as i32;
                sample = sample
                    .map(|now| ((i32::from(now) * (FRAME as i32 - weight) + later * weight) / FRAME as i32) as i16);
            }
            self.tail[n] = sample.unwrap_or(self.tail[n] / 2);
            *sum += i32::from(self.tail[n]);
        }
        self.read += if spare { 2 * FRAME as u64 } else { FRAME as u64 };
    }

    /// Where a packet lies.
    fn place(&self, part: &Part<'_>) -> Place {
        let anew = Place::Newest(self.read + DEPTH);
        let Some(stream) = self.stream.filter(|stream| stream.epoch == part.epoch) else { return anew };
        let step = part.timestamp.wrapping_sub(stream.timestamp).cast_signed();
        let Some(place) = stream.place.checked_add_signed(step.into()) else { return anew };
        let late = self.read.saturating_sub(place);
        if late > FURTHEST || place > self.read + FURTHEST {
            // Timestamps that jumped, or that did not tell of a pause.
            anew
        } else if step < 0 {
            Place::Straggler(place)
        } else {
            // Too late, though in order: so will the next be.
            Place::Newest(place + late.next_multiple_of(FRAME as u64))
        }
    }

    /// Whether more lies ready, and has for a while, than the path needs.
    fn has_too_much(&mut self) -> bool {
        let ready = self.stream.map_or(0, |stream| stream.end.saturating_sub(self.read));
        self.least = self.least.min(ready);
        self.frames += 1;
        if self.frames < WINDOW {
            return false;
        }
        self.frames = 0;
        std::mem::replace(&mut self.least, u64::MAX) >= TOO_MUCH
    }

    /// The `n`th sample from here on; it leaves a hole.
    fn pull(&mut self, n: usize) -> Option<i16> {
        let at = (self.read as usize + n) % CAPACITY;
        Some(std::mem::replace(&mut self.ring[at], HOLE)).filter(|sample| *sample != HOLE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::g711::linear_to_alaw;
    use crate::media::tone::{self, ToneGenerator};

    const SPEAKER: LegId = LegId(1);
    /// Linear audio from `ear`, as A-law for the detector.
    fn hear(ear: &mut Ear) -> [u8; FRAME] {
        let mut sum = [0; FRAME];
        ear.add_to(&mut sum);
        sum.map(|sample| linear_to_alaw(sample as i16))
    }

    fn part(number: u64, timestamp: u32, payload: &[u8]) -> Part<'_> {
        Part { epoch: 1, number, timestamp, marker: false, content: Content::Audio(Codec::Pcma, payload) }
    }

    /// A speaker whose clock runs `ppm` fast says a tone for so many seconds; `arrives` moves each packet, in µs, or loses it. What
    /// is heard, and the most that lay ready before a frame.
    fn play(seconds: u64, ppm: i64, mut arrives: impl FnMut(u64) -> Option<u64>) -> (Vec<u8>, u64) {
        let (mut ear, mut tone) = (Ear::new(SPEAKER), ToneGenerator::new(1_004.0, -15.0));
        let step = 20_000 - 20_000 * ppm / 1_000_000;
        let mut packets: Vec<(u64, u64, [u8; FRAME])> = Vec::new();
        for number in 0..seconds * 50 {
            let frame = tone.frame();
            packets.extend(arrives(number).map(|later| (number * step as u64 + later, number, frame)));
        }
        packets.sort_by_key(|(at, number, _)| (*at, *number));
        let (mut packets, mut heard, mut most) = (packets.into_iter().peekable(), Vec::new(), 0);
        for tick in 0..seconds * 50 {
            while let Some((_, number, frame)) = packets.next_if(|(at, ..)| *at <= 7_000 + tick * 20_000) {
                ear.take(&part(number, 77u32.wrapping_sub(4_000).wrapping_add(number as u32 * 160), &frame));
            }
            most = most.max(ear.stream.map_or(0, |stream| stream.end.saturating_sub(ear.read)));
            heard.extend(hear(&mut ear));
        }
        (heard, most)
    }

    /// Frames after the first 100 ms in which the tone is not all there is, or has not its level.
    fn faults(heard: &[u8]) -> usize {
        let readings = heard[5 * FRAME..].chunks(FRAME).map(|frame| tone::measure(frame, 1_004.0));
        readings.filter(|reading| reading.share < 0.98 || (reading.level_dbov + 15.0).abs() > 0.5).count()
    }

    #[test]
    fn an_even_stream_is_heard_as_it_was_said_40_ms_later() {
        let (mut ear, mut heard) = (Ear::new(SPEAKER), Vec::new());
        for n in 0..10u8 {
            ear.take(&part(n.into(), (u32::MAX - 200).wrapping_add(u32::from(n) * 160), &[0x80 | n; FRAME]));
            heard.push(hear(&mut ear)[0]);
        }
        assert_eq!(heard[2..], [0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87]);
    }

    #[test]
    fn jitter_within_the_delay_is_not_heard_and_order_is_restored() {
        let (heard, most) = play(20, 0, |n| Some(n * 7_919 % 35 * 1_000));
        assert_eq!(faults(&heard), 0);
        assert!(most <= TOO_MUCH + FRAME as u64, "{most}");
    }

    #[test]
    fn clocks_that_differ_by_200_ppm_cost_one_correction_in_100_s() {
        for (ppm, corrections) in [(200, 0..=1), (-200, 0..=1), (0, 0..=0)] {
            let (heard, most) = play(60, ppm, |_| Some(0));
            assert!(corrections.contains(&faults(&heard)), "{ppm} ppm: {} faults", faults(&heard));
            assert!(most <= TOO_MUCH + FRAME as u64, "{ppm} ppm: {most} samples lay ready");
        }
        for ppm in [200, -200] {
            let (heard, most) = play(1_800, ppm, |_| Some(0));
            // 360 ms apart in half an hour: 18 frames too many or too few. Where one is put in, the next begins elsewhere in the tone.
            assert!((10..=40).contains(&faults(&heard)), "{ppm} ppm: {} faults", faults(&heard));
            assert!(most <= TOO_MUCH + FRAME as u64, "{ppm} ppm: {most} samples lay ready");
        }
    }

    #[test]
    fn a_path_that_becomes_slower_is_followed_and_the_delay_taken_back_when_it_is_fast_again() {
        // 100 ms more from 5 s to 10 s.
        let (heard, most) = play(30, 0, |n| Some(if (250..500).contains(&n) { 100_000 } else { 0 }));
        assert!(faults(&heard) <= 20, "{}", faults(&heard));
        assert!(most <= FURTHEST + 2 * FRAME as u64, "{most}");
        assert_eq!(faults(&heard[20 * 8_000..]), 0, "steady again");
    }

    #[test]
    fn a_lost_packet_is_filled_and_a_speaker_who_stops_fades_out() {
        let (heard, _) = play(20, 0, |n| (n % 10 != 3).then_some(0));
        let share = tone::measure(&heard[5 * FRAME..], 1_004.0).share;
        assert!(share > 0.8, "{share}");
        let (heard, _) = play(2, 0, |n| (n < 25).then_some(0));
        let level = |frame: usize| tone::measure(&heard[frame * FRAME..(frame + 1) * FRAME], 1_004.0).level_dbov;
        assert!(level(24) > -16.0 && level(28) < level(24) - 5.0 && level(40) < -60.0);
    }

    #[test]
    fn timestamps_that_jump_or_stand_still_are_followed_at_once() {
        let (mut ear, mut heard) = (Ear::new(SPEAKER), Vec::new());
        for n in 0..60u32 {
            // A jump of an hour, then one back; then nothing for 300 ms, of which the timestamps do not tell.
            let base = [0, 28_800_000, 5, 5][n as usize / 15];
            if !(45..60).contains(&n) {
                ear.take(&part(n.into(), base + n * 160, &[0x80 | n as u8; FRAME]));
            }
            heard.push(hear(&mut ear)[0]);
        }
        for n in 60..70u32 {
            ear.take(&part(n.into(), 5 + (n - 15) * 160, &[0x80 | n as u8; FRAME]));
            heard.push(hear(&mut ear)[0]);
        }
        for n in [14usize, 29, 44, 69] {
            assert_eq!(heard[n], 0x80 | (n as u8 - 2), "frame {n} of {heard:02x?}");
        }
    }
}
