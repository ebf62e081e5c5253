//! A call of a seat's own: its phone dials a colleague or somebody outside. Belongs here: what both sides are told, from
//! the dialling to the end. Not here: whether the seat may (`seat::dial_plan`), finding the other side (`gateway`), the
//! citizens' calls (`talk`).
//!
//! Invariants: `Dialled` is its first fact and `Ended` its last, each once; it has no queue and no ticket, and counts in
//! no figure of the service.

use super::{CallInput, CallOutput};
use crate::event::{CallFact, EndCause, Party};
use crate::ids::{AgentNo, CallId, LegId, SeatNo};
use crate::leg::{HangupReason, LegCommand, LegEnd};
use crate::plane::{PromptId, Source};
use crate::screen::{OwnScreen, OwnStage};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OwnCall {
    id: CallId,
    near: Near,
    /// The leg to whom it dialled.
    far: LegId,
    to: Party,
    began: Instant,
    /// Sides whose browser is gone for a while; the other one hears this music meanwhile.
    gone: BTreeSet<LegId>,
    music: PromptId,
    stage: Stage,
}

/// Who dialled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Near {
    pub leg: LegId,
    pub seat: SeatNo,
    /// Who is signed in there.
    pub agent: Option<AgentNo>,
    pub sip_call_id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Stage {
    Calling {
        until: Instant,
        heard: Heard,
        /// How the far end refused, said just before it ends.
        refused: Option<Refusal>,
    },
    Talking {
        since: Instant,
    },
    Over,
}

type Refusal = (u16, Option<u8>);

/// What the phone has been given to hear; only ever more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Heard {
    Nothing,
    /// It makes its own ring-back.
    Ringing,
    /// What the far end plays.
    Media,
}

/// The far side, when the near one has joined it with a citizen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    pub leg: LegId,
    pub to: Party,
    /// `Some`: it has not answered, and rings until then.
    pub rings_until: Option<Instant>,
}

impl OwnCall {
    /// `far` is called next.
    #[allow(clippy::too_many_arguments)] // all that is known when it begins
    pub fn begin(
        now: Instant,
        id: CallId,
        near: Near,
        far: LegId,
        to: Party,
        ring_timeout: Duration,
        music: PromptId,
        out: &mut Vec<CallOutput>,
    ) -> OwnCall {
        let Near { seat, agent, sip_call_id, .. } = near.clone();
        out.push(CallOutput::Fact(CallFact::Dialled { seat, agent, to: to.clone(), sip_call_id }));
        let stage = Stage::Calling { until: now + ring_timeout, heard: Heard::Nothing, refused: None };
        OwnCall { id, near, far, to, began: now, gone: BTreeSet::new(), music, stage }
    }

    pub fn handle(&mut self, now: Instant, input: CallInput, out: &mut Vec<CallOutput>) {
        use CallInput as In;
        let (near, far) = (self.near.leg, self.far);
        self.stage = match (std::mem::replace(&mut self.stage, Stage::Over), input) {
            (Stage::Over, _) => Stage::Over,

            (stage, In::SeatAudio { leg, there }) => {
                if there {
                    self.gone.remove(&leg)
                } else {
                    self.gone.insert(leg)
                };
                if let Stage::Talking { .. } = stage {
                    out.push(self.hears(if leg == near { far } else { near }));
                }
                stage
            }

            (Stage::Calling { until, heard, refused }, In::PartyRings { .. }) => {
                if heard == Heard::Nothing {
                    out.push(CallOutput::Tell { leg: near, command: LegCommand::Ring });
                }
                Stage::Calling { until, heard: heard.max(Heard::Ringing), refused }
            }
            (Stage::Calling { until, refused, .. }, In::EarlyMedia { .. }) => {
                out.push(CallOutput::Tell { leg: near, command: LegCommand::EarlyMedia });
                out.push(CallOutput::SetSource { leg: near, source: Source::Leg(far) });
                Stage::Calling { until, heard: Heard::Media, refused }
            }
            (Stage::Calling { until, heard, .. }, In::PartyRefused { status, cause, .. }) => {
                Stage::Calling { until, heard, refused: Some((status, cause)) }
            }
            (Stage::Calling { .. }, In::PartyAnswered { .. }) => {
                out.push(CallOutput::Tell { leg: far, command: LegCommand::Acknowledge });
                out.push(CallOutput::Tell { leg: near, command: LegCommand::Answer });
                out.extend([near, far].map(|side| self.hears(side)));
                out.push(CallOutput::Fact(CallFact::Reached { ring: now - self.began }));
                Stage::Talking { since: now }
            }
            (Stage::Calling { refused, .. }, In::PartyEnded { end, .. }) => {
                let (status, cause) = refused.unwrap_or((unsaid(end), None));
                let reason = HangupReason::Refused { status: for_phone(status), cause };
                self.end(reason, HangupReason::Normal, EndCause::NotReached, Duration::ZERO, out)
            }
            (Stage::Calling { until, .. }, In::Timeout) if now >= until => {
                let reason = HangupReason::Refused { status: 480, cause: Some(19) };
                self.end(reason, HangupReason::Withdrawn, EndCause::NotReached, Duration::ZERO, out)
            }
            (Stage::Calling { .. }, In::SeatEnded { end, .. }) => {
                let cause = if end == LegEnd::HungUp { EndCause::AgentHangUp } else { EndCause::OurFault };
                self.end(HangupReason::Normal, HangupReason::Withdrawn, cause, Duration::ZERO, out)
            }

            (Stage::Talking { since }, In::PartyEnded { end, .. }) => {
                let cause = if end == LegEnd::HungUp { EndCause::PartyHangUp } else { EndCause::TrunkFault };
                self.end(HangupReason::Normal, HangupReason::Normal, cause, now - since, out)
            }
            (Stage::Talking { since }, In::SeatEnded { end, .. }) => {
                let cause = if end == LegEnd::HungUp { EndCause::AgentHangUp } else { EndCause::OurFault };
                self.end(HangupReason::Normal, HangupReason::Normal, cause, now - since, out)
            }
            (Stage::Talking { since }, In::RtpTimeout { .. }) => {
                let reason = HangupReason::MediaTimeout;
                self.end(reason, reason, EndCause::MediaTimeout, now - since, out)
            }
            (Stage::Talking { since }, In::NoAudio { leg }) => {
                out.push(CallOutput::Fact(CallFact::NoAudio { leg }));
                Stage::Talking { since }
            }
            (stage, In::ForcedEnd) => {
                let talk = if let Stage::Talking { since } = stage { now - since } else { Duration::ZERO };
                let reason = HangupReason::OurFault;
                self.end(reason, HangupReason::Normal, EndCause::OurFault, talk, out)
            }
            (stage, _) => stage,
        };
    }

