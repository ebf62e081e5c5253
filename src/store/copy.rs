//! The event log's copy in PostgreSQL: for reports of many gateways, and for the day when this machine is lost. Belongs
//! here: shipping it (`ship`), its table (`table`), reading it back (`read`). Not here: the log (`journal`).
//!
//! Invariants. The log on this machine is written first, and nobody waits for the copy: while the database is away, events
//! wait in the log, as long as the log keeps them. What is shipped has been synced here before, so that no number is ever
//! given to two events. The copy itself says how far it is; an answer that got lost, or a process that died, loses nothing
//! and doubles nothing. A number that the caller withheld is in no event, and so in no copy.

mod read;
mod ship;
mod table;

pub(in crate::store) use read::CopyReader;
pub use ship::{CopyOptions, CopyStatus, start};
pub use table::{CopyError, CopyTable};
