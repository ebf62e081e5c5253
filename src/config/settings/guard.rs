//! Settings of the guard: how strangers are met, and when guessing passwords ends in a ban.

use super::Cidr;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardSettings {
    /// What a request gets that comes from neither a trunk nor a phone.
    pub unknown: Unknown,
    /// Networks that are slowed when passwords fail, and never banned. Trunks' peers never are either.
    pub never_ban: Vec<Cidr>,
    /// Wrong passwords from one address before it is banned.
    pub failures: u32,
    /// Wrong passwords for one seat, from wherever, before an address new to that seat has one try only.
    pub seat_failures: u32,
    /// Failures count no longer after so much quiet.
    pub forget: Duration,
    /// The first ban's length; each further one is twice as long.
    pub ban: Duration,
    pub longest_ban: Duration,
}

impl Default for GuardSettings {
    fn default() -> GuardSettings {
        GuardSettings {
            unknown: Unknown::Silence,
            never_ban: vec![],
            failures: 5,
            seat_failures: 20,
            forget: Duration::from_secs(600),
            ban: Duration::from_secs(60),
            longest_ban: Duration::from_secs(3_600),
        }
    }
}

/// How a request of a stranger is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unknown {
    /// No answer: whoever scans for gateways finds none.
    Silence,
    /// 403, so that a misconfigured peer finds out.
    Refuse,
}
