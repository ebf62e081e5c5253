//! Answers that leave no transaction behind (RFC 3261 s8.2.7, s16.3): refusals, malformed requests, CANCELs. A repeated
//! request gets the same answer again: it is judged again, or remembered if the reason may pass (`refused`). The ACK to one
//! is known by its To tag.

use super::Endpoint;
use super::matching::stateless_tag;
use crate::sip::flow::{Flow, Transmit, Transport};
use crate::sip::message::{Builder, Malformed, Message, Method, Name, reason_phrase};
use std::net::SocketAddr;

/// Retry-After of a 503, seconds. Short: a carrier that gets it sends this host nothing until then (s21.5.4).
const RETRY_AFTER_S: u32 = 2;

impl Endpoint {
    /// Answers without keeping a transaction (RFC 3261 s8.2.7); an INVITE's ACK is then absorbed by its To tag.
    /// A 503 carries Retry-After. For other headers see [`Endpoint::refusal`].
    pub fn refuse(&mut self, flow: Flow, msg: &Message<'_>, status: u16) {
        let mut response = self.refusal(flow, msg, status);
        if status == 503 {
            response = response.header_fmt(Name::RetryAfter, format_args!("{RETRY_AFTER_S}"));
        }
        self.send_refusal(flow, msg, response.finish());
    }

    /// The beginning of a stateless answer, to add headers to (a challenge, Allow, Unsupported); goes out by `send_refusal`.
    pub fn refusal(&mut self, flow: Flow, msg: &Message<'_>, status: u16) -> Builder {
        self.refused.note(flow, msg, status);
        let tag = stateless_tag(msg);
        Builder::response(msg, status, reason_phrase(status), Some(tag.as_bytes()), flow.remote)
    }

    pub fn send_refusal(&mut self, flow: Flow, msg: &Message<'_>, response: Vec<u8>) {
        self.transmits.push_back(Transmit { flow: reply_flow(flow, msg), bytes: response });
    }

    /// Answers a malformed request if enough of it could be read. An ACK is never answered (s17.1.1.3).
    pub(super) fn answer_malformed(&mut self, flow: Flow, malformed: &Malformed<'_>) {
        self.refuse_malformed(flow, malformed, malformed.status, malformed.reason);
    }

    /// The same with another answer than what the fault calls for.
    pub fn refuse_malformed(&mut self, flow: Flow, malformed: &Malformed<'_>, status: u16, reason: &str) {
        let Some(request) = &malformed.partial else { return };
        if !request.is_request() || request.method() == Some(Method::Ack) {
            return;
        }
        let tag = stateless_tag(request);
        let answer = Builder::response(request, status, reason, Some(tag.as_bytes()), flow.remote).finish();
        self.send_refusal(flow, request, answer);
    }
}

/// True if `ack` acknowledges an answer given here without state.
pub(super) fn acknowledges_refusal(ack: &Message<'_>) -> bool {
    ack.to_tag().is_some_and(|tag| tag == stateless_tag(ack).as_bytes())
}

/// Where responses go (s18.2.2): back by the stream; over UDP to the source address, and to the source port too if
/// `rport` was asked for (RFC 3581 s4), else to the sent-by port. `maddr` is ignored: it would let a request aim our
/// answer at a third party.
pub fn reply_flow(flow: Flow, request: &Message<'_>) -> Flow {
    let via = request.via();
    match flow.transport {
        Transport::Udp if !via.wants_rport() && !via.host.is_empty() => {
            Flow { remote: SocketAddr::new(flow.remote.ip(), via.port.unwrap_or(5060)), ..flow }
        }
        _ => flow,
    }
}
