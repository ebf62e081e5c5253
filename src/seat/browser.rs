//! One leg at a seat in a browser. Belongs here: its life from the ring in the page to the end, and what becomes of it while
//! the page reloads. Not here: audio and its keys (`media::webrtc`), which seats have a browser (`gateway`).
//!
//! The page keeps one audio session for the shift, so a leg has no offer and no answer: picking up is a press of a button,
//! told by an order over the page's WebSocket, and what the seat is to know of the call its screen shows.
//!
//! A call outlives its page: while the audio is gone the leg waits for it, and only after a while is the seat unreachable.

use crate::leg::{LegCommand, LegEnd, LegEvent};
use crate::time::Instant;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserLeg(State);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    /// The page shows the call and rings.
    Ringing,
    /// The seat's audio is this leg's.
    Up(Audio),
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Audio {
    There,
    /// A page that reloads, a network that changes, a machine asleep: waited for until then.
    Gone {
        until: Instant,
    },
}

impl BrowserLeg {
    /// To be answered by the agent.
    pub fn ringing() -> BrowserLeg {
        BrowserLeg(State::Ringing)
    }

    /// Asked for by the agent, who listens from the start.
    pub fn up() -> BrowserLeg {
        BrowserLeg(State::Up(Audio::There))
    }

    pub fn command(&mut self, command: &LegCommand, events: &mut Vec<LegEvent>) {
        match command {
            LegCommand::Hangup(_) => self.end(LegEnd::Released, events),
            // The screen shows how the call goes, and what is to be heard comes as audio. A page passes nothing on by REFER.
            LegCommand::Ring | LegCommand::EarlyMedia | LegCommand::Answer | LegCommand::Acknowledge => {}
            LegCommand::AcceptRefer | LegCommand::RefuseRefer(_) | LegCommand::Referred(_) => {}
        }
    }

    /// The agent picks up what rings.
    pub fn answer(&mut self, events: &mut Vec<LegEvent>) {
        if self.is_ringing() {
            self.0 = State::Up(Audio::There);
            events.push(LegEvent::PickedUp);
        }
    }

    /// The agent does not take what rings.
    pub fn decline(&mut self, events: &mut Vec<LegEvent>) {
        if self.is_ringing() {
            self.end(LegEnd::Declined, events);
        }
    }

    /// The browser is gone. Nobody is kept ringing for it; a call waits until `until`.
    pub fn audio_lost(&mut self, until: Instant, events: &mut Vec<LegEvent>) {
        match self.0 {
            State::Ringing => self.end(LegEnd::Unreachable, events),
            State::Up(Audio::There) => {
                self.0 = State::Up(Audio::Gone { until });
                events.push(LegEvent::AudioLost);
            }
            State::Up(Audio::Gone { .. }) | State::Over => {}
        }
    }

    /// The browser is there, or there again.
    pub fn audio_back(&mut self, events: &mut Vec<LegEvent>) {
        if let State::Up(Audio::Gone { .. }) = self.0 {
            self.0 = State::Up(Audio::There);
            events.push(LegEvent::AudioBack);
        }
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        match self.0 {
            State::Up(Audio::Gone { until }) => Some(until),
            State::Ringing | State::Up(Audio::There) | State::Over => None,
        }
    }

    pub fn handle_timeout(&mut self, now: Instant, events: &mut Vec<LegEvent>) {
        if self.next_timeout().is_some_and(|until| until <= now) {
            self.end(LegEnd::Unreachable, events);
        }
    }

    pub fn is_ringing(&self) -> bool {
        self.0 == State::Ringing
    }

    /// It waits for its page to come back.
    pub fn is_without_page(&self) -> bool {
        matches!(self.0, State::Up(Audio::Gone { .. }))
    }

    pub fn is_over(&self) -> bool {
        self.0 == State::Over
    }

    fn end(&mut self, end: LegEnd, events: &mut Vec<LegEvent>) {
        if !self.is_over() {
            self.0 = State::Over;
            events.push(LegEvent::Ended(end));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leg::HangupReason;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(20);

    fn at(secs: u64) -> Instant {
        Instant::from_unix_secs(secs)
    }

    fn told(leg: &mut BrowserLeg, act: impl FnOnce(&mut BrowserLeg, &mut Vec<LegEvent>)) -> Vec<LegEvent> {
        let mut events = vec![];
        act(leg, &mut events);
        events
    }

    #[test]
    fn it_rings_is_answered_once_and_ends_once() {
        let mut leg = BrowserLeg::ringing();
        assert_eq!(told(&mut leg, |leg, events| leg.answer(events)), [LegEvent::PickedUp]);
        assert_eq!(told(&mut leg, |leg, events| leg.answer(events)), []);
        assert_eq!(told(&mut leg, |leg, events| leg.decline(events)), [], "too late to decline");
        let hang_up = LegCommand::Hangup(HangupReason::Normal);
        let ended = LegEvent::Ended(LegEnd::Released);
        assert_eq!(told(&mut leg, |leg, events| leg.command(&hang_up, events)), [ended]);
        assert_eq!(told(&mut leg, |leg, events| leg.command(&hang_up, events)), []);
        assert!(leg.is_over());
    }

    #[test]
    fn nobody_rings_a_browser_that_is_gone() {
        let mut leg = BrowserLeg::ringing();
        let unreachable = LegEvent::Ended(LegEnd::Unreachable);
        assert_eq!(told(&mut leg, |leg, events| leg.audio_lost(at(1) + LONG, events)), [unreachable]);
        assert_eq!(told(&mut leg, |leg, events| leg.answer(events)), []);
    }

    #[test]
    fn a_call_waits_for_its_page_so_long_and_no_longer() {
        let mut leg = BrowserLeg::up();
        assert_eq!(told(&mut leg, |leg, events| leg.audio_lost(at(100) + LONG, events)), [LegEvent::AudioLost]);
        assert_eq!(told(&mut leg, |leg, events| leg.audio_lost(at(110) + LONG, events)), [], "told once");
        assert_eq!(leg.next_timeout(), Some(at(120)), "and counted from the first loss");
        assert_eq!(told(&mut leg, |leg, events| leg.audio_back(events)), [LegEvent::AudioBack]);
        assert_eq!(told(&mut leg, |leg, events| leg.handle_timeout(at(120), events)), []);
        told(&mut leg, |leg, events| leg.audio_lost(at(200) + LONG, events));
        assert_eq!(told(&mut leg, |leg, events| leg.handle_timeout(at(219), events)), []);
        let unreachable = LegEvent::Ended(LegEnd::Unreachable);
        assert_eq!(told(&mut leg, |leg, events| leg.handle_timeout(at(220), events)), [unreachable]);
    }
}
