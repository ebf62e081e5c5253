//! `rexian demo`: the gateway driven over real loopback sockets by a pretend carrier and pretend seats, with a live
//! view and a summary that is checked. Belongs here: the demo's course from start to verdict. Not here: the user
//! agents' SIP (`sim::ua`), the gateway's loop (`runtime`).

pub mod board;
pub mod field;
pub mod figures;
pub mod house;
pub mod keep;
pub mod plan;
pub mod records;
pub mod stage;
pub mod tone;
pub mod view;
pub mod voice;
pub(crate) mod width;

use crate::config::settings::Cidr;
use crate::logging::{self, LogGuard};
use crate::runtime::Running;
use crate::runtime::observer::Observed;
use board::Board;
use field::Field;
use figures::{Figures, GatewayView, Seen};
use house::House;
use plan::Plan;
use stage::{Place, Stage};
use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use view::{Progress, View};

/// How often the picture is redrawn.
const FRAME: Duration = Duration::from_millis(150);
/// Nothing moved for this long: the day is given up and what hangs is reported.
const STUCK: Duration = Duration::from_secs(45);
/// How long the case store and the counters may lag behind the last call.
const SETTLE: Duration = Duration::from_secs(10);

#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// Calls to place
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub calls: u32,
    /// Pretend seats
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub seats: u32,
    /// Calls per second
    #[arg(long, default_value_t = 2.2, value_parser = positive)]
    pub rate: f64,
    /// One JSON object on stdout instead of the view
    #[arg(long)]
    pub json: bool,
    /// Stay up afterwards, so that a real phone can register and call
    #[arg(long)]
    pub keep: bool,
    /// IPv4 address to listen on; give this machine's network address to let phones elsewhere in
    #[arg(long, default_value_t = Ipv4Addr::LOCALHOST)]
    pub listen: Ipv4Addr,
    /// SIP port
    #[arg(long, default_value_t = 5060)]
    pub port: u16,
    /// Another day: other numbers, times and talk lengths
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 1_000.0 => Ok(rate),
        _ => Err("must be a number above 0, at most 1000".into()),
    }
}

/// Exit code 0: every expectation held. 1: it ran and something did not fit (printed). 2: it could not run.
pub fn run(options: Options) -> ExitCode {
    let options = &options;
    let mut view = match options.json {
        true => View::Silent,
        false if std::io::stdout().is_terminal() => View::Live { drawn: 0 },
        false => View::Plain { last: 0 },
    };
    match Demo::start(options, &mut view).and_then(|demo| demo.run(options, &mut view)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            view.say(&format!("演示中止 the demo has stopped: {why}"));
            ExitCode::from(2)
        }
    }
}

struct Demo {
    running: Running,
    stage: Stage,
    board: Board,
    directory: Directory,
    sip: SocketAddr,
    /// Ctrl-C was pressed: hang up and clean up instead of dying on the spot.
    interrupted: Arc<AtomicBool>,
    /// Writes out what is logged until the end.
    _log: LogGuard,
}

impl Demo {
    fn start(options: &Options, view: &mut View) -> Result<Demo, String> {
        let listen = IpAddr::V4(options.listen);
        let plan = Plan::new(options.calls, options.seats, options.rate, options.seed);
        let (sip, moved) = house::free_sip_port(listen, options.port)
            .map_err(|e| format!("cannot listen on {listen} (--listen): {e}"))?;
        if moved {
            let (wanted, got) = (options.port, sip.port());
            view.say(&format!("端口 {wanted} 已被占用，改用 {got}  port {wanted} is taken, using {got}"));
        }
        let pairs = house::media_pairs(&plan);
        let first_media_port = house::free_media_ports(listen, pairs)
            .ok_or_else(|| format!("no {} free UDP ports in a row for RTP on {listen}", 2 * pairs))?;
        let directory = Directory::create()?;
        let password = house::password().map_err(|e| format!("cannot draw a password from /dev/urandom: {e}"))?;
        let spare = plan::spare_seat(options.seats);
        let house = House {
            plan: &plan,
            listen,
            sip,
            http: SocketAddr::new(listen, 0),
            first_media_port,
            media_pairs: pairs,
            ring_timeout: if options.keep { keep::RING_TIMEOUT } else { house::RING_TIMEOUT },
            password: &password,
            spare: options.keep.then_some(&spare),
            citizens: if options.keep { keep::citizens(listen) } else { Vec::<Cidr>::new() },
            directory: &directory.path,
            // Warnings would tear the picture apart.
            log_filter: if options.json { "warn" } else { "error" },
        };
        let settings = house.settings();
        let codes = settings.core.feature_codes.clone();
        let log = logging::init(&settings.world.log).map_err(|e| e.to_string())?;
        let running = Running::start(settings).map_err(|e| e.to_string())?;
        let interrupted = Arc::new(AtomicBool::new(false));
        running.world().spawn({
            let interrupted = interrupted.clone();
            async move {
                if tokio::signal::ctrl_c().await.is_ok() {
                    interrupted.store(true, Ordering::Relaxed);
                }
            }
        });
        let sip = running.sip_udp().first().copied().unwrap_or(sip);
        let field = Field::new(sip).map_err(|e| format!("cannot open an epoll instance: {e}"))?;
        let place = Place {
            seats: listen,
            on_queue_carrier: house::ON_QUEUE_CARRIER,
            on_pickup_carrier: house::ON_PICKUP_CARRIER,
            domain: listen.to_string(),
            password,
            codes,
        };
        let stage = Stage::open(field, place, plan)?;
        Ok(Demo { running, stage, board: Board::default(), directory, sip, interrupted, _log: log })
    }

