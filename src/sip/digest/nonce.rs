//! Nonces that cost no memory until someone has proved a password with them. Belongs here: minting, recognising and
//! spending them (RFC 7616 s3.3 `nonce`, s5.4 replay). Not here: the digest itself.
//!
//! A nonce carries its own birth and a keyed hash over it and the address it was sent to, so a flood of unauthenticated
//! requests stores nothing, and whoever shows a nonce has shown that this address is its own.
//! Only `spend` stores, and only after the caller has verified a response. The table is bounded: when full, its
//! oldest nonce is forgotten and every nonce as old or older counts as stale from then on, so that forgetting can
//! never make a replay pass.

use super::hash::{hex, hmac, same};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// A nonce we issued: when, and which one of that moment. Orders by age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Stamp(Instant, u64);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Nonces {
    key: Key,
    lifetime: Duration,
    capacity: usize,
    /// Two challenges of the same microsecond must not share a nonce: their holders would share its `nc`.
    serial: u64,
    /// This nonce and all older ones are stale whatever their age.
    forgotten: Option<Stamp>,
    spent: BTreeMap<Stamp, Window>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Key([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Nonces {
    pub fn new(key: [u8; 32], lifetime: Duration, capacity: usize) -> Self {
        Nonces { key: Key(key), lifetime, capacity, serial: 0, forgotten: None, spent: BTreeMap::new() }
    }

    /// 64 hex digits: birth, serial, truncated HMAC. `holder`: who is asked.
    pub fn mint(&mut self, now: Instant, holder: IpAddr) -> String {
        self.serial = self.serial.wrapping_add(1);
        let stamp = Stamp(now, self.serial);
        format!("{:016x}{:016x}{}", stamp.0.0, stamp.1, self.seal(stamp, holder))
    }

    /// The stamp of a nonce that we sent to this holder and that is not too old.
    pub fn recognise(&self, now: Instant, holder: IpAddr, nonce: &[u8]) -> Option<Stamp> {
        let text = std::str::from_utf8(nonce).ok()?;
        let number = |range| u64::from_str_radix(text.get(range)?, 16).ok();
        let stamp = Stamp(Instant(number(0..16)?), number(16..32)?);
        let ours = same(text.get(32..)?.as_bytes(), self.seal(stamp, holder).as_bytes());
        (ours && !self.expired(now, stamp) && self.forgotten < Some(stamp)).then_some(stamp)
    }

    /// Uses up count `nc` of the nonce (`None`, a client without `qop`: uses up the whole nonce). `false`: used before.
    pub fn spend(&mut self, now: Instant, stamp: Stamp, nc: Option<u32>) -> bool {
        while let Some(oldest) = self.spent.first_entry()
            && now.since(oldest.key().0) > self.lifetime
        {
            oldest.remove();
        }
        let fresh = match (self.spent.get_mut(&stamp), nc) {
            (Some(window), Some(nc)) => window.take(nc),
            (Some(_), None) => false,
            (None, nc) => {
                self.spent.insert(stamp, nc.map_or(Window::ALL, Window::first));
                true
            }
        };
        if self.spent.len() > self.capacity {
            self.forgotten = self.spent.pop_first().map(|(stamp, _)| stamp);
        }
        fresh
    }

    /// Nonces remembered: never more than the capacity.
    pub fn remembered(&self) -> usize {
        self.spent.len()
    }

    /// A password for users that do not exist, so that refusing them takes the same work.
    pub fn decoy(&self) -> String {
        hex(&hmac(&self.key.0, b"decoy"))
    }

    fn seal(&self, stamp: Stamp, holder: IpAddr) -> String {
        let mut message = [0; 38];
        message[..6].copy_from_slice(b"nonce ");
        message[6..14].copy_from_slice(&stamp.0.0.to_be_bytes());
        message[14..22].copy_from_slice(&stamp.1.to_be_bytes());
        let holder = match holder {
            IpAddr::V4(v4) => v4.to_ipv6_mapped(),
            IpAddr::V6(v6) => v6,
        };
        message[22..].copy_from_slice(&holder.octets());
        hex(&hmac(&self.key.0, &message)[..16])
    }

    fn expired(&self, now: Instant, stamp: Stamp) -> bool {
        now.since(stamp.0) > self.lifetime
    }
}

/// The counts of one nonce that were used: the highest, and which of the 63 below it. UDP reorders, so a lower
/// count may rightly come later; one further back than the window is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    highest: u32,
    seen: u64,
}

impl Window {
    const ALL: Window = Window { highest: u32::MAX, seen: u64::MAX };

    fn first(nc: u32) -> Window {
        Window { highest: nc, seen: 1 }
    }

    fn take(&mut self, nc: u32) -> bool {
        if nc > self.highest {
            self.seen = self.seen.checked_shl(nc - self.highest).unwrap_or(0) | 1;
            self.highest = nc;
            return true;
        }
        let Some(bit) = 1u64.checked_shl(self.highest - nc) else { return false };
        let unused = self.seen & bit == 0;
        self.seen |= bit;
        unused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_unix_secs(1_764_000_000);
    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 9));

    fn nonces(capacity: usize) -> Nonces {
        Nonces::new([7; 32], Duration::from_secs(60), capacity)
    }

    #[test]
    fn counts_are_used_once_in_any_order() {
        for (counts, wanted) in [
            (&[1u32, 2, 3][..], &[true, true, true][..]),
            (&[1, 1], &[true, false]),
            (&[2, 1, 2, 1], &[true, true, false, false]),
            (&[0x0a, 0x09, 0x0b], &[true, true, true]),
            (&[64, 1, 1], &[true, true, false]),
            (&[65, 1], &[true, false]), // further back than the window
            (&[u32::MAX, u32::MAX, u32::MAX - 1, 1], &[true, false, true, false]),
            (&[1, u32::MAX, 1], &[true, true, false]),
            (&[0, 0, 1], &[true, false, true]),
        ] {
            let mut nonces = nonces(8);
            let nonce = nonces.mint(NOW, HERE);
            let stamp = nonces.recognise(NOW, HERE, nonce.as_bytes()).unwrap();
            let got: Vec<bool> = counts.iter().map(|nc| nonces.spend(NOW, stamp, Some(*nc))).collect();
            assert_eq!(got, wanted, "{counts:?}");
        }
    }

    #[test]
    fn without_a_count_a_nonce_serves_once() {
        let mut nonces = nonces(8);
        let nonce = nonces.mint(NOW, HERE);
        let stamp = nonces.recognise(NOW, HERE, nonce.as_bytes()).unwrap();
        assert!(nonces.spend(NOW, stamp, None));
        assert!(!nonces.spend(NOW, stamp, None));
        assert!(!nonces.spend(NOW, stamp, Some(5)));
    }

    #[test]
    fn only_our_own_living_nonces_are_recognised() {
        let mut nonces = nonces(8);
        let good = nonces.mint(NOW, HERE);
        assert!(nonces.recognise(NOW, HERE, good.as_bytes()).is_some());
        assert!(nonces.recognise(NOW + Duration::from_secs(60), HERE, good.as_bytes()).is_some());
        assert!(nonces.recognise(NOW + Duration::from_secs(61), HERE, good.as_bytes()).is_none());
        assert_ne!(good, nonces.mint(NOW, HERE), "two challenges of one instant");
        for at in 0..good.len() {
            let mut forged = good.clone().into_bytes();
            forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
            assert!(nonces.recognise(NOW, HERE, &forged).is_none(), "digit {at} changed");
        }
        for bad in [&b""[..], b"x", b"+000000000000000", "é".repeat(32).as_bytes(), &good.as_bytes()[..63]] {
            assert!(nonces.recognise(NOW, HERE, bad).is_none());
        }
        let elsewhere = "10.0.0.8".parse().unwrap();
        assert!(nonces.recognise(NOW, elsewhere, good.as_bytes()).is_none(), "sent to another address");
        let mut other = Nonces::new([8; 32], Duration::from_secs(60), 8);
        assert!(nonces.recognise(NOW, HERE, other.mint(NOW, HERE).as_bytes()).is_none(), "another gateway's");
    }

    #[test]
    fn a_full_table_forgets_without_letting_a_replay_pass() {
        let mut nonces = nonces(4);
        let all: Vec<String> = (0..6).map(|_| nonces.mint(NOW, HERE)).collect();
        for nonce in &all {
            let stamp = nonces.recognise(NOW, HERE, nonce.as_bytes()).unwrap();
            assert!(nonces.spend(NOW, stamp, Some(1)));
            assert!(nonces.remembered() <= 4);
        }
        for (i, nonce) in all.iter().enumerate() {
            let again = nonces.recognise(NOW, HERE, nonce.as_bytes()).is_some_and(|s| nonces.spend(NOW, s, Some(1)));
            assert!(!again, "nonce {i} was replayed");
        }
        let late = NOW + Duration::from_secs(120);
        let fresh = nonces.mint(late, HERE);
        let stamp = nonces.recognise(late, HERE, fresh.as_bytes()).unwrap();
        assert!(nonces.spend(late, stamp, Some(1)));
        assert_eq!(nonces.remembered(), 1, "expired nonces are dropped");
    }
}
