//! SIP over TCP (RFC 3261 s18): accepting, connecting on first use, cutting messages, bounded on every side.
//!
//! Security: connections are limited in all and per address; one that leaves a message half sent, or sends nothing at
//! all, is closed; a peer that does not read loses its connection, not our memory.

use super::{BindError, advertised};
use crate::runtime::inbox::{Inbox, Message};
use crate::sip::flow::{Flow, Listener, Transport, holder};
use crate::sip::framing::{Frame, Framer};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

const MAX_CONNECTIONS: usize = 1_000;
const MAX_PER_ADDRESS: usize = 64;
/// Addresses refused at the door; more bans than that are the gateway's alone.
const MAX_BANNED: usize = 16_384;
/// Messages written but not yet taken by the peer's TCP.
const WRITE_QUEUE: usize = 256;
const CONNECTS: usize = 256;
/// The rest of a message that has begun must come within this time.
const HALF_MESSAGE: Duration = Duration::from_secs(10);
/// A connection that has never sent a whole message is dropped after this; one that has may idle for longer.
const FIRST_MESSAGE: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(3_600);
const CONNECT: Duration = Duration::from_secs(4);

/// Asks for outgoing connections.
#[derive(Clone)]
pub struct Connector {
    requests: mpsc::Sender<(Flow, Vec<u8>)>,
    listeners: Vec<Listener>,
    shared: Arc<Shared>,
}

impl Connector {
    /// Takes no connections from there for so long.
    pub fn ban(&self, source: IpAddr, length: Duration) {
        let mut banned = self.shared.banned.lock().unwrap_or_else(|e| e.into_inner());
        let now = std::time::Instant::now();
        if banned.len() >= MAX_BANNED {
            banned.retain(|_, until| *until > now);
        }
        if banned.len() < MAX_BANNED {
            banned.insert(source, now + length);
        }
    }

    /// What streams are accepted at.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// Connects to `flow.remote` and sends `first`; the flow's failure is reported if that does not work.
    pub fn connect(&self, flow: Flow, first: Vec<u8>) -> io::Result<()> {
        // A numbered connection that is gone cannot be had again: its far end's port was its own.
        if flow.connection != 0 {
            return Err(io::ErrorKind::NotConnected.into());
        }
        self.requests.try_send((flow, first)).map_err(|_| io::ErrorKind::WouldBlock.into())
    }
}

/// Listening sockets, bound and not yet served.
pub struct Listeners {
    bound: Vec<(TcpListener, SocketAddr)>,
}

impl Listeners {
    pub async fn bind(
        addresses: &[SocketAddr],
        media_v4: Option<IpAddr>,
        media_v6: Option<IpAddr>,
    ) -> Result<Listeners, BindError> {
        let mut bound = Vec::new();
        for &address in addresses {
            let failed = |source| BindError { what: "SIP/TCP", address, source };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let local = listener.local_addr().map_err(failed)?;
            bound.push((listener, advertised(local, media_v4, media_v6)));
        }
        Ok(Listeners { bound })
    }

    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.bound.iter().map(|(_, a)| *a).collect()
    }

    /// Serves them on the current tokio runtime for as long as it lives.
    pub fn serve(self, inbox: Inbox) -> Connector {
        let shared =
            Arc::new(Shared { inbox, next: AtomicU64::new(1), open: Mutex::default(), banned: Mutex::default() });
        let listener = |address| Listener { transport: Transport::Tcp, address };
        let listeners = self.addresses().into_iter().map(listener).collect();
        for (listener, local) in self.bound {
            tokio::spawn(accept(listener, local, shared.clone()));
        }
        let (requests, wanted) = mpsc::channel(CONNECTS);
        tokio::spawn(connect(wanted, shared.clone()));
        Connector { requests, listeners, shared }
    }
}

struct Shared {
    inbox: Inbox,
    next: AtomicU64,
    /// Open connections per address. Held for a few instructions at accept and close only.
    open: Mutex<BTreeMap<IpAddr, usize>>,
    /// Whose connections are refused, until when.
    banned: Mutex<BTreeMap<IpAddr, std::time::Instant>>,
}

impl Shared {
    fn is_banned(&self, ip: IpAddr) -> bool {
        let banned = self.banned.lock().unwrap_or_else(|e| e.into_inner());
        banned.get(&holder(ip)).is_some_and(|until| *until > std::time::Instant::now())
    }

    fn admit(&self, ip: IpAddr) -> bool {
        let mut open = self.open.lock().unwrap_or_else(|e| e.into_inner());
        let total: usize = open.values().sum();
        let here = open.get(&holder(ip)).copied().unwrap_or(0);
        let admitted = total < MAX_CONNECTIONS && here < MAX_PER_ADDRESS;
        if admitted {
            open.insert(holder(ip), here + 1);
        }
        admitted
    }

    fn release(&self, ip: IpAddr) {
        let mut open = self.open.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(here) = open.get_mut(&holder(ip)) {
            *here -= 1;
            if *here == 0 {
                open.remove(&holder(ip));
            }
        }
    }
}

async fn accept(listener: TcpListener, local: SocketAddr, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                if shared.is_banned(remote.ip()) || !shared.admit(remote.ip()) {
                    tracing::debug!(%remote, "SIP/TCP connection refused: banned, or too many open");
                    continue;
                }
                let connection = shared.next.fetch_add(1, Ordering::Relaxed);
                let flow = Flow { transport: Transport::Tcp, local, remote, connection };
                tokio::spawn(run(stream, flow, None, shared.clone()));
            }
            Err(error) => {
                // Out of file descriptors, most likely: let some close.
                tracing::warn!(%error, "SIP/TCP accept failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connect(mut wanted: mpsc::Receiver<(Flow, Vec<u8>)>, shared: Arc<Shared>) {
    while let Some((flow, first)) = wanted.recv().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            match timeout(CONNECT, TcpStream::connect(flow.remote)).await {
                Ok(Ok(stream)) if shared.admit(flow.remote.ip()) => run(stream, flow, Some(first), shared).await,
                _ => shared.inbox.send(Message::StreamClosed { flow }),
            }
        });
    }
}

/// One connection, from its first byte to its end.
async fn run(stream: TcpStream, flow: Flow, first: Option<Vec<u8>>, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let (reader, writer) = stream.into_split();
    let (queue, outgoing) = mpsc::channel(WRITE_QUEUE);
    if let Some(first) = first {
        let _ = queue.try_send(first);
    }
    shared.inbox.send(Message::StreamOpened { flow, writer: queue.clone() });
    tokio::select! {
        () = read(reader, flow, queue, &shared.inbox) => {}
        () = write(writer, outgoing) => {}
    }
    shared.inbox.send(Message::StreamClosed { flow });
    shared.release(flow.remote.ip());
}

async fn read(mut reader: OwnedReadHalf, flow: Flow, replies: mpsc::Sender<Vec<u8>>, inbox: &Inbox) {
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

async fn write(mut writer: OwnedWriteHalf, mut outgoing: mpsc::Receiver<Vec<u8>>) {
    while let Some(bytes) = outgoing.recv().await {
        // An empty message is the order to close.
        if bytes.is_empty() || writer.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
