//! Calling citizens back: between the list (`callback`), the distributor, the attempts (`call`) and the trunk.

use super::lines::{known, language};
use super::{Gateway, Output, Service};
use crate::acd::{AcdInput, Request, Waits};
use crate::call::{Attempt, Call, CallInput, Terms, purpose};
use crate::callback::Order;
use crate::config::settings::{AnswerMode, MissedCalls};
use crate::event::{CallFact, CallbackEntry, CallbackKind, Chosen, EndCause};
use crate::ids::{AgentNo, CallId, LegId, SeatNo};
use crate::ivr::spoken;
use crate::leg::{HangupReason, LegCommand, LegEnd};
use crate::plane::PromptId;
use crate::sip::flow::Listener;
use crate::time::Instant;
use crate::trunk::number::normalise_dnis;
use std::time::Duration;

/// Longer than a citizen is told that we will call.
const BEING_TOLD: Duration = Duration::from_secs(60);

impl Gateway {
    pub(super) fn callbacks_restored(&mut self, now: Instant, entries: Vec<CallbackEntry>) {
        self.callbacks.restore(now, entries);
        self.callback_news(now);
    }

    pub(super) fn listening_at(&mut self, now: Instant, addresses: Vec<Listener>) {
        self.listening = addresses;
        self.probe_all(now);
        self.register_accounts(now);
        self.call_out_or_not(now);
    }

    /// Attempts begin only while there is a way out and we take calls.
    pub(super) fn call_out_or_not(&mut self, now: Instant) {
        let may = self.service == Service::Open && self.may_call_back(now);
        if may != self.callbacks.calls_out() {
            self.callbacks.call_out(now, may);
            self.callback_news(now);
        }
    }

    pub(super) fn callbacks_due(&mut self, now: Instant) {
        let next = &mut self.next_call;
        self.callbacks.handle_timeout(now, || {
            *next += 1;
            CallId(*next - 1)
        });
        self.callback_news(now);
    }

    /// A shift leader's order.
    pub(super) fn take_callback(&mut self, now: Instant, of: CallId) {
        if !self.callbacks.take(now, of) {
            tracing::warn!(%of, "nobody to call back here, or the call is under way");
        }
        self.callback_news(now);
    }

    /// What a fact of a citizen's call means for the list.
    pub(super) fn callback_fact(&mut self, now: Instant, id: CallId, fact: &CallFact) {
        let Some(call) = self.calls.get(&id) else { return };
        match fact {
            CallFact::Answered { .. } => {
                if let Some(number) = known(call.caller()) {
                    self.callbacks.got_through(number);
                    self.callback_news(now);
                }
            }
            // The citizen has put the phone down.
            CallFact::Ended { cause: EndCause::CallbackTaken, .. } => {
                let known = known(call.caller()).and_then(|number| self.callbacks.of_number(number));
                if let Some(of) = known.map(|pending| pending.entry.of) {
                    self.callbacks.take(now, of);
                    self.callback_news(now);
                }
            }
            CallFact::Ended { cause, queue: Some(_), talk, .. } if is_missed(*cause) && talk.is_zero() => {
                if let Some(entry) = call.callback_entry(now, CallbackKind::Missed)
                    && self.may_be_dialled(&entry.number)
                {
                    self.callbacks.missed(now, entry);
                    self.callback_news(now);
                }
            }
            _ => {}
        }
    }

    /// Carries out what the list decided. Called after each thing it is told: a change is on its way to the disk before
    /// anybody hears of it.
    pub(super) fn callback_news(&mut self, now: Instant) {
        while let Some(change) = self.callbacks.next_change() {
            self.outputs.push_back(Output::Callback(change));
        }
        while let Some(order) = self.callbacks.next_order() {
            match order {
                Order::Attempt { call, entry } => self.attempt(now, call, entry),
                Order::Withdraw { call } => self.attempt_input(now, call, CallInput::Withdrawn),
            }
            while let Some(change) = self.callbacks.next_change() {
                self.outputs.push_back(Output::Callback(change));
            }
        }
    }

