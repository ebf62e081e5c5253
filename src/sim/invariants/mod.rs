//! The independent recount: watches everything that goes into and comes out of the gateway, and says what is wrong.
//! Belongs here: the invariants, each checked from the outside with code of its own. Not here: making a day happen.
//!
//! Written while the day runs: `ledger` (calls, agents and offers, from events). At its end: `verdict` compares the
//! ledger with what carriers, phones and stores saw.

mod ending;
mod idle;
mod ledger;
mod own;
mod passing;
mod records;
mod recount;
mod report;
mod spells;
#[cfg(test)]
mod tests;
mod verdict;

pub use report::Report;

use super::ua::{Ending, UaFact};
use crate::config::settings::{CoreSettings, Limits, QueueSettings, Relaxation};
use crate::event::{AgentState, CallFact, EndCause, Supervision};
use crate::gateway::{Gateway, Output};
use crate::ids::{AgentNo, CallId, QueueName, SeatNo, Skill};
use crate::sla::Summary;
use crate::time::Instant;
use ledger::{Record, Stage};
use own::Own;
use records::Records;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub struct Audit {
    queues: BTreeMap<QueueName, QueueSettings>,
    steps_by_queue: BTreeMap<QueueName, Vec<Relaxation>>,
    reserve: BTreeMap<Skill, u32>,
    skills: BTreeMap<AgentNo, BTreeMap<Skill, u8>>,
    limits: Limits,
    /// A call waits for its page so long.
    browser_return: Duration,
    /// Nothing is lost, doubled or late on the way: the strictest rules hold.
    orderly: bool,
    /// Orderly, and neither phones nor processes die.
    steady: bool,
    /// SIGTERM came.
    draining: bool,
    /// Processes that died so far.
    crashes: u32,
    /// The last of them.
    crashed: Instant,
    calls: BTreeMap<CallId, Record>,
    /// Calls that phones dialled.
    own: BTreeMap<CallId, Own>,
    placed: Vec<Placed>,
    /// SIP Call-ID -> what the gateway made of it; more than one only if a process died between.
    by_sip_call_id: BTreeMap<String, Vec<CallId>>,
    agents: BTreeMap<AgentNo, Shown>,
    /// With whom each agent is, by call events.
    engaged: BTreeMap<AgentNo, CallId>,
    waiting: BTreeMap<QueueName, BTreeSet<CallId>>,
    /// The call on each phone, as the phone sees it.
    phones: BTreeMap<usize, Option<String>>,
    /// Seats that have a page and no phone.
    pages: BTreeMap<SeatNo, Reached>,
    touched: BTreeSet<AgentNo>,
    /// The product's own figures, for comparison.
    summary: Summary,
    /// The product's call records, from which reports count.
    records: Records,
    /// Wrap-ups that are over: after a call of which queue, how long.
    wrap_ups: Vec<(QueueName, Duration)>,
    /// The queue of each agent's last talk.
    last_queue: BTreeMap<AgentNo, QueueName>,
    turns: BTreeMap<&'static str, u64>,
    faults: Vec<String>,
    hopeless: bool,
    steps: u64,
    hash: u64,
    second_calls: u64,
    off_hook: u64,
}

struct Shown {
    state: AgentState,
    since: Instant,
    seat: Option<SeatNo>,
}

/// How a seat in a browser is reached.
struct Reached {
    /// It can be rung: its page is up, or just reloading.
    rings: bool,
    /// Nothing has been heard of it since then.
    unheard: Option<Instant>,
}

/// One call as its carrier saw it.
struct Placed {
    sip_call_id: String,
    dnis: &'static str,
    faulty: bool,
    at: Instant,
    answered: Option<Instant>,
    ended: Option<(Instant, Ending)>,
    unanswered: bool,
    lost_in_crash: bool,
}

/// More faults than this say nothing more.
const MOST_FAULTS: usize = 20;
/// The distributor's own check costs more than a step, so it runs after every so many.
const CHECK_EVERY: u64 = 61;
/// A withdrawn offer may keep its agent reserved for so long (until the phone confirms, or is given up).
const CLEARING: Duration = Duration::from_secs(6);
/// So late may an offer arrive that left before we knew that the phone dials: INVITE, 401, INVITE, and the offer's own way.
const CROSSING: Duration = Duration::from_millis(8);

