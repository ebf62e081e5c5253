//! Hold, and who hears whom in a conversation. Belongs here: whether the caller is on hold and by whom, and the sources that
//! follow from that. Not here: what else happens in a conversation (`talk`).
//!
//! Law: the caller is on hold while the agent's order or the phone's own key (re-INVITE) says so; neither lifts the other's.
//! By an order nothing is asked of the phone: the gateway gives each side something else to hear.

use super::passing::{By, Passing};
use super::talk::{Pickup, Talk};
use super::{Audio, Call, CallOutput, Distributor, State};
use crate::event::CallFact;
use crate::ids::LegId;
use crate::plane::Source;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Hold {
    ordered: bool,
    on_phone: bool,
    /// On hold since then.
    since: Option<Instant>,
    /// In the holds before.
    so_far: Duration,
}

impl Hold {
    pub(super) fn total(self, now: Instant) -> Duration {
        self.so_far + self.since.map_or(Duration::ZERO, |since| now - since)
    }

    pub(super) fn is_on(self) -> bool {
        self.ordered || self.on_phone
    }
}

/// Why the caller is not put on hold, or not taken off it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotHeld {
    /// There is no conversation.
    NoTalk,
    /// Only the phone that put the caller on hold can take them off.
    OnPhone,
}

impl fmt::Display for NotHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotHeld::NoTalk => "there is no conversation",
            NotHeld::OnPhone => "the phone itself has the caller on hold: resume there",
        })
    }
}

/// What each side of a conversation hears.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hear {
    pub(super) caller: Source,
    pub(super) agent: Source,
}

impl Talk {
    pub(super) fn is_held(&self) -> bool {
        self.hold.is_on()
    }

    /// The agent's phone has, or no longer has, the caller on hold.
    pub(super) fn held_on_phone(&mut self, now: Instant, held: bool, out: &mut Vec<CallOutput>) {
        self.holds(now, Hold { on_phone: held, ..self.hold }, out);
    }

    fn held_by_order(&mut self, now: Instant, held: bool, out: &mut Vec<CallOutput>) {
        self.holds(now, Hold { ordered: held, ..self.hold }, out);
    }

    fn holds(&mut self, now: Instant, to: Hold, out: &mut Vec<CallOutput>) {
        let was = std::mem::replace(&mut self.hold, to);
        let (since, fact, told) = match (was.is_on(), to.is_on()) {
            (false, true) => (Some(now), CallFact::Held, Distributor::Held),
            (true, false) => (None, CallFact::Resumed, Distributor::Resumed),
            _ => return,
        };
        (self.hold.since, self.hold.so_far) = (since, was.total(now));
        out.push(CallOutput::Fact(fact));
        out.push(CallOutput::Distributor(told));
    }
}

impl Call {
    /// The agent in conversation puts the caller on hold, or takes them off it. What is so already stays so.
    ///
    /// # Errors
    /// Nobody is in conversation, or the hold is not the order's to lift.
    pub fn hold(&mut self, now: Instant, held: bool, out: &mut Vec<CallOutput>) -> Result<(), NotHeld> {
        let State::Talking(talk) = &self.state else { return Err(NotHeld::NoTalk) };
        let (mut talk, before) = (talk.clone(), self.hear(talk));
        talk.held_by_order(now, held, out);
        self.switch(before, &talk, out);
        let still = !held && talk.is_held();
        self.state = State::Talking(talk);
        if still { Err(NotHeld::OnPhone) } else { Ok(()) }
    }

    /// Who hears whom follows from the state of the conversation alone.
    pub(super) fn hear(&self, talk: &Talk) -> Hear {
        let music = || Source::Music(self.terms.queue.music.clone());
        let with_agent = !talk.is_held() && talk.seat.audio == Audio::There;
        Hear {
            caller: if with_agent { Source::Leg(talk.seat.leg) } else { music() },
            // A phone that holds the caller itself need not be told, and hears its agent's other line.
            agent: if talk.hold.ordered { Source::Silence } else { Source::Leg(self.incoming.leg) },
        }
    }

    /// Tells each side that hears something else now.
    pub(super) fn switch(&self, before: Hear, talk: &Talk, out: &mut Vec<CallOutput>) {
        let after = self.hear(talk);
        if after.caller != before.caller {
            out.push(CallOutput::SetSource { leg: self.incoming.leg, source: after.caller });
        }
        if after.agent != before.agent {
            out.push(CallOutput::SetSource { leg: talk.seat.leg, source: after.agent });
        }
    }

    /// The caller, who heard something else for a while, is the agent's again.
    pub(super) fn give_back(&self, talk: &Talk, out: &mut Vec<CallOutput>) {
        out.push(CallOutput::SetSource { leg: self.incoming.leg, source: self.hear(talk).caller });
    }

    /// The seat's browser is gone, or there again: until then the caller hears music.
    pub(super) fn seat_audio(&mut self, leg: LegId, there: bool, out: &mut Vec<CallOutput>) {
        let audio = Audio::of(there);
        match &mut self.state {
            State::PickingUp(Pickup { seat, .. })
            | State::Passing(Passing { by: By::Agent(Talk { seat, .. }), .. })
                if seat.leg == leg =>
            {
                seat.audio = audio;
            }
            State::Talking(talk) if talk.seat.leg == leg => {
                let mut talk = talk.clone();
                let before = self.hear(&talk);
                talk.seat.audio = audio;
                self.switch(before, &talk, out);
                self.state = State::Talking(talk);
            }
            State::Away(away) if away.leg == leg => {
                let music = Source::Music(self.terms.queue.music.clone());
                let source = if there { Source::Leg(leg) } else { music };
                out.push(CallOutput::SetSource { leg: self.incoming.leg, source });
            }
            _ => {}
        }
    }
}

impl Audio {
    pub(super) fn of(there: bool) -> Audio {
        if there { Audio::There } else { Audio::Gone }
    }
}
