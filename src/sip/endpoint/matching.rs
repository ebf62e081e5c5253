//! Which transaction a message belongs to: RFC 3261 s17.1.3 (responses) and s17.2.3 (requests).

use crate::sip::digest::hex;
use crate::sip::message::{Message, Method};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What identifies a transaction, folded to 128 bits by SHA-256: the same size however long a peer's branch is, and
/// nobody can make two that collide or a map of them slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key([u8; 16]);

/// s8.1.1.7: the cookie that says the branch is unique in time and space.
const COOKIE: &[u8] = b"z9hG4bK";

impl Key {
    /// s17.1.3: the branch of the topmost Via and the CSeq method (a CANCEL shares its INVITE's branch).
    pub fn client(branch: &[u8], method: &[u8]) -> Key {
        Key::fold(&[branch, method])
    }

    /// The transaction of a request, were its method `method`: an ACK or CANCEL asks for its INVITE's.
    pub fn server(request: &Message<'_>, method: Method<'_>) -> Key {
        let via = request.via();
        match via.branch() {
            // s17.2.3: branch, sent-by and method; ACK matches the INVITE's.
            Some(branch) if branch.len() > COOKIE.len() && branch.starts_with(COOKIE) => {
                let host = via.host.to_ascii_lowercase();
                let port = via.port.unwrap_or(5060).to_be_bytes();
                Key::fold(&[branch, &host, &port, method.as_bytes()])
            }
            // s17.2.3, RFC 2543 peers: Request-URI, From tag, Call-ID, CSeq number and the whole topmost Via. The To
            // tag is left out: it differs between an INVITE and its ACK, and the rest tells transactions apart.
            _ => Key::fold(&[
                request.request_uri().unwrap_or_default(),
                request.from_tag().unwrap_or_default(),
                request.call_id(),
                &request.cseq().seq.to_be_bytes(),
                request.values(crate::sip::message::Name::Via).next().unwrap_or_default(),
                method.as_bytes(),
            ]),
        }
    }

    fn fold(parts: &[&[u8]]) -> Key {
        Key(digest(parts))
    }
}

/// The To tag of an answer given without state (s8.2.7): a function of the request, so that a repeated request gets
/// the same one and the ACK can be known by it. It opens no dialog, so it need not be secret.
pub fn stateless_tag(request: &Message<'_>) -> String {
    let digest = digest(&[
        b"stateless",
        request.call_id(),
        request.from_tag().unwrap_or_default(),
        &request.cseq().seq.to_be_bytes(),
    ]);
    hex(&digest[..8])
}

/// Each part goes in with its length, so that moving a byte from one to the next makes another digest.
fn digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u32).to_be_bytes());
        hash.update(part);
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}
