//! What reports ask of the work on tickets. Belongs here: finding what was counted, and the histories of what was not. Not here:
//! what counts as what (`casework::Tally`).
//!
//! Each entry is written with what it counts as, so a month is one sum over an index. Entries from before that (an upgrade) have no
//! such figure: of their tickets the histories are read, for those entries alone.

use super::row::{Counted, Told};
use super::tables::Tables;
use super::{Desk, DeskError, sql};
use crate::casework::{Course, Tally, Ticket};
use crate::time::Instant;
use std::ops::Range;

/// Tickets whose histories are read at once.
const AT_ONCE: usize = 200;

impl<T: Tables> Desk<T> {
    /// The figures of a period, from all that happened to tickets in it.
    pub async fn tally(&self, period: &Range<Instant>) -> Result<Tally, DeskError> {
        let mut tally = Tally::default();
        for Counted { counts, times } in self.parsed(sql::counted(period)).await? {
            tally.add(counts, times);
        }
        for tickets in self.read(sql::uncounted(period)).await?.chunks(AT_ONCE) {
            let told: Vec<Told> = self.parsed(sql::histories(tickets)).await?;
            for history in told.chunk_by(|a, b| a.ticket_no == b.ticket_no) {
                let mut course = Course::Unknown;
                for Told { entry, counts, .. } in history {
                    let bits = course.step(entry).unwrap_or(0);
                    if counts.is_none() && period.contains(&entry.at) {
                        tally.add(bits, 1);
                    }
                }
            }
        }
        Ok(tally)
    }

    /// Of a ticket from before its course was kept: from its history, once.
    pub(super) async fn learn_course(&self, ticket: &mut Ticket) -> Result<(), DeskError> {
        if ticket.case.course == Course::Unknown && ticket.case.version > 0 {
            let told: Vec<Told> = self.parsed(sql::histories(std::slice::from_ref(&ticket.opening.ticket_no))).await?;
            // Somebody may have been faster: then nothing is built on this.
            let known = told.iter().take(ticket.case.version as usize);
            ticket.case.course = Course::of(known.map(|told| &told.entry));
        }
        Ok(())
    }
}
