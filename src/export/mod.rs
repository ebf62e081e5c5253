//! `rexian export`: the record in forms that tools in use read. Belongs here: the command line. Not here: the call detail
//! records (`cdr`), the queue log (`queue_log`).

mod cdr;
mod queue_log;

use queue_log::{BEFORE, QueueLog};

use crate::host::Clock;
use crate::report::{Period, Place, date_of, put};
use crate::store::journal::for_each;
use crate::time::Instant;
use jiff::civil::Date;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// What: cdr (a CSV line for each call) or queue-log (Asterisk's queue_log, for QueueMetrics and the like).
    #[arg(value_name = "WHAT")]
    pub what: What,
    /// The first day. Without it: today.
    #[arg(long, value_name = "DATE")]
    pub from: Option<Date>,
    /// The last day, included. Without it: the first.
    #[arg(long, value_name = "DATE")]
    pub to: Option<Date>,
    /// Write to this file instead of the terminal.
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    Cdr,
    QueueLog,
}

pub fn run(options: &Options) -> ExitCode {
    let found = match options.place.find() {
        Ok(found) => found,
        Err(code) => return code,
    };
    let offset = found.terms.utc_offset;
    let from = options.from.unwrap_or_else(|| date_of(Clock::start().now(), offset));
    let period = Period::span(from, options.to.unwrap_or(from), offset);
    let text = match options.what {
        What::Cdr => found.open().and_then(|mut facts| {
            let mut text = String::new();
            cdr::head(&mut text);
            let done = facts.each_call(period.from(), period.until(), |record| cdr::row(&mut text, &record, period));
            done.map(|()| text).map_err(|e| format!("facts {e}"))
        }),
        What::QueueLog => match &found.events {
            None => Err("no event log is kept: [storage] events is empty; name a file with --events".into()),
            Some(events) => {
                let mut log = QueueLog::new(period.from(), period.until());
                let since = Instant(period.from().0.saturating_sub(BEFORE.as_micros() as u64));
                for_each(events, since, period.until(), |recorded| log.read(&recorded))
                    .map(|()| log.into_text())
                    .map_err(|e| e.to_string())
            }
        },
    };
    match text.and_then(|text| put(options.output.as_deref(), &text)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
