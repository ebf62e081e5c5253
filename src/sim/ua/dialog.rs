//! A call that is up, on either side: BYE, re-INVITE (hold, resume) and repeats, both ways (RFC 3261 s12-15).
//! Not here: getting it up (`outgoing`, `incoming`).

mod re_invite;
mod refer;

pub use refer::AfterRefer;

use super::media::{self, RemoteMedia};
use super::wire::{self, Cx, Draft, PATIENCE, Replies, Resend, text};
use super::{Ending, UaFact};
use crate::sip::message::{Message, Method, Name, NameAddr};
use crate::time::Instant;

#[derive(Clone, Debug)]
pub struct Dialog {
    call_id: String,
    /// From and To values of our requests, tags included.
    local: String,
    remote: String,
    local_tag: String,
    target: String,
    routes: Vec<String>,
    cseq: u32,
    remote_cseq: u32,
    session: u64,
    version: u64,
    media: RemoteMedia,
    /// We hold the far end.
    holding: bool,
    /// The ACK for a 2xx we got, by CSeq: repeated whenever that 2xx is.
    ack: Option<(u32, Vec<u8>)>,
    /// Our 2xx, until its ACK comes.
    unacked: Option<(u32, Resend)>,
    replies: Replies,
    own: Own,
    /// Our last REFER was accepted.
    referred: Option<AfterRefer>,
    /// We placed the call: decides how long a refused re-INVITE waits (RFC 3261 s14.1).
    placed: bool,
}

/// What we have under way.
#[derive(Clone, Debug)]
enum Own {
    Nothing,
    ReInvite {
        branch: String,
        hold: bool,
        resend: Resend,
    },
    Refer {
        branch: String,
        then: AfterRefer,
        resend: Resend,
    },
    /// 491 came: try again later.
    ReInviteLater {
        at: Instant,
        hold: bool,
    },
    /// We want to hang up, but our 200 is not acknowledged yet (RFC 3261 s15).
    ByeAfterAck,
    Bye {
        branch: String,
        resend: Resend,
    },
    /// Over; still answers repeats.
    Closed {
        until: Instant,
    },
    Gone,
}

impl Dialog {
    /// The 2xx to our INVITE, which carried `from` and `session`. Sends the ACK.
    pub fn placed(
        cx: &mut Cx<'_>,
        response: &Message<'_>,
        session: u64,
        authorization: Option<&(Name, String)>,
    ) -> Option<Dialog> {
        let media = media::read(cx.us, response.body())?;
        let target = contact(response)?;
        // The route set of a caller is the Record-Route in reverse (RFC 3261 s12.1.2).
        let mut routes: Vec<String> = response.values(Name::RecordRoute).map(text).collect();
        routes.reverse();
        let mut dialog = Dialog {
            call_id: text(response.call_id()),
            local: text(response.from().raw),
            remote: text(response.to().raw),
            local_tag: text(response.from_tag()?),
            target,
            routes,
            cseq: response.cseq().seq,
            remote_cseq: 0,
            session,
            version: 1,
            media,
            holding: false,
            ack: None,
            unacked: None,
            replies: Replies::default(),
            own: Own::Nothing,
            referred: None,
            placed: true,
        };
        dialog.acknowledge(cx, response.cseq().seq, authorization);
        Some(dialog)
    }

    /// We answer their INVITE: sends the 200 and repeats it until the ACK.
    pub fn answered(cx: &mut Cx<'_>, invite: &Message<'_>, tag: &str) -> Option<Dialog> {
        let media = media::read(cx.us, invite.body())?;
        let session = cx.rng.next_u64() >> 16;
        let sdp = media::describe(cx.us, session, 1, Some(&media), media::mirrored(&media));
        let mut dialog = Dialog {
            call_id: text(invite.call_id()),
            local: format!("{};tag={tag}", text(invite.to().raw)),
            remote: text(invite.from().raw),
            local_tag: tag.to_string(),
            target: contact(invite)?,
            routes: invite.values(Name::RecordRoute).map(text).collect(),
            cseq: (cx.rng.next_u64() >> 40) as u32,
            remote_cseq: invite.cseq().seq,
            session,
            version: 1,
            media,
            holding: false,
            ack: None,
            unacked: None,
            replies: Replies::default(),
            own: Own::Nothing,
            referred: None,
            placed: false,
        };
        dialog.send_200(cx, invite, sdp);
        Some(dialog)
    }

