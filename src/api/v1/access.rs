//! Who asks: bearer tokens, known by their SHA-256 only (RFC 6750 §2.1). Not here: what each role may ask (`routes`).

use super::problem::Problem;
use crate::casework::Actor;
use crate::config::settings::ApiToken;
use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Found by digest: how long a look-up takes tells nothing about the tokens.
#[derive(Debug, Default)]
pub struct Access(BTreeMap<[u8; 32], Actor>);

impl Access {
    pub fn new(tokens: &[ApiToken]) -> Access {
        Access(tokens.iter().map(|token| (token.sha256, token.who.clone())).collect())
    }

    /// # Errors
    /// 401: nobody we know.
    pub fn caller(&self, headers: &HeaderMap) -> Result<&Actor, Problem> {
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token =
            given.and_then(|given| given.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (_, token) = token.ok_or_else(Problem::unauthorized)?;
        self.0.get(&digest_of(token.trim())).ok_or_else(Problem::unauthorized)
    }
}

/// As [`ApiToken::sha256`] and the configuration have it.
pub fn digest_of(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
