//! Whose packets a leg listens to: symmetric RTP, locked against injection and "RTP bleed". Belongs here: the decision
//! per packet, by source address and SSRC. Not here: sequence numbers (`sequence`), sockets (`shard`).
//! (RFC 4961 symmetric RTP; RFC 3550 s8.2 and RFC 7362 s5 for why the address is checked.)

use crate::time::Instant;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The locked source must have been silent this long before another address may take its place (a NAT that rebinds).
const MOVES_AFTER: Duration = Duration::from_secs(1);
/// And this long (three packets) before another stream from the *same* address is taken: carriers change the SSRC
/// when they change what the caller hears, while a forged packet among live ones must not.
const SWITCHES_AFTER: Duration = Duration::from_millis(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The stream we are locked to.
    Known,
    /// We are locked to this from now on: sequence numbers start afresh.
    NewStream,
    Refused,
}

#[derive(Clone, Debug)]
pub struct Latch {
    signalled: SocketAddr,
    also_from: Option<IpAddr>,
    locked: Option<Locked>,
}

#[derive(Clone, Copy, Debug)]
struct Locked {
    from: SocketAddr,
    ssrc: u32,
    heard: Instant,
}

impl Latch {
    pub fn new(signalled: SocketAddr, also_from: Option<IpAddr>) -> Self {
        Latch { signalled, also_from: also_from.map(|ip| ip.to_canonical()), locked: None }
    }

    /// Call only for packets that are valid otherwise: this locks.
    pub fn admit(&mut self, now: Instant, from: SocketAddr, ssrc: u32) -> Admission {
        match &mut self.locked {
            Some(locked) if locked.from == from && locked.ssrc == ssrc => {
                locked.heard = now;
                return Admission::Known;
            }
            // The very address of the agreement outranks another port of its host, which may be a straggler of an
            // earlier call through the same carrier gateway.
            Some(locked) if from == self.signalled && locked.from != from => {}
            Some(locked) => {
                let patience = if locked.from == from { SWITCHES_AFTER } else { MOVES_AFTER };
                if now.since(locked.heard) < patience {
                    return Admission::Refused;
                }
            }
            None => {}
        }
        if !self.allows(from.ip()) {
            return Admission::Refused;
        }
        self.locked = Some(Locked { from, ssrc, heard: now });
        Admission::NewStream
    }

    /// May this address send to the leg at all? (Also the check for RTCP, which does not lock.)
    pub fn allows(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        ip == self.signalled.ip().to_canonical() || Some(ip) == self.also_from
    }

    /// Where to send: back to where the packets come from, until then to where the signalling said.
    pub fn target(&self) -> SocketAddr {
        self.locked.map_or(self.signalled, |locked| locked.from)
    }

    /// Is this the agreement we already listen under? Then the lock stays (a session refresh is no reason to let go).
    pub fn is_for(&self, signalled: SocketAddr, also_from: Option<IpAddr>) -> bool {
        self.signalled == signalled && self.also_from == also_from.map(|ip| ip.to_canonical())
    }
}

#[cfg(test)]
mod tests {
    use super::Admission::*;
    use super::*;

    const PHONE: &str = "10.0.0.5:4000";
    const NAT_PORT: &str = "10.0.0.5:61000";
    const NEW_PORT: &str = "10.0.0.5:62000";
    const ATTACKER: &str = "10.9.9.9:4000";
    const NAT: &str = "203.0.113.7:2222";

    #[test]
    fn only_the_negotiated_party_is_heard() {
        type Step = (u64, &'static str, u32, Admission);
        // (ms, from, ssrc, expected), one conversation per table.
        let tables: [(Option<&str>, &[Step]); 6] = [
            (
                None,
                &[
                    (0, ATTACKER, 1, Refused),
                    (1, PHONE, 1, NewStream),
                    (21, ATTACKER, 1, Refused),
                    (41, PHONE, 1, Known),
                ],
            ),
            // The same host from another port is a NAT; it locks, and holds while it talks.
            (
                None,
                &[
                    (0, NAT_PORT, 1, NewStream),
                    (20, NEW_PORT, 1, Refused),
                    (40, NAT_PORT, 1, Known),
                    (1_050, NEW_PORT, 1, NewStream),
                ],
            ),
            // The agreed address itself wins over another port of its host, not the other way round.
            (
                None,
                &[
                    (0, NAT_PORT, 9, NewStream),
                    (20, PHONE, 1, NewStream),
                    (40, NAT_PORT, 9, Refused),
                    (60, PHONE, 1, Known),
                ],
            ),
            // Silence does not let a stranger in.
            (None, &[(0, PHONE, 1, NewStream), (60_000, ATTACKER, 1, Refused)]),
            // A second SSRC amid live packets is forged; after a pause it is the carrier's new source.
            (
                None,
                &[(0, PHONE, 1, NewStream), (20, PHONE, 2, Refused), (39, PHONE, 1, Known), (100, PHONE, 2, NewStream)],
            ),
            // A phone behind NAT: its signalling address counts too.
            (Some("203.0.113.7"), &[(0, NAT, 1, NewStream), (5, ATTACKER, 1, Refused), (20, NAT, 1, Known)]),
        ];
        for (i, (also, steps)) in tables.iter().enumerate() {
            let mut latch = Latch::new(PHONE.parse().unwrap(), also.map(|a| a.parse().unwrap()));
            for &(ms, from, ssrc, expected) in *steps {
                let got = latch.admit(Instant(ms * 1_000), from.parse().unwrap(), ssrc);
                assert_eq!(got, expected, "table {i}, {ms} ms, {from}, ssrc {ssrc}");
            }
        }
    }

    #[test]
    fn we_answer_to_where_packets_come_from() {
        let mut latch = Latch::new("10.0.0.5:4000".parse().unwrap(), None);
        assert_eq!(latch.target(), "10.0.0.5:4000".parse().unwrap());
        latch.admit(Instant(1), "10.0.0.5:61000".parse().unwrap(), 7);
        assert_eq!(latch.target(), "10.0.0.5:61000".parse().unwrap());
    }

    #[test]
    fn a_v4_address_in_v6_clothes_is_the_same_party() {
        let mut latch = Latch::new("10.0.0.5:4000".parse().unwrap(), None);
        assert_eq!(latch.admit(Instant(1), "[::ffff:10.0.0.5]:4000".parse().unwrap(), 7), NewStream);
    }
}
