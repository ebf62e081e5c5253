//! Everything that only looks on: logs, metrics, live views. Its own thread, fed through a bounded queue, so that a
//! slow terminal or log pipe never holds up a call.

use super::figures::Figures;
use crate::api::metrics::Metrics;
use crate::event::{AgentEvent, CallEvent};
use crate::logging;
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
    Figures(Box<Figures>),
}

/// The sending side.
#[derive(Clone, Debug)]
pub struct Observer {
    queue: SyncSender<Observed>,
    missed: Arc<AtomicU64>,
}

/// What the gateway last told about itself, and when.
#[derive(Clone, Copy, Debug)]
pub struct Alive {
    pub told: std::time::Instant,
    pub calls: usize,
    pub draining: bool,
}

pub type Latest = watch::Receiver<Alive>;

/// Starts the observing thread. `subscriber` gets a copy of everything, if it keeps up.
pub fn start(
    mut metrics: Metrics,
    subscriber: Option<SyncSender<Observed>>,
) -> std::io::Result<(Observer, JoinHandle<()>, Latest)> {
    let (alive, latest) = watch::channel(Alive { told: std::time::Instant::now(), calls: 0, draining: false });
    let (queue, observed) = sync_channel(DEPTH);
    let missed = Arc::new(AtomicU64::new(0));
    let observer = Observer { queue, missed: missed.clone() };
    let run = move || observe(observed, &mut metrics, subscriber, &missed, &alive);
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
    mut subscriber: Option<SyncSender<Observed>>,
    missed: &AtomicU64,
    alive: &watch::Sender<Alive>,
) {
    // Ends when the signalling loop drops its sender.
    while let Ok(first) = observed.recv() {
        for what in std::iter::once(first).chain(observed.try_iter()) {
            match &what {
                Observed::Call(event) => {
                    logging::call_event(event);
                    metrics.call_event(event);
                }
                Observed::Agent(event) => {
                    logging::agent_event(event);
                    metrics.agent_event(event);
                }
                Observed::Figures(figures) => {
                    metrics.figures(figures, missed.load(Ordering::Relaxed));
                    let (calls, draining) = (figures.calls, figures.draining);
                    alive.send_replace(Alive { told: std::time::Instant::now(), calls, draining });
                }
            }
            if let Some(to) = &subscriber
                && let Err(TrySendError::Disconnected(_)) = to.try_send(what)
            {
                subscriber = None;
            }
        }
        // Under load events come in handfuls: a thread that is asleep need not be woken for each.
        std::thread::sleep(GATHER);
    }
}
