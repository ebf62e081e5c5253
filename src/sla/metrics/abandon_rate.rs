//! 放弃率: callers who hung up themselves before an agent was connected, of all requests made.

use super::{Metric, Unit, ratio};

pub(super) const METRIC: Metric = Metric {
    id: "abandon_rate",
    zh: "放弃率",
    en: "abandon rate",
    formula: "Ab / offered",
    unit: Unit::Ratio,
    of: |c| ratio(c.abandoned(), c.offered),
};
