//! Digest authentication, server side (RFC 7616, RFC 8760; RFC 3261 s22). Belongs here: the challenge and the verdict
//! on one request. Not here: answering challenges (`client`), which status answers a verdict and whom it lets do what
//! (`gateway`, `registrar`).
//!
//! How to answer: `Missing` and `Stale` with 401 and `challenge(.., stale)`; `Unusable` and `Refused` with 403, whose text
//! must not depend on the reason (that is for the log). A user that does not exist goes the same path, does the same
//! work and is refused for the same reason as a wrong password.
//!
//! Decisions where the RFCs leave room or phones differ:
//! - The hash is taken over the raw bytes sent (`uri`, `nc`, `qop`, ...); `nc` may be any 1 to 8 hex digits.
//! - Without `algorithm` it is MD5. An algorithm we did not offer, `-sess` and `auth-int` are refused.
//! - Without `qop` (RFC 2069 phones) the response is accepted, but then its nonce serves for one request only.
//! - A password is looked at only with a nonce that we sent to that address: so a `Refused` guess can be held against the
//!   address, and no other nonce tells right from wrong. Any other nonce is `Stale`: a phone that still holds one from
//!   before a restart, or has moved, is told to try again instead of asking its user.
//! - The digest's uri must name the request's target: same user and host. Scheme, port and parameters may differ
//!   (phones strip or add `;transport=`), and for REGISTER the user may too (some write the address of record).

pub mod client;
mod credentials;
mod hash;
mod nonce;
mod parameters;

pub use credentials::Credentials;
pub use hash::{Algorithm, Claim, hex, response};

use super::message::uri::{self, Uri};
use super::message::{Message, Method, Name};
use crate::config::settings::Secret;
use crate::time::Instant;
use nonce::Nonces;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Duration;

/// Nonces remembered as used; 40 bytes each. Only verified responses enter, at most one nonce a request.
const REMEMBERED_NONCES: usize = 65_536;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Digest {
    realm: String,
    /// In order of preference (RFC 8760 s2.3).
    algorithms: Vec<Algorithm>,
    nonces: Nonces,
}

/// What is known about who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The password was proved; `user` is the digest username.
    Accepted { user: String },
    /// No credentials for our realm.
    Missing,
    /// The nonce is old, used, another address's or of another life of the gateway.
    Stale,
    /// What the credentials lack, for the log only.
    Unusable(&'static str),
    /// Wrong user name or password.
    Refused,
}

impl Digest {
    /// Offers SHA-256, then MD5. `key` seals the nonces and must be unguessable.
    pub fn new(realm: &str, key: [u8; 32], nonce_lifetime: Duration) -> Digest {
        Digest {
            realm: realm.to_owned(),
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            nonces: Nonces::new(key, nonce_lifetime, REMEMBERED_NONCES),
        }
    }

    /// Offers these instead, best first. Phones exist that give up on seeing SHA-256 at all.
    pub fn offering(mut self, algorithms: &[Algorithm]) -> Digest {
        self.algorithms = algorithms.to_vec();
        self
    }

