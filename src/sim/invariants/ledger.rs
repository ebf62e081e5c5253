//! What the events say about each call, kept the way a clerk would: an event that cannot follow the last one is a fault.

use super::Audit;
use super::passing::consults;
use super::spells::Spell;
use crate::config::settings::Relaxation;
use crate::event::{CallFact, EndCause, Party, Purpose};
use crate::ids::{AgentNo, CallId, QueueName, SeatNo};
use crate::ticket::NewTicket;
use crate::time::Instant;
use std::time::Duration;

/// One call, by its events.
#[derive(Debug)]
pub struct Record {
    pub sip_call_id: String,
    pub purpose: Purpose,
    pub arrived_at: Instant,
    pub queued_at: Instant,
    /// The queue it asked first.
    pub queue: Option<QueueName>,
    /// The queue it is or was in last, since when, and by which step of it agents count.
    pub line: Option<QueueName>,
    pub entered: Instant,
    pub step: u8,
    /// The queue that turned it away before it could wait there.
    pub refused_by: Option<QueueName>,
    pub stage: Stage,
    pub callback_offered: bool,
    /// The first pickup, if there was one.
    pub pickup: Option<Pickup>,
    /// Talks that are over, one with each agent.
    pub spells: Vec<Spell>,
    /// Since when it has had nobody: its last agent passed it on, or it lost whom it had reached then.
    pub passed: Option<Instant>,
    /// Whom it was passed on to has answered.
    pub reached: bool,
    /// To whom, who has not said no.
    pub to: Option<Party>,
    /// Whom its agent has called beside the caller.
    pub third: Option<Party>,
    pub tickets_opened: u32,
    /// The gateway was told that its ticket is on the disk.
    pub durable: bool,
    pub end: Option<End>,
    /// Processes that had died before it arrived.
    pub era: u32,
}

#[derive(Debug)]
pub enum Stage {
    Arrived,
    Waiting,
    Offered {
        agent: AgentNo,
        seat: SeatNo,
    },
    Answered {
        agent: AgentNo,
        seat: SeatNo,
        spell: Spell,
    },
    /// Passed on, and in no line: in no line yet, or with a party, or on the way to one.
    Passed,
    Ended,
    LostInCrash,
}

#[derive(Clone, Debug)]
pub struct Pickup {
    pub agent: AgentNo,
    pub seat: SeatNo,
    pub queue: QueueName,
    /// When the agent answered (the event comes up to the spool's patience later).
    pub at: Instant,
    pub wait: Duration,
    pub spooled: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct End {
    pub at: Instant,
    pub cause: EndCause,
}

impl Record {
    pub fn is_live(&self) -> bool {
        !matches!(self.stage, Stage::Ended | Stage::LostInCrash)
    }

    /// A call of ours to a citizen.
    pub fn is_ours(&self) -> bool {
        self.purpose != Purpose::Inbound
    }

    /// Is it with the phone of the `seat`-th seat now?
    pub fn is_with_seat(&self, index: usize) -> bool {
        match &self.stage {
            Stage::Offered { seat, .. } | Stage::Answered { seat, .. } => {
                seat.as_str() == super::super::day::seat_number(index)
            }
            _ => false,
        }
    }

    pub fn talked(&self) -> Duration {
        self.spells.iter().map(Spell::talk).sum()
    }

    pub fn held(&self) -> Duration {
        self.spells.iter().map(|spell| spell.hold).sum()
    }
}

impl Audit {
    pub(super) fn call_event(&mut self, now: Instant, id: CallId, fact: &CallFact) {
        if let CallFact::Arrived { sip_call_id, purpose, .. } = fact {
            return self.arrived(now, id, sip_call_id, *purpose);
        }
        if self.is_own(now, id, fact) {
            return;
        }
        let Some(mut record) = self.calls.remove(&id) else {
            return self.fault(now, format!("{id:?} begins with {fact:?}"));
        };
        if let Err(fault) = self.follow(now, id, &mut record, fact) {
            self.fault(now, format!("{id:?} in {:?}: {fact:?}: {fault}", record.stage));
        }
        self.calls.insert(id, record);
    }

    fn arrived(&mut self, now: Instant, id: CallId, sip_call_id: &str, purpose: Purpose) {
        let record = Record {
            sip_call_id: sip_call_id.to_string(),
            purpose,
            arrived_at: now,
            queued_at: now,
            queue: None,
            line: None,
            entered: now,
            step: 0,
            refused_by: None,
            stage: Stage::Arrived,
            callback_offered: false,
            pickup: None,
            spells: Vec::new(),
            passed: None,
            reached: false,
            to: None,
            third: None,
            tickets_opened: 0,
            durable: false,
            end: None,
            era: self.crashes,
        };
        let ours = record.is_ours();
        if self.calls.insert(id, record).is_some() {
            self.fault(now, format!("{id:?} arrived twice"));
        }
        if ours {
            return;
        }
        let same = self.by_sip_call_id.entry(sip_call_id.to_string()).or_default();
        same.push(id);
        if same.len() > 1 && self.crashes == 0 {
            self.fault(now, format!("one INVITE became several calls: {sip_call_id}"));
        }
    }

