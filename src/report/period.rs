//! What time a report is about: whole local days, of a fixed offset (China has no summer time). Belongs here: dates in,
//! instants out, the half hours of the day. Not here: what happened then (`gather`).

use crate::config::settings::local_day;
use crate::time::Instant;
use jiff::ToSpan;
use jiff::civil::Date;
use std::time::Duration;

pub const HALF_HOUR: Duration = Duration::from_secs(1_800);
/// Of a day.
pub const HALF_HOURS: usize = 48;
const DAY: u64 = 86_400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub first: Date,
    /// The last day, included.
    pub last: Date,
    /// Minutes ahead of UTC.
    pub utc_offset: i16,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Day,
    Month,
    Span,
}

impl Period {
    pub fn day(date: Date, utc_offset: i16) -> Period {
        Period { first: date, last: date, utc_offset, kind: Kind::Day }
    }

    /// Of a date in it.
    pub fn month(date: Date, utc_offset: i16) -> Period {
        Period { first: date.first_of_month(), last: date.last_of_month(), utc_offset, kind: Kind::Month }
    }

    pub fn span(first: Date, last: Date, utc_offset: i16) -> Period {
        Period { first, last, utc_offset, kind: Kind::Span }
    }

    pub fn from(self) -> Instant {
        self.midnight(self.first)
    }

    /// Not included.
    pub fn until(self) -> Instant {
        self.midnight(self.last) + Duration::from_secs(DAY)
    }

    pub fn midnight(self, date: Date) -> Instant {
        Instant::from_unix_secs((days_since_1970(date) * DAY as i64 - self.offset()).max(0) as u64)
    }

    pub fn days(self) -> usize {
        (days_since_1970(self.last) - days_since_1970(self.first) + 1).max(0) as usize
    }

    pub fn dates(self) -> impl Iterator<Item = Date> {
        self.first.series(1.day()).take(self.days())
    }

    /// Which day of the period, from 0.
    pub fn day_of(self, at: Instant) -> usize {
        let (day, _) = local_day(at, self.utc_offset);
        (day - days_since_1970(self.first)).max(0) as usize
    }

    /// Which half hour of its day, from 0.
    pub fn half_hour_of(self, at: Instant) -> usize {
        let (_, minute) = local_day(at, self.utc_offset);
        usize::from(minute / 30)
    }

    /// `09:30:15` on its day.
    pub fn clock(self, at: Instant) -> String {
        let local = at.as_unix_micros() as i64 / 1_000_000 + self.offset();
        let second = local.rem_euclid(DAY as i64);
        format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
    }

    pub fn date_of(self, at: Instant) -> Date {
        date_of(at, self.utc_offset)
    }

    fn offset(self) -> i64 {
        i64::from(self.utc_offset) * 60
    }
}

pub fn date_of(at: Instant, utc_offset: i16) -> Date {
    let (day, _) = local_day(at, utc_offset);
    EPOCH.checked_add(day.days()).unwrap_or(EPOCH)
}

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

fn days_since_1970(date: Date) -> i64 {
    date.duration_since(EPOCH).as_hours() / 24
}

/// `09:00-09:30`.
pub fn half_hour_name(index: usize) -> String {
    let (from, to) = (index * 30, index * 30 + 30);
    format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
}
