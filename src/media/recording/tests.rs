//! The recorder with its threads, on a real folder.

use super::*;
use crate::host::Clock;
use crate::ids::CallId;
use crate::plane::MediaEvent;
use crate::plane::recording::Recording;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(10);

fn name(segment: u16) -> RecordingName {
    RecordingName { call: CallId(0xABC), segment }
}

fn start(settings: &RecordingSettings) -> (Recorder, Tap, Clock, Receiver<Recording>) {
    let (clock, (told, finished)) = (Clock::start(), channel());
    let report = move |event| match event {
        MediaEvent::Recorded { call: CallId(0xABC), recording } => drop(told.send(recording)),
        other => panic!("{other:?}"),
    };
    let (recorder, taps) = Recorder::start(settings, clock, 1, Arc::new(report)).unwrap();
    let [tap] = taps.try_into().unwrap();
    (recorder, tap, clock, finished)
}

/// So many packets of either side, by a clock of their own from now on.
fn converse(tap: &mut Tap, clock: Clock, name: RecordingName, packets: u32) {
    let begun = clock.now();
    tap.begin(name, begun);
    for n in 0..packets {
        let at = begun + Duration::from_millis(20) * n;
        tap.audio((name, Side::Caller), (LegId(1), 1), at, n * 160, (Codec::Pcma, &[0x11; FRAME]));
        tap.audio((name, Side::Others), (LegId(2), 1), at, n * 160, (Codec::Pcmu, &[0x80; FRAME]));
    }
    tap.end(name, begun + Duration::from_millis(20) * packets);
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
    tap.begin(name(3), clock.now());
    tap.end(name(3), clock.now());
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
    let mut dead = file::Growing::create(&library.place(name(4), begun).unwrap(), begun).unwrap();
    dead.append(&[0x55; 16_001]).unwrap();
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
    // A moment later it is not asked again.
    converse(&mut tap, clock, name(6), 100);
    drop(tap);
    recorder.join();
    assert_eq!(finished.try_recv().ok(), None);
    let figures = recorder.status.read();
    assert_eq!((figures.failed, figures.complete, figures.trouble), (2, 0, true));

    // Less than must stay free.
    let (mut recorder, mut tap, clock, finished) =
        start(&RecordingSettings { free_space: u64::MAX, ..RecordingSettings::new(folder.path()) });
    converse(&mut tap, clock, name(7), 100);
    drop(tap);
    recorder.join();
    assert_eq!(finished.try_recv().ok(), None);
    assert_eq!((recorder.status.read().failed, recorder.status.read().trouble), (1, true));
}