impl Audit {
    pub fn new(settings: &CoreSettings, orderly: bool, steady: bool) -> Audit {
        Audit {
            queues: settings.queues.iter().map(|q| (q.name.clone(), q.clone())).collect(),
            steps_by_queue: settings.queues.iter().map(|q| (q.name.clone(), q.steps())).collect(),
            reserve: settings.distributor.reserve.clone(),
            skills: settings.agents.iter().map(|a| (a.number.clone(), a.skills.clone())).collect(),
            limits: settings.limits.clone(),
            orderly,
            steady: orderly && steady,
            draining: false,
            crashes: 0,
            crashed: Instant::default(),
            calls: BTreeMap::new(),
            own: BTreeMap::new(),
            placed: Vec::new(),
            by_sip_call_id: BTreeMap::new(),
            agents: BTreeMap::new(),
            engaged: BTreeMap::new(),
            waiting: BTreeMap::new(),
            phones: BTreeMap::new(),
            pages: BTreeMap::new(),
            browser_return: settings.media.browser_return,
            touched: BTreeSet::new(),
            summary: Summary::new(&settings.queues),
            records: Records::default(),
            wrap_ups: Vec::new(),
            last_queue: BTreeMap::new(),
            turns: BTreeMap::new(),
            faults: Vec::new(),
            hopeless: false,
            steps: 0,
            hash: 0xcbf2_9ce4_8422_2325,
            second_calls: 0,
            off_hook: 0,
        }
    }

