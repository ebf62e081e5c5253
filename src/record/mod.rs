//! What became of each call and what each agent's time went into: facts, folded from the one record of events. Belongs
//! here: the facts as data (`call`, `agents`) and the fold that makes them (`fold`), one event at a time, so that it can
//! be stopped and go on anywhere. Not here: reading the events and keeping the facts (`store::facts`), figures (`sla`),
//! showing them (`report`, `export`).
//!
//! Invariants. A call has one record, from its first event on; a record changes only by further events. Nothing is made
//! up: a call whose end was never recorded gets no cause but [`Lost`], and one whose beginning is missing is
//! [`Kind::Unknown`] and counts in no figure.

mod agents;
mod call;
mod fold;
mod learn;

pub use agents::{CELL, Cell, STATES, Serving, Spell, state_of, state_word};
pub use call::{CallRecord, Ending, Entered, Kind, Lost, Offer, Offered, Segment, With};
pub use fold::{Changes, Fold, Times, WrapUp, running};

#[cfg(test)]
mod tests;
