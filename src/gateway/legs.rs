//! Legs: each a device, its audio and its role. Opening, reporting, closing.

use super::devices::{AudioBy, Device};
use super::timers::Alarm;
use super::{Gateway, Output};
use crate::call::CallInput;
use crate::config::settings::Srtp;
use crate::event::CallFact;
use crate::ids::{AgentNo, CallId, LegId, SeatNo};
use crate::leg::{LegCommand, LegEnd, LegEvent, Replaces};
use crate::plane::{Codec, Direction, MediaCommand, MediaEvent, Negotiated, PromptId};
use crate::sdp::encryption::Encryption;
use crate::sdp::offer_answer::Local;
use crate::sip::endpoint::ServerTx;
use crate::sip::flow::Flow;
use crate::sip::session::{Context, Session};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Leg {
    pub role: Role,
    pub device: Device,
}

impl Leg {
    pub fn sip(role: Role, session: Session, invite: Option<ServerTx>) -> Leg {
        Leg { role, device: Device::Sip { session: Box::new(session), invite } }
    }

    pub fn session(&self) -> Option<&Session> {
        match &self.device {
            Device::Sip { session, .. } => Some(session),
            Device::Browser(_) => None,
        }
    }

    pub fn session_mut(&mut self) -> Option<&mut Session> {
        match &mut self.device {
            Device::Sip { session, .. } => Some(session),
            Device::Browser(_) => None,
        }
    }

    /// Is it this dialog of a phone's?
    pub fn is(&self, dialog: &Replaces) -> bool {
        self.session().is_some_and(|session| session.dialog().is(dialog))
    }
}

/// Whose leg it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Role {
    Caller {
        call: CallId,
    },
    Seat {
        call: CallId,
        agent: AgentNo,
        seat: SeatNo,
    },
    /// A phone that dialled a call of its own.
    Dialler {
        call: CallId,
        seat: SeatNo,
    },
    /// Whom a phone dialled, or whom a citizen is passed on to. `seat`: a colleague's.
    Party {
        call: CallId,
        seat: Option<SeatNo>,
    },
    /// A phone dialling a feature code. `ready`: who becomes ready when it has hung up; sooner, a phone with one line
    /// would answer the first offer with 486 and its agent would never get to work.
    Feature {
        seat: SeatNo,
        ready: Option<AgentNo>,
        /// Played once the phone is heard: a browser's hears nothing before.
        beep: Option<PromptId>,
    },
    /// An agent hears herself in her browser.
    TestCall {
        seat: SeatNo,
    },
}

impl Role {
    pub(super) fn call(&self) -> Option<CallId> {
        match self {
            Role::Caller { call } | Role::Seat { call, .. } | Role::Dialler { call, .. } | Role::Party { call, .. } => {
                Some(*call)
            }
            Role::Feature { .. } | Role::TestCall { .. } => None,
        }
    }

    /// Which seat is at the far end, if one is.
    pub(super) fn seat(&self) -> Option<&SeatNo> {
        match self {
            Role::Caller { .. } | Role::Party { seat: None, .. } => None,
            Role::Seat { seat, .. }
            | Role::Feature { seat, .. }
            | Role::TestCall { seat }
            | Role::Dialler { seat, .. }
            | Role::Party { seat: Some(seat), .. } => Some(seat),
        }
    }
}

impl Gateway {
    pub(super) fn new_call(&mut self) -> CallId {
        let call = CallId(self.next_call);
        self.next_call += 1;
        call
    }

    pub(super) fn new_leg(&mut self) -> LegId {
        let leg = LegId(self.next_leg);
        self.next_leg += 1;
        leg
    }

    /// Our tag: the leg's number, then what nobody can guess.
    pub(super) fn tag(&mut self, leg: LegId) -> String {
        format!("{leg}-{}", self.tokens.token())
    }

