//! The called side: a carrier's call, or a phone dialling a feature code (RFC 3261 s13.3).

use super::super::dialog::{Dialog, contact};
use super::super::endpoint::ServerTx;
use super::super::flow::Flow;
use super::super::message::{Builder, Framing, Message, Name, reason_phrase};
use super::{ALLOW, AfterAck, Context, SAY_AGAIN, SERVER, Said, Session, State, Unacknowledged, respond};
use crate::leg::{HangupReason, LegEnd, LegEvent};
use crate::plane::Negotiated;
use crate::sdp::offer_answer::{self, Local, Unacceptable};

impl Session {
    /// Takes an INVITE whose server transaction is `tx`. Returns what its offer settled, or `None` if it brought no
    /// offer (then ours goes into the 200 and theirs comes in the ACK, reported as `MediaChanged`).
    pub fn incoming(
        owner: u64,
        tag: String,
        flow: Flow,
        tx: ServerTx,
        msg: &Message<'_>,
        local: Local,
    ) -> Result<(Session, Option<Negotiated>), Unacceptable> {
        let (sdp, negotiated) = match msg.body() {
            [] => (offer_answer::offer(&local), None),
            offer => offer_answer::answer(&local, offer).map(|(sdp, n)| (sdp, Some(n)))?,
        };
        let state =
            State::Incoming { tx, invite: msg.raw().to_vec(), sdp, offerless: negotiated.is_none(), said: None };
        Ok((Session { dialog: Dialog::uas(msg, tag), flow, next_hop: None, owner, local, state }, negotiated))
    }

    pub(super) fn provisional(&mut self, cx: &mut Context<'_>, status: u16) {
        let State::Incoming { tx, invite, sdp, offerless, said } = &mut self.state else { return };
        *said = Some(Said { status, again: cx.now + SAY_AGAIN });
        let Ok(msg) = Message::parse(invite, Framing::Datagram) else { return };
        let tag = self.dialog.local_tag.as_bytes();
        let b = Builder::response(&msg, status, reason_phrase(status), Some(tag), self.flow.remote)
            .header(Name::Contact, contact(&self.flow).as_bytes())
            .header(Name::Allow, ALLOW)
            .header(Name::Server, SERVER);
        let bytes = if status == 183 && !*offerless { b.body("application/sdp", sdp) } else { b.finish() };
        cx.endpoint.respond(cx.now, *tx, status, bytes);
    }

    pub(super) fn answer(&mut self, cx: &mut Context<'_>) {
        let State::Incoming { tx, invite, sdp, offerless, .. } = &self.state else { return };
        let Ok(msg) = Message::parse(invite, Framing::Datagram) else { return };
        let tag = self.dialog.local_tag.as_bytes();
        let response = Builder::response(&msg, 200, "OK", Some(tag), self.flow.remote)
            .header(Name::Contact, contact(&self.flow).as_bytes())
            .header(Name::Allow, ALLOW)
            .header(Name::Server, SERVER)
            .body("application/sdp", sdp);
        cx.endpoint.respond(cx.now, *tx, 200, response.clone());
        let unacknowledged = Unacknowledged::new(cx.now, *tx, msg.cseq().seq, response, *offerless);
        self.state = State::Accepted { unacknowledged, then: AfterAck::StayUp };
    }

    /// CANCEL met our INVITE before its final answer; the endpoint has answered the CANCEL itself.
    pub fn cancelled(&mut self, cx: &mut Context<'_>) {
        // In any later state the CANCEL came too late and changes nothing (s9.2): the far end will send BYE.
        if let State::Incoming { tx, invite, .. } = std::mem::replace(&mut self.state, State::Over) {
            let tag = self.dialog.local_tag.clone();
            respond(cx, tx, self.flow, &invite, 487, &tag, |b| b);
            self.ended(cx, LegEnd::HungUp);
        }
    }

    /// ACK for our 200 (initial or re-INVITE).
    pub fn acknowledged(&mut self, cx: &mut Context<'_>, ack: &Message<'_>) {
        // A late copy of an earlier ACK confirms nothing new.
        let seq = ack.cseq().seq;
        let (unacknowledged, then) = match &mut self.state {
            State::Accepted { unacknowledged, then } if unacknowledged.seq == seq => (unacknowledged.clone(), *then),
            State::Confirmed { reinvite, .. } => match reinvite.take_if(|u| u.seq == seq) {
                Some(u) => (u, AfterAck::StayUp),
                None => return,
            },
            _ => return,
        };
        if matches!(self.state, State::Accepted { .. }) {
            self.state = State::Confirmed { ack: None, reinvite: None };
        }
        if then == AfterAck::Leave {
            return self.send_bye(cx, HangupReason::Normal);
        }
        if unacknowledged.expects_answer {
            match offer_answer::accept(&self.local, ack.body()) {
                Ok(media) => cx.events.push(LegEvent::MediaChanged { media }),
                Err(_) => self.leave(cx, HangupReason::NotAcceptable, LegEnd::Fault),
            }
        }
    }
}
