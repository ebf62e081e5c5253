//! The hold part of AHT, spread over all talks.

use super::{Metric, Unit, mean};

pub(super) const METRIC: Metric = Metric {
    id: "hold_time",
    zh: "平均保持时长",
    en: "average hold time",
    formula: "hold / talks",
    unit: Unit::Seconds,
    of: |c| mean(c.hold, c.talks),
};
