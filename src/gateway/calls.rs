//! Calls: between the citizen's leg, the distributor and the seat.

use super::legs::{Leg, Role};
use super::timers::Alarm;
use super::{Gateway, Output};
use crate::acd::{AcdInput, AcdOutput};
use crate::call::{Attempt, Call, CallInput, CallOutput, Distributor, OwnCall};
use crate::event::{AgentState, CallFact, EndCause, NotReadyReason, OfferEnd, Purpose};
use crate::ids::{CallId, LegId, TrunkName};
use crate::leg::{Incoming, LegCommand, LegEnd, Place};
use crate::plane::MediaCommand;
use crate::screen::ReachedBy;
use crate::seat::sip_phone;
use crate::sip::endpoint::ServerTx;
use crate::sip::flow::Flow;
use crate::sip::message::{Builder, Message, Name, reason_phrase};
use crate::sip::reason;
use crate::sip::session::{Context, SERVER, Session, Target};
use crate::time::Instant;
use crate::trunk;
use std::time::Duration;

/// A phone that has not confirmed our CANCEL in this time is not reachable.
const CLEARING: Duration = Duration::from_secs(5);

/// What ports there are, are in calls: one is free again when one ends.
const NO_PORT_PAUSE: Duration = Duration::from_secs(1);

impl Gateway {
    /// An admitted trunk's INVITE; `leg` holds its channel.
    pub(super) fn call_arrives(&mut self, now: Instant, flow: Flow, msg: &Message<'_>, trunk: TrunkName, leg: LegId) {
        let tx = self.endpoint.accept(now, flow, msg);
        let Some(settings) = self.trunks.get(&trunk) else { return };
        let (codecs, dtmf, answer) =
            (settings.profile.codecs.clone(), settings.profile.dtmf_payload_type, settings.profile.answer);
        let (reliable, srtp, peers) = (settings.profile.reliable, settings.srtp, settings.peers.clone());
        let ours = |number: &str| self.numbers.contains_key(number);
        let incoming = trunk::incoming(leg, settings, &self.settings.area_code, msg, ours);
        let id = self.new_call();

        let Some(line) = self.numbers.get(&incoming.dnis).copied() else {
            self.refusals.unknown_number += 1;
            return self.not_served(now, id, tx, flow, msg, incoming, 404, EndCause::UnknownNumber);
        };
        let tag = self.tag(leg);
        let Some(local) = self.open_media(flow, leg, codecs, dtmf, srtp) else {
            return self.not_served(now, id, tx, flow, msg, incoming, 503, EndCause::OurFault);
        };
        let (mut session, negotiated) = match Session::incoming(leg.0, tag, flow, tx, msg, local) {
            Ok(accepted) => accepted,
            Err(_) => {
                self.refusals.not_acceptable += 1;
                self.close_media(leg);
                return self.not_served(now, id, tx, flow, msg, incoming, 488, EndCause::TrunkFault);
            }
        };
        session.set_reliable(reliable);
        if let Some(subscriber) = self.called_line(&trunk, msg) {
            session.sign_as(subscriber);
        }
        session.follow_route(&peers, &self.listening, self.trunks.named_hops(&trunk));
        self.legs.insert(leg, Leg::sip(Role::Caller { call: id }, session, Some(tx)));
        self.callers.insert(super::requests::caller_key(msg), leg);
        self.invites.insert(tx, leg);
        self.figures_due.insert(leg, id);
        if let Some(media) = negotiated {
            self.connect_media(leg, media);
        }
        self.start_call(now, id, incoming, line, answer);
    }

    /// A call that ends before it begins still is one call with one cause.
    #[allow(clippy::too_many_arguments)]
    fn not_served(
        &mut self,
        now: Instant,
        id: CallId,
        tx: ServerTx,
        flow: Flow,
        msg: &Message<'_>,
        incoming: Incoming,
        status: u16,
        cause: EndCause,
    ) {
        self.trunks.release(incoming.leg);
        self.respond_once(now, tx, flow, msg, status);
        let cli = if incoming.caller.withheld { None } else { incoming.caller.e164 };
        let Incoming { trunk, dnis, sip_call_id, forwarded, .. } = incoming;
        let (tenant, purpose) = (self.settings.tenant.clone(), Purpose::Inbound);
        let arrived =
            CallFact::Arrived { trunk, dnis, cli, sip_call_id, test_call: false, tenant, line: None, purpose };
        self.emit(now, id, arrived);
        if let Some(forwarded) = forwarded {
            self.emit(now, id, CallFact::Forwarded(forwarded));
        }
        let zero = Duration::ZERO;
        self.emit(now, id, CallFact::Ended { cause, queue: None, skill: None, wait: zero, talk: zero, hold: zero });
    }

