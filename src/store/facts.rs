//! The facts beside the event log: call records and agents' times, folded from it (`crate::record`) and kept for years.
//! Belongs here: who folds, and when. Not here: the fold (`record`), SQL (`file`), the file's reader (`read`).
//!
//! Invariants. The facts and the place in the log that they were folded up to are one commit, so a process that dies
//! anywhere neither misses an event nor counts one twice. Whoever opens the file may fold on, the gateway or a report:
//! under the file's write lock each begins where the last one stopped. Nobody waits for it: a facts file that cannot be
//! written is caught up later, as long as the log has the events.

mod file;
mod follow;
mod live;
mod now;
mod read;
mod rebuild;

pub use follow::{FactsOptions, catch_up, start};
pub use live::{Broken, Live, Told};
pub use now::Now;
pub use read::{Coverage, FactsError, FactsReader, Mark, MarkKind};
pub use rebuild::{Difference, Rebuilt, rebuild, rebuild_from_copy};
