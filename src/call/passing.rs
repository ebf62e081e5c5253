//! An agent passes the caller on to somebody: a colleague's seat, or whoever is dialled. Belongs here: from the asking to
//! that party's answer, what becomes of the caller if there is none, and the talk with a party who is no agent. Not here:
//! passing on into a queue (`transfer`), reading what the phone asked (`sip::session`), whom it may name (`gateway`).
//!
//! Invariant: the caller is never lost. Until the party answers the caller is the agent's; if that one is gone by then,
//! the caller's place is in the line again, at the time of the first call; and so it is if the seat they went to is lost.

use super::own::{for_phone, unsaid};
use super::ringing;
use super::talk::Talk;
use super::{Ask, Before, Call, CallInput, CallOutput, Distributor, Seat, State};
use crate::event::{CallFact, Chosen, EndCause, Party, Why};
use crate::ids::{AgentNo, LegId, SeatNo};
use crate::leg::{HangupReason, LegCommand, LegEnd};
use crate::plane::{PromptId, Source};
use crate::screen::Unreached;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A phone that says BYE so soon after the caller came back to it, or was refused to it, may have sent it on its way out,
/// before it knew; or takes the refusal for the end.
const CROSSING: Duration = Duration::from_secs(4);

/// The agent has thought better of it.
const TAKEN_BACK: u16 = 487;

/// The party is being called; the caller hears ring-back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Passing {
    pub(super) by: By,
    /// The agent's seat.
    pub(super) from: SeatNo,
    pub(super) to: Party,
    pub(super) leg: LegId,
    pub(super) since: Instant,
    /// Nobody rings longer.
    pub(super) until: Instant,
    /// How the party refused, said just before its leg ends.
    pub(super) refused: Option<u16>,
}

/// Who passes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum By {
    /// Still there, and has the caller again if it comes to nothing.
    Agent(Box<Talk>),
    /// Has hung up.
    Gone(AgentNo),
}

/// The caller talks with a party who is no agent of the distributor's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Away {
    pub(super) leg: LegId,
    /// When it was asked for.
    pub(super) since: Instant,
    pub(super) to: Party,
    /// The agent who passed the caller on there, and the seat.
    by: AgentNo,
    from: SeatNo,
    /// When the talk has to end: one with somebody outside takes a channel, and may cost money, with nobody of ours there to
    /// end it.
    pub(super) until: Option<Instant>,
}

impl Away {
    /// The seat's phone or page is gone, and nobody there hung up.
    fn is_lost_by(&self, input: &CallInput) -> bool {
        matches!(self.to, Party::Seat(_)) && is_dead(self.leg, input)
    }
}

/// Has the phone or page with this leg died? It answers nothing any more, knows nothing of the call, or sends no audio;
/// who hangs up is none of these.
pub(super) fn is_dead(dead: LegId, input: &CallInput) -> bool {
    match input {
        CallInput::SeatEnded { leg, end } | CallInput::PartyEnded { leg, end } => {
            *leg == dead && *end != LegEnd::HungUp
        }
        CallInput::RtpTimeout { leg } => *leg == dead,
        _ => false,
    }
}

impl Talk {
    /// It is the agent's side that goes.
    pub(super) fn is_left_by(&self, input: &CallInput) -> bool {
        matches!(input, CallInput::SeatEnded { leg, .. } | CallInput::RtpTimeout { leg } if *leg == self.seat.leg)
    }

    /// The phone has gone, and nobody wanted to end the call: it is dead, or the caller came back so shortly before that
    /// it cannot know. Why the caller is in line again, then.
    pub(super) fn has_left_unknowing(&self, now: Instant, input: &CallInput) -> Option<Why> {
        if is_dead(self.seat.leg, input) {
            return Some(Why::SeatLost);
        }
        let crossed = self.is_left_by(input) && self.back_at.is_some_and(|back| now <= back + CROSSING);
        crossed.then(|| Why::Agent(self.seat.agent.clone()))
    }
}

impl Call {
    /// The agent in conversation asks that the caller go to `to`, whose leg will be `leg`, or is already up.
    pub fn pass_on(&mut self, now: Instant, to: Party, leg: LegId, until: Instant, out: &mut Vec<CallOutput>) {
        let Some((mut talk, ())) = self.take_talk(|_| Some(())) else { return };
        self.change(now, &mut talk, out, |talk, out| talk.clear(out));
        talk.unreached = None;
        out.push(CallOutput::Fact(CallFact::PassingOn { agent: talk.seat.agent.clone(), to: to.clone() }));
        out.push(CallOutput::SetSource { leg: self.incoming.leg, source: Source::RingBack });
        let from = talk.seat.seat.clone();
        self.state =
            State::Passing(Passing { by: By::Agent(Box::new(talk)), from, to, leg, since: now, until, refused: None });
    }

