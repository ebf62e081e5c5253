//! Times of the week, dates and moments as the file writes them, all in local time. Belongs here: `hours = { ... }`,
//! `2027-02-06`, `2026-11-25 08:30`, `+08:00`. Not here: durations (`reader`), whether it is open now (`settings`).

use super::reader::{At, Section, closest};
use super::settings::Hours;
use crate::casework::Day;
use toml_edit::Value;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const DATE_FIX: &str = r#"write an existing day as "2027-02-06""#;
const SPAN_FIX: &str =
    r#"write it as "08:30-12:00", at most until 24:00; what passes midnight is two: "22:00-24:00" and "00:00-06:00""#;

/// `hours = { mon-fri = ["08:30-12:00"], sat = ["09:00-12:00"], closed_on = ["2027-02-06"] }`, if it is there.
pub(super) fn hours(section: &Section<'_>) -> Option<At<Hours>> {
    let table = section.inner("hours")?;
    let mut hours = Hours::default();
    let closed = table.list("closed_on", "a date", DATE_FIX, |v| v.as_str().and_then(date));
    hours.closed_on = closed.into_iter().flatten().map(|at| at.value).collect();
    let mut sound = true;
    let mut named: [Option<usize>; 7] = [None; 7];
    for (name, at) in table.own_entries().into_iter().filter(|(name, _)| name != "closed_on") {
        let Some(days) = days(&name) else {
            let fix = closest(&name, DAYS.into_iter().chain(["closed_on"])).map(|near| format!("did you mean {near}?"));
            let fix = fix.unwrap_or_else(|| "name days mon to sun, alone or as mon-fri; or closed_on".into());
            table.file.problem(at.line, format!("unknown key {name} in {}", table.name), fix);
            sound = false;
            continue;
        };
        let spans = spans(&table, &name, &at);
        sound &= spans.is_some();
        for day in days {
            if let Some(first) = named[day] {
                let what = format!("{} is named twice in {}, first in line {first}", DAYS[day], table.name);
                table.file.problem(at.line, what, "give each day once: mon-thu and fri, not mon-fri and fri");
                break;
            }
            named[day] = Some(at.line);
            hours.week[day] = spans.clone().unwrap_or_default();
        }
    }
    if sound && hours.week.iter().all(Vec::is_empty) {
        let what = format!("{} is never open", table.name);
        table.file.problem(
            table.line,
            what,
            r#"add days, as in mon-fri = ["08:30-17:30"]; without hours it is always open"#,
        );
    }
    Some(At { value: hours, line: table.line })
}

/// In order and apart from each other.
fn spans(table: &Section<'_>, name: &str, at: &At<&Value>) -> Option<Vec<(u16, u16)>> {
    let mut spans = table.own_list(name, at, "a span of time", SPAN_FIX, |v| v.as_str().and_then(span))?;
    spans.sort_by_key(|at| at.value);
    for pair in spans.windows(2) {
        let (first, second) = (pair[0].value, pair[1].value);
        if second.0 < first.1 {
            let what = format!("{} and {} on {name} overlap in {}", shown(first), shown(second), table.name);
            table.file.problem(pair[1].line, what, "join them, or let one begin when the other ends");
        }
    }
    Some(spans.into_iter().map(|at| at.value).collect())
}

/// Indices of `sat` or `mon-fri`, Monday first.
fn days(name: &str) -> Option<std::ops::RangeInclusive<usize>> {
    let day = |name| DAYS.iter().position(|day| *day == name);
    match name.split_once('-') {
        Some((first, last)) => Some(day(first)?..=day(last)?).filter(|days| !days.is_empty()),
        None => day(name).map(|day| day..=day),
    }
}

fn span(text: &str) -> Option<(u16, u16)> {
    let (from, until) = text.split_once('-')?;
    Some((clock(from.trim())?, clock(until.trim())?)).filter(|(from, until)| from < until)
}

