//! Events over a WebSocket (RFC 6455): one JSON text message each. Not here: which (`events`).

use crate::api::logs::Told;
use axum::extract::ws::{Message, WebSocket};
use futures_util::{SinkExt, Stream, StreamExt};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// A reader so slow is gone.
const PATIENCE: Duration = Duration::from_secs(10);
const PING_EVERY: Duration = Duration::from_secs(15);

/// Until either side has enough. What the far end sends is read for pings and its close, and means nothing else.
pub async fn send(socket: WebSocket, mut events: impl Stream<Item = Told> + Unpin) {
    let (mut out, mut back) = socket.split();
    let mut ping_at = Instant::now() + PING_EVERY;
    loop {
        let message = tokio::select! {
            event = events.next() => match event {
                Some(told) => Message::Text(told.event.to_string().into()),
                None => break,
            },
            said = back.next() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => continue,
            },
            () = sleep_until(ping_at) => Message::Ping(Default::default()),
        };
        ping_at = Instant::now() + PING_EVERY;
        if !matches!(timeout(PATIENCE, out.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
    let _ = timeout(PATIENCE, out.close()).await;
}
