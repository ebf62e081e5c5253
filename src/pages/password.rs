//! Agents' passwords: Argon2id (RFC 9106) as PHC strings. Belongs here: making and comparing hashes, slowing down whoever
//! guesses. Not here: who has which (`config`), what a right one opens (`session`).

use crate::ids::AgentNo;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Comparisons at once: each takes 19 MiB and tens of milliseconds of a core that calls need.
const AT_ONCE: usize = 1;
/// Wrong passwords in a row from one address that cost nothing yet; every further one doubles the wait.
const FREE_GUESSES: u32 = 4;
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// After so long without a guess an address starts anew.
const FORGET: Duration = Duration::from_secs(900);
/// Addresses remembered.
const MOST_SOURCES: usize = 4_096;
/// Longer than anybody types.
const LONGEST: usize = 256;

pub struct Passwords {
    hashes: BTreeMap<AgentNo, String>,
    /// Compared with where there is none, so that an unknown agent takes as long as a known one.
    nobody: String,
    turns: Semaphore,
    guesses: Mutex<BTreeMap<IpAddr, Guesses>>,
}

struct Guesses {
    wrong: u32,
    last: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Right,
    Wrong,
    /// Too many wrong ones from this address; not even looked at.
    Wait(Duration),
}

impl Passwords {
    pub fn new(hashes: BTreeMap<AgentNo, String>) -> Passwords {
        let nobody = hash("nobody's", &[7; 16]).unwrap_or_default();
        Passwords { hashes, nobody, turns: Semaphore::new(AT_ONCE), guesses: Mutex::default() }
    }

    pub async fn check(&self, from: IpAddr, agent: &AgentNo, password: String) -> Verdict {
        if let Some(wait) = self.wait(from) {
            return Verdict::Wait(wait);
        }
        let known = self.hashes.get(agent).cloned();
        let (exists, hash) = (known.is_some(), known.unwrap_or_else(|| self.nobody.clone()));
        let Ok(_turn) = self.turns.acquire().await else { return Verdict::Wrong };
        let same = tokio::task::spawn_blocking(move || password.len() <= LONGEST && is_of(&hash, &password)).await;
        let right = exists && same.unwrap_or(false);
        self.guessed(from, right);
        if right { Verdict::Right } else { Verdict::Wrong }
    }

    fn wait(&self, from: IpAddr) -> Option<Duration> {
        let guesses = self.guesses.lock().unwrap_or_else(|e| e.into_inner());
        let Guesses { wrong, last } = guesses.get(&from)?;
        let doublings = wrong.checked_sub(FREE_GUESSES)?;
        let wait = Duration::from_secs(1).saturating_mul(1 << doublings.min(10)).min(LONGEST_WAIT);
        wait.checked_sub(last.elapsed()).filter(|left| !left.is_zero())
    }

    fn guessed(&self, from: IpAddr, right: bool) {
        let mut guesses = self.guesses.lock().unwrap_or_else(|e| e.into_inner());
        if right {
            guesses.remove(&from);
            return;
        }
        if guesses.len() >= MOST_SOURCES {
            guesses.retain(|_, known| known.last.elapsed() < FORGET);
        }
        if guesses.len() >= MOST_SOURCES
            && let Some(oldest) = guesses.iter().min_by_key(|(_, known)| known.last).map(|(from, _)| *from)
        {
            guesses.remove(&oldest);
        }
        let known = guesses.entry(from).or_insert(Guesses { wrong: 0, last: Instant::now() });
        if known.last.elapsed() > FORGET {
            known.wrong = 0;
        }
        *known = Guesses { wrong: known.wrong.saturating_add(1), last: Instant::now() };
    }
}

/// A PHC string that a password can be compared with.
pub fn is_usable(text: &str) -> bool {
    let Ok(hash) = PasswordHash::new(text) else { return false };
    hash.algorithm.as_str() == "argon2id" && hash.hash.is_some() && Params::try_from(&hash).is_ok()
}

/// For the configuration. `None`: the password is too long.
pub fn hash(password: &str, salt: &[u8; 16]) -> Option<String> {
    let salt = SaltString::encode_b64(salt).ok().filter(|_| password.len() <= LONGEST)?;
    Some(argon2().hash_password(password.as_bytes(), &salt).ok()?.to_string())
}

fn is_of(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

/// The parameters that RFC 9106 and OWASP ask for on a machine that has other work: 19 MiB, two passes.
fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_of_the_right_agent() {
        let made = hash("gut verwahrt", &[1; 16]).unwrap();
        assert!(is_usable(&made), "{made}");
        let passwords = Passwords::new([(AgentNo::new("6601"), made)].into());
        let from: IpAddr = "10.0.0.1".parse().unwrap();
        let check =
            async |agent: &str, password: &str| passwords.check(from, &AgentNo::new(agent), password.to_owned()).await;
        assert_eq!(check("6601", "gut verwahrt").await, Verdict::Right);
        assert_eq!(check("6601", "Gut verwahrt").await, Verdict::Wrong);
        assert_eq!(check("6602", "gut verwahrt").await, Verdict::Wrong);
        assert_eq!(check("6601", &"x".repeat(10_000)).await, Verdict::Wrong);
    }

    #[tokio::test]
    async fn whoever_guesses_waits_and_nobody_else() {
        let passwords = Passwords::new([(AgentNo::new("6601"), hash("richtig!", &[1; 16]).unwrap())].into());
        let (bad, good): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        for _ in 0..FREE_GUESSES {
            assert_eq!(passwords.check(bad, &AgentNo::new("6601"), "falsch".into()).await, Verdict::Wrong);
        }
        let waits = passwords.check(bad, &AgentNo::new("6601"), "richtig!".into()).await;
        assert!(matches!(waits, Verdict::Wait(wait) if wait <= Duration::from_secs(1)), "{waits:?}");
        assert_eq!(passwords.check(good, &AgentNo::new("6601"), "richtig!".into()).await, Verdict::Right);
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for text in
            ["", "secret", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ", "$scrypt$ln=1,r=8,p=1$c2FsdHNhbHQ$aaaa"]
        {
            assert!(!is_usable(text), "{text}");
        }
    }
}