    pub fn media(&self) -> RemoteMedia {
        self.media
    }

    pub fn is_up(&self) -> bool {
        !matches!(self.own, Own::Closed { .. } | Own::Bye { .. } | Own::Gone)
    }

    /// No repeat has to be answered any more.
    pub fn is_gone(&self) -> bool {
        matches!(self.own, Own::Gone)
    }

    /// Is this message ours? (A request by our tag and Call-ID; a response by its From tag.)
    pub fn owns(&self, msg: &Message<'_>) -> bool {
        let tag = if msg.is_request() { msg.to_tag() } else { msg.from_tag() };
        msg.call_id() == self.call_id.as_bytes() && tag == Some(self.local_tag.as_bytes())
    }

    /// Sends BYE, now or once our answer is acknowledged.
    pub fn hang_up(&mut self, cx: &mut Cx<'_>) {
        if !self.is_up() {
            return;
        }
        if self.unacked.is_some() && !self.placed {
            self.own = Own::ByeAfterAck;
            return;
        }
        let (branch, bytes) = self.request(cx, Method::Bye, None);
        self.own = Own::Bye { branch, resend: Resend::other(cx.now, bytes, cx.out) };
    }

    /// Hold (`true`) or resume by re-INVITE. Does nothing while another request of ours is under way.
    pub fn hold(&mut self, cx: &mut Cx<'_>, hold: bool) {
        if matches!(self.own, Own::Nothing) && self.unacked.is_none() {
            self.re_invite(cx, hold);
        }
    }

    pub fn on_request(&mut self, cx: &mut Cx<'_>, msg: &Message<'_>) -> Option<Ending> {
        if msg.method() == Some(Method::Ack) {
            return self.on_ack(cx, msg);
        }
        if let Some(reply) = self.replies.repeat(msg) {
            cx.send(reply);
            return None;
        }
        if msg.cseq().seq < self.remote_cseq {
            self.replies.send(msg, wire::reply(msg, 500, None, cx.us), cx.out);
            return None;
        }
        self.remote_cseq = msg.cseq().seq;
        match msg.method() {
            Some(Method::Bye) => {
                self.replies.send(msg, wire::reply(msg, 200, None, cx.us), cx.out);
                let was_up = self.is_up();
                if was_up {
                    self.unacked = None;
                    self.own = Own::Closed { until: cx.now + PATIENCE };
                }
                return was_up.then_some(Ending::PeerHungUp);
            }
            Some(Method::Invite) if !self.is_up() => {
                self.replies.send(msg, wire::reply(msg, 481, None, cx.us), cx.out);
            }
            Some(Method::Invite) => self.on_re_invite(cx, msg),
            Some(Method::Notify) => return self.on_notify(cx, msg),
            _ => self.replies.send(msg, wire::reply(msg, 200, None, cx.us), cx.out),
        }
        None
    }

    pub fn on_response(&mut self, cx: &mut Cx<'_>, msg: &Message<'_>) -> Option<Ending> {
        let status = msg.status()?;
        let cseq = msg.cseq();
        if cseq.method == Method::Invite
            && (200..300).contains(&status)
            && let Some((seq, ack)) = &self.ack
            && *seq == cseq.seq
        {
            let ack = ack.clone();
            cx.send(ack);
            return None;
        }
        let branch = msg.via().branch();
        match &mut self.own {
            Own::Bye { branch: ours, .. } if branch == Some(ours.as_bytes()) && status >= 200 => {
                self.own = Own::Closed { until: cx.now + PATIENCE };
                None
            }
            Own::Refer { branch: ours, then, .. } if branch == Some(ours.as_bytes()) && status >= 200 => {
                let then = *then;
                self.on_refer_answer(cx, status, then)
            }
            Own::ReInvite { branch: ours, hold, .. } if branch == Some(ours.as_bytes()) && status >= 200 => {
                let (ours, hold) = (std::mem::take(ours), *hold);
                self.on_re_invite_answer(cx, msg, status, &ours, hold)
            }
            _ => None,
        }
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        let own = match &self.own {
            Own::Nothing | Own::ByeAfterAck | Own::Gone => None,
            Own::ReInvite { resend, .. } | Own::Refer { resend, .. } | Own::Bye { resend, .. } => {
                Some(resend.next_timeout())
            }
            Own::ReInviteLater { at, .. } => Some(*at),
            Own::Closed { until } => Some(*until),
        };
        own.into_iter().chain(self.unacked.as_ref().map(|(_, resend)| resend.next_timeout())).min()
    }

