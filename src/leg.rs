//! What any call leg says and is told, whatever device is behind it (a carrier's dialog, a seat's phone or browser).
//! `trunk` and `seat` translate between these and SIP; `call` knows legs only.

use crate::event::Forwarded;
use crate::ids::{AgentNo, LegId, SeatNo, TrunkName};
use crate::plane::Negotiated;
use serde::{Deserialize, Serialize};

/// A carrier's INVITE, as understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    pub leg: LegId,
    pub trunk: TrunkName,
    /// The number called, as sent and as normalised (`12345`, `+86531...`).
    pub dnis: String,
    pub caller: Caller,
    /// It was forwarded on its way to us.
    pub forwarded: Option<Forwarded>,
    pub sip_call_id: String,
    pub icid: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub raw: Option<String>,
    pub e164: Option<String>,
    pub withheld: bool,
}

/// What a leg reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LegEvent {
    /// The seat's phone rings.
    Ringing,
    /// The far end of our INVITE plays something before it answers: ring-back of its own, an announcement.
    EarlyMedia {
        media: Negotiated,
    },
    /// The far end answered our INVITE (not yet acknowledged: see [`LegCommand::Acknowledge`]).
    Answered {
        media: Negotiated,
    },
    /// The agent answered in the page. The audio of the seat's browser has been agreed on long before.
    PickedUp,
    /// The seat's browser is gone for now, and waited for.
    AudioLost,
    AudioBack,
    /// A later offer/answer changed the media: hold, resume, moved address.
    MediaChanged {
        media: Negotiated,
    },
    /// The phone asks us to pass its call on; it waits for [`LegCommand::AcceptRefer`] or [`LegCommand::RefuseRefer`].
    Refer(ReferTo),
    /// A key sent as SIP INFO.
    Digit(char),
    /// What the far end says of why it ends the leg, just before it does.
    Cause {
        status: Option<u16>,
        q850: Option<u8>,
    },
    /// The leg is over; it takes no more commands.
    Ended(LegEnd),
}

/// Whom a phone's REFER names. Bounded by the message it came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferTo {
    /// A SIP URI without headers.
    pub uri: Vec<u8>,
    /// A dialog of the same phone's, in whose place the other side is to come.
    pub replaces: Option<Replaces>,
}

/// A dialog as the phone that has it names it (RFC 3891 s3): our tag and its own, whichever way round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaces {
    pub call_id: String,
    pub to_tag: String,
    pub from_tag: String,
}

/// Why a leg ended, in the words the distributor needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LegEnd {
    /// BYE from the far end (or CANCEL, before the answer).
    HungUp,
    /// We ended it.
    Released,
    /// 486, 600.
    Busy,
    /// 603, 403 and other refusals.
    Declined,
    /// 408 or 480, or our ring timer.
    NoAnswer,
    /// No contact, transport error, transaction timeout, 5xx.
    Unreachable,
    /// No ACK, impossible SDP, dialog lost (481), our password refused.
    Fault,
}

/// What a leg is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LegCommand {
    /// 180 to the caller.
    Ring,
    /// 183 with media to the caller.
    EarlyMedia,
    /// 200 to the caller.
    Answer,
    /// ACK the far end's 200: the pickup is reported.
    Acknowledge,
    /// The call is being passed on as the phone asked.
    AcceptRefer,
    RefuseRefer(u16),
    /// How the passing on goes, for the phone that asked for it, last with a final status; nothing to others.
    Referred(u16),
    /// End it, in whatever way its state asks for (final response, CANCEL, BYE).
    Hangup(HangupReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HangupReason {
    Normal,
    /// Another offer or the caller ended it: "Call completed elsewhere"-like, phone shows no missed call.
    Withdrawn,
    UnknownNumber,
    Busy,
    /// Too much load or draining: 503 + Retry-After.
    Overload,
    NoService,
    /// Nothing common in the SDP: 488.
    NotAcceptable,
    MediaTimeout,
    OurFault,
    /// As whoever it was to lead to refused it.
    Refused {
        status: u16,
        cause: Option<u8>,
    },
}

/// Ring this agent at this seat for this call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub leg: LegId,
    pub agent: AgentNo,
    pub seat: SeatNo,
    /// Shown on the phone unless withheld.
    pub caller: Caller,
    /// Our call id, sent as a header so that a phone-side screen pop can use it.
    pub call_id: String,
}
