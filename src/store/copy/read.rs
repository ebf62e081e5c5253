//! Reading the copy of one log back, in order. Not here: which reports are made of it.

use super::table::{CopyError, CopyTable};
use crate::config::settings::PostgresSettings;
use crate::store::journal::{Bounds, Fields, Recorded, Source};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Executor, Row};

const LOGS: &str = "WITH RECURSIVE logs (log) AS (SELECT min(log) FROM event_log
    UNION ALL SELECT (SELECT min(log) FROM event_log AS e WHERE e.log > logs.log) FROM logs WHERE log IS NOT NULL)
    SELECT log FROM logs WHERE log IS NOT NULL";
const NEXT: &str = "SELECT seq, at_us, kind, call, what, agent FROM event_log
    WHERE log = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4";
const TIME_OF: &str = "SELECT at_us FROM event_log WHERE log = $1 AND seq = $2";
const FIRST_AFTER: &str = "SELECT min(seq) FROM event_log WHERE log = $1 AND at_us > $2";
const BOUNDS: &str = "SELECT seq, at_us, (SELECT max(seq) FROM event_log WHERE log = $1) FROM event_log
    WHERE log = $1 ORDER BY seq LIMIT 1";

pub(in crate::store) struct CopyReader {
    conn: PgConnection,
    log: String,
}

impl CopyReader {
    /// Of the log of this identity; without one, of the only log there is.
    pub async fn open(at: &PostgresSettings, log: Option<String>) -> Result<CopyReader, CopyError> {
        let table = CopyTable::new(at.clone());
        let mut conn = table.connect().await?;
        let rows = conn.fetch_all(LOGS).await.map_err(|e| table.fault(&e))?;
        let mut logs: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let log = match log {
            Some(log) if logs.contains(&log) => log,
            None if logs.len() == 1 => logs.remove(0),
            None if logs.is_empty() => return Err(table.trouble("it holds no events yet")),
            Some(log) => {
                return Err(table.trouble(&format!("it holds nothing of log {log}, but of: {}", logs.join(", "))));
            }
            None => return Err(table.trouble(&format!("it holds several logs; name one: {}", logs.join(", ")))),
        };
        Ok(CopyReader { conn, log })
    }
}

impl Source for CopyReader {
    async fn next(&mut self, after: i64, until: i64, limit: u32) -> Result<Vec<Recorded>, sqlx::Error> {
        let query = sqlx::query(NEXT).bind(&self.log).bind(after).bind(until).bind(i64::from(limit));
        self.conn.fetch_all(query).await?.iter().map(recorded).collect()
    }

    async fn time_of(&mut self, seq: i64) -> Result<Option<i64>, sqlx::Error> {
        let row = self.conn.fetch_optional(sqlx::query(TIME_OF).bind(&self.log).bind(seq)).await?;
        row.map(|row| row.try_get(0)).transpose()
    }

    async fn first_after(&mut self, at: i64) -> Result<Option<i64>, sqlx::Error> {
        self.conn.fetch_one(sqlx::query(FIRST_AFTER).bind(&self.log).bind(at)).await?.try_get(0)
    }

    async fn bounds(&mut self) -> Result<Option<Bounds>, sqlx::Error> {
        let row = self.conn.fetch_optional(sqlx::query(BOUNDS).bind(&self.log)).await?;
        row.map(|row| Ok(Bounds { first: row.try_get(0)?, first_at: row.try_get(1)?, last: row.try_get(2)? }))
            .transpose()
    }
}

/// A row of seq, at_us, kind, call, what, agent.
fn recorded(row: &PgRow) -> Result<Recorded, sqlx::Error> {
    let (seq, at, kind) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let (call, what, agent) = (row.try_get(3)?, row.try_get(4)?, row.try_get(5)?);
    Ok(Fields { seq, at, kind, call, agent, what }.recorded())
}
