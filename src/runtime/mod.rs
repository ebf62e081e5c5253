//! The running gateway: starts the sockets, the media plane, the store and the HTTP side around one `Gateway`, and
//! stops them in order. Not here: any decision about calls.
//!
//! Threads: `signalling` (owns the gateway), the media plane's, `observer` (logs, metrics, views), `journal` (the event
//! log), `facts` (folded from it), `event-copy` (shipping it), and one tokio thread, `world`, for streams, the store, HTTP.

pub mod browsers;
pub mod figures;
pub mod inbox;
pub mod observer;
mod pacing;
mod ratings;
mod recordings;
pub mod screens;
mod signalling;

use crate::api::logs::Log;
use crate::api::{self, health::Facts, v1, webhooks};
use crate::cases::desk::{self, Desk};
use crate::cases::{CaseStore, Cases};
use crate::config::settings::{Settings, TrunkSettings, WebhookLog};
use crate::gateway::Gateway;
use crate::host::{Clock, entropy};
use crate::media::recording::{Library, RecordingStatus};
use crate::media::{FigureReader, MediaPlane, PromptLibrary};
use crate::net::dns;
use crate::net::streams::Listeners;
use crate::net::tls::Tls;
use crate::net::udp::UdpPort;
use crate::pages;
use crate::sip::flow::Transport;
use crate::store::copy::{self, CopyOptions, CopyStatus};
use crate::store::facts::{self, FactsOptions};
use crate::store::journal::{self, JournalOptions, JournalStatus};
use crate::store::{DeliverOptions, SpoolOptions, Store};
use crate::time::Instant;
use crate::trace::Tap;
use crate::trunk::hops::Target;
use browsers::BrowserBoard;
use figures::Figures;
use inbox::{Inbox, Message};
use observer::Observed;
use signalling::Signalling;
use std::error::Error;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Why the gateway did not start; the message says who is to blame and what to do.
pub type StartError = Box<dyn Error + Send + Sync>;

/// A gateway in service.
pub struct Running {
    inbox: Inbox,
    sip_udp: Vec<SocketAddr>,
    sip_tcp: Vec<SocketAddr>,
    sip_tls: Vec<SocketAddr>,
    sip_ws: Vec<SocketAddr>,
    sip_wss: Vec<SocketAddr>,
    tls: Option<Arc<Tls>>,
    http: Option<SocketAddr>,
    pages: Option<SocketAddr>,
    signalling: JoinHandle<std::io::Result<MediaPlane>>,
    observer: JoinHandle<()>,
    journal: Vec<JoinHandle<()>>,
    store: Store,
    world: Runtime,
    watch: Receiver<Observed>,
}

/// The loop tells its figures every second; silent for so long, it counts as stuck.
const LOOP_STUCK: Duration = Duration::from_secs(5);

/// To the case store, for lists and for work on single tickets each.
const API_CONNECTIONS: u32 = 2;

/// Of whom the gateway knows at start who served them last.
const MOST_REMEMBERED: u32 = 50_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(30 * 86_400);

/// What a live view may lag behind before it misses something.
const VIEW_DEPTH: usize = 16_384;

impl Running {
    /// Opens everything; on failure nothing stays open.
    pub fn start(settings: Settings) -> Result<Running, StartError> {
        let (view, watch) = sync_channel(VIEW_DEPTH);
        start(settings, view, watch)
    }

    /// Copies of every event, for a live view; what it does not take in time it misses.
    pub fn events(&self) -> &Receiver<Observed> {
        &self.watch
    }

    pub fn sip_udp(&self) -> &[SocketAddr] {
        &self.sip_udp
    }

    pub fn sip_tcp(&self) -> &[SocketAddr] {
        &self.sip_tcp
    }

    pub fn sip_tls(&self) -> &[SocketAddr] {
        &self.sip_tls
    }

    /// By WebSocket, with TLS and without.
    pub fn sip_web(&self) -> impl Iterator<Item = &SocketAddr> {
        self.sip_wss.iter().chain(&self.sip_ws)
    }

