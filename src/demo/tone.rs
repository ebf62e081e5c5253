//! A voice's mouth and ear: sings one tone, and says for how long another was the main thing heard.
//! Belongs here: the judgement over time. Not here: the signal arithmetic (`media::tone`), packets (`voice`).

use crate::media::tone::{ToneGenerator, is_present};

/// 100 ms of A-law: at this length tones 25 Hz apart are told apart with room to spare.
const WINDOW: usize = 800;

/// Which tone the `n`th of many singers has, in Hz, 40 Hz apart within the telephone band; they repeat after 64.
/// Callers and seats interleave, so no seat sings what any caller sings.
pub fn caller_tone(n: usize) -> f32 {
    620.0 + 40.0 * (n % 64) as f32
}

pub fn seat_tone(n: usize) -> f32 {
    caller_tone(n) + 20.0
}

pub struct Singer(ToneGenerator);

impl Singer {
    pub fn new(hz: f32) -> Singer {
        Singer(ToneGenerator::new(hz, -16.0))
    }

    pub fn fill(&mut self, alaw: &mut [u8]) {
        self.0.fill(alaw);
    }
}

/// Cuts what it hears into windows and counts those that hold the tone. Deaf until told what to listen for.
#[derive(Default)]
pub struct Listener {
    hz: Option<f32>,
    window: Vec<u8>,
    windows: u32,
}

impl Listener {
    pub fn new(hz: f32) -> Listener {
        Listener { hz: Some(hz), window: Vec::with_capacity(WINDOW), windows: 0 }
    }

    pub fn hear(&mut self, alaw: &[u8]) {
        let Some(hz) = self.hz else { return };
        self.window.extend_from_slice(alaw);
        while self.window.len() >= WINDOW {
            self.windows += u32::from(is_present(&self.window[..WINDOW], hz));
            self.window.drain(..WINDOW);
        }
    }

    /// How long the tone was heard.
    pub fn millis(&self) -> u32 {
        self.windows * 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn neighbours_are_told_apart() {
        for (sung, listened, heard) in [(620.0, 620.0, 1_000), (620.0, 640.0, 0), (3_140.0, 3_140.0, 1_000)] {
            let (mut singer, mut listener) = (Singer::new(sung), Listener::new(listened));
            let mut frame = [0; 160];
            for _ in 0..50 {
                singer.fill(&mut frame);
                listener.hear(&frame);
            }
            assert_eq!(listener.millis(), heard, "sung {sung}, listened for {listened}");
        }
    }

    #[test]
    fn callers_and_seats_never_sing_the_same() {
        let tones: BTreeSet<u32> = (0..64).flat_map(|n| [caller_tone(n) as u32, seat_tone(n) as u32]).collect();
        assert_eq!(tones.len(), 128);
        assert!(tones.iter().all(|hz| (400..3_400).contains(hz)));
    }
}
