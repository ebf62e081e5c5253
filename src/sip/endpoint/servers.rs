//! Server transactions: requests we receive, our answers, and their repetition.

use super::answers::{acknowledges_refusal, reply_flow};
use super::matching::{Key, stateless_tag};
use super::running::{Due, Running, Transaction};
use super::{Endpoint, Expired, Received, ServerTx};
use crate::sip::flow::{Flow, Transmit, Transport};
use crate::sip::message::{Builder, Framing, Message, Method, reason_phrase};
use crate::sip::transaction::invite_server::{self, InviteServer};
use crate::sip::transaction::server::{self, Server};
use crate::sip::transaction::{Output, Timer};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ServerTransaction {
    key: Key,
    /// Where the responses go.
    reply: Flow,
    machine: Machine,
    timers: Running,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Machine {
    Invite(InviteServer),
    Other(Server),
}

/// What can happen to either kind.
enum Event {
    Repeated,
    Ack,
    Cancel,
    Answer(u16, Vec<u8>),
    Timer(Timer),
}

impl Endpoint {
    /// Opens the server transaction for a request that `receive` reported, before the next `receive`. An INVITE is
    /// answered 100 at once.
    pub fn accept(&mut self, now: Instant, flow: Flow, msg: &Message<'_>) -> ServerTx {
        let method = msg.method().unwrap_or(Method::Other(b""));
        let key = Key::server(msg, method);
        if let Some(id) = self.server_of.get(&key) {
            return ServerTx(id.get());
        }
        let mut out = Vec::with_capacity(4);
        let machine = if method == Method::Invite {
            let trying = Builder::response(msg, 100, reason_phrase(100), None, flow.remote).finish();
            Machine::Invite(InviteServer::start(trying, &mut out))
        } else {
            Machine::Other(Server::Trying)
        };
        let reply = reply_flow(flow, msg);
        let id = self.servers.insert(ServerTransaction { key, reply, machine, timers: Running::default() });
        self.server_of.insert(key, id);
        self.carry_out_server(now, id, out);
        ServerTx(id.get())
    }

    /// Sends a response (built with `Builder::response`). Retransmissions are handled, except a 2xx to INVITE: its
    /// repetition until ACK is the user's (RFC 3261 s13.3.1.4), by `respond` again, which sends it the same way as long
    /// as timer L runs, or by `send_stray` on [`super::reply_flow`]. What the transaction's state does not allow (a
    /// second refusal, any answer after the end) is dropped.
    pub fn respond(&mut self, now: Instant, tx: ServerTx, status: u16, response: Vec<u8>) {
        if let Some(id) = NonZeroU64::new(tx.0) {
            self.step_server(now, id, Event::Answer(status, response));
        }
    }

    /// The connection a request came by is gone: its responses go by another one (RFC 3261 s18.2.2).
    pub fn reroute(&mut self, tx: ServerTx, path: Flow) {
        if let Some(server) = NonZeroU64::new(tx.0).and_then(|id| self.servers.get_mut(id)) {
            server.reply = path;
        }
    }

    pub(super) fn receive_request<'m>(&mut self, now: Instant, flow: Flow, msg: Message<'m>) -> Received<'m> {
        match msg.method().unwrap_or(Method::Other(b"")) {
            Method::Ack => self.receive_ack(now, msg),
            Method::Cancel => self.receive_cancel(now, flow, msg),
            method => {
                let key = Key::server(&msg, method);
                if let Some(&id) = self.server_of.get(&key) {
                    self.counters.retransmissions_in += 1;
                    self.step_server(now, id, Event::Repeated);
                    return Received::Nothing;
                }
                self.refused.forget(now);
                if let Some(status) = self.refused.status(&key) {
                    self.counters.retransmissions_in += 1;
                    self.refuse(flow, &msg, status);
                    return Received::Nothing;
                }
                if !self.has_room(&msg) {
                    self.counters.refused_full += 1;
                    self.refuse(flow, &msg, 503);
                    return Received::Nothing;
                }
                Received::Request { msg }
            }
        }
    }

    pub(super) fn server_timer(&mut self, now: Instant, id: NonZeroU64, timer: Timer) {
        self.step_server(now, id, Event::Timer(timer));
    }

    /// s17.2.3: an ACK for 300-699 carries its INVITE's branch; one for a 2xx has its own, and is the dialog's.
    fn receive_ack<'m>(&mut self, now: Instant, msg: Message<'m>) -> Received<'m> {
        let pass_up = match self.server_of.get(&Key::server(&msg, Method::Invite)) {
            Some(&id) => self.step_server(now, id, Event::Ack),
            None => !acknowledges_refusal(&msg),
        };
        if pass_up { Received::Ack { msg } } else { Received::Nothing }
    }

    /// s9.2: 481 without such an INVITE, else 200. Both without state: while the INVITE's transaction lives, a repeated
    /// CANCEL gets the same answer, and the machine knows that it was reported.
    fn receive_cancel<'m>(&mut self, now: Instant, flow: Flow, msg: Message<'m>) -> Received<'m> {
        let Some(&id) = self.server_of.get(&Key::server(&msg, Method::Invite)) else {
            self.counters.stray += 1;
            self.refuse(flow, &msg, 481);
            return Received::Nothing;
        };
        // s9.2: "the To tag of the response to the CANCEL and the To tag in the response to the original request
        // SHOULD be the same": it is, once a response with a tag has gone out.
        let tag = self.servers.get(id).and_then(|tx| tx.machine.to_tag());
        let tag = tag.unwrap_or_else(|| stateless_tag(&msg).into_bytes());
        let ok = Builder::response(&msg, 200, reason_phrase(200), Some(&tag), flow.remote).finish();
        self.send_refusal(flow, &msg, ok);
        if self.step_server(now, id, Event::Cancel) {
            return Received::Cancel { invite: ServerTx(id.get()), msg };
        }
        Received::Nothing
    }

    /// Is this ACK or CANCEL about an INVITE that came from another address? A branch can be overheard or guessed, and
    /// s17.2.3 matches by it alone.
    pub(super) fn is_of_anothers_invite(&self, flow: Flow, msg: &Message<'_>) -> bool {
        let invite = self.server_of.get(&Key::server(msg, Method::Invite)).and_then(|id| self.servers.get(*id));
        invite.is_some_and(|tx| tx.reply.remote.ip() != flow.remote.ip())
    }

    fn has_room(&self, msg: &Message<'_>) -> bool {
        let within_dialog = msg.to_tag().is_some();
        let reserve = if within_dialog { self.max_transactions / 4 } else { 0 };
        self.servers.len() < self.max_transactions.saturating_add(reserve)
    }

    /// Runs one event through the machine. True if the event's message goes up to the user.
    fn step_server(&mut self, now: Instant, id: NonZeroU64, event: Event) -> bool {
        let Some(tx) = self.servers.get_mut(id) else { return false };
        let mut out = Vec::with_capacity(4);
        let repeats = matches!(event, Event::Repeated | Event::Timer(_));
        tx.machine.handle(event, tx.reply.transport, &mut out);
        if repeats && out.iter().any(|output| matches!(output, Output::Send(_))) {
            self.counters.retransmissions_out += 1;
        }
        self.carry_out_server(now, id, out)
    }

    fn carry_out_server(&mut self, now: Instant, id: NonZeroU64, out: Vec<Output>) -> bool {
        let Some(tx) = self.servers.get_mut(id) else { return false };
        let flow = tx.reply;
        let mut pass_up = false;
        for output in out {
            match output {
                Output::Send(bytes) => self.transmits.push_back(Transmit { flow, bytes }),
                Output::PassUp => pass_up = true,
                Output::Start(timer, length) => {
                    let due = Due { transaction: Transaction::Server(id), timer };
                    tx.timers.start(&mut self.timers, now, length, due);
                }
                Output::Stop(timer) => tx.timers.stop(&mut self.timers, timer),
                Output::TimedOut => self.expired.push_back(Expired::NoAck { tx: ServerTx(id.get()) }),
                // A server transaction sends no CANCEL and is not told of transport errors.
                Output::Cancel(_) | Output::Unreachable => {}
            }
        }
        if tx.machine.is_over() {
            tx.timers.stop_all(&mut self.timers);
            self.server_of.remove(&tx.key);
            self.servers.remove(id);
        }
        pass_up
    }
}

