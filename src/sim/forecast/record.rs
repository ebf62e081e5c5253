//! What happened on the day, written down as it happens. Belongs here: one row a call, each agent's states, the
//! product's own summaries. Not here: figures made from them (`outcome`).

use super::Scene;
use super::demand::Citizen;
use crate::config::settings::CoreSettings;
use crate::event::{AgentEvent, AgentState, CallEvent, CallFact, EndCause};
use crate::ids::{AgentNo, CallId, QueueName, Skill};
use crate::sla::Summary;
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRow {
    /// Since midnight.
    pub at: Duration,
    pub language: String,
    pub dialled: String,
    /// When a human was asked for, since midnight.
    pub asked: Duration,
    /// The queue asked first.
    pub queue: Option<QueueName>,
    /// Why it went there, and on: `line`, `line+overflow`.
    pub why: String,
    /// Until an agent was connected or the wait was over.
    pub wait: Duration,
    pub agent: Option<AgentNo>,
    /// The step of the queue's requirement by which the agent was found; 0 is the full one.
    pub step: u8,
    /// `None`: turned away by SIP status before it was a call, or still up when the day was closed.
    pub cause: Option<EndCause>,
    /// 503 and the like: all channels busy.
    pub turned_away: Option<u16>,
    pub talk: Duration,
    /// Estimates announced while waiting: since midnight, and how long it would still take.
    pub estimates: Vec<(Duration, Duration)>,
    /// Announcements of any kind.
    pub announced: u32,
}

/// One agent in one state.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentSpan {
    /// Index of the post.
    pub post: usize,
    pub state: AgentState,
    /// Since midnight.
    pub from: Duration,
    pub until: Duration,
}

/// The whole day.
#[derive(Clone, Debug)]
pub struct Day {
    pub calls: Vec<CallRow>,
    /// Without the signed-out ones; clipped to the day.
    pub spans: Vec<AgentSpan>,
    /// Skills of each post.
    pub posts: Vec<BTreeSet<Skill>>,
    /// All calls, and agents as at midnight.
    pub total: Summary,
    /// Calls by the hour in which they arrived.
    pub hours: Vec<Summary>,
    pub within: Duration,
    pub queues: Vec<(QueueName, Duration)>,
}

impl CallRow {
    pub fn is_answered(&self) -> bool {
        self.agent.is_some()
    }
}

pub struct Recorder {
    midnight: Instant,
    calls: Vec<CallRow>,
    live: BTreeMap<CallId, usize>,
    by_agent: BTreeMap<AgentNo, usize>,
    now: Vec<(AgentState, Instant)>,
    spans: Vec<AgentSpan>,
    posts: Vec<BTreeSet<Skill>>,
    total: Summary,
    hours: Vec<Summary>,
    queues: Vec<(QueueName, Duration)>,
}

impl Recorder {
    pub fn new(scene: &Scene, citizens: &[Citizen], settings: &CoreSettings) -> Recorder {
        let row = |citizen: &Citizen| CallRow {
            at: citizen.at,
            language: citizen.language.clone(),
            dialled: citizen.number.clone(),
            asked: citizen.at,
            queue: None,
            why: String::new(),
            wait: Duration::ZERO,
            agent: None,
            step: 0,
            cause: None,
            turned_away: None,
            talk: Duration::ZERO,
            estimates: Vec::new(),
            announced: 0,
        };
        Recorder {
            midnight: scene.midnight,
            calls: citizens.iter().map(row).collect(),
            live: BTreeMap::new(),
            by_agent: scene.posts.iter().enumerate().map(|(i, p)| (AgentNo::new(&p.agent), i)).collect(),
            now: vec![(AgentState::LoggedOut, scene.midnight); scene.posts.len()],
            spans: Vec::new(),
            posts: scene.posts.iter().map(|p| p.skills.keys().cloned().collect()).collect(),
            total: Summary::new(&settings.queues),
            hours: vec![Summary::new(&settings.queues); 24],
            queues: settings.queues.iter().map(|q| (q.name.clone(), q.within)).collect(),
        }
    }

    pub fn is_answered(&self, citizen: usize) -> bool {
        self.calls[citizen].is_answered()
    }

    /// Writes the fact down; whose call it is, if it is one of the day's.
    pub fn call(&mut self, event: &CallEvent) -> Option<usize> {
        let citizen = match &event.what {
            CallFact::Arrived { sip_call_id, .. } => {
                let citizen = super::caller::Caller::number_of(sip_call_id.as_bytes())?;
                self.live.insert(event.call, citizen);
                citizen
            }
            CallFact::LegClosed { .. } | CallFact::Recorded(_) => return None,
            CallFact::Ended { .. } => self.live.remove(&event.call)?,
            _ => *self.live.get(&event.call)?,
        };
        self.total.observe(event);
        let row = &mut self.calls[citizen];
        self.hours[(row.at.as_secs() / 3_600).min(23) as usize].observe(event);
        match &event.what {
            CallFact::Queued { queue, why, .. } => {
                row.asked = event.at - self.midnight;
                row.queue = Some(queue.clone());
                row.why = why.as_str().to_owned();
            }
            CallFact::Moved { why, .. } => row.why = format!("{}+{}", row.why, why.as_str()),
            CallFact::Announced { estimate, .. } => {
                row.announced += 1;
                row.estimates.extend(estimate.map(|estimate| (event.at - self.midnight, estimate)));
            }
            CallFact::Offered { chosen, .. } => row.step = chosen.step,
            CallFact::Answered { agent, wait, .. } => {
                row.agent = Some(agent.clone());
                row.wait = *wait;
            }
            CallFact::Ended { cause, queue, wait, talk, .. } => {
                row.cause = Some(*cause);
                row.talk = *talk;
                if row.agent.is_none() {
                    row.wait = *wait;
                    row.step = 0;
                }
                // Turned away at the queue's door: asked all the same.
                if row.queue.is_none() {
                    row.queue.clone_from(queue);
                }
            }
            _ => {}
        }
        Some(citizen)
    }

    /// The carrier saw the end of the call.
    pub fn over(&mut self, citizen: usize, status: Option<u16>) {
        let row = &mut self.calls[citizen];
        if row.cause.is_none() && row.queue.is_none() {
            row.turned_away = status;
        }
    }

    pub fn agent(&mut self, event: &AgentEvent) {
        self.total.observe_agent(event);
        let Some(&post) = self.by_agent.get(&event.agent) else { return };
        let (state, since) = std::mem::replace(&mut self.now[post], (event.state, event.at));
        self.span(post, state, since, event.at);
    }

    pub fn finish(mut self, midnight: Instant) -> Day {
        for post in 0..self.now.len() {
            let (state, since) = self.now[post];
            self.span(post, state, since, midnight);
        }
        let within = self.queues.first().map_or(Duration::from_secs(15), |(_, within)| *within);
        let Recorder { calls, spans, posts, total, hours, queues, .. } = self;
        Day { calls, spans, posts, total, hours, within, queues }
    }

    fn span(&mut self, post: usize, state: AgentState, from: Instant, until: Instant) {
        let (from, until) = (from - self.midnight, (until - self.midnight).min(super::DAY));
        if state != AgentState::LoggedOut && until > from {
            self.spans.push(AgentSpan { post, state, from, until });
        }
    }
}
