//! Keys of an encrypted stream, as signalling agrees on them and the media plane uses them (RFC 3711 s8.2, RFC 4568 s6.2,
//! RFC 7714 s12). Belongs here: which suites there are and what their keys are made of. Not here: how keys are written
//! in a description (`sdp::crypto`), what is done with them (`media::srtp`).
//!
//! Security: nothing here shows a key, in a log or a debug print.

use serde::{Deserialize, Serialize};
use std::fmt;

/// How packets are encrypted and authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Suite {
    AesCm128HmacSha1_80,
    /// RTP with a short tag; RTCP as with the other.
    AesCm128HmacSha1_32,
    AeadAes128Gcm,
    AeadAes256Gcm,
}

const LONGEST_KEY: usize = 32;
const LONGEST_SALT: usize = 14;

impl Suite {
    /// In the order we offer them: what every phone has comes first, for those that read no further.
    pub const ALL: [Suite; 4] =
        [Suite::AesCm128HmacSha1_80, Suite::AeadAes256Gcm, Suite::AeadAes128Gcm, Suite::AesCm128HmacSha1_32];

    /// Octets of the master key.
    pub fn key_len(self) -> usize {
        match self {
            Suite::AesCm128HmacSha1_80 | Suite::AesCm128HmacSha1_32 | Suite::AeadAes128Gcm => 16,
            Suite::AeadAes256Gcm => LONGEST_KEY,
        }
    }

    /// Octets of the master salt.
    pub fn salt_len(self) -> usize {
        match self {
            Suite::AesCm128HmacSha1_80 | Suite::AesCm128HmacSha1_32 => LONGEST_SALT,
            Suite::AeadAes128Gcm | Suite::AeadAes256Gcm => 12,
        }
    }
}

/// One direction's master key and salt; of each as much counts as the suite wants.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterKey {
    key: [u8; LONGEST_KEY],
    salt: [u8; LONGEST_SALT],
}

impl MasterKey {
    /// From key and salt in one piece; `None` if that is not what the suite wants.
    pub fn new(suite: Suite, key_and_salt: &[u8]) -> Option<MasterKey> {
        let (key, salt) = key_and_salt.split_at_checked(suite.key_len())?;
        let mut master = MasterKey { key: [0; LONGEST_KEY], salt: [0; LONGEST_SALT] };
        master.key[..key.len()].copy_from_slice(key);
        master.salt.get_mut(..salt.len()).filter(|s| s.len() == suite.salt_len())?.copy_from_slice(salt);
        Some(master)
    }

    /// `fill` draws random octets.
    pub fn random(suite: Suite, mut fill: impl FnMut(&mut [u8])) -> MasterKey {
        let mut master = MasterKey { key: [0; LONGEST_KEY], salt: [0; LONGEST_SALT] };
        fill(&mut master.key[..suite.key_len()]);
        fill(&mut master.salt[..suite.salt_len()]);
        master
    }

    pub fn key(&self, suite: Suite) -> &[u8] {
        &self.key[..suite.key_len()]
    }

    pub fn salt(&self, suite: Suite) -> &[u8] {
        &self.salt[..suite.salt_len()]
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What both sides of a stream agreed on: each encrypts with its own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    pub suite: Suite,
    pub ours: MasterKey,
    pub theirs: MasterKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_suites_length_and_is_not_shown() {
        for (suite, len) in Suite::ALL.into_iter().zip([30, 44, 28, 30]) {
            let bytes: Vec<u8> = (1..=64).collect();
            let key = MasterKey::new(suite, &bytes[..len]).unwrap();
            assert_eq!([key.key(suite), key.salt(suite)].concat(), bytes[..len]);
            assert_eq!(format!("{key:?}"), "***");
            for wrong in [0, suite.key_len(), len - 1, len + 1, 64] {
                assert!(MasterKey::new(suite, &bytes[..wrong]).is_none(), "{suite:?} from {wrong} octets");
            }
        }
    }
}
