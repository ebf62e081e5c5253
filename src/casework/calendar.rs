//! Which days are worked in China: weekends, public holidays, and the weekend days worked in exchange (调休). Belongs here:
//! the calendar, its file form, counting working days. Not here: which deadlines there are (`rules`, `case`).
//!
//! What counts. A ticket **counts from** the working day on which it comes in before closing time; one that comes in after
//! closing, at night before a holiday, or on a day off counts from the next working day (before opening on a working day:
//! from that day). The day it counts from is day 0: two working days from a Monday end with Wednesday, at midnight.

use super::day::Day;
use super::table::{self, Fault};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The State Council's arrangements of the years that were announced when this was built.
const SHIPPED: &str = include_str!("../../deploy/casework/holidays.csv");

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayKind {
    Holiday,
    /// A Saturday or Sunday that is worked.
    Workday,
}

/// Days that are not what their weekday says. A year without any is taken to have weekends only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    days: BTreeMap<Day, (DayKind, String)>,
}

impl Calendar {
    pub fn shipped() -> Calendar {
        Calendar::parse(SHIPPED).expect("a test reads it")
    }

    /// From `date,kind,name` lines, kind being `holiday` or `workday`.
    pub fn parse(text: &str) -> Result<Calendar, Vec<Fault>> {
        let (mut faults, mut days) = (vec![], BTreeMap::new());
        let mut lines: BTreeMap<Day, usize> = BTreeMap::new();
        for (line, cells) in table::rows(text, &["date", "kind", "name"], &mut faults) {
            let Ok(day) = cells[0].parse::<Day>() else {
                let what = format!("{:?} is not a date", cells[0]);
                faults.push(Fault::new(line, what, "write an existing day as 2026-10-01"));
                continue;
            };
            let kind = match cells[1] {
                "holiday" => DayKind::Holiday,
                "workday" => DayKind::Workday,
                other => {
                    let fix = "write holiday for a day off, workday for a weekend day that is worked";
                    faults.push(Fault::new(line, format!("{other:?} is not a kind of day"), fix));
                    continue;
                }
            };
            if kind == DayKind::Workday && !day.is_weekend() {
                let fix = "remove the line, or mend the date: workday is for Saturdays and Sundays";
                faults.push(Fault::new(line, format!("{day} is worked anyway, it is no weekend day"), fix));
            }
            if let Some(first) = lines.insert(day, line) {
                let what = format!("{day} is named twice, first in line {first}");
                faults.push(Fault::new(line, what, "keep one of the two"));
            }
            days.insert(day, (kind, cells[2].to_owned()));
        }
        table::judged(Calendar { days }, faults)
    }

    pub fn is_workday(&self, day: Day) -> bool {
        match self.days.get(&day) {
            Some((kind, _)) => *kind == DayKind::Workday,
            None => !day.is_weekend(),
        }
    }

    /// The day from which what comes in at `at` counts; `closes`: minutes after midnight.
    pub fn counts_from(&self, at: Instant, closes: u16) -> Day {
        match Day::of(at) {
            (day, minute) if self.is_workday(day) && minute < closes => day,
            (day, _) => self.after(day, 1),
        }
    }

    /// The `working_days`-th working day after `from`.
    pub fn after(&self, from: Day, working_days: u32) -> Day {
        let mut day = from;
        for _ in 0..working_days {
            day = day.next();
            // Ends: the days named are finite.
            while !self.is_workday(day) {
                day = day.next();
            }
        }
        day
    }

    /// Years with arrangements.
    pub fn years(&self) -> BTreeSet<i16> {
        self.days.keys().map(|day| day.year()).collect()
    }

    /// Years without arrangements that a deadline set at `now` may reach. What to do is [`Calendar::advice`].
    pub fn unknown_years(&self, now: Instant) -> Vec<i16> {
        let (years, (today, _)) = (self.years(), Day::of(now));
        let reached = BTreeSet::from([today.year(), today.plus(FURTHEST_DEADLINE).year()]);
        reached.difference(&years).copied().collect()
    }

    pub fn advice(year: i16) -> String {
        format!(
            "the holidays of {year} are not known, deadlines take its weekends only: add them to the file that calendar \
             in [casework] names, as the State Council's notice of the autumn before has them"
        )
    }

    /// Holidays and weekend days worked.
    pub fn counts(&self) -> (usize, usize) {
        let holidays = self.days.values().filter(|(kind, _)| *kind == DayKind::Holiday).count();
        (holidays, self.days.len() - holidays)
    }
}

