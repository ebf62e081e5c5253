//! The media plane: everything that touches RTP. Belongs here: its front door, [`MediaPlane`]. Not here: any decision
//! about calls (the gateway commands, see [`crate::plane`]).
//!
//! ```text
//! MediaPlane ── router (which thread) ──► shard (one thread: epoll, sockets, legs)
//!                                           │        pacer (when a frame is due)
//!                                           ▼
//!                                          leg ── webrtc (browsers: one port, ICE, DTLS; RTP out of it and into it)
//!                                           ├──── srtp (opens what comes, seals what goes)
//!                                           ├──── inbound ── rtp, latch, sequence, dtmf
//!                                           ├──── outbound (one RTP stream for life), g711
//!                                           ├──── source (prompts, music, ring-back, mix) ── prompt ── wav, resample, music
//!                                           │       └ mixer (several legs at once) ── ear (one of them, made even)
//!                                           └──── watchdog, rtcp
//! what recorded legs say and hear ─► recording (a queue, and threads of its own)
//! ```
//! Only `shard`, `ports`, `recording` (files) and `webrtc::browsers` know sockets; the rest is bytes and instants in, bytes out.

mod dtmf;
pub mod dtmf_inband;
mod ear;
mod figures;
pub mod g711;
mod inbound;
mod latch;
mod leg;
mod mixer;
mod music;
mod outbound;
mod pacer;
mod ports;
mod prompt;
pub mod recording;
mod resample;
mod riff;
mod router;
mod rtcp;
pub mod rtp;
mod sequence;
mod shard;
mod source;
pub mod srtp;
pub mod tone;
mod watchdog;
mod wav;
pub mod webrtc;

pub use figures::{FigureReader, Figures};
pub use prompt::{PromptError, PromptLibrary};

use crate::config::settings::{MediaSettings, WorldSettings};
use crate::host::{Clock, entropy};
use crate::plane::{MediaCommand, MediaEvent};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use recording::{Recorder, RecordingStatus};
use router::Router;
use shard::{Neighbour, Order, Parts, Port, Shard};
use std::cell::Cell;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError, channel, sync_channel};
use std::thread::JoinHandle;
use webrtc::{BrowserDoor, Browsers};

/// Where events go: called on the media threads, so it must not block.
pub type EventSink = Arc<dyn Fn(MediaEvent) + Send + Sync>;

/// Commands a thread may be behind by; it takes them all between any two batches of packets.
const QUEUE: usize = 4_096;

/// The running media threads. Dropping it stops them.
#[derive(Debug)]
pub struct MediaPlane {
    router: Router,
    threads: Vec<Thread>,
    figures: FigureReader,
    browsers: Option<BrowserDoor>,
    recorder: Option<Recorder>,
}

#[derive(Debug)]
struct Thread {
    orders: SyncSender<Order>,
    wake: Arc<OwnedFd>,
    /// Orders queued since the last wake-up.
    unseen: Cell<bool>,
    handle: Option<JoinHandle<()>>,
}

