//! A past day's events out of the event log. Belongs here: asking the store for them. Not here: what they tell about
//! callers (`sim::forecast`).

use crate::event::CallEvent;
use crate::time::Instant;
use std::path::Path;

/// Everything that happened to calls from `midnight` until those of that day were over.
pub fn events(path: &Path, _midnight: Instant) -> Result<Vec<CallEvent>, String> {
    Err(format!("{}: this build keeps no event log\n    use --profile", path.display()))
}
