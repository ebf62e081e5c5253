//! What the gateway tells about itself once a second, beside its events.

use crate::event::{AgentState, CallbackKind};
use crate::gateway::{Gateway, Refusals};
use crate::guard::Watch;
use crate::ids::{QueueName, Skill, TrunkName};
use crate::sip::endpoint::EndpointCounters;
use crate::sip::flow::Transport;
use crate::time::Instant;
use crate::trunk::{Trunk, TurnedAway};
use std::collections::BTreeMap;
use std::time::Duration;

/// What carries SIP connections, as metrics say it.
pub const CONNECTIONS: [(Transport, &str); 4] =
    [(Transport::Tcp, "tcp"), (Transport::Tls, "tls"), (Transport::Ws, "ws"), (Transport::Wss, "wss")];

/// Read off the gateway once a second.
#[derive(Clone, Debug)]
pub struct Figures {
    pub at: Instant,
    pub calls: usize,
    /// SIP dialogs alive, those waiting for the answer to their BYE included.
    pub legs: usize,
    pub waiting: usize,
    pub longest_wait: Duration,
    /// Callers of each queue whom somebody idle could serve; all zero, or the distributor is at fault.
    pub stranded: Vec<(QueueName, usize)>,
    /// Agents who have the skill, at whatever level.
    pub skills: BTreeMap<Skill, BTreeMap<AgentState, usize>>,
    /// Seats with a phone registered.
    pub seats_registered: usize,
    pub sip: EndpointCounters,
    /// SIP connections, in the order of [`CONNECTIONS`].
    pub connections: [usize; 4],
    pub refusals: Refusals,
    pub guard: Watch,
    pub trunks: Vec<TrunkFigures>,
    /// Each account of a trunk, and how its registration stands.
    pub accounts: Vec<(TrunkName, &'static str)>,
    pub ports_in_use: usize,
    pub callbacks_pending: [(CallbackKind, usize); 2],
    pub draining: bool,
}

/// How one trunk stands.
#[derive(Clone, Debug)]
pub struct TrunkFigures {
    pub name: TrunkName,
    pub channels: u32,
    /// Most channels.
    pub limit: u32,
    /// None of its hops lives.
    pub down: bool,
    /// The state of each.
    pub hops: Vec<&'static str>,
    /// Of the slowest.
    pub round_trip: Duration,
    pub turned_away: TurnedAway,
}

impl TrunkFigures {
    fn of(trunk: &Trunk) -> TrunkFigures {
        TrunkFigures {
            name: trunk.settings.name.clone(),
            channels: trunk.active(),
            limit: trunk.settings.max_calls,
            down: trunk.is_down(),
            hops: trunk.nodes().map(|node| node.health.as_str()).collect(),
            round_trip: trunk.nodes().filter_map(|node| node.round_trip).max().unwrap_or_default(),
            turned_away: trunk.turned_away(),
        }
    }
}

impl Figures {
    /// No carrier has us any more, as far as we could tell them.
    pub fn unregistered(&self) -> bool {
        self.accounts.iter().all(|(_, status)| !matches!(*status, "registered" | "leaving"))
    }

    pub fn of(now: Instant, gateway: &Gateway, connections: [usize; 4]) -> Figures {
        Figures {
            at: now,
            calls: gateway.calls(),
            legs: gateway.leftovers().legs,
            waiting: gateway.acd().waiting(),
            longest_wait: gateway.acd().longest_wait(now),
            stranded: gateway.acd().stranded(now).into_iter().map(|(queue, calls)| (queue.clone(), calls)).collect(),
            skills: skills(gateway),
            seats_registered: gateway.seats_registered(),
            sip: gateway.endpoint_counters(),
            connections,
            refusals: gateway.refusals(),
            guard: gateway.watch(now),
            trunks: gateway.trunks().iter().map(TrunkFigures::of).collect(),
            accounts: gateway.registrations().iter().map(|r| (r.trunk.clone(), r.status(now).as_str())).collect(),
            ports_in_use: gateway.leftovers().ports_in_use,
            callbacks_pending: [CallbackKind::Promised, CallbackKind::Missed]
                .map(|kind| (kind, gateway.callbacks().filter(|p| p.entry.kind == kind).count())),
            draining: gateway.is_draining(),
        }
    }
}

/// Skills change while people work, so they are counted as they are now.
fn skills(gateway: &Gateway) -> BTreeMap<Skill, BTreeMap<AgentState, usize>> {
    let mut skills: BTreeMap<Skill, BTreeMap<AgentState, usize>> = BTreeMap::new();
    for agent in gateway.acd().agents() {
        for skill in agent.skills.keys() {
            *skills.entry(skill.clone()).or_default().entry(agent.state).or_default() += 1;
        }
    }
    skills
}
