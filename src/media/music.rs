//! The built-in sounds that are made rather than recorded: hold music and the two beeps. Belongs here: their notes.
//! Not here: speech (`prompts/`), playing (`source`).

use super::g711::linear_to_alaw;
use super::tone::{RATE, ToneGenerator};
use std::f32::consts::TAU;

/// Seconds to a bar; eight bars make the loop.
const BAR: f32 = 3.0;
/// One octave and more of notes in MIDI numbers (69 = 440 Hz), all within the telephone's band.
/// Chords over which a pentatonic melody wanders: C, Am, F, G, twice with other inversions.
const CHORDS: [[u8; 3]; 8] =
    [[60, 64, 67], [60, 64, 69], [60, 65, 69], [62, 67, 71], [64, 67, 72], [64, 69, 72], [65, 69, 72], [62, 67, 74]];
/// Four beats to a bar; 0 rests.
const MELODY: [[u8; 4]; 8] = [
    [76, 0, 79, 76],
    [72, 0, 74, 76],
    [81, 79, 0, 76],
    [74, 0, 0, 79],
    [84, 0, 81, 79],
    [76, 79, 0, 81],
    [79, 0, 76, 74],
    [74, 76, 74, 0],
];

/// A calm loop of 24 s, A-law, about -23 dBov. Tails of the last notes ring over into the beginning: there is no seam.
pub fn music() -> Vec<u8> {
    let mut loop_ = vec![0f32; (BAR * 8.0) as usize * RATE as usize];
    for (bar, (chord, melody)) in CHORDS.iter().zip(&MELODY).enumerate() {
        let start = bar as f32 * BAR;
        for (n, &note) in chord.iter().enumerate() {
            // Slightly broken upwards, as a hand on strings does.
            strike(&mut loop_, start + n as f32 * 0.09, note, 0.055, 2.2);
        }
        for (beat, &note) in melody.iter().enumerate().filter(|(_, note)| **note > 0) {
            strike(&mut loop_, start + beat as f32 * BAR / 4.0, note, 0.075, 1.1);
        }
    }
    loop_.into_iter().map(|s| linear_to_alaw((s * 32_767.0) as i16)).collect()
}

/// Two short rising notes: done.
pub fn beep_ok() -> Vec<u8> {
    notes(&[(880.0, 90), (0.0, 30), (1_320.0, 140)])
}

/// Two low notes: not done.
pub fn beep_error() -> Vec<u8> {
    notes(&[(400.0, 200), (0.0, 120), (400.0, 200)])
}

/// Adds a plucked note: a fundamental and two soft partials, quick attack, exponential decay with `decay` seconds.
fn strike(loop_: &mut [f32], at: f32, note: u8, amplitude: f32, decay: f32) {
    let hz = 440.0 * 2f32.powf((f32::from(note) - 69.0) / 12.0);
    let begin = (at * RATE as f32) as usize;
    let length = (decay * 3.0 * RATE as f32) as usize;
    for (partial, share) in [(1.0, 1.0), (2.0, 0.25), (3.0, 0.08)] {
        // A decaying sine by recurrence: x[n] = 2 r cos(w) x[n-1] - r² x[n-2]. Partials die sooner.
        let w = TAU * hz * partial / RATE as f32;
        let r = (-partial / (decay * RATE as f32)).exp();
        let (a, b) = (2.0 * r * w.cos(), r * r);
        let (mut x1, mut x2) = (0.0, -w.sin() / r);
        for n in 0..length {
            let x = a * x1 - b * x2;
            (x1, x2) = (x, x1);
            // 10 ms in, and out to nothing at the end, so that neither clicks.
            let edge = (n as f32 / 80.0).min((length - n) as f32 / 800.0).min(1.0);
            loop_[(begin + n) % loop_.len()] += x * edge * amplitude * share;
        }
    }
}

fn notes(notes: &[(f32, u32)]) -> Vec<u8> {
    let mut out = Vec::new();
    for &(hz, ms) in notes {
        let count = RATE * ms / 1_000;
        let mut tone = ToneGenerator::new(hz, -18.0);
        out.extend((0..count).map(|n| {
            let edge = (n.min(count - n) as f32 / 40.0).min(1.0);
            linear_to_alaw((tone.sample() * edge) as i16)
        }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::g711::alaw_to_linear;
    use crate::media::tone;

    #[test]
    fn the_music_is_audible_throughout_never_clips_and_has_no_seam() {
        let loop_ = music();
        assert_eq!(loop_.len(), 24 * 8_000);
        let linear: Vec<f32> = loop_.iter().map(|a| f32::from(alaw_to_linear(*a))).collect();
        for (second, samples) in linear.chunks(8_000).enumerate() {
            let rms = (samples.iter().map(|s| s * s).sum::<f32>() / 8_000.0).sqrt();
            let dbov = 20.0 * (rms / 32_768.0).log10();
            assert!((-32.0..-16.0).contains(&dbov), "second {second}: {dbov:.1} dBov");
        }
        let loudest = linear.iter().fold(0f32, |m, s| m.max(s.abs()));
        assert!(loudest < 24_000.0, "{loudest}");
        let steepest = linear.windows(2).fold(0f32, |m, w| m.max((w[1] - w[0]).abs()));
        let seam = (linear[0] - linear[linear.len() - 1]).abs();
        assert!(seam <= steepest, "a jump of {seam} where the loop closes, {steepest} elsewhere");
    }

    #[test]
    fn beeps_are_what_they_say() {
        assert!(tone::is_present(&beep_ok()[..640], 880.0));
        assert!(tone::is_present(&beep_error()[..1_600], 400.0));
    }
}
