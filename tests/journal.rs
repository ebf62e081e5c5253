//! The event log: what goes in comes out, in order and numbered; what does not get in is marked; a process that dies
//! loses at most its last batch; and `rexian why` tells a call's story from it. `facts` and `report`: what is folded from it.
//! `copy`: what is shipped to a real PostgreSQL.

#[path = "journal/copy.rs"]
mod copy;
#[path = "journal/day.rs"]
mod day;
#[path = "journal/facts.rs"]
mod facts;
#[path = "common/postgres.rs"]
mod postgres;
#[path = "journal/report.rs"]
mod report;

use rexian::event::{AgentEvent, AgentState, CallEvent, CallFact, Chosen, EndCause, NotReadyReason, OfferEnd, Why};
use rexian::ids::{CallId, LegId};
use rexian::store::journal::{Entry, GapWhy, Journal, JournalOptions, Recorded, of_call, read_day, start};
use rexian::time::Instant;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Executor};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

const ALWAYS: Duration = Duration::from_secs(400 * 24 * 3_600);
const PATIENCE: Duration = Duration::from_secs(20);
const CHILD: &str = "REXIAN_JOURNAL_CHILD";
/// 2026-11-22 09:00:00 in China.
const MORNING: u64 = 1_795_309_200;

fn at(seconds: u64) -> Instant {
    Instant::from_unix_secs(MORNING + seconds)
}

fn fact(call: u64, seconds: u64, what: CallFact) -> CallEvent {
    CallEvent { at: at(seconds), call: CallId(call), what }
}

fn agent(seconds: u64, state: AgentState) -> AgentEvent {
    AgentEvent { at: at(seconds), agent: "6606".into(), seat: Some("801".into()), state, by: Some("6600".into()) }
}

fn begin(path: &Path) -> (Journal, JoinHandle<()>) {
    let (journal, _, thread) = start(JournalOptions::new(path, ALWAYS)).unwrap();
    (journal, thread)
}

fn all(path: &Path) -> Vec<Recorded> {
    read_day(path, Instant::ZERO, Instant(u64::MAX)).unwrap()
}

/// Numbered from `first` without gaps; gives what was recorded beside the starts.
fn entries(recorded: Vec<Recorded>, first: u64) -> Vec<Entry> {
    let seqs: Vec<u64> = recorded.iter().map(|r| r.seq).collect();
    assert_eq!(seqs, (first..first + seqs.len() as u64).collect::<Vec<_>>());
    recorded.into_iter().map(|r| r.what).filter(|what| *what != Entry::Started).collect()
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !done() {
        assert!(std::time::Instant::now() < deadline, "{what}: not in {PATIENCE:?}");
        std::thread::yield_now();
    }
}

/// English for a foreigner: a key pressed in the Mandarin queue, a relaxed step, a missed offer, a pickup.
fn story() -> Vec<CallEvent> {
    let offered =
        |who: &str, chosen| CallFact::Offered { agent: who.into(), seat: "801".into(), leg: LegId(9), chosen };
    let facts = [
        (
            0,
            CallFact::Arrived {
                trunk: "unicom".into(),
                dnis: "12345".into(),
                cli: Some("+4915112345678".into()),
                sip_call_id: "x@y".into(),
                test_call: false,
                tenant: "jinan".into(),
                line: Some("main".into()),
                purpose: Default::default(),
            },
        ),
        (0, CallFact::Queued { queue: "mandarin".into(), skill: "mandarin".into(), position: 4, why: Why::Line }),
        (6, CallFact::Digit('2')),
        (6, CallFact::Moved { queue: "english".into(), skill: "english".into(), position: 1, why: Why::Key('2') }),
        (26, CallFact::Relaxed { step: 1 }),
        (26, offered("6607", Chosen { step: 1, preferred: false, interpreter: false })),
        (46, CallFact::OfferEnded { agent: "6607".into(), why: OfferEnd::NoAnswer }),
        (46, offered("6606", Chosen { step: 0, preferred: true, interpreter: false })),
        (
            50,
            CallFact::Answered {
                agent: "6606".into(),
                seat: "801".into(),
                queue: "english".into(),
                wait: Duration::from_secs(50),
                ring: Duration::from_millis(3_500),
                spooled: true,
            },
        ),
        (
            250,
            CallFact::Ended {
                cause: EndCause::CallerHangUp,
                queue: Some("english".into()),
                skill: Some("english".into()),
                wait: Duration::from_secs(50),
                talk: Duration::from_secs(200),
                hold: Duration::ZERO,
            },
        ),
    ];
    facts.map(|(seconds, what)| fact(0xabc, seconds, what)).into()
}