    pub fn fault(&mut self, now: Instant, what: String) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(format!("{now:?} {what}"));
        }
    }

    /// Going on makes no sense.
    pub fn give_up(&mut self) {
        self.hopeless = true;
    }

    pub fn is_hopeless(&self) -> bool {
        self.hopeless || self.faults.len() >= MOST_FAULTS
    }

    /// A carrier places its `index`-th call.
    pub fn placed(&mut self, now: Instant, index: usize, sip_call_id: &str, dnis: &'static str, faulty: bool) {
        debug_assert_eq!(index, self.placed.len());
        self.placed.push(Placed {
            sip_call_id: sip_call_id.to_string(),
            dnis,
            faulty,
            at: now,
            answered: None,
            ended: None,
            unanswered: false,
            lost_in_crash: false,
        });
    }

    pub fn carrier(&mut self, now: Instant, index: usize, fact: &UaFact) {
        if *fact == UaFact::Ended(Ending::Refused(503)) && !self.draining {
            let live = self.calls.values().filter(|r| r.is_live()).count();
            if live * 10 < self.limits.max_calls as usize * 9 {
                self.fault(now, format!("carrier's call {index} got 503 with only {live} calls up"));
            }
        }
        let call = &mut self.placed[index];
        match fact {
            UaFact::Answered(_) => call.answered = Some(now),
            UaFact::Ended(how) => match call.ended.replace((now, *how)) {
                None => {}
                Some(before) => {
                    self.fault(now, format!("carrier's call {index} ended twice: {before:?}, then {how:?}"))
                }
            },
            UaFact::Unanswered => call.unanswered = true,
            _ => {}
        }
    }

    pub fn phone(&mut self, now: Instant, seat: usize, fact: &UaFact) {
        match fact {
            UaFact::Offered { rexian_call, .. } => {
                self.phones.insert(seat, rexian_call.clone());
                let known = rexian_call.as_ref().and_then(|c| u64::from_str_radix(c, 16).ok()).map(CallId);
                if !known.is_some_and(|c| self.calls.contains_key(&c) || self.own.contains_key(&c)) {
                    self.fault(now, format!("phone {seat} is rung for {rexian_call:?}, which is no call"));
                }
            }
            UaFact::Ended(_) => {
                self.phones.remove(&seat);
            }
            UaFact::OffHook { since } => {
                self.off_hook += 1;
                // The INVITE of an offer long over may be repeated to a phone that came back (RFC 3261 s9.1): its 486 hurts
                // nobody. An offer that lives would be lost by it; but nobody knows of a call that died with the process, nor of
                // one that crosses the offer.
                let known = *since >= self.crashed && now.since(*since) > CROSSING;
                if known && (self.steady || self.orderly && self.calls.values().any(|r| r.is_with_seat(seat))) {
                    self.fault(now, format!("phone {seat} is rung while its agent dials a feature code"));
                }
            }
            UaFact::SecondCall { rexian_call } => self.second_call(now, seat, rexian_call.as_deref()),
            UaFact::Unanswered if self.orderly => self.fault(now, format!("phone {seat}: nobody answered its BYE")),
            _ => {}
        }
    }

    /// A seat's page came or went; the seat has no phone.
    pub fn page(&mut self, now: Instant, seat: SeatNo, rings: bool, heard: bool) {
        let before = self.pages.get(&seat).and_then(|page| page.unheard);
        let at = |record: &Record| matches!(&record.stage, Stage::Answered { seat: at, .. } if *at == seat);
        if heard == before.is_some() && self.calls.values().any(at) {
            *self.turns.entry(if heard { "back at the page" } else { "left by the page" }).or_default() += 1;
        }
        let unheard = if heard { None } else { before.or(Some(now)) };
        self.pages.insert(seat, Reached { rings, unheard });
    }

    /// The gateway is told that the ticket is on the disk.
    pub fn durable(&mut self, call: CallId) {
        if let Some(record) = self.calls.get_mut(&call) {
            record.durable = true;
        }
    }

    /// One output of the gateway.
    pub fn output(&mut self, now: Instant, output: &Output) {
        self.mix(now, output);
        match output {
            Output::Call(event) => {
                if event.at != now {
                    self.fault(now, format!("{event:?} is dated wrongly"));
                }
                self.summary.observe(event);
                self.records.call(event);
                if let Some(turn) = turn(&event.what) {
                    *self.turns.entry(turn).or_default() += 1;
                }
                self.call_event(now, event.call, &event.what);
            }
            Output::Callback(_) | Output::Guard(_) | Output::Screen(_) | Output::Leader(_) => {}
            Output::Agent(event) => {
                self.summary.observe_agent(event);
                self.records.agent(event);
                self.touched.insert(event.agent.clone());
                let before = self
                    .agents
                    .insert(event.agent.clone(), Shown { state: event.state, since: now, seat: event.seat.clone() });
                if event.at != now || before.as_ref().is_some_and(|b| b.state == event.state && b.since == now) {
                    self.fault(now, format!("{event:?} is dated wrongly, or said twice"));
                }
                if let Some(Shown { state: AgentState::WrapUp, since, .. }) = before
                    && event.state != AgentState::WrapUp
                    && let Some(queue) = self.last_queue.get(&event.agent)
                {
                    self.wrap_ups.push((queue.clone(), now - since));
                }
            }
            Output::OpenTicket(ticket) => self.ticket_opened(now, ticket),
            Output::Send(_) | Output::Media(_) => {}
        }
    }

    /// The gateway has said all it had to say in one step.
    pub fn end_step(&mut self, now: Instant, gateway: &Gateway) {
        self.steps += 1;
        for agent in std::mem::take(&mut self.touched) {
            self.check_agent(now, &agent);
        }
        self.check_nobody_idle(now);
        self.check_reachable(now);
        if self.steps.is_multiple_of(CHECK_EVERY) {
            if let Err(fault) = gateway.acd().check() {
                self.fault(now, format!("the distributor's own check: {fault}"));
            }
            self.check_nobody_stuck(now);
        }
    }

    /// From now on calls are turned away.
    pub fn draining(&mut self) {
        self.draining = true;
    }

    /// The process died: calls that were up are nobody's fault.
    pub fn crash(&mut self, now: Instant) {
        self.crashes += 1;
        self.crashed = now;
        for record in self.calls.values_mut().filter(|r| r.is_live()) {
            record.stage = Stage::LostInCrash;
        }
        self.own.values_mut().for_each(Own::lose);
        for call in self.placed.iter_mut().filter(|c| c.ended.is_none()) {
            call.lost_in_crash = true;
        }
        self.agents.clear();
        self.engaged.clear();
        self.waiting.clear();
        self.touched.clear();
        let _ = now;
    }

    fn second_call(&mut self, now: Instant, seat: usize, rexian_call: Option<&str>) {
        self.second_calls += 1;
        let first = self.phones.get(&seat).cloned().flatten();
        let is_here = |call: Option<&str>| {
            let id = call.and_then(|c| u64::from_str_radix(c, 16).ok()).map(CallId);
            id.and_then(|id| self.calls.get(&id)).is_some_and(|r| r.is_with_seat(seat))
        };
        // Bytes of the first call's end may be on the way or lost; and the INVITE of an offer withdrawn before the
        // phone had said anything is repeated (RFC 3261 s9.1), so that a phone that does ring is found and cancelled.
        let both = first.as_deref() != rexian_call && is_here(first.as_deref()) && is_here(rexian_call);
        if both || self.steady {
            self.fault(now, format!("phone {seat} is rung for {rexian_call:?} while on {first:?}"));
        }
    }

    /// What agents are shown must fit what the call events say.
    fn check_agent(&mut self, now: Instant, agent: &AgentNo) {
        let state = self.agents.get(agent).map_or(AgentState::LoggedOut, |s| s.state);
        let engaged = self.engaged.get(agent).and_then(|call| self.calls.get(call)).map(|r| &r.stage);
        let fits = match engaged {
            // The agent talks from the answer on; the call says so a moment later, when the ticket is durable.
            Some(Stage::Offered { .. }) => {
                matches!(state, AgentState::Reserved | AgentState::Talking | AgentState::Hold)
            }
            Some(Stage::Answered { .. }) => matches!(state, AgentState::Talking | AgentState::Hold),
            _ => !matches!(state, AgentState::Talking | AgentState::Hold),
        };
        if !fits {
            self.fault(now, format!("agent {agent} is shown as {state:?}, but by the call's events is {engaged:?}"));
        }
    }

    /// Nobody is ready, or rung, at a seat without a page.
    fn check_reachable(&mut self, now: Instant) {
        let gone = |seat: &SeatNo| self.pages.get(seat).is_some_and(|page| !page.rings);
        let waits = |shown: &Shown| shown.state == AgentState::Ready && shown.seat.as_ref().is_some_and(gone);
        if let Some((agent, shown)) = self.agents.iter().find(|(_, shown)| waits(shown)) {
            self.fault(now, format!("agent {agent} is ready at {:?}, whose page is gone", shown.seat));
        }
    }

    fn check_nobody_stuck(&mut self, now: Instant) {
        let mut found = Vec::new();
        for (id, record) in &self.calls {
            if let Stage::Answered { seat, .. } = &record.stage
                && let Some(since) = self.pages.get(seat).and_then(|page| page.unheard)
                && now - since > self.browser_return + Duration::from_secs(1)
            {
                found.push(format!("{id:?} waits for the page of {seat} since {since:?}"));
            }
        }
        for (agent, shown) in &self.agents {
            let free = !self.engaged.contains_key(agent);
            if shown.state == AgentState::Reserved && free && now - shown.since > super::day::RING_TIMEOUT + CLEARING {
                found.push(format!("agent {agent} is reserved for nobody since {:?}", shown.since));
            }
        }
        for (queue, calls) in &self.waiting {
            let longest = self.queues.get(queue).and_then(|q| q.max_wait).unwrap_or(Duration::MAX);
            for (call, record) in calls.iter().map(|call| (call, &self.calls[call])).filter(|(_, r)| !r.is_ours()) {
                let waited = now - record.entered;
                if waited > longest + Duration::from_secs(1) {
                    found.push(format!("{call:?} has waited {waited:?} in {queue}"));
                }
            }
        }
        for fault in found {
            self.fault(now, fault);
        }
    }

    /// Folds an output into the day's hash: two runs of a seed must say the same bytes.
    fn mix(&mut self, now: Instant, output: &Output) {
        let bytes = postcard::to_stdvec(&(now, output)).expect("outputs are plain data");
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.hash = (self.hash ^ u64::from_le_bytes(word)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(29);
        }
    }
}

/// What a day must hold for its invariants to mean something.
fn turn(fact: &CallFact) -> Option<&'static str> {
    match fact {
        CallFact::Moved { .. } => Some("moved"),
        CallFact::Relaxed { .. } => Some("relaxed"),
        CallFact::Announced { .. } => Some("announced"),
        CallFact::Transferred { .. } => Some("passed on"),
        CallFact::PassedOn { .. } => Some("handed over"),
        CallFact::NotPassedOn { .. } => Some("handed back"),
        CallFact::Consulting { .. } => Some("consulted"),
        CallFact::ThreeWay => Some("in three"),
        CallFact::Surveyed { .. } => Some("surveyed"),
        CallFact::Supervised { act: Supervision::Listen, .. } => Some("listened to"),
        CallFact::Supervised { act: Supervision::TakeOver, .. } => Some("taken from above"),
        CallFact::Ended { cause: EndCause::Joined, .. } => Some("joined"),
        CallFact::TakenOver { .. } => Some("taken over"),
        CallFact::Offered { chosen, .. } if chosen.preferred => Some("preferred"),
        CallFact::Offered { chosen, .. } if chosen.interpreter => Some("interpreted"),
        _ => None,
    }
}
