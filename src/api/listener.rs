//! Bounds on HTTP connections: how many at once and how long each, here and at the pages' door. Operators and Prometheus need
//! few; whoever opens many or trickles bytes gets no more of us than this.

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep};

pub const CONNECTIONS: usize = 64;
/// A kept-alive connection is closed after this; clients open the next without noticing.
const LIFETIME: Duration = Duration::from_secs(60);

pub struct Bounded {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Bounded {
    pub fn new(listener: TcpListener) -> Self {
        Bounded { listener, places: Arc::new(Semaphore::new(CONNECTIONS)) }
    }
}

impl axum::serve::Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    /// Waits for a place first: beyond the bound, connections stay in the kernel's backlog.
    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let place = self.places.clone().acquire_owned().await.expect("never closed");
        let (stream, peer) = axum::serve::Listener::accept(&mut self.listener).await;
        (Connection::new(stream, place), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

pub struct Connection<S = TcpStream> {
    stream: S,
    end: Pin<Box<Sleep>>,
    lease: Lease,
    _place: OwnedSemaphorePermit,
}

/// How long a connection may live. Whoever serves a stream that is to go on, to one who may have it, extends it.
#[derive(Clone, Debug, Default)]
pub struct Lease(Arc<AtomicBool>);

impl Lease {
    /// The connection's life is unbounded from now on; the server of the stream bounds what it keeps for it.
    pub fn extend(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, Bounded>> for Lease {
    fn connect_info(stream: IncomingStream<'_, Bounded>) -> Lease {
        stream.io().lease()
    }
}

impl<S> Connection<S> {
    pub fn new(stream: S, place: OwnedSemaphorePermit) -> Self {
        Connection { stream, end: Box::pin(sleep(LIFETIME)), lease: Lease::default(), _place: place }
    }

    pub fn lease(&self) -> Lease {
        self.lease.clone()
    }

    fn is_over(&mut self, cx: &mut Context<'_>) -> bool {
        !self.lease.0.load(Ordering::Relaxed) && self.end.as_mut().poll(cx).is_ready()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_over(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_over(cx) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
