//! Settings of the way to a queue: called numbers, opening hours, languages; and of calling back.

use crate::ids::{LineName, QueueName, TrunkName};
use crate::plane::PromptId;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// A special line (专线): numbers that lead to a queue on terms of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LineSettings {
    pub name: LineName,
    /// Called numbers in any alias form.
    pub numbers: BTreeSet<String>,
    pub queue: QueueName,
    /// Whose hotline it is (city, province); `None`: the service's own.
    pub tenant: Option<String>,
    /// Instead of the queue's.
    pub greeting: Option<PromptId>,
    /// Instead of the queue's.
    pub priority: Option<u8>,
    /// `None`: always open.
    pub hours: Option<Hours>,
    /// What a caller gets out of hours.
    pub closed: Closed,
    /// Told before the caller is queued (a known failure and when it ends, say): who hangs up has been served without
    /// an agent or a ticket. Any key skips it.
    pub notice: Option<PromptId>,
    pub choice: LanguageChoice,
    /// Calls on this line are flagged and counted in no figure.
    pub test: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Closed {
    /// Play the message (`closed` unless told otherwise) and end the call.
    #[default]
    Message,
    Prompt(PromptId),
    Queue(QueueName),
}

/// How a caller's language is found on this line; the called number itself comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanguageChoice {
    pub by_country: bool,
    pub remembered: bool,
    /// A key during greeting and music; announced in the languages, never asked for.
    pub by_key: bool,
}

/// A language other than the lines' own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LanguageSettings {
    /// BCP 47: `en`.
    pub tag: String,
    pub queue: QueueName,
    /// Country codes of callers taken to speak it, without +: `81`.
    pub countries: BTreeSet<String>,
    /// For callers on lines with `by_key`, and for agents (`*` and this key: pass the caller to the queue).
    pub key: Option<char>,
    /// "For English press 2", in English.
    pub invitation: Option<PromptId>,
}

/// When a line is open, in local time ([`super::CoreSettings::utc_offset`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Monday first: minutes after midnight, `[from, until)`, in order.
    pub week: [Vec<(u16, u16)>; 7],
    /// Days that are not as the week says, as days since 1970-01-01: closed all day.
    pub closed_on: BTreeSet<i32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallbackSettings {
    /// The trunks calls go out by, the first that can; none: nobody is called back.
    pub trunks: Vec<TrunkName>,
    /// When citizens may be called.
    pub hours: Option<Hours>,
    /// How long the citizen's phone rings.
    pub ring_timeout: Duration,
    /// Attempts in all, the first included.
    pub attempts: u8,
    pub retry_after: Duration,
    /// Forgotten after so long.
    pub keep: Duration,
    /// Country codes of numbers that may be called back: anybody can send us a caller's number, at our cost.
    pub countries: BTreeSet<String>,
    /// At most so many wait to be called back; more are turned down.
    pub max_pending: u32,
    /// 漏接回拨: what becomes of calls that were not answered.
    pub missed: MissedCalls,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum MissedCalls {
    Ignore,
    /// Kept in the list for people to work off.
    #[default]
    List,
    /// Called back at this priority whenever an agent is free.
    CallBack {
        priority: u8,
    },
}

impl Default for CallbackSettings {
    fn default() -> Self {
        CallbackSettings {
            trunks: vec![],
            hours: None,
            ring_timeout: Duration::from_secs(40),
            attempts: 3,
            retry_after: Duration::from_secs(600),
            keep: Duration::from_secs(24 * 3_600),
            countries: ["86".to_owned()].into(),
            max_pending: 1_000,
            missed: MissedCalls::default(),
        }
    }
}

impl Hours {
    /// Is it open at this moment, `utc_offset` minutes ahead of UTC?
    pub fn open_at(&self, now: Instant, utc_offset: i16) -> bool {
        let (day, minute) = local_day(now, utc_offset);
        self.spans(day).any(|(from, until)| (from..until).contains(&minute))
    }

    /// Of one day, counted from 1970-01-01: minutes after midnight, `[from, until)`.
    pub fn spans(&self, day: i64) -> impl Iterator<Item = (u16, u16)> {
        // 1970-01-01 was a Thursday; the week begins on Monday.
        let weekday = (day + 3).rem_euclid(7) as usize;
        let closed = self.closed_on.contains(&(day as i32));
        self.week[weekday].iter().copied().filter(move |_| !closed)
    }
}

/// Local days since 1970-01-01, and minutes after midnight, `utc_offset` minutes ahead of UTC.
pub fn local_day(at: Instant, utc_offset: i16) -> (i64, u16) {
    let minutes = (at.as_unix_micros() / 60_000_000) as i64 + i64::from(utc_offset);
    (minutes.div_euclid(1_440), minutes.rem_euclid(1_440) as u16)
}

impl LineSettings {
    /// A line that is nothing but numbers of a queue.
    pub fn of_queue(name: &str, queue: QueueName, numbers: BTreeSet<String>) -> LineSettings {
        LineSettings {
            name: LineName::new(name),
            numbers,
            queue,
            tenant: None,
            greeting: None,
            priority: None,
            hours: None,
            closed: Closed::default(),
            notice: None,
            choice: LanguageChoice::default(),
            test: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_on_weekdays_in_the_morning_but_not_on_a_holiday() {
        let mut hours = Hours::default();
        hours.week[..5].fill(vec![(8 * 60 + 30, 12 * 60)]);
        // 2026-11-20 is a Friday; seconds of its midnight in China.
        let friday = 1_795_104_000;
        let open = |hours: &Hours, day: u64, hour: u64, minute: u64| {
            hours.open_at(Instant::from_unix_secs(friday + day * 86_400 + hour * 3_600 + minute * 60), 480)
        };
        assert_eq!([open(&hours, 0, 8, 29), open(&hours, 0, 8, 30), open(&hours, 0, 11, 59)], [false, true, true]);
        assert_eq!([open(&hours, 0, 12, 0), open(&hours, 1, 9, 0), open(&hours, 3, 9, 0)], [false, false, true]);
        hours.closed_on.insert(20_777);
        assert_eq!([open(&hours, 0, 9, 0), open(&hours, 3, 9, 0)], [false, true]);
    }
}
