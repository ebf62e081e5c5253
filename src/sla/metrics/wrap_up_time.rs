//! The wrap-up part of AHT, spread over all talks. A wrap-up counts when it is over.

use super::{Metric, Unit, mean};

pub(super) const METRIC: Metric = Metric {
    id: "wrap_up_time",
    zh: "平均话后整理时长",
    en: "average wrap-up time",
    formula: "wrap-up / talks",
    unit: Unit::Seconds,
    of: |c| mean(c.wrap_up, c.talks),
};
