//! The day is over: do the gateway's events agree with what carriers and stores saw, and is nothing left over?

use super::ledger::{Record, Stage};
use super::{Audit, Placed, Report};
use crate::event::EndCause;
use crate::gateway::Leftovers;
use crate::ids::CallId;
use crate::sim::ua::Ending;
use crate::ticket::NewTicket;
use crate::time::Instant;
use std::collections::BTreeMap;
use std::time::Duration;

/// Two sides that end a call at once may each believe they did; over a bad line, for as long as messages are repeated.
const GLARE: Duration = Duration::from_millis(100);
const REPEATS: Duration = Duration::from_secs(33);

impl Audit {
    pub fn judge(
        mut self,
        now: Instant,
        expected: usize,
        leftovers: Leftovers,
        cases: &BTreeMap<CallId, NewTicket>,
    ) -> Report {
        let mut faults = Vec::new();
        if self.placed.len() != expected && !self.is_hopeless() {
            faults.push(format!("{} of {expected} calls were placed", self.placed.len()));
        }
        if leftovers != Leftovers::default() {
            faults.push(format!("left over: {leftovers:?}"));
        }
        for (index, placed) in self.placed.iter().enumerate() {
            if let Err(fault) = self.judge_placed(placed) {
                faults.push(format!("carrier's call {index} ({}): {fault}", placed.sip_call_id));
            }
        }
        for (id, record) in &self.calls {
            if let Err(fault) = self.judge_record(*id, record, cases) {
                faults.push(format!("{id:?} ({}): {fault}", record.sip_call_id));
            }
        }
        for (id, own) in self.own.iter().filter(|(_, own)| own.is_live()) {
            faults.push(format!("{id:?} of a phone's never ended: {own:?}"));
        }
        for id in cases.keys().filter(|id| !self.calls.contains_key(id)) {
            faults.push(format!("a ticket for {id:?}, which is no call"));
        }
        for (agent, call) in &self.engaged {
            faults.push(format!("agent {agent} is left with {call:?}"));
        }
        // The product folds the same events over a restart; a process that dies takes its agents' states with it, so
        // wrap-up times of such days do not compare.
        if self.crashes == 0 {
            faults.extend(self.differences());
        }
        for fault in faults {
            self.fault(now, fault);
        }
        self.report(cases)
    }

    fn judge_record(&self, id: CallId, record: &Record, cases: &BTreeMap<CallId, NewTicket>) -> Result<(), String> {
        if record.is_live() {
            return Err(format!("never ended: {:?}", record.stage));
        }
        let survived = !matches!(record.stage, Stage::LostInCrash);
        match (&record.pickup, cases.get(&id)) {
            (Some(pickup), Some(ticket)) => {
                let queue = record.queue.as_ref().and_then(|q| self.queues.get(q));
                let right = ticket.agent == pickup.agent
                    && ticket.seat == pickup.seat
                    && (record.is_ours() || ticket.sip_call_id == record.sip_call_id)
                    && ticket.arrived_at == record.arrived_at
                    && ticket.answered_at == pickup.at
                    && ticket.wait_ms == pickup.wait.as_millis() as u64
                    && ticket.queue == pickup.queue
                    && queue.is_some_and(|q| ticket.within_n == (pickup.wait <= q.within));
                if right { Ok(()) } else { Err(format!("the ticket says something else: {ticket:?} for {pickup:?}")) }
            }
            // What was reported as not durable may go down with the process, and nothing else may.
            (Some(pickup), None) if pickup.spooled || record.era == self.crashes => {
                Err(format!("picked up, but has no ticket: {pickup:?}"))
            }
            (None, Some(_)) if survived => Err("has a ticket, but was never picked up".into()),
            (Some(_), None) | (None, _) => Ok(()),
        }
    }

