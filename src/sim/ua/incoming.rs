//! A call that comes to a phone: rings, is answered, refused or ignored as planned; then hold and hang-up as planned.

use super::dialog::Dialog;
use super::wire::{self, Cx, PATIENCE, Replies, Resend};
use super::{Ending, UaFact};
use crate::sip::message::{Framing, Message, Method, Name};
use crate::time::Instant;
use std::time::Duration;

/// What the person at the phone does with a call. Times run from the INVITE, or from the answer where said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    pub reaction: Reaction,
    /// Hold this long after the answer, for this long.
    pub hold: Option<(Duration, Duration)>,
    /// Hang up this long after the answer; `None`: wait for the far end.
    pub hang_up_after: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    Answer {
        after: Duration,
    },
    /// A final refusal: 486 (busy), 603 (declined), 480 (do not disturb), ...
    Refuse {
        after: Duration,
        status: u16,
    },
    /// Rings until somebody else ends it; after two minutes the phone itself does, with 480.
    Ignore,
    /// Answers no message of this call at all; the call is forgotten when nobody can be asking any more.
    Silent,
    /// Answers with SDP nothing can be sent to: the leg fails after the pickup.
    AnswerBadly {
        after: Duration,
    },
}

impl Plan {
    pub fn answer_after(after: Duration) -> Plan {
        Plan { reaction: Reaction::Answer { after }, hold: None, hang_up_after: None }
    }
}

const LONGEST_RINGING: Duration = Duration::from_secs(120);

#[derive(Clone, Debug)]
pub struct Incoming {
    /// As received: later responses are built from it.
    invite: Vec<u8>,
    call_id: Vec<u8>,
    from_tag: Vec<u8>,
    tag: String,
    plan: Plan,
    replies: Replies,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Ringing {
        act_at: Option<Instant>,
    },
    /// A final refusal, until its ACK.
    Refusing {
        resend: Resend,
    },
    Up {
        dialog: Box<Dialog>,
        hold_at: Option<Instant>,
        resume_at: Option<Instant>,
        hang_up_at: Option<Instant>,
    },
    Over {
        until: Instant,
    },
    Gone,
}

impl Incoming {
    /// Takes the INVITE `raw` and rings.
    pub fn ring(cx: &mut Cx<'_>, raw: &[u8], msg: &Message<'_>, plan: Plan) -> Incoming {
        let tag = cx.rng.token();
        cx.fact(UaFact::Offered {
            sip_call_id: wire::text(msg.call_id()),
            caller: wire::text(msg.from().raw),
            rexian_call: wire::rexian_call(msg),
        });
        let act_at = match plan.reaction {
            Reaction::Answer { after } | Reaction::Refuse { after, .. } | Reaction::AnswerBadly { after } => {
                Some(cx.now + after)
            }
            Reaction::Ignore => Some(cx.now + LONGEST_RINGING),
            Reaction::Silent => Some(cx.now + PATIENCE),
        };
        let call = Incoming::new(raw, msg, tag, plan, State::Ringing { act_at });
        if plan.reaction != Reaction::Silent {
            let ringing = call.respond(cx, msg, 180);
            cx.send(ringing);
        }
        call
    }

    /// Refuses the INVITE at once: the line is taken.
    pub fn refuse(cx: &mut Cx<'_>, raw: &[u8], msg: &Message<'_>, status: u16) -> Incoming {
        let tag = cx.rng.token();
        let plan = Plan { reaction: Reaction::Ignore, hold: None, hang_up_after: None };
        let refusal = wire::reply(msg, status, Some(&tag), cx.us);
        let resend = Resend::other(cx.now, refusal, cx.out);
        Incoming::new(raw, msg, tag, plan, State::Refusing { resend })
    }

    fn new(raw: &[u8], msg: &Message<'_>, tag: String, plan: Plan, state: State) -> Incoming {
        Incoming {
            invite: raw.to_vec(),
            call_id: msg.call_id().to_vec(),
            from_tag: msg.from_tag().unwrap_or_default().to_vec(),
            tag,
            plan,
            replies: Replies::default(),
            state,
        }
    }

