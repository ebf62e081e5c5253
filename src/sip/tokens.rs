//! Tags, branches, Call-IDs and nonce keys: unguessable, yet reproducible from the seed (RFC 3261 s19.3).
//! Belongs here: the one generator. Not here: reading entropy (`runtime` seeds it).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tokens(ChaCha8Rng);

impl Tokens {
    pub fn new(seed: [u8; 32]) -> Self {
        Tokens(ChaCha8Rng::from_seed(seed))
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A key for nonces.
    pub fn key(&mut self) -> [u8; 32] {
        let mut key = [0; 32];
        self.0.fill_bytes(&mut key);
        key
    }

    /// 16 hex digits.
    pub fn token(&mut self) -> String {
        format!("{:016x}", self.0.next_u64())
    }

    /// `z9hG4bK` and 16 hex digits.
    pub fn branch(&mut self) -> String {
        format!("z9hG4bK{:016x}", self.0.next_u64())
    }
}
