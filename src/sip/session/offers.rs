//! Offers of the far end inside the dialog, by re-INVITE and UPDATE, and what stands in their way (RFC 3261 s14.2,
//! RFC 3311 s5.2, RFC 3264 s8). Not here: the INVITE's own exchange (`uas`, `reliable`), our refreshes (`refresh`).

use super::super::body;
use super::super::endpoint::ServerTx;
use super::super::flow::Flow;
use super::super::message::{Builder, Message, Method, Name};
use super::timer::{self, By};
use super::{AfterAck, Context, Opening, Session, State, Unacknowledged};
use crate::leg::LegEvent;
use crate::plane::Negotiated;
use crate::sdp::offer_answer::{self, Local, Unacceptable};

/// Why an offer cannot be taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    /// 491: an offer of ours has no answer yet.
    OursIsOpen,
    /// 500 with Retry-After: theirs before has not been dealt with.
    TheirsIsOpen,
    /// 481.
    Leaving,
}

impl Session {
    pub(super) fn reoffer(&mut self, cx: &mut Context<'_>, tx: ServerTx, flow: Flow, msg: &Message<'_>) {
        if let Some(obstacle) = self.obstacle(Method::Invite) {
            return self.refuse_offer(cx, tx, flow, msg, obstacle);
        }
        if timer::is_too_small(msg) {
            return self.too_small(cx, tx, flow, msg);
        }
        let Ok(offer) = body::description(msg) else { return self.unknown_body(cx, tx, flow, msg) };
        let described = match offer.unwrap_or_default() {
            [] => self.describe(|local| Ok((offer_answer::offer(local), None))),
            offer => self.describe(|local| answered(local, offer)),
        };
        // s14.2: refused, the session stays as it was.
        let Ok(media) = described else { return self.reply(cx, tx, flow, msg, 488, |b| b) };
        self.dialog.refresh_target(msg);
        self.timer = self.timer.agreed(cx.now, msg);
        let response = self.timer.write(self.ok(msg, flow)).body("application/sdp", &self.described);
        cx.endpoint.respond(cx.now, tx, 200, response.clone());
        let unacknowledged = Unacknowledged::new(cx.now, tx, msg.cseq().seq, response, media.is_none());
        match &mut self.state {
            State::Confirmed { reinvite, .. } => *reinvite = Some(unacknowledged),
            // The ACK of our first 200 is late or lost: who sends a re-INVITE has that 200.
            _ => self.state = State::Confirmed { ack: None, reinvite: Some(unacknowledged) },
        }
        if let Some(media) = media {
            self.settled(cx, media);
        }
    }

    pub(super) fn update(&mut self, cx: &mut Context<'_>, tx: ServerTx, flow: Flow, msg: &Message<'_>) {
        let Ok(offer) = body::description(msg) else { return self.unknown_body(cx, tx, flow, msg) };
        let offers = offer.is_some_and(|offer| !offer.is_empty());
        // Without an offer it refreshes the target, and is in nobody's way.
        if let Some(obstacle) = self.obstacle(Method::Update).filter(|o| offers || *o == Obstacle::Leaving) {
            return self.refuse_offer(cx, tx, flow, msg, obstacle);
        }
        if timer::is_too_small(msg) {
            return self.too_small(cx, tx, flow, msg);
        }
        self.dialog.refresh_target(msg);
        if offers {
            return self.answer_offer(cx, tx, flow, msg);
        }
        let response = self.refreshed(cx, msg, flow).finish();
        cx.endpoint.respond(cx.now, tx, 200, response);
    }

    /// Answers the offer in an UPDATE or PRACK; one that cannot be used leaves the session as it was.
    pub(super) fn answer_offer(&mut self, cx: &mut Context<'_>, tx: ServerTx, flow: Flow, msg: &Message<'_>) {
        let Ok(media) = self.describe(|local| answered(local, body::sdp(msg))) else {
            return self.reply(cx, tx, flow, msg, 488, |b| b);
        };
        let response = self.refreshed(cx, msg, flow).body("application/sdp", &self.described);
        cx.endpoint.respond(cx.now, tx, 200, response);
        if let Some(media) = media {
            self.settled(cx, media);
        }
    }

    /// A 200 that renews the session's timer, where the request may (RFC 4028 s7.4: not before the call is answered).
    fn refreshed(&mut self, cx: &Context<'_>, msg: &Message<'_>, flow: Flow) -> Builder {
        let ok = self.ok(msg, flow);
        match (&self.state, msg.method()) {
            (State::Accepted { .. } | State::Confirmed { .. }, Some(Method::Update)) => {
                self.timer = self.timer.agreed(cx.now, msg);
                self.timer.write(ok)
            }
            _ => ok,
        }
    }

    fn unknown_body(&mut self, cx: &mut Context<'_>, tx: ServerTx, flow: Flow, msg: &Message<'_>) {
        self.reply(cx, tx, flow, msg, 415, |b| b.header(Name::Accept, body::ACCEPT));
    }

    fn too_small(&mut self, cx: &mut Context<'_>, tx: ServerTx, flow: Flow, msg: &Message<'_>) {
        self.reply(cx, tx, flow, msg, 422, |b| b.header_fmt(Name::MinSe, format_args!("{}", timer::MIN_SE)));
    }

