//! The case store or the disk fails under a running spool: pickups go on, and every ticket arrives once afterwards.

use crate::support::{MORNING, assert_gapless, eventually, id, open_sqlite, stored, ticket};
use rexian::cases::history::{History, at_offer};
use rexian::cases::sqlite::SqliteCases;
use rexian::cases::{CaseStore, Outcome, StoreError};
use rexian::store::{DeliverOptions, SpoolOptions, SpoolOutcome, Store};
use rexian::ticket::NewTicket;
use sqlx::{Executor, Row};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

pub const PATIENCE: Duration = Duration::from_secs(30);

/// A store in a folder of its own, and what it told the signalling loop.
pub struct Rig {
    dir: tempfile::TempDir,
    pub heard: Arc<Mutex<Vec<SpoolOutcome>>>,
}

impl Rig {
    pub fn new() -> Self {
        Rig { dir: tempfile::tempdir().unwrap(), heard: Arc::default() }
    }

    pub fn spool(&self) -> PathBuf {
        self.dir.path().join("spool.db")
    }

    pub fn cases(&self) -> PathBuf {
        self.dir.path().join("cases.db")
    }

    pub fn sqlite(&self) -> SqliteCases {
        SqliteCases::new(self.cases(), "JN")
    }

    pub async fn start(&self, cases: impl CaseStore) -> Store {
        self.start_with(SpoolOptions::new(self.spool()), cases).await
    }

    async fn start_with(&self, spool: SpoolOptions, cases: impl CaseStore) -> Store {
        let heard = self.heard.clone();
        Store::open(spool, quick(), cases, move |o| heard.lock().unwrap().extend_from_slice(o)).await.unwrap()
    }

    fn spooled(&self) -> BTreeSet<u64> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter_map(|o| if let SpoolOutcome::Spooled { call } = o { Some(call.0) } else { None }).collect()
    }

    fn failed(&self) -> usize {
        self.heard.lock().unwrap().iter().filter(|o| matches!(o, SpoolOutcome::Failed { .. })).count()
    }

    /// Puts `calls` and waits until each is reported durable.
    pub async fn pick_up(&self, store: &Store, calls: std::ops::Range<u64>) {
        put(store, calls.clone());
        eventually("each pickup is durable", || calls.clone().all(|c| self.spooled().contains(&c))).await;
    }

    /// In the case store once each, and no longer in the spool. The spool must be closed.
    pub async fn assert_stored(&self, calls: std::ops::Range<u64>) {
        let mut spool = open_sqlite(&self.spool()).await;
        let left = sqlx::query("SELECT count(*) FROM spool").fetch_one(&mut spool).await.unwrap();
        assert_eq!(left.get::<i64, _>(0), 0, "entries left in the spool's file");
        let stored = stored(&self.cases()).await;
        assert_eq!(stored.keys().cloned().collect::<BTreeSet<_>>(), calls.map(id).collect());
        assert_gapless("JN20261122", stored.into_values());
    }
}

pub fn quick() -> DeliverOptions {
    DeliverOptions {
        linger: Duration::from_millis(1),
        retry: (Duration::from_millis(5), Duration::from_millis(50)),
        health: Duration::from_millis(20),
        ..DeliverOptions::default()
    }
}

pub fn put(store: &Store, calls: std::ops::Range<u64>) {
    for call in calls {
        store.spool().put(Box::new(ticket(call))).unwrap();
    }
}

#[tokio::test]
async fn tickets_reach_the_store_in_the_order_of_their_pickups() {
    let rig = Rig::new();
    let store = rig.start(rig.sqlite()).await;
    rig.pick_up(&store, 0..500).await;
    assert_eq!(store.close(PATIENCE).await, 0);
    rig.assert_stored(0..500).await;
    let stored = stored(&rig.cases()).await;
    assert!(stored.values().is_sorted(), "call ids ascend, so must their numbers");
}

