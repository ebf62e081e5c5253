//! Whether the hops of trunks live: OPTIONS of ours, what comes of them and of calls, and what DNS says of their names.
//! Not here: what each sign means (`trunk::health`).

use super::Gateway;
use super::owner::Owner;
use super::timers::Alarm;
use crate::ids::TrunkName;
use crate::sip::body;
use crate::sip::dialog::{Dialog, contact};
use crate::sip::endpoint::ClientTx;
use crate::sip::message::{Message, Method, Name};
use crate::sip::session::SERVER;
use crate::time::Instant;
use crate::trunk::dial;
use crate::trunk::health::{Health, Sign, patience};
use crate::trunk::hops::Target;
use std::time::Duration;

/// Between the first questions to the hops at start.
const APART: Duration = Duration::from_millis(100);

impl Gateway {
    /// At start, and when an address is new: every hop that is to be asked is asked soon.
    pub(super) fn probe_all(&mut self, now: Instant) {
        let asked = self.trunks.iter().filter(|t| t.settings.probe.is_some());
        let nodes: Vec<u32> = asked.flat_map(|t| t.nodes()).map(|node| node.id).collect();
        for (n, node) in nodes.into_iter().enumerate() {
            if !self.timers.is_set(Alarm::Probe(node)) {
                self.timers.set(Alarm::Probe(node), Some(now + APART * n as u32));
            }
        }
    }

    /// Time to ask, or the answer has not come in time.
    pub(super) fn probe_due(&mut self, now: Instant, id: u32) {
        let Some(node) = self.trunks.node_mut(id) else { return };
        if node.asked.take().is_some() {
            return self.probed(now, id, Sign::Silent);
        }
        let Some((trunk, node)) = self.trunks.node(id) else { return };
        let (Some(rules), Some(hop)) = (trunk.probe.clone(), trunk.hops.get(node.hop)) else { return };
        let Some(flow) = self.flow_to(node) else {
            return self.timers.set(Alarm::Probe(id), Some(now + rules.every));
        };
        let uri = dial::hop_uri(hop, node);
        let user = trunk.call_out.as_ref().map_or(String::new(), |out| format!("{}@", out.from));
        let from = format!("<sip:{user}{}>", dial::bracketed(flow.local.ip()));
        let (call_id, branch) = (format!("{}@{}", self.tokens.token(), flow.local.ip()), self.tokens.branch());
        let mut outside = Dialog::uac(call_id, self.tokens.token(), from, format!("<{uri}>"), uri.into_bytes());
        let options = outside
            .request(Method::Options, &flow, &branch)
            .header(Name::Contact, contact(&flow).as_bytes())
            .header(Name::Accept, body::ACCEPT)
            .header(Name::UserAgent, SERVER)
            .finish();
        let tx = self.endpoint.request(now, flow, &branch, Owner::Probe(id).pack(), options);
        if let Some(node) = self.trunks.node_mut(id) {
            node.asked = Some((tx, now));
        }
        self.timers.set(Alarm::Probe(id), Some(now + patience(&rules)));
    }

    pub(super) fn probe_answered(&mut self, now: Instant, id: u32, tx: ClientTx, answer: &Message<'_>) {
        let Some(status) = answer.status().filter(|status| *status >= 200) else { return };
        let sign = sign(status, answer);
        let Some(node) = self.trunks.node_mut(id) else { return };
        match node.asked {
            Some((asked, at)) if asked == tx => {
                node.asked = None;
                node.round_trip = Some(now - at);
                self.probed(now, id, sign);
            }
            // To an earlier question: late, but alive.
            _ => self.hop_seen(now, id, sign),
        }
    }

    pub(super) fn probe_failed(&mut self, now: Instant, id: u32, tx: ClientTx) {
        let Some(node) = self.trunks.node_mut(id) else { return };
        if node.asked.is_some_and(|(asked, _)| asked == tx) {
            node.asked = None;
            self.probed(now, id, Sign::Silent);
        }
    }

    /// A question has been answered, or not; the next follows.
    fn probed(&mut self, now: Instant, id: u32, sign: Sign) {
        self.hop_seen(now, id, sign);
        let Some((trunk, node)) = self.trunks.node(id) else { return };
        let Some(rules) = &trunk.probe else { return };
        self.timers.set(Alarm::Probe(id), Some(now + node.health.pause(rules)));
    }

    /// A hop gave a sign of life, or of its lack. What changes is logged once.
    pub(super) fn hop_seen(&mut self, now: Instant, id: u32, sign: Sign) {
        let Some(changed) = self.trunks.sign(now, id, sign) else { return };
        let Some((settings, node)) = self.trunks.node(id) else { return };
        let (trunk, hop, before) = (&changed.trunk, node.address, changed.before.as_str());
        match changed.after {
            Health::Up => tracing::info!(%trunk, %hop, before, "hop is up"),
            Health::Resting { until } => {
                let for_s = (until - now).as_secs();
                tracing::warn!(%trunk, %hop, before, for_s, "hop gets no calls of ours for a while")
            }
            Health::Probing { .. } => tracing::info!(%trunk, %hop, before, "hop is in doubt: asked quickly"),
            Health::Down { .. } => tracing::warn!(%trunk, %hop, before, "hop is down: it answers nothing"),
        }
        let (transport, address) = (node.transport, node.address);
        // In doubt by a call: found out at once.
        if settings.probe.is_some() && node.asked.is_none() && matches!(changed.after, Health::Probing { .. }) {
            self.timers.set(Alarm::Probe(id), Some(now));
        }
        if let Health::Down { .. } = changed.after {
            self.leave_proxy(now, transport, address);
        }
        self.call_out_or_not(now);
    }

    /// What DNS says of a hop's name.
    pub(super) fn resolved(&mut self, now: Instant, trunk: &TrunkName, hop: usize, targets: Vec<Target>) {
        for stranger in self.trunks.resolved(trunk, hop, targets) {
            let address = stranger.address;
            tracing::warn!(%trunk, %address, "DNS names an address that is none of the trunk's peers: not used");
        }
        self.probe_all(now);
        self.call_out_or_not(now);
    }
}

/// What an answer says of the hop it came from: whatever it is, somebody lives there.
pub(super) fn sign(status: u16, answer: &Message<'_>) -> Sign {
    let retry_after = answer.header(Name::RetryAfter).filter(|_| status == 503).and_then(seconds);
    retry_after.map_or(Sign::Answered, |secs| Sign::Rest { for_: Duration::from_secs(secs) })
}

/// `18000;duration=3600`, `120 (I'm in a meeting)` (RFC 3261 s20.33).
fn seconds(value: &[u8]) -> Option<u64> {
    let digits = value.iter().take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(&value[..digits]).ok()?.parse().ok()
}
