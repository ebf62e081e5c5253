//! Requests of the far end inside the dialog: BYE, INFO, OPTIONS (RFC 3261 s15; 6086), and who takes the others.
//! Not here: re-INVITE and UPDATE (`offers`), PRACK (`reliable`).

use super::super::body;
use super::super::endpoint::ServerTx;
use super::super::flow::Flow;
use super::super::message::{Builder, Message, Method, Name, reason_phrase};
use super::super::reason;
use super::timer::By;
use super::{AfterAck, Context, GIVE_UP, Peer, SERVER, Session, State, supported};
use crate::leg::{LegEnd, LegEvent};

impl Session {
    /// A request that the dialog owns, other than ACK and CANCEL; `tx` is its server transaction.
    pub fn request(&mut self, cx: &mut Context<'_>, tx: ServerTx, flow: Flow, msg: &Message<'_>) {
        self.turn_to(msg.from_tag(), None);
        if !self.dialog.in_order(msg) {
            return self.reply(cx, tx, flow, msg, 500, |b| b.header(Name::RetryAfter, b"1"));
        }
        if self.may_follow(flow) {
            self.flow = flow;
        }
        self.refresh_by = By::allowed(msg, self.refresh_by);
        match msg.method() {
            Some(Method::Bye) => {
                self.note_reason(cx, msg);
                self.reply(cx, tx, flow, msg, 200, |b| b);
                let failed = self.is_webrtc() && reason::is_failure(msg);
                self.far_end_left(cx, if failed { LegEnd::Unreachable } else { LegEnd::HungUp });
            }
            Some(Method::Invite) => self.reoffer(cx, tx, flow, msg),
            Some(Method::Update) => self.update(cx, tx, flow, msg),
            Some(Method::Prack) => self.prack(cx, tx, flow, msg),
            Some(Method::Refer) if self.peer == Peer::Phone => self.refer(cx, tx, flow, msg),
            Some(Method::Info) => {
                self.reply(cx, tx, flow, msg, 200, |b| b);
                if let Some(digit) = info_digit(msg) {
                    cx.events.push(LegEvent::Digit(digit));
                }
            }
            Some(Method::Options) => self.reply(cx, tx, flow, msg, 200, |b| {
                let supported = supported(self.reliable);
                b.header(Name::Allow, self.peer.allowed())
                    .header(Name::Supported, supported)
                    .header(Name::Accept, body::ACCEPT)
            }),
            _ => self.reply(cx, tx, flow, msg, 405, |b| b.header(Name::Allow, self.peer.allowed())),
        }
    }

    /// Is this the far end's connection of today? Its last one may be gone. A Call-ID and two tags prove nobody: what
    /// comes from another address is answered, and moves nothing, unless whoever knows the far end has called
    /// [`Session::move_to`] first.
    fn may_follow(&self, flow: Flow) -> bool {
        let encrypted = |flow: Flow| flow.transport.is_encrypted();
        let same_place = flow.remote.ip() == self.flow.remote.ip();
        flow.transport.is_stream() && same_place && (encrypted(flow) || !encrypted(self.flow))
    }

    fn far_end_left(&mut self, cx: &mut Context<'_>, end: LegEnd) {
        match std::mem::replace(&mut self.state, State::Over) {
            // BYE in the early dialog ends it like CANCEL (s15.1.2).
            State::Incoming { tx, invite, .. } => {
                self.refuse(cx, tx, &invite, 487);
                self.ended(cx, LegEnd::HungUp);
            }
            // Both sides hung up: ours is still on its way and will be answered 481 or 200.
            State::Leaving { tx } => self.state = State::Leaving { tx },
            State::Over | State::Accepted { then: AfterAck::Leave, .. } => {}
            // A phone may not, but does: it wants to be left alone, and our INVITE still needs its end.
            State::Calling { tx, .. } => {
                cx.endpoint.cancel(cx.now, tx);
                self.state = State::Cancelling { tx, until: cx.now + GIVE_UP };
            }
            cancelling @ State::Cancelling { .. } => self.state = cancelling,
            State::Picked { seq } => {
                self.send_ack(cx, seq);
                self.ended(cx, end);
            }
            _ => self.ended(cx, end),
        }
    }

    pub(super) fn ok(&self, msg: &Message<'_>, flow: Flow) -> Builder {
        Builder::response(msg, 200, "OK", Some(self.dialog.local_tag.as_bytes()), flow.remote)
            .header(Name::Contact, self.contact(&flow).as_bytes())
            .header(Name::Allow, self.peer.allowed())
            .header(Name::Supported, supported(self.reliable))
            .header(Name::Server, SERVER)
    }

    pub(super) fn reply(
        &self,
        cx: &mut Context<'_>,
        tx: ServerTx,
        flow: Flow,
        msg: &Message<'_>,
        status: u16,
        finish: impl FnOnce(Builder) -> Builder,
    ) {
        let tag = self.dialog.local_tag.as_bytes();
        let b =
            Builder::response(msg, status, reason_phrase(status), Some(tag), flow.remote).header(Name::Server, SERVER);
        cx.endpoint.respond(cx.now, tx, status, finish(b).finish());
    }
}

/// `application/dtmf-relay` (`Signal=5`) and `application/dtmf` (`5`): what phones without RFC 4733 send.
fn info_digit(msg: &Message<'_>) -> Option<char> {
    let kind = msg.header(Name::ContentType)?.to_ascii_lowercase();
    let body = std::str::from_utf8(msg.body()).ok()?;
    let digit = if kind.starts_with(b"application/dtmf-relay") {
        let line = body.lines().find_map(|l| l.trim().strip_prefix("Signal="))?;
        line.trim().chars().next()?
    } else if kind.starts_with(b"application/dtmf") {
        body.trim().chars().next()?
    } else {
        return None;
    };
    matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D').then_some(digit)
}
