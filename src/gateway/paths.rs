//! By which connection of theirs each leg's requests go, and what other way there is once it is gone: a trunk's next
//! hop, a phone's connection of today (RFC 3261 s12.2.1.1, s18.4). Not here: opening connections (`net`).
//!
//! Security: a new connection leads only to the trunk that the call came by, whatever its messages name, and what was
//! encrypted stays so.

use super::Gateway;
use super::devices::Device;
use super::legs::Leg;
use crate::config::settings::Host;
use crate::ids::LegId;
use crate::sip::dialog::Dialog;
use crate::sip::flow::Flow;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// Legs on connections that the far end opened. One of ours needs no keeping: it is opened again by sending on it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Paths {
    of: BTreeMap<LegId, Flow>,
    by: BTreeSet<(Flow, LegId)>,
    lost: BTreeSet<LegId>,
}

impl Paths {
    /// What the leg sends goes by `flow` from now on.
    pub fn keep(&mut self, leg: LegId, flow: Flow) {
        if self.of.get(&leg) == Some(&flow) {
            return;
        }
        self.forget(leg);
        if flow.transport.is_stream() && !flow.is_ours() {
            self.of.insert(leg, flow);
            self.by.insert((flow, leg));
        }
    }

    pub fn forget(&mut self, leg: LegId) {
        self.lost.remove(&leg);
        if let Some(flow) = self.of.remove(&leg) {
            self.by.remove(&(flow, leg));
        }
    }

    /// The connection is gone. Another is looked for when there is something to send: a phone may be back by then.
    pub fn lose(&mut self, flow: Flow) {
        let all = (flow, LegId(0))..=(flow, LegId(u64::MAX));
        self.lost.extend(self.by.range(all).map(|(_, leg)| *leg));
    }
}

impl Gateway {
    /// True if the leg's connection was lost and another way has been found just now.
    pub(super) fn find_path(&mut self, leg: LegId) -> bool {
        if !self.paths.lost.contains(&leg) {
            return false;
        }
        let Some((known, session)) = self.legs.get(&leg).and_then(|leg| Some((leg, leg.session()?))) else {
            return false;
        };
        let old = session.flow();
        let found = match known.role.seat() {
            None => self.path_to_trunk(old, session.dialog()),
            Some(seat) => self.registrar.lookup(seat).map(|b| b.flow),
        };
        let Some(path) = found.filter(|path| *path != old) else { return false };
        if let Some(Device::Sip { session, invite }) = self.legs.get_mut(&leg).map(|leg| &mut leg.device) {
            session.move_to(path);
            if let Some(invite) = *invite {
                self.endpoint.reroute(invite, path);
            }
        }
        self.paths.keep(leg, path);
        true
    }

    /// A request of the leg's far end came by a connection from another address: its own if its seat is registered
    /// there, or its trunk has the address too. Anybody else's moves nothing.
    pub(super) fn follow(&mut self, leg: LegId, flow: Flow) {
        let Some((known, session)) = self.legs.get(&leg).and_then(|leg| Some((leg, leg.session()?))) else { return };
        let (old, ip) = (session.flow(), flow.remote.ip());
        if !flow.transport.is_stream() || flow.transport != old.transport || ip == old.remote.ip() {
            return;
        }
        let trunk = |ip| self.trunks.peer(ip).map(|t| &t.name);
        let its_own = match known.role.seat() {
            Some(seat) => self.registrar.bindings(seat).iter().any(|b| b.flow.remote.ip() == ip),
            None => trunk(ip).is_some_and(|name| trunk(old.remote.ip()) == Some(name)),
        };
        if its_own && let Some(session) = self.legs.get_mut(&leg).and_then(Leg::session_mut) {
            session.move_to(flow);
        }
    }

    /// Where the dialog's route leads, if that is this trunk; else the hop of the lost connection's address; else the
    /// usual port there.
    fn path_to_trunk(&self, old: Flow, dialog: &Dialog) -> Option<Flow> {
        let trunk = self.trunks.peer(old.remote.ip())?;
        let is_theirs = |at: &SocketAddr| self.trunks.peer(at.ip()).is_some_and(|t| t.name == trunk.name);
        let ip = old.remote.ip();
        let hop = trunk.hops.iter().find(|h| h.transport == old.transport && h.host == Host::Address(ip));
        let port = hop.and_then(|h| h.port).unwrap_or(old.transport.default_port());
        let routed = dialog.next_hop().filter(|(transport, at)| *transport == old.transport && is_theirs(at));
        let remote = routed.map_or(SocketAddr::new(ip, port), |(_, at)| at);
        Some(Flow { remote, connection: self.trunks.connection_to(old.transport, remote), ..old })
    }
}
