//! `[[trunks]]`: carriers and PBXs. Belongs here: each trunk's own meaning and its uniqueness. Not here: how a kind of
//! peer speaks (`profile`), whether trunks fit each other (`cross::trunks`).

use super::accounts::accounts;
use super::hops;
use super::people::{identity, is_name, srtp};
use super::profile::DIAL_FORMS;
use super::reader::{At, Section, closest};
use super::sections::is_number;
use super::settings::{CallOut, Cidr, DialForm, Profile, TrunkSettings};
use std::collections::BTreeMap;
use std::net::IpAddr;

pub(super) struct TrunkEntry {
    pub trunk: TrunkSettings,
    pub peers: Vec<At<Cidr>>,
    /// If it is given.
    pub max_calls: Option<At<u32>>,
    /// Where each of its hops stands.
    pub hops: Vec<usize>,
    /// Where the first of its accounts stands.
    pub account: usize,
}

/// `most`: what all trunks may carry together.
pub(super) fn trunks(sections: Vec<Section<'_>>, profiles: &BTreeMap<String, Profile>, most: u32) -> Vec<TrunkEntry> {
    let mut taken = (BTreeMap::new(), BTreeMap::new());
    sections.into_iter().filter_map(|section| trunk(section, profiles, most, &mut taken)).collect()
}

fn trunk(
    section: Section<'_>,
    profiles: &BTreeMap<String, Profile>,
    most: u32,
    (names, addresses): &mut (BTreeMap<String, usize>, BTreeMap<String, usize>),
) -> Option<TrunkEntry> {
    let name = identity(&section, "name", "unicom-1", is_name, names);
    let fix = r#"write it as "10.1.0.0/16" or "10.1.0.7", no host bits set, not the whole internet"#;
    let peers = section.list("peers", "a network", fix, |v| v.as_str().and_then(cidr));
    if peers.as_ref().map_or(!section.has("peers"), Vec::is_empty) {
        let what = format!("{} allows no peers, so no call can come in by it", section.name);
        section.file.problem(section.line, what, r#"add peers = ["10.1.0.7"], the addresses the carrier sends from"#);
    }
    let max_calls = section.number("max_calls", 1..=100_000);
    let calls_per_10s = max_calls.as_ref().map_or(most.min(200), |at| at.value);
    let calls_per_10s = hops::calls_per_10s(&section, calls_per_10s);
    let found = hops::hops(&section);
    let (probe, callers) = (hops::probe(&section), hops::callers(&section));
    let hop_patience = section.duration("hop_patience", false);
    let accounts = accounts(&section, addresses);
    let srtp = srtp(&section);
    let named = section.string("profile").unwrap_or(At { value: "generic".into(), line: section.line });
    let profile = profiles.get(&named.value);
    if profile.is_none() {
        let fix = match closest(&named.value, profiles.keys().map(String::as_str)) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("known profiles: {}", profiles.keys().cloned().collect::<Vec<_>>().join(", ")),
        };
        section.file.problem(named.line, format!("there is no profile {:?}", named.value), fix);
    }
    let call_out = call_out(&section, profile);
    if found.is_empty() && !section.has("hops") {
        let waiting = [("call_out", call_out.as_ref().map(|at| at.line)), ("probe", probe.as_ref().map(|at| at.line))];
        for (key, line) in waiting.into_iter().filter_map(|(key, line)| line.map(|line| (key, line))) {
            let what = format!("{key} of {} has nowhere to go", section.name);
            section.file.problem(line, what, r#"add hops = ["10.1.0.7:5060"], where the carrier takes calls"#);
        }
    }
    section.done();
    let peers = peers.unwrap_or_default();
    let networks = peers.iter().map(|at| at.value).collect();
    let usual = TrunkSettings::new(&name?.value, networks, profile?.clone());
    let trunk = TrunkSettings {
        max_calls: max_calls.as_ref().map_or(most.min(200), |at| at.value),
        calls_per_10s,
        hops: found.iter().map(|at| at.value.clone()).collect(),
        probe: probe.map(|at| at.value),
        callers,
        call_out: call_out.as_ref().map(|at| at.value.clone()),
        hop_patience: hop_patience.map_or(usual.hop_patience, |at| at.value),
        accounts: accounts.iter().map(|at| at.value.clone()).collect(),
        srtp,
        ..usual
    };
    let hops = found.iter().map(|at| at.line).collect();
    let account = accounts.first().map_or(0, |at| at.line);
    Some(TrunkEntry { trunk, peers, max_calls, hops, account })
}

/// The profile's own way to dial counts where none is named.
fn call_out(section: &Section<'_>, profile: Option<&Profile>) -> Option<At<CallOut>> {
    let table = section.inner("call_out")?;
    let number = |text: &str| is_number(text.strip_prefix('+').unwrap_or(text)).then(|| text.to_owned());
    let from = table.text("from", "a telephone number", r#"write digits, as "053112345""#, number);
    let usual = profile.map_or(DialForm::default(), |p| p.dial);
    let dial = table.choice("dial", &DIAL_FORMS).map_or(usual, |at| at.value);
    if !table.has("from") {
        table.missing("from", "\"053112345\"");
    }
    let line = table.line;
    table.done();
    Some(At { value: CallOut { from: from?.value, dial }, line })
}

/// A network without host bits; a lone address is a network of one.
pub(super) fn cidr(text: &str) -> Option<Cidr> {
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
            let shown = cidr(text).map(|c| c.to_string());
            assert_eq!(shown.as_deref(), wanted, "{text}");
        }
    }
}
