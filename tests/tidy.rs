//! The style, held by a test: the layers of the map in `src/lib.rs`, a header on every file, files of readable length.

use std::fs;
use std::path::{Path, PathBuf};

const VOCABULARY: &[&str] = &["time", "ids", "plane", "event", "leg", "ticket", "screen", "config::settings"];

/// Pure module -> the modules besides the vocabulary it may name.
const PURE: &[(&str, &[&str])] = &[
    ("sip", &["sdp"]),
    ("sdp", &[]),
    ("trunk", &["sip"]),
    ("seat", &["sip", "trunk::number"]),
    ("ivr", &[]),
    ("acd", &[]),
    ("call", &[]),
    ("callback", &[]),
    ("record", &[]),
    ("sla", &["record"]),
    ("guard", &["sip"]),
    ("casework", &[]),
    ("gateway", &["sip", "sdp", "trunk", "seat", "ivr", "acd", "call", "callback", "record", "sla", "guard"]),
];

/// What must not appear in a pure module: sockets, clocks, threads, randomness, files, SQL.
const WORLD: &[&str] = &[
    "std::net::UdpSocket",
    "std::net::Tcp",
    "std::thread",
    "std::fs",
    "SystemTime",
    "std::time::Instant",
    "tokio",
    "sqlx",
    "HashMap",
    "HashSet",
];

/// Lines, tests inside the file not counted.
const LONGEST: usize = 420;

#[test]
fn pure_modules_name_only_what_the_map_allows() {
    let mut faults = Vec::new();
    for (module, allowed) in PURE {
        for (path, text) in sources().iter().filter(|(path, _)| module_of(path) == *module) {
            for (number, line) in production(text).enumerate() {
                let place = || format!("{}:{}", path.display(), number + 1);
                for (at, _) in line.match_indices("crate::") {
                    let named = &line[at + 7..];
                    let known = VOCABULARY.iter().chain(*allowed).chain([module]);
                    if !known.into_iter().any(|m| named.starts_with(m)) && !line.trim_start().starts_with("//") {
                        faults.push(format!("{}: {module} names {}", place(), line.trim()));
                    }
                }
                if !line.trim_start().starts_with("//") {
                    faults.extend(
                        WORLD
                            .iter()
                            .filter(|w| line.contains(**w))
                            .map(|w| format!("{}: {w} in a pure module", place())),
                    );
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_file_says_what_belongs_in_it() {
    let missing: Vec<_> =
        sources().into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|(path, _)| path).collect();
    assert!(missing.is_empty(), "no //! header: {missing:?}");
}

#[test]
fn files_stay_readable() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|(path, text)| (path, production(&text).count()))
        .filter(|(_, lines)| *lines > LONGEST)
        .collect();
    assert!(long.is_empty(), "over {LONGEST} lines: {long:?}");
}

/// The lines before the file's own tests.
fn production(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take_while(|line| line.trim() != "#[cfg(test)]")
}

fn module_of(path: &Path) -> String {
    let first = path.strip_prefix(root()).expect("under src").components().next().expect("a component");
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src is readable") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("source is UTF-8");
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 30, "the sources were not found");
    found
}
