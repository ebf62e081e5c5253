//! One INVITE dialog's usage, from first message to last (RFC 3261 s13-15): what a leg is in SIP.
//! Belongs here: ringing, answering, acknowledging, re-offers, ending, and the repeats the dialog itself owes (2xx, ACK).
//! Not here: transactions (`endpoint`), who the peer is and what the call means (`trunk`, `seat`, `call`).
//!
//! Invariants: `LegEvent::Ended` is reported exactly once and is the last event; after it only repeats are answered.

mod abilities;
mod early;
mod in_dialog;
mod offers;
mod refer;
mod refresh;
mod reliable;
mod subscriber;
pub mod timer;
mod uac;
mod uas;
mod way;

pub use abilities::{ALLOW, Peer, supported, unsupported};
pub use subscriber::Subscriber;
pub use uac::Target;

use super::dialog::Dialog;
use super::endpoint::{ClientTx, Endpoint, ServerTx};
use super::flow::{Flow, Listener};
use super::message::{Builder, Message, Name};
use super::reason;
use super::tokens::Tokens;
use crate::config::settings::{Cidr, Reliable};
use crate::leg::{HangupReason, LegCommand, LegEnd, LegEvent};
use crate::plane::Negotiated;
use crate::sdp::offer_answer::Local;
use crate::time::Instant;
use abilities::{SUPPORTED, SUPPORTED_CALLING};
use early::{Early, Patience};
use refer::{Notified, Referral};
use reliable::Provisionals;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;
use subscriber::Signer;
use timer::{By, Timer};
use uac::Attempt;
use way::Way;

/// RFC 3261 s17.1.1.1.
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const GIVE_UP: Duration = Duration::from_secs(32);

pub const SERVER: &[u8] = concat!("Rexian/", env!("CARGO_PKG_VERSION")).as_bytes();

/// What a session works with; borrowed from the gateway for one step.
pub struct Context<'a> {
    pub now: Instant,
    pub endpoint: &'a mut Endpoint,
    pub tokens: &'a mut Tokens,
    /// What the session reports, in order.
    pub events: &'a mut Vec<LegEvent>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    dialog: Dialog,
    /// The path the far end's INVITE came by, or ours went.
    flow: Flow,
    way: Way,
    /// Comes back with each response, so that the gateway finds this session.
    owner: u64,
    /// Our side of the media.
    local: Local,
    /// Our description, as last written.
    described: Vec<u8>,
    /// What the last exchange of descriptions settled.
    media: Option<Negotiated>,
    /// Whether provisional responses may wait for PRACKs, ours or theirs: the trunk's choice.
    reliable: Reliable,
    timer: Timer,
    /// What the far end allows our refreshes to be.
    refresh_by: By,
    peer: Peer,
    referral: Referral,
    /// News of it that the phone has not answered yet.
    notified: Vec<Notified>,
    /// We are a carrier's subscriber, and prove it when asked.
    signer: Option<Box<Signer>>,
    /// Tags of further phones that answered our INVITE and were sent BYE: their repeats are acknowledged only.
    sent_away: Vec<Vec<u8>>,
    patience: Patience,
    state: State,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum State {
    /// UAS: the INVITE has no final response yet.
    Incoming {
        tx: ServerTx,
        invite: Vec<u8>,
        opening: Opening,
        provisionals: Provisionals,
    },
    /// UAS: 200 sent, its ACK not seen.
    Accepted {
        unacknowledged: Unacknowledged,
        then: AfterAck,
    },
    /// UAC: INVITE sent, no final response yet.
    Calling {
        tx: ClientTx,
        attempt: Attempt,
        early: Early,
    },
    /// UAC: CANCEL sent; a 200 may still cross it.
    Cancelling {
        tx: ClientTx,
        until: Instant,
    },
    /// UAC: 2xx received; our ACK waits until the pickup may be reported.
    Picked {
        /// Sequence number of our INVITE.
        seq: u32,
    },
    Confirmed {
        /// UAC: the number of our INVITE and our ACK, repeated for each repeated 2xx.
        ack: Option<(u32, Vec<u8>)>,
        reinvite: Option<Unacknowledged>,
    },
    /// BYE sent.
    Leaving {
        tx: ClientTx,
    },
    Over,
}

