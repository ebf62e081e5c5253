//! The recorder with its threads, on a real folder.

use super::*;
use crate::host::Clock;
use crate::ids::CallId;
use crate::plane::MediaEvent;
use crate::plane::recording::Recording;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

fn name(segment: u16) -> RecordingName {
    RecordingName { call: CallId(0xABC), segment }
}

fn start(settings: &RecordingSettings) -> (Recorder, Tap, Clock, Receiver<Recording>) {
    let (recorder, [tap], clock, finished) = start_on(Box::new(file::open), settings);
    (recorder, tap, clock, finished)
}

fn start_on<const TAPS: usize>(
    disk: Disk,
    settings: &RecordingSettings,
) -> (Recorder, [Tap; TAPS], Clock, Receiver<Recording>) {
    let (clock, (told, finished)) = (Clock::start(), channel());
    let report = move |event| match event {
        MediaEvent::Recorded { call: CallId(0xABC), recording } => drop(told.send(recording)),
        other => panic!("{other:?}"),
    };
    let (recorder, taps) = Recorder::start_on(disk, settings, clock, TAPS, Arc::new(report)).unwrap();
    (recorder, taps.try_into().unwrap(), clock, finished)
}

/// So many packets of either side, by a clock of their own from `begun` on.
fn say(tap: &Tap, of: &mut Conversation, packets: std::ops::Range<u32>) {
    for n in packets {
        let at = of.begun + Duration::from_millis(20) * n;
        tap.audio(of, Side::Caller, (LegId(1), 1), at, n * 160, (Codec::Pcma, &[0x11; FRAME]));
        tap.audio(of, Side::Others, (LegId(2), 1), at, n * 160, (Codec::Pcmu, &[0x80; FRAME]));
    }
}

fn converse(tap: &mut Tap, clock: Clock, name: RecordingName, packets: u32) {
    let mut conversation = Conversation::new(name, clock.now());
    let end = conversation.begun + Duration::from_millis(20) * packets;
    say(tap, &mut conversation, 0..packets);
    tap.end(conversation, end);
}

fn sound(folder: &Path, recording: &Recording) -> Vec<u8> {
    std::fs::read(folder.join(&recording.file)).unwrap().split_off(file::HEADER)
}

#[test]
fn a_conversation_is_a_file_with_the_caller_left_and_others_right() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, mut tap, clock, finished) = start(&RecordingSettings::new(folder.path()));
    converse(&mut tap, clock, name(1), 100);
    converse(&mut tap, clock, name(2), 10);
    // Nobody said anything: there is no file.
    tap.end(Conversation::new(name(3), clock.now()), clock.now());
    let (one, two) = (finished.recv_timeout(PATIENCE).unwrap(), finished.recv_timeout(PATIENCE).unwrap());
    drop(tap);
    recorder.join();
    assert_eq!(finished.try_recv().ok(), None);
    assert_eq!((one.segment, one.ms, one.complete), (1, 2_000, true));
    assert_eq!((two.segment, two.ms, two.to - two.from), (2, 200, Duration::from_millis(200)));
    // µ-law's loudest is A-law's loudest.
    assert!(sound(folder.path(), &one).chunks(2).all(|pair| pair == [0x11, 0xAA]), "both sides, in their places");
    let figures = recorder.status.read();
    assert_eq!((figures.complete, figures.incomplete, figures.failed, figures.lost), (2, 0, 0, 0));
    let library = Library::at(folder.path());
    let kept = library.of_call(CallId(0xABC)).unwrap();
    assert_eq!(kept.iter().map(|kept| &kept.recording).collect::<Vec<_>>(), [&one, &two]);
    assert_eq!(file::sha256(&kept[0].path).unwrap(), one.sha256);
    assert_eq!(library.untold().unwrap(), [name(1), name(2)]);
    library.told(name(1)).unwrap();
    assert_eq!(library.untold().unwrap(), [name(2)]);
    assert_eq!(library.find(name(2)).unwrap().as_ref(), Some(&kept[1]));
    assert_eq!(library.find(name(3)).unwrap(), None);
}

