//! The registrar (RFC 3261 s10.3): where each seat's phone can be reached now. Belongs here: bindings, their order,
//! expiry and bounds. Not here: who may register (`digest`; the caller passes the proved user), sending the answer.
//!
//! An address of record is a seat's number: the user part of To must equal the proved user; its host is not
//! compared, since phones are set up with whichever of our addresses they know.
//!
//! Decisions:
//! - Requests to a phone go back along the flow its REGISTER came on, which is what gets through NAT and TCP. Only a
//!   UDP phone that neither asks for `rport` (RFC 3581) nor sits behind NAT (its Contact holds the source
//!   address) is called at its Contact's own port.
//! - A binding is replaced by an equivalent Contact URI (s19.1.4) or the same `+sip.instance` (RFC 5626 s6): a phone
//!   that restarts on another port is one phone.
//! - A seat that brings more contacts than allowed loses its least recently refreshed one. Refusing instead would
//!   lock out a restarted phone until its ghosts expire.
//! - A Path (RFC 3327) is kept only if the REGISTER comes from a proxy that is trusted by configuration, and then for every
//!   phone that comes through it: it says by which Route calls to the phone go, and a phone, or who has stolen its
//!   password, is not to say that. From others it is passed over, as by a registrar that does not know it.
//! - All of a request's contacts are changed or none (s10.3 step 7).

mod binding;

pub use binding::{Audio, Binding};

use super::flow::{Flow, Transport};
use super::message::Message;
use super::message::uri::{self, Uri};
use crate::config::settings::Cidr;
use crate::ids::SeatNo;
use crate::time::Instant;
use binding::{Requested, Update, path, requested};
use serde::{Deserialize, Serialize};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Bounds on what phones may ask for; whole seconds are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrarLimits {
    pub bindings_per_seat: usize,
    /// Shorter requests get 423 with Min-Expires.
    pub min_expiry: Duration,
    /// Longer requests, and those that name no time, get this one.
    pub max_expiry: Duration,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registrar {
    limits: RegistrarLimits,
    /// Whose Path is believed.
    proxies: Vec<Cidr>,
    /// Never an empty list; in order of registration, last refreshed last.
    bindings: BTreeMap<SeatNo, Vec<Binding>>,
    /// The earliest expiry of each seat in `bindings`.
    expiries: BTreeSet<(Instant, SeatNo)>,
    /// Where the phones in `bindings` are, with how many bindings each place has.
    places: BTreeMap<SocketAddr, u32>,
}

/// What to answer a REGISTER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Contact values of a 200: every current binding with its remaining seconds.
    pub contacts: Vec<Vec<u8>>,
    /// Min-Expires of a 423, in seconds.
    pub min_expires: Option<u32>,
    /// Path values of a 200 (RFC 3327 s5.3).
    pub path: Vec<Vec<u8>>,
    pub event: Option<Change>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The first binding of this seat.
    Reachable(SeatNo),
    /// The last binding of this seat is gone.
    Lost(SeatNo),
}

impl Registrar {
    pub fn new(limits: RegistrarLimits) -> Registrar {
        let (bindings, expiries, places) = Default::default();
        Registrar { limits, proxies: vec![], bindings, expiries, places }
    }

    /// With proxies before the phones.
    pub fn behind(self, proxies: &[Cidr]) -> Registrar {
        Registrar { proxies: proxies.to_vec(), ..self }
    }

    /// Is what comes on this flow a trusted proxy's?
    pub fn is_proxy(&self, flow: Flow) -> bool {
        self.proxies.iter().any(|proxies| proxies.contains(flow.remote.ip()))
    }

    /// One REGISTER from the phone that proved to be `seat`, received on `flow`.
    pub fn register(&mut self, now: Instant, flow: Flow, seat: &SeatNo, msg: &Message<'_>) -> Answer {
        let refused = |status, min_expires| Answer { status, contacts: vec![], min_expires, path: vec![], event: None };
        let to_user = Uri::parse(msg.to().uri).ok().and_then(|to| to.user.map(uri::unescape));
        if to_user.as_deref() != Some(seat.as_str().as_bytes()) {
            return refused(403, None);
        }
        let updates = match requested(msg, flow, &self.limits) {
            Ok(Requested::Query) => vec![],
            Ok(Requested::RemoveAll) => match self.removals(now, seat, msg) {
                Some(removals) => removals,
                None => return refused(500, None),
            },
            Ok(Requested::Update(updates)) => updates,
            Err(status) => {
                let min = (status == 423).then_some(self.limits.min_expiry.as_secs() as u32);
                return refused(status, min);
            }
        };
        let path = match self.is_proxy(flow).then(|| path(msg)).transpose() {
            Ok(path) => path.unwrap_or_default(),
            Err(status) => return refused(status, None),
        };
        let mut after = self.current(now, seat);
        for update in updates {
            if !apply(&mut after, now, msg, flow, &path, update) {
                return refused(500, None);
            }
        }
        after.drain(..after.len().saturating_sub(self.limits.bindings_per_seat));
        let contacts = after.iter().map(|b| b.contact_value(now)).collect();
        Answer { status: 200, contacts, min_expires: None, path, event: self.replace(seat, after) }
    }

