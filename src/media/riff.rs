//! Companded and compressed WAV files, which telephone systems keep their prompts in: A-law, µ-law, IMA ADPCM. Belongs
//! here: finding the samples in such a file. Not here: linear PCM (`wav`, by hound), what is done with them (`wav`).

use super::g711::{alaw_to_linear, ulaw_to_linear};
use super::wav::WavFault;

/// What `wFormatTag` says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Alaw,
    Ulaw,
    ImaAdpcm,
}

/// Enough of a file for [`is_ours`]: through the format tag of a canonical header.
pub(super) const PREFIX: usize = 22;

pub(super) struct Sound {
    pub rate: u32,
    pub channels: u16,
    /// Samples per channel that the header promises.
    pub promised: u32,
    /// Interleaved.
    pub samples: Vec<i16>,
}

/// Does a file that begins so hold one of these codings?
pub(super) fn is_ours(prefix: &[u8]) -> bool {
    prefix.len() == PREFIX
        && &prefix[..4] == b"RIFF"
        && &prefix[8..16] == b"WAVEfmt "
        && coding(&prefix[20..]).is_some()
}

fn coding(tag: &[u8]) -> Option<Coding> {
    match u16_at(tag, 0)? {
        6 => Some(Coding::Alaw),
        7 => Some(Coding::Ulaw),
        0x11 => Some(Coding::ImaAdpcm),
        _ => None,
    }
}

/// Decodes a whole file that [`is_ours`].
pub(super) fn decode(file: &[u8]) -> Result<Sound, WavFault> {
    let short = || WavFault::Malformed(hound::Error::FormatError("a chunk is cut short"));
    let (mut format, mut frames, mut at) = (None, None, 12);
    // Chunks: name, length, content, padded to even length.
    while let (Some(name), Some(length)) = (file.get(at..at + 4), u32_at(file, at + 4)) {
        let from = at + 8;
        let to = from.saturating_add(length as usize).min(file.len());
        let content = file.get(from..to).ok_or_else(short)?;
        match name {
            b"fmt " => format = Some(Format::read(content).ok_or_else(short)?),
            b"fact" => frames = u32_at(content, 0),
            b"data" => {
                let format = format.ok_or(WavFault::Malformed(hound::Error::FormatError("sound before its format")))?;
                return format.sound(content, length, frames);
            }
            _ => {}
        }
        at = from.saturating_add(length as usize).saturating_add(length as usize & 1);
    }
    Err(WavFault::Malformed(hound::Error::FormatError("no data chunk")))
}

struct Format {
    coding: Coding,
    channels: u16,
    rate: u32,
    /// Octets per block of ADPCM.
    block: usize,
}

impl Format {
    fn read(content: &[u8]) -> Option<Format> {
        let (channels, rate, block) = (u16_at(content, 2)?, u32_at(content, 4)?, usize::from(u16_at(content, 12)?));
        Some(Format { coding: coding(content)?, channels, rate, block })
    }

    /// `length`: of the chunk by its header; `frames`: samples per channel, where the file tells.
    fn sound(&self, data: &[u8], length: u32, frames: Option<u32>) -> Result<Sound, WavFault> {
        let channels = u32::from(self.channels.max(1));
        let sound = |promised, samples| Sound { rate: self.rate, channels: self.channels, promised, samples };
        match self.coding {
            Coding::Alaw => Ok(sound(length / channels, data.iter().map(|a| alaw_to_linear(*a)).collect())),
            Coding::Ulaw => Ok(sound(length / channels, data.iter().map(|u| ulaw_to_linear(*u)).collect())),
            Coding::ImaAdpcm if self.channels != 1 => Err(WavFault::Channels(self.channels)),
            Coding::ImaAdpcm if self.block <= HEADER => {
                Err(WavFault::Malformed(hound::Error::FormatError("ADPCM blocks without samples")))
            }
            Coding::ImaAdpcm => {
                let mut samples: Vec<i16> = data.chunks(self.block).flat_map(block).collect();
                // The last block is padded.
                let frames = frames.unwrap_or(samples.len() as u32);
                samples.truncate(frames as usize);
                Ok(sound(frames, samples))
            }
        }
    }
}

/// First sample, step index, one octet of nothing.
const HEADER: usize = 4;

/// IMA ADPCM (IMA Digital Audio Focus recommendation, 1992): a block begins with a whole sample, then a nibble for each
/// further one, the low nibble first.
fn block(bytes: &[u8]) -> Vec<i16> {
    let (Some(first), Some(index)) = (bytes.get(..2), bytes.get(2)) else { return vec![] };
    let mut sample = i32::from(i16::from_le_bytes([first[0], first[1]]));
    let mut index = i32::from(*index).min(STEPS.len() as i32 - 1);
    let nibbles = bytes.get(HEADER..).unwrap_or(&[]).iter().flat_map(|b| [b & 15, b >> 4]);
    let mut samples = vec![sample as i16];
    samples.extend(nibbles.map(|nibble| {
        let step = STEPS[index as usize];
        let mut change = step >> 3;
        for (bit, part) in [(4, step), (2, step >> 1), (1, step >> 2)] {
            change += if nibble & bit != 0 { part } else { 0 };
        }
        sample = (if nibble & 8 != 0 { sample - change } else { sample + change }).clamp(-32_768, 32_767);
        index = (index + INDEX[usize::from(nibble & 7)]).clamp(0, STEPS.len() as i32 - 1);
        sample as i16
    }));
    samples
}

const INDEX: [i32; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];

#[rustfmt::skip]
const STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107,
    118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963,
    1_060, 1_166, 1_282, 1_411, 1_552, 1_707, 1_878, 2_066, 2_272, 2_499, 2_749, 3_024, 3_327, 3_660, 4_026, 4_428,
    4_871, 5_358, 5_894, 6_484, 7_132, 7_845, 8_630, 9_493, 10_442, 11_487, 12_635, 13_899, 15_289, 16_818, 18_500,
    20_350, 22_385, 24_623, 27_086, 29_794, 32_767,
];

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}
