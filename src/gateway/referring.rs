//! Calls passed on by a phone's transfer key (REFER): to a seat, to a number of the dial plan, to a queue's number or a
//! language's key, or to whom the agent has consulted. Not here: the requests (`sip::session`), the law of the passing
//! (`call::passing`).
//!
//! Security: a REFER is taken from a seat's own dialog only; what it names must be here, and of that only the user part
//! counts, by the dial plan of that seat; a dialog to be replaced must be the same seat's. Nobody connects two outsiders
//! but one of them a citizen who called, or was called by, a queue.

use super::dialling::Shown;
use super::legs::{Leg, Role};
use super::lines::language;
use super::{Gateway, Output, Service};
use crate::acd::{AcdInput, Refused, Request, Waits};
use crate::call::CallInput;
use crate::event::{EndCause, Party, Why};
use crate::ids::{CallId, LegId, QueueName, SeatNo};
use crate::ivr::{route, spoken};
use crate::leg::{LegCommand, ReferTo, Replaces};
use crate::seat::dial_plan::Dialled;
use crate::seat::sip_phone;
use crate::sip::message::uri::Uri;
use crate::time::Instant;

/// Not to be had by this phone. Of the refusals it is one that leaves the dialog alone (RFC 5057 s5.1).
pub(super) const FORBIDDEN: u16 = 403;
/// Busy there.
pub(super) const BUSY: u16 = 486;
/// No phone there.
pub(super) const AWAY: u16 = 480;
/// The same phone's REFER before is not over.
pub(super) const PENDING: u16 = 491;
/// No room.
pub(super) const OVERLOAD: u16 = 503;

impl Gateway {
    pub(super) fn referred(&mut self, now: Instant, leg: LegId, role: &Role, to: ReferTo) {
        let done = match (role, &to.replaces) {
            (Role::Seat { call, seat, .. }, None) => self.pass_on(now, leg, *call, seat, &to.uri),
            (Role::Seat { call, seat, .. }, Some(dialog)) => self.may_pass(*call, leg).and_then(|()| {
                let own = self.own_of(seat, dialog)?;
                self.pass_to_consulted(now, leg, *call, own)
            }),
            // Some phones ask it the other way round.
            (Role::Dialler { call, seat }, Some(dialog)) => self.call_of(seat, dialog).and_then(|(talk, id)| {
                self.may_pass(id, talk)?;
                self.pass_to_consulted(now, leg, id, *call)
            }),
            _ => Err(FORBIDDEN),
        };
        if let Err(status) = done {
            self.tell(now, leg, LegCommand::RefuseRefer(status));
            let call = match (role, &to.replaces) {
                (Role::Seat { call, .. }, _) => Some(*call),
                (Role::Dialler { seat, .. }, Some(dialog)) => self.call_of(seat, dialog).ok().map(|(_, id)| id),
                _ => None,
            };
            if let Some(call) = call.and_then(|id| self.calls.get_mut(&id)) {
                call.stays_with_agent(now);
            }
        }
    }

    fn pass_on(&mut self, now: Instant, leg: LegId, id: CallId, seat: &SeatNo, uri: &[u8]) -> Result<(), u16> {
        self.may_pass(id, leg)?;
        if !self.is_here(uri) {
            tracing::warn!(%seat, "a phone passes on to a host that is not ours");
            return Err(FORBIDDEN);
        }
        self.pass_to(now, leg, id, seat, self.read_dialled(seat, uri))
    }

    pub(super) fn pass_to(
        &mut self,
        now: Instant,
        leg: LegId,
        id: CallId,
        seat: &SeatNo,
        to: Dialled,
    ) -> Result<(), u16> {
        match to {
            Dialled::Ours(number) => {
                let line = self.numbers.get(&number).and_then(|line| self.lines.get(*line)).ok_or(FORBIDDEN)?;
                let queue = line.queue.clone();
                return self.pass_to_queue(now, id, &queue);
            }
            Dialled::Language(key) => {
                let language = route::of_key(key, &self.settings.languages).ok_or(FORBIDDEN)?;
                let queue = language.queue.clone();
                return self.pass_to_queue(now, id, &queue);
            }
            Dialled::Call(Party::Outside(_)) if self.passes_enough(seat) => return Err(BUSY),
            Dialled::Call(to) => {
                self.can_be_called(seat, &to)?;
                self.pass_to_party(now, leg, id, seat, to);
            }
            Dialled::Feature(_) => return Err(FORBIDDEN),
            Dialled::Refused(why) => {
                tracing::warn!(%seat, ?why, "a seat may not pass a caller on to this");
                self.refusals.not_in_plan += 1;
                return Err(FORBIDDEN);
            }
        }
        Ok(())
    }

