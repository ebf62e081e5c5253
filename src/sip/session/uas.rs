//! The called side: a carrier's call, or a phone dialling a feature code (RFC 3261 s13.3).

use super::super::body;
use super::super::dialog::Dialog;
use super::super::endpoint::ServerTx;
use super::super::flow::Flow;
use super::super::message::{Builder, Framing, Message, Name};
use super::early::Patience;
use super::refer::Referral;
use super::reliable::{Next, Provisionals};
use super::timer::{By, Timer};
use super::way::Way;
use super::{AfterAck, Context, Opening, Peer, SERVER, Session, State, Unacknowledged, q850, respond, supported};
use crate::config::settings::Reliable;
use crate::leg::{HangupReason, LegEnd};
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
        mut local: Local,
    ) -> Result<(Session, Option<Negotiated>), Unacceptable> {
        let (described, opening, negotiated) = match body::sdp(msg) {
            [] => (offer_answer::offer(&local), Opening::Offerless, None),
            offer => offer_answer::answer(&local, offer).map(|(sdp, n)| (sdp, Opening::Asked, Some(n)))?,
        };
        negotiated.iter().for_each(|media| local.encryption.agree(media));
        let reliable = Reliable::default();
        let provisionals = Provisionals::to(msg, reliable);
        let state = State::Incoming { tx, invite: msg.raw().to_vec(), opening, provisionals };
        let dialog = Dialog::uas(msg, tag);
        let (media, timer, refresh_by) = (negotiated.clone(), Timer::Off, By::allowed(msg, By::ReInvite));
        let (way, sent_away) = (Way::AsItCame, vec![]);
        let session = Session {
            dialog,
            flow,
            way,
            owner,
            local,
            described,
            media,
            reliable,
            timer,
            refresh_by,
            peer: Peer::Carrier,
            referral: Referral::None,
            notified: vec![],
            signer: None,
            sent_away,
            patience: Patience::default(),
            state,
        };
        Ok((session, negotiated))
    }

    /// The 200, as soon as it may go: a provisional response that waits for its PRACK goes before it (RFC 3262 s3).
    pub(super) fn answer(&mut self, cx: &mut Context<'_>) {
        let contact = self.contact(&self.flow);
        let State::Incoming { tx, invite, opening, provisionals } = &mut self.state else { return };
        if provisionals.puts_off(Next::Answer) {
            return;
        }
        let Ok(msg) = Message::parse(invite, Framing::Datagram) else { return };
        let tag = self.dialog.local_tag.as_bytes();
        let ok = Builder::response(&msg, 200, "OK", Some(tag), self.flow.remote)
            .header(Name::Contact, contact.as_bytes())
            .header(Name::Allow, self.peer.allowed())
            .header(Name::Supported, supported(self.reliable))
            .header(Name::Server, SERVER);
        self.timer = self.timer.agreed(cx.now, &msg);
        let ok = self.timer.write(ok);
        let (response, expects_answer) = match opening {
            Opening::Asked => (ok.body("application/sdp", &self.described), false),
            Opening::Offerless => (ok.body("application/sdp", &self.described), true),
            Opening::Offered | Opening::Settled => (ok.finish(), false),
        };
        cx.endpoint.respond(cx.now, *tx, 200, response.clone());
        let unacknowledged = Unacknowledged::new(cx.now, *tx, msg.cseq().seq, response, expects_answer);
        self.state = State::Accepted { unacknowledged, then: AfterAck::StayUp };
    }

    /// CANCEL met our INVITE before its final answer; the endpoint has answered the CANCEL itself.
    pub fn cancelled(&mut self, cx: &mut Context<'_>, cancel: &Message<'_>) {
        self.note_reason(cx, cancel);
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
            return self.send_bye(cx, q850(HangupReason::Normal));
        }
        if unacknowledged.expects_answer {
            match (body::sdp(ack), &self.media) {
                // It forgets to answer: what holds goes on.
                ([], Some(_)) => {}
                (answer, _) => match offer_answer::accept(&self.local, answer) {
                    Ok(media) => self.settled(cx, media),
                    Err(_) => self.leave(cx, HangupReason::NotAcceptable, LegEnd::Fault),
                },
            }
        }
    }
}
