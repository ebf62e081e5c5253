//! Parameters whose faults are told as problems. Not here: what they mean.

use super::problem::Problem;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

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
