//! A shift leader on an agent's call: listening, speaking to the agent or to all, taking it over, ending it. Belongs here:
//! the leader's leg from the ring to the end. Not here: who may (`gateway`), what each hears (`hearing`).
//!
//! Invariant: a leader who comes, goes or fails changes nothing for the caller and the agent but whom they hear.

use super::hearing::Mode;
use super::passing::{By, Passing};
use super::talk::Talk;
use super::{Audio, Call, CallInput, CallOutput, State};
use crate::event::{CallFact, EndCause, Party, Supervision};
use crate::ids::{AgentNo, LegId, SeatNo};
use crate::leg::{HangupReason, LegCommand};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Supervisor {
    pub(super) leg: LegId,
    by: AgentNo,
    seat: SeatNo,
    since: Instant,
    pub(super) audio: Audio,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// The leader's own seat rings.
    Calling {
        then: Comes,
        until: Instant,
    },
    On(Mode),
}

/// What for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comes {
    ToHear(Mode),
    ToTakeOver,
}

impl Comes {
    fn act(self) -> Supervision {
        match self {
            Comes::ToHear(mode) => act(mode),
            Comes::ToTakeOver => Supervision::TakeOver,
        }
    }
}

fn act(mode: Mode) -> Supervision {
    match mode {
        Mode::Listen => Supervision::Listen,
        Mode::Whisper => Supervision::Whisper,
        Mode::Barge => Supervision::Barge,
    }
}

/// What news of the leader comes to.
pub(super) enum Above {
    Done,
    /// It was not of the leader.
    Other(CallInput),
    /// Has picked up to have the call.
    TakesOver(Supervisor),
}

impl Supervisor {
    /// On the line, not merely rung.
    pub(super) fn on(&self) -> Option<(LegId, Mode)> {
        match self.stage {
            Stage::On(mode) => Some((self.leg, mode)),
            Stage::Calling { .. } => None,
        }
    }

    pub(super) fn until(&self) -> Option<Instant> {
        match self.stage {
            Stage::Calling { until, .. } => Some(until),
            Stage::On(_) => None,
        }
    }
}

impl Talk {
    /// Away with the leader, if there is one.
    pub(super) fn leader_goes(&mut self, out: &mut Vec<CallOutput>) {
        let Some(Supervisor { leg, by, stage, .. }) = self.leader.take() else { return };
        let rings = matches!(stage, Stage::Calling { .. });
        let reason = if rings { HangupReason::Withdrawn } else { HangupReason::Normal };
        out.push(CallOutput::Tell { leg, command: LegCommand::Hangup(reason) });
        out.push(CallOutput::CloseMedia { leg });
        out.push(supervised(self, by, Supervision::Left, None));
    }

    fn is_of_leader(&self, input: &CallInput) -> bool {
        let leader = self.leader.as_ref();
        match input {
            CallInput::PartyRings { leg }
            | CallInput::EarlyMedia { leg }
            | CallInput::PartyRefused { leg, .. }
            | CallInput::PartyAnswered { leg }
            | CallInput::PartyEnded { leg, .. }
            | CallInput::SeatMedia { leg, .. }
            | CallInput::RtpTimeout { leg } => leader.is_some_and(|leader| leader.leg == *leg),
            _ => false,
        }
    }
}

impl Call {
    /// This leader comes into the talk by `leg`, which rings their seat. False: nobody is in conversation, or a leader is
    /// there already, or the call cannot be taken over because a third party is on it.
    #[allow(clippy::too_many_arguments)] // one order's fields
    pub fn supervise(
        &mut self,
        now: Instant,
        by: AgentNo,
        seat: SeatNo,
        leg: LegId,
        until: Instant,
        then: Comes,
        out: &mut Vec<CallOutput>,
    ) -> bool {
        self.in_talk(out, |_, talk, out| {
            if talk.leader.is_some() || (then == Comes::ToTakeOver && talk.consult.is_some()) {
                return false;
            }
            out.push(supervised(talk, by.clone(), then.act(), None));
            let (audio, stage) = (Audio::There, Stage::Calling { then, until });
            talk.leader = Some(Supervisor { leg, by, seat, since: now, audio, stage });
            true
        })
    }

    /// The leader on the line, or rung, is heard by others from now on. False: it is not this leader's.
    pub fn supervise_as(&mut self, now: Instant, by: &AgentNo, mode: Mode, out: &mut Vec<CallOutput>) -> bool {
        self.in_talk(out, |call, talk, out| {
            let Some(leader) = talk.leader.as_ref().filter(|leader| leader.by == *by) else { return false };
            let stage = match leader.stage {
                Stage::On(_) => Stage::On(mode),
                Stage::Calling { until, .. } => Stage::Calling { then: Comes::ToHear(mode), until },
            };
            if stage != leader.stage {
                out.push(supervised(talk, by.clone(), act(mode), None));
                call.leader_is(now, talk, stage, out);
            }
            true
        })
    }

