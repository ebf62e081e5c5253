//! The distributor written down a second time, the slow and plain way: flat records, linear scans, no index, no
//! deferred anything. It shares no code with `acd/`, only the words it is asked and answers in.

use rexian::acd::{AcdInput, AcdOutput};
use rexian::config::settings::{AgentSettings, QueueSettings};
use rexian::event::{AgentEvent, AgentState, NotReadyReason, OfferEnd};
use rexian::ids::{AgentNo, CallId, QueueName, SeatNo};
use rexian::time::Instant;

pub struct Oracle {
    queues: Vec<QueueSettings>,
    agents: Vec<Clerk>,
    calls: Vec<Citizen>,
    lost: Vec<SeatNo>,
    said: Vec<AcdOutput>,
}

struct Clerk {
    settings: AgentSettings,
    seat: Option<SeatNo>,
    state: AgentState,
    idle_since: Instant,
    /// Reserved by nobody: the caller has left, the seat rings on.
    clearing: bool,
    /// End of ringing or of wrap-up.
    until: Instant,
    after: After,
}

#[derive(Clone, Copy, PartialEq)]
enum After {
    Ready,
    NotReady(NotReadyReason),
    Out,
}

struct Citizen {
    call: CallId,
    queue: QueueSettings,
    since: Instant,
    deadline: Option<Instant>,
    agent: Option<AgentNo>,
}

impl Oracle {
    pub fn new(queues: &[QueueSettings], agents: &[AgentSettings]) -> Oracle {
        let clerk = |settings: &AgentSettings| Clerk {
            settings: settings.clone(),
            seat: None,
            state: AgentState::LoggedOut,
            idle_since: Instant::ZERO,
            clearing: false,
            until: Instant::ZERO,
            after: After::Ready,
        };
        Oracle {
            queues: queues.to_vec(),
            agents: agents.iter().map(clerk).collect(),
            calls: Vec::new(),
            lost: Vec::new(),
            said: Vec::new(),
        }
    }

    /// Whether the input was accepted, and what was decided.
    pub fn handle(&mut self, now: Instant, input: &AcdInput) -> (bool, Vec<AcdOutput>) {
        let accepted = self.apply(now, input).is_some();
        self.match_all(now);
        (accepted, std::mem::take(&mut self.said))
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        self.due().map(|(at, ..)| at)
    }

    pub fn handle_timeout(&mut self, now: Instant) -> Vec<AcdOutput> {
        while let Some((at, kind, agent, call)) = self.due() {
            if at > now {
                break;
            }
            match kind {
                0 => self.after_call(now, agent),
                2 => self.show(now, agent, AgentState::NotReady(NotReadyReason::Unreachable)),
                1 => {
                    let call =
                        self.calls.iter_mut().find(|c| c.agent.as_ref() == Some(&self.agents[agent].settings.number));
                    let call = call.expect("a reserved clerk has a citizen");
                    call.agent = None;
                    let number = self.agents[agent].settings.number.clone();
                    self.said.push(AcdOutput::OfferTimedOut { call: call.call, agent: number });
                    self.show(now, agent, AgentState::NotReady(NotReadyReason::NoAnswer));
                }
                _ => {
                    self.calls.retain(|c| c.call != call);
                    self.said.push(AcdOutput::QueueTimeout { call });
                }
            }
            self.match_all(now);
        }
        std::mem::take(&mut self.said)
    }

    pub fn position(&self, call: CallId) -> Option<usize> {
        let me = self.calls.iter().find(|c| c.call == call && c.agent.is_none())?;
        let ahead = |c: &&Citizen| {
            c.agent.is_none() && c.queue.name == me.queue.name && (c.since, c.call) < (me.since, me.call)
        };
        Some(self.calls.iter().filter(ahead).count() + 1)
    }

    pub fn state(&self, agent: &AgentNo) -> Option<AgentState> {
        self.agents.iter().find(|a| a.settings.number == *agent).map(|a| a.state)
    }

