//! Timers in constant time. Belongs here: who is due when. Not here: what a timer means.
//!
//! SIP's timers come in a handful of lengths (T1 doubled a few times, T4, 64*T1). All timers of one length form a
//! list that is in order of time by construction, since each new one goes to its end. So starting, stopping and
//! firing touch one list end or one link, stopping leaves nothing behind, and the next deadline is the least of a few heads.

use super::arena::Arena;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;
use std::time::Duration;

pub type TimerId = NonZeroU64;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TimerQueue<T> {
    timers: Arena<Pending<T>>,
    lists: Vec<List>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct List {
    length: Duration,
    ends: Option<(TimerId, TimerId)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending<T> {
    at: Instant,
    what: T,
    list: u8,
    before: Option<TimerId>,
    after: Option<TimerId>,
}

impl<T> Default for TimerQueue<T> {
    fn default() -> Self {
        TimerQueue { timers: Arena::default(), lists: Vec::new() }
    }
}

impl<T: Copy> TimerQueue<T> {
    /// Starts a timer. If the clock stepped back, it waits behind those started before: late, by as much.
    pub fn start(&mut self, now: Instant, length: Duration, what: T) -> TimerId {
        let list = self.list_of(length);
        let last = self.lists[list].ends.map(|(_, last)| last);
        let id = self.timers.insert(Pending { at: now + length, what, list: list as u8, before: last, after: None });
        if let Some(last) = last.and_then(|last| self.timers.get_mut(last)) {
            last.after = Some(id);
        }
        let first = self.lists[list].ends.map_or(id, |(first, _)| first);
        self.lists[list].ends = Some((first, id));
        id
    }

    /// Stops a timer; one that has fired or was stopped is no matter.
    pub fn stop(&mut self, id: TimerId) {
        self.take(id);
    }

    pub fn next(&self) -> Option<Instant> {
        self.first().map(|(at, _)| at)
    }

    /// The timer longest due at `now`, if any.
    pub fn pop(&mut self, now: Instant) -> Option<T> {
        let (at, id) = self.first()?;
        if at > now {
            return None;
        }
        self.take(id)
    }

    fn first(&self) -> Option<(Instant, TimerId)> {
        let heads = self.lists.iter().filter_map(|list| list.ends);
        heads.filter_map(|(first, _)| self.timers.get(first).map(|timer| (timer.at, first))).min()
    }

    fn list_of(&mut self, length: Duration) -> usize {
        if let Some(index) = self.lists.iter().position(|list| list.length == length) {
            return index;
        }
        self.lists.push(List { length, ends: None });
        self.lists.len() - 1
    }

    fn take(&mut self, id: TimerId) -> Option<T> {
        let gone = self.timers.remove(id)?;
        if let Some(before) = gone.before.and_then(|before| self.timers.get_mut(before)) {
            before.after = gone.after;
        }
        if let Some(after) = gone.after.and_then(|after| self.timers.get_mut(after)) {
            after.before = gone.before;
        }
        let list = &mut self.lists[gone.list as usize];
        list.ends = list.ends.and_then(|(first, last)| {
            let first = if first == id { gone.after? } else { first };
            let last = if last == id { gone.before? } else { last };
            Some((first, last))
        });
        Some(gone.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};
    use std::collections::BTreeMap;

    /// Against an ordered map, under random starts, stops and clock steps.
    #[test]
    fn fires_what_a_sorted_map_fires() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let (mut queue, mut model) = (TimerQueue::default(), BTreeMap::new());
        let (mut now, mut ids, mut fired) = (Instant(1), BTreeMap::new(), 0);
        for n in 0..20_000u64 {
            match rng.next_u64() % 4 {
                0 | 1 => {
                    let length = Duration::from_millis([500, 1_000, 4_000, 32_000][(rng.next_u64() % 4) as usize]);
                    ids.insert(n, queue.start(now, length, n));
                    model.insert((now + length, n), ());
                }
                2 => {
                    let pick = rng.next_u64() % (n + 1);
                    if let Some((&n, &id)) = ids.range(pick..).next() {
                        queue.stop(id);
                        queue.stop(id);
                        ids.remove(&n);
                        model.retain(|key, _| key.1 != n);
                    }
                }
                _ => {
                    now = now + Duration::from_micros(rng.next_u64() % 700_000);
                    let mut due = Vec::new();
                    while let Some(n) = queue.pop(now) {
                        due.push(n);
                    }
                    let later = model.split_off(&(Instant(now.0 + 1), 0));
                    let mut expected: Vec<_> = model.keys().map(|&(_, n)| n).collect();
                    fired += due.len();
                    due.iter().for_each(|n| assert!(ids.remove(n).is_some()));
                    due.sort();
                    expected.sort();
                    assert_eq!(due, expected, "at {now:?}");
                    model = later;
                }
            }
            assert_eq!(queue.timers.len(), model.len());
            assert_eq!(queue.next(), model.keys().next().map(|key| key.0));
        }
        assert!(fired > 1_000, "only {fired} timers fired: the test proves little");
        while let Some(at) = queue.next() {
            assert!(queue.pop(at).is_some());
        }
        assert_eq!(queue.timers.len(), 0);
    }
}