    fn judge_placed(&self, placed: &Placed) -> Result<(), String> {
        let Some((ended_at, ending)) = placed.ended else { return Err("never ended for its carrier".into()) };
        if placed.lost_in_crash {
            return Ok(());
        }
        let records = self.by_sip_call_id.get(&placed.sip_call_id).map_or(&[][..], Vec::as_slice);
        let Some(record) = records.last().and_then(|id| self.calls.get(id)) else {
            // Turned away at the door, or no message got through.
            return match ending {
                _ if placed.answered.is_some() => Err("was answered, but never arrived".into()),
                Ending::Refused(503) | Ending::Died => Ok(()),
                Ending::Cancelled | Ending::NoReply if !self.orderly => Ok(()),
                other => Err(format!("ended as {other:?}, but never arrived")),
            };
        };
        let Some(end) = record.end else { return Ok(()) };
        if (placed.dnis == "99999") != (end.cause == EndCause::UnknownNumber) {
            return Err(format!("{} was called and it ended as {:?}", placed.dnis, end.cause));
        }
        if placed.unanswered && self.orderly && !placed.faulty {
            return Err("nobody answered its BYE".into());
        }
        // A carrier that dies or never acknowledges may see anything.
        if placed.faulty || ending == Ending::Died {
            return Ok(());
        }
        // A hang-up while the ticket is on its way to the disk counts when the pickup has been reported.
        let spooling = if record.pickup.is_some() { self.limits.spool_patience } else { Duration::ZERO };
        let window = spooling + if self.orderly { GLARE } else { REPEATS };
        let together = end.at.since(ended_at).max(ended_at.since(end.at)) <= window;
        let by_caller = matches!(
            end.cause,
            EndCause::CallerHangUp
                | EndCause::ShortAbandon
                | EndCause::AbandonedInQueue
                | EndCause::AbandonedRinging
                | EndCause::AbandonedBeforeQueue
                | EndCause::Deflected
        );
        // The farewell may be heard out or not.
        let either = matches!(end.cause, EndCause::CallbackTaken | EndCause::Closed);
        let agree = match ending {
            Ending::HungUp | Ending::Cancelled | Ending::PeerHungUp | Ending::Refused(_) if either => true,
            Ending::HungUp | Ending::Cancelled => by_caller,
            Ending::PeerHungUp | Ending::Refused(_) => !by_caller,
            // Only a line that loses messages brings these about.
            Ending::NoReply | Ending::Forgotten => !self.orderly,
            Ending::PeerCancelled | Ending::WeRefused(_) | Ending::Died => false,
        };
        // Whoever sees the call over in a later moment than the other side may only be late, never wrong for long.
        if !together {
            let late = ended_at.since(end.at).max(end.at.since(ended_at));
            return Err(format!(
                "ended as {ending:?} at {ended_at:?}, as {:?} at {:?}: {late:?} apart",
                end.cause, end.at
            ));
        }
        if !agree && self.orderly && ended_at.since(end.at).max(end.at.since(ended_at)) > Duration::from_millis(10) {
            return Err(format!("ended as {ending:?} at {ended_at:?}, but as {:?} at {:?}", end.cause, end.at));
        }
        if self.orderly && record.pickup.is_some() && placed.answered.is_none() && ending != Ending::Cancelled {
            return Err(format!("picked up by an agent, but its carrier never heard of it: {ending:?}"));
        }
        if placed.at > record.arrived_at {
            return Err("arrived before it was placed".into());
        }
        Ok(())
    }

    fn report(self, cases: &BTreeMap<CallId, NewTicket>) -> Report {
        let mut report = Report {
            placed: self.placed.len() as u64,
            arrived: self.calls.len() as u64,
            tickets: cases.len() as u64,
            second_calls: self.second_calls,
            off_hook: self.off_hook,
            turns: self.turns,
            steps: self.steps,
            hash: self.hash,
            faults: self.faults,
            ..Report::default()
        };
        for record in self.calls.values() {
            match record.end {
                Some(end) => *report.causes.entry(end.cause).or_default() += 1,
                None => report.lost_in_crash += 1,
            }
            if let Some(pickup) = &record.pickup {
                report.answered += 1;
                report.unspooled += u64::from(!pickup.spooled);
                report.wait += pickup.wait;
                report.talk += record.talked();
                let within = record.queue.as_ref().and_then(|q| self.queues.get(q)).map(|q| q.within);
                report.within_n += u64::from(within.is_some_and(|n| pickup.wait <= n));
            }
        }
        report
    }
}
