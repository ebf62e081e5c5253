//! HTTP: `/metrics`, `/healthz`, a page that names them, and the API under `/v1`. Belongs here: routes and the bounds on
//! connections. Not here: what is measured (`api::metrics`), what counts as healthy (`api::health`), the API (`api::v1`).
//!
//! It serves on an internal address. What is outside `/v1` is for operators and Prometheus, and has nothing about a caller.

mod catalogue;
pub mod health;
pub(crate) mod listener;
pub mod logs;
pub mod metrics;
mod page;
pub mod v1;
pub mod webhooks;

pub use page::Page;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use health::{Facts, Report};
use listener::Lease;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How the API learns the gateway's condition; called at each request, so it must be quick.
pub type HealthSource = Arc<dyn Fn() -> Facts + Send + Sync>;

/// Listens on `addr` (port 0: any free one) and serves until the task is aborted. Returns the address listened on.
pub async fn serve(
    addr: SocketAddr,
    source: HealthSource,
    page: Page,
    v1: &v1::Api,
) -> std::io::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind(addr).await?;
    let local = listener.local_addr()?;
    let app = router(source, page).merge(v1.router());
    let app = app.into_make_service_with_connect_info::<Lease>();
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener::Bounded::new(listener), app).await {
            tracing::error!(%error, "HTTP has ended: no /metrics and no /healthz until a restart");
        }
    });
    Ok((local, task))
}

fn router(source: HealthSource, page: Page) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/healthz", get(healthz))
        .route("/metrics", get(render))
        .with_state(Arc::new(Api { source, page }))
}

struct Api {
    source: HealthSource,
    page: Page,
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
    let text = api.page.render(&(api.source)());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Settings;
    use crate::store::{DeliveryStatus, SpoolStatus};
    use std::sync::Mutex;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    async fn get(addr: SocketAddr, path: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), head.to_lowercase(), body.to_owned())
    }

    async fn start() -> (SocketAddr, Arc<Mutex<Facts>>, JoinHandle<()>) {
        let spool = SpoolStatus { depth: 2, kept: 0, set_aside: 0, lost: 0, trouble: None, commits: 5 };
        let delivery = DeliveryStatus { opened: 7, ..Default::default() };
        let media = crate::media::Figures { received: 5, ..Default::default() };
        let facts = Facts {
            draining: false,
            signalling_up: true,
            media_up: true,
            calls: 1,
            trunks_down: vec![],
            media,
            recording: None,
            browsers: Default::default(),
            spool,
            delivery,
            events: None,
            webhooks: vec![],
            copy: None,
            certificate: None,
        };
        let facts = Arc::new(Mutex::new(facts));
        let source: HealthSource = Arc::new({
            let facts = facts.clone();
            move || facts.lock().unwrap().clone()
        });
        let (_metrics, page) = metrics::install(&Settings::demo([1; 32]).core, &[]).unwrap();
        let (addr, task) =
            serve("127.0.0.1:0".parse().unwrap(), source, page, &v1::Api::new(v1::Sources::none())).await.unwrap();
        (addr, facts, task)
    }

    #[tokio::test]
    async fn healthz_says_ok_and_503_when_calls_cannot_be_taken() {
        let (addr, facts, task) = start().await;
        let health = async || {
            let (code, head, body) = get(addr, "/healthz").await;
            assert!(head.contains("content-type: application/json"), "{head}");
            (code, serde_json::from_str::<serde_json::Value>(&body).unwrap())
        };
        let (code, body) = health().await;
        assert_eq!((code, &body["status"], &body["spool"]["depth"]), (200, &"ok".into(), &2.into()), "{body}");
        facts.lock().unwrap().delivery.trouble = Some("locked".into());
        let (code, body) = health().await;
        assert_eq!((code, &body["status"], &body["case_store"]["reachable"]), (200, &"degraded".into(), &false.into()));
        assert!(body["reasons"][0].as_str().unwrap().contains("locked"), "{body}");
        facts.lock().unwrap().draining = true;
        let (code, body) = health().await;
        assert_eq!((code, &body["status"]), (503, &"draining".into()));
        task.abort();
    }

    #[tokio::test]
    async fn metrics_carry_the_store_and_every_series_has_help() {
        let (addr, _facts, task) = start().await;
        let (code, head, body) = get(addr, "/metrics").await;
        assert_eq!(code, 200);
        assert!(head.contains("content-type: text/plain; version=0.0.4"), "{head}");
        for line in [
            "rexian_spool_depth 2",
            "rexian_tickets_opened_total 7",
            "rexian_store_up 1",
            r#"rexian_rtp_packets_total{direction="received"} 5"#,
            "rexian_tickets_lost_total 0",
        ] {
            assert!(body.lines().any(|l| l == line), "{line}\n{body}");
        }
        for name in body.lines().filter_map(|l| l.strip_prefix("# TYPE ")).map(|l| l.split(' ').next().unwrap()) {
            assert!(body.contains(&format!("# HELP {name} ")), "{name}");
        }
        task.abort();
    }

    #[tokio::test]
    async fn the_page_names_both_and_anything_else_is_404() {
        let (addr, _facts, task) = start().await;
        let (code, _, body) = get(addr, "/").await;
        assert!(code == 200 && body.contains("/metrics") && body.contains("/healthz") && body.contains("热线"));
        assert_eq!(get(addr, "/etc/passwd").await.0, 404);
        task.abort();
    }

    #[tokio::test]
    async fn idle_connections_take_a_bounded_number_of_places() {
        let (addr, _facts, task) = start().await;
        let mut idle = Vec::new();
        for _ in 0..listener::CONNECTIONS {
            idle.push(TcpStream::connect(addr).await.unwrap());
        }
        let waits = tokio::time::timeout(Duration::from_millis(300), get(addr, "/healthz")).await;
        assert!(waits.is_err(), "one more than the bound was served");
        idle.truncate(listener::CONNECTIONS / 2);
        let served = tokio::time::timeout(Duration::from_secs(10), get(addr, "/healthz")).await;
        assert_eq!(served.expect("a place is free").0, 200);
        task.abort();
    }
}
