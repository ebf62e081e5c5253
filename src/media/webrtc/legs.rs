//! Which leg has which seat's audio, with or without a browser there. Belongs here: taking it and letting go. Not here: the
//! sessions (`browsers`), what the leg does with it (`leg`).

use super::browsers::Browsers;
use super::negotiated;
use crate::ids::{LegId, SeatNo};
use crate::plane::Negotiated;
use crate::time::Instant;
use std::time::Duration;

/// A leg on a seat, with or without a browser there.
pub struct OnSeat {
    pub leg: LegId,
    /// `None`: a third-party phone's, whose session is the leg's own.
    pub seat: Option<SeatNo>,
    pub session: Option<u32>,
    pub expect_rtp_within: Option<Duration>,
    pub rtp_timeout: Option<Duration>,
    /// Packets of this leg that its browser told us it missed.
    pub missed: u64,
}

/// What a leg is to be told: connect as agreed.
#[derive(Debug)]
pub struct News {
    pub slot: u32,
    pub remote: Negotiated,
    pub expect_rtp_within: Option<Duration>,
    pub rtp_timeout: Option<Duration>,
}

impl Browsers {
    /// The leg in `slot` takes the seat's audio; a leg that had it loses it.
    pub fn attach(
        &mut self,
        slot: u32,
        leg: LegId,
        seat: SeatNo,
        expect_rtp_within: Option<Duration>,
        rtp_timeout: Option<Duration>,
    ) {
        for held in self.legs.iter_mut().filter(|held| held.as_ref().is_some_and(|on| on.seat.as_ref() == Some(&seat)))
        {
            tracing::error!(later = %leg, %seat, "the seat's browser is still another leg's: that one is silent");
            *held = None;
        }
        let session = self.seats.get(&seat).copied();
        let entry = session.and_then(|index| self.sessions[index as usize].as_mut());
        let remote = negotiated(entry.map(|entry| {
            entry.leg = Some(slot);
            entry.session.agreed
        }));
        if let Some(place) = self.place(slot) {
            *place = Some(OnSeat { leg, seat: Some(seat), session, expect_rtp_within, rtp_timeout, missed: 0 });
        }
        self.news.push_back(News { slot, remote, expect_rtp_within, rtp_timeout });
    }

    /// The leg in `slot` is closed. Returns how many of its packets were missed.
    pub fn detach(&mut self, now: Instant, slot: u32) -> u64 {
        let Some(on) = self.place(slot).and_then(Option::take) else { return 0 };
        if on.seat.is_none() {
            on.session.into_iter().for_each(|index| self.end_phone(now, index));
            return on.missed;
        }
        if let Some(entry) = on.session.and_then(|index| self.sessions[index as usize].as_mut())
            && entry.leg == Some(slot)
        {
            entry.leg = None;
        }
        on.missed
    }

    pub(super) fn leg(&self, slot: u32) -> Option<&OnSeat> {
        self.legs.get(slot.checked_sub(self.first_slot)? as usize)?.as_ref()
    }

    pub(super) fn leg_mut(&mut self, slot: u32) -> Option<&mut OnSeat> {
        self.place(slot)?.as_mut()
    }

    pub(super) fn place(&mut self, slot: u32) -> Option<&mut Option<OnSeat>> {
        self.legs.get_mut(slot.checked_sub(self.first_slot)? as usize)
    }
}
