//! The calling side: ringing a seat (RFC 3261 s13.2).

use super::super::body;
use super::super::dialog::{Dialog, contact};
use super::super::endpoint::ClientTx;
use super::super::flow::Flow;
use super::super::message::{Message, Method, Name};
use super::timer::{self, By, Timer};
use super::{ALLOW, Context, SERVER, SUPPORTED_CALLING, Session, State};
use crate::config::settings::Reliable;
use crate::leg::{HangupReason, LegEnd, LegEvent};
use crate::plane::Negotiated;
use crate::sdp::offer_answer::{self, Local};
use serde::{Deserialize, Serialize};

/// Whom to invite and what to show.
pub struct Target<'a> {
    pub flow: Flow,
    pub request_uri: &'a [u8],
    /// Name-addrs without tags.
    pub from: String,
    pub to: String,
    /// Extra headers, written as they are.
    pub headers: &'a [(&'static str, String)],
}

impl Session {
    /// Sends the INVITE with our offer.
    pub fn place(cx: &mut Context<'_>, owner: u64, tag: String, target: Target<'_>, local: Local) -> Session {
        let call_id = format!("{}@{}", cx.tokens.token(), target.flow.local.ip());
        let mut session = Session {
            dialog: Dialog::uac(call_id, tag, target.from, target.to, target.request_uri.to_vec()),
            flow: target.flow,
            next_hop: None,
            owner,
            described: offer_answer::offer(&local),
            local,
            media: None,
            reliable: Reliable::default(),
            timer: Timer::Proposed { seconds: timer::PROPOSED },
            refresh_by: By::ReInvite,
            state: State::Over,
        };
        let headers: Vec<_> = target.headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        let tx = session.send_invite(cx, &headers);
        session.state = State::Calling { tx, attempt: Attempt::First { headers }, early: Early::default() };
        session
    }

    fn send_invite(&mut self, cx: &mut Context<'_>, headers: &[(String, String)]) -> ClientTx {
        let branch = cx.tokens.branch();
        let invite = self
            .dialog
            .request(Method::Invite, &self.flow, &branch)
            .header(Name::Contact, contact(&self.flow).as_bytes())
            .header(Name::Allow, ALLOW)
            .header(Name::Supported, SUPPORTED_CALLING)
            .header(Name::UserAgent, SERVER);
        let invite = headers.iter().fold(self.timer.ask(invite), |b, (name, value)| b.other(name, value.as_bytes()));
        let invite = invite.body("application/sdp", &self.described);
        cx.endpoint.request(cx.now, self.flow, &branch, self.owner, invite)
    }

    /// Any response to any request of ours in this dialog.
    pub fn response(&mut self, cx: &mut Context<'_>, tx: ClientTx, msg: &Message<'_>) {
        let Some(status) = msg.status() else { return };
        if let (State::Confirmed { .. }, Some((asked, by))) = (&self.state, self.timer.asked())
            && asked == tx
        {
            return self.refresh_answered(cx, by, status, msg);
        }
        match (&self.state, msg.cseq().method) {
            (State::Leaving { tx: bye }, _) if *bye == tx && status >= 200 => self.state = State::Over,
            (_, Method::Invite) => match status {
                101..=199 => self.progress(cx, status, msg),
                200..=299 => self.invite_accepted(cx, msg),
                300.. => self.invite_refused(cx, tx, status, msg),
                _ => {}
            },
            _ => {}
        }
    }

    /// A provisional response. We ask no phone for acknowledged ones; where one sends them all the same, it waits for
    /// our PRACK (RFC 3262 s4).
    fn progress(&mut self, cx: &mut Context<'_>, status: u16, msg: &Message<'_>) {
        let rseq = reliably_sent(msg);
        match &mut self.state {
            State::Calling { early, .. } => {
                if matches!(status, 180 | 183) {
                    cx.events.push(LegEvent::Ringing);
                }
                let Some(rseq) = rseq else { return };
                if msg.to_tag() != self.dialog.remote_tag.as_deref() {
                    // The first, or another phone behind a forking proxy: an early dialog with its own numbers.
                    self.dialog.established_by(msg);
                    *early = Early::default();
                }
                // s4: a repeat, or one whose predecessor is still to come.
                if early.rseq.is_some_and(|last| last.checked_add(1) != Some(rseq)) {
                    return;
                }
                early.rseq = Some(rseq);
                if let Ok(media) = offer_answer::accept(&self.local, body::sdp(msg)) {
                    early.media = early.media.take().or(Some(media));
                }
            }
            State::Cancelling { .. } if self.dialog.remote_tag.is_none() => self.dialog.established_by(msg),
            State::Cancelling { .. } => {}
            _ => return,
        }
        if let Some(rseq) = rseq {
            self.send_prack(cx, rseq, msg.cseq().seq);
        }
    }

    fn send_prack(&mut self, cx: &mut Context<'_>, rseq: u32, seq: u32) {
        let (branch, flow) = (cx.tokens.branch(), self.request_flow());
        let prack = self.dialog.request(Method::Prack, &flow, &branch);
        let prack = prack.header_fmt(Name::RAck, format_args!("{rseq} {seq} INVITE")).finish();
        cx.endpoint.request(cx.now, flow, &branch, NOBODY, prack);
    }

