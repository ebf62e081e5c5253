//! Calling a citizen back: what an attempt does until the citizen answers, when it becomes a [`Call`] like any other.
//! Belongs here: the agent first, then the citizen; what the agent hears meanwhile. Not here: whom to call and when
//! (`callback`), the conversation (`talk`).
//!
//! Invariants: the citizen's phone rings only while an agent is there; every attempt that does not become a call ends
//! with one `Ended`, its last fact.

use super::path::Path;
use super::ringing::{let_go, offer_end, stop_ringing};
use super::{Asked, Audio, Call, CallInput, CallOutput, Distributor, Seat, State, Terms};
use crate::event::{CallFact, CallbackEntry, CallbackKind, Chosen, EndCause, OfferEnd, Purpose, Why};
use crate::ids::{AgentNo, CallId, LegId, SeatNo, TrunkName};
use crate::leg::{Caller, HangupReason, Incoming, LegCommand, Place};
use crate::plane::Source;
use crate::screen::{self, CallScreen, purpose_word};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long the agent hears that the citizen was not reached.
const TELL_AGENT: Duration = Duration::from_secs(3);

/// A call of ours to a citizen who has not answered yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempt {
    id: CallId,
    /// E.164.
    number: String,
    dnis: String,
    trunk: TrunkName,
    terms: Terms,
    route: Path,
    /// How long the citizen's phone rings.
    ring_timeout: Duration,
    arrived_at: Instant,
    /// The place in the order, which a citizen who is passed on keeps.
    since: Instant,
    state: Stage,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Stage {
    /// Has its place in the line; nobody hears anything.
    InLine,
    /// An agent's seat rings. `citizen` is the leg kept for the citizen.
    Ringing {
        seat: Seat,
        citizen: LegId,
    },
    /// The agent hears ring-back, the citizen's phone rings.
    Calling {
        seat: Seat,
        citizen: LegId,
        sip_call_id: String,
        until: Instant,
    },
    /// The agent hears that the citizen was not reached.
    Failed {
        seat: Seat,
        until: Instant,
    },
    Over,
}

impl Attempt {
    /// The distributor has it in line. `entry.number` is to be called by `trunk`.
    pub fn begin(
        now: Instant,
        id: CallId,
        entry: CallbackEntry,
        trunk: TrunkName,
        terms: Terms,
        ring_timeout: Duration,
        out: &mut Vec<CallOutput>,
    ) -> Attempt {
        let CallbackEntry { number, dnis, since, .. } = entry;
        out.push(CallOutput::Fact(CallFact::Arrived {
            trunk: trunk.clone(),
            dnis: dnis.clone(),
            cli: Some(number.clone()),
            sip_call_id: String::new(),
            test_call: false,
            tenant: terms.tenant.clone(),
            line: terms.line.clone(),
            purpose: terms.purpose,
        }));
        out.push(CallOutput::Fact(CallFact::Queued {
            queue: terms.queue.name.clone(),
            skill: terms.queue.skill.clone(),
            // No caller's position: nobody waits on the line.
            position: 0,
            why: Why::Callback,
        }));
        let mut route = Path::default();
        route.first(&dnis, terms.line.as_ref(), &terms.queue.name, &Why::Callback);
        let state = Stage::InLine;
        Attempt { id, number, dnis, trunk, terms, route, ring_timeout, arrived_at: now, since, state }
    }

    /// The distributor chose an agent: `leg` will ring the seat, `citizen` the citizen.
    #[allow(clippy::too_many_arguments)] // one event's fields
    pub fn offered(
        &mut self,
        now: Instant,
        agent: AgentNo,
        seat: SeatNo,
        leg: LegId,
        citizen: LegId,
        chosen: Chosen,
        out: &mut Vec<CallOutput>,
    ) {
        out.push(CallOutput::Fact(CallFact::Offered { agent: agent.clone(), seat: seat.clone(), leg, chosen }));
        out.push(CallOutput::Place(Place {
            leg,
            agent: agent.clone(),
            seat: seat.clone(),
            caller: self.citizen(),
            call_id: self.id.to_string(),
        }));
        self.state = Stage::Ringing { seat: Seat::new(agent, seat, leg, chosen, now), citizen };
    }

