//! Third-party phones in browsers: a session for each of their calls. Signalling has exchanged the descriptions already and
//! says what came of it; here the session is made from that. Belongs here: beginning, renewing and ending it with its leg. Not
//! here: what descriptions say (`sdp`), our own page (`door`), the session once it lives (`browsers`).

use super::browsers::Browsers;
use super::legs::OnSeat;
use super::offer::{Offer, Refusal};
use super::session::{Happens, Session};
use crate::ids::LegId;
use crate::plane::MediaEvent;
use crate::plane::browser::Lost;
use crate::plane::webrtc::{Far, WebRtc};
use crate::plane::{Codec, Negotiated};
use crate::time::Instant;
use std::fmt::Write;

impl Browsers {
    /// The leg in `slot` will have a session of its own.
    pub fn attach_phone(&mut self, slot: u32, leg: LegId) {
        if let Some(place) = self.place(slot) {
            *place =
                Some(OnSeat { leg, seat: None, session: None, expect_rtp_within: None, rtp_timeout: None, missed: 0 });
        }
    }

    /// What its leg has agreed on, now or again: a session begins, or goes on under the phone's new name.
    pub fn connect_phone(&mut self, now: Instant, slot: u32, media: &Negotiated) {
        let (Some(webrtc), Some(OnSeat { leg, seat: None, session, .. })) = (&media.webrtc, self.leg(slot)) else {
            return;
        };
        let (leg, before) = (*leg, *session);
        let entry = before.and_then(|index| Some((index, self.sessions[index as usize].as_ref()?)));
        let done = match entry {
            Some((index, entry)) if entry.session.far().is_some_and(|far| far.is_same_session(&webrtc.theirs)) => {
                self.goes_on(now, index);
                Ok(())
            }
            Some((index, entry))
                if entry.session.far().is_some_and(|far| far.certificate == webrtc.theirs.certificate) =>
            {
                self.renew_phone(now, index, media, webrtc)
            }
            _ => {
                before.into_iter().for_each(|index| self.end_phone(now, index));
                self.begin_phone(now, slot, media, webrtc)
            }
        };
        if let Err(why) = done {
            tracing::warn!(%leg, %why, "no audio session for a phone in a browser");
            (self.events)(MediaEvent::PhoneAudio { leg, there: false });
        }
    }

    fn begin_phone(&mut self, now: Instant, slot: u32, media: &Negotiated, webrtc: &WebRtc) -> Result<(), Refusal> {
        let session = Session::agreed(&self.common, std::time::Instant::now(), &canonical(media, webrtc), webrtc)?;
        let index = self.insert(now, None, session, Some(slot))?;
        if let Some(on) = self.leg_mut(slot) {
            on.session = Some(index);
        }
        Ok(())
    }

    fn renew_phone(&mut self, now: Instant, at: u32, media: &Negotiated, webrtc: &WebRtc) -> Result<(), Refusal> {
        if let Some(entry) = self.sessions[at as usize].as_mut() {
            if let Err(why) = entry.session.renew(&canonical(media, webrtc), webrtc) {
                self.end_phone(now, at);
                return Err(why);
            }
            self.renamed(at);
            self.goes_on(now, at);
            self.happen(at, now, Happens::Time, &mut []);
        }
        Ok(())
    }

    /// Agreed on again: who begins has all the time for it once more.
    fn goes_on(&mut self, now: Instant, index: u32) {
        if let Some(entry) = self.sessions[index as usize].as_mut() {
            entry.life = entry.life.longer(now);
        }
    }

    /// Its leg is closed, or the phone is another one now: nothing that is told of.
    pub(super) fn end_phone(&mut self, now: Instant, index: u32) {
        let slot = self.sessions[index as usize].as_mut().and_then(|entry| entry.leg.take());
        if let Some(on) = slot.and_then(|slot| self.leg_mut(slot)) {
            on.session = None;
        }
        self.happen(index, now, Happens::Close, &mut []);
        self.end(index, Lost::Closed);
    }
}

/// The phone's description as the library reads it, whoever of the two sides offered: nothing but what was agreed on.
fn canonical(media: &Negotiated, webrtc: &WebRtc) -> Offer {
    let Far { ice, certificate, mid, mid_extension, sources } = &webrtc.theirs;
    let mid = mid.as_deref().unwrap_or("0");
    let (codec, encoding) = match media.codec {
        Codec::Pcma => (Codec::Pcma, "PCMA"),
        Codec::Pcmu => (Codec::Pcmu, "PCMU"),
    };
    let payload_type = media.payload_type;
    let mut text = format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {mid}\r\n");
    let _ = write!(text, "m=audio 9 UDP/TLS/RTP/SAVPF {payload_type}");
    if let Some(keys) = media.dtmf {
        let _ = write!(text, " {keys}");
    }
    let _ = write!(
        text,
        "\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=sendrecv\r\na=rtcp-mux\r\na=ice-ufrag:{}\r\na=ice-pwd:{}\r\n\
         a=fingerprint:sha-256 {certificate}\r\na=setup:active\r\na=rtpmap:{payload_type} {encoding}/8000\r\n",
        ice.name, ice.password
    );
    if let Some(number) = mid_extension {
        let _ = write!(text, "a=extmap:{number} urn:ietf:params:rtp-hdrext:sdes:mid\r\n");
    }
    if let Some(keys) = media.dtmf {
        let _ = write!(text, "a=rtpmap:{keys} telephone-event/8000\r\na=fmtp:{keys} 0-15\r\n");
    }
    for source in sources {
        let _ = write!(text, "a=ssrc:{source} cname:phone\r\n");
    }
    Offer { text, codec }
}
