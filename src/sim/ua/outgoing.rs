//! A call we place: INVITE, challenge, provisionals, CANCEL, until it is up or refused (RFC 3261 s9, s13, s17.1.1).

use super::credentials::{Account, Credentials};
use super::dialog::Dialog;
use super::media;
use super::wire::{self, Cx, Draft, PATIENCE, Resend};
use super::{Ending, UaFact};
use crate::sip::message::{Message, Method, Name};
use crate::time::Instant;

/// Whom to call and as whom.
#[derive(Clone, Debug)]
pub struct Target {
    pub uri: String,
    /// From and To values without tags.
    pub from: String,
    pub to: String,
    pub extra: Vec<(Name, String)>,
    /// Answers a 401 or 407.
    pub account: Option<Account>,
}

#[derive(Clone, Debug)]
pub struct Outgoing {
    target: Target,
    call_id: String,
    from: String,
    session: u64,
    cseq: u32,
    authorization: Option<(Name, String)>,
    /// The ACK for the last refusal, by CSeq.
    ack: Option<(u32, Vec<u8>)>,
    early_media: bool,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    /// No provisional yet: repeats. `cancel`: wants out as soon as a provisional allows it (RFC 3261 s9.1).
    Calling {
        branch: String,
        resend: Resend,
        cancel: bool,
    },
    Proceeding {
        branch: String,
        ringing: bool,
    },
    /// CANCEL sent; `until`: give up on the INVITE's final response.
    Cancelling {
        branch: String,
        resend: Option<Resend>,
        until: Instant,
    },
    Up(Box<Dialog>),
    /// Never came up, or its only use was an ACK; repeats are still answered.
    Over {
        until: Instant,
    },
    Gone,
}

impl Outgoing {
    pub fn start(cx: &mut Cx<'_>, target: Target) -> Outgoing {
        let call_id = format!("{}@{}", cx.rng.token(), cx.us.sip.ip());
        let from = format!("{};tag={}", target.from, cx.rng.token());
        let session = cx.rng.next_u64() >> 16;
        let state = State::Gone;
        let mut call = Outgoing {
            target,
            call_id,
            from,
            session,
            cseq: 0,
            authorization: None,
            ack: None,
            early_media: false,
            state,
        };
        call.invite(cx);
        call
    }

    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    pub fn dialog(&mut self) -> Option<&mut Dialog> {
        match &mut self.state {
            State::Up(dialog) => Some(dialog),
            _ => None,
        }
    }

    /// Placed and not over.
    pub fn is_live(&self) -> bool {
        match &self.state {
            State::Calling { .. } | State::Proceeding { .. } | State::Cancelling { .. } => true,
            State::Up(dialog) => dialog.is_up(),
            State::Over { .. } | State::Gone => false,
        }
    }

    pub fn is_gone(&self) -> bool {
        match &self.state {
            State::Gone => true,
            State::Up(dialog) => dialog.is_gone(),
            _ => false,
        }
    }

    /// CANCEL before the answer, BYE after it. The end is reported when it is certain.
    pub fn hang_up(&mut self, cx: &mut Cx<'_>) -> Option<Ending> {
        match &mut self.state {
            State::Calling { cancel, .. } => *cancel = true,
            State::Proceeding { branch, .. } => {
                let branch = std::mem::take(branch);
                self.cancel(cx, branch);
            }
            State::Up(dialog) if dialog.is_up() => {
                dialog.hang_up(cx);
                return Some(Ending::HungUp);
            }
            State::Cancelling { .. } | State::Up(_) | State::Over { .. } | State::Gone => {}
        }
        None
    }

    pub fn owns(&self, msg: &Message<'_>) -> bool {
        msg.call_id() == self.call_id.as_bytes()
    }

