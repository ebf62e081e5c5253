//! The event log's copy in a real PostgreSQL: every row of the log, once, whatever happens to the server or to the process;
//! what is folded from it is equal to what is folded from the log.

use super::{ALWAYS, at, begin, day, fact, until};
use crate::postgres::{Postgres, available, shared};
use rexian::event::CallFact;
use rexian::store::copy::{CopyOptions, CopyStatus, start};
use rexian::store::facts::{Difference, catch_up, rebuild_from_copy};
use rexian::store::journal::{Journal, JournalOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor, Row};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// A log, and a database of its own.
struct Rig {
    dir: tempfile::TempDir,
    server: &'static Postgres,
    database: String,
    world: Runtime,
}

/// A log being written and shipped.
struct Gateway {
    journal: Journal,
    status: watch::Receiver<CopyStatus>,
    threads: [JoinHandle<()>; 2],
}

type Row7 = (i64, i64, String, Option<String>, Option<String>, String);

impl Rig {
    fn on(server: &'static Postgres) -> Rig {
        let world = Runtime::new().unwrap();
        let database = world.block_on(server.database());
        Rig { dir: tempfile::tempdir().unwrap(), server, database, world }
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("events.db")
    }

    fn options(&self) -> CopyOptions {
        let quick = (Duration::from_millis(20), Duration::from_millis(50));
        let to = self.server.local(&self.database);
        CopyOptions {
            batch: 64,
            gather: Duration::from_millis(1),
            retry: quick,
            ..CopyOptions::new(self.log(), to, ALWAYS)
        }
    }

    fn begin(&self) -> Gateway {
        let journal = JournalOptions { window: Duration::from_millis(2), ..JournalOptions::new(self.log(), ALWAYS) };
        let (journal, _, writing) = rexian::store::journal::start(journal).unwrap();
        let (status, shipping) = start(self.options(), journal.commits()).unwrap();
        Gateway { journal, status, threads: [writing, shipping] }
    }

    fn copied(&self) -> Vec<Row7> {
        self.world.block_on(async {
            let mut conn = self.server.connect(&self.database).await;
            let query = "SELECT seq, at_us, kind, call, agent, what FROM event_log ORDER BY log, seq";
            let rows = conn.fetch_all(query).await.unwrap_or_default();
            rows.iter().map(|r| (r.get(0), r.get(1), r.get(2), r.get(3), r.get(4), r.get(5))).collect()
        })
    }

    fn logged(&self) -> Vec<Row7> {
        self.world.block_on(async {
            let mut conn = SqliteConnectOptions::new().filename(self.log()).connect().await.unwrap();
            let query = "SELECT seq, at_us, kind, call, agent, what FROM events ORDER BY seq";
            let rows = conn.fetch_all(query).await.unwrap();
            rows.iter().map(|r| (r.get(0), r.get(1), r.get(2), r.get(3), r.get(4), r.get(5))).collect()
        })
    }

    /// The log as one file. Reading the file itself would miss what is in its write-ahead log while somebody still reads.
    fn backup(&self) -> Vec<u8> {
        let to = self.dir.path().join("backup.db");
        self.world.block_on(async {
            let mut conn = SqliteConnectOptions::new().filename(self.log()).connect().await.unwrap();
            sqlx::query("VACUUM INTO ?").bind(to.to_str().unwrap()).execute(&mut conn).await.unwrap();
        });
        std::fs::read(to).unwrap()
    }

    fn sql(&self, text: &str) {
        self.world.block_on(self.server.sql(&self.database, text));
    }
}

impl Gateway {
    fn write(&mut self, calls: std::ops::Range<u64>) {
        for call in calls {
            self.journal.call(&fact(call, call, CallFact::Held));
        }
    }

    /// Everything written so far is there.
    fn in_step(&self, copied: u64) {
        until("the copy is in step", || {
            let status = self.status.borrow();
            status.copied >= copied && status.behind.is_none() && status.trouble.is_none()
        });
    }

    fn end(self) {
        drop(self.journal);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}

#[test]
fn kill_9_of_the_server_loses_and_doubles_nothing() {
    if !available() {
        return;
    }
    let rig = Rig::on(Box::leak(Box::new(Postgres::start(""))));
    let mut gateway = rig.begin();
    for round in 0..4 {
        let (first, copied) = (round * 2_000, gateway.status.borrow().copied);
        gateway.write(first..first + 1_000);
        until("some are there", || gateway.status.borrow().copied > copied + 200);
        rig.server.kill();
        gateway.write(first + 1_000..first + 2_000);
        until("the loss is noticed", || gateway.status.borrow().trouble.is_some());
        // The events are of a day in November; they wait since then.
        assert!(gateway.status.borrow().behind.is_some());
        rig.server.start_again();
    }
    gateway.in_step(0);
    gateway.end();
    let (copied, logged) = (rig.copied(), rig.logged());
    assert_eq!(logged.len(), 8_001, "and the start");
    assert!(copied == logged, "{} in the copy, {} in the log", copied.len(), logged.len());
}

#[test]
fn it_goes_on_where_it_was_and_outlives_a_database_that_is_away_at_start_and_end() {
    if !available() {
        return;
    }
    let rig = Rig::on(shared());
    let mut gateway = rig.begin();
    gateway.write(0..100);
    gateway.end();
    assert_eq!(rig.copied(), rig.logged(), "what came last is shipped at the end");

    // Nobody answers: the end does not wait for long, and the next start ships the rest.
    let away = CopyOptions { to: rig.server.local("no_such_database"), ..rig.options() };
    let (mut journal, writing) = begin(&rig.log());
    let (status, shipping) = start(away, journal.commits()).unwrap();
    journal.call(&fact(1, 200, CallFact::Held));
    until("it is told", || status.borrow().trouble.is_some());
    let trouble = status.borrow().trouble.clone().unwrap();
    assert!(trouble.contains("no_such_database") && trouble.contains("create the database"), "{trouble}");
    drop(journal);
    let begun = std::time::Instant::now();
    writing.join().unwrap();
    shipping.join().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10));

    let mut gateway = rig.begin();
    gateway.write(300..310);
    gateway.in_step(13);
    assert_eq!(gateway.status.borrow().copied, 1 + 1 + 1 + 10, "a start, an event, a start, ten events");
    gateway.end();
    assert_eq!(rig.copied(), rig.logged());
}

