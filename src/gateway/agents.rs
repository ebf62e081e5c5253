//! What agents order from their screens. Each order is answered: done, or why not. Not here: the same by a phone's keys
//! (`features`, `call`), what shift leaders order (`commands`).

use super::devices::Device;
use super::dialling::NoDial;
use super::legs::{Leg, Role};
use super::{Gateway, LeaderOrder};
use crate::acd::{AcdInput, Refused};
use crate::call::{CallInput, NotHeld};
use crate::event::{AgentState, NotReadyReason};
use crate::ids::{AgentNo, CallId, LegId, QueueName, SeatNo};
use crate::leg::{HangupReason, LegCommand, LegEnd};
use crate::time::Instant;
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentOrder {
    /// 签入 at this seat.
    SignIn(SeatNo),
    /// 签出.
    SignOut,
    /// 示闲.
    Ready,
    /// 示忙, 小休, 培训.
    NotReady(NotReadyReason),
    /// More time after this call.
    ExtendWrapUp,
    /// 挂断; 拒接 while it rings.
    HangUp,
    /// 接听 what rings in the page.
    Answer,
    /// 保持: the caller hears music.
    Hold,
    /// 取回.
    Resume,
    /// 呼出 from the page: a call of the seat's own, to a number as a phone would dial it.
    Dial(String),
    /// 试音: the agent hears herself.
    TestCall,
    EndTestCall,
    /// 转接 into a queue, the caller's place kept.
    ToQueue(QueueName),
    /// 咨询 of whom a phone at this seat would reach by these digits; the caller is on hold meanwhile.
    Consult(String),
    /// Back to the caller: from whom is consulted or whom the caller is on the way to.
    EndConsult,
    /// 转接 to whom is consulted, or to these digits without having talked to anybody.
    Transfer(Option<String>),
    /// 三方通话 with whom is consulted.
    ThreeWay,
    /// 110: called beside the caller, who is never on hold; three-way at the answer.
    Emergency,
    /// 转满意度评价: the agent is off, the caller is asked how it was.
    Survey,
    /// 求助班长, shown on the leaders' consoles; `false`: no more.
    AskHelp(bool),
    /// Of a shift leader, refused to others.
    Lead(LeaderOrder),
}

/// Why an order was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unable {
    Refused(Refused),
    /// There is no such seat.
    UnknownSeat(SeatNo),
    /// There is no call to answer, to hang up or to pass on.
    NoCall,
    /// Nobody is consulted, or has not answered.
    NoConsult,
    /// Something else is under way.
    NotNow,
    /// This seat may not call that, or it is no number.
    NotAllowed,
    Busy,
    /// No phone there.
    NotThere,
    /// No room for another call.
    Overload,
    /// Shift leaders only.
    NotLeader,
    /// The leader is not on the line.
    NotListening,
    /// It rings on the seat's phone, to be answered there.
    OnPhone,
    NotHeld(NotHeld),
    /// The seat has a phone and no browser: numbers are dialled there.
    DialOnPhone,
    /// The seat's browser has no audio.
    NoBrowser,
    /// One call at a time.
    InCall,
    /// No number, or none that the seat's plan has.
    NotInPlan,
    NoDial(NoDial),
}

impl Unable {
    /// Stable word, for screens to translate.
    pub fn as_str(&self) -> &'static str {
        match self {
            Unable::UnknownSeat(_) => "unknown_seat",
            Unable::NoCall => "no_call",
            Unable::NoConsult => "no_consult",
            Unable::NotNow => "not_now",
            Unable::NotAllowed => "not_allowed",
            Unable::Busy => "busy",
            Unable::NotThere => "not_there",
            Unable::Overload => "overload",
            Unable::NotLeader => "not_leader",
            Unable::NotListening => "not_listening",
            Unable::OnPhone => "answer_on_phone",
            Unable::NotHeld(NotHeld::NoTalk) => "not_talking",
            Unable::NotHeld(NotHeld::ThirdParty) => "not_now",
            Unable::NotHeld(NotHeld::OnPhone) => "resume_on_phone",
            Unable::DialOnPhone => "dial_on_phone",
            Unable::NoBrowser => "no_browser",
            Unable::InCall => "in_call",
            Unable::NotInPlan => "not_in_plan",
            Unable::NoDial(NoDial::Busy) => "busy",
            Unable::NoDial(NoDial::Overload) => "overload",
            Unable::Refused(refused) => match refused {
                Refused::UnknownAgent(_) => "unknown_agent",
                Refused::NotSignedIn(_) => "not_signed_in",
                Refused::NotTheirDay(_) => "not_their_day",
                Refused::NotInWrapUp(_) => "not_in_wrap_up",
                Refused::SignedInElsewhere { .. } => "signed_in_elsewhere",
                Refused::SeatTaken { .. } => "seat_taken",
                Refused::SeatUnreachable { .. } => "seat_unreachable",
                Refused::UnknownQueue(_) => "unknown_queue",
                Refused::QueueFull { .. } => "queue_full",
                Refused::NoAgents(_) => "no_agents",
                Refused::NotAnswered(_) | Refused::UnknownCall(_) => "no_call",
                Refused::AlreadyQueued(_) | Refused::NotInLine(_) | Refused::NotOffered(_) | Refused::NotFree(_) => {
                    "not_now"
                }
            },
        }
    }
}

