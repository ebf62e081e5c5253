//! A PostgreSQL database as the configuration names it: an URL, or a table with the URL and the terms on which it is
//! spoken to. Belongs here: what they may say. Not here: what is kept there (`storage`), connecting (`cases::postgres`).

use super::people::first_line;
use super::reader::{At, File, Section};
use super::sections::beside;
use super::settings::{Encryption, PostgresAt, PostgresSettings, Secret};
use crate::net::tls::material::{self, Part};
use std::net::IpAddr;
use std::path::PathBuf;

/// What the database is for, as problems name it.
#[derive(Clone, Copy)]
pub(super) struct Whose {
    pub noun: &'static str,
    /// In `[storage]`.
    pub key: &'static str,
}

/// `sslmode` as PostgreSQL names it, as far as it protects anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SslMode {
    Disable,
    Require,
    VerifyFull,
}

/// At once, at most.
const CONNECTIONS: u32 = 4;

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// On what terms the database is spoken to.
struct Terms {
    whose: Whose,
    mode: Option<At<SslMode>>,
    ca: Option<At<PathBuf>>,
    connections: u32,
    password: Option<Secret>,
}

pub(super) fn is_url(text: &str) -> bool {
    SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

/// `"postgres://..."`. `None`: something is wrong, and has been told.
pub(super) fn of_url(file: &File, url: At<String>, whose: Whose) -> Option<At<PostgresSettings>> {
    database(file, url, Terms { whose, mode: None, ca: None, connections: CONNECTIONS, password: None })
}

/// `{ url = "postgres://...", ... }`. `None`: something is wrong, and has been told.
pub(super) fn of_table(table: Section<'_>, whose: Whose) -> Option<At<PostgresSettings>> {
    let url = table.string("url");
    if !table.has("url") {
        table.missing("url", r#""postgres://rexian@10.1.0.9/rexian""#);
    }
    let modes = [("disable", SslMode::Disable), ("require", SslMode::Require), ("verify-full", SslMode::VerifyFull)];
    let mode = table.choice("sslmode", &modes);
    let ca = table.string("ca").map(|at| At { value: beside(&table, &at.value), line: at.line });
    let connections = table.number("connections", 1..=64).map_or(CONNECTIONS, |at| at.value);
    let password = password(&table, whose);
    let file = table.file;
    let told = table.has("sslmode") && mode.is_none() || table.has("ca") && ca.is_none();
    table.done();
    if told {
        return None;
    }
    database(file, url?, Terms { whose, mode, ca, connections, password: password? })
}

fn database(file: &File, url: At<String>, terms: Terms) -> Option<At<PostgresSettings>> {
    let Terms { whose, mode, ca, connections, password } = terms;
    let fix =
        r#"write it as "postgres://user@host:5432/database", or "postgres://user@/database?host=/run/postgresql""#;
    let (mut at, user, database) = parse(&url.value)
        .map_err(|what| file.problem(url.line, format!("the address of {} {what}", whose.noun), fix))
        .ok()?;
    match &mut at {
        PostgresAt::Socket { .. } => {
            if let Some(line) =
                mode.filter(|at| at.value != SslMode::Disable).map(|at| at.line).or(ca.map(|at| at.line))
            {
                let what = format!(
                    "sslmode and ca of {} are of no use: a socket of this machine is not encrypted",
                    whose.noun
                );
                file.problem(line, what, "remove them");
            }
        }
        PostgresAt::Tcp { host, encryption, .. } => {
            let usual = if is_here(host) && ca.is_none() { SslMode::Disable } else { SslMode::VerifyFull };
            *encryption = encrypt(file, whose, mode.map_or(usual, |at| at.value), ca, url.line)?;
        }
    }
    let settings = PostgresSettings { at, user, database, password, connections };
    Some(At { value: settings, line: url.line })
}

/// The inner `None`: there is none. A password in this file would be read by whoever may read this file.
fn password(table: &Section<'_>, whose: Whose) -> Option<Option<Secret>> {
    let (file, variable) = (table.string("password_file"), table.string("password_env"));
    let found = match (file, variable) {
        (None, None) => return (!table.has("password_file") && !table.has("password_env")).then_some(None),
        (Some(at), Some(_)) => {
            let what = format!("{} has both password_file and password_env", table.name);
            table.file.problem(at.line, what, "keep one of them");
            return None;
        }
        (Some(at), None) => first_line(table, &at)?,
        (None, Some(at)) => match std::env::var(&at.value) {
            Ok(value) => At { value, line: at.line },
            Err(_) => {
                let what = format!("password_env = {:?}: there is no such environment variable", at.value);
                table.file.problem(at.line, what, "set it for this program (and for `check`), or use password_file");
                return None;
            }
        },
    };
    if found.value.is_empty() {
        let fix = "write it into the first line; a server that asks for none needs neither key";
        table.file.problem(found.line, format!("the password of {} is empty", whose.noun), fix);
        return None;
    }
    Some(Some(Secret(found.value.into())))
}

fn encrypt(file: &File, whose: Whose, mode: SslMode, ca: Option<At<PathBuf>>, line: usize) -> Option<Encryption> {
    match (mode, ca) {
        (SslMode::Disable, None) => Some(Encryption::None),
        (SslMode::Require, None) => Some(Encryption::Unverified),
        (SslMode::VerifyFull, Some(at)) => match material::roots(Part::Trust, &at.value) {
            Ok(_) => Some(Encryption::Verified { ca: at.value }),
            Err(fault) => {
                let what = format!("ca of {}: {} {}", whose.noun, fault.file.display(), fault.what);
                file.problem(at.line, what, fault.fix);
                None
            }
        },
        (SslMode::VerifyFull, None) => {
            let what =
                format!("{} is on another machine, and by whose certificate it is known is not said", whose.noun);
            let fix = format!(
                r#"add ca = "db-ca.pem" ({} = {{ url = ..., ca = ... }}); or sslmode = "disable" on a network of your own"#,
                whose.key
            );
            file.problem(line, what, fix);
            None
        }
        (SslMode::Disable | SslMode::Require, Some(at)) => {
            let what = format!("ca of {} is of no use: this sslmode asks for no certificate", whose.noun);
            file.problem(at.line, what, r#"write sslmode = "verify-full", or remove ca"#);
            None
        }
    }
}

/// Where, who, which database; or what is wrong, without a word of the text, which may hold a password.
fn parse(url: &str) -> Result<(PostgresAt, String, String), &'static str> {
    let rest = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme)).ok_or("does not begin with postgres://")?;
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, database) = rest.split_once('/').ok_or("names no database")?;
    let (user, place) = authority.rsplit_once('@').ok_or("names no user")?;
    if user.contains(':') {
        return Err("holds a password, which belongs into password_file or password_env");
    }
    let plain = |name: &str| !name.is_empty() && !name.contains(['%', '/', '@', ' ']);
    if !plain(user) || !plain(database) {
        return Err("names no user and database in plain letters");
    }
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, port)) => (v6, port.strip_prefix(':').unwrap_or(port)),
        None => place.split_once(':').unwrap_or((place, "")),
    };
    let port = match port {
        "" => 5432,
        digits => digits.parse().ok().filter(|port| *port > 0).ok_or("has a port that is none")?,
    };
    let at = match (host, query.map(|query| query.strip_prefix("host="))) {
        ("", Some(Some(folder))) if folder.starts_with('/') => PostgresAt::Socket { folder: folder.into(), port },
        ("", _) => return Err("names no host"),
        (host, None) => PostgresAt::Tcp { host: host.to_owned(), port, encryption: Encryption::None },
        (_, Some(_)) => return Err("has parameters behind the question mark: they are keys of their own here"),
    };
    Ok((at, user.to_owned(), database.to_owned()))
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
