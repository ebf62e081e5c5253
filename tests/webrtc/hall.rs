//! A media plane with a browser port, a phone on the trunk's side, and time that passes for all of them.

use crate::tab::Tab;
use rexian::config::settings::{BrowserSettings, MediaSettings, Settings, WorldSettings};
use rexian::ids::LegId;
use rexian::media::rtp::Packet;
use rexian::media::tone::{self, FRAME, ToneGenerator};
use rexian::media::webrtc::BrowserDoor;
use rexian::media::{MediaPlane, MediaStartError, PromptLibrary, g711};
use rexian::plane::browser::{BrowserEvent, Lost};
use rexian::plane::{Codec, Direction, LegStats, MediaCommand, MediaEvent, Negotiated, Source};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(15);
pub const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// A browser is missed after this.
pub const SILENCE: Duration = Duration::from_millis(1_200);
const PAIRS: u16 = 4;

pub struct Hall {
    pub plane: MediaPlane,
    pub door: BrowserDoor,
    events: Receiver<MediaEvent>,
    pub seen: Vec<MediaEvent>,
    first_port: u16,
    pub browser_port: u16,
    pub phone: Phone,
    pub tabs: Vec<Tab>,
    /// The legs of the present call.
    pub trunk: LegId,
    pub seat: LegId,
    /// When everybody next says 20 ms.
    next: Instant,
}

impl Hall {
    pub fn new(threads: usize, codec: Codec) -> Hall {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        for _ in 0..50 {
            // Below the kernel's ephemeral range.
            let first_port =
                10_000 + std::process::id() as u16 % 100 * 200 + NEXT.fetch_add(10, Ordering::Relaxed) % 200;
            let browser_port = first_port + 2 * PAIRS;
            let base = Settings::demo([7; 32]);
            let media = MediaSettings { first_port, pairs: PAIRS, address_v4: Some(HOST), ..base.core.media };
            let world = WorldSettings {
                media_bind_v4: Some(HOST),
                media_threads: threads,
                browsers: Some(BrowserSettings { port: browser_port, silence: SILENCE }),
                ..base.world
            };
            let (sender, events) = channel();
            match MediaPlane::start(&media, &world, PromptLibrary::from_alaw(Default::default()), move |event| {
                drop(sender.send(event));
            }) {
                Ok(plane) => {
                    let door = plane.browsers().expect("a browser port is configured");
                    let phone = Phone::new(codec);
                    let (seen, tabs, next) = (Vec::new(), Vec::new(), Instant::now());
                    let (trunk, seat) = (LegId(1), LegId(2));
                    return Hall {
                        plane,
                        door,
                        events,
                        seen,
                        first_port,
                        browser_port,
                        phone,
                        tabs,
                        trunk,
                        seat,
                        next,
                    };
                }
                Err(MediaStartError::Bind { .. }) => continue,
                Err(error) => panic!("{error}"),
            }
        }
        panic!("no free port range");
    }

    /// The caller's leg and the seat's, each hearing the other.
    pub fn call(&mut self, seat: &str) {
        // The last pair: with two threads not the browsers'.
        let port = self.first_port + 2 * (PAIRS - 1);
        self.phone.gateway = SocketAddr::new(HOST, port);
        let remote = self.phone.negotiated();
        let (expect_rtp_within, rtp_timeout) = (None, None);
        (self.trunk, self.seat) = (LegId(self.trunk.0 + 2), LegId(self.seat.0 + 2));
        let (trunk, leg) = (self.trunk, self.seat);
        self.plane.commands([
            MediaCommand::Open { leg: trunk, port },
            MediaCommand::Connect { leg: trunk, remote, also_from: None, expect_rtp_within, rtp_timeout },
            MediaCommand::OpenBrowser { leg, seat: seat.into(), expect_rtp_within, rtp_timeout },
            MediaCommand::SetSource { leg: trunk, source: Source::Leg(leg) },
            MediaCommand::SetSource { leg, source: Source::Leg(trunk) },
        ]);
    }

    pub fn close(&mut self, leg: LegId) -> LegStats {
        self.plane.command(MediaCommand::Close { leg });
        let closed = |event: &MediaEvent| match event {
            MediaEvent::Closed { leg: l, stats } if *l == leg => Some(*stats),
            _ => None,
        };
        self.until("the leg's end", |hall| hall.seen.iter().any(|event| closed(event).is_some()));
        self.seen.iter().find_map(closed).unwrap()
    }

