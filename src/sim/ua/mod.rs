//! Pretend user agents, without I/O: real SIP bytes in and out, timers, and facts about what was seen.
//! Belongs here: a carrier's call and a seat's phone, as a simulation, the demo and tests drive them. They share the
//! message layer with the product and nothing else: retransmission, dialogs, SDP and digest are their own, so that a
//! fault in the product's cannot hide behind the same fault here. Not here: sockets, RTP, deciding who calls when.
//!
//! Every machine has the same face: a constructor taking `now`, `on_message(now, bytes)`, `on_timeout(now)`,
//! `poll() -> Option<UaOutput>` (drain it after each call) and `next_timeout()`. All bytes go to the one gateway address.

mod carrier;
mod credentials;
mod dialog;
mod incoming;
mod media;
mod outgoing;
mod phone;
mod registration;
#[cfg(test)]
mod tests;
mod wire;

pub use carrier::{CarrierCall, CarrierFault, CarrierParams, Cli, Pickup};
pub use credentials::Account;
pub use dialog::AfterRefer;
pub use incoming::{Plan, Reaction};
pub use media::RemoteMedia;
pub use phone::{Phone, PhoneParams};
pub use wire::Station;

use crate::time::Instant;
use std::collections::VecDeque;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UaOutput {
    /// One datagram for the gateway.
    Send(Vec<u8>),
    Fact(UaFact),
}

/// What a user agent saw. A media address is where *we* are to send RTP; ours is [`Station::rtp`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UaFact {
    /// Carrier: 180 came.
    Ringing,
    /// Carrier: a provisional response with SDP came (183).
    EarlyMedia(RemoteMedia),
    /// The call is up: send and expect RTP.
    Answered(RemoteMedia),
    /// A re-INVITE, of either side, changed the media (hold, resume, moved).
    MediaChanged(RemoteMedia),
    /// The call is over. Exactly once per call that a carrier placed, and per [`UaFact::Offered`] of a phone.
    Ended(Ending),
    /// Phone: the gateway rings us. `rexian_call` is the gateway's call id, if it sent one (`X-Rexian-Call`).
    Offered { sip_call_id: String, caller: String, rexian_call: Option<String> },
    /// Phone: a second call came while one was ringing or up; refused with 486.
    SecondCall { rexian_call: Option<String> },
    /// Phone without call waiting: a call came while a feature code was being dialled, since this time; refused with 486.
    OffHook { since: Instant },
    /// Phone: registered or refreshed.
    Registered,
    /// Phone: the registration was refused, or nobody replied (`None`). It tries again by itself.
    NotRegistered(Option<u16>),
    /// BYE was repeated for 32 s and nobody replied. Comes after `Ended`.
    Unanswered,
    /// Phone: how its REFER was answered.
    Referred(u16),
    /// Phone: what a NOTIFY told of the passing on.
    Told(u16),
    /// Phone: a feature code was dialled and accepted (200), or not (the status; `None`: no reply).
    Dialled { code: String, refused: Option<Option<u16>> },
}

/// How a call ended, as this side saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// We sent BYE.
    HungUp,
    /// We got BYE.
    PeerHungUp,
    /// We sent CANCEL and the call was never up.
    Cancelled,
    /// We got CANCEL.
    PeerCancelled,
    /// We got a final refusal.
    Refused(u16),
    /// We sent a final refusal.
    WeRefused(u16),
    /// No reply to a request, or no ACK for our answer.
    NoReply,
    /// The peer did not know our dialog any more (481).
    Forgotten,
    /// We lost power: nothing was sent.
    Died,
}

impl Ending {
    pub fn was_refused(self) -> bool {
        matches!(self, Ending::Refused(_))
    }
}

type Outputs = VecDeque<UaOutput>;
