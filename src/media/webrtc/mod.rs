//! Browsers' audio: every seat in a browser by one UDP port, on one media thread. Belongs here: whose a datagram is, sessions
//! and their ends, what a leg on a browser gets and gives. Not here: SDP of phones (`sdp`), who may have a seat (`api`), what a
//! leg does (`leg`).
//!
//! # What the page's server calls, and gets
//!
//! [`BrowserDoor`], from `MediaPlane::browsers`, on any thread:
//! - `accept(seat, offer, reply)`: the seat's first offer of a page. The answer goes back to the page as it is. An older
//!   session of the seat ends (the page was reloaded); a leg that is open on the seat goes on with the new one.
//! - `reoffer(seat, offer, reply)`: any later offer of the same `RTCPeerConnection`, after `restartIce()` above all. Packets
//!   pass meanwhile. `Refusal::NoSession`: begin anew with `accept`.
//! - `close(seat)`: signed out, or the page's WebSocket closed and did not come back in time.
//!
//! What happens comes as [`MediaEvent::Browser`]: `Up`, `Down` and why, `Quality` ([`crate::plane::browser`]). The gateway takes
//! a seat's audio for a call by [`MediaCommand::OpenBrowser`](crate::plane::MediaCommand::OpenBrowser); from there on it is a leg
//! as any other: `SetSource`, `Close`, digits, watchdogs, figures. There is no offer per call: one session lasts the shift,
//! hold and transfer happen here, and a page that is in no call may pause its track with `replaceTrack(null)`.
//!
//! The page offers one audio stream, `sendrecv`, and trickles no candidates of ours: the answer has them.
//!
//! Third-party phones in browsers (JsSIP, SIP.js) have a session for each call, agreed on by SIP: `OpenWebRtc`, then
//! `Connect` with what both descriptions say (`phones`). They share the port and all that follows.
//!
//! # How it meets the data plane
//!
//! ```text
//! UDP port ─► Browsers (ufrag, address) ─► Session (ICE, DTLS, SRTP) ─► plain RTP ─► leg ─► legs that listen
//! leg (plain RTP) ─► Session ─► UDP port
//! ```
//! A session turns what a browser sends into the RTP a phone would have sent, and back: `leg` and all below know nothing of
//! browsers. All sessions live on thread [`THREAD`], and legs that meet one move there (`router`), so no packet changes threads.
//!
//! # What a stranger can do: nothing
//!
//! An address is learnt only when a check from it was proved by the session's password; anything else from an unknown
//! address is dropped unread but for the user name of a check. Sessions, legs and addresses per session are bounded. A session that never
//! connects, or that nothing genuine comes from, ends by itself.

mod browsers;
mod door;
mod legs;
mod offer;
mod phones;
mod session;
mod sessions;
mod stream;
mod stun;

pub use browsers::{Browsers, Came};
pub use door::{BrowserDoor, BrowserOrder};
pub use legs::News;
pub use offer::Refusal;
pub use session::Common;

use crate::plane::webrtc::FAR_END;
use crate::plane::{Codec, Direction, Negotiated};
use session::Agreed;

/// The media thread of all browsers: on one core it serves several times the seats of the largest hotline.
pub const THREAD: usize = 0;
pub use crate::plane::webrtc::MOST_LEGS as MOST;

/// What a leg on this browser has agreed to; before there is a browser, what it would most likely be.
fn negotiated(agreed: Option<Agreed>) -> Negotiated {
    let Agreed { codec, payload_type, dtmf } =
        agreed.unwrap_or(Agreed { codec: Codec::Pcma, payload_type: 8, dtmf: None });
    Negotiated {
        remote_rtp: FAR_END,
        remote_rtcp: FAR_END,
        rtcp_mux: true,
        codec,
        payload_type,
        dtmf,
        direction: Direction::SendRecv,
        srtp: None,
        webrtc: None,
    }
}