    /// Is there a phone, is it free, and have we room for the call?
    pub(super) fn can_be_called(&mut self, seat: &SeatNo, to: &Party) -> Result<(), u16> {
        match to {
            Party::Seat(other) if self.reached_by(other).is_none() => Err(AWAY),
            Party::Seat(other) if self.is_busy(seat, other) => Err(BUSY),
            to if !self.can_ring(to) => {
                self.refusals.overload += 1;
                Err(OVERLOAD)
            }
            _ => Ok(()),
        }
    }

    /// Into a line, if it takes the caller. Otherwise the phone is refused: had it a 202, it might hang up on that.
    fn pass_to_queue(&mut self, now: Instant, id: CallId, queue: &QueueName) -> Result<(), u16> {
        self.transfer(now, id, queue).map_err(|refused| {
            tracing::info!(call = %id, %refused, "the caller stays with the agent");
            if matches!(refused, Refused::QueueFull { .. }) { BUSY } else { AWAY }
        })
    }

    fn pass_to_party(&mut self, now: Instant, leg: LegId, id: CallId, seat: &SeatNo, to: Party) {
        let Some(call) = self.calls.get(&id) else { return };
        let from = sip_phone::from(call.caller(), &self.settings.domain);
        let (party, until) = (self.new_leg(), now + self.settings.dialling.ring_timeout);
        self.tell(now, leg, LegCommand::AcceptRefer);
        let mut out = Vec::new();
        if let Some(call) = self.calls.get_mut(&id) {
            call.pass_on(now, to.clone(), party, until, &mut out);
        }
        self.carry_out(now, id, out);
        self.call_party(now, id, party, &to, Shown { from, referred_by: Some(seat.clone()) });
    }

    /// The citizen and whom the agent has on the other line; that one need not have answered.
    fn pass_to_consulted(&mut self, now: Instant, asks: LegId, id: CallId, own: CallId) -> Result<(), u16> {
        let mut let_go = Vec::new();
        let consulted = self.own.get(&own).ok_or(FORBIDDEN)?;
        if matches!(consulted.to(), Party::Outside(_)) && self.passes_enough(consulted.seat()) {
            return Err(BUSY);
        }
        let consulted = self.own.get_mut(&own).ok_or(FORBIDDEN)?;
        let joined = consulted.join(now, &mut let_go).ok_or(FORBIDDEN)?;
        self.tell(now, asks, LegCommand::AcceptRefer);
        if let Some(Role::Dialler { .. }) = self.legs.get(&asks).map(|l| &l.role) {
            // Its leg is let go at once; that the citizen comes is certain enough.
            self.tell(now, asks, LegCommand::Referred(200));
        }
        if let Some(Role::Party { call, .. }) = self.legs.get_mut(&joined.leg).map(|l| &mut l.role) {
            *call = id;
        }
        if let Some(figures) = self.figures_due.get_mut(&joined.leg) {
            *figures = id;
        }
        let mut out = Vec::new();
        if let Some(call) = self.calls.get_mut(&id) {
            call.pass_on(now, joined.to, joined.leg, joined.rings_until.unwrap_or(now), &mut out);
        }
        self.carry_out(now, id, out);
        self.carry_out(now, own, let_go);
        if joined.rings_until.is_none() {
            self.call_input(now, id, CallInput::PartyAnswered { leg: joined.leg });
        }
        Ok(())
    }

    /// Only who is in conversation with the citizen, and on the leg of that conversation: an offer that was withdrawn has
    /// a dialog for a while yet, and the citizen may be talking with a colleague.
    fn may_pass(&self, id: CallId, leg: LegId) -> Result<(), u16> {
        let call = self.calls.get(&id).ok_or(FORBIDDEN)?;
        match call.talks_on() {
            // Somebody else is on the call: that is the page's to end.
            Some(talk) if talk == leg && call.third_party().is_some() => Err(PENDING),
            Some(talk) if talk == leg => Ok(()),
            None if call.is_passing() => Err(PENDING),
            _ => Err(FORBIDDEN),
        }
    }

    /// Has the seat as many callers out there as it may? Nobody of ours is there to end those calls.
    pub(super) fn passes_enough(&self, seat: &SeatNo) -> bool {
        let out = self.calls.values().filter(|call| call.passed_outside_by() == Some(seat)).count();
        out >= self.settings.dialling.passed_on_per_seat as usize
    }

