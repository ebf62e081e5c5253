//! Calls of the seats' own: what a phone or a page dials, the legs of it, and which seats have one. Not here: the seat's rules
//! (`seat::dial_plan`), what both sides are told (`call::own`), features (`features`).
//!
//! Law: who dials is on the phone. An offer that rings at that moment is withdrawn and its caller keeps the place; a seat
//! that rings or talks for the distributor is busy to a colleague who dials it.

use super::devices::Device;
use super::legs::{Leg, Role};
use super::{Gateway, Service, Unable};
use crate::acd::{AcdInput, Refused};
use crate::call::{CallInput, Near, OwnCall};
use crate::config::settings::{Reliable, Srtp};
use crate::event::{AgentState, Party};
use crate::ids::{AgentNo, CallId, LegId, SeatNo, TrunkName};
use crate::ivr::route;
use crate::leg::LegEnd;
use crate::screen::ReachedBy;
use crate::seat::browser::BrowserLeg;
use crate::seat::dial_plan::{self, Dialled, Ground};
use crate::sip::flow::Flow;
use crate::sip::message::{Message, Name};
use crate::sip::session::{Context, Peer, Session, Target};
use crate::time::Instant;

/// Calls of one seat's own at once: a consultation, and one more.
const MOST_OF_A_SEAT: u32 = 2;

/// Longer is no number.
const LONGEST_NUMBER: usize = 32;

/// Why a call that the plan allows is not made now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoDial {
    /// There, or here.
    Busy,
    /// No room, or draining.
    Overload,
}

/// What a seat's phone shows of who calls it.
pub(super) struct Shown {
    /// A name-addr.
    pub from: String,
    /// The colleague who passes that caller on (RFC 3892).
    pub referred_by: Option<SeatNo>,
}

impl Gateway {
    pub(super) fn seat_dials(&mut self, now: Instant, flow: Flow, msg: &Message<'_>, seat: SeatNo) {
        if msg.header(Name::Replaces).is_some() {
            // Taking a colleague's call off their phone is for the leader's console.
            return self.answer_stateless(flow, msg, 403, |b| b);
        }
        let uri = msg.request_uri().unwrap_or_default();
        match self.read_dialled(&seat, uri) {
            Dialled::Feature(feature) => self.feature_call(now, flow, msg, seat, feature),
            Dialled::Call(to) => self.own_call(now, flow, msg, seat, to),
            // A call to ourselves by ourselves: the queues are for citizens.
            Dialled::Ours(_) | Dialled::Language(_) => self.answer_stateless(flow, msg, 403, |b| b),
            Dialled::Refused(why) => {
                let uri = String::from_utf8_lossy(&uri[..uri.len().min(64)]);
                tracing::warn!(%seat, ?why, dialled = %uri.escape_debug(), "a seat may not call this");
                self.refusals.not_in_plan += 1;
                self.answer_stateless(flow, msg, 403, |b| b);
            }
        }
    }

    /// What these URIs mean when this seat's phone names them.
    pub(super) fn read_dialled(&self, seat: &SeatNo, uri: &[u8]) -> Dialled {
        let dialling = &self.settings.dialling;
        let named = self.seats.get(seat).and_then(|s| s.dial_plan.as_ref());
        let plan = named.and_then(|name| dialling.plans.iter().find(|plan| plan.name == *name));
        let ground = Ground {
            codes: &self.settings.feature_codes,
            emergency: &dialling.emergency,
            area_code: &self.settings.area_code,
            is_key: &|key| route::of_key(key, &self.settings.languages).is_some(),
            is_seat: &|seat| self.seats.contains_key(seat),
            is_ours: &|number| self.numbers.contains_key(number),
        };
        dial_plan::read(uri, plan, &ground)
    }

