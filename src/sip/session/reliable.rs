//! Provisional responses of the called side, and their acknowledgement (100rel and PRACK, RFC 3262).
//! Not here: PRACKs of ours for a seat's responses (`uac`), the final response (`uas`).

use super::super::body;
use super::super::endpoint::ServerTx;
use super::super::flow::Flow;
use super::super::message::{Builder, CSeq, Framing, Message, Method, Name, reason_phrase};
use super::{Context, GIVE_UP, Opening, SERVER, Session, State, T1, supported};
use crate::config::settings::Reliable;
use crate::leg::LegEnd;
use crate::sdp::offer_answer;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How the provisional responses to one INVITE go out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Provisionals {
    /// Nobody acknowledges them: the last one is said again each minute.
    Plain { said: Option<Said> },
    /// Each waits for its PRACK, one at a time.
    Reliable(Reliably),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Reliably {
    Silent,
    /// Its PRACK has not come.
    Unacknowledged(Unpracked),
    Acknowledged {
        rseq: u32,
        said: Said,
    },
}

/// A provisional response, and when it is sent again: proxies give up an INVITE that is silent for three minutes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Said {
    status: u16,
    again: Instant,
}

/// RFC 3261 s13.3.1.1: once a minute, as any of them may be lost.
const SAY_AGAIN: Duration = Duration::from_secs(60);
/// RFC 3262 s3: what is acknowledged is not lost, and every two and a half minutes are enough.
const SAY_AGAIN_RELIABLY: Duration = Duration::from_secs(150);

/// RFC 3262 s3: sent again after T1, 2*T1, 4*T1, ... for 64*T1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Unpracked {
    rseq: u32,
    status: u16,
    response: Vec<u8>,
    next: Instant,
    interval: Duration,
    until: Instant,
    then: Next,
}

/// What is said as soon as the PRACK is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Next {
    Nothing,
    Provisional(u16),
    Answer,
}

impl Provisionals {
    pub fn to(invite: &Message<'_>, wish: Reliable) -> Provisionals {
        let required = invite.lists(Name::Require, "100rel");
        let used = match wish {
            Reliable::Never => false,
            Reliable::IfRequired => required,
            Reliable::IfSupported => required || invite.lists(Name::Supported, "100rel"),
        };
        if used { Provisionals::Reliable(Reliably::Silent) } else { Provisionals::Plain { said: None } }
    }

    /// Must this wait for a PRACK? Then it is kept, and said after it.
    pub fn puts_off(&mut self, what: Next) -> bool {
        let Provisionals::Reliable(Reliably::Unacknowledged(waiting)) = self else { return false };
        // Once answered there is nothing left to announce.
        if waiting.then != Next::Answer {
            waiting.then = what;
        }
        true
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        match self {
            Provisionals::Plain { said } => said.map(|said| said.again),
            Provisionals::Reliable(Reliably::Silent) => None,
            Provisionals::Reliable(Reliably::Unacknowledged(u)) => Some(u.next.min(u.until)),
            Provisionals::Reliable(Reliably::Acknowledged { said, .. }) => Some(said.again),
        }
    }
}

impl Session {
    /// Decides anew whether provisional responses are acknowledged; before the first of them.
    pub fn set_reliable(&mut self, reliable: Reliable) {
        self.reliable = reliable;
        if let State::Incoming { invite, provisionals, .. } = &mut self.state
            && let Ok(msg) = Message::parse(invite, Framing::Datagram)
        {
            *provisionals = Provisionals::to(&msg, reliable);
        }
    }

    pub(super) fn provisional(&mut self, cx: &mut Context<'_>, status: u16) {
        let contact = self.contact(&self.flow);
        let State::Incoming { tx, invite, opening, provisionals } = &mut self.state else { return };
        if provisionals.puts_off(Next::Provisional(status)) {
            return;
        }
        let Ok(msg) = Message::parse(invite, Framing::Datagram) else { return };
        let tag = self.dialog.local_tag.as_bytes();
        let mut response = Builder::response(&msg, status, reason_phrase(status), Some(tag), self.flow.remote)
            .header(Name::Contact, contact.as_bytes())
            .header(Name::Allow, self.peer.allowed())
            .header(Name::Supported, supported(self.reliable))
            .header(Name::Server, SERVER);
        let (rseq, sdp) = match provisionals {
            Provisionals::Plain { .. } => (None, *opening == Opening::Asked && status == 183),
            Provisionals::Reliable(before) => {
                let rseq = match before {
                    // s3: the first is chosen between 1 and 2^31 - 1, the next are each one higher.
                    Reliably::Silent => (cx.tokens.next_u64() >> 34) as u32 + 1,
                    Reliably::Acknowledged { rseq, .. } => *rseq + 1,
                    Reliably::Unacknowledged(_) => return,
                };
                let sdp = match *opening {
                    Opening::Asked if status == 183 => Some(Opening::Settled),
                    // s5: without an offer in the INVITE the first of them carries ours.
                    Opening::Offerless => Some(Opening::Offered),
                    _ => None,
                };
                *opening = sdp.unwrap_or(*opening);
                response = response.header(Name::Require, b"100rel").header_fmt(Name::RSeq, format_args!("{rseq}"));
                (Some(rseq), sdp.is_some())
            }
        };
        if sdp && status == 183 && msg.lists(Name::PEarlyMedia, "supported") {
            // RFC 5009 s8: else the network on the way lets nothing through before the answer. Both ways: keys count.
            response = response.header(Name::PEarlyMedia, b"sendrecv");
        }
        let response = if sdp { response.body("application/sdp", &self.described) } else { response.finish() };
        cx.endpoint.respond(cx.now, *tx, status, response.clone());
        *provisionals = match rseq {
            None => Provisionals::Plain { said: Some(Said { status, again: cx.now + SAY_AGAIN }) },
            Some(rseq) => Provisionals::Reliable(Reliably::Unacknowledged(Unpracked {
                rseq,
                status,
                response,
                next: cx.now + T1,
                interval: T1,
                until: cx.now + GIVE_UP,
                then: Next::Nothing,
            })),
        };
    }

