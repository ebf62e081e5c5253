//! `[tls]`: our certificate, whom we trust, and whether clients show certificates. The files are read here once, so that
//! one that cannot be used is met by `check` and at start. Not here: how they are used (`net::tls`).

use super::reader::Section;
use super::sections::{Places, beside};
use super::settings::{ClientCertificates, TlsSettings, WorldSettings};
use crate::net::tls::material::{self, Part};
use std::path::PathBuf;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Clients {
    None,
    Optional,
    Required,
}

pub(super) fn tls(section: Section<'_>, world: &mut WorldSettings, places: &Places) {
    let file = |key| section.string(key).map(|at| beside(&section, &at.value));
    let (certificate, key) = (file("certificate"), file("key"));
    let (trust, client_ca) = (file("trust"), file("client_ca"));
    let words = [("none", Clients::None), ("optional", Clients::Optional), ("required", Clients::Required)];
    let clients = section.choice("clients", &words).map_or(Clients::None, |at| at.value);
    let given = section.line > 0;
    for (key, all) in [("tls", &places.tls), ("wss", &places.wss)] {
        if let (false, Some(at)) = (given, all.first()) {
            let fix = r#"add [tls] with certificate = "sip.crt" and key = "sip.key", PEM files beside this one"#;
            section.file.problem(at.line, format!("sip.{key} {} has no certificate", at.value), fix);
        }
    }
    if given && places.tls.is_empty() && places.wss.is_empty() && places.pages.is_none() {
        let fix = r#"add tls = ["10.1.0.5:5061"] to [sip] or listen to [pages], or remove [tls]"#;
        section.file.problem(section.line, "[tls] is of no use: nothing listens by TLS", fix);
    }
    if given {
        world.tls = settings(&section, certificate, key, trust, client_ca, clients);
    }
    if let Some(settings) = &world.tls
        && let Err(fault) = material::read(settings)
    {
        let key = match fault.part {
            Part::Certificate => "certificate",
            Part::Key => "key",
            Part::Trust => "trust",
            Part::ClientCa => "client_ca",
        };
        let what = format!("{key} of [tls]: {} {}", fault.file.display(), fault.what);
        section.file.problem(section.line_of(key), what, fault.fix);
    }
    section.done();
}

/// `None`: something is missing, and has been told.
fn settings(
    section: &Section<'_>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    trust: Option<PathBuf>,
    client_ca: Option<PathBuf>,
    clients: Clients,
) -> Option<TlsSettings> {
    for (name, found) in [("certificate", &certificate), ("key", &key)] {
        if found.is_none() && !section.has(name) {
            section.missing(name, format!("\"sip.{}\", a PEM file", &name[..3]));
        }
    }
    let clients = match (clients, client_ca) {
        (Clients::None, None) => ClientCertificates::None,
        (Clients::Optional, Some(ca)) => ClientCertificates::Optional(ca),
        (Clients::Required, Some(ca)) => ClientCertificates::Required(ca),
        (Clients::None, Some(_)) => {
            let fix = r#"add clients = "optional" or "required", or remove it"#;
            let what = "client_ca in [tls] is of no use: clients are not asked for certificates";
            section.file.problem(section.line_of("client_ca"), what, fix);
            return None;
        }
        (Clients::Optional | Clients::Required, None) => {
            let what = "clients of [tls] show certificates, but of which CA is not said";
            section.file.problem(section.line_of("clients"), what, r#"add client_ca = "clients-ca.pem""#);
            return None;
        }
    };
    Some(TlsSettings { certificate: certificate?, key: key?, trust, clients })
}
