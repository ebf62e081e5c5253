//! The case store that the configuration names. Belongs here: passing each promise on to it. Not here: any store.

use super::history::History;
use super::postgres::{PostgresCases, Version};
use super::sqlite::SqliteCases;
use super::{CaseStore, Outcome, StoreError};
use crate::config::settings::CaseStoreSettings;
use crate::event::RememberedCaller;
use crate::ticket::NewTicket;
use crate::time::Instant;

/// A trait whose futures are `Send` makes no `dyn`: so one variant for each kind of store.
pub enum Cases {
    Sqlite(SqliteCases),
    Postgres(PostgresCases),
}

macro_rules! each {
    ($self:ident, $store:ident => $call:expr) => {
        match $self {
            Cases::Sqlite($store) => $call,
            Cases::Postgres($store) => $call,
        }
    };
}

impl Cases {
    /// Opens nothing yet.
    pub fn new(settings: &CaseStoreSettings, ticket_prefix: &str) -> Self {
        match settings {
            CaseStoreSettings::Sqlite(path) => Cases::Sqlite(SqliteCases::new(path, ticket_prefix)),
            CaseStoreSettings::Postgres(at) => Cases::Postgres(PostgresCases::new(at.clone(), ticket_prefix)),
        }
    }

    /// The store as it is, for one who only reads.
    ///
    /// # Errors
    /// It cannot be read, or its tables are not this program's; nothing has been changed.
    pub async fn reading(settings: &CaseStoreSettings) -> Result<Self, StoreError> {
        match settings {
            CaseStoreSettings::Sqlite(path) => {
                let store = SqliteCases::reading(path);
                store.health().await.map(|()| Cases::Sqlite(store))
            }
            CaseStoreSettings::Postgres(at) => {
                let store = PostgresCases::new(at.clone(), "");
                match store.version().await? {
                    Version::Ours(_) => Ok(Cases::Postgres(store)),
                    other => Err(StoreError { reason: format!("case store {at}: {other}") }),
                }
            }
        }
    }

    /// A further handle for one who reads: never behind a batch being written.
    pub fn reader(&self) -> Self {
        match self {
            Cases::Sqlite(store) => Cases::Sqlite(store.another()),
            Cases::Postgres(store) => Cases::Postgres(store.clone()),
        }
    }

    /// A further handle with connections of its own, at most so many: whoever has it takes none from those who write.
    pub fn apart(&self, connections: u32) -> Self {
        match self {
            Cases::Sqlite(store) => Cases::Sqlite(store.another()),
            Cases::Postgres(store) => Cases::Postgres(store.apart(connections)),
        }
    }

    /// Brings the tables up to date; opening the store does so too, where its role may.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self {
            Cases::Sqlite(store) => store.health().await,
            Cases::Postgres(store) => store.migrate().await,
        }
    }
}

impl CaseStore for Cases {
    async fn open_tickets(&self, tickets: &[NewTicket]) -> Result<Vec<Outcome>, StoreError> {
        each!(self, store => store.open_tickets(tickets).await)
    }

    async fn recent_callers(&self, limit: u32, since: Instant) -> Result<Vec<RememberedCaller>, StoreError> {
        each!(self, store => store.recent_callers(limit, since).await)
    }

    async fn history(&self, number: &str, before: Instant, limit: u32) -> Result<History, StoreError> {
        each!(self, store => store.history(number, before, limit).await)
    }

    async fn health(&self) -> Result<(), StoreError> {
        each!(self, store => store.health().await)
    }
}
