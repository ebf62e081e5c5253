//! The program with PostgreSQL behind it: checked, migrated, served, looked into, killed, held up.

use crate::common::caller::{Street, answers};
use crate::common::{Hotline, rexian, until};
use crate::postgres::{Postgres, available, shared};
use rexian::demo::field::Who;
use rexian::demo::records;
use rexian::sim::ua::{Plan, Reaction};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// What it printed, and whether it was content.
fn run(directory: &Path, arguments: &[&str]) -> (bool, String) {
    let output = rexian().current_dir(directory).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success(), said)
}

#[test]
fn a_call_becomes_a_ticket_in_postgresql() {
    if !available() {
        return;
    }
    let world = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (server, folder) = (shared(), tempfile::tempdir().unwrap());
    let database = world.block_on(server.database());
    let url = format!("postgres://postgres@:{}/{database}?host={}", server.port(), server.folder().display());
    let hotline = Hotline { cases: url, ..Hotline::new() };
    std::fs::write(folder.path().join("rexian.toml"), hotline.toml()).unwrap();
    let check = ["check", "--config", "rexian.toml"];

    let (good, said) = run(folder.path(), &check);
    assert!(good && said.contains("notice: case store") && said.contains("no tables yet"), "{said}");
    let (good, said) = run(folder.path(), &["migrate", "--config", "rexian.toml"]);
    assert!(good && said.contains("up to date"), "{said}");
    let (good, said) = run(folder.path(), &check);
    assert!(good && said.contains("answers, its tables are up to date"), "{said}");
    let (good, said) = run(folder.path(), &["migrate", "--config", "rexian.toml", "--user", "nobody_here"]);
    assert!(!good && said.contains("nobody_here"), "{said}");

    let gateway = hotline.start();
    let mut street = Street::new(&gateway.hotline);
    let phone = street.sign_in(gateway.hotline.seat_address(1), 1, answers());
    let call = street.call();
    street.wait_answered(Who::Phone(phone));
    street.run(Duration::from_millis(200));
    street.field.at_call(call, |c, now| c.hang_up(now));
    street.wait_ended(Who::Phone(phone));
    let (ticket_no, sip_call_id) = until("the ticket", || {
        world.block_on(async {
            let mut conn = server.connect(&database).await;
            let find = "SELECT ticket_no, sip_call_id FROM tickets";
            let row = sqlx::query(find).fetch_optional(&mut conn).await.unwrap()?;
            Some((row.get::<String, _>(0), row.get::<String, _>(1)))
        })
    });
    assert_eq!(sip_call_id, street.field.sip_call_id(call));
    let directory = gateway.directory.path();
    let (good, said) = run(directory, &["why", &ticket_no, "--config", "rexian.toml", "--lang", "en"]);
    assert!(good && said.contains("6601"), "{said}");
    let (good, said) = run(directory, &["spool", "list", "--config", "rexian.toml"]);
    assert!(good && said.contains("no ticket is set aside"), "{said}");
}

#[test]
fn a_database_that_cannot_be_reached_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let hotline = Hotline { cases: "postgres://rexian@127.0.0.1:1/none".into(), ..Hotline::new() };
    std::fs::write(folder.path().join("rexian.toml"), hotline.toml()).unwrap();
    let (good, said) = run(folder.path(), &["check", "--config", "rexian.toml"]);
    assert!(good && said.contains("warning: case store postgres://rexian@127.0.0.1:1/none"), "{said}");
    assert!(said.contains("configuration is good"), "{said}");
}

/// A hotline whose tickets and events go to a database of its own.
struct Site {
    world: Runtime,
    server: &'static Postgres,
    database: String,
}

impl Site {
    fn new() -> Site {
        let world = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = shared();
        let database = world.block_on(server.database());
        Site { world, server, database }
    }

    fn hotline(&self, seats: usize) -> Hotline {
        let folder = self.server.folder().display();
        let cases = format!("postgres://postgres@:{}/{}?host={folder}", self.server.port(), self.database);
        Hotline { cases, storage: "ship_events = true\n", seats, port_pairs: 200, ..Hotline::new() }
    }

    fn sql(&self, text: &str) {
        self.world.block_on(self.server.sql(&self.database, text));
    }

    /// The first column; nothing while the table is not there yet.
    fn column(&self, query: &str) -> Vec<String> {
        self.world.block_on(async {
            let mut conn = self.server.connect(&self.database).await;
            let rows = conn.fetch_all(AssertSqlSafe(query.to_owned())).await.unwrap_or_default();
            rows.iter().map(|row| row.get(0)).collect()
        })
    }

    /// SIP Call-IDs of the legs at the seats, one for each ticket.
    fn seat_legs(&self) -> Vec<String> {
        self.column("SELECT legs ->> 1 FROM tickets")
    }

    /// Those connected keep what they were told at first.
    fn read_only(&self, on: bool) {
        let database = &self.database;
        let text = format!(
            "ALTER DATABASE {database} SET default_transaction_read_only = {on};
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
        );
        self.world.block_on(self.server.sql("postgres", &text));
    }
}

