//! What the events say about each call, kept the way a clerk would: an event that cannot follow the last one is a fault.

use super::Audit;
use crate::event::{CallFact, EndCause};
use crate::ids::{AgentNo, CallId, QueueName, SeatNo};
use crate::ticket::NewTicket;
use crate::time::Instant;
use std::time::Duration;

/// One call, by its events.
#[derive(Debug)]
pub struct Record {
    pub sip_call_id: String,
    pub arrived_at: Instant,
    pub queued_at: Instant,
    pub queue: Option<QueueName>,
    /// The queue that turned it away before it could wait there.
    pub refused_by: Option<QueueName>,
    pub stage: Stage,
    /// The pickup, if there was one.
    pub pickup: Option<Pickup>,
    pub tickets_opened: u32,
    /// The gateway was told that its ticket is on the disk.
    pub durable: bool,
    pub hold: Duration,
    pub end: Option<End>,
    /// Processes that had died before it arrived.
    pub era: u32,
}

#[derive(Debug)]
pub enum Stage {
    Arrived,
    Waiting,
    Offered { agent: AgentNo, seat: SeatNo },
    Answered { agent: AgentNo, seat: SeatNo, held_since: Option<Instant> },
    Ended,
    LostInCrash,
}

#[derive(Clone, Debug)]
pub struct Pickup {
    pub agent: AgentNo,
    pub seat: SeatNo,
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

    /// Is it with the phone of the `seat`-th seat now?
    pub fn is_with_seat(&self, index: usize) -> bool {
        match &self.stage {
            Stage::Offered { seat, .. } | Stage::Answered { seat, .. } => {
                seat.as_str() == super::super::day::seat_number(index)
            }
            _ => false,
        }
    }
}

impl Audit {
    pub(super) fn call_event(&mut self, now: Instant, id: CallId, fact: &CallFact) {
        if let CallFact::Arrived { sip_call_id, .. } = fact {
            return self.arrived(now, id, sip_call_id);
        }
        let Some(mut record) = self.calls.remove(&id) else {
            return self.fault(now, format!("{id:?} begins with {fact:?}"));
        };
        if let Err(fault) = self.follow(now, id, &mut record, fact) {
            self.fault(now, format!("{id:?} in {:?}: {fact:?}: {fault}", record.stage));
        }
        self.calls.insert(id, record);
    }

