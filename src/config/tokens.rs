//! `[[http.tokens]]`: who may ask the API. Belongs here: reading them. Not here: what a role may ask (`api::v1`).

use super::reader::Section;
use super::settings::{ApiToken, Role};

pub(super) fn tokens(sections: Vec<Section<'_>>) -> Vec<ApiToken> {
    let mut tokens: Vec<ApiToken> = vec![];
    for section in sections {
        let (file, line) = (section.file, section.line);
        let name = section.string("name");
        let role = section.choice("role", &Role::ALL.map(|role| (role.as_str(), role)));
        let fix = "write the 64 hexadecimal digits that `rexian token` prints";
        let sha256 = section.text("sha256", "a SHA-256", fix, sha256);
        for (key, example) in [("name", "\"wallboard-1\""), ("role", "\"wallboard\""), ("sha256", "\"...\"")] {
            if !section.has(key) {
                section.missing(key, example);
            }
        }
        section.done();
        let (Some(name), Some(role), Some(sha256)) = (name, role, sha256) else { continue };
        let token = ApiToken { name: name.value, role: role.value, sha256: sha256.value };
        if tokens.iter().any(|known| known.name == token.name) {
            file.problem(
                name.line,
                format!("name = {:?} stands for two of [[http.tokens]]", token.name),
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
