//! What an agent orders of a third party: consult, join, pass on, call for help. Not here: what becomes of the three
//! (`call::consulting`), the same by a phone's keys (`referring`, `dialling`).

use super::Gateway;
use super::agents::Unable;
use super::dialling::Shown;
use super::lines::language;
use super::referring::{AWAY, BUSY, OVERLOAD, PENDING};
use crate::call::{Call, CallOutput, Questions, Then};
use crate::event::Party;
use crate::ids::{AgentNo, CallId, LegId, SeatNo};
use crate::ivr::spoken;
use crate::seat::dial_plan::Dialled;
use crate::time::Instant;

/// The agent's part of a citizen's call.
pub(super) struct InTalk {
    pub call: CallId,
    pub seat: SeatNo,
    leg: LegId,
}

impl Gateway {
    pub(super) fn consult(&mut self, now: Instant, agent: &AgentNo, to: &str) -> Result<(), Unable> {
        let talk = self.in_talk(agent)?;
        let to = match self.read_typed(&talk.seat, to) {
            Dialled::Call(to @ Party::Emergency(_)) => return self.call_for_help(now, talk, to),
            Dialled::Call(to) => to,
            _ => {
                self.refusals.not_in_plan += 1;
                return Err(Unable::NotAllowed);
            }
        };
        if self.calls.get(&talk.call).is_some_and(|call| call.third_party().is_some()) {
            return Err(Unable::NotNow);
        }
        self.can_be_called(&talk.seat, &to)?;
        self.call_beside(now, &talk, to, Then::Talk);
        Ok(())
    }

    pub(super) fn end_consult(&mut self, now: Instant, agent: &AgentNo) -> Result<(), Unable> {
        let call = self.call_of_agent(agent)?;
        self.order_call(now, call, Call::end_consult)
    }

    pub(super) fn three_way(&mut self, now: Instant, agent: &AgentNo) -> Result<(), Unable> {
        let call = self.in_talk(agent)?.call;
        self.order_call(now, call, Call::three_way)
    }

    pub(super) fn transfer_to(&mut self, now: Instant, agent: &AgentNo, to: Option<&str>) -> Result<(), Unable> {
        let talk = self.in_talk(agent)?;
        let consulted = self.calls.get(&talk.call).and_then(Call::third_party);
        match (consulted, to) {
            (Some(Party::Outside(_)), _) if self.passes_enough(&talk.seat) => Err(Unable::Busy),
            // Somebody else than the page thinks: not with the caller in hand.
            (Some(_), Some(_)) => Err(Unable::NotNow),
            (Some(_), None) => self.order_call(now, talk.call, Call::complete),
            (None, Some(to)) => {
                let to = self.read_typed(&talk.seat, to);
                Ok(self.pass_to(now, talk.leg, talk.call, &talk.seat, to)?)
            }
            (None, None) => Err(Unable::NoConsult),
        }
    }

    /// Whatever else the agent was about gives way.
    pub(super) fn emergency(&mut self, now: Instant, agent: &AgentNo) -> Result<(), Unable> {
        let number = self.settings.dialling.emergency.first().cloned().ok_or(Unable::NotAllowed)?;
        let call = self.call_of_agent(agent)?;
        let _ = self.order_call(now, call, Call::take_back);
        let talk = self.in_talk(agent)?;
        self.call_for_help(now, talk, Party::Emergency(number))
    }

    pub(super) fn survey(&mut self, now: Instant, agent: &AgentNo) -> Result<(), Unable> {
        let id = self.in_talk(agent)?.call;
        let Some(call) = self.calls.get(&id) else { return Err(Unable::NoCall) };
        let language = language(&call.terms().queue);
        let questions = Questions { ask: spoken::survey(language), thanks: spoken::survey_thanks(language) };
        let asked = self.order_call(now, id, |call, now, out| call.survey(now, questions, out));
        asked.map_err(|_| Unable::NotNow)
    }

    pub(super) fn ask_help(&mut self, now: Instant, agent: &AgentNo, asked: bool) -> Result<(), Unable> {
        let call = self.in_talk(agent)?.call;
        self.order_call(now, call, |call, now, out| call.ask_help(now, asked, out))
    }

    fn call_for_help(&mut self, now: Instant, talk: InTalk, to: Party) -> Result<(), Unable> {
        match self.calls.get(&talk.call).and_then(Call::third_party) {
            Some(Party::Emergency(_)) => return Err(Unable::NotNow),
            Some(_) => self.order_call(now, talk.call, Call::end_consult)?,
            None => {}
        }
        self.call_beside(now, &talk, to, Then::ThreeWay);
        Ok(())
    }

    fn call_beside(&mut self, now: Instant, talk: &InTalk, to: Party, then: Then) {
        // A colleague sees who asks, not whose call it is about.
        let from = format!("<sip:{}@{}>", talk.seat, self.settings.domain);
        let (party, until) = (self.new_leg(), now + self.settings.dialling.ring_timeout);
        let mut out = Vec::new();
        if let Some(call) = self.calls.get_mut(&talk.call) {
            call.consult(now, to.clone(), party, until, then, &mut out);
        }
        self.carry_out(now, talk.call, out);
        self.call_party(now, talk.call, party, &to, Shown { from, referred_by: None });
    }

    pub(super) fn order_call(
        &mut self,
        now: Instant,
        id: CallId,
        act: impl FnOnce(&mut Call, Instant, &mut Vec<CallOutput>) -> bool,
    ) -> Result<(), Unable> {
        let mut out = Vec::new();
        let done = self.calls.get_mut(&id).is_some_and(|call| act(call, now, &mut out));
        self.carry_out(now, id, out);
        if done { Ok(()) } else { Err(Unable::NoConsult) }
    }

    /// What was typed on a page, as this seat's phone would dial it.
    fn read_typed(&self, seat: &SeatNo, to: &str) -> Dialled {
        let typed: String = to.chars().filter(|c| !c.is_whitespace()).collect();
        self.read_dialled(seat, format!("sip:{typed}@{}", self.settings.domain).as_bytes())
    }

    pub(super) fn call_of_agent(&self, agent: &AgentNo) -> Result<CallId, Unable> {
        self.acd.agent(agent).and_then(|view| view.call).ok_or(Unable::NoCall)
    }

    /// Of the agent in conversation with a citizen.
    pub(super) fn in_talk(&self, agent: &AgentNo) -> Result<InTalk, Unable> {
        let call = self.call_of_agent(agent)?;
        let seat = self.acd.agent(agent).and_then(|view| view.seat).cloned().ok_or(Unable::NoCall)?;
        let known = self.calls.get(&call).ok_or(Unable::NoCall)?;
        match known.talks_on() {
            Some(leg) => Ok(InTalk { call, seat, leg }),
            None if known.is_passing() => Err(Unable::NotNow),
            None => Err(Unable::NoCall),
        }
    }
}

/// As a phone would be told.
impl From<u16> for Unable {
    fn from(status: u16) -> Unable {
        match status {
            BUSY => Unable::Busy,
            AWAY => Unable::NotThere,
            PENDING => Unable::NotNow,
            OVERLOAD => Unable::Overload,
            _ => Unable::NotAllowed,
        }
    }
}
