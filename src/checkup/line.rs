//! One path to a peer, by whatever transport its hop names. Belongs here: opening it from the address the gateway would
//! use, whole messages in and out. Not here: what is said (`ask`, `call`).

use crate::sip::flow::{Flow, Transport};
use crate::sip::framing::{Frame, Framer};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(4);
/// Read at most so long at a time, so that timers and audio get their turn.
const LOOK: Duration = Duration::from_millis(5);

pub struct Line {
    pub flow: Flow,
    carrier: Carrier,
}

enum Carrier {
    Datagrams(UdpSocket),
    Stream { stream: Box<dyn ReadWrite>, framer: Framer },
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

/// Whom we believe, and what the far end's certificate must be for.
#[derive(Clone)]
pub struct Trust {
    pub config: Arc<ClientConfig>,
    pub name: ServerName<'static>,
}

pub enum Heard {
    Message(Vec<u8>),
    Nothing,
    /// Why nothing more will come.
    Gone(String),
}

impl Line {
    /// From `usual`, the gateway's own address, unless that is in use; then from another port of the same host.
    pub fn open(
        transport: Transport,
        usual: SocketAddr,
        remote: SocketAddr,
        trust: Option<Trust>,
    ) -> Result<Line, String> {
        let (carrier, local) = match transport {
            Transport::Udp => datagrams(usual, remote),
            Transport::Tcp => stream(usual, remote, None),
            Transport::Tls => match trust {
                Some(trust) => stream(usual, remote, Some(trust)),
                None => return Err("there is no trust in [tls], so no certificate can be believed".into()),
            },
            Transport::Ws | Transport::Wss => return Err("no trunk is reached by WebSocket".into()),
        }
        .map_err(|e| e.to_string())?;
        Ok(Line { flow: Flow { transport, local, remote, connection: 0 }, carrier })
    }

    pub fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let sent = match &mut self.carrier {
            Carrier::Datagrams(socket) => socket.send(bytes).map(|_| ()),
            Carrier::Stream { stream, .. } => stream.write_all(bytes),
        };
        sent.map_err(|e| e.to_string())
    }

    /// Waits a few milliseconds at most.
    pub fn hear(&mut self) -> Heard {
        let mut buffer = [0; 65_536];
        match &mut self.carrier {
            Carrier::Datagrams(socket) => match socket.recv(&mut buffer) {
                Ok(n) => Heard::Message(buffer[..n].to_vec()),
                Err(e) => nothing_or(e),
            },
            Carrier::Stream { stream, framer } => {
                match next(framer) {
                    Heard::Nothing => {}
                    heard => return heard,
                }
                match stream.read(&mut buffer) {
                    Ok(0) => Heard::Gone("it closed the connection".into()),
                    Ok(n) => {
                        framer.push(&buffer[..n]);
                        next(framer)
                    }
                    Err(e) => nothing_or(e),
                }
            }
        }
    }
}

fn datagrams(usual: SocketAddr, remote: SocketAddr) -> io::Result<(Carrier, SocketAddr)> {
    let socket = UdpSocket::bind(usual).or_else(|_| UdpSocket::bind((usual.ip(), 0)))?;
    // Connected: the host's "nobody listens here" comes back as an error.
    socket.connect(remote)?;
    socket.set_read_timeout(Some(LOOK))?;
    let local = socket.local_addr()?;
    Ok((Carrier::Datagrams(socket), local))
}

fn stream(usual: SocketAddr, remote: SocketAddr, trust: Option<Trust>) -> io::Result<(Carrier, SocketAddr)> {
    let mut stream = TcpStream::connect_timeout(&remote, CONNECT)?;
    stream.set_nodelay(true)?;
    // In Via and Contact stands where we listen, as the gateway's own would say.
    let local = SocketAddr::new(stream.local_addr()?.ip(), usual.port());
    let stream: Box<dyn ReadWrite> = match trust {
        None => {
            stream.set_read_timeout(Some(LOOK))?;
            Box::new(stream)
        }
        Some(Trust { config, name }) => {
            stream.set_read_timeout(Some(CONNECT))?;
            let mut tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
            while tls.is_handshaking() {
                tls.complete_io(&mut stream)?;
            }
            stream.set_read_timeout(Some(LOOK))?;
            Box::new(StreamOwned::new(tls, stream))
        }
    };
    Ok((Carrier::Stream { stream, framer: Framer::new() }, local))
}

fn next(framer: &mut Framer) -> Heard {
    loop {
        match framer.next() {
            Some(Ok(Frame::Message(bytes))) => return Heard::Message(bytes.to_vec()),
            Some(Ok(Frame::Ping)) => {}
            Some(Err(broken)) => return Heard::Gone(format!("what it sends is no SIP stream: {}", broken.reason)),
            None => return Heard::Nothing,
        }
    }
}

fn nothing_or(e: io::Error) -> Heard {
    match e.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => Heard::Nothing,
        _ => Heard::Gone(e.to_string()),
    }
}
