//! Somebody beside the caller, called by the agent from the screen: a consultation, a three-way call, help. Belongs here:
//! the third party from the call to it until it is gone, and who of the others goes on with whom. Not here: what each
//! hears (`hearing`), whom an agent may call (`gateway`), the same by a phone's own second call (`own`, `passing`).
//!
//! Invariant: the caller is never lost. Whoever goes, the caller goes on with whom they hear; from hold, where the agent
//! goes, back into the line; with a call for help under way, on to that.

use super::hearing::Third;
use super::own::{for_phone, unsaid};
use super::passing::{By, Passing, is_dead};
use super::talk::Talk;
use super::{Audio, Call, CallInput, CallOutput, State};
use crate::event::{CallFact, ConsultEnd, Party, Why};
use crate::ids::LegId;
use crate::leg::{HangupReason, LegCommand, LegEnd};
use crate::plane::Source;
use crate::screen::{PartyScreen, PartyStage, Unreached};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Consult {
    leg: LegId,
    to: Party,
    /// When this stage began.
    since: Instant,
    pub(super) audio: Audio,
    stage: Stage,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    Calling {
        then: Then,
        /// Nobody rings longer.
        until: Instant,
        /// Something is played before the answer.
        heard: bool,
        /// How the party refused, said just before its leg ends.
        refused: Option<u16>,
    },
    /// With the agent alone.
    Talking,
    ThreeWay,
}

/// What the answer makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Then {
    /// A talk with the agent; the caller is on hold from the call on.
    Talk,
    /// A three-way call; the caller stays with the agent until then.
    ThreeWay,
}

impl Consult {
    fn is_private(&self) -> bool {
        matches!(self.stage, Stage::Calling { then: Then::Talk, .. } | Stage::Talking)
    }

    pub(super) fn third(&self) -> Third {
        let answered = matches!(self.stage, Stage::Talking | Stage::ThreeWay);
        let heard = answered || matches!(self.stage, Stage::Calling { heard: true, .. });
        Third { leg: self.leg, heard, answered, private: self.is_private() }
    }

    pub(super) fn to(&self) -> &Party {
        &self.to
    }

    pub(super) fn until(&self) -> Option<Instant> {
        match self.stage {
            Stage::Calling { until, .. } => Some(until),
            Stage::Talking | Stage::ThreeWay => None,
        }
    }

    pub(super) fn screen(&self) -> PartyScreen {
        let stage = match self.stage {
            Stage::Calling { .. } => PartyStage::Calling,
            Stage::Talking => PartyStage::Talking,
            Stage::ThreeWay => PartyStage::ThreeWay,
        };
        PartyScreen { to: self.to.number().to_owned(), stage, since: self.since }
    }

    fn let_go(&self, out: &mut Vec<CallOutput>) {
        let calling = matches!(self.stage, Stage::Calling { .. });
        let reason = if calling { HangupReason::Withdrawn } else { HangupReason::Normal };
        out.push(CallOutput::Tell { leg: self.leg, command: LegCommand::Hangup(reason) });
        out.push(CallOutput::CloseMedia { leg: self.leg });
    }
}

impl Talk {
    /// Is the caller to hear music? Two who hear one another are on hold for nobody.
    pub(super) fn puts_on_hold(&self) -> bool {
        match self.consult.as_ref().map(|consult| (consult.is_private(), &consult.stage)) {
            Some((true, _)) => true,
            Some((false, Stage::ThreeWay)) => false,
            Some((false, _)) | None => self.hold.is_wanted(),
        }
    }

    /// Only agent and caller are left.
    pub(super) fn third_goes(&mut self, why: ConsultEnd, out: &mut Vec<CallOutput>) {
        if let Some(consult) = self.consult.take() {
            consult.let_go(out);
            let agent = self.seat.agent.clone();
            out.push(CallOutput::Fact(CallFact::ConsultOver { agent, to: consult.to, why }));
        }
    }

    fn is_of_third(&self, input: &CallInput) -> bool {
        let third = self.consult.as_ref().map(|consult| consult.leg);
        match input {
            CallInput::PartyRings { leg }
            | CallInput::EarlyMedia { leg }
            | CallInput::PartyRefused { leg, .. }
            | CallInput::PartyAnswered { leg }
            | CallInput::PartyEnded { leg, .. }
            | CallInput::SeatMedia { leg, .. }
            | CallInput::RtpTimeout { leg } => third == Some(*leg),
            CallInput::Timeout => third.is_some(),
            _ => false,
        }
    }
}

