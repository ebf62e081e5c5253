//! The tables of the file that describe people: shifts, agents, seats. Belongs here: each entry's own meaning and its
//! uniqueness. Not here: trunks (`trunks`), queues and the ways to them (`queues`, `lines`), whether entries fit each
//! other (`cross`).

use super::hours::{hours, moment};
use super::pages::password_hash;
use super::queues::some_text;
use super::reader::{At, Section};
use super::sections::beside;
use super::settings::{AgentSettings, SeatSettings, ShiftSettings, Srtp};
use crate::ids::{AgentNo, Skill};
use std::collections::BTreeMap;

pub(super) struct AgentEntry {
    pub agent: AgentSettings,
    pub skills: Vec<At<Skill>>,
    pub shifts: Vec<At<String>>,
    pub password_hash: Option<At<String>>,
}

pub(super) struct SeatEntry {
    pub seat: SeatSettings,
    pub line: usize,
    pub secret_line: usize,
    pub dial_plan: Option<At<String>>,
}

/// The entry's identity: there, well-formed, and nobody else's. Otherwise the entry is skipped.
pub(super) fn identity(
    section: &Section<'_>,
    key: &'static str,
    example: &str,
    good: fn(&str) -> bool,
    taken: &mut BTreeMap<String, usize>,
) -> Option<At<String>> {
    let Some(found) = section.string(key) else {
        if !section.has(key) {
            section.missing(key, format_args!("{example:?}"));
        }
        return None;
    };
    if !good(&found.value) {
        let what = format!("{key} = {:?} in {} cannot be used", found.value, section.name);
        section.file.problem(found.line, what, format!("write it as {example:?}"));
        return None;
    }
    if let Some(first) = taken.get(&found.value) {
        let what = format!("{key} = {:?} in {} is there twice, first in line {first}", found.value, section.name);
        section.file.problem(found.line, what, "give this one another or remove it");
        return None;
    }
    taken.insert(found.value.clone(), found.line);
    Some(found)
}

