//! Carriers. Belongs here: which peer a request comes from, admission, and what a carrier's INVITE says (numbers,
//! caller, charging id), and our registrations (`account`). Not here: SIP dialogs (`sip::session`), what becomes of the
//! call (`call`).

pub mod account;
pub mod admission;
pub mod called;
pub mod caller;
pub mod dial;
pub mod health;
pub mod hops;
pub mod number;
pub mod rules;

use crate::config::settings::{Transport, TrunkSettings};
use crate::ids::{LegId, TrunkName};
use crate::leg::Incoming;
use crate::sip::message::{Message, Name};
use crate::time::Instant;
use admission::{Admission, Refused};
use health::{Health, Sign, Standing};
use hops::{Hops, Node, Target};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trunks {
    trunks: Vec<Trunk>,
    /// Which trunk's channel a leg holds.
    channels: BTreeMap<LegId, TrunkName>,
    next_node: u32,
}

/// One trunk: what was agreed with the carrier, and how it stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trunk {
    pub settings: TrunkSettings,
    admission: Admission,
    hops: Hops,
    turned_away: TurnedAway,
}

/// Calls a trunk's own terms refused, since start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnedAway {
    /// All channels in use.
    pub full: u64,
    /// Too many within ten seconds.
    pub rate: u64,
    /// The caller's number.
    pub denied: u64,
}

/// A hop that is in another state than it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    pub trunk: TrunkName,
    pub node: u32,
    pub before: Health,
    pub after: Health,
}

impl Trunks {
    pub fn new(settings: Vec<TrunkSettings>) -> Trunks {
        let mut next_node = 0;
        let trunk = |settings: TrunkSettings| Trunk {
            admission: Admission::new(settings.max_calls, settings.calls_per_10s),
            hops: Hops::new(&settings.hops, &mut next_node),
            turned_away: TurnedAway::default(),
            settings,
        };
        let trunks = settings.into_iter().map(trunk).collect();
        Trunks { trunks, channels: BTreeMap::new(), next_node }
    }

    /// The trunk whose peer list holds this address; the first one configured, if several do.
    pub fn peer(&self, ip: IpAddr) -> Option<&TrunkSettings> {
        self.trunks.iter().map(|t| &t.settings).find(|t| t.peers.iter().any(|p| p.contains(ip)))
    }

