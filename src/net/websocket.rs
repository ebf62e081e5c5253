//! SIP over WebSocket (RFC 7118): the handshake, and messages that are cut already, one SIP message each. Not here: how the
//! connection came to be (`streams`), streams without such cuts (`connection`).
//!
//! Security: bounded as any stream is; a page that opens one says where it comes from, and that is compared with the
//! configuration (RFC 6455 s10.2) - who is no browser says nothing and proves itself by its password alone. A far end that
//! does not answer our pings is gone, and so is one that takes longer for a message than a stream may.

use super::connection::{FIRST_MESSAGE, Queue, ROOM, WRITE, Writer};
use super::frames::{Begun, Watched};
use crate::runtime::inbox::{Inbox, Message};
use crate::sip::flow::Flow;
use crate::sip::message::MAX_MESSAGE;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message as Frame};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

/// Of ours: proxies on the way close what is quiet for a minute.
const PING: Duration = Duration::from_secs(25);
/// So long nothing at all, answers to pings included.
const SILENT: Duration = Duration::from_secs(80);
/// Read at once; there may be a thousand of them.
const BUFFER: usize = 4 << 10;

/// The far end's opening handshake (RFC 6455 s4.2) and, if a proxy on this machine tells, who stands behind it.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    origins: &[String],
) -> Result<(WebSocketStream<Watched<S>>, Option<IpAddr>), Error> {
    let mut forwarded = None;
    // The library's own type, and one for each connection at most.
    #[allow(clippy::result_large_err)]
    let judge = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        admit(request.headers(), origins).map_err(|status| {
            let mut refusal = ErrorResponse::new(None);
            *refusal.status_mut() = status;
            refusal
        })?;
        forwarded = behind(request.headers());
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("sip"));
        Ok(response)
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(4 * MAX_MESSAGE)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let socket = accept_hdr_async_with_config(Watched::new(stream), judge, Some(config)).await?;
    Ok((socket, forwarded))
}

fn admit(headers: &HeaderMap, origins: &[String]) -> Result<(), StatusCode> {
    let text = |value: &HeaderValue| value.to_str().map(str::to_ascii_lowercase).unwrap_or_default();
    if let Some(origin) = headers.get("origin").map(text)
        && !origins.contains(&origin)
    {
        // Of a stranger, who chooses the words.
        let origin: String = origin.chars().take(100).collect();
        tracing::debug!(?origin, "a page may not connect its phone here: web_origins of [sip] does not name it");
        return Err(StatusCode::FORBIDDEN);
    }
    let offered = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().map(text).collect::<Vec<_>>().join(",");
    if offered.split(',').any(|protocol| protocol.trim() == "sip") { Ok(()) } else { Err(StatusCode::BAD_REQUEST) }
}

/// The last of a list is what the nearest proxy saw.
fn behind(headers: &HeaderMap) -> Option<IpAddr> {
    let named = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    named.rsplit(',').next()?.trim().parse().ok()
}

/// From its handshake to its end. `room`: for what has been read and not yet served, in bytes, of all connections.
pub async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: WebSocketStream<Watched<S>>,
    flow: Flow,
    queue: Queue,
    inbox: &Inbox,
    room: &Arc<Semaphore>,
) {
    let begun = socket.get_mut().begin();
    let (mut to, from) = socket.split();
    let Queue { writer: Writer { messages, enough }, outgoing } = queue;
    tokio::select! {
        () = read(from, begun, flow, messages, inbox, room) => {}
        () = write(&mut to, outgoing) => {}
        () = enough.notified() => {}
    }
    let _ = timeout(WRITE, to.close()).await;
}

