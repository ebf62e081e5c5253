//! The day cut into equal pieces of time: what arrived, how long it waited, what the agents did. Not here: drawing it.

use super::record::Day;
use crate::event::{AgentState, EndCause};
use std::time::Duration;

/// One piece of the day. Calls belong to the piece in which they arrived.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slot {
    pub from: Duration,
    pub offered: u32,
    pub answered: u32,
    pub within: u32,
    pub short: u32,
    pub abandoned: u32,
    pub other: u32,
    /// Seconds, in order: of those answered.
    pub waits: Vec<f64>,
    /// Of anybody.
    pub longest: f64,
    pub talk: Duration,
    /// Mean number of agents in each state.
    pub staff: Staff,
}

/// Agents, on average over some time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Staff {
    pub talking: f64,
    pub wrap_up: f64,
    pub ringing: f64,
    pub ready: f64,
    pub not_ready: f64,
}

impl Staff {
    pub fn all(&self) -> f64 {
        self.talking + self.wrap_up + self.ringing + self.ready + self.not_ready
    }

    /// handle / (handle + idle), as everywhere.
    pub fn occupancy(&self) -> Option<f64> {
        let handle = self.talking + self.wrap_up;
        (handle + self.ready > 0.0).then(|| handle / (handle + self.ready))
    }

    pub fn add(&mut self, state: AgentState, agents: f64) {
        *match state {
            AgentState::Talking | AgentState::Hold => &mut self.talking,
            AgentState::WrapUp => &mut self.wrap_up,
            AgentState::Reserved => &mut self.ringing,
            AgentState::Ready => &mut self.ready,
            AgentState::NotReady(_) | AgentState::Engaged => &mut self.not_ready,
            AgentState::LoggedOut => return,
        } += agents;
    }
}

/// Of values in order: the smallest that at least `share` of them do not exceed.
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

impl Day {
    pub fn slots(&self, length: Duration) -> Vec<Slot> {
        let count = super::DAY.as_micros().div_ceil(length.as_micros()) as usize;
        let mut slots: Vec<Slot> = (0..count).map(|i| Slot { from: length * i as u32, ..Slot::default() }).collect();
        for call in &self.calls {
            let slot = &mut slots[((call.at.as_micros() / length.as_micros()) as usize).min(count - 1)];
            slot.offered += 1;
            let wait = call.wait.as_secs_f64();
            slot.longest = slot.longest.max(wait);
            if call.is_answered() {
                slot.answered += 1;
                slot.within += u32::from(call.wait <= self.within_of(call.queue.as_ref()));
                slot.talk += call.talk;
                slot.waits.push(wait);
            } else {
                match call.cause {
                    Some(EndCause::ShortAbandon) => slot.short += 1,
                    Some(EndCause::AbandonedInQueue | EndCause::AbandonedRinging) => slot.abandoned += 1,
                    _ => slot.other += 1,
                }
            }
        }
        for slot in &mut slots {
            slot.waits.sort_by(f64::total_cmp);
        }
        for span in &self.spans {
            let first = (span.from.as_micros() / length.as_micros()) as usize;
            for slot in slots.iter_mut().skip(first).take_while(|slot| slot.from < span.until) {
                let part = span.until.min(slot.from + length).saturating_sub(span.from.max(slot.from));
                slot.staff.add(span.state, part.as_secs_f64() / length.as_secs_f64());
            }
        }
        slots
    }
}
