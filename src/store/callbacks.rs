//! The callback list beside the spool, in the same file: what it held is loaded at start, every change is written by the
//! spool's writer. Belongs here: its SQL and the changes not yet written. Not here: what the entries mean (`callback`).
//!
//! An entry is stored as JSON by the call it stems from, so that a later version can still read it.

use crate::event::{CallbackChange, CallbackEntry};
use crate::ids::CallId;
use serde::Serialize;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, Row};
use std::collections::BTreeMap;

pub const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS callbacks (
    call_id TEXT NOT NULL PRIMARY KEY,
    entry   TEXT NOT NULL
) STRICT, WITHOUT ROWID;";

/// Both parameters: arrays of `[call id, entry or null]`.
const WRITE: &str = "
BEGIN IMMEDIATE;
INSERT INTO callbacks (call_id, entry)
    SELECT value ->> '$[0]', value -> '$[1]' FROM json_each(?) WHERE value ->> '$[1]' IS NOT NULL
    ON CONFLICT (call_id) DO UPDATE SET entry = excluded.entry;
DELETE FROM callbacks WHERE call_id IN
    (SELECT value ->> '$[0]' FROM json_each(?) WHERE value ->> '$[1]' IS NULL);
COMMIT;";

/// Everything kept, in the order of the calls. What cannot be read is logged and left where it is.
pub async fn read(conn: &mut SqliteConnection) -> Result<Vec<CallbackEntry>, sqlx::Error> {
    let rows = conn.fetch_all("SELECT call_id, entry FROM callbacks ORDER BY call_id").await?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in &rows {
        let (call, json): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        match serde_json::from_str(json) {
            Ok(entry) => entries.push(entry),
            Err(error) => tracing::error!(call, %error, "an entry of the callback list cannot be read; see it by hand"),
        }
    }
    Ok(entries)
}

/// The latest change of each entry, until it is in the file.
#[derive(Debug, Default)]
pub struct Unwritten(BTreeMap<CallId, Option<CallbackEntry>>);

impl Unwritten {
    /// Beyond `most` entries a further one is lost; only a disk that refuses for hours lets so many gather.
    pub fn note(&mut self, change: CallbackChange, most: usize) {
        let (of, entry) = match change {
            CallbackChange::Put(entry) => (entry.of, Some(entry)),
            CallbackChange::Gone { of, .. } => (of, None),
        };
        if self.0.len() < most || self.0.contains_key(&of) {
            self.0.insert(of, entry);
        } else {
            tracing::error!(%of, "a change of the callback list is lost: the spool's disk refuses");
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of it in one commit, or nothing.
    pub async fn write(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        #[derive(Serialize)]
        struct Row<'a>(String, Option<&'a CallbackEntry>);
        let rows: Vec<_> = self.0.iter().map(|(of, entry)| Row(of.to_string(), entry.as_ref())).collect();
        let json = serde_json::to_string(&rows).map_err(|e| sqlx::Error::Encode(e.into()))?;
        let result = conn.execute(sqlx::query(WRITE).bind(&json).bind(&json)).await;
        if result.is_err() {
            // Fails when SQLite has rolled back by itself: that is what is wanted.
            let _ = conn.execute("ROLLBACK").await;
        }
        result.map(drop)
    }
}
