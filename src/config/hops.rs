//! What a trunk's entry says of its hops, their health, its pace and its callers. Belongs here: these keys' own forms.
//! Not here: the rest of the entry (`trunks`), whether hops are peers (`cross::trunks`).

use super::reader::{At, Form, Section};
use super::settings::{Hop, Host, NumberRules, Probe, Transport};
use std::net::IpAddr;

const HOP: &str = "an address or a name";
const HOP_FIX: &str = r#"write it as "10.1.0.7:5060", "[fd00::7]:5060", "tcp:10.1.0.7" or "tls:sbc.carrier.cn""#;

pub(super) fn hops(section: &Section<'_>) -> Vec<At<Hop>> {
    let mut found: Vec<At<Hop>> = vec![];
    for At { value, line } in section.forms("hops", HOP, HOP_FIX) {
        let hop = match value {
            Form::Table(table) => from_table(table),
            Form::Word(text) => {
                let read = hop(&text);
                if read.is_none() {
                    section.file.problem(line, format!("{text:?} in hops of {} is not {HOP}", section.name), HOP_FIX);
                }
                read
            }
        };
        let Some(hop) = hop else { continue };
        let same = |other: &&At<Hop>| {
            (other.value.transport, &other.value.host, other.value.port) == (hop.transport, &hop.host, hop.port)
        };
        if let Some(first) = found.iter().find(same) {
            let what = format!("hops of {} names one hop twice, first in line {}", section.name, first.line);
            section.file.problem(line, what, "remove one of them; a larger share of the calls is weight = 2");
            continue;
        }
        found.push(At { value: hop, line });
    }
    found
}

fn from_table(table: Section<'_>) -> Option<Hop> {
    let hop = table.text("to", HOP, HOP_FIX, hop);
    if !table.has("to") {
        table.missing("to", "\"10.1.0.7:5060\"");
    }
    let priority = table.number("priority", 0..=65_535).map_or(0, |at| at.value as u16);
    let weight = table.number("weight", 1..=1_000).map_or(1, |at| at.value as u16);
    let address = |v: &toml_edit::Value| v.as_str()?.parse::<IpAddr>().ok();
    let fallback = table.list("fallback", "an address", r#"write it as "10.1.0.7", without a port"#, address);
    let fallback_line = table.line_of("fallback");
    let mut hop = hop.map(|at| Hop { priority, weight, ..at.value });
    match (hop.as_mut().map(|hop| &mut hop.host), fallback) {
        (Some(Host::Name { fallback, .. }), Some(found)) => *fallback = found.into_iter().map(|at| at.value).collect(),
        (Some(Host::Address(_)), Some(_)) => {
            let what = format!("{} is an address, which needs no fallback", table.name);
            table.file.problem(fallback_line, what, "write it as a further hop with a higher priority");
        }
        _ => {}
    }
    table.done();
    hop
}

/// `tls:sbc.carrier.cn`, `10.1.0.7:5060`, `tcp:[fd00::7]:5060`.
fn hop(text: &str) -> Option<Hop> {
    let transports = [("udp:", Transport::Udp), ("tcp:", Transport::Tcp), ("tls:", Transport::Tls)];
    let named = transports.into_iter().find_map(|(word, t)| text.strip_prefix(word).map(|rest| (t, rest)));
    let (transport, place) = named.unwrap_or((Transport::Udp, text));
    if let Ok(address) = place.parse::<IpAddr>() {
        return Some(Hop::new(transport, Host::Address(address), None));
    }
    if let Some((address, rest)) = place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let port = if rest.is_empty() { None } else { Some(port(rest.strip_prefix(':')?)?) };
        return Some(Hop::new(transport, Host::Address(IpAddr::V6(address.parse().ok()?)), port));
    }
    let (host, port) = match place.split_once(':') {
        Some((host, number)) => (host, Some(port(number)?)),
        None => (place, None),
    };
    let host = match host.parse() {
        Ok(address) => Host::Address(IpAddr::V4(address)),
        Err(_) if is_host_name(host) => Host::Name { name: host.to_ascii_lowercase(), fallback: vec![] },
        Err(_) => return None,
    };
    Some(Hop::new(transport, host, port))
}

fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}

/// RFC 1123 s2.1; a last label of digits only is a mistyped address.
fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253
        && name.split('.').all(label)
        && name.rsplit('.').next().is_some_and(|last| !last.bytes().all(|b| b.is_ascii_digit()))
}

