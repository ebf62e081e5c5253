//! `[storage]`: the files that are written, and the database the tickets go to. Belongs here: each setting's meaning. Not
//! here: what is kept there (`store`, `cases`).

use super::people::first_line;
use super::reader::{At, File, Section};
use super::sections::{beside, set};
use super::settings::{
    CaseStoreSettings, CoreSettings, Encryption, FactsFile, PostgresAt, PostgresSettings, Secret, WorldSettings,
};
use crate::net::tls::material::{self, Part};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) fn storage(section: Section<'_>, core: &mut CoreSettings, world: &mut WorldSettings) {
    let written = |key, found: At<String>| {
        let path = PathBuf::from(&found.value);
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if found.value.is_empty() || !folder.is_dir() {
            let what = format!("{key} = {:?} in [storage]: no folder {}", found.value, folder.display());
            section.file.problem(found.line, what, "create the folder or name another; it must be writable");
        }
        At { value: path, line: found.line }
    };
    let path = |key| section.string(key).map(|found| written(key, found));
    let spool = path("spool");
    let cases = match section.is_table("cases") {
        true => section.inner("cases").and_then(postgres),
        false => section.string("cases").and_then(|text| match is_url(&text.value) {
            true => database(section.file, text, Terms::default()),
            false => {
                Some(written("cases", text)).map(|at| At { value: CaseStoreSettings::Sqlite(at.value), line: at.line })
            }
        }),
    };
    let line = cases.as_ref().map(|at| at.line).or(spool.as_ref().map(|at| at.line)).unwrap_or(section.line);
    set(&mut world.spool, spool);
    set(&mut world.cases, cases);
    if CaseStoreSettings::Sqlite(world.spool.clone()) == world.cases {
        let what = format!("spool and cases in [storage] are one file, {}", world.spool.display());
        section.file.problem(line, what, "name two: the spool must work while the case store does not");
    }
    set(&mut core.limits.spool_patience, section.duration("spool_patience", true));
    match section.string("events").map(|at| at.value).as_deref() {
        None => {}
        Some("") => world.events = None,
        Some(_) => world.events = path("events").map(|at| at.value),
    }
    match section.string("facts").map(|at| at.value).as_deref() {
        None => {}
        Some("") => world.facts = FactsFile::Nowhere,
        Some(_) => world.facts = path("facts").map_or(FactsFile::Nowhere, |at| FactsFile::At(at.value)),
    }
    set(&mut world.webhook_ledger, path("webhooks"));
    let taken = |path: &PathBuf| *path == world.spool || CaseStoreSettings::Sqlite(path.clone()) == world.cases;
    if let FactsFile::At(facts) = &world.facts
        && (taken(facts) || world.events.as_ref() == Some(facts))
    {
        let what = format!("facts in [storage] is the file of something else, {}", facts.display());
        section.file.problem(section.line, what, "name a file of its own");
    }
    if let Some(events) = world.events.as_ref().filter(|path| taken(path)) {
        let what = format!("events in [storage] is the file of the spool or the cases, {}", events.display());
        section.file.problem(section.line, what, "name a file of its own");
    }
    if let Some(found) = section.string("keep_events") {
        match found
            .value
            .strip_suffix('d')
            .and_then(|days| days.parse::<u64>().ok())
            .filter(|d| (1..=3_660).contains(d))
        {
            Some(days) => world.keep_events = Duration::from_secs(days * 24 * 3_600),
            None => {
                let what = format!("keep_events = {:?} in [storage] is not a number of days", found.value);
                section.file.problem(found.line, what, r#"write it as "400d", at most "3660d""#);
            }
        }
    }
    section.done();
}

/// `sslmode` as PostgreSQL names it, as far as it protects anything.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SslMode {
    Disable,
    Require,
    VerifyFull,
}

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// On what terms the database is spoken to.
struct Terms {
    mode: Option<At<SslMode>>,
    ca: Option<At<PathBuf>>,
    connections: u32,
    password: Option<Secret>,
}