#[test]
fn what_goes_in_comes_out_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.db");
    let (mut journal, thread) = begin(&path);
    let mut expected = vec![];
    for event in story() {
        journal.call(&event);
        // That a key was pressed is kept, not which: it may be a PIN.
        let kept = if matches!(event.what, CallFact::Digit(_)) { CallFact::Digit('?') } else { event.what };
        expected.push(Entry::Call(CallEvent { what: kept, ..event }));
    }
    for (seconds, state) in [(300, AgentState::Ready), (301, AgentState::NotReady(NotReadyReason::Break))] {
        journal.agent(&agent(seconds, state));
        expected.push(Entry::Agent(agent(seconds, state)));
    }
    journal.call(&fact(0xdef, 302, CallFact::Held));
    expected.push(Entry::Call(fact(0xdef, 302, CallFact::Held)));
    drop(journal);
    thread.join().unwrap();

    assert_eq!(entries(all(&path), 1), expected);
    let one = of_call(&path, CallId(0xabc)).unwrap();
    assert_eq!(one.into_iter().map(|r| r.what).collect::<Vec<_>>(), expected[..10]);
    let part = read_day(&path, at(300), at(302)).unwrap();
    assert_eq!(part.into_iter().map(|r| r.what).collect::<Vec<_>>(), expected[10..12], "until is not included");
    assert!(of_call(&path, CallId(1)).unwrap().is_empty());
    assert!(of_call(&dir.path().join("no.db"), CallId(1)).unwrap_err().to_string().contains("no such file"));
}

#[test]
fn it_is_read_while_it_is_written_and_numbers_go_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.db");
    for run in 0..3 {
        let (mut journal, thread) = begin(&path);
        journal.call(&fact(run, run, CallFact::Held));
        until("committed", || path.is_file() && of_call(&path, CallId(run)).is_ok_and(|found| found.len() == 1));
        drop(journal);
        thread.join().unwrap();
    }
    assert_eq!(entries(all(&path), 1).len(), 3);
    assert_eq!(all(&path).iter().filter(|r| r.what == Entry::Started).count(), 3);
}

/// Holds the file's write lock: nothing can be committed.
fn lock(path: &Path) -> (tokio::runtime::Runtime, SqliteConnection) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let conn = runtime.block_on(async {
        let mut conn = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
        conn.execute("BEGIN IMMEDIATE").await.unwrap();
        conn
    });
    (runtime, conn)
}

#[test]
fn what_the_disk_holds_up_is_counted_and_marked_where_it_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.db");
    let short = Duration::from_millis(1);
    let options =
        JournalOptions { queue: 8, batch: 4, window: short, retry: short, ..JournalOptions::new(&path, ALWAYS) };
    let (mut journal, status, thread) = start(options).unwrap();
    until("opened", || read_day(&path, Instant::ZERO, Instant(u64::MAX)).is_ok_and(|rows| !rows.is_empty()));
    let (runtime, mut conn) = lock(&path);
    let mut sent = 0;
    let mut send = |journal: &mut Journal, events: u64| {
        for _ in 0..events {
            sent += 1;
            // Never waits.
            journal.call(&fact(sent, sent, CallFact::Held));
        }
        sent
    };
    send(&mut journal, 100);
    let dropped = status.read().dropped;
    assert!((80..100).contains(&dropped), "8 wait, 4 are in hand: {dropped} were dropped");
    runtime.block_on(conn.execute("ROLLBACK")).unwrap();
    until("written again", || status.read().written == 100 - dropped);
    let total = send(&mut journal, 3);
    drop(journal);
    thread.join().unwrap();
    assert_eq!(status.read().dropped, dropped);

    let (mut next, mut missed_in_all) = (1, 0);
    for entry in entries(all(&path), 1) {
        match entry {
            Entry::Call(event) => {
                assert_eq!(event.call, CallId(next), "nothing is missing but at a gap");
                next += 1;
            }
            Entry::Gap { missed, why } => {
                assert_eq!(why, GapWhy::QueueFull);
                next += missed;
                missed_in_all += missed;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((next, missed_in_all), (total + 1, dropped));
}

#[test]
fn a_gap_at_the_very_end_is_marked_too_and_so_is_what_the_observer_missed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.db");
    let (mut journal, thread) = begin(&path);
    journal.call(&fact(1, 1, CallFact::Held));
    journal.missed(at(2), 7);
    drop(journal);
    thread.join().unwrap();
    let gap = Entry::Gap { missed: 7, why: GapWhy::Observer };
    assert_eq!(entries(all(&path), 1), [Entry::Call(fact(1, 1, CallFact::Held)), gap]);
}

#[test]
fn a_disk_that_never_works_holds_up_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("no-such-folder").join("events.db");
    let (mut journal, status, thread) = start(JournalOptions::new(path, ALWAYS)).unwrap();
    for call in 0..10 {
        journal.call(&fact(call, call, CallFact::Held));
    }
    until("noticed", || status.read().failing);
    drop(journal);
    thread.join().unwrap();
    assert_eq!((status.read().written, status.read().dropped), (0, 10));
}

