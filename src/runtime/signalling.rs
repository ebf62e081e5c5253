//! The signalling loop: the one thread that owns the `Gateway`. Reads SIP sockets and the inbox, feeds the gateway,
//! carries out its outputs, sleeps until its next timeout. It never waits for a disk, a peer or a lock.
//!
//! Overload: what belongs to calls in progress or comes from phones is served as it is read; new calls and strangers wait
//! in a backlog until the sockets are read empty (`guard::intake`), and new calls that waited too long are turned away.

use super::figures::{CONNECTIONS, Figures};
use super::inbox::{Message, Outbox};
use super::observer::{Observed, Observer};
use super::ratings::Ratings;
use super::screens::Screens;
use crate::event::{CallFact, CallbackEntry};
use crate::gateway::{Gateway, Input, Output, Unable};
use crate::guard::Order;
use crate::guard::intake::{Backlog, Class, Shedding};
use crate::host::Clock;
use crate::media::MediaPlane;
use crate::net::connection::Writer;
use crate::net::streams::Connector;
use crate::net::udp::UdpPort;
use crate::plane::MediaCommand;
use crate::sip::flow::{Flow, Listener, Transmit, Transport, holder};
use crate::store::{Spool, SpoolOutcome};
use crate::time::Instant;
use crate::trace::{Tap, Way};
use rustix::event::epoll;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Datagrams read from one socket before the others, the inbox and the timers get their turn.
const BATCH: usize = 64;
/// Of the backlog served before sockets are read again.
const SERVED: usize = 16;
/// Messages of other threads taken in one turn, likewise.
const INBOX_BATCH: usize = 256;
/// A stranger's connection that nothing has come of is closed at the second look.
const LOOK_EVERY: Duration = Duration::from_secs(30);
const FIGURES_EVERY: Duration = Duration::from_secs(1);
/// Whoever waits for the last call to end looks at the figures.
const FIGURES_EVERY_DRAINING: Duration = Duration::from_millis(50);

enum Read {
    All,
    More,
    Stop,
}

pub struct Signalling {
    pub gateway: Gateway,
    pub clock: Clock,
    pub udp: Vec<UdpPort>,
    pub inbox: Outbox,
    pub connector: Connector,
    pub media: MediaPlane,
    pub spool: Spool,
    pub observer: Observer,
    /// What is traced, if anything is.
    pub tap: Option<Tap>,
    /// Who hears of ratings.
    pub ratings: Option<Ratings>,
    streams: BTreeMap<Flow, Writer>,
    /// Not needed at the last look.
    idle: BTreeSet<Flow>,
    look_at: Instant,
    backlog: Backlog<(Flow, Vec<u8>)>,
    shedding: Shedding,
    /// Since when sockets or inbox were not read empty.
    behind: Option<Instant>,
    /// Of the turn in hand.
    media_commands: Vec<MediaCommand>,
    screens: Screens,
    epoll: OwnedFd,
    figures_at: Instant,
}

