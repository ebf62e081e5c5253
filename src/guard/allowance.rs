//! How many answers strangers get: so many a second in all, and so many by address. UDP sources can be forged, so what
//! we send to one that has proved nothing is little, or we would be somebody's weapon. The memory is fixed: addresses
//! share counters, by a keyed hash.

use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

const SLOTS: usize = 1_024;
/// Answers a second to the addresses of one counter: sixty phones behind one NAT register within two seconds.
pub const EACH: u16 = 50;
/// Answers a second to all strangers.
pub const ALL: u32 = 2_000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Allowance {
    key: u64,
    second: u64,
    given: u32,
    slots: Vec<u16>,
}

impl Allowance {
    pub fn new(key: u64) -> Allowance {
        Allowance { key, second: 0, given: 0, slots: vec![0; SLOTS] }
    }

    /// One answer to this address, if it may have one.
    pub fn take(&mut self, now: Instant, source: IpAddr) -> bool {
        self.turn(now);
        if self.given >= ALL || !self.take_one(source) {
            return false;
        }
        self.given += 1;
        true
    }

    /// The same for an address of our own phones: it has no part in what all strangers share.
    pub fn take_at_home(&mut self, now: Instant, source: IpAddr) -> bool {
        self.turn(now);
        self.take_one(source)
    }

    fn turn(&mut self, now: Instant) {
        let second = now.as_unix_micros() / 1_000_000;
        if second != self.second {
            self.second = second;
            self.given = 0;
            self.slots.fill(0);
        }
    }

    fn take_one(&mut self, source: IpAddr) -> bool {
        let slot = &mut self.slots[slot(self.key, source)];
        let may = *slot < EACH;
        *slot += u16::from(may);
        may
    }
}

/// The finaliser of splitmix64 over the key and both halves of the address.
fn slot(key: u64, source: IpAddr) -> usize {
    let bits = match source {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    };
    let mix = |mut x: u64| {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    mix(mix(key ^ (bits >> 64) as u64) ^ bits as u64) as usize % SLOTS
}
