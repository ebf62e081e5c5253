//! Settings of recordings.

use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingSettings {
    pub directory: PathBuf,
    /// Whole days; then a day's recordings are deleted.
    pub keep_days: u32,
    /// Octets that stay free on that disk: with less, no recording is begun.
    pub free_space: u64,
}

impl RecordingSettings {
    /// Half a year: longer than any ticket takes from the call to the last word about it (5 working days, 10 more where extended,
    /// the callback, once again from the start), and what the law wants of logs. A city with 900 hours of talk a day fills 9 TB with it.
    pub const KEEP_DAYS: u32 = 180;
    /// 60 conversations that go on write 1 MB a second: half an hour until they are over, and the spool has its room.
    pub const FREE_SPACE: u64 = 2 << 30;

    pub fn new(directory: impl Into<PathBuf>) -> RecordingSettings {
        RecordingSettings { directory: directory.into(), keep_days: Self::KEEP_DAYS, free_space: Self::FREE_SPACE }
    }
}
