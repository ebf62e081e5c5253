//! The thread that takes conversations down. Belongs here: the queue's other end, open files, what a refusing disk means. Not
//! here: places on the time line (`timeline`), ended ones (`keeper`).

use super::file::Growing;
use super::keeper::Ended;
use super::library::Library;
use super::timeline::Timeline;
use super::{Audio, RecordingStatus, Take};
use crate::host::Clock;
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
/// Between lines in the log about recordings that are not made.
const SAID: Duration = Duration::from_secs(60);

pub(super) struct Writer {
    library: Library,
    /// Octets that must stay free on the disk.
    free_space: u64,
    clock: Clock,
    status: Arc<RecordingStatus>,
    ended: Sender<Ended>,
    running: BTreeMap<RecordingName, Running>,
    /// Of what was taken last.
    now: Instant,
    next_round: Instant,
    /// No file is begun before.
    retry_at: Instant,
    say_at: Instant,
}

struct Running {
    timeline: Timeline,
    /// From the first sound on.
    file: Option<(Growing, PathBuf)>,
}

impl Writer {
    pub fn new(
        library: Library,
        free_space: u64,
        clock: Clock,
        status: Arc<RecordingStatus>,
        ended: Sender<Ended>,
    ) -> Self {
        let now = clock.now();
        let running = BTreeMap::new();
        let (next_round, retry_at, say_at) = (now, now, now);
        Writer { library, free_space, clock, status, ended, running, now, next_round, retry_at, say_at }
    }

