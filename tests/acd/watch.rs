//! What must hold on any day, told from the inputs that were accepted and the outputs alone; neither the distributor's
//! state nor the oracle's is looked at. Belongs here: one statement per promise made to callers and agents.
//! Not here: which exact output comes next (`oracle`).

use rexian::acd::{AcdInput, AcdOutput, Request, Waits};
use rexian::config::settings::{AgentSettings, DistributorSettings, QueueSettings, Relaxation};
use rexian::event::{AgentState, Chosen};
use rexian::ids::{AgentNo, CallId, QueueName, Skill};
use rexian::time::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

pub struct Watch {
    rules: DistributorSettings,
    queues: Vec<QueueSettings>,
    skills: BTreeMap<AgentNo, BTreeMap<Skill, u8>>,
    states: BTreeMap<AgentNo, AgentState>,
    calls: BTreeMap<CallId, Seen>,
    /// No seat can be rung before then.
    dumb_until: Option<Instant>,
}

struct Seen {
    request: Request,
    /// When a leader moved them to the front.
    up: Option<Instant>,
    queue: QueueSettings,
    steps: Vec<Relaxation>,
    entered: Instant,
    /// The last step said.
    step: usize,
    overflow_said: bool,
    /// To whom it is offered or with whom it talks.
    with: Option<AgentNo>,
}

type Verdict = Result<(), String>;

impl Watch {
    pub fn new(queues: &[QueueSettings], agents: &[AgentSettings], rules: &DistributorSettings) -> Watch {
        Watch {
            rules: rules.clone(),
            queues: queues.to_vec(),
            skills: agents.iter().map(|a| (a.number.clone(), a.skills.clone())).collect(),
            states: BTreeMap::new(),
            calls: BTreeMap::new(),
            dumb_until: None,
        }
    }

    /// An input that was accepted; `None`: time passed, or it was refused.
    pub fn step(&mut self, now: Instant, input: Option<&AcdInput>, outputs: &[AcdOutput]) -> Verdict {
        if let Some(input) = input {
            self.accepted(now, input);
        }
        for output in outputs {
            self.said(now, output).map_err(|problem| format!("{output:?}: {problem}"))?;
        }
        if self.is_dumb() { Ok(()) } else { self.nobody_idle_while_a_caller_waits() }
    }

    /// Timers that are due run now.
    pub fn timers_run(&mut self, now: Instant) {
        self.dumb_until.take_if(|until| *until <= now);
    }

    pub fn is_dumb(&self) -> bool {
        self.dumb_until.is_some()
    }

    fn accepted(&mut self, now: Instant, input: &AcdInput) {
        self.timers_run(now);
        let queue = |name: &QueueName| {
            self.queues.iter().find(|q| q.name == *name).expect("a queue it was accepted into").clone()
        };
        match input {
            AcdInput::Enqueue(request) | AcdInput::PutBack(request) => {
                let queue = queue(&request.queue);
                self.calls.insert(request.call, Seen::new(now, request.clone(), queue));
            }
            AcdInput::Taken { request, agent } => {
                let seen = Seen::new(now, request.clone(), queue(&request.queue));
                self.calls.insert(request.call, Seen { with: Some(agent.clone()), ..seen });
            }
            AcdInput::Requeue { call, queue: name } => {
                let (queue, request, up) = (queue(name), self.calls[call].request.clone(), self.calls[call].up);
                self.calls.insert(*call, Seen { up, ..Seen::new(now, request, queue) });
            }
            AcdInput::MoveUp { call } => {
                if let Some(seen) = self.calls.get_mut(call) {
                    seen.up.get_or_insert(now);
                }
            }
            AcdInput::Leave { call }
            | AcdInput::LeaveRinging { call }
            | AcdInput::TalkEnded { call }
            | AcdInput::NotReached { call } => drop(self.calls.remove(call)),
            AcdInput::OfferFailed { call, .. } => self.back_in_line(*call),
            AcdInput::CannotRing { call, until } => {
                self.back_in_line(*call);
                self.dumb_until = self.dumb_until.max(Some(*until));
            }
            AcdInput::SetSkills { agent, skills } => drop(self.skills.insert(agent.clone(), skills.clone())),
            AcdInput::Admit(settings) => drop(self.skills.insert(settings.number.clone(), settings.skills.clone())),
            _ => {}
        }
    }

