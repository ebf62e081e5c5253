//! The whole telephone brain as one deterministic value: input in, outputs and the next timeout out.
//!
//! Belongs here: translating between modules that do not know one another (SIP, registrar, trunks, seats, distributor,
//! call) and owning what they share (legs, ports, alarms). Not here: policy (who gets a call: `acd`; what a call does:
//! `call`), and anything of the world. No socket, clock, randomness, SQL, thread or tokio in it or below it: the same
//! inputs give the same outputs, and `save`/`restore` carry it to another process in the middle of anything.

mod accounts;
mod agents;
mod callbacks;
mod calls;
mod carriers;
mod commands;
mod consulting;
mod devices;
mod dialling;
mod features;
mod health;
mod leg_table;
mod legs;
mod lines;
mod moves;
mod outbound;
mod owner;
mod paths;
mod ports;
mod recording;
mod referring;
mod requests;
mod saved;
mod screens;
mod seats;
mod softphones;
mod strangers;
mod supervision;
mod timers;
mod view;

pub use agents::{AgentOrder, Unable};
pub use commands::Command;
pub use supervision::LeaderOrder;
pub use view::{Leftovers, Refusals};

use crate::acd::Acd;
use crate::call::{Attempt, Call, OwnCall};
use crate::callback::Callbacks;
use crate::config::settings::{CoreSettings, LineSettings, SeatSettings};
use crate::event::{AgentEvent, CallEvent, CallFact, CallbackChange, CallbackEntry, LeaderEvent, RememberedCaller};
use crate::guard::intake::Sender;
use crate::guard::{Guard, Order};
use crate::ids::{AgentNo, CallId, LegId, SeatNo, TrunkName};
use crate::ivr::memory::Memory;
use crate::plane::{MediaCommand, MediaEvent, webrtc};
use crate::sip::digest::Digest;
use crate::sip::endpoint::{ClientTx, Endpoint, Expired, Received, ServerTx};
use crate::sip::flow::{Flow, Listener, Transmit};
use crate::sip::registrar::{Registrar, RegistrarLimits};
use crate::sip::session::Session;
use crate::sip::tokens::Tokens;
use crate::ticket::NewTicket;
use crate::time::Instant;
use crate::trunk::Trunks;
use crate::trunk::account::Registration;
use crate::trunk::hops::Target;
use devices::{AudioBy, PageAt};
use leg_table::Legs;
use outbound::Dialling;
use owner::Owner;
use paths::Paths;
use ports::Ports;
use recording::Recorded;
use serde::{Deserialize, Serialize};
use softphones::Softphones;
use std::collections::{BTreeMap, VecDeque};
use timers::{Alarm, Timers};