    fn invite_accepted(&mut self, cx: &mut Context<'_>, msg: &Message<'_>) {
        match &mut self.state {
            State::Calling { early, .. } => {
                // RFC 3262 s5: the answer may have come in an acknowledged response already.
                let known = early.media.take().filter(|_| msg.to_tag() == self.dialog.remote_tag.as_deref());
                self.dialog.established_by(msg);
                self.refresh_by = By::allowed(msg, self.refresh_by);
                self.timer = self.timer.clone().answered(cx.now, msg);
                let media = match (body::sdp(msg), known) {
                    ([], Some(known)) => Ok(known),
                    (answer, _) => offer_answer::accept(&self.local, answer),
                };
                match media {
                    Ok(media) => {
                        self.agree(&media);
                        self.state = State::Picked { seq: msg.cseq().seq };
                        cx.events.push(LegEvent::Answered { media });
                    }
                    Err(_) => {
                        self.send_ack(cx, msg.cseq().seq);
                        self.leave(cx, HangupReason::NotAcceptable, LegEnd::Fault);
                    }
                }
            }
            // The phone picked up while our CANCEL was on its way (s9.1): let it go at once.
            State::Cancelling { .. } => {
                self.dialog.established_by(msg);
                self.send_ack(cx, msg.cseq().seq);
                self.leave(cx, HangupReason::Withdrawn, LegEnd::Released);
            }
            _ if msg.to_tag() != self.dialog.remote_tag.as_deref() => self.drop_fork(cx, msg),
            State::Confirmed { ack: Some((seq, ack)), .. } if *seq == msg.cseq().seq => {
                let ack = ack.clone();
                cx.endpoint.send_stray(self.request_flow(), ack);
            }
            // Picked: the ACK is still waiting for the ticket. Leaving, over, or a refresh answered before: the repeat must
            // be acknowledged all the same.
            State::Confirmed { .. } | State::Leaving { .. } | State::Over => {
                self.send_ack(cx, msg.cseq().seq);
            }
            _ => {}
        }
    }

    fn invite_refused(&mut self, cx: &mut Context<'_>, tx: ClientTx, status: u16, msg: &Message<'_>) {
        match &mut self.state {
            // RFC 4028 s7.3: once more, with the interval that it, or a proxy before it, insists on.
            State::Calling { tx: ours, attempt, .. } if *ours == tx && status == 422 => {
                let before = std::mem::replace(attempt, Attempt::Second);
                match (before, self.timer.lengthened(msg)) {
                    (Attempt::First { headers }, Some(seconds)) => {
                        self.timer = Timer::Proposed { seconds };
                        self.dialog.forget_far_end();
                        let tx = self.send_invite(cx, &headers);
                        self.state = State::Calling { tx, attempt: Attempt::Second, early: Early::default() };
                    }
                    _ => {
                        self.note_reason(cx, msg);
                        self.ended(cx, refusal(status))
                    }
                }
            }
            State::Calling { tx: ours, .. } if *ours == tx => {
                self.note_reason(cx, msg);
                self.ended(cx, refusal(status))
            }
            State::Cancelling { tx: ours, .. } if *ours == tx => self.ended(cx, LegEnd::Released),
            _ => {}
        }
    }

    /// Timer B/F, or the transport failed.
    pub fn request_failed(&mut self, cx: &mut Context<'_>, tx: ClientTx) {
        if self.refresh_failed(cx, tx) {
            return;
        }
        match &self.state {
            State::Calling { tx: ours, .. } | State::Cancelling { tx: ours, .. } if *ours == tx => {
                self.ended(cx, LegEnd::Unreachable)
            }
            State::Leaving { tx: ours } if *ours == tx => self.state = State::Over,
            _ => {}
        }
    }

    pub(super) fn acknowledge(&mut self, cx: &mut Context<'_>) {
        if let State::Picked { seq } = self.state {
            let ack = self.send_ack(cx, seq);
            self.state = State::Confirmed { ack: Some((seq, ack)), reinvite: None };
        }
    }

    /// For a 2xx to our INVITE numbered `seq`.
    pub(super) fn send_ack(&mut self, cx: &mut Context<'_>, seq: u32) -> Vec<u8> {
        let flow = self.request_flow();
        let ack = self.dialog.ack(seq, &flow, &cx.tokens.branch()).finish();
        cx.endpoint.send_stray(flow, ack.clone());
        ack
    }

    /// A second phone behind a forking proxy answered as well: acknowledge it and end it (s13.2.2.4).
    fn drop_fork(&mut self, cx: &mut Context<'_>, msg: &Message<'_>) {
        let mut other = self.dialog.fork(msg);
        let ack = other.ack(msg.cseq().seq, &self.flow, &cx.tokens.branch()).finish();
        cx.endpoint.send_stray(self.flow, ack);
        let branch = cx.tokens.branch();
        let bye = other.request(Method::Bye, &self.flow, &branch).finish();
        cx.endpoint.request(cx.now, self.flow, &branch, NOBODY, bye);
    }
}

/// Our INVITE may be sent a second time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Attempt {
    /// With what the second would have to say again.
    First {
        headers: Vec<(String, String)>,
    },
    Second,
}

/// What acknowledged provisional responses of a phone have told so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Early {
    /// RSeq of the last one acknowledged.
    rseq: Option<u32>,
    media: Option<Negotiated>,
}

/// RSeq of a provisional response that wants a PRACK.
fn reliably_sent(msg: &Message<'_>) -> Option<u32> {
    let rseq = std::str::from_utf8(msg.header(Name::RSeq)?).ok()?.parse().ok()?;
    (msg.lists(Name::Require, "100rel") && msg.to_tag().is_some()).then_some(rseq)
}

/// Owner of requests whose outcome nobody waits for.
pub const NOBODY: u64 = 0;

fn refusal(status: u16) -> LegEnd {
    match status {
        486 | 600 => LegEnd::Busy,
        408 | 480 | 487 => LegEnd::NoAnswer,
        404 | 410 | 500..=599 => LegEnd::Unreachable,
        _ => LegEnd::Declined,
    }
}
