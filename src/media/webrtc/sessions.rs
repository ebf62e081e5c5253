//! Beginnings and ends of sessions, and how they are found. Belongs here: who may have one, the tables by which it is known. Not
//! here: what happens to it meanwhile (`browsers`).

use super::MOST;
use super::browsers::{Browsers, CONNECTS_WITHIN, Entry, Life};
use super::door::BrowserOrder;
use super::offer::Refusal;
use super::session::{Happens, Session};
use crate::ids::SeatNo;
use crate::plane::browser::{BrowserEvent, Lost};
use crate::time::Instant;

impl Browsers {
    pub fn obey(&mut self, now: Instant, order: BrowserOrder) {
        match order {
            BrowserOrder::Begin { seat, session, answer, reply } => match self.begin(now, seat, *session) {
                Ok(()) => reply(Ok(answer)),
                Err(refusal) => reply(Err(refusal)),
            },
            BrowserOrder::Renew { seat, offer, reply } => match self.seats.get(&seat).copied() {
                Some(index) => {
                    let Some(entry) = self.sessions[index as usize].as_mut() else { return };
                    let answer = entry.session.reoffer(&offer);
                    self.renamed(index);
                    self.happen(index, now, Happens::Time, &mut []);
                    reply(answer);
                }
                None => reply(Err(Refusal::NoSession)),
            },
            BrowserOrder::Close { seat } => {
                if let Some(index) = self.seats.get(&seat).copied() {
                    self.happen(index, now, Happens::Close, &mut []);
                    self.end(index, Lost::Closed);
                }
            }
        }
    }

    /// The session has drawn another name, or not.
    pub(super) fn renamed(&mut self, index: u32) {
        let Some(entry) = self.sessions[index as usize].as_mut() else { return };
        let name = entry.session.name();
        let before = std::mem::replace(&mut entry.name, name.clone());
        self.names.remove(&before);
        self.names.insert(name, index);
    }

    fn begin(&mut self, now: Instant, seat: SeatNo, session: Session) -> Result<(), Refusal> {
        if let Some(before) = self.seats.get(&seat).copied() {
            self.happen(before, now, Happens::Close, &mut []);
            self.end(before, Lost::Replaced);
        }
        let leg = self.legs.iter().position(|leg| leg.as_ref().is_some_and(|leg| leg.seat.as_ref() == Some(&seat)));
        let slot = leg.map(|n| self.first_slot + n as u32);
        let index = self.insert(now, Some(seat.clone()), session, slot)?;
        if let Some(on) = leg.and_then(|n| self.legs[n].as_mut()) {
            on.session = Some(index);
        }
        self.seats.insert(seat, index);
        Ok(())
    }

    /// A session more, of the leg in this slot.
    pub(super) fn insert(
        &mut self,
        now: Instant,
        seat: Option<SeatNo>,
        mut session: Session,
        leg: Option<u32>,
    ) -> Result<u32, Refusal> {
        if self.names.len() >= usize::from(MOST) {
            return Err(Refusal::Full);
        }
        let index = self.sessions.iter().position(Option::is_none).unwrap_or(self.sessions.len()) as u32;
        if index as usize == self.sessions.len() {
            self.sessions.push(None);
        }
        let name = session.name();
        self.names.insert(name.clone(), index);
        self.due.insert((now, index));
        self.sessions[index as usize] = Some(Entry {
            seat,
            session,
            name,
            addresses: Vec::new(),
            life: Life::Beginning { until: now + CONNECTS_WITHIN },
            wanted: now,
            due: now,
            leg,
            missed: 0,
        });
        Ok(index)
    }

    /// Ends the sessions of all pages, which are told; phones' have ended with their legs.
    pub fn close_all(&mut self, now: Instant) {
        let seats: Vec<SeatNo> = self.seats.keys().cloned().collect();
        seats.into_iter().for_each(|seat| self.obey(now, BrowserOrder::Close { seat }));
    }

    pub(super) fn end(&mut self, index: u32, why: Lost) {
        if self.sessions[index as usize].as_ref().is_some_and(|entry| entry.seat.is_none()) {
            self.tell_phone(index, false);
        }
        let Some(entry) = self.sessions[index as usize].take() else { return };
        self.due.remove(&(entry.due, index));
        self.names.remove(&entry.name);
        if let Some(seat) = &entry.seat {
            self.seats.remove(seat);
        }
        for address in &entry.addresses {
            if self.addresses.get(address) == Some(&index) {
                self.addresses.remove(address);
            }
        }
        if let Some(on) = entry.leg.and_then(|slot| self.leg_mut(slot)) {
            on.session = None;
        }
        match (entry.life, entry.seat) {
            (Life::Up { .. } | Life::Beginning { .. }, Some(seat)) => self.tell(BrowserEvent::Down { seat, why }),
            // Told already.
            (Life::Silent { .. }, _) | (_, None) => {}
        }
    }
}
