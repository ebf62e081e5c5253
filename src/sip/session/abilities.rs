//! What we tell far ends of ourselves: methods (Allow, RFC 3261 s20.5) and extensions (Supported, Require, s8.2.2.3).

use crate::config::settings::Reliable;
use crate::sip::message::{Message, Name};
use serde::{Deserialize, Serialize};

/// What a carrier may ask of us.
pub const ALLOW: &[u8] = b"INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK";

/// Extensions we speak when called, or call a carrier; and those a phone may use when we call it.
pub(super) const SUPPORTED: &[u8] = b"100rel, timer";
pub(super) const SUPPORTED_CALLING: &[u8] = b"timer";

/// For Supported in what answers this peer.
pub fn supported(reliable: Reliable) -> &'static [u8] {
    match reliable {
        Reliable::Never => SUPPORTED_CALLING,
        Reliable::IfRequired | Reliable::IfSupported => SUPPORTED,
    }
}

/// What a request requires that is not spoken here (RFC 3261 s8.2.2.3). Bounded.
pub fn unsupported<'a>(request: &Message<'a>, reliable: Reliable) -> Vec<&'a [u8]> {
    let spoken: &[&[u8]] = match reliable {
        Reliable::Never => &[b"timer", b"norefersub"],
        Reliable::IfRequired | Reliable::IfSupported => &[b"100rel", b"timer", b"norefersub"],
    };
    let is_spoken = |option: &[u8]| spoken.iter().any(|known| known.eq_ignore_ascii_case(option));
    request.values(Name::Require).filter(|option| !is_spoken(option)).take(8).collect()
}

/// What is at the far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Peer {
    Carrier,
    /// A seat's. It may ask us to pass its call on.
    Phone,
}

impl Peer {
    /// For Allow.
    pub fn allowed(self) -> &'static [u8] {
        match self {
            Peer::Carrier => ALLOW,
            Peer::Phone => b"INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER",
        }
    }
}