    pub fn get(&self, name: &TrunkName) -> Option<&TrunkSettings> {
        self.iter().map(|t| &t.settings).find(|t| t.name == *name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Trunk> {
        self.trunks.iter()
    }

    /// May this leg have a channel? If so it holds it until `release`; one it held elsewhere is given back.
    pub fn admit(&mut self, now: Instant, name: &TrunkName, leg: LegId) -> Result<(), Refused> {
        let trunk = self.named(name).ok_or(Refused::Full)?;
        if let Err(refused) = trunk.admission.admit(now) {
            let count = match refused {
                Refused::Full => &mut trunk.turned_away.full,
                Refused::Rate { .. } => &mut trunk.turned_away.rate,
            };
            *count += 1;
            return Err(refused);
        }
        self.hold(name, leg);
        Ok(())
    }

    /// The same for a call that nothing may stop.
    pub fn admit_anyway(&mut self, now: Instant, name: &TrunkName, leg: LegId) {
        if let Some(trunk) = self.named(name) {
            trunk.admission.admit_anyway(now);
            self.hold(name, leg);
        }
    }

    fn hold(&mut self, name: &TrunkName, leg: LegId) {
        self.release(leg);
        self.channels.insert(leg, name.clone());
    }

    /// The leg is over: its channel, if it has one, is free. Later calls do nothing.
    pub fn release(&mut self, leg: LegId) {
        if let Some(name) = self.channels.remove(&leg)
            && let Some(trunk) = self.named(&name)
        {
            trunk.admission.release();
        }
    }

    /// The trunk on which this leg holds a channel.
    pub fn of_leg(&self, leg: LegId) -> Option<&TrunkName> {
        self.channels.get(&leg)
    }

    pub fn denied(&mut self, name: &TrunkName) {
        if let Some(trunk) = self.named(name) {
            trunk.turned_away.denied += 1;
        }
    }

    /// Channels in use.
    pub fn active(&self) -> impl Iterator<Item = (&TrunkName, u32)> {
        self.iter().map(|t| (&t.settings.name, t.admission.active()))
    }

    /// Where a call by this trunk goes that has been to those in `tried`: see [`Hops::choose`].
    pub fn choose(
        &mut self,
        now: Instant,
        name: &TrunkName,
        worst: Standing,
        tried: &[u32],
        reachable: impl Fn(&Node) -> bool,
    ) -> Option<&Node> {
        self.named(name)?.hops.choose(now, worst, tried, reachable)
    }

    /// Would [`Trunks::choose`] find one?
    pub fn has_way(
        &self,
        now: Instant,
        name: &TrunkName,
        worst: Standing,
        tried: &[u32],
        reachable: impl Fn(&Node) -> bool,
    ) -> bool {
        let open = |node: &Node| Hops::is_open(node, now, worst, tried) && reachable(node);
        self.iter().find(|t| t.settings.name == *name).is_some_and(|t| t.nodes().any(open))
    }

    pub fn node(&self, id: u32) -> Option<(&TrunkSettings, &Node)> {
        self.iter().find_map(|t| Some((&t.settings, t.hops.get(id)?)))
    }

    /// The hop at this address.
    pub fn at(&self, transport: Transport, address: SocketAddr) -> Option<u32> {
        self.iter().find_map(|t| t.hops.find(transport, address)).map(|node| node.id)
    }

    /// Which connection of ours leads there: see [`Flow`].
    pub fn connection_to(&self, transport: Transport, address: SocketAddr) -> u64 {
        self.iter().find_map(|t| t.hops.find(transport, address)).map_or(0, |node| node.connection)
    }

    /// The connections of ours to a trunk's hops that must prove a name.
    pub fn named_hops(&self, name: &TrunkName) -> Vec<(SocketAddr, u64)> {
        let trunk = self.iter().find(|t| t.settings.name == *name);
        let nodes = trunk.into_iter().flat_map(|t| t.nodes()).filter(|node| node.connection != 0);
        nodes.map(|node| (node.address, node.connection)).collect()
    }

    pub fn node_mut(&mut self, id: u32) -> Option<&mut Node> {
        self.trunks.iter_mut().find_map(|t| t.hops.get_mut(id))
    }

    /// Something was seen of a hop.
    pub fn sign(&mut self, now: Instant, id: u32, sign: Sign) -> Option<Changed> {
        self.trunks.iter_mut().find_map(|t| {
            let (before, node) = t.hops.sign(now, id, t.settings.probe.as_ref(), sign)?;
            Some(Changed { trunk: t.settings.name.clone(), node: id, before, after: node.health })
        })
    }

    /// What DNS says of the name that a hop of the configuration has. Addresses that are none of the trunk's peers are
    /// given back, not used: DNS is not to open the door to strangers.
    pub fn resolved(&mut self, name: &TrunkName, hop: usize, targets: Vec<Target>) -> Vec<Target> {
        let mut next = self.next_node;
        let strangers = match self.trunks.iter().position(|t| t.settings.name == *name) {
            Some(at) => {
                let ours = |target: &Target| self.peer(target.address.ip()).is_some_and(|t| t.name == *name);
                let (usable, strangers): (Vec<_>, Vec<_>) = targets.into_iter().partition(ours);
                let trunk = &mut self.trunks[at];
                if let Some(settings) = trunk.settings.hops.get(hop).filter(|_| !usable.is_empty()) {
                    trunk.hops.set(hop, settings, &usable, &mut next);
                }
                strangers
            }
            None => vec![],
        };
        self.next_node = next;
        strangers
    }

    fn named(&mut self, name: &TrunkName) -> Option<&mut Trunk> {
        self.trunks.iter_mut().find(|t| t.settings.name == *name)
    }
}

impl Trunk {
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.hops.iter()
    }

    pub fn turned_away(&self) -> TurnedAway {
        self.turned_away
    }

    pub fn active(&self) -> u32 {
        self.admission.active()
    }

    /// None of its hops lives; one without hops is only called from, and cannot be down.
    pub fn is_down(&self) -> bool {
        self.nodes().next().is_some() && self.nodes().all(|node| matches!(node.health, Health::Down { .. }))
    }
}

/// Reads a carrier's INVITE. `ours`: is this normalised number one of the hotline's?
pub fn incoming(
    leg: LegId,
    trunk: &TrunkSettings,
    area_code: &str,
    msg: &Message<'_>,
    ours: impl Fn(&str) -> bool,
) -> Incoming {
    Incoming {
        leg,
        trunk: trunk.name.clone(),
        dnis: called::called(msg, &trunk.profile, area_code, ours),
        caller: caller::caller(msg, &trunk.profile, area_code),
        forwarded: called::forwarded(msg, area_code),
        sip_call_id: String::from_utf8_lossy(msg.call_id()).into_owned(),
        icid: msg.header(Name::PChargingVector).and_then(icid),
    }
}

/// `icid-value` of P-Charging-Vector (RFC 7315 s5.6).
fn icid(vector: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(vector).ok()?;
    let value = text.split(';').find_map(|p| p.trim().strip_prefix("icid-value="))?;
    Some(value.trim_matches('"').chars().take(128).collect())
}
