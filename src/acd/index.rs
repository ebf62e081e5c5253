//! What has to be found quickly: a pure fold over agents and calls. `unfile_*` before and `file_*` after each change
//! keep it equal to [`Index::build`] of the same state. It owns no fact and is never saved.

use super::agent::{Agent, AgentIx, Duty};
use super::first_fit::FirstFit;
use super::order::Order;
use super::policy::{ReadyAgents, Strategy};
use super::queue::{Call, Place, Queue};
use super::skill::ClassSet;
use super::timers::{Timer, Timers};
use crate::ids::SeatNo;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub seats: BTreeMap<SeatNo, AgentIx>,
    pub ready: ReadyAgents,
    /// Callers in line, of all queues.
    pub waiting: FirstFit<Order>,
    /// Callers in line, by queue: for positions.
    pub lines: Vec<FirstFit<Order>>,
    pub offers: usize,
    pub timers: Timers,
    /// What the whole roster can do, signed in or not.
    pub staffed: ClassSet,
}

impl Index {
    pub fn build<'a>(queues: &[Queue], agents: &[Agent], calls: impl Iterator<Item = &'a Call>) -> Index {
        let width = queues.first().map_or(0, |queue| queue.needs.words().len());
        let mut index = Index {
            seats: BTreeMap::new(),
            ready: ReadyAgents::new(Strategy::default(), width),
            waiting: FirstFit::new(width),
            lines: vec![FirstFit::new(0); queues.len()],
            offers: 0,
            timers: Timers::default(),
            staffed: ClassSet::empty(width),
        };
        for (ix, agent) in agents.iter().enumerate() {
            let ix = AgentIx(ix as u32);
            index.staffed.add(&agent.can);
            index.move_seat(ix, None, agent.seat());
            index.file_duty(ix, agent);
        }
        for call in calls {
            index.file_call(call, queues);
        }
        index
    }

    /// The first caller in the total order whom a ready agent could serve.
    pub fn first_servable(&self) -> Option<Order> {
        self.waiting.first_sharing(self.ready.classes())
    }

    pub fn move_seat(&mut self, ix: AgentIx, from: Option<&SeatNo>, to: Option<&SeatNo>) {
        if let Some(seat) = from {
            self.seats.remove(seat);
        }
        if let Some(seat) = to {
            self.seats.insert(seat.clone(), ix);
        }
    }

    pub fn file_duty(&mut self, ix: AgentIx, agent: &Agent) {
        match agent.duty() {
            Some(Duty::Ready { idle_since }) => self.ready.add(ix, *idle_since, &agent.can),
            Some(Duty::Reserved { ring_until, .. }) => {
                self.offers += 1;
                self.timers.start(*ring_until, Timer::Ring(ix));
            }
            Some(Duty::Clearing { until, .. }) => self.timers.start(*until, Timer::Clearing(ix)),
            Some(Duty::WrapUp { until, .. }) => self.timers.start(*until, Timer::WrapUp(ix)),
            Some(Duty::NotReady(_) | Duty::OnCall { .. }) | None => {}
        }
    }

    pub fn unfile_duty(&mut self, ix: AgentIx, agent: &Agent) {
        match agent.duty() {
            Some(Duty::Ready { idle_since }) => self.ready.remove(ix, *idle_since),
            Some(Duty::Reserved { ring_until, .. }) => {
                self.offers -= 1;
                self.timers.stop(*ring_until, Timer::Ring(ix));
            }
            Some(Duty::Clearing { until, .. }) => self.timers.stop(*until, Timer::Clearing(ix)),
            Some(Duty::WrapUp { until, .. }) => self.timers.stop(*until, Timer::WrapUp(ix)),
            Some(Duty::NotReady(_) | Duty::OnCall { .. }) | None => {}
        }
    }

    pub fn file_call(&mut self, call: &Call, queues: &[Queue]) {
        if call.place == Place::Waiting {
            let queue = call.queue.0 as usize;
            self.waiting.insert(call.order, queues[queue].needs.words());
            self.lines[queue].insert(call.order, &[]);
            if let Some(deadline) = call.deadline {
                self.timers.start(deadline, Timer::MaxWait(call.order.call));
            }
        }
    }

    pub fn unfile_call(&mut self, call: &Call) {
        if call.place == Place::Waiting {
            self.waiting.remove(&call.order);
            self.lines[call.queue.0 as usize].remove(&call.order);
            if let Some(deadline) = call.deadline {
                self.timers.stop(deadline, Timer::MaxWait(call.order.call));
            }
        }
    }
}