    /// `None`: refused, nothing changed.
    fn apply(&mut self, now: Instant, input: &AcdInput) -> Option<()> {
        match input {
            AcdInput::SignIn { agent, seat } => {
                let who = self.clerk(agent)?;
                if self.agents.iter().any(|a| a.seat.as_ref() == Some(seat) && a.settings.number != *agent) {
                    return None;
                }
                if self.agents[who].seat.as_ref() == Some(seat) {
                    self.seat_back(now, seat);
                    return Some(());
                }
                if let Some(old) = &self.agents[who].seat {
                    let talking = matches!(self.agents[who].state, AgentState::Talking | AgentState::Hold);
                    if talking || !self.lost.contains(old) {
                        return None;
                    }
                }
                self.lost.retain(|s| s != seat);
                self.agents[who].seat = Some(seat.clone());
                // A new seat is news even if the state is the same.
                self.agents[who].state = AgentState::LoggedOut;
                self.show(now, who, AgentState::NotReady(NotReadyReason::Busy));
            }
            AcdInput::SignOut { agent } => self.ask(now, agent, After::Out)?,
            AcdInput::Ready { agent } => self.ask(now, agent, After::Ready)?,
            AcdInput::NotReady { agent, reason } => self.ask(now, agent, After::NotReady(*reason))?,
            AcdInput::SeatReachable { seat } => self.seat_back(now, seat),
            AcdInput::SeatLost { seat } => {
                self.lost.push(seat.clone());
                if let Some(who) = self.agents.iter().position(|a| a.seat.as_ref() == Some(seat)) {
                    let state = self.agents[who].state;
                    if state == AgentState::Reserved {
                        self.withdraw(who);
                    }
                    if matches!(state, AgentState::Ready | AgentState::Reserved) {
                        self.show(now, who, AgentState::NotReady(NotReadyReason::Unreachable));
                    }
                }
            }
            AcdInput::Enqueue(r) => self.enqueue(now, r.call, &r.queue, r.since)?,
            AcdInput::Leave { call } => {
                let at = self.calls.iter().position(|c| c.call == *call)?;
                let citizen = self.calls.remove(at);
                if let Some(agent) = &citizen.agent {
                    let who = self.clerk(agent)?;
                    match self.agents[who].state {
                        AgentState::Reserved => self.show(now, who, AgentState::Ready),
                        _ => self.end_talk(now, who, &citizen.queue),
                    }
                }
            }
            AcdInput::LeaveRinging { call } => match self.with(*call, &[AgentState::Reserved]) {
                Some(who) => {
                    self.calls.retain(|c| c.call != *call);
                    self.agents[who].clearing = true;
                }
                None => return self.apply(now, &AcdInput::Leave { call: *call }),
            },
            AcdInput::SeatQuiet { seat } => {
                if let Some(who) = self.agents.iter().position(|a| a.seat.as_ref() == Some(seat) && a.clearing) {
                    self.show(now, who, AgentState::Ready);
                }
            }
            AcdInput::Answered { call } => {
                let who = self.with(*call, &[AgentState::Reserved])?;
                self.agents[who].after = After::Ready;
                self.show(now, who, AgentState::Talking);
            }
            AcdInput::OfferFailed { call, why } => {
                let who = self.with(*call, &[AgentState::Reserved])?;
                self.calls.iter_mut().find(|c| c.call == *call)?.agent = None;
                let state = match why {
                    OfferEnd::NoAnswer => AgentState::NotReady(NotReadyReason::NoAnswer),
                    OfferEnd::Busy | OfferEnd::Declined => AgentState::NotReady(NotReadyReason::Declined),
                    OfferEnd::Unreachable | OfferEnd::Failed => AgentState::NotReady(NotReadyReason::Unreachable),
                    OfferEnd::Withdrawn => AgentState::Ready,
                };
                self.show(now, who, state);
            }
            AcdInput::Held { call } => {
                let who = self.with(*call, &[AgentState::Talking, AgentState::Hold])?;
                self.show(now, who, AgentState::Hold);
            }
            AcdInput::Resumed { call } => {
                let who = self.with(*call, &[AgentState::Talking, AgentState::Hold])?;
                self.show(now, who, AgentState::Talking);
            }
            AcdInput::Requeue { .. }
            | AcdInput::SetPriority { .. }
            | AcdInput::NotReached { .. }
            | AcdInput::ExtendWrapUp { .. }
            | AcdInput::Force { .. }
            | AcdInput::SetSkills { .. }
            | AcdInput::Admit(_)
            | AcdInput::Dismiss { .. } => unimplemented!("{input:?}"),
            AcdInput::TalkEnded { call } => {
                let who = self.with(*call, &[AgentState::Talking, AgentState::Hold])?;
                let at = self.calls.iter().position(|c| c.call == *call)?;
                let citizen = self.calls.remove(at);
                self.end_talk(now, who, &citizen.queue);
            }
        }
        Some(())
    }

    fn enqueue(&mut self, now: Instant, call: CallId, queue: &QueueName, since: Instant) -> Option<()> {
        let queue = self.queues.iter().find(|q| q.name == *queue)?.clone();
        let known = self.calls.iter().any(|c| c.call == call);
        let anyone = self.agents.iter().any(|a| able(&a.settings, &queue));
        let ready = self.agents.iter().any(|a| a.state == AgentState::Ready && able(&a.settings, &queue));
        let in_line = self.calls.iter().filter(|c| c.queue.name == queue.name && c.agent.is_none()).count();
        if known || !anyone || (in_line >= queue.max_waiting as usize && !ready) {
            return None;
        }
        let deadline = queue.max_wait.map(|limit| now + limit);
        self.calls.push(Citizen { call, queue, since, deadline, agent: None });
        Some(())
    }

    fn ask(&mut self, now: Instant, agent: &AgentNo, after: After) -> Option<()> {
        let who = self.clerk(agent)?;
        let seat = self.agents[who].seat.clone()?;
        match self.agents[who].state {
            AgentState::Talking | AgentState::Hold => self.agents[who].after = after,
            AgentState::Ready | AgentState::Reserved if after == After::Ready => {}
            _ if after == After::Ready && self.lost.contains(&seat) => return None,
            state => {
                if state == AgentState::Reserved {
                    self.withdraw(who);
                }
                self.agents[who].after = after;
                self.after_call(now, who);
            }
        }
        Some(())
    }

