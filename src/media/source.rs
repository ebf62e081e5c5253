//! What is sent to a leg when no single other leg speaks: prompts, music, ring-back, silence, a mix of legs; 20 ms at a time. Belongs here:
//! the player and its positions. Not here: when a frame is due (`pacer`), RTP (`outbound`), loading files (`prompt`).

use super::g711::ALAW_SILENCE;
use super::inbound::Part;
use super::mixer::Mixer;
use super::prompt::PromptLibrary;
use super::tone::{FRAME, ToneGenerator};
use crate::ids::LegId;
use crate::plane::{PromptId, Source};
use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

/// 20 ms of 450 Hz: exactly nine periods, so the same frame again and again has no seam. (GB/T 3380: -10 dBm0 or so.)
static RING: LazyLock<[u8; FRAME]> = LazyLock::new(|| ToneGenerator::new(450.0, -16.0).frame());
/// 1 s on, 4 s off, in frames.
const RING_ON: u16 = 50;
const RING_CYCLE: u16 = 250;

#[derive(Debug, Default)]
pub struct Player {
    feed: Feed,
    /// The music this leg last heard and where it stopped: it goes on from there.
    tape: Option<Tape>,
}

#[derive(Debug, Default)]
enum Feed {
    #[default]
    Silence,
    Prompts {
        clips: VecDeque<Arc<[u8]>>,
        at: usize,
        then: Source,
    },
    /// Plays `tape`.
    Music,
    RingBack {
        frame: u16,
    },
    /// Another leg speaks; nothing is played.
    Leg(LegId),
    Mix(Mixer),
}

#[derive(Debug)]
struct Tape {
    name: PromptId,
    audio: Arc<[u8]>,
    at: usize,
}

/// What comes after a frame.
#[derive(Debug, PartialEq, Eq)]
pub enum After {
    More,
    /// The prompts have run out; this is the source now (to be set by the caller).
    Ended(Source),
}

impl Player {
    /// Changes the source at once. An unknown prompt is left out (and logged): a missing file must not stop a call.
    pub fn set(&mut self, source: Source, prompts: &PromptLibrary) {
        self.feed = match source {
            Source::Silence => Feed::Silence,
            Source::Play { prompts: names, then } => {
                Feed::Prompts { clips: names.iter().filter_map(|n| find(prompts, n)).collect(), at: 0, then: *then }
            }
            Source::Music(name) => self.music(name, prompts),
            Source::RingBack => Feed::RingBack { frame: 0 },
            Source::Leg(leg) => Feed::Leg(leg),
            Source::Mix(speakers) => Feed::Mix(match std::mem::take(&mut self.feed) {
                // Who goes on is heard without a gap.
                Feed::Mix(mixer) => mixer.turned_to(&speakers),
                _ => Mixer::default().turned_to(&speakers),
            }),
        };
    }

    /// The leg that feeds this one, packet by packet.
    pub fn fed_by(&self) -> Option<LegId> {
        match self.feed {
            Feed::Leg(leg) => Some(leg),
            _ => None,
        }
    }

    /// The legs that are heard, one or several.
    pub fn speakers(&self) -> impl Iterator<Item = LegId> {
        let mixed = match &self.feed {
            Feed::Mix(mixer) => Some(mixer.speakers()),
            _ => None,
        };
        self.fed_by().into_iter().chain(mixed.into_iter().flatten())
    }

    /// Takes what a leg says, if it is mixed with others here. False: it is not.
    pub fn mix_in(&mut self, from: LegId, part: &Part<'_>) -> bool {
        match &mut self.feed {
            Feed::Mix(mixer) => mixer.take(from, part),
            _ => return false,
        }
        true
    }

    pub fn is_mixing(&self) -> bool {
        matches!(self.feed, Feed::Mix(_))
    }

    /// A leg that was heard is gone: the others of a mix go on, and who heard it alone hears silence.
    pub fn forget(&mut self, speaker: LegId) {
        match &mut self.feed {
            Feed::Mix(mixer) => mixer.forget(speaker),
            Feed::Leg(leg) if *leg == speaker => self.feed = Feed::Silence,
            _ => {}
        }
    }

