//! A WAV file to 8 kHz A-law. Belongs here: what files are taken (PCM of any rate, 8 to 32 bits or float, any number of
//! channels; A-law, µ-law, mono IMA ADPCM) and what is said about the others. Not here: prompt names (`prompt`), the
//! filter (`resample`), the codings that hound does not read (`riff`).

use super::g711::linear_to_alaw;
use super::{resample, riff};
use hound::{SampleFormat, WavReader};
use std::fmt;
use std::io::Read;

/// Longest prompt taken: 15 minutes, 7 MB in memory.
const MAX_SECONDS: u32 = 900;
/// Longest coded file read, in octets: more than [`MAX_SECONDS`] of A-law at the rates of telephony.
const MAX_CODED: u64 = 32 << 20;
const RATES: std::ops::RangeInclusive<u32> = 4_000..=192_000;

/// What is wrong with a WAV file.
#[derive(Debug)]
pub enum WavFault {
    Missing(std::io::Error),
    Malformed(hound::Error),
    Rate(u32),
    Channels(u16),
    TooLong { seconds: u32 },
    Empty,
    EndsEarly { at: u32, promised: u32 },
}

/// Decodes, mixes to mono, resamples and compands.
pub fn to_alaw(mut file: impl Read) -> Result<Vec<u8>, WavFault> {
    let mut prefix = Vec::with_capacity(riff::PREFIX);
    let unread = |e| WavFault::Malformed(hound::Error::IoError(e));
    (&mut file).take(riff::PREFIX as u64).read_to_end(&mut prefix).map_err(unread)?;
    if !riff::is_ours(&prefix) {
        return linear(std::io::Cursor::new(prefix).chain(file));
    }
    let mut whole = prefix;
    file.take(MAX_CODED).read_to_end(&mut whole).map_err(unread)?;
    let sound = riff::decode(&whole)?;
    judge(sound.rate, sound.channels, sound.promised)?;
    let samples: Vec<f32> = sound.samples.iter().map(|s| f32::from(*s) / 32_768.0).collect();
    companded(&samples, sound.rate, sound.channels, sound.promised)
}

fn linear(file: impl Read) -> Result<Vec<u8>, WavFault> {
    let mut reader = WavReader::new(file).map_err(WavFault::Malformed)?;
    let spec = reader.spec();
    let promised = reader.duration();
    judge(spec.sample_rate, spec.channels, promised)?;
    let samples: Vec<f32> = match spec.sample_format {
        SampleFormat::Float => collect(reader.samples::<f32>()),
        SampleFormat::Int => {
            let full = 2f32.powi(i32::from(spec.bits_per_sample) - 1);
            collect(reader.samples::<i32>().map(|s| s.map(|s| s as f32 / full)))
        }
    };
    companded(&samples, spec.sample_rate, spec.channels, promised)
}

/// `promised`: samples per channel.
fn judge(rate: u32, channels: u16, promised: u32) -> Result<(), WavFault> {
    if !RATES.contains(&rate) {
        return Err(WavFault::Rate(rate));
    }
    if !(1..=8).contains(&channels) {
        return Err(WavFault::Channels(channels));
    }
    let seconds = promised / rate;
    if seconds > MAX_SECONDS { Err(WavFault::TooLong { seconds }) } else { Ok(()) }
}

fn companded(samples: &[f32], rate: u32, channels: u16, promised: u32) -> Result<Vec<u8>, WavFault> {
    let channels = usize::from(channels);
    let mono: Vec<f32> = samples.chunks_exact(channels).map(|s| s.iter().sum::<f32>() / channels as f32).collect();
    if (mono.len() as u32) < promised {
        return Err(WavFault::EndsEarly { at: mono.len() as u32, promised });
    }
    let alaw: Vec<u8> =
        resample::to_8k(&mono, rate).into_iter().map(|s| linear_to_alaw((s * 32_768.0).round() as i16)).collect();
    if alaw.is_empty() { Err(WavFault::Empty) } else { Ok(alaw) }
}

