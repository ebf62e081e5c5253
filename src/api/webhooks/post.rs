//! One delivery: a signed POST. Belongs here: the signature, and what an answer means. Not here: trying again (the parent).
//!
//! `X-Rexian-Signature: t=SECONDS,v1=HEX`, where HEX is HMAC-SHA-256 with the shared secret over `SECONDS.BODY`: the far
//! end computes it again, compares, and refuses what is older than a few minutes.

use crate::config::settings::WebhookSettings;
use crate::sip::digest::hex;
use crate::time::Instant;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};

/// A far end that takes longer is away.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of an answer, shown to people.
const SHOWN: usize = 200;

#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not reached, out of order, or not letting us in: the same delivery may fare better later.
    Away(String),
    /// Understood and refused: the same delivery never will.
    Refused(String),
}

pub struct Client {
    agent: Agent,
    url: String,
    secret: Arc<str>,
}

impl Client {
    pub fn new(settings: &WebhookSettings) -> io::Result<Client> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
        if let Some(file) = &settings.trust {
            let pem = std::fs::read(file).map_err(|e| io::Error::other(format!("{}: {e}", file.display())))?;
            let certificates = ureq::tls::parse_pem(&pem).filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            });
            let roots: Vec<Certificate<'static>> = certificates.collect();
            if roots.is_empty() {
                return Err(io::Error::other(format!("{} holds no certificate", file.display())));
            }
            tls = tls.root_certs(RootCerts::from(roots));
        }
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .timeout_global(Some(PATIENCE))
            // Where a redirection leads is of the far end's choosing.
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("rexian/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Client { agent: config.into(), url: settings.url.clone(), secret: settings.secret.0.clone() })
    }

    /// Waits for the answer, at most [`PATIENCE`].
    pub fn post(&self, name: &str, body: &str, now: Instant) -> Result<(), Refusal> {
        let request = self.agent.post(&self.url).content_type("application/json").header("x-rexian-webhook", name);
        let request = request.header("x-rexian-signature", signature(&self.secret, now, body));
        match request.send(body) {
            Ok(mut answer) => {
                let status = answer.status().as_u16();
                let said = answer.body_mut().with_config().limit(4_096).read_to_string().unwrap_or_default();
                let said: String = said.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
                verdict(status, &said)
            }
            Err(error) => Err(Refusal::Away(error.to_string())),
        }
    }
}

fn verdict(status: u16, said: &str) -> Result<(), Refusal> {
    let why = format!("answers {status} {said}").trim_end().to_owned();
    match status {
        200..=299 => Ok(()),
        // Its door or its pace, not this delivery.
        401 | 403 | 404 | 405 | 407 | 408 | 425 | 429 => Err(Refusal::Away(why)),
        400..=499 => Err(Refusal::Refused(why)),
        _ => Err(Refusal::Away(why)),
    }
}

fn signature(secret: &str, now: Instant, body: &str) -> String {
    let seconds = now.as_unix_millis() / 1_000;
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body.as_bytes());
    format!("t={seconds},v1={}", hex(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_means() {
        for (status, goes_on) in [(200, true), (204, true)] {
            assert_eq!(verdict(status, "").is_ok(), goes_on, "{status}");
        }
        for status in [301, 401, 403, 404, 408, 429, 500, 503] {
            assert!(matches!(verdict(status, "x"), Err(Refusal::Away(_))), "{status}");
        }
        for status in [400, 409, 413, 422] {
            assert!(matches!(verdict(status, "x"), Err(Refusal::Refused(_))), "{status}");
        }
    }

    #[test]
    fn the_signature_is_what_anybody_computes() {
        // printf '1795309200.{"a":1}' | openssl dgst -sha256 -hmac 'a secret of some length'
        let signed = signature("a secret of some length", Instant::from_unix_secs(1_795_309_200), r#"{"a":1}"#);
        assert_eq!(signed, "t=1795309200,v1=60bfd2ce7021c3e86f40fd3e5a93cdc5f2743c04624037c86a6380dad8d402a0");
    }
}