#[test]
fn what_another_has_shipped_meanwhile_is_not_doubled() {
    if !available() {
        return;
    }
    // As if the last statement of a process that died had come through late: rows that we are about to ship are there.
    let rig = Rig::on(shared());
    let mut gateway = rig.begin();
    gateway.write(0..50);
    gateway.end();
    let all = rig.copied();
    rig.sql("CREATE TABLE late AS SELECT * FROM event_log WHERE seq > 20; DELETE FROM event_log WHERE seq > 20");
    rig.sql(
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO event_log SELECT * FROM late WHERE seq <= 40; DELETE FROM late; RETURN NULL; END $$;
         CREATE TRIGGER late BEFORE INSERT ON event_log FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)
            EXECUTE FUNCTION late()",
    );
    rig.begin().end();
    let copied = rig.copied();
    assert_eq!(copied[..all.len()], all);
    assert_eq!(copied, rig.logged());
}

#[test]
fn a_log_that_is_not_the_one_copied_is_told_and_overwrites_nothing() {
    if !available() {
        return;
    }
    let rig = Rig::on(shared());
    let mut gateway = rig.begin();
    gateway.write(0..10);
    gateway.end();
    let backup = rig.backup();
    let mut gateway = rig.begin();
    gateway.write(20..60);
    gateway.end();
    let before = rig.copied();
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(rig.dir.path().join(format!("events.db{end}")));
    }
    std::fs::write(rig.log(), backup).unwrap();
    let mut gateway = rig.begin();
    gateway.write(100..105);
    until("it is told", || gateway.status.borrow().trouble.is_some());
    let trouble = gateway.status.borrow().trouble.clone().unwrap();
    assert!(trouble.contains("restored from a backup"), "{trouble}");
    gateway.end();
    assert_eq!(rig.copied(), before);
    // A log of its own beside it: nothing in its way.
    std::fs::remove_file(rig.log()).unwrap();
    let mut gateway = rig.begin();
    gateway.write(200..210);
    gateway.end();
    assert_eq!(rig.copied().len(), before.len() + 11);
}

#[test]
fn old_events_leave_the_copy_too_and_the_last_one_stays() {
    if !available() {
        return;
    }
    let rig = Rig::on(shared());
    let (mut journal, writing) = begin(&rig.log());
    let old = CopyOptions { keep: Duration::ZERO, prune_every: Duration::ZERO, ..rig.options() };
    let (_, shipping) = start(old, journal.commits()).unwrap();
    (0..200).for_each(|call| journal.call(&fact(call, 0, CallFact::Held)));
    // All events of the past but this one, if the test is younger than the far future.
    journal.call(&rexian::event::CallEvent { at: at(4_000_000_000), ..fact(1, 0, CallFact::Held) });
    let seqs = || rig.copied().iter().map(|row| row.0).collect::<Vec<_>>();
    until("all but the last are gone", || seqs() == [202]);
    drop(journal);
    writing.join().unwrap();
    shipping.join().unwrap();
    rig.begin().end();
    assert_eq!(seqs(), [202, 203], "it went on from the last");
}

#[test]
fn facts_folded_from_the_copy_are_equal_and_a_row_that_differs_is_found() {
    if !available() {
        return;
    }
    let rig = Rig::on(shared());
    let facts = rig.dir.path().join("facts.db");
    day::write(&rig.log(), &day::events(&day::scene(300, 4), 5));
    catch_up(&rig.log(), &facts).unwrap();
    rig.begin().end();
    assert_eq!(rig.copied(), rig.logged());
    let again = |log: Option<&Path>| {
        let again = rig.dir.path().join("again.db");
        let rebuilt = rebuild_from_copy(&rig.options().to, log, &facts, &again, false).unwrap();
        std::fs::remove_file(again).unwrap();
        rebuilt
    };
    let rebuilt = again(Some(&rig.log()));
    assert_eq!(rebuilt.differences, []);
    assert!(rebuilt.calls >= 280, "{rebuilt:?}");
    rig.sql("UPDATE event_log SET what = replace(what, '\"Ended\":{\"cause\":\"CallerHangUp\"', '\"Ended\":{\"cause\":\"AgentHangUp\"')
        WHERE seq = (SELECT max(seq) FROM event_log WHERE what LIKE '%\"Ended\":{\"cause\":\"CallerHangUp\"%')");
    // The log itself is gone: the copy is of one log only.
    let rebuilt = again(None);
    assert!(matches!(rebuilt.differences[..], [Difference::Call { .. }]), "{:?}", rebuilt.differences);
    // So are the facts: they are made from it.
    let kept = std::fs::read(&facts).unwrap();
    std::fs::remove_file(&facts).unwrap();
    assert_eq!(again(None).differences, []);
    std::fs::write(&facts, kept).unwrap();
    rig.sql("INSERT INTO event_log SELECT 'another', seq, at_us, kind, call, agent, what FROM event_log");
    let error = rebuild_from_copy(&rig.options().to, None, &facts, &rig.dir.path().join("none.db"), false).unwrap_err();
    assert!(error.to_string().contains("several logs") && error.to_string().contains("another"), "{error}");
}
