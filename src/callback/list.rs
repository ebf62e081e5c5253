//! The list itself: entries by the call in which they were promised or missed, one per number, each in one state.

use super::hours;
use crate::config::settings::{CallbackSettings, MissedCalls};
use crate::event::{CallbackChange, CallbackEntry, CallbackGone, CallbackKind};
use crate::ids::CallId;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// Until an attempt that found no room, or nobody to make it, is tried again.
const NO_ROOM: Duration = Duration::from_secs(60);

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Begin an attempt as the call `call`. It counts as in line already.
    Attempt { call: CallId, entry: CallbackEntry },
    /// The attempt is not wanted any more, wherever it is.
    Withdraw { call: CallId },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Kept for people to look at; called only when somebody says so.
    Listed,
    /// To be called as soon as its time has come and the hours allow it.
    Due,
    /// An attempt waits for an agent, or the agent's seat rings.
    InLine(CallId),
    /// An agent is there and the citizen's phone is being rung.
    Calling(CallId),
}

/// One entry as views show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    pub entry: CallbackEntry,
    pub state: State,
    /// When it is to be looked at next; filed in `wakes` under this time.
    wake: Option<Instant>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Callbacks {
    rules: CallbackSettings,
    utc_offset: i16,
    entries: BTreeMap<CallId, Pending>,
    by_number: BTreeMap<String, CallId>,
    /// Attempts in flight and what they are for.
    attempts: BTreeMap<CallId, CallId>,
    wakes: BTreeSet<(Instant, CallId)>,
    promised: usize,
    /// Whether attempts may begin: there is a way out, and we are not closing down.
    calling_out: bool,
    changes: VecDeque<CallbackChange>,
    orders: VecDeque<Order>,
}

impl Callbacks {
    /// Empty, and beginning no attempts until [`Callbacks::call_out`].
    pub fn new(rules: CallbackSettings, utc_offset: i16) -> Callbacks {
        Callbacks {
            rules,
            utc_offset,
            entries: BTreeMap::new(),
            by_number: BTreeMap::new(),
            attempts: BTreeMap::new(),
            wakes: BTreeSet::new(),
            promised: 0,
            calling_out: false,
            changes: VecDeque::new(),
            orders: VecDeque::new(),
        }
    }

    /// The list as it was kept when the process ended. An attempt in flight then was counted when it began.
    pub fn restore(&mut self, now: Instant, entries: Vec<CallbackEntry>) {
        for entry in entries {
            if self.by_number.contains_key(&entry.number) || entry.attempts >= self.rules.attempts {
                self.changes.push_back(CallbackChange::Gone { of: entry.of, why: CallbackGone::GivenUp });
                continue;
            }
            let state = self.first_state(entry.kind);
            self.add(now, entry, state);
        }
    }

    /// Attempts may begin from now on, or may not; those in line are withdrawn then, for later.
    pub fn call_out(&mut self, now: Instant, may: bool) {
        self.calling_out = may;
        for of in self.entries.keys().copied().collect::<Vec<_>>() {
            if let State::InLine(call) = self.entries[&of].state
                && !may
            {
                self.withdraw(call);
                self.set_state(of, State::Due);
            }
            self.refile(now, of);
        }
    }

    pub fn calls_out(&self) -> bool {
        self.calling_out
    }

    /// Could this number be promised a call now?
    pub fn may_promise(&self, now: Instant, number: &str) -> bool {
        let opens = self.rules.hours.as_ref().map_or(Some(now), |h| hours::next_open(h, now, self.utc_offset));
        let already = self.of_number(number).is_some_and(|p| p.entry.kind == CallbackKind::Promised);
        // A promise that would be forgotten before we may call is none.
        opens.is_some_and(|at| at < now + self.rules.keep)
            && (already || self.promised < self.rules.max_pending as usize)
    }

