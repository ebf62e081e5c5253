//! Values in slots, reached by an id in constant time. Belongs here: storage only.
//!
//! An id is a serial number and a slot index: no id is given twice (not within 2^32 insertions), so one that
//! outlived its value finds nothing instead of a stranger. Memory returns when the load goes.

use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Arena<T> {
    slots: Vec<Slot<T>>,
    /// Indexes that were vacant once. Hints: an entry may have been cut off or filled since.
    vacant: Vec<u32>,
    serial: u32,
    live: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slot<T> {
    serial: u32,
    value: Option<T>,
}

/// Below this many slots memory is not worth returning.
const SMALL: usize = 64;

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena { slots: Vec::new(), vacant: Vec::new(), serial: 0, live: 0 }
    }
}

impl<T> Arena<T> {
    pub fn insert(&mut self, value: T) -> NonZeroU64 {
        self.serial = self.serial.wrapping_add(1).max(1);
        self.live += 1;
        let slot = Slot { serial: self.serial, value: Some(value) };
        let index = match self.take_vacant() {
            Some(index) => {
                self.slots[index] = slot;
                index
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        };
        NonZeroU64::new(u64::from(self.serial) << 32 | index as u64).unwrap_or(NonZeroU64::MIN)
    }

    pub fn get(&self, id: NonZeroU64) -> Option<&T> {
        let slot = self.slots.get(index(id))?;
        slot.value.as_ref().filter(|_| slot.serial == serial(id))
    }

    pub fn get_mut(&mut self, id: NonZeroU64) -> Option<&mut T> {
        let slot = self.slots.get_mut(index(id))?;
        slot.value.as_mut().filter(|_| slot.serial == serial(id))
    }

    pub fn remove(&mut self, id: NonZeroU64) -> Option<T> {
        let slot = self.slots.get_mut(index(id)).filter(|slot| slot.serial == serial(id))?;
        let value = slot.value.take()?;
        self.live -= 1;
        self.vacant.push(index(id) as u32);
        self.trim();
        Some(value)
    }

    pub fn len(&self) -> usize {
        self.live
    }

    fn take_vacant(&mut self) -> Option<usize> {
        while let Some(index) = self.vacant.pop() {
            if self.slots.get(index as usize).is_some_and(|slot| slot.value.is_none()) {
                return Some(index as usize);
            }
        }
        None
    }

    /// Cuts vacant slots off the end and gives memory back once three quarters are unused.
    fn trim(&mut self) {
        while self.slots.last().is_some_and(|slot| slot.value.is_none()) {
            self.slots.pop();
        }
        if self.slots.is_empty() {
            self.vacant.clear();
        }
        let used = self.slots.len().max(SMALL);
        if self.slots.capacity() > 4 * used {
            self.slots.shrink_to(2 * used);
            self.vacant.retain(|&index| (index as usize) < used);
            self.vacant.shrink_to(2 * used);
        }
    }
}

fn index(id: NonZeroU64) -> usize {
    (id.get() & 0xffff_ffff) as usize
}

fn serial(id: NonZeroU64) -> u32 {
    (id.get() >> 32) as u32
}
