//! The distributor written down a second time, the slow and plain way: flat records, linear scans, sorts, no index, no
//! deferred anything. It shares no code with `acd/`, only the words it is asked and answers in.
//!
//! The law it restates: one order over all queues, `(since + priority x ageing, call)`, and before that whom a leader moved
//! up, in the order of the acts; a call has reached every step of
//! its queue with `entered + after <= now`; the first call in the order that anybody can take gets its agent. Where the
//! law leaves room, this is what a shift leader would expect, and what is taken here:
//!
//! - A caller's new step is said before anybody is matched, so nobody is ever served by a step that was not said.
//! - Timers that are due together are dealt with one after the other with a matching after each: the earlier first, of
//!   one moment those of agents before those of callers. Of one caller's the milder first, even if the other was due
//!   earlier: a step, then the overflow, then the end.
//! - A caller who moves to another queue keeps the place in the order, so the old queue's priority too if none was named.
//! - A queue is full for its own caller too: moving into the queue one waits in counts the caller himself.
//! - A full queue still takes a caller whom a ready agent could serve at once; who is kept back could not.
//! - The place of a citizen to be called back is told as that of a caller in the same place would be.
//! - An agent's share of busy time is taken anew whenever the display turns to ready, for whatever reason.
//! - Moving to another seat because the first lost its phone is not a new shift: the share goes on.
//! - Misses in a row: only a pickup forgets them, a night does not; a declined call neither counts nor forgets.
//! - A leader's wish is the leader's when it comes true; a wrap-up or a lost phone on the way there is nobody's.
//! - Who dials is on the phone: an offer that rings there is withdrawn. Who would be ready at such a seat is engaged, and
//!   ready when its last call is over; anything else they wish for comes at once.
//! - While no seat can be rung nobody is matched; new steps and limits are said all the same.
//! - A caller passed on to an agent's phone is talked to at once, whatever the agent was, which comes back afterwards.
//! - A guest is refused at sign-in outside the time of the visit and signed out at its end, after a call if there is one.
//! - An agent taken off the roster is on no roster from that moment, even while the last call goes on; admitted again
//!   meanwhile, the agent is signed out after it all the same, in wrap-up at once.

use rexian::acd::{AcdInput, AcdOutput, Forced, Request, Waits};
use rexian::config::settings::{AgentSettings, DistributorSettings, QueueSettings, Relaxation, Rona, Strategy};
use rexian::event::{AgentEvent, AgentState, Chosen, NotReadyReason, OfferEnd};
use rexian::ids::{AgentNo, CallId, QueueName, SeatNo, Skill};
use rexian::time::Instant;
use std::cmp::Reverse;
use std::time::Duration;

pub struct Oracle {
    rules: DistributorSettings,
    queues: Vec<QueueSettings>,
    agents: Vec<Clerk>,
    calls: Vec<Citizen>,
    lost: Vec<SeatNo>,
    /// With a call of their own.
    engaged: Vec<SeatNo>,
    /// No seat can be rung before then.
    dumb_until: Option<Instant>,
    said: Vec<AcdOutput>,
}

struct Clerk {
    settings: AgentSettings,
    /// Off the roster; the record stays until the last call is over, and for who comes back.
    dismissed: bool,
    seat: Option<SeatNo>,
    state: AgentState,
    idle_since: Instant,
    /// Reserved by nobody: the caller has left, the seat rings on.
    clearing: bool,
    /// End of ringing or of wrap-up.
    until: Instant,
    extension: Duration,
    after: After,
    by: Option<AgentNo>,
    misses: u32,
    signed_in: Instant,
    busy: Duration,
    busy_since: Option<Instant>,
    /// Parts per million of the time since signing in, as of becoming ready.
    share: u128,
}

#[derive(Clone, Copy, PartialEq)]
enum After {
    Ready,
    NotReady(NotReadyReason),
    Out,
}

struct Citizen {
    request: Request,
    queue: QueueSettings,
    /// When a leader moved them to the front.
    up: Option<Instant>,
    steps: Vec<Relaxation>,
    entered: Instant,
    /// The last step said.
    step: usize,
    overflow_said: bool,
    agent: Option<AgentNo>,
}

