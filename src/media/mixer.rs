//! What one listener hears when several legs speak: their sum, 20 ms at a time. Belongs here: who is heard, the sum and its
//! limits. Not here: one speaker's timing (`ear`), whether a mix is heard at all (`source`).
//!
//! Each listener has a mix of its own, added up anew. A sum of all less oneself would save additions only; what a frame costs
//! is the packet it is sent in.

use super::ear::Ear;
use super::g711::linear_to_alaw;
use super::inbound::Part;
use super::tone::FRAME;
use crate::ids::LegId;

#[derive(Debug, Default)]
pub struct Mixer {
    ears: Vec<Ear>,
}

impl Mixer {
    /// Hears these from now on; who was heard before is heard on without a gap.
    pub fn turned_to(mut self, speakers: &[LegId]) -> Self {
        self.ears.retain(|ear| speakers.contains(&ear.speaker()));
        for speaker in speakers {
            if !self.speakers().any(|heard| heard == *speaker) {
                self.ears.push(Ear::new(*speaker));
            }
        }
        self
    }

    pub fn speakers(&self) -> impl Iterator<Item = LegId> {
        self.ears.iter().map(Ear::speaker)
    }

    pub fn forget(&mut self, speaker: LegId) {
        self.ears.retain(|ear| ear.speaker() != speaker);
    }

    pub fn take(&mut self, from: LegId, part: &Part<'_>) {
        if let Some(ear) = self.ears.iter_mut().find(|ear| ear.speaker() == from) {
            ear.take(part);
        }
    }

    /// The next 20 ms as A-law. Sums that are too loud are cut off at the loudest there is.
    pub fn next(&mut self, frame: &mut [u8; FRAME]) {
        let mut sum = [0; FRAME];
        self.ears.iter_mut().for_each(|ear| ear.add_to(&mut sum));
        for (octet, sample) in frame.iter_mut().zip(sum) {
            *octet = linear_to_alaw(sample.clamp(i16::MIN.into(), i16::MAX.into()) as i16);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::g711::ALAW_SILENCE;
    use crate::media::inbound::Content;
    use crate::plane::Codec;

    fn say(mixer: &mut Mixer, leg: u64, number: u32, codec: Codec, octet: u8) {
        let content = Content::Audio(codec, &[octet; FRAME]);
        let part = Part { epoch: 1, number: number.into(), timestamp: number * 160, marker: false, content };
        mixer.take(LegId(leg), &part);
    }

    fn next(mixer: &mut Mixer) -> u8 {
        let mut frame = [0; FRAME];
        mixer.next(&mut frame);
        frame[80]
    }

    #[test]
    fn who_is_alone_is_heard_exactly_and_the_loudest_are_cut_off() {
        let mut mixer = Mixer::default().turned_to(&[LegId(1), LegId(2), LegId(2)]);
        assert_eq!(next(&mut mixer), ALAW_SILENCE);
        for n in 0..4 {
            say(&mut mixer, 1, n, Codec::Pcma, 0xAA);
            say(&mut mixer, 3, n, Codec::Pcma, 0xAA);
            next(&mut mixer);
        }
        assert_eq!(next(&mut mixer), 0xAA, "the loudest A-law has");
        let mut mixer = mixer.turned_to(&[LegId(2), LegId(1)]);
        for n in 4..12 {
            say(&mut mixer, 1, n, Codec::Pcma, 0xAA);
            say(&mut mixer, 2, n, Codec::Pcmu, 0x80);
            assert_eq!(next(&mut mixer), 0xAA, "frame {n}");
        }
        mixer.forget(LegId(1));
        for n in 12..16 {
            say(&mut mixer, 1, n, Codec::Pcma, 0x2A);
            say(&mut mixer, 2, n, Codec::Pcmu, 0xFF);
            next(&mut mixer);
        }
        assert_eq!(next(&mut mixer), ALAW_SILENCE);
    }

    #[test]
    fn a_mix_that_goes_on_allocates_nothing() {
        let mut mixer = Mixer::default().turned_to(&[LegId(1), LegId(2), LegId(3)]);
        let mut n = 0;
        let allocated = allocation_counter::measure(|| {
            for _ in 0..500 {
                (1..=3).for_each(|leg| say(&mut mixer, leg, n, Codec::Pcma, 0x99));
                next(&mut mixer);
                n += 1;
            }
        });
        assert_eq!(allocated.count_total, 0);
    }
}
