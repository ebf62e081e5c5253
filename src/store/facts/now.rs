//! What programs ask of the facts: how things stand now, and single calls. Not here: whole periods (`read`).

use super::file::parsed;
use super::read::{FactsError, FactsReader};
use crate::ids::{AgentNo, CallId};
use crate::record::{CallRecord, Spell};
use crate::time::Instant;
use sqlx::Row as _;
use std::collections::BTreeMap;

/// All of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Now {
    /// The event of the log that this includes last.
    pub seq: u64,
    /// Of the last event.
    pub at: Instant,
    /// Calls that are up.
    pub calls: Vec<CallRecord>,
    /// Agents who are signed in.
    pub agents: BTreeMap<AgentNo, Spell>,
}

// Latest first; the place of a call is total, so that a page ends where the next begins.
const PAGE: &str = "SELECT record FROM calls
    WHERE counted_us >= ?1 AND counted_us < ?2 AND (counted_us, call) < (?3, ?4)
    ORDER BY counted_us DESC, call DESC LIMIT ?5";

impl FactsReader {
    /// How things stand, as of the events folded so far.
    pub fn now(&mut self) -> Result<Now, FactsError> {
        let position = self.rows(sqlx::query("SELECT seq, now_us FROM position"))?;
        let place = position.first().map(|row| Ok((row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?)));
        let (seq, at) = place.transpose().map_err(|e: sqlx::Error| self.fault(&e))?.unwrap_or_default();
        let rows = self.rows(sqlx::query("SELECT record FROM calls WHERE ended_us IS NULL ORDER BY counted_us"))?;
        let calls: Result<_, _> = rows.iter().map(|row| row.try_get(0).and_then(parsed)).collect();
        let calls = calls.map_err(|e| self.fault(&e))?;
        Ok(Now { seq: seq as u64, at: Instant(at as u64), calls, agents: self.spells()? })
    }

    pub fn call(&mut self, call: CallId) -> Result<Option<CallRecord>, FactsError> {
        let rows = self.rows(sqlx::query("SELECT record FROM calls WHERE call = ?").bind(call.0 as i64))?;
        let record = rows.first().map(|row| row.try_get(0).and_then(parsed));
        record.transpose().map_err(|e| self.fault(&e))
    }

    /// Calls that count in `[from, until)`, latest first, at most `limit`; those before `before` in that order, which is
    /// the last of the page before.
    pub fn page(
        &mut self,
        from: Instant,
        until: Instant,
        before: Option<(Instant, CallId)>,
        limit: u32,
    ) -> Result<Vec<CallRecord>, FactsError> {
        let bound = |at: Instant| i64::try_from(at.as_unix_micros()).unwrap_or(i64::MAX);
        let (at, call) = before.map_or((i64::MAX, i64::MAX), |(at, call)| (bound(at), call.0 as i64));
        let query = sqlx::query(PAGE).bind(bound(from)).bind(bound(until)).bind(at).bind(call).bind(limit);
        let rows = self.rows(query)?;
        let records: Result<_, _> = rows.iter().map(|row| row.try_get(0).and_then(parsed)).collect();
        records.map_err(|e| self.fault(&e))
    }
}
