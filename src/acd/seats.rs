//! The seats' phones: they register, get lost, fall quiet, and have calls of their own. Not here: who sits there (`roster`).

use super::Acd;
use super::agent::{AgentIx, Aim, Duty, Wish};
use crate::event::NotReadyReason;
use crate::ids::SeatNo;
use crate::time::Instant;

const UNREACHABLE: Aim = Aim::NotReady(NotReadyReason::Unreachable);

impl Acd {
    pub(super) fn seat_reachable(&mut self, now: Instant, seat: &SeatNo) {
        self.lost_seats.remove(seat);
        let Some(&ix) = self.index.seats.get(seat) else { return };
        match self.roster(ix).duty().cloned() {
            Some(Duty::NotReady(NotReadyReason::Unreachable)) => self.grant(now, ix, Wish::own(Aim::Ready)),
            // It died in the talk, and is back before that is written up.
            Some(Duty::WrapUp { of, queue, taken, until, then }) if then.to == UNREACHABLE => {
                let then = Wish::own(Aim::Ready);
                self.set_duty(now, ix, Duty::WrapUp { of, queue, taken, until, then });
            }
            _ => {}
        }
    }

    pub(super) fn seat_lost(&mut self, now: Instant, seat: SeatNo) {
        let at_seat = self.index.seats.get(&seat).copied();
        self.lost_seats.insert(seat);
        let Some(ix) = at_seat else { return };
        match self.roster(ix).duty() {
            Some(Duty::Reserved { .. }) => self.withdraw_offer(ix),
            Some(Duty::Ready { .. } | Duty::Clearing { .. }) => {}
            // A talk may outlive its registration, and wrap-up needs no phone: the loss shows when they end.
            Some(Duty::NotReady(_) | Duty::OnCall { .. } | Duty::WrapUp { .. } | Duty::Engaged) | None => return,
        }
        self.set_duty(now, ix, Duty::NotReady(NotReadyReason::Unreachable));
    }

    /// The seat dials, or a colleague dials it. Who dials is on the phone: an offer that rings there is withdrawn, and its
    /// caller goes to the next agent from the same place in line.
    pub(super) fn seat_engaged(&mut self, now: Instant, seat: SeatNo) {
        let at_seat = self.index.seats.get(&seat).copied();
        self.engaged_seats.insert(seat);
        let Some(ix) = at_seat else { return };
        match self.roster(ix).duty() {
            Some(Duty::Reserved { .. }) => self.withdraw_offer(ix),
            Some(Duty::Ready { .. } | Duty::Clearing { .. }) => {}
            // Not ready anyway; who would be after this is engaged then.
            Some(Duty::NotReady(_) | Duty::OnCall { .. } | Duty::WrapUp { .. } | Duty::Engaged) | None => return,
        }
        self.set_duty(now, ix, Duty::Engaged);
    }

    pub(super) fn seat_free(&mut self, now: Instant, seat: &SeatNo) {
        self.engaged_seats.remove(seat);
        if let Some(&ix) = self.index.seats.get(seat)
            && let Some(Duty::Engaged) = self.roster(ix).duty()
        {
            self.grant(now, ix, Wish::own(Aim::Ready));
        }
    }

    pub(super) fn seat_quiet(&mut self, now: Instant, seat: &SeatNo) {
        if let Some(&ix) = self.index.seats.get(seat)
            && let Some(Duty::Clearing { idle_since, .. }) = self.roster(ix).duty()
        {
            let idle_since = *idle_since;
            self.set_duty(now, ix, Duty::Ready { idle_since });
        }
    }

    pub(super) fn never_cleared(&mut self, now: Instant, ix: AgentIx) {
        if let Some(Duty::Clearing { .. }) = self.roster(ix).duty() {
            self.set_duty(now, ix, Duty::NotReady(NotReadyReason::Unreachable));
        }
    }
}
