//! What is kept of the webhooks across restarts: how far each has been told, and what it refused. SQL only.

use crate::cases::migrate::{self, Steps};
use crate::time::Instant;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Error, Executor, Row as _};
use std::path::Path;
use std::time::Duration;

const MIGRATIONS: Steps = &[(1, "webhooks", include_str!("../../store/migrations/webhooks/0001_webhooks.sql"))];
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

const ADVANCE: &str =
    "INSERT INTO places (hook, seq) VALUES (?, ?) ON CONFLICT (hook) DO UPDATE SET seq = excluded.seq";
const SET_ASIDE: &str = "INSERT INTO dead_letters (hook, seq, at_us, event, why) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (hook, seq) DO UPDATE SET at_us = excluded.at_us, why = excluded.why, again = 0";

/// An event that a far end refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub seq: u64,
    pub at: Instant,
    /// JSON, as it was sent.
    pub event: String,
    pub why: String,
    /// Somebody wants it sent again.
    pub again: bool,
}

/// The open file. Opened anew for each round: whatever was wrong with it, the next round finds it as it is then.
pub struct Ledger(SqliteConnection);

impl Ledger {
    pub async fn open(path: &Path) -> Result<Ledger, Error> {
        migrate::open(path, MIGRATIONS, LOCK_PATIENCE).await.map(Ledger)
    }

    /// `None`: it has never been told anything.
    pub async fn place(&mut self, hook: &str) -> Result<Option<u64>, Error> {
        let row = self.0.fetch_optional(sqlx::query("SELECT seq FROM places WHERE hook = ?").bind(hook)).await?;
        row.map(|row| row.try_get::<i64, _>(0).map(|seq| seq as u64)).transpose()
    }

    pub async fn advance(&mut self, hook: &str, seq: u64) -> Result<(), Error> {
        self.0.execute(sqlx::query(ADVANCE).bind(hook).bind(seq as i64)).await.map(drop)
    }

    pub async fn set_aside(&mut self, hook: &str, seq: u64, at: Instant, event: &str, why: &str) -> Result<(), Error> {
        let query = sqlx::query(SET_ASIDE).bind(hook).bind(seq as i64).bind(at.as_unix_micros() as i64);
        self.0.execute(query.bind(event).bind(why)).await.map(drop)
    }

    pub async fn remove(&mut self, hook: &str, seq: u64) -> Result<(), Error> {
        let query = sqlx::query("DELETE FROM dead_letters WHERE hook = ? AND seq = ?").bind(hook).bind(seq as i64);
        self.0.execute(query).await.map(drop)
    }

    pub async fn count(&mut self, hook: &str) -> Result<u64, Error> {
        let query = sqlx::query("SELECT count(*) FROM dead_letters WHERE hook = ?").bind(hook);
        Ok(self.0.fetch_one(query).await?.try_get::<i64, _>(0)? as u64)
    }

    /// After the letter `after`, in order of events.
    pub async fn letters(&mut self, hook: &str, after: u64, limit: u32) -> Result<Vec<Letter>, Error> {
        let query =
            "SELECT seq, at_us, event, why, again FROM dead_letters WHERE hook = ? AND seq > ? ORDER BY seq LIMIT ?";
        let rows = self.0.fetch_all(sqlx::query(query).bind(hook).bind(after as i64).bind(limit)).await?;
        rows.iter().map(letter).collect()
    }

    /// The first that is to be sent again.
    pub async fn next_again(&mut self, hook: &str) -> Result<Option<Letter>, Error> {
        let query =
            "SELECT seq, at_us, event, why, again FROM dead_letters WHERE hook = ? AND again = 1 ORDER BY seq LIMIT 1";
        self.0.fetch_optional(sqlx::query(query).bind(hook)).await?.as_ref().map(letter).transpose()
    }

    /// To be sent again; whether there is such a letter.
    pub async fn send_again(&mut self, hook: &str, seq: u64) -> Result<bool, Error> {
        let query =
            sqlx::query("UPDATE dead_letters SET again = 1 WHERE hook = ? AND seq = ?").bind(hook).bind(seq as i64);
        Ok(self.0.execute(query).await?.rows_affected() > 0)
    }
}

fn letter(row: &SqliteRow) -> Result<Letter, Error> {
    Ok(Letter {
        seq: row.try_get::<i64, _>(0)? as u64,
        at: Instant(row.try_get::<i64, _>(1)? as u64),
        event: row.try_get(2)?,
        why: row.try_get(3)?,
        again: row.try_get::<i64, _>(4)? == 1,
    })
}