    /// Still ringing or talking.
    pub fn is_live(&self) -> bool {
        match &self.state {
            State::Ringing { .. } => true,
            State::Up { dialog, .. } => dialog.is_up(),
            State::Refusing { .. } | State::Over { .. } | State::Gone => false,
        }
    }

    pub fn is_gone(&self) -> bool {
        match &self.state {
            State::Gone => true,
            State::Up { dialog, .. } => dialog.is_gone(),
            _ => false,
        }
    }

    pub fn owns(&self, msg: &Message<'_>) -> bool {
        // Before the answer the INVITE, its ACK and its CANCEL share Call-ID and From tag; nothing else does.
        msg.call_id() == self.call_id && (!msg.is_request() || msg.from_tag() == Some(&self.from_tag))
    }

    pub fn hang_up(&mut self, cx: &mut Cx<'_>) -> Option<Ending> {
        match &mut self.state {
            State::Ringing { .. } => Some(self.decline(cx, 603)),
            State::Up { dialog, .. } if dialog.is_up() => {
                dialog.hang_up(cx);
                Some(Ending::HungUp)
            }
            _ => None,
        }
    }

    pub fn hold(&mut self, cx: &mut Cx<'_>, hold: bool) {
        if let State::Up { dialog, .. } = &mut self.state {
            dialog.hold(cx, hold);
        }
    }

    /// The call is up: its dialog.
    pub fn dialog(&mut self) -> Option<&mut Dialog> {
        match &mut self.state {
            State::Up { dialog, .. } if dialog.is_up() => Some(dialog),
            _ => None,
        }
    }