    /// The agent has passed a citizen on to whom this call reaches: the near side is let go, the far one is the citizen's.
    pub fn join(&mut self, now: Instant, out: &mut Vec<CallOutput>) -> Option<Joined> {
        let (talk, rings_until) = match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Calling { until, .. } => (Duration::ZERO, Some(until)),
            Stage::Talking { since } => (now - since, None),
            Stage::Over => return None,
        };
        let leg = self.near.leg;
        out.push(CallOutput::Tell { leg, command: LegCommand::Hangup(HangupReason::Normal) });
        out.push(CallOutput::CloseMedia { leg });
        ended(EndCause::Joined, talk, out);
        Some(Joined { leg: self.far, to: self.to.clone(), rings_until })
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Calling { until, .. } => Some(*until),
            Stage::Talking { .. } | Stage::Over => None,
        }
    }

    /// As who dialled sees it (`near`), or whom they called.
    pub fn screen(&self, near: bool) -> OwnScreen {
        let to = match &self.to {
            _ if !near => self.near.seat.to_string(),
            Party::Seat(seat) => seat.to_string(),
            Party::Outside(number) | Party::Emergency(number) => number.clone(),
        };
        let (stage, since) = match &self.stage {
            Stage::Talking { since } => (OwnStage::Talking, *since),
            Stage::Calling { .. } | Stage::Over if near => (OwnStage::Calling, self.began),
            Stage::Calling { .. } | Stage::Over => (OwnStage::Ringing, self.began),
        };
        OwnScreen { call: self.id, to: Some(to), incoming: !near, stage, since }
    }

    /// Who sees how it goes.
    pub fn seats(&self) -> Vec<SeatNo> {
        let there = if let Party::Seat(seat) = &self.to { Some(seat) } else { None };
        [&self.near.seat].into_iter().chain(there).cloned().collect()
    }

    pub fn seat(&self) -> &SeatNo {
        &self.near.seat
    }

    pub fn to(&self) -> &Party {
        &self.to
    }

    /// In the talk.
    fn hears(&self, side: LegId) -> CallOutput {
        let other = if side == self.far { self.near.leg } else { self.far };
        let gone = self.gone.contains(&other);
        CallOutput::SetSource {
            leg: side,
            source: if gone { Source::Music(self.music.clone()) } else { Source::Leg(other) },
        }
    }

    fn end(
        &self,
        near: HangupReason,
        far: HangupReason,
        cause: EndCause,
        talk: Duration,
        out: &mut Vec<CallOutput>,
    ) -> Stage {
        // Whichever side is over already takes no more commands.
        for (leg, reason) in [(self.near.leg, near), (self.far, far)] {
            out.push(CallOutput::Tell { leg, command: LegCommand::Hangup(reason) });
            out.push(CallOutput::CloseMedia { leg });
        }
        ended(cause, talk, out);
        Stage::Over
    }
}

fn ended(cause: EndCause, talk: Duration, out: &mut Vec<CallOutput>) {
    let zero = Duration::ZERO;
    let (queue, skill) = (None, None);
    out.push(CallOutput::Fact(CallFact::Ended { cause, queue, skill, wait: zero, talk, hold: zero }));
    out.push(CallOutput::Over);
}

/// Where no answer told how.
pub(super) fn unsaid(end: LegEnd) -> u16 {
    match end {
        LegEnd::Busy => 486,
        LegEnd::Declined => 603,
        LegEnd::NoAnswer | LegEnd::HungUp | LegEnd::Released => 480,
        LegEnd::Unreachable => 503,
        LegEnd::Fault => 500,
    }
}

/// What a phone may make of a carrier's refusal: one that challenges or redirects us means nothing to it.
pub(super) fn for_phone(status: u16) -> u16 {
    match status {
        403 | 404 | 408 | 410 | 480 | 484 | 486 | 488 | 503 | 504 | 600 | 603 | 604 | 606 => status,
        500..=599 => 503,
        300..=399 => 480,
        _ => 403,
    }
}
