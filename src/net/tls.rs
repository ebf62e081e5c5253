//! SIP over TLS (RFC 3261 s26.3.1, RFC 5922): who we say we are, whom we believe, and the handshakes. TLS 1.2 and 1.3,
//! nothing older. Not here: reading and judging the files (`material`), connections (`streams`).
//!
//! Security: a server we connect to proves the name it is configured by (its address, if by that) to a CA of ours;
//! incoming connections show certificates as the configuration wants. Renewed files are taken over for handshakes from
//! then on; connections go on with what they began with. What cannot be used is told and not taken over.

pub mod material;

use crate::api::health::Certificate;
use crate::config::settings::TlsSettings;
use crate::host::Clock;
use crate::sip::flow::{Flow, connection_to};
use material::{Material, Unusable};
use rustls::pki_types::ServerName;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant, SystemTime};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(20);
/// With so many seconds left its end becomes a warning.
const SOON: u64 = 21 * 86_400;
const DAY: Duration = Duration::from_secs(86_400);

pub struct Tls {
    settings: TlsSettings,
    /// What the far end of a connection of ours must prove; one that is not here proves its address (an IP SAN). From the
    /// configuration alone: nothing that DNS says makes another name good enough.
    names: BTreeMap<u64, ServerName<'static>>,
    current: RwLock<Current>,
}

struct Current {
    acceptor: TlsAcceptor,
    pages: TlsAcceptor,
    connector: Option<TlsConnector>,
    expires: u64,
    /// The files as they were looked at last, taken over or not.
    seen: Vec<Option<(SystemTime, u64)>>,
}

impl Tls {
    /// `names`: of all hops.
    pub fn open<'n>(settings: TlsSettings, names: impl IntoIterator<Item = &'n str>) -> Result<Tls, Unusable> {
        let current = RwLock::new(read(&settings)?);
        let named = |name: &str| Some((connection_to(name), ServerName::try_from(name.to_owned()).ok()?));
        Ok(Tls { settings, names: names.into_iter().filter_map(named).collect(), current })
    }

    pub fn certificate(&self) -> Certificate {
        let expires = self.current().expires;
        let now = Clock::start().now().as_unix_millis() / 1_000;
        Certificate { expires, left: expires.saturating_sub(now) }
    }

    /// Takes the files over as they are now.
    pub fn reload(&self) {
        match read(&self.settings) {
            Ok(fresh) => {
                *self.current.write().unwrap_or_else(|e| e.into_inner()) = fresh;
                let until = material::date(self.certificate().expires);
                tracing::info!(%until, "TLS certificate and trust read again");
            }
            Err(unusable) => {
                tracing::error!("TLS goes on as it was: {unusable}");
                self.current.write().unwrap_or_else(|e| e.into_inner()).seen = stamps(&self.settings);
            }
        }
    }

    /// Reloads whenever a file has changed, and warns of the certificate's end; for ever.
    pub async fn watch(self: Arc<Self>) {
        let mut told = None;
        loop {
            let Certificate { expires, left } = self.certificate();
            if told.is_none_or(|at: Instant| at.elapsed() > DAY) {
                told = Some(Instant::now());
                let (until, file) = (material::date(expires), self.settings.certificate.display());
                let days_left = left / 86_400;
                match left {
                    ..SOON => tracing::warn!(%until, %file, days_left, "the TLS certificate runs out: renew it"),
                    _ => tracing::info!(%until, %file, days_left, "TLS certificate"),
                }
            }
            tokio::time::sleep(LOOK).await;
            if stamps(&self.settings) != self.current().seen {
                self.reload();
            }
        }
    }

    pub async fn accept(&self, stream: TcpStream) -> io::Result<server::TlsStream<TcpStream>> {
        let acceptor = self.current().acceptor.clone();
        acceptor.accept(stream).await
    }

    /// A browser's connection.
    pub async fn accept_page(&self, stream: TcpStream) -> io::Result<server::TlsStream<TcpStream>> {
        let acceptor = self.current().pages.clone();
        acceptor.accept(stream).await
    }

    /// The far end's certificate must be for the name that this connection leads to.
    pub async fn connect(&self, stream: TcpStream, flow: Flow) -> io::Result<client::TlsStream<TcpStream>> {
        let connector = self.current().connector.clone();
        let connector = connector.ok_or_else(|| io::Error::other("no trust is configured in [tls]"))?;
        let name = match (flow.connection, self.names.get(&flow.connection)) {
            (0, _) => flow.remote.ip().to_canonical().into(),
            (_, Some(name)) => name.clone(),
            (_, None) => return Err(io::Error::other("the hop's name is none that a certificate can be for")),
        };
        connector.connect(name, stream).await
    }

    fn current(&self) -> std::sync::RwLockReadGuard<'_, Current> {
        self.current.read().unwrap_or_else(|e| e.into_inner())
    }
}

fn read(settings: &TlsSettings) -> Result<Current, Unusable> {
    // Looked at first: what changes while they are read is read again.
    let seen = stamps(settings);
    let Material { server, pages, client, expires } = material::read(settings)?;
    let connector = client.map(|config| TlsConnector::from(Arc::new(config)));
    let (acceptor, pages) = (TlsAcceptor::from(Arc::new(server)), TlsAcceptor::from(Arc::new(pages)));
    Ok(Current { acceptor, pages, connector, expires, seen })
}

fn stamps(settings: &TlsSettings) -> Vec<Option<(SystemTime, u64)>> {
    let stamp = |path: &Path| {
        let file = std::fs::metadata(path).ok()?;
        Some((file.modified().ok()?, file.len()))
    };
    settings.files().map(stamp).collect()
}
