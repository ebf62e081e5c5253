//! The way to a human without a menu: what the number called, the hour and the caller lead to, whom we remember, and
//! how announcements are worded. Belongs here: these rules as pure functions and one bounded memory. Not here: carrying
//! them out (`call`, `gateway`), who gets the call (`acd`), sound (`media`).

pub mod memory;
pub mod route;
pub mod spoken;
