//! The talk part of AHT, time on hold left out.

use super::{Metric, Unit, mean};

pub(super) const METRIC: Metric = Metric {
    id: "talk_time",
    zh: "平均通话时长",
    en: "average talk time, hold left out",
    formula: "talk / talks",
    unit: Unit::Seconds,
    of: |c| mean(c.talk.saturating_sub(c.hold), c.talks),
};
