//! Recording conversations, a WAV file each: the caller left, whom the caller hears right. Belongs here: what the media threads
//! hand over, and the threads that take it. Not here: what is recorded (`gateway::recording`), who may hear it (`api`).
//!
//! ```text
//! media threads ─ Tap ─► queue ─► writer (timeline: both sides in their places) ─► 2026-11-22/<call>-<segment>.wav.part
//!                                   └─ ended ─► keeper (fsync, SHA-256, .json, rename; deletes old ones) ─► Recorded
//! ```
//! A media thread never waits, and no call depends on any of this:
//!
//! | what happens | what it costs |
//! |---|---|
//! | the disk stalls | nothing for as long as the queue lasts; then packets, silence in their place, `missing_ms` |
//! | the disk is full or refuses | silence, `missing_ms`, in the recordings it refuses; after a minute of it the rest of each |
//! | a thread here panics | the recording it was at; the thread goes on with the others |
//! | the process dies | the last second; the next one mends the file |
//!
//! Nothing tells the writer that a recording begins: its first packet does. So nothing can come in the wrong order, whatever the queue
//! refuses and whichever thread the caller's port lies on by then; an end that overtakes nothing is told as often as it takes.

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
use file::Disk;
use keeper::Keeper;
use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::time::Duration;
use writer::{Shelf, Writer};

/// Packets that wait for the disk: five seconds of 60 calls, 7 MB.
const QUEUE: usize = 32_768;
/// A writer that has not come round for so long waits for the disk.
const STALLED: Duration = Duration::from_secs(3);
/// For what is still to be written when the process ends.
const LAST_WORDS: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Left: what the caller says.
    Caller = 0,
    /// Right: what other legs say to the caller.
    Others = 1,
}

/// A conversation that is recorded; it goes wherever the caller's port goes.
#[derive(Debug)]
pub struct Conversation {
    name: RecordingName,
    begun: Instant,
    /// Samples that the queue did not take, by side.
    lost: [u64; 2],
}

impl Conversation {
    pub fn new(name: RecordingName, begun: Instant) -> Self {
        Conversation { name, begun, lost: [0; 2] }
    }

    /// Samples: they were mostly lost on both sides at once.
    fn missing(&self) -> u64 {
        self.lost[0].max(self.lost[1])
    }
}

/// What a media thread hands over.
#[derive(Debug)]
enum Take {
    Audio(Audio),
    End { over: Conversation, at: Instant },
}

/// A packet, or a part of a long one.
#[derive(Debug)]
struct Audio {
    name: RecordingName,
    begun: Instant,
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

/// How recording fares. Totals since start, but for `running`, `stalled` and `trouble`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordingFigures {
    pub running: u64,
    pub complete: u64,
    /// Something of the conversation is missing.
    pub incomplete: u64,
    /// Conversations of which there is nothing.
    pub failed: u64,
    /// Packets missing from recordings: the disk was slow.
    pub lost: u64,
    /// Octets deleted as too old.
    pub deleted: u64,
    /// Panics of a thread, each of which it survived.
    pub panics: u64,
    /// How long the disk has kept the writer waiting.
    pub stalled: Duration,
    /// The disk refuses now, stalls, or is nearly full.
    pub trouble: bool,
}

/// Shared with the recording threads.
#[derive(Debug)]
pub struct RecordingStatus {
    clock: Clock,
    running: AtomicU64,
    complete: AtomicU64,
    incomplete: AtomicU64,
    failed: AtomicU64,
    lost: AtomicU64,
    deleted: AtomicU64,
    panics: AtomicU64,
    /// When the writer came round last, in microseconds.
    round: AtomicU64,
    /// By the disk, a moment ago.
    refused: AtomicBool,
    /// Recordings that are over and cannot be finished.
    unfinished: AtomicU64,
}

impl RecordingStatus {
    fn new(clock: Clock) -> Self {
        let [running, complete, incomplete, failed, lost, deleted, panics, unfinished] = Default::default();
        let (round, refused) = (AtomicU64::new(clock.now().0), AtomicBool::new(false));
        RecordingStatus {
            clock,
            running,
            complete,
            incomplete,
            failed,
            lost,
            deleted,
            panics,
            round,
            refused,
            unfinished,
        }
    }

