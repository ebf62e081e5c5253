//! SIP over TCP, TLS and WebSocket (RFC 3261 s18, RFC 7118): accepting, connecting on first use, within limits. Not here: what happens on an
//! open connection (`connection`), certificates and trust (`tls`).
//!
//! Security: connections are limited in all and per address, and count from their first packet: a TLS handshake that is
//! not finished in time is closed. The last quarter of all places is for addresses where phones and trunks have been. A banned address has one at a time, and keeps it for a call for help only: the gateway
//! closes it at the first word about anything else.

use super::connection::{self, Queue, ROOM, Writer};
use super::tls::Tls;
use super::{BindError, advertised, websocket};
use crate::runtime::inbox::{Inbox, Message};
use crate::sip::flow::{Flow, Listener, Transport, holder};
use socket2::{SockRef, TcpKeepalive};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

const MAX_CONNECTIONS: usize = 1_000;
/// Of them: for whom the gateway has never needed.
const MAX_OF_STRANGERS: usize = 750;
/// Addresses known to be needed; more than phones and trunks have.
const MAX_KNOWN: usize = 16_384;
const MAX_PER_ADDRESS: usize = 64;
const MAX_BANNED_PER_ADDRESS: usize = 1;
/// Addresses refused at the door; further bans are the gateway's alone.
const MAX_BANNED: usize = 16_384;
const CONNECTS: usize = 256;
/// What was sent stays without any acknowledgement so long: the far end, or the way to it, is gone.
const SILENT: Duration = Duration::from_secs(20);
const KEEP_ALIVE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(4);
/// A TLS handshake, either way.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Asks for outgoing connections.
#[derive(Clone, Debug)]
pub struct Connector {
    requests: mpsc::Sender<(Flow, Queue)>,
    listeners: Vec<Listener>,
    banned: Arc<Banned>,
    known: Arc<Known>,
}

/// Whose connections were needed: the last places are theirs.
type Known = Mutex<BTreeSet<IpAddr>>;

/// Who is banned, until when.
type Banned = Mutex<BTreeMap<IpAddr, std::time::Instant>>;

impl Connector {
    /// Takes next to no connections from there for so long.
    pub fn ban(&self, source: IpAddr, length: Duration) {
        let mut banned = self.banned.lock().unwrap_or_else(|e| e.into_inner());
        let now = std::time::Instant::now();
        if banned.len() >= MAX_BANNED {
            banned.retain(|_, until| *until > now);
        }
        if banned.len() < MAX_BANNED {
            banned.insert(source, now + length);
        }
    }

    /// A phone or a trunk is there.
    pub fn known(&self, ip: IpAddr) {
        let mut known = self.known.lock().unwrap_or_else(|e| e.into_inner());
        if known.len() < MAX_KNOWN {
            known.insert(holder(ip));
        }
    }

    /// What streams are accepted at.
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// Connects to `flow.remote`; what is sent meanwhile waits its turn. That it did not work, or that it is over, is
    /// told once, by `StreamClosed`.
    pub fn connect(&self, flow: Flow) -> io::Result<Writer> {
        // A numbered connection that is gone cannot be had again: its far end's port was its own.
        if !flow.is_ours() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let queue = Queue::new();
        let writer = queue.writer.clone();
        self.requests.try_send((flow, queue)).map_err(|_| io::Error::from(io::ErrorKind::WouldBlock))?;
        Ok(writer)
    }
}

/// Listening sockets, bound and not yet served.
pub struct Listeners {
    bound: Vec<(TcpListener, Listener)>,
    tls: Option<Arc<Tls>>,
    web_origins: Vec<String>,
}

impl Listeners {
    /// TLS addresses come to nothing without `tls`: the configuration sees to it that there is one. `web_origins`: pages whose
    /// phones may connect.
    pub async fn bind(
        addresses: impl Iterator<Item = (Transport, &SocketAddr)>,
        tls: Option<Arc<Tls>>,
        web_origins: Vec<String>,
        media_v4: Option<IpAddr>,
        media_v6: Option<IpAddr>,
    ) -> Result<Listeners, BindError> {
        let mut bound = Vec::new();
        for (transport, &address) in addresses {
            let what = match transport {
                Transport::Udp | Transport::Tcp => "SIP/TCP",
                Transport::Tls => "SIP/TLS",
                Transport::Ws => "SIP/WS",
                Transport::Wss => "SIP/WSS",
            };
            let failed = |source| BindError { what, address, source };
            let listener = TcpListener::bind(address).await.map_err(failed)?;
            let local = listener.local_addr().map_err(failed)?;
            bound.push((listener, Listener { transport, address: advertised(local, media_v4, media_v6) }));
        }
        Ok(Listeners { bound, tls, web_origins })
    }

    pub fn addresses(&self, transport: Transport) -> Vec<SocketAddr> {
        self.bound.iter().filter(|(_, l)| l.transport == transport).map(|(_, l)| l.address).collect()
    }

