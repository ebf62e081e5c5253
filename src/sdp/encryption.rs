//! Our side of a leg's encryption: whether it may or must be, how, and our keys (RFC 4568 s7.1). Not here: the lines
//! (`crypto`), what an exchange makes of both sides' lines (`offer_answer`).
//!
//! Invariant: a key of ours that packets may have been encrypted with does not come back after another took its place:
//! its packet counters would begin anew, and two packets encrypted alike give each other away (RFC 3711 s9.1).

use super::webrtc::Own;
use crate::config::settings::Srtp;
use crate::plane::Negotiated;
use crate::plane::srtp::{MasterKey, Suite};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encryption {
    Never,
    IfOffered {
        keys: OwnKeys,
        /// The last exchange agreed on it: descriptions of ours offer it again.
        agreed: bool,
    },
    Required {
        keys: OwnKeys,
    },
    /// A browser's, and nothing else.
    WebRtc(Own),
}

/// One leg's keys, one for each suite at a time.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnKeys {
    seed: [u8; 32],
    /// Which keys in a row these are.
    generation: u32,
}

impl Encryption {
    /// `seed`: of this leg alone, and unguessable.
    pub fn new(policy: Srtp, seed: impl FnOnce() -> [u8; 32]) -> Encryption {
        let keys = || OwnKeys { seed: seed(), generation: 0 };
        match policy {
            Srtp::Never => Encryption::Never,
            Srtp::IfOffered => Encryption::IfOffered { keys: keys(), agreed: false },
            Srtp::Required => Encryption::Required { keys: keys() },
        }
    }

    /// Our keys, if they may be used at all.
    pub fn keys(&self) -> Option<&OwnKeys> {
        match self {
            Encryption::Never | Encryption::WebRtc(_) => None,
            Encryption::IfOffered { keys, .. } | Encryption::Required { keys } => Some(keys),
        }
    }

    /// Our keys, if a description of ours offers them of itself.
    pub fn offered(&self) -> Option<&OwnKeys> {
        self.keys().filter(|_| !matches!(self, Encryption::IfOffered { agreed: false, .. }))
    }

    pub fn webrtc(&self) -> Option<&Own> {
        match self {
            Encryption::WebRtc(own) => Some(own),
            _ => None,
        }
    }

    pub fn is_required(&self) -> bool {
        matches!(self, Encryption::Required { .. })
    }

    /// What an exchange came to.
    pub fn agree(&mut self, media: &Negotiated) {
        match (self, &media.webrtc) {
            (Encryption::IfOffered { agreed, .. }, _) => *agreed = media.srtp.is_some(),
            (Encryption::WebRtc(own), Some(webrtc)) => own.agree(&webrtc.theirs),
            _ => {}
        }
    }

    /// New keys from now on. For whom may not know how far the old ones have been used: another endpoint behind the
    /// same dialog, to which packets counters begin at nought (RFC 4568 s7.1.4).
    pub fn renew(&mut self) {
        match self {
            Encryption::Never => {}
            Encryption::IfOffered { keys, .. } | Encryption::Required { keys } => keys.generation += 1,
            Encryption::WebRtc(own) => own.renew(),
        }
    }
}

impl OwnKeys {
    pub fn key(&self, suite: Suite) -> MasterKey {
        let mut random = ChaCha20Rng::from_seed(self.seed);
        random.set_stream(u64::from(self.generation) << 8 | suite as u64);
        MasterKey::random(suite, |octets| random.fill_bytes(octets))
    }
}

impl fmt::Debug for OwnKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "*** (generation {})", self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::srtp::Keys;
    use crate::plane::{Codec, Direction};
    use std::collections::BTreeSet;

    #[test]
    fn no_key_is_used_twice() {
        let mut seen = BTreeSet::new();
        for leg in 0..3 {
            let mut ours = Encryption::new(Srtp::Required, || [leg; 32]);
            for _ in 0..5 {
                for suite in Suite::ALL {
                    let key = ours.keys().unwrap().key(suite);
                    assert_eq!(key, ours.keys().unwrap().key(suite), "it stays until it is renewed");
                    assert!(seen.insert(key.key(suite)[..16].to_vec()), "{suite:?}");
                }
                ours.renew();
            }
            assert!(!format!("{ours:?}").contains("seed"));
        }
    }

    fn agreed(encrypted: bool) -> Negotiated {
        let far = crate::plane::webrtc::FAR_END;
        let theirs = MasterKey::random(Suite::ALL[0], |octets| octets.fill(1));
        Negotiated {
            remote_rtp: far,
            remote_rtcp: far,
            rtcp_mux: false,
            codec: Codec::Pcma,
            payload_type: 8,
            dtmf: None,
            direction: Direction::SendRecv,
            srtp: encrypted.then_some(Keys { suite: Suite::ALL[0], ours: theirs, theirs }),
            webrtc: None,
        }
    }

    #[test]
    fn it_is_offered_where_it_must_be_or_already_is() {
        let mut ours = Encryption::new(Srtp::IfOffered, || [1; 32]);
        assert!(ours.offered().is_none() && ours.keys().is_some());
        ours.agree(&agreed(true));
        assert!(ours.offered().is_some());
        ours.agree(&agreed(false));
        assert!(ours.offered().is_none());
        assert!(Encryption::new(Srtp::Required, || [1; 32]).offered().is_some());
        assert!(Encryption::new(Srtp::Never, || unreachable!("no key for nothing")).keys().is_none());
    }
}
