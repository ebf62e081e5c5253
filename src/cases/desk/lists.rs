//! Lists of tickets, each for one reader: what fits, what is due, what a citizen asked for before. Belongs here: pages and their order.
//! Not here: the conditions (`filter`), the statements (`sql`).

use super::row::Stored;
use super::tables::Tables;
use super::{Desk, DeskError, Filter, Page, capped, readable, sql};
use crate::cases::CaseStore;
use crate::cases::history::History;
use crate::casework::{Actor, Day, Ticket, mask_number};
use crate::time::Instant;

/// Of one who called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Masked; none if it was withheld: then nothing is known of them.
    pub number: Option<String>,
    /// Before the ticket that was asked about, and its pickup.
    pub history: History,
    pub at: Instant,
}

impl<T: Tables> Desk<T> {
    /// Tickets that fit, newest first, masked. Clerks find those that their department leads or assists with.
    pub async fn find(
        &self,
        actor: &Actor,
        filter: &Filter,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Page<i64>, DeskError> {
        let limit = capped(limit);
        let mut rows = vec![];
        for filter in filter.for_actor(actor)? {
            rows.extend(self.rows(sql::find(&filter, after, limit)).await?);
        }
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.id));
        Ok(page(rows, actor, limit, |row| Some(row.id)))
    }

    /// Tickets that fit with something to be done up to and with the day `until`, the most urgent first; with yesterday: what
    /// is late. `after`: the `next` of the page before.
    pub async fn due(
        &self,
        actor: &Actor,
        filter: &Filter,
        until: Day,
        after: Option<(Day, i64)>,
        limit: u32,
    ) -> Result<Page<(Day, i64)>, DeskError> {
        let limit = capped(limit);
        let place = |row: &Stored| row.ticket.case.due().map(|day| (day, row.id));
        let mut rows = vec![];
        for filter in filter.for_actor(actor)? {
            rows.extend(self.rows(sql::due(&filter, until, after, limit)).await?);
        }
        rows.sort_unstable_by_key(place);
        Ok(page(rows, actor, limit, place))
    }
}

impl<T: Tables + CaseStore> Desk<T> {
    /// The earlier tickets of the one who called for this one.
    pub async fn caller(&self, actor: &Actor, ticket_no: &str, limit: u32) -> Result<Caller, DeskError> {
        let Stored { ticket, .. } = self.load(ticket_no).await?;
        readable(&ticket, actor)?;
        let at = ticket.opening.received_at;
        let Some(number) = ticket.opening.number else {
            return Ok(Caller { number: None, history: History::default(), at });
        };
        let history = self.tables.history(&number, at, capped(limit)).await?;
        Ok(Caller { number: Some(mask_number(&number)), history, at })
    }
}

/// `rows`: ordered, as many as there are up to `limit` of each list that they come from.
fn page<K>(mut rows: Vec<Stored>, actor: &Actor, limit: u32, place: impl Fn(&Stored) -> Option<K>) -> Page<K> {
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| rows.len() as u32 == limit).and_then(place);
    let readable = rows.into_iter().map(|row| row.ticket).filter(|ticket| ticket.may_read(actor).is_ok());
    let tickets = readable.map(|ticket: Ticket| ticket.masked(ticket.sight(actor))).collect();
    Page { tickets, next }
}
