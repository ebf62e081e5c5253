//! The program with PostgreSQL behind it: checked, migrated, served, looked into.

use crate::common::caller::{Street, answers};
use crate::common::{Hotline, rexian, until};
use crate::postgres::{available, shared};
use rexian::demo::field::Who;
use sqlx::Row;
use std::path::Path;
use std::time::Duration;

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
