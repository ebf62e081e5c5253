//! ASA: how long the answered had waited, ringing included.

use super::{Metric, Unit, mean};

pub(super) const METRIC: Metric = Metric {
    id: "average_speed_of_answer",
    zh: "平均应答速度",
    en: "average speed of answer",
    formula: "sum(answer - request) / A",
    unit: Unit::Seconds,
    of: |c| mean(c.answered_wait, c.answered),
};
