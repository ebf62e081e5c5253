//! The ignoring international variant: who hung up within N seconds is left out.

use super::{Metric, Unit, ratio};

pub(super) const METRIC: Metric = Metric {
    id: "service_level_ignore",
    zh: "N秒服务水平（不计N秒内放弃）",
    en: "service level within N s, early abandons left out",
    formula: "A_N / (A + Ab - Ab_N)",
    unit: Unit::Ratio,
    of: |c| ratio(c.answered_within, c.answered + c.abandoned() - c.abandoned_within),
};