    /// Our side of a leg's media on the address family its signalling uses; `None` without an address or a port.
    pub(super) fn open_media(
        &mut self,
        flow: Flow,
        leg: LegId,
        codecs: Vec<Codec>,
        dtmf_payload_type: u8,
        srtp: Srtp,
    ) -> Option<Local> {
        let media = &self.settings.media;
        let address = if flow.local.ip().to_canonical().is_ipv4() { media.address_v4 } else { media.address_v6 }?;
        // A call of ours that goes another way keeps its port.
        let port = match self.audio.get(&leg) {
            Some(AudioBy::Port(port)) => *port,
            Some(AudioBy::Browser | AudioBy::WebRtc(_)) => return None,
            None => {
                let port = self.ports.take()?;
                self.audio.insert(leg, AudioBy::Port(port));
                self.outputs.push_back(Output::Media(MediaCommand::Open { leg, port }));
                port
            }
        };
        let direction = Direction::SendRecv;
        let encryption = Encryption::new(srtp, || self.tokens.key());
        Some(Local { address, port, session_id: leg.0, version: 1, codecs, dtmf_payload_type, direction, encryption })
    }

    pub(super) fn connect_media(&mut self, leg: LegId, remote: Negotiated) {
        let media = &self.settings.media;
        self.connect(leg, remote, Some(media.expect_rtp_within), Some(media.rtp_timeout));
    }

    fn connect(
        &mut self,
        leg: LegId,
        remote: Negotiated,
        expect_rtp_within: Option<Duration>,
        rtp_timeout: Option<Duration>,
    ) {
        let also_from = self.legs.get(&leg).and_then(Leg::session).map(|session| session.flow().remote.ip());
        // Of a phone in a browser its session tells whether it is there.
        let rtp_timeout = if self.expects_softphone(leg) { None } else { rtp_timeout };
        if self.audio.contains_key(&leg) {
            let connect = MediaCommand::Connect { leg, remote, also_from, expect_rtp_within, rtp_timeout };
            self.outputs.push_back(Output::Media(connect));
        }
    }

    /// Gives back what the leg holds, once; later calls do nothing.
    pub(super) fn close_media(&mut self, leg: LegId) {
        if let Some(held) = self.audio.remove(&leg) {
            if let AudioBy::Port(port) = held {
                self.ports.give_back(port);
            }
            self.outputs.push_back(Output::Media(MediaCommand::Close { leg }));
        }
    }

    pub(super) fn leg_of_invite(&self, invite: ServerTx) -> Option<LegId> {
        self.invites.get(&invite).copied()
    }

    pub(super) fn tell(&mut self, now: Instant, leg: LegId, command: LegCommand) {
        if let LegCommand::Hangup(_) = command {
            self.stays_here(leg);
        }
        // Until then a phone that dialled has nothing to hear, and need not speak.
        if let LegCommand::EarlyMedia | LegCommand::Answer = command
            && let Some(Leg { role: Role::Dialler { .. }, device: Device::Sip { session, .. } }) = self.legs.get(&leg)
            && let Some(media) = session.media().cloned()
        {
            self.connect_media(leg, media);
        }
        match self.legs.get(&leg).map(|known| &known.device) {
            Some(Device::Browser(_)) => self.tell_browser(now, leg, &command),
            _ => self.with_session(now, leg, |session, cx| session.command(cx, command)),
        }
    }

