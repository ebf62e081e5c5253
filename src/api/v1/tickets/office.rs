//! What the hotline office has decided tickets are sorted by: the tree of categories, and whom they may be passed to. Not here: its
//! file (`config::casework`).

use crate::api::v1::V1;
use crate::api::v1::problem::Problem;
use crate::casework::words::Urgency;
use crate::casework::{Category, Rules};
use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize, JsonSchema)]
pub struct Categories {
    /// A branch before what is below it; empty: tickets are not classified here.
    categories: Vec<Node>,
    /// Whom tickets may be passed to; empty: anybody.
    departments: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Node {
    code: String,
    /// Names from the top, at most five.
    path: Vec<String>,
    /// Tickets are classified by leaves.
    leaf: bool,
    /// A ticket's as soon as it is classified so, unless another is said; `null`: it stays as it is.
    urgency: Option<Urgency>,
    /// Whom it is passed to if nobody is named.
    department: Option<String>,
}

pub async fn categories(State(api): State<Arc<V1>>) -> Result<Json<Categories>, Problem> {
    Ok(Json(Categories::from(api.office()?.desk.rules())))
}

impl From<&Rules> for Categories {
    fn from(rules: &Rules) -> Categories {
        let node = |(code, category): (&str, &Category)| Node {
            code: code.to_owned(),
            path: category.path.clone(),
            leaf: category.leaf,
            urgency: category.urgency,
            department: category.department.clone(),
        };
        Categories {
            categories: rules.categories.iter().map(node).collect(),
            departments: rules.departments.iter().cloned().collect(),
        }
    }
}