    /// SIGHUP: certificates and trust are read again; connections go on with what they have.
    pub fn reload(&self) {
        match &self.tls {
            Some(tls) => tls.reload(),
            None => {
                tracing::info!("SIGHUP: nothing to read again, for there is no [tls]; settings are read at start only")
            }
        }
    }

    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    pub fn pages(&self) -> Option<SocketAddr> {
        self.pages
    }

    /// The tokio runtime of the I/O side, for what lives beside it.
    pub fn world(&self) -> &Runtime {
        &self.world
    }

    /// No new calls from now on.
    pub fn drain(&self) {
        self.inbox.send(Message::Drain);
    }

    /// Drains for at most `limit`, ends what is left, delivers what is spooled, and closes. Returns how many tickets
    /// stay in the spool for the next start.
    pub fn stop(self, limit: Duration) -> u64 {
        self.drain();
        let deadline = std::time::Instant::now() + limit;
        self.wait_until(deadline, |figures| figures.calls == 0);
        self.inbox.send(Message::EndCalls);
        // BYEs and REGISTERs want their answers; a far end that is gone is not waited for.
        let done = |figures: &Figures| figures.legs == 0 && figures.unregistered();
        self.wait_until(std::time::Instant::now() + Duration::from_secs(2), done);
        self.inbox.send(Message::Stop);
        if let Ok(Ok(media)) = self.signalling.join() {
            media.stop();
        }
        let _ = self.observer.join();
        // Its last events are written when the observer has handed them over, and then folded, and shipped.
        self.journal.into_iter().for_each(|thread| drop(thread.join()));
        let left = self.world.block_on(self.store.close(Duration::from_secs(5)));
        self.world.shutdown_timeout(Duration::from_secs(1));
        left
    }