    pub fn on_timeout(&mut self, cx: &mut Cx<'_>) -> Option<Ending> {
        if let Some((_, resend)) = &mut self.unacked
            && resend.on_timeout(cx.now, cx.out)
        {
            // No ACK for 32 s: the session is ended with BYE (RFC 3261 s13.3.1.4).
            self.unacked = None;
            let was_up = self.is_up();
            self.hang_up(cx);
            return was_up.then_some(Ending::NoReply);
        }
        match &mut self.own {
            Own::Nothing | Own::ByeAfterAck | Own::Gone => None,
            Own::Closed { until } => {
                if cx.now >= *until {
                    self.own = Own::Gone;
                }
                None
            }
            Own::ReInviteLater { at, hold } => {
                if cx.now >= *at {
                    let hold = *hold;
                    self.re_invite(cx, hold);
                }
                None
            }
            Own::Bye { resend, .. } => {
                if resend.on_timeout(cx.now, cx.out) {
                    cx.fact(UaFact::Unanswered);
                    self.own = Own::Gone;
                }
                None
            }
            Own::ReInvite { resend, .. } | Own::Refer { resend, .. } => {
                if !resend.on_timeout(cx.now, cx.out) {
                    return None;
                }
                self.own = Own::Nothing;
                self.hang_up(cx);
                Some(Ending::NoReply)
            }
        }
    }

    fn on_ack(&mut self, cx: &mut Cx<'_>, msg: &Message<'_>) -> Option<Ending> {
        if self.unacked.as_ref().is_some_and(|(seq, _)| *seq == msg.cseq().seq) {
            self.unacked = None;
            if matches!(self.own, Own::ByeAfterAck) {
                self.own = Own::Nothing;
                self.hang_up(cx);
            }
        }
        None
    }

    fn send_200(&mut self, cx: &mut Cx<'_>, invite: &Message<'_>, sdp: Vec<u8>) {
        let ok = wire::response(invite, 200, Some(&self.local_tag), cx.us)
            .header_fmt(Name::Contact, format_args!("<sip:{}>", cx.us.sip))
            .body("application/sdp", &sdp);
        self.unacked = Some((invite.cseq().seq, Resend::other(cx.now, ok, cx.out)));
    }

    fn acknowledge(&mut self, cx: &mut Cx<'_>, seq: u32, authorization: Option<&(Name, String)>) {
        let branch = wire::branch(cx.rng.token());
        let mut ack = self.draft(Method::Ack, &branch, seq).build(cx.us);
        for route in &self.routes {
            ack = ack.header(Name::Route, route.as_bytes());
        }
        if let Some((name, value)) = authorization {
            ack = ack.header(*name, value.as_bytes());
        }
        let ack = ack.finish();
        cx.send(ack.clone());
        self.ack = Some((seq, ack));
    }

    fn request(&mut self, cx: &mut Cx<'_>, method: Method<'_>, sdp: Option<Vec<u8>>) -> (String, Vec<u8>) {
        self.cseq += 1;
        let branch = wire::branch(cx.rng.token());
        let mut request = self.draft(method, &branch, self.cseq).build(cx.us);
        for route in &self.routes {
            request = request.header(Name::Route, route.as_bytes());
        }
        let bytes = match sdp {
            Some(sdp) => {
                request.header_fmt(Name::Contact, format_args!("<sip:{}>", cx.us.sip)).body("application/sdp", &sdp)
            }
            None => request.finish(),
        };
        (branch, bytes)
    }

    fn draft<'a>(&'a self, method: Method<'a>, branch: &'a str, cseq: u32) -> Draft<'a> {
        Draft { method, uri: &self.target, branch, from: &self.local, to: &self.remote, call_id: &self.call_id, cseq }
    }
}

fn contact(msg: &Message<'_>) -> Option<String> {
    msg.contacts().next()?.ok().map(|c: NameAddr<'_>| text(c.uri))
}