    /// Serves them on the current tokio runtime for as long as it lives.
    pub fn serve(self, inbox: Inbox) -> Connector {
        let (banned, known) = (Arc::new(Banned::default()), Arc::new(Known::default()));
        let (next, open) = (AtomicU64::new(1), Mutex::default());
        let shared = Arc::new(Shared {
            inbox,
            next,
            open,
            banned: banned.clone(),
            known: known.clone(),
            tls: self.tls,
            web_origins: self.web_origins,
            ours: Semaphore::new(CONNECTS),
            room: Arc::new(Semaphore::new(ROOM)),
        });
        let listeners = self.bound.iter().map(|(_, listener)| *listener).collect();
        for (socket, listener) in self.bound {
            tokio::spawn(accept(socket, listener, shared.clone()));
        }
        let (requests, wanted) = mpsc::channel(CONNECTS);
        tokio::spawn(connect(wanted, shared));
        Connector { requests, listeners, banned, known }
    }
}

struct Shared {
    inbox: Inbox,
    next: AtomicU64,
    /// Open connections per address. Held for a few instructions at accept and close only.
    open: Mutex<BTreeMap<IpAddr, usize>>,
    banned: Arc<Banned>,
    known: Arc<Known>,
    tls: Option<Arc<Tls>>,
    web_origins: Vec<String>,
    /// For connections of ours: no flood of theirs takes them away.
    ours: Semaphore,
    /// For what is read and not yet served.
    room: Arc<Semaphore>,
}

/// One of the connections there may be; given back when dropped.
struct Place {
    shared: Arc<Shared>,
    holder: IpAddr,
}

impl Place {
    fn take(shared: &Arc<Shared>, ip: IpAddr) -> Option<Place> {
        let holder = holder(ip);
        let most = if shared.is_banned(holder) { MAX_BANNED_PER_ADDRESS } else { MAX_PER_ADDRESS };
        let mut open = shared.open.lock().unwrap_or_else(|e| e.into_inner());
        let total: usize = open.values().sum();
        let known = shared.known.lock().unwrap_or_else(|e| e.into_inner()).contains(&holder);
        let places = if known { MAX_CONNECTIONS } else { MAX_OF_STRANGERS };
        let here = open.get(&holder).copied().unwrap_or(0);
        if total >= places || here >= most {
            return None;
        }
        open.insert(holder, here + 1);
        Some(Place { shared: shared.clone(), holder })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.shared.open.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(here) = open.get_mut(&self.holder) {
            *here -= 1;
            if *here == 0 {
                open.remove(&self.holder);
            }
        }
    }
}

impl Shared {
    fn is_banned(&self, holder: IpAddr) -> bool {
        let banned = self.banned.lock().unwrap_or_else(|e| e.into_inner());
        banned.get(&holder).is_some_and(|until| *until > std::time::Instant::now())
    }
}

async fn accept(socket: TcpListener, listener: Listener, shared: Arc<Shared>) {
    let Listener { transport, address: local } = listener;
    loop {
        match socket.accept().await {
            Ok((stream, remote)) => {
                let Some(place) = Place::take(&shared, remote.ip()) else {
                    tracing::debug!(%remote, ?transport, "SIP connection refused: too many open");
                    continue;
                };
                let connection = shared.next.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, Flow { transport, local, remote, connection }, place));
            }
            Err(error) => {
                // Out of file descriptors, most likely: let some close.
                tracing::warn!(%error, ?transport, "accepting a SIP connection failed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// A connection of theirs.
async fn serve(stream: TcpStream, flow: Flow, place: Place) {
    prepare(&stream);
    let Shared { inbox, room, .. } = &*place.shared;
    let open = || {
        let queue = Queue::new();
        inbox.send(Message::StreamOpened { flow, writer: queue.writer.clone() });
        queue
    };
    match (flow.transport, &place.shared.tls) {
        (Transport::Tls, Some(tls)) => match timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => connection::run(stream, flow, open(), inbox, room).await,
            Ok(Err(error)) => return tracing::debug!(remote = %flow.remote, %error, "TLS handshake failed"),
            Err(_) => return tracing::debug!(remote = %flow.remote, "TLS handshake not finished in time"),
        },
        (Transport::Wss, Some(tls)) => match timeout(HANDSHAKE, tls.accept_page(stream)).await {
            Ok(Ok(stream)) => return serve_web(stream, flow, place).await,
            _ => return tracing::debug!(remote = %flow.remote, "TLS handshake of a WebSocket failed"),
        },
        (Transport::Ws, _) => return serve_web(stream, flow, place).await,
        (Transport::Tls | Transport::Wss, None) => return,
        (Transport::Udp | Transport::Tcp, _) => connection::run(stream, flow, open(), inbox, room).await,
    }
    inbox.send(Message::StreamClosed { flow });
}

/// A WebSocket of theirs. Who comes by a proxy on this machine is counted, and banned, by where they really are.
async fn serve_web<S: AsyncRead + AsyncWrite + Unpin>(stream: S, mut flow: Flow, mut place: Place) {
    let shared = place.shared.clone();
    let (socket, forwarded) = match timeout(HANDSHAKE, websocket::accept(stream, &shared.web_origins)).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => return tracing::debug!(remote = %flow.remote, %error, "WebSocket handshake failed"),
        Err(_) => return tracing::debug!(remote = %flow.remote, "WebSocket handshake not finished in time"),
    };
    if let Some(ip) = forwarded.filter(|_| flow.transport == Transport::Ws) {
        flow.remote.set_ip(ip);
        let Some(theirs) = Place::take(&shared, ip) else { return };
        place = theirs;
    }
    let queue = Queue::new();
    shared.inbox.send(Message::StreamOpened { flow, writer: queue.writer.clone() });
    websocket::run(socket, flow, queue, &shared.inbox, &shared.room).await;
    shared.inbox.send(Message::StreamClosed { flow });
    drop(place);
}

async fn connect(mut wanted: mpsc::Receiver<(Flow, Queue)>, shared: Arc<Shared>) {
    while let Some((flow, queue)) = wanted.recv().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            if let Err(error) = reach(flow, queue, &shared).await {
                let (remote, transport) = (flow.remote, flow.transport);
                tracing::warn!(%remote, ?transport, %error, "no SIP connection to this peer");
            }
            shared.inbox.send(Message::StreamClosed { flow });
        });
    }
}