    pub(super) fn provisional_timeout(&mut self, cx: &mut Context<'_>) {
        let State::Incoming { tx, invite, provisionals, .. } = &mut self.state else { return };
        match provisionals {
            Provisionals::Plain { said: Some(said) } | Provisionals::Reliable(Reliably::Acknowledged { said, .. })
                if cx.now >= said.again =>
            {
                let status = said.status;
                self.provisional(cx, status);
            }
            Provisionals::Reliable(Reliably::Unacknowledged(u)) if cx.now >= u.until => {
                // s3: after 64*T1 without a PRACK the INVITE is refused with a 5xx.
                let (tx, invite) = (*tx, std::mem::take(invite));
                self.refuse(cx, tx, &invite, 504);
                self.ended(cx, LegEnd::Fault);
            }
            Provisionals::Reliable(Reliably::Unacknowledged(u)) if cx.now >= u.next => {
                u.interval *= 2;
                u.next = cx.now + u.interval;
                cx.endpoint.respond(cx.now, *tx, u.status, u.response.clone());
            }
            _ => {}
        }
    }

    pub(super) fn prack(&mut self, cx: &mut Context<'_>, tx: ServerTx, flow: Flow, msg: &Message<'_>) {
        let Some((rseq, cseq)) = msg.header(Name::RAck).and_then(rack) else {
            return self.reply(cx, tx, flow, msg, 400, |b| b);
        };
        let State::Incoming { opening, provisionals: Provisionals::Reliable(reliably), invite, .. } = &mut self.state
        else {
            return self.reply(cx, tx, flow, msg, 481, |b| b);
        };
        let invited = Message::parse(invite, Framing::Datagram).map(|invite| invite.cseq().seq);
        let then = match reliably {
            Reliably::Unacknowledged(u)
                if u.rseq == rseq && cseq.method == Method::Invite && invited.is_ok_and(|seq| seq == cseq.seq) =>
            {
                let (then, said) = (u.then, Said { status: u.status, again: cx.now + SAY_AGAIN_RELIABLY });
                *reliably = Reliably::Acknowledged { rseq, said };
                then
            }
            // s3: no such response, or acknowledged before.
            _ => return self.reply(cx, tx, flow, msg, 481, |b| b),
        };
        if *opening == Opening::Offered {
            match offer_answer::accept(&self.local, body::sdp(msg)) {
                Ok(media) => {
                    *opening = Opening::Settled;
                    self.reply(cx, tx, flow, msg, 200, |b| b);
                    self.settled(cx, media);
                }
                // s5: the answer must be here, and there will be no other.
                Err(_) => {
                    self.reply(cx, tx, flow, msg, 488, |b| b);
                    return self.no_common_media(cx);
                }
            }
        } else if body::sdp(msg).is_empty() {
            self.reply(cx, tx, flow, msg, 200, |b| b);
        } else if *opening == Opening::Settled {
            // s5: a further offer. Refused or not, the response has been acknowledged.
            self.answer_offer(cx, tx, flow, msg);
        } else {
            // Their first offer has no answer yet.
            self.not_now(cx, tx, flow, msg);
        }
        match then {
            Next::Nothing => {}
            Next::Provisional(status) => self.provisional(cx, status),
            Next::Answer => self.answer(cx),
        }
    }

    fn no_common_media(&mut self, cx: &mut Context<'_>) {
        if let State::Incoming { tx, invite, .. } = std::mem::replace(&mut self.state, State::Over) {
            self.refuse(cx, tx, &invite, 488);
            self.ended(cx, LegEnd::Fault);
        }
    }
}

/// `RAck: 776656 1 INVITE` (s7.2): the response's RSeq, then the CSeq of what it answers.
fn rack(value: &[u8]) -> Option<(u32, CSeq<'_>)> {
    let text = std::str::from_utf8(value).ok()?;
    let (rseq, cseq) = text.split_once(|c: char| c.is_ascii_whitespace())?;
    Some((rseq.parse().ok()?, CSeq::parse(cseq.trim_start().as_bytes()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rack_names_the_response_and_its_request() {
        for (value, rseq_and_seq) in [
            ("776656 1 INVITE", Some((776_656, 1))),
            ("1 \t 2147483647 INVITE", Some((1, 2_147_483_647))),
            ("4294967296 1 INVITE", None),
            ("1 INVITE", None),
            ("1 -1 INVITE", None),
            ("", None),
        ] {
            let read = rack(value.as_bytes()).map(|(rseq, cseq)| (rseq, cseq.seq));
            assert_eq!(read, rseq_and_seq, "{value}");
        }
    }
}