    fn match_all(&mut self, now: Instant) {
        loop {
            let mut line: Vec<usize> = (0..self.calls.len()).filter(|&c| self.calls[c].agent.is_none()).collect();
            line.sort_by_key(|&c| (self.calls[c].queue.priority, self.calls[c].since, self.calls[c].call));
            let pair = line.into_iter().find_map(|c| {
                let fits = |a: &&Clerk| a.state == AgentState::Ready && able(&a.settings, &self.calls[c].queue);
                let best = self.agents.iter().filter(fits).min_by_key(|a| (a.idle_since, a.settings.number.clone()))?;
                Some((c, best.settings.number.clone(), best.seat.clone()?))
            });
            let Some((c, agent, seat)) = pair else { return };
            self.calls[c].agent = Some(agent.clone());
            let who = self.clerk(&agent).expect("was just found");
            self.agents[who].until = now + self.calls[c].queue.ring_timeout;
            self.said.push(AcdOutput::Offer { call: self.calls[c].call, agent, seat, chosen: Default::default() });
            self.show(now, who, AgentState::Reserved);
        }
    }

    fn end_talk(&mut self, now: Instant, who: usize, queue: &QueueSettings) {
        if queue.wrap_up.is_zero() {
            self.after_call(now, who);
        } else {
            self.agents[who].until = now + queue.wrap_up;
            self.show(now, who, AgentState::WrapUp);
        }
    }

    fn after_call(&mut self, now: Instant, who: usize) {
        let lost = self.agents[who].seat.as_ref().is_some_and(|seat| self.lost.contains(seat));
        let state = match self.agents[who].after {
            After::Ready if lost => AgentState::NotReady(NotReadyReason::Unreachable),
            After::Ready => {
                self.agents[who].idle_since = now;
                AgentState::Ready
            }
            After::NotReady(reason) => AgentState::NotReady(reason),
            After::Out => {
                self.agents[who].seat = None;
                AgentState::LoggedOut
            }
        };
        self.show(now, who, state);
    }

    fn seat_back(&mut self, now: Instant, seat: &SeatNo) {
        self.lost.retain(|s| s != seat);
        if let Some(who) = self.agents.iter().position(|a| a.seat.as_ref() == Some(seat))
            && self.agents[who].state == AgentState::NotReady(NotReadyReason::Unreachable)
        {
            self.agents[who].after = After::Ready;
            self.after_call(now, who);
        }
    }

    fn withdraw(&mut self, who: usize) {
        let agent = self.agents[who].settings.number.clone();
        if let Some(citizen) = self.calls.iter_mut().find(|c| c.agent.as_ref() == Some(&agent)) {
            citizen.agent = None;
            self.said.push(AcdOutput::OfferWithdrawn { call: citizen.call, agent });
        }
    }

    fn show(&mut self, now: Instant, who: usize, state: AgentState) {
        let clerk = &mut self.agents[who];
        if clerk.state != state {
            clerk.state = state;
            clerk.clearing = false;
            let (agent, seat) = (clerk.settings.number.clone(), clerk.seat.clone());
            self.said.push(AcdOutput::Agent(AgentEvent { at: now, agent, seat, state, by: None }));
        }
    }

    /// The next timer: when, which kind (wrap-up, ringing, clearing, waiting: in this order), whose.
    fn due(&self) -> Option<(Instant, u8, usize, CallId)> {
        let mut by_number: Vec<usize> = (0..self.agents.len()).collect();
        by_number.sort_by_key(|&a| self.agents[a].settings.number.clone());
        let agents = by_number.into_iter().enumerate().filter_map(|(order, who)| {
            let kind = match self.agents[who].state {
                AgentState::WrapUp => 0,
                AgentState::Reserved if self.agents[who].clearing => 2,
                AgentState::Reserved => 1,
                _ => return None,
            };
            Some((self.agents[who].until, kind, order as u64, who, CallId(0)))
        });
        let calls = self.calls.iter().filter(|c| c.agent.is_none());
        let calls = calls.filter_map(|c| Some((c.deadline?, 3, c.call.0, 0, c.call)));
        agents.chain(calls).min().map(|(at, kind, _, who, call)| (at, kind, who, call))
    }

    fn clerk(&self, agent: &AgentNo) -> Option<usize> {
        self.agents.iter().position(|a| a.settings.number == *agent)
    }

    fn with(&self, call: CallId, states: &[AgentState]) -> Option<usize> {
        let agent = self.calls.iter().find(|c| c.call == call)?.agent.as_ref()?;
        self.clerk(agent).filter(|&who| states.contains(&self.agents[who].state))
    }
}

fn able(agent: &AgentSettings, queue: &QueueSettings) -> bool {
    agent.skills.get(&queue.skill).is_some_and(|&level| level >= queue.min_level)
}
