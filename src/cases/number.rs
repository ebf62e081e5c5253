//! Ticket numbers: `JN` + date + daily sequence. Belongs here: which series a ticket is counted in and how a number
//! is written. Not here: taking the next one, which only a store's transaction can do.

use crate::time::Instant;
use jiff::{Timestamp, tz};

/// China keeps one time all year: UTC+8, no daylight saving (Asia/Shanghai since 1991).
const CHINA: tz::Offset = tz::Offset::constant(8);

/// Prefix and date in China of the pickup, e.g. `JN20261122`. `None` when the instant is beyond the year 9999.
pub fn series(prefix: &str, answered_at: Instant) -> Option<String> {
    let at = Timestamp::from_microsecond(i64::try_from(answered_at.as_unix_micros()).ok()?).ok()?;
    let date = CHINA.to_datetime(at).date();
    Some(format!("{prefix}{:04}{:02}{:02}", date.year(), date.month(), date.day()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(rfc3339: &str) -> Instant {
        Instant(rfc3339.parse::<Timestamp>().unwrap().as_microsecond() as u64)
    }

    #[test]
    fn the_day_changes_at_midnight_in_china() {
        for (instant, expected) in [
            ("2026-11-22T00:00:00Z", "JN20261122"),
            ("2026-11-22T15:59:59.999999Z", "JN20261122"),
            ("2026-11-22T16:00:00Z", "JN20261123"),
            ("2026-12-31T16:00:00Z", "JN20270101"),
            ("2028-02-28T16:00:00Z", "JN20280229"),
            ("1970-01-01T00:00:00Z", "JN19700101"),
        ] {
            assert_eq!(series("JN", at(instant)).as_deref(), Some(expected), "{instant}");
        }
    }

    #[test]
    fn an_instant_no_calendar_has_is_not_numbered() {
        assert_eq!(series("JN", Instant(u64::MAX)), None);
        assert_eq!(series("JN", Instant(i64::MAX as u64)), None);
    }
}