impl Default for Terms {
    fn default() -> Self {
        Terms { mode: None, ca: None, connections: 4, password: None }
    }
}

fn is_url(text: &str) -> bool {
    SCHEMES.iter().any(|scheme| text.starts_with(scheme))
}

/// `cases = { url = "postgres://...", ... }`. `None`: something is wrong, and has been told.
fn postgres(table: Section<'_>) -> Option<At<CaseStoreSettings>> {
    let url = table.string("url");
    if !table.has("url") {
        table.missing("url", r#""postgres://rexian@10.1.0.9/rexian""#);
    }
    let modes = [("disable", SslMode::Disable), ("require", SslMode::Require), ("verify-full", SslMode::VerifyFull)];
    let mode = table.choice("sslmode", &modes);
    let ca = table.string("ca").map(|at| At { value: beside(&table, &at.value), line: at.line });
    let connections = table.number("connections", 1..=64).map_or(4, |at| at.value);
    let password = password(&table);
    let file = table.file;
    let told = table.has("sslmode") && mode.is_none() || table.has("ca") && ca.is_none();
    table.done();
    if told {
        return None;
    }
    database(file, url?, Terms { mode, ca, connections, password: password? })
}

fn database(file: &File, url: At<String>, terms: Terms) -> Option<At<CaseStoreSettings>> {
    let Terms { mode, ca, connections, password } = terms;
    let fix =
        r#"write it as "postgres://user@host:5432/database", or "postgres://user@/database?host=/run/postgresql""#;
    let (mut at, user, database) = parse(&url.value)
        .map_err(|what| file.problem(url.line, format!("the address of the case store {what}"), fix))
        .ok()?;
    match &mut at {
        PostgresAt::Socket { .. } => {
            if let Some(line) =
                mode.filter(|at| at.value != SslMode::Disable).map(|at| at.line).or(ca.map(|at| at.line))
            {
                let what = "sslmode and ca of the case store are of no use: a socket of this machine is not encrypted";
                file.problem(line, what, "remove them");
            }
        }
        PostgresAt::Tcp { host, encryption, .. } => {
            let usual = if is_here(host) && ca.is_none() { SslMode::Disable } else { SslMode::VerifyFull };
            *encryption = encrypt(file, mode.map_or(usual, |at| at.value), ca, url.line)?;
        }
    }
    let settings = PostgresSettings { at, user, database, password, connections };
    Some(At { value: CaseStoreSettings::Postgres(settings), line: url.line })
}

/// The inner `None`: there is none. A password in this file would be read by whoever may read this file.
fn password(table: &Section<'_>) -> Option<Option<Secret>> {
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
        table.file.problem(found.line, "the case store's password is empty", fix);
        return None;
    }
    Some(Some(Secret(found.value.into())))
}

fn encrypt(file: &File, mode: SslMode, ca: Option<At<PathBuf>>, line: usize) -> Option<Encryption> {
    match (mode, ca) {
        (SslMode::Disable, None) => Some(Encryption::None),
        (SslMode::Require, None) => Some(Encryption::Unverified),
        (SslMode::VerifyFull, Some(at)) => match material::roots(Part::Trust, &at.value) {
            Ok(_) => Some(Encryption::Verified { ca: at.value }),
            Err(fault) => {
                let what = format!("ca of the case store: {} {}", fault.file.display(), fault.what);
                file.problem(at.line, what, fault.fix);
                None
            }
        },
        (SslMode::VerifyFull, None) => {
            let what = "the case store is on another machine, and by whose certificate it is known is not said";
            let fix = r#"add ca = "db-ca.pem" (cases = { url = ..., ca = ... }); or sslmode = "disable" on a network of your own"#;
            file.problem(line, what, fix);
            None
        }
        (SslMode::Disable | SslMode::Require, Some(at)) => {
            let what = "ca of the case store is of no use: this sslmode asks for no certificate";
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