/// In the order in which those of one instant come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    VisitOver,
    WrapUp,
    Ringing,
    Clearing,
    Step,
    Overflow,
    Limit,
}

/// The earliest is the smallest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    at: Instant,
    due: Due,
    /// Of the agent, by number.
    rank: usize,
    call: CallId,
    agent: usize,
}

impl Oracle {
    pub fn new(queues: &[QueueSettings], agents: &[AgentSettings], rules: &DistributorSettings) -> Oracle {
        Oracle {
            rules: rules.clone(),
            queues: queues.to_vec(),
            agents: agents.iter().map(Clerk::new).collect(),
            calls: Vec::new(),
            lost: Vec::new(),
            engaged: Vec::new(),
            dumb_until: None,
            said: Vec::new(),
        }
    }

    /// Whether the input was accepted, and what was decided.
    pub fn handle(&mut self, now: Instant, input: &AcdInput) -> (bool, Vec<AcdOutput>) {
        let accepted = self.apply(now, input).is_some();
        if accepted {
            self.match_all(now);
        }
        (accepted, std::mem::take(&mut self.said))
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        self.timers().into_iter().map(|t| t.at).chain(self.dumb_until).min()
    }

    pub fn handle_timeout(&mut self, now: Instant) -> Vec<AcdOutput> {
        while let Some(first) = self.timers().into_iter().filter(|t| t.at <= now).min() {
            let Timer { due, agent, call, .. } = first;
            let of_this_call = |t: &Timer| t.at <= now && due >= Due::Step && t.due >= Due::Step && t.call == call;
            let due = self.timers().into_iter().filter(of_this_call).map(|t| t.due).min().unwrap_or(due);
            let at = self.calls.iter().position(|c| c.request.call == call);
            match (due, at) {
                (Due::WrapUp, _) => self.after_call(now, agent),
                (Due::VisitOver, _) => {
                    self.wish(now, agent, After::Out, None).expect("is signed in");
                }
                (Due::Clearing, _) => self.show(now, agent, AgentState::NotReady(NotReadyReason::Unreachable), None),
                (Due::Ringing, _) => {
                    let number = self.agents[agent].settings.number.clone();
                    let citizen = self.calls.iter().position(|c| c.agent.as_ref() == Some(&number));
                    let c = citizen.expect("a reserved clerk has a citizen");
                    self.said.push(AcdOutput::OfferTimedOut { call: self.calls[c].request.call, agent: number });
                    self.calls[c].agent = None;
                    let rona = self.calls[c].queue.rona;
                    self.missed(now, agent, rona);
                }
                (Due::Overflow, Some(c)) => {
                    self.calls[c].overflow_said = true;
                    self.said.push(AcdOutput::OverflowDue { call });
                }
                (Due::Limit, Some(c)) => {
                    self.calls.remove(c);
                    self.said.push(AcdOutput::QueueTimeout { call });
                }
                // Said before anybody is matched.
                (Due::Step, Some(_)) => {}
                (_, None) => unreachable!("a timer of nobody"),
            }
            self.match_all(now);
        }
        self.match_all(now);
        std::mem::take(&mut self.said)
    }

    pub fn position(&self, call: CallId) -> Option<usize> {
        let me = self.calls.iter().find(|c| c.request.call == call && c.agent.is_none())?;
        let ahead = |c: &&Citizen| {
            c.agent.is_none()
                && c.queue.name == me.queue.name
                && c.request.waits == Waits::OnTheLine
                && self.key(c) < self.key(me)
        };
        Some(self.calls.iter().filter(ahead).count() + 1)
    }

    /// `None`: not on the roster, nor finishing a last call.
    pub fn state(&self, agent: &AgentNo) -> Option<AgentState> {
        let clerk = self.agents.iter().find(|a| a.settings.number == *agent)?;
        (!clerk.dismissed || clerk.seat.is_some()).then_some(clerk.state)
    }