#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// One SIP message as received: a UDP datagram, or one message cut from a stream.
    Message {
        flow: Flow,
        bytes: &'a [u8],
    },
    /// The same, come to when it had waited too long already: a trunk's new call is turned away.
    Late {
        flow: Flow,
        bytes: &'a [u8],
    },
    /// Sending on the flow failed, or its connection closed.
    FlowFailed {
        flow: Flow,
    },
    Media(MediaEvent),
    /// The ticket of this call is durable in the local spool.
    Spooled {
        call: CallId,
    },
    /// The spool could not take it now (the shell keeps it in memory and retries): the pickup goes on.
    SpoolFailed {
        call: CallId,
    },
    /// SIGTERM: no new calls.
    Drain,
    /// A shift leader's order.
    Command(Command),
    /// Where SIP is served, as peers see it: at start. Without it no request of ours goes out.
    Listening(Vec<Listener>),
    /// How phones in browsers reach our audio: at start. Without it none is spoken with.
    WebRtc(webrtc::End),
    /// What DNS says of the name of a trunk's hop (its place in the list of hops): at start and whenever it changes.
    Resolved {
        trunk: TrunkName,
        hop: usize,
        targets: Vec<Target>,
    },
    /// Who was promised a call back or missed one, as the store kept it: at start, before anything else.
    Callbacks(Vec<CallbackEntry>),
    /// Who served these callers last, as the case store knows it: at start.
    Remembered(Vec<RememberedCaller>),
    /// The drain's time is over: calls still up are ended.
    EndCalls,
    /// `next_timeout` has come.
    Timeout,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Output {
    Send(Transmit),
    Media(MediaCommand),
    /// Make this durable, then feed `Spooled` (or `SpoolFailed`).
    OpenTicket(Box<NewTicket>),
    Call(CallEvent),
    Agent(AgentEvent),
    Leader(LeaderEvent),
    /// Make this durable: the list of citizens to be called back outlives the process.
    Callback(CallbackChange),
    Guard(Order),
    /// This agent's screen shows something new.
    Screen(AgentNo),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gateway {
    settings: CoreSettings,
    seats: BTreeMap<SeatNo, SeatSettings>,
    /// Special lines and the queues' own.
    lines: Vec<LineSettings>,
    /// Called number -> index into `lines`.
    numbers: BTreeMap<String, usize>,
    tokens: Tokens,
    endpoint: Endpoint,
    digest: Digest,
    registrar: Registrar,
    /// Seats with their browser up, or its page just reloading.
    browsers: BTreeMap<SeatNo, PageAt>,
    trunks: Trunks,
    /// Of every trunk's accounts, in the order of the configuration.
    registrations: Vec<Registration>,
    guard: Guard,
    acd: Acd,
    calls: BTreeMap<CallId, Call>,
    callbacks: Callbacks,
    /// Calls of ours whose citizen has not answered yet.
    attempts: BTreeMap<CallId, Attempt>,
    /// How many of them hold legs.
    engaged: usize,
    /// Calls that seats have dialled.
    own: BTreeMap<CallId, OwnCall>,
    /// Seats on such calls, with how many.
    engaged_seats: BTreeMap<SeatNo, u32>,
    listening: Vec<Listener>,
    softphones: Softphones,
    remembered: Memory,
    legs: Legs,
    /// Calls of ours that may still go another way: no phone rings yet.
    dialling: BTreeMap<LegId, Dialling>,
    /// INVITEs of ours to hops that said nothing, given up for another way: what still comes for them.
    abandoned: BTreeMap<ClientTx, Session>,
    /// Seats still ringing for a caller who is gone: the agent is free once this leg is over.
    clearing: BTreeMap<LegId, (AgentNo, SeatNo)>,
    /// Media legs whose closing figures are due.
    figures_due: BTreeMap<LegId, CallId>,
    paths: Paths,
    ports: Ports,
    /// What each leg holds of the media plane.
    audio: BTreeMap<LegId, AudioBy>,
    /// Legs of callers by Call-ID and From tag: the same INVITE by another path is a merged request.
    callers: BTreeMap<CallerKey, LegId>,
    /// Which leg an INVITE server transaction opened; CANCEL names the transaction.
    invites: BTreeMap<ServerTx, LegId>,
    timers: Timers,
    outputs: VecDeque<Output>,
    next_call: u64,
    next_leg: u64,
    /// Calls of which something is, or was, recorded.
    recorded: BTreeMap<CallId, Recorded>,
    service: Service,
    refusals: Refusals,
}

type CallerKey = (Vec<u8>, Vec<u8>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Service {
    Open,
    /// No new calls; those in progress go on.
    Draining,
}

impl Gateway {
    /// `seed` must be unguessable in life (tags, nonces) and fixed in tests.
    pub fn new(settings: CoreSettings, seed: [u8; 32], now: Instant) -> Gateway {
        let mut tokens = Tokens::new(seed);
        let limits = &settings.limits;
        let digest = Digest::new(&settings.domain, tokens.key(), limits.nonce_lifetime).offering(&settings.digest);
        let registrar = Registrar::new(RegistrarLimits {
            bindings_per_seat: limits.bindings_per_seat as usize,
            min_expiry: limits.min_registration_expiry,
            max_expiry: limits.registration_expiry,
        })
        .behind(&settings.proxies);
        let lines = lines::lines(&settings);
        let peers = settings.trunks.iter().flat_map(|trunk| trunk.peers.iter().copied());
        let guard = Guard::new(settings.guard.clone(), peers, tokens.next_u64());
        Gateway {
            seats: settings.seats.iter().map(|s| (s.number.clone(), s.clone())).collect(),
            numbers: lines::numbers(&lines, &settings.area_code),
            lines,
            registrations: accounts::registrations(&settings, &mut tokens),
            tokens,
            endpoint: Endpoint::new(limits.max_transactions as usize),
            digest,
            registrar,
            browsers: BTreeMap::new(),
            trunks: Trunks::new(settings.trunks.clone()),
            guard,
            acd: Acd::new(&settings.queues, &settings.agents, &settings.distributor),
            calls: BTreeMap::new(),
            callbacks: Callbacks::new(settings.callbacks.clone(), settings.utc_offset),
            attempts: BTreeMap::new(),
            engaged: 0,
            own: BTreeMap::new(),
            engaged_seats: BTreeMap::new(),
            listening: vec![],
            softphones: Softphones::default(),
            remembered: Memory::default(),
            legs: Legs::default(),
            dialling: BTreeMap::new(),
            abandoned: BTreeMap::new(),
            clearing: BTreeMap::new(),
            figures_due: BTreeMap::new(),
            paths: Paths::default(),
            ports: Ports::new(settings.media.first_port, settings.media.pairs),
            audio: BTreeMap::new(),
            callers: BTreeMap::new(),
            invites: BTreeMap::new(),
            timers: Timers::default(),
            outputs: VecDeque::new(),
            // Call ids rise with the start time (ms), so that they never repeat after a restart.
            next_call: now.as_unix_millis() << 20,
            next_leg: 1,
            recorded: BTreeMap::new(),
            service: Service::Open,
            refusals: Refusals::default(),
            settings,
        }
    }

    /// One step. Drain `next_output` afterwards, then sleep until `next_timeout`.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::Message { flow, bytes } => self.message(now, flow, bytes),
            Input::Late { flow, bytes } => self.shed(now, flow, bytes),
            Input::FlowFailed { flow } => {
                self.paths.lose(flow);
                self.endpoint.flow_failed(now, flow);
                for change in self.registrar.flow_failed(flow) {
                    self.registration_changed(now, change);
                }
                self.expired(now);
                self.account_flow_failed(now, flow);
            }
            Input::Media(event) => self.media(now, event),
            Input::Spooled { call } => self.call_input(now, call, crate::call::CallInput::Spooled),
            Input::SpoolFailed { call } => self.call_input(now, call, crate::call::CallInput::SpoolFailed),
            Input::Drain => self.drain(now),
            Input::Command(command) => self.command(now, command),
            Input::Listening(addresses) => self.listening_at(now, addresses),
            Input::WebRtc(end) => self.softphones.end = Some(end),
            Input::Resolved { trunk, hop, targets } => self.resolved(now, &trunk, hop, targets),
            Input::Callbacks(entries) => self.callbacks_restored(now, entries),
            Input::Remembered(callers) => self.remember_all(callers),
            Input::EndCalls => self.end_calls(now),
            Input::Timeout => self.timeout(now),
        }
        self.settle(now);
    }

    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        let (endpoint, registrar) = (self.endpoint.next_timeout(), self.registrar.next_timeout());
        let own = [self.acd.next_timeout(), self.timers.next(), self.callbacks.next_timeout()];
        own.into_iter().chain([endpoint, registrar]).flatten().min()
    }

    fn drain(&mut self, now: Instant) {
        self.service = Service::Draining;
        self.call_out_or_not(now);
    }

    fn message(&mut self, now: Instant, flow: Flow, bytes: &[u8]) {
        let received = match self.sender(flow) {
            Sender::Stranger => self.stranger(now, flow, bytes),
            Sender::Phone | Sender::Trunk => self.endpoint.receive(now, flow, bytes),
        };
        match received {
            Received::Nothing => {}
            Received::Request { msg } => self.request(now, flow, &msg),
            Received::Ack { msg } => match self.leg_of_dialog(&msg) {
                Some(leg) => self.with_session(now, leg, |session, cx| session.acknowledged(cx, &msg)),
                None => self.belongs_to_nothing(flow),
            },
            Received::Cancel { invite, msg } => {
                if let Some(leg) = self.leg_of_invite(invite) {
                    self.with_session(now, leg, |session, cx| session.cancelled(cx, &msg));
                }
            }
            Received::Response { tx, owner, msg } => match Owner::unpack(owner) {
                Owner::Leg(leg) => self.leg_answered(now, leg, tx, &msg),
                Owner::Probe(hop) => self.probe_answered(now, hop, tx, &msg),
                Owner::Account(account) => self.account_answered(now, account, tx, &msg),
            },
        }
    }

    fn timeout(&mut self, now: Instant) {
        if self.endpoint.next_timeout().is_some_and(|t| t <= now) {
            self.endpoint.handle_timeout(now);
            self.expired(now);
        }
        if self.registrar.next_timeout().is_some_and(|t| t <= now) {
            for change in self.registrar.handle_timeout(now) {
                self.registration_changed(now, change);
            }
        }
        while let Some(alarm) = self.timers.due(now) {
            match alarm {
                Alarm::Leg(leg) => self.leg_due(now, leg),
                Alarm::Call(call) => self.call_input(now, call, crate::call::CallInput::Timeout),
                Alarm::Clearing(leg) => self.never_cleared(now, leg),
                Alarm::Feature(leg) => self.feature_over(now, leg),
                Alarm::Softphone(leg) => self.softphone_unheard(now, leg),
                Alarm::Silence(leg) => self.hop_is_silent(now, leg),
                Alarm::Abandoned(tx) => drop(self.abandoned.remove(&tx)),
                Alarm::Probe(hop) => self.probe_due(now, hop),
                Alarm::Account(account) => self.account_due(now, account),
            }
            self.distribute(now);
        }
        if self.callbacks.next_timeout().is_some_and(|t| t <= now) {
            self.callbacks_due(now);
            self.distribute(now);
        }
        if self.acd.next_timeout().is_some_and(|t| t <= now) {
            self.acd.handle_timeout(now);
        }
    }

    fn expired(&mut self, now: Instant) {
        while let Some(expired) = self.endpoint.poll_expired() {
            match expired {
                Expired::ClientFailed { tx, owner, transport } => match Owner::unpack(owner) {
                    Owner::Leg(leg) if transport && !self.dialling.contains_key(&leg) && self.find_path(leg) => {
                        self.with_session(now, leg, |session, cx| session.request_lost(cx, tx))
                    }
                    Owner::Leg(leg) => self.leg_unanswered(now, leg, tx),
                    Owner::Probe(hop) => self.probe_failed(now, hop, tx),
                    Owner::Account(account) => self.account_failed(now, account, tx),
                },
                // The refused INVITE's leg is over already; its caller simply never confirmed.
                Expired::NoAck { .. } => {}
            }
            self.distribute(now);
        }
    }

    /// Carries out what the distributor decided, until nothing is left. After each single thing that happens: a step may
    /// hold several (a lost connection ends a registration and a ringing leg), and what is said to the distributor about
    /// one offer must never meet the next.
    fn distribute(&mut self, now: Instant) {
        while let Some(output) = self.acd.next_output() {
            self.distributed(now, output);
        }
    }

    fn settle(&mut self, now: Instant) {
        self.distribute(now);
        self.flush();
    }

    fn emit(&mut self, now: Instant, call: CallId, what: CallFact) {
        self.outputs.push_back(Output::Call(CallEvent { at: now, call, what }));
    }
}
