//! A phone asks us to pass its call on: REFER inside the dialog and the NOTIFYs that tell how it goes (RFC 3515,
//! RFC 4488; Replaces in Refer-To: RFC 3891). Belongs here: the request, its answer, the subscription it makes. Not here:
//! whom it may name and what then happens (`gateway`): to a session Refer-To is a text.
//!
//! Invariants: one at a time; after the final NOTIFY, or the dialog's end, nothing is sent any more (a phone that has
//! said BYE knows neither dialog nor subscription). A carrier's dialog takes none (405).

use super::super::endpoint::{ClientTx, ServerTx};
use super::super::flow::Flow;
use super::super::message::uri::{Scheme, Uri, unescape};
use super::super::message::{Framing, Message, Method, Name, NameAddr, reason_phrase};
use super::{AfterAck, Context, Session, State, respond};
use crate::leg::{HangupReason, LegEnd, LegEvent, ReferTo, Replaces};
use serde::{Deserialize, Serialize};

/// Seconds a phone may wait for the outcome; longer than anything rings here.
const EXPIRES: u32 = 180;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) enum Referral {
    #[default]
    None,
    /// Not answered yet. Lasts no longer than one step.
    Asked { tx: ServerTx, flow: Flow, request: Vec<u8> },
    /// The phone is told how it goes.
    Open {
        /// CSeq of the REFER: which of several it is about (RFC 3515 s2.4.6).
        id: u32,
        /// What it has been told last.
        told: u16,
    },
}

/// A NOTIFY that is not answered yet. Where no answer comes at all the phone is gone (RFC 5057 s5.1): on hold, with no
/// media to be missed, nothing else would show it for long.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Notified {
    tx: ClientTx,
    id: u32,
    status: u16,
}

/// Of a phone that answers none, the latest count.
const MOST_NOTIFIED: usize = 8;

impl Session {
    pub(super) fn refer(&mut self, cx: &mut Context<'_>, tx: ServerTx, flow: Flow, msg: &Message<'_>) {
        let refused = match &self.state {
            State::Cancelling { .. } | State::Leaving { .. } | State::Over => 481,
            State::Accepted { then: AfterAck::Leave, .. } => 481,
            // It may cost money: from where the phone is, only.
            _ if flow.remote.ip() != self.flow.remote.ip() => 403,
            State::Confirmed { .. } | State::Accepted { .. } if matches!(self.referral, Referral::None) => {
                match refer_to(msg) {
                    Ok(to) => {
                        self.referral = Referral::Asked { tx, flow, request: msg.raw().to_vec() };
                        return cx.events.push(LegEvent::Refer(to));
                    }
                    Err(status) => status,
                }
            }
            _ => 491,
        };
        self.reply(cx, tx, flow, msg, refused, |b| b);
    }

    /// 202, and the first NOTIFY at once (s2.4.4); neither subscription nor NOTIFY if the phone wants none (RFC 4488 s4).
    pub(super) fn accept_refer(&mut self, cx: &mut Context<'_>) {
        let Some((tx, flow, request)) = self.take_asked() else { return };
        let Ok(msg) = Message::parse(&request, Framing::Datagram) else { return };
        let unwanted =
            |v: &[u8]| v.split(|b| *b == b';').next().is_some_and(|v| v.trim_ascii().eq_ignore_ascii_case(b"false"));
        let wanted = !msg.other("Refer-Sub").is_some_and(unwanted);
        let (tag, contact, id) = (self.dialog.local_tag.clone(), self.contact(&flow), msg.cseq().seq);
        respond(cx, tx, flow, &request, 202, &tag, |b| {
            let b = b.header(Name::Contact, contact.as_bytes());
            if wanted { b } else { b.other("Refer-Sub", b"false") }
        });
        if wanted {
            self.referral = Referral::Open { id, told: 100 };
            self.notify(cx, id, 100);
        }
    }

    pub(super) fn refuse_refer(&mut self, cx: &mut Context<'_>, status: u16) {
        let Some((tx, flow, request)) = self.take_asked() else { return };
        let tag = self.dialog.local_tag.clone();
        respond(cx, tx, flow, &request, status, &tag, |b| b);
    }

    /// How it goes; after a final status the phone may hang up.
    pub(super) fn referred(&mut self, cx: &mut Context<'_>, status: u16) {
        let Referral::Open { id, told } = self.referral else { return };
        if told == status {
            // It rings, as it has said before.
            return;
        }
        self.referral = if status >= 200 { Referral::None } else { Referral::Open { id, told: status } };
        if matches!(self.state, State::Confirmed { .. } | State::Accepted { then: AfterAck::StayUp, .. }) {
            self.notify(cx, id, status);
        }
    }