impl Call {
    /// The agent in conversation calls `to`, whose leg will be `leg`. False: there is no such talk, or a third party is
    /// on the call already.
    pub fn consult(
        &mut self,
        now: Instant,
        to: Party,
        leg: LegId,
        until: Instant,
        then: Then,
        out: &mut Vec<CallOutput>,
    ) -> bool {
        self.in_talk(out, |call, talk, out| {
            if talk.consult.is_some() {
                return false;
            }
            let agent = talk.seat.agent.clone();
            out.push(CallOutput::Fact(CallFact::Consulting { agent, to: to.clone() }));
            talk.unreached = None;
            call.change(now, talk, out, |talk, _| {
                let stage = Stage::Calling { then, until, heard: false, refused: None };
                talk.hold.ordered = false;
                talk.consult = Some(Consult { leg, to, since: now, audio: Audio::There, stage });
            });
            true
        })
    }

    /// Back to the caller, also from a passing on that nobody has answered yet. False: there is nobody to leave.
    pub fn end_consult(&mut self, now: Instant, out: &mut Vec<CallOutput>) -> bool {
        if self.take_back(now, out) {
            return true;
        }
        self.in_talk(out, |call, talk, out| {
            let there = talk.consult.is_some();
            call.change(now, talk, out, |talk, out| talk.third_goes(ConsultEnd::Returned, out));
            there
        })
    }

    /// Caller, agent and third party. False: there is none who has answered.
    pub fn three_way(&mut self, now: Instant, out: &mut Vec<CallOutput>) -> bool {
        self.in_talk(out, |call, talk, out| {
            let talks = talk.consult.as_ref().is_some_and(|consult| consult.stage == Stage::Talking);
            if talks {
                call.joined(now, talk, out);
            }
            talks
        })
    }

    /// With somebody else, while the caller is on hold?
    pub(super) fn consults_alone(&self) -> bool {
        matches!(&self.state, State::Talking(Talk { consult: Some(consult), .. }) if consult.is_private())
    }

    /// Is this the leg of somebody who is being called?
    pub(super) fn waits_for(&self, leg: LegId) -> bool {
        match &self.state {
            State::Passing(passing) => passing.leg == leg,
            State::Talking(Talk { consult, leader, .. }) => {
                consult.as_ref().is_some_and(|third| third.leg == leg && third.until().is_some())
                    || leader.as_ref().is_some_and(|leader| leader.leg == leg && leader.until().is_some())
            }
            _ => false,
        }
    }

    /// Whom the agent has on the call beside the caller.
    pub fn third_party(&self) -> Option<&Party> {
        match &self.state {
            State::Talking(talk) => talk.consult.as_ref().map(|consult| &consult.to),
            _ => None,
        }
    }

    /// The agent leaves the caller with the third party, who need not have answered. False: there is none.
    pub fn complete(&mut self, now: Instant, out: &mut Vec<CallOutput>) -> bool {
        let Some((talk, consult)) = self.take_talk(|talk| talk.consult.take()) else { return false };
        self.state = self.handed_over(now, talk, consult, out);
        true
    }

    /// What happens beside the talk of the two; gives the input back if it is not about that.
    pub(super) fn beside(
        &mut self,
        now: Instant,
        talk: &mut Talk,
        input: CallInput,
        out: &mut Vec<CallOutput>,
    ) -> Option<CallInput> {
        if !talk.is_of_third(&input) {
            return Some(input);
        }
        let consult = talk.consult.as_mut()?;
        let why = match (&mut consult.stage, input) {
            (Stage::Calling { heard: false, .. }, CallInput::EarlyMedia { .. }) => {
                self.change(now, talk, out, |talk, _| {
                    if let Some(Consult { stage: Stage::Calling { heard, .. }, .. }) = &mut talk.consult {
                        *heard = true;
                    }
                });
                return None;
            }
            (Stage::Calling { refused, .. }, CallInput::PartyRefused { status, .. }) => {
                *refused = Some(status);
                return None;
            }
            (Stage::Calling { then, .. }, CallInput::PartyAnswered { leg }) => {
                let then = *then;
                out.push(CallOutput::Fact(CallFact::Consulted { ring: now - consult.since }));
                out.push(CallOutput::Tell { leg, command: LegCommand::Acknowledge });
                match then {
                    Then::Talk => self.stage_begins(now, talk, Stage::Talking, out),
                    Then::ThreeWay => self.joined(now, talk, out),
                }
                return None;
            }
            (Stage::Calling { refused, .. }, CallInput::PartyEnded { end, .. }) => {
                ConsultEnd::NotReached { status: for_phone(refused.unwrap_or(unsaid(end))) }
            }
            (Stage::Calling { until, .. }, CallInput::Timeout) if now >= *until => {
                ConsultEnd::NotReached { status: 408 }
            }
            (_, CallInput::PartyEnded { end: LegEnd::HungUp, .. }) => ConsultEnd::PartyHangUp,
            (_, CallInput::PartyEnded { .. } | CallInput::RtpTimeout { .. }) => ConsultEnd::PartyLost,
            _ => return None,
        };
        if let Some(status) = why.status() {
            talk.unreached = Some(Unreached { to: consult.to.number().to_owned(), status, at: now });
        }
        self.change(now, talk, out, |talk, out| talk.third_goes(why, out));
        None
    }

