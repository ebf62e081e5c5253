//! The case store behind a trait: where tickets live for years. Belongs here: what every store promises, ticket
//! numbering, one module per kind of store; work on tickets after pickup (`desk`). Not here: surviving its outage (`store`), the
//! ticket's fields (`ticket`), the rules of that work (`casework`).
//!
//! A new store: one module implementing [`CaseStore`], and the contract suite in `tests/store/contract.rs` runs on it.

mod batch;
mod configured;
pub mod desk;
pub mod history;
pub(crate) mod migrate;
pub mod number;
pub mod postgres;
mod row;
pub mod sqlite;

pub use configured::Cases;

use crate::event::RememberedCaller;
use crate::ticket::NewTicket;
use crate::time::Instant;
use history::History;
use std::fmt;
use std::future::Future;

/// What became of one ticket of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Opened {
        ticket_no: String,
    },
    /// This call has its ticket already: the batch was sent before and its answer was lost.
    AlreadyOpen {
        ticket_no: String,
    },
    /// This ticket can never be stored as it is; sending it again is of no use.
    Refused {
        why: String,
    },
}

/// The store could not work now; nothing of the batch may be taken as stored, and all of it may be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// What failed, where, and what the operator can do.
    pub reason: String,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for StoreError {}

/// Tickets looked at for each recent caller asked for: how often a citizen calls in a month, generously.
const CALLS_PER_CALLER: i64 = 20;

/// Promises of every store, checked by the contract suite:
/// - exactly one ticket per call id, however often and from however many writers it is sent;
/// - numbers `prefix + yyyymmdd + daily sequence` without gaps or doubles under concurrent writers;
/// - `Ok` means durable; one outcome per ticket, in the batch's order; a refused ticket does not hinder its neighbours;
/// - a dropped future leaves the store usable (the batch is then stored whole or not at all).
pub trait CaseStore: Send + Sync + 'static {
    fn open_tickets(&self, tickets: &[NewTicket]) -> impl Future<Output = Result<Vec<Outcome>, StoreError>> + Send;

    /// Who served whom last: of each caller with a ticket answered since `since` the latest pickup, the latest `limit` of
    /// them, latest first. Withheld numbers and test calls are not among them. A store that cannot tell knows nobody.
    fn recent_callers(
        &self,
        limit: u32,
        since: Instant,
    ) -> impl Future<Output = Result<Vec<RememberedCaller>, StoreError>> + Send {
        let _ = (limit, since);
        std::future::ready(Ok(vec![]))
    }

    /// The earlier tickets of a caller, answered before `before`: the latest `limit`, and how many there were lately. Test
    /// calls are not among them. From an index: short however many tickets there are. A store that cannot tell knows none.
    fn history(
        &self,
        number: &str,
        before: Instant,
        limit: u32,
    ) -> impl Future<Output = Result<History, StoreError>> + Send {
        let _ = (number, before, limit);
        std::future::ready(Ok(History::default()))
    }

    /// Whether the store could take a batch now, at the cost of one small query.
    fn health(&self) -> impl Future<Output = Result<(), StoreError>> + Send;
}
