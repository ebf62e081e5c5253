//! `account` and `accounts` of `[[trunks]]`: the carrier's subscriber that we are, and how a kind of carrier wants it
//! registered (`register` of a profile). Not here: registering (`trunk::account`), where REGISTERs go (`trunks`).

use super::people::password;
use super::reader::{At, Section};
use super::settings::{Account, RegisterQuirks, Secret};
use crate::sip::message::uri::Uri;
use std::collections::BTreeMap;
use std::time::Duration;

/// Asking oftener than that is hammering the carrier.
const SHORTEST: Duration = Duration::from_secs(30);

/// `taken`: addresses of record so far, of all trunks, and their lines.
pub(super) fn accounts(trunk: &Section<'_>, taken: &mut BTreeMap<String, usize>) -> Vec<At<Account>> {
    let (one, several) = (trunk.inner("account"), trunk.tables("accounts"));
    if one.is_some() && !several.is_empty() {
        let what = format!("{} has both account and accounts", trunk.name);
        trunk.file.problem(trunk.line_of("account"), what, "move the one into the list");
    }
    one.into_iter().chain(several).filter_map(|section| account(section, taken)).collect()
}

fn account(section: Section<'_>, taken: &mut BTreeMap<String, usize>) -> Option<At<Account>> {
    let user = section.text("user", "the user of a SIP address", r#"write it as "+8653112345""#, user);
    let domain = section.text("domain", "a domain", r#"write it as "sd.ctcims.cn", without a port"#, domain);
    let fix = "write it as the carrier gave it, without quotes and backslashes";
    let auth_user = section.text("auth_user", "a user name", fix, quotable);
    let password = password(&section);
    let fix = r#"write at least "30s"; carriers grant "1h" or less"#;
    let expires = section.duration("expires", false);
    if let Some(At { line, .. }) = expires.as_ref().filter(|at| at.value < SHORTEST) {
        section.file.problem(*line, format!("expires in {} is too short", section.name), fix);
    }
    let fix = r#"write it as "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6""#;
    let instance = section.text("instance", "a URN", fix, |text| quotable(text).filter(|t| t.starts_with("urn:")));
    for (key, example) in [("user", "\"+8653112345\""), ("domain", "\"sd.ctcims.cn\"")] {
        if !section.has(key) {
            section.missing(key, example);
        }
    }
    let line = section.line;
    if let Some(At { line, .. }) = password.as_ref().filter(|at| at.value.is_empty()) {
        section.file.problem(*line, format!("the password in {} is empty", section.name), "ask the carrier for it");
    }
    let file = section.file;
    section.done();
    let (user, domain) = user.zip(domain)?;
    let account = Account {
        auth_user: auth_user.map_or(user.value.clone(), |at| at.value),
        password: Secret(password?.value.into()),
        expires: expires.map_or(Duration::from_secs(3_600), |at| at.value),
        instance: instance.map(|at| at.value),
        user: user.value,
        domain: domain.value,
    };
    let address = account.address_of_record();
    if let Some(first) = taken.get(&address) {
        let what = format!("account {address} is there twice, first in line {first}");
        file.problem(line, what, "two registrations of one address oust each other: remove one");
        return None;
    }
    taken.insert(address, line);
    Some(At { value: account, line })
}

/// `register` of a profile.
pub(super) fn register_quirks(profile: &Section<'_>) -> RegisterQuirks {
    #[derive(Clone, Copy, PartialEq)]
    enum Quirk {
        ProxyRoute,
        EmptyAuthorization,
    }
    let known = [("proxy-route", Quirk::ProxyRoute), ("empty-authorization", Quirk::EmptyAuthorization)];
    let named = profile.choices("register", &known).unwrap_or_default();
    let has = |quirk| named.iter().any(|at| at.value == quirk);
    RegisterQuirks { proxy_route: has(Quirk::ProxyRoute), introduced: has(Quirk::EmptyAuthorization) }
}

fn user(text: &str) -> Option<String> {
    let uri = format!("sip:{text}@x");
    let parsed = Uri::parse(uri.as_bytes()).ok()?;
    (parsed.user == Some(text.as_bytes())).then(|| text.to_owned())
}

fn domain(text: &str) -> Option<String> {
    let uri = format!("sip:{text}");
    let parsed = Uri::parse(uri.as_bytes()).ok()?;
    let host = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    (parsed.host == host.as_bytes() && parsed.user.is_none() && parsed.port.is_none()).then(|| text.to_owned())
}

/// What can stand between quotes as it is.
fn quotable(text: &str) -> Option<String> {
    let sound = |c: char| !c.is_control() && !matches!(c, '"' | '\\' | '<' | '>');
    (!text.is_empty() && text.chars().all(sound)).then(|| text.to_owned())
}