impl fmt::Display for Unable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unable::Refused(refused) => refused.fmt(f),
            Unable::UnknownSeat(seat) => write!(f, "seat {seat} is not in the configuration"),
            Unable::NoCall => f.write_str("there is no call"),
            Unable::NoConsult => f.write_str("nobody is consulted, or has not answered"),
            Unable::NotNow => f.write_str("something else is under way in this call"),
            Unable::NotAllowed => f.write_str("this seat may not call that, or it is no number"),
            Unable::Busy => f.write_str("busy there"),
            Unable::NotThere => f.write_str("no phone is registered there"),
            Unable::Overload => f.write_str("there is no room for another call now"),
            Unable::NotLeader => f.write_str("only a shift leader may do that"),
            Unable::NotListening => f.write_str("you are not on the line of that agent"),
            Unable::OnPhone => f.write_str("it rings on the phone: pick up there"),
            Unable::NotHeld(why) => why.fmt(f),
            Unable::DialOnPhone => f.write_str("the seat has a phone: dial there"),
            Unable::NoBrowser => f.write_str("the seat's browser has no audio"),
            Unable::InCall => f.write_str("the seat is in a call: one at a time"),
            Unable::NotInPlan => f.write_str("the seat's dial plan does not have this number"),
            Unable::NoDial(NoDial::Busy) => f.write_str("busy there"),
            Unable::NoDial(NoDial::Overload) => f.write_str("no room for a call now"),
        }
    }
}

impl From<Refused> for Unable {
    fn from(refused: Refused) -> Unable {
        Unable::Refused(refused)
    }
}

impl Gateway {
    /// One step, as `handle`. Whoever passes it in has checked that it comes from this agent.
    ///
    /// # Errors
    /// Why it was not carried out; then nothing has changed.
    pub fn order(&mut self, now: Instant, agent: &AgentNo, order: AgentOrder) -> Result<(), Unable> {
        let done = self.ordered(now, agent.clone(), order);
        self.settle(now);
        done
    }

    fn ordered(&mut self, now: Instant, agent: AgentNo, order: AgentOrder) -> Result<(), Unable> {
        let input = match order {
            AgentOrder::SignIn(seat) if !self.seats.contains_key(&seat) => return Err(Unable::UnknownSeat(seat)),
            AgentOrder::SignIn(seat) => return self.sign_in_at(now, agent, seat),
            AgentOrder::SignOut => AcdInput::SignOut { agent },
            AgentOrder::Ready => AcdInput::Ready { agent },
            AgentOrder::NotReady(reason) => AcdInput::NotReady { agent, reason },
            AgentOrder::ExtendWrapUp => AcdInput::ExtendWrapUp { agent },
            AgentOrder::HangUp => return self.hang_up(now, &agent),
            AgentOrder::Dial(number) => return self.page_dials(now, &agent, &number),
            AgentOrder::TestCall => return self.test_call(now, &agent),
            AgentOrder::EndTestCall => {
                let seat = self.acd.agent(&agent).and_then(|view| view.seat).cloned();
                let ended = seat.is_some_and(|seat| self.end_test_call(now, &seat));
                return if ended { Ok(()) } else { Err(Unable::NoCall) };
            }
            AgentOrder::Answer => return self.answer(now, &agent),
            AgentOrder::Hold => return self.hold(now, &agent, true),
            AgentOrder::Resume => return self.hold(now, &agent, false),
            AgentOrder::ToQueue(queue) => {
                let call = self.acd.agent(&agent).and_then(|view| view.call).ok_or(Unable::NoCall)?;
                return Ok(self.transfer(now, call, &queue)?);
            }
            AgentOrder::Consult(to) => return self.consult(now, &agent, &to),
            AgentOrder::EndConsult => return self.end_consult(now, &agent),
            AgentOrder::Transfer(to) => return self.transfer_to(now, &agent, to.as_deref()),
            AgentOrder::ThreeWay => return self.three_way(now, &agent),
            AgentOrder::Emergency => return self.emergency(now, &agent),
            AgentOrder::Survey => return self.survey(now, &agent),
            AgentOrder::AskHelp(asked) => return self.ask_help(now, &agent, asked),
            AgentOrder::Lead(order) => return self.lead(now, agent, order),
        };
        Ok(self.acd.handle(now, input)?)
    }

