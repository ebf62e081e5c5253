//! Caller history at pickup among very many tickets, on both stores: `cargo bench --bench store -- history`.

use super::postgres::Postgres;
use super::{percentile, ticket};
use rexian::cases::CaseStore;
use rexian::cases::postgres::PostgresCases;
use rexian::cases::sqlite::SqliteCases;
use rexian::time::Instant as At;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Executor};
use std::path::Path;
use std::time::{Duration, Instant};

const LOOK_UPS: u64 = 2_000;
const INDEX: &str = "CREATE INDEX tickets_by_caller ON tickets (cli_e164, answered_at DESC) WHERE cli_e164 IS NOT NULL";
/// Tickets of three years before, about four for each caller; `n` is the ticket's number, from 1.
const COLUMNS: &str = "INSERT INTO tickets (ticket_no, call_id, channel, dnis, tenant, test_call, cli_raw, cli_e164,
    cli_withheld, sip_call_id, trunk, queue, skill, arrived_at, queued_at, ring_at, answered_at, wait_ms, within_n, agent_no,
    seat_no, legs, title, status)";

fn at() -> At {
    ticket(0).answered_at
}

fn number(caller: u64) -> String {
    format!("+86138{caller:08}")
}

/// Multiplying by a large prime scatters neighbours over all callers.
fn caller(n: u64, callers: u64) -> u64 {
    n * 2_654_435_761 % callers
}

pub async fn run(dir: &Path, tickets: u64, server: Option<&Postgres>) {
    let callers = (tickets / 4).max(1);
    let before = at().as_unix_millis() - 3 * 365 * 86_400_000;
    let step = (3 * 365 * 86_400_000 / tickets).max(1);
    println!(
        "{:<28}{:>12}{:>10}{:>10}{:>10}{:>10}",
        "caller history, ms", "tickets", "built s", "p50", "p99", "longest"
    );

    let path = dir.join("history.db");
    let cases = SqliteCases::new(&path, "JN");
    cases.health().await.unwrap();
    let start = Instant::now();
    let mut conn =
        SqliteConnectOptions::new().filename(&path).journal_mode(SqliteJournalMode::Wal).connect().await.unwrap();
    let fill = format!(
        "PRAGMA synchronous = OFF; DROP INDEX tickets_by_caller;
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {tickets})
         {COLUMNS} SELECT printf('T%012d', n), printf('%016x', n), 'phone', '12345', 'jinan', 0, '0138', '+86138' || printf('%08d', \
         n * 2654435761 % {callers}), 0, 'a@b', 'unicom', 'mandarin', 'mandarin', {before} + n * {step}, {before} + n * {step}, \
         {before} + n * {step}, {before} + n * {step}, 4000, 1, '6632', '801', '[]', '路灯不亮', '已归档' FROM numbers;
         {INDEX}; ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);"
    );
    conn.execute(sqlx::AssertSqlSafe(fill)).await.unwrap();
    drop(conn);
    measure("SQLite", &cases, tickets, callers, start.elapsed()).await;

    let Some(server) = server else { return };
    let database = server.database().await;
    let cases = PostgresCases::new(server.local(&database), "JN");
    cases.health().await.unwrap();
    let start = Instant::now();
    let fill = format!(
        "DROP INDEX tickets_by_caller; SET synchronous_commit = off; SET maintenance_work_mem = '512MB';
         {COLUMNS} SELECT 'T' || lpad(n::text, 12, '0'), lpad(to_hex(n), 16, '0'), 'phone', '12345', 'jinan', 0, '0138', '+86138' || \
         lpad((n * 2654435761 % {callers})::text, 8, '0'), 0, 'a@b', 'unicom', 'mandarin', 'mandarin', {before} + n * {step}, \
         {before} + n * {step}, {before} + n * {step}, {before} + n * {step}, 4000, 1, '6632', '801', '[]', '路灯不亮', '已归档' \
         FROM generate_series(1, {tickets}::bigint) AS numbers (n);
         {INDEX}"
    );
    server.sql(&database, &fill).await;
    server.sql(&database, "VACUUM ANALYZE tickets").await;
    measure("PostgreSQL", &cases, tickets, callers, start.elapsed()).await;
}

async fn measure<C: CaseStore>(name: &str, cases: &C, tickets: u64, callers: u64, built: Duration) {
    let mut all = Vec::new();
    for n in 0..LOOK_UPS {
        let number = number(caller(n * 7_919, callers));
        let start = Instant::now();
        let history = cases.history(&number, at(), 10).await.unwrap();
        all.push(start.elapsed());
        assert!(!history.tickets.is_empty(), "{number}");
    }
    let (p50, p99, longest) = (percentile(&all, 50), percentile(&all, 99), percentile(&all, 100));
    println!(
        "{name:<28}{tickets:>12}{:>10.0}{:>10.2}{:>10.2}{:>10.2}",
        built.as_secs_f64(),
        p50 / 1e3,
        p99 / 1e3,
        longest / 1e3
    );
}