    pub fn handle(&mut self, now: Instant, input: CallInput, out: &mut Vec<CallOutput>) {
        use CallInput as In;
        let state = std::mem::replace(&mut self.state, Stage::Over);
        self.state = match (state, input) {
            (Stage::Over, _) => Stage::Over,

            (Stage::InLine, In::Withdrawn) => self.leave(now, EndCause::NotReached, out),
            (Stage::InLine, In::ForcedEnd) => self.leave(now, EndCause::OurFault, out),

            (Stage::Ringing { seat, .. }, In::OfferRevoked(why)) => {
                stop_ringing(&seat, why, out);
                Stage::InLine
            }
            (Stage::Ringing { seat, .. }, In::SeatEnded { leg, end }) if leg == seat.leg => {
                let why = offer_end(end);
                out.push(CallOutput::CloseMedia { leg });
                out.push(CallOutput::Fact(CallFact::OfferEnded { agent: seat.agent, why }));
                out.push(CallOutput::Distributor(Distributor::OfferFailed(why)));
                Stage::InLine
            }
            (Stage::Ringing { seat, citizen }, In::SeatAnswered { leg }) if leg == seat.leg => {
                out.push(CallOutput::Distributor(Distributor::Answered));
                // A phone waits 32 s for its ACK, a citizen's may ring for longer: here the ticket is not waited for.
                out.push(CallOutput::Tell { leg, command: LegCommand::Acknowledge });
                out.push(CallOutput::SetSource { leg, source: Source::RingBack });
                out.push(CallOutput::Dial { leg: citizen, number: self.number.clone() });
                Stage::Calling { seat, citizen, sip_call_id: String::new(), until: now + self.ring_timeout }
            }
            (Stage::Ringing { seat, .. }, end @ (In::Withdrawn | In::ForcedEnd)) => {
                stop_ringing(&seat, OfferEnd::Withdrawn, out);
                out.push(CallOutput::Distributor(Distributor::LeaveAfter(seat.leg)));
                let cause = if end == In::Withdrawn { EndCause::NotReached } else { EndCause::OurFault };
                self.end(now, cause, out)
            }

            // What the carrier plays tells the agent more than a ring-back of ours: engaged, switched off, abroad.
            (Stage::Calling { seat, citizen, sip_call_id, until }, In::EarlyMedia { leg }) if leg == citizen => {
                out.push(CallOutput::SetSource { leg: seat.leg, source: Source::Leg(leg) });
                Stage::Calling { seat, citizen, sip_call_id, until }
            }

            (Stage::Calling { mut seat, citizen, sip_call_id, until }, In::SeatAudio { leg, there }) => {
                if leg == seat.leg {
                    seat.audio = Audio::of(there);
                }
                Stage::Calling { seat, citizen, sip_call_id, until }
            }

            // Busy, refused, no answer: the citizen's leg is over by itself.
            (Stage::Calling { seat, citizen, .. }, In::CallerEnded(_)) => {
                out.push(CallOutput::CloseMedia { leg: citizen });
                failed(now, seat, out)
            }
            (Stage::Calling { seat, citizen, until, .. }, In::Timeout) if now >= until => {
                give_up(citizen, out);
                failed(now, seat, out)
            }
            (Stage::Calling { seat, citizen, .. }, In::Withdrawn) => {
                give_up(citizen, out);
                failed(now, seat, out)
            }
            (Stage::Calling { seat, citizen, .. }, In::SeatEnded { leg, .. }) if leg == seat.leg => {
                give_up(citizen, out);
                self.let_agent_go(now, seat, EndCause::NotReached, out)
            }
            (Stage::Calling { seat, citizen, .. }, In::RtpTimeout { .. }) => {
                give_up(citizen, out);
                self.let_agent_go(now, seat, EndCause::NotReached, out)
            }
            (Stage::Calling { seat, citizen, .. }, In::ForcedEnd) => {
                give_up(citizen, out);
                self.let_agent_go(now, seat, EndCause::OurFault, out)
            }

            (Stage::Failed { seat, until }, In::Timeout) if now >= until => {
                self.let_agent_go(now, seat, EndCause::NotReached, out)
            }
            (Stage::Failed { seat, .. }, In::SeatEnded { leg, .. }) if leg == seat.leg => {
                self.let_agent_go(now, seat, EndCause::NotReached, out)
            }
            (Stage::Failed { seat, .. }, In::PlayEnded | In::RtpTimeout { .. } | In::ForcedEnd) => {
                self.let_agent_go(now, seat, EndCause::NotReached, out)
            }

            // A phone that answers after its offer ended: let it go.
            (state, In::SeatAnswered { leg }) => {
                let_go(leg, out);
                state
            }
            (state, In::Relaxed { step }) => {
                self.route.relaxed(step);
                out.push(CallOutput::Fact(CallFact::Relaxed { step }));
                state
            }
            (state, In::NoAudio { leg }) => {
                out.push(CallOutput::Fact(CallFact::NoAudio { leg }));
                state
            }
            (state, _) => state,
        };
    }

