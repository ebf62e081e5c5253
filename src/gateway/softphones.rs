//! By which kind of audio a seat's phone is spoken with: plain RTP (SRTP), or WebRTC as phones in browsers want it. Belongs
//! here: what phones have said of that, our side of either. Not here: descriptions (`sdp`), our own page (`devices`).
//!
//! Law: a phone is answered as it asks. It is asked as its contact says it must be (`+sip.ice`), else as it last spoke, else
//! by where it is: behind a WebSocket there is most often a browser. What it does not understand (488, or 480 of one that was
//! offered plain RTP) is asked once more in the other way before anybody hears of it; a 200 that takes no audio is not. A call outlives the phone's audio for a while, as it does our own page's.

use super::Gateway;
use super::Output;
use super::devices::AudioBy;
use super::legs::{Leg, Role};
use super::timers::Alarm;
use crate::acd::AcdInput;
use crate::config::settings::Srtp;
use crate::event::NotReadyReason;
use crate::ids::{LegId, SeatNo};
use crate::leg::LegEnd;
use crate::plane::webrtc::{End, MOST_LEGS};
use crate::plane::{Codec, Direction, MediaCommand};
use crate::sdp::encryption::Encryption;
use crate::sdp::offer_answer::{self, Local};
use crate::sdp::webrtc::Own;
use crate::sip::body;
use crate::sip::endpoint::ClientTx;
use crate::sip::flow::Flow;
use crate::sip::message::Message;
use crate::sip::registrar::{Audio, Binding};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Speaks {
    Rtp,
    WebRtc,
}

/// What has come of such a phone on one leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Hearing {
    /// Nothing is expected yet.
    Open,
    Awaited,
    Heard,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Softphones {
    /// `None`: browsers have no port here, and none is spoken with.
    /// Of this process: said anew after a start.
    #[serde(skip)]
    pub end: Option<End>,
    /// How a seat's phone spoke last, and on which connection, where its contact leaves that open.
    spoken: BTreeMap<SeatNo, (Flow, Speaks)>,
}

impl Speaks {
    fn of(webrtc: bool) -> Speaks {
        if webrtc { Speaks::WebRtc } else { Speaks::Rtp }
    }
}

impl Gateway {
    /// What this INVITE of a seat's phone asks for.
    pub(super) fn asked_for(&mut self, flow: Flow, seat: &SeatNo, msg: &Message<'_>) -> Speaks {
        match body::sdp(msg) {
            [] => {
                let here = self.registrar.bindings(seat).iter().find(|binding| binding.flow == flow);
                here.map_or(Speaks::Rtp, |binding| self.spoken_by(seat, binding))
            }
            offer => {
                let asked = Speaks::of(offer_answer::is_webrtc(offer));
                self.has_spoken(flow, seat, asked);
                asked
            }
        }
    }

    /// How the phone behind this contact is asked.
    pub(super) fn spoken_by(&self, seat: &SeatNo, binding: &Binding) -> Speaks {
        let said = self.softphones.spoken.get(seat).filter(|(flow, _)| *flow == binding.flow);
        match binding.audio {
            _ if self.softphones.end.is_none() => Speaks::Rtp,
            Audio::Unsaid => Speaks::Rtp,
            Audio::Ice => Speaks::WebRtc,
            Audio::Web => said.map_or(Speaks::WebRtc, |(_, how)| *how),
        }
    }

    /// Remembered of a phone of which it is not plain; another phone of the seat says nothing of this one.
    pub(super) fn has_spoken(&mut self, flow: Flow, seat: &SeatNo, how: Speaks) {
        if self.is_perhaps_browser(flow, seat) {
            self.softphones.spoken.insert(seat.clone(), (flow, how));
        }
    }

    fn is_perhaps_browser(&self, flow: Flow, seat: &SeatNo) -> bool {
        let mut bindings = self.registrar.bindings(seat).iter();
        bindings.any(|binding| binding.flow == flow && binding.audio != Audio::Unsaid)
    }

    /// Our side of the audio of a seat's phone; `None` without an address, a port, or a way to speak with browsers.
    pub(super) fn open_seat_media(&mut self, flow: Flow, leg: LegId, seat: &SeatNo, how: Speaks) -> Option<Local> {
        let srtp = self.seats.get(seat)?.srtp;
        self.open_phone(flow, leg, how, srtp)
    }

    pub(super) fn open_phone(&mut self, flow: Flow, leg: LegId, how: Speaks, srtp: Srtp) -> Option<Local> {
        let codecs = vec![Codec::Pcma, Codec::Pcmu];
        match how {
            Speaks::Rtp => self.open_media(flow, leg, codecs, 101, srtp),
            Speaks::WebRtc => self.open_webrtc(flow, leg, codecs),
        }
    }

    fn open_webrtc(&mut self, flow: Flow, leg: LegId, codecs: Vec<Codec>) -> Option<Local> {
        let Some(end) = self.softphones.end else {
            tracing::warn!(%leg, "a phone in a browser calls, and there is no port for its audio: set browser_port in [media]");
            return None;
        };
        let theirs = |held: &&AudioBy| matches!(held, AudioBy::Browser | AudioBy::WebRtc(_));
        if self.audio.values().filter(theirs).count() >= usize::from(MOST_LEGS) {
            tracing::error!(%leg, "as many browsers are in calls as there can be: this one is refused");
            return None;
        }
        let (v4, v6) = (self.settings.media.address_v4, self.settings.media.address_v6);
        // Its signalling may take another way than its audio.
        let (one, other) = if flow.local.ip().to_canonical().is_ipv4() { (v4, v6) } else { (v6, v4) };
        let (address, other) = if one.is_some() { (one?, other) } else { (other?, None) };
        self.audio.insert(leg, AudioBy::WebRtc(Hearing::Open));
        self.outputs.push_back(Output::Media(MediaCommand::OpenWebRtc { leg }));
        let encryption = Encryption::WebRtc(Own::new(self.tokens.key(), end.certificate, other));
        let (session_id, version, direction, dtmf_payload_type) = (leg.0, 1, Direction::SendRecv, 101);
        Some(Local { address, port: end.port, session_id, version, codecs, dtmf_payload_type, direction, encryption })
    }

