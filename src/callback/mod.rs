//! Citizens to be called back: whom we promised it, and whose call we missed (漏接回拨).
//! Belongs here: the list, when the next attempt for each is due, when an entry is done with. Not here: the attempt
//! itself (`call::callback`), its place in the line (`acd`), the leg (`gateway::outbound`), keeping the list (`store`).
//!
//! Invariants: a number has one entry; an entry has at most one attempt in flight; no more than `max_pending` entries of
//! either kind; every change is put out ([`Callbacks::next_change`]) in the step that makes it.

mod hours;
mod list;

pub use list::{Callbacks, Order, Pending, State};