impl Machine {
    fn handle(&mut self, event: Event, transport: Transport, out: &mut Vec<Output>) {
        match self {
            Machine::Invite(state) => {
                let event = match event {
                    Event::Repeated => invite_server::Event::Repeated,
                    Event::Ack => invite_server::Event::Ack,
                    Event::Cancel => invite_server::Event::Cancel,
                    Event::Answer(..200, response) => invite_server::Event::Provisional(response),
                    Event::Answer(200..300, response) => invite_server::Event::Success(response),
                    Event::Answer(300.., response) => invite_server::Event::Failure(response),
                    Event::Timer(timer) => invite_server::Event::Timer(timer),
                };
                *state = std::mem::replace(state, InviteServer::Terminated).handle(event, transport, out);
            }
            Machine::Other(state) => {
                let event = match event {
                    Event::Repeated => server::Event::Repeated,
                    Event::Answer(..200, response) => server::Event::Provisional(response),
                    Event::Answer(200.., response) => server::Event::Final(response),
                    Event::Timer(timer) => server::Event::Timer(timer),
                    // ACK and CANCEL look for INVITEs only.
                    Event::Ack | Event::Cancel => return,
                };
                *state = std::mem::replace(state, Server::Terminated).handle(event, transport, out);
            }
        }
    }

    fn is_over(&self) -> bool {
        matches!(self, Machine::Invite(InviteServer::Terminated) | Machine::Other(Server::Terminated))
    }

    /// The To tag of the response kept for an INVITE, if one is and has one.
    fn to_tag(&self) -> Option<Vec<u8>> {
        let Machine::Invite(
            InviteServer::Proceeding { last: response }
            | InviteServer::Cancelled { last: response }
            | InviteServer::Completed { response, .. },
        ) = self
        else {
            return None;
        };
        let response = Message::parse(response, Framing::Datagram).ok()?;
        response.to_tag().map(<[u8]>::to_vec)
    }
}