    /// The next 20 ms as A-law. Not to be called while a leg feeds this one: there is only silence then.
    pub fn next(&mut self, frame: &mut [u8; FRAME]) -> After {
        frame.fill(ALAW_SILENCE);
        match &mut self.feed {
            Feed::Silence | Feed::Leg(_) => {}
            Feed::Mix(mixer) => mixer.next(frame),
            Feed::Prompts { clips, at, then } => {
                let mut free = &mut frame[..];
                while let Some(clip) = clips.front()
                    && !free.is_empty()
                {
                    let n = free.len().min(clip.len() - *at);
                    free[..n].copy_from_slice(&clip[*at..*at + n]);
                    free = &mut free[n..];
                    *at += n;
                    if *at == clip.len() {
                        clips.pop_front();
                        *at = 0;
                    }
                }
                if clips.is_empty() {
                    return After::Ended(std::mem::replace(then, Source::Silence));
                }
            }
            Feed::Music => {
                if let Some(Tape { audio, at, .. }) = &mut self.tape {
                    let mut free = &mut frame[..];
                    while !free.is_empty() {
                        let n = free.len().min(audio.len() - *at);
                        free[..n].copy_from_slice(&audio[*at..*at + n]);
                        free = &mut free[n..];
                        *at = (*at + n) % audio.len();
                    }
                }
            }
            Feed::RingBack { frame: n } => {
                if *n < RING_ON {
                    frame.copy_from_slice(&*RING);
                }
                *n = (*n + 1) % RING_CYCLE;
            }
        }
        After::More
    }

    fn music(&mut self, name: PromptId, prompts: &PromptLibrary) -> Feed {
        if self.tape.as_ref().is_none_or(|tape| tape.name != name) {
            self.tape = find(prompts, &name).map(|audio| Tape { name, audio, at: 0 });
        }
        if self.tape.is_some() { Feed::Music } else { Feed::Silence }
    }
}

fn find(prompts: &PromptLibrary, name: &str) -> Option<Arc<[u8]>> {
    let found = prompts.get(name);
    if found.is_none() {
        tracing::warn!(prompt = name, "no such prompt: left out");
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn library() -> PromptLibrary {
        let clip = |octet: u8, n: usize| Arc::from(vec![octet; n]);
        PromptLibrary::from_alaw(BTreeMap::from([
            ("short".into(), clip(1, 100)),
            ("long".into(), clip(2, 300)),
            ("music".into(), (0..=249u8).collect::<Vec<_>>().into()),
        ]))
    }

    fn next(player: &mut Player) -> ([u8; FRAME], After) {
        let mut frame = [0; FRAME];
        let after = player.next(&mut frame);
        (frame, after)
    }

    #[test]
    fn prompts_follow_without_a_gap_then_the_next_source() {
        let (library, mut player) = (library(), Player::default());
        let prompts = vec!["short".into(), "no such".into(), "long".into()];
        player.set(Source::Play { prompts, then: Box::new(Source::RingBack) }, &library);
        let (first, after) = next(&mut player);
        assert_eq!((first[99], first[100], after), (1, 2, After::More));
        assert_eq!(next(&mut player).1, After::More);
        let (last, after) = next(&mut player);
        assert_eq!((last[79], last[80], after), (2, ALAW_SILENCE, After::Ended(Source::RingBack)));
    }

    #[test]
    fn an_empty_play_ends_at_once() {
        let (library, mut player) = (library(), Player::default());
        player.set(Source::Play { prompts: vec![], then: Box::new(Source::Silence) }, &library);
        assert_eq!(next(&mut player).1, After::Ended(Source::Silence));
    }

    #[test]
    fn music_loops_and_goes_on_where_it_was_interrupted() {
        let (library, mut player) = (library(), Player::default());
        player.set(Source::Music("music".into()), &library);
        assert_eq!(next(&mut player).0[0], 0);
        player.set(Source::Play { prompts: vec!["short".into()], then: Box::new(Source::Silence) }, &library);
        next(&mut player);
        player.set(Source::Music("music".into()), &library);
        let (frame, _) = next(&mut player);
        assert_eq!((frame[0], frame[89], frame[90]), (160, 249, 0));
    }

    #[test]
    fn ring_back_is_450_hz_one_second_in_five() {
        let mut player = Player::default();
        player.set(Source::RingBack, &library());
        let heard: Vec<bool> = (0..500).map(|_| crate::media::tone::is_present(&next(&mut player).0, 450.0)).collect();
        let expected: Vec<bool> = (0..500).map(|n| n % 250 < 50).collect();
        assert_eq!(heard, expected);
    }
}