    /// The agent's phone or page is gone while somebody else is on the call.
    pub(super) fn agent_leaves(
        &mut self,
        now: Instant,
        mut talk: Talk,
        consult: Consult,
        input: &CallInput,
        out: &mut Vec<CallOutput>,
    ) -> State {
        if consult.is_private() {
            let why = match is_dead(talk.seat.leg, input) {
                true => Why::SeatLost,
                false => Why::Agent(talk.seat.agent.clone()),
            };
            talk.consult = Some(consult);
            return self.left_behind(now, talk, why, out);
        }
        let leg = talk.seat.leg;
        match self.handed_over(now, talk, consult, out) {
            State::Passing(mut passing) => {
                self.agent_goes(now, &mut passing, leg, out);
                State::Passing(passing)
            }
            other => other,
        }
    }

    /// To the third party: at once, or when that one answers.
    fn handed_over(&mut self, now: Instant, mut talk: Talk, consult: Consult, out: &mut Vec<CallOutput>) -> State {
        let Consult { leg, to, stage, .. } = consult;
        let (agent, from) = (talk.seat.agent.clone(), talk.seat.seat.clone());
        out.push(CallOutput::Fact(CallFact::PassingOn { agent, to: to.clone() }));
        let Stage::Calling { until, heard, refused, .. } = stage else {
            let by = By::Agent(Box::new(talk));
            return self.party_answered(now, Passing { by, from, to, leg, since: now, until: now, refused: None }, out);
        };
        let caller = self.incoming.leg;
        talk.clear(out);
        talk.settle_hold(now, out);
        out.push(CallOutput::SetSource { leg: talk.seat.leg, source: self.heard_by(&talk, talk.seat.leg) });
        let source = if heard { Source::Leg(leg) } else { Source::RingBack };
        out.push(CallOutput::SetSource { leg: caller, source });
        State::Passing(Passing { by: By::Agent(Box::new(talk)), from, to, leg, since: consult.since, until, refused })
    }

    fn joined(&self, now: Instant, talk: &mut Talk, out: &mut Vec<CallOutput>) {
        self.stage_begins(now, talk, Stage::ThreeWay, out);
        out.push(CallOutput::Fact(CallFact::ThreeWay));
    }

    fn stage_begins(&self, now: Instant, talk: &mut Talk, stage: Stage, out: &mut Vec<CallOutput>) {
        self.change(now, talk, out, |talk, _| {
            if let Some(consult) = &mut talk.consult {
                (consult.stage, consult.since) = (stage, now);
            }
        });
    }

    /// Changes who is there, and tells what is different.
    pub(super) fn change(
        &self,
        now: Instant,
        talk: &mut Talk,
        out: &mut Vec<CallOutput>,
        change: impl FnOnce(&mut Talk, &mut Vec<CallOutput>),
    ) {
        let before = self.hearing(talk);
        change(talk, out);
        talk.settle_hold(now, out);
        let now_heard = self.hearing(talk).into_iter().filter(|heard| !before.contains(heard));
        out.extend(now_heard.map(|(leg, source)| CallOutput::SetSource { leg, source }));
    }

    /// False where nobody is in conversation.
    pub(super) fn in_talk(
        &mut self,
        out: &mut Vec<CallOutput>,
        act: impl FnOnce(&Call, &mut Talk, &mut Vec<CallOutput>) -> bool,
    ) -> bool {
        let Some((mut talk, ())) = self.take_talk(|_| Some(())) else { return false };
        let done = act(self, &mut talk, out);
        self.state = State::Talking(talk);
        done
    }

    /// The conversation, and what `find` finds in it: the caller of this gives the call its next state. `None`, and nothing has
    /// changed: there is no conversation, or nothing was found.
    pub(super) fn take_talk<T>(&mut self, find: impl FnOnce(&mut Talk) -> Option<T>) -> Option<(Talk, T)> {
        let State::Talking(talk) = &mut self.state else { return None };
        let found = find(talk)?;
        match std::mem::replace(&mut self.state, State::Over) {
            State::Talking(talk) => Some((talk, found)),
            other => {
                self.state = other;
                None
            }
        }
    }
}