    fn follow(&mut self, now: Instant, id: CallId, record: &mut Record, fact: &CallFact) -> Result<(), String> {
        let stage = std::mem::replace(&mut record.stage, Stage::Ended);
        record.stage = match (stage, fact) {
            (Stage::Arrived, CallFact::Queued { queue, skill, .. }) => {
                if self.queues.get(queue).is_none_or(|q| q.skill != *skill) {
                    return Err("no such queue, or another skill".into());
                }
                record.queue = Some(queue.clone());
                record.queued_at = now;
                self.enter(now, id, record, queue)
            }
            (Stage::Waiting | Stage::Passed, CallFact::Moved { queue, skill, .. }) => {
                if self.queues.get(queue).is_none_or(|q| q.skill != *skill) {
                    return Err("no such queue, or another skill".into());
                }
                self.leave_queue(id, record);
                self.enter(now, id, record, queue)
            }
            (Stage::Waiting, CallFact::Relaxed { step }) => {
                let reached =
                    self.steps_of(record).get(usize::from(*step)).is_some_and(|s| record.entered + s.after <= now);
                if *step != record.step + 1 || !reached {
                    return Err(format!("it is at step {} since {:?}", record.step, record.entered));
                }
                record.step = *step;
                Stage::Waiting
            }
            (stage @ (Stage::Waiting | Stage::Offered { .. }), CallFact::Announced { .. }) => stage,
            (stage @ (Stage::Waiting | Stage::Offered { .. }), CallFact::CallbackOffered) => {
                if record.line.as_ref().and_then(|q| self.queues.get(q)).is_none_or(|q| q.callback.is_none()) {
                    return Err("its queue offers no call back".into());
                }
                record.callback_offered = true;
                stage
            }
            (Stage::Waiting, CallFact::Digit(key)) => {
                // May be taken, and then hears a farewell in no line.
                let offer = record.line.as_ref().and_then(|q| self.queues.get(q)).and_then(|q| q.callback.as_ref());
                if record.callback_offered && offer.is_some_and(|offer| offer.key == *key) {
                    self.leave_queue(id, record);
                }
                Stage::Waiting
            }
            (Stage::Waiting, CallFact::Offered { agent, seat, chosen, .. }) => {
                self.leave_queue(id, record);
                self.touched.insert(agent.clone());
                if let Some(other) = self.engaged.insert(agent.clone(), id) {
                    return Err(format!("the agent is with {other:?}"));
                }
                self.chosen_rightly(now, record, agent, chosen)?;
                if self.pages.get(seat).is_some_and(|page| !page.rings) {
                    return Err("the seat's page is gone".into());
                }
                Stage::Offered { agent: agent.clone(), seat: seat.clone() }
            }
            (Stage::Offered { agent, .. }, CallFact::OfferEnded { agent: named, .. }) => {
                if agent != *named {
                    return Err(format!("it was offered to {agent}"));
                }
                self.disengage(&agent, id)?;
                if let Some(queue) = &record.line {
                    self.waiting.entry(queue.clone()).or_default().insert(id);
                }
                Stage::Waiting
            }
            (Stage::Offered { agent, seat }, CallFact::Answered { agent: a, seat: s, queue, wait, ring, spooled })
                if record.pickup.is_none() =>
            {
                self.touched.insert(agent.clone());
                let at = record.queued_at + *wait;
                let (agent_, seat_, wait, spooled) = (agent.clone(), seat.clone(), *wait, *spooled);
                record.pickup = Some(Pickup { agent: agent_, seat: seat_, queue: queue.clone(), at, wait, spooled });
                if spooled && !record.durable {
                    return Err("its ticket is not durable".into());
                }
                if agent != *a || seat != *s || record.line.as_ref() != Some(queue) {
                    return Err(format!("it was offered to {agent} at {seat} from {:?}", record.line));
                }
                if at > now || now - at > self.limits.spool_patience || *ring > wait {
                    return Err(format!("queued at {:?}: wait or ring is wrong", record.queued_at));
                }
                // Figures are kept for the queue asked first.
                let asked = record.queue.clone().unwrap_or_else(|| queue.clone());
                self.serves(&agent, record, &asked);
                Stage::Answered { agent, seat, spell: Spell::begun(asked, at) }
            }
            (Stage::Offered { agent, seat }, CallFact::TakenOver { agent: a, seat: s, queue, wait, ring }) => {
                self.touched.insert(agent.clone());
                if agent != *a || seat != *s || record.line.as_ref() != Some(queue) {
                    return Err(format!("it was offered to {agent} at {seat} from {:?}", record.line));
                }
                if record.passed.is_none_or(|at| *wait != now - at || ring > wait) {
                    return Err(format!("passed on at {:?}: wait or ring is wrong", record.passed));
                }
                self.serves(&agent, record, queue);
                Stage::Answered { agent, seat, spell: Spell::begun(queue.clone(), now) }
            }
            (
                Stage::Answered { agent, spell, .. },
                CallFact::Transferred { agent: named, .. } | CallFact::Surveyed { agent: named },
            ) => {
                record.spells.push(spell.over(now, matches!(fact, CallFact::Transferred { .. })));
                record.passed = Some(now);
                self.disengage(&agent, id)?;
                if agent != *named {
                    return Err(format!("it is with {agent}"));
                }
                Stage::Passed
            }
            (
                stage @ (Stage::Answered { .. } | Stage::Passed),
                CallFact::PassingOn { .. } | CallFact::PassedOn { .. } | CallFact::NotPassedOn { .. },
            )
            | (stage @ Stage::Passed, CallFact::Reached { .. } | CallFact::TakenOver { .. }) => {
                self.passes_on(now, id, record, stage, fact)?
            }
            (
                stage @ Stage::Answered { .. },
                CallFact::Consulting { .. }
                | CallFact::Consulted { .. }
                | CallFact::ThreeWay
                | CallFact::ConsultOver { .. },
            ) => consults(record, stage, fact)?,
            (Stage::Answered { agent, seat, mut spell }, CallFact::Held) if !spell.is_held() => {
                self.touched.insert(agent.clone());
                spell.hold_begins(now);
                Stage::Answered { agent, seat, spell }
            }
            (Stage::Answered { agent, seat, mut spell }, CallFact::Resumed) if spell.is_held() => {
                self.touched.insert(agent.clone());
                spell.hold_ends(now);
                Stage::Answered { agent, seat, spell }
            }
            (
                stage @ (Stage::Arrived | Stage::Waiting | Stage::Answered { .. } | Stage::Passed),
                CallFact::Ended { .. },
            ) => {
                return self.ended(now, id, record, stage, fact);
            }
            // The citizen was not reached: no answer is told of, so no offer ends.
            (Stage::Offered { agent, .. }, CallFact::Ended { .. }) if record.is_ours() => {
                self.disengage(&agent, id)?;
                return self.ended(now, id, record, Stage::Waiting, fact);
            }
            (Stage::Ended, CallFact::LegClosed { .. } | CallFact::Recorded(_)) => Stage::Ended,
            (
                stage,
                CallFact::LegClosed { .. }
                | CallFact::Recorded(_)
                | CallFact::Digit(_)
                | CallFact::Help { .. }
                | CallFact::Supervised { .. }
                | CallFact::NoAudio { .. }
                | CallFact::FarEndCause { .. },
            ) => stage,
            (Stage::Passed, CallFact::Rated { .. }) => Stage::Passed,
            (Stage::Arrived, CallFact::Forwarded(_)) => Stage::Arrived,
            (stage, _) => {
                record.stage = stage;
                return Err("cannot follow".into());
            }
        };
        Ok(())
    }

