//! Hold. Belongs here: whether the caller is on hold and by whom; and a seat's browser that is gone for a while. Not here: who
//! hears whom then (`hearing`), what else happens in a conversation (`talk`).
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
    pub(super) ordered: bool,
    pub(super) on_phone: bool,
    /// On hold since then.
    since: Option<Instant>,
    /// In the holds before.
    so_far: Duration,
}

impl Hold {
    pub(super) fn total(self, now: Instant) -> Duration {
        self.so_far + self.since.map_or(Duration::ZERO, |since| now - since)
    }

    /// Does the agent want it?
    pub(super) fn is_wanted(self) -> bool {
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
    /// The agent has somebody else on the call.
    ThirdParty,
}

impl fmt::Display for NotHeld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotHeld::NoTalk => "there is no conversation",
            NotHeld::ThirdParty => "somebody else is on the call",
            NotHeld::OnPhone => "the phone itself has the caller on hold: resume there",
        })
    }
}

impl Talk {
    pub(super) fn is_held(&self) -> bool {
        self.hold.since.is_some()
    }

    /// Brings the hold to what follows from its causes.
    pub(super) fn settle_hold(&mut self, now: Instant, out: &mut Vec<CallOutput>) {
        let (since, fact, told) = match (self.is_held(), self.puts_on_hold()) {
            (false, true) => (Some(now), CallFact::Held, Distributor::Held),
            (true, false) => (None, CallFact::Resumed, Distributor::Resumed),
            _ => return,
        };
        (self.hold.since, self.hold.so_far) = (since, self.hold.total(now));
        out.push(CallOutput::Fact(fact));
        out.push(CallOutput::Distributor(told));
    }
}

impl Call {
    /// The agent in conversation puts the caller on hold, or takes them off it. What is so already stays so.
    ///
    /// # Errors
    /// Nobody is in conversation with the caller alone, or the hold is not the order's to lift.
    pub fn hold(&mut self, now: Instant, held: bool, out: &mut Vec<CallOutput>) -> Result<(), NotHeld> {
        let mut done = Err(NotHeld::NoTalk);
        self.in_talk(out, |call, talk, out| {
            if talk.consult.is_some() {
                done = Err(NotHeld::ThirdParty);
                return false;
            }
            call.change(now, talk, out, |talk, _| talk.hold.ordered = held);
            done = if !held && talk.is_held() { Err(NotHeld::OnPhone) } else { Ok(()) };
            true
        });
        done
    }

    /// A browser on the call is gone, or there again: until then music is heard in its place.
    pub(super) fn seat_audio(&mut self, now: Instant, leg: LegId, there: bool, out: &mut Vec<CallOutput>) {
        let audio = Audio::of(there);
        match &mut self.state {
            State::PickingUp(Pickup { seat, .. }) if seat.leg == leg => seat.audio = audio,
            State::Passing(Passing { by: By::Agent(talk), .. }) if talk.seat.leg == leg => talk.seat.audio = audio,
            State::Talking(_) => {
                self.in_talk(out, |call, talk, out| {
                    call.change(now, talk, out, |talk, _| talk.audio_of(leg, audio));
                    true
                });
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

impl Talk {
    fn audio_of(&mut self, leg: LegId, audio: Audio) {
        let third = self.consult.as_mut().map(|consult| (consult.third().leg, &mut consult.audio));
        let leader = self.leader.as_mut().map(|leader| (leader.leg, &mut leader.audio));
        let seat = (self.seat.leg, &mut self.seat.audio);
        [Some(seat), third, leader]
            .into_iter()
            .flatten()
            .filter(|(whose, _)| *whose == leg)
            .for_each(|(_, was)| *was = audio);
    }

    /// Those whose browser is gone.
    pub(super) fn gone(&self) -> Vec<LegId> {
        let third = self.consult.as_ref().map(|consult| (consult.third().leg, consult.audio));
        let leader = self.leader.as_ref().map(|leader| (leader.leg, leader.audio));
        let all = [Some((self.seat.leg, self.seat.audio)), third, leader].into_iter().flatten();
        all.filter(|(_, audio)| *audio == Audio::Gone).map(|(leg, _)| leg).collect()
    }
}

impl Audio {
    pub(super) fn of(there: bool) -> Audio {
        if there { Audio::There } else { Audio::Gone }
    }
}
