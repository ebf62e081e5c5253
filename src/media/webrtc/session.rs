//! One browser's audio session: ICE lite, DTLS 1.2 or 1.3, SRTP and its RTCP, by the library `str0m`, whose types stay in this
//! file. Belongs here: answering an offer, packets in and out of the encryption. Not here: whose a datagram is, sockets and
//! timers (`mod.rs`), what RTP means to a call (`leg`).
//!
//! The rule of the library: after whatever was done to it, its output is drained until it says when it wants to be woken.
//!
//! Security: names and passwords of ICE are drawn from the system's randomness, not by the library, whose generator could
//! be guessed from what one seat is told. A session that panics ends alone: the thread and its calls go on.

use super::offer::{Offer, Refusal};
use super::stream::Stream;
use super::stun;
use crate::host::entropy;
use crate::ids::LegId;
use crate::media::rtp::Packet;
use crate::plane::Codec;
use crate::plane::browser::Quality;
use crate::plane::webrtc::{End, Far, Fingerprint, Ice, WebRtc};
use crate::sip::digest::hex;
use crate::time::Instant;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant as System};
use str0m::change::SdpOffer;
use str0m::config::{CryptoProvider, DtlsCert, DtlsVersion};
use str0m::format::{Codec as Format, FormatParams};
use str0m::media::{Frequency, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{Extension, RtpWrite};
use str0m::{Candidate, Event, IceCreds, Input, Output, Rtc, RtcConfig};

/// How often quality is told.
const QUALITY: Duration = Duration::from_secs(5);
/// Complaints of the library in a row that its session outlives.
const MAX_FAULTS: u8 = 16;
/// The highest telephone-event we speak: D.
const KEYS: u8 = 15;

/// What all sessions of the process have in common.
pub struct Common {
    crypto: Arc<CryptoProvider>,
    certificate: DtlsCert,
    fingerprint: Fingerprint,
    /// Where browsers reach us.
    addresses: Vec<SocketAddr>,
}

/// What the browser agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    pub codec: Codec,
    pub payload_type: u8,
    pub dtmf: Option<u8>,
}

pub struct Session {
    rtc: Rtc,
    mid: Mid,
    pub agreed: Agreed,
    stream: Stream,
    is_up: bool,
    way: Way,
    quality: Quality,
    /// The phone, if it is a third party's.
    far: Option<Far>,
}

/// Where what is no check goes to. The library takes the path that the browser has nominated; of two as good it keeps the first,
/// and a browser behind a router that gave it another port knows of one only. So what we send follows what it sends.
#[derive(Debug, Default)]
struct Way {
    nominated: Option<SocketAddr>,
    /// Where the newest genuine packet came from, since that was nominated.
    heard: Option<SocketAddr>,
}

impl Way {
    fn of(&mut self, nominated: SocketAddr) -> SocketAddr {
        if self.nominated.replace(nominated) != Some(nominated) {
            self.heard = None;
        }
        self.heard.unwrap_or(nominated)
    }
}

/// What happens to a session.
pub enum Happens<'d> {
    Datagram {
        from: SocketAddr,
        to: SocketAddr,
        datagram: &'d [u8],
    },
    Time,
    /// An RTP packet of `leg`, to be sent.
    Send {
        leg: LegId,
        packet: &'d [u8],
    },
    Close,
}

/// What a session says when something happened.
#[derive(Debug)]
pub enum Said<'d> {
    Send {
        from: SocketAddr,
        to: SocketAddr,
        datagram: &'d [u8],
    },
    /// Keys are agreed.
    Up,
    /// Its far end proved that it is there, from this address: by a check, or a packet that could be opened.
    Alive {
        at: Option<SocketAddr>,
    },
    /// A genuine packet.
    Rtp(Packet<'d>),
    Quality(Quality),
    /// The far end closed it.
    Closed,
}

/// The session ended in a way that was not foreseen.
#[derive(Debug)]
pub struct Broken;

impl Common {
    /// `None`: no certificate can be made.
    pub fn new(addresses: Vec<SocketAddr>) -> Option<Common> {
        let crypto = Arc::new(str0m::crypto::from_feature_flags());
        let certificate = crypto.dtls_provider.generate_certificate()?;
        let fingerprint = Fingerprint(crypto.sha256_provider.sha256(&certificate.certificate));
        Some(Common { crypto, certificate, fingerprint, addresses })
    }

    /// How browsers reach and know us.
    pub fn end(&self) -> End {
        End { port: self.addresses.first().map_or(0, SocketAddr::port), certificate: self.fingerprint }
    }
}

impl Session {
    /// Answers an offer; `now` begins its time.
    pub fn accept(common: &Common, now: System, offer: &Offer) -> Result<(Session, String), Refusal> {
        Session::begin(common, now, offer, credentials()?)
    }

