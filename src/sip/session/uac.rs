//! The calling side: ringing a seat, or a phone outside by a trunk (RFC 3261 s13.2).

use super::super::body;
use super::super::dialog::Dialog;
use super::super::endpoint::ClientTx;
use super::super::flow::Flow;
use super::super::message::{Message, Method, Name};
use super::early::{Early, MOST_FORKS, Patience};
use super::refer::Referral;
use super::timer::{self, By, Timer};
use super::way::Way;
use super::{Context, GIVE_UP, Peer, SERVER, SUPPORTED, SUPPORTED_CALLING, Session, State, Subscriber};
use crate::config::settings::Reliable;
use crate::leg::{HangupReason, LegEnd, LegEvent};
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
    /// As whose subscriber we call, if we are one.
    pub subscriber: Option<Subscriber>,
    pub peer: Peer,
    /// May it have its provisional responses acknowledged? A carrier is told so at once, a phone only if it insists: each
    /// PRACK of a phone's that rings is one message more.
    pub reliable: Reliable,
    /// Through these proxies (RFC 3327); a phone's; most often none.
    pub route: Vec<Vec<u8>>,
}

impl Session {
    /// Sends the INVITE with our offer.
    pub fn place(cx: &mut Context<'_>, owner: u64, tag: String, target: Target<'_>, local: Local) -> Session {
        let call_id = format!("{}@{}", cx.tokens.token(), target.flow.local.ip());
        Session::place_as(cx, owner, call_id, tag, target, local)
    }

    /// The same INVITE by another way (RFC 3263 s4.3): Call-ID, tag and number as they were, so that a phone both reach
    /// knows it for one request and refuses the second (RFC 3261 s8.2.2.2) instead of ringing twice.
    pub fn place_again(cx: &mut Context<'_>, before: &Session, target: Target<'_>, local: Local) -> Session {
        let call_id = String::from_utf8_lossy(&before.dialog.call_id).into_owned();
        Session::place_as(cx, before.owner, call_id, before.dialog.local_tag.clone(), target, local)
    }

    fn place_as(
        cx: &mut Context<'_>,
        owner: u64,
        call_id: String,
        tag: String,
        target: Target<'_>,
        local: Local,
    ) -> Session {
        let mut session = Session {
            dialog: Dialog::uac(call_id, tag, target.from, target.to, target.request_uri.to_vec()),
            flow: target.flow,
            way: Way::AsItCame,
            owner,
            described: offer_answer::offer(&local),
            local,
            media: None,
            reliable: target.reliable,
            timer: Timer::Proposed { seconds: timer::PROPOSED },
            refresh_by: By::ReInvite,
            peer: target.peer,
            referral: Referral::None,
            notified: vec![],
            signer: None,
            sent_away: vec![],
            patience: Patience::default(),
            state: State::Over,
        };
        session.dialog.lead_by(target.route);
        if let Some(subscriber) = target.subscriber {
            session.sign_as(subscriber);
        }
        let headers: Vec<_> = target.headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        let reliable = target.peer == Peer::Carrier && target.reliable != Reliable::Never;
        session.invite(cx, Attempt { headers, reliable, met: vec![] });
        session
    }

    fn invite(&mut self, cx: &mut Context<'_>, attempt: Attempt) {
        let supported = if attempt.reliable { SUPPORTED } else { SUPPORTED_CALLING };
        let branch = cx.tokens.branch();
        let invite = self
            .dialog
            .request(Method::Invite, &self.flow, &branch)
            .header(Name::Contact, self.contact(&self.flow).as_bytes())
            .header(Name::Allow, self.peer.allowed())
            .header(Name::Supported, supported)
            .header(Name::UserAgent, SERVER);
        let more = attempt.headers.iter();
        let invite = more.fold(self.timer.ask(invite), |b, (name, value)| b.other(name, value.as_bytes()));
        let invite = invite.body("application/sdp", &self.described);
        let tx = self.send(cx, self.flow, &branch, invite);
        self.state = State::Calling { tx, attempt, early: Early::default() };
    }

    /// Nobody has answered our INVITE at all, and another is to take its place. What comes for this one later is called
    /// off or hung up; the transaction to feed it is given. `None` if it is not in that state.
    pub fn abandon(&mut self, cx: &mut Context<'_>) -> Option<ClientTx> {
        let State::Calling { tx, .. } = self.state else { return None };
        cx.endpoint.abandon(cx.now, tx);
        self.state = State::Cancelling { tx, until: cx.now + GIVE_UP };
        Some(tx)
    }

    /// The far end did not understand our description (488): here is another, in the same call.
    pub fn offer_otherwise(&mut self, cx: &mut Context<'_>, local: Local) {
        let State::Calling { attempt, .. } = &self.state else { return };
        let mut attempt = attempt.clone();
        attempt.met.push(488);
        self.described = offer_answer::offer(&local);
        self.local = local;
        self.dialog.forget_far_end();
        self.invite(cx, attempt);
    }

    /// Has our INVITE been changed for this refusal?
    pub fn was_refused_with(&self, status: u16) -> bool {
        matches!(&self.state, State::Calling { attempt, .. } if attempt.met.contains(&status))
    }

    /// Is this the INVITE that nobody has finally answered yet?
    pub fn is_calling_by(&self, tx: ClientTx) -> bool {
        matches!(self.state, State::Calling { tx: ours, .. } if ours == tx)
    }

