//! From the agent's answer to the end of the conversation: pickup and bridge. Not here: who hears whom (`hold`).

use super::consulting::Consult;
use super::hold::Hold;
use super::passing::is_dead;
use super::supervising::{Above, Supervisor};
use super::transfer::TOGETHER;
use super::{AfterPickup, Ask, Before, Call, CallInput, CallOutput, Distributor, Seat, State};
use crate::config::settings::AnswerMode;
use crate::event::{CallFact, ConsultEnd, EndCause, Why};
use crate::ids::{AgentNo, LegId};
use crate::leg::{HangupReason, LegCommand, LegEnd};
use crate::plane::{PromptId, Source};
use crate::screen::Unreached;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// The agent has answered; the ticket is on its way to the disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pickup {
    pub(super) seat: Seat,
    pub(super) answered_at: Instant,
    pub(super) patience: Instant,
    then: AfterPickup,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Talk {
    pub(super) seat: Seat,
    pub(super) answered_at: Instant,
    /// Whether the caller is on hold, and by whom.
    pub(super) hold: Hold,
    /// The agent pressed `*`: a language's key until then passes the caller on.
    star_until: Option<Instant>,
    /// When the caller came back from a party who could not be had, or could not be passed on: the phone may go, or be
    /// gone, without knowing that the agent has them.
    pub(super) back_at: Option<Instant>,
    /// Whom the agent has called beside the caller.
    pub(super) consult: Option<Consult>,
    /// A shift leader who hears this, or is rung for it.
    pub(super) leader: Option<Supervisor>,
    /// The agent asks for a leader, since then.
    pub(super) help: Option<Instant>,
    /// Who could not be had when last asked for.
    pub(super) unreached: Option<Unreached>,
}

impl Talk {
    fn new(seat: Seat, answered_at: Instant) -> Talk {
        let hold = Hold::default();
        let (star_until, back_at, consult, leader, help, unreached) = (None, None, None, None, None, None);
        Talk { seat, answered_at, hold, star_until, back_at, consult, leader, help, unreached }
    }

    /// The agent is off the call, or the call is over: so is everybody else who was on it.
    pub(super) fn clear(&mut self, out: &mut Vec<CallOutput>) {
        self.third_goes(ConsultEnd::CallOver, out);
        self.leader_goes(out);
        self.asks_for_help(None, out);
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        let third = self.consult.as_ref().and_then(|consult| consult.until());
        let leader = self.leader.as_ref().and_then(|leader| leader.until());
        third.into_iter().chain(leader).min()
    }

    /// Since then, or no more.
    fn asks_for_help(&mut self, since: Option<Instant>, out: &mut Vec<CallOutput>) {
        if self.help.is_some() != since.is_some() {
            let (agent, asked) = (self.seat.agent.clone(), since.is_some());
            out.push(CallOutput::Fact(CallFact::Help { agent, asked }));
            self.help = since;
        }
    }
}

impl Call {
    pub(super) fn pick_up(&mut self, now: Instant, seat: Seat, out: &mut Vec<CallOutput>) -> State {
        out.push(CallOutput::Distributor(Distributor::Answered));
        if let Some(before) = &self.before {
            let (wait, ring) = (now - before.since, now - seat.ring_at);
            let queue = self.terms.queue.name.clone();
            let (agent, number) = (seat.agent.clone(), seat.seat.clone());
            out.push(CallOutput::Fact(CallFact::TakenOver { agent, seat: number, queue, wait, ring }));
            out.push(CallOutput::Tell { leg: seat.leg, command: LegCommand::Acknowledge });
            return self.bridge(seat, now, out);
        }
        self.open_ticket(now, seat, out)
    }

    /// The first pickup, which waits for its ticket.
    pub(super) fn open_ticket(&self, now: Instant, seat: Seat, out: &mut Vec<CallOutput>) -> State {
        out.push(CallOutput::OpenTicket(Box::new(self.ticket(now, &seat))));
        let patience = now + self.terms.spool_patience;
        State::PickingUp(Pickup { seat, answered_at: now, patience, then: AfterPickup::Bridge })
    }

