//! Calling citizens back: between the list (`callback`), the distributor and the outbound leg.

use super::Gateway;
use crate::event::CallbackEntry;
use crate::time::Instant;

impl Gateway {
    pub(super) fn callbacks_restored(&mut self, _now: Instant, _entries: Vec<CallbackEntry>) {}
}