    /// The citizen wants to be called instead of waiting. False: the list is full, nothing is promised. A number that has
    /// a promise already keeps that one and its place, with all attempts again.
    pub fn promise(&mut self, now: Instant, entry: CallbackEntry) -> bool {
        if !self.may_promise(now, &entry.number) {
            return false;
        }
        let Some(&of) = self.by_number.get(&entry.number) else {
            self.add(now, entry, State::Due);
            return true;
        };
        let Some(known) = self.entries.get_mut(&of) else { return false };
        let old = std::mem::replace(&mut known.entry, entry);
        self.promised += usize::from(old.kind == CallbackKind::Missed);
        known.entry.of = of;
        // Who hung up had left the line; who was promised had not.
        if old.kind == CallbackKind::Promised {
            known.entry.since = known.entry.since.min(old.since);
        }
        known.entry.missed = old.missed;
        // An attempt in line has the old place, and the citizen is on the phone with us now.
        if let State::InLine(call) = known.state {
            known.state = State::Due;
            self.withdraw(call);
        }
        let Some(known) = self.entries.get_mut(&of) else { return false };
        if let State::Calling(_) = known.state {
            // Its end sets the time of the next one.
            (known.entry.attempts, known.entry.not_before) = (old.attempts, old.not_before);
        }
        if known.state == State::Listed {
            known.state = State::Due;
        }
        self.changed(now, of);
        true
    }

    /// A call was not answered. Kept as the rules say; a further call of the same number makes no second entry.
    pub fn missed(&mut self, now: Instant, entry: CallbackEntry) {
        if self.rules.missed == MissedCalls::Ignore {
            return;
        }
        if let Some(&of) = self.by_number.get(&entry.number) {
            // Who is promised a call gets it.
            if let Some(known) = self.entries.get_mut(&of).filter(|p| p.entry.kind == CallbackKind::Missed) {
                known.entry.missed = known.entry.missed.saturating_add(1);
                known.entry.since = known.entry.since.min(entry.since);
                self.changed(now, of);
            }
        } else if self.entries.len() - self.promised < self.rules.max_pending as usize {
            let state = self.first_state(entry.kind);
            self.add(now, entry, state);
        }
    }

    /// The citizen has spoken to an agent: nothing is owed any more.
    pub fn got_through(&mut self, number: &str) {
        let Some(&of) = self.by_number.get(number) else { return };
        if let Some(State::InLine(call) | State::Calling(call)) = self.entries.get(&of).map(|p| p.state) {
            self.withdraw(call);
        }
        self.remove(of, CallbackGone::GotThrough);
    }

    /// Somebody says: call this one now. False if there is no such entry, or its attempt is in flight.
    pub fn take(&mut self, now: Instant, of: CallId) -> bool {
        match self.entries.get_mut(&of) {
            Some(known) if matches!(known.state, State::Listed | State::Due) => {
                known.state = State::Due;
                known.entry.not_before = now;
                self.changed(now, of);
                true
            }
            _ => false,
        }
    }

    /// An agent is there: the citizen's phone is about to ring. Counted now, so that a crash cannot uncount it.
    pub fn calling(&mut self, now: Instant, call: CallId) {
        let retry = now + self.rules.retry_after;
        if let Some(of) = self.attempts.get(&call).copied()
            && let Some(known) = self.entries.get_mut(&of)
        {
            known.state = State::Calling(call);
            known.entry.attempts = known.entry.attempts.saturating_add(1);
            known.entry.not_before = retry;
            self.changed(now, of);
        }
    }

    /// The citizen answered.
    pub fn reached(&mut self, call: CallId) {
        if let Some(of) = self.attempts.get(&call).copied() {
            self.remove(of, CallbackGone::Reached);
        }
    }

