//! When one may call again, and until when. Belongs here: the next opening and the next closing of `Hours`. Not here:
//! whether it is open now (`Hours::open_at`).

use crate::config::settings::{Hours, local_day};
use crate::time::Instant;

/// Hours that do not open in so many days do not open.
const LONGEST_CLOSED: i64 = 400;

/// The first moment from `from` on at which it is open.
pub fn next_open(hours: &Hours, from: Instant, utc_offset: i16) -> Option<Instant> {
    if hours.open_at(from, utc_offset) {
        return Some(from);
    }
    let (today, minute) = local_day(from, utc_offset);
    let now = today * 1_440 + i64::from(minute);
    (today..today + LONGEST_CLOSED).find_map(|day| {
        let openings = hours.spans(day).map(|(from, until)| (from, until, day * 1_440 + i64::from(from)));
        openings.filter(|(from, until, at)| from < until && *at > now).map(|(.., at)| instant(at, utc_offset)).min()
    })
}

/// The end of the hours that run at `now`; `now` itself if it is closed.
pub fn closes(hours: &Hours, now: Instant, utc_offset: i16) -> Instant {
    let (day, minute) = local_day(now, utc_offset);
    let running = hours.spans(day).filter(|(from, until)| (*from..*until).contains(&minute));
    running.map(|(_, until)| instant(day * 1_440 + i64::from(until), utc_offset)).max().unwrap_or(now)
}

fn instant(local_minutes: i64, utc_offset: i16) -> Instant {
    Instant::from_unix_secs((local_minutes - i64::from(utc_offset)).max(0) as u64 * 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Midnight in China before Friday 2026-11-20, in seconds.
    const FRIDAY: u64 = 1_795_104_000;

    fn at(day: u64, hour: u64, minute: u64) -> Instant {
        Instant::from_unix_secs(FRIDAY + day * 86_400 + hour * 3_600 + minute * 60)
    }

    #[test]
    fn opens_again_after_lunch_the_weekend_and_a_holiday() {
        let mut hours = Hours::default();
        hours.week[..5].fill(vec![(8 * 60 + 30, 12 * 60), (14 * 60, 18 * 60)]);
        let open = |hours: &Hours, from| next_open(hours, from, 480);
        assert_eq!(open(&hours, at(0, 6, 0)), Some(at(0, 8, 30)));
        let inside = at(0, 9, 0) + Duration::from_millis(1_500);
        assert_eq!(open(&hours, inside), Some(inside), "open: at once");
        assert_eq!(open(&hours, at(0, 12, 0)), Some(at(0, 14, 0)));
        assert_eq!(open(&hours, at(0, 18, 0)), Some(at(3, 8, 30)), "Friday evening: Monday");
        hours.closed_on.insert(20_780);
        assert_eq!(open(&hours, at(0, 18, 0)), Some(at(4, 8, 30)), "Monday is a holiday: Tuesday");
        assert_eq!(open(&Hours::default(), at(0, 0, 0)), None);
    }

    #[test]
    fn closes_at_the_end_of_the_interval_that_runs() {
        let mut hours = Hours::default();
        hours.week[4] = vec![(8 * 60, 12 * 60), (14 * 60, 24 * 60)];
        assert_eq!(closes(&hours, at(0, 11, 59), 480), at(0, 12, 0));
        assert_eq!(closes(&hours, at(0, 23, 0), 480), at(1, 0, 0));
        assert_eq!(closes(&hours, at(0, 13, 0), 480), at(0, 13, 0));
    }
}
