//! Re-INVITEs: hold and resume, of either side (RFC 3261 s14).

use super::{Dialog, Own, contact};
use crate::sim::ua::wire::{self, Cx, PATIENCE, Resend};
use crate::sim::ua::{Ending, UaFact, media};
use crate::sip::message::{Message, Method};
use std::time::Duration;

impl Dialog {
    pub(super) fn on_re_invite(&mut self, cx: &mut Cx<'_>, msg: &Message<'_>) {
        let refusal = if matches!(self.own, Own::ReInvite { .. }) {
            Some(491)
        } else if self.unacked.is_some() {
            Some(500)
        } else {
            None
        };
        // A re-INVITE without SDP asks for our offer; the ACK then carries the answer. We repeat what holds now.
        let offer = if msg.body().is_empty() { Some(self.media) } else { media::read(cx.us, msg.body()) };
        match (refusal, offer) {
            (Some(status), _) => self.replies.send(msg, wire::reply(msg, status, None, cx.us), cx.out),
            (None, None) => self.replies.send(msg, wire::reply(msg, 488, None, cx.us), cx.out),
            (None, Some(offer)) => {
                self.version += 1;
                let direction = match (self.holding, media::mirrored(&offer)) {
                    (true, "recvonly" | "inactive") => "inactive",
                    (true, _) => "sendonly",
                    (false, mirrored) => mirrored,
                };
                let sdp = media::describe(cx.us, self.session, self.version, Some(&offer), direction);
                if let Some(target) = contact(msg) {
                    self.target = target;
                }
                self.media = offer;
                self.send_200(cx, msg, sdp);
                cx.fact(UaFact::MediaChanged(offer));
            }
        }
    }

    pub(super) fn on_re_invite_answer(
        &mut self,
        cx: &mut Cx<'_>,
        msg: &Message<'_>,
        status: u16,
        branch: &str,
        hold: bool,
    ) -> Option<Ending> {
        self.own = Own::Nothing;
        if (200..300).contains(&status) {
            self.acknowledge(cx, msg.cseq().seq, None);
            self.holding = hold;
            if let Some(media) = media::read(cx.us, msg.body()) {
                self.media = media;
                cx.fact(UaFact::MediaChanged(media));
            }
            return None;
        }
        let ack = self.draft(Method::Ack, branch, msg.cseq().seq).build(cx.us).finish();
        cx.send(ack);
        match status {
            491 => {
                let (low, high) = if self.placed { (2_100, 4_000) } else { (0, 2_000) };
                let wait = cx.rng.between(Duration::from_millis(low), Duration::from_millis(high));
                self.own = Own::ReInviteLater { at: cx.now + wait, hold };
                None
            }
            408 | 481 => {
                self.own = Own::Closed { until: cx.now + PATIENCE };
                Some(Ending::Forgotten)
            }
            _ => None,
        }
    }

    pub(super) fn re_invite(&mut self, cx: &mut Cx<'_>, hold: bool) {
        self.version += 1;
        let direction = if hold { "sendonly" } else { "sendrecv" };
        let sdp = media::describe(cx.us, self.session, self.version, None, direction);
        let (branch, bytes) = self.request(cx, Method::Invite, Some(sdp));
        self.own = Own::ReInvite { branch, hold, resend: Resend::other(cx.now, bytes, cx.out) };
    }
}