    fn said(&mut self, now: Instant, output: &AcdOutput) -> Verdict {
        match output {
            AcdOutput::Offer { call, agent, chosen, .. } => {
                self.one_call_one_agent(*call, agent)?;
                self.the_agent_can_take_it(*call, agent, *chosen, now)?;
                self.reserve_is_kept(*call, agent, *chosen)?;
                self.nobody_is_overtaken(*call)?;
                self.calls.get_mut(call).expect("checked").with = Some(agent.clone());
                self.states.insert(agent.clone(), AgentState::Reserved);
            }
            AcdOutput::OfferTimedOut { call, agent } | AcdOutput::OfferWithdrawn { call, agent } => {
                if self.calls.get(call).and_then(|c| c.with.as_ref()) != Some(agent) {
                    return Err("was not offered to this agent".into());
                }
                self.back_in_line(*call);
            }
            AcdOutput::Relaxed { call, step } => {
                let seen = self.in_line(*call)?;
                let after = seen.steps.get(usize::from(*step)).map(|s| s.after);
                if usize::from(*step) != seen.step + 1 || after.is_none_or(|after| seen.entered + after > now) {
                    return Err(format!("step {} was said before; it waits since {:?}", seen.step, seen.entered));
                }
                seen.step += 1;
            }
            AcdOutput::OverflowDue { call } => {
                let seen = self.in_line(*call)?;
                let after = seen.queue.overflow.as_ref().and_then(|o| o.after);
                let due = after.is_some_and(|after| seen.entered + after <= now);
                if !due || std::mem::replace(&mut seen.overflow_said, true) || seen.request.waits == Waits::ForCallback
                {
                    return Err("not due, or said before".into());
                }
            }
            AcdOutput::QueueTimeout { call } => {
                let seen = self.in_line(*call)?;
                let due = seen.queue.max_wait.is_some_and(|limit| seen.entered + limit <= now);
                if !due || seen.request.waits == Waits::ForCallback {
                    return Err("may wait longer".into());
                }
                self.calls.remove(call);
            }
            AcdOutput::Agent(event) => {
                let offered = self.calls.values().any(|c| c.with.as_ref() == Some(&event.agent));
                if event.state == AgentState::Reserved && !offered {
                    return Err("reserved for nobody".into());
                }
                self.states.insert(event.agent.clone(), event.state);
            }
        }
        Ok(())
    }

    /// One offer per agent at a time, one agent per call, and only to who is ready.
    fn one_call_one_agent(&mut self, call: CallId, agent: &AgentNo) -> Verdict {
        self.in_line(call)?;
        if self.states.get(agent) != Some(&AgentState::Ready) {
            return Err(format!("{agent} is {:?}", self.states.get(agent)));
        }
        match self.calls.values().find(|c| c.with.as_ref() == Some(agent)) {
            Some(other) => Err(format!("{agent} has {:?} already", other.request.call)),
            None => Ok(()),
        }
    }

    /// By the step that is named, which was said before, and by none before it (unless the agent is preferred).
    fn the_agent_can_take_it(&self, call: CallId, agent: &AgentNo, chosen: Chosen, now: Instant) -> Verdict {
        let seen = &self.calls[&call];
        let steps = &seen.steps;
        let k = usize::from(chosen.step);
        if k > seen.step || !able(&self.skills[agent], &steps[k]) || seen.entered + steps[k].after > now {
            return Err(format!("{agent} cannot take it by step {k}; said is {}", seen.step));
        }
        if chosen.interpreter != steps[k].interpreter {
            return Err("the step says otherwise of an interpreter".into());
        }
        if chosen.preferred && !(seen.queue.prefer_last_agent && seen.request.preferred.as_ref() == Some(agent)) {
            return Err("nobody prefers this agent".into());
        }
        let whoever = |step: &Relaxation| self.ready().any(|a| self.eligible(a, step));
        if !chosen.preferred && steps[..k].iter().any(whoever) {
            return Err(format!("somebody can take it by a step before {k}"));
        }
        Ok(())
    }

    /// After this offer as many agents stay ready as the reserve says, unless the call is what they are kept for.
    fn reserve_is_kept(&self, call: CallId, agent: &AgentNo, chosen: Chosen) -> Verdict {
        let step = &self.calls[&call].steps[usize::from(chosen.step)];
        if step.use_reserve || self.rules.reserve.iter().any(|(s, n)| *n > 0 && step.skills.contains_key(s)) {
            return Ok(());
        }
        for (skill, kept) in self.rules.reserve.iter().filter(|(s, _)| self.skills[agent].contains_key(*s)) {
            let left = self.ready().filter(|a| *a != agent && self.skills[*a].contains_key(skill)).count();
            if left < *kept as usize {
                return Err(format!("leaves {left} with {skill}, of which {kept} are kept"));
            }
        }
        Ok(())
    }