/// How far the INVITE's own exchange of offer and answer has come (RFC 3261 s13.2.1, RFC 3262 s5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Opening {
    /// It brought an offer. Our answer goes into the 200 at the latest; what an unacknowledged 183 shows is a preview.
    Asked,
    /// It brought none. Our offer goes into the first response that cannot be lost.
    Offerless,
    /// Our offer is out in a provisional response: its PRACK brings the answer.
    Offered,
    /// Both descriptions have been exchanged before the 200, which carries none.
    Settled,
}

/// A 2xx we repeat until its ACK comes (s13.3.1.4).
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Unacknowledged {
    /// Its server transaction, which knows where responses go.
    tx: ServerTx,
    /// Sequence number of its INVITE, and so of its ACK.
    seq: u32,
    response: Vec<u8>,
    next: Instant,
    interval: Duration,
    until: Instant,
    /// The 2xx carried our offer: the ACK carries their answer.
    expects_answer: bool,
}

/// A BYE from us must wait for the ACK of our 200 (s15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum AfterAck {
    StayUp,
    Leave,
}

impl Session {
    pub fn command(&mut self, cx: &mut Context<'_>, command: LegCommand) {
        match command {
            LegCommand::Ring => self.provisional(cx, 180),
            LegCommand::EarlyMedia => self.provisional(cx, 183),
            LegCommand::Answer => self.answer(cx),
            LegCommand::Acknowledge => self.acknowledge(cx),
            LegCommand::AcceptRefer => self.accept_refer(cx),
            LegCommand::RefuseRefer(status) => self.refuse_refer(cx, status),
            LegCommand::Referred(status) => self.referred(cx, status),
            LegCommand::Hangup(reason) => self.hang_up(cx, reason),
        }
    }

