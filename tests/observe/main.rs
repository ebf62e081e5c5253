//! What operations staff trust: recording rules, alerts and dashboards against the running gateway, a real Prometheus and
//! the event log.

#[path = "../common/mod.rs"]
mod common;
mod dashboards;
mod live;
mod prometheus;
mod recount;
mod rules;

/// A file under `deploy/`.
fn deploy(path: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(deploy(path)).unwrap_or_else(|e| panic!("deploy/{path}: {e}"))
}
