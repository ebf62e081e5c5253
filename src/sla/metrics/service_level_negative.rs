//! The negative international variant: every abandon is a miss. Timeouts and refusals are not in it.

use super::{Metric, Unit, ratio};

pub(super) const METRIC: Metric = Metric {
    id: "service_level_negative",
    zh: "N秒服务水平（放弃计为未达标）",
    en: "service level within N s, abandons as missed",
    formula: "A_N / (A + Ab)",
    unit: Unit::Ratio,
    of: |c| ratio(c.answered_within, c.answered + c.abandoned()),
};
