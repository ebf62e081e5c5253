//! `rexian report`: the routine report of a day or a month, and the page of rules a hotline is held to. Belongs here: the
//! command line, where the facts are, which form. Not here: the facts (`crate::record`, `store::facts`), the formulas
//! (`sla`).
//!
//! `gather` makes a [`model::Report`] of the facts; `tables` words it; `text`, `csv`, `json` and `html` (with `picture`)
//! draw it. Facts that are behind the log are brought up to date first, so a report needs no running gateway.

mod basis;
mod compliance;
mod csv;
mod gather;
mod html;
mod json;
mod model;
mod period;
mod picture;
mod rebuilding;
mod tables;
mod text;
mod tickets;
mod words;

pub use compliance::{Figure, Rule, TicketFigures, Verdict};
pub use csv::row as csv_row;
pub use gather::gather;
pub use model::{AgentRow, Report, Staff, Terms};
pub use period::{HALF_HOUR, Period, date_of};
pub use words::{Language, grouped};

use crate::config;
use crate::config::settings::{CaseStoreSettings, FactsFile, PostgresSettings, Settings};
use crate::host::Clock;
use crate::store::facts::{FactsReader, catch_up};
use jiff::civil::Date;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The day, e.g. 2026-11-22. Without day, month and from: today so far.
    #[arg(long, value_name = "DATE", conflicts_with_all = ["month", "from"])]
    pub day: Option<Date>,
    /// The month, e.g. 2026-11.
    #[arg(long, value_name = "MONTH", value_parser = month, conflicts_with = "from")]
    pub month: Option<Date>,
    /// The first day of a span.
    #[arg(long, value_name = "DATE")]
    pub from: Option<Date>,
    /// The last day of a span, included. Without it: today.
    #[arg(long, value_name = "DATE", requires = "from")]
    pub to: Option<Date>,
    /// Only the page of rules (GB/T 33358-2016 and others): figure, verdict, formula.
    #[arg(long)]
    pub compliance: bool,
    /// For spreadsheets.
    #[arg(long, conflicts_with_all = ["json", "html"])]
    pub csv: bool,
    /// For programs.
    #[arg(long, conflicts_with = "html")]
    pub json: bool,
    /// One page to print or to send.
    #[arg(long)]
    pub html: bool,
    /// Write to this file instead of the terminal.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Fold the whole event log again and compare it with the facts kept. Exit code 1 if they differ.
    #[arg(long)]
    pub rebuild: bool,
    /// With --rebuild: where they differ, keep what the log says.
    #[arg(long, requires = "rebuild")]
    pub replace: bool,
    /// With --rebuild: fold the event log's copy in PostgreSQL (ship_events in [storage]) instead of the log.
    #[arg(long, requires = "rebuild", requires = "config")]
    pub copy: bool,
    #[command(flatten)]
    pub place: Place,
    /// Language: zh or en. Without it: the locale's.
    #[arg(long, value_name = "LANGUAGE")]
    pub lang: Option<Language>,
}

/// Where the record is.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Place {
    /// The gateway's configuration: names the files, each queue's N, the hotline and its local time.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The event log. Without it: the one of the configuration, or rexian-events.db in the working directory.
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// The facts. Without it: the file of the configuration, or the one beside the event log.
    #[arg(long, value_name = "FILE")]
    pub facts: Option<PathBuf>,
}

/// [`Place`], found.
pub struct Found {
    /// `None`: no log is kept.
    pub events: Option<PathBuf>,
    /// Where the log is copied to.
    pub copy: Option<PostgresSettings>,
    pub facts: PathBuf,
    /// `None`: no configuration names it.
    pub cases: Option<CaseStoreSettings>,
    pub terms: Terms,
}

/// Configuration at fault, as `check` has it.
const BAD_CONFIG: u8 = 2;

fn month(text: &str) -> Result<Date, String> {
    format!("{text}-01").parse().map_err(|_| "write it as 2026-11".into())
}

pub fn run(options: &Options) -> ExitCode {
    let found = match options.place.find() {
        Ok(found) => found,
        Err(code) => return code,
    };
    let language = options.lang.unwrap_or_else(Language::of_environment);
    let done = if options.rebuild {
        rebuilding::run(&found, options, language)
    } else {
        report(options, found, language).map(|()| ExitCode::SUCCESS)
    };
    done.unwrap_or_else(|why| {
        eprintln!("{why}");
        ExitCode::FAILURE
    })
}

