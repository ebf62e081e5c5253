//! One queue's line, looked at from outside: places, and who has waited longest. What the matcher goes by is the one
//! order over all queues, in the index.

use super::first_fit::FirstFit;
use super::order::Order;
use super::port::Waits;
use super::queue::Call;
use crate::ids::CallId;
use crate::time::Instant;
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Callers who hear music.
    callers: FirstFit<Order>,
    /// Citizens to be called back: a place in the order, but no waiting caller.
    callbacks: FirstFit<Order>,
    /// The callers by when they first asked: with ageing the first in order need not be the oldest.
    oldest: BTreeSet<(Instant, CallId)>,
}

impl Line {
    pub fn new() -> Line {
        Line { callers: FirstFit::new(0), callbacks: FirstFit::new(0), oldest: BTreeSet::new() }
    }

    pub fn insert(&mut self, call: &Call) {
        match call.waits {
            Waits::OnTheLine => {
                self.callers.insert(call.order, &[]);
                self.oldest.insert((call.since, call.order.call));
            }
            Waits::ForCallback => self.callbacks.insert(call.order, &[]),
        }
    }

    pub fn remove(&mut self, call: &Call) {
        match call.waits {
            Waits::OnTheLine => {
                self.callers.remove(&call.order);
                self.oldest.remove(&(call.since, call.order.call));
            }
            Waits::ForCallback => self.callbacks.remove(&call.order),
        }
    }

    pub fn callers(&self) -> usize {
        self.callers.len()
    }

    pub fn callbacks(&self) -> usize {
        self.callbacks.len()
    }

    /// How many callers are served before this one, were all else equal.
    pub fn callers_before(&self, order: &Order) -> usize {
        self.callers.before(order)
    }

    /// How many calls of either kind are.
    pub fn before(&self, order: &Order) -> usize {
        self.callers.before(order) + self.callbacks.before(order)
    }

    pub fn oldest(&self) -> Option<Instant> {
        self.oldest.first().map(|(since, _)| *since)
    }
}