/// Up to the first sample that cannot be read; the length then tells.
fn collect(samples: impl Iterator<Item = hound::Result<f32>>) -> Vec<f32> {
    samples.map_while(Result::ok).map(|s| if s.is_finite() { s } else { 0.0 }).collect()
}

impl fmt::Display for WavFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WavFault::Missing(e) => write!(f, "cannot be opened: {e}"),
            WavFault::Malformed(hound::Error::Unsupported) => {
                write!(
                    f,
                    "is a WAV file, but not of PCM, G.711 or IMA ADPCM (convert it: sox in.wav -e signed -b 16 out.wav)"
                )
            }
            WavFault::Malformed(e) => write!(f, "is not a sound WAV file: {e}"),
            WavFault::Rate(rate) => {
                write!(f, "has a sampling rate of {rate} Hz; {} to {} are taken", RATES.start(), RATES.end())
            }
            WavFault::Channels(n) => write!(f, "has {n} channels; 1 to 8 are taken"),
            WavFault::TooLong { seconds } => write!(f, "lasts {seconds} s; at most {MAX_SECONDS} are taken"),
            WavFault::Empty => write!(f, "holds no sound"),
            WavFault::EndsEarly { at, promised } => {
                write!(f, "ends early: its header promises {promised} samples, {at} are there")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::tone;
    use hound::{WavSpec, WavWriter};
    use std::io::Cursor;

    /// One second of 1 kHz, loudest sample half of full scale, on the first channel only.
    fn wav(rate: u32, bits: u16, channels: u16, format: SampleFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let spec = WavSpec { channels, sample_rate: rate, bits_per_sample: bits, sample_format: format };
        let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
        for n in 0..rate * u32::from(channels) {
            let (n, channel) = (n / u32::from(channels), n % u32::from(channels));
            let s = (f64::from(n) * 1_000.0 / f64::from(rate) * std::f64::consts::TAU).sin()
                * if channel == 0 { 0.5 } else { 0.0 };
            match format {
                SampleFormat::Float => writer.write_sample(s as f32).unwrap(),
                SampleFormat::Int => writer.write_sample((s * 2f64.powi(i32::from(bits) - 1)) as i32).unwrap(),
            }
        }
        writer.finalize().unwrap();
        bytes.into_inner()
    }

    #[test]
    fn every_usual_kind_of_file_becomes_the_same_tone() {
        use SampleFormat::{Float, Int};
        for (rate, bits, channels, format) in [
            (8_000, 16, 1, Int),
            (8_000, 8, 1, Int),
            (16_000, 16, 1, Int),
            (22_050, 8, 2, Int),
            (44_100, 16, 2, Int),
            (48_000, 24, 1, Int),
            (48_000, 32, 2, Float),
        ] {
            let what = format!("{rate} Hz, {bits} bits, {channels} channels, {format:?}");
            let alaw = to_alaw(&wav(rate, bits, channels, format)[..]).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert!(alaw.len().abs_diff(8_000) <= 1, "{what}: {} samples", alaw.len());
            let reading = tone::measure(&alaw[400..7_600], 1_000.0);
            let expected = if channels == 1 { -9.0 } else { -15.05 };
            assert!(reading.share > 0.98 && (reading.level_dbov - expected).abs() < 0.5, "{what}: {reading:?}");
        }
    }

    /// A canonical header before coded sound of one channel; `fact`: samples in it.
    fn coded(tag: u16, rate: u32, block: u16, bits: u16, data: &[u8], fact: u32) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVEfmt \x14\0\0\0".to_vec();
        file.extend([tag.to_le_bytes(), 1u16.to_le_bytes()].concat());
        file.extend([rate.to_le_bytes(), rate.to_le_bytes()].concat());
        file.extend([block, bits, 2, 0].map(u16::to_le_bytes).concat());
        file.extend([&b"fact"[..], &4u32.to_le_bytes(), &fact.to_le_bytes()].concat());
        file.extend([&b"data"[..], &(data.len() as u32).to_le_bytes(), data].concat());
        file
    }

    #[test]
    fn alaw_passes_unchanged_and_ulaw_and_other_rates_sound_the_same() {
        let tone = to_alaw(&wav(8_000, 16, 1, SampleFormat::Int)[..]).unwrap();
        assert_eq!(to_alaw(&coded(6, 8_000, 1, 8, &tone, 8_000)[..]).unwrap(), tone);
        let mut ulaw = tone.clone();
        crate::media::g711::alaw_to_ulaw(&mut ulaw);
        let heard = to_alaw(&coded(7, 8_000, 1, 8, &ulaw, 8_000)[..]).unwrap();
        let reading = tone::measure(&heard[400..7_600], 1_000.0);
        assert!(reading.share > 0.98 && (reading.level_dbov + 9.0).abs() < 0.5, "{reading:?}");
        assert_eq!(to_alaw(&coded(6, 16_000, 1, 8, &tone, 8_000)[..]).unwrap().len(), 4_000);
        let cut = &coded(6, 8_000, 1, 8, &tone, 8_000)[..900];
        assert!(to_alaw(cut).unwrap_err().to_string().contains("ends early"));
    }

    /// By hand: step 7 at index 0; nibble 7 adds 7/8 + 7 + 3 + 1 and goes up 8 indices, to step 16; nibble 12 takes
    /// 16/8 + 16 away.
    #[test]
    fn adpcm_is_decoded_as_its_definition_says() {
        let block = [&1_000i16.to_le_bytes()[..], &[0, 0], &[0xc7, 0, 0, 0]].concat();
        let sound = super::super::riff::decode(&coded(0x11, 8_000, 8, 4, &block, 3)).unwrap();
        assert_eq!(sound.samples, [1_000, 1_011, 993]);
    }

    #[test]
    fn bad_files_are_named_not_played() {
        let good = wav(8_000, 16, 1, SampleFormat::Int);
        let patched = |at: usize, bytes: &[u8]| {
            let mut file = good.clone();
            file[at..at + bytes.len()].copy_from_slice(bytes);
            file
        };
        // Offsets in the canonical header: 20 format, 22 channels, 24 rate, 28 bytes/s, 32 block.
        let table = [
            ("not a WAV", b"ID3 this is an mp3 in disguise, honestly it is".to_vec(), "not a sound WAV"),
            ("nothing", vec![], "not a sound WAV"),
            ("cut", good[..9_000].to_vec(), "ends early"),
            ("MP3 inside", patched(20, &[0x55, 0]), "not of PCM"),
            ("ADPCM without blocks", patched(20, &[0x11, 0]), "without samples"),
            ("rate 7", patched(24, &[7, 0, 0, 0, 14, 0, 0, 0]), "rate of 7 Hz"),
            (
                "no samples",
                {
                    let mut f = good[..44].to_vec();
                    f[40..44].fill(0);
                    f
                },
                "holds no sound",
            ),
        ];
        for (name, file, expected) in table {
            let fault = to_alaw(&file[..]).expect_err(name).to_string();
            assert!(fault.contains(expected), "{name}: {fault}");
        }
    }

    #[test]
    fn no_mutation_of_a_file_breaks_the_reader() {
        use rand_chacha::ChaCha8Rng;
        use rand_chacha::rand_core::{Rng, SeedableRng};
        let linear = &wav(8_000, 16, 1, SampleFormat::Int)[..400];
        let adpcm = &coded(0x11, 8_000, 64, 4, &[0x35; 340], 600);
        let mut random = ChaCha8Rng::seed_from_u64(12_345);
        for n in 0..10_000 {
            let mut file = if n % 2 == 0 { linear.to_vec() } else { adpcm.to_vec() };
            for _ in 0..1 + random.next_u32() % 4 {
                // Mostly the header: that is where a reader can be led astray.
                let at = random.next_u32() as usize % 64;
                file[at] = random.next_u32() as u8;
            }
            file.truncate(random.next_u32() as usize % 401);
            let _ = to_alaw(&file[..]);
        }
    }
}