    fn take_asked(&mut self) -> Option<(ServerTx, Flow, Vec<u8>)> {
        match std::mem::take(&mut self.referral) {
            Referral::Asked { tx, flow, request } => Some((tx, flow, request)),
            other => {
                self.referral = other;
                None
            }
        }
    }

    fn notify(&mut self, cx: &mut Context<'_>, id: u32, status: u16) {
        let (branch, flow) = (cx.tokens.branch(), self.request_flow());
        let state = match status {
            ..200 => format!("active;expires={EXPIRES}"),
            _ => "terminated;reason=noresource".to_owned(),
        };
        let told = format!("SIP/2.0 {status} {}\r\n", reason_phrase(status));
        let notify = self
            .dialog
            .request(Method::Notify, &flow, &branch)
            .header(Name::Contact, self.contact(&flow).as_bytes())
            .header_fmt(Name::Event, format_args!("refer;id={id}"))
            .header(Name::SubscriptionState, state.as_bytes())
            .body("message/sipfrag;version=2.0", told.as_bytes());
        let tx = self.send(cx, flow, &branch, notify);
        if self.notified.len() == MOST_NOTIFIED {
            self.notified.remove(0);
        }
        self.notified.push(Notified { tx, id, status });
    }

    /// What the phone makes of the news is its own affair, if only it is there.
    pub(super) fn notify_answered(&mut self, cx: &mut Context<'_>, tx: ClientTx, status: u16) {
        if status == 408 {
            self.notify_failed(cx, tx);
        } else {
            self.take_notified(tx);
        }
    }

    /// No answer at all. True if `tx` was a NOTIFY.
    pub(super) fn notify_failed(&mut self, cx: &mut Context<'_>, tx: ClientTx) -> bool {
        let ours = self.take_notified(tx).is_some();
        if ours && matches!(self.state, State::Confirmed { .. }) {
            self.leave(cx, HangupReason::OurFault, LegEnd::Unreachable);
        }
        ours
    }

    /// Its connection broke, and the phone is there by another. True if `tx` was a NOTIFY.
    pub(super) fn notify_again(&mut self, cx: &mut Context<'_>, tx: ClientTx) -> bool {
        let Some(Notified { id, status, .. }) = self.take_notified(tx) else { return false };
        if matches!(self.state, State::Confirmed { .. }) {
            self.notify(cx, id, status);
        }
        true
    }

    fn take_notified(&mut self, tx: ClientTx) -> Option<Notified> {
        let at = self.notified.iter().position(|notified| notified.tx == tx)?;
        Some(self.notified.remove(at))
    }
}

/// s2.4.2: exactly one, readable; else 400. What names no SIP URI, or asks for anything but an INVITE, is 403: of the
/// refusals that fit it is one that leaves the dialog alone (RFC 5057 s5.1).
fn refer_to(msg: &Message<'_>) -> Result<ReferTo, u16> {
    let mut all = msg.values(Name::ReferTo);
    let (Some(value), None) = (all.next(), all.next()) else { return Err(400) };
    let uri = NameAddr::parse(value).map_err(|_| 400_u16)?.uri;
    let parsed = Uri::parse(uri).map_err(|_| 400_u16)?;
    let other = parsed.params.get("method").flatten().is_some_and(|m| !m.eq_ignore_ascii_case(b"INVITE"));
    if other || !matches!(parsed.scheme, Scheme::Sip | Scheme::Sips) {
        return Err(403);
    }
    let mut dialogs = parsed.headers.split(|&b| b == b'&').filter_map(|header| {
        let at = memchr::memchr(b'=', header)?;
        header[..at].eq_ignore_ascii_case(b"Replaces").then(|| replaces(&unescape(&header[at + 1..])))
    });
    let replaces = match (dialogs.next(), dialogs.next()) {
        (None, _) => None,
        (Some(Some(dialog)), None) => Some(dialog),
        _ => return Err(400),
    };
    let end = memchr::memchr(b'?', uri).unwrap_or(uri.len());
    Ok(ReferTo { uri: uri[..end].to_vec(), replaces })
}

/// `call-id;to-tag=...;from-tag=...` (RFC 3891 s6.1), unescaped.
fn replaces(text: &[u8]) -> Option<Replaces> {
    let text = std::str::from_utf8(text).ok()?;
    let mut parts = text.split(';').map(str::trim);
    let call_id = parts.next()?.to_owned();
    let (mut to_tag, mut from_tag) = (None, None);
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        match name.trim().to_ascii_lowercase().as_str() {
            "to-tag" => to_tag = Some(value.trim().to_owned()),
            "from-tag" => from_tag = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    Some(Replaces { call_id, to_tag: to_tag?, from_tag: from_tag? })
}
