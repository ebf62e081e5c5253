//! What the store's tests share: tickets, a look into the SQLite store from outside, waiting with a deadline.

use rexian::ids::CallId;
use rexian::ticket::NewTicket;
use rexian::time::Instant;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Row};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// 2026-11-22 10:00:00 in China.
pub const MORNING: Instant = Instant::from_unix_secs(1_795_312_800);

pub fn ticket(call: u64) -> NewTicket {
    NewTicket {
        call: CallId(call),
        channel: "phone".into(),
        dnis: "12345".into(),
        tenant: "jinan".into(),
        test_call: false,
        cli_raw: Some("013800005678".into()),
        cli_e164: Some("+8613800005678".into()),
        cli_withheld: false,
        language: Some("zh-CN".into()),
        sip_call_id: format!("{call}@198.51.100.7"),
        icid: Some("icid-1".into()),
        trunk: "unicom".into(),
        queue: "mandarin".into(),
        skill: "mandarin".into(),
        arrived_at: MORNING,
        queued_at: MORNING + Duration::from_secs(2),
        ring_at: MORNING + Duration::from_secs(3),
        answered_at: MORNING + Duration::from_millis(6_250),
        wait_ms: 4_250,
        within_n: true,
        agent: "6632".into(),
        seat: "801".into(),
        legs: vec![format!("{call}@198.51.100.7"), "b2b-\"1\"@rexian".into()],
        route: "line 12345: mandarin; 6632".into(),
    }
}

/// The call id as tickets carry it.
pub fn id(call: u64) -> String {
    CallId(call).to_string()
}

pub async fn open_sqlite(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(10)).connect().await.unwrap()
}

/// Ticket numbers by call id. Panics when a call has two tickets.
pub async fn stored(path: &Path) -> BTreeMap<String, String> {
    let mut conn = open_sqlite(path).await;
    let rows = sqlx::query("SELECT call_id, ticket_no FROM tickets").fetch_all(&mut conn).await.unwrap();
    let mut all = BTreeMap::new();
    for row in rows {
        let doubled = all.insert(row.get::<String, _>(0), row.get::<String, _>(1));
        assert_eq!(doubled, None, "two tickets for call {}", row.get::<String, _>(0));
    }
    all
}

/// Every number from 1 up, once each.
pub fn assert_gapless(series: &str, numbers: impl IntoIterator<Item = String>) {
    let mut numbers: Vec<_> = numbers.into_iter().collect();
    numbers.sort();
    let expected: Vec<_> = (1..=numbers.len()).map(|n| format!("{series}{n:06}")).collect();
    assert_eq!(numbers, expected);
}

/// Polls until `condition` holds; fails the test after half a minute.
pub async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within 30 s: {what}");
}
