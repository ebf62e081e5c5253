//! Settings of TLS: which files say who we are and whom we believe.

use std::path::{Path, PathBuf};

/// Files in PEM form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// Ours, then the CAs between it and the root.
    pub certificate: PathBuf,
    pub key: PathBuf,
    /// CAs whose certificate the peers we connect to must show; `None`: we connect to nobody.
    pub trust: Option<PathBuf>,
    pub clients: ClientCertificates,
}

/// Must those who connect to us show a certificate, and of which CAs?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientCertificates {
    None,
    /// Who shows one must show a good one.
    Optional(PathBuf),
    Required(PathBuf),
}

impl TlsSettings {
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let clients = match &self.clients {
            ClientCertificates::None => None,
            ClientCertificates::Optional(ca) | ClientCertificates::Required(ca) => Some(ca),
        };
        [&self.certificate, &self.key].into_iter().chain(&self.trust).chain(clients).map(PathBuf::as_path)
    }
}
