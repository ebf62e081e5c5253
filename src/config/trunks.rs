//! `[[trunks]]`: carriers and PBXs. Belongs here: each trunk's own meaning and its uniqueness. Not here: how a kind of
//! peer speaks (`profile`), whether trunks fit each other (`cross::trunks`).

use super::accounts::accounts;
use super::people::{identity, is_name, srtp};
use super::profile::DIAL_FORMS;
use super::reader::{At, Section, closest};
use super::settings::{CallOut, Cidr, DialForm, Profile, TrunkSettings};
use std::collections::BTreeMap;
use std::net::IpAddr;

pub(super) struct TrunkEntry {
    pub trunk: TrunkSettings,
    pub peers: Vec<At<Cidr>>,
    /// If it is given.
    pub max_calls: Option<At<u32>>,
    pub call_out: usize,
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
    section.done();
    let peers = peers.unwrap_or_default();
    let networks = peers.iter().map(|at| at.value).collect();
    let trunk = TrunkSettings {
        max_calls: max_calls.as_ref().map_or(most.min(200), |at| at.value),
        call_out: call_out.as_ref().map(|at| at.value.clone()),
        accounts: accounts.iter().map(|at| at.value.clone()).collect(),
        srtp,
        ..TrunkSettings::new(&name?.value, networks, profile?.clone())
    };
    let account = accounts.first().map_or(0, |at| at.line);
    Some(TrunkEntry { trunk, peers, max_calls, call_out: call_out.map_or(0, |at| at.line), account })
}

/// The profile's own way to dial counts where none is named.
fn call_out(section: &Section<'_>, profile: Option<&Profile>) -> Option<At<CallOut>> {
    let table = section.inner("call_out")?;
    let address = table.socket("address");
    let number = |text: &str| {
        let digits = text.strip_prefix('+').unwrap_or(text);
        (!digits.is_empty() && digits.len() <= 20 && digits.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.to_owned())
    };
    let from = table.text("from", "a telephone number", r#"write digits, as "053112345""#, number);
    let usual = profile.map_or(DialForm::default(), |p| p.dial);
    let dial = table.choice("dial", &DIAL_FORMS).map_or(usual, |at| at.value);
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
            let shown = cidr(text).map(|c| format!("{}/{}", c.address, c.prefix));
            assert_eq!(shown.as_deref(), wanted, "{text}");
        }
    }
}