    /// Where to ring this seat: highest `q`, then the last refreshed.
    pub fn lookup(&self, seat: &SeatNo) -> Option<&Binding> {
        self.bindings(seat).iter().max_by_key(|b| b.q)
    }

    pub fn bindings(&self, seat: &SeatNo) -> &[Binding] {
        self.bindings.get(seat).map_or(&[], Vec::as_slice)
    }

    /// How many seats can be rung now.
    pub fn seats(&self) -> usize {
        self.bindings.len()
    }

    /// A phone is registered at this very address and port.
    pub fn is_at(&self, place: SocketAddr) -> bool {
        self.places.contains_key(&place)
    }

    /// A phone is registered at this address, whatever the port.
    pub fn is_home(&self, ip: IpAddr) -> bool {
        self.places.range(SocketAddr::new(ip, 0)..).next().is_some_and(|(place, _)| place.ip() == ip)
    }

    /// The stream behind `flow` is gone: so are the bindings that need it. A UDP flow cannot fail this way.
    pub fn flow_failed(&mut self, flow: Flow) -> Vec<Change> {
        if flow.transport == Transport::Udp {
            return vec![];
        }
        let hit = |bindings: &Vec<Binding>| bindings.iter().any(|b| b.flow == flow);
        let seats: Vec<SeatNo> = self.bindings.iter().filter(|(_, b)| hit(b)).map(|(s, _)| s.clone()).collect();
        let mut changes = vec![];
        for seat in seats {
            let left = self.bindings(&seat).iter().filter(|b| b.flow != flow).cloned().collect();
            changes.extend(self.replace(&seat, left));
        }
        changes
    }

    /// When the next binding expires.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// Drops what has expired.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<Change> {
        let mut changes = vec![];
        while let Some((_, seat)) = self.expiries.first().filter(|(at, _)| *at <= now).cloned() {
            let left = self.current(now, &seat);
            changes.extend(self.replace(&seat, left));
        }
        changes
    }

    fn current(&self, now: Instant, seat: &SeatNo) -> Vec<Binding> {
        self.bindings(seat).iter().filter(|b| b.expires > now).cloned().collect()
    }

    /// The one place where bindings change: keeps `expiries` true and sees the seat come and go.
    fn replace(&mut self, seat: &SeatNo, after: Vec<Binding>) -> Option<Change> {
        let earliest = |b: &[Binding]| b.iter().map(|b| b.expires).min();
        let was = self.bindings.remove(seat);
        for binding in &after {
            *self.places.entry(binding.flow.remote).or_default() += 1;
        }
        for binding in was.iter().flatten() {
            if let Entry::Occupied(mut here) = self.places.entry(binding.flow.remote) {
                *here.get_mut() -= 1;
                if *here.get() == 0 {
                    here.remove();
                }
            }
        }
        if let Some(at) = was.as_deref().and_then(earliest) {
            self.expiries.remove(&(at, seat.clone()));
        }
        let Some(at) = earliest(&after) else { return was.map(|_| Change::Lost(seat.clone())) };
        self.expiries.insert((at, seat.clone()));
        self.bindings.insert(seat.clone(), after);
        was.is_none().then(|| Change::Reachable(seat.clone()))
    }

    /// `Contact: *` as removals of each binding; `None` if one of them is newer than this request (s10.3 step 6).
    fn removals(&self, now: Instant, seat: &SeatNo, msg: &Message<'_>) -> Option<Vec<Update>> {
        let current = self.current(now, seat);
        let all_older = current.iter().all(|b| b.is_older_than(msg));
        all_older.then(|| current.into_iter().map(|b| Update::removal(b.uri)).collect())
    }
}

/// One contact of a request; `false` if the binding it would change is newer than the request.
fn apply(
    bindings: &mut Vec<Binding>,
    now: Instant,
    msg: &Message<'_>,
    flow: Flow,
    path: &[Vec<u8>],
    update: Update,
) -> bool {
    let same = |b: &Binding| update.replaces(b);
    if !bindings.iter().filter(|b| same(b)).all(|b| b.is_older_than(msg)) {
        return false;
    }
    bindings.retain(|b| !same(b));
    if !update.expiry.is_zero() {
        bindings.push(update.bind(now, flow, msg.call_id(), msg.cseq().seq, path.to_vec()));
    }
    true
}