#[test]
fn kill_9_of_the_program_in_the_middle_of_pickups_loses_and_doubles_no_ticket_and_no_event() {
    if !available() {
        return;
    }
    const SEATS: u8 = 8;
    let site = Site::new();
    let mut gateway = site.hotline(SEATS.into()).start();
    let (mut acknowledged, mut placed) = (BTreeSet::new(), BTreeSet::new());
    for (round, enough) in [1, usize::from(SEATS) / 2, usize::from(SEATS) - 1].into_iter().enumerate() {
        if round > 0 {
            gateway.start_again();
        }
        let mut street = Street::new(&gateway.hotline);
        for n in 1..=SEATS {
            // Pickups are spread over time, so that the kill falls between some of them.
            let reaction = Reaction::Answer { after: Duration::from_millis(50 * u64::from(n)) };
            street.sign_in(gateway.hotline.seat_address(n), n, Plan { reaction, ..answers() });
        }
        for _ in 0..SEATS {
            let call = street.call();
            placed.insert(street.field.sip_call_id(call).to_owned());
        }
        street.run_until("enough pickups", |field| field.acknowledged().count() >= enough);
        gateway.kill();
        // What the kernel still delivers was sent before the kill.
        street.run(Duration::from_millis(200));
        acknowledged.extend(street.field.acknowledged().map(str::to_owned));
    }
    gateway.start_again();
    let legs = until("every acknowledged pickup's ticket", || {
        let legs = site.seat_legs();
        acknowledged.iter().all(|leg| legs.contains(leg)).then_some(legs)
    });
    gateway.terminate();
    gateway.wait_exit();
    assert_eq!(legs.iter().collect::<BTreeSet<_>>().len(), legs.len(), "a ticket was doubled");
    let calls = site.column("SELECT sip_call_id FROM tickets");
    assert_eq!(calls.iter().collect::<BTreeSet<_>>().len(), calls.len(), "a call has two tickets");
    assert!(calls.iter().all(|call| placed.contains(call)), "a ticket of no call");
    let numbers = site.column("SELECT right(ticket_no, 6) FROM tickets ORDER BY left(ticket_no, 10), ticket_no");
    assert!(numbers.iter().enumerate().all(|(n, no)| *no == format!("{:06}", n + 1)), "{numbers:?}");

    // The copy of the events is the log.
    let log = gateway.directory.path().join("rexian-events.db");
    let logged: Vec<String> = site.world.block_on(async {
        let mut conn = SqliteConnectOptions::new().filename(&log).connect().await.unwrap();
        let rows = conn.fetch_all("SELECT seq || ' ' || at_us || ' ' || what FROM events ORDER BY seq").await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    });
    let copied = site.column("SELECT seq || ' ' || at_us || ' ' || what FROM event_log ORDER BY log, seq");
    assert!(logged.len() > 3 * usize::from(SEATS), "{}", logged.len());
    assert!(copied == logged, "{} events in the copy, {} in the log", copied.len(), logged.len());
    for more in [&[][..], &["--copy"]] {
        let arguments = [&["report", "--rebuild", "--config", "rexian.toml", "--lang", "en"], more].concat();
        let (good, said) = run(gateway.directory.path(), &arguments);
        assert!(good && said.contains("equal to what is kept"), "{said}");
    }
}

#[test]
fn a_slow_and_then_read_only_database_holds_up_no_call_and_gets_every_ticket_once() {
    if !available() {
        return;
    }
    let site = Site::new();
    let gateway = site.hotline(1).start();
    let mut street = Street::new(&gateway.hotline);
    let phone = street.sign_in(gateway.hotline.seat_address(1), 1, answers());
    let mut talk = |calls: u32| {
        let begun = Instant::now();
        for _ in 0..calls {
            let call = street.call();
            street.wait_answered(Who::Phone(phone));
            street.run(Duration::from_millis(50));
            street.field.at_call(call, |c, now| c.hang_up(now));
            street.wait_ended(Who::Phone(phone));
            street.wait_ended(Who::Call(call));
        }
        begun.elapsed()
    };
    let tables = "SELECT 'there' WHERE to_regclass('tickets') IS NOT NULL AND to_regclass('event_log') IS NOT NULL";
    until("the tables", || (!site.column(tables).is_empty()).then_some(()));
    site.sql("CREATE FUNCTION hindrance() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;
        CREATE TRIGGER hindrance BEFORE INSERT ON tickets FOR EACH STATEMENT EXECUTE FUNCTION hindrance();
        CREATE TRIGGER hindrance BEFORE INSERT ON event_log FOR EACH STATEMENT EXECUTE FUNCTION hindrance()");
    let took = talk(6);
    assert!(took < Duration::from_secs(6 * 2), "{took:?} for 6 calls: they waited for the database");
    site.sql("DROP FUNCTION hindrance CASCADE");
    site.read_only(true);
    talk(2);
    let health = || records::get(gateway.hotline.http(), "/healthz").map_or(String::new(), |(_, body)| body);
    for what in ["tickets wait in the spool", "the event log is not copied", "read-only", "degraded"] {
        until(what, || health().contains(what).then_some(()));
    }
    site.read_only(false);
    let legs = until("every call's ticket", || Some(site.seat_legs()).filter(|legs| legs.len() >= 8));
    assert_eq!((legs.len(), legs.iter().collect::<BTreeSet<_>>().len()), (8, 8));
    until("health", || health().contains("\"ok\"").then_some(()));
}
