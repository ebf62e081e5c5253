//! Digest authentication, client side (RFC 7616, RFC 8760; RFC 3261 s22): a carrier asks who we are. Belongs here: which
//! challenge is answered, and the answer. Not here: sending a request again (`session`, `trunk::account`).
//!
//! Decisions where the RFCs leave room:
//! - Of several challenges of one realm the strongest algorithm is answered, whatever their order; of equals the first.
//! - A challenge is kept and answered unasked in later requests, `nc` counting, until the far end gives another nonce.
//! - One cnonce for each nonce: `nc` tells the uses apart, and `-sess` wants it so.
//! - `auth-int` is not spoken, nor is AKA (RFC 3310), which takes a SIM.

use super::hash::{Algorithm, Claim, response, session_response};
use super::parameters::Parameters;
use crate::config::settings::Secret;
use crate::sip::message::{Message, Name};
use crate::sip::tokens::Tokens;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Realms that may challenge one login: its registrar or the far end, and proxies on the way.
const MOST_SPACES: usize = 4;
/// Challenges of one request that are answered: one a realm, and some for nonces that were stale at once.
const MOST_ROUNDS: usize = 6;

/// A user name and its password, and what challenged them so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Login {
    user: String,
    password: Secret,
    spaces: Vec<Space>,
}

/// A protection space (RFC 7616 s3.3) and its latest nonce. Texts as sent: quotes stripped, escapes kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Space {
    asker: Asker,
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    algorithm: Algorithm,
    /// The `-sess` variant of it.
    session: bool,
    /// As the challenge wrote it, if it did.
    written: Option<Vec<u8>>,
    /// `qop=auth` is offered; without, the form of RFC 2069.
    counted: bool,
    cnonce: String,
    uses: u32,
}

/// Who challenges: by 401 the far end itself, by 407 a proxy before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Asker {
    FarEnd,
    Proxy,
}

/// The challenges one request, with its repeats, has been answered with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rounds(Vec<(Asker, Vec<u8>)>);

/// Why a challenge stays without an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unmet {
    /// A nonce just given was answered, and refused.
    WrongPassword,
    NoDigest,
    /// RFC 3310: Digest by a SIM card.
    Sim,
    Algorithm(String),
    AuthInt,
    Malformed,
    /// A new nonce each time, for ever.
    Endless,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unmet::WrongPassword => f.write_str("user name or password is wrong: ask the carrier which it expects"),
            Unmet::NoDigest => {
                f.write_str("it asks for a password in no form known here; the carrier must offer Digest")
            }
            Unmet::Sim => {
                f.write_str("it asks for AKA, which takes a SIM card: ask the carrier for an account with a password")
            }
            Unmet::Algorithm(name) => {
                write!(f, "it asks for the algorithm {name:?}; the carrier must offer MD5 or SHA-256")
            }
            Unmet::AuthInt => f.write_str("it asks for qop auth-int alone; the carrier must offer auth"),
            Unmet::Malformed => f.write_str("its challenge cannot be read"),
            Unmet::Endless => {
                f.write_str("it challenges every answer anew; the carrier's proxies may not share their nonces")
            }
        }
    }
}

impl Login {
    pub fn new(user: &str, password: Secret) -> Login {
        Login { user: user.to_owned(), password, spaces: vec![] }
    }