impl MediaPlane {
    /// Binds every port, then starts the threads. `on_event` is called on them and must not block.
    ///
    /// # Errors
    /// The pool makes no sense, a port is taken, or the open-file limit is too low; the text says what to change.
    pub fn start(
        media: &MediaSettings,
        world: &WorldSettings,
        prompts: PromptLibrary,
        on_event: impl Fn(MediaEvent) + Send + Sync + 'static,
    ) -> Result<MediaPlane, MediaStartError> {
        let hosts: Vec<_> = world.media_bind_v4.into_iter().chain(world.media_bind_v6).collect();
        let count = world.media_threads.max(1);
        let mut ports: Vec<Vec<Option<Box<Port>>>> = (0..count).map(|_| Vec::new()).collect();
        for (slot, pair) in ports::bind(media.first_port, media.pairs, &hosts)?.into_iter().enumerate() {
            // Every thread's table spans the pool; each port is in one of them (as `Router::new` deals them out).
            ports.iter_mut().for_each(|table| table.push(None));
            ports[slot % count][slot] = Some(Port::new(pair));
        }
        let (events, prompts): (EventSink, _) = (Arc::new(on_event), Arc::new(prompts));
        let (figures, writers) = FigureReader::with_writers(count);
        let mut neighbours = Vec::new();
        let mut mailboxes = Vec::new();
        for _ in 0..count {
            let flags = rustix::event::EventfdFlags::NONBLOCK | rustix::event::EventfdFlags::CLOEXEC;
            let wake = rustix::event::eventfd(0, flags).map_err(|e| system("eventfd", e.into()))?;
            let (sender, arrivals) = channel();
            neighbours.push(Neighbour { arrivals: sender, wake: Arc::new(wake) });
            mailboxes.push(arrivals);
        }
        let clock = Clock::start();
        let opened = world.browsers.map(|browsers| Browsers::open(browsers, media, world, clock, events.clone()));
        let (mut browsers, common) = opened.transpose()?.unzip();
        // Slots after the pool's are for legs on browsers.
        let most = if browsers.is_some() { webrtc::MOST } else { 0 };
        ports[webrtc::THREAD].extend((0..most).map(|_| Some(Port::of_browser())));
        let recorder = world.recording.as_ref().map(|settings| Recorder::start(settings, clock, count, events.clone()));
        let folder = || world.recording.as_ref().map(|settings| settings.directory.clone()).unwrap_or_default();
        let recorder = recorder.transpose().map_err(|error| MediaStartError::Recording { folder: folder(), error })?;
        let (recorder, taps) = recorder.map_or((None, vec![]), |(recorder, taps)| (Some(recorder), taps));
        let (mut taps, mut threads) = (taps.into_iter(), Vec::new());
        for (n, ((ports, arrivals), board)) in ports.into_iter().zip(mailboxes).zip(writers).enumerate() {
            let (sender, orders) = sync_channel(QUEUE);
            let wake = neighbours[n].wake.clone();
            let parts = Parts {
                wake: wake.clone(),
                orders,
                arrivals,
                neighbours: neighbours.clone(),
                ports,
                prompts: prompts.clone(),
                events: events.clone(),
                random: ChaCha8Rng::from_seed(entropy().map_err(|e| system("reading /dev/urandom", e))?),
                board,
                clock,
                browsers: browsers.take_if(|_| n == webrtc::THREAD),
                tap: taps.next(),
            };
            let shard = Shard::new(parts).map_err(|e| system("epoll", e))?;
            let thread = std::thread::Builder::new().name(format!("media-{n}"));
            let handle = thread.spawn(move || shard.run()).map_err(|e| system("starting a thread", e))?;
            threads.push(Thread { orders: sender, wake, unseen: Cell::new(false), handle: Some(handle) });
        }
        let Thread { orders, wake, .. } = &threads[webrtc::THREAD];
        let browsers = common.map(|common| BrowserDoor::new(orders.clone(), wake.clone(), common));
        let router = Router::new(media.first_port, media.pairs, count, most);
        Ok(MediaPlane { router, threads, figures, browsers, recorder })
    }

    /// Hands a command to its thread; it is carried out between two batches of packets. A command about a leg that is
    /// not open is logged and dropped. Waits only if thousands of commands are unserved.
    pub fn command(&mut self, command: MediaCommand) {
        self.commands([command]);
    }

    /// Several commands of one step, in order; each thread concerned is woken once.
    pub fn commands(&mut self, commands: impl IntoIterator<Item = MediaCommand>) {
        let threads = &self.threads;
        for command in commands {
            if let Err(fault) = self.router.route(command, |thread, order| threads[thread].queue(order)) {
                tracing::warn!(?fault, "media command dropped");
            }
        }
        threads.iter().for_each(Thread::wake);
    }

    /// A reader of the totals for `/metrics`, usable on any thread.
    pub fn figures(&self) -> FigureReader {
        self.figures.clone()
    }

    /// How recording fares; `None`: nothing is recorded.
    pub fn recording(&self) -> Option<Arc<RecordingStatus>> {
        self.recorder.as_ref().map(|recorder| recorder.status.clone())
    }

