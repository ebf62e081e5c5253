//! Digest authentication, server side (RFC 7616, RFC 8760; RFC 3261 s22). Belongs here: the challenge and the verdict
//! on one request. Not here: answering challenges (`client`), which status answers a verdict and whom it lets do what
//! (`gateway`, `registrar`).
//!
//! How to answer: `Missing` and `Stale` with 401 and `challenge(.., stale)`; `Refused` with 403, whose text must
//! not depend on the reason (that is for the log). A user that does not exist goes the same path, does the same
//! work and is refused for the same reason as a wrong password.
//!
//! Decisions where the RFCs leave room or phones differ:
//! - The hash is taken over the raw bytes sent (`uri`, `nc`, `qop`, ...); `nc` may be any 1 to 8 hex digits.
//! - Without `algorithm` it is MD5. An algorithm we did not offer, `-sess` and `auth-int` are refused.
//! - Without `qop` (RFC 2069 phones) the response is accepted, but then its nonce serves for one request only.
//! - `Stale` needs a right password: whoever lacks it learns nothing about nonces, and a phone that still holds a
//!   nonce from before a restart is told to try again instead of asking its user.
//! - The digest's uri must name the request's target: same user and host. Scheme, port and parameters may differ
//!   (phones strip or add `;transport=`), and for REGISTER the user may too (some write the address of record).

pub mod client;
mod credentials;
mod hash;
mod nonce;
mod parameters;

pub use credentials::Credentials;
pub use hash::{Algorithm, Claim, response};

use super::message::uri::{self, Uri};
use super::message::{Message, Method, Name};
use crate::config::settings::Secret;
use crate::time::Instant;
use nonce::Nonces;
use serde::{Deserialize, Serialize};
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
    /// The password is right; the nonce is old, used or of another life of the gateway.
    Stale,
    /// Why, for the log only.
    Refused(&'static str),
}

const WRONG: Verdict = Verdict::Refused("wrong user name or password");

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
    pub fn challenge(&mut self, now: Instant, stale: bool) -> Vec<Vec<u8>> {
        let nonce = self.nonces.mint(now);
        let stale = if stale { ", stale=TRUE" } else { "" };
        let line = |a: &Algorithm| {
            let algorithm = a.as_str();
            format!(r#"Digest realm="{}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{stale}"#, self.realm)
        };
        self.algorithms.iter().map(|a| line(a).into_bytes()).collect()
    }

    /// Judges a request by its `Authorization` lines. `secret_of` gives a user's password.
    pub fn verify(&mut self, now: Instant, msg: &Message<'_>, secret_of: impl Fn(&str) -> Option<Secret>) -> Verdict {
        let (Some(method), Some(target)) = (msg.method(), msg.request_uri()) else { return Verdict::Missing };
        // Of several answers to our several challenges the first we understand decides.
        let mut verdict = Verdict::Missing;
        for line in msg.headers(Name::Authorization) {
            match Credentials::parse(line) {
                Ok(Some(given)) if given.realm == Some(self.realm.as_bytes()) => {
                    match self.judge(now, method, target, &given, &secret_of) {
                        refused @ Verdict::Refused(_) => verdict = refused,
                        decided => return decided,
                    }
                }
                Ok(_) => {}
                Err(fault) => verdict = Verdict::Refused(fault),
            }
        }
        verdict
    }

    fn judge(
        &mut self,
        now: Instant,
        method: Method<'_>,
        target: &[u8],
        given: &Credentials<'_>,
        secret_of: &impl Fn(&str) -> Option<Secret>,
    ) -> Verdict {
        let (Some(username), Some(nonce), Some(uri), Some(answer)) =
            (given.username, given.nonce, given.uri, given.response)
        else {
            return Verdict::Refused("username, nonce, uri or response is missing");
        };
        let algorithm = given.algorithm.map_or(Some(Algorithm::Md5), Algorithm::parse);
        let Some(algorithm) = algorithm.filter(|a| self.algorithms.contains(a)) else {
            return Verdict::Refused("the algorithm was not offered");
        };
        let (qop, count) = match (given.qop, given.nc, given.cnonce) {
            (None, _, _) => (None, None),
            (Some(qop), Some(nc), Some(cnonce)) if qop.eq_ignore_ascii_case(b"auth") => match count(nc) {
                Some(count) => (Some((nc, cnonce, qop)), Some(count)),
                None => return Verdict::Refused("nc is not 1 to 8 hex digits"),
            },
            (Some(qop), ..) if qop.eq_ignore_ascii_case(b"auth") => {
                return Verdict::Refused("qop without nc or cnonce");
            }
            _ => return Verdict::Refused("the qop was not offered"),
        };
        if !names_target(method, uri, target) {
            return Verdict::Refused("the digest is for another request-URI");
        }
        let user = std::str::from_utf8(username).ok();
        let secret = user.and_then(secret_of);
        let decoy = self.nonces.decoy();
        let password = secret.as_ref().map_or(decoy.as_str(), |s| &s.0);
        let realm = self.realm.as_bytes();
        let claim = Claim { username, realm, method: method.as_bytes(), uri, nonce, qop };
        let wanted = response(algorithm, &claim, password);
        let right = hash::same(wanted.as_bytes(), &answer.to_ascii_lowercase());
        let (true, Some(user), true) = (right, user, secret.is_some()) else { return WRONG };
        match self.nonces.recognise(now, nonce) {
            Some(stamp) if self.nonces.spend(now, stamp, count) => Verdict::Accepted { user: user.to_owned() },
            _ => Verdict::Stale,
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
