//! Live screens: who watches which agent, and which of them have something new. Lives in the signalling loop, which is the
//! only one that can read the gateway; telling a screen never waits.

use crate::event::{CallEvent, CallFact};
use crate::gateway::Gateway;
use crate::ids::AgentNo;
use crate::screen::{AgentScreen, Floor};
use crate::time::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Takes the place of what was there before: a slow page sees the newest.
pub type Screen = watch::Sender<Option<Arc<AgentScreen>>>;

/// The same of the shift leaders' console.
pub type FloorScreen = watch::Sender<Option<Arc<Floor>>>;

/// The floor moves all the time: it is drawn so often.
const FLOOR_EVERY: Duration = Duration::from_millis(500);

/// Leaders who watch it at once; the oldest window gives way.
const FLOORS: usize = 16;

/// Windows on one agent's screen; the oldest gives way.
const PER_AGENT: usize = 8;

#[derive(Default)]
pub struct Screens {
    watched: BTreeMap<AgentNo, Vec<Screen>>,
    stale: BTreeSet<AgentNo>,
    floors: Vec<(AgentNo, FloorScreen)>,
    floor_stale: bool,
    floor_drawn: Instant,
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

    /// Whoever passes it in has checked that it is a leader's.
    pub fn watch_floor(&mut self, leader: AgentNo, floor: FloorScreen) {
        self.floors.retain(|(_, floor)| !floor.is_closed());
        if self.floors.len() >= FLOORS {
            self.floors.remove(0);
        }
        self.floors.push((leader, floor));
        (self.floor_stale, self.floor_drawn) = (true, Instant::ZERO);
    }

    pub fn agent(&mut self, agent: &AgentNo) {
        self.floor_stale = true;
        if self.watched.contains_key(agent) {
            self.stale.insert(agent.clone());
        }
    }

    pub fn call(&mut self, gateway: &Gateway, event: &CallEvent) {
        self.floor_stale = true;
        // The leader's own screen says on whose call they are.
        if let CallFact::Supervised { by, .. } = &event.what {
            self.agent(by);
        }
        if !self.watched.is_empty()
            && let Some(agent) = gateway.shown_to(event.call)
        {
            self.agent(agent);
        }
    }

    /// The lines move all the time: they are looked at by the second, not at each call.
    pub fn second(&mut self) {
        self.floors.retain(|(_, floor)| !floor.is_closed());
        self.floor_stale = true;
        self.watched.retain(|_, screens| {
            screens.retain(|screen| !screen.is_closed());
            !screens.is_empty()
        });
        self.stale.extend(self.watched.keys().cloned());
    }

    /// Tells what has changed.
    pub fn publish(&mut self, now: Instant, gateway: &Gateway) {
        self.publish_floor(now, gateway);
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

    fn publish_floor(&mut self, now: Instant, gateway: &Gateway) {
        if self.floors.is_empty() || !self.floor_stale || now < self.floor_drawn + FLOOR_EVERY {
            return;
        }
        (self.floor_stale, self.floor_drawn) = (false, now);
        // Off the roster, or a leader no more: the page learns it by the end of its channel.
        self.floors.retain(|(agent, _)| gateway.acd().agent(agent).is_some_and(|view| view.leader));
        let floor = Arc::new(gateway.floor());
        for (_, shown) in &self.floors {
            shown.send_replace(Some(floor.clone()));
        }
    }
}
