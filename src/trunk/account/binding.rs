//! What a carrier grants with the 200 to a REGISTER: for how long, by which route our requests go (RFC 3608), and as
//! whom we may call (P-Associated-URI, RFC 7315 s4.1). Not here: when it is asked for.

use super::request::proxy_route;
use crate::config::settings::{Account, RegisterQuirks};
use crate::sip::flow::Flow;
use crate::sip::message::uri::{Uri, unescape};
use crate::sip::message::{Message, Name, NameAddr, delta_seconds};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Routes and identities kept of one answer: more than any real one has.
const MOST: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The proxy that has us. Requests of ours go the same way.
    pub flow: Flow,
    pub until: Instant,
    service_route: Vec<Vec<u8>>,
    /// URIs, the first being who we are unless we say otherwise.
    identities: Vec<String>,
}

impl Binding {
    pub(super) fn read(flow: Flow, until: Instant, msg: &Message<'_>) -> Binding {
        let service_route = msg.values(Name::ServiceRoute).take(MOST).map(<[u8]>::to_vec).collect();
        let identity = |value| NameAddr::parse(value).ok().map(|a| String::from_utf8_lossy(a.uri).into_owned());
        let identities = msg.values(Name::PAssociatedUri).filter_map(identity).take(MOST).collect();
        Binding { flow, until, service_route, identities }
    }

    /// Route of requests that begin something (RFC 3608 s6.1); TS 24.229 s5.1.2A.1.1 puts the proxy before it.
    pub fn route(&self, quirks: RegisterQuirks) -> Vec<Vec<u8>> {
        let proxy = quirks.proxy_route.then(|| proxy_route(&self.flow).into_bytes());
        // Some registrars name the proxy themselves.
        let named =
            |proxy: &Vec<u8>| self.service_route.first().is_some_and(|first| next_hop(first) == next_hop(proxy));
        proxy.into_iter().filter(|proxy| !named(proxy)).chain(self.service_route.iter().cloned()).collect()
    }

    /// The URI we call as: the account's own, unless the carrier lists others only.
    pub fn identity(&self, account: &Account) -> String {
        let own = account.address_of_record();
        match self.identities.first() {
            Some(first) if !self.identities.contains(&own) => first.clone(),
            _ => own,
        }
    }
}

fn next_hop(route: &[u8]) -> Option<(Vec<u8>, u16)> {
    let address = NameAddr::parse(route).ok()?;
    let uri = Uri::parse(address.uri).ok()?;
    Some((uri.host.to_ascii_lowercase(), uri.port.unwrap_or(5060)))
}

/// How long the registrar keeps our contact: its own expiry, else that of the whole answer (RFC 3261 s10.2.4).
pub(super) fn granted(account: &Account, flow: &Flow, msg: &Message<'_>) -> Option<Duration> {
    let contacts: Vec<_> = msg.contacts().flatten().collect();
    let ours = |contact: &&NameAddr<'_>| {
        Uri::parse(contact.uri).is_ok_and(|uri| {
            let user = uri.user.map(unescape).unwrap_or_default();
            user == account.user.as_bytes()
                && uri.ip() == Some(flow.local.ip().to_canonical())
                && uri.port.unwrap_or(5060) == flow.local.port()
        })
    };
    // A proxy may have written another address into it; a lone one is ours all the same.
    let contact = contacts.iter().find(ours).or(contacts.first().filter(|_| contacts.len() == 1));
    let own = contact.and_then(|contact| contact.params.get("expires")?).and_then(delta_seconds);
    own.or(msg.expires()).map(|seconds| Duration::from_secs(seconds.into()))
}