#[tokio::test]
async fn a_locked_store_delays_no_pickup() {
    let rig = Rig::new();
    rig.sqlite().health().await.unwrap();
    let mut other = open_sqlite(&rig.cases()).await;
    other.execute("BEGIN EXCLUSIVE").await.unwrap();
    let store = rig.start(rig.sqlite()).await;
    rig.pick_up(&store, 0..50).await;
    let delivery = store.delivery();
    eventually("the lock is noticed", || delivery.borrow().trouble.is_some()).await;
    rig.pick_up(&store, 50..60).await;
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(store.close(PATIENCE).await, 0);
    rig.assert_stored(0..60).await;
}

/// Answers nothing until it is let through; then behaves like the store behind it.
struct Slow<C>(C, Arc<Semaphore>);

impl<C: CaseStore> CaseStore for Slow<C> {
    async fn open_tickets(&self, tickets: &[NewTicket]) -> Result<Vec<Outcome>, StoreError> {
        let _pass = self.1.acquire().await.unwrap();
        self.0.open_tickets(tickets).await
    }
    async fn health(&self) -> Result<(), StoreError> {
        self.0.health().await
    }
}

#[tokio::test]
async fn a_slow_store_delays_no_pickup() {
    let (rig, gate) = (Rig::new(), Arc::new(Semaphore::new(0)));
    let store = rig.start(Slow(rig.sqlite(), gate.clone())).await;
    let delivery = store.delivery();
    rig.pick_up(&store, 0..1).await;
    eventually("the store is asked", || delivery.borrow().oldest.is_some()).await;
    rig.pick_up(&store, 1..1_000).await;
    assert_eq!(store.spool().status().borrow().depth, 1_000);
    eventually("the wait shows as lag", || delivery.borrow().lag() >= Duration::from_millis(5)).await;
    gate.add_permits(1);
    assert_eq!(store.close(PATIENCE).await, 0);
    assert_eq!(delivery.borrow().lag(), Duration::ZERO);
    rig.assert_stored(0..1_000).await;
}

#[tokio::test]
async fn a_store_that_never_answers_is_asked_again_and_opens_one_ticket() {
    struct Forgetful<C>(C, Mutex<u32>);
    impl<C: CaseStore> CaseStore for Forgetful<C> {
        async fn open_tickets(&self, tickets: &[NewTicket]) -> Result<Vec<Outcome>, StoreError> {
            let outcomes = self.0.open_tickets(tickets).await;
            *self.1.lock().unwrap() += 1;
            if *self.1.lock().unwrap() < 3 {
                std::future::pending::<()>().await;
            }
            outcomes
        }
        async fn health(&self) -> Result<(), StoreError> {
            self.0.health().await
        }
    }
    let rig = Rig::new();
    let deliver = DeliverOptions { attempt: Duration::from_millis(200), ..quick() };
    let cases = Forgetful(rig.sqlite(), Mutex::new(0));
    let store = Store::open(SpoolOptions::new(rig.spool()), deliver, cases, |_| ()).await.unwrap();
    put(&store, 0..10);
    let delivery = store.delivery();
    assert_eq!(store.close(PATIENCE).await, 0);
    assert!(delivery.borrow().failed_attempts >= 2, "{:?}", *delivery.borrow());
    rig.assert_stored(0..10).await;
}

#[tokio::test]
async fn a_store_whose_file_is_gone_gets_everything_when_it_is_back() {
    let rig = Rig::new();
    let store = rig.start(rig.sqlite()).await;
    rig.pick_up(&store, 0..20).await;
    let delivery = store.delivery();
    eventually("the first are delivered", || delivery.borrow().opened == 20).await;

    // Gone, and a folder in its place.
    let (path, away) = (rig.cases(), rig.dir.path().join("away.db"));
    std::fs::rename(&path, &away).unwrap();
    std::fs::create_dir(&path).unwrap();
    rig.pick_up(&store, 20..40).await;
    eventually("the loss is noticed", || delivery.borrow().trouble.is_some()).await;
    // Gone altogether: an empty file created in its place would number the day from 1 again.
    std::fs::remove_dir(&path).unwrap();
    let failed = delivery.borrow().failed_attempts;
    eventually("a further attempt", || delivery.borrow().failed_attempts > failed + 1).await;
    assert!(!path.exists());

    std::fs::rename(&away, &path).unwrap();
    assert_eq!(store.close(PATIENCE).await, 0);
    rig.assert_stored(0..40).await;
}