    /// `None`: refused, nothing changed.
    fn apply(&mut self, now: Instant, input: &AcdInput) -> Option<()> {
        use AgentState::{Hold, Reserved, Talking};
        match input {
            AcdInput::SignIn { agent, seat } => self.sign_in(now, agent, seat)?,
            AcdInput::SignOut { agent } => self.ask(now, agent, After::Out, None)?,
            AcdInput::Ready { agent } => self.ask(now, agent, After::Ready, None)?,
            AcdInput::NotReady { agent, reason } => self.ask(now, agent, After::NotReady(*reason), None)?,
            AcdInput::Force { agent, to, by } => {
                let after = match to {
                    Forced::Ready => After::Ready,
                    Forced::NotReady => After::NotReady(NotReadyReason::Forced),
                    Forced::SignOut => After::Out,
                };
                self.ask(now, agent, after, Some(by.clone()))?;
            }
            AcdInput::SeatReachable { seat } => self.seat_back(now, seat),
            AcdInput::SeatLost { seat } => {
                self.lost.push(seat.clone());
                if let Some(who) = self.agents.iter().position(|a| a.seat.as_ref() == Some(seat)) {
                    let state = self.agents[who].state;
                    if state == Reserved {
                        self.withdraw(who);
                    }
                    if matches!(state, AgentState::Ready | Reserved) {
                        self.show(now, who, AgentState::NotReady(NotReadyReason::Unreachable), None);
                    }
                }
            }
            AcdInput::SetSkills { agent, skills } => {
                let who = self.clerk(agent)?;
                self.agents[who].settings.skills = skills.clone();
            }
            AcdInput::Admit(settings) => match self.agents.iter_mut().find(|a| a.settings.number == settings.number) {
                Some(left) if left.dismissed && left.seat.is_none() => *left = Clerk::new(settings),
                Some(known) => {
                    known.settings = settings.clone();
                    let back = std::mem::replace(&mut known.dismissed, false);
                    if back && known.state == AgentState::WrapUp {
                        let who = self.agents.iter().position(|a| a.settings.number == settings.number)?;
                        self.agents[who].after = After::Out;
                        self.after_call(now, who);
                    }
                }
                None => self.agents.push(Clerk::new(settings)),
            },
            AcdInput::Dismiss { agent } => {
                let who = self.clerk(agent)?;
                if self.agents[who].seat.is_some() {
                    self.ask(now, agent, After::Out, None)?;
                }
                self.agents[who].dismissed = true;
            }
            AcdInput::ExtendWrapUp { agent } => {
                let who = self.clerk(agent).filter(|&who| self.agents[who].state == AgentState::WrapUp)?;
                self.agents[who].until = self.agents[who].until + self.agents[who].extension;
            }
            AcdInput::Enqueue(request) => {
                let known = self.calls.iter().any(|c| c.request.call == request.call);
                let queue = self.open_door(request, &request.queue).filter(|_| !known)?;
                self.calls.push(Citizen::new(now, request.clone(), queue));
            }
            AcdInput::PutBack(request) => {
                let queue = self.queues.iter().find(|q| q.name == request.queue)?.clone();
                if self.calls.iter().any(|c| c.request.call == request.call) {
                    return None;
                }
                self.calls.push(Citizen::new(now, request.clone(), queue));
            }
            AcdInput::Requeue { call, queue } => {
                let at = self.in_line(*call)?;
                let request = self.calls[at].request.clone();
                let queue = self.open_door(&request, queue)?;
                self.calls[at] = Citizen { up: self.calls[at].up, ..Citizen::new(now, request, queue) };
            }
            AcdInput::MoveUp { call } => {
                let at = self.in_line(*call)?;
                self.calls[at].up.get_or_insert(now);
            }
            AcdInput::Leave { call } => {
                let at = self.calls.iter().position(|c| c.request.call == *call)?;
                match self.with(*call, &[Reserved, Talking, Hold]) {
                    Some(who) if self.agents[who].state == Reserved => {
                        self.calls.remove(at);
                        self.show(now, who, AgentState::Ready, None);
                    }
                    Some(who) => self.end_talk(now, who, at, true),
                    None => drop(self.calls.remove(at)),
                }
            }
            AcdInput::LeaveRinging { call } => match self.with(*call, &[Reserved]) {
                Some(who) => {
                    self.calls.retain(|c| c.request.call != *call);
                    self.agents[who].clearing = true;
                }
                None => return self.apply(now, &AcdInput::Leave { call: *call }),
            },
            AcdInput::SeatQuiet { seat } => {
                if let Some(who) = self.agents.iter().position(|a| a.seat.as_ref() == Some(seat) && a.clearing) {
                    self.show(now, who, AgentState::Ready, None);
                }
            }
            AcdInput::SeatEngaged { seat } => {
                self.engaged.push(seat.clone());
                if let Some(who) = self.agents.iter().position(|a| a.seat.as_ref() == Some(seat)) {
                    let state = self.agents[who].state;
                    if state == Reserved {
                        self.withdraw(who);
                    }
                    if matches!(state, AgentState::Ready | Reserved) {
                        self.show(now, who, AgentState::Engaged, None);
                    }
                }
            }
            AcdInput::SeatFree { seat } => {
                self.engaged.retain(|s| s != seat);
                let there = |a: &Clerk| a.seat.as_ref() == Some(seat) && a.state == AgentState::Engaged;
                if let Some(who) = self.agents.iter().position(there) {
                    self.agents[who].after = After::Ready;
                    self.agents[who].by = None;
                    self.after_call(now, who);
                }
            }
            AcdInput::Taken { request, agent } => {
                let queue = self.queues.iter().find(|q| q.name == request.queue)?.clone();
                let who = self.clerk(agent)?;
                let known = self.calls.iter().any(|c| c.request.call == request.call);
                let (after, by) = match self.agents[who].state {
                    _ if known => return None,
                    AgentState::Ready | AgentState::Engaged => (After::Ready, None),
                    AgentState::NotReady(reason) => (After::NotReady(reason), None),
                    AgentState::WrapUp => (self.agents[who].after, self.agents[who].by.clone()),
                    AgentState::LoggedOut | Reserved | Talking | Hold => return None,
                };
                let citizen = Citizen::new(now, request.clone(), queue);
                self.calls.push(Citizen { agent: Some(agent.clone()), ..citizen });
                (self.agents[who].after, self.agents[who].by) = (after, by);
                self.show(now, who, Talking, None);
            }
            AcdInput::Answered { call } => {
                let who = self.with(*call, &[Reserved])?;
                self.agents[who].after = After::Ready;
                self.agents[who].by = None;
                self.agents[who].misses = 0;
                self.show(now, who, Talking, None);
            }
            AcdInput::OfferFailed { call, why } => {
                let who = self.with(*call, &[Reserved])?;
                let c = self.calls.iter().position(|c| c.request.call == *call)?;
                self.calls[c].agent = None;
                let rona = self.calls[c].queue.rona;
                let state = match why {
                    OfferEnd::NoAnswer => {
                        self.missed(now, who, rona);
                        return Some(());
                    }
                    OfferEnd::Busy | OfferEnd::Declined => AgentState::NotReady(NotReadyReason::Declined),
                    OfferEnd::Unreachable | OfferEnd::Failed => AgentState::NotReady(NotReadyReason::Unreachable),
                    OfferEnd::Withdrawn => AgentState::Ready,
                };
                self.show(now, who, state, None);
            }
            AcdInput::CannotRing { call, until } => {
                let why = OfferEnd::Withdrawn;
                self.apply(now, &AcdInput::OfferFailed { call: *call, why })?;
                self.dumb_until = self.dumb_until.max(Some(*until));
            }
            AcdInput::Held { call } => {
                let who = self.with(*call, &[Talking, Hold])?;
                self.show(now, who, Hold, None);
            }
            AcdInput::Resumed { call } => {
                let who = self.with(*call, &[Talking, Hold])?;
                self.show(now, who, Talking, None);
            }
            AcdInput::SeatDead { call } => {
                let who = self.with(*call, &[Talking, Hold])?;
                if let After::Ready = self.agents[who].after {
                    let after = After::NotReady(NotReadyReason::Unreachable);
                    (self.agents[who].after, self.agents[who].by) = (after, None);
                }
            }
            AcdInput::TalkEnded { call } | AcdInput::NotReached { call } => {
                let who = self.with(*call, &[Talking, Hold])?;
                let at = self.calls.iter().position(|c| c.request.call == *call)?;
                self.end_talk(now, who, at, matches!(input, AcdInput::TalkEnded { .. }));
            }
        }
        Some(())
    }