    /// Media both sides agree on; reported if it is news.
    pub(super) fn settled(&mut self, cx: &mut Context<'_>, media: Negotiated) {
        if let State::Calling { early, .. } = &mut self.state {
            self.local.encryption.agree(&media);
            early.settle(media.clone());
            cx.events.push(LegEvent::EarlyMedia { media });
        } else if self.media.as_ref() != Some(&media) {
            self.agree(&media);
            cx.events.push(LegEvent::MediaChanged { media });
        }
    }

    /// Refuses what would overlap an exchange under way; the far end tries again after up to ten seconds.
    pub(super) fn not_now(&mut self, cx: &mut Context<'_>, tx: ServerTx, flow: Flow, msg: &Message<'_>) {
        let seconds = cx.tokens.next_u64() % 11;
        self.reply(cx, tx, flow, msg, 500, |b| b.header_fmt(Name::RetryAfter, format_args!("{seconds}")));
    }

    fn refuse_offer(&mut self, cx: &mut Context<'_>, tx: ServerTx, flow: Flow, msg: &Message<'_>, obstacle: Obstacle) {
        match obstacle {
            Obstacle::OursIsOpen => self.reply(cx, tx, flow, msg, 491, |b| b),
            Obstacle::TheirsIsOpen => self.not_now(cx, tx, flow, msg),
            Obstacle::Leaving => self.reply(cx, tx, flow, msg, 481, |b| b),
        }
    }

    /// What stands in the way of a re-INVITE, or of an UPDATE with an offer.
    fn obstacle(&self, method: Method<'_>) -> Option<Obstacle> {
        let invite = method == Method::Invite;
        match &self.state {
            // s14.2: a second INVITE before the final response to the first.
            State::Incoming { .. } if invite => Some(Obstacle::TheirsIsOpen),
            State::Incoming { opening, .. } => match opening {
                Opening::Asked => Some(Obstacle::TheirsIsOpen),
                Opening::Offerless | Opening::Offered => Some(Obstacle::OursIsOpen),
                Opening::Settled => None,
            },
            State::Cancelling { .. } | State::Leaving { .. } | State::Over => Some(Obstacle::Leaving),
            State::Accepted { then: AfterAck::Leave, .. } => Some(Obstacle::Leaving),
            // RFC 3311 s5.2: an acknowledged provisional response has answered our offer.
            State::Calling { early, .. } if !invite && early.is_settled() => None,
            // s14.2: our own INVITE is in progress.
            State::Calling { .. } | State::Picked { .. } => Some(Obstacle::OursIsOpen),
            State::Accepted { unacknowledged: u, .. } | State::Confirmed { reinvite: Some(u), .. } => {
                // Our 200 carried an offer, whose answer the ACK brings (RFC 5407 s3.1.5). Otherwise only the ACK is
                // missing: who goes on without it has sent it (s3.1.4).
                u.expects_answer.then_some(Obstacle::OursIsOpen)
            }
            // s14.2: our refresh offers what it says again, until it is answered.
            State::Confirmed { reinvite: None, .. } => match self.timer.asked() {
                Some((_, By::ReInvite)) => Some(Obstacle::OursIsOpen),
                Some((_, By::Update)) | None => None,
            },
        }
    }

    pub(super) fn agree(&mut self, media: &Negotiated) {
        self.local.encryption.agree(media);
        self.media = Some(media.clone());
    }

    /// Words our next description: an offer, or an answer with what it settles. What says the same as the last keeps its
    /// version, else it gets the next one (RFC 3264 s8).
    fn describe(
        &mut self,
        word: impl Fn(&Local) -> Result<Described, Unacceptable>,
    ) -> Result<Option<Negotiated>, Unacceptable> {
        let (same, media) = word(&self.local)?;
        let rekeyed = self.wants_new_key(media.as_ref());
        if same == self.described && !rekeyed {
            return Ok(media);
        }
        let mut next = Local { version: self.local.version + 1, ..self.local.clone() };
        if rekeyed {
            next.encryption.renew();
        }
        let (described, media) = word(&next)?;
        (self.local, self.described) = (next, described);
        Ok(media)
    }

    /// RFC 4568 s7.1.4: another key of theirs is another endpoint, which has not counted our packets; nor has whoever
    /// answers an offer that was asked for in mid-call. A session refresh says what was said, and keeps our key.
    fn wants_new_key(&self, media: Option<&Negotiated>) -> bool {
        let theirs = |media: &Negotiated| media.srtp.map(|keys| (keys.suite, keys.theirs));
        // RFC 8839 s4.4.1.1: a restart of theirs is one of ours.
        if let Some(new) = media.and_then(|media| media.webrtc.as_ref()) {
            let before = self.media.as_ref().and_then(|media| media.webrtc.as_ref());
            return before.is_some_and(|before| !before.theirs.is_same_session(&new.theirs));
        }
        match media {
            None => self.local.encryption.offered().is_some(),
            Some(media) => media.srtp.is_some() && self.media.as_ref().and_then(theirs) != theirs(media),
        }
    }
}

/// A description of ours, and what it settles if it is an answer.
type Described = (Vec<u8>, Option<Negotiated>);

fn answered(local: &Local, offer: &[u8]) -> Result<Described, Unacceptable> {
    offer_answer::answer(local, offer).map(|(described, media)| (described, Some(media)))
}