#[tokio::test]
async fn a_store_that_is_down_at_start_does_not_keep_the_gateway_from_starting() {
    let rig = Rig::new();
    let cases = rig.dir.path().join("not-mounted");
    let store = rig.start(SqliteCases::new(cases.join("cases.db"), "JN")).await;
    rig.pick_up(&store, 0..5).await;
    let delivery = store.delivery();
    eventually("it is noticed", || delivery.borrow().trouble.is_some()).await;
    std::fs::create_dir(&cases).unwrap();
    assert_eq!(store.close(PATIENCE).await, 0);
    assert_eq!(stored(&cases.join("cases.db")).await.len(), 5);
}

#[tokio::test]
async fn a_read_only_store_gets_everything_when_it_is_writable_again() {
    let rig = Rig::new();
    rig.sqlite().health().await.unwrap();
    // `chmod` does not stop root, a trigger that raises what a read-only medium raises does not exist: so a store
    // that says what SQLite says then.
    struct ReadOnly<C>(C, Arc<Mutex<bool>>);
    impl<C: CaseStore> CaseStore for ReadOnly<C> {
        async fn open_tickets(&self, tickets: &[NewTicket]) -> Result<Vec<Outcome>, StoreError> {
            if *self.1.lock().unwrap() {
                return Err(StoreError { reason: "attempt to write a readonly database".into() });
            }
            self.0.open_tickets(tickets).await
        }
        async fn health(&self) -> Result<(), StoreError> {
            self.0.health().await
        }
    }
    let read_only = Arc::new(Mutex::new(true));
    let store = rig.start(ReadOnly(rig.sqlite(), read_only.clone())).await;
    rig.pick_up(&store, 0..10).await;
    let delivery = store.delivery();
    eventually("several attempts", || delivery.borrow().failed_attempts > 3).await;
    *read_only.lock().unwrap() = false;
    assert_eq!(store.close(PATIENCE).await, 0);
    rig.assert_stored(0..10).await;
}

