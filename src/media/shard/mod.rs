//! One media thread: its sockets, its legs, its loop. Belongs here: reading, passing on, ticking, obeying. Not here:
//! what a packet means (`leg`), which thread has which port (`router`).
//!
//! Plain epoll, one `recvfrom` per readiness and one `sendto` per listener; nothing is allocated per packet. Legs that
//! hear one another always live on the same thread (the router moves them there), so a packet never changes threads.

mod orders;

use super::figures::{FigureWriter, Figures};
use super::inbound::{Content, Part};
use super::leg::Leg;
use super::pacer::Pacer;
use super::ports::{PortPair, Use};
use super::prompt::PromptLibrary;
use super::recording::{Conversation, Side, Tap};
use super::rtcp::{Closing, MAX_REPORT};
use super::source::After;
use super::tone::FRAME;
use super::webrtc::{BrowserOrder, Browsers, Came};
use super::{EventSink, rtp};
use crate::host::Clock;
use crate::ids::LegId;
use crate::plane::webrtc::FAR_END;
use crate::plane::{MediaCommand, MediaEvent};
use crate::time::Instant;
use rand_chacha::ChaCha8Rng;
use rustix::event::epoll;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

/// Datagrams taken per wake: enough to spread the cost of waiting, few enough to keep the ticks punctual.
const BATCH: usize = 64;
/// Longer datagrams are cut, and then refused for what they are: no telephone's.
const LONGEST: usize = 2_048;
/// How often watchdogs, reports and figures are looked after.
const ROUND: Duration = Duration::from_millis(100);
const WAKE: u64 = u64::MAX;
/// The browsers' sockets, by address family; they are read to the bottom, for many seats share them.
const BROWSERS: [u64; 2] = [u64::MAX - 1, u64::MAX - 2];

/// What a shard is told. `slot` numbers a port pair in the pool.
#[derive(Debug)]
pub enum Order {
    Do {
        slot: u32,
        command: MediaCommand,
    },
    /// Give these ports, with their legs, to another shard.
    Release {
        slots: Vec<u32>,
        to: usize,
    },
    /// Only to the thread of the browsers.
    Browser(BrowserOrder),
    Stop,
}

/// A place for a leg: a port pair, or a browser's session.
#[derive(Debug)]
pub struct Port {
    wire: Wire,
    leg: Option<Box<Leg>>,
    /// Slots of the legs that hear this one.
    listeners: Vec<u32>,
    /// Of the leg, while it is recorded.
    recording: Option<Conversation>,
}

/// What carries a leg's packets.
#[derive(Debug)]
enum Wire {
    Pair(PortPair),
    /// `Browsers` knows whose.
    Browser,
}

impl Port {
    pub fn new(pair: PortPair) -> Box<Self> {
        Box::new(Port { wire: Wire::Pair(pair), leg: None, listeners: Vec::new(), recording: None })
    }

    pub fn of_browser() -> Box<Self> {
        Box::new(Port { wire: Wire::Browser, leg: None, listeners: Vec::new(), recording: None })
    }
}

/// Ports on their way from one shard to another. Unbounded as a channel, bounded by the pool.
pub type Arrivals = Vec<(u32, Box<Port>)>;

/// How the other shards are reached.
#[derive(Clone, Debug)]
pub struct Neighbour {
    pub arrivals: Sender<Arrivals>,
    pub wake: Arc<OwnedFd>,
}

pub struct Shard {
    epoll: OwnedFd,
    wake: Arc<OwnedFd>,
    orders: Receiver<Order>,
    arrivals: Receiver<Arrivals>,
    neighbours: Vec<Neighbour>,
    clock: Clock,
    /// Indexed by slot; `None`: another shard's.
    ports: Vec<Option<Box<Port>>>,
    legs: BTreeMap<LegId, u32>,
    /// Orders for ports that are still on their way here, and all that came after them.
    waiting: VecDeque<Order>,
    pacer: Pacer,
    prompts: Arc<PromptLibrary>,
    events: EventSink,
    random: ChaCha8Rng,
    /// Of closed legs; those still open are added when the figures are published.
    figures: Figures,
    board: FigureWriter,
    next_round: Instant,
    browsers: Option<Browsers>,
    /// `None`: nothing is recorded.
    tap: Option<Tap>,
}

/// What a shard is made of; see [`Shard`].
pub struct Parts {
    pub wake: Arc<OwnedFd>,
    pub orders: Receiver<Order>,
    pub arrivals: Receiver<Arrivals>,
    pub neighbours: Vec<Neighbour>,
    pub ports: Vec<Option<Box<Port>>>,
    pub prompts: Arc<PromptLibrary>,
    pub events: EventSink,
    pub random: ChaCha8Rng,
    pub board: FigureWriter,
    pub clock: Clock,
    pub browsers: Option<Browsers>,
    pub tap: Option<Tap>,
}

