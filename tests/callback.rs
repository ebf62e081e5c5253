//! Calling citizens back (回拨, 漏接回拨) as people see it: who hears what and when, who is called, how often, and that no
//! promise is lost or kept twice. Virtual time over the real gateway and real SIP messages.

#[path = "callback/accounts.rs"]
mod accounts;
#[path = "callback/attempts.rs"]
mod attempts;
#[path = "callback/kept.rs"]
mod kept;
#[path = "callback/offers.rs"]
mod offers;
#[path = "callback/random.rs"]
mod random;
#[path = "callback/world.rs"]
mod world;
