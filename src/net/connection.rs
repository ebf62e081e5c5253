//! One open connection, whatever it runs over: messages cut out and handed on, bytes written, until either side ends it.
//! Not here: how it came to be (`streams`, `tls`), where a message ends (`sip::framing`).
//!
//! Security: one that leaves a message half sent, or sends nothing at all, is closed; a peer that does not read loses
//! its connection, not our memory; one that sends faster than is served waits, and not in our memory either.

use crate::runtime::inbox::{Inbox, Message};
use crate::sip::flow::Flow;
use crate::sip::framing::{Frame, Framer};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

/// Messages written but not yet taken by the peer's TCP.
const WRITE_QUEUE: usize = 256;
/// A message that the peer does not take in this time will not be taken.
pub(super) const WRITE: Duration = Duration::from_secs(10);
/// Bytes of messages that wait for the signalling loop, of all connections together.
pub const ROOM: usize = 16 << 20;
/// The whole of a message that has begun must come within this time, in however many pieces.
const HALF_MESSAGE: Duration = Duration::from_secs(10);
/// A connection that has not sent a whole message by then is dropped, whatever else it sends; one that has may idle for longer.
pub(super) const FIRST_MESSAGE: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(3_600);
/// For the farewell (TLS close_notify); who does not take it is left without.
const CLOSE: Duration = Duration::from_secs(1);

/// What is to be written. It exists before the connection does, and keeps the order.
#[derive(Debug)]
pub struct Queue {
    pub writer: Writer,
    pub(super) outgoing: mpsc::Receiver<Vec<u8>>,
}

/// The hold of the signalling loop on a connection. It never waits.
#[derive(Clone, Debug)]
pub struct Writer {
    pub(super) messages: mpsc::Sender<Vec<u8>>,
    pub(super) enough: Arc<Notify>,
}

impl Queue {
    #[allow(clippy::new_without_default)] // a channel is no default value
    pub fn new() -> Queue {
        let (messages, outgoing) = mpsc::channel(WRITE_QUEUE);
        Queue { writer: Writer { messages, enough: Arc::new(Notify::new()) }, outgoing }
    }
}

impl Writer {
    /// An error: the connection is over. The queue of one whose peer does not read is full, and with that it is.
    pub fn send(&self, bytes: Vec<u8>) -> io::Result<()> {
        self.messages.try_send(bytes).map_err(|_| {
            self.enough.notify_one();
            io::ErrorKind::BrokenPipe.into()
        })
    }

    /// Closes it when what was sent before is written.
    pub fn close(&self) {
        // An empty message: see `write`.
        let _ = self.send(vec![]);
    }

    /// Nothing that is sent arrives any more.
    pub fn is_closed(&self) -> bool {
        self.messages.is_closed()
    }
}

/// From its first byte to its end. `room`: for what has been read and not yet served, in bytes, of all connections.
pub async fn run<S: AsyncRead + AsyncWrite>(stream: S, flow: Flow, queue: Queue, inbox: &Inbox, room: &Arc<Semaphore>) {
    let (reader, mut writer) = split(stream);
    let Queue { writer: Writer { messages, enough }, outgoing } = queue;
    tokio::select! {
        () = read(reader, flow, messages, inbox, room) => {}
        () = write(&mut writer, outgoing) => {}
        () = enough.notified() => {}
    }
    let _ = timeout(CLOSE, writer.shutdown()).await;
}

