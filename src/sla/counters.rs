//! The raw numbers of a queue, from which every percentage can be computed again. Belongs here: counting.
//! Not here: which event counts for whom (the parent), ratios (`metrics/`).

use crate::event::EndCause;
use crate::record::{CallRecord, Ending, Segment};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::time::Duration;

/// Sums of time serialise as seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Requests for a human, those still waiting included.
    pub offered: u64,
    /// A.
    pub answered: u64,
    /// A_N: answered after N seconds or less.
    pub answered_within: u64,
    /// Ab_N: the caller hung up after N seconds or less.
    pub abandoned_within: u64,
    /// Requests that ended without an agent, by cause.
    #[serde(serialize_with = "by_name")]
    pub lost: BTreeMap<EndCause, u64>,
    /// Waits of the answered, from request to agent connected.
    #[serde(rename = "answered_wait_seconds", serialize_with = "seconds")]
    pub answered_wait: Duration,
    /// The longest wait of a request that is over, answered or not.
    #[serde(rename = "longest_wait_seconds", serialize_with = "seconds")]
    pub longest_wait: Duration,
    /// Callers passed on by the agent who had them. They stay answered.
    pub transferred: u64,
    /// Talks that are over; a caller who was passed on has one with each agent.
    pub talks: u64,
    /// Of those talks; includes hold.
    #[serde(rename = "talk_seconds", serialize_with = "seconds")]
    pub talk: Duration,
    #[serde(rename = "hold_seconds", serialize_with = "seconds")]
    pub hold: Duration,
    /// Wrap-ups that are over.
    pub wrap_ups: u64,
    #[serde(rename = "wrap_up_seconds", serialize_with = "seconds")]
    pub wrap_up: Duration,
}

impl Counters {
    /// Ab: only a caller's own hang-up is an abandon (排队放弃, 振铃放弃, 速挂).
    pub fn abandoned(&self) -> u64 {
        self.lost_to(&[EndCause::AbandonedInQueue, EndCause::AbandonedRinging, EndCause::ShortAbandon])
    }

    /// 速挂: hung up sooner than the queue's short-abandon limit.
    pub fn short_abandons(&self) -> u64 {
        self.lost_to(&[EndCause::ShortAbandon])
    }

    /// Turned away: full queue, or nobody to wait for.
    pub fn refused(&self) -> u64 {
        self.lost_to(&[EndCause::QueueFull, EndCause::NoAgents])
    }

    pub fn timed_out(&self) -> u64 {
        self.lost_to(&[EndCause::QueueTimeout])
    }

    /// Chose to be called back: neither answered nor abandoned, and not in R. The call back is counted by itself.
    pub fn callbacks(&self) -> u64 {
        self.lost_to(&[EndCause::CallbackTaken])
    }

    /// Requests that a fault of a trunk or of ours ended: kept apart, in no percentage.
    pub fn faults(&self) -> u64 {
        self.lost.values().sum::<u64>() - self.abandoned() - self.refused() - self.timed_out() - self.callbacks()
    }

    /// R = A + caller hang-ups + timeouts + refusals. Requests still waiting are not in it yet.
    pub fn requests(&self) -> u64 {
        self.answered + self.abandoned() + self.timed_out() + self.refused()
    }

    /// Requests neither answered nor lost yet.
    pub fn waiting(&self) -> u64 {
        self.offered - self.answered - self.lost.values().sum::<u64>()
    }

    fn lost_to(&self, causes: &[EndCause]) -> u64 {
        causes.iter().filter_map(|cause| self.lost.get(cause)).sum()
    }

    /// A call's request; one that nobody judges the hotline by counts nowhere.
    pub fn request(&mut self, record: &CallRecord, within: Duration) {
        if !record.is_judged() || record.asked.is_none() {
            return;
        }
        self.offered += 1;
        let wait = record.wait().unwrap_or_default();
        match (record.pickup(), record.ending) {
            (Some(_), _) => self.answered(wait, within),
            (None, Some(Ending::Cause(cause))) => self.lost(cause, wait, within),
            // The process died with the caller in line.
            (None, Some(Ending::Lost(_))) => self.lost(EndCause::OurFault, wait, within),
            (None, None) => {}
        }
    }

    /// One agent's conversation of such a call; the others count by themselves.
    pub fn conversation(&mut self, segment: &Segment) {
        if segment.agent().is_none() {
            return;
        }
        self.transferred += u64::from(segment.passed_on);
        if segment.until.is_some() {
            self.talk_ended(segment.talk(), segment.hold);
        }
        self.wrap_ups += u64::from(segment.wrap_ups);
        self.wrap_up += segment.wrap_up;
    }

    pub(super) fn answered(&mut self, wait: Duration, within: Duration) {
        self.answered += 1;
        self.answered_within += u64::from(wait <= within);
        self.answered_wait += wait;
        self.longest_wait = self.longest_wait.max(wait);
    }

    pub(super) fn lost(&mut self, cause: EndCause, wait: Duration, within: Duration) {
        let abandoned = self.abandoned();
        *self.lost.entry(cause).or_default() += 1;
        self.abandoned_within += u64::from(self.abandoned() > abandoned && wait <= within);
        self.longest_wait = self.longest_wait.max(wait);
    }

    pub(super) fn talk_ended(&mut self, talk: Duration, hold: Duration) {
        self.talks += 1;
        self.talk += talk;
        self.hold += hold;
    }

    pub(super) fn wrapped_up(&mut self, wrap_up: Duration) {
        self.wrap_ups += 1;
        self.wrap_up += wrap_up;
    }
}

pub(super) fn seconds<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_f64(time.as_secs_f64())
}

fn by_name<S: Serializer>(lost: &BTreeMap<EndCause, u64>, to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(lost.iter().map(|(cause, calls)| (cause.as_str(), calls)))
}
