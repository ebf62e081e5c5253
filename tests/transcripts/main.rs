//! `sip-profiles/` against messages as their peers send them: each `*.txt` beside this file is a ladder, played through a
//! whole gateway that the product's own loader has configured with the profile as shipped.

mod script;
mod world;

use rexian::config::settings::Profile;
use script::Script;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use world::play;

#[test]
fn every_peer_is_answered_as_it_wants() {
    let faults: Vec<_> = scripts()
        .into_iter()
        .filter_map(|(name, script)| play(&script, |_| {}).err().map(|fault| format!("{name}, {fault}")))
        .collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n\n"));
}

#[test]
fn every_profile_has_a_transcript_and_is_in_both_readmes() {
    let told: BTreeSet<String> = scripts().into_iter().map(|(_, script)| script.profile).collect();
    let shipped = profiles();
    assert!(shipped.len() > 3, "the folder is read");
    for name in &shipped {
        assert!(told.contains(name), "sip-profiles/{name}.toml has no transcript");
    }
    for readme in ["README.md", "README.zh-CN.md"] {
        let text = std::fs::read_to_string(folder("sip-profiles").join(readme)).unwrap_or_default();
        for name in &shipped {
            assert!(text.contains(&format!("`{name}.toml`")), "sip-profiles/{readme} does not name {name}.toml");
        }
    }
}

/// A setting that differs from what a profile without it would have is there for a reason: without it, one of the
/// profile's transcripts does not come out right.
#[test]
fn no_setting_does_nothing() {
    let scripts = scripts();
    let mut idle = vec![];
    for name in profiles() {
        let own: Vec<_> = scripts.iter().filter(|(_, s)| s.profile == name).map(|(_, s)| s).collect();
        let Some(profile) = own.first().map(|s| world::settings(s).unwrap().core.trunks[0].profile.clone()) else {
            continue;
        };
        for (key, switch_off) in SWITCHES {
            let mut other = profile.clone();
            switch_off(&mut other, Profile::new(&name));
            if other != profile && own.iter().all(|s| play(s, |p| switch_off(p, Profile::new(&name))).is_ok()) {
                idle.push(format!("{name}: {key} makes no difference to its transcripts"));
            }
        }
    }
    assert!(idle.is_empty(), "\n{}", idle.join("\n"));
}

type Switch = fn(&mut Profile, Profile);

const SWITCHES: [(&str, Switch); 11] = [
    ("answer", |p, usual| p.answer = usual.answer),
    ("codecs", |p, usual| p.codecs = usual.codecs),
    ("dtmf_payload_type", |p, usual| p.dtmf_payload_type = usual.dtmf_payload_type),
    ("caller_from", |p, usual| p.caller_from = usual.caller_from),
    ("called_from", |p, usual| p.called_from = usual.called_from),
    ("reliable", |p, usual| p.reliable = usual.reliable),
    ("dial", |p, usual| p.dial = usual.dial),
    ("number_uri", |p, usual| p.number_uri = usual.number_uri),
    ("own_identity", |p, usual| p.own_identity = usual.own_identity),
    ("register: proxy-route", |p, usual| p.register.proxy_route = usual.register.proxy_route),
    ("register: empty-authorization", |p, usual| p.register.introduced = usual.register.introduced),
];

/// By file name. `TRANSCRIPT=name` plays that one alone.
fn scripts() -> Vec<(String, Script)> {
    let only = std::env::var("TRANSCRIPT").ok();
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let script = Script::parse(&text).unwrap_or_else(|fault| panic!("{name}:{fault}"));
        (name, script)
    };
    let wanted = |name: &str| only.as_ref().is_none_or(|only| name.starts_with(only.as_str()));
    files("tests/transcripts", "txt").into_iter().map(read).filter(|(name, _)| wanted(name)).collect()
}

fn profiles() -> Vec<String> {
    files("sip-profiles", "toml").iter().map(|p| p.file_stem().unwrap().to_string_lossy().into_owned()).collect()
}

fn files(dir: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder(dir)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    files.sort();
    files
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