    /// The queue, if it takes this caller now.
    fn open_door(&self, request: &Request, queue: &QueueName) -> Option<QueueSettings> {
        let queue = self.queues.iter().find(|q| q.name == *queue)?.clone();
        let steps = queue.steps();
        let anyone = self.agents.iter().any(|a| !a.dismissed && steps.iter().any(|s| meets(&a.settings, s)));
        let ready = self.agents.iter().any(|a| self.eligible(a, &steps[0]));
        let of_this = |c: &&Citizen| c.agent.is_none() && c.queue.name == queue.name;
        let line = self.calls.iter().filter(of_this).filter(|c| c.request.waits == Waits::OnTheLine).count();
        let full = request.waits == Waits::OnTheLine && line >= queue.max_waiting as usize;
        (anyone && (!full || ready)).then_some(queue)
    }

    fn sign_in(&mut self, now: Instant, agent: &AgentNo, seat: &SeatNo) -> Option<()> {
        let who = self.clerk(agent)?;
        if self.agents.iter().any(|a| a.seat.as_ref() == Some(seat) && a.settings.number != *agent) {
            return None;
        }
        let today = now.as_unix_micros() / 1_000_000;
        if self.agents[who].settings.guest.is_some_and(|(from, until)| !(from..until).contains(&today)) {
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
        let clerk = &mut self.agents[who];
        let fresh = Clerk { seat: Some(seat.clone()), misses: clerk.misses, ..Clerk::new(&clerk.settings) };
        *clerk = match clerk.seat {
            Some(_) => {
                let running = clerk.busy_since.map_or(Duration::ZERO, |since| now - since);
                Clerk { signed_in: clerk.signed_in, busy: clerk.busy + running, ..fresh }
            }
            None => Clerk { signed_in: now, ..fresh },
        };
        self.show(now, who, AgentState::NotReady(NotReadyReason::Busy), None);
        Some(())
    }

    fn ask(&mut self, now: Instant, agent: &AgentNo, after: After, by: Option<AgentNo>) -> Option<()> {
        let who = self.clerk(agent)?;
        self.wish(now, who, after, by)
    }

    fn wish(&mut self, now: Instant, who: usize, after: After, by: Option<AgentNo>) -> Option<()> {
        let seat = self.agents[who].seat.clone()?;
        let wish = |clerk: &mut Clerk| (clerk.after, clerk.by) = (after, by);
        match self.agents[who].state {
            AgentState::Talking | AgentState::Hold => wish(&mut self.agents[who]),
            AgentState::Ready | AgentState::Reserved | AgentState::Engaged if after == After::Ready => {}
            _ if after == After::Ready && self.lost.contains(&seat) => return None,
            state => {
                if state == AgentState::Reserved {
                    self.withdraw(who);
                }
                wish(&mut self.agents[who]);
                self.after_call(now, who);
            }
        }
        Some(())
    }

    fn match_all(&mut self, now: Instant) {
        self.say_steps(now);
        if self.dumb_until.is_some_and(|until| now < until) {
            return;
        }
        self.dumb_until = None;
        while self.match_one(now) {}
    }

    fn say_steps(&mut self, now: Instant) {
        let mut news: Vec<(Instant, CallId, usize)> = Vec::new();
        for citizen in self.calls.iter_mut().filter(|c| c.agent.is_none()) {
            while citizen.steps.get(citizen.step + 1).is_some_and(|next| citizen.entered + next.after <= now) {
                citizen.step += 1;
                news.push((citizen.entered + citizen.steps[citizen.step].after, citizen.request.call, citizen.step));
            }
        }
        news.sort();
        self.said.extend(news.into_iter().map(|(_, call, k)| AcdOutput::Relaxed { call, step: k as u8 }));
    }

    fn match_one(&mut self, now: Instant) -> bool {
        let mut line: Vec<usize> = (0..self.calls.len()).filter(|&c| self.calls[c].agent.is_none()).collect();
        line.sort_by_key(|&c| self.key(&self.calls[c]));
        let pair = line.into_iter().find_map(|c| {
            let (who, chosen) = self.agent_for(&self.calls[c])?;
            Some((c, who, chosen))
        });
        let Some((c, who, chosen)) = pair else { return false };
        let clerk = &mut self.agents[who];
        clerk.until = now + self.calls[c].queue.ring_timeout;
        let (agent, seat) = (clerk.settings.number.clone(), clerk.seat.clone().expect("the ready have a seat"));
        self.calls[c].agent = Some(agent.clone());
        self.said.push(AcdOutput::Offer { call: self.calls[c].request.call, agent, seat, chosen });
        self.show(now, who, AgentState::Reserved, None);
        true
    }

    fn agent_for(&self, citizen: &Citizen) -> Option<(usize, Chosen)> {
        let steps = reached(citizen);
        let everybody = || 0..self.agents.len();
        let able = |who: usize, step: &Relaxation| self.eligible(&self.agents[who], step);
        let chosen =
            |k: usize, step: &Relaxation, preferred| Chosen { step: k as u8, preferred, interpreter: step.interpreter };
        if let Some(last) = citizen.request.preferred.as_ref().filter(|_| citizen.queue.prefer_last_agent)
            && let Some(who) = self.agents.iter().position(|a| a.settings.number == *last)
            && let Some((k, step)) = steps.iter().find(|(_, step)| able(who, step))
        {
            return Some((who, chosen(*k, step, true)));
        }
        let (k, step) = steps.iter().find(|(_, step)| everybody().any(|who| able(who, step)))?;
        let best = everybody().filter(|who| able(*who, step)).min_by_key(|who| {
            let a = &self.agents[*who];
            let rare = self.rules.reserve.keys().filter(|s| a.settings.skills.contains_key(*s)).count();
            let level = a.settings.skills.get(&citizen.queue.skill).copied().unwrap_or(0);
            let (share, level) = match citizen.queue.strategy {
                Strategy::LongestIdle => (0, 0),
                Strategy::LeastOccupied => (a.share, 0),
                Strategy::MostSkilled => (0, level),
            };
            (rare, share, Reverse(level), a.idle_since, a.settings.number.clone())
        })?;
        Some((best, chosen(*k, step, false)))
    }

    fn eligible(&self, a: &Clerk, step: &Relaxation) -> bool {
        let ready_with = |s: &Skill| {
            let has = |a: &&Clerk| a.state == AgentState::Ready && a.settings.skills.contains_key(s);
            self.agents.iter().filter(has).count()
        };
        let for_reserved = self.kept_skills().any(|s| step.skills.contains_key(s));
        let mut own = self.kept_skills().filter(|s| a.settings.skills.contains_key(*s));
        let kept_back =
            !step.use_reserve && !for_reserved && own.any(|s| ready_with(s) <= self.rules.reserve[s] as usize);
        a.state == AgentState::Ready && meets(&a.settings, step) && !kept_back
    }

    fn kept_skills(&self) -> impl Iterator<Item = &Skill> {
        self.rules.reserve.iter().filter(|(_, n)| **n > 0).map(|(s, _)| s)
    }

    fn key(&self, c: &Citizen) -> (bool, Instant, CallId) {
        let priority = c.request.priority.expect("named, or the first queue's");
        let aged = c.request.since + self.rules.ageing * u32::from(priority);
        (c.up.is_none(), c.up.unwrap_or(aged), c.request.call)
    }

    fn end_talk(&mut self, now: Instant, who: usize, call: usize, wraps_up: bool) {
        let queue = self.calls.remove(call).queue;
        if queue.wrap_up.is_zero() || !wraps_up {
            self.after_call(now, who);
        } else {
            self.agents[who].until = now + queue.wrap_up;
            self.agents[who].extension = queue.wrap_up_extension;
            self.show(now, who, AgentState::WrapUp, None);
        }
    }

    fn after_call(&mut self, now: Instant, who: usize) {
        let clerk = &mut self.agents[who];
        let lost = clerk.seat.as_ref().is_some_and(|seat| self.lost.contains(seat));
        let engaged = clerk.seat.as_ref().is_some_and(|seat| self.engaged.contains(seat));
        let by = clerk.by.take();
        let (state, by) = match clerk.after {
            After::Ready if lost => (AgentState::NotReady(NotReadyReason::Unreachable), None),
            After::Ready if engaged => (AgentState::Engaged, by),
            After::Ready => {
                clerk.idle_since = now;
                (AgentState::Ready, by)
            }
            After::NotReady(reason) => (AgentState::NotReady(reason), by),
            After::Out => {
                clerk.seat = None;
                (AgentState::LoggedOut, by)
            }
        };
        self.show(now, who, state, by);
    }

    /// The phone rang out.
    fn missed(&mut self, now: Instant, who: usize, rona: Rona) {
        let clerk = &mut self.agents[who];
        clerk.misses += 1;
        let state = match rona {
            Rona::Tolerate(n) if clerk.misses <= u32::from(n) => {
                clerk.idle_since = now;
                AgentState::Ready
            }
            Rona::Tolerate(_) | Rona::NotReady => AgentState::NotReady(NotReadyReason::NoAnswer),
            Rona::SignOut => {
                clerk.seat = None;
                AgentState::LoggedOut
            }
        };
        self.show(now, who, state, None);
    }

    fn seat_back(&mut self, now: Instant, seat: &SeatNo) {
        self.lost.retain(|s| s != seat);
        let Some(who) = self.agents.iter().position(|a| a.seat.as_ref() == Some(seat)) else { return };
        let clerk = &mut self.agents[who];
        match (clerk.state, &clerk.after) {
            (AgentState::NotReady(NotReadyReason::Unreachable), _) => {
                clerk.after = After::Ready;
                self.after_call(now, who);
            }
            (AgentState::WrapUp, After::NotReady(NotReadyReason::Unreachable)) => {
                (clerk.after, clerk.by) = (After::Ready, None);
            }
            _ => {}
        }
    }

    fn withdraw(&mut self, who: usize) {
        let agent = self.agents[who].settings.number.clone();
        if let Some(c) = self.calls.iter().position(|c| c.agent.as_ref() == Some(&agent)) {
            self.said.push(AcdOutput::OfferWithdrawn { call: self.calls[c].request.call, agent });
            self.calls[c].agent = None;
        }
    }

    fn show(&mut self, now: Instant, who: usize, state: AgentState, by: Option<AgentNo>) {
        let clerk = &mut self.agents[who];
        if clerk.state == state {
            return;
        }
        clerk.state = state;
        clerk.clearing = false;
        use AgentState::{Engaged, Hold, Talking, WrapUp};
        let busy = matches!(state, Talking | Hold | WrapUp | Engaged);
        if let Some(since) = clerk.busy_since.take() {
            clerk.busy += now - since;
        }
        clerk.busy_since = busy.then_some(now);
        if state == AgentState::Ready {
            let shift = (now - clerk.signed_in).as_micros();
            clerk.share = (clerk.busy.as_micros() * 1_000_000).checked_div(shift).unwrap_or(0);
        }
        let (agent, seat) = (clerk.settings.number.clone(), clerk.seat.clone());
        self.said.push(AcdOutput::Agent(AgentEvent { at: now, agent, seat, state, by }));
    }

    /// Every timer that runs.
    fn timers(&self) -> Vec<Timer> {
        let mut by_number: Vec<usize> = (0..self.agents.len()).collect();
        by_number.sort_by_key(|&a| self.agents[a].settings.number.clone());
        let agents = by_number.into_iter().enumerate().filter_map(|(rank, agent)| {
            let due = match self.agents[agent].state {
                AgentState::WrapUp => Due::WrapUp,
                AgentState::Reserved if self.agents[agent].clearing => Due::Clearing,
                AgentState::Reserved => Due::Ringing,
                _ => return None,
            };
            Some(Timer { at: self.agents[agent].until, due, rank, call: CallId(0), agent })
        });
        let calls = self.calls.iter().filter(|c| c.agent.is_none()).flat_map(|c| {
            let waits = c.request.waits == Waits::OnTheLine;
            let overflow = c.queue.overflow.as_ref().and_then(|o| o.after).filter(|_| waits && !c.overflow_said);
            let limit = c.queue.max_wait.filter(|_| waits);
            let step = c.steps.get(c.step + 1).map(|s| s.after);
            let all = [(Due::Step, step), (Due::Overflow, overflow), (Due::Limit, limit)];
            let timer = |(due, after): (Due, Option<Duration>)| {
                Some(Timer { at: c.entered + after?, due, rank: 0, call: c.request.call, agent: 0 })
            };
            all.into_iter().filter_map(timer)
        });
        let by_number = || {
            let mut all: Vec<usize> = (0..self.agents.len()).collect();
            all.sort_by_key(|&a| self.agents[a].settings.number.clone());
            all.into_iter().enumerate()
        };
        let visits = by_number().filter_map(|(rank, agent)| {
            let a = &self.agents[agent];
            use AgentState::{Hold, Talking, WrapUp};
            let leaving = matches!(a.state, Talking | Hold | WrapUp) && a.after == After::Out;
            let (_, until) = a.settings.guest.filter(|_| a.seat.is_some() && !leaving)?;
            Some(Timer { at: Instant::from_unix_secs(until), due: Due::VisitOver, rank, call: CallId(0), agent })
        });
        agents.chain(visits).chain(calls).collect()
    }

    fn clerk(&self, agent: &AgentNo) -> Option<usize> {
        self.agents.iter().position(|a| a.settings.number == *agent && !a.dismissed)
    }

    fn in_line(&self, call: CallId) -> Option<usize> {
        self.calls.iter().position(|c| c.request.call == call && c.agent.is_none())
    }

    fn with(&self, call: CallId, states: &[AgentState]) -> Option<usize> {
        let agent = self.calls.iter().find(|c| c.request.call == call)?.agent.as_ref()?;
        let who = self.agents.iter().position(|a| a.settings.number == *agent)?;
        states.contains(&self.agents[who].state).then_some(who)
    }
}

impl Clerk {
    fn new(settings: &AgentSettings) -> Clerk {
        Clerk {
            settings: settings.clone(),
            dismissed: false,
            seat: None,
            state: AgentState::LoggedOut,
            idle_since: Instant::ZERO,
            clearing: false,
            until: Instant::ZERO,
            extension: Duration::ZERO,
            after: After::Ready,
            by: None,
            misses: 0,
            signed_in: Instant::ZERO,
            busy: Duration::ZERO,
            busy_since: None,
            share: 0,
        }
    }
}

impl Citizen {
    fn new(now: Instant, request: Request, queue: QueueSettings) -> Citizen {
        let request = Request { priority: request.priority.or(Some(queue.priority)), ..request };
        Citizen {
            request,
            steps: queue.steps(),
            queue,
            entered: now,
            step: 0,
            overflow_said: false,
            agent: None,
            up: None,
        }
    }
}

fn meets(agent: &AgentSettings, step: &Relaxation) -> bool {
    step.skills.iter().all(|(skill, level)| agent.skills.get(skill).is_some_and(|has| has >= level))
}

/// The steps a call has reached, with their numbers.
fn reached(call: &Citizen) -> Vec<(usize, &Relaxation)> {
    call.steps.iter().enumerate().take(call.step + 1).collect()
}
