//! The list on the disk, beside the tickets' spool: what was put out is there after a kill, once.

use crate::world::{World, owed, s};
use rexian::cases::sqlite::SqliteCases;
use rexian::event::{CallbackChange, CallbackEntry, CallbackGone};
use rexian::ids::CallId;
use rexian::store::{DeliverOptions, SpoolOptions, Store};
use rexian::time::Instant;
use std::path::Path;
use std::time::Duration;

const MORNING: Instant = Instant::from_unix_secs(1_795_312_800);

async fn open(dir: &Path, shape: impl FnOnce(&mut SpoolOptions)) -> Store {
    let mut spool = SpoolOptions::new(dir.join("spool.db"));
    spool.retry = (Duration::from_millis(5), Duration::from_millis(20));
    shape(&mut spool);
    let cases = SqliteCases::new(dir.join("cases.db"), "JN");
    Store::open(spool, DeliverOptions::default(), cases, |_| ()).await.unwrap()
}

/// What a process started after a kill at this moment would find: the files as they are, the first one still open.
async fn after_a_kill(dir: &Path) -> Vec<CallbackEntry> {
    let copy = tempfile::tempdir().unwrap();
    // The spool's socket is no file to copy.
    for file in std::fs::read_dir(dir).unwrap().map(|f| f.unwrap()).filter(|f| f.file_type().unwrap().is_file()) {
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let mut store = open(copy.path(), |_| ()).await;
    let entries = store.take_callbacks();
    assert_eq!(store.take_callbacks(), [], "handed over once");
    entries
}

fn entry(n: u64) -> CallbackEntry {
    owed(n, &format!("+86138{n:08}"), MORNING)
}

fn gone(n: u64) -> CallbackChange {
    CallbackChange::Gone { of: CallId(n), why: CallbackGone::Reached }
}

#[tokio::test]
async fn the_latest_of_each_entry_is_found_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), |_| ()).await;
    let spool = store.spool();
    (1..=500).for_each(|n| spool.keep(CallbackChange::Put(entry(n))));
    spool.flush().await;
    assert_eq!(after_a_kill(dir.path()).await, (1..=500).map(entry).collect::<Vec<_>>());

    let tried = CallbackEntry { attempts: 2, not_before: MORNING + s(600), ..entry(7) };
    spool.keep(CallbackChange::Put(tried.clone()));
    (1..=500).filter(|n| *n != 7 && *n != 9).for_each(|n| spool.keep(gone(n)));
    spool.keep(gone(9_999));
    spool.flush().await;
    assert_eq!(after_a_kill(dir.path()).await, [tried.clone(), entry(9)]);
    store.close(Duration::ZERO).await;
    assert_eq!(open(dir.path(), |_| ()).await.take_callbacks(), [tried, entry(9)], "and after an orderly end");
}

#[tokio::test]
async fn a_full_disk_loses_no_promise_that_fits_later() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), |spool| spool.max_bytes = 64 << 10).await;
    let spool = store.spool();
    (1..=1_000).for_each(|n| spool.keep(CallbackChange::Put(entry(n))));
    spool.flush().await;
    assert!(spool.status().borrow().trouble.is_some(), "it does not fit");
    (4..=1_000).for_each(|n| spool.keep(gone(n)));
    spool.flush().await;
    assert_eq!(spool.status().borrow().trouble, None);
    assert_eq!(after_a_kill(dir.path()).await, (1..=3).map(entry).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_the_gateway_promised_is_called_by_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), |_| ()).await;
    let mut world = World::new(0, |_| {});
    let caller = world.call("13812345678", s(600));
    world.run(s(40));
    world.presses(caller, '1');
    world.changes.drain(..).for_each(|change| store.spool().keep(change));
    store.spool().flush().await;
    let found = after_a_kill(dir.path()).await;
    assert_eq!(found, world.kept.values().cloned().collect::<Vec<_>>());
    assert_eq!((found.len(), &*found[0].number), (1, "+8613812345678"));
    world.killed();
    world.agent_arrives();
    world.until("called", s(80), |w| w.gone == [CallbackGone::Reached]);
}
