//! HTTP: `/metrics`, `/healthz` and a page that names them. Belongs here: routes and the bounds on connections. Not
//! here: what is measured (`api::metrics`), what counts as healthy (`api::health`).
//!
//! It serves operators and Prometheus on an internal address; there is nothing to write and nothing about a caller.

mod catalogue;
pub mod health;
mod listener;
pub mod metrics;

pub use catalogue::recorder;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use health::{Facts, Report};
use metrics::StoreMetrics;
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How the API learns the gateway's condition; called at each request, so it must be quick.
pub type HealthSource = Arc<dyn Fn() -> Facts + Send + Sync>;

/// The exporter keeps raw samples until they are scraped or folded; folding bounds memory when nobody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// Makes our recorder the process-wide one. Once, before [`metrics::Metrics::new`].
pub fn install_recorder() -> Result<PrometheusHandle, String> {
    let recorder = recorder().map_err(|e| e.to_string())?;
    let handle = recorder.handle();
    ::metrics::set_global_recorder(recorder).map_err(|e| e.to_string())?;
    Ok(handle)
}

/// Listens on `addr` (port 0: any free one) and serves until the task is aborted. Returns the address listened on.
pub async fn serve(
    addr: SocketAddr,
    source: HealthSource,
    prometheus: PrometheusHandle,
) -> std::io::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind(addr).await?;
    let local = listener.local_addr()?;
    let upkeep = prometheus.clone();
    let app = router(source, prometheus);
    let task = tokio::spawn(async move {
        let mut tick = tokio::time::interval(UPKEEP);
        let served = axum::serve(listener::Bounded::new(listener), app).into_future();
        tokio::pin!(served);
        loop {
            tokio::select! {
                _ = tick.tick() => upkeep.run_upkeep(),
                _ = &mut served => return,
            }
        }
    });
    Ok((local, task))
}

/// The routes; series of the store are registered on the current recorder.
pub fn router(source: HealthSource, prometheus: PrometheusHandle) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/healthz", get(healthz))
        .route("/metrics", get(render))
        .with_state(Arc::new(Api { source, prometheus, store: StoreMetrics::new() }))
}

struct Api {
    source: HealthSource,
    prometheus: PrometheusHandle,
    store: StoreMetrics,
}

async fn index() -> Html<&'static str> {
    Html(include_str!("index.html"))
}

async fn healthz(State(api): State<Arc<Api>>) -> impl IntoResponse {
    let report = Report::of(&(api.source)());
    let code = if report.takes_calls() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let json = serde_json::to_string(&report).expect("plain data");
    (code, [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], json)
}

async fn render(State(api): State<Arc<Api>>) -> impl IntoResponse {
    let facts = (api.source)();
    api.store.set(&facts.spool, &facts.delivery);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], api.prometheus.render())
}