    /// Lets a session act, then handles what it reports and re-arms its alarm.
    pub(super) fn with_session(&mut self, now: Instant, leg: LegId, act: impl FnOnce(&mut Session, &mut Context<'_>)) {
        self.find_path(leg);
        let Some(Leg { role, device: Device::Sip { session, .. } }) = self.legs.get_mut(&leg) else { return };
        let mut events = Vec::new();
        let mut cx = Context { now, endpoint: &mut self.endpoint, tokens: &mut self.tokens, events: &mut events };
        act(session, &mut cx);
        self.paths.keep(leg, session.flow());
        self.timers.set(Alarm::Leg(leg), session.next_timeout());
        let (role, over) = (role.clone(), session.is_over());
        for event in events {
            self.leg_event(now, leg, &role, event);
        }
        if over {
            self.drop_leg(leg);
        }
    }

    pub(super) fn drop_leg(&mut self, leg: LegId) {
        if let Some(Device::Sip { session, invite: Some(invite) }) = self.legs.remove(&leg).map(|gone| gone.device) {
            self.invites.remove(&invite);
            let (call_id, from_tag) = session.dialog().far_end();
            let key = (call_id.to_vec(), from_tag.to_vec());
            if self.callers.get(&key) == Some(&leg) {
                self.callers.remove(&key);
            }
        }
        self.timers.set(Alarm::Leg(leg), None);
        self.timers.set(Alarm::Softphone(leg), None);
        self.stays_here(leg);
        self.trunks.release(leg);
        self.paths.forget(leg);
        self.close_media(leg);
    }

    pub(super) fn leg_event(&mut self, now: Instant, leg: LegId, role: &Role, event: LegEvent) {
        match event {
            LegEvent::Ringing => {
                if let Role::Party { call, .. } = role {
                    self.call_input(now, *call, CallInput::PartyRings { leg });
                }
            }
            // Silence before the answer is nobody's fault. From a seat's phone nobody wants to hear anything yet.
            LegEvent::EarlyMedia { media } if matches!(role, Role::Caller { .. } | Role::Party { seat: None, .. }) => {
                self.connect(leg, media, None, None);
                if let Role::Party { call, .. } = role {
                    self.call_input(now, *call, CallInput::EarlyMedia { leg });
                }
            }
            LegEvent::EarlyMedia { .. } => {}
            LegEvent::Answered { media } => {
                self.note_spoken(leg, role);
                self.connect_media(leg, media);
                self.far_end_answered(now, leg, role);
            }
            LegEvent::PickedUp => {
                if let Some(seat) = role.seat() {
                    self.open_browser(leg, seat.clone(), role.call());
                }
                self.far_end_answered(now, leg, role);
            }
            LegEvent::AudioLost => self.seat_audio(now, leg, role, false),
            LegEvent::AudioBack => self.seat_audio(now, leg, role, true),
            LegEvent::MediaChanged { media } => {
                let direction = media.direction;
                self.connect_media(leg, media);
                if let Role::Seat { call, .. } | Role::Party { call, .. } = role {
                    self.call_input(now, *call, CallInput::SeatMedia { leg, direction });
                }
            }
            LegEvent::Cause { status, q850 } => match role {
                // Of a call that is over nothing more is told.
                Role::Caller { call } | Role::Seat { call, .. }
                    if self.calls.contains_key(call) || self.attempts.contains_key(call) =>
                {
                    self.emit(now, *call, CallFact::FarEndCause { leg, status, q850 });
                }
                Role::Party { call, .. } if self.own.contains_key(call) || self.calls.contains_key(call) => {
                    self.emit(now, *call, CallFact::FarEndCause { leg, status, q850 });
                    if let Some(status) = status {
                        self.call_input(now, *call, CallInput::PartyRefused { leg, status, cause: q850 });
                    }
                }
                _ => {}
            },
            LegEvent::Refer(to) => self.referred(now, leg, role, to),
            LegEvent::Digit(digit) => self.digit(now, leg, role, digit),
            LegEvent::Ended(end) => {
                let end = self.ended_by_softphone(now, leg, role, end);
                self.leg_ended(now, leg, role, end)
            }
        }
    }

    fn far_end_answered(&mut self, now: Instant, leg: LegId, role: &Role) {
        match role {
            Role::Seat { call, .. } => self.seat_answered(now, *call, leg),
            Role::Caller { call } => self.citizen_answered(now, *call, leg),
            Role::Party { call, seat } => {
                self.call_input(now, *call, CallInput::PartyAnswered { leg });
                seat.iter().for_each(|seat| self.shows(seat));
            }
            Role::Feature { .. } | Role::TestCall { .. } | Role::Dialler { .. } => {}
        }
    }

    fn leg_ended(&mut self, now: Instant, leg: LegId, role: &Role, end: LegEnd) {
        self.trunks.release(leg);
        match role {
            Role::Caller { call } => self.caller_ended(now, *call, end),
            Role::Seat { call, .. } => {
                self.cleared(now, leg);
                self.call_input(now, *call, CallInput::SeatEnded { leg, end });
            }
            Role::Dialler { call, seat } => {
                self.seat_free(now, seat);
                self.call_input(now, *call, CallInput::SeatEnded { leg, end });
            }
            Role::Party { call, seat } => {
                if let Some(seat) = seat {
                    self.seat_free(now, seat);
                }
                self.call_input(now, *call, CallInput::PartyEnded { leg, end });
            }
            Role::Feature { ready, .. } => {
                self.timers.set(Alarm::Feature(leg), None);
                if !self.is_unheard_softphone(leg) {
                    self.make_ready(now, ready.clone());
                }
            }
            Role::TestCall { seat } => {
                self.timers.set(Alarm::Feature(leg), None);
                self.shows(seat);
            }
        }
        self.close_media(leg);
    }

    fn digit(&mut self, now: Instant, leg: LegId, role: &Role, digit: char) {
        match role {
            Role::Caller { call } => self.caller_digit(now, *call, digit),
            Role::Seat { call, .. } => self.call_input(now, *call, CallInput::SeatDigit { leg, digit }),
            Role::Feature { .. } | Role::TestCall { .. } | Role::Dialler { .. } | Role::Party { .. } => {}
        }
    }

    fn call_input_of(&mut self, now: Instant, role: &Role, input: CallInput) {
        if let Some(call) = role.call() {
            self.call_input(now, call, input);
        }
    }

    pub(super) fn media(&mut self, now: Instant, event: MediaEvent) {
        let leg = match event {
            MediaEvent::FirstRtp { leg }
            | MediaEvent::NoRtp { leg }
            | MediaEvent::RtpTimeout { leg }
            | MediaEvent::PhoneAudio { leg, .. }
            | MediaEvent::Digit { leg, .. }
            | MediaEvent::PlayEnded { leg }
            | MediaEvent::Closed { leg, .. } => leg,
            MediaEvent::Browser(event) => return self.browser_event(now, event),
            MediaEvent::Recorded { call, recording } => return self.emit(now, call, CallFact::Recorded(recording)),
        };
        if let MediaEvent::Closed { stats, .. } = event {
            // Of the audio it had before it was offered another kind.
            if self.audio.contains_key(&leg) {
                return;
            }
            if let Some(call) = self.figures_due.remove(&leg) {
                self.emit(now, call, CallFact::LegClosed { leg, stats });
            }
            return;
        }
        // Closed meanwhile: news of it from before is no news (its silence would end a call that has been passed on).
        if !self.audio.contains_key(&leg) {
            return;
        }
        let Some(role) = self.legs.get(&leg).map(|l| l.role.clone()) else { return };
        if let MediaEvent::FirstRtp { .. } = event {
            self.softphone_heard(now, leg, &role);
        }
        match (event, &role) {
            (MediaEvent::PhoneAudio { there: true, .. }, role) => self.softphone_back(now, leg, role),
            (MediaEvent::PhoneAudio { there: false, .. }, role) => self.softphone_lost(now, leg, role),
            (MediaEvent::FirstRtp { .. }, Role::Feature { .. }) => self.feature_heard(now, leg),
            (MediaEvent::PlayEnded { .. }, Role::Feature { .. }) => self.feature_over(now, leg),
            (MediaEvent::PlayEnded { .. }, Role::Caller { call }) => self.call_input(now, *call, CallInput::PlayEnded),
            // To an agent only an attempt plays anything.
            (MediaEvent::PlayEnded { .. }, Role::Seat { call, .. }) if self.attempts.contains_key(call) => {
                self.call_input(now, *call, CallInput::PlayEnded)
            }
            (MediaEvent::Digit { digit, .. }, role) => self.digit(now, leg, role, digit),
            // Before the answer: the far end's own ring-back, or an announcement.
            (MediaEvent::FirstRtp { .. }, Role::Caller { call }) if self.attempts.contains_key(call) => {
                self.call_input(now, *call, CallInput::EarlyMedia { leg })
            }
            (MediaEvent::NoRtp { .. }, role) => {
                self.call_input_of(now, role, CallInput::NoAudio { leg });
                self.softphone_lost(now, leg, role);
            }
            (MediaEvent::RtpTimeout { .. }, role) => self.call_input_of(now, role, CallInput::RtpTimeout { leg }),
            _ => {}
        }
    }
}
