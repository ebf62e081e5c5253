//! Requests of ours that prove who we are: a carrier whose subscriber we are challenges any of them (RFC 3261 s22.2,
//! s22.3). Belongs here: signing what goes out, and sending again what came back with 401 or 407. Not here: the digest
//! (`digest::client`), being registered (`trunk::account`).

use super::super::dialog::via;
use super::super::digest::client::{Login, Rounds};
use super::super::endpoint::ClientTx;
use super::super::flow::Flow;
use super::super::message::{Builder, Framing, Message, Name};
use super::early::Early;
use super::timer::Refresh;
use super::{Context, Session, State};
use serde::{Deserialize, Serialize};

/// Requests of one dialog that wait for an answer at once: more than there are kinds.
const MOST_SENT: usize = 8;

/// As whom we call, or are called.
#[derive(Clone, Debug)]
pub struct Subscriber {
    pub login: Login,
    /// User part of our Contact, as registered.
    pub user: String,
    /// Route of an INVITE of ours (RFC 3608); what follows goes where the dialog leads.
    pub route: Vec<Vec<u8>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Signer {
    login: Login,
    user: String,
    /// Header lines of our last INVITE, which its ACK repeats (s22.1).
    invite: Vec<u8>,
    sent: Vec<Sent>,
}

/// A request that may yet be challenged.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sent {
    tx: ClientTx,
    flow: Flow,
    /// Without its credentials.
    request: Vec<u8>,
    rounds: Rounds,
}

impl Session {
    /// Our requests in this dialog are those of a carrier's subscriber.
    pub fn sign_as(&mut self, subscriber: Subscriber) {
        let Subscriber { login, user, route } = subscriber;
        self.dialog.lead_by(route);
        self.signer = Some(Box::new(Signer { login, user, invite: vec![], sent: vec![] }));
    }

    pub(super) fn contact(&self, flow: &Flow) -> String {
        self.dialog.contact(self.signer.as_ref().map(|signer| signer.user.as_str()), flow)
    }

    /// Sends a request of ours, other than ACK and CANCEL.
    pub(super) fn send(&mut self, cx: &mut Context<'_>, flow: Flow, branch: &str, request: Vec<u8>) -> ClientTx {
        self.send_in(cx, flow, branch, request, Rounds::default())
    }

    fn send_in(
        &mut self,
        cx: &mut Context<'_>,
        flow: Flow,
        branch: &str,
        request: Vec<u8>,
        rounds: Rounds,
    ) -> ClientTx {
        let Some(signer) = &mut self.signer else {
            return cx.endpoint.request(cx.now, flow, branch, self.owner, request);
        };
        let signed = signer.sign(&request);
        let tx = cx.endpoint.request(cx.now, flow, branch, self.owner, signed);
        if signer.sent.len() == MOST_SENT {
            signer.sent.remove(0);
        }
        signer.sent.push(Sent { tx, flow, request, rounds });
        tx
    }

    /// An ACK of ours for a 2xx, with what its INVITE proved.
    pub(super) fn signed_ack(&self, ack: Builder) -> Vec<u8> {
        let ack = ack.finish();
        self.signer.as_ref().map_or_else(|| ack.clone(), |signer| with_lines(&ack, &signer.invite))
    }

    /// A response to a request of ours. True if it was a challenge and is answered: the request is out again.
    pub(super) fn answers_challenge(&mut self, cx: &mut Context<'_>, tx: ClientTx, msg: &Message<'_>) -> bool {
        let Some(signer) = &mut self.signer else { return false };
        let status = msg.status().unwrap_or_default();
        let Some(at) = signer.sent.iter().position(|sent| sent.tx == tx && status >= 200) else { return false };
        let Sent { flow, request, mut rounds, .. } = signer.sent.remove(at);
        if !matches!(status, 401 | 407) || matches!(self.state, State::Cancelling { tx: ours, .. } if ours == tx) {
            return false;
        }
        if let Err(unmet) = signer.login.take_up(&mut rounds, cx.tokens, msg) {
            let call_id = String::from_utf8_lossy(&self.dialog.call_id);
            tracing::warn!(%call_id, peer = %flow.remote, %unmet, "the carrier refuses our credentials in a call");
            return false;
        }
        if let State::Calling { tx: ours, early, .. } = &mut self.state
            && *ours == tx
        {
            *early = Early::default();
            self.dialog.forget_far_end();
        }
        let (branch, seq) = (cx.tokens.branch(), self.dialog.next_seq());
        let Some(again) = renumbered(&request, &flow, &branch, seq) else { return false };
        let new = self.send_in(cx, flow, &branch, again, rounds);
        self.continues(tx, new);
        true
    }

    /// What waited for one transaction waits for its successor.
    fn continues(&mut self, old: ClientTx, new: ClientTx) {
        match &mut self.state {
            State::Calling { tx, .. } | State::Leaving { tx } if *tx == old => *tx = new,
            _ => {}
        }
        if let Some((asked, by)) = self.timer.asked()
            && asked == old
        {
            self.set_refresh(Refresh::Asked { tx: new, by });
        }
    }
}

impl Signer {
    fn sign(&mut self, request: &[u8]) -> Vec<u8> {
        let mut words = request.split(|b| *b == b' ');
        let (method, uri) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut lines = Vec::new();
        for (name, value) in self.login.answers(method, uri) {
            lines.extend_from_slice(name.as_str().as_bytes());
            lines.extend_from_slice(b": ");
            lines.extend_from_slice(&value);
            lines.extend_from_slice(b"\r\n");
        }
        let signed = with_lines(request, &lines);
        if method == b"INVITE" {
            self.invite = lines;
        }
        signed
    }
}

/// A message of our own with more header lines.
fn with_lines(message: &[u8], lines: &[u8]) -> Vec<u8> {
    let end = message.windows(4).position(|w| w == b"\r\n\r\n").map_or(message.len(), |at| at + 2);
    [&message[..end], lines, &message[end..]].concat()
}

/// The same request as a new one (s22.2): with a branch and a CSeq of its own.
fn renumbered(request: &[u8], flow: &Flow, branch: &str, seq: u32) -> Option<Vec<u8>> {
    let msg = Message::parse(request, Framing::Datagram).ok()?;
    let method = msg.method()?;
    let mut b = Builder::request(method, msg.request_uri()?);
    let mut content_type = None;
    for (name, value) in msg.all() {
        b = match Name::recognise(name) {
            Some(Name::Via) => b.header(Name::Via, via(flow, branch).as_bytes()),
            Some(Name::CSeq) => {
                b.header_fmt(Name::CSeq, format_args!("{seq} {}", String::from_utf8_lossy(method.as_bytes())))
            }
            Some(Name::ContentType) => {
                content_type = std::str::from_utf8(value).ok();
                b
            }
            Some(Name::ContentLength) => b,
            _ => b.other(std::str::from_utf8(name).ok()?, value),
        };
    }
    Some(match content_type {
        Some(content_type) => b.body(content_type, msg.body()),
        None => b.finish(),
    })
}