    /// Ends when nobody can hand anything over any more.
    pub fn run(mut self, takes: &Receiver<Take>) {
        loop {
            match takes.recv_timeout(ROUND) {
                Ok(take) => self.take(take),
                // Only now is the clock believed: after a stall what was said meanwhile comes first.
                Err(RecvTimeoutError::Timeout) => self.now = self.clock.now(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.now >= self.next_round {
                self.round();
                self.next_round = self.now + ROUND;
            }
        }
        for (name, running) in std::mem::take(&mut self.running) {
            self.end(name, running, self.now);
        }
    }

    fn take(&mut self, take: Take) {
        match take {
            Take::Begin { name, at } => {
                self.now = self.now.max(at);
                self.running.insert(name, Running { timeline: Timeline::new(at), file: None });
                self.count();
            }
            Take::Audio(audio) => {
                let Audio { name, side, stream, at, timestamp, codec, len, mut octets } = audio;
                self.now = self.now.max(at);
                let alaw = &mut octets[..usize::from(len)];
                if codec == Codec::Pcmu {
                    ulaw_to_alaw(alaw);
                }
                // None: it has failed or ended.
                if let Some(Running { timeline, .. }) = self.running.get_mut(&name) {
                    timeline.place(side, stream, at, timestamp, alaw);
                }
            }
            Take::End { name, at } => {
                self.now = self.now.max(at);
                if let Some(running) = self.running.remove(&name) {
                    self.end(name, running, at);
                    self.count();
                }
            }
        }
    }

    /// Writes what is due.
    fn round(&mut self) {
        let now = self.now;
        let mut failed = vec![];
        for (name, running) in &mut self.running {
            let Running { timeline, file } = running;
            if !timeline.heard {
                continue;
            }
            let file = match file {
                Some(file) => file,
                None => match begin(&self.library, *name, timeline.begun(), self.free_space, now < self.retry_at) {
                    Ok(begun) => file.insert(begun),
                    Err(error) => {
                        failed.push((*name, error));
                        continue;
                    }
                },
            };
            let due = timeline.due(now);
            match file.0.append(due) {
                Ok(()) => {
                    let written = due.len();
                    timeline.written(written);
                    self.status.trouble.store(false, Relaxed);
                }
                Err(error) => failed.push((*name, error)),
            }
        }
        for (name, error) in failed {
            if let Some(running) = self.running.remove(&name) {
                self.fail(name, running, &error);
            }
        }
        self.count();
    }

    /// The conversation is over.
    fn end(&mut self, name: RecordingName, mut running: Running, at: Instant) {
        // Shorter than the slack: nothing of it was due before.
        if running.file.is_none() && running.timeline.heard {
            let begun = running.timeline.begun();
            match begin(&self.library, name, begun, self.free_space, self.now < self.retry_at) {
                Ok(begun) => running.file = Some(begun),
                Err(error) => return self.fail(name, running, &error),
            }
        }
        let Running { timeline, file } = &mut running;
        let Some((file, path)) = file else { return };
        match file.append(timeline.rest(at)) {
            Ok(()) => drop(self.ended.send(Ended { name, part: std::mem::take(path), complete: true })),
            Err(error) => self.fail(name, running, &error),
        }
    }

    /// The call goes on; of its conversation nothing more is kept.
    fn fail(&mut self, name: RecordingName, running: Running, error: &io::Error) {
        self.status.trouble.store(true, Relaxed);
        if self.now >= self.retry_at {
            self.retry_at = self.now + PAUSE;
        }
        if self.now >= self.say_at {
            self.say_at = self.now + SAID;
            let folder = self.library.folder().display();
            tracing::error!(recording = %name, %folder, %error,
                "conversations are not recorded, calls go on: make room on this disk, or look at it; others in the next minute are not told of");
        }
        match running.file {
            Some((_, part)) => drop(self.ended.send(Ended { name, part, complete: false })),
            None => drop(self.status.failed.fetch_add(1, Relaxed)),
        }
    }

    fn count(&self) {
        self.status.running.store(self.running.len() as u64, Relaxed);
    }
}

fn begin(
    library: &Library,
    name: RecordingName,
    begun: Instant,
    free_space: u64,
    refused: bool,
) -> io::Result<(Growing, PathBuf)> {
    if refused {
        return Err(io::Error::other("the disk refused a moment ago"));
    }
    let disk = rustix::fs::statvfs(library.folder())?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < free_space {
        let what = format!("{} MB are free, free_space_mb of [recording] wants {}", free >> 20, free_space >> 20);
        return Err(io::Error::new(io::ErrorKind::StorageFull, what));
    }
    let path = library.place(name, begun)?;
    Ok((Growing::create(&path, begun)?, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CallId, LegId};
    use crate::media::recording::Side;
    use crate::media::tone::FRAME;
    use std::sync::mpsc::channel;

    #[test]
    fn a_disk_that_refuses_in_the_middle_leaves_what_it_took() {
        let folder = tempfile::tempdir().unwrap();
        let (ended, over) = channel();
        let (clock, status) = (Clock::start(), Arc::new(RecordingStatus::default()));
        let library = Library::open(folder.path()).unwrap();
        let mut writer = Writer::new(library, 0, clock, status.clone(), ended);
        let begun = clock.now();
        let [one, two] = [1, 2].map(|segment| RecordingName { call: CallId(9), segment });
        let say = |writer: &mut Writer, name, ms: u32| {
            let at = begun + Duration::from_millis(ms.into());
            let (side, stream, codec) = (Side::Caller, (LegId(1), 1), Codec::Pcma);
            let len = FRAME as u8;
            writer.take(Take::Audio(Audio {
                name,
                side,
                stream,
                at,
                timestamp: ms * 8,
                codec,
                len,
                octets: [7; FRAME],
            }));
        };
        for name in [one, two] {
            writer.take(Take::Begin { name, at: begun });
            (0..100).for_each(|n| say(&mut writer, name, n * 20));
        }
        writer.round();
        // From here on the disk takes nothing more of the first.
        let file = writer.running.get_mut(&one).unwrap().file.as_mut().unwrap();
        file.0 = Growing::refusing(&file.1);
        for name in [one, two] {
            (100..200).for_each(|n| say(&mut writer, name, n * 20));
        }
        writer.round();
        let Ended { name, part, complete } = over.try_recv().unwrap();
        assert_eq!((name, complete), (one, false));
        assert!(std::fs::metadata(part).unwrap().len() > 16_000, "a second at least is there");
        assert!(status.read().running == 1, "the other goes on");
        // None is begun until the disk has had a pause.
        let later = RecordingName { call: CallId(9), segment: 3 };
        writer.take(Take::Begin { name: later, at: writer.now });
        say(&mut writer, later, 4_020);
        writer.round();
        assert_eq!(status.read().failed, 1);
        let after = writer.now + PAUSE;
        writer.take(Take::Begin { name: later, at: after });
        say(&mut writer, later, 14_020);
        writer.round();
        assert_eq!((status.read().failed, status.read().running, status.read().trouble), (1, 2, false));
    }
}
