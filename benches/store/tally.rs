//! What a month's compliance page asks of the work on tickets: `cargo bench --bench store -- tally` (REXIAN_BENCH_TICKETS, by
//! default 300,000).

use rexian::cases::CaseStore;
use rexian::cases::desk::Desk;
use rexian::cases::sqlite::SqliteCases;
use rexian::casework::words::Satisfaction;
use rexian::casework::{Actor, Callback, Change, Course, Day, Departments, Entry, Fill, Filled, Post, Tally};
use rexian::time::Instant as At;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Executor};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MONTH: At = At::from_unix_secs(1_793_462_400);
const DAYS: u64 = 30;

/// What happens to a ticket, each an hour after the other.
fn life() -> Vec<Change> {
    let day = |n: u64| Day::of(MONTH + Duration::from_secs(n * 86_400)).0;
    let departments = Departments { lead: "市城市管理局".into(), assisting: vec![] };
    let written = |content: &str| {
        let fill = Fill { title: Some("路灯不亮".into()), content: Some(content.repeat(20)), ..Fill::default() };
        Change::Filled(Box::new(Filled { fill, path: None }))
    };
    let (process, result) = (Satisfaction::Satisfied, Satisfaction::Satisfied);
    vec![
        Change::Received { transfer_due: Some(day(40)), reply_due: Some(day(50)) },
        Change::Accepted,
        written("经十路与纬二路交叉口"),
        written("经十路与纬二路交叉口西北角路灯不亮"),
        Change::Passed { departments: departments.clone(), note: "请核实".into() },
        Change::Dispatched { departments, return_due: day(42) },
        Change::SignedFor,
        Change::Started,
        Change::Settled { result: "已更换灯泡，现已恢复照明。".repeat(10) },
        Change::CalledBack(Callback::Reached { process, result, solved: true }),
        Change::Archived,
    ]
}

pub async fn run(dir: &Path, tickets: u64) {
    let path = dir.join("tally.db");
    let cases = SqliteCases::new(&path, "JN");
    cases.health().await.unwrap();
    let mut conn =
        SqliteConnectOptions::new().filename(&path).journal_mode(SqliteJournalMode::Wal).connect().await.unwrap();
    let numbers =
        format!("WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {tickets})");
    let at = format!("{} + n * {}", MONTH.as_unix_millis(), (DAYS - 1) * 86_400_000 / tickets);
    let fill = format!(
        "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;
         {numbers} INSERT INTO tickets (ticket_no, call_id, channel, dnis, tenant, test_call, cli_withheld, sip_call_id, trunk,
             queue, skill, arrived_at, queued_at, ring_at, answered_at, wait_ms, within_n, agent_no, seat_no, legs, status)
         SELECT printf('JN%012d', n), printf('%016x', n), 'phone', '12345', 'jinan', 0, 0, 'a@b', 'unicom', 'mandarin', 'mandarin',
             {at}, {at}, {at}, {at}, 4000, 1, '6632', '801', '[]', '已归档' FROM numbers"
    );
    conn.execute(sqlx::AssertSqlSafe(fill)).await.unwrap();
    let events = life().len() as u64;
    let by = Actor::new("6632".to_owned(), Post::Operator);
    let mut course = Course::Unknown;
    for (version, change) in life().into_iter().enumerate() {
        let entry = Entry { at: MONTH, by: by.clone(), change };
        let counts = course.step(&entry).unwrap();
        let entry = serde_json::to_string(&entry).unwrap();
        let at = format!("({at} + {version} * 3600000)");
        let insert = format!(
            "{numbers} INSERT INTO case_events (seq, ticket_no, version, at, entry, counts)
             SELECT n * {events} + {version}, printf('JN%012d', n), {version} + 1, {at}, json_set(?, '$.at', {at} * 1000), {counts} FROM numbers"
        );
        conn.execute(sqlx::query(sqlx::AssertSqlSafe(insert)).bind(entry)).await.unwrap();
    }
    conn.execute("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
    drop(conn);
    let desk = Desk::new(cases, Arc::default());
    let begun = Instant::now();
    let tally: Tally = desk.tally(&(MONTH..MONTH + Duration::from_secs(DAYS * 86_400))).await.unwrap();
    let took = begun.elapsed();
    assert!(tally.transferred.of > tickets * 9 / 10 && tally.reached.of == tally.reached.part, "{tally:?}");
    let text = "UPDATE case_events SET counts = NULL";
    let mut conn = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    conn.execute(text).await.unwrap();
    let begun = Instant::now();
    let histories = desk.tally(&(MONTH..MONTH + Duration::from_secs(DAYS * 86_400))).await.unwrap();
    println!(
        "the same from the histories, as for what was written before an upgrade: {:.2} s",
        begun.elapsed().as_secs_f64()
    );
    assert_eq!(tally, histories);
    println!("tally of a month: {tickets} tickets, {} events: {:.2} s", tickets * events, took.as_secs_f64());
}
