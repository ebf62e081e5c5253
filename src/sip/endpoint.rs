//! The transaction layer's face to its user: datagram in, transaction-user event out. SKELETON.
//! (RFC 3261 s17, s18; RFC 6026.) The transaction user is `trunk`/`seat` through `gateway`.

use super::flow::{Flow, Transmit};
use super::message::Message;
use super::tokens::Tokens;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// Names a server transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ServerTx(pub u64);
/// Names a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientTx(pub u64);

/// What one received message means to the transaction user.
#[derive(Debug)]
pub enum Received<'m> {
    /// Absorbed (retransmission, ACK to a non-2xx, stray or late response, answered malformed request).
    Nothing,
    /// A new request. Nothing is kept yet: the user decides by peer, then calls `accept`, `refuse` or drops it.
    Request { msg: Message<'m> },
    /// A new INVITE-server transaction's CANCEL was answered 200 here; the user now answers the INVITE 487.
    Cancel { invite: ServerTx, msg: Message<'m> },
    /// ACK for a 2xx: belongs to a dialog, not to a transaction.
    Ack { msg: Message<'m> },
    /// A response to our request; 2xx to INVITE is passed up every time it comes (the user repeats the ACK).
    Response { tx: ClientTx, owner: u64, msg: Message<'m> },
}

/// What time brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expired {
    /// Timer B or F, or the transport failed: treat as 408 / 503.
    ClientFailed { tx: ClientTx, owner: u64, transport: bool },
    /// Timer H: no ACK came for our non-2xx final answer.
    NoAck { tx: ServerTx },
}

/// Counters for /metrics: what was dropped and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointCounters {
    pub received: u64,
    pub malformed: u64,
    pub stray: u64,
    pub retransmissions_in: u64,
    pub retransmissions_out: u64,
    pub refused_full: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Endpoint {}

impl Endpoint {
    /// `max_transactions`: beyond it new requests get a stateless 503 with Retry-After.
    pub fn new(_max_transactions: usize) -> Self {
        todo!()
    }
    /// One message received on `flow`. Malformed requests are answered here (400, 505, ...) or dropped; never panics.
    pub fn receive<'m>(&mut self, _now: Instant, _flow: Flow, _bytes: &'m [u8]) -> Received<'m> {
        todo!()
    }
    /// Opens the server transaction for a request that `receive` reported.
    pub fn accept(&mut self, _now: Instant, _flow: Flow, _msg: &Message<'_>) -> ServerTx {
        todo!()
    }
    /// Answers without keeping a transaction (RFC 3261 s8.2.7); an INVITE's ACK is then absorbed by its To tag.
    pub fn refuse(&mut self, _flow: Flow, _msg: &Message<'_>, _status: u16, _tokens: &mut Tokens) {
        todo!()
    }
    /// Sends a response (built with `Builder::response`). Retransmissions are handled, except a 2xx to INVITE: its
    /// repetition until ACK is the user's (RFC 3261 s13.3.1.4), by `send_stray`.
    pub fn respond(&mut self, _now: Instant, _tx: ServerTx, _status: u16, _response: Vec<u8>) {
        todo!()
    }
    /// Sends a request whose top Via branch is `branch`. `owner` comes back with each response.
    pub fn request(&mut self, _now: Instant, _flow: Flow, _branch: &str, _owner: u64, _request: Vec<u8>) -> ClientTx {
        todo!()
    }
    /// CANCELs our INVITE: at once if a provisional came, else as soon as one comes (RFC 3261 s9.1). Its own 200 is absorbed.
    pub fn cancel(&mut self, _now: Instant, _tx: ClientTx) {
        todo!()
    }
    /// Bytes outside any transaction: ACK to 2xx, repeated 2xx.
    pub fn send_stray(&mut self, _flow: Flow, _bytes: Vec<u8>) {
        todo!()
    }
    /// The flow's connection is gone or sending on it failed: its client transactions fail at once.
    pub fn flow_failed(&mut self, _now: Instant, _flow: Flow) {
        todo!()
    }
    /// Next bytes to send, in order.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        todo!()
    }
    /// Next timer consequence; call until `None` after `handle_timeout` (and after `flow_failed`).
    pub fn poll_expired(&mut self) -> Option<Expired> {
        todo!()
    }
    pub fn next_timeout(&self) -> Option<Instant> {
        todo!()
    }
    pub fn handle_timeout(&mut self, _now: Instant) {
        todo!()
    }
    /// Live transactions (client, server): must be (0, 0) at a simulated day's end.
    pub fn live(&self) -> (usize, usize) {
        todo!()
    }
    pub fn counters(&self) -> EndpointCounters {
        todo!()
    }
}
