//! A recorded conversation, as the gateway and the media plane speak of it. Belongs here: its name, and what a finished one is.
//! Not here: taking the sound down (`media::recording`), when one begins and ends (`gateway::recording`).

use crate::ids::CallId;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Conversations of one call that are recorded; what comes after is one call's trouble, not the disk's.
pub const MOST_SEGMENTS: u16 = 99;

/// One conversation of one call; nobody's number is in it. Printed as `0193c0ffee000001-001`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordingName {
    pub call: CallId,
    /// From 1; a transfer or a hold ends one.
    pub segment: u16,
}

impl RecordingName {
    pub fn parse(text: &str) -> Option<RecordingName> {
        let (call, segment) = text.split_once('-')?;
        let call = CallId(u64::from_str_radix(call, 16).ok()?);
        let name = RecordingName { call, segment: segment.parse().ok()? };
        // Exactly as it is printed: it becomes part of a path.
        (name.to_string() == text && (1..=MOST_SEGMENTS).contains(&name.segment)).then_some(name)
    }
}

impl fmt::Display for RecordingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:03}", self.call, self.segment)
    }
}

/// A finished recording: its file is complete on the disk and will not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    pub segment: u16,
    /// Below the folder of recordings.
    pub file: String,
    /// Of the whole file, in hexadecimal digits.
    pub sha256: String,
    pub ms: u64,
    pub from: Instant,
    pub to: Instant,
    /// False: something of it is missing: the disk was too slow or refused, or the process died meanwhile.
    pub complete: bool,
    /// What both sides said, and silence stands for; the end that a dead process did not write is not counted.
    // Those written before this was told have none.
    #[serde(default)]
    pub missing_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_printed_and_in_no_other_form() {
        let name = RecordingName { call: CallId(0x193_c0ff_ee00_0001), segment: 7 };
        assert_eq!(name.to_string(), "0193c0ffee000001-007");
        assert_eq!(RecordingName::parse("0193c0ffee000001-007"), Some(name));
        for bad in
            ["", "-", "193c0ffee000001-007", "0193c0ffee000001-7", "0193C0FFEE000001-007", "0193c0ffee000001-000"]
        {
            assert_eq!(RecordingName::parse(bad), None, "{bad}");
        }
        assert_eq!(RecordingName::parse("../../../etc/passwd-001"), None);
    }
}
