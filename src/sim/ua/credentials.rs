//! A client's side of digest authentication, MD5 and SHA-256 (RFC 3261 s22, RFC 7616, RFC 8760).

use crate::sip::digest::hex;
use crate::sip::message::{Message, Name};
use md5::Md5;
use sha2::{Digest, Sha256};

/// A seat's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub user: String,
    pub secret: String,
    /// Takes SHA-256 when the gateway offers it; old phones know MD5 alone.
    pub sha256: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
}

/// A challenge taken up; counts its own uses.
#[derive(Clone, Debug)]
pub struct Credentials {
    header: Name,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    qop: bool,
    algorithm: Algorithm,
    uses: u32,
}

impl Credentials {
    /// Picks the strongest challenge of a 401 or 407 that the account can meet.
    pub fn from_challenge(account: &Account, response: &Message<'_>) -> Option<Credentials> {
        let (asks, header) = match response.status() {
            Some(401) => (Name::WwwAuthenticate, Name::Authorization),
            Some(407) => (Name::ProxyAuthenticate, Name::ProxyAuthorization),
            _ => return None,
        };
        let mut best: Option<Credentials> = None;
        for value in response.headers(asks) {
            let value = String::from_utf8_lossy(value);
            let Some(fields) = value.strip_prefix("Digest ") else { continue };
            let algorithm = match field(fields, "algorithm").as_deref() {
                None | Some("MD5") | Some("md5") => Algorithm::Md5,
                Some("SHA-256") if account.sha256 => Algorithm::Sha256,
                Some(_) => continue,
            };
            if best.as_ref().is_some_and(|b| b.algorithm == Algorithm::Sha256) {
                continue;
            }
            best = Some(Credentials {
                header,
                realm: field(fields, "realm")?,
                nonce: field(fields, "nonce")?,
                opaque: field(fields, "opaque"),
                qop: field(fields, "qop").is_some_and(|q| q.split(',').any(|w| w.trim() == "auth")),
                algorithm,
                uses: 0,
            });
        }
        best
    }

    /// The header to add to a request, `cnonce` being fresh each time.
    pub fn authorize(&mut self, account: &Account, method: &str, uri: &str, cnonce: &str) -> (Name, String) {
        self.uses += 1;
        let (user, realm, nonce) = (&account.user, &self.realm, &self.nonce);
        let a1 = self.hash(&format!("{user}:{realm}:{}", account.secret));
        let a2 = self.hash(&format!("{method}:{uri}"));
        let name = match self.algorithm {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        };
        let mut value = format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm={name}"
        );
        let response = if self.qop {
            let nc = format!("{:08x}", self.uses);
            value.push_str(&format!(", qop=auth, nc={nc}, cnonce=\"{cnonce}\""));
            self.hash(&format!("{a1}:{nonce}:{nc}:{cnonce}:auth:{a2}"))
        } else {
            self.hash(&format!("{a1}:{nonce}:{a2}"))
        };
        value.push_str(&format!(", response=\"{response}\""));
        if let Some(opaque) = &self.opaque {
            value.push_str(&format!(", opaque=\"{opaque}\""));
        }
        (self.header, value)
    }

    fn hash(&self, text: &str) -> String {
        match self.algorithm {
            Algorithm::Md5 => hex(&Md5::digest(text.as_bytes())),
            Algorithm::Sha256 => hex(&Sha256::digest(text.as_bytes())),
        }
    }
}

/// One field of a challenge, quotes removed. Commas inside quotes do not end a field.
fn field(fields: &str, name: &str) -> Option<String> {
    let mut rest = fields;
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, tail) = match after.strip_prefix('"') {
            Some(quoted) => {
                let end = quoted.find('"')?;
                (&quoted[..end], quoted[end + 1..].trim_start().trim_start_matches(','))
            }
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value.trim().to_string());
        }
        rest = tail;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7616_example() {
        // RFC 7616 s3.9.1: GET /dir/index.html, both algorithms.
        let account = Account { user: "Mufasa".into(), secret: "Circle of Life".into(), sha256: true };
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        for (algorithm, expected) in [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let mut c = Credentials {
                header: Name::Authorization,
                realm: "http-auth@example.org".into(),
                nonce: nonce.into(),
                opaque: None,
                qop: true,
                algorithm,
                uses: 0,
            };
            let (_, value) = c.authorize(&account, "GET", "/dir/index.html", cnonce);
            assert!(value.contains(expected), "{value}");
        }
    }

    #[test]
    fn fields_survive_commas_in_quotes() {
        let fields = r#"realm="a, b", qop="auth,auth-int", nonce="n=1", algorithm=SHA-256, stale=true"#;
        assert_eq!(field(fields, "realm").as_deref(), Some("a, b"));
        assert_eq!(field(fields, "nonce").as_deref(), Some("n=1"));
        assert_eq!(field(fields, "algorithm").as_deref(), Some("SHA-256"));
        assert_eq!(field(fields, "stale").as_deref(), Some("true"));
        assert_eq!(field(fields, "opaque"), None);
    }
}
