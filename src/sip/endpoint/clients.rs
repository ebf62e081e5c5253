//! Client transactions: requests we send, the responses that come back, and what becomes of those without any.

use super::matching::Key;
use super::running::{Due, Running, Transaction};
use super::{ClientTx, Endpoint, Expired, Received};
use crate::sip::flow::{Flow, Transmit, Transport};
use crate::sip::message::{Message, Name};
use crate::sip::transaction::client::{self, Client};
use crate::sip::transaction::invite_client::{self, InviteClient};
use crate::sip::transaction::{Output, Timer};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ClientTransaction {
    key: Key,
    flow: Flow,
    /// Whom to tell. `None`: our own CANCEL, whose outcome is seen on its INVITE.
    owner: Option<u64>,
    machine: Machine,
    timers: Running,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Machine {
    Invite(InviteClient),
    Other(Client),
}

/// What can happen to either kind.
#[derive(Clone, Copy)]
enum Event<'a> {
    Response(&'a Message<'a>),
    Cancel,
    Abandon,
    Timer(Timer),
    TransportError,
}

impl Endpoint {
    /// Sends a request whose top Via branch is `branch`. `owner` comes back with each response. Not for ACK, which
    /// is no transaction: see `send_stray`.
    pub fn request(&mut self, now: Instant, flow: Flow, branch: &str, owner: u64, request: Vec<u8>) -> ClientTx {
        let id = self.open_client(now, flow, branch.as_bytes(), Some(owner), request);
        ClientTx(id.get())
    }

    /// CANCELs our INVITE: at once if a provisional came, else as soon as one comes (RFC 3261 s9.1). Its own 200 is
    /// absorbed. The INVITE still ends as any other: usually by 487, perhaps by a 2xx that crossed, or `ClientFailed`.
    pub fn cancel(&mut self, now: Instant, tx: ClientTx) {
        if let Some(id) = NonZeroU64::new(tx.0) {
            self.step_client(now, id, Event::Cancel);
        }
    }

    /// As [`Endpoint::cancel`], for an INVITE that nobody has answered at all and whose place another has taken: nor is it
    /// repeated any more.
    pub fn abandon(&mut self, now: Instant, tx: ClientTx) {
        if let Some(id) = NonZeroU64::new(tx.0) {
            self.step_client(now, id, Event::Abandon);
        }
    }

    /// The flow's connection is gone or sending on it failed: its client transactions fail at once.
    pub fn flow_failed(&mut self, now: Instant, flow: Flow) {
        let all = (flow.remote, NonZeroU64::MIN)..=(flow.remote, NonZeroU64::MAX);
        let ids: Vec<NonZeroU64> = self.awaiting.range(all).map(|&(_, id)| id).collect();
        for id in ids {
            if self.clients.get(id).is_some_and(|tx| shares_fate(tx.flow, flow)) {
                self.step_client(now, id, Event::TransportError);
            }
        }
    }

