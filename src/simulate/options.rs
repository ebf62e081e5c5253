//! The command line of `rexian simulate`. Not here: what it leads to.

use crate::sim::forecast::Measure;
use jiff::civil::Date;
use std::path::PathBuf;

#[derive(clap::Args, Clone, Debug)]
pub struct Options {
    /// The day's statistics: calls, curve, talk, wrap-up, patience, languages, surges. Without it: the shipped profile
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// The gateway's own configuration: its queues, lines and, without --roster, its agents by their shifts
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Who works when, TOML or CSV. Without it (and without --config): 60 seats around the clock
    #[arg(long, value_name = "FILE")]
    pub roster: Option<PathBuf>,
    /// A past day's event log instead of a profile's calls; with --day
    #[arg(long, value_name = "FILE", requires = "day")]
    pub log: Option<PathBuf>,
    /// The day: which one of the log, and its weekday and date for opening hours
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub day: Option<Date>,
    /// Calls that day, instead of the profile's
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=500_000))]
    pub calls: Option<u32>,
    /// Another draw of the same day
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// So many days from --seed on: mean and 95 % confidence interval of every figure
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub seeds: Option<u32>,
    /// The same citizens under other terms, side by side: seats=55,english=3,calls=16000,wrap_up=20
    #[arg(long, value_name = "KEY=VALUE,...", value_delimiter = ',')]
    pub what_if: Vec<String>,
    /// The smallest roster that holds --target in every hour
    #[arg(long)]
    pub find_seats: bool,
    /// With --find-seats: what every hour must reach, 0 to 1
    #[arg(long, default_value_t = 0.95, value_parser = share, requires = "find_seats")]
    pub target: f64,
    /// With --find-seats: connection = 接通率 A / R; service = N秒人工接通率 A_N / R
    #[arg(long, value_enum, default_value_t = By::Connection, requires = "find_seats")]
    pub by: By,
    /// N of "answered within N seconds" for every queue, instead of the configuration's
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    pub within: Option<u64>,
    /// With --find-seats: rosters tried at most
    #[arg(long, default_value_t = 80, value_parser = clap::value_parser!(u32).range(1..=10_000), requires = "find_seats")]
    pub guesses: u32,
    /// With --find-seats: writes the roster that was found, for --roster
    #[arg(long, value_name = "FILE", requires = "find_seats")]
    pub write_roster: Option<PathBuf>,
    /// Writes calls.csv, halfhours.csv and figures.csv there
    #[arg(long, value_name = "DIR")]
    pub csv: Option<PathBuf>,
    /// Writes every figure as one JSON object; `-` for stdout, instead of the tables
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Writes the day's events as an event log, for `rexian report --events`
    #[arg(long, value_name = "FILE")]
    pub write_log: Option<PathBuf>,
    /// Draws the day: arrivals, waits, agents by state
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Connection,
    Service,
}

impl By {
    pub fn measure(self) -> Measure {
        match self {
            By::Connection => Measure::Connection,
            By::Service => Measure::Service,
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        Ok(share) if (1.0..100.0).contains(&share) => {
            Err(format!("must lie between 0 and 1: {} for {share} %", share / 100.0))
        }
        _ => Err("must lie between 0 and 1, as in 0.95".into()),
    }
}
