//! Key presses heard in the audio itself (ITU-T Q.23 tones, Q.24 for what a receiver must take), for far ends that know no
//! telephone-events. Not here: telephone-event packets (`dtmf`), the tones tests play (`tone`).
//!
//! A voice must not press keys: both tones together must be nearly all there is, as strong as one another within what
//! lines do to them, and steady for three looks in a row.

use super::g711::{alaw_to_linear, ulaw_to_linear};
use super::tone::RATE;
use crate::plane::Codec;
use std::f32::consts::TAU;

const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] = [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// Samples in one look, 13 ms: a press of 51 ms holds three of them wherever it begins. Q.24 wants 40 ms taken; a hand
/// and what gateways make of it are longer, and what is steady for so long is seldom speech.
const BLOCK: usize = 102;
/// Mean square of a tone, full scale 1: -36 dBov. Weaker ones are an echo, or somebody else's line.
const FAINTEST: f32 = 0.000_25;
/// Both tones' share of everything heard.
const SHARE: f32 = 0.75;
/// How much stronger the row's tone may be than the column's, and the other way round (powers; 8 dB each).
const TWIST: f32 = 6.3;
/// How much a tone's power may change from look to look (1.5 dB).
const STEADY: f32 = 1.4;
/// A press begins with so many equal looks, and is over after so many without it.
const SURE: u8 = 3;
const OVER: u8 = 2;

#[derive(Clone, Debug)]
pub struct ToneKeys {
    samples: [f32; BLOCK],
    filled: usize,
    /// What the last look showed, and how often in a row.
    seen: Option<Tones>,
    times: u8,
    /// The key that is down, reported.
    down: Option<char>,
}

/// A key's two tones and how strong they are.
#[derive(Clone, Copy, Debug)]
struct Tones {
    key: char,
    low: f32,
    high: f32,
}

impl Tones {
    fn goes_on(self, after: Tones) -> bool {
        let steady = |a: f32, b: f32| a < STEADY * b && b < STEADY * a;
        self.key == after.key && steady(self.low, after.low) && steady(self.high, after.high)
    }
}

impl Default for ToneKeys {
    fn default() -> Self {
        ToneKeys { samples: [0.0; BLOCK], filled: 0, seen: None, times: 0, down: None }
    }
}

impl ToneKeys {
    /// One packet's audio. At most one press is told of: packets are shorter than two presses.
    pub fn audio(&mut self, codec: Codec, payload: &[u8]) -> Option<char> {
        let linear = match codec {
            Codec::Pcma => alaw_to_linear,
            Codec::Pcmu => ulaw_to_linear,
        };
        let mut pressed = None;
        for &octet in payload {
            self.samples[self.filled] = f32::from(linear(octet)) / 32_768.0;
            self.filled += 1;
            if self.filled == BLOCK {
                self.filled = 0;
                pressed = self.looked(tones(&self.samples)).or(pressed);
            }
        }
        pressed
    }

    fn looked(&mut self, tones: Option<Tones>) -> Option<char> {
        let same = match (tones, self.seen) {
            (Some(now), Some(before)) => now.goes_on(before),
            (None, None) => true,
            _ => false,
        };
        self.times = if same { self.times.saturating_add(1) } else { 1 };
        self.seen = tones;
        let key = tones.map(|t| t.key);
        if key == self.down || self.times < if key.is_some() { SURE } else { OVER } {
            return None;
        }
        self.down = key;
        key
    }
}

fn tones(samples: &[f32; BLOCK]) -> Option<Tones> {
    let power = samples.iter().map(|s| s * s).sum::<f32>() / BLOCK as f32;
    if power < 2.0 * FAINTEST {
        return None;
    }
    let (row, low) = strongest(&ROWS, samples);
    let (column, high) = strongest(&COLUMNS, samples);
    let strong = low > FAINTEST && high > FAINTEST && low + high > SHARE * power;
    let even = low < TWIST * high && high < TWIST * low;
    (strong && even).then_some(Tones { key: KEYS[row][column], low, high })
}

/// The strongest of four tones, and its mean square.
fn strongest(tones: &[f32; 4], samples: &[f32; BLOCK]) -> (usize, f32) {
    let mut best = (0, 0.0);
    for (index, hz) in tones.iter().enumerate() {
        let found = goertzel(*hz, samples);
        if found > best.1 {
            best = (index, found);
        }
    }
    best
}

fn goertzel(hz: f32, samples: &[f32; BLOCK]) -> f32 {
    let coefficient = 2.0 * (TAU * hz / RATE as f32).cos();
    let (mut s1, mut s2) = (0f32, 0f32);
    for x in samples {
        (s1, s2) = (x + coefficient * s1 - s2, s1);
    }
    let n = BLOCK as f32;
    2.0 * (s1 * s1 + s2 * s2 - coefficient * s1 * s2) / (n * n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::g711::{ALAW_SILENCE, linear_to_alaw};
    use crate::media::tone::ToneGenerator;

    /// Tones by frequency and level; A-law, `ms` long.
    fn sound(tones: &[(f32, f32)], ms: usize) -> Vec<u8> {
        let mut generators: Vec<_> = tones.iter().map(|(hz, level)| ToneGenerator::new(*hz, *level)).collect();
        let sample = |_| linear_to_alaw(generators.iter_mut().map(ToneGenerator::sample).sum::<f32>() as i16);
        (0..ms * 8).map(sample).collect()
    }

    fn pause(ms: usize) -> Vec<u8> {
        vec![ALAW_SILENCE; ms * 8]
    }

    fn pressed(audio: &[u8]) -> String {
        let mut keys = ToneKeys::default();
        audio.chunks(160).filter_map(|packet| keys.audio(Codec::Pcma, packet)).collect()
    }

    fn press(row: usize, column: usize, level: f32, ms: usize) -> Vec<u8> {
        sound(&[(ROWS[row], level), (COLUMNS[column], level)], ms)
    }

    #[test]
    fn every_key_once_however_long_and_wherever_it_begins() {
        for (ms, gap) in [(55, 45), (70, 50), (100, 100), (2_000, 60)] {
            for offset in [0, 3, 7, 11] {
                let mut audio = pause(offset);
                for (row, column) in (0..16).map(|n| (n / 4, n % 4)) {
                    audio.extend(press(row, column, -12.0, ms));
                    audio.extend(pause(gap));
                }
                assert_eq!(pressed(&audio), "123A456B789C*0#D", "{ms} ms, {gap} ms apart, {offset} ms in");
            }
        }
        let twice = [press(1, 1, -20.0, 80), pause(80), press(1, 1, -20.0, 80)].concat();
        assert_eq!(pressed(&twice), "55");
    }

    #[test]
    fn what_lines_do_to_tones() {
        for (low, high, wanted) in [
            (-9.0, -9.0, "5"),
            (-30.0, -30.0, "5"),
            (-12.0, -18.0, "5"),
            (-18.0, -12.0, "5"),
            (-8.0, -22.0, ""),
            (-45.0, -45.0, ""),
        ] {
            let off = 1.012;
            let audio = sound(&[(ROWS[1] * off, low), (COLUMNS[1] / off, high)], 80);
            assert_eq!(pressed(&audio), wanted, "{low} and {high} dB");
        }
    }

    #[test]
    fn what_is_no_key() {
        let ring_back = sound(&[(450.0, -10.0)], 3_000);
        let chord = sound(&[(697.0, -14.0), (1_209.0, -14.0), (880.0, -14.0), (440.0, -14.0)], 500);
        let row_alone = sound(&[(770.0, -10.0)], 500);
        for (name, audio) in [
            ("ring-back", ring_back),
            ("a chord", chord),
            ("one tone", row_alone),
            ("silence", pause(500)),
            ("a click", press(0, 0, -10.0, 15)),
        ] {
            assert_eq!(pressed(&audio), "", "{name}");
        }
    }

    /// Vowels: a pitch that glides, with formants that pass through the keys' frequencies.
    #[test]
    fn a_voice_presses_nothing() {
        let mut audio = vec![];
        let mut phases = [0f32; 24];
        for n in 0..8_000 * 120 {
            let t = n as f32 / 8_000.0;
            let pitch = 120.0 + 60.0 * (t * 2.1).sin() + 25.0 * (t * 13.0).sin();
            let formants = [500.0 + 300.0 * (t * 3.7).sin(), 1_450.0 + 400.0 * (t * 2.9).cos()];
            let mut value = 0.0;
            for (k, phase) in phases.iter_mut().enumerate() {
                let hz = pitch * (k + 1) as f32;
                *phase = (*phase + TAU * hz / 8_000.0) % TAU;
                let gain: f32 = formants.iter().map(|f| 1.0 / (1.0 + ((hz - f) / 90.0).powi(2))).sum();
                value += phase.sin() * gain;
            }
            let loud = 0.5 + 0.5 * (t * 5.0).sin();
            audio.push(linear_to_alaw((value * loud * 6_000.0).clamp(-32_000.0, 32_000.0) as i16));
        }
        assert_eq!(pressed(&audio), "");
    }
}