async fn read(
    mut from: impl Stream<Item = Result<Frame, Error>> + Unpin,
    begun: Begun,
    flow: Flow,
    replies: mpsc::Sender<Vec<u8>>,
    inbox: &Inbox,
    room: &Arc<Semaphore>,
) {
    let mut until = Instant::now() + FIRST_MESSAGE;
    let mut used = false;
    while let Some(Ok(frame)) = next(&mut from, &begun, until).await {
        match frame {
            Frame::Text(_) | Frame::Binary(_) => {
                let bytes = frame.into_data();
                // RFC 5626 s3.5.1, which RFC 7118 s6 allows for: by itself it is no use.
                if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                    let _ = replies.try_send(b"\r\n".to_vec());
                } else {
                    used = true;
                    let size = bytes.len().min(ROOM) as u32;
                    let Ok(place) = room.clone().acquire_many_owned(size).await else { return };
                    inbox.send(Message::Stream { flow, bytes: bytes.to_vec(), place });
                }
            }
            // The library answers pings.
            Frame::Ping(_) | Frame::Pong(_) => {}
            Frame::Close(_) | Frame::Frame(_) => return,
        }
        if used {
            until = Instant::now() + SILENT;
        }
    }
}

/// `None`: it has ended, or is late: nothing came until `until`, or what came is no whole message for too long.
async fn next<T>(from: &mut (impl Stream<Item = T> + Unpin), begun: &Begun, until: Instant) -> Option<T> {
    let mut late = pin!(sleep_until(until));
    poll_fn(|cx| {
        if let Poll::Ready(frame) = from.poll_next_unpin(cx) {
            return Poll::Ready(frame);
        }
        // With whatever comes it is asked again.
        let due = begun.at().map_or(until, |at| until.min(at + FIRST_MESSAGE));
        late.as_mut().reset(due);
        late.as_mut().poll(cx).map(|()| None)
    })
    .await
}

