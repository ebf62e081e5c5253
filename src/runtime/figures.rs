//! What the gateway tells about itself once a second, beside its events.

use crate::event::CallbackKind;
use crate::gateway::{Gateway, Refusals};
use crate::guard::Watch;
use crate::ids::TrunkName;
use crate::sip::endpoint::EndpointCounters;
use crate::time::Instant;
use std::time::Duration;

/// Read off the gateway once a second.
#[derive(Clone, Debug)]
pub struct Figures {
    pub at: Instant,
    pub calls: usize,
    /// SIP dialogs alive, those waiting for the answer to their BYE included.
    pub legs: usize,
    pub waiting: usize,
    pub longest_wait: Duration,
    pub sip: EndpointCounters,
    pub refusals: Refusals,
    pub guard: Watch,
    pub trunks: Vec<(TrunkName, u32)>,
    /// Each account of a trunk, and how its registration stands.
    pub accounts: Vec<(TrunkName, &'static str)>,
    pub ports_in_use: usize,
    pub callbacks_pending: [(CallbackKind, usize); 2],
    pub draining: bool,
}

impl Figures {
    /// No carrier has us any more, as far as we could tell them.
    pub fn unregistered(&self) -> bool {
        self.accounts.iter().all(|(_, status)| !matches!(*status, "registered" | "leaving"))
    }

    pub fn of(now: Instant, gateway: &Gateway) -> Figures {
        Figures {
            at: now,
            calls: gateway.calls(),
            legs: gateway.leftovers().legs,
            waiting: gateway.acd().waiting(),
            longest_wait: gateway.acd().longest_wait(now),
            sip: gateway.endpoint_counters(),
            refusals: gateway.refusals(),
            guard: gateway.watch(now),
            trunks: gateway.trunks().active().map(|(n, c)| (n.clone(), c)).collect(),
            accounts: gateway.registrations().iter().map(|r| (r.trunk.clone(), r.status(now).as_str())).collect(),
            ports_in_use: gateway.leftovers().ports_in_use,
            callbacks_pending: [CallbackKind::Promised, CallbackKind::Missed]
                .map(|kind| (kind, gateway.callbacks().filter(|p| p.entry.kind == kind).count())),
            draining: gateway.is_draining(),
        }
    }
}
