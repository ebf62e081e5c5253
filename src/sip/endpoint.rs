//! The transaction layer's face to its user: datagram in, transaction-user event out (RFC 3261 s17, s18; RFC 6026).
//! Belongs here: finding a message's transaction, its timers, answers that need no transaction. Not here: the
//! machines themselves ([`super::transaction`]), dialogs and anything a request is about; the transaction user is
//! `trunk`/`seat` through `gateway`.
//!
//! Invariants. Every client transaction reports exactly one end: a final response or `ClientFailed`. A server
//! transaction is opened by `accept` only, so a stranger's requests cost no memory until the user lets them in.
//! Everything else ends by a timer, except what waits for the user: an accepted request not answered, and an INVITE
//! of ours that rings (the user's ring timer calls `cancel`).
//!
//! Size. A UDP request is sent as it is, whatever its length: s18.1.1 would have those over 1300 bytes go by a stream,
//! but the flow is the user's choice, and carriers here take fragments.

mod answers;
mod arena;
mod clients;
mod matching;
mod refused;
mod running;
mod servers;
mod tally;
mod timer_queue;

use super::flow::{Flow, Transmit};
use super::message::{Framing, Malformed, Message, Method};
use crate::time::Instant;
pub use answers::reply_flow;
use arena::Arena;
use clients::ClientTransaction;
use matching::Key;
use refused::Refused;
use running::{Due, Transaction};
use serde::{Deserialize, Serialize};
use servers::ServerTransaction;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::num::NonZeroU64;
pub use tally::{CLASSES, METHODS, Tally};
use timer_queue::TimerQueue;

/// Names a server transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServerTx(pub u64);
/// Names a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientTx(pub u64);

