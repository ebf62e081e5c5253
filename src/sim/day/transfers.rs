//! Agents who use their phones' transfer key: blind, or after they have called the other party. Not here: passing on by
//! `*` and a language's key (`ways`).

use super::{Day, Event, seat_number};
use crate::event::AgentState;
use crate::sim::ua::AfterRefer;
use std::time::Duration;

/// How long they talk with whom they consult, or wait for, at most.
const CONSULTATION: Duration = Duration::from_secs(30);

impl Day<'_> {
    pub(super) fn may_use_transfer_key(&mut self, seat: usize, state: AgentState) {
        // No draw where nobody does: the days of other scenarios stay as they were.
        if state == AgentState::Talking && self.scenario.transfers > 0.0 && self.rng.chance(self.scenario.transfers) {
            let after = self.rng.between(Duration::from_secs(1), Duration::from_secs(20));
            self.plan(after, Event::PhonePassesOn(seat));
        }
    }

    pub(super) fn phone_passes_on(&mut self, i: usize) {
        if !self.seats[i].phone.is_busy() {
            return;
        }
        let other = seat_number(self.rng.below(self.scenario.agents as u64) as usize);
        let then = self.after_refer();
        let to = match self.rng.below(8) {
            0..=3 => other,
            4 => "12346".to_owned(),
            // Nobody can be had there: no trunk leads out.
            5 => "110".to_owned(),
            _ => {
                let after = self.rng.between(Duration::from_secs(2), CONSULTATION);
                self.with_phone(i, |phone, now| {
                    phone.hold(now, true);
                    phone.dial_for(now, &other, CONSULTATION);
                });
                return self.plan(after, Event::PhoneJoins(i));
            }
        };
        self.with_phone(i, |phone, now| phone.refer(now, &to, then));
    }

    pub(super) fn phone_joins(&mut self, i: usize) {
        let then = self.after_refer();
        self.with_phone(i, |phone, now| {
            if !phone.refer_to_dialled(now, then) {
                phone.hold(now, false);
            }
        });
    }

    fn after_refer(&mut self) -> AfterRefer {
        if self.rng.chance(0.5) { AfterRefer::Leaves } else { AfterRefer::Waits }
    }
}