#[tokio::test]
async fn a_refused_ticket_is_set_aside_and_blocks_no_other() {
    let rig = Rig::new();
    // One entry that no version can read, left by an earlier run.
    rig.start(rig.sqlite()).await.close(PATIENCE).await;
    let mut spool = open_sqlite(&rig.spool()).await;
    spool.execute(r#"INSERT INTO spool VALUES (1, 0, '{"call":"?"}')"#).await.unwrap();
    drop(spool);

    let store = rig.start(rig.sqlite()).await;
    let poison = NewTicket { wait_ms: u64::MAX, ..ticket(100) };
    put(&store, 0..5);
    store.spool().put(Box::new(poison)).unwrap();
    put(&store, 5..10);
    let (status, delivery) = (store.spool().status(), store.delivery());
    assert_eq!(store.close(PATIENCE).await, 0);
    rig.assert_stored(0..10).await;
    assert_eq!(delivery.borrow().refused, 2);
    assert_eq!(status.borrow().set_aside, 2);

    let mut spool = open_sqlite(&rig.spool()).await;
    let aside = sqlx::query("SELECT ticket, why FROM set_aside ORDER BY seq").fetch_all(&mut spool).await.unwrap();
    assert_eq!(aside[0].get::<String, _>(0), r#"{"call":"?"}"#);
    let kept: NewTicket = serde_json::from_str(aside[1].get(0)).unwrap();
    assert_eq!((kept.call.0, kept.wait_ms), (100, u64::MAX), "nothing of it is lost");
    assert!(aside.iter().all(|r| !r.get::<String, _>(1).is_empty()), "each with its reason");
    drop(spool);

    let store = rig.start(rig.sqlite()).await;
    assert_eq!(store.spool().status().borrow().set_aside, 2, "still visible after a restart");
    store.close(PATIENCE).await;
}

#[tokio::test]
async fn a_series_behind_its_tickets_is_the_stores_fault_and_no_ticket_is_refused() {
    let rig = Rig::new();
    rig.sqlite().open_tickets(&[ticket(0), ticket(1)]).await.unwrap();
    let mut other = open_sqlite(&rig.cases()).await;
    other.execute("UPDATE ticket_series SET last = 0").await.unwrap();
    let store = rig.start(rig.sqlite()).await;
    rig.pick_up(&store, 2..5).await;
    let delivery = store.delivery();
    eventually("several attempts", || delivery.borrow().failed_attempts > 3).await;
    let why = delivery.borrow().trouble.clone().unwrap();
    assert!(why.contains("ticket_series"), "{why}");
    other.execute("UPDATE ticket_series SET last = 2").await.unwrap();
    assert_eq!(store.close(PATIENCE).await, 0);
    assert_eq!(delivery.borrow().refused, 0);
    rig.assert_stored(0..5).await;
}

#[tokio::test]
async fn a_ringing_agent_does_not_wait_for_the_callers_history() {
    struct Stuck<C>(C);
    impl<C: CaseStore> CaseStore for Stuck<C> {
        async fn open_tickets(&self, tickets: &[NewTicket]) -> Result<Vec<Outcome>, StoreError> {
            self.0.open_tickets(tickets).await
        }
        async fn history(&self, _: &str, _: rexian::time::Instant, _: u32) -> Result<History, StoreError> {
            std::future::pending().await
        }
        async fn health(&self) -> Result<(), StoreError> {
            self.0.health().await
        }
    }
    let rig = Rig::new();
    rig.sqlite().open_tickets(&[ticket(1)]).await.unwrap();
    let (now, number) = (MORNING + Duration::from_secs(60), "+8613800005678");
    let known = at_offer(&rig.sqlite(), number, 5, now, PATIENCE).await.expect("a store that is well");
    assert_eq!(known.tickets.len(), 1);
    let patience = Duration::from_millis(20);
    assert_eq!(at_offer(&Stuck(rig.sqlite()), number, 5, now, patience).await, None);
    let gone = SqliteCases::new("/no/such/folder/cases.db", "JN");
    assert_eq!(at_offer(&gone, number, 5, now, patience).await, None);
}

#[tokio::test]
async fn caller_history_is_read_from_an_index() {
    let rig = Rig::new();
    rig.sqlite().health().await.unwrap();
    let mut conn = open_sqlite(&rig.cases()).await;
    let explain = format!("EXPLAIN QUERY PLAN {}", rexian::cases::sqlite::HISTORY);
    let plan = sqlx::query(sqlx::AssertSqlSafe(explain)).fetch_all(&mut conn).await.unwrap();
    let plan: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
    let searches = plan.iter().filter(|step| step.contains("USING INDEX tickets_by_caller (cli_e164=?")).count();
    let others = plan.iter().filter(|step| step.starts_with("SCAN tickets") || step.contains("TEMP B-TREE")).count();
    assert_eq!((searches, others), (3, 0), "{plan:#?}");
}

#[tokio::test]
async fn what_one_run_could_not_deliver_the_next_run_does() {
    let (rig, closed) = (Rig::new(), Arc::new(Semaphore::new(0)));
    let store = rig.start(Slow(rig.sqlite(), closed)).await;
    put(&store, 0..300);
    assert_eq!(store.close(Duration::from_millis(50)).await, 300);
    assert_eq!(rig.spooled().len(), 300, "all durable");
    let store = rig.start(rig.sqlite()).await;
    put(&store, 300..310);
    assert_eq!(store.close(PATIENCE).await, 0);
    rig.assert_stored(0..310).await;
}

#[tokio::test]
async fn a_full_disk_fails_pickups_fast_and_loses_none() {
    let (rig, gate) = (Rig::new(), Arc::new(Semaphore::new(0)));
    // A file that may not grow answers as a full disk does (SQLITE_FULL).
    let spool = SpoolOptions {
        max_bytes: 64 << 10,
        retry: (Duration::from_millis(5), Duration::from_millis(20)),
        ..SpoolOptions::new(rig.spool())
    };
    let store = rig.start_with(spool, Slow(rig.sqlite(), gate.clone())).await;
    let status = store.spool().status();
    let mut calls = 0;
    while rig.failed() < 20 {
        put(&store, calls..calls + 10);
        calls += 10;
        eventually("each pickup is answered", || rig.heard.lock().unwrap().len() == calls as usize).await;
        assert!(calls < 1_000, "64 KiB never filled up");
    }
    assert!(!rig.spooled().is_empty(), "there was room at first");
    assert_eq!(status.borrow().kept, rig.failed() as u64);
    assert!(status.borrow().trouble.as_deref().unwrap().contains("full"), "{:?}", *status.borrow());

    gate.add_permits(1);
    eventually("delivery makes room and the kept tickets become durable", || status.borrow().kept == 0).await;
    assert_eq!(store.close(PATIENCE).await, 0);
    assert_eq!((status.borrow().lost, status.borrow().trouble.clone()), (0, None));
    rig.assert_stored(0..calls).await;
}

#[tokio::test]
async fn memory_for_refused_tickets_is_bounded_and_a_loss_is_counted() {
    let (rig, gate) = (Rig::new(), Arc::new(Semaphore::new(0)));
    let spool = SpoolOptions { max_bytes: 0, kept: 7, ..SpoolOptions::new(rig.spool()) };
    let store = rig.start_with(spool, Slow(rig.sqlite(), gate.clone())).await;
    let status = store.spool().status();
    put(&store, 0..400);
    eventually("each pickup is answered", || rig.heard.lock().unwrap().len() == 400).await;
    let (spooled, seen) = (rig.spooled().len() as u64, status.borrow().clone());
    assert_eq!(seen.kept, 7);
    assert_eq!(spooled + seen.kept + seen.lost, 400, "{seen:?}");
    gate.add_permits(1);
    store.close(PATIENCE).await;
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_is_counted() {
    let rig = Rig::new();
    let spool = SpoolOptions { queue: 2, ..SpoolOptions::new(rig.spool()) };
    let store = rig.start_with(spool, rig.sqlite()).await;
    // Nothing awaits between these, so the writer cannot take any.
    let refused: Vec<u64> =
        (0..5).filter_map(|c| store.spool().put(Box::new(ticket(c))).err()).map(|r| r.0.call.0).collect();
    assert_eq!(refused, [2, 3, 4]);
    assert_eq!(store.spool().status().borrow().lost, 3);
    store.close(PATIENCE).await;
    rig.assert_stored(0..2).await;
}

#[tokio::test]
async fn two_gateways_cannot_share_a_spool() {
    let rig = Rig::new();
    let first = rig.start(rig.sqlite()).await;
    let second = Store::open(SpoolOptions::new(rig.spool()), quick(), rig.sqlite(), |_| ()).await;
    let message = second.err().expect("refused").to_string();
    assert!(message.contains("another gateway") && message.contains("spool.db"), "{message}");
    first.close(PATIENCE).await;
    rig.start(rig.sqlite()).await.close(PATIENCE).await;
}

#[tokio::test]
async fn a_spool_that_cannot_be_opened_says_what_to_do() {
    let rig = Rig::new();
    let damaged = rig.dir.path().join("damaged.db");
    std::fs::write(&damaged, "not a database, but long enough to have a header: ".repeat(40)).unwrap();
    for (path, advice) in [
        (rig.dir.path().join("no/such/folder/spool.db"), "folder must exist"),
        (rig.dir.path().to_path_buf(), "folder must exist"),
        (damaged, "move it aside"),
    ] {
        let message =
            Store::open(SpoolOptions::new(&path), quick(), rig.sqlite(), |_| ()).await.err().unwrap().to_string();
        assert!(message.contains(advice) && message.contains(file_name(&path)), "{message}");
    }
}

fn file_name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}
