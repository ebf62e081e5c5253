//! What has to be found quickly: a pure fold over agents and calls. `unfile_*` before and `file_*` after each change
//! keep it equal to [`Index::build`] of the same state. It owns no fact and is never saved.

use super::agent::{Agent, AgentIx, Duty};
use super::first_fit::FirstFit;
use super::line::Line;
use super::order::Order;
use super::policy;
use super::queue::{Call, Place, Queue};
use super::ready::ReadyAgents;
use super::skill::{Ability, ClassSet, Requirements};
use super::timers::{Timer, Timers};
use crate::ids::SeatNo;
use crate::time::Instant;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub seats: BTreeMap<SeatNo, AgentIx>,
    pub ready: ReadyAgents,
    /// Calls in line, of all queues, each under the classes of the steps it has reached.
    pub waiting: FirstFit<Order>,
    /// Calls in line, by queue.
    pub lines: Vec<Line>,
    pub offers: usize,
    pub timers: Timers,
    /// How many of the whole roster can take calls of a class, signed in or not.
    pub staffed: Vec<u32>,
    /// Those who work now, by what they can do.
    pub working: BTreeMap<Ability, u32>,
}

impl Index {
    pub fn build<'a>(
        requirements: &Requirements,
        queues: &[Queue],
        agents: &[Agent],
        calls: impl Iterator<Item = &'a Call>,
    ) -> Index {
        let rankings = policy::in_use(queues.iter().map(|queue| &queue.settings));
        let serves = |ranking: usize| {
            let mut classes = ClassSet::empty(requirements.width());
            queues.iter().filter(|queue| queue.ranking == ranking).for_each(|queue| classes.add(queue.at_last()));
            classes
        };
        let rankings = rankings.into_iter().enumerate().map(|(at, ranking)| (ranking, serves(at)));
        let mut index = Index {
            seats: BTreeMap::new(),
            ready: ReadyAgents::new(rankings, requirements),
            waiting: FirstFit::new(requirements.width()),
            lines: vec![Line::new(); queues.len()],
            offers: 0,
            timers: Timers::default(),
            staffed: vec![0; requirements.count()],
            working: BTreeMap::new(),
        };
        for (ix, agent) in agents.iter().enumerate() {
            let ix = AgentIx(ix as u32);
            index.file_ability(agent);
            index.move_seat(ix, None, agent.seat());
            index.file_duty(ix, agents);
        }
        for call in calls {
            index.file_call(call, queues);
        }
        index
    }

    /// The first call in the total order whom a ready agent could serve.
    pub fn first_servable(&self) -> Option<Order> {
        self.waiting.first_sharing(self.ready.classes())
    }

    /// Is there anybody on the roster for calls of these classes?
    pub fn is_staffed(&self, classes: &ClassSet) -> bool {
        classes.iter().any(|class| self.staffed[class] > 0)
    }

    pub fn move_seat(&mut self, ix: AgentIx, from: Option<&SeatNo>, to: Option<&SeatNo>) {
        if let Some(seat) = from {
            self.seats.remove(seat);
        }
        if let Some(seat) = to {
            self.seats.insert(seat.clone(), ix);
        }
    }

    /// What an agent can do, and whether they are there to do it: changes far more seldom than the duty.
    pub fn file_ability(&mut self, agent: &Agent) {
        if !agent.is_dismissed() {
            agent.ability.can.iter().for_each(|class| self.staffed[class] += 1);
        }
        if agent.works() {
            match self.working.get_mut(&agent.ability) {
                Some(count) => *count += 1,
                None => drop(self.working.insert(agent.ability.clone(), 1)),
            }
        }
    }

    pub fn unfile_ability(&mut self, agent: &Agent) {
        if !agent.is_dismissed() {
            agent.ability.can.iter().for_each(|class| self.staffed[class] -= 1);
        }
        if agent.works()
            && let Some(count) = self.working.get_mut(&agent.ability)
        {
            *count -= 1;
            if *count == 0 {
                self.working.remove(&agent.ability);
            }
        }
    }

    pub fn file_duty(&mut self, ix: AgentIx, agents: &[Agent]) {
        let agent = &agents[ix.0 as usize];
        match agent.duty() {
            Some(Duty::Ready { .. }) => self.ready.add(ix, agents),
            Some(Duty::Reserved { ring_until, .. }) => {
                self.offers += 1;
                self.timers.start(*ring_until, Timer::Ring(ix));
            }
            Some(Duty::Clearing { until, .. }) => self.timers.start(*until, Timer::Clearing(ix)),
            Some(Duty::WrapUp { until, .. }) => self.timers.start(*until, Timer::WrapUp(ix)),
            Some(Duty::NotReady(_) | Duty::OnCall { .. } | Duty::Engaged) | None => {}
        }
        if let Some(until) = agent.guest_until() {
            self.timers.start(until, Timer::GuestOver(ix));
        }
    }

    pub fn unfile_duty(&mut self, ix: AgentIx, agents: &[Agent]) {
        let agent = &agents[ix.0 as usize];
        match agent.duty() {
            Some(Duty::Ready { .. }) => self.ready.remove(ix, agents),
            Some(Duty::Reserved { ring_until, .. }) => {
                self.offers -= 1;
                self.timers.stop(*ring_until, Timer::Ring(ix));
            }
            Some(Duty::Clearing { until, .. }) => self.timers.stop(*until, Timer::Clearing(ix)),
            Some(Duty::WrapUp { until, .. }) => self.timers.stop(*until, Timer::WrapUp(ix)),
            Some(Duty::NotReady(_) | Duty::OnCall { .. } | Duty::Engaged) | None => {}
        }
        if let Some(until) = agent.guest_until() {
            self.timers.stop(until, Timer::GuestOver(ix));
        }
    }

    pub fn file_call(&mut self, call: &Call, queues: &[Queue]) {
        if call.place == Place::Waiting {
            let queue = &queues[call.queue.0 as usize];
            self.waiting.insert(call.order, queue.step(call.step).accepts.words());
            self.lines[call.queue.0 as usize].insert(call);
            call_timers(call, queue, |at, timer| self.timers.start(at, timer));
        }
    }

    pub fn unfile_call(&mut self, call: &Call, queues: &[Queue]) {
        if call.place == Place::Waiting {
            self.waiting.remove(&call.order);
            self.lines[call.queue.0 as usize].remove(call);
            call_timers(call, &queues[call.queue.0 as usize], |at, timer| self.timers.stop(at, timer));
        }
    }
}

/// The timers of a call in line.
fn call_timers(call: &Call, queue: &Queue, mut each: impl FnMut(Instant, Timer)) {
    let id = call.order.call;
    let all = [
        (call.next_step(queue), Timer::Relax(id)),
        (call.overflow(queue), Timer::Overflow(id)),
        (call.deadline(queue), Timer::MaxWait(id)),
    ];
    for (at, timer) in all {
        if let Some(at) = at {
            each(at, timer);
        }
    }
}
