//! Calls of ours: the leg to a phone outside, by the first trunk and hop that can, and on to the next when one fails.
//! Not here: when one is placed (`call::callback`), how a number is written (`trunk::dial`), whether a hop lives
//! (`trunk::health`).
//!
//! Invariant: no phone rings twice for one call. It goes on only while nothing tells that a phone rings, after answers
//! that no phone gave (5xx, 408) or none at all; and the INVITE that was left behind is not repeated, is called off when
//! something is heard of it, and has the Call-ID, tag and number of its successor, by which a phone reached by both knows
//! it for the same request.

use super::Gateway;
use super::accounts::Line;
use super::legs::{Leg, Role};
use super::timers::Alarm;
use crate::call::CallInput;
use crate::config::settings::{Reliable, Srtp, TrunkSettings};
use crate::ids::{CallId, LegId, TrunkName};
use crate::leg::LegEnd;
use crate::sdp::offer_answer::Local;
use crate::sip::endpoint::ClientTx;
use crate::sip::flow::{Flow, Listener, Transport};
use crate::sip::message::{Message, Method};
use crate::sip::session::{Context, Peer, Session, Subscriber, Target};
use crate::time::Instant;
use crate::trunk::health::{Sign, Standing};
use crate::trunk::hops::Node;
use crate::trunk::{dial, rules};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// What can come of an INVITE that was given up has come by then: timer B, and as long for the answer to a CANCEL.
const LONGEST_ECHO: Duration = Duration::from_secs(64);

/// A call of ours that may still go another way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Dialling {
    /// E.164, or short.
    number: String,
    /// Those it may take, in this order.
    trunks: Vec<TrunkName>,
    /// Hops it has been sent to; the last is where it is.
    tried: Vec<u32>,
}

/// Where a call of ours goes next.
struct Way {
    trunk: TrunkName,
    node: u32,
    flow: Flow,
    patience: Duration,
    target: dial::Addresses,
    /// The header that says who we are, if the carrier wants one.
    identity: Option<&'static str>,
    /// We call as this subscriber of the carrier's.
    subscriber: Option<Subscriber>,
    codecs: Vec<crate::plane::Codec>,
    dtmf_payload_type: u8,
    reliable: Reliable,
    srtp: Srtp,
}

/// Which hops of a trunk may be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    Any,
    /// A subscriber calls by the proxy that has it registered.
    By(Transport, SocketAddr),
}

impl Gateway {
    /// Somebody could be called back now, as far as we know.
    pub(super) fn may_call_back(&self, now: Instant) -> bool {
        let named = |trunk: &&crate::trunk::Trunk| self.settings.callbacks.trunks.contains(&trunk.settings.name);
        let reachable = |node: &Node| self.flow_to(node).is_some();
        let usable = |trunk: &crate::trunk::Trunk| {
            !trunk.is_down() && trunk.nodes().any(reachable) && self.only(now, &trunk.settings).is_some()
        };
        self.trunks.iter().filter(named).any(|trunk| trunk.settings.call_out.is_some() && usable(trunk))
    }

    /// `None`: the carrier does not have us registered.
    fn only(&self, now: Instant, trunk: &TrunkSettings) -> Option<Only> {
        if trunk.accounts.is_empty() {
            return Some(Only::Any);
        }
        let line = self.registered_line(now, trunk, &trunk.call_out.as_ref()?.from)?;
        Some(Only::By(line.flow.transport, line.flow.remote))
    }

    /// The path of a request of ours to a hop: by the first listener of its transport and address family.
    pub(super) fn flow_to(&self, node: &Node) -> Option<Flow> {
        flow_by(&self.listening, node)
    }

    /// Keeps a channel for a leg that will call `number` by one of these trunks, the first that can: see [`Self::dial_out`].
    pub(super) fn reserve(
        &mut self,
        now: Instant,
        leg: LegId,
        number: &str,
        trunks: &[TrunkName],
    ) -> Option<TrunkName> {
        self.first_way(now, leg, number, trunks, &[], |_, name, _, _, _| Some(name.clone()))
    }

    /// Rings the citizen's phone. `number`: E.164.
    pub(super) fn dial(&mut self, now: Instant, call: CallId, leg: LegId, number: &str) {
        let trunks = self.settings.callbacks.trunks.clone();
        // Counted only if there was a way; on its way to the disk before the message is on its way to the carrier.
        if self.dial_out(now, call, leg, number, trunks, Role::Caller { call }) {
            self.callbacks.calling(now, call);
            self.callback_news(now);
        } else {
            self.call_input(now, call, CallInput::CallerEnded(LegEnd::Unreachable));
        }
    }

