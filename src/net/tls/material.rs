//! Certificates, keys and CAs out of their files (PEM), judged as a handshake will use them, so that a fault is met at
//! start and names its file. Nothing of a private key gets into an error.

use crate::config::settings::{ClientCertificates, TlsSettings};
use crate::host::Clock;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What handshakes are made with.
pub struct Material {
    pub server: ServerConfig,
    /// For browsers: they show no certificates, and speak HTTP/1.1.
    pub pages: ServerConfig,
    /// `None`: no CA is trusted, so nobody is connected to.
    pub client: Option<ClientConfig>,
    /// Of our certificate: seconds since 1970.
    pub expires: u64,
}

/// Which setting of `[tls]` names the file at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Certificate,
    Key,
    Trust,
    ClientCa,
}

/// A file that TLS cannot be served with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    pub part: Part,
    pub file: PathBuf,
    pub what: String,
    pub fix: &'static str,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.file.display(), self.what, self.fix)
    }
}

impl std::error::Error for Unusable {}

impl Part {
    fn fault(self, file: &Path, what: impl Into<String>, fix: &'static str) -> Unusable {
        Unusable { part: self, file: file.to_owned(), what: what.into(), fix }
    }
}

const READABLE: &str = "name a PEM file that the program's user may read";

pub fn read(settings: &TlsSettings) -> Result<Material, Unusable> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let (ours, expires) = identity(settings, &provider)?;
    let ours = Arc::new(SingleCertAndKey::from(ours));
    let versions = [&TLS13, &TLS12];
    let builder = ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(&versions);
    let builder = builder.expect("the provider has suites of both versions");
    let clients = match &settings.clients {
        ClientCertificates::None => WebPkiClientVerifier::no_client_auth(),
        ClientCertificates::Optional(ca) => verifier(ca, &provider, |v| v.allow_unauthenticated())?,
        ClientCertificates::Required(ca) => verifier(ca, &provider, |v| v)?,
    };
    let mut pages = builder.clone().with_no_client_auth().with_cert_resolver(ours.clone());
    pages.alpn_protocols = vec![b"http/1.1".to_vec()];
    let server = builder.with_client_cert_verifier(clients).with_cert_resolver(ours.clone());
    let client = match &settings.trust {
        None => None,
        Some(file) => {
            let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&versions);
            let builder = builder.expect("the provider has suites of both versions");
            // A carrier that asks for a certificate is shown ours.
            let trusted = builder.with_root_certificates(roots(Part::Trust, file)?);
            Some(trusted.with_client_cert_resolver(ours))
        }
    };
    Ok(Material { server, pages, client, expires })
}

/// Our certificate with its key, and when it runs out.
fn identity(settings: &TlsSettings, provider: &CryptoProvider) -> Result<(CertifiedKey, u64), Unusable> {
    let TlsSettings { certificate, key, .. } = settings;
    let of_certificate = |what: String, fix| Part::Certificate.fault(certificate, what, fix);
    let of_key = |what: &str, fix| Part::Key.fault(key, what, fix);
    let chain = certificates(Part::Certificate, certificate)?;
    let validity = validity(&chain[0]).ok_or_else(|| of_certificate("is no certificate".into(), READABLE))?;
    let now = Clock::start().now().as_unix_millis() / 1_000;
    if now >= validity.until {
        let what = format!("ran out on {}", date(validity.until));
        return Err(of_certificate(what, "get a new certificate from its CA"));
    }
    if now < validity.from {
        let what = format!("is valid only from {}", date(validity.from));
        return Err(of_certificate(what, "wait until then, or set this machine's clock right"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| match error {
        pem::Error::Io(error) => Part::Key.fault(key, format!("cannot be read: {error}"), READABLE),
        pem::Error::NoItemsFound => of_key("holds no private key", "write it unencrypted, and for our user only"),
        _ => of_key("is no PEM file", "write it with the key between its BEGIN and END lines"),
    })?;
    let signer = provider.key_provider.load_private_key(secret);
    let signer =
        signer.map_err(|_| of_key("holds a key that TLS cannot use", "use ECDSA P-256 or P-384, Ed25519 or RSA"))?;
    let ours = CertifiedKey::new(chain, signer);
    match ours.keys_match() {
        Ok(()) => Ok((ours, validity.until)),
        Err(rustls::Error::InconsistentKeys(_)) => {
            let what = format!("is not the key of {}", certificate.display());
            Err(of_key(&what, "name the key that the certificate was asked for with"))
        }
        Err(error) => Err(of_certificate(format!("cannot be used: {error}"), "get another from its CA")),
    }
}

fn verifier(
    ca: &Path,
    provider: &Arc<CryptoProvider>,
    finish: impl FnOnce(rustls::server::ClientCertVerifierBuilder) -> rustls::server::ClientCertVerifierBuilder,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, Unusable> {
    let roots = Arc::new(roots(Part::ClientCa, ca)?);
    let builder = finish(WebPkiClientVerifier::builder_with_provider(roots, provider.clone()));
    builder.build().map_err(|e| Part::ClientCa.fault(ca, format!("cannot be used: {e}"), READABLE))
}

pub fn roots(part: Part, file: &Path) -> Result<RootCertStore, Unusable> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(part, file)? {
        let added = roots.add(certificate);
        added.map_err(|e| part.fault(file, format!("holds a certificate that is no CA's: {e}"), READABLE))?;
    }
    Ok(roots)
}

/// At least one.
fn certificates(part: Part, file: &Path) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(pem::Error::NoItemsFound) => Err(part.fault(file, "holds no certificate", READABLE)),
        Err(pem::Error::Io(error)) => Err(part.fault(file, format!("cannot be read: {error}"), READABLE)),
        Err(_) => Err(part.fault(file, "is no PEM file", READABLE)),
    }
}

/// Seconds since 1970.
struct Validity {
    from: u64,
    until: u64,
}

/// RFC 5280 s4.1: Certificate { tbsCertificate { [0] version, serial, signature, issuer, validity { from, until }, ..
fn validity(certificate: &[u8]) -> Option<Validity> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut rest, _) = element(certificate)?;
    const VERSION: u8 = 0xa0;
    let before_validity = if *rest.first()? == VERSION { 4 } else { 3 };
    for _ in 0..before_validity {
        rest = element(rest)?.2;
    }
    let (_, dates, _) = element(rest)?;
    let (tag, from, rest) = element(dates)?;
    let (also, until, _) = element(rest)?;
    Some(Validity { from: time(tag, from)?, until: time(also, until)? })
}

/// DER: tag, content, and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, short], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match short {
        ..=0x7f => (usize::from(short), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

/// UTCTime `YYMMDDHHMMSSZ` (1950 to 2049) or GeneralizedTime `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let full = match tag {
        0x17 => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        0x18 => text.to_owned(),
        _ => return None,
    };
    let moment = jiff::civil::DateTime::strptime("%Y%m%d%H%M%SZ", full).ok()?;
    let seconds = moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    Some(seconds.max(0) as u64)
}

/// `2026-11-22 08:00:00 UTC`, for people.
pub fn date(unix: u64) -> String {
    let moment = jiff::Timestamp::from_second(unix as i64).unwrap_or_default();
    moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