    fn hang_up(&mut self, cx: &mut Context<'_>, reason: HangupReason) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Incoming { tx, invite, .. } => {
                match reason {
                    HangupReason::Refused { status, cause: Some(cause) } => {
                        self.refuse_saying(cx, tx, &invite, status, cause)
                    }
                    _ => self.refuse(cx, tx, &invite, final_status(reason)),
                }
                cx.events.push(LegEvent::Ended(LegEnd::Released));
            }
            State::Accepted { unacknowledged, then } => {
                self.state = State::Accepted { unacknowledged, then: AfterAck::Leave };
                if then == AfterAck::StayUp {
                    cx.events.push(LegEvent::Ended(LegEnd::Released));
                }
            }
            State::Calling { tx, .. } => {
                cx.endpoint.cancel(cx.now, tx);
                self.state = State::Cancelling { tx, until: cx.now + GIVE_UP };
            }
            State::Picked { seq } => {
                self.send_ack(cx, seq);
                self.leave(cx, reason, LegEnd::Released);
            }
            State::Confirmed { .. } => self.leave(cx, reason, LegEnd::Released),
            already @ (State::Cancelling { .. } | State::Leaving { .. } | State::Over) => self.state = already,
        }
    }

    /// Sends BYE. To the call the leg is over at once; the session lives on until the BYE is answered.
    fn leave(&mut self, cx: &mut Context<'_>, reason: HangupReason, end: LegEnd) {
        self.leave_saying(cx, q850(reason), end);
    }

    fn leave_saying(&mut self, cx: &mut Context<'_>, cause: Option<&'static [u8]>, end: LegEnd) {
        cx.events.push(LegEvent::Ended(end));
        self.send_bye(cx, cause);
    }

    fn send_bye(&mut self, cx: &mut Context<'_>, cause: Option<&'static [u8]>) {
        let branch = cx.tokens.branch();
        let flow = self.request_flow();
        let mut bye = self.dialog.request(super::message::Method::Bye, &flow, &branch);
        if let Some(cause) = cause {
            bye = bye.header(Name::Reason, cause);
        }
        let tx = self.send(cx, flow, &branch, bye.finish());
        self.state = State::Leaving { tx };
    }

    fn ended(&mut self, cx: &mut Context<'_>, end: LegEnd) {
        self.state = State::Over;
        cx.events.push(LegEvent::Ended(end));
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Accepted { unacknowledged: u, .. } => Some(u.next.min(u.until)),
            State::Confirmed { reinvite, .. } => {
                let repeat = reinvite.as_ref().map(|u| u.next.min(u.until));
                [repeat, self.timer.next_timeout()].into_iter().flatten().min()
            }
            State::Cancelling { until, .. } => Some(*until),
            State::Incoming { provisionals, .. } => provisionals.next_timeout(),
            _ => None,
        }
    }

    pub fn handle_timeout(&mut self, cx: &mut Context<'_>) {
        match &mut self.state {
            State::Accepted { unacknowledged: u, then: AfterAck::Leave } if cx.now >= u.until => {
                self.send_bye(cx, q850(HangupReason::Normal));
            }
            // s13.3.1.4: the dialog is considered confirmed but the session is ended with BYE.
            State::Accepted { unacknowledged: u, .. } | State::Confirmed { reinvite: Some(u), .. }
                if cx.now >= u.until =>
            {
                self.leave(cx, HangupReason::OurFault, LegEnd::Fault);
            }
            State::Accepted { unacknowledged: u, .. } | State::Confirmed { reinvite: Some(u), .. }
                if cx.now >= u.next =>
            {
                u.repeat(cx);
            }
            State::Confirmed { .. } => self.session_timeout(cx),
            State::Incoming { .. } => self.provisional_timeout(cx),
            State::Cancelling { until, .. } if cx.now >= *until => self.ended(cx, LegEnd::Unreachable),
            _ => {}
        }
    }

    /// Its audio never came about: the far end has accepted and then not done what it said.
    pub fn unheard(&mut self, cx: &mut Context<'_>) {
        let end = LegEnd::Unreachable;
        match std::mem::replace(&mut self.state, State::Over) {
            State::Accepted { unacknowledged, then: AfterAck::StayUp } => {
                self.state = State::Accepted { unacknowledged, then: AfterAck::Leave };
                cx.events.push(LegEvent::Ended(end));
            }
            State::Picked { seq } => {
                self.send_ack(cx, seq);
                self.leave(cx, HangupReason::MediaTimeout, end);
            }
            State::Confirmed { .. } => self.leave(cx, HangupReason::MediaTimeout, end),
            already => self.state = already,
        }
    }

    /// A carrier's, unless told otherwise.
    pub fn set_peer(&mut self, peer: Peer) {
        self.peer = peer;
    }

    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// What the last exchange of descriptions settled.
    pub fn media(&self) -> Option<&Negotiated> {
        self.media.as_ref()
    }

    /// Is the far end spoken with as a browser?
    pub fn is_webrtc(&self) -> bool {
        self.local.encryption.webrtc().is_some()
    }

    pub fn dialog(&self) -> &Dialog {
        &self.dialog
    }

    /// Sends our requests where the dialog's route leads (Record-Route, Contact), as long as that is one of these peers,
    /// rather than back where the INVITE came from. `listening`: our own addresses. `named`: the connections to those among
    /// them that must prove a name.
    pub fn follow_route(&mut self, among: &[Cidr], listening: &[Listener], named: Vec<(SocketAddr, u64)>) {
        self.way = Way::AsRouted { among: among.to_vec(), listening: listening.to_vec(), named };
    }

    /// The far end is there now, or its connection is gone and this is another way: what is sent from now on goes there.
    pub fn move_to(&mut self, flow: Flow) {
        self.flow = flow;
    }

    /// Where our requests in the dialog go.
    pub fn request_flow(&self) -> Flow {
        self.way.flow(&self.dialog, self.flow)
    }

    /// Does a request belong to this session: to its dialog or, while our INVITE is forked, to one of its early ones?
    pub fn owns(&self, request: &Message<'_>) -> bool {
        let early = match &self.state {
            State::Calling { early, .. } => early.owns(request),
            _ => false,
        };
        early || self.dialog.owns(request)
    }

    pub fn flow(&self) -> Flow {
        self.flow
    }

    /// Reports what the far end says of its reasons, if it says anything.
    fn note_reason(&self, cx: &mut Context<'_>, msg: &Message<'_>) {
        let (status, q850) = (msg.status(), reason::q850(msg));
        if status.is_some() || q850.is_some() {
            cx.events.push(LegEvent::Cause { status, q850 });
        }
    }

    /// With the telephone network's cause (RFC 3326).
    fn refuse_saying(&mut self, cx: &mut Context<'_>, tx: ServerTx, invite: &[u8], status: u16, cause: u8) {
        let tag = self.dialog.local_tag.clone();
        respond(cx, tx, self.flow, invite, status, &tag, |b| {
            b.header_fmt(Name::Reason, format_args!("Q.850;cause={cause}"))
        });
    }

    fn refuse(&mut self, cx: &mut Context<'_>, tx: ServerTx, invite: &[u8], status: u16) {
        let tag = self.dialog.local_tag.clone();
        respond(cx, tx, self.flow, invite, status, &tag, |b| reason::explain(b, status));
    }
}