/// Minutes after midnight; `24:00` is the end of the day.
pub(super) fn clock(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |s: &str| s.parse().ok().filter(|_: &u16| s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit()));
    let (hour, minute) = (two(hour)?, two(minute)?);
    (minute < 60 && hour * 60 + minute <= 1_440).then_some(hour * 60 + minute)
}

pub(super) fn shown((from, until): (u16, u16)) -> String {
    format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60)
}

/// Names of the days from `first` to `last`, Monday being 0: `mon-fri`.
pub(super) fn day_names(first: usize, last: usize) -> String {
    if first == last { DAYS[first].to_owned() } else { format!("{}-{}", DAYS[first], DAYS[last]) }
}

/// Days since 1970-01-01 of `2027-02-06`, if there is such a day.
fn date(text: &str) -> Option<i32> {
    text.parse::<Day>().ok().map(Day::number)
}

/// Seconds of UNIX time of `2026-11-25 08:30`, told `utc_offset` minutes ahead of UTC.
pub(super) fn moment(text: &str, utc_offset: i16) -> Option<u64> {
    let (day, time) = text.split_once(' ')?;
    let minutes = i64::from(date(day)?) * 1_440 + i64::from(clock(time)?) - i64::from(utc_offset);
    u64::try_from(minutes * 60).ok()
}

/// Minutes of `+08:00`; the world's clocks lie within 14 hours of UTC.
pub(super) fn utc_offset(text: &str) -> Option<i16> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    clock(&text[1..]).filter(|minutes| *minutes <= 14 * 60).map(|minutes| sign * minutes as i16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_a_day() {
        for (text, wanted) in [
            ("08:30-12:00", Some((510, 720))),
            ("08:30 - 12:00", Some((510, 720))),
            ("00:00-24:00", Some((0, 1_440))),
            ("22:00-06:00", None),
            ("09:00-09:00", None),
            ("24:00-24:00", None),
            ("08:30-24:01", None),
            ("08:60-09:00", None),
            ("8:30-12:00", None),
            ("08:30-12", None),
            ("+8:30-12:00", None),
            ("08:30", None),
            ("", None),
        ] {
            assert_eq!(span(text), wanted, "{text}");
        }
        assert_eq!(days("mon-fri"), Some(0..=4));
        assert_eq!(days("sun"), Some(6..=6));
        assert_eq!([days("fri-mon"), days("mon-"), days("monday"), days("")], [None, None, None, None]);
    }

    #[test]
    fn days_of_the_calendar() {
        for (text, wanted) in [
            ("1970-01-01", Some(0)),
            ("2000-03-01", Some(11_017)),
            ("2026-11-20", Some(20_777)),
            ("2028-02-29", Some(21_243)),
            ("2027-02-29", None),
            ("1900-02-29", None),
            ("2027-13-01", None),
            ("2027-00-10", None),
            ("2027-2-6", None),
            ("20270206", None),
            ("2027-02-06 08:00", None),
            ("-027-02-06", None),
            ("", None),
        ] {
            assert_eq!(date(text), wanted, "{text}");
        }
    }

    #[test]
    fn moments_and_offsets() {
        // 2026-11-25 00:30 UTC.
        assert_eq!(moment("2026-11-25 08:30", 480), Some(1_795_566_600));
        assert_eq!(moment("2026-11-25 00:30", 0), Some(1_795_566_600));
        assert_eq!([moment("1970-01-01 00:00", 480), moment("2026-11-25", 0), moment("", 0)], [None, None, None]);
        for (text, wanted) in [
            ("+08:00", Some(480)),
            ("-03:30", Some(-210)),
            ("+00:00", Some(0)),
            ("+14:01", None),
            ("08:00", None),
            ("+8", None),
            ("＋08:00", None),
            ("", None),
        ] {
            assert_eq!(utc_offset(text), wanted, "{text}");
        }
    }
}
