//! `[storage]`: where tickets go, and what is told of a database that could not be used or would give its password away.

use super::pki::Pki;
use super::{Folder, GOOD, broken};
use rexian::config::load;
use rexian::config::settings::{CaseStoreSettings, Encryption, PostgresAt, PostgresSettings};

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("ca.pem", Pki::new().ca);
    folder.write("text", "nothing of the kind");
    folder.write("secret", "Zq-db-7919\nand more\n");
    folder.write("empty", "");
    folder
}

fn with(cases: &str) -> String {
    format!("{GOOD}[storage]\ncases = {cases}\n")
}

fn postgres(folder: &Folder, cases: &str) -> PostgresSettings {
    let settings = load(&folder.write("rexian.toml", with(cases))).unwrap_or_else(|p| panic!("{cases}: {p:?}"));
    match settings.world.cases {
        CaseStoreSettings::Postgres(at) => at,
        CaseStoreSettings::Sqlite(path) => panic!("{cases}: {}", path.display()),
    }
}

#[test]
fn a_database_by_its_address() {
    let folder = folder();
    for (cases, shown, encrypted) in [
        (r#""postgres://rexian@127.0.0.1/tickets""#, "postgres://rexian@127.0.0.1:5432/tickets", "None"),
        (r#""postgresql://rexian@[::1]:5433/tickets""#, "postgres://rexian@[::1]:5433/tickets", "None"),
        (r#""postgres://r@/t?host=/run/postgresql""#, "postgres://r@:5432/t?host=/run/postgresql", ""),
        (r#"{ url = "postgres://r@db.site/t", ca = "ca.pem" }"#, "postgres://r@db.site:5432/t", "Verified"),
        (r#"{ url = "postgres://r@127.0.0.1/t", ca = "ca.pem" }"#, "postgres://r@127.0.0.1:5432/t", "Verified"),
        (r#"{ url = "postgres://r@10.1.0.9/t", sslmode = "require" }"#, "postgres://r@10.1.0.9:5432/t", "Unverified"),
        (r#"{ url = "postgres://r@10.1.0.9/t", sslmode = "disable" }"#, "postgres://r@10.1.0.9:5432/t", "None"),
    ] {
        let settings = postgres(&folder, cases);
        assert_eq!((settings.to_string().as_str(), settings.connections, &settings.password), (shown, 4, &None));
        let found = match &settings.at {
            PostgresAt::Socket { .. } => "",
            PostgresAt::Tcp { encryption: Encryption::None, .. } => "None",
            PostgresAt::Tcp { encryption: Encryption::Unverified, .. } => "Unverified",
            PostgresAt::Tcp { encryption: Encryption::Verified { ca }, .. } => {
                assert!(ca.is_file(), "beside the configuration");
                "Verified"
            }
        };
        assert_eq!(found, encrypted, "{cases}");
    }
    let file = load(&folder.write("rexian.toml", with("\"postgres.db\""))).expect("a file");
    assert_eq!(file.world.cases, CaseStoreSettings::Sqlite("postgres.db".into()));
}

#[test]
fn a_password_out_of_a_file_or_the_environment_is_shown_nowhere() {
    let folder = folder();
    let settings =
        postgres(&folder, r#"{ url = "postgres://r@127.0.0.1/t", password_file = "secret", connections = 9 }"#);
    assert_eq!((&*settings.password.clone().unwrap().0, settings.connections), ("Zq-db-7919", 9));
    assert!(!format!("{settings:?} {settings}").contains("7919"));
    // A variable that every test process has.
    let settings = postgres(&folder, r#"{ url = "postgres://r@127.0.0.1/t", password_env = "PATH" }"#);
    assert_eq!(*settings.password.unwrap().0, *std::env::var("PATH").unwrap());
}

#[test]
fn what_cannot_be_used_is_named_with_its_line() {
    let folder = folder();
    let form =
        r#"write it as "postgres://user@host:5432/database", or "postgres://user@/database?host=/run/postgresql""#;
    let address = |what: &str| format!("19: the address of the case store {what} | {form}");
    for (cases, wanted) in [
        (r#""postgres://r:geheim@db/t""#, address("holds a password, which belongs into password_file or password_env")),
        (r#""postgres://127.0.0.1/t""#, address("names no user")),
        (r#""postgres://r@127.0.0.1""#, address("names no database")),
        (r#""postgres://r@127.0.0.1/""#, address("names no user and database in plain letters")),
        (r#""postgres://r@/t""#, address("names no host")),
        (r#""postgres://r@127.0.0.1:0/t""#, address("has a port that is none")),
        (
            r#""postgres://r@127.0.0.1/t?sslmode=prefer""#,
            address("has parameters behind the question mark: they are keys of their own here"),
        ),
        (r#"{ url = "mysql://r@db/t" }"#, address("does not begin with postgres://")),
        (
            r#""postgres://r@10.1.0.9/t""#,
            "19: the case store is on another machine, and by whose certificate it is known is not said | \
             add ca = \"db-ca.pem\" (cases = { url = ..., ca = ... }); or sslmode = \"disable\" on a network of your own"
                .into(),
        ),
        (
            r#"{ url = "postgres://r@10.1.0.9/t", ca = "text" }"#,
            "19: ca of the case store: text holds no certificate | name a PEM file that the program's user may read".into(),
        ),
        (
            r#"{ url = "postgres://r@10.1.0.9/t", ca = "ca.pem", sslmode = "require" }"#,
            "19: ca of the case store is of no use: this sslmode asks for no certificate | write sslmode = \"verify-full\", or remove ca".into(),
        ),
        (
            r#"{ url = "postgres://r@10.1.0.9/t", sslmode = "prefer" }"#,
            "19: sslmode = \"prefer\" in cases of [storage] is not a known word | use one of: disable, require, verify-full".into(),
        ),
        (
            r#"{ url = "postgres://r@/t?host=/run", sslmode = "require" }"#,
            "19: sslmode and ca of the case store are of no use: a socket of this machine is not encrypted | remove them".into(),
        ),
        (
            r#"{ url = "postgres://r@127.0.0.1/t", password_file = "none" }"#,
            "19: password_file = \"none\" cannot be read: No such file or directory (os error 2) | mend the path (it is beside this file) or its permissions".into(),
        ),
        (
            r#"{ url = "postgres://r@127.0.0.1/t", password_file = "empty" }"#,
            "19: the password of the case store is empty | write it into the first line; a server that asks for none needs neither key".into(),
        ),
        (
            r#"{ url = "postgres://r@127.0.0.1/t", password_env = "REXIAN_NO_SUCH" }"#,
            "19: password_env = \"REXIAN_NO_SUCH\": there is no such environment variable | set it for this program (and for `check`), or use password_file".into(),
        ),
        (
            r#"{ url = "postgres://r@127.0.0.1/t", password_file = "secret", password_env = "PATH" }"#,
            "19: cases of [storage] has both password_file and password_env | keep one of them".into(),
        ),
        (
            r#"{ url = "postgres://r@127.0.0.1/t", password = "geheim-geheim" }"#,
            "19: unknown key password in cases of [storage] | remove it; known here: url, sslmode, ca, connections, password_file, password_env".into(),
        ),
        (r#"{ url = "postgres://r@127.0.0.1/t", connections = 0 }"#, "19: connections = 0 in cases of [storage] is not a whole number from 1 to 64 | choose one in that range, without quotes".into()),
    ] {
        let problems = folder.problems(&with(cases));
        assert_eq!(problems, [wanted], "{cases}");
        assert!(!problems[0].contains("geheim"), "{problems:?}");
    }
    broken(
        &[("", "[storage]\ncases = {}\n")],
        &["19: cases of [storage] has no url | add url = \"postgres://rexian@10.1.0.9/rexian\""],
    );
}

#[test]
fn events_are_shipped_to_the_database_of_the_tickets_or_to_one_of_their_own() {
    let folder = folder();
    let shipped = |storage: &str| {
        let text = format!("{GOOD}[storage]\n{storage}\n");
        let settings = load(&folder.write("rexian.toml", text)).unwrap_or_else(|p| panic!("{storage}: {p:?}"));
        settings.world.ship_events
    };
    let tickets = r#"cases = { url = "postgres://r@127.0.0.1/t", password_file = "secret" }"#;
    let own = r#"ship_events = { url = "postgres://log@10.1.0.9/events", ca = "ca.pem" }"#;
    assert_eq!(shipped(tickets), None);
    assert_eq!(shipped(&format!("{tickets}\nship_events = false")), None);
    let with_tickets = shipped(&format!("{tickets}\nship_events = true")).unwrap();
    assert_eq!(with_tickets.to_string(), "postgres://r@127.0.0.1:5432/t");
    assert_eq!((with_tickets.password.is_some(), with_tickets.connections), (true, 1));
    assert_eq!(shipped(own).unwrap().to_string(), "postgres://log@10.1.0.9:5432/events");
    assert_eq!(shipped(r#"ship_events = "postgres://log@/events?host=/run/postgresql""#).unwrap().user, "log");

    for (storage, wanted) in [
        (
            "ship_events = true",
            "19: ship_events = true in [storage], but the tickets are in no database | name one: ship_events = \"postgres://user@host/database\"",
        ),
        (
            "ship_events = \"events.db\"",
            "19: the address of the event log's copy does not begin with postgres:// | write it as \"postgres://user@host:5432/database\", or \"postgres://user@/database?host=/run/postgresql\"",
        ),
        (
            "ship_events = \"postgres://log@127.0.0.1/events\"\nevents = \"\"",
            "19: ship_events in [storage] has nothing to ship: no event log is kept | remove ship_events, or name a file as events: what is shipped is written there first",
        ),
        (
            "ship_events = \"postgres://log@10.1.0.9/events\"",
            "19: the event log's copy is on another machine, and by whose certificate it is known is not said | add ca = \"db-ca.pem\" (ship_events = { url = ..., ca = ... }); or sslmode = \"disable\" on a network of your own",
        ),
    ] {
        assert_eq!(folder.problems(&format!("{GOOD}[storage]\n{storage}\n")), [wanted], "{storage}");
    }
}
