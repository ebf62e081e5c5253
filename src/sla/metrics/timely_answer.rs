//! N秒应答及时率: of the answered alone. It can stand above 接通率, which the strict service level never can.

use super::{Metric, Unit, ratio};

pub(super) const METRIC: Metric = Metric {
    id: "timely_answer",
    zh: "N秒应答及时率",
    en: "timely answers within N s, of the answered",
    formula: "A_N / A",
    unit: Unit::Ratio,
    of: |c| ratio(c.answered_within, c.answered),
};
