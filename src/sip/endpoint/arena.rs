//! Values in slots, reached by an id in constant time. Belongs here: storage only.
//!
//! An id is a serial number and a slot index: no id is given twice (not within 2^32 insertions), so one that outlived its
//! value finds nothing instead of a stranger. Slots come in chunks: growing copies nothing, so no call stalls, and a
//! chunk that empties is given back. The lowest chunk with room is filled first, which lets the high ones empty.

use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Arena<T> {
    chunks: Vec<Chunk<T>>,
    /// No chunk below this one has room.
    room: usize,
    serial: u32,
    live: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Chunk<T> {
    slots: Vec<Slot<T>>,
    vacant: Vec<u16>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot<T> {
    serial: u32,
    value: Option<T>,
}

const CHUNK: usize = 1024;

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena { chunks: Vec::new(), room: 0, serial: 0, live: 0 }
    }
}

impl<T> Arena<T> {
    pub fn insert(&mut self, value: T) -> NonZeroU64 {
        while self.chunks.get(self.room).is_some_and(Chunk::is_full) {
            self.room += 1;
        }
        if self.room == self.chunks.len() {
            self.chunks.push(Chunk::default());
        }
        self.serial = self.serial.wrapping_add(1).max(1);
        self.live += 1;
        let at = self.chunks[self.room].insert(Slot { serial: self.serial, value: Some(value) });
        id(self.serial, self.room * CHUNK + at)
    }

    pub fn get(&self, id: NonZeroU64) -> Option<&T> {
        let slot = self.chunks.get(index(id) / CHUNK)?.slots.get(index(id) % CHUNK)?;
        slot.value.as_ref().filter(|_| slot.serial == serial(id))
    }

    pub fn get_mut(&mut self, id: NonZeroU64) -> Option<&mut T> {
        let slot = self.chunks.get_mut(index(id) / CHUNK)?.slots.get_mut(index(id) % CHUNK)?;
        slot.value.as_mut().filter(|_| slot.serial == serial(id))
    }

    pub fn remove(&mut self, id: NonZeroU64) -> Option<T> {
        let (at, within) = (index(id) / CHUNK, index(id) % CHUNK);
        let chunk = self.chunks.get_mut(at)?;
        let slot = chunk.slots.get_mut(within).filter(|slot| slot.serial == serial(id))?;
        let value = slot.value.take()?;
        chunk.vacant.push(within as u16);
        // The first is kept: a quiet endpoint would allocate it again for every transaction.
        if chunk.vacant.len() == chunk.slots.len() && at > 0 {
            *chunk = Chunk::default();
        }
        self.live -= 1;
        self.room = self.room.min(at);
        Some(value)
    }

    pub fn len(&self) -> usize {
        self.live
    }
}

impl<T> Chunk<T> {
    fn is_full(&self) -> bool {
        self.slots.len() == CHUNK && self.vacant.is_empty()
    }

    fn insert(&mut self, slot: Slot<T>) -> usize {
        match self.vacant.pop() {
            Some(at) => {
                self.slots[usize::from(at)] = slot;
                usize::from(at)
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        }
    }
}

impl<T> Default for Chunk<T> {
    fn default() -> Self {
        Chunk { slots: Vec::new(), vacant: Vec::new() }
    }
}

fn id(serial: u32, index: usize) -> NonZeroU64 {
    // A serial number is never 0, so neither is the whole.
    NonZeroU64::new(u64::from(serial) << 32 | index as u64).unwrap_or(NonZeroU64::MIN)
}

fn index(id: NonZeroU64) -> usize {
    (id.get() & 0xffff_ffff) as usize
}

fn serial(id: NonZeroU64) -> u32 {
    (id.get() >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};
    use std::collections::BTreeMap;

    /// Against a map, through growth over many chunks and back.
    #[test]
    fn finds_what_a_map_finds_and_gives_chunks_back() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let (mut arena, mut model, mut gone) = (Arena::default(), BTreeMap::new(), Vec::new());
        for (inserts_of_8, rounds) in [(6, 20_000), (2, 40_000), (5, 5_000)] {
            for n in 0..rounds {
                if rng.next_u64() % 8 < inserts_of_8 {
                    assert!(model.insert(arena.insert(n), n).is_none(), "an id given twice");
                } else if let Some((&id, &n)) = model.iter().nth(rng.next_u64() as usize % model.len().clamp(1, 50)) {
                    assert_eq!(arena.remove(id), Some(n));
                    model.remove(&id);
                    gone.push(id);
                }
                assert_eq!(arena.len(), model.len());
            }
            assert!(model.iter().all(|(&id, n)| arena.get(id) == Some(n) && arena.get_mut(id).is_some()));
            assert!(gone.iter().all(|&id| arena.get(id).is_none() && arena.get_mut(id).is_none()));
        }
        assert!(arena.chunks.len() > 5, "the test did not grow beyond a few chunks");
        model.into_keys().for_each(|id| assert!(arena.remove(id).is_some()));
        assert!(arena.chunks[1..].iter().all(|chunk| chunk.slots.capacity() == 0));
    }
}