    /// `WWW-Authenticate` values, one header line each, for a 401.
    /// `holder`: who is asked ([`super::flow::holder`]), and alone can answer.
    pub fn challenge(&mut self, now: Instant, holder: IpAddr, stale: bool) -> Vec<Vec<u8>> {
        let nonce = self.nonces.mint(now, holder);
        let stale = if stale { ", stale=TRUE" } else { "" };
        let line = |a: &Algorithm| {
            let algorithm = a.as_str();
            format!(r#"Digest realm="{}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{stale}"#, self.realm)
        };
        self.algorithms.iter().map(|a| line(a).into_bytes()).collect()
    }

    /// Judges a request by its `Authorization` lines. `secret_of` gives a user's password.
    pub fn verify(
        &mut self,
        now: Instant,
        holder: IpAddr,
        msg: &Message<'_>,
        secret_of: impl Fn(&str) -> Option<Secret>,
    ) -> Verdict {
        let (Some(method), Some(target)) = (msg.method(), msg.request_uri()) else { return Verdict::Missing };
        // Of several answers to our several challenges the first we understand decides.
        let mut verdict = Verdict::Missing;
        for line in msg.headers(Name::Authorization) {
            match Credentials::parse(line) {
                Ok(Some(given)) if given.realm == Some(self.realm.as_bytes()) => {
                    match self.judge(now, holder, method, target, &given, &secret_of) {
                        unusable @ Verdict::Unusable(_) => verdict = unusable,
                        decided => return decided,
                    }
                }
                Ok(_) => {}
                Err(fault) => verdict = Verdict::Unusable(fault),
            }
        }
        verdict
    }

    /// The user a request claims to be, rightly or not.
    pub fn claimed<'m>(&self, msg: &'m Message<'_>) -> Option<&'m str> {
        let given = msg.headers(Name::Authorization).filter_map(|line| Credentials::parse(line).ok().flatten());
        let ours = |given: &Credentials<'_>| given.realm == Some(self.realm.as_bytes());
        given.filter(ours).find_map(|given| std::str::from_utf8(given.username?).ok())
    }

    #[allow(clippy::too_many_arguments)] // what a request is, taken apart
    fn judge(
        &mut self,
        now: Instant,
        holder: IpAddr,
        method: Method<'_>,
        target: &[u8],
        given: &Credentials<'_>,
        secret_of: &impl Fn(&str) -> Option<Secret>,
    ) -> Verdict {
        let (Some(username), Some(nonce), Some(uri), Some(answer)) =
            (given.username, given.nonce, given.uri, given.response)
        else {
            return Verdict::Unusable("username, nonce, uri or response is missing");
        };
        let algorithm = given.algorithm.map_or(Some(Algorithm::Md5), Algorithm::parse);
        let Some(algorithm) = algorithm.filter(|a| self.algorithms.contains(a)) else {
            return Verdict::Unusable("the algorithm was not offered");
        };
        let (qop, count) = match (given.qop, given.nc, given.cnonce) {
            (None, _, _) => (None, None),
            (Some(qop), Some(nc), Some(cnonce)) if qop.eq_ignore_ascii_case(b"auth") => match count(nc) {
                Some(count) => (Some((nc, cnonce, qop)), Some(count)),
                None => return Verdict::Unusable("nc is not 1 to 8 hex digits"),
            },
            (Some(qop), ..) if qop.eq_ignore_ascii_case(b"auth") => {
                return Verdict::Unusable("qop without nc or cnonce");
            }
            _ => return Verdict::Unusable("the qop was not offered"),
        };
        if !names_target(method, uri, target) {
            return Verdict::Unusable("the digest is for another request-URI");
        }
        let Some(stamp) = self.nonces.recognise(now, holder, nonce) else { return Verdict::Stale };
        let user = std::str::from_utf8(username).ok();
        let secret = user.and_then(secret_of);
        let decoy = self.nonces.decoy();
        let password = secret.as_ref().map_or(decoy.as_str(), |s| &s.0);
        let realm = self.realm.as_bytes();
        let claim = Claim { username, realm, method: method.as_bytes(), uri, nonce, qop };
        let wanted = response(algorithm, &claim, password);
        let right = hash::same(wanted.as_bytes(), &answer.to_ascii_lowercase());
        let (true, Some(user), true) = (right, user, secret.is_some()) else { return Verdict::Refused };
        match self.nonces.spend(now, stamp, count) {
            true => Verdict::Accepted { user: user.to_owned() },
            false => Verdict::Stale,
        }
    }

    /// Used nonces held in memory, for the leak checks.
    pub fn remembered(&self) -> usize {
        self.nonces.remembered()
    }
}

fn count(nc: &[u8]) -> Option<u32> {
    let hex = (1..=8).contains(&nc.len()) && nc.iter().all(u8::is_ascii_hexdigit);
    u32::from_str_radix(std::str::from_utf8(nc).ok()?, 16).ok().filter(|_| hex)
}

/// The rule for `uri` in the module header. Unparsable ones must be equal byte for byte.
fn names_target(method: Method<'_>, given: &[u8], target: &[u8]) -> bool {
    if given == target {
        return true;
    }
    let (Ok(given), Ok(target)) = (Uri::parse(given), Uri::parse(target)) else { return false };
    let user = |u: &Uri<'_>| u.user.map(uri::unescape);
    given.host.eq_ignore_ascii_case(target.host) && (method == Method::Register || user(&given) == user(&target))
}