    /// There is no room for the call now: it leaves the line before a seat rings, to come again later.
    pub fn put_off(&mut self, now: Instant, out: &mut Vec<CallOutput>) {
        self.state = self.leave(now, EndCause::OurFault, out);
    }

    /// The citizen answered on `leg`: from here on a call with its pickup under way. `None` if that is not awaited.
    pub fn reached(&mut self, now: Instant, leg: LegId, out: &mut Vec<CallOutput>) -> Option<Call> {
        let Stage::Calling { seat, citizen, sip_call_id, .. } = &self.state else { return None };
        if *citizen != leg {
            return None;
        }
        let (seat, sip_call_id) = (seat.clone(), sip_call_id.clone());
        self.state = Stage::Over;
        let incoming = Incoming {
            leg,
            trunk: self.trunk.clone(),
            dnis: self.dnis.clone(),
            caller: self.citizen(),
            forwarded: None,
            sip_call_id,
            icid: None,
        };
        let mut call = Call {
            id: self.id,
            incoming,
            asked: Some(Asked { at: self.arrived_at, within: self.terms.queue.within }),
            been: vec![self.terms.queue.name.clone()],
            terms: self.terms.clone(),
            arrived_at: self.arrived_at,
            state: State::Arrived,
            heard: true,
            before: None,
            route: self.route.clone(),
            choices: 0,
            digits: 0,
            since: self.since,
        };
        out.push(CallOutput::Tell { leg, command: LegCommand::Acknowledge });
        call.state = call.open_ticket(now, seat, out);
        Some(call)
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        match &self.state {
            Stage::Calling { until, .. } | Stage::Failed { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// In line, no seat ringing.
    pub fn is_in_line(&self) -> bool {
        matches!(self.state, Stage::InLine)
    }

    /// An agent's seat rings.
    pub fn is_ringing(&self) -> bool {
        matches!(self.state, Stage::Ringing { .. })
    }

    /// Holds legs: a seat's, a citizen's.
    pub fn is_engaged(&self) -> bool {
        matches!(self.state, Stage::Ringing { .. } | Stage::Calling { .. } | Stage::Failed { .. })
    }

    /// As the agent sees it whom it rings, or who waits for the citizen.
    pub fn screen(&self) -> CallScreen {
        let stage = match &self.state {
            Stage::InLine | Stage::Over => screen::Stage::Waiting,
            Stage::Ringing { .. } => screen::Stage::Ringing,
            Stage::Calling { .. } | Stage::Failed { .. } => screen::Stage::Calling,
        };
        CallScreen {
            call: self.id,
            stage,
            caller: Some(self.number.clone()),
            withheld: false,
            dnis: self.dnis.clone(),
            line: self.terms.line.clone(),
            queue: self.terms.queue.name.clone(),
            skill: self.terms.queue.skill.clone(),
            purpose: purpose_word(self.terms.purpose),
            test: self.terms.test,
            asked: self.since,
            answered: None,
            path: self.route.as_str().to_owned(),
            party: None,
            unreached: None,
        }
    }

    /// E.164.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// It goes out by this trunk, which need not be the one it was meant for.
    pub fn goes_by(&mut self, trunk: TrunkName) {
        self.trunk = trunk;
    }

    /// The leg kept for the citizen, or ringing there.
    pub fn citizen_leg(&self) -> Option<LegId> {
        match &self.state {
            Stage::Ringing { citizen, .. } | Stage::Calling { citizen, .. } => Some(*citizen),
            Stage::InLine | Stage::Failed { .. } | Stage::Over => None,
        }
    }

    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The SIP Call-ID of one of its legs, known once its INVITE has been written.
    pub fn placed(&mut self, leg: LegId, id: String) {
        match &mut self.state {
            Stage::Ringing { seat, .. } if seat.leg == leg => seat.sip_call_id = id,
            Stage::Calling { citizen, sip_call_id, .. } if *citizen == leg => *sip_call_id = id,
            _ => {}
        }
    }

    fn citizen(&self) -> Caller {
        Caller { raw: None, e164: Some(self.number.clone()), withheld: false }
    }

    fn leave(&self, now: Instant, cause: EndCause, out: &mut Vec<CallOutput>) -> Stage {
        out.push(CallOutput::Distributor(Distributor::Leave));
        self.end(now, cause, out)
    }

    /// The agent is free again at once: there was no conversation to write up.
    fn let_agent_go(&self, now: Instant, seat: Seat, cause: EndCause, out: &mut Vec<CallOutput>) -> Stage {
        let leg = seat.leg;
        out.push(CallOutput::Tell { leg, command: LegCommand::Hangup(HangupReason::Normal) });
        out.push(CallOutput::CloseMedia { leg });
        out.push(CallOutput::Distributor(Distributor::NotReached));
        self.end(now, cause, out)
    }

    fn end(&self, now: Instant, cause: EndCause, out: &mut Vec<CallOutput>) -> Stage {
        let queue = &self.terms.queue;
        out.push(CallOutput::Fact(CallFact::Ended {
            cause,
            queue: Some(queue.name.clone()),
            skill: Some(queue.skill.clone()),
            wait: now - self.arrived_at,
            talk: Duration::ZERO,
            hold: Duration::ZERO,
        }));
        out.push(CallOutput::Over);
        Stage::Over
    }
}

fn give_up(citizen: LegId, out: &mut Vec<CallOutput>) {
    out.push(CallOutput::Tell { leg: citizen, command: LegCommand::Hangup(HangupReason::Normal) });
    out.push(CallOutput::CloseMedia { leg: citizen });
}

fn failed(now: Instant, seat: Seat, out: &mut Vec<CallOutput>) -> Stage {
    let source = Source::Play { prompts: vec!["beep-error".into()], then: Box::new(Source::Silence) };
    out.push(CallOutput::SetSource { leg: seat.leg, source });
    Stage::Failed { seat, until: now + TELL_AGENT }
}

/// What a call for this entry is for.
pub fn purpose(entry: &CallbackEntry) -> Purpose {
    match entry.kind {
        CallbackKind::Promised => Purpose::Callback { of: entry.of },
        CallbackKind::Missed => Purpose::MissedCall { of: entry.of },
    }
}
