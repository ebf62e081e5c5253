//! Parameters and bodies whose faults are told as problems. Not here: what they mean.

use super::problem::Problem;
use crate::casework::Actor;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// Of a body: the longest ticket there is, escaped, and some more.
const LONGEST_BODY: usize = 128 * 1024;

/// The query's parameters; unknown ones are refused.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Query::try_from_uri(&parts.uri);
        query.map(|Query(asked)| Asked(asked)).map_err(|e| Problem::bad_request(format!("query: {}", e.body_text())))
    }
}

/// `{webhook}` and `{seq}` of a path.
pub struct Hooked(pub String, pub u64);

impl<S: Send + Sync> FromRequestParts<S> for Hooked {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, u64)>::from_request_parts(parts, state).await;
        path.map(|Path((name, seq))| Hooked(name, seq))
            .map_err(|e| Problem::bad_request(format!("path: {}", e.body_text())))
    }
}

/// The one `{}` of a path.
pub struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(name)| Named(name)).map_err(|e| Problem::bad_request(format!("path: {}", e.body_text())))
    }
}

/// Who asks, and the language they read.
pub struct Asking {
    pub actor: Actor,
    pub tongue: Tongue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tongue {
    Chinese,
    English,
}

impl<S: Send + Sync> FromRequestParts<S> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let actor = parts.extensions.get::<Actor>().cloned().ok_or_else(Problem::unauthorized)?;
        let wanted = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Ok(Asking { actor, tongue: wanted.map_or(Tongue::Chinese, tongue) })
    }
}

/// RFC 9110 §12.5.4, of the two languages there are.
fn tongue(wanted: &str) -> Tongue {
    let weight = |language: &str| {
        let of = |range: &str| {
            let (range, q) = range.split_once(';').unwrap_or((range, "q=1"));
            let main = range.trim().split('-').next().unwrap_or_default();
            let q = q.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).unwrap_or(1.0);
            main.eq_ignore_ascii_case(language).then_some(q)
        };
        wanted.split(',').filter_map(of).fold(0.0, f32::max)
    };
    if weight("en") > weight("zh") { Tongue::English } else { Tongue::Chinese }
}

/// The body, as JSON.
pub struct Told<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Told<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = axum::body::to_bytes(request.into_body(), LONGEST_BODY).await.map_err(|_| Problem::too_long())?;
        // Nothing sent says as much as an empty object.
        let body: &[u8] = if body.trim_ascii().is_empty() { b"{}" } else { &body };
        serde_json::from_slice(body).map(Told).map_err(|e| Problem::bad_request(format!("body: {e}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_is_wanted_most() {
        for (wanted, english) in [
            ("en", true),
            ("EN-gb", true),
            ("zh-CN,zh;q=0.9,en;q=0.8", false),
            ("en;q=0.8, zh;q=0.7", true),
            ("de", false),
            ("", false),
            ("en;q=x, zh", false),
        ] {
            assert_eq!(tongue(wanted) == Tongue::English, english, "{wanted}");
        }
    }
}