    pub fn on_message(&mut self, cx: &mut Cx<'_>, msg: &Message<'_>) -> Option<Ending> {
        if msg.is_request() {
            return match &mut self.state {
                State::Up(dialog) if dialog.owns(msg) => dialog.on_request(cx, msg),
                _ if msg.method() == Some(Method::Ack) => None,
                _ => {
                    cx.send(wire::reply(msg, 481, None, cx.us));
                    None
                }
            };
        }
        let status = msg.status()?;
        if msg.cseq().method == Method::Invite
            && status >= 300
            && let Some((seq, ack)) = &self.ack
            && *seq == msg.cseq().seq
        {
            let ack = ack.clone();
            cx.send(ack);
            return None;
        }
        if let State::Up(dialog) = &mut self.state {
            return dialog.on_response(cx, msg);
        }
        match (msg.cseq().method, status) {
            (Method::Cancel, 200..) => {
                if let State::Cancelling { resend, .. } = &mut self.state {
                    *resend = None;
                }
                None
            }
            (Method::Invite, 100..=199) => {
                self.on_provisional(cx, msg, status);
                None
            }
            (Method::Invite, 200..=299) => self.on_answer(cx, msg),
            (Method::Invite, _) => self.on_refusal(cx, msg, status),
            _ => None,
        }
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Calling { resend, .. } => Some(resend.next_timeout()),
            State::Proceeding { .. } | State::Gone => None,
            State::Cancelling { resend, until, .. } => {
                Some(resend.as_ref().map_or(*until, |r| r.next_timeout().min(*until)))
            }
            State::Up(dialog) => dialog.next_timeout(),
            State::Over { until } => Some(*until),
        }
    }

    pub fn on_timeout(&mut self, cx: &mut Cx<'_>) -> Option<Ending> {
        match &mut self.state {
            State::Calling { resend, cancel, .. } => {
                if !resend.on_timeout(cx.now, cx.out) {
                    return None;
                }
                let how = if *cancel { Ending::Cancelled } else { Ending::NoReply };
                self.state = State::Over { until: cx.now + PATIENCE };
                Some(how)
            }
            State::Cancelling { resend, until, .. } => {
                if resend.as_mut().is_some_and(|r| r.on_timeout(cx.now, cx.out)) {
                    *resend = None;
                }
                if cx.now < *until {
                    return None;
                }
                self.state = State::Over { until: cx.now + PATIENCE };
                Some(Ending::Cancelled)
            }
            State::Up(dialog) => dialog.on_timeout(cx),
            State::Over { until } => {
                if cx.now >= *until {
                    self.state = State::Gone;
                }
                None
            }
            State::Proceeding { .. } | State::Gone => None,
        }
    }

    fn invite(&mut self, cx: &mut Cx<'_>) {
        self.cseq += 1;
        let branch = wire::branch(cx.rng.token());
        let mut invite = self
            .draft(Method::Invite, &branch)
            .build(cx.us)
            .header_fmt(Name::Contact, format_args!("<sip:{}>", cx.us.sip))
            .header(Name::Allow, b"INVITE, ACK, BYE, CANCEL, OPTIONS");
        for (name, value) in self.target.extra.iter().chain(&self.authorization) {
            invite = invite.header(*name, value.as_bytes());
        }
        let sdp = media::describe(cx.us, self.session, 1, None, "sendrecv");
        let bytes = invite.body("application/sdp", &sdp);
        self.state = State::Calling { branch, resend: Resend::invite(cx.now, bytes, cx.out), cancel: false };
    }

    fn on_provisional(&mut self, cx: &mut Cx<'_>, msg: &Message<'_>, status: u16) {
        match &mut self.state {
            State::Calling { branch, cancel, .. } => {
                let (branch, cancel) = (std::mem::take(branch), *cancel);
                if cancel {
                    return self.cancel(cx, branch);
                }
                self.state = State::Proceeding { branch, ringing: false };
            }
            State::Proceeding { .. } => {}
            State::Cancelling { .. } | State::Up(_) | State::Over { .. } | State::Gone => return,
        }
        if let State::Proceeding { ringing, .. } = &mut self.state
            && status == 180
            && !*ringing
        {
            *ringing = true;
            cx.fact(UaFact::Ringing);
        }
        if !self.early_media
            && status != 100
            && let Some(media) = media::read(cx.us, msg.body())
        {
            self.early_media = true;
            cx.fact(UaFact::EarlyMedia(media));
        }
    }

    fn on_answer(&mut self, cx: &mut Cx<'_>, msg: &Message<'_>) -> Option<Ending> {
        let wanted_out = match &self.state {
            State::Calling { cancel, .. } => *cancel,
            State::Cancelling { .. } | State::Over { .. } | State::Gone => true,
            State::Proceeding { .. } => false,
            State::Up(_) => return None,
        };
        let was_over = matches!(self.state, State::Over { .. } | State::Gone);
        let Some(mut dialog) = Dialog::placed(cx, msg, self.session, self.authorization.as_ref()) else {
            // An answer without usable SDP or Contact cannot even be acknowledged properly: give up on it.
            self.state = State::Over { until: cx.now + PATIENCE };
            return (!was_over).then_some(Ending::NoReply);
        };
        if wanted_out {
            // CANCEL crossed the 200: the call exists, so it is acknowledged and ended.
            dialog.hang_up(cx);
            self.state = State::Up(Box::new(dialog));
            return (!was_over).then_some(Ending::Cancelled);
        }
        cx.fact(UaFact::Answered(dialog.media()));
        self.state = State::Up(Box::new(dialog));
        None
    }

    fn on_refusal(&mut self, cx: &mut Cx<'_>, msg: &Message<'_>, status: u16) -> Option<Ending> {
        let (branch, wanted_out) = match &self.state {
            State::Calling { branch, cancel, .. } => (branch, *cancel),
            State::Proceeding { branch, .. } => (branch, false),
            State::Cancelling { branch, .. } => (branch, true),
            State::Up(_) | State::Over { .. } | State::Gone => return None,
        };
        if msg.via().branch() != Some(branch.as_bytes()) {
            return None;
        }
        let to = wire::text(msg.to().raw);
        let ack = Draft { to: &to, ..self.draft(Method::Ack, branch) }.build(cx.us).finish();
        cx.send(ack.clone());
        self.ack = Some((self.cseq, ack));
        if !wanted_out
            && self.authorization.is_none()
            && let Some(account) = &self.target.account
            && let Some(mut credentials) = Credentials::from_challenge(account, msg)
        {
            let cnonce = cx.rng.token();
            self.authorization = Some(credentials.authorize(account, "INVITE", &self.target.uri, &cnonce));
            self.invite(cx);
            return None;
        }
        self.state = State::Over { until: cx.now + PATIENCE };
        Some(if wanted_out { Ending::Cancelled } else { Ending::Refused(status) })
    }

    fn cancel(&mut self, cx: &mut Cx<'_>, branch: String) {
        let bytes = self.draft(Method::Cancel, &branch).build(cx.us).finish();
        let resend = Some(Resend::other(cx.now, bytes, cx.out));
        self.state = State::Cancelling { branch, resend, until: cx.now + PATIENCE };
    }

    fn draft<'a>(&'a self, method: Method<'a>, branch: &'a str) -> Draft<'a> {
        Draft {
            method,
            uri: &self.target.uri,
            branch,
            from: &self.from,
            to: &self.target.to,
            call_id: &self.call_id,
            cseq: self.cseq,
        }
    }
}