    pub fn on_message(&mut self, cx: &mut Cx<'_>, msg: &Message<'_>) -> Option<Ending> {
        if !msg.is_request() {
            return match &mut self.state {
                State::Up { dialog, .. } => dialog.on_response(cx, msg),
                _ => None,
            };
        }
        if self.plan.reaction == Reaction::Silent {
            return None;
        }
        match msg.method() {
            Some(Method::Cancel) => self.on_cancel(cx, msg),
            // The INVITE again.
            Some(Method::Invite) if msg.to_tag().is_none() => {
                match &mut self.state {
                    State::Ringing { .. } => {
                        let ringing = self.respond(cx, msg, 180);
                        cx.send(ringing);
                    }
                    State::Refusing { .. } | State::Up { .. } | State::Over { .. } | State::Gone => {}
                }
                None
            }
            Some(Method::Ack) if matches!(self.state, State::Refusing { .. }) => {
                self.state = State::Over { until: cx.now + PATIENCE };
                None
            }
            method => match &mut self.state {
                State::Up { dialog, .. } => dialog.on_request(cx, msg),
                _ if method == Some(Method::Ack) => None,
                _ => {
                    let reply = wire::reply(msg, 481, None, cx.us);
                    cx.send(reply);
                    None
                }
            },
        }
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Ringing { act_at } => *act_at,
            State::Refusing { resend } => Some(resend.next_timeout()),
            State::Up { dialog, hold_at, resume_at, hang_up_at } => {
                [dialog.next_timeout(), *hold_at, *resume_at, *hang_up_at].into_iter().flatten().min()
            }
            State::Over { until } => Some(*until),
            State::Gone => None,
        }
    }

    pub fn on_timeout(&mut self, cx: &mut Cx<'_>) -> Option<Ending> {
        match &mut self.state {
            State::Ringing { act_at: Some(at) } if cx.now >= *at => self.act(cx),
            State::Refusing { resend } => {
                if resend.on_timeout(cx.now, cx.out) {
                    self.state = State::Gone;
                }
                None
            }
            State::Up { dialog, hold_at, resume_at, hang_up_at } => {
                if let Some(ending) = dialog.on_timeout(cx) {
                    return Some(ending);
                }
                if due(hold_at, cx.now) {
                    dialog.hold(cx, true);
                }
                if due(resume_at, cx.now) {
                    dialog.hold(cx, false);
                }
                if due(hang_up_at, cx.now) && dialog.is_up() {
                    dialog.hang_up(cx);
                    return Some(Ending::HungUp);
                }
                None
            }
            State::Over { until } => {
                if cx.now >= *until {
                    self.state = State::Gone;
                }
                None
            }
            State::Ringing { .. } | State::Gone => None,
        }
    }

    /// The planned moment has come.
    fn act(&mut self, cx: &mut Cx<'_>) -> Option<Ending> {
        let raw = std::mem::take(&mut self.invite);
        let msg = Message::parse(&raw, Framing::Datagram).expect("it was parsed when it came");
        let ending = match self.plan.reaction {
            Reaction::Answer { .. } => match Dialog::answered(cx, &msg, &self.tag) {
                Some(dialog) => {
                    let at = |after: Duration| cx.now + after;
                    cx.out.push_back(super::UaOutput::Fact(UaFact::Answered(dialog.media())));
                    self.state = State::Up {
                        dialog: Box::new(dialog),
                        hold_at: self.plan.hold.map(|(after, _)| at(after)),
                        resume_at: self.plan.hold.map(|(after, long)| at(after + long)),
                        hang_up_at: self.plan.hang_up_after.map(at),
                    };
                    None
                }
                None => Some(self.final_reply(cx, &msg, 488)),
            },
            Reaction::AnswerBadly { .. } => {
                let ok = wire::response(&msg, 200, Some(&self.tag), cx.us)
                    .header_fmt(Name::Contact, format_args!("<sip:{}>", cx.us.sip))
                    .body(
                        "application/sdp",
                        b"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 0 RTP/AVP 8\r\n",
                    );
                self.state = State::Refusing { resend: Resend::other(cx.now, ok, cx.out) };
                Some(Ending::WeRefused(200))
            }
            Reaction::Refuse { status, .. } => Some(self.final_reply(cx, &msg, status)),
            Reaction::Ignore => Some(self.final_reply(cx, &msg, 480)),
            Reaction::Silent => {
                self.state = State::Gone;
                Some(Ending::NoReply)
            }
        };
        self.invite = raw;
        ending
    }

    fn decline(&mut self, cx: &mut Cx<'_>, status: u16) -> Ending {
        let raw = std::mem::take(&mut self.invite);
        let msg = Message::parse(&raw, Framing::Datagram).expect("it was parsed when it came");
        let ending = self.final_reply(cx, &msg, status);
        self.invite = raw;
        ending
    }

    fn final_reply(&mut self, cx: &mut Cx<'_>, invite: &Message<'_>, status: u16) -> Ending {
        let refusal = wire::reply(invite, status, Some(&self.tag), cx.us);
        self.state = State::Refusing { resend: Resend::other(cx.now, refusal, cx.out) };
        Ending::WeRefused(status)
    }

    fn on_cancel(&mut self, cx: &mut Cx<'_>, msg: &Message<'_>) -> Option<Ending> {
        if let Some(reply) = self.replies.repeat(msg) {
            cx.send(reply);
            return None;
        }
        self.replies.send(msg, wire::reply(msg, 200, Some(&self.tag), cx.us), cx.out);
        if !matches!(self.state, State::Ringing { .. }) {
            return None;
        }
        self.decline(cx, 487);
        Some(Ending::PeerCancelled)
    }

    fn respond(&self, cx: &Cx<'_>, msg: &Message<'_>, status: u16) -> Vec<u8> {
        wire::response(msg, status, Some(&self.tag), cx.us)
            .header_fmt(Name::Contact, format_args!("<sip:{}>", cx.us.sip))
            .finish()
    }
}

fn due(at: &mut Option<Instant>, now: Instant) -> bool {
    let is_due = at.is_some_and(|at| now >= at);
    if is_due {
        *at = None;
    }
    is_due
}