#[test]
fn what_a_dead_process_left_is_mended_and_told_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let settings = RecordingSettings::new(folder.path());
    let library = Library::open(folder.path()).unwrap();
    let begun = Instant(Clock::start().now().0 / 1_000 * 1_000);
    let part = library.place(name(4), begun).unwrap();
    let mut dead = file::Growing::create(file::open(&part).unwrap(), begun).unwrap();
    dead.put(0, &[0x55; 16_001]).unwrap();
    drop(dead);
    let (mut recorder, tap, _, finished) = start(&settings);
    let mended = finished.recv_timeout(PATIENCE).unwrap();
    drop(tap);
    recorder.join();
    assert_eq!((mended.segment, mended.ms, mended.complete, mended.from), (4, 1_000, false, begun));
    assert_eq!(sound(folder.path(), &mended).len(), 16_000);
    assert_eq!(recorder.status.read().incomplete, 1);
}

#[test]
fn days_are_kept_as_long_as_they_must_and_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let today = crate::casework::Day::of(Clock::start().now()).0;
    for (days, keep) in [(29, true), (30, true), (31, false), (400, false)] {
        let old = folder.path().join(today.plus(-days).to_string());
        std::fs::create_dir_all(&old).unwrap();
        std::fs::write(old.join("0000000000000abc-001.wav"), [0; 1_000]).unwrap();
        let (mut recorder, tap, ..) =
            start(&RecordingSettings { keep_days: 30, ..RecordingSettings::new(folder.path()) });
        drop(tap);
        recorder.join();
        assert_eq!(old.exists(), keep, "{days} days old");
        assert_eq!(recorder.status.read().deleted, if keep { 0 } else { 1_000 });
        // Which calls they were is known until their tickets say so.
        let library = Library::at(folder.path());
        let gone = (today.plus(-days), vec![CallId(0xABC)]);
        assert_eq!(library.deleted().unwrap(), (!keep).then(|| gone.clone()));
        if !keep {
            library.told_of_deletion(gone.0).unwrap();
        }
    }
}

#[test]
fn a_full_disk_costs_the_recording_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::open(folder.path()).unwrap();
    let (mut recorder, mut tap, clock, finished) = start(&RecordingSettings::new(folder.path()));
    // The kernel's own full disk.
    std::os::unix::fs::symlink("/dev/full", library.place(name(5), clock.now()).unwrap()).unwrap();
    converse(&mut tap, clock, name(5), 100);
    // What was refused to one is not refused to another.
    converse(&mut tap, clock, name(6), 100);
    drop(tap);
    recorder.join();
    assert_eq!(finished.try_recv().ok().map(|recording| (recording.segment, recording.complete)), Some((6, true)));
    let figures = recorder.status.read();
    assert_eq!((figures.failed, figures.complete, figures.trouble), (1, 1, true));

    // Less than must stay free.
    let (mut recorder, mut tap, clock, finished) =
        start(&RecordingSettings { free_space: u64::MAX, ..RecordingSettings::new(folder.path()) });
    converse(&mut tap, clock, name(7), 100);
    drop(tap);
    recorder.join();
    assert_eq!(finished.try_recv().ok(), None);
    assert_eq!((recorder.status.read().failed, recorder.status.read().trouble), (1, true));
}

/// A disk that stops whoever writes to it while it stalls.
#[derive(Default)]
struct Gate {
    stalls: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn stall(&self, stalls: bool) {
        *self.stalls.lock().unwrap() = stalls;
        self.opened.notify_all();
    }

    fn disk(self: &Arc<Self>) -> Disk {
        let gate = self.clone();
        Box::new(move |path| Ok(Box::new(Gated { file: file::open(path)?, gate: gate.clone() })))
    }
}

struct Gated {
    file: Box<dyn Write + Send>,
    gate: Arc<Gate>,
}