    /// Calls `number` by the first of `trunks` that has a channel and a hop; false if none has.
    pub(super) fn dial_out(
        &mut self,
        now: Instant,
        call: CallId,
        leg: LegId,
        number: &str,
        trunks: Vec<TrunkName>,
        role: Role,
    ) -> bool {
        let Some(way) = self.next_way(now, leg, number, &trunks, &[]) else {
            self.trunks.release(leg);
            return false;
        };
        let Some(local) = self.open_media_by(leg, &way) else {
            self.trunks.release(leg);
            return false;
        };
        self.figures_due.insert(leg, call);
        let tag = self.tag(leg);
        let dialling = Dialling { number: number.to_owned(), trunks, tried: vec![] };
        let session = self.send_by(now, &way, |cx, target| Session::place(cx, leg.0, tag, target, local));
        let sip_call_id = String::from_utf8_lossy(&session.dialog().call_id).into_owned();
        self.legs.insert(leg, Leg::sip(role, session, None));
        if let Some(attempt) = self.attempts.get_mut(&call) {
            attempt.placed(leg, sip_call_id);
        }
        self.under_way(now, leg, dialling, way);
        true
    }

    /// The first of `trunks` that has a channel for this leg and a hop it has not been to. Hops in doubt come before those
    /// that are down, whatever the order of trunks; an emergency takes what there is.
    fn first_way<T>(
        &mut self,
        now: Instant,
        leg: LegId,
        number: &str,
        trunks: &[TrunkName],
        tried: &[u32],
        take: impl Fn(&mut Gateway, &TrunkName, Only, Standing, bool) -> Option<T>,
    ) -> Option<T> {
        let emergency = self.is_for_help(number);
        let passes = [(Standing::Doubtful, false), (Standing::Down, false), (Standing::Down, true)];
        for (worst, whatever) in passes.into_iter().filter(|(_, whatever)| emergency || !whatever) {
            for name in trunks {
                if self.trunks.get(name).is_none_or(|t| t.call_out.is_none()) {
                    continue;
                }
                let only = match self.trunks.get(name).and_then(|trunk| self.only(now, trunk)) {
                    Some(only) => only,
                    // Not registered: a call for help is tried all the same.
                    None if whatever => Only::Any,
                    None => continue,
                };
                let listening = &self.listening;
                let open = |node: &Node| can_take(listening, now, emergency, only, node);
                if !self.trunks.has_way(now, name, worst, tried, open) {
                    continue;
                }
                if self.trunks.of_leg(leg) != Some(name) && self.trunks.admit(now, name, leg).is_err() {
                    if !whatever {
                        continue;
                    }
                    self.trunks.admit_anyway(now, name, leg);
                }
                if let Some(taken) = take(self, name, only, worst, emergency) {
                    return Some(taken);
                }
            }
        }
        None
    }

    fn next_way(&mut self, now: Instant, leg: LegId, number: &str, trunks: &[TrunkName], tried: &[u32]) -> Option<Way> {
        self.first_way(now, leg, number, trunks, tried, |gateway, name, only, worst, emergency| {
            let listening = &gateway.listening;
            let open = |node: &Node| can_take(listening, now, emergency, only, node);
            let node = gateway.trunks.choose(now, name, worst, tried, open)?;
            let (id, flow) = (node.id, flow_by(listening, node)?);
            let (hop, trunk) = (node.hop, gateway.trunks.get(name)?);
            let (area_code, form) = (&gateway.settings.area_code, trunk.profile.number_uri);
            let out = trunk.call_out.as_ref()?;
            let line = match only {
                Only::Any => None,
                Only::By(..) => Some(gateway.registered_line(now, trunk, &out.from)?),
            };
            let (target, flow, subscriber) = match line {
                Some(Line { identity, domain, subscriber, flow }) => {
                    let target = dial::subscriber_addresses(number, out, form, area_code, &identity, &domain);
                    (target, flow, Some(subscriber))
                }
                None => {
                    (dial::addresses(number, out, form, area_code, trunk.hops.get(hop)?, flow.local.ip()), flow, None)
                }
            };
            Some(Way {
                trunk: name.clone(),
                node: id,
                flow,
                patience: trunk.hop_patience,
                target,
                identity: dial::identity_header(trunk.profile.own_identity, subscriber.as_ref()),
                subscriber,
                codecs: trunk.profile.codecs.clone(),
                dtmf_payload_type: trunk.profile.dtmf_payload_type,
                reliable: trunk.profile.reliable,
                srtp: trunk.srtp,
            })
        })
    }

