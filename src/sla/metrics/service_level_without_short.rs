//! N秒人工接通率 without 速挂: the strict service level, callers who hung up within a few seconds left out.

use super::{Metric, Unit, ratio};

pub(super) const METRIC: Metric = Metric {
    id: "service_level_without_short",
    zh: "N秒人工接通率（不计速挂）",
    en: "service level within N s, short abandons left out",
    formula: "A_N / (R - short)",
    unit: Unit::Ratio,
    of: |c| ratio(c.answered_within, c.requests() - c.short_abandons()),
};