    pub(super) fn respond_once(&mut self, now: Instant, tx: ServerTx, flow: Flow, msg: &Message<'_>, status: u16) {
        let tag = self.tokens.token();
        let b = Builder::response(msg, status, reason_phrase(status), Some(tag.as_bytes()), flow.remote);
        let b = reason::explain(b.header(Name::Server, SERVER), status);
        self.endpoint.respond(now, tx, status, b.finish());
    }

    pub(super) fn call_input(&mut self, now: Instant, id: CallId, input: CallInput) {
        let mut out = Vec::new();
        match (self.calls.get_mut(&id), self.own.get_mut(&id)) {
            (Some(call), _) => call.handle(now, input, &mut out),
            (None, Some(own)) => own.handle(now, input, &mut out),
            (None, None) => return self.attempt_input(now, id, input),
        }
        self.carry_out(now, id, out);
    }

    /// The drain's time is over.
    pub(super) fn end_calls(&mut self, now: Instant) {
        self.drain(now);
        let all = self.calls.keys().chain(self.attempts.keys()).chain(self.own.keys());
        for call in all.copied().collect::<Vec<_>>() {
            self.call_input(now, call, CallInput::ForcedEnd);
            self.distribute(now);
        }
        // Not sooner: carriers end a subscriber's calls with its registration.
        self.unregister_accounts(now);
    }

    pub(super) fn seat_answered(&mut self, now: Instant, call: CallId, leg: LegId) {
        if self.calls.contains_key(&call) || self.attempts.contains_key(&call) {
            self.call_input(now, call, CallInput::SeatAnswered { leg });
        } else {
            // The caller is gone and the phone won the race with our CANCEL.
            self.tell(now, leg, LegCommand::Hangup(crate::leg::HangupReason::Withdrawn));
        }
    }

    pub(super) fn carry_out(&mut self, now: Instant, id: CallId, out: Vec<CallOutput>) {
        for output in out {
            match output {
                CallOutput::Fact(fact) => {
                    self.callback_fact(now, id, &fact);
                    self.remember(now, id, &fact);
                    self.record(id, &fact);
                    self.emit(now, id, fact);
                }
                CallOutput::Tell { leg, command } => self.tell(now, leg, command),
                CallOutput::Place(place) => self.place(now, id, place),
                CallOutput::Dial { leg, number } => self.dial(now, id, leg, &number),
                CallOutput::SetSource { leg, source } => {
                    self.outputs.push_back(Output::Media(MediaCommand::SetSource { leg, source }))
                }
                CallOutput::CloseMedia { leg } => self.close_media(leg),
                CallOutput::OpenTicket(ticket) => self.outputs.push_back(Output::OpenTicket(ticket)),
                CallOutput::Distributor(told) => self.tell_distributor(now, id, told),
                CallOutput::Ask(ask) => self.asked(now, id, ask),
                CallOutput::Over => self.call_over(now, id),
            }
        }
        self.own_call_shows(id);
        let alarm = self.calls.get(&id).and_then(Call::next_timeout);
        let alarm = alarm.or_else(|| self.attempts.get(&id).and_then(Attempt::next_timeout));
        let alarm = alarm.or_else(|| self.own.get(&id).and_then(OwnCall::next_timeout));
        self.timers.set(Alarm::Call(id), alarm);
    }

    fn call_over(&mut self, now: Instant, id: CallId) {
        if self.calls.remove(&id).is_none() && self.own.remove(&id).is_none() {
            self.attempt_over(now, id);
        }
    }

    fn tell_distributor(&mut self, now: Instant, call: CallId, told: Distributor) {
        let input = match told {
            Distributor::Answered => AcdInput::Answered { call },
            Distributor::OfferFailed(why) => AcdInput::OfferFailed { call, why },
            Distributor::Leave => AcdInput::Leave { call },
            Distributor::Held => AcdInput::Held { call },
            Distributor::Resumed => AcdInput::Resumed { call },
            Distributor::TalkEnded => AcdInput::TalkEnded { call },
            Distributor::SeatDead => AcdInput::SeatDead { call },
            Distributor::NotReached => AcdInput::NotReached { call },
            Distributor::LeaveAfter(leg) => match self.legs.get(&leg).map(|l| l.role.clone()) {
                Some(Role::Seat { agent, seat, .. }) => {
                    self.clearing.insert(leg, (agent, seat));
                    self.timers.set(Alarm::Clearing(leg), Some(now + CLEARING));
                    AcdInput::LeaveRinging { call }
                }
                _ => AcdInput::Leave { call },
            },
        };
        let over = matches!(input, AcdInput::TalkEnded { .. } | AcdInput::NotReached { .. });
        // The distributor may have acted first (offer timed out, seat lost): then there is nothing left to tell. But a
        // call that is over must not stay in the line.
        if self.acd.handle(now, input).is_err() && over {
            let _ = self.acd.handle(now, AcdInput::Leave { call });
        }
    }

