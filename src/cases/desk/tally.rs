//! What reports ask of the work on tickets. Belongs here: finding the histories. Not here: counting them (`casework::Tally`).

use super::row::Event;
use super::tables::Tables;
use super::{Desk, DeskError, sql};
use crate::casework::{Entry, Tally};
use crate::time::Instant;
use std::ops::Range;

/// Tickets whose histories are read at once.
const AT_ONCE: usize = 200;

impl<T: Tables> Desk<T> {
    /// The figures of a period, from the histories of all tickets that something happened to in it.
    pub async fn tally(&self, period: &Range<Instant>) -> Result<Tally, DeskError> {
        let mut tally = Tally::default();
        for tickets in self.read(sql::touched(period)).await?.chunks(AT_ONCE) {
            let events: Vec<Event> = self.parsed(sql::histories(tickets)).await?;
            for history in events.chunk_by(|a, b| a.ticket_no == b.ticket_no) {
                let entries: Vec<&Entry> = history.iter().map(|event| &event.entry).collect();
                tally.count(entries, period);
            }
        }
        Ok(tally)
    }
}