    /// Nobody waits who is before this call in the order and could have been served now; so nobody is ever overtaken by
    /// who came later by more than the priorities between them are worth in ageing: the bound of starvation.
    fn nobody_is_overtaken(&self, call: CallId) -> Verdict {
        let served = &self.calls[&call];
        let before = |c: &&Seen| c.with.is_none() && self.key(c) < self.key(served);
        let overtaken = self.calls.values().filter(before).find(|c| self.somebody_for(c).is_some());
        if let Some(c) = overtaken {
            return Err(format!("{:?} is before it in the order, and {:?}", c.request.call, self.somebody_for(c)));
        }
        let worst = self.rules.ageing * 9;
        let starved =
            |c: &&Seen| served.up.is_none() && c.with.is_none() && c.request.since + worst < served.request.since;
        match self.calls.values().filter(starved).find(|c| self.somebody_for(c).is_some()) {
            Some(c) => Err(format!("{:?} starves: longer than {worst:?} behind", c.request.call)),
            None => Ok(()),
        }
    }

    fn nobody_idle_while_a_caller_waits(&self) -> Verdict {
        let mut waiting = self.calls.values().filter(|c| c.with.is_none());
        match waiting.find_map(|c| Some((c, self.somebody_for(c)?))) {
            Some((c, agent)) => Err(format!("{agent} is ready and could serve {:?}, which waits", c.request.call)),
            None => Ok(()),
        }
    }

    /// When the timers have run, whoever waits was told every step, and nobody waits beyond the limit.
    pub fn nothing_is_late(&self, now: Instant) -> Verdict {
        let on_the_line = |c: &Seen| c.request.waits == Waits::OnTheLine;
        for c in self.calls.values().filter(|c| c.with.is_none()) {
            let past = |after: Option<Duration>| after.is_some_and(|after| c.entered + after <= now);
            let overflow = c.queue.overflow.as_ref().and_then(|o| o.after);
            if past(c.steps.get(c.step + 1).map(|s| s.after))
                || past(overflow) && on_the_line(c) && !c.overflow_said
                || past(c.queue.max_wait) && on_the_line(c)
            {
                return Err(format!("{:?} in line since {:?}: something is overdue", c.request.call, c.entered));
            }
        }
        Ok(())
    }

    fn somebody_for(&self, c: &Seen) -> Option<&AgentNo> {
        let mut reached = c.steps.iter().take(c.step + 1);
        reached.find_map(|step| self.ready().find(|a| self.eligible(a, step)))
    }

    fn eligible(&self, agent: &AgentNo, step: &Relaxation) -> bool {
        let kept = || self.rules.reserve.iter().filter(|(_, n)| **n > 0);
        let free = step.use_reserve || kept().any(|(s, _)| step.skills.contains_key(s));
        let others = |s: &Skill| self.ready().filter(|a| *a != agent && self.skills[*a].contains_key(s)).count();
        let spared = kept().all(|(s, n)| !self.skills[agent].contains_key(s) || others(s) >= *n as usize);
        able(&self.skills[agent], step) && (free || spared)
    }

    fn ready(&self) -> impl Iterator<Item = &AgentNo> {
        self.states.iter().filter(|(_, state)| **state == AgentState::Ready).map(|(agent, _)| agent)
    }

    fn key(&self, c: &Seen) -> (bool, Duration, CallId) {
        let priority = c.request.priority.map_or(0, u32::from);
        let at = |at: Instant| Duration::from_micros(at.0);
        let aged = at(c.request.since) + self.rules.ageing * priority;
        (c.up.is_none(), c.up.map_or(aged, at), c.request.call)
    }

    fn in_line(&mut self, call: CallId) -> Result<&mut Seen, String> {
        self.calls.get_mut(&call).filter(|c| c.with.is_none()).ok_or_else(|| "is not in line".into())
    }

    fn back_in_line(&mut self, call: CallId) {
        if let Some(seen) = self.calls.get_mut(&call) {
            seen.with = None;
        }
    }
}

impl Seen {
    fn new(now: Instant, request: Request, queue: QueueSettings) -> Seen {
        // The first queue's priority goes along to the next.
        let request = Request { priority: request.priority.or(Some(queue.priority)), ..request };
        Seen { request, steps: queue.steps(), queue, entered: now, step: 0, overflow_said: false, with: None, up: None }
    }
}

fn able(skills: &BTreeMap<Skill, u8>, step: &Relaxation) -> bool {
    step.skills.iter().all(|(skill, level)| skills.get(skill).is_some_and(|has| has >= level))
}
