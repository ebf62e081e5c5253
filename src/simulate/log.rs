//! A past day's events out of the event log. Belongs here: asking the store for them, and saying what it lacks. Not here:
//! what they tell about callers (`sim::forecast`).

use crate::event::CallEvent;
use crate::sim::forecast::DAY;
use crate::store::journal::{Entry, read_day};
use crate::time::Instant;
use std::path::Path;
use std::time::Duration;

/// Calls of the day that end later than this after midnight count as not ended.
const OVERTIME: Duration = Duration::from_secs(4 * 3_600);

/// Everything that happened to calls from `midnight` until those of that day were over.
pub fn events(path: &Path, midnight: Instant) -> Result<Vec<CallEvent>, String> {
    let day = read_day(path, midnight, midnight + DAY + OVERTIME).map_err(|e| {
        format!(
            "{e}\n    name the gateway's event log with --log: [storage] events, rexian-events.db unless told otherwise"
        )
    })?;
    let mut missing = 0;
    let mut events = Vec::new();
    for recorded in day {
        match recorded.what {
            Entry::Call(event) => events.push(event),
            Entry::Gap { missed, .. } => missing += missed,
            Entry::Agent(_) | Entry::Leader(_) | Entry::Started | Entry::Unknown(_) => {}
        }
    }
    if missing > 0 {
        eprintln!(
            "日志缺 {missing} 条，缺者未计入 the log lacks {missing} events of that day: they are not in the forecast"
        );
    }
    Ok(events)
}
