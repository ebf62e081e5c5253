//! Recordings that have ended: made durable, hashed, named, told of, and deleted when their time is over. Its own thread: a disk that
//! takes long to sync keeps no conversation waiting. Not here: those that go on (`writer`).

use super::RecordingStatus;
use super::file::{self, PER_MS};
use super::library::{Library, PART, write_through};
use crate::casework::Day;
use crate::host::Clock;
use crate::media::EventSink;
use crate::plane::MediaEvent;
use crate::plane::recording::{Recording, RecordingName};
use crate::time::Instant;
use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// Between tries to finish what the disk refused; and between looks at the calendar.
const RETRY: Duration = Duration::from_secs(30);

/// The writer is through with it.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub name: RecordingName,
    pub part: PathBuf,
    pub complete: bool,
    pub missing_ms: u64,
}

pub(super) struct Keeper {
    library: Library,
    keep_days: u32,
    clock: Clock,
    status: Arc<RecordingStatus>,
    report: EventSink,
    /// Oldest first.
    unfinished: VecDeque<Ended>,
    /// What a panic would be about.
    at: Option<Ended>,
    retry_at: Instant,
    /// The day on which old ones were last looked for.
    cleared: Option<Day>,
}

impl Keeper {
    pub fn new(
        library: Library,
        keep_days: u32,
        clock: Clock,
        status: Arc<RecordingStatus>,
        report: EventSink,
    ) -> Self {
        let (unfinished, retry_at) = (VecDeque::new(), clock.now());
        Keeper { library, keep_days, clock, status, report, unfinished, at: None, retry_at, cleared: None }
    }

    /// What a process that died has left.
    pub fn take_over(&mut self) -> io::Result<()> {
        for (_, folder) in self.library.days()? {
            for entry in fs::read_dir(folder)? {
                let part = entry?.path();
                let name = part.file_name().and_then(|name| name.to_str());
                let name = name.and_then(|name| name.strip_suffix(PART)?.strip_suffix('.'));
                let name = name.and_then(RecordingName::parse);
                self.unfinished.extend(name.map(|name| Ended { name, part, complete: false, missing_ms: 0 }));
            }
        }
        let recordings = self.unfinished.len();
        if recordings > 0 {
            tracing::warn!(recordings, "the process died while these were recorded: they are mended");
        }
        Ok(())
    }

    /// Ends with the writer, when all is finished.
    pub fn run(&mut self, ended: &Receiver<Ended>) {
        loop {
            let today = Day::of(self.clock.now()).0;
            if self.cleared != Some(today) {
                self.cleared = Some(today);
                self.delete_before(today);
            }
            if self.clock.now() >= self.retry_at {
                self.retry_at = self.clock.now() + RETRY;
                for _ in 0..self.unfinished.len() {
                    self.unfinished.pop_front().into_iter().for_each(|ended| self.finish(ended));
                }
            }
            match ended.recv_timeout(RETRY) {
                Ok(ended) => self.finish(ended),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// After a panic: what it was at is tried again when all else has been.
    pub fn spare(&mut self) {
        self.unfinished.extend(self.at.take());
        self.count();
    }

    fn count(&self) {
        self.status.unfinished.store(self.unfinished.len() as u64, Relaxed);
    }

    /// What cannot be finished now is tried again; after the process's end, by the next.
    fn finish(&mut self, ended: Ended) {
        self.at = Some(ended.clone());
        let finished = self.finished(&ended);
        self.at = None;
        match finished {
            Ok(None) => {}
            Ok(Some(recording)) => {
                let counter = if recording.complete { &self.status.complete } else { &self.status.incomplete };
                counter.fetch_add(1, Relaxed);
                let Recording { file, ms, complete, .. } = &recording;
                tracing::info!(recording = %ended.name, file, ms, complete, "recorded");
                (self.report)(MediaEvent::Recorded { call: ended.name.call, recording });
            }
            // Somebody took it away.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !ended.part.exists() => {
                self.status.failed.fetch_add(1, Relaxed);
                tracing::error!(recording = %ended.name, part = %ended.part.display(), "a recording is gone before it was finished");
            }
            Err(error) => {
                tracing::error!(recording = %ended.name, %error, "a recording cannot be finished now: it is tried again");
                self.unfinished.push_back(ended);
            }
        }
        self.count();
    }

    /// `None`: there is no sound in it, and no file any more.
    fn finished(&self, ended: &Ended) -> io::Result<Option<Recording>> {
        let Ended { name, part, complete, missing_ms } = ended;
        let Some((from, octets)) = file::close(part)? else { return fs::remove_file(part).map(|()| None) };
        let folder = part.parent().unwrap_or(Path::new(""));
        let day = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let ms = octets / PER_MS;
        let recording = Recording {
            segment: name.segment,
            file: format!("{day}/{name}.wav"),
            sha256: file::sha256(part)?,
            ms,
            from,
            to: from + Duration::from_millis(ms),
            complete: *complete,
            missing_ms: *missing_ms,
        };
        // In this order: with the name that ends in .wav everything is there.
        let json = serde_json::to_vec(&recording).map_err(io::Error::other)?;
        write_through(&folder.join(format!("{name}.json")), &json)?;
        self.library.leave_untold(*name)?;
        fs::rename(part, folder.join(format!("{name}.wav")))?;
        fs::File::open(folder)?.sync_all()?;
        Ok(Some(recording))
    }

    /// Days whose time is over, each with all that is in it.
    fn delete_before(&self, today: Day) {
        if let Err(error) = self.library.finish_deletions() {
            tracing::error!(%error, "tickets are not told of deleted recordings: it is tried again tomorrow, and at the next start");
        }
        let oldest = today.plus(-i32::try_from(self.keep_days).unwrap_or(i32::MAX));
        let days = match self.library.days() {
            Ok(days) => days,
            Err(error) => return tracing::error!(%error, "old recordings cannot be looked for"),
        };
        for (day, folder) in days.into_iter().filter(|(day, _)| *day < oldest) {
            match self.library.delete(day, &folder) {
                Ok((files, octets)) => {
                    self.status.deleted.fetch_add(octets, Relaxed);
                    let keep_days = self.keep_days;
                    tracing::info!(%day, files, megabytes = octets >> 20, keep_days, "old recordings deleted");
                }
                Err(error) => {
                    tracing::error!(%day, %error, "old recordings cannot be deleted: remove the folder by hand")
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::CallId;

    #[test]
    fn a_recording_that_a_panic_left_unfinished_is_trouble_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::open(folder.path()).unwrap();
        let clock = Clock::start();
        let status = Arc::new(RecordingStatus::new(clock));
        let mut keeper = Keeper::new(library, 30, clock, status.clone(), Arc::new(|_| {}));
        let name = RecordingName { call: CallId(1), segment: 1 };
        keeper.at = Some(Ended { name, part: folder.path().join("part"), complete: true, missing_ms: 0 });
        assert!(!status.read().trouble);
        keeper.spare();
        assert!(status.read().trouble);
    }
}
