//! `[[http.tokens]]`: who may ask the API. Belongs here: reading them. Not here: what a role may ask (`api::v1`).

use super::reader::Section;
use super::settings::ApiToken;
use crate::casework::words::Role;
use crate::casework::{Actor, Post};
use std::collections::BTreeSet;

/// `departments`: those tickets are passed to; empty: any.
pub(super) fn tokens(sections: Vec<Section<'_>>, departments: &BTreeSet<String>) -> Vec<ApiToken> {
    let mut tokens: Vec<ApiToken> = vec![];
    for section in sections {
        let (file, line) = (section.file, section.line);
        let name = section.string("name");
        let role = section.choice("role", &Role::GIVEN.map(|role| (role.as_str(), role)));
        let department = section.string("department");
        let fix = "write the 64 hexadecimal digits that `rexian token` prints";
        let sha256 = section.text("sha256", "a SHA-256", fix, sha256);
        for (key, example) in [("name", "\"wallboard-1\""), ("role", "\"wallboard\""), ("sha256", "\"...\"")] {
            if !section.has(key) {
                section.missing(key, example);
            }
        }
        if let Some(unknown) =
            department.as_ref().filter(|at| !departments.is_empty() && !departments.contains(&at.value))
        {
            let what =
                format!("department = {:?} in [[http.tokens]] is none that tickets are passed to", unknown.value);
            file.problem(unknown.line, what, "name it as departments in [casework] or the categories do");
        }
        section.done();
        let (Some(name), Some(role), Some(sha256)) = (name, role, sha256) else { continue };
        let Some(post) = Post::of(role.value, department.map(|at| at.value)) else {
            let (what, fix) = match role.value {
                Role::Clerk => ("a clerk acts for a department", r#"add department = "市城市管理局""#),
                _ => ("only a clerk acts for a department", "remove department, or write role = \"clerk\""),
            };
            file.problem(role.line, format!("{what}: role = {:?} in [[http.tokens]]", role.value.as_str()), fix);
            continue;
        };
        let token = ApiToken { who: Actor::new(name.value, post), sha256: sha256.value };
        if tokens.iter().any(|known| known.who.name == token.who.name) {
            file.problem(
                name.line,
                format!("name = {:?} stands for two of [[http.tokens]]", token.who.name),
                "name it otherwise",
            );
        }
        if tokens.iter().any(|known| known.sha256 == token.sha256) {
            file.problem(
                line,
                "two of [[http.tokens]] are the same token",
                "make one of its own for each with `rexian token`",
            );
        }
        tokens.push(token);
    }
    tokens
}

fn sha256(text: &str) -> Option<[u8; 32]> {
    let digits = Some(text).filter(|text| text.len() == 64 && text.is_ascii())?;
    let mut digest = [0; 32];
    for (byte, at) in digest.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
    }
    Some(digest)
}