    fn wait_until(&self, deadline: std::time::Instant, done: impl Fn(&Figures) -> bool) {
        while let Some(left) = deadline.checked_duration_since(std::time::Instant::now()) {
            match self.watch.recv_timeout(left) {
                Ok(Observed::Figures(figures)) if figures.draining && done(&figures) => return,
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

fn start(settings: Settings, view: SyncSender<Observed>, watch: Receiver<Observed>) -> Result<Running, StartError> {
    let Settings { core, world: shell } = settings;
    let clock = Clock::start();
    let (media_v4, media_v6) = (core.media.address_v4, core.media.address_v6);
    let prompts = PromptLibrary::load(&shell.prompts)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let (inbox, outbox) = inbox::channel()?;

    let udp = shell
        .sip_udp
        .iter()
        .map(|&address| UdpPort::bind(address, media_v4, media_v6))
        .collect::<Result<Vec<_>, _>>()?;
    let sip_udp = udp.iter().map(UdpPort::advertised).collect();

    let world =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("world").enable_all().build()?;
    let names = core.trunks.iter().flat_map(|trunk| &trunk.hops).filter_map(|hop| hop.host.name());
    let tls = shell.tls.clone().map(|settings| Tls::open(settings, names)).transpose()?.map(Arc::new);
    let bound = Listeners::bind(shell.sip_streams(), tls.clone(), shell.web_origins.clone(), media_v4, media_v6);
    let listeners = world.block_on(bound)?;
    let [sip_tcp, sip_tls, sip_ws, sip_wss] =
        [Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss].map(|by| listeners.addresses(by));

    let to_loop = inbox.clone();
    let browsers = Arc::new(BrowserBoard::default());
    let board = browsers.clone();
    let media = MediaPlane::start(&core.media, &shell, prompts, move |event| {
        board.observe(&event);
        to_loop.offer(Message::Media(event));
    })?;

    let cases = Cases::new(&shell.cases, &shell.ticket_prefix);
    let memory = cases.reader();
    let desk = Desk::new(cases.reader(), shell.casework.clone());
    let apart = || Desk::new(cases.apart(API_CONNECTIONS), shell.casework.clone());
    let follower = Arc::new(apart());
    let (newest, changed) = watch::channel(0);
    world.spawn(desk::watch(follower.clone(), newest));
    let case_log = Log::Tickets { desk: follower, changed, world: world.handle().clone() };
    let folder = PathBuf::from([shell.spool.as_os_str(), ".ratings".as_ref()].into_iter().collect::<OsString>());
    let (ratings, telling) = ratings::start(folder, apart());
    world.spawn(telling);
    if let Some(settings) = &shell.recording {
        world.spawn(recordings::tell(Library::at(&settings.directory), apart()));
    }
    let office = v1::Office { lists: apart(), desk: apart(), log: case_log.clone(), area_code: core.area_code.clone() };
    let to_loop = inbox.clone();
    let outcomes = move |outcomes: &[_]| to_loop.send(Message::Spool(outcomes.to_vec()));
    let mut store =
        world.block_on(Store::open(SpoolOptions::new(&shell.spool), DeliverOptions::default(), cases, outcomes))?;

    let (metrics, page) =
        api::metrics::install(&core, &shell.webhooks.iter().map(|hook| hook.name.clone()).collect::<Vec<_>>())?;
    let mut sources = v1::Sources {
        tokens: shell.tokens,
        events: None,
        facts: shell.events.as_deref().and_then(|log| shell.facts.path(log)),
        hooks: vec![],
        ledger: None,
        queues: core.queues.clone(),
        agents: core.agents.clone(),
        office: Some(office),
        recordings: shell.recording.as_ref().map(|settings| Library::at(&settings.directory)),
        latest: None,
    };
    let mut journalling = vec![];
    let (mut journal, mut events, mut copy) = (None, None, None);
    if let Some(path) = shell.events {
        let (log, status, thread) = journal::start(JournalOptions::new(&path, shell.keep_events))?;
        journalling.push(thread);
        let commits = log.commits();
        sources.events = Some(Log::Calls { path: path.clone(), changed: commits.clone() });
        if let Some(facts) = shell.facts.path(&path) {
            journalling.push(facts::start(FactsOptions::new(&path, facts), commits.clone())?);
        }
        if let Some(to) = shell.ship_events {
            let (status, thread) = copy::start(CopyOptions::new(&path, to, shell.keep_events), commits)?;
            journalling.push(thread);
            copy = Some(status);
        }
        (journal, events) = (Some(log), Some(status));
    }
    for settings in shell.webhooks {
        let log = match settings.log {
            WebhookLog::Tickets => Some(case_log.clone()),
            WebhookLog::Calls => sources.events.clone(),
        };
        let hook = log.map(|log| webhooks::start(settings, log, &shell.webhook_ledger)).transpose();
        sources.hooks.extend(hook.map_err(|e| format!("[[webhooks]] cannot start: {e}"))?);
    }
    sources.ledger = Some(shell.webhook_ledger).filter(|_| !sources.hooks.is_empty());
    let (observer, observing, latest) = observer::start(metrics, journal, Some(view))?;
    sources.latest = Some(latest.clone());
    let hooks = sources.hooks.clone();
    let v1 = v1::Api::new(sources);
    // Before /healthz, which says that all is open.
    let pages = match shell.pages {
        None => None,
        Some(settings) => {
            let address = settings.listen;
            let served =
                pages::serve(settings, tls.clone(), &core.agents, &core.seats, inbox.clone(), media.browsers(), &v1);
            Some(
                world.block_on(served).map_err(|e| {
                    format!("pages.listen {address}: {e}; name an address of this machine and a free port")
                })?,
            )
        }
    };
    let http = match shell.http {
        None => None,
        Some(address) => {
            let source = health(
                latest,
                (media.figures(), media.recording(), browsers),
                &store,
                (events, copy),
                hooks,
                tls.clone(),
            );
            let (address, _) = world
                .block_on(api::serve(address, source, page, &v1))
                .map_err(|e| format!("http.listen {address}: {e}; name an address of this machine and a free port"))?;
            Some(address)
        }
    };
    let connector = {
        let _in_world = world.enter();
        listeners.serve(inbox.clone())
    };
    if let Some(tls) = &tls {
        world.spawn(tls.clone().watch());
    }
    resolve(&world, &core.trunks, shell.dns, &inbox);
    let gateway = Gateway::new(core, entropy()?, clock.now());
    let mut signalling = Signalling::new(gateway, clock, udp, outbox, connector, media, store.spool(), observer)?;
    signalling.tap = Tap::start(&shell.trace)?;
    signalling.ratings = Some(ratings);
    signalling.begin(store.take_callbacks());
    world.spawn(remember(memory, clock.now(), inbox.clone()));
    world.spawn(desk::work(desk, clock));
    let signalling = std::thread::Builder::new().name("signalling".into()).spawn(move || signalling.run())?;
    let observer = observing;
    let journal = journalling;
    Ok(Running {
        inbox,
        sip_udp,
        sip_tcp,
        sip_tls,
        sip_ws,
        sip_wss,
        tls,
        http,
        pages,
        signalling,
        observer,
        journal,
        store,
        world,
        watch,
    })
}

/// Tells the gateway who served which caller lately. Nobody waits for it: until it comes, callers are new.
async fn remember(cases: Cases, now: Instant, inbox: Inbox) {
    let since = Instant(now.0.saturating_sub(REMEMBERED_FOR.as_micros() as u64));
    match cases.recent_callers(MOST_REMEMBERED, since).await {
        Ok(callers) => inbox.send(Message::Remembered(callers)),
        Err(error) => tracing::warn!(%error, "earlier callers are not remembered"),
    }
}

/// Follows the names of hops in DNS for as long as the world lasts.
fn resolve(world: &Runtime, trunks: &[TrunkSettings], configured: Vec<SocketAddr>, inbox: &Inbox) {
    let servers = dns::servers(&configured);
    for trunk in trunks {
        for (hop, settings) in dns::named(&trunk.hops) {
            let (inbox, name) = (inbox.clone(), trunk.name.clone());
            let tell = move |targets: Vec<Target>| {
                inbox.send(Message::Resolved { trunk: name.clone(), hop, targets });
            };
            world.spawn(dns::follow(servers.clone(), settings.clone(), dns::Pace::default(), tell));
        }
    }
}

/// The gateway's condition, for `/healthz` and `/metrics`, from what it last told the observer.
fn health(
    latest: observer::Latest,
    (media, recording, browsers): (FigureReader, Option<Arc<RecordingStatus>>, Arc<BrowserBoard>),
    store: &Store,
    (events, copy): (Option<Arc<JournalStatus>>, Option<watch::Receiver<CopyStatus>>),
    webhooks: Vec<webhooks::Hook>,
    tls: Option<Arc<Tls>>,
) -> api::HealthSource {
    let (spool, delivery) = (store.spool().status(), store.delivery());
    let clock = Clock::start();
    Arc::new(move || {
        let latest = latest.borrow().clone();
        let now = clock.now();
        Facts {
            draining: latest.draining,
            signalling_up: latest.told.elapsed() < LOOP_STUCK,
            media_up: media.all_up(),
            calls: latest.calls,
            trunks_down: latest.trunks.iter().filter(|trunk| trunk.down).map(|trunk| trunk.name.clone()).collect(),
            media: media.read(),
            recording: recording.as_ref().map(|status| status.read()),
            browsers: browsers.read(),
            spool: spool.borrow().clone(),
            delivery: delivery.borrow().clone(),
            events: events.as_ref().map(|status| status.read()),
            webhooks: webhooks.iter().map(|hook| hook.figures(now)).collect(),
            copy: copy.as_ref().map(|status| status.borrow().clone()),
            certificate: tls.as_ref().map(|tls| tls.certificate()),
        }
    })
}