/// Days: a reply extended over the longest holiday.
const FURTHEST_DEADLINE: i32 = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    /// `2026-02-13 18:00` in China.
    fn at(text: &str) -> Instant {
        let (date, time) = text.split_once(' ').unwrap();
        let (hour, minute) = time.split_once(':').unwrap();
        let minutes = hour.parse::<u64>().unwrap() * 60 + minute.parse::<u64>().unwrap();
        day(date).begins() + std::time::Duration::from_secs(minutes * 60)
    }

    #[test]
    fn the_shipped_calendar_is_the_state_councils() {
        let calendar = Calendar::shipped();
        assert_eq!(calendar.years(), BTreeSet::from([2025, 2026]));
        // 2025: 1 + 8 + 3 + 5 + 3 + 8 days off, 5 worked; 2026: 3 + 9 + 3 + 5 + 3 + 3 + 7, 6 worked.
        assert_eq!(calendar.counts(), (28 + 33, 5 + 6));
        // Every holiday in exchange for weekend days leaves as many working days as the law gives: 248 in 2025 and in 2026.
        for year in [2025, 2026] {
            let mut days = (0..366).map(|n| day(&format!("{year}-01-01")).plus(n)).take_while(|d| d.year() == year);
            assert_eq!(days.by_ref().filter(|d| calendar.is_workday(*d)).count(), 248, "{year}");
        }
    }

    #[test]
    fn what_comes_in_counts_from_a_working_day() {
        let calendar = Calendar::shipped();
        for (received, expected) in [
            ("2026-11-20 10:00", "2026-11-20"),
            ("2026-11-20 17:29", "2026-11-20"),
            ("2026-11-20 17:30", "2026-11-23"), // Friday after closing: Monday
            ("2026-11-23 02:00", "2026-11-23"), // before opening: that day
            ("2026-11-22 12:00", "2026-11-23"), // Sunday
            ("2026-02-13 18:00", "2026-02-14"), // Friday evening; the Saturday is worked for Spring Festival
            ("2026-02-14 18:00", "2026-02-24"), // the last evening before Spring Festival
            ("2026-02-17 09:00", "2026-02-24"),
            ("2026-02-28 09:00", "2026-02-28"), // worked Saturday
            ("2026-09-30 17:30", "2026-10-08"), // before National Day
            ("2026-10-10 09:00", "2026-10-10"), // worked Saturday after it
            ("2025-01-25 09:00", "2025-01-26"), // Saturday off, Sunday worked
            ("2025-09-30 20:00", "2025-10-09"),
            ("2026-12-31 23:00", "2027-01-01"), // 2027 is not known: weekends only
        ] {
            assert_eq!(calendar.counts_from(at(received), 17 * 60 + 30), day(expected), "{received}");
        }
    }

    #[test]
    fn working_days_are_counted_over_holidays() {
        let calendar = Calendar::shipped();
        for (from, days, expected) in [
            ("2026-11-23", 0, "2026-11-23"),
            ("2026-11-23", 2, "2026-11-25"),
            ("2026-11-26", 2, "2026-11-30"),
            ("2026-11-23", 5, "2026-11-30"),
            ("2026-02-12", 2, "2026-02-14"), // Thursday; Friday, worked Saturday
            ("2026-02-13", 2, "2026-02-24"), // worked Saturday, then the first day after the festival
            ("2026-02-13", 5, "2026-02-27"),
            ("2026-02-24", 5, "2026-03-02"), // the Saturday 28th is worked
            ("2026-09-17", 2, "2026-09-20"), // Friday and the worked Sunday
            ("2026-09-30", 2, "2026-10-09"),
            ("2026-09-30", 3, "2026-10-10"), // worked Saturday
            ("2025-09-26", 5, "2025-10-10"), // Sunday 28th worked, 29, 30, then 9 and 10 October
            ("2026-04-30", 4, "2026-05-09"), // 6, 7, 8 May and the worked Saturday
        ] {
            assert_eq!(calendar.after(day(from), days), day(expected), "{from} + {days}");
        }
    }

    #[test]
    fn a_year_without_arrangements_is_told_in_time() {
        let calendar = Calendar::shipped();
        for (now, expected) in [
            ("2026-06-01 12:00", &[][..]),
            ("2026-12-01 12:00", &[2027][..]),
            ("2027-03-01 12:00", &[2027][..]),
            ("2027-12-30 12:00", &[2027, 2028][..]),
        ] {
            assert_eq!(calendar.unknown_years(at(now)), expected, "{now}");
        }
    }

    #[test]
    fn every_fault_of_a_file_is_told_with_its_line() {
        let text = "\u{feff}date,kind,name\n# 2026\n2026-02-30,holiday,x\n2026-10-01,feast,x\n2026-10-02,workday,x\n\
                    2026-10-03,holiday,国庆节\n2026-10-03,holiday,again\n2026-10-04,holiday,a,b\n";
        let faults = Calendar::parse(text).unwrap_err();
        let told: Vec<_> = faults.iter().map(|f| (f.line, f.what.as_str())).collect();
        assert_eq!(
            told,
            [
                (3, "\"2026-02-30\" is not a date"),
                (4, "\"feast\" is not a kind of day"),
                (5, "2026-10-02 is worked anyway, it is no weekend day"),
                (7, "2026-10-03 is named twice, first in line 6"),
                (8, "4 cells where the table has 3"),
            ]
        );
        assert_eq!(Calendar::parse("").unwrap_err()[0].what, "the table is empty");
        assert!(Calendar::parse("date;kind;name\n").unwrap_err()[0].fix.contains("date,kind,name"));
    }
}
