//! The thread that takes conversations down. Belongs here: the queue's other end, open files, what a refusing disk means. Not
//! here: places on the time line (`timeline`), ended ones (`keeper`).

use super::file::{Disk, Growing};
use super::keeper::Ended;
use super::library::Library;
use super::timeline::Timeline;
use super::{Audio, Conversation, RecordingStatus, Take};
use crate::media::g711::ulaw_to_alaw;
use crate::plane::Codec;
use crate::plane::recording::RecordingName;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

/// Between looks at what is due, and at the disk's free space.
const ROUND: Duration = Duration::from_millis(500);
/// A disk that refused is left alone for so long.
const PAUSE: Duration = Duration::from_secs(10);
/// Refused for longer, the rest of a recording is given up: the silence that stands for it is written in one go.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between lines in the log about recordings that are not made.
const SAID: Duration = Duration::from_secs(60);

pub(super) struct Writer {
    shelf: Shelf,
    status: Arc<RecordingStatus>,
    ended: Sender<Ended>,
    /// `None`: given up, and not over yet.
    running: BTreeMap<RecordingName, Option<Running>>,
    /// What a panic would be about.
    at: Option<RecordingName>,
    /// Of what was taken last.
    now: Instant,
    next_round: Instant,
    /// What the disk refused last is that long past.
    well_at: Instant,
    say_at: Instant,
}

/// Where files are begun.
pub(super) struct Shelf {
    pub library: Library,
    pub disk: Disk,
    /// Octets that must stay free.
    pub free_space: u64,
}

struct Running {
    timeline: Timeline,
    /// From the first sound that was due on.
    file: Option<(Growing, PathBuf)>,
    /// Samples that the disk did not take.
    missing: u64,
    refused: Option<Refused>,
}

/// The disk would not take this recording. It says nothing of others: theirs may lie where the disk is well, or have been begun before
/// it filled.
#[derive(Clone, Copy)]
struct Refused {
    since: Instant,
    retry_at: Instant,
}

impl Writer {
    pub fn new(shelf: Shelf, status: Arc<RecordingStatus>, ended: Sender<Ended>) -> Self {
        let now = status.clock.now();
        let (running, at) = (BTreeMap::new(), None);
        Writer { shelf, status, ended, running, at, now, next_round: now, well_at: now, say_at: now }
    }

    /// Ends when nobody can hand anything over any more.
    pub fn run(&mut self, takes: &Receiver<Take>) {
        loop {
            let taken = takes.recv_timeout(ROUND);
            let clock = self.status.clock.now();
            self.status.round.store(clock.0, Relaxed);
            match taken {
                Ok(take) => self.take(take),
                // Only now is the clock believed: after a stall what was said meanwhile comes first.
                Err(RecvTimeoutError::Timeout) => self.now = clock,
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.now >= self.next_round {
                self.next_round = self.now + ROUND;
                self.round();
            }
        }
        while let Some((name, _)) = self.running.first_key_value() {
            self.end(Conversation::new(*name, self.now), self.now);
        }
        self.count();
    }

    fn take(&mut self, take: Take) {
        match take {
            Take::Audio(audio) => {
                let Audio { name, begun, side, stream, at, timestamp, codec, len, mut octets } = audio;
                self.now = self.now.max(at);
                let alaw = &mut octets[..usize::from(len)];
                if codec == Codec::Pcmu {
                    ulaw_to_alaw(alaw);
                }
                self.at = Some(name);
                if let Some(Running { timeline, .. }) = self.running.entry(name).or_insert_with(|| Running::new(begun))
                {
                    timeline.place(side, stream, at, timestamp, alaw);
                }
            }
            Take::End { over, at } => {
                self.now = self.now.max(at);
                self.at = Some(over.name);
                self.end(over, at);
                self.count();
            }
        }
        self.at = None;
    }

    fn count(&self) {
        self.status.running.store(self.running.values().flatten().count() as u64, Relaxed);
    }

    /// Writes what is due.
    fn round(&mut self) {
        let names: Vec<RecordingName> = self.running.keys().copied().collect();
        for name in names {
            let Some(Some(running)) = self.running.get_mut(&name) else { continue };
            self.at = Some(name);
            let written = running.write(name, &self.shelf, self.now, None);
            let given_up = running.refused.is_some_and(|refused| self.now.since(refused.since) > PATIENCE);
            if let Err(error) = written {
                self.refused(name, &error);
            }
            if given_up {
                self.give_up(name);
            }
        }
        self.at = None;
        self.status.refused.store(self.now < self.well_at, Relaxed);
        self.count();
    }

    /// The conversation is over.
    fn end(&mut self, over: Conversation, at: Instant) {
        let name = over.name;
        match self.running.get_mut(&name) {
            Some(Some(running)) => {
                running.missing += over.missing();
                if let Err(error) = running.write(name, &self.shelf, self.now, Some(at)) {
                    self.refused(name, &error);
                }
                self.give_up(name);
            }
            Some(None) => {}
            // Not one packet of it came through.
            None if over.missing() > 0 => drop(self.status.failed.fetch_add(1, Relaxed)),
            None => {}
        }
        self.running.remove(&name);
    }

    /// What there is of it goes to the keeper.
    fn give_up(&mut self, name: RecordingName) {
        let running = self.running.get_mut(&name).and_then(Option::take);
        let Some(Running { file, missing, .. }) = running else { return };
        match file {
            Some((_, part)) => {
                drop(self.ended.send(Ended { name, part, complete: missing == 0, missing_ms: missing / 8 }));
            }
            // Else nothing was said.
            None if missing > 0 => drop(self.status.failed.fetch_add(1, Relaxed)),
            None => {}
        }
    }

    /// After a panic: whatever it was at is left as it is on the disk. Nothing more of it is taken, and no more known than this.
    pub fn spare(&mut self) {
        if let Some(name) = self.at.take() {
            self.running.get_mut(&name).into_iter().flatten().for_each(|running| running.missing += 1);
            self.give_up(name);
        }
    }

    /// Calls go on.
    fn refused(&mut self, name: RecordingName, error: &io::Error) {
        self.status.refused.store(true, Relaxed);
        self.well_at = self.now + PAUSE;
        if self.now >= self.say_at {
            self.say_at = self.now + SAID;
            let folder = self.shelf.library.folder().display();
            tracing::error!(recording = %name, %folder, %error,
                "conversations are not recorded, calls go on: make room on this disk, or look at it; others in the next minute are not told of");
        }
    }
}

impl Running {
    fn new(begun: Instant) -> Option<Running> {
        Some(Running { timeline: Timeline::new(begun), file: None, missing: 0, refused: None })
    }