    pub(super) fn picking_up(
        &mut self,
        now: Instant,
        pickup: Pickup,
        input: CallInput,
        out: &mut Vec<CallOutput>,
    ) -> State {
        let spooled = match input {
            CallInput::Spooled => true,
            CallInput::SpoolFailed => false,
            CallInput::Timeout if now >= pickup.patience => false,
            // The first side to go decides the cause.
            other => {
                let then = match (pickup.then, end_cause(&other, &pickup.seat)) {
                    (AfterPickup::Bridge, _) if is_dead(pickup.seat.leg, &other) => AfterPickup::Back,
                    (AfterPickup::Bridge | AfterPickup::Back, Some(cause)) => AfterPickup::End(cause),
                    (then, _) => then,
                };
                return State::PickingUp(Pickup { then, ..pickup });
            }
        };
        let Pickup { seat, answered_at, then, .. } = pickup;
        out.push(CallOutput::Fact(CallFact::Answered {
            agent: seat.agent.clone(),
            seat: seat.seat.clone(),
            queue: self.terms.queue.name.clone(),
            wait: answered_at - self.asked_at(),
            ring: answered_at - seat.ring_at,
            spooled,
        }));
        out.push(CallOutput::Tell { leg: seat.leg, command: LegCommand::Acknowledge });
        match then {
            AfterPickup::Bridge => self.bridge(seat, answered_at, out),
            AfterPickup::Back => {
                out.push(CallOutput::Distributor(Distributor::SeatDead));
                self.left_behind(now, Talk::new(seat, answered_at), Why::SeatLost, out)
            }
            AfterPickup::End(cause) => self.hang_up_both(now, Talk::new(seat, answered_at), cause, out),
        }
    }

    pub(super) fn bridge(&self, seat: Seat, answered_at: Instant, out: &mut Vec<CallOutput>) -> State {
        let caller = self.incoming.leg;
        if self.terms.answer == AnswerMode::OnPickup && self.before.is_none() {
            out.push(CallOutput::Tell { leg: caller, command: LegCommand::Answer });
        }
        let talk = Talk::new(seat, answered_at);
        let heard = self.heard_by(&talk, caller);
        let source = if self.terms.queue.announce_agent {
            Source::Play { prompts: announcement(&talk.seat.agent), then: Box::new(heard) }
        } else {
            heard
        };
        out.push(CallOutput::SetSource { leg: caller, source });
        // The agent hears the citizen at once, also while the number is announced.
        out.push(CallOutput::SetSource { leg: talk.seat.leg, source: self.heard_by(&talk, talk.seat.leg) });
        State::Talking(talk)
    }

    pub(super) fn talking(
        &mut self,
        now: Instant,
        mut talk: Talk,
        input: CallInput,
        out: &mut Vec<CallOutput>,
    ) -> State {
        let input = match self.above(now, &mut talk, input, out) {
            Above::Other(input) => input,
            Above::TakesOver(leader) => return self.taken(now, talk, leader, out),
            Above::Done => return State::Talking(talk),
        };
        let Some(input) = self.beside(now, &mut talk, input, out) else { return State::Talking(talk) };
        if let Some(cause) = end_cause(&input, &talk.seat) {
            if is_dead(talk.seat.leg, &input) {
                out.push(CallOutput::Distributor(Distributor::SeatDead));
            }
            if talk.is_left_by(&input)
                && let Some(consult) = talk.consult.take()
            {
                return self.agent_leaves(now, talk, consult, &input, out);
            }
            if let Some(why) = talk.has_left_unknowing(now, &input) {
                return self.left_behind(now, talk, why, out);
            }
            return self.hang_up_both(now, talk, cause, out);
        }
        match input {
            // The seat put us on hold when it no longer wants to hear the caller.
            CallInput::SeatMedia { leg, direction } if leg == talk.seat.leg => {
                self.change(now, &mut talk, out, |talk, _| talk.hold.on_phone = !direction.sends());
            }
            // Keys are for whoever else is on the call: another hotline's menu.
            CallInput::SeatDigit { .. } if talk.consult.is_some() => {}
            CallInput::SeatDigit { leg, digit: '*' } if leg == talk.seat.leg => {
                talk.star_until = Some(now + TOGETHER);
            }
            CallInput::SeatDigit { leg, digit } if leg == talk.seat.leg => {
                let together = talk.star_until.take().is_some_and(|until| now <= until);
                out.extend(together.then_some(CallOutput::Ask(Ask::Transfer(digit))));
            }
            _ => {}
        }
        State::Talking(talk)
    }

