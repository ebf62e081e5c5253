//! What every SQL store does with a batch around its own statement: each call once, one bad row found and refused, an
//! outcome per ticket. Not here: the statement itself, and whose fault its error is (`sqlite`, `postgres`).

use super::row::TicketRow;
use super::{Outcome, StoreError};
use crate::ticket::NewTicket;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

/// Why a batch was not stored.
pub(super) enum Failure {
    /// A constraint or a type was violated: another row would fare better, the same row never will.
    Row(String),
    Store(StoreError),
}

/// Ticket numbers by call id.
#[derive(Default)]
pub(super) struct Numbers {
    pub opened: BTreeMap<String, String>,
    /// Opened by an earlier batch.
    pub already: BTreeMap<String, String>,
}

impl Numbers {
    fn merge(&mut self, mut other: Numbers) {
        self.opened.append(&mut other.opened);
        self.already.append(&mut other.already);
    }
}

pub(super) trait Batches: Sync {
    fn prefix(&self) -> &str;

    /// All of `rows`, whose calls are distinct, in one transaction, or none.
    fn open_batch(&self, rows: &[TicketRow<'_>]) -> impl Future<Output = Result<Numbers, Failure>> + Send;
}

pub(super) async fn open_tickets(store: &impl Batches, tickets: &[NewTicket]) -> Result<Vec<Outcome>, StoreError> {
    let rows: Vec<Option<TicketRow>> = tickets.iter().map(|t| TicketRow::of(t, store.prefix())).collect();
    let mut seen = BTreeSet::new();
    let distinct: Vec<TicketRow> = rows.iter().flatten().filter(|r| seen.insert(r.call_id.clone())).cloned().collect();

    let (mut numbers, mut refused) = (Numbers::default(), BTreeMap::new());
    match store.open_batch(&distinct).await {
        Ok(all) => numbers = all,
        Err(Failure::Store(e)) => return Err(e),
        // One bad row fails the statement: find it by sending each alone.
        Err(Failure::Row(_)) => {
            for row in &distinct {
                match store.open_batch(std::slice::from_ref(row)).await {
                    Ok(one) => numbers.merge(one),
                    Err(Failure::Store(e)) => return Err(e),
                    Err(Failure::Row(why)) => {
                        refused.insert(row.call_id.clone(), why);
                    }
                }
            }
        }
    }

    let outcome = |row: &Option<TicketRow>| {
        let Some(row) = row else {
            return Ok(Outcome::Refused { why: "answered_at is not a date".into() });
        };
        if let Some(why) = refused.get(&row.call_id) {
            return Ok(Outcome::Refused { why: why.clone() });
        }
        // Removed when reported: a second ticket of the same call in this batch is then already open.
        if let Some(ticket_no) = numbers.opened.remove(&row.call_id) {
            numbers.already.insert(row.call_id.clone(), ticket_no.clone());
            return Ok(Outcome::Opened { ticket_no });
        }
        match numbers.already.get(&row.call_id) {
            Some(ticket_no) => Ok(Outcome::AlreadyOpen { ticket_no: ticket_no.clone() }),
            None => Err(StoreError { reason: format!("case store lost call {} within a batch", row.call_id) }),
        }
    };
    rows.iter().map(outcome).collect()
}
