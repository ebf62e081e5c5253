//! For whom a request of ours went out: the number that comes back from the transaction layer with each response.

use crate::ids::LegId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A leg's session; leg 0 is nobody's.
    Leg(LegId),
    /// An OPTIONS that asks a trunk's hop whether it lives.
    Probe(u32),
    /// A REGISTER of ours.
    Account(u32),
}

/// The two highest bits tell the kinds apart; no gateway lives long enough for 2^62 legs.
const PROBE: u64 = 1 << 62;
const ACCOUNT: u64 = 2 << 62;
const KIND: u64 = 3 << 62;

impl Owner {
    pub fn pack(self) -> u64 {
        match self {
            Owner::Leg(leg) => leg.0,
            Owner::Probe(hop) => PROBE | u64::from(hop),
            Owner::Account(account) => ACCOUNT | u64::from(account),
        }
    }

    pub fn unpack(owner: u64) -> Owner {
        match owner & KIND {
            PROBE => Owner::Probe(owner as u32),
            ACCOUNT => Owner::Account(owner as u32),
            _ => Owner::Leg(LegId(owner)),
        }
    }
}