async fn write(to: &mut (impl Sink<Frame, Error = Error> + Unpin), mut outgoing: mpsc::Receiver<Vec<u8>>) {
    let mut pings = interval(PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let frame = tokio::select! {
            _ = pings.tick() => Frame::Ping(Bytes::new()),
            bytes = outgoing.recv() => match bytes {
                // An empty message is the order to close.
                Some(bytes) if !bytes.is_empty() => framed(bytes),
                _ => return,
            },
        };
        if !matches!(timeout(WRITE, to.send(frame)).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// RFC 7118 s5.1: either; browsers' phones read text.
fn framed(bytes: Vec<u8>) -> Frame {
    match String::from_utf8(bytes) {
        Ok(text) => Frame::text(text),
        Err(other) => Frame::binary(other.into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::inbox::{self, Outbox};
    use crate::sip::flow::Transport;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio_tungstenite::tungstenite::protocol::Role;

    const PAGE: &str = "https://phones.example";

    async fn shake(more: &str) -> (String, Option<IpAddr>, DuplexStream) {
        let (ours, mut theirs) = duplex(8 << 10);
        let shaking = tokio::spawn(async move { accept(ours, &[PAGE.to_owned()]).await.ok().map(|(_, ip)| ip) });
        let request = format!(
            "GET /sip HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
        );
        theirs.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4 << 10];
        let n = theirs.read(&mut answer).await.unwrap();
        (String::from_utf8_lossy(&answer[..n]).into_owned(), shaking.await.unwrap().flatten(), theirs)
    }

    #[tokio::test]
    async fn pages_that_are_named_and_phones_that_are_none_may_speak_sip() {
        let sip = "Sec-WebSocket-Protocol: chat, sip\r\n";
        for (more, status) in [
            (format!("{sip}Origin: {PAGE}\r\n"), "101"),
            (format!("{sip}Origin: HTTPS://Phones.Example\r\n"), "101"),
            (sip.to_owned(), "101"),
            (format!("{sip}Origin: https://evil.example\r\n"), "403"),
            (format!("{sip}Origin: null\r\n"), "403"),
            (format!("Origin: {PAGE}\r\n"), "400"),
            ("Sec-WebSocket-Protocol: sips\r\n".into(), "400"),
        ] {
            let (answer, ..) = shake(&more).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{more}{answer}");
            assert_eq!(answer.to_lowercase().contains("sec-websocket-protocol: sip\r\n"), status == "101", "{answer}");
        }
        let (_, ip, _) = shake(&format!("{sip}X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n")).await;
        assert_eq!(ip, Some("192.0.2.7".parse().unwrap()), "what a client claims comes before it");
    }

    /// A running connection, and its far end.
    async fn open() -> (WebSocketStream<DuplexStream>, Writer, Outbox, tokio::task::JoinHandle<()>) {
        let (ours, theirs) = duplex(256);
        let (inbox, outbox) = inbox::channel().unwrap();
        let here = "127.0.0.1:5443".parse().unwrap();
        let flow = Flow { transport: Transport::Wss, local: here, remote: here, connection: 1 };
        let (queue, room) = (Queue::new(), Arc::new(Semaphore::new(ROOM)));
        let writer = queue.writer.clone();
        let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE));
        let socket = WebSocketStream::from_raw_socket(Watched::new(ours), Role::Server, Some(config)).await;
        let running = tokio::spawn(async move { run(socket, flow, queue, &inbox, &room).await });
        (WebSocketStream::from_raw_socket(theirs, Role::Client, None).await, writer, outbox, running)
    }

    async fn next_of(outbox: &Outbox) -> Vec<u8> {
        loop {
            match outbox.take() {
                Some(Message::Stream { bytes, .. }) => return bytes,
                Some(other) => panic!("{other:?}"),
                None => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
    }

    #[tokio::test]
    async fn each_message_is_one_both_ways_and_an_empty_line_is_answered() {
        let (mut far, writer, outbox, running) = open().await;
        let said = "OPTIONS sip:a SIP/2.0\r\n\r\n".to_owned() + &"b".repeat(2_000);
        far.send(Frame::text("\r\n\r\n")).await.unwrap();
        far.send(Frame::text(said.clone())).await.unwrap();
        far.send(Frame::binary(said.clone().into_bytes())).await.unwrap();
        assert_eq!(next_of(&outbox).await, said.as_bytes());
        assert_eq!(next_of(&outbox).await, said.as_bytes());
        writer.send(b"SIP/2.0 200 OK\r\n\r\n".to_vec()).unwrap();
        writer.send(b"SIP/2.0 200 \xff\r\n\r\n".to_vec()).unwrap();
        writer.close();
        let mut heard = vec![];
        while let Some(Ok(frame)) = far.next().await {
            heard.extend((!frame.is_ping() && !frame.is_close()).then_some(frame));
        }
        let expected = [
            Frame::text("\r\n"),
            Frame::text("SIP/2.0 200 OK\r\n\r\n"),
            Frame::binary(b"SIP/2.0 200 \xff\r\n\r\n".to_vec()),
        ];
        assert_eq!(heard, expected);
        running.await.unwrap();
    }

    #[tokio::test]
    async fn who_sends_too_much_or_no_message_is_closed() {
        let (mut far, .., running) = open().await;
        let _ = timeout(FIRST_MESSAGE, far.send(Frame::binary(vec![b'x'; MAX_MESSAGE + 1]))).await;
        running.await.unwrap();
        let (mut far, .., running) = open().await;
        let began = Instant::now();
        while far.send(Frame::text("\r\n\r\n")).await.is_ok() && !running.is_finished() {
            let _ = timeout(Duration::from_millis(100), far.next()).await;
        }
        assert!((FIRST_MESSAGE..FIRST_MESSAGE * 2).contains(&began.elapsed()), "{:?}", began.elapsed());
    }

    /// A message in pieces, each of them in time and pings between them.
    #[tokio::test]
    async fn who_never_ends_a_message_is_closed() {
        let (mut far, _, outbox, running) = open().await;
        let said = "OPTIONS sip:a SIP/2.0\r\n\r\n";
        far.send(Frame::text(said)).await.unwrap();
        assert_eq!(next_of(&outbox).await, said.as_bytes());
        let (began, wire) = (Instant::now(), far.get_mut());
        wire.write_all(&[0x01, 0x81, 0, 0, 0, 0, b'x']).await.unwrap();
        for piece in [[0x89, 0x80, 0, 0, 0, 0], [0x00, 0x80, 0, 0, 0, 0]].iter().cycle() {
            tokio::time::sleep(Duration::from_millis(400)).await;
            if running.is_finished() || wire.write_all(piece).await.is_err() {
                break;
            }
            assert!(began.elapsed() < FIRST_MESSAGE * 2, "still open");
        }
        assert!(began.elapsed() >= FIRST_MESSAGE, "{:?}", began.elapsed());
    }
}
