//! What the agent's screen shows of a call. Nothing here decides or changes anything.

use super::passing::{By, Passing};
use super::talk::Talk;
use super::{Call, State};
use crate::event::Party;
use crate::ids::{LegId, SeatNo};
use crate::leg::Caller;
use crate::screen::{CallScreen, OwnScreen, OwnStage, PartyScreen, PartyStage, Stage, purpose_word};
use crate::time::Instant;

impl Call {
    pub fn screen(&self) -> CallScreen {
        let (stage, answered) = match &self.state {
            State::Ringing(..) => (Stage::Ringing, None),
            State::PickingUp(pickup) => (Stage::Talking, Some(pickup.answered_at)),
            State::Talking(talk) if talk.consult.is_some() => (third(talk), Some(talk.answered_at)),
            State::Talking(talk) if talk.is_held() => (Stage::Held, Some(talk.answered_at)),
            State::Talking(talk) => (Stage::Talking, Some(talk.answered_at)),
            State::Passing(passing) => (Stage::Passing, by(&passing.by)),
            State::Away(_) | State::Surveying(_) => (Stage::Away, None),
            State::Arrived | State::Announcing(_) | State::Waiting(_) | State::Over => (Stage::Waiting, None),
        };
        CallScreen {
            call: self.id,
            stage,
            caller: self.callers_number(),
            withheld: self.incoming.caller.withheld,
            dnis: self.incoming.dnis.clone(),
            line: self.terms.line.clone(),
            queue: self.terms.queue.name.clone(),
            skill: self.terms.queue.skill.clone(),
            purpose: purpose_word(self.terms.purpose),
            test: self.terms.test,
            asked: self.asked_at(),
            answered,
            path: self.route.as_str().to_owned(),
            party: self.party_screen(),
            unreached: match &self.state {
                State::Talking(talk) => talk.unreached.clone(),
                _ => None,
            },
        }
    }
}

impl Call {
    /// As the seat at this leg sees it: the caller has been sent there, or a colleague asks about one.
    pub fn sent_screen(&self, leg: LegId) -> Option<OwnScreen> {
        let (stage, since) = match &self.state {
            State::Passing(passing) if passing.leg == leg => (OwnStage::Ringing, passing.since),
            State::Away(away) if away.leg == leg => (OwnStage::Talking, away.since),
            State::Talking(talk) => {
                let consult = talk.consult.as_ref().filter(|consult| consult.third().leg == leg)?;
                let PartyScreen { stage, since, .. } = consult.screen();
                let stage = if stage == PartyStage::Calling { OwnStage::Ringing } else { OwnStage::Talking };
                // Who asks, not whose call it is about.
                let to = Some(talk.seat.seat.to_string());
                return Some(OwnScreen { call: self.id, to, incoming: true, stage, since });
            }
            _ => return None,
        };
        Some(OwnScreen { call: self.id, to: self.callers_number(), incoming: true, stage, since })
    }

    /// Who sees how it goes where somebody beside the agent has the caller, is being called for them, or is asked about them.
    pub fn seats_with_a_third(&self) -> Vec<SeatNo> {
        let (agent, to) = match &self.state {
            State::Talking(Talk { seat, consult: Some(consult), .. }) => (Some(&seat.seat), consult.to()),
            State::Passing(Passing { by: By::Agent(talk), to, .. }) => (Some(&talk.seat.seat), to),
            State::Passing(Passing { by: By::Gone(_), to, .. }) => (None, to),
            State::Away(away) => (None, &away.to),
            _ => return vec![],
        };
        let third = if let Party::Seat(seat) = to { Some(seat) } else { None };
        agent.into_iter().chain(third).cloned().collect()
    }

    fn callers_number(&self) -> Option<String> {
        let Caller { raw, e164, withheld } = &self.incoming.caller;
        e164.clone().or(raw.clone()).filter(|_| !withheld)
    }

    fn party_screen(&self) -> Option<PartyScreen> {
        match &self.state {
            State::Talking(talk) => talk.consult.as_ref().map(|consult| consult.screen()),
            State::Passing(passing) => {
                let (to, stage) = (passing.to.number().to_owned(), PartyStage::Calling);
                Some(PartyScreen { to, stage, since: passing.since })
            }
            _ => None,
        }
    }
}

/// With a call for help under way the caller is in conversation as before.
fn third(talk: &Talk) -> Stage {
    match talk.consult.as_ref().map(|consult| (consult.third(), consult.screen().stage)) {
        Some((_, PartyStage::ThreeWay)) => Stage::ThreeWay,
        Some((third, _)) if third.private => Stage::Consulting,
        _ => Stage::Talking,
    }
}

fn by(by: &By) -> Option<Instant> {
    match by {
        By::Agent(talk) => Some(talk.answered_at),
        By::Gone(_) => None,
    }
}
