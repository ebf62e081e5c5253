//! Files of an earlier version: read on, nothing lost.

use crate::support::{open_sqlite, ticket};
use rexian::cases::sqlite::SqliteCases;
use rexian::cases::{CaseStore, Outcome};
use rexian::ticket::NewTicket;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, Row, SqlSafeStr};

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