    fn attempt(&mut self, now: Instant, id: CallId, entry: CallbackEntry) {
        let trunk = self.settings.callbacks.trunks.first().cloned();
        let (Some(queue), Some(trunk)) = (self.queue(&entry.queue).cloned(), trunk) else {
            tracing::error!(of = %entry.of, queue = %entry.queue, "nobody to call this citizen back: no such queue");
            return self.callbacks.not_reached(now, id);
        };
        let line = entry.line.as_ref().and_then(|name| self.lines.iter().find(|line| line.name == *name));
        let priority = match (entry.kind, self.settings.callbacks.missed) {
            (CallbackKind::Missed, MissedCalls::CallBack { priority }) => Some(priority),
            _ => line.and_then(|line| line.priority),
        };
        let request = Request {
            call: id,
            queue: queue.name.clone(),
            // A promise keeps its place. Who hung up has left the line: after a night's missed calls the first caller of the
            // morning is not the last to be served.
            since: match entry.kind {
                CallbackKind::Promised => entry.since,
                CallbackKind::Missed => now,
            },
            priority,
            preferred: self.remembered.of(&entry.number).map(|served| served.agent.clone()),
            waits: Waits::ForCallback,
        };
        if let Err(refused) = self.acd.handle(now, AcdInput::Enqueue(request)) {
            tracing::warn!(of = %entry.of, %refused, "nobody to call this citizen back; again later");
            return self.callbacks.not_reached(now, id);
        }
        // The citizen's leg is ours: no 200 of ours is held back until the pickup.
        let (answer, patience) = (AnswerMode::OnQueue, self.settings.limits.spool_patience);
        let away = self.settings.dialling.passed_on_at_most;
        let terms = Terms {
            line: entry.line.clone(),
            test: false,
            purpose: purpose(&entry),
            priority,
            greeting: None,
            ..Terms::of_queue(queue, answer, entry.tenant.clone(), patience, away)
        };
        let ring_timeout = self.settings.callbacks.ring_timeout;
        let mut facts = Vec::new();
        let attempt = Attempt::begin(now, id, entry, trunk, terms, ring_timeout, &mut facts);
        self.attempts.insert(id, attempt);
        self.carry_out(now, id, facts);
    }

    /// What is said to this caller about being called back now: nothing, if we could not call.
    pub(super) fn callback_offer(&self, now: Instant, id: CallId) -> Option<Vec<PromptId>> {
        let call = self.calls.get(&id)?;
        let (offer, number) = (call.callback_due()?, known(call.caller())?);
        if !self.may_be_dialled(number) || !self.callbacks.calls_out() || !self.callbacks.may_promise(now, number) {
            return None;
        }
        let language = language(&call.terms().queue);
        Some(match offer.on_hang_up {
            true => spoken::callback_offer(language, offer.key),
            false => spoken::callback_offer_by_key(language, offer.key),
        })
    }

    /// A key of a caller's: it may take the callback.
    pub(super) fn caller_digit(&mut self, now: Instant, id: CallId, digit: char) {
        let takes = self.calls.get(&id).is_some_and(|call| call.callback_by_key(digit));
        self.call_input(now, id, CallInput::Digit(digit));
        // Not called while being told so; the time is over by then, or set right by the end of this call.
        if takes && self.promise(now, id, now + BEING_TOLD) {
            let prompts = self.calls.get(&id).map(|call| spoken::callback_promised(language(&call.terms().queue)));
            self.call_input(now, id, CallInput::CallbackTaken { prompts: prompts.unwrap_or_default() });
        }
    }

    /// A caller's leg is over: hanging up may take the callback.
    pub(super) fn caller_ended(&mut self, now: Instant, id: CallId, end: LegEnd) {
        let takes = end == LegEnd::HungUp && self.calls.get(&id).is_some_and(Call::callback_by_hang_up);
        let input = match takes && self.promise(now, id, now) {
            true => CallInput::LeftForCallback,
            false => CallInput::CallerEnded(end),
        };
        self.call_input(now, id, input);
    }

    /// Puts the caller on the list; false if that cannot be.
    fn promise(&mut self, now: Instant, id: CallId, not_before: Instant) -> bool {
        let call = self.calls.get(&id);
        let Some(entry) = call.and_then(|c| c.callback_entry(not_before, CallbackKind::Promised)) else { return false };
        if !self.may_be_dialled(&entry.number) {
            return false;
        }
        let promised = self.callbacks.promise(now, entry);
        self.callback_news(now);
        promised
    }

