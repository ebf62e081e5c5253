//! Everything that only looks on: logs, metrics, the event log, live views. Its own thread, fed through a bounded queue,
//! so that a slow terminal, log pipe or disk never holds up a call.

use super::figures::{Figures, TrunkFigures};
use crate::api::metrics::Metrics;
use crate::event::{AgentEvent, AgentState, CallEvent, CallbackChange, LeaderEvent};
use crate::ids::Skill;
use crate::logging;
use crate::store::journal::Journal;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

const DEPTH: usize = 65_536;
const GATHER: Duration = Duration::from_millis(20);

#[derive(Clone, Debug)]
pub enum Observed {
    Call(CallEvent),
    Agent(AgentEvent),
    Leader(LeaderEvent),
    Callback(CallbackChange),
    Figures(Box<Figures>),
}

/// The sending side.
#[derive(Clone, Debug)]
pub struct Observer {
    queue: SyncSender<Observed>,
    missed: Arc<AtomicU64>,
}

/// What the gateway last told about itself, and when.
#[derive(Clone, Debug)]
pub struct Alive {
    pub told: std::time::Instant,
    pub calls: usize,
    pub draining: bool,
    pub trunks: Vec<TrunkFigures>,
    /// Agents who have the skill now, at whatever level.
    pub skills: BTreeMap<Skill, BTreeMap<AgentState, usize>>,
}

impl Alive {
    fn new(calls: usize, draining: bool) -> Alive {
        Alive { told: std::time::Instant::now(), calls, draining, trunks: vec![], skills: BTreeMap::new() }
    }
}

pub type Latest = watch::Receiver<Alive>;

/// Starts the observing thread. `journal` ends with it; `subscriber` gets a copy of everything, if it keeps up.
pub fn start(
    mut metrics: Metrics,
    journal: Option<Journal>,
    subscriber: Option<SyncSender<Observed>>,
) -> std::io::Result<(Observer, JoinHandle<()>, Latest)> {
    let (alive, latest) = watch::channel(Alive::new(0, false));
    let (queue, observed) = sync_channel(DEPTH);
    let missed = Arc::new(AtomicU64::new(0));
    let observer = Observer { queue, missed: missed.clone() };
    let run = move || observe(observed, &mut metrics, journal, subscriber, &missed, &alive);
    Ok((observer, std::thread::Builder::new().name("observer".into()).spawn(run)?, latest))
}

impl Observer {
    /// Never waits. What does not fit is counted.
    pub fn tell(&self, observed: Observed) {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(observed) {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn observe(
    observed: Receiver<Observed>,
    metrics: &mut Metrics,
    mut journal: Option<Journal>,
    mut subscriber: Option<SyncSender<Observed>>,
    missed: &AtomicU64,
    alive: &watch::Sender<Alive>,
) {
    let (mut known_missed, mut now) = (0, Instant::ZERO);
    // Ends when the signalling loop drops its sender.
    while let Ok(first) = observed.recv() {
        for what in std::iter::once(first).chain(observed.try_iter()) {
            match &what {
                Observed::Call(event) => {
                    now = event.at;
                    logging::call_event(event);
                    metrics.call_event(event);
                    journal.iter_mut().for_each(|j| j.call(event));
                }
                Observed::Agent(event) => {
                    now = event.at;
                    logging::agent_event(event);
                    metrics.agent_event(event);
                    journal.iter_mut().for_each(|j| j.agent(event));
                }
                Observed::Leader(event) => {
                    now = event.at;
                    logging::leader_event(event);
                    journal.iter_mut().for_each(|j| j.leader(event));
                }
                Observed::Callback(change) => metrics.callback(change),
                Observed::Figures(figures) => {
                    metrics.figures(figures, missed.load(Ordering::Relaxed));
                    let (trunks, skills) = (figures.trunks.clone(), figures.skills.clone());
                    alive.send_replace(Alive { trunks, skills, ..Alive::new(figures.calls, figures.draining) });
                }
            }
            if let Some(to) = &subscriber
                && let Err(TrySendError::Disconnected(_)) = to.try_send(what)
            {
                subscriber = None;
            }
        }
        let missed = missed.load(Ordering::Relaxed);
        if missed > known_missed {
            journal.iter_mut().for_each(|j| j.missed(now, missed - known_missed));
            known_missed = missed;
        }
        // Under load events come in handfuls: a thread that is asleep need not be woken for each.
        std::thread::sleep(GATHER);
    }
}