impl Write for Gated {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let stalls = self.gate.stalls.lock().unwrap();
        drop(self.gate.opened.wait_while(stalls, |stalls| *stalls).unwrap());
        self.file.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !done() {
        assert!(std::time::Instant::now() < deadline, "not in time: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_stalled_disk_holds_nobody_up_and_what_it_missed_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Arc::new(Gate::default());
    let (mut recorder, [mut one, mut two], clock, finished) =
        start_on(gate.disk(), &RecordingSettings::new(folder.path()));
    gate.stall(true);
    let mut long = Conversation::new(name(1), clock.now());
    let mut unheard = Conversation::new(name(2), clock.now());
    say(&one, &mut long, 0..100);
    until("the stall is told", || recorder.status.read().stalled > STALLED);
    assert!(recorder.status.read().trouble);
    // The queue fills and overflows: nobody waits.
    let packets = QUEUE as u32 / 2 + 1_000;
    say(&one, &mut long, 100..packets);
    say(&one, &mut unheard, 0..50);
    let lost = recorder.status.read().lost;
    assert!((1_900..2_100).contains(&lost), "{lost}");
    // Another thread has the ports by now. No end has room in the queue, and each is said in the end.
    let over = long.begun + Duration::from_millis(20) * packets;
    two.end(long, over);
    one.end(unheard, over);
    converse(&mut two, clock, name(3), 20);
    gate.stall(false);
    let mut told = vec![];
    until("the first", || {
        one.again();
        two.again();
        told.extend(finished.try_recv());
        !told.is_empty()
    });
    let first = &told[0];
    let missing = first.missing_ms / 20;
    assert!(first.segment == 1 && !first.complete && (900..1_000).contains(&missing), "{first:?}");
    assert_eq!(first.ms, u64::from(packets) * 20, "as long as it was");
    let heard = sound(folder.path(), first).chunks(2).filter(|pair| *pair == [0x11, 0xAA]).count() as u64;
    assert_eq!(
        heard / 160,
        u64::from(packets) - missing,
        "silence stands where something is missing, and nowhere else"
    );
    // The disk is well again, and so is recording.
    converse(&mut two, clock, name(4), 20);
    let last = finished.recv_timeout(PATIENCE).unwrap();
    assert_eq!((last.segment, last.complete, last.missing_ms), (4, true, 0));
    drop((one, two));
    recorder.join();
    let figures = recorder.status.read();
    assert_eq!((figures.failed, figures.running), (2, 0), "of the second and third there is nothing");
}

#[test]
fn a_panic_costs_the_recording_it_was_at_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let disk: Disk = Box::new(|path| {
        assert!(!path.to_string_lossy().contains("-001"), "as if there were a fault here");
        file::open(path)
    });
    let (mut recorder, [mut tap], clock, finished) = start_on(disk, &RecordingSettings::new(folder.path()));
    let [mut bad, mut good] = [1, 2].map(|segment| Conversation::new(name(segment), clock.now()));
    for n in 0..100 {
        say(&tap, &mut bad, n..n + 1);
        say(&tap, &mut good, n..n + 1);
    }
    until("the panic", || recorder.status.read().panics > 0);
    let over = good.begun + Duration::from_secs(2);
    tap.end(bad, over);
    tap.end(good, over);
    converse(&mut tap, clock, name(3), 20);
    let told = [(); 2].map(|()| finished.recv_timeout(PATIENCE).unwrap());
    assert_eq!(told.map(|r| (r.segment, r.ms, r.complete)), [(2, 2_000, true), (3, 400, true)]);
    drop(tap);
    recorder.join();
    let figures = recorder.status.read();
    assert_eq!((figures.panics, figures.failed, figures.running), (1, 1, 0));
}

#[test]
fn a_disk_that_does_not_come_back_does_not_hold_up_the_end_of_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Arc::new(Gate::default());
    let (mut recorder, [mut tap], clock, _finished) = start_on(gate.disk(), &RecordingSettings::new(folder.path()));
    gate.stall(true);
    converse(&mut tap, clock, name(1), 100);
    drop(tap);
    recorder.join_within(Duration::from_millis(100));
    gate.stall(false);
}