    /// The seat that has passed the caller on to somebody outside, who rings or talks with them.
    pub fn passed_outside_by(&self) -> Option<&SeatNo> {
        match &self.state {
            State::Passing(Passing { to: Party::Outside(_), from, .. }) => Some(from),
            State::Away(Away { to: Party::Outside(_), from, .. }) => Some(from),
            _ => None,
        }
    }

    /// The phone may not pass the caller on there. Some hang up on that, in the belief that the call is over.
    pub fn stays_with_agent(&mut self, now: Instant) {
        if let State::Talking(talk) = &mut self.state {
            talk.back_at = Some(now);
        }
    }

    pub(super) fn passing(
        &mut self,
        now: Instant,
        mut passing: Passing,
        input: CallInput,
        out: &mut Vec<CallOutput>,
    ) -> State {
        let (caller, party) = (self.incoming.leg, passing.leg);
        let seat = match &passing.by {
            By::Agent(talk) => Some(talk.seat.leg),
            By::Gone(_) => None,
        };
        match input {
            CallInput::PartyRings { leg } if leg == party => {
                out.extend(seat.map(|leg| CallOutput::Tell { leg, command: LegCommand::Referred(180) }));
            }
            CallInput::EarlyMedia { leg } if leg == party => {
                out.push(CallOutput::SetSource { leg: caller, source: Source::Leg(party) });
            }
            CallInput::PartyAnswered { leg } if leg == party => return self.party_answered(now, passing, out),
            CallInput::PartyRefused { leg, status, .. } if leg == party => passing.refused = Some(status),
            CallInput::PartyEnded { leg, end } if leg == party => {
                let status = passing.refused.unwrap_or(unsaid(end));
                return self.not_passed(now, passing, status, out);
            }
            CallInput::Timeout if now >= passing.until => {
                ringing::let_go(party, out);
                return self.not_passed(now, passing, 408, out);
            }
            // The phone has hung up, or is dead.
            CallInput::SeatEnded { leg, .. } | CallInput::RtpTimeout { leg } if seat == Some(leg) => {
                if is_dead(leg, &input) {
                    out.push(CallOutput::Distributor(Distributor::SeatDead));
                }
                self.agent_goes(now, &mut passing, leg, out);
            }
            CallInput::SeatMedia { leg, direction } => {
                if let By::Agent(talk) = &mut passing.by
                    && leg == talk.seat.leg
                {
                    talk.hold.on_phone = !direction.sends();
                    talk.settle_hold(now, out);
                }
            }
            CallInput::CallerEnded(LegEnd::HungUp) => return self.given_up(now, passing, EndCause::CallerHangUp, out),
            CallInput::CallerEnded(_) => return self.given_up(now, passing, EndCause::TrunkFault, out),
            CallInput::RtpTimeout { leg } if leg == caller => {
                return self.given_up(now, passing, EndCause::MediaTimeout, out);
            }
            CallInput::ForcedEnd => return self.given_up(now, passing, EndCause::OurFault, out),
            _ => {}
        }
        State::Passing(passing)
    }

    /// The agent waits no longer for whom the caller goes to.
    pub(super) fn agent_goes(&mut self, now: Instant, passing: &mut Passing, leg: LegId, out: &mut Vec<CallOutput>) {
        let By::Agent(talk) = &passing.by else { return };
        let agent = talk.seat.agent.clone();
        if let By::Agent(talk) = std::mem::replace(&mut passing.by, By::Gone(agent)) {
            out.push(CallOutput::Tell { leg, command: LegCommand::Hangup(HangupReason::Normal) });
            self.agent_off(now, *talk, passing.to.clone(), out);
        }
    }

