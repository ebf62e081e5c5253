//! The matcher: which pair is next, and whether there is one. Not here: who is eligible and who ranks first (`ready`),
//! the order of calls (`order`).

use super::Acd;
use super::agent::{AgentIx, Duty, Presence};
use super::port::AcdOutput;
use super::queue::{Call, Place};
use crate::event::Chosen;
use crate::ids::CallId;
use crate::time::Instant;

impl Acd {
    /// Offers calls until no ready agent can take any call in line. A step that has been reached is said first: nobody
    /// is served by one that was not.
    pub(super) fn settle(&mut self, now: Instant) {
        while let Some(call) = self.index.timers.step_due(now) {
            self.relax(call);
        }
        match self.rests_until {
            Some(until) if now < until => return,
            _ => self.rests_until = None,
        }
        while let Some(order) = self.index.first_servable() {
            let Some((agent, chosen)) = self.choose(&self.calls[&order.call]) else {
                debug_assert!(false, "{order:?} can be served, but no agent was found");
                return;
            };
            self.offer(now, order.call, agent, chosen);
        }
    }

    /// The caller's own agent if they may take it, else the first by the lowest step that finds anybody.
    fn choose(&self, call: &Call) -> Option<(AgentIx, Chosen)> {
        let queue = self.queue_at(call.queue);
        let reached = queue.reached(call.step);
        let chosen =
            |step: usize, preferred| Chosen { step: step as u8, preferred, interpreter: reached[step].interpreter };
        let ready = &self.index.ready;
        let preferred = call.preferred.as_ref().filter(|_| queue.settings.prefer_last_agent);
        if let Some(ix) = preferred.and_then(|number| self.find_agent(number))
            && let Some(step) = reached.iter().position(|step| ready.may_take(self.roster(ix), &step.needs))
        {
            return Some((ix, chosen(step, true)));
        }
        let mut steps = reached.iter().enumerate();
        steps.find_map(|(at, step)| Some((ready.choose(queue.ranking, &step.needs)?, chosen(at, false))))
    }

    fn offer(&mut self, now: Instant, call: CallId, ix: AgentIx, chosen: Chosen) {
        let ring_timeout = self.queue_at(self.calls[&call].queue).settings.ring_timeout;
        let agent = self.roster(ix);
        let Presence::SignedIn { seat, duty: Duty::Ready { idle_since } } = &agent.presence else {
            debug_assert!(false, "{:?} is filed as ready, but is {:?}", agent.number(), agent.presence);
            return;
        };
        let (seat, idle_since) = (seat.clone(), *idle_since);
        self.outputs.push_back(AcdOutput::Offer { call, agent: agent.number().clone(), seat, chosen });
        self.move_call(call, Place::With(ix));
        self.set_duty(now, ix, Duty::Reserved { call, ring_until: now + ring_timeout, idle_since });
    }
}
