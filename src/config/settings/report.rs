//! Terms of the report: where its facts are kept, whose it is, and what it is measured against. Not here: N and the short abandon of each queue
//! (`routing`).

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the facts are that are folded from the event log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FactsFile {
    /// Beside the log: `rexian-facts.db` for `rexian-events.db`.
    #[default]
    BesideTheLog,
    At(PathBuf),
    /// None are kept.
    Nowhere,
}

impl FactsFile {
    pub fn path(&self, log: &Path) -> Option<PathBuf> {
        match self {
            FactsFile::BesideTheLog => {
                let name = log.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
                let stem = name.strip_suffix("-events").unwrap_or(&name);
                Some(log.with_file_name(format!("{stem}-facts.db")))
            }
            FactsFile::At(path) => Some(path.clone()),
            FactsFile::Nowhere => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportSettings {
    /// Whose report it is, as its title has it.
    pub hotline: String,
    /// Seconds for which "within N" is reported beside each queue's own.
    pub within: Vec<Duration>,
    /// Percent that the connection rate must not fall below over any 24 hours.
    pub connection_rate: u32,
    /// Percent of requests that must be answered within 15 s. The standard names no share: every one.
    pub within_share: u32,
}

impl Default for ReportSettings {
    /// GB/T 33358-2016, and the thresholds that cities use.
    fn default() -> Self {
        ReportSettings {
            hotline: "12345".into(),
            within: [10, 15, 20, 30].map(Duration::from_secs).into(),
            connection_rate: 95,
            within_share: 100,
        }
    }
}
