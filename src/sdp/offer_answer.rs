//! Offer/answer for our one audio stream. SKELETON.

use crate::plane::{Codec, Direction, Negotiated};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Our side of a leg's media.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Local {
    pub address: IpAddr,
    pub port: u16,
    /// o= session id; constant for the leg.
    pub session_id: u64,
    /// o= version; the caller raises it by one whenever the description changes.
    pub version: u64,
    /// In order of preference.
    pub codecs: Vec<Codec>,
    /// Payload type for telephone-event in our offers.
    pub dtmf_payload_type: u8,
    pub direction: Direction,
}

/// The offer or answer cannot be used; becomes 488 (or ends the leg). Names the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unacceptable(pub &'static str);

/// Our offer.
pub fn offer(_local: &Local) -> Vec<u8> {
    todo!()
}
/// Our answer to their offer: as many m= lines as they sent, all but the first usable audio refused with port 0;
/// their telephone-event payload type is used; hold is mirrored (sendonly -> recvonly).
pub fn answer(_local: &Local, _their_offer: &[u8]) -> Result<(Vec<u8>, Negotiated), Unacceptable> {
    todo!()
}
/// Their answer to `our_offer`.
pub fn accept(_local: &Local, _their_answer: &[u8]) -> Result<Negotiated, Unacceptable> {
    todo!()
}
