//! The positive international variant: who hung up within N seconds was not kept waiting too long.

use super::{Metric, Unit, ratio};

pub(super) const METRIC: Metric = Metric {
    id: "service_level_positive",
    zh: "N秒服务水平（放弃计为达标）",
    en: "service level within N s, early abandons as met",
    formula: "(A_N + Ab_N) / (A + Ab)",
    unit: Unit::Ratio,
    of: |c| ratio(c.answered_within + c.abandoned_within, c.answered + c.abandoned()),
};