    pub(super) fn receive_response<'m>(&mut self, now: Instant, msg: Message<'m>) -> Received<'m> {
        // s8.1.3.3: more than one Via: it went astray; s17.1.3: no such branch and method: late or not ours.
        let ours = msg.values(Name::Via).nth(1).is_none();
        let branch = msg.via().branch().filter(|_| ours);
        let id = branch.and_then(|branch| self.client_of.get(&Key::client(branch, msg.cseq().method.as_bytes())));
        let Some(&id) = id else {
            self.counters.stray += 1;
            return Received::Nothing;
        };
        let owner = self.clients.get(id).and_then(|tx| tx.owner);
        let pass_up = self.step_client(now, id, Event::Response(&msg));
        match owner {
            Some(owner) if pass_up => Received::Response { tx: ClientTx(id.get()), owner, msg },
            _ => Received::Nothing,
        }
    }

    pub(super) fn client_timer(&mut self, now: Instant, id: NonZeroU64, timer: Timer) {
        self.step_client(now, id, Event::Timer(timer));
    }

    fn open_client(
        &mut self,
        now: Instant,
        flow: Flow,
        branch: &[u8],
        owner: Option<u64>,
        request: Vec<u8>,
    ) -> NonZeroU64 {
        let method = request.split(|&byte| byte == b' ').next().unwrap_or_default();
        let key = Key::client(branch, method);
        let mut out = Vec::with_capacity(4);
        let machine = if method == b"INVITE" {
            Machine::Invite(InviteClient::start(request, flow.transport, &mut out))
        } else {
            Machine::Other(Client::start(request, flow.transport, &mut out))
        };
        let id = self.clients.insert(ClientTransaction { key, flow, owner, machine, timers: Running::default() });
        self.client_of.insert(key, id);
        self.awaiting.insert((flow.remote, id));
        self.carry_out_client(now, id, out);
        id
    }

    /// Runs one event through the machine. True if the event's message goes up to the user.
    fn step_client(&mut self, now: Instant, id: NonZeroU64, event: Event<'_>) -> bool {
        let Some(tx) = self.clients.get_mut(id) else { return false };
        let mut out = Vec::with_capacity(4);
        let pending = tx.machine.is_pending();
        tx.machine.handle(event, tx.flow.transport, &mut out);
        let sent_again = out.iter().any(|output| matches!(output, Output::Send(_)));
        if matches!(event, Event::Timer(_)) && sent_again {
            self.counters.retransmissions_out += 1;
        }
        if !pending && matches!(event, Event::Response(_)) {
            self.counters.retransmissions_in += 1;
            self.counters.retransmissions_out += u64::from(sent_again);
        }
        if pending && !tx.machine.is_pending() {
            self.awaiting.remove(&(tx.flow.remote, id));
        }
        self.carry_out_client(now, id, out)
    }

    fn carry_out_client(&mut self, now: Instant, id: NonZeroU64, out: Vec<Output>) -> bool {
        let Some(tx) = self.clients.get_mut(id) else { return false };
        let (flow, owner) = (tx.flow, tx.owner);
        let (mut pass_up, mut cancel) = (false, None);
        for output in out {
            match output {
                Output::Send(bytes) => self.transmits.push_back(Transmit { flow, bytes }),
                Output::Cancel(bytes) => cancel = Some(bytes),
                Output::PassUp => pass_up = true,
                Output::Start(timer, length) => {
                    let due = Due { transaction: Transaction::Client(id), timer };
                    tx.timers.start(&mut self.timers, now, length, due);
                }
                Output::Stop(timer) => tx.timers.stop(&mut self.timers, timer),
                Output::TimedOut | Output::Unreachable => {
                    let transport = output == Output::Unreachable;
                    let tx = ClientTx(id.get());
                    self.expired.extend(owner.map(|owner| Expired::ClientFailed { tx, owner, transport }));
                }
            }
        }
        if tx.machine.is_over() {
            tx.timers.stop_all(&mut self.timers);
            // A user that gave a branch twice has put a younger transaction there.
            if self.client_of.get(&tx.key) == Some(&id) {
                self.client_of.remove(&tx.key);
            }
            self.clients.remove(id);
        }
        if let Some(request) = cancel {
            self.send_cancel(now, flow, request);
        }
        pass_up
    }

    fn send_cancel(&mut self, now: Instant, flow: Flow, request: Vec<u8>) {
        let branch = Message::parse(&request, crate::sip::message::Framing::Datagram)
            .ok()
            .and_then(|cancel| cancel.via().branch().map(<[u8]>::to_vec));
        if let Some(branch) = branch {
            self.open_client(now, flow, &branch, None, request);
        }
    }
}

impl Machine {
    fn handle(&mut self, event: Event<'_>, transport: Transport, out: &mut Vec<Output>) {
        match self {
            Machine::Invite(state) => {
                let event = match event {
                    Event::Response(msg) => match msg.status().unwrap_or_default() {
                        ..200 => invite_client::Event::Provisional,
                        200..300 => invite_client::Event::Success,
                        300.. => invite_client::Event::Failure(msg),
                    },
                    Event::Cancel => invite_client::Event::Cancel,
                    Event::Abandon => invite_client::Event::Abandon,
                    Event::Timer(timer) => invite_client::Event::Timer(timer),
                    Event::TransportError => invite_client::Event::TransportError,
                };
                *state = std::mem::replace(state, InviteClient::Terminated).handle(event, transport, out);
            }
            Machine::Other(state) => {
                let event = match event {
                    Event::Response(msg) if msg.status().unwrap_or_default() < 200 => client::Event::Provisional,
                    Event::Response(_) => client::Event::Final,
                    // s9.1: only an INVITE can be cancelled.
                    Event::Cancel | Event::Abandon => return,
                    Event::Timer(timer) => client::Event::Timer(timer),
                    Event::TransportError => client::Event::TransportError,
                };
                *state = std::mem::replace(state, Client::Terminated).handle(event, transport, out);
            }
        }
    }

    fn is_pending(&self) -> bool {
        match self {
            Machine::Invite(state) => state.is_pending(),
            Machine::Other(state) => state.is_pending(),
        }
    }

    fn is_over(&self) -> bool {
        matches!(self, Machine::Invite(InviteClient::Terminated) | Machine::Other(Client::Terminated))
    }
}

/// True if the failure of `failed` is one of `used`, which goes to the same remote. A request sent before there was a
/// connection (0) went by whichever the shell opened to that remote.
fn shares_fate(used: Flow, failed: Flow) -> bool {
    used.transport == failed.transport
        && match used.transport {
            Transport::Udp => used.local == failed.local,
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                used.connection == failed.connection || used.connection == 0 || failed.connection == 0
            }
        }
}
