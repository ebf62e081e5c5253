//! `sip-profiles/*.toml`: how a kind of peer speaks, one file each. Belongs here: reading them. Not here: which trunk
//! uses which (`trunks`), what the settings do (`trunk`, `sip::session`). A profile is named by its file.

use super::accounts::register_quirks;
use super::problem::Problem;
use super::reader::{At, File, Section};
use super::settings::{AnswerMode, CalledSource, CallerSource, DialForm, NumberUri, OwnIdentity, Profile, Reliable};
use crate::plane::Codec;
use std::collections::BTreeMap;
use std::path::Path;

/// Built in, so that the program works without the folder.
const GENERIC: &str = include_str!("../../sip-profiles/generic.toml");

/// The profile for any peer that keeps to the RFCs.
pub fn generic() -> Profile {
    let (profile, problems) = read(Path::new("sip-profiles/generic.toml"), GENERIC);
    assert!(problems.is_empty(), "the built-in profile is broken: {problems:?}");
    profile
}

/// Every profile in `folder`, and `generic` in any case.
pub(super) fn load_all(folder: Option<&Path>, problems: &mut Vec<Problem>) -> BTreeMap<String, Profile> {
    let mut profiles = BTreeMap::from([("generic".to_owned(), generic())]);
    let Some(folder) = folder else { return profiles };
    let files = std::fs::read_dir(folder).and_then(|entries| entries.map(|e| Ok(e?.path())).collect());
    let mut files: Vec<_> = files.unwrap_or_else(|e: std::io::Error| {
        problems.push(unreadable(folder, &e));
        vec![]
    });
    files.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    files.sort();
    for path in files {
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let (profile, found) = read(&path, &text);
                problems.extend(found);
                profiles.insert(profile.name.clone(), profile);
            }
            Err(e) => problems.push(unreadable(&path, &e)),
        }
    }
    profiles
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    let fix = "mend the path or its permissions, or remove sip.profiles to use the built-in profile alone".into();
    Problem { file: path.to_owned(), line: 0, what: format!("cannot be read: {error}"), fix }
}

/// What is wrong falls back on a sound value, so that reading goes on.
fn read(path: &Path, text: &str) -> (Profile, Vec<Problem>) {
    let file = File::new(path, text);
    let document = file.parse(text);
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut profile = Profile::new(&name);
    if let Some(document) = &document {
        fill(&mut profile, file.root(document));
    }
    (profile, file.into_problems())
}

fn fill(profile: &mut Profile, root: Section<'_>) {
    let modes = [("on-queue", AnswerMode::OnQueue), ("on-pickup", AnswerMode::OnPickup)];
    if let Some(mode) = root.choice("answer", &modes) {
        profile.answer = mode.value;
    }
    if let Some(codecs) = root.choices("codecs", &[("pcma", Codec::Pcma), ("pcmu", Codec::Pcmu)]) {
        profile.codecs = distinct(&root, "codecs", codecs);
    }
    if let Some(number) = root.number("dtmf_payload_type", 96..=127) {
        profile.dtmf_payload_type = number.value as u8;
    }
    let sources = [
        ("p-asserted-identity", CallerSource::PAssertedIdentity),
        ("remote-party-id", CallerSource::RemotePartyId),
        ("from", CallerSource::From),
    ];
    if let Some(order) = root.choices("caller_from", &sources) {
        profile.caller_from = distinct(&root, "caller_from", order);
    }
    let called = [
        ("request-uri", CalledSource::RequestUri),
        ("to", CalledSource::To),
        ("p-called-party-id", CalledSource::PCalledPartyId),
        ("diversion", CalledSource::Diversion),
        ("history-info", CalledSource::HistoryInfo),
    ];
    if let Some(order) = root.choices("called_from", &called) {
        profile.called_from = distinct(&root, "called_from", order);
    }
    let reliable =
        [("never", Reliable::Never), ("if-required", Reliable::IfRequired), ("if-supported", Reliable::IfSupported)];
    if let Some(reliable) = root.choice("reliable", &reliable) {
        profile.reliable = reliable.value;
    }
    profile.register = register_quirks(&root);
    if let Some(dial) = root.choice("dial", &DIAL_FORMS) {
        profile.dial = dial.value;
    }
    let uris = [("sip-phone", NumberUri::SipPhone), ("sip", NumberUri::Sip), ("tel", NumberUri::Tel)];
    if let Some(uri) = root.choice("number_uri", &uris) {
        profile.number_uri = uri.value;
    }
    let identities = [
        ("p-asserted-identity", OwnIdentity::Asserted),
        ("p-preferred-identity", OwnIdentity::Preferred),
        ("from", OwnIdentity::FromAlone),
    ];
    if let Some(identity) = root.choice("own_identity", &identities) {
        profile.own_identity = identity.value;
    }
    root.done();
}

pub(super) const DIAL_FORMS: [(&str, DialForm); 3] =
    [("local", DialForm::Local), ("national", DialForm::National), ("e164", DialForm::E164)];

/// A list that must name something, and nothing twice.
pub(super) fn distinct<T: PartialEq>(section: &Section<'_>, key: &'static str, list: Vec<At<T>>) -> Vec<T> {
    let mut seen = vec![];
    for At { value, line } in list {
        if seen.contains(&value) {
            section.file.problem(line, format!("{key} names one value twice"), "remove one of them");
        } else {
            seen.push(value);
        }
    }
    if seen.is_empty() {
        section.file.problem(
            section.line_of(key),
            format!("{key} names nothing usable"),
            format!("name at least one in {key}"),
        );
    }
    seen
}