    /// Any response to any request of ours in this dialog.
    pub fn response(&mut self, cx: &mut Context<'_>, tx: ClientTx, msg: &Message<'_>) {
        let Some(status) = msg.status() else { return };
        if self.answers_challenge(cx, tx, msg) {
            return;
        }
        if let (State::Confirmed { .. }, Some((asked, by))) = (&self.state, self.timer.asked())
            && asked == tx
        {
            return self.refresh_answered(cx, by, status, msg);
        }
        match (&self.state, msg.cseq().method) {
            // To an INVITE whose place another has taken.
            (State::Calling { tx: ours, .. }, Method::Invite) if *ours != tx => {}
            (State::Leaving { tx: bye }, _) if *bye == tx && status >= 200 => self.state = State::Over,
            (_, Method::Notify) if status >= 200 => self.notify_answered(cx, tx, status),
            (_, Method::Invite) => match status {
                101..=199 => self.progress(cx, status, msg),
                200..=299 => self.invite_accepted(cx, msg),
                300.. => self.invite_refused(cx, tx, status, msg),
                _ => {}
            },
            _ => {}
        }
    }

    fn invite_accepted(&mut self, cx: &mut Context<'_>, msg: &Message<'_>) {
        match &self.state {
            State::Calling { .. } => {
                // RFC 3262 s5: the answer may have come in an acknowledged response already.
                let known = self.answer_before_200(msg);
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
        match &self.state {
            State::Calling { tx: ours, attempt, .. } if *ours == tx => match self.revised(attempt.clone(), status, msg)
            {
                Some(attempt) => {
                    self.dialog.forget_far_end();
                    self.invite(cx, attempt);
                }
                None => {
                    self.note_reason(cx, msg);
                    self.ended(cx, refusal(status))
                }
            },
            State::Cancelling { tx: ours, .. } if *ours == tx => self.ended(cx, LegEnd::Released),
            _ => {}
        }
    }

    /// What we ask instead, where the refusal says what was wrong, and we can do otherwise.
    fn revised(&mut self, mut attempt: Attempt, status: u16, refusal: &Message<'_>) -> Option<Attempt> {
        if attempt.met.contains(&status) {
            return None;
        }
        let is_reliable = |option: &[u8]| option.eq_ignore_ascii_case(b"100rel");
        let is_spoken = |option: &[u8]| is_reliable(option) || option.eq_ignore_ascii_case(b"timer");
        let wants = || refusal.values(Name::Require).all(is_spoken);
        match status {
            // RFC 4028 s7.3: with the interval that it, or a proxy before it, insists on.
            422 => self.timer = Timer::Proposed { seconds: self.timer.lengthened(refusal)? },
            // RFC 3262 s3: it wants its responses acknowledged, if nothing else that we do not speak.
            421 if !attempt.reliable && self.reliable != Reliable::Never && wants() => attempt.reliable = true,
            // RFC 3261 s21.4.15. It was only offered; some refuse even that.
            420 if attempt.reliable && refusal.values(Name::Unsupported).any(is_reliable) => attempt.reliable = false,
            _ => return None,
        }
        attempt.met.push(status);
        Some(attempt)
    }

    /// Timer B/F, or the transport failed.
    pub fn request_failed(&mut self, cx: &mut Context<'_>, tx: ClientTx) {
        if self.refresh_failed(cx, tx) || self.notify_failed(cx, tx) {
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

    /// The connection broke before an answer came, and there is another way (`move_to`): asks again by that.
    pub fn request_lost(&mut self, cx: &mut Context<'_>, tx: ClientTx) {
        if self.notify_again(cx, tx) {
            return;
        }
        match &self.state {
            State::Leaving { tx: ours } if *ours == tx => self.send_bye(cx, None),
            State::Confirmed { .. } if self.timer.asked().is_some_and(|(asked, _)| asked == tx) => self.ask(cx),
            _ => self.request_failed(cx, tx),
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
        let ack = self.signed_ack(self.dialog.ack(seq, &flow, &cx.tokens.branch()));
        cx.endpoint.send_stray(flow, ack.clone());
        ack
    }

    /// A second phone behind a forking proxy answered as well: acknowledge it and end it (s13.2.2.4), once.
    fn drop_fork(&mut self, cx: &mut Context<'_>, msg: &Message<'_>) {
        let Some(tag) = msg.to_tag() else { return };
        let known = self.sent_away.iter().any(|known| known == tag);
        // One that answers under ever new tags is no phone: it is left to its own timers.
        if !known && self.sent_away.len() >= MOST_FORKS {
            return;
        }
        let mut other = self.dialog.fork(msg);
        let flow = self.way.flow(&other, self.flow);
        let ack = other.ack(msg.cseq().seq, &flow, &cx.tokens.branch()).finish();
        cx.endpoint.send_stray(flow, ack);
        if known {
            return;
        }
        self.sent_away.push(tag.to_vec());
        let branch = cx.tokens.branch();
        let bye = other.request(Method::Bye, &flow, &branch).finish();
        cx.endpoint.request(cx.now, flow, &branch, NOBODY, bye);
    }
}

/// Our INVITE, which may be sent again as its refusal wants it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Attempt {
    headers: Vec<(String, String)>,
    /// Acknowledged provisional responses (100rel) are offered.
    reliable: bool,
    /// Refusals it has been changed for; for each of them once.
    met: Vec<u16>,
}

/// Owner of requests whose outcome nobody waits for.
pub const NOBODY: u64 = 0;

fn refusal(status: u16) -> LegEnd {
    match status {
        486 | 600 => LegEnd::Busy,
        408 | 480 | 487 => LegEnd::NoAnswer,
        404 | 410 | 500..=599 => LegEnd::Unreachable,
        // Our password, not the one called.
        401 | 407 => LegEnd::Fault,
        _ => LegEnd::Declined,
    }
}
