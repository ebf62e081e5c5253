//! N秒人工接通率: the strict service level. Whoever was lost counts against it.

use super::{Metric, Unit, ratio};

pub(super) const METRIC: Metric = Metric {
    id: "service_level",
    zh: "N秒人工接通率",
    en: "service level within N s, of all requests",
    formula: "A_N / R",
    unit: Unit::Ratio,
    of: |c| ratio(c.answered_within, c.requests()),
};
