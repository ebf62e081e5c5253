//! The distributor against theory: floors that queueing theory has solved exactly, a floor of two languages that a plain
//! list can replay, and what callers are told about their wait against what they then wait.
//!
//! Every statistical statement is "theory lies within 4 standard errors of the mean over independent seeds", and beside
//! each stands a control: a floor that is slightly wrong on purpose, which must be found out. `--nocapture` shows tables.

mod erlang;
mod estimate;
mod figures;
mod floor;
mod languages;
mod wire;