/// What one received message means to the transaction user.
// The message is an index in place: a box would be an allocation per packet.
#[allow(clippy::large_enum_variant)]
#[derive(Debug)]
pub enum Received<'m> {
    /// Absorbed (retransmission, ACK to a non-2xx, stray or late response, answered malformed request).
    Nothing,
    /// A new request. Nothing is kept yet: the user decides by peer, then calls `accept`, `refuse` or drops it.
    Request { msg: Message<'m> },
    /// An unanswered INVITE's CANCEL, answered 200 here and reported once; the user now answers the INVITE 487.
    Cancel { invite: ServerTx, msg: Message<'m> },
    /// ACK for a 2xx: belongs to a dialog, not to a transaction.
    Ack { msg: Message<'m> },
    /// A response to our request; 2xx to INVITE is passed up every time it comes (the user repeats the ACK).
    Response { tx: ClientTx, owner: u64, msg: Message<'m> },
}

/// What time brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expired {
    /// Timer B or F, no answer to a cancelled INVITE, or the transport failed: treat as 408 / 503.
    ClientFailed { tx: ClientTx, owner: u64, transport: bool },
    /// Timer H: no ACK came for our non-2xx final answer.
    NoAck { tx: ServerTx },
}

/// Counters for /metrics: what was dropped and why. Messages, since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointCounters {
    /// All messages received, keep-alives left out.
    pub received: u64,
    /// Requests and responses the parser refused.
    pub malformed: u64,
    /// Responses to nothing we asked, or with a Via below ours; CANCELs of no INVITE here.
    pub stray: u64,
    /// Messages that repeat one we had.
    pub retransmissions_in: u64,
    /// Messages we sent again.
    pub retransmissions_out: u64,
    /// Requests answered 503 because `max_transactions` was reached.
    pub refused_full: u64,
    /// What was understood of `received`.
    pub received_by: Tally,
    pub sent_by: Tally,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    max_transactions: usize,
    clients: Arena<ClientTransaction>,
    servers: Arena<ServerTransaction>,
    client_of: BTreeMap<Key, NonZeroU64>,
    server_of: BTreeMap<Key, NonZeroU64>,
    /// Client transactions that await a final response, by where they were sent: what `flow_failed` asks for.
    awaiting: BTreeSet<(SocketAddr, NonZeroU64)>,
    timers: TimerQueue<Due>,
    transmits: VecDeque<Transmit>,
    expired: VecDeque<Expired>,
    refused: Refused,
    counters: EndpointCounters,
}

impl Endpoint {
    /// `max_transactions`: with so many server transactions live (lingering ones count), `receive` answers new
    /// requests with a stateless 503 and Retry-After instead of reporting them. Requests inside dialogs are let in up
    /// to a quarter more, since refusing a BYE frees nothing.
    pub fn new(max_transactions: usize) -> Self {
        Endpoint {
            max_transactions,
            clients: Arena::default(),
            servers: Arena::default(),
            client_of: BTreeMap::new(),
            server_of: BTreeMap::new(),
            awaiting: BTreeSet::new(),
            timers: TimerQueue::default(),
            transmits: VecDeque::new(),
            expired: VecDeque::new(),
            refused: Refused::default(),
            counters: EndpointCounters::default(),
        }
    }

    /// One message received on `flow`. Malformed requests are answered here (400, 505, ...) or dropped; never panics.
    pub fn receive<'m>(&mut self, now: Instant, flow: Flow, bytes: &'m [u8]) -> Received<'m> {
        // RFC 5626 s4.4.1: empty lines keep a NAT binding open and mean nothing.
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return Received::Nothing;
        }
        self.counters.received += 1;
        let framing = if flow.transport.is_cut() { Framing::Stream } else { Framing::Datagram };
        let parsed = Message::parse(bytes, framing).inspect(|msg| self.counters.received_by.received(msg));
        match parsed {
            Ok(msg) if msg.is_request() => self.receive_request(now, flow, msg),
            Ok(msg) => self.receive_response(now, msg),
            Err(malformed) => {
                self.counters.malformed += 1;
                self.answer_malformed(flow, &malformed);
                Received::Nothing
            }
        }
    }

    /// One message of somebody who is neither a trunk nor a phone. Nothing is answered here but the repeats of what the
    /// user let in before, and what calls that off from where it came: `Request` (a stray CANCEL too) and `Err`, the malformed, are the user's
    /// to answer or drop.
    // In place in both arms, as the parser gives it: a box would be an allocation a hostile sender controls.
    #[allow(clippy::result_large_err)]
    pub fn receive_stranger<'m>(
        &mut self,
        now: Instant,
        flow: Flow,
        bytes: &'m [u8],
    ) -> Result<Received<'m>, Malformed<'m>> {
        self.counters.received += 1;
        let framing = if flow.transport.is_cut() { Framing::Stream } else { Framing::Datagram };
        let msg = Message::parse(bytes, framing).inspect_err(|_| self.counters.malformed += 1)?;
        self.counters.received_by.received(&msg);
        let repeated = |m| self.repeats(&msg, m);
        Ok(match msg.method() {
            None => self.receive_response(now, msg),
            Some(Method::Cancel) if !repeated(Method::Invite) || self.is_of_anothers_invite(flow, &msg) => {
                self.counters.stray += 1;
                Received::Request { msg }
            }
            Some(Method::Ack) if self.is_of_anothers_invite(flow, &msg) => {
                self.counters.stray += 1;
                Received::Nothing
            }
            Some(Method::Ack | Method::Cancel) => self.receive_request(now, flow, msg),
            Some(method) if repeated(method) => self.receive_request(now, flow, msg),
            Some(_) if self.servers.len() >= self.max_transactions => {
                self.counters.refused_full += 1;
                Received::Nothing
            }
            Some(_) => Received::Request { msg },
        })
    }

    /// A well-formed request that repeats none, read and not acted on.
    pub fn peek<'m>(&mut self, now: Instant, flow: Flow, bytes: &'m [u8]) -> Option<Message<'m>> {
        self.refused.forget(now);
        let framing = if flow.transport.is_cut() { Framing::Stream } else { Framing::Datagram };
        let msg = Message::parse(bytes, framing).ok()?;
        (!self.repeats(&msg, msg.method()?)).then_some(msg)
    }

    /// Is this one that has a transaction, or was refused and is not yet forgotten?
    fn repeats(&self, msg: &Message<'_>, method: Method<'_>) -> bool {
        let key = Key::server(msg, method);
        self.server_of.contains_key(&key) || self.refused.status(&key).is_some()
    }

    /// Bytes outside any transaction: ACK to 2xx, repeated 2xx (on [`reply_flow`] of its INVITE).
    pub fn send_stray(&mut self, flow: Flow, bytes: Vec<u8>) {
        self.transmits.push_back(Transmit { flow, bytes });
    }

    /// Next bytes to send, in order.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front().inspect(|transmit| self.counters.sent_by.sent(&transmit.bytes))
    }

    /// Next timer consequence; call until `None` after `handle_timeout` (and after `flow_failed`).
    pub fn poll_expired(&mut self) -> Option<Expired> {
        self.expired.pop_front()
    }

    /// When `handle_timeout` is next wanted; exact, `None` when no timer runs.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(Due { transaction, timer }) = self.timers.pop(now) {
            match transaction {
                Transaction::Client(id) => self.client_timer(now, id, timer),
                Transaction::Server(id) => self.server_timer(now, id, timer),
            }
        }
    }

    /// Live transactions (client, server): must be (0, 0) at a simulated day's end.
    pub fn live(&self) -> (usize, usize) {
        (self.clients.len(), self.servers.len())
    }

    pub fn counters(&self) -> EndpointCounters {
        self.counters
    }
}
