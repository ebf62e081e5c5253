//! Who asks: bearer tokens, known by their SHA-256 only (RFC 6750 §2.1); on the pages' own door also whoever is signed in
//! there. Not here: what each role may ask (`routes`).

use super::problem::Problem;
use crate::casework::Actor;
use crate::config::settings::ApiToken;
use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who is signed in on a page, by its cookie.
pub type SignedIn = Arc<dyn Fn(&HeaderMap) -> Option<Actor> + Send + Sync>;

/// Found by digest: how long a look-up takes tells nothing about the tokens.
#[derive(Default)]
pub struct Access {
    tokens: BTreeMap<[u8; 32], Actor>,
    signed_in: Option<SignedIn>,
}

impl Access {
    pub fn new(tokens: &[ApiToken]) -> Access {
        let tokens = tokens.iter().map(|token| (token.sha256, token.who.clone())).collect();
        Access { tokens, signed_in: None }
    }

    /// Also those.
    pub fn or(self, signed_in: SignedIn) -> Access {
        Access { signed_in: Some(signed_in), ..self }
    }

    /// # Errors
    /// 401: nobody we know.
    pub fn caller(&self, headers: &HeaderMap) -> Result<Actor, Problem> {
        if let Some(actor) = self.signed_in.as_ref().and_then(|signed_in| signed_in(headers)) {
            return Ok(actor);
        }
        let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token =
            given.and_then(|given| given.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (_, token) = token.ok_or_else(Problem::unauthorized)?;
        self.tokens.get(&digest_of(token.trim())).cloned().ok_or_else(Problem::unauthorized)
    }
}

/// As [`ApiToken::sha256`] and the configuration have it.
pub fn digest_of(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