    /// The seat of a withdrawn offer has stopped ringing.
    pub(super) fn cleared(&mut self, now: Instant, leg: LegId) {
        if let Some((_, seat)) = self.clearing.remove(&leg) {
            self.timers.set(Alarm::Clearing(leg), None);
            let _ = self.acd.handle(now, AcdInput::SeatQuiet { seat });
        }
    }

    /// The seat does not answer our CANCEL: its agent is not ready, before the next call finds out.
    pub(super) fn never_cleared(&mut self, now: Instant, leg: LegId) {
        if let Some((agent, _)) = self.clearing.remove(&leg) {
            let reason = NotReadyReason::Unreachable;
            let _ = self.acd.handle(now, AcdInput::NotReady { agent, reason });
        }
    }

    /// What the distributor decided.
    pub(super) fn distributed(&mut self, now: Instant, output: AcdOutput) {
        match output {
            AcdOutput::Offer { call, agent, seat, chosen } => {
                let leg = self.new_leg();
                let waits = self.calls.get(&call).is_some_and(Call::is_waiting);
                if self.attempts.contains_key(&call) {
                    self.attempt_offered(now, call, agent, seat, leg, chosen);
                } else if waits {
                    self.call_input(now, call, CallInput::Offered { agent, seat, leg, chosen });
                } else {
                    // Not in the line any more: the distributor must not keep an agent for it.
                    tracing::error!(%call, %agent, "the distributor offered a call that does not wait");
                    let _ = self.acd.handle(now, AcdInput::Leave { call });
                }
            }
            AcdOutput::OfferTimedOut { call, .. } => {
                self.call_input(now, call, CallInput::OfferRevoked(OfferEnd::NoAnswer))
            }
            AcdOutput::OfferWithdrawn { call, .. } => {
                self.call_input(now, call, CallInput::OfferRevoked(OfferEnd::Withdrawn))
            }
            AcdOutput::QueueTimeout { call } => self.call_input(now, call, CallInput::QueueTimeout),
            AcdOutput::Relaxed { call, step } => self.call_input(now, call, CallInput::Relaxed { step }),
            AcdOutput::OverflowDue { call } => self.overflow(now, call),
            AcdOutput::Agent(event) => {
                let gone = (event.state == AgentState::LoggedOut).then(|| event.agent.clone());
                self.outputs.push_back(Output::Agent(event));
                if let Some(agent) = gone {
                    self.leaves_seat(now, &agent);
                }
            }
        }
    }

    /// No port for the seat's leg: no fault of the agent's, and the next one's leg would have none either.
    fn no_port(&mut self, now: Instant, call: CallId) {
        tracing::error!(%call, "no RTP port is free, so that no seat can be rung: raise media.pairs");
        // Before the call hears of it, which may have wishes of its own then.
        let _ = self.acd.handle(now, AcdInput::CannotRing { call, until: now + NO_PORT_PAUSE });
        self.call_input(now, call, CallInput::OfferRevoked(OfferEnd::Withdrawn));
    }

    /// Rings a seat.
    fn place(&mut self, now: Instant, call: CallId, place: Place) {
        let leg = place.leg;
        if self.reached_by(&place.seat) == Some(ReachedBy::Browser) {
            return self.place_in_browser(now, call, place);
        }
        let Some(binding) = self.registrar.lookup(&place.seat) else {
            return self.call_input(now, call, CallInput::SeatEnded { leg, end: LegEnd::Unreachable });
        };
        let (flow, contact, route) = (binding.flow, binding.uri.clone(), binding.path.clone());
        let how = self.spoken_by(&place.seat, binding);
        let Some(local) = self.open_seat_media(flow, leg, &place.seat, how) else {
            return match self.ports.free() {
                0 => self.no_port(now, call),
                _ => self.call_input(now, call, CallInput::SeatEnded { leg, end: LegEnd::Unreachable }),
            };
        };
        self.figures_due.insert(leg, call);
        let tag = self.tag(leg);
        let mut headers = sip_phone::headers(&place);
        headers.extend(self.attempts.get(&call).and_then(|a| sip_phone::callback_header(a.terms().purpose)));
        let target = sip_phone::target(&place, &self.settings.domain, flow, &contact, &headers);
        let target = Target { route, ..target };
        let mut events = Vec::new();
        let mut cx = Context { now, endpoint: &mut self.endpoint, tokens: &mut self.tokens, events: &mut events };
        let session = Session::place(&mut cx, leg.0, tag, target, local);
        let sip_call_id = String::from_utf8_lossy(&session.dialog().call_id).into_owned();
        let role = Role::Seat { call, agent: place.agent, seat: place.seat };
        self.legs.insert(leg, Leg::sip(role, session, None));
        if let Some(call) = self.calls.get_mut(&call) {
            call.seat_placed(leg, sip_call_id);
        } else if let Some(attempt) = self.attempts.get_mut(&call) {
            attempt.placed(leg, sip_call_id);
        }
    }
}