impl Shard {
    pub fn new(parts: Parts) -> io::Result<Shard> {
        let Parts { wake, orders, arrivals, neighbours, ports, prompts, events, random, board, clock, browsers, tap } =
            parts;
        let now = clock.now();
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &wake, epoll::EventData::new_u64(WAKE), epoll::EventFlags::IN)?;
        for (slot, port) in (0u32..).zip(&ports) {
            if let Some(Wire::Pair(pair)) = port.as_ref().map(|port| &port.wire) {
                watch(&epoll, slot, pair)?;
            }
        }
        for (socket, token) in browsers.iter().flat_map(Browsers::sockets).zip(BROWSERS) {
            epoll::add(&epoll, socket, epoll::EventData::new_u64(token), epoll::EventFlags::IN)?;
        }
        Ok(Shard {
            epoll,
            wake,
            orders,
            arrivals,
            neighbours,
            clock,
            ports,
            legs: BTreeMap::new(),
            waiting: VecDeque::new(),
            pacer: Pacer::new(now),
            prompts,
            events,
            random,
            figures: Figures::default(),
            board,
            next_round: now,
            browsers,
            tap,
        })
    }

    /// The thread's life; ends at [`Order::Stop`].
    pub fn run(mut self) {
        let mut ready = [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }; BATCH];
        let (mut datagram, mut out) = ([0; LONGEST], [0; LONGEST]);
        loop {
            let now = self.clock.now();
            let due = [self.pacer.next_due(), self.browsers.as_ref().and_then(Browsers::next_due)];
            let until = due.into_iter().flatten().fold(self.next_round, Instant::min);
            let pause = until.since(now);
            let pause =
                rustix::time::Timespec { tv_sec: pause.as_secs() as i64, tv_nsec: i64::from(pause.subsec_nanos()) };
            let count = match epoll::wait(&self.epoll, &mut ready, Some(&pause)) {
                Ok(count) => count,
                Err(rustix::io::Errno::INTR) => 0,
                Err(error) => {
                    tracing::error!(%error, "epoll failed: this media thread ends");
                    return;
                }
            };
            // Orders first: a bridge must not wait behind the packets it is about.
            if ready[..count].iter().any(|event| event.data.u64() == WAKE) && !self.obey() {
                return;
            }
            for event in &ready[..count] {
                match event.data.u64() {
                    WAKE => {}
                    token if token == BROWSERS[0] => self.receive_browsers(0, &mut datagram, &mut out),
                    token if token == BROWSERS[1] => self.receive_browsers(1, &mut datagram, &mut out),
                    token => self.receive((token >> 2) as u32, (token & 3) as u8, &mut datagram, &mut out),
                }
            }
            self.tick(&mut out);
            self.wake_browsers();
            self.round(&mut out);
        }
    }

    /// One datagram, if there is one: understood, and passed on to whoever listens.
    fn receive(&mut self, slot: u32, index: u8, datagram: &mut [u8], out: &mut [u8]) {
        let Some(port) = &mut self.ports[slot as usize] else { return };
        let Wire::Pair(pair) = &port.wire else { return };
        let Some((socket, what)) = pair.by_index(index) else { return };
        let Ok((len, from)) = socket.recv_from(datagram) else { return };
        let now = self.clock.now();
        let datagram = &mut datagram[..len];
        let Some(leg) = &mut port.leg else {
            self.figures.stray += 1;
            return;
        };
        if what == Use::Rtcp || rtp::is_rtcp(datagram) {
            return leg.receive_rtcp(now, from, what, datagram);
        }
        self.hear(now, slot, from, datagram, out);
    }

    /// RTP for the leg in this slot: what it says goes to whoever listens.
    fn hear(&mut self, now: Instant, slot: u32, from: SocketAddr, datagram: &mut [u8], out: &mut [u8]) {
        let Some(Port { leg: Some(leg), recording, .. }) = self.ports[slot as usize].as_deref_mut() else { return };
        let Some(part) = leg.receive(now, from, datagram, &*self.events) else { return };
        let speaker = leg.id();
        take_down(&self.tap, recording, Side::Caller, speaker, now, &part);
        let mut nth = 0;
        while let Some(&listener) = self.ports[slot as usize].as_ref().and_then(|port| port.listeners.get(nth)) {
            nth += 1;
            let Some(Port { wire, leg: Some(leg), recording, .. }) = self.ports[listener as usize].as_deref_mut()
            else {
                continue;
            };
            if let Some((len, to)) = leg.relay(now, speaker, &part, out) {
                take_down(&self.tap, recording, Side::Others, speaker, now, &part);
                let outlet = Outlet { wire, slot: listener, browsers: &mut self.browsers, now };
                outlet.send(to, Use::Rtp, &out[..len], &mut self.figures);
                self.figures.relayed += 1;
            }
        }
    }

    /// What browsers sent, to the bottom of the buffer or nearly.
    fn receive_browsers(&mut self, nth: usize, datagram: &mut [u8], out: &mut [u8]) {
        for _ in 0..BATCH {
            let now = self.clock.now();
            let Some(browsers) = &mut self.browsers else { return };
            match browsers.receive(nth, now, datagram) {
                Came::Nothing => return,
                Came::Stray => self.figures.stray += 1,
                Came::Other => self.connect_browsers(now),
                Came::Rtp { slot, len } => self.hear(now, slot, FAR_END, &mut datagram[..len], out),
            }
        }
    }

    fn wake_browsers(&mut self) {
        let now = self.clock.now();
        if let Some(browsers) = &mut self.browsers {
            browsers.advance(now);
            self.connect_browsers(now);
        }
    }

    /// Legs whose browser has come, or come anew.
    fn connect_browsers(&mut self, now: Instant) {
        while let Some(news) = self.browsers.as_mut().and_then(Browsers::news) {
            if let Some(Port { leg: Some(leg), .. }) = self.ports[news.slot as usize].as_deref_mut() {
                leg.connect(now, news.remote, None, news.expect_rtp_within, news.rtp_timeout);
            }
        }
    }

    /// Sends every frame that is due now; what falls due meanwhile waits its turn, so that even an overloaded thread
    /// comes round to its packets and orders.
    fn tick(&mut self, out: &mut [u8]) {
        let (now, mut frame) = (self.clock.now(), [0; FRAME]);
        while let Some((phase, at)) = self.pacer.pop(now) {
            // Backwards: a leg that stops playing leaves the list.
            for n in (0..self.pacer.len(phase)).rev() {
                let Some(slot) = self.pacer.slot(phase, n) else { continue };
                let Some(Port { wire, leg: Some(leg), recording, .. }) = self.ports[slot as usize].as_deref_mut()
                else {
                    continue;
                };
                let (packet, after) = leg.tick(at, &mut frame, out);
                if let Some((len, to)) = packet {
                    if let Some(mixed) = leg.mixed(at, &frame) {
                        take_down(&self.tap, recording, Side::Others, leg.id(), now, &mixed);
                    }
                    let outlet = Outlet { wire, slot, browsers: &mut self.browsers, now };
                    outlet.send(to, Use::Rtp, &out[..len], &mut self.figures);
                }
                if let After::Ended(then) = after {
                    let leg = leg.id();
                    self.set_source(slot, then);
                    (self.events)(MediaEvent::PlayEnded { leg });
                }
            }
        }
    }

    /// Ten times a second: alarms, reports, figures.
    fn round(&mut self, out: &mut [u8]) {
        let now = self.clock.now();
        if now < self.next_round {
            return;
        }
        self.next_round = now + ROUND;
        self.tap.iter_mut().for_each(Tap::again);
        let mut totals = self.figures;
        totals.legs_open = self.legs.len() as u64;
        let mut report = [0; MAX_REPORT];
        for &slot in self.legs.values() {
            let Some(Port { wire, leg: Some(leg), .. }) = self.ports[slot as usize].as_deref_mut() else { continue };
            if let Some((len, to)) = leg.time(now, out, &*self.events) {
                let outlet = Outlet { wire, slot, browsers: &mut self.browsers, now };
                outlet.send(to, Use::Rtp, &out[..len], &mut self.figures);
            }
            if let Wire::Pair(pair) = wire {
                send_report(pair, leg, now, Closing::No, &mut report, &mut self.figures);
            }
            totals.add_leg(&leg.stats());
        }
        self.board.write(&totals);
    }
}