    fn open_media_by(&mut self, leg: LegId, way: &Way) -> Option<Local> {
        self.open_media(way.flow, leg, way.codecs.clone(), way.dtmf_payload_type, way.srtp)
    }

    fn send_by(
        &mut self,
        now: Instant,
        way: &Way,
        send: impl FnOnce(&mut Context<'_>, Target<'_>) -> Session,
    ) -> Session {
        let dial::Addresses { request_uri, to, from } = way.target.clone();
        let headers: Vec<_> = way.identity.map(|name| (name, from.clone())).into_iter().collect();
        let target = Target {
            flow: way.flow,
            request_uri: request_uri.as_bytes(),
            from,
            to,
            headers: &headers,
            subscriber: way.subscriber.clone(),
            peer: Peer::Carrier,
            reliable: way.reliable,
            route: vec![],
        };
        let mut events = Vec::new();
        let mut cx = Context { now, endpoint: &mut self.endpoint, tokens: &mut self.tokens, events: &mut events };
        let mut session = send(&mut cx, target);
        let peers = self.trunks.get(&way.trunk).map_or(&[][..], |trunk| trunk.peers.as_slice());
        session.follow_route(peers, &self.listening, self.trunks.named_hops(&way.trunk));
        session
    }

    fn under_way(&mut self, now: Instant, leg: LegId, mut dialling: Dialling, way: Way) {
        dialling.tried.push(way.node);
        self.dialling.insert(leg, dialling);
        self.timers.set(Alarm::Silence(leg), Some(now + way.patience));
        if let Some(Role::Caller { call }) = self.legs.get(&leg).map(|l| &l.role)
            && let Some(attempt) = self.attempts.get_mut(call)
        {
            attempt.goes_by(way.trunk);
        }
    }

    fn is_for_help(&self, number: &str) -> bool {
        rules::is_emergency(number, &self.settings.dialling.emergency, &self.settings.area_code)
    }

    /// How long the hop this leg is on may be silent.
    fn hop_patience(&self, leg: LegId) -> Duration {
        self.trunks.of_leg(leg).map_or(LONGEST_ECHO, |trunk| self.hop_patience_of(trunk))
    }

    pub(super) fn hop_patience_of(&self, trunk: &TrunkName) -> Duration {
        self.trunks.get(trunk).map_or(LONGEST_ECHO, |trunk| trunk.hop_patience)
    }

    /// Whatever comes of it comes of the way it is on.
    pub(super) fn stays_here(&mut self, leg: LegId) {
        if self.dialling.remove(&leg).is_some() {
            self.timers.set(Alarm::Silence(leg), None);
        }
    }

    /// A response to a request of a leg's.
    pub(super) fn leg_answered(&mut self, now: Instant, leg: LegId, tx: ClientTx, msg: &Message<'_>) {
        if self.abandoned.contains_key(&tx) {
            return self.with_abandoned(now, tx, |session, cx| session.response(cx, tx, msg));
        }
        if self.offered_otherwise(now, leg, tx, msg) {
            return;
        }
        let ours = self.legs.get(&leg).and_then(Leg::session).is_some_and(|session| session.is_calling_by(tx));
        let dialling = self.dialling.get(&leg).filter(|_| ours && msg.cseq().method == Method::Invite);
        let way = dialling.and_then(|d| Some((*d.tried.last()?, self.is_for_help(&d.number))));
        if let (Some((at, help)), Some(status)) = (way, msg.status()) {
            // A challenge answers nothing yet: what follows is waited for as the first was.
            let again = is_asked_again(status).then(|| now + self.hop_patience(leg));
            self.timers.set(Alarm::Silence(leg), again);
            let sign = super::health::sign(status, msg);
            // A call for help goes on after anything but "busy".
            let passed_on = help && matches!(status, 300..=699) && !matches!(status, 401 | 407 | 422 | 486 | 600);
            if (passed_on || matches!(status, 408 | 500..=599)) && self.go_on(now, leg, false) {
                return self.hop_seen(now, at, sign);
            }
            // A phone rings, or somebody has decided.
            if status > 100 && !is_asked_again(status) {
                self.stays_here(leg);
            }
            self.hop_seen(now, at, sign);
        }
        self.with_session(now, leg, |session, cx| session.response(cx, tx, msg));
    }