    /// A phone did not understand what it was offered, and has not been offered the other yet: it is, and true comes back.
    pub(super) fn offered_otherwise(&mut self, now: Instant, leg: LegId, tx: ClientTx, msg: &Message<'_>) -> bool {
        let Some(known) = self.legs.get(&leg) else { return false };
        let (Some(seat), Some(session)) = (known.role.seat().cloned(), known.session()) else { return false };
        // SIP.js refuses with 480 what its browser cannot read, as it does when its user declines.
        let not_understood = match msg.status() {
            Some(415 | 488 | 606) => true,
            Some(480) => !session.is_webrtc(),
            _ => false,
        };
        let unsure = self.is_perhaps_browser(session.flow(), &seat);
        if !not_understood
            || !unsure
            || self.softphones.end.is_none()
            || !session.is_calling_by(tx)
            || session.was_refused_with(488)
        {
            return false;
        }
        let (flow, how) = (session.flow(), Speaks::of(!session.is_webrtc()));
        self.close_media(leg);
        let Some(local) = self.open_seat_media(flow, leg, &seat, how) else { return false };
        self.with_session(now, leg, |session, cx| session.offer_otherwise(cx, local));
        true
    }

    /// Its leg is connected: if it is such a phone's, true, and from now on it should be heard.
    pub(super) fn expects_softphone(&mut self, leg: LegId) -> bool {
        let Some(AudioBy::WebRtc(hearing)) = self.audio.get_mut(&leg) else { return false };
        if *hearing == Hearing::Open {
            *hearing = Hearing::Awaited;
        }
        true
    }

    pub(super) fn softphone_heard(&mut self, now: Instant, leg: LegId, role: &Role) {
        if let Some(AudioBy::WebRtc(hearing)) = self.audio.get_mut(&leg) {
            *hearing = Hearing::Heard;
            self.softphone_back(now, leg, role);
        }
    }

    pub(super) fn softphone_back(&mut self, now: Instant, leg: LegId, role: &Role) {
        if self.timers.is_set(Alarm::Softphone(leg)) {
            self.timers.set(Alarm::Softphone(leg), None);
            self.seat_audio(now, leg, role, true);
        }
    }

    /// A phone in a browser sends packets even while it is muted. One that was heard is waited for as our own page is: a
    /// network that changes, a machine asleep. One that was never heard has no way to our port, or never began the handshake.
    pub(super) fn softphone_lost(&mut self, now: Instant, leg: LegId, role: &Role) {
        match self.audio.get(&leg) {
            Some(AudioBy::WebRtc(Hearing::Awaited)) => {
                tracing::warn!(%leg, "no audio of a phone in a browser reaches us: is browser_port of [media] open to it?");
                self.softphone_unheard(now, leg);
            }
            Some(AudioBy::WebRtc(Hearing::Heard)) if !self.timers.is_set(Alarm::Softphone(leg)) => {
                let until = now + self.settings.media.browser_return;
                self.timers.set(Alarm::Softphone(leg), Some(until));
                self.seat_audio(now, leg, role, false);
            }
            _ => {}
        }
    }

    /// Nobody hears anything: its call is a lost one, whose caller goes back in line.
    pub(super) fn softphone_unheard(&mut self, now: Instant, leg: LegId) {
        self.with_session(now, leg, |session, cx| session.unheard(cx));
    }

    pub(super) fn is_unheard_softphone(&self, leg: LegId) -> bool {
        matches!(self.audio.get(&leg), Some(AudioBy::WebRtc(Hearing::Awaited)))
    }

    /// Who hangs up what was never heard has not ended a call. An agent who cannot be heard gets no next caller.
    pub(super) fn ended_by_softphone(&mut self, now: Instant, leg: LegId, role: &Role, end: LegEnd) -> LegEnd {
        let end = if end == LegEnd::HungUp && self.is_unheard_softphone(leg) { LegEnd::Unreachable } else { end };
        let answered = matches!(self.audio.get(&leg), Some(AudioBy::WebRtc(Hearing::Awaited | Hearing::Heard)));
        if answered && end == LegEnd::Unreachable {
            let agent = match role {
                Role::Seat { agent, .. } => Some(agent.clone()),
                _ => role.seat().and_then(|seat| self.acd.agent_at(seat)).cloned(),
            };
            // Before the next caller finds out.
            if let Some(agent) = agent {
                let _ = self.acd.handle(now, AcdInput::NotReady { agent, reason: NotReadyReason::Unreachable });
            }
        }
        end
    }

    /// What it has agreed to, it speaks.
    pub(super) fn note_spoken(&mut self, leg: LegId, role: &Role) {
        let said = self.legs.get(&leg).and_then(Leg::session).map(|session| (session.flow(), session.is_webrtc()));
        if let (Some(seat), Some((flow, webrtc))) = (role.seat(), said) {
            self.has_spoken(flow, seat, Speaks::of(webrtc));
        }
    }
}
