//! The door: connections of browsers, by TLS where there is a certificate. Handshakes go on beside each other; whoever
//! does not finish one, or opens more than their share, gets no further.

use crate::api::listener::{Connection, Lease};
use crate::net::tls::Tls;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::server::TlsStream;

/// Connections at once: a browser opens up to six, and there are hundreds of seats.
const CONNECTIONS: usize = 2_048;
const HANDSHAKE: Duration = Duration::from_secs(10);

pub struct Door {
    address: io::Result<SocketAddr>,
    ready: mpsc::Receiver<(Connection<Stream>, SocketAddr)>,
}

impl Door {
    pub fn open(listener: TcpListener, tls: Option<Arc<Tls>>) -> Door {
        let (address, (to, ready)) = (listener.local_addr(), mpsc::channel(64));
        tokio::spawn(let_in(listener, tls, to));
        Door { address, ready }
    }
}

async fn let_in(mut listener: TcpListener, tls: Option<Arc<Tls>>, to: mpsc::Sender<(Connection<Stream>, SocketAddr)>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = places.clone().acquire_owned().await.expect("never closed");
        let (stream, peer) = Listener::accept(&mut listener).await;
        let (tls, to) = (tls.clone(), to.clone());
        tokio::spawn(async move {
            let stream = match tls {
                None => Stream::Plain(stream),
                Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept_page(stream)).await {
                    Ok(Ok(stream)) => Stream::Tls(Box::new(stream)),
                    Ok(Err(error)) => return tracing::debug!(%peer, %error, "a browser's TLS handshake failed"),
                    Err(_) => return,
                },
            };
            let _ = to.send((Connection::new(stream, place), peer)).await;
        });
    }
}

impl Listener for Door {
    type Io = Connection<Stream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection<Stream>, SocketAddr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.address.as_ref().copied().map_err(|error| error.kind().into())
    }
}

/// Who is at the other end, and how long the connection may live: a stranger's as briefly as one of the API's.
#[derive(Clone, Debug)]
pub struct Peer(pub IpAddr, pub Lease);

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Peer {
        Peer(stream.remote_addr().ip().to_canonical(), stream.io().lease())
    }
}

pub enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

macro_rules! on_stream {
    ($self:ident, $stream:ident => $do:expr) => {
        match $self.get_mut() {
            Stream::Plain($stream) => {
                let $stream = Pin::new($stream);
                $do
            }
            Stream::Tls($stream) => {
                let $stream = Pin::new($stream.as_mut());
                $do
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        on_stream!(self, stream => stream.poll_write(cx, buf))
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => stream.poll_flush(cx))
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_stream!(self, stream => stream.poll_shutdown(cx))
    }
}