    /// The attempt is over and the citizen did not answer: once more later, while attempts are left. An attempt that
    /// never rang the citizen's phone is not counted.
    pub fn not_reached(&mut self, now: Instant, call: CallId) {
        let Some(of) = self.attempts.remove(&call) else { return };
        let Some(known) = self.entries.get_mut(&of) else { return };
        let rang = matches!(known.state, State::Calling(_));
        let retry = now + if rang { self.rules.retry_after } else { NO_ROOM };
        if known.entry.attempts >= self.rules.attempts {
            return self.remove(of, CallbackGone::GivenUp);
        }
        known.state = State::Due;
        known.entry.not_before = retry;
        self.changed(now, of);
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// Runs what is due; `new_call` names the attempts that begin.
    pub fn handle_timeout(&mut self, now: Instant, mut new_call: impl FnMut() -> CallId) {
        while let Some(&(at, of)) = self.wakes.first() {
            if at > now {
                return;
            }
            let Some(known) = self.entries.get(&of) else {
                self.wakes.pop_first();
                continue;
            };
            let expired = self.expires(&known.entry) <= now;
            match known.state {
                State::InLine(call) if expired || !self.open_at(now) => {
                    self.withdraw(call);
                    self.set_state(of, State::Due);
                }
                State::Due if !expired && self.calling_out && self.open_at(now) => {
                    let call = new_call();
                    self.orders.push_back(Order::Attempt { call, entry: known.entry.clone() });
                    self.attempts.insert(call, of);
                    self.set_state(of, State::InLine(call));
                }
                _ => {}
            }
            if expired {
                self.remove(of, CallbackGone::Expired);
            } else {
                self.refile(now, of);
            }
        }
    }

    pub fn next_change(&mut self) -> Option<CallbackChange> {
        self.changes.pop_front()
    }

    pub fn next_order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Pending> {
        self.entries.values()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn of_number(&self, number: &str) -> Option<&Pending> {
        self.entries.get(self.by_number.get(number)?)
    }

    fn first_state(&self, kind: CallbackKind) -> State {
        match (kind, self.rules.missed) {
            (CallbackKind::Promised, _) | (CallbackKind::Missed, MissedCalls::CallBack { .. }) => State::Due,
            (CallbackKind::Missed, MissedCalls::Ignore | MissedCalls::List) => State::Listed,
        }
    }

    /// Counted from the last promise or attempt, not from a place in the order that may be old.
    fn expires(&self, entry: &CallbackEntry) -> Instant {
        entry.since.max(entry.not_before) + self.rules.keep
    }

    fn open_at(&self, now: Instant) -> bool {
        self.rules.hours.as_ref().is_none_or(|h| h.open_at(now, self.utc_offset))
    }

    fn add(&mut self, now: Instant, entry: CallbackEntry, state: State) {
        let of = entry.of;
        self.promised += usize::from(entry.kind == CallbackKind::Promised);
        self.by_number.insert(entry.number.clone(), of);
        self.entries.insert(of, Pending { entry, state, wake: None });
        self.changed(now, of);
    }

    fn changed(&mut self, now: Instant, of: CallId) {
        if let Some(known) = self.entries.get(&of) {
            self.changes.push_back(CallbackChange::Put(known.entry.clone()));
        }
        self.refile(now, of);
    }

    fn set_state(&mut self, of: CallId, state: State) {
        if let Some(known) = self.entries.get_mut(&of) {
            known.state = state;
        }
    }

    fn withdraw(&mut self, call: CallId) {
        self.attempts.remove(&call);
        self.orders.push_back(Order::Withdraw { call });
    }

    fn remove(&mut self, of: CallId, why: CallbackGone) {
        let Some(gone) = self.entries.remove(&of) else { return };
        if let Some(wake) = gone.wake {
            self.wakes.remove(&(wake, of));
        }
        if let State::InLine(call) | State::Calling(call) = gone.state {
            self.attempts.remove(&call);
        }
        self.promised -= usize::from(gone.entry.kind == CallbackKind::Promised);
        self.by_number.remove(&gone.entry.number);
        self.changes.push_back(CallbackChange::Gone { of, why });
    }

    /// Files the entry under the next moment at which something is to be done about it.
    fn refile(&mut self, now: Instant, of: CallId) {
        let Some(known) = self.entries.get(&of) else { return };
        let expires = self.expires(&known.entry);
        let hours = self.rules.hours.as_ref();
        let wake = match known.state {
            State::Listed => Some(expires),
            State::Due if !self.calling_out => Some(expires),
            State::Due => {
                let from = known.entry.not_before.max(now);
                let opens = hours.map_or(Some(from), |h| hours::next_open(h, from, self.utc_offset));
                Some(opens.map_or(expires, |at| at.min(expires)))
            }
            State::InLine(_) => Some(hours.map_or(expires, |h| hours::closes(h, now, self.utc_offset).min(expires))),
            State::Calling(_) => None,
        };
        let Some(known) = self.entries.get_mut(&of) else { return };
        let before = std::mem::replace(&mut known.wake, wake);
        if before != wake {
            before.map(|at| self.wakes.remove(&(at, of)));
            wake.map(|at| self.wakes.insert((at, of)));
        }
    }
}
