//! Terms of the report: whose it is, and what it is measured against. Not here: N and the short abandon of each queue
//! (`routing`).

use std::time::Duration;

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