    /// True: everything was as it must be.
    fn run(mut self, options: &Options, view: &mut View) -> Result<bool, String> {
        self.play_the_day(view)?;
        let figures = self.figures()?;
        view.summary(&figures);
        if options.keep {
            keep::stay(&mut self, view, options)?;
        }
        self.running.stop(house::DRAIN);
        Ok(figures.problems.is_empty())
    }

    fn play_the_day(&mut self, view: &mut View) -> Result<(), String> {
        let (mut moved_at, mut before) = (self.stage.now(), 0);
        while self.step(view)? {
            if self.interrupted() {
                return Err("Ctrl-C".into());
            }
            let now = self.stage.now();
            let done = self.stage.calls_over() + self.stage.calls_made();
            if done != before {
                (before, moved_at) = (done, now);
            }
            if now.since(moved_at) > STUCK {
                return Ok(());
            }
        }
        self.step(view).map(drop)
    }

    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Plays until the next picture is due, and draws it. False: the day is over.
    fn step(&mut self, view: &mut View) -> Result<bool, String> {
        let more = self
            .stage
            .play(self.stage.now() + FRAME)
            .map_err(|e| format!("the pretend phones' sockets failed: {e}"))?;
        while let Ok(seen) = self.running.events().try_recv() {
            match seen {
                Observed::Call(event) => self.board.on_call(&event, house::WITHIN),
                Observed::Agent(event) => self.board.on_agent(&event),
                Observed::Leader(_) | Observed::Callback(_) | Observed::Figures(_) => {}
            }
        }
        let now = self.stage.now();
        let progress = Progress {
            now,
            since_start: now.since(self.stage.opened()).as_secs_f64(),
            calls_done: self.stage.calls_over() as u64,
            calls_planned: self.stage.calls_planned() as u64,
            sip: self.sip.to_string(),
        };
        view.draw(&self.board, &progress).map_err(|e| format!("cannot draw: {e}"))?;
        Ok(more)
    }

    /// The phones' view beside the gateway's and the case store's, once those have settled.
    fn figures(&mut self) -> Result<Figures, String> {
        let seen = self.stage.seen();
        let took = self.stage.now().since(self.stage.opened());
        let answered = seen.iter().filter(|c| matches!(c.end, Seen::Answered { .. })).count();
        let deadline = self.stage.now() + SETTLE;
        loop {
            let gateway = self.gateway_view()?;
            let settled = gateway.tickets >= answered as u64 && gateway.ended_in_all() >= seen.len() as u64;
            if settled || self.stage.now() >= deadline {
                return Ok(Figures::new(&seen, self.stage.rona, house::WITHIN, &gateway, took));
            }
            // Events are taken too: the counters may come from them.
            self.step(&mut View::Silent)?;
        }
    }

    fn gateway_view(&self) -> Result<GatewayView, String> {
        let ticketed = records::ticketed_calls(&self.directory.path.join(house::CASES))?;
        let http = self.running.http().ok_or("the gateway serves no HTTP, so its counters cannot be read")?;
        let metrics = records::Metrics::fetch(http).map_err(|e| format!("cannot read http://{http}/metrics: {e}"))?;
        Ok(GatewayView::new(&metrics, ticketed))
    }
}

/// The demo's spool and case store; removed at the end unless kept.
struct Directory {
    path: PathBuf,
    keep: bool,
}

impl Directory {
    fn create() -> Result<Directory, String> {
        let path = std::env::temp_dir().join(format!("rexian-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|e| format!("cannot create {}: {e}", path.display()))?;
        Ok(Directory { path, keep: false })
    }

    fn keep(&mut self) {
        self.keep = true;
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.keep {
            // Left-overs in the temporary directory are no reason to fail a good run.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
