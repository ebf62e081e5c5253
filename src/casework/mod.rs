//! The ticket's life after pickup, as the standard (GB/T 33358-2016) fixes it: a value, commands on it, the changes that
//! follow, deadlines in working days. Belongs here: the rules. Not here: numbers and storage (`cases`), the pickup (`call`,
//! `ticket`), who somebody is (the API).
//!
//! ```text
//! Ticket::apply(circumstances: rules + now, actor, command) -> Ok(changes) | Err(refusal, which says what is possible instead)
//! Case::take(entry) folds a change in; the fold over all entries is the case
//! ```
//! Invariants: `apply` changes nothing itself; what it returns always folds; a stage holds only what is valid there; who may
//! do what is one table (`rights`); nobody sees the citizen without asking for it (`sight`).

mod actor;
mod calendar;
mod case;
mod categories;
mod change;
mod command;
mod day;
mod matter;
mod refusal;
pub mod rights;
mod rules;
mod sight;
mod status;
mod steps;
mod table;
mod tally;
pub mod words;

pub use actor::{Actor, Post};
pub use calendar::{Calendar, DayKind};
pub use case::{Case, Misfit, Opening, Ticket, Times};
pub use categories::{Categories, Category, LEVELS};
pub use change::{Change, Entry};
pub use command::Command;
pub use day::{Day, NoSuchDay};
pub use matter::{Classified, Coordinates, Fill, Filled, Matter};
pub use refusal::Refusal;
pub use rules::{Limits, Rules};
pub use sight::{Sight, mask_name, mask_number};
pub use status::{Assignment, Callback, Departments, ExtensionAsked, Settlement, Status};
pub use steps::Circumstances;
pub use table::Fault;
pub use tally::{Course, Share, Tally};

#[cfg(test)]
mod random;
#[cfg(test)]
mod tests;