    fn arrived(&mut self, now: Instant, id: CallId, sip_call_id: &str) {
        let record = Record {
            sip_call_id: sip_call_id.to_string(),
            arrived_at: now,
            queued_at: now,
            queue: None,
            refused_by: None,
            stage: Stage::Arrived,
            pickup: None,
            tickets_opened: 0,
            durable: false,
            hold: Duration::ZERO,
            end: None,
            era: self.crashes,
        };
        if self.calls.insert(id, record).is_some() {
            self.fault(now, format!("{id:?} arrived twice"));
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
                self.waiting.entry(queue.clone()).or_default().insert(id);
                Stage::Waiting
            }
            (Stage::Waiting, CallFact::Offered { agent, seat, .. }) => {
                self.leave_queue(id, record);
                self.touched.insert(agent.clone());
                if let Some(other) = self.engaged.insert(agent.clone(), id) {
                    return Err(format!("the agent is with {other:?}"));
                }
                Stage::Offered { agent: agent.clone(), seat: seat.clone() }
            }
            (Stage::Offered { agent, .. }, CallFact::OfferEnded { agent: named, .. }) => {
                if agent != *named {
                    return Err(format!("it was offered to {agent}"));
                }
                self.disengage(&agent, id)?;
                if let Some(queue) = &record.queue {
                    self.waiting.entry(queue.clone()).or_default().insert(id);
                }
                Stage::Waiting
            }
            (Stage::Offered { agent, seat }, CallFact::Answered { agent: a, seat: s, wait, ring, spooled, .. }) => {
                self.touched.insert(agent.clone());
                let at = record.queued_at + *wait;
                record.pickup =
                    Some(Pickup { agent: agent.clone(), seat: seat.clone(), at, wait: *wait, spooled: *spooled });
                if *spooled && !record.durable {
                    return Err("its ticket is not durable".into());
                }
                if agent != *a || seat != *s {
                    return Err(format!("it was offered to {agent} at {seat}"));
                }
                if at > now || now - at > self.limits.spool_patience || ring > wait {
                    return Err(format!("queued at {:?}: wait or ring is wrong", record.queued_at));
                }
                self.last_queue.extend(record.queue.clone().map(|queue| (agent.clone(), queue)));
                Stage::Answered { agent, seat, held_since: None }
            }
            (Stage::Answered { agent, seat, held_since: None }, CallFact::Held) => {
                self.touched.insert(agent.clone());
                Stage::Answered { agent, seat, held_since: Some(now) }
            }
            (Stage::Answered { agent, seat, held_since: Some(since) }, CallFact::Resumed) => {
                self.touched.insert(agent.clone());
                record.hold += now - since;
                Stage::Answered { agent, seat, held_since: None }
            }
            (stage @ (Stage::Arrived | Stage::Waiting | Stage::Answered { .. }), CallFact::Ended { .. }) => {
                return self.ended(now, id, record, stage, fact);
            }
            (Stage::Ended, CallFact::LegClosed { .. }) => Stage::Ended,
            (stage, CallFact::LegClosed { .. } | CallFact::Digit(_) | CallFact::NoAudio { .. }) => stage,
            (stage, _) => {
                record.stage = stage;
                return Err("cannot follow".into());
            }
        };
        Ok(())
    }

    fn ended(
        &mut self,
        now: Instant,
        id: CallId,
        record: &mut Record,
        stage: Stage,
        fact: &CallFact,
    ) -> Result<(), String> {
        let CallFact::Ended { cause, wait, talk, hold, queue, .. } = fact else { return Ok(()) };
        match (&record.queue, cause) {
            (Some(asked), _) if queue.as_ref() != Some(asked) => return Err(format!("it asked {asked}")),
            (None, EndCause::QueueFull | EndCause::NoAgents) => record.refused_by = queue.clone(),
            _ => {}
        }
        self.leave_queue(id, record);
        record.end = Some(End { at: now, cause: *cause });
        let answered_cause = matches!(cause, EndCause::CallerHangUp | EndCause::AgentHangUp | EndCause::MediaTimeout);
        let (Stage::Answered { agent, held_since, .. }, Some(pickup)) = (stage, &record.pickup) else {
            if answered_cause {
                return Err("such a cause is for answered calls".into());
            }
            if !talk.is_zero() || !hold.is_zero() || *wait != now - record.queued_at {
                return Err("an unanswered call has its wait and no talk".into());
            }
            if record.tickets_opened > 0 {
                return Err("a ticket was opened, but no pickup reported".into());
            }
            return Ok(());
        };
        record.hold += held_since.map_or(Duration::ZERO, |since| now - since);
        let right = *talk == now - pickup.at && *hold == record.hold && *wait == pickup.wait;
        let possible = answered_cause || matches!(cause, EndCause::TrunkFault | EndCause::OurFault);
        self.touched.insert(agent.clone());
        self.disengage(&agent, id)?;
        if !possible {
            return Err("such a cause is for unanswered calls".into());
        }
        if right {
            Ok(())
        } else {
            Err(format!("picked up {pickup:?}, held {:?}: the durations are wrong", record.hold))
        }
    }

    fn leave_queue(&mut self, id: CallId, record: &Record) {
        if let Some(queue) = &record.queue
            && let Some(waiting) = self.waiting.get_mut(queue)
        {
            waiting.remove(&id);
        }
    }

    fn disengage(&mut self, agent: &AgentNo, id: CallId) -> Result<(), String> {
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
