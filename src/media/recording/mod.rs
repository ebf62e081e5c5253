//! Recording conversations, a WAV file each: the caller left, whom the caller hears right. Belongs here: what the media threads
//! hand over, and the threads that take it. Not here: when one begins and ends (`gateway`), who may hear it (`api`).
//!
//! ```text
//! media threads ─ Tap ─► queue ─► writer (timeline: both sides in their places) ─► 2026-11-22/<call>-<segment>.wav.part
//!                                   └─ ended ─► keeper (fsync, SHA-256, .json, rename; deletes old ones) ─► Recorded
//! ```
//! A media thread never waits: what the queue does not take is lost from the recording alone, and counted. The file is one of
//! silence where nothing was said, and playable however the process ends.

mod file;
mod keeper;
mod library;
mod timeline;
mod writer;

pub use library::{Kept, Library};

use super::EventSink;
use super::tone::FRAME;
use crate::config::settings::RecordingSettings;
use crate::host::Clock;
use crate::ids::LegId;
use crate::plane::Codec;
use crate::plane::recording::RecordingName;
use crate::time::Instant;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, TrySendError, channel, sync_channel};
use std::thread::JoinHandle;

/// Packets that wait for the disk: five seconds of 60 calls, 7 MB.
const QUEUE: usize = 32_768;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Left: what the caller says.
    Caller = 0,
    /// Right: what other legs say to the caller.
    Others = 1,
}

/// What a media thread hands over.
#[derive(Debug)]
enum Take {
    Begin { name: RecordingName, at: Instant },
    Audio(Audio),
    End { name: RecordingName, at: Instant },
}

/// A packet, or a part of a long one.
#[derive(Debug)]
struct Audio {
    name: RecordingName,
    side: Side,
    stream: Stream,
    at: Instant,
    timestamp: u32,
    codec: Codec,
    len: u8,
    octets: [u8; FRAME],
}

/// Whose timestamps they are: a leg's, of one epoch.
pub type Stream = (LegId, u32);

/// How recording fares. Totals since start, but for `running` and `trouble`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordingFigures {
    pub running: u64,
    pub complete: u64,
    /// Ended before its conversation did.
    pub incomplete: u64,
    /// Conversations of which there is nothing.
    pub failed: u64,
    /// Packets missing from recordings: the disk was slow.
    pub lost: u64,
    /// Octets deleted as too old.
    pub deleted: u64,
    /// The disk refuses now, or is nearly full.
    pub trouble: bool,
}

/// Shared with the recording threads.
#[derive(Debug, Default)]
pub struct RecordingStatus {
    running: AtomicU64,
    complete: AtomicU64,
    incomplete: AtomicU64,
    failed: AtomicU64,
    lost: AtomicU64,
    deleted: AtomicU64,
    trouble: AtomicBool,
}

impl RecordingStatus {
    pub fn read(&self) -> RecordingFigures {
        RecordingFigures {
            running: self.running.load(Relaxed),
            complete: self.complete.load(Relaxed),
            incomplete: self.incomplete.load(Relaxed),
            failed: self.failed.load(Relaxed),
            lost: self.lost.load(Relaxed),
            deleted: self.deleted.load(Relaxed),
            trouble: self.trouble.load(Relaxed),
        }
    }
}

/// One media thread's way to the recorder.
#[derive(Debug)]
pub struct Tap {
    queue: SyncSender<Take>,
    status: Arc<RecordingStatus>,
    /// Beginnings and ends that the queue did not take, in order: these must not be lost.
    unsaid: VecDeque<Take>,
}

impl Tap {
    pub fn begin(&mut self, name: RecordingName, at: Instant) {
        self.say(Take::Begin { name, at });
    }

    pub fn end(&mut self, name: RecordingName, at: Instant) {
        self.say(Take::End { name, at });
    }

    pub fn audio(
        &mut self,
        (name, side): (RecordingName, Side),
        stream: Stream,
        at: Instant,
        timestamp: u32,
        (codec, payload): (Codec, &[u8]),
    ) {
        for (n, part) in (0u32..).zip(payload.chunks(FRAME)) {
            let mut octets = [0; FRAME];
            octets[..part.len()].copy_from_slice(part);
            let (timestamp, len) = (timestamp.wrapping_add(n * FRAME as u32), part.len() as u8);
            let audio = Audio { name, side, stream, at, timestamp, codec, len, octets };
            if let Err(TrySendError::Full(_)) = self.queue.try_send(Take::Audio(audio)) {
                self.status.lost.fetch_add(1, Relaxed);
            }
        }
    }

    /// To be called now and then.
    pub fn again(&mut self) {
        while let Some(take) = self.unsaid.pop_front() {
            if let Err(TrySendError::Full(take)) = self.queue.try_send(take) {
                return self.unsaid.push_front(take);
            }
        }
    }

    fn say(&mut self, take: Take) {
        self.unsaid.push_back(take);
        self.again();
    }
}

/// The running threads; they end when every [`Tap`] is gone.
#[derive(Debug)]
pub struct Recorder {
    pub status: Arc<RecordingStatus>,
    threads: Vec<JoinHandle<()>>,
}

impl Recorder {
    /// `taps`: how many media threads there are. `report` gets each finished recording, those of an earlier run first.
    ///
    /// # Errors
    /// The folder cannot be made or written to, or the system gives no thread.
    pub fn start(
        settings: &RecordingSettings,
        clock: Clock,
        taps: usize,
        report: EventSink,
    ) -> io::Result<(Recorder, Vec<Tap>)> {
        let library = Library::open(&settings.directory)?;
        let status = Arc::new(RecordingStatus::default());
        let (queue, takes) = sync_channel(QUEUE);
        let (ended, finished) = channel();
        let keeper = keeper::Keeper::new(library.clone(), settings.keep_days, clock, status.clone(), report);
        let writer = writer::Writer::new(library, settings.free_space, clock, status.clone(), ended);
        // Nothing that records now is among them.
        let left = keeper.left_behind()?;
        let thread = |name: &str| std::thread::Builder::new().name(name.into());
        let threads = vec![
            thread("recording").spawn(move || writer.run(&takes))?,
            thread("recording-end").spawn(move || keeper.run(left, &finished))?,
        ];
        let tap = || Tap { queue: queue.clone(), status: status.clone(), unsaid: VecDeque::new() };
        let taps = (0..taps).map(|_| tap()).collect();
        Ok((Recorder { status, threads }, taps))
    }

    /// Waits until all is written; to be called when every tap is gone.
    pub fn join(&mut self) {
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a recording thread has panicked: look at the files that end in .part");
            }
        }
    }
}

#[cfg(test)]
mod tests;
