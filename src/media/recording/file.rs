//! One recording's file: A-law, two channels, 8 kHz, in a WAV. Belongs here: its header and writing it. Not here: what is
//! written (`timeline`), where files lie (`library`).
//!
//! The header is written first, with a length that grows when the file is finished; one of a process that died is mended by its
//! length on disk. The moment of its beginning stands in it (`LIST INFO ICRD`).

use crate::media::g711::ALAW_SILENCE;
use crate::time::Instant;
use jiff::Timestamp;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Octets before the sound.
pub const HEADER: usize = 104;
/// Octets of sound in a millisecond: two channels of eight samples.
pub const PER_MS: u64 = 16;
/// Where the moment stands, and how many octets it has with its zeros.
const ICRD: std::ops::Range<usize> = 70..96;

/// Opens a file to be written from its beginning on: the disk's, or a worse one in tests.
pub type Disk = Box<dyn Fn(&Path) -> io::Result<Box<dyn Write + Send>> + Send>;

pub fn open(path: &Path) -> io::Result<Box<dyn Write + Send>> {
    Ok(Box::new(File::options().create(true).write(true).truncate(true).open(path)?))
}

/// A file that grows, and knows how far it has grown: what a refusing disk took of a piece is not written twice.
pub struct Growing {
    file: Box<dyn Write + Send>,
    /// Octets of sound in it.
    sound: u64,
}

impl Growing {
    pub fn create(mut file: Box<dyn Write + Send>, begun: Instant) -> io::Result<Growing> {
        file.write_all(&header(begun, 0))?;
        Ok(Growing { file, sound: 0 })
    }

    /// Puts a piece where its first sample belongs; up to there it is silent.
    pub fn put(&mut self, first_sample: u64, piece: &[u8]) -> io::Result<()> {
        let place = 2 * first_sample;
        while self.sound < place {
            let silence = [ALAW_SILENCE; 4_096];
            self.write(&silence[..(place - self.sound).min(4_096) as usize])?;
        }
        let there = ((self.sound - place) as usize).min(piece.len());
        self.write(&piece[there..])
    }

    fn write(&mut self, mut octets: &[u8]) -> io::Result<()> {
        while !octets.is_empty() {
            match self.file.write(octets) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) => {
                    self.sound += taken as u64;
                    octets = &octets[taken..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Makes the header true, and the file durable. Returns its beginning and the octets of sound; `None`: there are none.
pub fn close(path: &Path) -> io::Result<Option<(Instant, u64)>> {
    let file = File::options().read(true).write(true).open(path)?;
    let octets = file.metadata()?.len().saturating_sub(HEADER as u64) / 2 * 2;
    let mut head = [0; HEADER];
    if octets == 0 || file.read_exact_at(&mut head, 0).is_err() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&head[ICRD]);
    let begun: Timestamp = text.trim_end_matches('\0').parse().map_err(io::Error::other)?;
    let begun = Instant(begun.as_microsecond().unsigned_abs());
    file.set_len(HEADER as u64 + octets)?;
    file.write_all_at(&header(begun, octets), 0)?;
    file.sync_all()?;
    Ok(Some((begun, octets)))
}

/// The file's SHA-256 in hexadecimal digits.
pub fn sha256(path: &Path) -> io::Result<String> {
    use sha2::{Digest, Sha256};
    let (mut file, mut hash, mut piece) = (File::open(path)?, Sha256::new(), [0; 16_384]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(crate::sip::digest::hex(&hash.finalize())),
            n => hash.update(&piece[..n]),
        }
    }
}

fn header(begun: Instant, octets: u64) -> [u8; HEADER] {
    let octets = u32::try_from(octets).unwrap_or(u32::MAX - HEADER as u32);
    let begun = Timestamp::from_microsecond(begun.as_unix_micros() as i64).unwrap_or_default();
    let mut head = Vec::with_capacity(HEADER);
    let mut put = |bytes: &[u8]| head.extend_from_slice(bytes);
    put(b"RIFF");
    put(&(octets + HEADER as u32 - 8).to_le_bytes());
    put(b"WAVEfmt ");
    put(&18u32.to_le_bytes());
    // A-law, two channels, samples and octets a second, octets and bits a sample, no more of it.
    put(&[6, 0, 2, 0]);
    put(&8_000u32.to_le_bytes());
    put(&16_000u32.to_le_bytes());
    put(&[2, 0, 8, 0, 0, 0]);
    put(b"fact");
    put(&4u32.to_le_bytes());
    put(&(octets / 2).to_le_bytes());
    put(b"LIST");
    put(&38u32.to_le_bytes());
    put(b"INFOICRD");
    put(&(ICRD.len() as u32).to_le_bytes());
    let mut text = begun.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into_bytes();
    text.resize(ICRD.len(), 0);
    put(&text);
    put(b"data");
    put(&octets.to_le_bytes());
    head.try_into().expect("as many octets as are written here")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_never_closed_is_mended_by_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one");
        let begun = Instant(1_795_350_605_123_000);
        let mut file = Growing::create(open(&path).unwrap(), begun).unwrap();
        file.put(0, &[0xD5; 32_001]).unwrap();
        drop(file);
        assert_eq!(close(&path).unwrap(), Some((begun, 32_000)));
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len(), HEADER + 32_000);
        assert_eq!(bytes[4..8], (bytes.len() as u32 - 8).to_le_bytes());
        assert_eq!((&bytes[96..100], &bytes[100..104]), (&b"data"[..], &32_000u32.to_le_bytes()[..]));
        assert_eq!(&bytes[ICRD.start..ICRD.start + 24], b"2026-11-22T12:30:05.123Z");
        let first = sha256(&path).unwrap();
        assert_eq!(
            (first.len(), close(&path).unwrap(), sha256(&path).unwrap() == first),
            (64, Some((begun, 32_000)), true)
        );
        std::fs::write(&path, b"RIFF").unwrap();
        assert_eq!(close(&path).unwrap(), None);
    }
}