pub(super) fn is_name(s: &str) -> bool {
    (1..=64).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// `srtp` of a trunk or a seat.
pub(super) fn srtp(section: &Section<'_>) -> Srtp {
    let words = [("never", Srtp::Never), ("if-offered", Srtp::IfOffered), ("required", Srtp::Required)];
    section.choice("srtp", &words).map_or(Srtp::default(), |at| at.value)
}

/// What a phone can dial after the sign-in code.
fn is_sign_in(s: &str) -> bool {
    (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn shifts(sections: Vec<Section<'_>>) -> Vec<ShiftSettings> {
    let mut taken = BTreeMap::new();
    let shift = |section: Section<'_>| {
        let name = identity(&section, "name", "early", is_name, &mut taken);
        let hours = hours(&section);
        if !section.has("hours") {
            section.missing("hours", "{ mon-sun = [\"08:00-16:00\"] }");
        }
        section.done();
        Some(ShiftSettings { name: name?.value, hours: hours.map_or_else(Default::default, |at| at.value) })
    };
    sections.into_iter().filter_map(shift).collect()
}

/// `utc_offset`: in whose local time guests come and go.
pub(super) fn agents(sections: Vec<Section<'_>>, utc_offset: i16) -> Vec<AgentEntry> {
    let mut taken = BTreeMap::new();
    sections.into_iter().filter_map(|section| agent(section, utc_offset, &mut taken)).collect()
}

fn agent(section: Section<'_>, utc_offset: i16, taken: &mut BTreeMap<String, usize>) -> Option<AgentEntry> {
    let number = identity(&section, "number", "6632", is_sign_in, taken);
    let skills = section.levels("skills");
    if !section.has("skills") {
        section.missing("skills", "{ mandarin = 10 }");
    }
    let text = |v: &toml_edit::Value| v.as_str().map(str::to_owned);
    let shifts = section.list("shifts", "a text", "put it in double quotes", text).unwrap_or_default();
    let team = some_text(&section, "team").map(|at| at.value);
    let leader = section.boolean("leader").is_some_and(|at| at.value);
    let guest = guest(&section, utc_offset);
    let password_hash = password_hash(&section);
    section.done();
    let agent = AgentSettings {
        number: AgentNo::new(number?.value),
        skills: skills.iter().map(|at| at.value.clone()).collect(),
        team,
        shifts: shifts.iter().map(|at| at.value.clone()).collect(),
        leader,
        guest,
    };
    let skills = skills.into_iter().map(|at| At { value: at.value.0, line: at.line }).collect();
    Some(AgentEntry { agent, skills, shifts, password_hash })
}

fn guest(section: &Section<'_>, utc_offset: i16) -> Option<(u64, u64)> {
    let table = section.inner("guest")?;
    let read = |key| {
        let fix = r#"write local time as "2026-11-25 08:30""#;
        let found = table.text(key, "a moment", fix, |text| moment(text, utc_offset));
        if !table.has(key) {
            table.missing(key, "\"2026-11-25 08:30\"");
        }
        found
    };
    let (from, until) = (read("from"), read("until"));
    table.done();
    let (from, until) = from.zip(until)?;
    if until.value <= from.value {
        let what = format!("guest in {} leaves before coming", section.name);
        section.file.problem(until.line, what, "let until be later than from");
    }
    Some((from.value, until.value))
}

pub(super) fn seats(sections: Vec<Section<'_>>) -> Vec<SeatEntry> {
    let mut taken = BTreeMap::new();
    sections.into_iter().filter_map(|section| seat(section, &mut taken)).collect()
}

fn seat(section: Section<'_>, taken: &mut BTreeMap<String, usize>) -> Option<SeatEntry> {
    let number = identity(&section, "number", "8001", is_name, taken);
    let secret = secret(&section, number.as_ref().map_or("", |at| &at.value));
    let default_agent = section.string("default_agent").map(|at| AgentNo::new(at.value));
    let (dial_plan, srtp) = (some_text(&section, "dial_plan"), srtp(&section));
    let line = section.line;
    section.done();
    let (number, secret) = number.zip(secret)?;
    let plan = dial_plan.as_ref().map(|at| at.value.clone());
    let seat = SeatSettings { default_agent, dial_plan: plan, srtp, ..SeatSettings::new(&number.value, &secret.value) };
    Some(SeatEntry { seat, line, secret_line: secret.line, dial_plan })
}

/// A seat's password, which must not be one to be guessed.
fn secret(section: &Section<'_>, number: &str) -> Option<At<String>> {
    let found = password(section)?;
    if let Some(weakness) = weakness(&found.value, number) {
        let what = format!("the password of seat {number} {weakness}");
        section.file.problem(found.line, what, "generate one: openssl rand -base64 18");
    }
    Some(found)
}

/// `password`, or the first line of `password_file`.
pub(super) fn password(section: &Section<'_>) -> Option<At<String>> {
    let (inline, path) = (section.password("password"), section.string("password_file"));
    match (inline, path) {
        (Some(at), Some(_)) => {
            let what = format!("{} has both password and password_file", section.name);
            section.file.problem(at.line, what, "keep one of them");
            None
        }
        (Some(at), None) => Some(at),
        (None, Some(at)) => first_line(section, &at),
        (None, None) => {
            if !section.has("password") && !section.has("password_file") {
                section.missing("password", "\"...\", or password_file");
            }
            None
        }
    }
}

/// Of the file that `password_file` names.
pub(super) fn first_line(section: &Section<'_>, at: &At<String>) -> Option<At<String>> {
    match std::fs::read_to_string(beside(section, &at.value)) {
        Ok(text) => Some(At { value: text.lines().next().unwrap_or("").trim().to_owned(), line: at.line }),
        Err(e) => {
            let what = format!("password_file = {:?} cannot be read: {e}", at.value);
            section.file.problem(at.line, what, "mend the path (it is beside this file) or its permissions");
            None
        }
    }
}

/// Toll fraud begins with guessed passwords; those a scanner tries are refused.
pub fn weakness(password: &str, number: &str) -> Option<&'static str> {
    let lower = password.to_ascii_lowercase();
    let kinds = password.bytes().collect::<std::collections::BTreeSet<_>>().len();
    match password {
        "" => Some("is empty"),
        _ if password.chars().any(char::is_control) => Some("holds control characters"),
        _ if password.len() < 10 => Some("is shorter than 10 characters"),
        _ if kinds < 5 => Some("repeats a few characters"),
        _ if !number.is_empty() && lower.contains(&number.to_ascii_lowercase()) => Some("contains the number itself"),
        _ if ["password", "123456", "qwerty", "secret", "admin"].iter().any(|w| lower.contains(w)) => {
            Some("contains a word everybody tries")
        }
        _ => None,
    }
}