#[test]
fn old_events_are_deleted_and_their_numbers_not_given_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.db");
    let (mut journal, thread) = begin(&path);
    for call in 1..=5_000 {
        journal.call(&CallEvent {
            at: Instant::from_unix_secs(1_000 + call),
            call: CallId(call),
            what: CallFact::Held,
        });
    }
    drop(journal);
    thread.join().unwrap();
    let keep = Duration::from_secs(24 * 3_600);
    let options = JournalOptions { prune_every: Duration::from_millis(1), ..JournalOptions::new(&path, keep) };
    let (journal, _, thread) = start(options).unwrap();
    // The starts are of today: all before the second one goes, in three parts.
    until("deleted", || all(&path).iter().all(|r| r.what == Entry::Started));
    drop(journal);
    thread.join().unwrap();
    let left = all(&path);
    assert_eq!(left.iter().map(|r| r.seq).collect::<Vec<_>>(), [1, 5_002], "the two starts");
}

#[test]
fn kill_9_loses_at_most_the_last_batch() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.db");
    let mut after = 0;
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut known = 0;
        for _ in 0..(1 + round % 4) {
            known =
                lines.by_ref().find_map(|l| l.strip_prefix("written ")?.parse::<u64>().ok()).expect("the child ended");
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let events: Vec<u64> = entries(all(&path), 1)
            .into_iter()
            .skip(after)
            .map(|entry| match entry {
                Entry::Call(event) => event.call.0,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(events.len() as u64 >= known, "{known} were written, {} are there", events.len());
        assert_eq!(events, (1..=events.len() as u64).collect::<Vec<_>>(), "no hole: only the end is lost");
        after += events.len();
    }
}

/// Not a test by itself: what `kill_9_loses_at_most_the_last_batch` kills.
#[test]
fn child() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let options = JournalOptions { window: Duration::from_millis(5), ..JournalOptions::new(path, ALWAYS) };
    let (mut journal, status, _) = start(options).unwrap();
    let (mut sent, mut told) = (0, 0);
    loop {
        let written = status.read().written;
        if written > told {
            println!("written {written}");
            std::io::stdout().flush().unwrap();
            told = written;
        }
        if sent < written + 2_000 {
            sent += 1;
            journal.call(&fact(sent, sent, CallFact::Held));
        } else {
            std::thread::yield_now();
        }
    }
}

// ---- rexian why ----

fn why(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    report::rexian(folder, &[&["why"], args].concat())
}

fn told() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, thread) = begin(&dir.path().join("rexian-events.db"));
    story().iter().for_each(|event| journal.call(event));
    drop(journal);
    thread.join().unwrap();
    dir
}

#[test]
fn why_tells_the_story_in_english() {
    let dir = told();
    let (code, story, errors) = why(dir.path(), &["0000000000000abc", "--lang", "en"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert_eq!(
        story,
        "\
Call 0000000000000abc, 2026-11-22, times at UTC+08:00
09:00:00.000     +0.0 s  arrived on line main (12345, jinan) from trunk unicom; caller +4915112345678
09:00:00.000     +0.0 s  queued for mandarin (mandarin) at place 4: the number called leads there
09:00:06.000     +6.0 s  the caller pressed a key
09:00:06.000     +6.0 s  moved to english (english) at place 1, the time of arrival kept: the caller pressed 2
09:00:26.000    +26.0 s  nobody free after 20 s: from now on agents of step 1 count too
09:00:26.000    +26.0 s  offered to 6607 at seat 801 (next by the queue's strategy, requirement of step 1)
09:00:46.000    +46.0 s  6607 did not answer (after 20 s); the caller keeps the place
09:00:46.000    +46.0 s  offered to 6606 at seat 801 (served this caller last, full requirement)
09:00:50.000    +50.0 s  answered by 6606 at seat 801: waited 50 s, of which 3.5 s ringing
09:04:10.000   +250.0 s  ended because the caller hung up; waited 50 s; talked 3 min 20 s
"
    );
}

#[test]
fn why_speaks_chinese_where_the_locale_does() {
    let dir = told();
    let file = dir.path().join("rexian-events.db");
    let (code, story, _) = why(&std::env::temp_dir(), &["abc", "--events", file.to_str().unwrap()]);
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = story.lines().collect();
    assert_eq!(lines.len(), 11);
    assert_eq!(lines[0], "来电 0000000000000abc，2026-11-22，时间为 UTC+08:00");
    assert!(lines[4].ends_with("转入队列 english（english），第 1 位，保留原到达时间：来电人按了 2 键"), "{story}");
    assert!(lines[10].ends_with("结束：来电人挂机；等待 50 秒，通话 3 分 20 秒"), "{story}");
}

#[test]
fn why_says_what_to_do_when_there_is_no_such_call() {
    let dir = told();
    let (code, story, errors) = why(dir.path(), &["123"]);
    assert_eq!((code, story.as_str()), (Some(1), ""));
    assert!(
        errors.contains("no call 0000000000000123 in rexian-events.db") && errors.contains("X-Rexian-Call"),
        "{errors}"
    );
    let (code, _, errors) = why(dir.path(), &["JN20261122000001"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("no call's id") && errors.contains("rexian-cases.db"), "{errors}");
    let (code, _, errors) = why(dir.path(), &["abc", "--events", "elsewhere.db"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("elsewhere.db: there is no such file"), "{errors}");
}