    /// What signalling has agreed on with a phone, whose part `offer` is.
    pub fn agreed(common: &Common, now: System, offer: &Offer, webrtc: &WebRtc) -> Result<Session, Refusal> {
        let (session, _) = Session::begin(common, now, offer, ours(webrtc))?;
        Ok(Session { far: Some(webrtc.theirs.clone()), ..session })
    }

    fn begin(common: &Common, now: System, offer: &Offer, credentials: IceCreds) -> Result<(Session, String), Refusal> {
        let mut config = RtcConfig::new()
            .set_crypto_provider(common.crypto.clone())
            .set_dtls_cert(common.certificate.clone())
            .set_local_ice_credentials(credentials)
            .set_ice_lite(true)
            .set_dtls_version(DtlsVersion::Auto)
            .set_rtp_mode(true)
            .set_stats_interval(Some(QUALITY))
            .clear_extension_map()
            .set_extension(1, Extension::RtpMid)
            .clear_codecs();
        // One codec: what comes is then what the leg expects.
        config = match offer.codec {
            Codec::Pcma => config.enable_pcma(true, false),
            Codec::Pcmu => config.enable_pcmu(true, false),
        };
        let keys = FormatParams { telephone_event_max: Some(KEYS), ..FormatParams::default() };
        config.codec_config().add_config(126.into(), None, Format::Tele, Frequency::EIGHT_KHZ, None, keys);
        let mut rtc = config.build(now);
        for address in &common.addresses {
            rtc.add_local_candidate(Candidate::host(*address, "udp").map_err(|_| Refusal::Unusable)?);
        }
        let answer = answer(&mut rtc, offer)?;
        let mid =
            answer.lines().find_map(|line| line.strip_prefix("a=mid:")).map(Mid::from).ok_or(Refusal::Unusable)?;
        let agreed = agreed(&rtc, mid, offer.codec).ok_or(Refusal::NoG711)?;
        let seed = entropy().map_err(|_| Refusal::Busy)?;
        let random = u64::from_be_bytes([seed[0], seed[1], seed[2], seed[3], seed[4], seed[5], seed[6], seed[7]]);
        let stream = Stream::new(random);
        let (way, quality) = (Way::default(), Quality::default());
        Ok((Session { rtc, mid, agreed, stream, is_up: false, way, quality, far: None }, answer))
    }

    /// Answers a further offer of the same browser; with a new ICE user name of its own it gets one of ours (a restart).
    pub fn reoffer(&mut self, offer: &Offer) -> Result<String, Refusal> {
        let before = self.rtc.direct_api().local_ice_credentials();
        let text = answer(&mut self.rtc, offer)?;
        let drawn = self.rtc.direct_api().local_ice_credentials();
        if drawn == before {
            return Ok(text);
        }
        let ours = credentials()?;
        let text = text.replace(&drawn.ufrag, &ours.ufrag).replace(&drawn.pass, &ours.pass);
        self.rtc.direct_api().set_local_ice_credentials(ours);
        Ok(text)
    }

    /// The phone has another name, and so have we.
    pub fn renew(&mut self, offer: &Offer, webrtc: &WebRtc) -> Result<(), Refusal> {
        answer(&mut self.rtc, offer)?;
        self.rtc.direct_api().set_local_ice_credentials(ours(webrtc));
        self.far = Some(webrtc.theirs.clone());
        Ok(())
    }

    pub fn far(&self) -> Option<&Far> {
        self.far.as_ref()
    }

    /// Our ICE user name: what checks for this session begin with.
    pub fn name(&mut self) -> String {
        self.rtc.direct_api().local_ice_credentials().ufrag
    }

    pub fn is_up(&self) -> bool {
        self.is_up
    }

