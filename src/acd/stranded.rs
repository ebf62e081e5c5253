//! Callers who wait although an idle agent could serve them: there must be none. A check beside the matcher and by other
//! means: it goes over names and levels of skills, settings and clocks, and never looks at the index, the classes or the
//! steps the timers have brought, which would be wrong together. Not here: what is to be done about it (an alert).

use super::Acd;
use super::agent::Agent;
use super::port::Waits;
use super::queue::{Call, Place, Queue};
use crate::config::settings::Relaxation;
use crate::event::AgentState;
use crate::ids::{QueueName, Skill};
use crate::time::Instant;
use std::time::Duration;

/// What is in the middle of happening is none of it.
const GRACE: Duration = Duration::from_secs(1);

impl Acd {
    /// For each queue its callers who have been in line for more than a second while somebody idle for more than a second
    /// meets a step that has counted as long. `O(calls + steps * agents)`, once a second.
    pub fn stranded(&self, now: Instant) -> Vec<(&QueueName, usize)> {
        let ready: Vec<&Agent> = self.agents.iter().filter(|a| a.state() == AgentState::Ready).collect();
        let idle: Vec<&Agent> = ready.iter().copied().filter(|a| a.state_since + GRACE < now).collect();
        let mut stranded: Vec<(&QueueName, usize)> = self.queues.iter().map(|queue| (queue.name(), 0)).collect();
        let soonest = |queue: &Queue| {
            let steps = queue.settings.steps().into_iter();
            steps.filter(|step| idle.iter().any(|a| self.could_take(a, step, &ready))).map(|step| step.after).min()
        };
        // When each queue's callers are accepted by somebody idle; `None`: by nobody.
        let accepted: Vec<Option<Duration>> = self.queues.iter().map(soonest).collect();
        for call in self.calls.values().filter(|call| call.place == Place::Waiting && call.waits == Waits::OnTheLine) {
            let Call { queue, entered, .. } = call;
            if accepted[queue.0 as usize].is_some_and(|after| *entered + after + GRACE < now) {
                stranded[queue.0 as usize].1 += 1;
            }
        }
        stranded
    }

    /// Has the skills and is not kept for callers who need rarer ones.
    fn could_take(&self, agent: &Agent, step: &Relaxation, ready: &[&Agent]) -> bool {
        let kept = || self.rules.reserve.iter().filter(|(_, keep)| **keep > 0).map(|(skill, keep)| (skill, *keep));
        let has = |agent: &Agent, skill: &Skill| agent.settings.skills.contains_key(skill);
        let short = |(skill, keep): (&Skill, u32)| {
            has(agent, skill) && ready.iter().filter(|a| has(a, skill)).count() <= keep as usize
        };
        let uses_reserve = step.use_reserve || kept().any(|(skill, _)| step.skills.contains_key(skill));
        agent.settings.meets(&step.skills) && (uses_reserve || !kept().any(short))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acd::agent::{Duty, Presence};
    use crate::acd::{AcdInput, Request};
    use crate::config::settings::{AgentSettings, DistributorSettings, QueueSettings};
    use crate::ids::CallId;

    fn at(secs: u64) -> Instant {
        Instant(secs * 1_000_000)
    }

    /// One caller in line since 10 s, of whom the matcher does not know that somebody became idle at 20 s.
    fn blind(queue: QueueSettings, agent: AgentSettings, rules: DistributorSettings) -> Acd {
        let mut acd = Acd::new(&[queue], &[agent], &rules);
        let request = Request {
            call: CallId(1),
            queue: "hotline".into(),
            since: at(10),
            priority: None,
            preferred: None,
            waits: Waits::OnTheLine,
        };
        acd.handle(at(10), AcdInput::Enqueue(request)).expect("an empty queue");
        acd.agents[0].presence = Presence::SignedIn { seat: "8001".into(), duty: Duty::Ready { idle_since: at(20) } };
        acd.agents[0].state_since = at(20);
        acd
    }

    fn counts(acd: &Acd, secs: u64) -> usize {
        acd.stranded(at(secs)).iter().map(|(_, calls)| calls).sum()
    }

    #[test]
    fn a_pair_that_the_matcher_missed_is_seen_a_second_later() {
        let acd = blind(
            QueueSettings::new("hotline", "mandarin"),
            AgentSettings::new("6601", [("mandarin", 5)]),
            Default::default(),
        );
        assert_eq!((counts(&acd, 20), counts(&acd, 21), counts(&acd, 22)), (0, 0, 1));
        assert_eq!(acd.stranded(at(22)), [(&"hotline".into(), 1)]);
    }

    #[test]
    fn who_lacks_the_skill_counts_from_the_step_that_asks_for_less() {
        let step = Relaxation {
            after: Duration::from_secs(30),
            skills: [("mandarin".into(), 1)].into(),
            use_reserve: false,
            interpreter: true,
        };
        let queue = QueueSettings { relax: vec![step], ..QueueSettings::new("hotline", "korean") };
        let acd = blind(queue, AgentSettings::new("6601", [("mandarin", 5)]), Default::default());
        assert_eq!((counts(&acd, 41), counts(&acd, 42)), (0, 1), "the timers do not run here: the clock alone counts");
    }

    #[test]
    fn an_agent_kept_back_is_not_idle_for_others() {
        let agent = AgentSettings::new("6601", [("mandarin", 5), ("korean", 5)]);
        let rules = DistributorSettings { reserve: [("korean".into(), 1)].into(), ..Default::default() };
        let acd = blind(QueueSettings::new("hotline", "mandarin"), agent.clone(), rules.clone());
        assert_eq!(counts(&acd, 60), 0);
        let acd = blind(QueueSettings::new("hotline", "korean"), agent, rules);
        assert_eq!(counts(&acd, 60), 1);
    }
}