async fn read(
    mut reader: impl AsyncRead + Unpin,
    flow: Flow,
    replies: mpsc::Sender<Vec<u8>>,
    inbox: &Inbox,
    room: &Arc<Semaphore>,
) {
    let mut framer = Framer::new();
    let mut buffer = vec![0u8; 4096];
    let mut until = Instant::now() + FIRST_MESSAGE;
    let (mut used, mut begun) = (false, false);
    loop {
        let n = match timeout_at(until, reader.read(&mut buffer)).await {
            Ok(Ok(n)) if n > 0 => n,
            _ => return,
        };
        framer.push(&buffer[..n]);
        let mut whole = false;
        while let Some(frame) = framer.next() {
            match frame {
                Ok(Frame::Message(bytes)) => {
                    whole = true;
                    let size = bytes.len().min(ROOM) as u32;
                    let Ok(place) = room.clone().acquire_many_owned(size).await else { return };
                    inbox.send(Message::Stream { flow, bytes: bytes.to_vec(), place });
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
        let goes_on = begun && !whole;
        begun = framer.pending() > 0;
        until = match (used, begun) {
            (false, _) => until,
            (true, true) if goes_on => until,
            (true, true) => Instant::now() + HALF_MESSAGE,
            (true, false) => Instant::now() + IDLE,
        };
    }
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), mut outgoing: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = outgoing.recv().await {
        // An empty message is the order to close.
        if bytes.is_empty() {
            return;
        }
        let put = async {
            writer.write_all(&bytes).await?;
            // Over TLS, what is written stays with us until it is flushed.
            writer.flush().await
        };
        if !matches!(timeout(WRITE, put).await, Ok(Ok(()))) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::inbox;
    use crate::sip::flow::Transport;
    /// Its answers fit into the queue, so that nothing overflows; they just stay there.
    #[tokio::test]
    async fn a_peer_that_takes_no_byte_is_given_up() {
        let (ours, theirs) = tokio::io::duplex(64);
        let (inbox, outbox) = inbox::channel().unwrap();
        let here = "127.0.0.1:5060".parse().unwrap();
        let flow = Flow { transport: Transport::Tcp, local: here, remote: here, connection: 1 };
        let (queue, room) = (Queue::new(), Arc::new(Semaphore::new(ROOM)));
        let writer = queue.writer.clone();
        // It speaks all the while: its own silence is not what ends it.
        let (mut hears, mut speaks) = split(theirs);
        let speaking = tokio::spawn(async move {
            while speaks.write_all(b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        writer.send(vec![b'x'; 4_096]).unwrap();
        let began = Instant::now();
        run(ours, flow, queue, &inbox, &room).await;
        assert!((WRITE..WRITE * 2).contains(&began.elapsed()), "{:?}", began.elapsed());
        assert!(writer.is_closed() && writer.send(vec![1]).is_err());
        assert!(std::iter::from_fn(|| outbox.take()).count() > 10, "it was heard until then");
        let mut said = vec![];
        let _ = hears.read_to_end(&mut said).await;
        speaking.abort();
    }

    /// A byte now and then, or an empty line, keeps nothing open: places are few.
    #[tokio::test]
    async fn who_never_says_a_whole_message_is_closed_however_often_it_speaks() {
        let drip = |text: &'static [u8], whole: usize| async move {
            let (ours, mut theirs) = tokio::io::duplex(64);
            let (inbox, _outbox) = inbox::channel().unwrap();
            let here = "127.0.0.1:5060".parse().unwrap();
            let flow = Flow { transport: Transport::Tcp, local: here, remote: here, connection: 1 };
            let (queue, room) = (Queue::new(), Arc::new(Semaphore::new(ROOM)));
            let speaking = tokio::spawn(async move {
                let _ = theirs.write_all(&text[..whole]).await;
                for byte in text[whole..].chunks(1).cycle() {
                    if theirs.write_all(byte).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            });
            let began = Instant::now();
            run(ours, flow, queue, &inbox, &room).await;
            speaking.abort();
            began.elapsed()
        };
        let message =
            b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\nOPTIONS sip:a SIP/2.0\r\nSubject: aaaaaaaaaaaaaaaaaaaa";
        let (pings, half, later) = tokio::join!(drip(b"\r\n\r\n", 0), drip(&message[44..], 0), drip(message, 44));
        for took in [pings, half, later] {
            assert!((FIRST_MESSAGE..FIRST_MESSAGE * 2).contains(&took), "{took:?}");
        }
    }

    /// A flood on streams fills a fixed room, and the rest stays in the network.
    #[tokio::test]
    async fn what_is_not_served_is_not_read() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let (inbox, outbox) = inbox::channel().unwrap();
        let here = "127.0.0.1:5060".parse().unwrap();
        let flow = Flow { transport: Transport::Tcp, local: here, remote: here, connection: 1 };
        let message = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n";
        let room = Arc::new(Semaphore::new(10 * message.len()));
        let (queue, held) = (Queue::new(), room.clone());
        tokio::spawn(async move { run(ours, flow, queue, &inbox, &held).await });
        let mut sent = 0;
        while timeout(Duration::from_millis(300), theirs.write_all(message)).await.is_ok() {
            sent += 1;
            assert!(sent < 100, "read without end");
        }
        let waiting: Vec<_> = std::iter::from_fn(|| outbox.take()).collect();
        assert_eq!(waiting.len(), 10);
        drop(waiting);
        timeout(Duration::from_secs(5), theirs.write_all(message)).await.expect("room again").unwrap();
    }
}
