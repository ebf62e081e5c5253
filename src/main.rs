//! `rexian serve | check | report | export | why | token | password | trace | demo | simulate | migrate | spool`: reads the
//! command line, says what went wrong, sets the exit code.

use clap::{Args, Parser, Subcommand};
use rexian::casework::Calendar;
use rexian::checkup;
use rexian::config::{self, settings::Settings};
use rexian::demo;
use rexian::export;
use rexian::host::{Clock, entropy};
use rexian::logging;
use rexian::password;
use rexian::report;
use rexian::runtime::Running;
use rexian::simulate;
use rexian::token;
use rexian::trace;
use rexian::upkeep;
use rexian::why;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

/// Calls allocate and free on several threads; the system allocator keeps what they leave.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rexian 热线: the telephone gateway and call distributor of a 12345 citizen hotline.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway until SIGTERM or Ctrl-C, which let calls finish.
    Serve(ConfigArg),
    /// Check the configuration and all SIP profiles; print every problem with file:line. Exit code 2 if there is one. With
    /// --trunk also try a live peer.
    Check {
        #[command(flatten)]
        config: ConfigArg,
        #[command(flatten)]
        live: checkup::Options,
    },
    /// Tell one call's story from the event log: where it went, when, and why. Exit code 1 if the log has no such call.
    Why(why::Options),
    /// The routine report of a day or a month, and the page of rules (GB/T 33358-2016): for the terminal, as CSV, JSON or a
    /// page to print. Needs no running gateway.
    Report(report::Options),
    /// Call detail records (CSV) or Asterisk's queue_log, for the tools people have.
    Export(export::Options),
    /// Make a token for the API (`/v1`): prints it, and the lines for the configuration.
    Token(token::Options),
    /// Let an agent sign in on a page: reads a password, prints the line for the configuration.
    Password(password::Options),
    /// Draw the calls of a gateway whose `[trace] hep` sends here, as they end: SIP ladders without a Homer.
    Trace(trace::Options),
    /// Start a gateway and drive it with a pretend carrier and pretend seats over real SIP and RTP on loopback.
    Demo(demo::Options),
    /// Forecast a day for shift leaders: this gateway's own code in virtual time, from a profile or a past day and a roster.
    Simulate(simulate::Options),
    /// Bring the tables of the case store, and of the event log's copy, up to date. The start does so by itself where its role may; large changes take long,
    /// and a role without the right cannot.
    Migrate {
        #[command(flatten)]
        config: ConfigArg,
        #[command(flatten)]
        options: upkeep::MigrateOptions,
    },
    /// Look at the tickets that the case store refused, and deliver them once more.
    Spool {
        #[command(flatten)]
        config: ConfigArg,
        #[command(subcommand)]
        command: upkeep::SpoolCommand,
    },
}

#[derive(Args)]
struct ConfigArg {
    /// Configuration file. Without it: SQLite in the working directory, loopback only, one peer profile.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

/// Configuration at fault: what `check` and `serve` exit with.
const BAD_CONFIG: u8 = 2;

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(arg) => serve(arg),
        Command::Check { config, live } => check(config, &live),
        Command::Why(options) => why::run(&options),
        Command::Report(options) => report::run(&options),
        Command::Export(options) => export::run(&options),
        Command::Token(options) => token::run(&options),
        Command::Password(options) => password::run(&options),
        Command::Trace(options) => trace::run(&options),
        Command::Demo(options) => demo::run(options),
        Command::Simulate(options) => simulate::run(options),
        Command::Migrate { config, options } => {
            load(&config).map_or_else(|code| code, |settings| upkeep::migrate(&options, &settings))
        }
        Command::Spool { config, command } => {
            load(&config).map_or_else(|code| code, |settings| upkeep::spool(&command, &settings))
        }
    }
}

fn check(arg: ConfigArg, live: &checkup::Options) -> ExitCode {
    match load(&arg) {
        Ok(settings) => {
            if let Some(code) = checkup::run(live, &settings) {
                return code;
            }
            print!("{}", config::explain(&settings));
            for notice in upkeep::notices(&settings) {
                println!("{notice}");
            }
            for year in settings.world.casework.calendar.unknown_years(Clock::start().now()) {
                println!("notice: {}", Calendar::advice(year));
            }
            println!("configuration is good");
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}

/// Prints every problem and gives the exit code, or the settings.
fn load(arg: &ConfigArg) -> Result<Settings, ExitCode> {
    let loaded = match &arg.config {
        Some(path) => config::load(path),
        None => match entropy() {
            Ok(seed) => Ok(Settings::demo(seed)),
            Err(error) => {
                eprintln!("no random bytes for passwords: /dev/urandom: {error}");
                return Err(ExitCode::FAILURE);
            }
        },
    };
    loaded.map_err(|problems| {
        for problem in &problems {
            eprintln!("{problem}");
        }
        eprintln!("{} problem(s) found", problems.len());
        ExitCode::from(BAD_CONFIG)
    })
}

fn serve(arg: ConfigArg) -> ExitCode {
    let without_file = arg.config.is_none();
    let settings = match load(&arg) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let _flushed_at_exit = match logging::init(&settings.world.log) {
        Ok(guard) => guard,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(BAD_CONFIG);
        }
    };
    // The passwords were made up a moment ago: for the person at the terminal, never for a log.
    if without_file && std::io::stdout().is_terminal() {
        println!("{}", settings.phone_help());
    }
    let signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!("cannot listen for signals: {error}");
            return ExitCode::FAILURE;
        }
    };
    let drain = settings.world.drain;
    let running = match Running::start(settings) {
        Ok(running) => running,
        Err(error) => {
            tracing::error!("cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    tracing::info!(sip_udp = ?running.sip_udp(), sip_tcp = ?running.sip_tcp(), sip_tls = ?running.sip_tls(), sip_web = ?running.sip_web().collect::<Vec<_>>(), http = ?running.http(), "in service");
    signals.wait(&running);
    tracing::info!(limit_s = drain.as_secs(), "draining: no new calls, those in progress may finish");
    let left = running.stop(drain);
    tracing::info!(tickets_in_spool = left, "stopped");
    ExitCode::SUCCESS
}

/// Listened for from before the start, so that one that comes early is kept and not the process's end.
struct Signals {
    world: tokio::runtime::Runtime,
    ends: [tokio::signal::unix::Signal; 2],
    reload: tokio::signal::unix::Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        let world = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let _in_world = world.enter();
        let ends = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
        let reload = signal(SignalKind::hangup())?;
        drop(_in_world);
        Ok(Signals { world, ends, reload })
    }

    /// Until one says that it is over.
    fn wait(self, running: &Running) {
        let Signals { world, ends: [mut term, mut int], mut reload } = self;
        world.block_on(async {
            loop {
                tokio::select! {
                    _ = term.recv() => return,
                    _ = int.recv() => return,
                    _ = reload.recv() => running.reload(),
                }
            }
        });
    }
}
