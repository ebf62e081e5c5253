//! The way of a call to its queue: line, hours, language, overflow; and whom we remember.

use super::Gateway;
use crate::event::RememberedCaller;

impl Gateway {
    pub(super) fn remember_all(&mut self, _callers: Vec<RememberedCaller>) {}
}
