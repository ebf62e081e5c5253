//! The named figures, one per file. Reports in use mix formulas of like names, so each figure carries its names and
//! its formula wherever it is shown. Letters: A answered, Ab abandoned, R requests for a human, index N: within N s.

mod abandon_rate;
mod average_speed_of_answer;
mod connection_rate;
mod connection_rate_without_short;
mod handle_time;
mod hold_time;
mod service_level;
mod service_level_ignore;
mod service_level_negative;
mod service_level_positive;
mod service_level_without_short;
mod talk_time;
mod timely_answer;
mod wrap_up_time;

use super::Counters;
use serde::Serialize;
use std::time::Duration;

/// A figure's definition.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Stable: exports and APIs refer to it.
    pub id: &'static str,
    /// `N` in the names stands for the threshold's seconds.
    pub zh: &'static str,
    pub en: &'static str,
    pub formula: &'static str,
    pub unit: Unit,
    /// `None` when there is nothing to divide by.
    pub of: fn(&Counters) -> Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 0 to 1.
    Ratio,
    Seconds,
}

/// In the order in which reports show them.
pub const ALL: [Metric; 14] = [
    connection_rate::METRIC,
    connection_rate_without_short::METRIC,
    service_level::METRIC,
    service_level_without_short::METRIC,
    timely_answer::METRIC,
    service_level_positive::METRIC,
    service_level_negative::METRIC,
    service_level_ignore::METRIC,
    abandon_rate::METRIC,
    average_speed_of_answer::METRIC,
    handle_time::METRIC,
    talk_time::METRIC,
    hold_time::METRIC,
    wrap_up_time::METRIC,
];

/// A figure with its value and its names as shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    pub id: &'static str,
    pub zh: String,
    pub en: String,
    pub formula: &'static str,
    pub unit: Unit,
    pub value: Option<f64>,
}

/// All figures of these counters. `within` puts the seconds in place of `N` in the names.
pub fn figures(counters: &Counters, within: Option<Duration>) -> Vec<Figure> {
    let named = |name: &str| match within {
        Some(within) => name.replace('N', &within.as_secs_f64().to_string()),
        None => name.to_owned(),
    };
    let figure = |metric: Metric| Figure {
        id: metric.id,
        zh: named(metric.zh),
        en: named(metric.en),
        formula: metric.formula,
        unit: metric.unit,
        value: (metric.of)(counters),
    };
    ALL.map(figure).into()
}

fn ratio(part: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

fn mean(sum: Duration, over: u64) -> Option<f64> {
    (over > 0).then(|| sum.as_secs_f64() / over as f64)
}