    /// The agent will have the caller again instead of waiting for that party.
    pub fn take_back(&mut self, now: Instant, out: &mut Vec<CallOutput>) -> bool {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Passing(passing) if matches!(passing.by, By::Agent(_)) => {
                ringing::let_go(passing.leg, out);
                self.state = self.not_passed(now, passing, TAKEN_BACK, out);
                true
            }
            other => {
                self.state = other;
                false
            }
        }
    }

    pub(super) fn party_answered(&mut self, now: Instant, passing: Passing, out: &mut Vec<CallOutput>) -> State {
        let (caller, party) = (self.incoming.leg, passing.leg);
        let Passing { by, from, to, since, .. } = passing;
        let until = match &to {
            Party::Outside(_) => Some(now + self.terms.longest_away),
            Party::Seat(_) | Party::Emergency(_) => None,
        };
        let by = match by {
            By::Agent(talk) => {
                let (agent, leg) = (talk.seat.agent.clone(), talk.seat.leg);
                out.push(CallOutput::Tell { leg, command: LegCommand::Referred(200) });
                out.push(CallOutput::Tell { leg, command: LegCommand::Hangup(HangupReason::Normal) });
                self.agent_off(now, *talk, to.clone(), out);
                agent
            }
            By::Gone(agent) => agent,
        };
        out.push(CallOutput::Fact(CallFact::Reached { ring: now - since }));
        out.push(CallOutput::Tell { leg: party, command: LegCommand::Acknowledge });
        out.push(CallOutput::SetSource { leg: caller, source: Source::Leg(party) });
        out.push(CallOutput::SetSource { leg: party, source: Source::Leg(caller) });
        out.push(CallOutput::Ask(Ask::Landed(party)));
        State::Away(Away { leg: party, since, to, by, from, until })
    }

    pub(super) fn away(&mut self, now: Instant, away: Away, input: CallInput, out: &mut Vec<CallOutput>) -> State {
        if away.is_lost_by(&input) {
            return self.left_at_seat(now, away, out);
        }
        let (cause, reason) = match input {
            // The party puts the caller on hold.
            CallInput::SeatMedia { leg, direction } if leg == away.leg => {
                let source = match direction.sends() {
                    true => Source::Leg(leg),
                    false => Source::Music(self.terms.queue.music.clone()),
                };
                out.push(CallOutput::SetSource { leg: self.incoming.leg, source });
                return State::Away(away);
            }
            CallInput::PartyEnded { leg, end: LegEnd::HungUp } if leg == away.leg => {
                (EndCause::PartyHangUp, HangupReason::Normal)
            }
            CallInput::PartyEnded { leg, .. } if leg == away.leg => (EndCause::TrunkFault, HangupReason::Normal),
            CallInput::CallerEnded(LegEnd::HungUp) => (EndCause::CallerHangUp, HangupReason::Normal),
            CallInput::CallerEnded(_) => (EndCause::TrunkFault, HangupReason::Normal),
            CallInput::RtpTimeout { .. } => (EndCause::MediaTimeout, HangupReason::MediaTimeout),
            CallInput::ForcedEnd => (EndCause::OurFault, HangupReason::Normal),
            CallInput::Timeout if away.until.is_some_and(|until| now >= until) => {
                (EndCause::TimeLimit, HangupReason::Normal)
            }
            _ => return State::Away(away),
        };
        out.push(CallOutput::Tell { leg: away.leg, command: LegCommand::Hangup(reason) });
        out.push(CallOutput::CloseMedia { leg: away.leg });
        self.end(now, cause, out);
        State::Over
    }

    /// Nobody there wanted to end it: the caller waits for an agent again.
    fn left_at_seat(&mut self, now: Instant, away: Away, out: &mut Vec<CallOutput>) -> State {
        let Away { leg, to, by, .. } = away;
        // Who talked there has waited only since then.
        self.before = self.before.map(|before| Before { since: now, ..before });
        out.push(CallOutput::Tell { leg, command: LegCommand::Hangup(HangupReason::Normal) });
        out.push(CallOutput::CloseMedia { leg });
        out.push(CallOutput::Fact(CallFact::NotPassedOn { agent: by, to, status: unsaid(LegEnd::NoAnswer) }));
        out.push(CallOutput::Ask(Ask::Back(Why::SeatLost)));
        State::Arrived
    }

    /// An agent sits where the caller was passed on to, and has the call now.
    pub fn landed(&mut self, now: Instant, agent: AgentNo, seat: SeatNo, out: &mut Vec<CallOutput>) {
        let Away { leg, since, .. } = match std::mem::replace(&mut self.state, State::Over) {
            State::Away(away) => away,
            other => return self.state = other,
        };
        let queue = self.terms.queue.name.clone();
        // Where the colleague rang while the agent still had the caller, the caller waited for nobody.
        let (wait, ring) = (self.before.map_or(Duration::ZERO, |before| now - before.since), now - since);
        out.push(CallOutput::Fact(CallFact::TakenOver { agent: agent.clone(), seat: seat.clone(), queue, wait, ring }));
        self.state = self.bridge(Seat::new(agent, seat, leg, Chosen::default(), since), now, out);
    }

    /// The distributor has the caller of [`Ask::Back`] in line again, from the first time of asking.
    pub fn back(&mut self, now: Instant, why: Why, position: usize, prompts: Vec<PromptId>, out: &mut Vec<CallOutput>) {
        if let State::Arrived = self.state {
            self.enter(self.terms.queue.clone(), position, why, out);
            self.state = self.wait_again(now, prompts, out);
        }
    }

    /// The phone went, and its agent did not hang up on this caller: see [`Talk::has_left_unknowing`].
    pub(super) fn left_behind(&mut self, now: Instant, talk: Talk, why: Why, out: &mut Vec<CallOutput>) -> State {
        let agent = self.agent_let_go(now, talk, out);
        let queue = self.terms.queue.name.clone();
        out.push(CallOutput::Fact(CallFact::Transferred { agent, queue }));
        out.push(CallOutput::Ask(Ask::Back(why)));
        State::Arrived
    }

    fn not_passed(&mut self, now: Instant, passing: Passing, status: u16, out: &mut Vec<CallOutput>) -> State {
        let (status, to) = (if status == TAKEN_BACK { status } else { for_phone(status) }, passing.to);
        out.push(CallOutput::CloseMedia { leg: passing.leg });
        match passing.by {
            By::Agent(mut talk) => {
                let (agent, leg) = (talk.seat.agent.clone(), talk.seat.leg);
                let unreached = Unreached { to: to.number().to_owned(), status, at: now };
                talk.unreached = (status != TAKEN_BACK).then_some(unreached);
                out.push(CallOutput::Fact(CallFact::NotPassedOn { agent, to, status }));
                out.push(CallOutput::Tell { leg, command: LegCommand::Referred(status) });
                let caller = self.incoming.leg;
                out.push(CallOutput::SetSource { leg: caller, source: self.heard_by(&talk, caller) });
                // Who has taken the caller back knows it.
                talk.back_at = (status != TAKEN_BACK).then_some(now);
                State::Talking(*talk)
            }
            By::Gone(agent) => {
                out.push(CallOutput::Fact(CallFact::NotPassedOn { agent: agent.clone(), to, status }));
                out.push(CallOutput::Ask(Ask::Back(Why::Agent(agent))));
                State::Arrived
            }
        }
    }

    /// The talk is over for the agent, not for the caller.
    pub(super) fn agent_let_go(&mut self, now: Instant, mut talk: Talk, out: &mut Vec<CallOutput>) -> AgentNo {
        talk.clear(out);
        self.before = Some(self.spent(now, &talk));
        let Seat { agent, leg, .. } = talk.seat;
        out.push(CallOutput::Tell { leg, command: LegCommand::Hangup(HangupReason::Normal) });
        out.push(CallOutput::CloseMedia { leg });
        out.push(CallOutput::Distributor(Distributor::TalkEnded));
        agent
    }

    fn agent_off(&mut self, now: Instant, mut talk: Talk, to: Party, out: &mut Vec<CallOutput>) {
        talk.clear(out);
        self.before = Some(self.spent(now, &talk));
        let Seat { agent, leg, .. } = talk.seat;
        out.push(CallOutput::CloseMedia { leg });
        out.push(CallOutput::Distributor(Distributor::TalkEnded));
        out.push(CallOutput::Fact(CallFact::PassedOn { agent, to }));
    }

    /// The caller has gone, or has to.
    fn given_up(&mut self, now: Instant, passing: Passing, cause: EndCause, out: &mut Vec<CallOutput>) -> State {
        ringing::let_go(passing.leg, out);
        out.push(CallOutput::CloseMedia { leg: passing.leg });
        match passing.by {
            By::Agent(talk) => {
                out.push(CallOutput::Tell { leg: talk.seat.leg, command: LegCommand::Referred(487) });
                self.hang_up_both(now, *talk, cause, out)
            }
            By::Gone(_) => {
                self.end(now, cause, out);
                State::Over
            }
        }
    }
}
