//! Where recorded events are read in order, whatever keeps them: what a fold asks. Here for the log's file.

use super::Recorded;
use super::file::recorded;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, Row};
use std::future::Future;

/// Of what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Bounds {
    pub first: i64,
    /// Time of the first.
    pub first_at: i64,
    pub last: i64,
}

pub(in crate::store) trait Source: Send {
    /// Up to `limit` events after the number `after`, as far as the number `until`.
    fn next(
        &mut self,
        after: i64,
        until: i64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Recorded>, sqlx::Error>> + Send;

    /// When the event of that number was, in microseconds.
    fn time_of(&mut self, seq: i64) -> impl Future<Output = Result<Option<i64>, sqlx::Error>> + Send;

    /// The number of the first event later than `at`.
    fn first_after(&mut self, at: i64) -> impl Future<Output = Result<Option<i64>, sqlx::Error>> + Send;

    /// `None`: there is nothing.
    fn bounds(&mut self) -> impl Future<Output = Result<Option<Bounds>, sqlx::Error>> + Send;
}

const NEXT: &str =
    "SELECT seq, at_us, kind, call, what, agent FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?";
const FIRST_AFTER: &str = "SELECT min(seq) FROM events WHERE at_us > ?";
const BOUNDS: &str = "SELECT seq, at_us, (SELECT max(seq) FROM events) FROM events ORDER BY seq LIMIT 1";

impl Source for SqliteConnection {
    async fn next(&mut self, after: i64, until: i64, limit: u32) -> Result<Vec<Recorded>, sqlx::Error> {
        let rows = self.fetch_all(sqlx::query(NEXT).bind(after).bind(until).bind(limit)).await?;
        rows.iter().map(recorded).collect()
    }

    async fn time_of(&mut self, seq: i64) -> Result<Option<i64>, sqlx::Error> {
        let row = self.fetch_optional(sqlx::query("SELECT at_us FROM events WHERE seq = ?").bind(seq)).await?;
        row.map(|row| row.try_get(0)).transpose()
    }

    async fn first_after(&mut self, at: i64) -> Result<Option<i64>, sqlx::Error> {
        self.fetch_one(sqlx::query(FIRST_AFTER).bind(at)).await?.try_get(0)
    }

    async fn bounds(&mut self) -> Result<Option<Bounds>, sqlx::Error> {
        let row = self.fetch_optional(BOUNDS).await?;
        row.map(|row| Ok(Bounds { first: row.try_get(0)?, first_at: row.try_get(1)?, last: row.try_get(2)? }))
            .transpose()
    }
}
