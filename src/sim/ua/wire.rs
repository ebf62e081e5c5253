//! What every pretend user agent needs to speak SIP over UDP: who it is, requests, replies, retransmission.
//! Own code on purpose (see the module's header). RFC 3261 s17 timers in their simplest form.

use super::{Outputs, UaFact, UaOutput};
use crate::sim::rng::Rng;
use crate::sip::message::{Builder, Message, Method, Name};
use crate::time::Instant;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

pub const T1: Duration = Duration::from_millis(500);
pub const T2: Duration = Duration::from_secs(4);
/// 64 T1: timers B, F, H; also how long a finished call still answers repeats.
pub const PATIENCE: Duration = Duration::from_secs(32);

/// One user agent's addresses and media abilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Station {
    /// Our SIP address, written into Via and Contact.
    pub sip: SocketAddr,
    /// Where every message goes.
    pub gateway: SocketAddr,
    /// Our RTP address, written into SDP.
    pub rtp: SocketAddr,
    /// Payload types in order of preference: 8 A-law, 0 µ-law; others are offered but never answered with.
    pub payload_types: Vec<u8>,
    /// Payload type we offer for telephone-event; `None`: in-band only.
    pub dtmf: Option<u8>,
}

/// What a step may use.
pub struct Cx<'a> {
    pub now: Instant,
    pub us: &'a Station,
    pub rng: &'a mut Rng,
    pub out: &'a mut Outputs,
}

impl Cx<'_> {
    pub fn send(&mut self, bytes: Vec<u8>) {
        self.out.push_back(UaOutput::Send(bytes));
    }
    pub fn fact(&mut self, fact: UaFact) {
        self.out.push_back(UaOutput::Fact(fact));
    }
}

/// A message sent again until something stops it.
#[derive(Clone, Debug)]
pub struct Resend {
    bytes: Vec<u8>,
    at: Instant,
    interval: Duration,
    longest: Duration,
    until: Instant,
}

impl Resend {
    /// Timers A and B. Sends at once.
    pub fn invite(now: Instant, bytes: Vec<u8>, out: &mut Outputs) -> Resend {
        Resend::start(now, bytes, PATIENCE, out)
    }

    /// Timers E and F, or G and H: doubling up to T2. Sends at once.
    pub fn other(now: Instant, bytes: Vec<u8>, out: &mut Outputs) -> Resend {
        Resend::start(now, bytes, T2, out)
    }

    fn start(now: Instant, bytes: Vec<u8>, longest: Duration, out: &mut Outputs) -> Resend {
        out.push_back(UaOutput::Send(bytes.clone()));
        Resend { bytes, at: now + T1, interval: T1, longest, until: now + PATIENCE }
    }

    pub fn next_timeout(&self) -> Instant {
        self.at.min(self.until)
    }

    /// Sends again if due. True: the time is over.
    pub fn on_timeout(&mut self, now: Instant, out: &mut Outputs) -> bool {
        if now >= self.until {
            return true;
        }
        if now >= self.at {
            out.push_back(UaOutput::Send(self.bytes.clone()));
            self.interval = (self.interval * 2).min(self.longest);
            self.at = now + self.interval;
        }
        false
    }
}

/// Responses given lately, so that a repeated request gets the same one (RFC 3261 s17.2.2).
#[derive(Clone, Debug, Default)]
pub struct Replies(VecDeque<(Vec<u8>, Vec<u8>)>);

impl Replies {
    const KEPT: usize = 8;

    /// The answer to this very request, if it was answered before.
    pub fn repeat(&self, request: &Message<'_>) -> Option<Vec<u8>> {
        let key = key(request);
        self.0.iter().find(|(k, _)| *k == key).map(|(_, reply)| reply.clone())
    }

    pub fn send(&mut self, request: &Message<'_>, reply: Vec<u8>, out: &mut Outputs) {
        if self.0.len() == Self::KEPT {
            self.0.pop_front();
        }
        out.push_back(UaOutput::Send(reply.clone()));
        self.0.push_back((key(request), reply));
    }
}

fn key(request: &Message<'_>) -> Vec<u8> {
    let mut key = request.via().branch().unwrap_or_default().to_vec();
    key.push(b' ');
    key.extend_from_slice(request.cseq().method.as_bytes());
    key
}

/// The fields by which a dialog's requests differ.
pub struct Draft<'a> {
    pub method: Method<'a>,
    pub uri: &'a str,
    pub branch: &'a str,
    pub from: &'a str,
    pub to: &'a str,
    pub call_id: &'a str,
    pub cseq: u32,
}

impl Draft<'_> {
    pub fn build(&self, us: &Station) -> Builder {
        Builder::request(self.method, self.uri.as_bytes())
            .header_fmt(Name::Via, format_args!("SIP/2.0/UDP {};branch={};rport", us.sip, self.branch))
            .header(Name::MaxForwards, b"70")
            .header(Name::From, self.from.as_bytes())
            .header(Name::To, self.to.as_bytes())
            .header(Name::CallId, self.call_id.as_bytes())
            .header_fmt(Name::CSeq, format_args!("{} {}", self.cseq, String::from_utf8_lossy(self.method.as_bytes())))
    }
}

pub fn branch(token: String) -> String {
    format!("z9hG4bK{token}")
}

/// A response without a body.
pub fn reply(request: &Message<'_>, status: u16, to_tag: Option<&str>, us: &Station) -> Vec<u8> {
    response(request, status, to_tag, us).finish()
}

pub fn response(request: &Message<'_>, status: u16, to_tag: Option<&str>, us: &Station) -> Builder {
    Builder::response(request, status, phrase(status), to_tag.map(str::as_bytes), us.gateway)
}

fn phrase(status: u16) -> &'static str {
    match status {
        180 => "Ringing",
        200 => "OK",
        405 => "Method Not Allowed",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        491 => "Request Pending",
        500 => "Server Internal Error",
        603 => "Decline",
        _ => "Unspecified",
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The gateway's call id, as it tells seats.
pub fn rexian_call(invite: &Message<'_>) -> Option<String> {
    invite.other("X-Rexian-Call").map(text)
}