/// The way out for a leg's packets.
struct Outlet<'s> {
    wire: &'s Wire,
    slot: u32,
    browsers: &'s mut Option<Browsers>,
    now: Instant,
}

impl Outlet<'_> {
    fn send(self, to: SocketAddr, what: Use, packet: &[u8], figures: &mut Figures) {
        match (self.wire, self.browsers) {
            (Wire::Pair(pair), _) => send(pair, to, what, packet, figures),
            (Wire::Browser, Some(browsers)) => browsers.send(self.now, self.slot, packet),
            (Wire::Browser, None) => {}
        }
    }
}

/// Of a leg that is recorded: who of the two sides said it.
fn take_down(
    tap: &Option<Tap>,
    recording: &mut Option<Conversation>,
    side: Side,
    speaker: LegId,
    now: Instant,
    part: &Part<'_>,
) {
    if let (Some(tap), Some(recording), Content::Audio(codec, payload)) = (tap, recording, part.content) {
        tap.audio(recording, side, (speaker, part.epoch), now, part.timestamp, (codec, payload));
    }
}

fn watch(epoll: &OwnedFd, slot: u32, pair: &PortPair) -> io::Result<()> {
    for (index, socket) in pair.sockets() {
        let token = epoll::EventData::new_u64(u64::from(slot) << 2 | u64::from(index));
        epoll::add(epoll, socket, token, epoll::EventFlags::IN)?;
    }
    Ok(())
}

fn send(pair: &PortPair, to: SocketAddr, what: Use, packet: &[u8], figures: &mut Figures) {
    if pair.towards(to, what).is_none_or(|socket| socket.send_to(packet, to).is_err()) {
        figures.send_failed += 1;
    }
}

/// A browser's session writes its own.
fn send_report(
    pair: &PortPair,
    leg: &mut Leg,
    now: Instant,
    closing: Closing,
    out: &mut [u8; MAX_REPORT],
    figures: &mut Figures,
) {
    if let Some((len, to, mux)) = leg.report(now, closing, out) {
        send(pair, to, if mux { Use::Rtp } else { Use::Rtcp }, &out[..len], figures);
    }
}