/// A far end that is gone without a word is found out in seconds, not after the kernel's quarter of an hour.
fn prepare(stream: &TcpStream) {
    let socket = SockRef::from(stream);
    // Each only makes it sooner: without them the connection works as well.
    let _ = stream.set_nodelay(true);
    let _ = socket.set_tcp_user_timeout(Some(SILENT));
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(SILENT / 4));
}

/// A connection of ours, from its beginning to its end.
async fn reach(flow: Flow, queue: Queue, shared: &Arc<Shared>) -> io::Result<()> {
    let late = |what: &'static str| move |_| io::Error::new(io::ErrorKind::TimedOut, what);
    let _place = shared.ours.try_acquire().map_err(|_| io::Error::other("too many connections of ours open"))?;
    let stream = timeout(CONNECT, TcpStream::connect(flow.remote)).await.map_err(late("no answer"))??;
    prepare(&stream);
    if flow.transport == Transport::Tls {
        let tls = shared.tls.as_ref().ok_or_else(|| io::Error::other("there is no [tls] in the configuration"))?;
        let secured = timeout(HANDSHAKE, tls.connect(stream, flow)).await;
        let stream = secured.map_err(late("TLS handshake not finished in time"))??;
        connection::run(stream, flow, queue, &shared.inbox, &shared.room).await;
    } else {
        connection::run(stream, flow, queue, &shared.inbox, &shared.room).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::inbox;

    #[test]
    fn places_are_shared_out() {
        let (inbox, _outbox) = inbox::channel().unwrap();
        let (banned, known) = (Arc::new(Banned::default()), Arc::new(Known::default()));
        let connector =
            Connector { requests: mpsc::channel(1).0, listeners: vec![], banned: banned.clone(), known: known.clone() };
        let (open, tls) = (Mutex::default(), None);
        let (ours, room) = (Semaphore::new(1), Arc::new(Semaphore::new(1)));
        let (next, web_origins) = (AtomicU64::new(1), vec![]);
        let shared = Arc::new(Shared { inbox, next, open, banned, known, tls, web_origins, ours, room });
        let from = |n: u32| IpAddr::from([198, 51, (n / 250) as u8, (n % 250) as u8]);
        let take = |ip: IpAddr, wanted: usize| -> Vec<Place> {
            let places: Vec<Place> = (0..2_000).map_while(|_| Place::take(&shared, ip)).collect();
            assert_eq!(places.len(), wanted, "{ip}");
            places
        };
        let (phones, banned) = (from(900), from(901));
        connector.known(phones);
        connector.ban(banned, Duration::from_secs(60));
        let mut held: Vec<Place> = take(banned, MAX_BANNED_PER_ADDRESS);
        // Strangers, each with all that one address may have, until nothing is left for them.
        for n in 0.. {
            let before = held.len();
            held.extend(std::iter::from_fn(|| Place::take(&shared, from(n))));
            if held.len() == before {
                break;
            }
            assert!(held.len() - before <= MAX_PER_ADDRESS);
        }
        assert_eq!(held.len(), MAX_OF_STRANGERS);
        held.extend(take(phones, MAX_PER_ADDRESS));
        assert!(Place::take(&shared, from(800)).is_none());
        held.clear();
        take(from(800), MAX_PER_ADDRESS);
    }
}