    pub fn end_supervision(&mut self, now: Instant, by: &AgentNo, out: &mut Vec<CallOutput>) -> bool {
        self.in_talk(out, |call, talk, out| {
            let theirs = talk.leader.as_ref().is_some_and(|leader| leader.by == *by);
            if theirs {
                call.change(now, talk, out, |talk, out| talk.leader_goes(out));
            }
            theirs
        })
    }

    /// The leader on the line has the call from now on. False: that one is not on the line, or a third party is.
    pub fn take_over(&mut self, now: Instant, by: &AgentNo, out: &mut Vec<CallOutput>) -> bool {
        let on = |leader: &mut Supervisor| leader.by == *by && leader.on().is_some();
        let taken =
            self.take_talk(|Talk { leader, consult, .. }| leader.take_if(|leader| on(leader) && consult.is_none()));
        let Some((talk, leader)) = taken else { return false };
        out.push(supervised(&talk, by.clone(), Supervision::TakeOver, None));
        self.state = self.taken(now, talk, leader, out);
        true
    }

    /// 强拆. False: nobody is in conversation.
    pub fn disconnect(&mut self, now: Instant, by: AgentNo, why: Option<String>, out: &mut Vec<CallOutput>) -> bool {
        let Some((talk, ())) = self.take_talk(|_| Some(())) else { return false };
        out.push(supervised(&talk, by, Supervision::Disconnect, why));
        self.state = self.hang_up_both(now, talk, EndCause::AgentHangUp, out);
        true
    }

    /// On the line, or rung for it.
    pub fn is_supervised_by(&self, by: &AgentNo) -> bool {
        matches!(&self.state, State::Talking(Talk { leader: Some(leader), .. }) if leader.by == *by)
    }

    /// Who listens to the agent in conversation, and how.
    pub fn supervisor(&self) -> Option<(&AgentNo, Mode, Instant)> {
        let State::Talking(Talk { leader: Some(leader), .. }) = &self.state else { return None };
        leader.on().map(|(_, mode)| (&leader.by, mode, leader.since))
    }

    /// What happens to the leader.
    pub(super) fn above(
        &mut self,
        now: Instant,
        talk: &mut Talk,
        input: CallInput,
        out: &mut Vec<CallOutput>,
    ) -> Above {
        if let CallInput::Timeout = input
            && talk.leader.as_ref().and_then(Supervisor::until).is_some_and(|until| now >= until)
        {
            self.change(now, talk, out, |talk, out| talk.leader_goes(out));
        }
        if !talk.is_of_leader(&input) {
            return Above::Other(input);
        }
        let stage = talk.leader.as_ref().map(|leader| leader.stage);
        match (input, stage) {
            (CallInput::PartyAnswered { leg }, Some(Stage::Calling { then, .. })) => {
                out.push(CallOutput::Tell { leg, command: LegCommand::Acknowledge });
                match then {
                    Comes::ToHear(mode) => self.leader_is(now, talk, Stage::On(mode), out),
                    Comes::ToTakeOver => {
                        if let Some(leader) = talk.leader.take_if(|_| talk.consult.is_none()) {
                            return Above::TakesOver(leader);
                        }
                        // Somebody has been called meanwhile: a takeover would lose them.
                        talk.leader_goes(out);
                    }
                }
            }
            (CallInput::PartyEnded { .. } | CallInput::RtpTimeout { .. }, _) => {
                self.change(now, talk, out, |talk, out| talk.leader_goes(out));
            }
            _ => {}
        }
        Above::Done
    }

    fn leader_is(&self, now: Instant, talk: &mut Talk, stage: Stage, out: &mut Vec<CallOutput>) {
        self.change(now, talk, out, |talk, _| {
            if let Some(leader) = &mut talk.leader {
                if leader.on().is_none() {
                    leader.since = now;
                }
                leader.stage = stage;
            }
        });
    }

    /// As if the agent had passed the caller on there, and they had answered.
    pub(super) fn taken(&mut self, now: Instant, talk: Talk, leader: Supervisor, out: &mut Vec<CallOutput>) -> State {
        let (agent, from) = (talk.seat.agent.clone(), talk.seat.seat.clone());
        let (leg, to) = (leader.leg, Party::Seat(leader.seat));
        out.push(CallOutput::Fact(CallFact::PassingOn { agent, to: to.clone() }));
        let by = By::Agent(Box::new(talk));
        self.party_answered(now, Passing { by, from, to, leg, since: now, until: now, refused: None }, out)
    }
}

fn supervised(talk: &Talk, by: AgentNo, act: Supervision, why: Option<String>) -> CallOutput {
    CallOutput::Fact(CallFact::Supervised { by, act, agent: Some(talk.seat.agent.clone()), why })
}
