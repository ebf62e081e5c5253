//! Structured logs.
use crate::config::settings::LogSettings;
use crate::event::{AgentEvent, CallEvent};
pub fn init(settings: &LogSettings) {
    let filter = tracing_subscriber::EnvFilter::new(&settings.filter);
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
pub fn call_event(event: &CallEvent) {
    tracing::info!(call = %event.call, what = ?event.what);
}
pub fn agent_event(event: &AgentEvent) {
    tracing::info!(agent = %event.agent, state = event.state.as_str());
}