    /// A caller's number is what the carrier says it is, at best: we dial no foreign numbers at our cost, and not ourselves.
    fn may_be_dialled(&self, number: &str) -> bool {
        let digits = number.trim_start_matches('+');
        let abroad = !self.settings.callbacks.countries.iter().any(|country| digits.starts_with(country.as_str()));
        let ours = self.numbers.contains_key(&normalise_dnis(number.as_bytes(), &self.settings.area_code));
        !abroad && !ours
    }

    /// An agent for an attempt: the seat rings, if there is room for the whole call.
    pub(super) fn attempt_offered(
        &mut self,
        now: Instant,
        id: CallId,
        agent: AgentNo,
        seat: SeatNo,
        leg: LegId,
        chosen: Chosen,
    ) {
        let citizen = self.new_leg();
        // Who waits in line at this moment is not called.
        let here = |number| self.calls.values().any(|call| known(call.caller()) == Some(number));
        let engaged = self.attempts.get(&id).is_some_and(|attempt| here(attempt.number()));
        let number = self.attempts.get(&id).map(|attempt| attempt.number().to_owned()).unwrap_or_default();
        let trunks = self.settings.callbacks.trunks.clone();
        let room = !engaged && self.has_room() && self.reserve(now, citizen, &number, &trunks).is_some();
        let Some(attempt) = self.attempts.get_mut(&id).filter(|a| a.is_in_line()) else {
            tracing::error!(call = %id, %agent, "the distributor offered a callback that is not in line");
            self.trunks.release(citizen);
            let _ = self.acd.handle(now, AcdInput::Leave { call: id });
            return;
        };
        let mut out = Vec::new();
        if room {
            attempt.offered(now, agent, seat, leg, citizen, chosen, &mut out);
            self.engaged += 1;
        } else {
            attempt.put_off(now, &mut out);
        }
        self.carry_out(now, id, out);
    }

    pub(super) fn attempt_input(&mut self, now: Instant, id: CallId, input: CallInput) {
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        let mut out = Vec::new();
        let citizen = attempt.citizen_leg();
        let before = attempt.is_engaged();
        attempt.handle(now, input, &mut out);
        if before && !attempt.is_engaged() {
            self.engaged -= 1;
        }
        // The agent did not answer: the channel kept for the citizen is free. Where the citizen's phone rings already, it is
        // free when that leg is over: until then the carrier counts the call as well.
        let let_go = citizen.filter(|_| attempt.citizen_leg().is_none());
        if let Some(leg) = let_go.filter(|leg| !self.legs.contains_key(leg)) {
            self.trunks.release(leg);
        }
        self.carry_out(now, id, out);
    }

    pub(super) fn attempt_over(&mut self, now: Instant, id: CallId) {
        self.attempts.remove(&id);
        self.callbacks.not_reached(now, id);
        self.callback_news(now);
    }

    /// The citizen answered our call: it goes on as any call at its pickup.
    pub(super) fn citizen_answered(&mut self, now: Instant, id: CallId, leg: LegId) {
        let mut out = Vec::new();
        let Some(call) = self.attempts.get_mut(&id).and_then(|a| a.reached(now, leg, &mut out)) else {
            return self.tell(now, leg, LegCommand::Hangup(HangupReason::Withdrawn));
        };
        self.attempts.remove(&id);
        self.engaged -= 1;
        self.calls.insert(id, call);
        self.callbacks.reached(id);
        self.callback_news(now);
        self.carry_out(now, id, out);
    }
}

/// Who asked for a human and got none.
fn is_missed(cause: EndCause) -> bool {
    use EndCause::{AbandonedInQueue, AbandonedRinging, NoAgents, OurFault, QueueFull, QueueTimeout, TrunkFault};
    // Whom a fault cut off was not answered either.
    matches!(cause, AbandonedInQueue | AbandonedRinging | QueueTimeout | QueueFull | NoAgents | OurFault | TrunkFault)
}
