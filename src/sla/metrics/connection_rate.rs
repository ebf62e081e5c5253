//! 接通率: of all requests for a human, how many reached one. GB/T 33358-2016 asks for 95 % over any continuous 24 h.

use super::{Metric, Unit, ratio};

pub(super) const METRIC: Metric = Metric {
    id: "connection_rate",
    zh: "接通率",
    en: "connection rate",
    formula: "A / R",
    unit: Unit::Ratio,
    of: |c| ratio(c.answered, c.requests()),
};