    /// Takes up the challenges of a 401 or 407. `Ok`: the request may be sent again, with `answers`.
    pub fn take_up(&mut self, rounds: &mut Rounds, tokens: &mut Tokens, refusal: &Message<'_>) -> Result<(), Unmet> {
        let (asker, header) = match refusal.status() {
            Some(407) => (Asker::Proxy, Name::ProxyAuthenticate),
            _ => (Asker::FarEnd, Name::WwwAuthenticate),
        };
        let (mut taken, mut unmet) = (Vec::<Challenge<'_>>::new(), Unmet::NoDigest);
        for value in refusal.headers(header).take(4 * MOST_SPACES) {
            match Challenge::read(value) {
                Ok(challenge) => match taken.iter_mut().find(|c| c.realm == challenge.realm) {
                    Some(before) if before.algorithm <= challenge.algorithm => {}
                    Some(before) => *before = challenge,
                    None => taken.push(challenge),
                },
                Err(why) => unmet = why,
            }
        }
        if taken.is_empty() {
            return Err(unmet);
        }
        for challenge in &taken {
            let this = (asker, challenge.realm.to_vec());
            if rounds.0.contains(&this) && !challenge.stale {
                // What was learnt from it is worth nothing.
                self.spaces.retain(|s| (s.asker, &s.realm) != (this.0, &this.1));
                return Err(Unmet::WrongPassword);
            }
            if rounds.0.len() >= MOST_ROUNDS {
                return Err(Unmet::Endless);
            }
            rounds.0.push(this);
        }
        for challenge in taken {
            self.keep(challenge.space(asker, tokens.token()));
        }
        Ok(())
    }

    fn keep(&mut self, space: Space) {
        match self.spaces.iter_mut().find(|s| s.asker == space.asker && s.realm == space.realm) {
            Some(before) => *before = space,
            None => {
                if self.spaces.len() == MOST_SPACES {
                    self.spaces.remove(0);
                }
                self.spaces.push(space);
            }
        }
    }

    /// Header lines that prove who we are in one request; none before the first challenge.
    pub fn answers(&mut self, method: &[u8], uri: &[u8]) -> Vec<(Name, Vec<u8>)> {
        let (user, password) = (&self.user, &self.password);
        self.spaces.iter_mut().map(|space| space.answer(user, password, method, uri)).collect()
    }

    /// For a proxy that wants to know in the first request already who asks (3GPP TS 24.229 s5.1.1.2.1): the name alone.
    pub fn introduction(&self, realm: &str, uri: &[u8]) -> (Name, Vec<u8>) {
        let uri = String::from_utf8_lossy(uri);
        let value = format!(r#"Digest username="{}", realm="{realm}", nonce="", uri="{uri}", response="""#, self.user);
        (Name::Authorization, value.into_bytes())
    }

    /// A 2xx may bring the next nonce (RFC 7616 s3.5). It names no realm: taken where only one can be meant.
    pub fn learn(&mut self, accepted: &Message<'_>) {
        for (asker, header) in [(Asker::FarEnd, "Authentication-Info"), (Asker::Proxy, "Proxy-Authentication-Info")] {
            let Some(info) = accepted.other(header) else { continue };
            let next = Parameters::bare(info).flatten().find(|(name, _)| name.eq_ignore_ascii_case(b"nextnonce"));
            let mut asked = self.spaces.iter_mut().filter(|s| s.asker == asker);
            if let (Some((_, nonce)), Some(space), None) = (next, asked.next(), asked.next())
                && space.nonce != nonce
            {
                (space.nonce, space.uses) = (nonce.to_vec(), 0);
            }
        }
    }
}

impl Space {
    fn answer(&mut self, user: &str, password: &Secret, method: &[u8], uri: &[u8]) -> (Name, Vec<u8>) {
        self.uses += 1;
        let count = format!("{:08x}", self.uses);
        // `-sess` hashes the cnonce in either form.
        let counted =
            (self.counted || self.session).then_some((count.as_bytes(), self.cnonce.as_bytes(), &b"auth"[..]));
        let username = user.as_bytes();
        let claim = Claim { username, realm: &self.realm, method, uri, nonce: &self.nonce, qop: counted };
        let proof = if self.session { session_response } else { response };
        let proof = proof(self.algorithm, &claim, &password.0);
        let mut value = b"Digest ".to_vec();
        for (name, text) in [("username", username), ("realm", &self.realm), ("nonce", &self.nonce), ("uri", uri)] {
            value.extend_from_slice(name.as_bytes());
            value.extend_from_slice(b"=\"");
            value.extend_from_slice(text);
            value.extend_from_slice(b"\", ");
        }
        value.extend_from_slice(format!("response=\"{proof}\"").as_bytes());
        if let Some(algorithm) = &self.written {
            value.extend_from_slice(b", algorithm=");
            value.extend_from_slice(algorithm);
        }
        if let Some((count, cnonce, qop)) = counted {
            for (name, text, quote) in [("qop", qop, ""), ("nc", count, ""), ("cnonce", cnonce, "\"")] {
                value.extend_from_slice(format!(", {name}={quote}{}{quote}", String::from_utf8_lossy(text)).as_bytes());
            }
        }
        if let Some(opaque) = &self.opaque {
            value.extend_from_slice(b", opaque=\"");
            value.extend_from_slice(opaque);
            value.push(b'"');
        }
        let name = match self.asker {
            Asker::FarEnd => Name::Authorization,
            Asker::Proxy => Name::ProxyAuthorization,
        };
        (name, value)
    }
}

/// One that can be answered.
struct Challenge<'a> {
    realm: &'a [u8],
    nonce: &'a [u8],
    opaque: Option<&'a [u8]>,
    /// Smaller is stronger.
    algorithm: Algorithm,
    session: bool,
    written: Option<&'a [u8]>,
    counted: bool,
    stale: bool,
}

impl<'a> Challenge<'a> {
    fn read(value: &'a [u8]) -> Result<Challenge<'a>, Unmet> {
        let (mut realm, mut nonce, mut opaque, mut written, mut qop, mut stale) = (None, None, None, None, None, None);
        for parameter in Parameters::of(value).ok_or(Unmet::NoDigest)? {
            let (name, value) = parameter.map_err(|_| Unmet::Malformed)?;
            // It is written into requests of ours.
            if value.iter().any(u8::is_ascii_control) {
                return Err(Unmet::Malformed);
            }
            let slot = match name.to_ascii_lowercase().as_slice() {
                b"realm" => &mut realm,
                b"nonce" => &mut nonce,
                b"opaque" => &mut opaque,
                b"algorithm" => &mut written,
                b"qop" => &mut qop,
                b"stale" => &mut stale,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(Unmet::Malformed);
            }
        }
        let name = written.unwrap_or(b"MD5");
        let (base, session) = match name.to_ascii_lowercase().strip_suffix(b"-sess") {
            Some(base) => (name.get(..base.len()), true),
            None => (Some(name), false),
        };
        let Some(algorithm) = base.and_then(Algorithm::parse) else {
            let name = String::from_utf8_lossy(name).into_owned();
            return Err(if name.to_ascii_lowercase().starts_with("akav") {
                Unmet::Sim
            } else {
                Unmet::Algorithm(name)
            });
        };
        // An empty list is as good as none.
        let offered = qop.filter(|list| !list.trim_ascii().is_empty());
        let auth = |list: &[u8]| list.split(|b| *b == b',').any(|w| w.trim_ascii().eq_ignore_ascii_case(b"auth"));
        if offered.is_some_and(|list| !auth(list)) {
            return Err(Unmet::AuthInt);
        }
        let (Some(realm), Some(nonce)) = (realm, nonce) else { return Err(Unmet::Malformed) };
        let stale = stale.is_some_and(|s| s.eq_ignore_ascii_case(b"true"));
        Ok(Challenge { realm, nonce, opaque, algorithm, session, written, counted: offered.is_some(), stale })
    }

    fn space(&self, asker: Asker, cnonce: String) -> Space {
        let Challenge { realm, nonce, opaque, algorithm, session, written, counted, .. } = *self;
        Space {
            asker,
            realm: realm.to_vec(),
            nonce: nonce.to_vec(),
            opaque: opaque.map(<[u8]>::to_vec),
            algorithm,
            session,
            written: written.map(<[u8]>::to_vec),
            counted,
            cnonce,
            uses: 0,
        }
    }
}

#[cfg(test)]
mod tests;
