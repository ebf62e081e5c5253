//! Early dialogs of our INVITE: what provisional responses tell, one phone or several behind a forking proxy (RFC 3261
//! s12.1.2, s13.2.2.1; RFC 3262 s4; RFC 5407). Not here: final responses (`uac`), our own provisional ones (`reliable`).

use super::super::body;
use super::super::dialog::Dialog;
use super::super::message::{Message, Method, Name};
use super::{Context, Session, State};
use crate::leg::LegEvent;
use crate::plane::Negotiated;
use crate::sdp::offer_answer;
use serde::{Deserialize, Serialize};

/// Phones behind a forking proxy that are told apart; of more only the last to speak are known.
pub(super) const MOST_FORKS: usize = 8;

/// What the far end of our INVITE may still have us begin. Each is a dialog or a transaction of ours, and a peer that counts
/// its tags or its RSeq up would have them without end.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Patience {
    /// Early dialogs; more than any proxy forks to.
    dialogs: u8,
    /// PRACKs; a phone that rings for minutes wants a few.
    pracks: u8,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { dialogs: 32, pracks: 64 }
    }
}

fn spend(left: &mut u8) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Early {
    /// Of the phone that spoke last, whose dialog is the session's.
    heard: Heard,
    /// The others, each with its own dialog, oldest first.
    others: Vec<(Dialog, Heard)>,
}

/// What one phone has said before it answered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Heard {
    /// RSeq of the last response acknowledged.
    rseq: Option<u32>,
    /// Its description, if it sent one.
    described: Option<Described>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Described {
    /// In a response that may be lost: a preview of the answer.
    Preview(Negotiated),
    /// In one that was acknowledged: the answer to our offer.
    Answer(Negotiated),
}

impl Early {
    pub fn owns(&self, request: &Message<'_>) -> bool {
        self.others.iter().any(|(dialog, _)| dialog.owns(request))
    }

    /// Our offer has its answer, so that the far end may make one (RFC 3311 s5.1).
    pub fn is_settled(&self) -> bool {
        matches!(self.heard.described, Some(Described::Answer(_)))
    }

    pub fn settle(&mut self, media: Negotiated) {
        self.heard.described = Some(Described::Answer(media));
    }
}

impl Session {
    /// A provisional response. Phones are asked for no acknowledged ones; where one sends them all the same, it waits for
    /// our PRACK (RFC 3262 s4).
    pub(super) fn progress(&mut self, cx: &mut Context<'_>, status: u16, msg: &Message<'_>) {
        let rseq = reliably_sent(msg);
        match &self.state {
            State::Calling { .. } => {
                if matches!(status, 180 | 183) {
                    cx.events.push(LegEvent::Ringing);
                }
                if !self.turn_to(msg.to_tag(), Some(msg)) || !self.heard(cx, rseq, msg) {
                    return;
                }
            }
            State::Cancelling { .. } if self.dialog.remote_tag.is_none() => self.dialog.established_by(msg),
            State::Cancelling { .. } => {}
            _ => return,
        }
        if let Some(rseq) = rseq {
            self.send_prack(cx, rseq, msg.cseq().seq);
        }
    }

    /// Keeps what the response says; false if it is one to pass over.
    fn heard(&mut self, cx: &mut Context<'_>, rseq: Option<u32>, msg: &Message<'_>) -> bool {
        let State::Calling { early, .. } = &mut self.state else { return false };
        let heard = &mut early.heard;
        // s4: a repeat, or one whose predecessor is still to come.
        if let (Some(last), Some(rseq)) = (heard.rseq, rseq)
            && last.checked_add(1) != Some(rseq)
        {
            return false;
        }
        heard.rseq = rseq.or(heard.rseq);
        // The answer is given once (RFC 3261 s13.2.1).
        if matches!(heard.described, Some(Described::Answer(_))) {
            return true;
        }
        if let Ok(media) = offer_answer::accept(&self.local, body::sdp(msg)) {
            let before = heard.described.take();
            let news = !matches!(&before, Some(Described::Preview(known)) if *known == media);
            heard.described = Some(match rseq {
                Some(_) => Described::Answer(media.clone()),
                None => Described::Preview(media.clone()),
            });
            if news {
                cx.events.push(LegEvent::EarlyMedia { media });
            }
        }
        true
    }

    fn send_prack(&mut self, cx: &mut Context<'_>, rseq: u32, seq: u32) {
        if !spend(&mut self.patience.pracks) {
            return;
        }
        let (branch, flow) = (cx.tokens.branch(), self.request_flow());
        let prack = self.dialog.request(Method::Prack, &flow, &branch);
        let prack = prack.header_fmt(Name::RAck, format_args!("{rseq} {seq} INVITE")).finish();
        self.send(cx, flow, &branch, prack);
    }

    /// Makes the early dialog with this far end the session's own. `opens`: a response, which may begin one. False if there
    /// have been too many.
    pub(super) fn turn_to(&mut self, tag: Option<&[u8]>, opens: Option<&Message<'_>>) -> bool {
        let State::Calling { early, .. } = &mut self.state else { return true };
        let Some(tag) = tag.filter(|tag| self.dialog.remote_tag.as_deref() != Some(tag)) else { return true };
        let known = early.others.iter().position(|(dialog, _)| dialog.remote_tag.as_deref() == Some(tag));
        let (dialog, heard) = match (known, opens) {
            (Some(i), _) => early.others.remove(i),
            (None, Some(msg)) if self.dialog.remote_tag.is_none() => {
                self.dialog.established_by(msg);
                return true;
            }
            (None, Some(msg)) if spend(&mut self.patience.dialogs) => (self.dialog.fork(msg), Heard::default()),
            (None, Some(_)) => return false,
            (None, None) => return true,
        };
        let before = (std::mem::replace(&mut self.dialog, dialog), std::mem::replace(&mut early.heard, heard));
        if early.others.len() + 1 >= MOST_FORKS {
            early.others.remove(0);
        }
        early.others.push(before);
        true
    }

    /// The answer that a 2xx without one counts on. A preview is as good: who sends it, and no other, means it.
    pub(super) fn answer_before_200(&mut self, msg: &Message<'_>) -> Option<Negotiated> {
        if !self.turn_to(msg.to_tag(), Some(msg)) {
            return None;
        }
        let State::Calling { early, .. } = &mut self.state else { return None };
        match early.heard.described.take()? {
            Described::Preview(media) | Described::Answer(media) => Some(media),
        }
    }
}

/// RSeq of a provisional response that wants a PRACK.
fn reliably_sent(msg: &Message<'_>) -> Option<u32> {
    let rseq = std::str::from_utf8(msg.header(Name::RSeq)?).ok()?.parse().ok()?;
    (msg.lists(Name::Require, "100rel") && msg.to_tag().is_some()).then_some(rseq)
}