    /// What is due, or all of a conversation that is `over`, goes to the disk. What it does not take, or is not asked to, is missing
    /// from then on.
    fn write(&mut self, name: RecordingName, shelf: &Shelf, now: Instant, over: Option<Instant>) -> io::Result<()> {
        let begun = self.timeline.begun();
        let (first, piece) = match over {
            Some(at) => self.timeline.rest(at),
            None => self.timeline.due(now),
        };
        if piece.is_empty() {
            return Ok(());
        }
        let waits = self.refused.is_some_and(|refused| now < refused.retry_at);
        let taken = match &mut self.file {
            _ if waits => None,
            Some((file, _)) => Some(file.put(first, piece)),
            file => Some(shelf.begin(name, begun).and_then(|begun| file.insert(begun).0.put(first, piece))),
        };
        let octets = piece.len();
        self.timeline.passed(octets);
        if let Some(Ok(())) = taken {
            self.refused = None;
        } else {
            self.missing += octets as u64 / 2;
        }
        if let Some(Err(_)) = taken {
            let since = self.refused.map_or(now, |refused| refused.since);
            self.refused = Some(Refused { since, retry_at: now + PAUSE });
        }
        taken.unwrap_or(Ok(()))
    }
}

impl Shelf {
    fn begin(&self, name: RecordingName, begun: Instant) -> io::Result<(Growing, PathBuf)> {
        let disk = rustix::fs::statvfs(self.library.folder())?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < self.free_space {
            let what =
                format!("{} MB are free, free_space_mb of [recording] wants {}", free >> 20, self.free_space >> 20);
            return Err(io::Error::new(io::ErrorKind::StorageFull, what));
        }
        let path = self.library.place(name, begun)?;
        Ok((Growing::create((self.disk)(&path)?, begun)?, path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Clock;
    use crate::ids::{CallId, LegId};
    use crate::media::recording::{Side, file};
    use crate::media::tone::FRAME;
    use std::io::Write;
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::channel;

    /// A disk that is full or not.
    struct Filling(Box<dyn Write + Send>, Arc<AtomicBool>);

    impl Write for Filling {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            if !self.1.load(Relaxed) {
                return self.0.write(octets);
            }
            // It takes a part of what is brought first.
            let part = octets.len().min(101);
            if octets.len() > part { self.0.write(&octets[..part]) } else { Err(io::ErrorKind::StorageFull.into()) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Bench {
        writer: Writer,
        over: Receiver<Ended>,
        status: Arc<RecordingStatus>,
        begun: Instant,
        _folder: tempfile::TempDir,
    }

    fn name(segment: u16) -> RecordingName {
        RecordingName { call: CallId(9), segment }
    }

    impl Bench {
        /// On a disk that is `full` for recordings of these names.
        fn new(full: &Arc<AtomicBool>, of: &'static str) -> Bench {
            let folder = tempfile::tempdir().unwrap();
            let (ended, over) = channel();
            let status = Arc::new(RecordingStatus::new(Clock::start()));
            let full = full.clone();
            let disk: Disk = Box::new(move |path| {
                let full = if path.to_string_lossy().contains(of) { full.clone() } else { Arc::default() };
                Ok(Box::new(Filling(file::open(path)?, full)))
            });
            let shelf = Shelf { library: Library::open(folder.path()).unwrap(), disk, free_space: 0 };
            let writer = Writer::new(shelf, status.clone(), ended);
            Bench { writer, over, begun: status.clock.now(), status, _folder: folder }
        }

        fn say(&mut self, segment: u16, second: u64) {
            for n in second * 50..(second + 1) * 50 {
                let (at, timestamp) = (self.begun + Duration::from_millis(20) * n as u32, n as u32 * 160);
                let (name, begun, side, stream) = (name(segment), self.begun, Side::Caller, (LegId(1), 1));
                let (codec, len, octets) = (Codec::Pcma, FRAME as u8, [7; FRAME]);
                self.writer.take(Take::Audio(Audio { name, begun, side, stream, at, timestamp, codec, len, octets }));
            }
        }

        fn second(&mut self, segment: u16, second: u64) {
            self.say(segment, second);
            self.writer.round();
        }

        fn end(&mut self, segment: u16, second: u64) -> Option<Ended> {
            let at = self.begun + Duration::from_secs(second);
            self.writer.take(Take::End { over: Conversation::new(name(segment), self.begun), at });
            self.over.try_recv().ok()
        }
    }

    #[test]
    fn a_disk_that_is_full_for_a_while_leaves_a_gap_and_one_that_stays_full_a_beginning() {
        let full = Arc::new(AtomicBool::new(false));
        let mut bench = Bench::new(&full, "");
        (0..4).for_each(|n| bench.second(1, n));
        full.store(true, Relaxed);
        (4..7).for_each(|n| bench.second(1, n));
        assert!(bench.status.read().trouble && bench.status.read().running == 1);
        full.store(false, Relaxed);
        // It is left alone for a while; another that begins meanwhile was refused nothing.
        (7..10).for_each(|n| bench.second(1, n));
        bench.second(2, 10);
        (10..30).for_each(|n| bench.second(1, n));
        assert!(!bench.status.read().trouble);
        let Ended { part, complete, missing_ms, .. } = bench.end(1, 30).unwrap();
        assert!(!complete && (10_000..12_000).contains(&missing_ms), "{missing_ms}");
        let sound = std::fs::read(part).unwrap().split_off(file::HEADER);
        assert_eq!(sound.len(), 30 * 16_000, "all in their places");
        let silent: Vec<usize> = (0..30).filter(|n| sound[n * 16_000 + 8_000] != 7).collect();
        assert!(silent.len() as u64 * 1_000 <= missing_ms && silent[0] == 4, "{silent:?}");
        assert!(bench.end(2, 30).is_some_and(|ended| ended.complete));

        (30..32).for_each(|n| bench.second(3, n));
        full.store(true, Relaxed);
        (32..100).for_each(|n| bench.second(3, n));
        let Ended { complete, missing_ms, .. } = bench.over.try_recv().unwrap();
        assert!(!complete && (60_000..=62_000).contains(&missing_ms), "{missing_ms}");
        full.store(false, Relaxed);
        // What is still said of it begins no second file.
        bench.second(3, 100);
        assert_eq!(
            (bench.status.read().running, bench.end(3, 101).is_none(), bench.writer.running.len()),
            (0, true, 0)
        );
        assert_eq!(bench.status.read().failed, 0);
    }

    #[test]
    fn a_file_that_fails_takes_no_other_recording_with_it() {
        let broken = Arc::new(AtomicBool::new(false));
        let mut bench = Bench::new(&broken, "9-001");
        (0..5).for_each(|n| (1..=2).for_each(|segment| bench.second(segment, n)));
        broken.store(true, Relaxed);
        // 3 begins while 1, which is asked before it, is refused again and again; 4 when 1 is given up, but the trouble still told.
        for n in 5..75 {
            (1..=2).for_each(|segment| bench.say(segment, n));
            (n >= 8).then(|| bench.say(3, n));
            (n >= 68).then(|| bench.say(4, n));
            bench.writer.round();
        }
        let Ended { name: given_up, complete, missing_ms, .. } = bench.over.try_recv().unwrap();
        assert!(given_up == name(1) && !complete && (59_000..63_000).contains(&missing_ms), "{missing_ms}");
        for segment in 2..=4 {
            let Ended { complete, missing_ms, part, .. } = bench.end(segment, 75).unwrap();
            assert_eq!((segment, complete, missing_ms), (segment, true, 0));
            assert_eq!(std::fs::metadata(part).unwrap().len(), (file::HEADER + 75 * 16_000) as u64);
        }
    }
}
