//! Who served each caller last and where: for the agent preferred, and for the language. Belongs here: the bounded
//! memory. Not here: using it (`route`, `acd`), keeping it for years (`cases`).

use crate::event::RememberedCaller;
use crate::ids::{AgentNo, QueueName};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Beyond so many, the callers served longest ago are forgotten.
pub const MOST: usize = 100_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    pub agent: AgentNo,
    pub queue: QueueName,
    pub at: Instant,
}

/// By number. Withheld numbers never come here.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<u64, Served>", into = "BTreeMap<u64, Served>")]
pub struct Memory {
    callers: BTreeMap<u64, Served>,
    /// The same callers, least recently served first.
    by_time: BTreeSet<(Instant, u64)>,
}

impl Memory {
    /// What is known of this caller already gives way only to what is newer.
    pub fn remember(&mut self, caller: RememberedCaller) {
        let RememberedCaller { number, agent, queue, at } = caller;
        let Some(number) = digits(&number) else { return };
        if let Some(known) = self.callers.get(&number) {
            if known.at > at {
                return;
            }
            self.by_time.remove(&(known.at, number));
        }
        self.callers.insert(number, Served { agent, queue, at });
        self.by_time.insert((at, number));
        if self.callers.len() > MOST
            && let Some((_, oldest)) = self.by_time.pop_first()
        {
            self.callers.remove(&oldest);
        }
    }

    pub fn of(&self, e164: &str) -> Option<&Served> {
        self.callers.get(&digits(e164)?)
    }

    pub fn len(&self) -> usize {
        self.callers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.callers.is_empty()
    }
}

/// E.164 has at most 15 digits and none of its country codes begins with 0, so a number says the same in 8 bytes.
fn digits(e164: &str) -> Option<u64> {
    let digits = e164.strip_prefix('+')?;
    let plain = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| plain && !digits.starts_with('0'))
}

impl From<BTreeMap<u64, Served>> for Memory {
    fn from(callers: BTreeMap<u64, Served>) -> Memory {
        let by_time = callers.iter().map(|(number, served)| (served.at, *number)).collect();
        Memory { callers, by_time }
    }
}

impl From<Memory> for BTreeMap<u64, Served> {
    fn from(memory: Memory) -> Self {
        memory.callers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(number: u64, agent: &str, at: u64) -> RememberedCaller {
        let number = format!("+{number}");
        RememberedCaller { number, agent: agent.into(), queue: "english".into(), at: Instant::from_unix_secs(at) }
    }

    #[test]
    fn the_latest_agent_counts_in_whatever_order_it_is_told() {
        let mut memory = Memory::default();
        for (agent, at) in [("6601", 10), ("6602", 30), ("6603", 20)] {
            memory.remember(served(8613800000001, agent, at));
        }
        assert_eq!(memory.of("+8613800000001").map(|s| s.agent.as_str()), Some("6602"));
        assert_eq!(memory.len(), 1);
    }

    #[test]
    fn what_is_no_full_number_is_not_kept() {
        let mut memory = Memory::default();
        for number in ["", "+", "8613800000001", "+0138", "+1234567890123456", "+86x"] {
            memory.remember(RememberedCaller { number: number.into(), ..served(1, "6601", 1) });
        }
        assert!(memory.is_empty());
    }

    #[test]
    fn full_it_forgets_the_least_recently_served_and_is_the_same_after_a_restore() {
        let mut memory = Memory::default();
        for n in 0..MOST as u64 {
            memory.remember(served(8613800000000 + n, "6601", n));
        }
        // The first is served again, so the second is now the oldest.
        memory.remember(served(8613800000000, "6602", 1_000_000));
        let mut restored: Memory = postcard::from_bytes(&postcard::to_stdvec(&memory).unwrap()).unwrap();
        for memory in [&mut memory, &mut restored] {
            memory.remember(served(4930123456, "6603", 1_000_001));
            assert_eq!(memory.len(), MOST);
            assert_eq!(memory.of("+8613800000000").map(|s| s.agent.as_str()), Some("6602"));
            assert_eq!(memory.of("+8613800000001"), None);
            assert_eq!(memory.of("+4930123456").map(|s| s.agent.as_str()), Some("6603"));
        }
    }
}