impl Signalling {
    #[allow(clippy::too_many_arguments)] // the loop's parts, handed over once
    pub fn new(
        gateway: Gateway,
        clock: Clock,
        udp: Vec<UdpPort>,
        inbox: Outbox,
        connector: Connector,
        media: MediaPlane,
        spool: Spool,
        observer: Observer,
    ) -> io::Result<Signalling> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (index, port) in udp.iter().enumerate() {
            epoll::add(&epoll, port.socket(), epoll::EventData::new_u64(index as u64), epoll::EventFlags::IN)?;
        }
        epoll::add(&epoll, inbox.as_fd(), epoll::EventData::new_u64(u64::MAX), epoll::EventFlags::IN)?;
        let figures_at = clock.now();
        let (streams, idle, media_commands) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
        Ok(Signalling {
            gateway,
            clock,
            udp,
            inbox,
            connector,
            media,
            spool,
            observer,
            tap: None,
            ratings: None,
            streams,
            idle,
            look_at: figures_at + LOOK_EVERY,
            backlog: Backlog::default(),
            shedding: Shedding::default(),
            behind: None,
            media_commands,
            screens: Screens::default(),
            epoll,
            figures_at,
        })
    }

    /// Before anything else: who is owed a call, and where we are.
    pub fn begin(&mut self, callbacks: Vec<CallbackEntry>) {
        let now = self.clock.now();
        self.feed(now, Input::Callbacks(callbacks));
        self.feed(now, Input::Listening(self.listeners()));
        if let Some(browsers) = self.media.browsers() {
            self.feed(now, Input::WebRtc(browsers.end()));
        }
    }

    fn listeners(&self) -> Vec<Listener> {
        let udp = self.udp.iter().map(|port| Listener { transport: Transport::Udp, address: port.advertised() });
        udp.chain(self.connector.listeners().iter().copied()).collect()
    }

    /// Runs until told to stop; gives the media plane back to be stopped.
    pub fn run(mut self) -> io::Result<MediaPlane> {
        let mut buffer = vec![0u8; 65_536];
        let mut events = Vec::with_capacity(16);
        loop {
            let now = self.clock.now();
            if self.gateway.next_timeout().is_some_and(|t| t <= now) {
                self.feed(now, Input::Timeout);
            }
            self.report_figures(now);
            // Once a turn of the loop: under load the media threads are woken for many calls at a time.
            self.media.commands(self.media_commands.drain(..));
            self.screens.publish(now, &self.gateway);
            let wait = self.gateway.next_timeout().map_or(self.figures_at, |t| t.min(self.figures_at));
            self.wait(if self.backlog.is_empty() { wait } else { now }, &mut events)?;
            let mut drained = true;
            for event in events.drain(..) {
                match event {
                    u64::MAX => match self.read_inbox() {
                        Read::Stop => return Ok(self.media),
                        Read::All => {}
                        Read::More => drained = false,
                    },
                    index => drained &= self.read_socket(index as usize, &mut buffer),
                }
            }
            self.behind = if drained { None } else { self.behind.or(Some(now)) };
            self.serve_backlog();
        }
    }

    /// Some of what could wait.
    fn serve_backlog(&mut self) {
        for _ in 0..SERVED {
            let Some((since, (flow, bytes))) = self.backlog.pop() else { return };
            let now = self.clock.now();
            let lag = now.since(self.behind.map_or(since, |behind| behind.min(since)));
            let (flow, bytes) = (flow, bytes.as_slice());
            match self.shedding.sheds(lag) {
                true => self.feed(now, Input::Late { flow, bytes }),
                false => self.feed(now, Input::Message { flow, bytes }),
            }
        }
    }

    fn wait(&self, until: Instant, ready: &mut Vec<u64>) -> io::Result<()> {
        let wait = until - self.clock.now();
        let timeout = rustix::time::Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        let mut events = Vec::with_capacity(16);
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut events), Some(&timeout)) {
            Ok(_) => ready.extend(events.iter().map(|e: &epoll::Event| e.data.u64())),
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        Ok(())
    }

    /// Whether it was read empty.
    fn read_socket(&mut self, index: usize, buffer: &mut [u8]) -> bool {
        for _ in 0..BATCH {
            let Some((flow, bytes)) = self.udp[index].receive(buffer) else { return true };
            self.came(self.clock.now(), flow, bytes);
        }
        false
    }

    /// A message: served now, or put where it waits its turn.
    fn came(&mut self, now: Instant, flow: Flow, bytes: &[u8]) {
        match self.gateway.class(now, flow, bytes) {
            Class::AtOnce => self.feed(now, Input::Message { flow, bytes }),
            class => self.backlog.push(now, class, (flow, bytes.to_vec())),
        }
    }

    fn read_inbox(&mut self) -> Read {
        self.inbox.woken();
        for _ in 0..INBOX_BATCH {
            let Some(message) = self.inbox.take() else { return Read::All };
            let now = self.clock.now();
            match message {
                Message::Media(event) => self.feed(now, Input::Media(event)),
                Message::Spool(outcomes) => {
                    for outcome in outcomes {
                        self.feed(
                            now,
                            match outcome {
                                SpoolOutcome::Spooled { call } => Input::Spooled { call },
                                SpoolOutcome::Failed { call } => Input::SpoolFailed { call },
                            },
                        );
                    }
                }
                Message::StreamOpened { flow, writer } => {
                    self.streams.insert(flow, writer);
                }
                Message::Stream { flow, bytes, place: _ } => self.came(now, flow, &bytes),
                // One that was given up while its peer did not read, and has a successor by now.
                Message::StreamClosed { flow } if self.streams.get(&flow).is_some_and(|w| !w.is_closed()) => {}
                Message::StreamClosed { flow } => {
                    self.streams.remove(&flow);
                    // A phone must not be registered on a connection that is gone.
                    self.backlog.retain(|(waiting, _)| *waiting != flow);
                    self.feed(now, Input::FlowFailed { flow });
                }
                Message::Drain => {
                    self.feed(now, Input::Drain);
                    self.figures_at = now;
                }
                Message::Resolved { trunk, hop, targets } => self.feed(now, Input::Resolved { trunk, hop, targets }),
                Message::Watch { agent, screen } => self.screens.watch(agent, screen),
                Message::WatchFloor { agent, floor, answer } => {
                    let leads = self.gateway.acd().agent(&agent).is_some_and(|view| view.leader);
                    let _ = answer.send(if leads { Ok(()) } else { Err(Unable::NotLeader) });
                    if leads {
                        self.screens.watch_floor(agent, floor);
                    }
                }
                Message::SeatOf { agent, answer } => {
                    let seat = self.gateway.acd().agent(&agent).and_then(|view| view.seat);
                    let _ = answer.send(seat.cloned());
                }
                Message::Order { agent, order, answer } => {
                    // Whoever asked may have gone; the order stands.
                    let _ = answer.send(self.gateway.order(now, &agent, order));
                    self.screens.agent(&agent);
                    self.carry_out(now);
                }
                Message::Remembered(callers) => self.feed(now, Input::Remembered(callers)),
                Message::EndCalls => self.feed(now, Input::EndCalls),
                Message::Stop => return Read::Stop,
            }
        }
        // A flood on one stream must not keep the sockets and the timers from their turn.
        self.inbox.rewake();
        Read::More
    }

    fn feed(&mut self, now: Instant, input: Input<'_>) {
        if let (Some(tap), Input::Message { flow, bytes }) = (&self.tap, &input) {
            tap.message(now, *flow, Way::In, bytes);
        }
        self.gateway.handle(now, input);
        self.carry_out(now);
    }

    fn carry_out(&mut self, now: Instant) {
        // What fails at once is fed back after the outputs are drained, so that the gateway sees one thing at a time.
        let mut failed = Vec::new();
        while let Some(output) = self.gateway.next_output() {
            match output {
                Output::Send(transmit) => {
                    let flow = transmit.flow;
                    if let Some(tap) = &self.tap {
                        tap.message(now, flow, Way::Out, &transmit.bytes);
                    }
                    if self.send(transmit).is_err() {
                        failed.push(Input::FlowFailed { flow });
                    }
                }
                Output::Media(command) => self.media_commands.push(command),
                Output::OpenTicket(ticket) => {
                    let call = ticket.call;
                    if self.spool.put(ticket).is_err() {
                        failed.push(Input::SpoolFailed { call });
                    }
                }
                Output::Call(event) => {
                    if let (Some(tap), CallFact::Arrived { sip_call_id, .. }) = (&self.tap, &event.what) {
                        tap.leg(event.call, sip_call_id);
                    }
                    if let (Some(ratings), CallFact::Rated { score }) = (&self.ratings, &event.what) {
                        ratings.came(event.at, event.call, *score);
                    }
                    self.screens.call(&self.gateway, &event);
                    self.observer.tell(Observed::Call(event));
                }
                Output::Agent(event) => {
                    self.screens.agent(&event.agent);
                    self.observer.tell(Observed::Agent(event));
                }
                Output::Leader(event) => self.observer.tell(Observed::Leader(event)),
                Output::Callback(change) => {
                    self.observer.tell(Observed::Callback(change.clone()));
                    self.spool.keep(change);
                }
                Output::Guard(Order::Ban { source, length }) => {
                    self.connector.ban(source, length);
                    let theirs = self.streams.iter().filter(|(flow, _)| holder(flow.remote.ip()) == source);
                    theirs.filter(|(flow, _)| !self.gateway.needs(**flow)).for_each(|(_, writer)| writer.close());
                }
                Output::Screen(agent) => self.screens.agent(&agent),
                Output::Guard(Order::Close(flow)) => {
                    if let Some(writer) = self.streams.get(&flow) {
                        writer.close();
                    }
                }
            }
        }
        for input in failed {
            self.feed(now, input);
        }
    }

    fn send(&mut self, transmit: Transmit) -> io::Result<()> {
        let Transmit { flow, bytes } = transmit;
        match flow.transport {
            Transport::Udp => match self.udp.iter().find(|p| p.advertised() == flow.local) {
                Some(port) => port.send(&bytes, flow.remote),
                None => Err(io::ErrorKind::AddrNotAvailable.into()),
            },
            _ => match self.streams.get(&flow) {
                // A peer that does not read is not waited for: its connection has failed, and is forgotten.
                Some(writer) => writer.send(bytes).inspect_err(|_| drop(self.streams.remove(&flow))),
                None => {
                    let writer = self.connector.connect(flow)?;
                    let _ = writer.send(bytes);
                    self.streams.insert(flow, writer);
                    Ok(())
                }
            },
        }
    }

    /// Whoever is served here has places of its own from now on; whoever is not must not keep one.
    fn look_at_streams(&mut self) {
        let theirs = self.streams.keys().copied().filter(|flow| !flow.is_ours());
        let (needed, idle): (BTreeSet<Flow>, BTreeSet<Flow>) = theirs.partition(|flow| self.gateway.is_served(*flow));
        needed.iter().for_each(|flow| self.connector.known(flow.remote.ip()));
        let still = idle.intersection(&self.idle).filter_map(|flow| self.streams.get(flow));
        still.for_each(Writer::close);
        self.idle = idle;
    }

    fn report_figures(&mut self, now: Instant) {
        if now < self.figures_at {
            return;
        }
        if now >= self.look_at {
            self.look_at = now + LOOK_EVERY;
            self.look_at_streams();
        }
        self.screens.second();
        self.figures_at = now + if self.gateway.is_draining() { FIGURES_EVERY_DRAINING } else { FIGURES_EVERY };
        let connections =
            CONNECTIONS.map(|(transport, _)| self.streams.keys().filter(|flow| flow.transport == transport).count());
        self.observer.tell(Observed::Figures(Box::new(Figures::of(now, &self.gateway, connections))));
    }
}
