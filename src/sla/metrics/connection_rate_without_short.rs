//! 接通率 without 速挂: callers who hung up within a few seconds count as if they had not called.

use super::{Metric, Unit, ratio};

pub(super) const METRIC: Metric = Metric {
    id: "connection_rate_without_short",
    zh: "接通率（不计速挂）",
    en: "connection rate, short abandons left out",
    formula: "A / (R - short)",
    unit: Unit::Ratio,
    of: |c| ratio(c.answered, c.requests() - c.short_abandons()),
};
