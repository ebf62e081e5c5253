//! What a shift leader orders: on an agent's call by their own seat, of agents' states and skills, of callers in line. Not
//! here: what each hears (`call::supervising`), the distributor's rules (`acd`).
//!
//! Security: refused to who is no leader, whatever the page shows. Each act is in the event log: by whom, on whom, why.

use super::agents::Unable;
use super::dialling::Shown;
use super::{Gateway, Output};
use crate::acd::{AcdInput, Forced, Refused};
use crate::call::{Call, CallOutput, Comes, Mode};
use crate::event::{CallFact, LeaderAct, LeaderEvent, Party, Supervision, Why};
use crate::ids::{AgentNo, CallId, QueueName, Skill};
use crate::time::Instant;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaderOrder {
    /// 监听.
    Listen(AgentNo),
    /// 密语, 强插, or only listening again.
    Speak(Mode),
    EndListening,
    /// 拦截: the agent's call is the leader's.
    TakeOver(AgentNo),
    /// 强拆.
    Disconnect {
        agent: AgentNo,
        /// Only this call of theirs: they may have another by the time the order comes.
        call: Option<CallId>,
        why: String,
    },
    /// 强制示闲, 示忙, 签出.
    Force {
        agent: AgentNo,
        to: Forced,
        why: String,
    },
    /// A caller in line goes to the front.
    MoveUp {
        call: CallId,
        why: String,
    },
    /// A caller in line goes to another queue, the place kept.
    MoveCall {
        call: CallId,
        queue: QueueName,
        why: String,
    },
    /// For the rest of the shift.
    SetSkills {
        agent: AgentNo,
        skills: BTreeMap<Skill, u8>,
        why: String,
    },
}

/// What a leader writes is kept so far.
const LONGEST_WHY: usize = 200;

impl Gateway {
    pub(super) fn lead(&mut self, now: Instant, by: AgentNo, order: LeaderOrder) -> Result<(), Unable> {
        if !self.acd.agent(&by).is_some_and(|view| view.leader) {
            tracing::warn!(%by, "a shift leader's order of somebody who is none");
            return Err(Unable::NotLeader);
        }
        match order {
            LeaderOrder::Listen(agent) => self.comes(now, by, &agent, Comes::ToHear(Mode::Listen)),
            LeaderOrder::Speak(mode) => {
                let call = self.supervised_by(&by).ok_or(Unable::NotListening)?;
                self.order_call(now, call, |call, now, out| call.supervise_as(now, &by, mode, out))
            }
            LeaderOrder::EndListening => {
                let call = self.supervised_by(&by).ok_or(Unable::NotListening)?;
                self.order_call(now, call, |call, now, out| call.end_supervision(now, &by, out))
            }
            LeaderOrder::TakeOver(agent) => {
                let call = self.in_talk(&agent)?.call;
                if self.supervised_by(&by) != Some(call) {
                    return self.comes(now, by, &agent, Comes::ToTakeOver);
                }
                let taken = self.order_call(now, call, |call, now, out| call.take_over(now, &by, out));
                taken.map_err(|_| Unable::NotNow)
            }
            LeaderOrder::Disconnect { agent, call: seen, why } => {
                let call = self.in_talk(&agent)?.call;
                if seen.is_some_and(|seen| seen != call) {
                    return Err(Unable::NoCall);
                }
                self.order_call(now, call, |call, now, out| call.disconnect(now, by, reason(why), out))
            }
            LeaderOrder::Force { agent, to, why } => {
                self.acd.handle(now, AcdInput::Force { agent: agent.clone(), to, by: by.clone() })?;
                let act = match to {
                    Forced::Ready => LeaderAct::ForcedReady,
                    Forced::NotReady => LeaderAct::ForcedNotReady,
                    Forced::SignOut => LeaderAct::ForcedOut,
                };
                self.led(now, by, agent, act, why);
                Ok(())
            }
            LeaderOrder::SetSkills { agent, skills, why } => {
                self.acd.handle(now, AcdInput::SetSkills { agent: agent.clone(), skills: skills.clone() })?;
                self.led(now, by, agent, LeaderAct::Skills(skills), why);
                Ok(())
            }
            LeaderOrder::MoveUp { call, why } => {
                self.acd.handle(now, AcdInput::MoveUp { call })?;
                self.led_caller(now, call, by, Supervision::MoveUp, why);
                Ok(())
            }
            LeaderOrder::MoveCall { call, queue, why } => {
                self.move_call(now, call, &queue, Why::Supervisor(by.clone()))?;
                self.led_caller(now, call, by, Supervision::MoveCall, why);
                Ok(())
            }
        }
    }

    /// The leader's own seat is rung, like anybody's, and whoever answers there is on the agent's call.
    fn comes(&mut self, now: Instant, by: AgentNo, agent: &AgentNo, then: Comes) -> Result<(), Unable> {
        let talk = self.in_talk(agent)?;
        let seat = self.acd.agent(&by).and_then(|view| view.seat).cloned();
        let seat = seat.ok_or_else(|| Refused::NotSignedIn(by.clone()))?;
        let to = Party::Seat(seat.clone());
        self.can_be_called(&talk.seat, &to)?;
        let (leg, until) = (self.new_leg(), now + self.settings.dialling.ring_timeout);
        let from = format!("<sip:{}@{}>", talk.seat, self.settings.domain);
        let comes =
            |call: &mut Call, now, out: &mut Vec<CallOutput>| call.supervise(now, by, seat, leg, until, then, out);
        self.order_call(now, talk.call, comes).map_err(|_| Unable::NotNow)?;
        self.call_party(now, talk.call, leg, &to, Shown { from, referred_by: None });
        // Who asks for it on the page need not pick up there as well.
        self.pick_up(now, leg);
        Ok(())
    }

    /// The call this leader is on, or is rung for.
    pub(super) fn supervised_by(&self, by: &AgentNo) -> Option<CallId> {
        self.calls.values().find(|call| call.is_supervised_by(by)).map(Call::id)
    }

    fn led(&mut self, now: Instant, by: AgentNo, agent: AgentNo, act: LeaderAct, why: String) {
        // What the distributor says of it comes first.
        self.distribute(now);
        self.outputs.push_back(Output::Leader(LeaderEvent { at: now, by, agent, act, why: reason(why) }));
    }

    fn led_caller(&mut self, now: Instant, call: CallId, by: AgentNo, act: Supervision, why: String) {
        self.emit(now, call, CallFact::Supervised { by, act, agent: None, why: reason(why) });
    }
}

/// In one line, and no longer than anybody reads.
fn reason(why: String) -> Option<String> {
    let why: String = why.trim().chars().filter(|c| !c.is_control()).take(LONGEST_WHY).collect();
    (!why.is_empty()).then_some(why)
}