    fn own_call(&mut self, now: Instant, flow: Flow, msg: &Message<'_>, seat: SeatNo, to: Party) {
        match self.may_dial(&seat, &to) {
            Ok(()) => {}
            Err(NoDial::Busy) => return self.answer_stateless(flow, msg, 486, |b| b),
            Err(NoDial::Overload) => {
                return self.answer_stateless(flow, msg, 503, |b| b.header(Name::RetryAfter, b"5"));
            }
        }
        let help = matches!(to, Party::Emergency(_));
        let tx = self.endpoint.accept(now, flow, msg);
        let leg = self.new_leg();
        let tag = self.tag(leg);
        let how = self.asked_for(flow, &seat, msg);
        let local = match help {
            // A call for help is not refused for want of encryption.
            true => self.open_phone(flow, leg, how, Srtp::IfOffered),
            false => self.open_seat_media(flow, leg, &seat, how),
        };
        let Some(local) = local else {
            return self.respond_once(now, tx, flow, msg, 503);
        };
        let Ok((mut session, _)) = Session::incoming(leg.0, tag, flow, tx, msg, local) else {
            self.close_media(leg);
            return self.respond_once(now, tx, flow, msg, 488);
        };
        session.set_peer(Peer::Phone);
        let id = self.new_call();
        self.legs.insert(leg, Leg::sip(Role::Dialler { call: id, seat: seat.clone() }, session, Some(tx)));
        self.invites.insert(tx, leg);
        self.figures_due.insert(leg, id);
        let sip_call_id = String::from_utf8_lossy(msg.call_id()).into_owned();
        self.begin_own(now, id, leg, seat, sip_call_id, to);
    }

    /// An agent dials on the page: the same plan and the same limits as by a phone.
    pub(super) fn page_dials(&mut self, now: Instant, agent: &AgentNo, number: &str) -> Result<(), Unable> {
        let seat = self.acd.agent(agent).and_then(|view| view.seat).cloned();
        let seat = seat.ok_or_else(|| Refused::NotSignedIn(agent.clone()))?;
        match self.reached_by(&seat) {
            Some(ReachedBy::Browser) => {}
            Some(ReachedBy::Phone) => return Err(Unable::DialOnPhone),
            None => return Err(Refused::SeatUnreachable { agent: agent.clone(), seat }.into()),
        }
        // One call at a time; who dials while it rings is on the phone, and the caller goes to a colleague.
        let asked_by_colleague = |leg: &Leg| leg.device.is_ringing_browser() && matches!(leg.role, Role::Party { .. });
        if self.in_call_in_browser(&seat) || self.legs.at(&seat).any(|(_, leg)| asked_by_colleague(leg)) {
            return Err(Unable::InCall);
        }
        let plain = |c: char| c.is_ascii_digit() || matches!(c, '+' | '*');
        if number.is_empty() || number.len() > LONGEST_NUMBER || !number.chars().all(plain) {
            return Err(Unable::NotInPlan);
        }
        let uri = format!("sip:{number}@{}", self.settings.domain);
        let Dialled::Call(to) = self.read_dialled(&seat, uri.as_bytes()) else {
            self.refusals.not_in_plan += 1;
            return Err(Unable::NotInPlan);
        };
        self.may_dial(&seat, &to).map_err(Unable::NoDial)?;
        self.end_test_call(now, &seat);
        self.dialled_in_vain(&seat, None);
        let (leg, id) = (self.new_leg(), self.new_call());
        let role = Role::Dialler { call: id, seat: seat.clone() };
        self.legs.insert(leg, Leg { role, device: Device::Browser(BrowserLeg::up()) });
        // The agent hears how it goes from the start.
        self.open_browser(leg, seat.clone(), Some(id));
        self.begin_own(now, id, leg, seat, String::new(), to);
        self.may_be_unheard(now, leg);
        Ok(())
    }

    fn may_dial(&mut self, seat: &SeatNo, to: &Party) -> Result<(), NoDial> {
        let help = matches!(to, Party::Emergency(_));
        let busy = self.own_calls_at(seat) >= MOST_OF_A_SEAT;
        if (busy && !help) || matches!(to, Party::Seat(other) if self.is_busy(seat, other)) {
            return Err(NoDial::Busy);
        }
        // For help there is always room, as long as there is a port.
        if !help && (self.service == Service::Draining || !self.has_room()) {
            self.refusals.overload += 1;
            return Err(NoDial::Overload);
        }
        Ok(())
    }

    /// The near side is there; now the far one.
    fn begin_own(&mut self, now: Instant, id: CallId, leg: LegId, seat: SeatNo, sip_call_id: String, to: Party) {
        let near = Near { leg, seat: seat.clone(), agent: self.acd.agent_at(&seat).cloned(), sip_call_id };
        let far = self.new_leg();
        self.seat_engaged(now, &seat);
        let mut out = Vec::new();
        let ring_timeout = self.settings.dialling.ring_timeout;
        let music = self.settings.queues.first().map_or_else(|| "music".into(), |queue| queue.music.clone());
        let own = OwnCall::begin(now, id, near, far, to.clone(), ring_timeout, music, &mut out);
        self.own.insert(id, own);
        self.carry_out(now, id, out);
        let shown = Shown { from: format!("<sip:{seat}@{}>", self.settings.domain), referred_by: None };
        self.call_party(now, id, far, &to, shown);
    }

