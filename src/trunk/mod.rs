//! Carriers. Belongs here: which peer a request comes from, admission, and what a carrier's INVITE says (numbers,
//! caller, charging id), and our registrations (`account`). Not here: SIP dialogs (`sip::session`), what becomes of the
//! call (`call`).

pub mod account;
pub mod called;
pub mod caller;
pub mod dial;
pub mod number;

use crate::config::settings::TrunkSettings;
use crate::ids::{LegId, TrunkName};
use crate::leg::Incoming;
use crate::sip::message::{Message, Name};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Trunks {
    settings: Vec<TrunkSettings>,
    /// Calls in progress per trunk.
    active: BTreeMap<TrunkName, u32>,
}

impl Trunks {
    pub fn new(settings: Vec<TrunkSettings>) -> Trunks {
        Trunks { settings, active: BTreeMap::new() }
    }

    /// The trunk whose peer list holds this address; the first one configured, if several do.
    pub fn peer(&self, ip: IpAddr) -> Option<&TrunkSettings> {
        self.settings.iter().find(|t| t.peers.iter().any(|p| p.contains(ip)))
    }

    pub fn get(&self, name: &TrunkName) -> Option<&TrunkSettings> {
        self.settings.iter().find(|t| t.name == *name)
    }

    /// May one more call come in here? If so it is counted until `release`.
    pub fn admit(&mut self, name: &TrunkName) -> bool {
        let limit = self.get(name).map_or(0, |t| t.max_calls);
        let active = self.active.entry(name.clone()).or_default();
        if *active >= limit {
            return false;
        }
        *active += 1;
        true
    }

    pub fn release(&mut self, name: &TrunkName) {
        if let Some(active) = self.active.get_mut(name) {
            *active = active.saturating_sub(1);
        }
    }

    pub fn active(&self) -> impl Iterator<Item = (&TrunkName, u32)> {
        self.active.iter().map(|(name, n)| (name, *n))
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
