//! Recordings that have ended: made durable, hashed, named, told of, and deleted when their time is over. Its own thread: a disk that
//! takes long to sync keeps no conversation waiting. Not here: those that go on (`writer`).

use super::RecordingStatus;
use super::file::{self, PER_MS};
use super::library::{Library, PART};
use crate::casework::Day;
use crate::host::Clock;
use crate::media::EventSink;
use crate::plane::MediaEvent;
use crate::plane::recording::{Recording, RecordingName};
use std::collections::VecDeque;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// Between tries to finish what the disk refused; and between looks at the calendar.
const RETRY: Duration = Duration::from_secs(30);

/// The writer is through with it.
#[derive(Debug)]
pub(super) struct Ended {
    pub name: RecordingName,
    pub part: PathBuf,
    pub complete: bool,
}

pub(super) struct Keeper {
    library: Library,
    keep_days: u32,
    clock: Clock,
    status: Arc<RecordingStatus>,
    report: EventSink,
}

impl Keeper {
    pub fn new(
        library: Library,
        keep_days: u32,
        clock: Clock,
        status: Arc<RecordingStatus>,
        report: EventSink,
    ) -> Self {
        Keeper { library, keep_days, clock, status, report }
    }

    /// Of a process that died.
    pub fn left_behind(&self) -> io::Result<Vec<Ended>> {
        let mut left = vec![];
        for (_, folder) in self.library.days()? {
            for entry in fs::read_dir(folder)? {
                let part = entry?.path();
                let name = part.file_name().and_then(|name| name.to_str());
                let name = name.and_then(|name| name.strip_suffix(PART)?.strip_suffix('.'));
                let name = name.and_then(RecordingName::parse);
                left.extend(name.map(|name| Ended { name, part, complete: false }));
            }
        }
        Ok(left)
    }

    /// Ends with the writer, when all is finished.
    pub fn run(self, left: Vec<Ended>, ended: &Receiver<Ended>) {
        if !left.is_empty() {
            tracing::warn!(recordings = left.len(), "the process died while these were recorded: they are mended");
        }
        let (mut unfinished, mut cleared, mut retry_at) = (VecDeque::from(left), None, self.clock.now());
        loop {
            let today = Day::of(self.clock.now()).0;
            if cleared != Some(today) {
                cleared = Some(today);
                self.delete_before(today);
            }
            if self.clock.now() >= retry_at {
                for _ in 0..unfinished.len() {
                    unfinished.pop_front().into_iter().for_each(|ended| self.finish(ended, &mut unfinished));
                }
                retry_at = self.clock.now() + RETRY;
            }
            match ended.recv_timeout(RETRY) {
                Ok(ended) => self.finish(ended, &mut unfinished),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// What cannot be finished now is tried again; after the process's end, by the next.
    fn finish(&self, ended: Ended, unfinished: &mut VecDeque<Ended>) {
        match self.finished(&ended) {
            Ok(None) => {}
            Ok(Some(recording)) => {
                let counter = if recording.complete { &self.status.complete } else { &self.status.incomplete };
                counter.fetch_add(1, Relaxed);
                let Recording { file, ms, complete, .. } = &recording;
                tracing::info!(recording = %ended.name, file, ms, complete, "recorded");
                (self.report)(MediaEvent::Recorded { call: ended.name.call, recording });
            }
            Err(error) => {
                self.status.trouble.store(true, Relaxed);
                tracing::error!(recording = %ended.name, %error, "a recording cannot be finished now: it is tried again");
                unfinished.push_back(ended);
            }
        }
    }

    /// `None`: there is no sound in it, and no file any more.
    fn finished(&self, ended: &Ended) -> io::Result<Option<Recording>> {
        let Ended { name, part, complete } = ended;
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
        let oldest = today.plus(-i32::try_from(self.keep_days).unwrap_or(i32::MAX));
        let days = match self.library.days() {
            Ok(days) => days,
            Err(error) => return tracing::error!(%error, "old recordings cannot be looked for"),
        };
        for (day, folder) in days.into_iter().filter(|(day, _)| *day < oldest) {
            match delete(&folder) {
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

/// How many recordings there were, and their octets.
fn delete(folder: &Path) -> io::Result<(u64, u64)> {
    let (mut files, mut octets) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files += u64::from(entry.path().extension().is_some_and(|ending| ending == "wav"));
        octets += entry.metadata()?.len();
    }
    fs::remove_dir_all(folder)?;
    Ok((files, octets))
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
