//! By what a seat is reached: its browser or its phone. Belongs here: which seats have their browser up, what its coming and
//! going means for the distributor and for the legs in it, and these legs' orders and audio. Not here: a leg's own states
//! (`seat::browser`), SIP legs (`legs`), registrations (`sip::registrar`).
//!
//! Law: a seat is reached while its browser is up or its phone is registered, and is rung in the browser if that is up. A
//! browser that is gone loses an idle seat at once; a call in it waits (`[media] browser_return`) and then goes back in line.

use super::legs::{Leg, Role};
use super::softphones::Hearing;
use super::timers::Alarm;
use super::{Gateway, Output, Unable};
use crate::acd::{AcdInput, Refused};
use crate::call::CallInput;
use crate::ids::{AgentNo, CallId, LegId, SeatNo};
use crate::leg::{HangupReason, LegCommand, LegEvent, Place};
use crate::plane::browser::{BrowserEvent, Lost};
use crate::plane::{MediaCommand, Source};
use crate::screen::{InVain, ReachedBy};
use crate::seat::browser::BrowserLeg;
use crate::sip::endpoint::ServerTx;
use crate::sip::registrar::Change;
use crate::sip::session::Session;
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Long enough to speak a sentence or two, and to turn a knob.
const LONGEST_TEST: Duration = Duration::from_secs(60);

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
    /// A session of its own: a third-party phone in a browser.
    WebRtc(Hearing),
}

/// A seat's page.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct PageAt {
    /// It begins anew and is not heard yet: a call there waits for it until then.
    reloads: Option<Instant>,
    /// What was dialled there last, if nobody was reached.
    pub in_vain: Option<InVain>,
}

impl Device {
    pub fn is_ringing_browser(&self) -> bool {
        matches!(self, Device::Browser(browser) if browser.is_ringing())
    }

    /// Its page is gone for a while.
    pub fn is_without_page(&self) -> bool {
        matches!(self, Device::Browser(browser) if browser.is_without_page())
    }
}

impl Gateway {
    pub(super) fn reached_by(&self, seat: &SeatNo) -> Option<ReachedBy> {
        match self.browsers.contains_key(seat) {
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
                self.browsers.entry(seat.clone()).or_default().reloads = None;
                for leg in self.legs_in_browser(&seat) {
                    self.with_browser(now, leg, |browser, events| browser.audio_back(events));
                }
                self.seat_reachable(now, seat);
            }
            BrowserEvent::Down { seat, why } => {
                let until = now + self.settings.media.browser_return;
                // The page has begun anew and will be up in a moment; what rings goes on ringing there.
                let page = self.browsers.get_mut(&seat).filter(|_| why == Lost::Replaced);
                let reloads = page.map(|page| *page.reloads.get_or_insert(until)).is_some();
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

    /// Who picks up, or dials, before a page that has begun anew is heard.
    pub(super) fn may_be_unheard(&mut self, now: Instant, leg: LegId) {
        let seat = self.legs.get(&leg).and_then(|leg| leg.role.seat());
        let reloads = seat.and_then(|seat| self.browsers.get(seat)).and_then(|page| page.reloads);
        if let Some(until) = reloads {
            self.with_browser(now, leg, |browser, events| browser.audio_lost(until, events));
        }
    }

    pub(super) fn pick_up(&mut self, now: Instant, leg: LegId) {
        self.with_browser(now, leg, |browser, events| browser.answer(events));
        self.may_be_unheard(now, leg);
    }

    fn legs_in_browser(&self, seat: &SeatNo) -> Vec<LegId> {
        self.legs.at(seat).filter(|(_, leg)| matches!(leg.device, Device::Browser(_))).map(|(leg, _)| leg).collect()
    }

    /// The leg that rings in the seat's page.
    pub(super) fn ringing_in_browser(&self, seat: &SeatNo) -> Option<LegId> {
        self.legs.at(seat).find(|(_, leg)| leg.device.is_ringing_browser()).map(|(leg, _)| leg)
    }

    /// Has picked up or dialled: what merely rings there is no call yet, and a test call gives way.
    pub(super) fn in_call_in_browser(&self, seat: &SeatNo) -> bool {
        let talks = |leg: &Leg| matches!(leg.device, Device::Browser(_)) && !leg.device.is_ringing_browser();
        self.legs.at(seat).any(|(_, leg)| !matches!(leg.role, Role::TestCall { .. }) && talks(leg))
    }

    /// The agent hears a beep and then herself, as the gateway hears her.
    pub(super) fn test_call(&mut self, now: Instant, agent: &AgentNo) -> Result<(), Unable> {
        let view = self.acd.agent(agent).ok_or_else(|| Refused::UnknownAgent(agent.clone()))?;
        let seat = view.seat.cloned().ok_or_else(|| Refused::NotSignedIn(agent.clone()))?;
        if !self.browsers.contains_key(&seat) {
            return Err(Unable::NoBrowser);
        }
        if view.call.is_some() || self.leg_of_seat(&seat).is_some() {
            return Err(Unable::InCall);
        }
        self.end_test_call(now, &seat);
        let leg = self.new_leg();
        let role = Role::TestCall { seat: seat.clone() };
        self.legs.insert(leg, Leg { role, device: Device::Browser(BrowserLeg::up()) });
        self.shows(&seat);
        self.open_browser(leg, seat, None);
        let source = Source::Play { prompts: vec!["beep-ok".into()], then: Box::new(Source::Leg(leg)) };
        self.outputs.push_back(Output::Media(MediaCommand::SetSource { leg, source }));
        self.timers.set(Alarm::Feature(leg), Some(now + LONGEST_TEST));
        Ok(())
    }

    /// False: there was none.
    pub(super) fn end_test_call(&mut self, now: Instant, seat: &SeatNo) -> bool {
        let Some(leg) = self.test_call_at(seat) else { return false };
        self.tell(now, leg, LegCommand::Hangup(HangupReason::Normal));
        true
    }

    pub(super) fn test_call_at(&self, seat: &SeatNo) -> Option<LegId> {
        self.legs.at(seat).find(|(_, leg)| matches!(leg.role, Role::TestCall { .. })).map(|(leg, _)| leg)
    }

    pub(super) fn tell_browser(&mut self, now: Instant, leg: LegId, command: &LegCommand) {
        match (command, self.legs.get(&leg).map(|leg| leg.role.clone())) {
            // A phone makes its own ring-back.
            (LegCommand::Ring, Some(Role::Dialler { .. })) => {
                let source = Source::RingBack;
                self.outputs.push_back(Output::Media(MediaCommand::SetSource { leg, source }));
            }
            // And shows the status.
            (LegCommand::Hangup(HangupReason::Refused { status, .. }), Some(Role::Dialler { call, seat })) => {
                let to = self.own.get(&call).map(|own| own.to().number().to_owned()).unwrap_or_default();
                self.dialled_in_vain(&seat, Some(InVain { to, status: *status, at: now }));
            }
            _ => {}
        }
        self.with_browser(now, leg, |browser, events| browser.command(command, events));
    }

    /// Shown until something else happens at the seat.
    pub(super) fn dialled_in_vain(&mut self, seat: &SeatNo, what: Option<InVain>) {
        if let Some(shown) = self.browsers.get_mut(seat) {
            shown.in_vain = what;
        }
    }

    pub(super) fn place_in_browser(&mut self, now: Instant, call: CallId, place: Place) {
        self.end_test_call(now, &place.seat);
        self.dialled_in_vain(&place.seat, None);
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
