//! Running the statements on each store. Belongs here: transactions, parameters, dialects. Not here: what is said (`sql`).

use super::sql::{Step, Value};
use crate::cases::postgres::PostgresCases;
use crate::cases::sqlite::SqliteCases;
use crate::cases::{Cases, StoreError};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use std::future::Future;

/// What came of some statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    /// Each one's rows; committed and durable.
    All(Vec<Vec<String>>),
    /// This one gave no row; nothing is changed.
    StoppedAt(usize),
}

/// A store of tickets that statements can be run on.
pub trait Tables: Send + Sync + 'static {
    /// One alone, or several in one transaction in which each must give a row.
    fn run(&self, steps: &[Step]) -> impl Future<Output = Result<Ran, StoreError>> + Send;
}

/// The same for both: sqlx's traits have no common form whose futures are `Send`.
macro_rules! rows {
    ($conn:expr, $step:expr, $dialect:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($dialect(&$step.text)));
        for value in &$step.values {
            query = match value {
                Value::Text(text) | Value::Json(text) => query.bind(text.clone()),
                Value::Int(n) => query.bind(*n),
                Value::Real(x) => query.bind(*x),
            };
        }
        let rows = $conn.fetch_all(query).await?;
        rows.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<Vec<_>, sqlx::Error>>()?
    }};
}

macro_rules! run {
    ($conn:expr, $begin:expr, $steps:expr, $dialect:expr) => {{
        if let [step] = $steps {
            return Ok(Ran::All(vec![rows!($conn, step, $dialect)]));
        }
        let mut tx = $conn.begin_with($begin).await?;
        let mut all = Vec::with_capacity($steps.len());
        for (n, step) in $steps.iter().enumerate() {
            let rows = rows!(&mut *tx, step, $dialect);
            if rows.is_empty() {
                tx.rollback().await?;
                return Ok(Ran::StoppedAt(n));
            }
            all.push(rows);
        }
        tx.commit().await?;
        Ok(Ran::All(all))
    }};
}

fn sqlite(text: &str) -> String {
    text.replace("JSON_ROW", "json_object").replace("JSON_TEXTS", "json_each").replace("::json", "")
}

fn postgres(text: &str) -> String {
    text.replace("JSON_ROW", "json_build_object").replace("JSON_TEXTS", "json_array_elements_text")
}

impl Tables for SqliteCases {
    async fn run(&self, steps: &[Step]) -> Result<Ran, StoreError> {
        // Taking the write lock at once: a reader cannot become a writer while another writes.
        let ran = self.with(async |conn| run!(conn, "BEGIN IMMEDIATE", steps, sqlite)).await;
        ran.map_err(|e| self.unavailable(&e))
    }
}

impl Tables for PostgresCases {
    async fn run(&self, steps: &[Step]) -> Result<Ran, StoreError> {
        self.with(async |conn| run!(conn, "BEGIN", steps, postgres)).await
    }
}

impl Tables for Cases {
    async fn run(&self, steps: &[Step]) -> Result<Ran, StoreError> {
        match self {
            Cases::Sqlite(store) => store.run(steps).await,
            Cases::Postgres(store) => store.run(steps).await,
        }
    }
}
