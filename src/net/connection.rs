//! One open connection, whatever it runs over: messages cut out and handed on, bytes written, until either side ends it.
//! Not here: how it came to be (`streams`, `tls`), where a message ends (`sip::framing`).
//!
//! Security: one that leaves a message half sent, or sends nothing at all, is closed; a peer that does not read loses
//! its connection, not our memory.

use crate::runtime::inbox::{Inbox, Message};
use crate::sip::flow::Flow;
use crate::sip::framing::{Frame, Framer};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Messages written but not yet taken by the peer's TCP.
const WRITE_QUEUE: usize = 256;
/// The rest of a message that has begun must come within this time.
const HALF_MESSAGE: Duration = Duration::from_secs(10);
/// A connection that has never sent a whole message is dropped after this; one that has may idle for longer.
const FIRST_MESSAGE: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(3_600);
/// For the farewell (TLS close_notify); who does not take it is left without.
const CLOSE: Duration = Duration::from_secs(1);

/// What is to be written. It exists before the connection does, and keeps the order.
#[derive(Debug)]
pub struct Queue {
    pub writer: mpsc::Sender<Vec<u8>>,
    outgoing: mpsc::Receiver<Vec<u8>>,
}

impl Queue {
    #[allow(clippy::new_without_default)] // a channel is no default value
    pub fn new() -> Queue {
        let (writer, outgoing) = mpsc::channel(WRITE_QUEUE);
        Queue { writer, outgoing }
    }
}

/// From its first byte to its end.
pub async fn run<S: AsyncRead + AsyncWrite>(stream: S, flow: Flow, queue: Queue, inbox: &Inbox) {
    let (reader, mut writer) = split(stream);
    tokio::select! {
        () = read(reader, flow, queue.writer, inbox) => {}
        () = write(&mut writer, queue.outgoing) => {}
    }
    let _ = timeout(CLOSE, writer.shutdown()).await;
}

async fn read(mut reader: impl AsyncRead + Unpin, flow: Flow, replies: mpsc::Sender<Vec<u8>>, inbox: &Inbox) {
    let mut framer = Framer::new();
    let mut buffer = vec![0u8; 4096];
    let mut patience = FIRST_MESSAGE;
    let mut used = false;
    loop {
        let n = match timeout(patience, reader.read(&mut buffer)).await {
            Ok(Ok(n)) if n > 0 => n,
            _ => return,
        };
        framer.push(&buffer[..n]);
        let mut whole = false;
        while let Some(frame) = framer.next() {
            match frame {
                Ok(Frame::Message(bytes)) => {
                    whole = true;
                    inbox.send(Message::Stream { flow, bytes: bytes.to_vec() });
                }
                // Keeps a connection in use alive; by itself it is no use.
                Ok(Frame::Ping) => {
                    let _ = replies.try_send(b"\r\n".to_vec());
                }
                Err(broken) => {
                    tracing::debug!(remote = %flow.remote, reason = broken.reason, "SIP stream refused, connection closed");
                    return;
                }
            }
        }
        used |= whole;
        patience = match (framer.pending() > 0, used) {
            (true, _) => HALF_MESSAGE,
            (false, true) => IDLE,
            (false, false) => FIRST_MESSAGE,
        };
    }
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), mut outgoing: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = outgoing.recv().await {
        // Over TLS, what is written stays with us until it is flushed.
        // An empty message is the order to close.
        if bytes.is_empty() || writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
            return;
        }
    }
}
