//! The vocabulary between the pure gateway and the media plane: what the gateway commands, what it hears back.
//! Belongs here: plain, comparable, serialisable data. Not here: sockets and packets (`media`), policy (`call`).
//!
//! Invariants. Each leg has exactly one [`Source`] at a time: what is *sent to* that leg (so music cannot go on
//! under a conversation). RTP never enters the gateway. A port belongs to at most one open leg.

pub mod browser;
pub mod recording;
pub mod srtp;
pub mod webrtc;

use crate::ids::{CallId, LegId, SeatNo};
use browser::BrowserEvent;
use recording::{Recording, RecordingName};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Codec {
    /// G.711 A-law, static payload type 8: what every carrier here speaks.
    Pcma,
    /// G.711 µ-law, static payload type 0.
    Pcmu,
}

/// What we may do on a media stream, seen from our side (RFC 8866 s6.7; `SendOnly`: we send, the peer listens).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }
}

/// The outcome of one offer/answer exchange for the one audio stream of a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Negotiated {
    /// Where we send RTP, as signalled. Port 0 never appears here.
    pub remote_rtp: SocketAddr,
    /// Where we send RTCP: `a=rtcp`, or RTP port + 1, or the RTP address itself under rtcp-mux.
    pub remote_rtcp: SocketAddr,
    pub rtcp_mux: bool,
    pub codec: Codec,
    /// Payload type number of `codec` on this leg.
    pub payload_type: u8,
    /// Payload type of telephone-event/8000 on this leg (RFC 4733), if negotiated.
    pub dtmf: Option<u8>,
    pub direction: Direction,
    /// Keys that signalling has agreed on; `None`: there are none.
    pub srtp: Option<srtp::Keys>,
    /// The far end is a phone in a browser.
    pub webrtc: Option<Box<webrtc::WebRtc>>,
}

/// A prompt by name; the media plane loads each once, to A-law at 8 kHz.
pub type PromptId = Arc<str>;

/// What is sent to a leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    Silence,
    /// Play `prompts` once in order, then go over to `then` without a round trip through the gateway.
    Play {
        prompts: Vec<PromptId>,
        then: Box<Source>,
    },
    /// Hold music; each leg keeps its position in the music across interruptions.
    Music(PromptId),
    /// Ring-back tone (China: 450 Hz, 1 s on, 4 s off).
    RingBack,
    /// What the other leg says. Telephone-events are passed on, payload types mapped.
    Leg(LegId),
    /// What these legs say, together; at most [`MOST_MIXED`] of them, the rest are left out, and so is the listener itself. One that
    /// is not open is silence, one that closes falls silent. Audio only: telephone-events are passed on to nobody.
    Mix(Vec<LegId>),
}

/// Legs one listener can hear together.
pub const MOST_MIXED: usize = 8;

impl Source {
    /// The legs that are heard, now or when the prompts have run out.
    pub fn heard(&self) -> &[LegId] {
        match self {
            Source::Leg(leg) => std::slice::from_ref(leg),
            Source::Mix(legs) => legs,
            Source::Play { then, .. } => then.heard(),
            Source::Silence | Source::Music(_) | Source::RingBack => &[],
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaCommand {
    /// Take `port` (RTP; RTCP is `port + 1`) for `leg`. The plane has bound all its ports at start, so this cannot fail.
    Open {
        leg: LegId,
        port: u16,
    },
    /// Take the audio of `seat`'s browser for `leg`, which is connected at once and again after each reload of the page;
    /// times as in `Connect`. A seat has one leg at a time. While no browser is there the leg is silent.
    OpenBrowser {
        leg: LegId,
        seat: SeatNo,
        expect_rtp_within: Option<Duration>,
        rtp_timeout: Option<Duration>,
    },
    /// Take one of the browsers' places for a leg to a third-party phone in a browser. Its session begins with `Connect`.
    OpenWebRtc {
        leg: LegId,
    },
    /// Apply (or re-apply, after a re-INVITE) what was negotiated. `expect_rtp_within`: if no packet arrives in this
    /// time the plane reports [`MediaEvent::NoRtp`]; `rtp_timeout`: silence of this length later reports
    /// [`MediaEvent::RtpTimeout`] (never while the direction does not receive). Packets are taken from the negotiated
    /// address (any port) and from `also_from`: the authenticated signalling address of a phone behind a NAT whose SDP
    /// names an address of its own.
    Connect {
        leg: LegId,
        remote: Negotiated,
        also_from: Option<IpAddr>,
        expect_rtp_within: Option<Duration>,
        rtp_timeout: Option<Duration>,
    },
    SetSource {
        leg: LegId,
        source: Source,
    },
    /// Take down what this leg says (left), and what other legs say to it (right; no prompts, no music), until
    /// `StopRecording`, the next `Record` or its end: each then reports [`MediaEvent::Recorded`], if anything was said.
    Record {
        caller: LegId,
        file: RecordingName,
    },
    StopRecording {
        caller: LegId,
    },
    /// Release the port; reports [`MediaEvent::Closed`] with the leg's figures.
    Close {
        leg: LegId,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MediaEvent {
    /// First RTP from the negotiated (or latched) source.
    FirstRtp {
        leg: LegId,
    },
    /// The first-RTP watchdog fired: the leg is up and nothing has been heard.
    NoRtp {
        leg: LegId,
    },
    /// RTP was heard before and has stopped for the time set.
    RtpTimeout {
        leg: LegId,
    },
    /// The session of a third-party phone in a browser, which lasts as long as its leg: nothing genuine comes of it any more,
    /// it was closed or never came about; or it is there again.
    PhoneAudio {
        leg: LegId,
        there: bool,
    },
    /// One key press (RFC 4733, each reported once, at its end or its first lost end). `0-9*#A-D`.
    Digit {
        leg: LegId,
        digit: char,
    },
    /// A `Play` ran out and its `then` is now the source.
    PlayEnded {
        leg: LegId,
    },
    Closed {
        leg: LegId,
        stats: LegStats,
    },
    /// A recording's file is finished; also of a process that died, after the next start.
    Recorded {
        call: CallId,
        recording: Recording,
    },
    /// Of a seat in a browser, whether it is in a call or not.
    Browser(BrowserEvent),
}

/// Figures of one leg's media, read at its end. Packets; jitter in microseconds (RFC 3550 s6.4.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegStats {
    pub received: u64,
    pub sent: u64,
    /// Gaps in the received sequence numbers (never negative).
    pub lost: u64,
    /// Of what we sent, what the far end reports as lost (its last RTCP report).
    pub remote_lost: u64,
    /// Packets refused: wrong source, not RTP, unknown payload type.
    pub refused: u64,
    pub jitter_us: u32,
}