/// `"30s"`, or `{ every = "30s", misses = 3 }`.
pub(super) fn probe(section: &Section<'_>) -> Option<At<Probe>> {
    let usual = Probe::default();
    if section.is_table("probe") {
        let table = section.inner("probe")?;
        let every = table.duration("every", false).map_or(usual.every, |at| at.value);
        let misses = table.number("misses", 1..=20).map_or(usual.misses, |at| at.value);
        let line = table.line;
        table.done();
        return Some(At { value: Probe { every, misses }, line });
    }
    let every = section.duration("probe", false)?;
    Some(At { value: Probe { every: every.value, ..usual }, line: every.line })
}

/// A number, or a share of `max_calls` in percent.
pub(super) fn calls_per_10s(section: &Section<'_>, max_calls: u32) -> Option<u32> {
    let read = |v: &toml_edit::Value| {
        let share =
            |text: &str| text.strip_suffix('%')?.parse::<u32>().ok().filter(|share| (1..=1_000).contains(share));
        let number = v.as_integer().and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=100_000).contains(n));
        let of_max = |share: u32| (u64::from(max_calls) * u64::from(share)).div_ceil(100) as u32;
        number.or_else(|| v.as_str().and_then(share).map(of_max))
    };
    let wanted = "a number of calls or a share of max_calls";
    section.read("calls_per_10s", wanted, r#"write it as 30, or as "15%""#, read).map(|at| at.value)
}

/// `{ allow = [...], deny = [...] }`.
pub(super) fn callers(section: &Section<'_>) -> NumberRules {
    let Some(table) = section.inner("callers") else { return NumberRules::default() };
    let fix = r#"write it as "+86531", "95588" or "anonymous""#;
    let list = |key| {
        table.list(key, "the beginning of a number", fix, |v| v.as_str().filter(|n| is_prefix(n)).map(str::to_owned))
    };
    let (allow, deny) = (list("allow"), list("deny"));
    let plain = |list: Vec<At<String>>| list.into_iter().map(|at| at.value).collect::<Vec<_>>();
    let line = table.line_of("allow");
    if table.has("allow") && allow.as_ref().is_some_and(Vec::is_empty) {
        table.file.problem(
            line,
            format!("allow in {} lets nobody in", table.name),
            "name whose calls are taken, or remove it",
        );
    }
    let rules = NumberRules { allow: allow.map(plain), deny: deny.map_or(vec![], plain) };
    if let Some(both) = rules.allow.iter().flatten().find(|prefix| rules.deny.contains(prefix)) {
        let what = format!("{both} is both allowed and denied in {}", table.name);
        table.file.problem(line, what, "remove it from one of the two");
    }
    table.done();
    rules
}

/// As numbers are after normalisation: with the country code, or a short service number.
fn is_prefix(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit());
    match text.strip_prefix('+') {
        Some(rest) => digits(rest),
        None => text == "anonymous" || (digits(text) && !text.starts_with('0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_as_people_write_them() {
        let shown = |hop: Hop| {
            let host = match hop.host {
                Host::Address(address) => format!("address {address}"),
                Host::Name { name, .. } => format!("name {name}"),
            };
            format!("{} {host} {}", hop.transport.as_str(), hop.port.map_or("-".into(), |port| port.to_string()))
        };
        for (text, wanted) in [
            ("10.1.0.7:5060", Some("udp address 10.1.0.7 5060")),
            ("10.1.0.7", Some("udp address 10.1.0.7 -")),
            ("tcp:10.1.0.7:5080", Some("tcp address 10.1.0.7 5080")),
            ("tls:SBC.carrier.cn", Some("tls name sbc.carrier.cn -")),
            ("udp:sbc.carrier.cn:5062", Some("udp name sbc.carrier.cn 5062")),
            ("sbc", Some("udp name sbc -")),
            ("[fd00::7]:5060", Some("udp address fd00::7 5060")),
            ("tls:[fd00::7]", Some("tls address fd00::7 -")),
            ("fd00::7", Some("udp address fd00::7 -")),
            ("10.1.0.300", None),
            ("10.1.0", None),
            ("10.1.0.7:0", None),
            ("10.1.0.7:sip", None),
            ("sctp:10.1.0.7", None),
            ("sip:10.1.0.7", None),
            ("-a.cn", None),
            ("a..cn", None),
            ("a b", None),
            ("[10.1.0.7]:5060", None),
            ("", None),
            ("tls:", None),
        ] {
            assert_eq!(hop(text).map(shown).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn beginnings_of_numbers() {
        for (text, good) in [
            ("+86531", true),
            ("+1", true),
            ("95588", true),
            ("anonymous", true),
            ("0531", false),
            ("00", false),
            ("+", false),
            ("", false),
            ("+86-531", false),
            ("unknown", false),
        ] {
            assert_eq!(is_prefix(text), good, "{text}");
        }
    }
}
