//! `[storage]`: the files that are written, and the databases that tickets and events go to. Belongs here: each setting's
//! meaning. Not here: a database's address and terms (`database`), what is kept there (`store`, `cases`).

use super::database::{self, Whose};
use super::reader::{At, Section};
use super::sections::{days, set};
use super::settings::{CaseStoreSettings, CoreSettings, FactsFile, PostgresSettings, WorldSettings};
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
        true => section.inner("cases").and_then(|table| database::of_table(table, CASES)).map(tickets),
        false => section.string("cases").and_then(|text| match database::is_url(&text.value) {
            true => database::of_url(section.file, text, CASES).map(tickets),
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
    if let Some(days) = days(&section, "keep_events") {
        world.keep_events = Duration::from_secs(u64::from(days.value) * 24 * 3_600);
    }
    world.ship_events = copy(&section, world);
    section.done();
}

const CASES: Whose = Whose { noun: "the case store", key: "cases" };
const COPY: Whose = Whose { noun: "the event log's copy", key: "ship_events" };

fn tickets(found: At<PostgresSettings>) -> At<CaseStoreSettings> {
    At { value: CaseStoreSettings::Postgres(found.value), line: found.line }
}

/// `ship_events`: `true` (where the tickets are), an URL, or a table as of `cases`.
fn copy(section: &Section<'_>, world: &WorldSettings) -> Option<PostgresSettings> {
    let line = section.line_of("ship_events");
    let found = if section.is_table("ship_events") {
        section.inner("ship_events").and_then(|table| database::of_table(table, COPY)).map(|at| at.value)
    } else if !section.is_boolean("ship_events") {
        section.string("ship_events").and_then(|url| database::of_url(section.file, url, COPY)).map(|at| at.value)
    } else if section.boolean("ship_events").is_some_and(|at| !at.value) {
        None
    } else if let CaseStoreSettings::Postgres(at) = &world.cases {
        Some(at.clone())
    } else {
        let what = "ship_events = true in [storage], but the tickets are in no database";
        section.file.problem(line, what, r#"name one: ship_events = "postgres://user@host/database""#);
        None
    };
    if found.is_some() && world.events.is_none() {
        let fix = "remove ship_events, or name a file as events: what is shipped is written there first";
        section.file.problem(line, "ship_events in [storage] has nothing to ship: no event log is kept", fix);
    }
    // One thread ships.
    found.map(|at| PostgresSettings { connections: 1, ..at })
}
