//! Dialogs as the far end sees them: SIP text in, SIP text out, virtual time. Every scenario runs twice, the second time
//! saved and restored before each step, and must read the same.

mod calling;
mod forks;
mod front;
mod keys;
mod offers;
mod races;
mod refer;
mod reliable;
mod routes;
mod subscriber;
mod support;
mod timer;