    /// Calls whom a seat dialled, or passes a citizen on to.
    pub(super) fn call_party(&mut self, now: Instant, call: CallId, leg: LegId, to: &Party, shown: Shown) {
        let placed = match to {
            Party::Seat(seat) => self.ring_party(now, call, leg, seat, shown),
            Party::Outside(number) => self.dial_party(now, call, leg, number, false),
            Party::Emergency(number) => self.dial_party(now, call, leg, number, true),
        };
        if !placed {
            self.call_input(now, call, CallInput::PartyEnded { leg, end: LegEnd::Unreachable });
        }
    }

    fn ring_party(&mut self, now: Instant, call: CallId, leg: LegId, seat: &SeatNo, shown: Shown) -> bool {
        if self.reached_by(seat) == Some(ReachedBy::Browser) {
            self.end_test_call(now, seat);
            let role = Role::Party { call, seat: Some(seat.clone()) };
            self.legs.insert(leg, Leg { role, device: Device::Browser(BrowserLeg::ringing()) });
            self.seat_engaged(now, seat);
            self.call_input(now, call, CallInput::PartyRings { leg });
            return true;
        }
        let phone = self.registrar.lookup(seat);
        let phone = phone.map(|b| (b.flow, b.uri.clone(), b.path.clone(), self.spoken_by(seat, b)));
        let Some((flow, contact, route, how)) = phone else { return false };
        let Some(local) = self.open_seat_media(flow, leg, seat, how) else { return false };
        self.figures_due.insert(leg, call);
        let tag = self.tag(leg);
        let by = shown.referred_by.map(|by| ("Referred-By", format!("<sip:{by}@{}>", self.settings.domain)));
        let headers: Vec<_> = [("X-Rexian-Call", call.to_string())].into_iter().chain(by).collect();
        let to = format!("<sip:{seat}@{}>", self.settings.domain);
        let Shown { from, .. } = shown;
        let (subscriber, peer, reliable, headers) = (None, Peer::Phone, Reliable::IfRequired, &headers[..]);
        let target = Target { flow, request_uri: &contact, from, to, headers, subscriber, peer, reliable, route };
        let mut events = Vec::new();
        let mut cx = Context { now, endpoint: &mut self.endpoint, tokens: &mut self.tokens, events: &mut events };
        let session = Session::place(&mut cx, leg.0, tag, target, local);
        self.legs.insert(leg, Leg::sip(Role::Party { call, seat: Some(seat.clone()) }, session, None));
        self.seat_engaged(now, seat);
        true
    }

    fn dial_party(&mut self, now: Instant, call: CallId, leg: LegId, number: &str, help: bool) -> bool {
        let mut trunks: Vec<TrunkName> = self.settings.dialling.trunk.iter().cloned().collect();
        if help {
            // By whatever way there is.
            let others = self.trunks.iter().map(|t| &t.settings).filter(|t| t.call_out.is_some());
            trunks.extend(
                others.map(|t| t.name.clone()).filter(|name| self.settings.dialling.trunk.as_ref() != Some(name)),
            );
        }
        self.dial_out(now, call, leg, number, trunks, Role::Party { call, seat: None })
    }

    /// Is `seat` to be told that the other one is busy?
    pub(super) fn is_busy(&self, seat: &SeatNo, other: &SeatNo) -> bool {
        let agent = self.acd.agent_at(other).and_then(|agent| self.acd.agent_state(agent));
        let serves = matches!(agent, Some(AgentState::Reserved | AgentState::Talking | AgentState::Hold));
        seat == other || serves || self.own_calls_at(other) > 0
    }

    fn own_calls_at(&self, seat: &SeatNo) -> u32 {
        self.engaged_seats.get(seat).copied().unwrap_or(0)
    }

    fn seat_engaged(&mut self, now: Instant, seat: &SeatNo) {
        self.shows(seat);
        let count = self.engaged_seats.entry(seat.clone()).or_default();
        *count += 1;
        if *count == 1 {
            let _ = self.acd.handle(now, AcdInput::SeatEngaged { seat: seat.clone() });
            self.distribute(now);
        }
    }

    /// One call of the seat's own is over.
    pub(super) fn seat_free(&mut self, now: Instant, seat: &SeatNo) {
        self.shows(seat);
        let Some(count) = self.engaged_seats.get_mut(seat) else { return };
        *count -= 1;
        if *count == 0 {
            self.engaged_seats.remove(seat);
            let _ = self.acd.handle(now, AcdInput::SeatFree { seat: seat.clone() });
        }
    }
}