    /// A request of a leg's got no answer, or could not be sent.
    pub(super) fn leg_unanswered(&mut self, now: Instant, leg: LegId, tx: ClientTx) {
        if self.abandoned.contains_key(&tx) {
            return self.with_abandoned(now, tx, |session, cx| session.request_failed(cx, tx));
        }
        let ours = self.legs.get(&leg).and_then(Leg::session).is_some_and(|session| session.is_calling_by(tx));
        if let Some(at) = self.dialling.get(&leg).filter(|_| ours).and_then(|d| d.tried.last().copied()) {
            let gone = self.go_on(now, leg, false);
            if gone {
                return self.hop_seen(now, at, Sign::Silent);
            }
        }
        let to = self.legs.get(&leg).and_then(Leg::session).map(Session::request_flow);
        let at = to.and_then(|flow| self.trunks.at(flow.transport, flow.remote));
        self.with_session(now, leg, |session, cx| session.request_failed(cx, tx));
        if let Some(at) = at {
            self.hop_seen(now, at, Sign::Silent);
        }
    }

    /// A citizen and an agent wait, and the hop has said nothing, not even 100: 32 s (timer B) are too long.
    pub(super) fn hop_is_silent(&mut self, now: Instant, leg: LegId) {
        let Some(at) = self.dialling.get(&leg).and_then(|d| d.tried.last().copied()) else { return };
        // With nowhere else to go it is waited for.
        self.go_on(now, leg, true);
        self.hop_seen(now, at, Sign::Silent);
    }

    /// By the next way, if there is one. `abandon`: the INVITE before has got no answer yet.
    fn go_on(&mut self, now: Instant, leg: LegId, abandon: bool) -> bool {
        let Some(dialling) = self.dialling.get(&leg).cloned() else { return false };
        let Some(way) = self.next_way(now, leg, &dialling.number, &dialling.trunks, &dialling.tried) else {
            return false;
        };
        let local = self.open_media_by(leg, &way);
        let (Some(local), Some(mut before)) = (local, self.legs.get(&leg).and_then(Leg::session).cloned()) else {
            return false;
        };
        tracing::info!(%leg, trunk = %way.trunk, hop = %way.flow.remote, "the call goes on by another hop");
        if abandon {
            let mut events = Vec::new();
            let mut cx = Context { now, endpoint: &mut self.endpoint, tokens: &mut self.tokens, events: &mut events };
            if let Some(tx) = before.abandon(&mut cx) {
                self.abandoned.insert(tx, before.clone());
                self.timers.set(Alarm::Abandoned(tx), Some(now + LONGEST_ECHO));
            }
        }
        let session = self.send_by(now, &way, |cx, target| Session::place_again(cx, &before, target, local));
        if let Some(placed) = self.legs.get_mut(&leg).and_then(Leg::session_mut) {
            *placed = session;
        }
        self.timers.set(Alarm::Leg(leg), None);
        self.under_way(now, leg, dialling, way);
        true
    }

    /// Late news of an INVITE that was given up: called off, or acknowledged and hung up.
    fn with_abandoned(&mut self, now: Instant, tx: ClientTx, act: impl FnOnce(&mut Session, &mut Context<'_>)) {
        let Some(session) = self.abandoned.get_mut(&tx) else { return };
        let mut events = Vec::new();
        let mut cx = Context { now, endpoint: &mut self.endpoint, tokens: &mut self.tokens, events: &mut events };
        act(session, &mut cx);
        if session.is_over() {
            self.abandoned.remove(&tx);
            self.timers.set(Alarm::Abandoned(tx), None);
        }
    }
}

/// To a challenge (401, 407), or a word on how it wants to be asked (420, 421, 422), the session may have an answer.
fn is_asked_again(status: u16) -> bool {
    matches!(status, 401 | 407 | 420..=422)
}

/// A hop that asked for no calls gets none but emergencies.
fn can_take(listening: &[Listener], now: Instant, emergency: bool, only: Only, node: &Node) -> bool {
    if only != Only::Any && only != Only::By(node.transport, node.address) {
        return false;
    }
    let rests = node.health.standing(now) == Standing::Resting;
    (emergency || !rests) && flow_by(listening, node).is_some()
}

fn flow_by(listening: &[Listener], node: &Node) -> Option<Flow> {
    let Node { transport, address: remote, connection, .. } = *node;
    let fits = |l: &&Listener| l.transport == transport && l.address.is_ipv4() == remote.is_ipv4();
    let local = listening.iter().find(fits)?.address;
    Some(Flow { transport, local, remote, connection })
}