    /// 求助班长, or no more. False: nobody is in conversation.
    pub fn ask_help(&mut self, now: Instant, asked: bool, out: &mut Vec<CallOutput>) -> bool {
        self.in_talk(out, |_, talk, out| {
            talk.asks_for_help(asked.then_some(now), out);
            true
        })
    }

    /// Since when the agent in conversation has asked for a leader.
    pub fn help_asked(&self) -> Option<Instant> {
        if let State::Talking(talk) = &self.state { talk.help } else { None }
    }

    /// The agent means it: nothing of a phone's that may not have known. From a consultation it leads back to the caller,
    /// who is on hold and would be lost by it.
    pub fn agent_hangs_up(&mut self, now: Instant, leg: LegId, out: &mut Vec<CallOutput>) {
        if self.consults_alone() {
            self.end_consult(now, out);
            return;
        }
        if let State::Talking(talk) = &mut self.state {
            talk.back_at = None;
        }
        self.handle(now, CallInput::SeatEnded { leg, end: LegEnd::HungUp }, out);
    }

    pub(super) fn hang_up_both(
        &mut self,
        now: Instant,
        mut talk: Talk,
        cause: EndCause,
        out: &mut Vec<CallOutput>,
    ) -> State {
        talk.clear(out);
        let Before { wait, talk: talked, hold, .. } = self.spent(now, &talk);
        let leg = talk.seat.leg;
        let reason = if cause == EndCause::MediaTimeout { HangupReason::MediaTimeout } else { HangupReason::Normal };
        out.push(CallOutput::Tell { leg, command: LegCommand::Hangup(reason) });
        out.push(CallOutput::CloseMedia { leg });
        out.push(CallOutput::Distributor(Distributor::TalkEnded));
        self.finish(talked, hold, wait, cause, out);
        State::Over
    }

    /// All talks of this call together, this one included.
    pub(super) fn spent(&self, now: Instant, talk: &Talk) -> Before {
        let (talked, hold) = (now - talk.answered_at, talk.hold.total(now));
        match &self.before {
            Some(b) => Before { wait: b.wait, talk: b.talk + talked, hold: b.hold + hold, since: now },
            None => Before { wait: talk.answered_at - self.asked_at(), talk: talked, hold, since: now },
        }
    }
}

/// Does this input end an answered call, and why?
fn end_cause(input: &CallInput, seat: &Seat) -> Option<EndCause> {
    match input {
        CallInput::CallerEnded(LegEnd::HungUp) => Some(EndCause::CallerHangUp),
        CallInput::CallerEnded(_) => Some(EndCause::TrunkFault),
        CallInput::SeatEnded { leg, end: LegEnd::HungUp } if *leg == seat.leg => Some(EndCause::AgentHangUp),
        CallInput::SeatEnded { leg, .. } if *leg == seat.leg => Some(EndCause::OurFault),
        CallInput::RtpTimeout { .. } => Some(EndCause::MediaTimeout),
        CallInput::ForcedEnd => Some(EndCause::OurFault),
        _ => None,
    }
}

/// 工号 6632 为您服务: what the citizen hears at pickup. Characters other than digits are not spoken.
pub fn announcement(agent: &AgentNo) -> Vec<PromptId> {
    let digits = agent.as_str().chars().filter(char::is_ascii_digit).map(|d| PromptId::from(format!("digit-{d}")));
    std::iter::once("agent-number".into()).chain(digits).chain(std::iter::once("at-your-service".into())).collect()
}
