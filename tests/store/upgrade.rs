//! Files of an earlier version: read on, nothing lost.

use crate::postgres::{available, shared};
use crate::support::{open_sqlite, ticket};
use rexian::cases::postgres::PostgresCases;
use rexian::cases::sqlite::SqliteCases;
use rexian::cases::{CaseStore, Outcome};
use rexian::ticket::NewTicket;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, Row, SqlSafeStr};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_store_from_before_the_route_keeps_its_tickets_and_takes_new_ones() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cases.db");
    let mut conn = SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
    let first = include_str!("../../src/cases/migrations/sqlite/0001_tickets.sql");
    let first = Migration::new(1, "tickets".into(), MigrationType::Simple, first.into_sql_str(), false);
    Migrator::with_migrations(vec![first]).run_direct(None, &mut conn, false).await.unwrap();
    conn.execute(
        "INSERT INTO tickets (ticket_no, call_id, channel, dnis, tenant, test_call, cli_withheld, sip_call_id, trunk, queue,
            skill, arrived_at, queued_at, ring_at, answered_at, wait_ms, within_n, agent_no, seat_no, legs)
         VALUES ('JN20261101000001', 'old', 'phone', '12345', 'jinan', 0, 0, 'a@b', 'unicom', 'mandarin', 'mandarin',
            1, 1, 1, 1, 1, 1, '6601', '801', '[]')",
    )
    .await
    .unwrap();
    conn.close().await.unwrap();

    let opened = SqliteCases::new(&path, "JN").open_tickets(&[ticket(1)]).await.unwrap();
    assert_eq!(opened, [Outcome::Opened { ticket_no: "JN20261122000001".into() }]);
    let mut conn = open_sqlite(&path).await;
    let rows = conn.fetch_all("SELECT ticket_no, route FROM tickets ORDER BY 1").await.unwrap();
    let rows: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let new = ("JN20261122000001".to_owned(), ticket(1).route);
    assert_eq!(rows, [("JN20261101000001".to_owned(), String::new()), new]);
}

#[test]
fn a_spooled_ticket_from_before_the_route_can_be_read() {
    let mut old = serde_json::to_value(ticket(1)).unwrap();
    old.as_object_mut().unwrap().remove("route").expect("a field of that name");
    let read: NewTicket = serde_json::from_value(old).unwrap();
    assert_eq!(read, NewTicket { route: String::new(), ..ticket(1) });
}

/// `rexian migrate` beside a gateway of the version before, which goes on.
#[tokio::test]
async fn the_upgrade_to_ratings_keeps_no_ticket_from_being_read_and_waits_for_who_works_on_one() {
    if !available() {
        return;
    }
    let (server, steps) = (
        shared(),
        [
            (1, "tickets", include_str!("../../src/cases/migrations/postgres/0001_tickets.sql")),
            (2, "route", include_str!("../../src/cases/migrations/postgres/0002_route.sql")),
            (3, "casework", include_str!("../../src/cases/migrations/postgres/0003_casework.sql")),
            (4, "casework_lists", include_str!("../../src/cases/migrations/postgres/0004_casework_lists.sql")),
        ],
    );
    let steps = steps.map(|(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    let database = server.database().await;
    let mut reader = server.connect(&database).await;
    Migrator::with_migrations(steps.into()).run_direct(None, &mut reader, false).await.unwrap();
    reader.execute("SET lock_timeout = '3s'").await.unwrap();

    // An order on a ticket is half way; a report reads.
    let (mut desk, mut report) = (server.connect(&database).await, server.connect(&database).await);
    desk.execute("BEGIN; SET LOCAL lock_timeout = '3s'; UPDATE tickets SET version = version WHERE false")
        .await
        .unwrap();
    report.execute("BEGIN; SELECT count(*) FROM case_events").await.unwrap();
    let cases = PostgresCases::new(server.local(&database), "JN");
    let upgrade = tokio::spawn(async move { cases.migrate().await });
    waits_for(&mut reader, "tickets").await;
    desk.execute("UPDATE case_events SET at = at WHERE false; COMMIT").await.expect("the history of the ticket");
    // The upgrade works on the histories, which may take minutes.
    waits_for(&mut reader, "case_events").await;
    reader.fetch_one("SELECT count(*) FROM tickets").await.expect("tickets are read meanwhile");
    report.execute("COMMIT").await.unwrap();
    upgrade.await.unwrap().unwrap();
    let rated = |rating: u8| format!("UPDATE tickets SET call_rating = {rating} WHERE ticket_no = 'a'");
    let cases = PostgresCases::new(server.local(&database), "JN");
    cases.open_tickets(&[ticket(1)]).await.unwrap();
    reader.execute("UPDATE tickets SET ticket_no = 'a'").await.unwrap();
    reader.execute(sqlx::AssertSqlSafe(rated(5))).await.unwrap();
    reader.execute(sqlx::AssertSqlSafe(rated(6))).await.expect_err("there is no such rating");
}

/// Until somebody waits for a lock on this table.
async fn waits_for(conn: &mut sqlx::PgConnection, table: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = $1::regclass
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    while conn.fetch_one(sqlx::query(waiting).bind(table)).await.unwrap().get::<i64, _>(0) == 0 {
        assert!(Instant::now() < deadline, "nobody waits for {table}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
