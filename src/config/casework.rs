//! `[casework]`: the limits a ticket is held to, and the files of the hotline office: holidays and categories. Belongs here:
//! reading them. Not here: what the files' lines mean (`casework`).

use super::reader::{At, Section};
use super::sections::beside;
use crate::casework::{Calendar, Categories, Fault, Rules};
use std::collections::BTreeSet;
use std::time::Duration;

pub(super) fn casework(section: Section<'_>) -> Rules {
    let mut rules = Rules::default();
    let limits = &mut rules.limits;
    for (key, slot, range) in [
        ("transfer_days", &mut limits.transfer_days, 1..=60),
        ("return_days", &mut limits.return_days, 1..=60),
        ("reply_days", &mut limits.reply_days, 1..=60),
        ("extension_days", &mut limits.extension_days, 1..=60),
        ("extensions", &mut limits.extensions, 0..=10),
        ("redo", &mut limits.redo, 0..=10),
    ] {
        if let Some(found) = section.number(key, range) {
            *slot = found.value;
        }
    }
    if let Some(days) = section.number("repeated_days", 0..=3_650) {
        limits.repeated_within = Duration::from_secs(u64::from(days.value) * 86_400);
    }
    let closes = section.text("closes", "a time of day", r#"write it as "17:30""#, super::hours::clock);
    if let Some(closes) = closes {
        limits.closes = closes.value;
    }
    if let Some(calendar) = table(&section, "calendar", Calendar::parse) {
        rules.calendar = calendar;
    }
    if let Some(categories) = table(&section, "categories", Categories::parse) {
        rules.categories = categories;
    }
    rules.departments = departments(&section, rules.categories.departments());
    section.done();
    rules
}

/// Those named; without names, those of the categories.
fn departments(section: &Section<'_>, classified: BTreeSet<String>) -> BTreeSet<String> {
    let read = |v: &toml_edit::Value| v.as_str().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned);
    let fix = r#"write names in quotes: ["市城市管理局", "水务集团"]"#;
    let Some(named) = section.list("departments", "a department's name", fix, read) else { return classified };
    let line = named.first().map_or(section.line, |at| at.line);
    let named: BTreeSet<String> = named.into_iter().map(|at| at.value).collect();
    for unknown in classified.difference(&named) {
        let what = format!("departments in {} lacks {unknown}, which categories pass tickets to", section.name);
        section.file.problem(line, what, "add it, or mend its name in the file of the categories");
    }
    named
}

/// What the file named by `key` says; its faults are told with its own lines.
fn table<T>(section: &Section<'_>, key: &'static str, parse: fn(&str) -> Result<T, Vec<Fault>>) -> Option<T> {
    let At { value, line } = section.string(key)?;
    let path = beside(section, &value);
    let text = match std::fs::read(&path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| ("is not UTF-8".to_owned(), "save it as CSV UTF-8")),
        Err(e) => {
            Err((format!("cannot be read: {e}"), "name a file beside the configuration; deploy/casework has examples"))
        }
    };
    let text = text.map_err(|(what, fix)| {
        section.file.problem(line, format!("{key} in {}: {} {what}", section.name, path.display()), fix);
    });
    let told = |fault: Fault| section.file.problem_in(&path, fault.line, fault.what, fault.fix);
    parse(&text.ok()?).map_err(|faults| faults.into_iter().for_each(told)).ok()
}
