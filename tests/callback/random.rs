//! The list under anything that can happen to it, in any order: what must always hold.

use crate::world::{MONDAY_10, owed, s};
use rexian::callback::{Callbacks, Order, State};
use rexian::config::settings::{CallbackSettings, Hours, MissedCalls};
use rexian::event::{CallbackChange, CallbackEntry, CallbackKind};
use rexian::ids::CallId;
use rexian::sim::rng::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[test]
fn one_entry_and_one_attempt_a_number_bounded_and_the_store_agrees() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut hours = Hours::default();
        hours.week.fill(vec![(8 * 60, 12 * 60), (13 * 60, 20 * 60)]);
        let rules = CallbackSettings {
            hours: (seed % 2 == 0).then_some(hours),
            max_pending: 3,
            missed: [MissedCalls::Ignore, MissedCalls::List, MissedCalls::CallBack { priority: 9 }][seed as usize % 3],
            keep: s(6 * 3_600),
            ..CallbackSettings::default()
        };
        let mut list = Callbacks::new(rules, 480);
        let (mut now, mut next, mut store) = (MONDAY_10, 1_u64, BTreeMap::<CallId, CallbackEntry>::new());
        // Attempts the gateway has in hand, and for which number.
        let mut attempts = BTreeMap::<CallId, String>::new();
        list.call_out(now, true);
        for _ in 0..400 {
            let number = format!("+86138{:08}", rng.below(8));
            let attempt = attempts.keys().nth(rng.below(4) as usize).copied();
            next += 1;
            match (rng.below(12), attempt) {
                (0 | 1, _) => {
                    let _ = list.promise(now, owed(next, &number, now));
                }
                (2 | 3, _) => {
                    let missed = CallbackEntry { kind: CallbackKind::Missed, missed: 1, ..owed(next, &number, now) };
                    list.missed(now, missed);
                }
                (4, _) => list.got_through(&number),
                (5 | 6, Some(call)) => list.calling(now, call),
                (7, Some(call)) => {
                    attempts.remove(&call);
                    list.reached(call);
                }
                (8, Some(call)) => {
                    attempts.remove(&call);
                    list.not_reached(now, call);
                }
                (9, _) => {
                    let _ = list.take(now, CallId(1 + rng.below(next)));
                }
                (10, _) => {
                    let may = rng.below(3) > 0;
                    list.call_out(now, may);
                }
                _ => now = now + Duration::from_secs(rng.below(3_000)),
            }
            if list.next_timeout().is_some_and(|at| at <= now) {
                list.handle_timeout(now, || {
                    next += 1;
                    CallId(next)
                });
                assert!(list.next_timeout().is_none_or(|at| at > now), "what is due is done");
            }
            while let Some(order) = list.next_order() {
                match order {
                    Order::Attempt { call, entry } => {
                        assert!(!attempts.values().any(|n| *n == entry.number), "two at once for {}", entry.number);
                        attempts.insert(call, entry.number);
                    }
                    Order::Withdraw { call } => drop(attempts.remove(&call).expect("one that runs")),
                }
            }
            while let Some(change) = list.next_change() {
                match change {
                    CallbackChange::Put(entry) => drop(store.insert(entry.of, entry)),
                    CallbackChange::Gone { of, .. } => drop(store.remove(&of).expect("one that was put")),
                }
            }
            let entries: Vec<_> = list.iter().collect();
            assert_eq!(entries.iter().map(|p| &p.entry).collect::<Vec<_>>(), store.values().collect::<Vec<_>>());
            let numbers: BTreeSet<_> = entries.iter().map(|p| &p.entry.number).collect();
            assert_eq!(numbers.len(), entries.len());
            for kind in [CallbackKind::Promised, CallbackKind::Missed] {
                assert!(entries.iter().filter(|p| p.entry.kind == kind).count() <= 3, "{kind:?} beyond the bound");
            }
            let running: BTreeSet<_> = entries
                .iter()
                .filter_map(|p| match p.state {
                    State::InLine(call) | State::Calling(call) => Some(call),
                    State::Listed | State::Due => None,
                })
                .collect();
            assert_eq!(running, attempts.keys().copied().collect(), "seed {seed}");
            let again: Callbacks = postcard::from_bytes(&postcard::to_stdvec(&list).unwrap()).unwrap();
            list = again;
        }
    }
}
