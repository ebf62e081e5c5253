//! AHT: what one answered call costs an agent. The counter `talk` includes hold.

use super::{Metric, Unit, mean};

pub(super) const METRIC: Metric = Metric {
    id: "handle_time",
    zh: "平均处理时长",
    en: "average handle time",
    formula: "(talk + hold + wrap-up) / talks",
    unit: Unit::Seconds,
    of: |c| mean(c.talk + c.wrap_up, c.talks),
};