    pub fn read(&self) -> RecordingFigures {
        let waited = self.clock.now().since(Instant(self.round.load(Relaxed)));
        let stalled = if waited > STALLED { waited } else { Duration::ZERO };
        RecordingFigures {
            running: self.running.load(Relaxed),
            complete: self.complete.load(Relaxed),
            incomplete: self.incomplete.load(Relaxed),
            failed: self.failed.load(Relaxed),
            lost: self.lost.load(Relaxed),
            deleted: self.deleted.load(Relaxed),
            panics: self.panics.load(Relaxed),
            stalled,
            trouble: self.refused.load(Relaxed) || self.unfinished.load(Relaxed) > 0 || stalled > Duration::ZERO,
        }
    }
}

/// One media thread's way to the recorder.
#[derive(Debug)]
pub struct Tap {
    queue: SyncSender<Take>,
    status: Arc<RecordingStatus>,
    /// Ends that the queue did not take: these must not be lost.
    unsaid: VecDeque<Take>,
}

impl Tap {
    pub fn audio(
        &self,
        of: &mut Conversation,
        side: Side,
        stream: Stream,
        at: Instant,
        timestamp: u32,
        (codec, payload): (Codec, &[u8]),
    ) {
        let Conversation { name, begun, .. } = *of;
        for (n, part) in (0u32..).zip(payload.chunks(FRAME)) {
            let mut octets = [0; FRAME];
            octets[..part.len()].copy_from_slice(part);
            let (timestamp, len) = (timestamp.wrapping_add(n * FRAME as u32), part.len() as u8);
            let audio = Audio { name, begun, side, stream, at, timestamp, codec, len, octets };
            if self.queue.try_send(Take::Audio(audio)).is_err() {
                of.lost[side as usize] += part.len() as u64;
                self.status.lost.fetch_add(1, Relaxed);
            }
        }
    }

    pub fn end(&mut self, over: Conversation, at: Instant) {
        self.unsaid.push_back(Take::End { over, at });
        self.again();
    }

    /// To be called now and then.
    pub fn again(&mut self) {
        while let Some(take) = self.unsaid.pop_front() {
            if let Err(TrySendError::Full(take)) = self.queue.try_send(take) {
                return self.unsaid.push_front(take);
            }
        }
    }
}

/// The running threads; they end when every [`Tap`] is gone.
#[derive(Debug)]
pub struct Recorder {
    pub status: Arc<RecordingStatus>,
    /// Silent until every thread has ended.
    ended: Receiver<()>,
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
        Recorder::start_on(Box::new(file::open), settings, clock, taps, report)
    }

    fn start_on(
        disk: Disk,
        settings: &RecordingSettings,
        clock: Clock,
        taps: usize,
        report: EventSink,
    ) -> io::Result<(Recorder, Vec<Tap>)> {
        let library = Library::open(&settings.directory)?;
        let status = Arc::new(RecordingStatus::new(clock));
        let (queue, takes) = sync_channel(QUEUE);
        let (over, finished) = channel();
        let (ending, ended) = channel();
        let mut keeper = Keeper::new(library.clone(), settings.keep_days, clock, status.clone(), report);
        let mut writer = Writer::new(Shelf { library, disk, free_space: settings.free_space }, status.clone(), over);
        // Nothing that records now is among them.
        keeper.take_over()?;
        let thread = |name: &str| std::thread::Builder::new().name(name.into());
        let (one, other) = ((status.clone(), ending.clone()), (status.clone(), ending));
        thread("recording").spawn(move || survive(&one, &mut writer, |writer| writer.run(&takes), Writer::spare))?;
        thread("recording-end")
            .spawn(move || survive(&other, &mut keeper, |keeper| keeper.run(&finished), Keeper::spare))?;
        let tap = || Tap { queue: queue.clone(), status: status.clone(), unsaid: VecDeque::new() };
        let taps = (0..taps).map(|_| tap()).collect();
        Ok((Recorder { status, ended }, taps))
    }

    /// Waits until all is written, but not for a disk that does not answer; to be called when every tap is gone.
    pub fn join(&mut self) {
        self.join_within(LAST_WORDS);
    }

    fn join_within(&mut self, patience: Duration) {
        if self.ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            tracing::error!("the disk of recordings does not answer: the next start mends what ends in .part");
        }
    }
}

/// A thread's life. `work` ends when there is no more; where it panics, `spare` leaves out what it was at, and it goes on.
fn survive<T>(
    (status, _ending): &(Arc<RecordingStatus>, Sender<()>),
    worker: &mut T,
    mut work: impl FnMut(&mut T),
    mut spare: impl FnMut(&mut T),
) {
    while catch_unwind(AssertUnwindSafe(|| work(worker))).is_err() {
        status.panics.fetch_add(1, Relaxed);
        tracing::error!("a recording thread has panicked, a fault of this program; it goes on without that recording");
        spare(worker);
    }
}

#[cfg(test)]
mod tests;
