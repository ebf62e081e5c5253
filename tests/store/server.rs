//! A real PostgreSQL in trouble: killed, read-only, slow, full, known by its certificate only, used by a role with few
//! rights. Pickups go on, and every ticket is there once afterwards, numbered without gaps.

use crate::outage::{PATIENCE, Rig, put, quick};
use crate::postgres::{Postgres, available, shared};
use crate::support::{MORNING, assert_gapless, eventually, id, ticket};
use rexian::cases::postgres::PostgresCases;
use rexian::cases::{CaseStore, Outcome};
use rexian::config::settings::{Encryption, PostgresSettings, Secret};
use rexian::store::{DeliverOptions, SpoolOptions, Store};
use rexian::ticket::NewTicket;
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

fn cases(settings: PostgresSettings) -> PostgresCases {
    PostgresCases::new(settings, "JN")
}

/// Ticket numbers by call id.
pub async fn stored(server: &Postgres, database: &str) -> BTreeMap<String, String> {
    let mut conn = server.connect(database).await;
    let rows = sqlx::query("SELECT call_id, ticket_no FROM tickets").fetch_all(&mut conn).await.unwrap();
    let all: BTreeMap<_, _> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(all.len(), rows.len(), "a call with two tickets");
    all
}

async fn assert_stored(server: &Postgres, database: &str, calls: std::ops::Range<u64>) {
    let stored = stored(server, database).await;
    assert_eq!(stored.keys().cloned().collect::<BTreeSet<_>>(), calls.map(id).collect());
    assert_gapless("JN20261122", stored.into_values());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_the_server_in_the_middle_of_500_pickups_loses_and_doubles_nothing() {
    if !available() {
        return;
    }
    let server = Postgres::start("");
    let (rig, database) = (Rig::new(), server.database().await);
    let deliver = DeliverOptions { batch: 16, ..quick() };
    let heard = rig.heard.clone();
    let sink = move |o: &[_]| heard.lock().unwrap().extend_from_slice(o);
    let store =
        Store::open(SpoolOptions::new(rig.spool()), deliver, cases(server.local(&database)), sink).await.unwrap();
    let delivery = store.delivery();
    for round in 0..5 {
        // Killed with a part of this round delivered.
        let (first, opened) = (round * 100, delivery.borrow().opened);
        put(&store, first..first + 60);
        eventually("some are delivered", || delivery.borrow().opened > opened + 16).await;
        tokio::task::block_in_place(|| server.kill());
        rig.pick_up(&store, first + 60..first + 100).await;
        eventually("the loss is noticed", || delivery.borrow().trouble.is_some()).await;
        tokio::task::block_in_place(|| server.start_again());
    }
    assert_eq!(store.close(PATIENCE).await, 0);
    assert_stored(&server, &database, 0..500).await;
}

#[tokio::test]
async fn a_read_only_database_gets_everything_when_it_is_writable_again() {
    if !available() {
        return;
    }
    let (rig, server) = (Rig::new(), shared());
    let database = server.database().await;
    let store = cases(server.local(&database));
    store.health().await.unwrap();
    let alter = |to: &str| format!("ALTER DATABASE {database} SET default_transaction_read_only = {to}");
    server.sql("postgres", &alter("on")).await;
    let asked = cases(server.local(&database));
    let why = asked.health().await.unwrap_err().reason;
    assert!(why.contains("read-only"), "{why}");

    let store = rig.start(cases(server.local(&database))).await;
    rig.pick_up(&store, 0..100).await;
    let delivery = store.delivery();
    eventually("several attempts", || delivery.borrow().failed_attempts > 3).await;
    let why = delivery.borrow().trouble.clone().unwrap();
    assert!(why.contains("read-only") && why.contains(&database), "{why}");
    server.sql("postgres", &alter("off")).await;
    assert_eq!(store.close(PATIENCE).await, 0);
    assert_eq!(delivery.borrow().refused, 0);
    assert_stored(server, &database, 0..100).await;
}

/// Every insertion of tickets does `body` first.
async fn before_insert(server: &Postgres, database: &str, body: &str) {
    let text = format!(
        "CREATE OR REPLACE FUNCTION hindrance() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$;
         CREATE OR REPLACE TRIGGER hindrance BEFORE INSERT ON tickets FOR EACH STATEMENT EXECUTE FUNCTION hindrance();"
    );
    server.sql(database, &text).await;
}

#[tokio::test]
async fn a_database_that_takes_two_seconds_for_each_statement_delays_no_pickup() {
    if !available() {
        return;
    }
    let (rig, server) = (Rig::new(), shared());
    let database = server.database().await;
    cases(server.local(&database)).health().await.unwrap();
    before_insert(server, &database, "PERFORM pg_sleep(2);").await;
    let store = rig.start(cases(server.local(&database))).await;
    let mut longest = Duration::ZERO;
    for call in 0..500 {
        let start = Instant::now();
        rig.pick_up(&store, call..call + 1).await;
        longest = longest.max(start.elapsed());
    }
    assert!(longest < Duration::from_millis(1_500), "a pickup took {longest:?}: it waited for the database");
    assert_eq!(store.close(PATIENCE).await, 0);
    assert_stored(server, &database, 0..500).await;
}

#[tokio::test]
async fn an_attempt_nobody_waited_for_is_recognised() {
    if !available() {
        return;
    }
    let (rig, server) = (Rig::new(), shared());
    let database = server.database().await;
    cases(server.local(&database)).health().await.unwrap();
    before_insert(server, &database, "PERFORM pg_sleep(0.7);").await;
    // Each attempt is given up while the server still works on it, and the next comes before that one commits.
    let deliver = DeliverOptions { attempt: Duration::from_millis(250), ..quick() };
    let store = Store::open(SpoolOptions::new(rig.spool()), deliver, cases(server.local(&database)), |_| ()).await;
    let store = store.unwrap();
    put(&store, 0..50);
    let delivery = store.delivery();
    eventually("attempts are given up", || delivery.borrow().failed_attempts >= 3).await;
    before_insert(server, &database, "").await;
    assert_eq!(store.close(PATIENCE).await, 0);
    assert_eq!(delivery.borrow().refused, 0);
    assert_stored(server, &database, 0..50).await;
}

#[tokio::test]
async fn a_database_whose_disk_is_full_refuses_no_ticket_for_good() {
    if !available() {
        return;
    }
    let (rig, server) = (Rig::new(), shared());
    let database = server.database().await;
    cases(server.local(&database)).health().await.unwrap();
    before_insert(server, &database, "RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100';").await;
    let store = rig.start(cases(server.local(&database))).await;
    rig.pick_up(&store, 0..50).await;
    let delivery = store.delivery();
    eventually("several attempts", || delivery.borrow().failed_attempts > 3).await;
    let why = delivery.borrow().trouble.clone().unwrap();
    assert!(why.contains("disk is full"), "{why}");
    before_insert(server, &database, "").await;
    assert_eq!(store.close(PATIENCE).await, 0);
    assert_eq!(delivery.borrow().refused, 0);
    assert_stored(server, &database, 0..50).await;
}

#[tokio::test]
async fn a_series_behind_its_tickets_is_the_stores_fault_and_no_ticket_is_refused() {
    if !available() {
        return;
    }
    let server = shared();
    let database = server.database().await;
    let store = cases(server.local(&database));
    store.open_tickets(&[ticket(1), ticket(2)]).await.unwrap();
    server.sql(&database, "UPDATE ticket_series SET last = 0").await;
    let why = store.open_tickets(&[ticket(3)]).await.unwrap_err().reason;
    assert!(why.contains("ticket_series"), "{why}");
    server.sql(&database, "UPDATE ticket_series SET last = 2").await;
    store.open_tickets(&[ticket(3)]).await.unwrap();
    assert_stored(server, &database, 1..4).await;
}

#[tokio::test]
async fn a_role_that_may_create_nothing_works_on_tables_that_their_owner_migrated() {
    if !available() {
        return;
    }
    let server = Postgres::start("");
    let database = server.database().await;
    let create = format!("CREATE ROLE rexian LOGIN PASSWORD '{}'", crate::postgres::PASSWORD);
    server.sql(&database, &create).await;
    // PostgreSQL before 15 lets everybody create tables.
    server.sql(&database, "REVOKE CREATE ON SCHEMA public FROM PUBLIC").await;
    let settings = server.remote(&database, "127.0.0.1", Encryption::None);
    let store = cases(settings.clone());
    let why = store.open_tickets(&[ticket(1)]).await.unwrap_err().reason;
    assert!(why.contains("rexian migrate"), "{why}");

    cases(server.local(&database)).migrate().await.unwrap();
    let grants = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO rexian";
    let why = store.open_tickets(&[ticket(1)]).await.unwrap_err().reason;
    assert!(why.contains("grant"), "{why}");
    server.sql(&database, grants).await;
    let opened = store.open_tickets(&[ticket(1), NewTicket { cli_withheld: true, ..ticket(2) }]).await.unwrap();
    assert!(opened.iter().all(|o| matches!(o, Outcome::Opened { .. })), "{opened:?}");
    store.health().await.unwrap();

    // Nothing that a person may come to see holds the password.
    let wrong = PostgresSettings { password: Some(Secret("not-the-one".into())), ..settings.clone() };
    let why = cases(wrong.clone()).health().await.unwrap_err().reason;
    assert!(why.contains("password") && why.contains("rexian@127.0.0.1"), "{why}");
    for shown in [why, format!("{wrong:?}"), format!("{settings:?} {settings}")] {
        assert!(!shown.contains("not-the-one") && !shown.contains(crate::postgres::PASSWORD), "{shown}");
    }
}

#[tokio::test]
async fn tables_newer_than_the_program_are_left_alone() {
    if !available() {
        return;
    }
    let server = shared();
    let database = server.database().await;
    cases(server.local(&database)).migrate().await.unwrap();
    server.sql(&database, "INSERT INTO _sqlx_migrations VALUES (9999, 'later', now(), true, '', 0)").await;
    let why = cases(server.local(&database)).open_tickets(&[ticket(1)]).await.unwrap_err().reason;
    assert!(why.contains("9999") && why.contains("newer"), "{why}");
}

#[tokio::test]
async fn two_gateways_started_together_migrate_once() {
    if !available() {
        return;
    }
    let server = shared();
    let database = server.database().await;
    let mut gateways = tokio::task::JoinSet::new();
    for call in 0..8 {
        let store = cases(server.local(&database));
        gateways.spawn(async move { store.open_tickets(&[ticket(call)]).await });
    }
    while let Some(opened) = gateways.join_next().await {
        opened.unwrap().unwrap();
    }
    assert_stored(server, &database, 0..8).await;
}

#[tokio::test]
async fn an_encrypted_connection_is_made_to_whom_the_ca_vouches_for_and_nobody_else() {
    if !available() {
        return;
    }
    let (pki, other) = (crate::pki::Pki::new(), crate::pki::Pki::new());
    let issued = pki.issue(&["db.hotline.test", "127.0.0.1"]);
    let more = "ssl = on\nssl_cert_file = '{dir}/server.crt'\nssl_key_file = '{dir}/server.key'";
    let server = Postgres::start_with(more, |folder| {
        std::fs::write(folder.join("server.crt"), &issued.certificate).unwrap();
        std::fs::write(folder.join("server.key"), &issued.key).unwrap();
        std::fs::write(folder.join("ca.pem"), &pki.ca).unwrap();
        std::fs::write(folder.join("other.pem"), &other.ca).unwrap();
    });
    let database = server.database().await;
    server
        .sql(&database, &format!("CREATE ROLE rexian LOGIN SUPERUSER PASSWORD '{}'", crate::postgres::PASSWORD))
        .await;
    let file = |name: &str| server.folder().join(name);
    let health = async |host: &str, encryption| cases(server.remote(&database, host, encryption)).health().await;
    health("127.0.0.1", Encryption::Verified { ca: file("ca.pem") }).await.unwrap();
    health("127.0.0.1", Encryption::Unverified).await.unwrap();
    for (host, ca) in [("127.0.0.1", "other.pem"), ("localhost", "ca.pem")] {
        let why = health(host, Encryption::Verified { ca: file(ca) }).await.unwrap_err().reason;
        assert!(why.contains("ca") && why.contains("certificate"), "{host} {ca}: {why}");
    }
    // Is it really encrypted?
    let store = cases(server.remote(&database, "127.0.0.1", Encryption::Verified { ca: file("ca.pem") }));
    store.open_tickets(&[ticket(1)]).await.unwrap();
    let mut conn = server.connect(&database).await;
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'rexian'";
    let row = sqlx::query(encrypted).fetch_one(&mut conn).await.unwrap();
    assert_eq!(row.get::<Option<bool>, _>(0), Some(true));
}

#[tokio::test]
async fn caller_history_is_read_from_an_index() {
    if !available() {
        return;
    }
    let server = shared();
    let database = server.database().await;
    let store = cases(server.local(&database));
    store.open_tickets(&[ticket(1)]).await.unwrap();
    server
        .sql(
            &database,
            "INSERT INTO tickets (ticket_no, call_id, channel, dnis, tenant, test_call, cli_e164, cli_withheld, sip_call_id,
                trunk, queue, skill, arrived_at, queued_at, ring_at, answered_at, wait_ms, within_n, agent_no, seat_no, legs)
             SELECT 'X' || n, n::text, 'phone', '12345', 'jinan', 0, '+86' || n % 5000, 0, 's', 't', 'q', 's', n, n, n, n, 0, 1,
                'a', 's', '[]' FROM generate_series(1, 20000) n;
             ANALYZE tickets;",
        )
        .await;
    let mut conn = server.connect(&database).await;
    sqlx::Executor::execute(&mut conn, "SET plan_cache_mode = force_generic_plan").await.unwrap();
    let explain = format!("EXPLAIN {}", rexian::cases::postgres::HISTORY);
    let at = MORNING.as_unix_millis() as i64;
    let query = sqlx::query(sqlx::AssertSqlSafe(explain)).bind("+861").bind(at).bind(0_i64).bind(0_i64);
    let plan = query.bind(1_000_i64).bind(10_i64).fetch_all(&mut conn).await.unwrap();
    let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    assert!(!plan.contains("Seq Scan") && plan.matches("tickets_by_caller").count() >= 3, "{plan}");
}