    /// As for a call that a seat dials: for help always. A caller may still go to a colleague while we drain.
    fn can_ring(&self, to: &Party) -> bool {
        match to {
            Party::Emergency(_) => true,
            Party::Outside(_) => self.service != Service::Draining && self.has_room(),
            Party::Seat(_) => self.has_room(),
        }
    }

    /// Is this URI's host ours: our domain, or an address we are spoken to at?
    fn is_here(&self, uri: &[u8]) -> bool {
        let Ok(uri) = Uri::parse(uri) else { return false };
        let ours = |ip| self.listening.iter().any(|listener| listener.address.ip().to_canonical() == ip);
        uri.host.eq_ignore_ascii_case(self.settings.domain.as_bytes()) || uri.ip().is_some_and(ours)
    }

    /// The seat's own call by its phone's dialog.
    fn own_of(&self, seat: &SeatNo, dialog: &Replaces) -> Result<CallId, u16> {
        let found = self.legs.at(seat).find_map(|(_, leg)| match &leg.role {
            Role::Dialler { call, .. } if leg.is(dialog) => Some(*call),
            _ => None,
        });
        found.ok_or(FORBIDDEN)
    }

    /// The citizen's call by the dialog of the phone at this seat, and which leg of it that is.
    fn call_of(&self, seat: &SeatNo, dialog: &Replaces) -> Result<(LegId, CallId), u16> {
        let found = self.legs.at(seat).find_map(|(id, leg)| match &leg.role {
            Role::Seat { call, .. } if leg.is(dialog) => Some((id, *call)),
            _ => None,
        });
        found.ok_or(FORBIDDEN)
    }

    /// The caller has been put through to this leg, which may have its far end on hold.
    pub(super) fn landed(&mut self, now: Instant, id: CallId, leg: LegId) {
        self.taken_over(now, id, leg);
        let media = self.legs.get(&leg).and_then(Leg::session).and_then(|session| session.media());
        if let Some(direction) = media.map(|media| media.direction).filter(|direction| !direction.sends()) {
            self.call_input(now, id, CallInput::SeatMedia { leg, direction });
        }
        if self.legs.get(&leg).is_some_and(|known| known.device.is_without_page()) {
            self.call_input(now, id, CallInput::SeatAudio { leg, there: false });
        }
    }

    /// Where an agent sits it is that agent's call.
    fn taken_over(&mut self, now: Instant, id: CallId, leg: LegId) {
        let Some(Role::Party { seat: Some(seat), .. }) = self.legs.get(&leg).map(|l| l.role.clone()) else { return };
        let (Some(agent), Some(request)) = (self.acd.agent_at(&seat).cloned(), self.request_again(id)) else { return };
        if let Err(refused) = self.acd.handle(now, AcdInput::Taken { request, agent: agent.clone() }) {
            tracing::warn!(call = %id, %refused, "the caller talks with a seat whose agent is not free");
            return;
        }
        // Told before the call says whom it has: a wrap-up that ends here is the agent's last call's.
        while let Some(event) = self.acd.next_agent_event() {
            self.outputs.push_back(Output::Agent(event));
        }
        if let Some(known) = self.legs.get_mut(&leg) {
            known.role = Role::Seat { call: id, agent: agent.clone(), seat: seat.clone() };
        }
        self.seat_free(now, &seat);
        let mut out = Vec::new();
        if let Some(call) = self.calls.get_mut(&id) {
            call.landed(now, agent, seat, &mut out);
        }
        self.carry_out(now, id, out);
    }

    /// Nobody has the caller any more: into the line again, at the first time of asking, whatever room
    /// there is.
    pub(super) fn back_in_line(&mut self, now: Instant, id: CallId, why: Why) {
        let Some(request) = self.request_again(id) else { return };
        let taken = self.acd.handle(now, AcdInput::PutBack(request));
        let position = self.position(id);
        let mut out = Vec::new();
        if let Some(call) = self.calls.get_mut(&id) {
            match taken {
                Ok(()) => {
                    let prompts = spoken::please_wait(language(&call.terms().queue));
                    call.back(now, why, position, prompts, &mut out);
                }
                // A queue that is there no more: of another configuration's.
                Err(_) => call.refused(now, EndCause::OurFault, &mut out),
            }
        }
        self.carry_out(now, id, out);
    }

    /// What this caller asked for first.
    pub(super) fn request_again(&self, id: CallId) -> Option<Request> {
        let call = self.calls.get(&id)?;
        Some(Request {
            call: id,
            queue: call.terms().queue.name.clone(),
            since: call.since(),
            priority: call.terms().priority,
            preferred: None,
            waits: Waits::OnTheLine,
        })
    }
}
