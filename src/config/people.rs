//! The tables of the file that describe the hotline: trunks, queues, agents, seats. Belongs here: each entry's own
//! meaning and its uniqueness. Not here: whether entries fit each other (`cross`).

use super::reader::{At, Section, closest};
use super::sections::beside;
use super::settings::{AgentSettings, Cidr, Profile, QueueSettings, SeatSettings, Secret, TrunkSettings};
use crate::ids::{AgentNo, QueueName, SeatNo, Skill, TrunkName};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What `[queue_defaults]` may set for every queue that does not set it itself.
pub(super) const QUEUE_DEFAULTS: [&str; 12] = [
    "min_level",
    "priority",
    "within",
    "short_abandon",
    "max_waiting",
    "max_wait",
    "ring_timeout",
    "wrap_up",
    "greeting",
    "music",
    "announce_agent",
    "test",
];

/// A queue and where its parts stood.
pub(super) struct QueueEntry {
    pub queue: QueueSettings,
    pub line: usize,
    pub numbers: Vec<At<String>>,
    pub prompts: Vec<At<String>>,
}

pub(super) struct TrunkEntry {
    pub trunk: TrunkSettings,
    pub peers: Vec<At<Cidr>>,
}

pub(super) struct AgentEntry {
    pub agent: AgentSettings,
    pub skills: Vec<At<Skill>>,
}

pub(super) struct SeatEntry {
    pub seat: SeatSettings,
    pub line: usize,
    pub secret_line: usize,
}

/// The entry's identity: there, well-formed, and nobody else's. Otherwise the entry is skipped.
fn identity(
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

fn is_name(s: &str) -> bool {
    (1..=64).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// What a phone can dial after the sign-in code.
fn is_number(s: &str) -> bool {
    (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn trunks(sections: Vec<Section<'_>>, profiles: &BTreeMap<String, Profile>) -> Vec<TrunkEntry> {
    let mut taken = BTreeMap::new();
    sections.into_iter().filter_map(|section| trunk(section, profiles, &mut taken)).collect()
}

fn trunk(
    section: Section<'_>,
    profiles: &BTreeMap<String, Profile>,
    taken: &mut BTreeMap<String, usize>,
) -> Option<TrunkEntry> {
    let name = identity(&section, "name", "unicom-1", is_name, taken);
    let fix = r#"write it as "10.1.0.0/16" or "10.1.0.7", no host bits set, not the whole internet"#;
    let peers = section.list("peers", "a network", fix, |v| v.as_str().and_then(cidr));
    if peers.as_ref().map_or(!section.has("peers"), Vec::is_empty) {
        let what = format!("{} allows no peers, so no call can come in by it", section.name);
        section.file.problem(section.line, what, r#"add peers = ["10.1.0.7"], the addresses the carrier sends from"#);
    }
    let max_calls = section.number("max_calls", 1..=100_000).map_or(200, |at| at.value);
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
        max_calls,
        profile: profile?.clone(),
        call_out: None,
    };
    Some(TrunkEntry { trunk, peers })
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

pub(super) fn queues(sections: Vec<Section<'_>>) -> Vec<QueueEntry> {
    let mut taken = BTreeMap::new();
    sections.into_iter().filter_map(|section| queue(section, &mut taken)).collect()
}

fn queue(section: Section<'_>, taken: &mut BTreeMap<String, usize>) -> Option<QueueEntry> {
    let name = identity(&section, "name", "mandarin", is_name, taken);
    let called = |v: &toml_edit::Value| v.as_str().filter(|s| !s.trim().is_empty()).map(str::to_owned);
    let numbers = section.list("numbers", "a called number", r#"write it as "12345", in quotes"#, called);
    if numbers.as_ref().map_or(!section.has("numbers"), Vec::is_empty) {
        let what = format!("{} has no numbers, so no call reaches it", section.name);
        section.file.problem(section.line, what, r#"add numbers = ["12345"]"#);
    }
    let skill = section.string("skill").filter(|at| !at.value.is_empty());
    if skill.is_none() && !section.has("skill") {
        section.missing("skill", "\"mandarin\"");
    }
    let usual = QueueSettings::new("", "");
    let duration = |key, zero, usual| section.duration(key, zero).map_or(usual, |at| at.value);
    let text = |key| section.string(key).filter(|at| !at.value.is_empty());
    let greeting = text("greeting");
    let music = text("music");
    let numbers = numbers.unwrap_or_default();
    let settings = QueueSettings {
        name: QueueName::new(name.as_ref().map_or("", |at| &at.value)),
        numbers: numbers.iter().map(|at| at.value.clone()).collect(),
        skill: Skill::new(skill.as_ref().map_or("", |at| &at.value)),
        min_level: section.number("min_level", 1..=10).map_or(usual.min_level, |at| at.value as u8),
        priority: section.number("priority", 0..=9).map_or(usual.priority, |at| at.value as u8),
        within: duration("within", false, usual.within),
        short_abandon: duration("short_abandon", true, usual.short_abandon),
        max_waiting: section.number("max_waiting", 1..=1_000_000).map_or(usual.max_waiting, |at| at.value),
        max_wait: section.duration("max_wait", false).map(|at| at.value),
        ring_timeout: duration("ring_timeout", false, usual.ring_timeout),
        wrap_up: duration("wrap_up", true, usual.wrap_up),
        greeting: greeting.as_ref().map(|at| at.value.as_str().into()),
        music: music.as_ref().map_or(usual.music.clone(), |at| at.value.as_str().into()),
        announce_agent: section.boolean("announce_agent").is_none_or(|at| at.value),
        language: text("language").map(|at| at.value),
        test: section.boolean("test").is_some_and(|at| at.value),
        ..usual
    };
    let line = section.line;
    section.done();
    name.zip(skill)?;
    Some(QueueEntry { queue: settings, line, numbers, prompts: greeting.into_iter().chain(music).collect() })
}

pub(super) fn agents(sections: Vec<Section<'_>>) -> Vec<AgentEntry> {
    let mut taken = BTreeMap::new();
    sections.into_iter().filter_map(|section| agent(section, &mut taken)).collect()
}

fn agent(section: Section<'_>, taken: &mut BTreeMap<String, usize>) -> Option<AgentEntry> {
    let number = identity(&section, "number", "6632", is_number, taken);
    let mut skills = BTreeMap::new();
    let mut places = vec![];
    for (name, At { value, line }) in section.entries("skills") {
        match value.as_integer() {
            Some(level @ 1..=10) => {
                skills.insert(Skill::new(&name), level as u8);
                places.push(At { value: Skill::new(name), line });
            }
            _ => {
                let what = format!("skill {name} = {} is not a level", value.to_string().trim());
                section.file.problem(line, what, "use a whole number from 1 (least) to 10 (best)");
            }
        }
    }
    if !section.has("skills") {
        section.missing("skills", "{ mandarin = 10 }");
    }
    section.done();
    let number = AgentNo::new(number?.value);
    let agent = AgentSettings { skills, ..AgentSettings::new(number.as_str(), []) };
    Some(AgentEntry { agent, skills: places })
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
