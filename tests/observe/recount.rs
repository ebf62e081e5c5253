//! The figures once more, from the event log by plain counting; nothing of the gateway's own folds is used.

use rexian::event::{AgentState, CallFact, EndCause};
use rexian::ids::{AgentNo, CallId};
use rexian::store::journal::{Entry, read_day};
use rexian::time::Instant;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// All queues together; calls of one part only, without transfers.
#[derive(Debug, Default)]
pub struct Recount {
    pub offered: u64,
    pub answered: u64,
    pub within: u64,
    pub lost: BTreeMap<&'static str, u64>,
    pub wait: Duration,
    pub talk: Duration,
    pub hold: Duration,
    pub wrap_up: Duration,
    /// Signed-in time by state, of times that are over.
    pub states: BTreeMap<&'static str, Duration>,
    pub events: Vec<Entry>,
}

impl Recount {
    pub fn of(journal: &Path, within: Duration) -> Recount {
        let rows = read_day(journal, Instant::ZERO, Instant(u64::MAX >> 1)).expect("the event log");
        let mut count = Recount::default();
        let mut asked: BTreeMap<CallId, bool> = BTreeMap::new();
        let mut agents: BTreeMap<AgentNo, (AgentState, Instant)> = BTreeMap::new();
        for row in &rows {
            match &row.what {
                Entry::Call(event) => match &event.what {
                    CallFact::Queued { .. } => {
                        count.offered += 1;
                        asked.insert(event.call, false);
                    }
                    CallFact::Answered { wait, .. } => {
                        asked.insert(event.call, true);
                        count.answered += 1;
                        count.within += u64::from(*wait <= within);
                        count.wait += *wait;
                    }
                    CallFact::Ended { cause, talk, hold, .. } => {
                        count.talk += *talk;
                        count.hold += *hold;
                        if asked.get(&event.call) == Some(&false) {
                            *count.lost.entry(cause.as_str()).or_default() += 1;
                        }
                    }
                    _ => {}
                },
                Entry::Agent(event) => {
                    if let Some((state, since)) = agents.insert(event.agent.clone(), (event.state, event.at)) {
                        *count.states.entry(state.as_str()).or_default() += event.at - since;
                        if state == AgentState::WrapUp {
                            count.wrap_up += event.at - since;
                        }
                    }
                }
                Entry::Leader(_) | Entry::Started => {}
                Entry::Gap { .. } | Entry::Unknown(_) => panic!("the event log is not whole: {row:?}"),
            }
        }
        count.events = rows.into_iter().map(|row| row.what).collect();
        count
    }

    pub fn lost(&self, causes: &[EndCause]) -> u64 {
        causes.iter().filter_map(|cause| self.lost.get(cause.as_str())).sum()
    }
}
