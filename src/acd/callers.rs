//! Calls in line: how they get in, move on and leave, and their three timers.
//! Not here: what becomes of an offer (`offers`), who gets which call (`matcher`).

use super::agent::{AgentIx, Duty};
use super::order::Order;
use super::port::{AcdOutput, Request, Waits};
use super::queue::{Call, Place, QueueIx};
use super::timers::Timer;
use super::{Acd, Refused};
use crate::ids::{CallId, QueueName};
use crate::time::Instant;

impl Acd {
    pub(super) fn enqueue(&mut self, now: Instant, request: Request) -> Result<(), Refused> {
        if self.calls.contains_key(&request.call) {
            return Err(Refused::AlreadyQueued(request.call));
        }
        let queue = self.open_queue(&request.queue, request.waits)?;
        self.file_request(now, request, queue, Place::Waiting);
        Ok(())
    }

    /// Somebody who has been answered is turned away no more.
    pub(super) fn put_back(&mut self, now: Instant, request: Request) -> Result<(), Refused> {
        if self.calls.contains_key(&request.call) {
            return Err(Refused::AlreadyQueued(request.call));
        }
        let queue = self.queue_ix(&request.queue).ok_or_else(|| Refused::UnknownQueue(request.queue.clone()))?;
        self.file_request(now, request, queue, Place::Waiting);
        Ok(())
    }

    pub(super) fn file_request(&mut self, now: Instant, request: Request, queue: QueueIx, place: Place) {
        let Request { call: id, queue: _, since, priority, preferred, waits } = request;
        let priority = priority.unwrap_or(self.queue_at(queue).settings.priority);
        self.add_call(Call {
            queue,
            order: Order::new(since, priority, self.rules.ageing, id),
            since,
            entered: now,
            step: 0,
            preferred,
            waits,
            overflow_said: false,
            place,
        });
    }

    /// The place in the order is kept, whatever the new queue's priority.
    pub(super) fn requeue(&mut self, now: Instant, id: CallId, name: &QueueName) -> Result<(), Refused> {
        let queue = self.open_queue(name, self.in_line(id)?.waits)?;
        self.left_line(now, id, false);
        self.change_call(id, |call| {
            *call = Call { queue, entered: now, step: 0, overflow_said: false, ..call.clone() };
        });
        Ok(())
    }

    pub(super) fn move_up(&mut self, now: Instant, id: CallId) -> Result<(), Refused> {
        let order = self.in_line(id)?.order.moved_up(now);
        self.change_call(id, |call| call.order = order);
        Ok(())
    }

    pub(super) fn leave(&mut self, now: Instant, id: CallId) -> Result<(), Refused> {
        match self.with(id)? {
            None => self.forget_waiting(now, id),
            Some((ix, Duty::Reserved { idle_since, .. })) => {
                self.forget_waiting(now, id);
                self.set_duty(now, ix, Duty::Ready { idle_since });
            }
            Some((ix, Duty::OnCall { taken, then, .. })) => self.end_talk(now, ix, id, taken, then),
            Some((ix, duty)) => debug_assert!(false, "{id:?} is with {ix:?}, who is {duty:?}"),
        }
        Ok(())
    }

    pub(super) fn leave_ringing(&mut self, now: Instant, id: CallId) -> Result<(), Refused> {
        let Some((ix, Duty::Reserved { ring_until, idle_since, .. })) = self.with(id)? else {
            return self.leave(now, id);
        };
        self.forget_waiting(now, id);
        self.set_duty(now, ix, Duty::Clearing { until: ring_until, idle_since });
        Ok(())
    }

    /// Of the timers of this timer's call that are due, the one that does the least.
    pub(super) fn milder(&self, now: Instant, timer: Timer) -> Timer {
        let (Timer::Overflow(id) | Timer::MaxWait(id)) = timer else { return timer };
        let Some(call) = self.calls.get(&id) else { return timer };
        let queue = self.queue_at(call.queue);
        let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if is_due(call.next_step(queue)) {
            Timer::Relax(id)
        } else if is_due(call.overflow(queue)) {
            Timer::Overflow(id)
        } else {
            timer
        }
    }

    /// The next step counts too.
    pub(super) fn relax(&mut self, id: CallId) {
        let mut reached = 0;
        self.change_call(id, |call| {
            call.step += 1;
            reached = call.step;
        });
        self.outputs.push_back(AcdOutput::Relaxed { call: id, step: reached });
    }

    pub(super) fn overflow_due(&mut self, id: CallId) {
        self.change_call(id, |call| call.overflow_said = true);
        self.outputs.push_back(AcdOutput::OverflowDue { call: id });
    }

    pub(super) fn waited_too_long(&mut self, now: Instant, id: CallId) {
        self.left_line(now, id, false);
        self.remove_call(id);
        self.outputs.push_back(AcdOutput::QueueTimeout { call: id });
    }

    /// Teaches the queue how long its callers stay.
    pub(super) fn left_line(&mut self, now: Instant, id: CallId, hung_up: bool) {
        if let Some(call) = self.calls.get(&id).filter(|call| call.waits == Waits::OnTheLine) {
            let queue = &mut self.queues[call.queue.0 as usize];
            queue.pace.waited(now.since(call.entered), queue.settings.short_abandon, hung_up);
        }
    }

    /// Who has this call, and as what; `None` while it waits.
    pub(super) fn with(&self, id: CallId) -> Result<Option<(AgentIx, Duty)>, Refused> {
        let call = self.calls.get(&id).ok_or(Refused::UnknownCall(id))?;
        Ok(match call.place {
            Place::Waiting => None,
            Place::With(ix) => self.roster(ix).duty().map(|duty| (ix, duty.clone())),
        })
    }

    fn forget_waiting(&mut self, now: Instant, id: CallId) {
        self.left_line(now, id, true);
        self.remove_call(id);
    }

    fn in_line(&self, id: CallId) -> Result<&Call, Refused> {
        let call = self.calls.get(&id).ok_or(Refused::UnknownCall(id))?;
        if call.place == Place::Waiting { Ok(call) } else { Err(Refused::NotInLine(id)) }
    }

    /// The queue of this name, if it takes one more call.
    fn open_queue(&self, name: &QueueName, waits: Waits) -> Result<QueueIx, Refused> {
        let ix = self.queue_ix(name).ok_or_else(|| Refused::UnknownQueue(name.clone()))?;
        let (at, queue) = (ix.0 as usize, self.queue_at(ix));
        if !self.index.is_staffed(queue.at_last()) {
            return Err(Refused::NoAgents(name.clone()));
        }
        let limit = queue.settings.max_waiting;
        let full = waits == Waits::OnTheLine && self.index.lines[at].callers() >= limit as usize;
        // A full line refuses only those who would have to stand in it.
        if full && self.index.ready.choose(queue.ranking, queue.at_first()).is_none() {
            return Err(Refused::QueueFull { queue: name.clone(), limit });
        }
        Ok(ix)
    }

    pub(super) fn queue_ix(&self, name: &QueueName) -> Option<QueueIx> {
        self.queues.binary_search_by(|queue| queue.name().cmp(name)).ok().map(|at| QueueIx(at as u32))
    }
}
