//! Tickets that the case store refuses for good: visible, and delivered once the reason is gone, with the gateway running
//! or not.

use crate::outage::{PATIENCE, Rig, put};
use crate::support::{eventually, id, open_sqlite, stored};
use rexian::cases::CaseStore;
use rexian::store::SetAside;
use rexian::store::door::{self, Answer, Question};
use sqlx::Executor;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// From outside, as the command does.
async fn ask(spool: PathBuf, question: Question) -> Answer {
    tokio::task::spawn_blocking(move || door::ask(&spool, &question)).await.unwrap().unwrap()
}

async fn listed(rig: &Rig) -> Vec<SetAside> {
    match ask(rig.spool(), Question::SetAside).await {
        Answer::SetAside(found) => found,
        other => panic!("{other:?}"),
    }
}

async fn retry(rig: &Rig, seqs: Vec<i64>) -> u64 {
    match ask(rig.spool(), Question::Retry(seqs)).await {
        Answer::PutBack(count) => count,
        other => panic!("{other:?}"),
    }
}

/// The case store refuses these calls, whoever sends them.
async fn refuse(rig: &Rig, calls: &[u64]) {
    rig.sqlite().health().await.unwrap();
    let calls: Vec<_> = calls.iter().map(|&call| format!("'{}'", id(call))).collect();
    let text = format!(
        "DROP TRIGGER IF EXISTS no; CREATE TRIGGER no BEFORE INSERT ON tickets WHEN NEW.call_id IN ({})
         BEGIN SELECT RAISE(ABORT, 'not this one'); END",
        calls.join(", ")
    );
    open_sqlite(&rig.cases()).await.execute(sqlx::AssertSqlSafe(text)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_tickets_are_listed_and_delivered_in_order_when_the_reason_is_gone() {
    let rig = Rig::new();
    refuse(&rig, &[3, 5, 7]).await;
    let store = rig.start(rig.sqlite()).await;
    put(&store, 0..10);
    let (status, delivery) = (store.spool().status(), store.delivery());
    eventually("three are set aside", || status.borrow().set_aside == 3 && status.borrow().depth == 0).await;
    let found = listed(&rig).await;
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|one| one.why.contains("not this one") && one.set_aside_at >= one.spooled_at));
    assert!(found[0].ticket.contains(r#""sip_call_id":"3@198.51.100.7""#), "{}", found[0].ticket);

    // Two of them, but only one is taken now; a number that is none harms nothing.
    refuse(&rig, &[3, 7]).await;
    let (three, five) = (found[0].seq, found[1].seq);
    assert_eq!(retry(&rig, vec![five, three, 9_999]).await, 2);
    eventually("one is opened, one refused again", || delivery.borrow().opened == 8 && status.borrow().set_aside == 2)
        .await;
    refuse(&rig, &[]).await;
    let rest: Vec<i64> = listed(&rig).await.iter().map(|one| one.seq).collect();
    assert_eq!(retry(&rig, rest.iter().rev().copied().collect()).await, 2);
    assert_eq!(retry(&rig, rest).await, 0, "they are no longer there");
    assert_eq!(store.close(PATIENCE).await, 0);
    assert_eq!((status.borrow().set_aside, status.borrow().depth), (0, 0));
    let stored = stored(&rig.cases()).await;
    assert_eq!(stored.len(), 10);
    assert_eq!(
        (&*stored[&id(7)], &*stored[&id(3)]),
        ("JN20261122000009", "JN20261122000010"),
        "as they were set aside"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_running_gateway_the_file_itself_is_asked() {
    let rig = Rig::new();
    refuse(&rig, &[1]).await;
    let store = rig.start(rig.sqlite()).await;
    rig.pick_up(&store, 0..3).await;
    assert_eq!(store.close(PATIENCE).await, 0);
    let found = listed(&rig).await;
    assert_eq!(found.len(), 1);
    refuse(&rig, &[]).await;
    assert_eq!(retry(&rig, vec![found[0].seq]).await, 1);
    let store = rig.start(rig.sqlite()).await;
    assert_eq!(store.close(PATIENCE).await, 0);
    rig.assert_stored(0..3).await;
    let nowhere = rig.spool().with_file_name("none.db");
    let why = door::ask(&nowhere, &Question::SetAside).unwrap_err();
    assert!(why.contains("none.db") && !nowhere.exists(), "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_door_is_for_the_spools_user_and_takes_nonsense_calmly() {
    let rig = Rig::new();
    let store = rig.start(rig.sqlite()).await;
    let socket = door::path(&rig.spool());
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let answer = tokio::task::spawn_blocking(move || {
        let mut stream = UnixStream::connect(socket).unwrap();
        stream.write_all(b"hello\n").unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    });
    assert!(answer.await.unwrap().contains("not understood"));
    assert_eq!(listed(&rig).await, []);
    store.close(PATIENCE).await;
}
