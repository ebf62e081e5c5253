//! The tables of the file that describe trunks and people: trunks, shifts, agents, seats. Belongs here: each entry's own
//! meaning and its uniqueness. Not here: queues and the ways to them (`queues`, `lines`), whether entries fit each other
//! (`cross`).

use super::hours::{hours, moment};
use super::queues::some_text;
use super::reader::{At, Section, closest};
use super::sections::beside;
use super::settings::{
    AgentSettings, CallOut, Cidr, DialForm, Profile, SeatSettings, Secret, ShiftSettings, TrunkSettings,
};
use crate::ids::{AgentNo, SeatNo, Skill, TrunkName};
use std::collections::BTreeMap;
use std::net::IpAddr;

pub(super) struct TrunkEntry {
    pub trunk: TrunkSettings,
    pub peers: Vec<At<Cidr>>,
    /// If it is given.
    pub max_calls: Option<At<u32>>,
    pub call_out: usize,
}

pub(super) struct AgentEntry {
    pub agent: AgentSettings,
    pub skills: Vec<At<Skill>>,
    pub shifts: Vec<At<String>>,
}

pub(super) struct SeatEntry {
    pub seat: SeatSettings,
    pub line: usize,
    pub secret_line: usize,
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

/// What a phone can dial after the sign-in code.
fn is_number(s: &str) -> bool {
    (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit())
}

/// `most`: what all trunks may carry together.
pub(super) fn trunks(sections: Vec<Section<'_>>, profiles: &BTreeMap<String, Profile>, most: u32) -> Vec<TrunkEntry> {
    let mut taken = BTreeMap::new();
    sections.into_iter().filter_map(|section| trunk(section, profiles, most, &mut taken)).collect()
}

fn trunk(
    section: Section<'_>,
    profiles: &BTreeMap<String, Profile>,
    most: u32,
    taken: &mut BTreeMap<String, usize>,
) -> Option<TrunkEntry> {
    let name = identity(&section, "name", "unicom-1", is_name, taken);
    let fix = r#"write it as "10.1.0.0/16" or "10.1.0.7", no host bits set, not the whole internet"#;
    let peers = section.list("peers", "a network", fix, |v| v.as_str().and_then(cidr));
    if peers.as_ref().map_or(!section.has("peers"), Vec::is_empty) {
        let what = format!("{} allows no peers, so no call can come in by it", section.name);
        section.file.problem(section.line, what, r#"add peers = ["10.1.0.7"], the addresses the carrier sends from"#);
    }
    let max_calls = section.number("max_calls", 1..=100_000);
    let call_out = call_out(&section);
    let named = section.string("profile").unwrap_or(At { value: "generic".into(), line: section.line });
    let profile = profiles.get(&named.value);
    if profile.is_none() {
        let fix = match closest(&named.value, profiles.keys().map(String::as_str)) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("known profiles: {}", profiles.keys().cloned().collect::<Vec<_>>().join(", ")),
        };
        section.file.problem(named.line, format!("there is no profile {:?}", named.value), fix);
    }
    section.done();
    let peers = peers.unwrap_or_default();
    let trunk = TrunkSettings {
        name: TrunkName::new(name?.value),
        peers: peers.iter().map(|at| at.value).collect(),
        max_calls: max_calls.as_ref().map_or(most.min(200), |at| at.value),
        profile: profile?.clone(),
        call_out: call_out.as_ref().map(|at| at.value.clone()),
    };
    Some(TrunkEntry { trunk, peers, max_calls, call_out: call_out.map_or(0, |at| at.line) })
}

fn call_out(section: &Section<'_>) -> Option<At<CallOut>> {
    let table = section.inner("call_out")?;
    let address = table.socket("address");
    let number = |text: &str| {
        let digits = text.strip_prefix('+').unwrap_or(text);
        (!digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.to_owned())
    };
    let from = table.text("from", "a telephone number", r#"write digits, as "053112345""#, number);
    let forms = [("local", DialForm::Local), ("national", DialForm::National), ("e164", DialForm::E164)];
    let dial = table.choice("dial", &forms).map_or(DialForm::default(), |at| at.value);
    for (key, example) in [("address", "\"10.1.0.7:5060\""), ("from", "\"053112345\"")] {
        if !table.has(key) {
            table.missing(key, example);
        }
    }
    let line = table.line;
    table.done();
    let (address, from) = address.zip(from)?;
    Some(At { value: CallOut { address: address.value, from: from.value, dial }, line })
}

/// A network without host bits; a lone address is a network of one.
fn cidr(text: &str) -> Option<Cidr> {
    let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
    let address: IpAddr = address.parse().ok()?;
    let bits: u8 = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Some(bits), |p| p.parse().ok().filter(|p| (1..=bits).contains(p)))?;
    let host_bits_clear = match address {
        IpAddr::V4(ip) => u32::from(ip).checked_shl(prefix.into()).unwrap_or(0) == 0,
        IpAddr::V6(ip) => u128::from(ip).checked_shl(prefix.into()).unwrap_or(0) == 0,
    };
    host_bits_clear.then_some(Cidr { address, prefix })
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
    let number = identity(&section, "number", "6632", is_number, taken);
    let skills = section.levels("skills");
    if !section.has("skills") {
        section.missing("skills", "{ mandarin = 10 }");
    }
    let text = |v: &toml_edit::Value| v.as_str().map(str::to_owned);
    let shifts = section.list("shifts", "a text", "put it in double quotes", text).unwrap_or_default();
    let team = some_text(&section, "team").map(|at| at.value);
    let leader = section.boolean("leader").is_some_and(|at| at.value);
    let guest = guest(&section, utc_offset);
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
    Some(AgentEntry { agent, skills, shifts })
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
    let line = section.line;
    section.done();
    let (number, secret) = number.zip(secret)?;
    let seat = SeatSettings { number: SeatNo::new(number.value), secret: Secret(secret.value.into()), default_agent };
    Some(SeatEntry { seat, line, secret_line: secret.line })
}

/// `password`, or the first line of `password_file`.
fn secret(section: &Section<'_>, number: &str) -> Option<At<String>> {
    let (inline, path) = (section.password("password"), section.string("password_file"));
    let found = match (inline, path) {
        (Some(at), Some(_)) => {
            let what = format!("{} has both password and password_file", section.name);
            section.file.problem(at.line, what, "keep one of them");
            return None;
        }
        (Some(at), None) => at,
        (None, Some(at)) => match std::fs::read_to_string(beside(section, &at.value)) {
            Ok(text) => At { value: text.lines().next().unwrap_or("").trim().to_owned(), line: at.line },
            Err(e) => {
                let what = format!("password_file = {:?} cannot be read: {e}", at.value);
                section.file.problem(at.line, what, "mend the path (it is beside this file) or its permissions");
                return None;
            }
        },
        (None, None) => {
            if !section.has("password") && !section.has("password_file") {
                section.missing("password", "\"...\", or password_file");
            }
            return None;
        }
    };
    if let Some(weakness) = weakness(&found.value, number) {
        let what = format!("the password of seat {number} {weakness}");
        section.file.problem(found.line, what, "generate one: openssl rand -base64 18");
    }
    Some(found)
}

/// Toll fraud begins with guessed passwords; those a scanner tries are refused.
fn weakness(password: &str, number: &str) -> Option<&'static str> {
    let lower = password.to_ascii_lowercase();
    let kinds = password.bytes().collect::<std::collections::BTreeSet<_>>().len();
    match password {
        "" => Some("is empty"),
        _ if password.chars().any(char::is_control) => Some("holds control characters"),
        _ if password.len() < 10 => Some("is shorter than 10 characters"),
        _ if kinds < 5 => Some("repeats a few characters"),
        _ if !number.is_empty() && lower.contains(&number.to_ascii_lowercase()) => Some("contains the seat's number"),
        _ if ["password", "123456", "qwerty", "secret", "admin"].iter().any(|w| lower.contains(w)) => {
            Some("contains a word everybody tries")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        for (text, wanted) in [
            ("10.1.0.0/16", Some("10.1.0.0/16")),
            ("10.1.0.7", Some("10.1.0.7/32")),
            ("127.0.0.0/8", Some("127.0.0.0/8")),
            ("fd00::/8", Some("fd00::/8")),
            ("fd00::7", Some("fd00::7/128")),
            ("10.1.0.7/16", None),
            ("10.1.0.0/33", None),
            ("0.0.0.0/0", None),
            ("::/0", None),
            ("10.1.0/16", None),
            ("10.1.0.0/", None),
            ("10.1.0.0/-1", None),
            ("carrier.example", None),
            ("", None),
        ] {
            let shown = cidr(text).map(|c| format!("{}/{}", c.address, c.prefix));
            assert_eq!(shown.as_deref(), wanted, "{text}");
        }
    }
}
