//! Commands for those who look after the stores: `rexian migrate`, `rexian spool`, and what `rexian check` says of the
//! database. Belongs here: their command lines and words. Not here: what they do (`cases`, `store::door`).

mod migrate;
mod reach;
mod spool;

pub use migrate::{Options as MigrateOptions, run as migrate};
pub use reach::notices;
pub use spool::{Command as SpoolCommand, run as spool};

use std::process::ExitCode;

/// Prints what went wrong.
fn failed(why: impl std::fmt::Display) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}
