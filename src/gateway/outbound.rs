//! Calls of ours: the leg to a citizen, by the trunk for callbacks. Not here: when one is placed (`call::callback`), how
//! a number is written (`trunk::dial`).

use super::Gateway;
use super::accounts::Line;
use super::legs::{Leg, Role};
use crate::call::CallInput;
use crate::config::settings::{CallOut, OwnIdentity};
use crate::ids::{CallId, LegId, TrunkName};
use crate::leg::LegEnd;
use crate::sip::flow::{Flow, Listener, Transport};
use crate::sip::session::{Context, Session, Target};
use crate::time::Instant;
use crate::trunk::dial;
use std::net::SocketAddr;

/// The trunk for calls of ours, and our address on it.
pub(super) struct WayOut {
    pub trunk: TrunkName,
    out: CallOut,
    flow: Flow,
    /// We call as this subscriber of the carrier's.
    line: Option<Line>,
}

impl Gateway {
    /// `None`: the configuration names no trunk to call out by, or we have no address of its family.
    pub(super) fn way_out(&self, now: Instant) -> Option<WayOut> {
        self.way_by(now, self.settings.callbacks.trunk.as_ref()?)
    }

    fn way_by(&self, now: Instant, trunk: &TrunkName) -> Option<WayOut> {
        let trunk = self.trunks.get(trunk)?;
        let out = trunk.call_out.clone()?;
        let line = match trunk.accounts.is_empty() {
            true => None,
            // Only by the proxy that has us.
            false => Some(self.registered_line(now, trunk, &out.from)?),
        };
        let flow = line.as_ref().map_or_else(|| self.flow_to(Transport::Udp, out.address), |line| Some(line.flow))?;
        Some(WayOut { trunk: trunk.name.clone(), out, flow, line })
    }

    /// The path of a request of ours to `remote`: by the first listener of its transport and address family.
    pub(super) fn flow_to(&self, transport: Transport, remote: SocketAddr) -> Option<Flow> {
        let fits = |l: &&Listener| l.transport == transport && l.address.is_ipv4() == remote.is_ipv4();
        let local = self.listening.iter().find(fits)?.address;
        Some(Flow { transport, local, remote, connection: 0 })
    }

    /// Rings the citizen's phone. `number`: E.164.
    pub(super) fn dial(&mut self, now: Instant, call: CallId, leg: LegId, number: &str) {
        // Counted only if there was a way; on its way to the disk before the message is on its way to the carrier.
        let trunk = self.settings.callbacks.trunk.clone();
        if trunk.is_some_and(|trunk| self.dial_out(now, call, leg, number, &trunk, Role::Caller { call })) {
            self.callbacks.calling(now, call);
            self.callback_news(now);
        } else {
            self.call_input(now, call, CallInput::CallerEnded(LegEnd::Unreachable));
        }
    }

    /// Calls `number` by this trunk; false if it cannot be.
    pub(super) fn dial_out(
        &mut self,
        now: Instant,
        call: CallId,
        leg: LegId,
        number: &str,
        trunk: &TrunkName,
        role: Role,
    ) -> bool {
        let Some(WayOut { trunk, out, flow, line }) = self.way_by(now, trunk) else { return false };
        let Some(known) = self.trunks.get(&trunk) else { return false };
        let (profile, peers, srtp) = (known.profile.clone(), known.peers.clone(), known.srtp);
        let (codecs, dtmf) = (profile.codecs, profile.dtmf_payload_type);
        let Some(local) = self.open_media(flow, leg, codecs, dtmf, srtp) else { return false };
        self.figures_due.insert(leg, call);
        let tag = self.tag(leg);
        let (area_code, uri) = (&self.settings.area_code, profile.number_uri);
        let (addresses, subscriber) = match line {
            Some(Line { identity, domain, subscriber, .. }) => {
                (dial::subscriber_addresses(number, &out, uri, area_code, &identity, &domain), Some(subscriber))
            }
            None => (dial::addresses(number, &out, uri, area_code, flow.local.ip()), None),
        };
        let identity = match profile.own_identity {
            OwnIdentity::FromAlone => None,
            // RFC 3325 s9.2: a subscriber prefers, the carrier asserts.
            OwnIdentity::Asserted if subscriber.is_none() => Some("P-Asserted-Identity"),
            OwnIdentity::Asserted | OwnIdentity::Preferred => Some("P-Preferred-Identity"),
        };
        let headers: Vec<_> = identity.map(|name| (name, addresses.from.clone())).into_iter().collect();
        let target = Target {
            flow,
            request_uri: addresses.request_uri.as_bytes(),
            from: addresses.from,
            to: addresses.to,
            headers: &headers,
            subscriber,
        };
        let mut events = Vec::new();
        let mut cx = Context { now, endpoint: &mut self.endpoint, tokens: &mut self.tokens, events: &mut events };
        let mut session = Session::place(&mut cx, leg.0, tag, target, local);
        session.follow_route(&peers, &self.listening);
        let sip_call_id = String::from_utf8_lossy(&session.dialog().call_id).into_owned();
        self.legs.insert(leg, Leg { role, session, invite: None });
        if let Some(attempt) = self.attempts.get_mut(&call) {
            attempt.placed(leg, sip_call_id);
        }
        true
    }
}
