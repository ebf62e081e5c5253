//! A date in China, as deadlines are told. Belongs here: dates, and which one an instant falls on. Not here: which of them
//! are worked on (`calendar`).

use crate::time::Instant;
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// China keeps one time all year: UTC+8, no daylight saving.
const CHINA: i64 = 8 * 3_600;

const SECONDS: i64 = 86_400;

/// Days since 1970-01-01; told as `2026-11-22`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(i32);

impl Day {
    /// The date in China, and the minutes since its midnight.
    pub fn of(at: Instant) -> (Day, u16) {
        let local = (at.as_unix_micros() / 1_000_000) as i64 + CHINA;
        (Day((local / SECONDS) as i32), (local % SECONDS / 60) as u16)
    }

    /// Midnight in China, with which it begins.
    pub fn begins(self) -> Instant {
        Instant::from_unix_secs((i64::from(self.0) * SECONDS - CHINA).max(0) as u64)
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> i32 {
        self.0
    }

    pub fn next(self) -> Day {
        Day(self.0 + 1)
    }

    pub fn plus(self, days: i32) -> Day {
        Day(self.0.saturating_add(days))
    }

    pub fn year(self) -> i16 {
        self.date().year()
    }

    pub fn is_weekend(self) -> bool {
        matches!(self.date().weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    fn date(self) -> Date {
        EPOCH.checked_add(self.0.days()).unwrap_or(Date::MAX)
    }
}

const EPOCH: Date = Date::constant(1970, 1, 1);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.date();
        write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl JsonSchema for Day {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Day".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date"})
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchDay;

impl fmt::Display for NoSuchDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an existing day as 2026-11-22")
    }
}

impl FromStr for Day {
    type Err = NoSuchDay;

    fn from_str(text: &str) -> Result<Day, NoSuchDay> {
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts[..] else { return Err(NoSuchDay) };
        let digits = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_digit());
        if !(digits(year, 4) && digits(month, 2) && digits(day, 2)) {
            return Err(NoSuchDay);
        }
        let number = |s: &str| s.parse::<i16>().map_err(|_| NoSuchDay);
        let date = Date::new(number(year)?, number(month)? as i8, number(day)? as i8).map_err(|_| NoSuchDay)?;
        i32::try_from(date.duration_since(EPOCH).as_hours() / 24).map(Day).map_err(|_| NoSuchDay)
    }
}

impl TryFrom<String> for Day {
    type Error = NoSuchDay;

    fn try_from(text: String) -> Result<Day, NoSuchDay> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> String {
        day.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_changes_at_midnight_in_china() {
        for (rfc3339, expected) in [
            ("2026-11-22T15:59:59Z", ("2026-11-22", 1_439)),
            ("2026-11-22T16:00:00Z", ("2026-11-23", 0)),
            ("2028-02-28T17:30:00Z", ("2028-02-29", 90)),
        ] {
            let at = rfc3339.parse::<jiff::Timestamp>().unwrap().as_microsecond() as u64;
            let (day, minute) = Day::of(Instant(at));
            assert_eq!((day.to_string().as_str(), minute), expected);
            assert_eq!(day.to_string().parse(), Ok(day));
            assert!(day.begins() <= Instant(at) && Instant(at) < day.next().begins());
        }
        assert!("2026-11-22".parse::<Day>().unwrap().is_weekend());
        assert!(!"2026-11-23".parse::<Day>().unwrap().is_weekend());
    }
}