    /// Lets time pass until `reached`.
    pub fn until(&mut self, what: &str, mut reached: impl FnMut(&mut Hall) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.seen.extend(self.events.try_iter());
            if reached(self) {
                return;
            }
            assert!(Instant::now() < deadline, "not reached: {what}; seen: {:?}", self.seen);
            self.pass();
        }
    }

    /// Lets so many packets of everybody pass.
    pub fn run(&mut self, packets: usize) {
        let end = self.next + Duration::from_millis(20) * packets as u32;
        self.until("later", |hall| hall.next >= end);
    }

    fn pass(&mut self) {
        if Instant::now() >= self.next {
            self.next = self.next.max(Instant::now() - Duration::from_millis(200)) + Duration::from_millis(20);
            if self.phone.gateway.port() != 0 {
                self.phone.say();
            }
            self.tabs.iter_mut().for_each(Tab::say);
        }
        self.tabs.iter_mut().for_each(Tab::turn);
        self.phone.listen();
        std::thread::sleep(Duration::from_millis(1));
    }

    /// The seat's browser is there, and nothing else happened to it before.
    pub fn await_up(&mut self, seat: &str) {
        let up = MediaEvent::Browser(BrowserEvent::Up { seat: seat.into() });
        self.until("a browser that is up", |hall| hall.seen.contains(&up) && hall.tabs.iter().all(|tab| tab.is_up));
    }

    pub fn await_down(&mut self, seat: &str, why: Lost) {
        let down = MediaEvent::Browser(BrowserEvent::Down { seat: seat.into(), why });
        self.until("a browser that is down", |hall| hall.seen.contains(&down));
    }

    /// Half a second of both tones, as they arrive at the other end, must be clean.
    pub fn both_hear_each_other(&mut self, tab_hz: f32, phone_hz: f32) {
        self.run(5);
        self.phone.heard.clear();
        self.tabs[0].heard.clear();
        self.until("half a second of audio", |hall| {
            hall.phone.heard.len() >= 25 * FRAME && hall.tabs[0].heard.len() >= 25 * FRAME
        });
        let mut at_tab = self.tabs[0].heard.clone();
        if !self.tabs[0].speaks_alaw() {
            g711::ulaw_to_alaw(&mut at_tab);
        }
        let mut at_phone = self.phone.heard.clone();
        if self.phone.codec == Codec::Pcmu {
            g711::ulaw_to_alaw(&mut at_phone);
        }
        for (heard, hz, who) in [(at_tab, phone_hz, "the tab"), (at_phone, tab_hz, "the phone")] {
            let reading = tone::measure(&heard[..25 * FRAME], hz);
            let clean = reading.share > 0.97 && (reading.level_dbov + 15.0).abs() < 1.0;
            assert!(clean, "{hz} Hz arrived at {who} as {reading:?}");
        }
    }
}

/// The trunk's far end: plain RTP.
pub struct Phone {
    pub socket: UdpSocket,
    pub gateway: SocketAddr,
    codec: Codec,
    pub says: ToneGenerator,
    seq: u16,
    timestamp: u32,
    pub heard: Vec<u8>,
    pub numbers: Vec<u16>,
    pub keys: Vec<(u8, bool)>,
}

const KEYS: u8 = 96;

impl Phone {
    fn new(codec: Codec) -> Phone {
        let socket = crate::tab::socket();
        let gateway = SocketAddr::new(HOST, 0);
        let says = ToneGenerator::new(620.0, -15.0);
        let (heard, numbers, keys) = (vec![], vec![], vec![]);
        Phone { socket, gateway, codec, says, seq: 65_500, timestamp: 9, heard, numbers, keys }
    }

    fn negotiated(&self) -> Negotiated {
        let remote = self.socket.local_addr().unwrap();
        Negotiated {
            remote_rtp: remote,
            remote_rtcp: remote,
            rtcp_mux: true,
            codec: self.codec,
            payload_type: if self.codec == Codec::Pcma { 8 } else { 0 },
            dtmf: Some(KEYS),
            direction: Direction::SendRecv,
            srtp: None,
            webrtc: None,
        }
    }

    fn say(&mut self) {
        let mut frame = self.says.frame();
        if self.codec == Codec::Pcmu {
            g711::alaw_to_ulaw(&mut frame);
        }
        self.send(self.negotiated().payload_type, &frame);
        self.timestamp = self.timestamp.wrapping_add(160);
    }

    pub fn key(&mut self, code: u8) {
        for (end, duration) in [(false, 160u16), (false, 320), (true, 480), (true, 480), (true, 480)] {
            let [hi, lo] = duration.to_be_bytes();
            self.send(KEYS, &[code, if end { 0x8A } else { 0x0A }, hi, lo]);
        }
        self.timestamp = self.timestamp.wrapping_add(480);
    }

    fn send(&mut self, payload_type: u8, payload: &[u8]) {
        let (seq, timestamp) = (self.seq, self.timestamp);
        let packet = Packet { payload_type, marker: false, seq, timestamp, ssrc: 0xFEED, payload };
        let mut out = [0; 256];
        let len = packet.write(&mut out).unwrap();
        self.socket.send_to(&out[..len], self.gateway).unwrap();
        self.seq = self.seq.wrapping_add(1);
    }

    fn listen(&mut self) {
        let mut buffer = [0; 2_048];
        while let Ok((len, _)) = self.socket.recv_from(&mut buffer) {
            let datagram = &buffer[..len];
            if rexian::media::rtp::is_rtcp(datagram) {
                continue;
            }
            let packet = Packet::parse(datagram).expect("valid RTP");
            self.numbers.push(packet.seq);
            match (packet.payload_type, packet.payload) {
                (0 | 8, audio) => self.heard.extend(audio),
                (KEYS, [code, flags, ..]) => self.keys.push((*code, flags & 0x80 != 0)),
                other => panic!("unexpected {other:?}"),
            }
        }
    }
}