    /// Unlike a phone's code the order does not show that a device of the seat is there.
    fn sign_in_at(&mut self, now: Instant, agent: AgentNo, seat: SeatNo) -> Result<(), Unable> {
        self.acd.handle(now, AcdInput::SignIn { agent, seat: seat.clone() })?;
        if self.reached_by(&seat).is_none() {
            self.acd.handle(now, AcdInput::SeatLost { seat })?;
        }
        Ok(())
    }

    fn answer(&mut self, now: Instant, agent: &AgentNo) -> Result<(), Unable> {
        let seat = self.acd.agent(agent).and_then(|view| view.seat).ok_or(Unable::NoCall)?;
        match self.ringing_in_browser(seat) {
            Some(_) if self.in_call_in_browser(seat) => return Err(Unable::InCall),
            Some(leg) => self.pick_up(now, leg),
            None if self.acd.agent_state(agent) == Some(AgentState::Reserved) => return Err(Unable::OnPhone),
            None => return Err(Unable::NoCall),
        }
        Ok(())
    }

    fn hold(&mut self, now: Instant, agent: &AgentNo, held: bool) -> Result<(), Unable> {
        let id = self.acd.agent(agent).and_then(|view| view.call).ok_or(Unable::NoCall)?;
        let call = self.calls.get_mut(&id).ok_or(Unable::NotHeld(NotHeld::NoTalk))?;
        let mut out = Vec::new();
        let done = call.hold(now, held, &mut out);
        self.carry_out(now, id, out);
        done.map_err(Unable::NotHeld)
    }

    fn hang_up(&mut self, now: Instant, agent: &AgentNo) -> Result<(), Unable> {
        let seat = self.acd.agent(agent).and_then(|view| view.seat).cloned().ok_or(Unable::NoCall)?;
        let Some((leg, role)) = self.leg_of_seat(&seat) else {
            return if self.end_test_call(now, &seat) { Ok(()) } else { Err(Unable::NoCall) };
        };
        let role = role.clone();
        if self.legs.get(&leg).is_some_and(|known| known.device.is_ringing_browser()) {
            self.with_browser(now, leg, |browser, events| browser.decline(events));
            return Ok(());
        }
        match role {
            Role::Seat { call, .. } => self.leave_call(now, call, leg),
            Role::Dialler { call, .. } => self.call_input(now, call, CallInput::SeatEnded { leg, end: LegEnd::HungUp }),
            Role::Party { call, .. } => self.call_input(now, call, CallInput::PartyEnded { leg, end: LegEnd::HungUp }),
            Role::Caller { .. } | Role::Feature { .. } | Role::TestCall { .. } => return Err(Unable::NoCall),
        }
        Ok(())
    }

    /// Whoever sits there next must hear nothing of what this agent was on: a page's talks end with it, and so does listening
    /// in. A phone's own talks are its user's to end.
    pub(super) fn leaves_seat(&mut self, now: Instant, agent: &AgentNo) {
        if let Some(call) = self.supervised_by(agent) {
            let _ = self.order_call(now, call, |call, now, out| call.end_supervision(now, agent, out));
        }
        let abandoned = |leg: &Leg| {
            let browser = matches!(leg.device, Device::Browser(_));
            browser && leg.role.seat().is_some_and(|seat| self.acd.agent_at(seat).is_none())
        };
        let left: Vec<_> =
            self.legs.iter().filter(|(_, leg)| abandoned(leg)).map(|(id, leg)| (*id, leg.role.clone())).collect();
        for (leg, role) in left {
            let end = LegEnd::HungUp;
            self.with_browser(now, leg, |browser, events| browser.decline(events));
            match role {
                // It only rang.
                _ if !self.legs.contains_key(&leg) => {}
                Role::Dialler { call, .. } => self.call_input(now, call, CallInput::SeatEnded { leg, end }),
                Role::Party { call, .. } => self.call_input(now, call, CallInput::PartyEnded { leg, end }),
                Role::TestCall { .. } => self.tell(now, leg, LegCommand::Hangup(HangupReason::Normal)),
                // A citizen's call goes by the distributor's word.
                Role::Seat { .. } | Role::Caller { .. } | Role::Feature { .. } => {}
            }
        }
    }

    /// The agent's leg of a citizen's call: rung, talking, or waiting for the citizen.
    fn leave_call(&mut self, now: Instant, id: CallId, leg: LegId) {
        let rings = self.calls.get(&id).map_or_else(
            || self.attempts.get(&id).is_some_and(|attempt| attempt.is_ringing()),
            |call| call.is_ringing(),
        );
        if rings {
            self.tell(now, leg, LegCommand::Hangup(HangupReason::Withdrawn));
            return self.call_input(now, id, CallInput::SeatEnded { leg, end: LegEnd::Declined });
        }
        match self.calls.get_mut(&id) {
            Some(call) => {
                let mut out = Vec::new();
                call.agent_hangs_up(now, leg, &mut out);
                self.carry_out(now, id, out);
            }
            None => self.call_input(now, id, CallInput::SeatEnded { leg, end: LegEnd::HungUp }),
        }
    }
}
