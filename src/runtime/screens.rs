//! Live screens: who watches which agent, and which of them have something new. Lives in the signalling loop, which is the
//! only one that can read the gateway; telling a screen never waits.

use crate::event::CallEvent;
use crate::gateway::Gateway;
use crate::ids::AgentNo;
use crate::screen::AgentScreen;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::watch;

/// Takes the place of what was there before: a slow page sees the newest.
pub type Screen = watch::Sender<Option<Arc<AgentScreen>>>;

/// Windows on one agent's screen; the oldest gives way.
const PER_AGENT: usize = 8;

#[derive(Default)]
pub struct Screens {
    watched: BTreeMap<AgentNo, Vec<Screen>>,
    stale: BTreeSet<AgentNo>,
}

impl Screens {
    pub fn watch(&mut self, agent: AgentNo, screen: Screen) {
        let screens = self.watched.entry(agent.clone()).or_default();
        screens.retain(|screen| !screen.is_closed());
        if screens.len() >= PER_AGENT {
            screens.remove(0);
        }
        screens.push(screen);
        self.stale.insert(agent);
    }

    pub fn agent(&mut self, agent: &AgentNo) {
        if self.watched.contains_key(agent) {
            self.stale.insert(agent.clone());
        }
    }

    pub fn call(&mut self, gateway: &Gateway, event: &CallEvent) {
        if !self.watched.is_empty()
            && let Some(agent) = gateway.shown_to(event.call)
        {
            self.agent(agent);
        }
    }

    /// The lines move all the time: they are looked at by the second, not at each call.
    pub fn second(&mut self) {
        self.watched.retain(|_, screens| {
            screens.retain(|screen| !screen.is_closed());
            !screens.is_empty()
        });
        self.stale.extend(self.watched.keys().cloned());
    }

    /// Tells what has changed.
    pub fn publish(&mut self, gateway: &Gateway) {
        for agent in std::mem::take(&mut self.stale) {
            let Some(fresh) = gateway.agent_screen(&agent) else {
                // Off the roster: the pages learn it by the end of their channel.
                self.watched.remove(&agent);
                continue;
            };
            let fresh = Arc::new(fresh);
            for screen in self.watched.get(&agent).into_iter().flatten() {
                screen.send_if_modified(|shown| {
                    let changed = shown.as_ref() != Some(&fresh);
                    if changed {
                        *shown = Some(fresh.clone());
                    }
                    changed
                });
            }
        }
    }
}
