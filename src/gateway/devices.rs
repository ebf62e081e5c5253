//! By what a seat is reached: its browser or its phone. Belongs here: which seats have their browser up, what its coming and
//! going means for the distributor and for the legs in it, and these legs' orders and audio. Not here: a leg's own states
//! (`seat::browser`), SIP legs (`legs`), registrations (`sip::registrar`).
//!
//! Law: a seat is reached while its browser is up or its phone is registered, and is rung in the browser if that is up. A
//! browser that is gone loses an idle seat at once; a call in it waits (`[media] browser_return`) and then goes back in line.

use super::legs::{Leg, Role};
use super::timers::Alarm;
use super::{Gateway, Output};
use crate::acd::AcdInput;
use crate::call::CallInput;
use crate::ids::{CallId, LegId, SeatNo};
use crate::leg::{LegEvent, Place};
use crate::plane::MediaCommand;
use crate::plane::browser::{BrowserEvent, Lost};
use crate::screen::ReachedBy;
use crate::seat::browser::BrowserLeg;
use crate::sip::endpoint::ServerTx;
use crate::sip::registrar::Change;
use crate::sip::session::Session;
use crate::time::Instant;
use serde::{Deserialize, Serialize};

/// What is at the far end of a leg.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Device {
    /// A carrier, or a seat's phone.
    Sip {
        session: Box<Session>,
        /// The server transaction of the INVITE that opened it; CANCEL names it.
        invite: Option<ServerTx>,
    },
    Browser(BrowserLeg),
}

/// What a leg holds of the media plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum AudioBy {
    Port(u16),
    /// The audio of its seat's browser.
    Browser,
}

impl Device {
    pub fn is_ringing_browser(&self) -> bool {
        matches!(self, Device::Browser(browser) if browser.is_ringing())
    }
}

impl Gateway {
    pub(super) fn reached_by(&self, seat: &SeatNo) -> Option<ReachedBy> {
        match self.browsers.contains(seat) {
            true => Some(ReachedBy::Browser),
            false => self.registrar.lookup(seat).map(|_| ReachedBy::Phone),
        }
    }

    pub(super) fn registration_changed(&mut self, now: Instant, change: Change) {
        match change {
            Change::Reachable(seat) => self.seat_reachable(now, seat),
            Change::Lost(seat) => self.seat_lost(now, seat),
        }
    }

    fn seat_reachable(&mut self, now: Instant, seat: SeatNo) {
        self.shows(&seat);
        // A seat nobody sits at is no news to the distributor.
        let _ = self.acd.handle(now, AcdInput::SeatReachable { seat });
        self.distribute(now);
    }

    /// One of its devices is gone.
    fn seat_lost(&mut self, now: Instant, seat: SeatNo) {
        self.shows(&seat);
        if self.reached_by(&seat).is_none() {
            let _ = self.acd.handle(now, AcdInput::SeatLost { seat });
            self.distribute(now);
        }
    }

    pub(super) fn browser_event(&mut self, now: Instant, event: BrowserEvent) {
        match event {
            BrowserEvent::Up { seat } if !self.seats.contains_key(&seat) => {}
            BrowserEvent::Up { seat } => {
                self.browsers.insert(seat.clone());
                for leg in self.legs_in_browser(&seat) {
                    self.with_browser(now, leg, |browser, events| browser.audio_back(events));
                }
                self.seat_reachable(now, seat);
            }
            BrowserEvent::Down { seat, why } => {
                let until = now + self.settings.media.browser_return;
                // The page has begun anew and will be up in a moment; what rings goes on ringing there.
                let reloads = why == Lost::Replaced && self.browsers.contains(&seat);
                if !reloads {
                    self.browsers.remove(&seat);
                }
                for leg in self.legs_in_browser(&seat) {
                    self.with_browser(now, leg, |browser, events| {
                        if !(reloads && browser.is_ringing()) {
                            browser.audio_lost(until, events);
                        }
                    });
                    self.distribute(now);
                }
                self.seat_lost(now, seat);
            }
            BrowserEvent::Quality { .. } => {}
        }
    }

    fn legs_in_browser(&self, seat: &SeatNo) -> Vec<LegId> {
        let here = |leg: &Leg| matches!(leg.device, Device::Browser(_)) && leg.role.seat() == Some(seat);
        self.legs.iter().filter(|(_, leg)| here(leg)).map(|(leg, _)| *leg).collect()
    }

    /// The leg that rings in the seat's page.
    pub(super) fn ringing_in_browser(&self, seat: &SeatNo) -> Option<LegId> {
        let rings = |leg: &Leg| leg.device.is_ringing_browser() && leg.role.seat() == Some(seat);
        self.legs.iter().find(|(_, leg)| rings(leg)).map(|(leg, _)| *leg)
    }

    pub(super) fn place_in_browser(&mut self, call: CallId, place: Place) {
        let role = Role::Seat { call, agent: place.agent, seat: place.seat };
        self.legs.insert(place.leg, Leg { role, device: Device::Browser(BrowserLeg::ringing()) });
    }

    /// The leg takes the audio of its seat's browser. A page that falls silent is waited for, so there is no RTP timeout.
    pub(super) fn open_browser(&mut self, leg: LegId, seat: SeatNo, call: Option<CallId>) {
        if let Some(call) = call {
            self.figures_due.insert(leg, call);
        }
        self.audio.insert(leg, AudioBy::Browser);
        let expect_rtp_within = Some(self.settings.media.expect_rtp_within);
        let open = MediaCommand::OpenBrowser { leg, seat, expect_rtp_within, rtp_timeout: None };
        self.outputs.push_back(Output::Media(open));
    }

    /// Lets a leg in a browser act, then handles what it reports and re-arms its alarm.
    pub(super) fn with_browser(
        &mut self,
        now: Instant,
        leg: LegId,
        act: impl FnOnce(&mut BrowserLeg, &mut Vec<LegEvent>),
    ) {
        let Some(Leg { role, device: Device::Browser(browser) }) = self.legs.get_mut(&leg) else { return };
        let mut events = Vec::new();
        act(browser, &mut events);
        let (role, over) = (role.clone(), browser.is_over());
        self.timers.set(Alarm::Leg(leg), browser.next_timeout());
        for event in events {
            self.leg_event(now, leg, &role, event);
        }
        if over {
            self.drop_leg(leg);
        }
    }

    pub(super) fn leg_due(&mut self, now: Instant, leg: LegId) {
        match self.legs.get(&leg).map(|known| &known.device) {
            Some(Device::Browser(_)) => {
                self.with_browser(now, leg, |browser, events| browser.handle_timeout(now, events));
            }
            _ => self.with_session(now, leg, |session, cx| session.handle_timeout(cx)),
        }
    }

    pub(super) fn seat_audio(&mut self, now: Instant, leg: LegId, role: &Role, there: bool) {
        if let Some(call) = role.call() {
            self.call_input(now, call, CallInput::SeatAudio { leg, there });
        }
    }

    /// Whoever sits there sees something new.
    pub(super) fn shows(&mut self, seat: &SeatNo) {
        if let Some(agent) = self.acd.agent_at(seat) {
            self.outputs.push_back(Output::Screen(agent.clone()));
        }
    }
}
