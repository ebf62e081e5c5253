//! Tones in A-law: making them and recognising them. Belongs here: the generator and the Goertzel detector that tests,
//! the demo and the built-in prompts share. Not here: playing (`source`), key presses (`dtmf`).

use super::g711::{alaw_to_linear, linear_to_alaw};
use std::f32::consts::TAU;

/// Samples per second of everything in this program.
pub const RATE: u32 = 8_000;
/// Samples (and A-law octets) in 20 ms.
pub const FRAME: usize = 160;

/// A continuous sine, frame after frame without a jump in phase.
#[derive(Clone, Debug)]
pub struct ToneGenerator {
    phase: f32,
    step: f32,
    amplitude: f32,
}

impl ToneGenerator {
    /// `level_dbov`: RMS level relative to a full-scale square wave, so -3 is the loudest sine; speech is about -26.
    pub fn new(hz: f32, level_dbov: f32) -> Self {
        let amplitude = 32_767.0 * 2f32.sqrt() * 10f32.powf(level_dbov / 20.0);
        ToneGenerator { phase: 0.0, step: TAU * hz / RATE as f32, amplitude: amplitude.min(32_767.0) }
    }

    /// The next linear sample.
    pub fn sample(&mut self) -> f32 {
        let value = self.phase.sin() * self.amplitude;
        self.phase = (self.phase + self.step) % TAU;
        value
    }

    /// Fills `out` with the next A-law octets.
    pub fn fill(&mut self, out: &mut [u8]) {
        out.iter_mut().for_each(|o| *o = linear_to_alaw(self.sample() as i16));
    }

    /// The next 20 ms.
    pub fn frame(&mut self) -> [u8; FRAME] {
        let mut frame = [0; FRAME];
        self.fill(&mut frame);
        frame
    }
}

/// What a stretch of A-law holds at one frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// Level at the frequency asked for, dBov.
    pub level_dbov: f32,
    /// Its share of the whole power, 0 to 1.
    pub share: f32,
}

impl Reading {
    /// Audible, and most of what there is.
    pub fn is_present(&self) -> bool {
        self.level_dbov > -45.0 && self.share > 0.5
    }
}

/// Measures `hz` in A-law samples by Goertzel's recurrence; at least 160 samples give a resolution of 50 Hz.
pub fn measure(alaw: &[u8], hz: f32) -> Reading {
    let coefficient = 2.0 * (TAU * hz / RATE as f32).cos();
    let (mut s1, mut s2, mut power) = (0f32, 0f32, 0f32);
    for &octet in alaw {
        let x = f32::from(alaw_to_linear(octet)) / 32_768.0;
        power += x * x;
        (s1, s2) = (x + coefficient * s1 - s2, s1);
    }
    let n = alaw.len().max(1) as f32;
    let at_hz = 2.0 * (s1 * s1 + s2 * s2 - coefficient * s1 * s2).max(0.0) / (n * n);
    Reading { level_dbov: 10.0 * at_hz.max(1e-12).log10(), share: at_hz / (power / n).max(1e-12) }
}

/// Is `hz` what these samples sound like?
pub fn is_present(alaw: &[u8], hz: f32) -> bool {
    measure(alaw, hz).is_present()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::g711::ALAW_SILENCE;

    #[test]
    fn a_tone_is_found_at_its_frequency_and_level_and_nowhere_else() {
        for (hz, level) in [(425.0, -20.0), (1_004.0, -10.0), (2_600.0, -35.0)] {
            let mut generator = ToneGenerator::new(hz, level);
            let samples: Vec<u8> = (0..5).flat_map(|_| generator.frame()).collect();
            let reading = measure(&samples, hz);
            assert!(reading.is_present(), "{hz} Hz: {reading:?}");
            assert!((reading.level_dbov - level).abs() < 0.5, "{hz} Hz: {reading:?}, sent at {level}");
            for other in [300.0, 700.0, 1_500.0, 3_000.0] {
                assert!(!is_present(&samples, other), "{other} Hz heard in {hz} Hz");
            }
        }
    }

    #[test]
    fn silence_and_nothing_hold_no_tone() {
        assert!(!is_present(&[ALAW_SILENCE; 800], 1_000.0));
        assert!(!is_present(&[], 1_000.0));
    }
}
