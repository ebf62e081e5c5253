//! `[pages]` and the agents' `password_hash`: who signs in on a page, and where. Not here: the sessions (`pages`).

use super::reader::{At, Section};
use super::sections::{Places, set};
use super::settings::{PagesSettings, WorldSettings};
use crate::ids::AgentNo;
use crate::pages::password;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Where no time is given: longer than any shift, shorter than until the next.
const SESSION: Duration = Duration::from_secs(12 * 3_600);

pub(super) fn pages(section: Section<'_>, world: &mut WorldSettings, places: &mut Places) {
    let listen = section.socket("listen");
    let mut session = SESSION;
    set(&mut session, section.duration("session", false));
    if section.line > 0 && !section.has("listen") {
        section.missing("listen", "\"10.1.0.5:8443\"");
    }
    section.done();
    places.pages = listen.clone();
    world.pages = listen.map(|At { value: listen, .. }| PagesSettings { listen, session, passwords: BTreeMap::new() });
}

/// Beyond loopback passwords travel, and microphones open, by TLS only.
pub(super) fn judge(file: &super::reader::File, world: &mut WorldSettings, places: &Places, hashes: Hashes) {
    let Some(pages) = &mut world.pages else {
        if let Some((agent, at)) = hashes.first_key_value() {
            let what = format!("agent {agent} has a password_hash, but there are no pages to sign in on");
            file.problem(at.line, what, r#"add [pages] with listen = "10.1.0.5:8443", or remove it"#);
        }
        return;
    };
    let line = places.pages.as_ref().map_or(0, |at: &At<SocketAddr>| at.line);
    if world.tls.is_none() && !pages.listen.ip().is_loopback() {
        let what = format!("pages.listen {} is reached from outside, but there is no [tls]", pages.listen);
        file.problem(line, what, r#"add [tls] with certificate and key, or listen on "127.0.0.1:8443""#);
    }
    pages.passwords = hashes.into_iter().map(|(agent, at)| (agent, at.value)).collect();
}

pub(super) type Hashes = BTreeMap<AgentNo, At<String>>;

/// An agent's `password_hash`.
pub(super) fn password_hash(section: &Section<'_>) -> Option<At<String>> {
    let fix = "write the line that `rexian password` prints";
    section.text("password_hash", "an Argon2 hash", fix, |text| password::is_usable(text).then(|| text.to_owned()))
}