    /// Takes what happens and tells what follows. Returns when time is to happen next.
    pub fn take(
        &mut self,
        now: Instant,
        system: System,
        happens: Happens<'_>,
        mut say: impl FnMut(Said<'_>),
    ) -> Result<System, Broken> {
        let from = match happens {
            Happens::Datagram { from, .. } => Some(from),
            _ => None,
        };
        let work = AssertUnwindSafe(|| {
            self.apply(now, system, happens);
            self.drain(from, &mut say)
        });
        catch_unwind(work).unwrap_or_else(|_| {
            tracing::error!("an audio session failed by a fault of the program: it is ended, the others go on");
            Err(Broken)
        })
    }

    fn apply(&mut self, now: Instant, system: System, happens: Happens<'_>) {
        let done = match happens {
            Happens::Datagram { from, to, datagram } => match Receive::new(Protocol::Udp, from, to, datagram) {
                Ok(received) => self.rtc.handle_input(Input::Receive(system, received)),
                Err(_) => return,
            },
            Happens::Time => self.rtc.handle_input(Input::Timeout(system)),
            Happens::Send { leg, packet } => {
                if !self.write(now, system, leg, packet) {
                    return;
                }
                self.rtc.handle_input(Input::Timeout(system))
            }
            Happens::Close => self.rtc.close(),
        };
        // A peer's mistake: what it sent counts for nothing. If its session cannot go on, it says so itself.
        if let Err(error) = done {
            tracing::debug!(%error, "an audio session was sent something unusable");
        }
    }

    /// Hands a packet to the encryption. The library would keep it for a session that is not up.
    fn write(&mut self, now: Instant, system: System, leg: LegId, packet: &[u8]) -> bool {
        let Some(packet) = Packet::parse(packet).filter(|_| self.is_up) else { return false };
        let Some((index, timestamp)) = self.stream.place(now, leg, packet.seq, packet.timestamp) else { return false };
        let mut api = self.rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(self.mid, None) else { return false };
        let payload_type = Pt::new_with_value(packet.payload_type);
        let write = RtpWrite::new(payload_type, index.into(), timestamp, system, packet.payload);
        stream.write_rtp(write.marker(packet.marker));
        true
    }

    fn drain(&mut self, from: Option<SocketAddr>, say: &mut impl FnMut(Said<'_>)) -> Result<System, Broken> {
        let mut faults = 0;
        loop {
            let output = match self.rtc.poll_output() {
                Ok(output) => output,
                Err(error) if self.rtc.is_alive() && faults < MAX_FAULTS => {
                    tracing::debug!(%error, "an audio session was sent something unusable");
                    faults += 1;
                    continue;
                }
                Err(error) => {
                    tracing::info!(%error, "an audio session ends");
                    return Err(Broken);
                }
            };
            match output {
                Output::Timeout(at) => return Ok(at),
                Output::Transmit(sent) => {
                    if stun::is_proof(&sent.contents) {
                        say(Said::Alive { at: Some(sent.destination) });
                    }
                    let is_check = stun::is_stun(&sent.contents);
                    let to = if is_check { sent.destination } else { self.way.of(sent.destination) };
                    say(Said::Send { from: sent.source, to, datagram: &sent.contents });
                }
                Output::Event(event) => {
                    if let Event::RtpPacket(_) = event {
                        self.way.heard = from.or(self.way.heard);
                    }
                    self.event(event, say);
                }
            }
        }
    }

    fn event(&mut self, event: Event, say: &mut impl FnMut(Said<'_>)) {
        match event {
            Event::Connected => {
                self.is_up = true;
                say(Said::Up);
            }
            Event::Closed => say(Said::Closed),
            Event::RtpPacket(packet) => {
                say(Said::Alive { at: None });
                let header = &packet.header;
                say(Said::Rtp(Packet {
                    payload_type: *header.payload_type,
                    marker: header.marker,
                    seq: header.sequence_number,
                    timestamp: header.timestamp,
                    ssrc: *header.ssrc,
                    payload: &packet.payload,
                }));
            }
            Event::MediaEgressStats(sent) => {
                self.quality.sent = sent.packets;
                self.quality.lost_permille = sent.loss.map(|share| (share * 1_000.0) as u16);
                self.quality.round_trip_us = sent.rtt.map(|time| time.as_micros() as u32);
                if let Some(remote) = sent.remote {
                    self.quality.remote_lost = remote.packets_lost;
                    self.quality.remote_jitter_us = Some(remote.jitter.saturating_mul(125));
                }
                say(Said::Quality(self.quality));
            }
            Event::MediaIngressStats(received) => self.quality.received = received.packets,
            _ => {}
        }
    }
}

fn answer(rtc: &mut Rtc, offer: &Offer) -> Result<String, Refusal> {
    let unusable = |error: &dyn std::fmt::Display| {
        tracing::debug!(%error, "a browser's offer is refused");
        Refusal::Unusable
    };
    let offer = SdpOffer::from_sdp_string(&offer.text).map_err(|error| unusable(&error))?;
    let answer = rtc.sdp_api().accept_offer(offer).map_err(|error| unusable(&error))?;
    Ok(answer.to_sdp_string())
}

/// The numbers that this browser gave to what we speak.
fn agreed(rtc: &Rtc, mid: Mid, codec: Codec) -> Option<Agreed> {
    let theirs = rtc.media(mid)?.remote_pts();
    let number = |format: Format| {
        let params = rtc.codec_config().params().iter();
        params.filter(|p| p.spec().codec == format).map(|p| p.pt()).find(|pt| theirs.contains(pt)).map(|pt| *pt)
    };
    let format = if codec == Codec::Pcma { Format::PCMA } else { Format::PCMU };
    Some(Agreed { codec, payload_type: number(format)?, dtmf: number(Format::Tele) })
}

fn ours(webrtc: &WebRtc) -> IceCreds {
    let Ice { name, password } = webrtc.ours.clone();
    IceCreds { ufrag: name, pass: password }
}

/// 64 bits of name, 160 of password.
fn credentials() -> Result<IceCreds, Refusal> {
    let random = entropy().map_err(|_| Refusal::Busy)?;
    let (name, password) = random.split_at(8);
    Ok(IceCreds { ufrag: hex(name), pass: hex(&password[..20]) })
}