impl Place {
    pub fn find(&self) -> Result<Found, ExitCode> {
        let settings = self.config.as_deref().map(loaded).transpose()?;
        let world = settings.as_ref().map(|settings| &settings.world);
        let events = match (&self.events, world) {
            (Some(named), _) => Some(named.clone()),
            (None, Some(world)) => world.events.clone(),
            (None, None) => Some("rexian-events.db".into()),
        };
        let log = events.as_deref().unwrap_or(Path::new("rexian-events.db"));
        let facts = match (&self.facts, &self.events, world) {
            (Some(named), ..) => named.clone(),
            // Another log than the configuration's has other facts; without any kept, a report keeps its own.
            (None, None, Some(world)) => world.facts.path(log).unwrap_or_else(|| usual(log)),
            (None, ..) => usual(log),
        };
        let terms = settings.as_ref().map_or_else(Terms::usual, Terms::of);
        let copy = world.and_then(|world| world.ship_events.clone());
        let cases = world.map(|world| world.cases.clone());
        Ok(Found { events, copy, facts, cases, terms })
    }
}

fn usual(log: &Path) -> PathBuf {
    FactsFile::BesideTheLog.path(log).unwrap_or_else(|| "rexian-facts.db".into())
}

fn loaded(path: &Path) -> Result<Settings, ExitCode> {
    config::load(path).map_err(|problems| {
        problems.iter().for_each(|problem| eprintln!("{problem}"));
        ExitCode::from(BAD_CONFIG)
    })
}

impl Found {
    /// The facts, as far as the log goes. A log that is gone leaves the facts there are.
    pub fn open(&self) -> Result<FactsReader, String> {
        match self.events.as_deref() {
            Some(events) if events.is_file() => catch_up(events, &self.facts).map_err(|e| {
                format!("facts {e}\n    name a file that may be written with --facts, or make room on the disk")
            })?,
            _ if self.facts.is_file() => {}
            Some(events) => {
                return Err(format!(
                    "no event log {} and no facts {}\n    name the gateway's configuration with --config, or the log with \
                     --events",
                    events.display(),
                    self.facts.display()
                ));
            }
            None => return Err("no event log is kept: [storage] events is empty; name a file with --events".into()),
        }
        FactsReader::open(&self.facts).map_err(|e| format!("facts {e}"))
    }
}

/// What of the options is the period.
fn period(options: &Options, utc_offset: i16) -> Result<Period, String> {
    let today = date_of(Clock::start().now(), utc_offset);
    let period = match (options.day, options.month, options.from) {
        (Some(day), ..) => Period::day(day, utc_offset),
        (_, Some(month), _) => Period::month(month, utc_offset),
        (_, _, Some(from)) => Period::span(from, options.to.unwrap_or(today), utc_offset),
        (None, None, None) => Period::day(today, utc_offset),
    };
    if period.last < period.first {
        return Err(format!("--to {} is before --from {}", period.last, period.first));
    }
    Ok(period)
}

fn report(options: &Options, found: Found, language: Language) -> Result<(), String> {
    let period = period(options, found.terms.utc_offset)?;
    let mut facts = found.open()?;
    let report = gather(&mut facts, period, found.terms).map_err(|e| format!("facts {e}"))?;
    let Some(mut report) = report else {
        return Err("the event log is empty: no gateway has written to it yet".into());
    };
    let figures = tickets::figures(found.cases.as_ref(), period.from()..period.until());
    report.rules = compliance::judge(&report, &figures);
    let text = match (options.compliance, options.csv, options.json, options.html) {
        (false, true, ..) => csv::whole(&report, language),
        (true, true, ..) => csv::compliance(&report, language),
        (false, _, true, _) => pretty(&json::whole(&report)),
        (true, _, true, _) => pretty(&json::compliance(&report)),
        (false, .., true) => html::whole(&report, language),
        (true, .., true) => html::compliance(&report, language),
        (false, ..) => text::whole(&report, language),
        (true, ..) => text::compliance(&report, language),
    };
    put(options.output.as_deref(), &text)
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}

/// To the file, or to the terminal, whose reader may have heard enough.
pub fn put(file: Option<&Path>, text: &str) -> Result<(), String> {
    match file {
        Some(path) => std::fs::write(path, text).map_err(|e| format!("{}: cannot be written: {e}", path.display())),
        None => match std::io::stdout().write_all(text.as_bytes()) {
            Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("stdout cannot be written: {e}")),
            _ => Ok(()),
        },
    }
}
