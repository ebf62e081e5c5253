//! Reading the forecast's own TOML files with errors that name the place. Belongs here: text to value, times, clock
//! times, where a key stands. Not here: what the values mean (`profile`, `roster`).

use crate::config::Problem;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use std::path::Path;
use std::time::Duration;

/// The file's text.
pub fn text(path: &Path, option: &str) -> Result<String, Problem> {
    std::fs::read_to_string(path).map_err(|e| Problem {
        file: path.to_owned(),
        line: 0,
        what: format!("cannot be read: {e}"),
        fix: format!("name an existing file with {option}, or leave that out for the shipped one"),
    })
}

pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, Problem> {
    toml_edit::de::from_str(text).map_err(|e| Problem {
        file: path.to_owned(),
        line: e.span().map_or(0, |span| 1 + text[..span.start.min(text.len())].matches('\n').count()),
        what: e.message().trim().replace('\n', ", "),
        fix: "mend this value; deploy/simulate holds files with every key explained".into(),
    })
}

/// The line on which `key` is set; 0 if it is not.
pub fn line_of(text: &str, key: &str) -> usize {
    let sets = |line: &str| line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
    text.lines().position(sets).map_or(0, |i| i + 1)
}

/// `"30s"`, `"1.5m"`, `"500ms"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time(pub Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        let text = String::deserialize(from)?;
        time(&text)
            .map(Time)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is no time; write \"500ms\", \"30s\", \"5m\" or \"1h\"")))
    }
}

/// At most a day.
pub fn time(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return None,
    };
    let total = number.parse::<f64>().ok()? * seconds;
    (total <= 86_400.0).then(|| Duration::from_secs_f64(total))
}

/// `09:30`, `24:00`; since midnight.
pub fn clock(text: &str) -> Option<Duration> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes) = (hours.parse::<u64>().ok()?, minutes.parse::<u64>().ok()?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= 1_440).then(|| Duration::from_secs(total * 60))
}
