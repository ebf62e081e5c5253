//! Calls that go on to another queue (a key, the overflow, a leader's order, an agent's transfer), and what is said to
//! those who wait.

use super::Gateway;
use super::lines::language;
use crate::acd::{AcdInput, Refused, Request};
use crate::call::Call;
use crate::event::Why;
use crate::ids::{CallId, QueueName};
use crate::ivr::{route, spoken};
use crate::time::Instant;

impl Gateway {
    /// A key pressed in line: the language it stands for.
    pub(super) fn key_pressed(&mut self, now: Instant, id: CallId, key: char) {
        // A wish is asked again in the middle of an offer's end: what the distributor has said about this queue first.
        self.distribute(now);
        let Some(call) = self.calls.get(&id).filter(|call| call.may_choose()) else { return };
        let here = &call.terms().queue.name;
        let chosen = route::of_key(key, &self.settings.languages).map(|language| &language.queue);
        let Some(queue) = chosen.filter(|queue| *queue != here).cloned() else { return };
        match self.move_call(now, id, &queue, Why::Key(key)) {
            // No room there: better in this line than in none.
            Ok(()) | Err(Refused::QueueFull { .. } | Refused::NoAgents(_) | Refused::UnknownQueue(_)) => {}
            // An offer is on its way already: asked again if it fails.
            Err(_) => {
                if let Some(call) = self.calls.get_mut(&id) {
                    call.wishes(key);
                }
            }
        }
    }

    /// Waited long enough in this queue. Who is refused elsewhere stays.
    pub(super) fn overflow(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let (mut here, mut been) = (call.terms().queue.clone(), call.been().to_vec());
        // Full or unmanned there: on to where that queue leads.
        while let Some(next) = route::onward(&here, &been).and_then(|next| self.queue(next)).cloned() {
            if self.move_call(now, id, &next.name, Why::Overflow).is_ok() {
                return;
            }
            been.push(next.name.clone());
            here = next;
        }
    }

    /// A waiting call goes to another queue, its place in the order kept.
    ///
    /// # Errors
    /// Refused by the distributor, with the call left where it is: an unknown, full or unmanned queue, or a call that
    /// does not wait.
    pub(super) fn move_call(&mut self, now: Instant, id: CallId, queue: &QueueName, why: Why) -> Result<(), Refused> {
        let to = self.queue(queue).cloned().ok_or_else(|| Refused::UnknownQueue(queue.clone()))?;
        if !self.calls.get(&id).is_some_and(Call::is_waiting) {
            return Err(Refused::NotInLine(id));
        }
        self.acd.handle(now, AcdInput::Requeue { call: id, queue: queue.clone() })?;
        let position = self.position(id);
        let mut out = Vec::new();
        if let Some(call) = self.calls.get_mut(&id) {
            // Who pressed a key hears that it counted; who changes the language hears the new one.
            let told = matches!(why, Why::Key(_)) || language(&call.terms().queue) != language(&to);
            let prompts = if told { spoken::please_wait(language(&to)) } else { vec![] };
            call.moved(now, to, position, why, prompts, &mut out);
        }
        self.carry_out(now, id, out);
        Ok(())
    }

    pub(super) fn transfer_by_key(&mut self, now: Instant, id: CallId, key: char) {
        let queue = route::of_key(key, &self.settings.languages).map(|language| language.queue.clone());
        let passed_on = queue.is_some_and(|queue| self.transfer(now, id, &queue).is_ok());
        if !passed_on && let Some(call) = self.calls.get(&id) {
            let mut out = Vec::new();
            call.transfer_refused(&mut out);
            self.carry_out(now, id, out);
        }
    }

    /// The agent in conversation passes the caller on, with the first time of asking.
    ///
    /// # Errors
    /// Nobody is in conversation, or the queue refuses; then nothing has changed.
    pub(super) fn transfer(&mut self, now: Instant, id: CallId, queue: &QueueName) -> Result<(), Refused> {
        let to = self.queue(queue).cloned().ok_or_else(|| Refused::UnknownQueue(queue.clone()))?;
        self.calls.get(&id).filter(|c| c.talks_with().is_some()).ok_or(Refused::NotAnswered(id))?;
        let again = self.request_again(id).ok_or(Refused::NotAnswered(id))?;
        let request = Request { queue: queue.clone(), ..again };
        // The agent is freed only if the queue takes the caller, and the queue can be asked only once the agent is
        // free: so both on a copy, which counts if both succeed. Transfers are rare.
        let mut acd = self.acd.clone();
        acd.handle(now, AcdInput::TalkEnded { call: id })?;
        acd.handle(now, AcdInput::Enqueue(request))?;
        self.acd = acd;
        let position = self.position(id);
        let mut out = Vec::new();
        if let Some(call) = self.calls.get_mut(&id) {
            let prompts = spoken::please_wait(language(&to));
            call.transferred(now, to, position, prompts, &mut out);
        }
        self.carry_out(now, id, out);
        Ok(())
    }

    /// Time to say something to a caller in line.
    pub(super) fn announcement(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        let queue = &call.terms().queue;
        let position = self.acd.position(id).filter(|_| queue.announce.position);
        let estimate = if queue.announce.estimate { self.acd.estimate(now, id) } else { None };
        let mut prompts = position.map_or(vec![], |n| spoken::position(language(queue), n));
        prompts.extend(estimate.into_iter().flat_map(|wait| spoken::estimate(language(queue), wait)));
        let offer = self.callback_offer(now, id);
        prompts.extend(offer.iter().flatten().cloned());
        let mut out = Vec::new();
        if let Some(call) = self.calls.get_mut(&id) {
            call.announce(now, position, estimate, prompts, &mut out);
            if offer.is_some() {
                call.callback_offered(&mut out);
            }
        }
        self.carry_out(now, id, out);
    }
}
