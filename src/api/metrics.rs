//! Prometheus metrics: folds of events and figures.
use crate::config::settings::CoreSettings;
use crate::event::{AgentEvent, CallEvent};
use crate::runtime::observer::Figures;
pub struct Metrics;
pub struct Page;
pub fn install(_core: &CoreSettings) -> Result<(Metrics, Page), std::io::Error> {
    Ok((Metrics, Page))
}
impl Metrics {
    pub fn call_event(&mut self, _: &CallEvent) {}
    pub fn agent_event(&mut self, _: &AgentEvent) {}
    pub fn figures(&mut self, _: &Figures, _missed: u64) {}
}
