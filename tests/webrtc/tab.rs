//! A browser's tab as the gateway sees one: the library in its other role (full ICE, controlling), on a socket of its own.

use rexian::media::tone::ToneGenerator;
use rexian::media::webrtc::BrowserDoor;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::config::DtlsVersion;
use str0m::format::{Codec, FormatParams};
use str0m::media::{Direction, Frequency, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

/// What this kind of browser does differently.
#[derive(Clone, Copy)]
pub struct Kind {
    pub dtls: DtlsVersion,
    pub codecs: &'static [Codec],
    /// Its number for telephone-events.
    pub keys: u8,
}

pub const CHROMIUM: Kind = Kind { dtls: DtlsVersion::Dtls13, codecs: &[Codec::PCMU, Codec::PCMA], keys: 126 };
pub const FIREFOX: Kind = Kind { dtls: DtlsVersion::Dtls12, codecs: &[Codec::PCMU, Codec::PCMA], keys: 101 };

pub struct Tab {
    rtc: Rtc,
    pub socket: UdpSocket,
    /// As it knows its own address: its router may give it others.
    home: SocketAddr,
    mid: Mid,
    kind: Kind,
    pub is_up: bool,
    pub says: ToneGenerator,
    /// What each packet held, and its number.
    pub heard: Vec<u8>,
    pub numbers: Vec<u64>,
    /// Telephone-events: code and end.
    pub keys: Vec<(u8, bool)>,
    /// Datagrams that came.
    pub got: usize,
    seq: u64,
    timestamp: u32,
}

pub fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

impl Tab {
    /// Loads the page: its offer, and what is to be done with the answer.
    pub fn load(kind: Kind, hz: f32) -> (Tab, String, SdpPendingOffer) {
        let mut config = RtcConfig::new().set_rtp_mode(true).set_dtls_version(kind.dtls).clear_codecs();
        for codec in kind.codecs {
            config = match codec {
                Codec::PCMA => config.enable_pcma(true, false),
                _ => config.enable_pcmu(true, false),
            };
        }
        let format = FormatParams { telephone_event_max: Some(15), ..FormatParams::default() };
        config.codec_config().add_config(kind.keys.into(), None, Codec::Tele, Frequency::EIGHT_KHZ, None, format);
        let mut rtc = config.build(Instant::now());
        let socket = socket();
        let home = socket.local_addr().unwrap();
        rtc.add_local_candidate(Candidate::host(home, "udp").unwrap());
        let mut changes = rtc.sdp_api();
        let mid = changes.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
        let (offer, pending) = changes.apply().unwrap();
        let says = ToneGenerator::new(hz, -15.0);
        let (heard, numbers, keys) = (vec![], vec![], vec![]);
        let tab = Tab {
            rtc,
            socket,
            home,
            mid,
            kind,
            is_up: false,
            says,
            heard,
            numbers,
            keys,
            got: 0,
            seq: 1_000,
            timestamp: 77,
        };
        (tab, offer.to_sdp_string(), pending)
    }

    /// A tab that was let in.
    pub fn at(door: &BrowserDoor, seat: &str, kind: Kind, hz: f32) -> Tab {
        let (mut tab, offer, pending) = Tab::load(kind, hz);
        tab.answered(pending, &answer(|reply| door.accept(seat.into(), &offer, reply)));
        tab
    }

    pub fn answered(&mut self, pending: SdpPendingOffer, answer: &str) {
        let answer = SdpAnswer::from_sdp_string(answer).unwrap();
        self.rtc.sdp_api().accept_answer(pending, answer).unwrap();
    }

    /// `restartIce()`, from another address if it has a new socket.
    pub fn restart(&mut self, door: &BrowserDoor, seat: &str, socket: Option<UdpSocket>) {
        let mut changes = self.rtc.sdp_api();
        changes.ice_restart(socket.is_none());
        let (offer, pending) = changes.apply().unwrap();
        let answer = answer(|reply| door.reoffer(seat.into(), &offer.to_sdp_string(), reply));
        self.answered(pending, &answer);
        if let Some(socket) = socket {
            self.socket = socket;
            self.home = self.socket.local_addr().unwrap();
            self.rtc.add_local_candidate(Candidate::host(self.home, "udp").unwrap());
        }
    }

    /// Its router gives it another port, of which it knows nothing.
    pub fn rebind(&mut self) {
        self.socket = socket();
    }

    /// The next 20 ms of its tone.
    pub fn say(&mut self) {
        let mut frame = self.says.frame();
        if !self.speaks_alaw() {
            rexian::media::g711::alaw_to_ulaw(&mut frame);
        }
        let number = if self.speaks_alaw() { 8 } else { 0 };
        self.send(number, &frame);
        self.timestamp = self.timestamp.wrapping_add(160);
    }

    pub fn speaks_alaw(&self) -> bool {
        self.kind.codecs.contains(&Codec::PCMA)
    }

    pub fn key(&mut self, code: u8) {
        for (end, duration) in [(false, 160u16), (false, 320), (true, 480), (true, 480), (true, 480)] {
            let [hi, lo] = duration.to_be_bytes();
            self.send(self.kind.keys, &[code, if end { 0x8A } else { 0x0A }, hi, lo]);
        }
        self.timestamp = self.timestamp.wrapping_add(480);
    }

    fn send(&mut self, number: u8, payload: &[u8]) {
        let now = Instant::now();
        let mut api = self.rtc.direct_api();
        if let Some(stream) = api.stream_tx_by_mid(self.mid, None).filter(|_| self.is_up) {
            let number = Pt::new_with_value(number);
            stream.write_rtp(RtpWrite::new(number, self.seq.into(), self.timestamp, now, payload));
            self.seq += 1;
            self.rtc.handle_input(Input::Timeout(now)).unwrap();
        }
    }

    /// The page is left: the browser says so.
    pub fn leave(mut self) {
        self.rtc.close().unwrap();
        self.turn();
    }

    /// Lets it do what it has to do now.
    pub fn turn(&mut self) {
        self.drain();
        let mut buffer = [0; 2_048];
        while let Ok((len, from)) = self.socket.recv_from(&mut buffer) {
            self.got += 1;
            if let Ok(received) = Receive::new(Protocol::Udp, from, self.home, &buffer[..len]) {
                self.rtc.handle_input(Input::Receive(Instant::now(), received)).unwrap();
                self.drain();
            }
        }
    }

    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) if at <= Instant::now() => {
                    self.rtc.handle_input(Input::Timeout(Instant::now())).unwrap();
                }
                Output::Timeout(_) => return,
                Output::Transmit(sent) => drop(self.socket.send_to(&sent.contents, sent.destination)),
                Output::Event(Event::Connected) => self.is_up = true,
                Output::Event(Event::RtpPacket(packet)) => {
                    self.numbers.push(*packet.seq_no);
                    match (*packet.header.payload_type, &packet.payload[..]) {
                        (0 | 8, audio) => self.heard.extend(audio),
                        (number, [code, flags, ..]) if number == self.kind.keys => {
                            self.keys.push((*code, flags & 0x80 != 0));
                        }
                        other => panic!("unexpected {other:?}"),
                    }
                }
                Output::Event(_) => {}
            }
        }
    }
}

/// Asks the door and waits for its answer.
pub fn answer(ask: impl FnOnce(Reply)) -> String {
    outcome(ask).unwrap_or_else(|refusal| panic!("{refusal}"))
}

pub type Reply = Box<dyn FnOnce(Result<String, rexian::media::webrtc::Refusal>) + Send>;

pub fn outcome(ask: impl FnOnce(Reply)) -> Result<String, rexian::media::webrtc::Refusal> {
    let (sender, reply) = channel();
    ask(Box::new(move |outcome| drop(sender.send(outcome))));
    reply.recv_timeout(Duration::from_secs(10)).expect("an answer")
}