impl Unacknowledged {
    fn new(now: Instant, tx: ServerTx, seq: u32, response: Vec<u8>, expects_answer: bool) -> Self {
        Unacknowledged { tx, seq, response, next: now + T1, interval: T1, until: now + GIVE_UP, expects_answer }
    }

    fn repeat(&mut self, cx: &mut Context<'_>) {
        self.interval = (self.interval * 2).min(T2);
        self.next = cx.now + self.interval;
        cx.endpoint.respond(cx.now, self.tx, 200, self.response.clone());
    }
}

/// Answers a kept request: re-reads the raw INVITE, so that no header is copied into state.
fn respond(
    cx: &mut Context<'_>,
    tx: ServerTx,
    flow: Flow,
    request: &[u8],
    status: u16,
    tag: &str,
    finish: impl FnOnce(Builder) -> Builder,
) {
    use super::message::{Framing, reason_phrase};
    // It was read once already, so this cannot fail; if it did, the transaction's own timer ends the leg.
    let Ok(msg) = Message::parse(request, Framing::Datagram) else { return };
    let b = Builder::response(&msg, status, reason_phrase(status), Some(tag.as_bytes()), flow.remote);
    let b = finish(b.header(Name::Server, SERVER));
    cx.endpoint.respond(cx.now, tx, status, b.finish());
}

fn final_status(reason: HangupReason) -> u16 {
    match reason {
        HangupReason::UnknownNumber => 404,
        HangupReason::Busy => 486,
        HangupReason::Overload => 503,
        HangupReason::NoService | HangupReason::Normal | HangupReason::Withdrawn => 480,
        HangupReason::NotAcceptable => 488,
        HangupReason::MediaTimeout | HangupReason::OurFault => 500,
        HangupReason::Refused { status, .. } => status,
    }
}

/// RFC 3326: why we end it, in the carrier's words (ITU-T Q.850 cause values).
fn q850(reason: HangupReason) -> Option<&'static [u8]> {
    match reason {
        HangupReason::Normal | HangupReason::Withdrawn => Some(b"Q.850;cause=16;text=\"Normal call clearing\""),
        HangupReason::MediaTimeout => Some(b"Q.850;cause=41;text=\"No media\""),
        HangupReason::OurFault => Some(b"Q.850;cause=41;text=\"Temporary failure\""),
        _ => None,
    }
}