    fn enter(&mut self, now: Instant, id: CallId, record: &mut Record, queue: &QueueName) -> Stage {
        record.line = Some(queue.clone());
        record.entered = now;
        record.step = 0;
        self.waiting.entry(queue.clone()).or_default().insert(id);
        Stage::Waiting
    }

    pub(super) fn leave_queue(&mut self, id: CallId, record: &Record) {
        if let Some(queue) = &record.line
            && let Some(waiting) = self.waiting.get_mut(queue)
        {
            waiting.remove(&id);
        }
    }

    pub(super) fn steps_of(&self, record: &Record) -> &[Relaxation] {
        record.line.as_ref().and_then(|queue| self.steps_by_queue.get(queue)).map_or(&[], Vec::as_slice)
    }

    /// Whose wrap-up comes next; calls of ours are in no figure.
    pub(super) fn serves(&mut self, agent: &AgentNo, record: &Record, queue: &QueueName) {
        if record.is_ours() {
            self.last_queue.remove(agent);
        } else {
            self.last_queue.insert(agent.clone(), queue.clone());
        }
    }

    pub(super) fn disengage(&mut self, agent: &AgentNo, id: CallId) -> Result<(), String> {
        self.touched.insert(agent.clone());
        match self.engaged.remove(agent) {
            Some(call) if call == id => Ok(()),
            other => Err(format!("the agent was with {other:?}")),
        }
    }

    pub(super) fn ticket_opened(&mut self, now: Instant, ticket: &NewTicket) {
        let Some(record) = self.calls.get_mut(&ticket.call) else {
            return self.fault(now, format!("a ticket for {:?}, which is no call", ticket.call));
        };
        record.tickets_opened += 1;
        let offered = matches!(&record.stage, Stage::Offered { agent, .. } if *agent == ticket.agent);
        if record.tickets_opened > 1 || !offered {
            let stage = format!("{:?}", record.stage);
            self.fault(now, format!("ticket for {:?} in {stage}: opened at pickup, once", ticket.call));
        }
    }
}
