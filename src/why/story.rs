//! The walk through a call's facts: when each was, and what it needs to know of those before it. Not here: the words.

use super::{chinese, english};
use crate::event::CallFact;
use crate::store::journal::{Entry, Recorded};
use crate::time::Instant;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Language {
    Zh,
    En,
}

impl Language {
    /// What the locale says, as programs of this kind understand it.
    pub fn of_environment() -> Language {
        let named =
            ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|v| std::env::var(v).ok().filter(|v| !v.is_empty()));
        if named.is_some_and(|locale| locale.starts_with("zh")) { Language::Zh } else { Language::En }
    }

    fn words(self) -> Words {
        match self {
            Language::Zh => Words { fact: chinese::fact, remark: chinese::remark },
            Language::En => Words { fact: english::fact, remark: english::remark },
        }
    }
}

/// A language's sentences.
struct Words {
    /// `None`: no part of the story.
    fact: fn(&CallFact, &Before) -> Option<String>,
    remark: fn(&Remark) -> String,
}

/// What a sentence about a fact needs to know beside it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Before {
    /// Since the caller entered the queue.
    pub in_queue: Duration,
    /// Since the seat began to ring.
    pub ringing: Duration,
}

/// What is said beside the facts.
pub(super) enum Remark {
    Title {
        call: String,
        day: String,
        offset: String,
    },
    Missed(u64),
    Restarted,
    Unknown,
    /// The call has no recorded end.
    NoEnd,
}

/// The story, a line for each fact. `utc_offset`: minutes, for the times.
pub fn tell(recorded: &[Recorded], language: Language, utc_offset: i16) -> String {
    let words = language.words();
    let mut story = String::new();
    let mut line = |text: String| story.extend([text.as_str(), "\n"]);
    let call = recorded.iter().find_map(|r| if let Entry::Call(event) = &r.what { Some(event.call) } else { None });
    let begun = recorded.first().map_or(Instant::ZERO, |r| r.at);
    line((words.remark)(&Remark::Title {
        call: call.map(|call| call.to_string()).unwrap_or_default(),
        day: local(begun, utc_offset, "%Y-%m-%d"),
        offset: local(begun, utc_offset, "%:z"),
    }));
    let (mut entered, mut rings, mut ended) = (begun, begun, false);
    for Recorded { at, what, .. } in recorded {
        let before = Before { in_queue: *at - entered, ringing: *at - rings };
        let text = match what {
            Entry::Call(event) => {
                match &event.what {
                    CallFact::Queued { .. } | CallFact::Moved { .. } => entered = *at,
                    CallFact::Offered { .. } => rings = *at,
                    CallFact::Ended { .. } => ended = true,
                    _ => {}
                }
                (words.fact)(&event.what, &before)
            }
            Entry::Agent(_) | Entry::Leader(_) => None,
            Entry::Gap { missed, .. } => Some((words.remark)(&Remark::Missed(*missed))),
            Entry::Started => Some((words.remark)(&Remark::Restarted)),
            Entry::Unknown(_) => Some((words.remark)(&Remark::Unknown)),
        };
        if let Some(text) = text {
            let since = (*at - begun).as_secs_f64();
            line(format!("{}  {:>9}  {text}", local(*at, utc_offset, "%H:%M:%S.%3f"), format!("+{since:.1} s")));
        }
    }
    if !ended {
        line((words.remark)(&Remark::NoEnd));
    }
    story
}

pub(crate) fn local(at: Instant, utc_offset: i16, format: &str) -> String {
    let offset = Offset::from_seconds(i32::from(utc_offset) * 60).unwrap_or(Offset::UTC);
    let micros = i64::try_from(at.as_unix_micros()).unwrap_or(i64::MAX);
    Timestamp::from_microsecond(micros)
        .map_or_else(|_| String::new(), |at| at.to_zoned(TimeZone::fixed(offset)).strftime(format).to_string())
}

/// Seconds to a tenth below a minute, whole seconds above.
pub(super) fn span(time: Duration) -> (u64, f64) {
    (
        time.as_secs() / 60,
        if time.as_secs() < 60 { (time.as_secs_f64() * 10.0).round() / 10.0 } else { (time.as_secs() % 60) as f64 },
    )
}