    /// Where browsers' offers go; `None`: the configuration gives browsers no port.
    pub fn browsers(&self) -> Option<BrowserDoor> {
        self.browsers.clone()
    }

    /// Ends the threads; every leg still open is closed (with its BYE and its `Closed`).
    pub fn stop(mut self) {
        self.halt();
    }

    fn halt(&mut self) {
        // `stop` comes here first and `drop` after it: those already joined are told nothing.
        self.threads.iter().filter(|t| t.handle.is_some()).for_each(|thread| {
            thread.queue(Order::Stop);
            thread.wake();
        });
        for handle in self.threads.iter_mut().filter_map(|t| t.handle.take()) {
            if handle.join().is_err() {
                tracing::error!("a media thread has panicked");
            }
        }
        // With the threads their taps are gone.
        self.recorder.iter_mut().for_each(Recorder::join);
    }
}

impl Drop for MediaPlane {
    fn drop(&mut self) {
        self.halt();
    }
}

impl Thread {
    /// Queues an order; `wake` makes the thread look.
    fn queue(&self, order: Order) {
        self.unseen.set(true);
        let refused = match self.orders.try_send(order) {
            Ok(()) => return,
            Err(refused) => refused,
        };
        let order = match refused {
            TrySendError::Full(order) => order,
            TrySendError::Disconnected(_) => return self.report_dead(),
        };
        // Thousands are unserved: wait for the thread, which must know that there is something to serve.
        self.wake();
        self.unseen.set(true);
        if self.orders.send(order).is_err() {
            self.report_dead();
        }
    }

    fn wake(&self) {
        if self.unseen.replace(false) {
            ring(&self.wake);
        }
    }

    fn report_dead(&self) {
        tracing::error!("a media thread has ended: its calls are silent, restart the gateway");
    }
}

/// Wakes the thread that sleeps on this eventfd.
fn ring(wake: &OwnedFd) {
    // Fails only when the counter is full: then it is awake anyway.
    let _ = rustix::io::write(wake, &1u64.to_ne_bytes());
}

fn system(what: &'static str, error: io::Error) -> MediaStartError {
    MediaStartError::System { what, error }
}

/// Why the media plane cannot start; the text says whose the fault is and what to change.
#[derive(Debug)]
pub enum MediaStartError {
    NoAddress,
    BadPool { first_port: u16, pairs: u16 },
    FileLimit { sockets: u64, maximum: u64 },
    Bind { address: SocketAddr, error: io::Error },
    System { what: &'static str, error: io::Error },
    NoCertificate,
    Recording { folder: PathBuf, error: io::Error },
}

impl fmt::Display for MediaStartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MediaStartError::NoAddress => write!(f, "no media address: set the address to bind for IPv4, IPv6 or both"),
            MediaStartError::BadPool { first_port, pairs } => write!(
                f,
                "media port pool of {pairs} pairs from port {first_port}: the first port must be even and not 0, \
                 there must be at least one pair, and the last must not pass 65535"
            ),
            MediaStartError::FileLimit { sockets, maximum } => write!(
                f,
                "the media port pool needs {sockets} sockets but this process may open only {maximum} files: \
                 raise the hard limit (systemd: LimitNOFILE={}) or configure fewer port pairs",
                sockets + 1_024
            ),
            MediaStartError::Bind { address, error } => match error.kind() {
                io::ErrorKind::AddrInUse => write!(
                    f,
                    "media port {address} is taken by another program: stop it (ss -ulpn shows which) or move first_port"
                ),
                io::ErrorKind::AddrNotAvailable => {
                    write!(f, "{} is not an address of this machine: correct the media bind address", address.ip())
                }
                _ => write!(f, "media port {address} cannot be bound: {error}"),
            },
            MediaStartError::NoCertificate => write!(f, "no certificate could be made for browsers' audio"),
            MediaStartError::Recording { folder, error } => write!(
                f,
                "recordings cannot be kept in {}: {error}; name a folder that this user may write to, or remove [recording]",
                folder.display()
            ),
            MediaStartError::System { what, error } => write!(f, "the system refused {what}: {error}"),
        }
    }
}

impl std::error::Error for MediaStartError {}
