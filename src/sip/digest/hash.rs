//! The arithmetic of digest authentication (RFC 7616 s3.4, RFC 2069 s2.1.2) and the keyed hash of our nonces.
//! Belongs here: pure functions over bytes. Not here: what is accepted (`super`), parsing (`credentials`).

pub use crate::config::settings::Algorithm;
use md5::Md5;
use sha2::{Digest as _, Sha256};

impl Algorithm {
    /// As written in a challenge (RFC 7616 s6.1, RFC 8760 s2.1).
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Md5 => "MD5",
        }
    }

    /// `None` for algorithms we do not speak, the `-sess` variants among them.
    pub fn parse(token: &[u8]) -> Option<Algorithm> {
        [Algorithm::Sha256, Algorithm::Md5].into_iter().find(|a| token.eq_ignore_ascii_case(a.as_str().as_bytes()))
    }

    /// `parts` joined by colons, hashed, as lower-case hex.
    fn hex(self, parts: &[&[u8]]) -> String {
        let joined = parts.join(&b':');
        match self {
            Algorithm::Sha256 => hex(&Sha256::digest(&joined)),
            Algorithm::Md5 => hex(&Md5::digest(&joined)),
        }
    }
}

/// What goes into a response besides the password; every field is the raw bytes as sent.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    pub username: &'a [u8],
    pub realm: &'a [u8],
    pub method: &'a [u8],
    pub uri: &'a [u8],
    pub nonce: &'a [u8],
    /// `(nc, cnonce, qop)`; absent in the RFC 2069 form.
    pub qop: Option<(&'a [u8], &'a [u8], &'a [u8])>,
}

/// The `response` value a holder of `password` sends, in lower-case hex. `qop` is `auth`, never `auth-int`.
pub fn response(algorithm: Algorithm, claim: &Claim<'_>, password: &str) -> String {
    finish(algorithm, claim, &algorithm.hex(&[claim.username, claim.realm, password.as_bytes()]))
}

/// The same for the `-sess` variant of the algorithm: the nonce and the cnonce of the first request are hashed with the
/// password (s3.4.2). `claim.qop` must be there, and its cnonce stay the same as long as the nonce does.
pub(super) fn session_response(algorithm: Algorithm, claim: &Claim<'_>, password: &str) -> String {
    let cnonce = claim.qop.map_or(&b""[..], |(_, cnonce, _)| cnonce);
    let secret = algorithm.hex(&[claim.username, claim.realm, password.as_bytes()]);
    finish(algorithm, claim, &algorithm.hex(&[secret.as_bytes(), claim.nonce, cnonce]))
}

fn finish(algorithm: Algorithm, claim: &Claim<'_>, a1: &str) -> String {
    let a2 = algorithm.hex(&[claim.method, claim.uri]);
    match claim.qop {
        Some((nc, cnonce, qop)) => algorithm.hex(&[a1.as_bytes(), claim.nonce, nc, cnonce, qop, a2.as_bytes()]),
        None => algorithm.hex(&[a1.as_bytes(), claim.nonce, a2.as_bytes()]),
    }
}

/// HMAC-SHA-256 (RFC 2104) with a 32-byte key, which is shorter than the block and so needs no hashing first.
pub(super) fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(key).for_each(|(b, k)| *b ^= k);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

/// Equality in a time that depends on the lengths only.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    // `black_box` keeps the optimiser from turning the fold into an early exit.
    a.len() == b.len() && std::hint::black_box(a.iter().zip(b).fold(0, |diff, (x, y)| diff | (x ^ y))) == 0
}

pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors printed in the RFCs (the last was computed with `md5sum` from the RFC's inputs).
    #[test]
    fn published_vectors() {
        let mufasa = Claim {
            username: b"Mufasa",
            realm: b"http-auth@example.org",
            method: b"GET",
            uri: b"/dir/index.html",
            nonce: b"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            qop: Some((b"00000001", b"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", b"auth")),
        };
        // RFC 7616 s3.9.1
        assert_eq!(response(Algorithm::Md5, &mufasa, "Circle of Life"), "8ca523f5e9506fed4657c9700eebdbec");
        assert_eq!(
            response(Algorithm::Sha256, &mufasa, "Circle of Life"),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
        // RFC 2617 s3.5
        let old = Claim {
            realm: b"testrealm@host.com",
            nonce: b"dcd98b7102dd2f0e8b11d0f600bfb0c093",
            qop: Some((b"00000001", b"0a4f113b", b"auth")),
            ..mufasa
        };
        assert_eq!(response(Algorithm::Md5, &old, "Circle Of Life"), "6629fae49393a05397450978507c4ef1");
        // What baresip 1.0 and SIPp 3.6 answered to a challenge on the wire.
        let register = Claim { username: b"8001", realm: b"city", method: b"REGISTER", nonce: b"abc", ..mufasa };
        for (uri, cnonce, wanted) in [
            (&b"sip:127.0.0.1:15999"[..], &b"d54d2e658707fc65"[..], "e134ae9569f9982fe1e3cf33a344dbf1"),
            (b"sip:127.0.0.1:15999", b"6b8b4567", "2bc127bcc58423d007086ebf448fa2d3"),
        ] {
            let claim = Claim { uri, qop: Some((b"00000001", cnonce, b"auth")), ..register };
            assert_eq!(response(Algorithm::Md5, &claim, "x"), wanted);
        }
        // RFC 2617's again, without qop: RFC 2069's form.
        let older = Claim { qop: None, ..old };
        assert_eq!(response(Algorithm::Md5, &older, "Circle Of Life"), "670fd8c2df070c60b045671b8b24ff02");
    }

    /// RFC 4231 test case 2 with its key zero-padded, which HMAC defines to be the same key.
    #[test]
    fn hmac_vector() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        assert_eq!(
            hex(&hmac(&key, b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn algorithm_tokens() {
        for (token, wanted) in [
            ("MD5", Some(Algorithm::Md5)),
            ("md5", Some(Algorithm::Md5)),
            ("SHA-256", Some(Algorithm::Sha256)),
            ("sha-256", Some(Algorithm::Sha256)),
            ("MD5-sess", None),
            ("SHA-512-256", None),
            ("", None),
        ] {
            assert_eq!(Algorithm::parse(token.as_bytes()), wanted, "{token}");
        }
    }

    #[test]
    fn comparison() {
        assert!(same(b"abc", b"abc") && same(b"", b""));
        assert!(!same(b"abc", b"abd") && !same(b"abc", b"ab") && !same(b"", b"a"));
    }
}
