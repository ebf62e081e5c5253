//! How long a call in line will probably wait on, for telling the caller. From what the distributor knows: who works and
//! can take it, which calls come before it and compete for the same agents, how long calls take and how many callers give
//! up. Not here: learning the latter two (`pace`).

use super::Acd;
use super::queue::{Call, Place, Queue};
use super::skill::{Ability, ClassSet};
use crate::ids::CallId;
use crate::time::Instant;
use std::time::Duration;

impl Acd {
    /// The expected remaining wait; `None` when nobody who could take it by any step works, or it is not in line.
    pub fn estimate(&self, now: Instant, id: CallId) -> Option<Duration> {
        let call = self.calls.get(&id).filter(|call| call.place == Place::Waiting)?;
        let queue = self.queue_at(call.queue);
        // By a later step there may be more agents, but not before it is reached; the line moves on meanwhile.
        let waits = queue.steps[call.step as usize..].iter().filter_map(|step| {
            let reached = (call.entered + step.after).since(now).as_secs_f64();
            Some(self.wait_for(call, queue, &step.accepts)?.max(reached))
        });
        waits.min_by(f64::total_cmp).map(Duration::from_secs_f64)
    }

    /// Seconds until an agent for one of these classes is free for this call.
    fn wait_for(&self, call: &Call, queue: &Queue, classes: &ClassSet) -> Option<f64> {
        if self.index.ready.choose(queue.ranking, classes).is_some() {
            return Some(0.0);
        }
        let spare = self.spare();
        let agents = self.working(classes, &spare, |_| true);
        if agents <= 0.0 {
            return None;
        }
        // Calls before this one count by the part of their agents who are also ours.
        let (mut before, mut work) = (0.0, queue.pace.handling_secs());
        for (other, line) in self.queues.iter().zip(&self.index.lines) {
            let ahead = line.before(&call.order) as f64;
            let all = if ahead > 0.0 { self.working(other.at_first(), &spare, |_| true) } else { 0.0 };
            if all > 0.0 {
                let shared = self.working(other.at_first(), &spare, |ability| ability.can.shares(classes));
                let competing = ahead * shared / all;
                before += competing;
                work += competing * other.pace.handling_secs();
            }
        }
        // Each of them is served, at the rate of the agents, or gives up: the sum of 1 / (rate + i * giving_up) for i
        // from 0 to `before`, as an integral but for its first term.
        let rate = agents * (before + 1.0) / work;
        let giving_up = queue.pace.hang_ups_per_sec();
        let longer = |i: f64| rate + i * giving_up;
        let rest = if giving_up * before > rate * 1e-6 {
            (longer(before + 0.5) / longer(0.5)).ln() / giving_up
        } else {
            before / rate
        };
        Some(1.0 / rate + rest)
    }

    /// How many agents work who can take calls of these classes and whom `counts` accepts; those of whom a reserve is
    /// kept from such calls only by the part that is to spare.
    fn working(&self, classes: &ClassSet, spare: &[f64], counts: impl Fn(&Ability) -> bool) -> f64 {
        let exempt = self.requirements.exempt.shares(classes);
        let able = self.index.working.iter().filter(|(ability, _)| ability.can.shares(classes) && counts(ability));
        let part = |ability: &Ability| match exempt {
            true => 1.0,
            false => ability.rare.iter().map(|skill| spare[usize::from(*skill)]).fold(1.0, f64::min),
        };
        able.map(|(ability, count)| f64::from(*count) * part(ability)).sum()
    }

    /// Per reserved skill: which part of those who work and have it is not kept.
    fn spare(&self) -> Vec<f64> {
        let reserved = self.requirements.reserved.iter().enumerate();
        let part = |(skill, (_, keep)): (usize, &(_, u32))| {
            let having = self.index.working.iter().filter(|(ability, _)| ability.rare.contains(&(skill as u16)));
            let have: u32 = having.map(|(_, count)| count).sum();
            f64::from(have.saturating_sub(*keep)) / f64::from(have.max(1))
        };
        reserved.map(part).collect()
    }
}
