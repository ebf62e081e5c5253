//! A phone's transfer key: REFER, its answer, and what NOTIFYs tell (RFC 3515).

use super::{Dialog, Own};
use crate::sim::ua::wire::{self, Cx, Resend};
use crate::sim::ua::{Ending, UaFact};
use crate::sip::message::{Message, Method, Name};

/// What a phone does once it may pass its call on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterRefer {
    /// Hangs up at once.
    Leaves,
    /// Hangs up when it is told that the other party is there.
    Waits,
}

impl Dialog {
    /// Asks that the far end of the call go to this URI (RFC 3515). Does nothing while another request of ours is under way.
    pub fn refer(&mut self, cx: &mut Cx<'_>, uri: &str, then: AfterRefer) {
        if !matches!(self.own, Own::Nothing) {
            return;
        }
        self.cseq += 1;
        let branch = wire::branch(cx.rng.token());
        let mut request = self.draft(Method::Refer, &branch, self.cseq).build(cx.us);
        for route in &self.routes {
            request = request.header(Name::Route, route.as_bytes());
        }
        let bytes = request
            .header_fmt(Name::Contact, format_args!("<sip:{}>", cx.us.sip))
            .header_fmt(Name::ReferTo, format_args!("<{uri}>"))
            .finish();
        self.own = Own::Refer { branch, then, resend: Resend::other(cx.now, bytes, cx.out) };
    }

    /// This dialog as Replaces names it in a URI (RFC 3891).
    pub fn replaced(&self) -> String {
        let remote = self.remote.rsplit_once(";tag=").map_or("", |(_, tag)| tag.split(';').next().unwrap_or_default());
        let escaped = self.call_id.replace('@', "%40");
        format!("Replaces={escaped}%3Bto-tag%3D{remote}%3Bfrom-tag%3D{}", self.local_tag)
    }

    pub(super) fn on_refer_answer(&mut self, cx: &mut Cx<'_>, status: u16, then: AfterRefer) -> Option<Ending> {
        self.own = Own::Nothing;
        cx.fact(UaFact::Referred(status));
        if status >= 300 {
            return None;
        }
        self.referred = Some(then);
        (then == AfterRefer::Leaves).then(|| {
            self.hang_up(cx);
            Ending::HungUp
        })
    }

    pub(super) fn on_notify(&mut self, cx: &mut Cx<'_>, msg: &Message<'_>) -> Option<Ending> {
        self.replies.send(msg, wire::reply(msg, 200, None, cx.us), cx.out);
        let told = msg.body().strip_prefix(b"SIP/2.0 ").and_then(|line| line.get(..3));
        let told = told.and_then(|status| std::str::from_utf8(status).ok()?.parse::<u16>().ok())?;
        cx.fact(UaFact::Told(told));
        let done = told >= 200 && self.referred.take() == Some(AfterRefer::Waits) && told < 300;
        (done && self.is_up()).then(|| {
            self.hang_up(cx);
            Ending::HungUp
        })
    }
}
