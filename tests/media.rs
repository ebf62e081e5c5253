//! The media plane over real loopback sockets: what a caller, an agent and an attacker would notice.

use rexian::config::settings::{CaseStoreSettings, LogSettings, MediaSettings, RecordingSettings, WorldSettings};
use rexian::ids::{CallId, LegId};
use rexian::media::rtp::Packet;
use rexian::media::srtp;
use rexian::media::tone::{self, FRAME, ToneGenerator};
use rexian::media::{Figures, MediaPlane, MediaStartError, PromptLibrary, g711};
use rexian::plane::recording::RecordingName;
use rexian::plane::srtp::{Keys, MasterKey, Suite};
use rexian::plane::{Codec, Direction, LegStats, MediaCommand, MediaEvent, Negotiated, Source};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(10);
const PAIRS: u16 = 6;
const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

// ---- the plane under test ----

struct Rig {
    plane: MediaPlane,
    events: Receiver<MediaEvent>,
    first_port: u16,
    /// Events read while waiting for others.
    seen: Vec<MediaEvent>,
}

fn settings(first_port: u16, threads: usize) -> (MediaSettings, WorldSettings) {
    let media = MediaSettings {
        address_v4: Some(V4),
        address_v6: Some(V6),
        first_port,
        pairs: PAIRS,
        expect_rtp_within: Duration::from_secs(5),
        rtp_timeout: Duration::from_secs(30),
        browser_return: Duration::from_secs(20),
    };
    let world = WorldSettings {
        sip_udp: vec![],
        sip_tcp: vec![],
        sip_tls: vec![],
        sip_ws: vec![],
        sip_wss: vec![],
        web_origins: vec![],
        tls: None,
        media_bind_v4: Some(V4),
        media_bind_v6: Some(V6),
        media_threads: threads,
        browsers: None,
        recording: None,
        http: None,
        tokens: vec![],
        pages: None,
        webhooks: vec![],
        webhook_ledger: "unused".into(),
        spool: "unused".into(),
        cases: CaseStoreSettings::Sqlite("unused".into()),
        casework: Default::default(),
        events: None,
        keep_events: Duration::MAX,
        ship_events: None,
        facts: Default::default(),
        report: Default::default(),
        prompts: BTreeMap::new(),
        dns: vec![],
        trace: Default::default(),
        log: LogSettings { json: false, filter: "off".into() },
        drain: Duration::ZERO,
        ticket_prefix: "T".into(),
    };
    (media, world)
}

/// Below the kernel's ephemeral range, so that no phone of a test sits on a port of another's pool.
fn next_range() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % 100) as u16 * 200;
    10_000 + (start + NEXT.fetch_add(2 * PAIRS, Ordering::Relaxed)) % 20_000 / 2 * 2
}

fn rig_with(threads: usize, prompts: PromptLibrary) -> Rig {
    rig_of(threads, prompts, None)
}

fn rig_of(threads: usize, prompts: PromptLibrary, recording: Option<RecordingSettings>) -> Rig {
    for _ in 0..50 {
        let first_port = next_range();
        let (media, world) = settings(first_port, threads);
        let world = WorldSettings { recording: recording.clone(), ..world };
        let (sender, events) = channel();
        match MediaPlane::start(&media, &world, prompts.clone(), move |event| drop(sender.send(event))) {
            Ok(plane) => return Rig { plane, events, first_port, seen: Vec::new() },
            Err(MediaStartError::Bind { .. }) => continue,
            Err(e) => panic!("{e}"),
        }
    }
    panic!("no free port range");
}

fn rig(threads: usize) -> Rig {
    rig_with(threads, PromptLibrary::from_alaw(BTreeMap::new()))
}

impl Rig {
    /// Opens leg `n` for `phone` and tells both about each other.
    fn open(&mut self, n: u16, phone: &mut Phone) -> LegId {
        let (leg, port) = (LegId(n.into()), self.first_port + 2 * n);
        self.plane.command(MediaCommand::Open { leg, port });
        phone.gateway = SocketAddr::new(phone.rtp.local_addr().unwrap().ip(), port);
        self.connect(leg, phone.negotiated(), None);
        leg
    }

    fn connect(&mut self, leg: LegId, remote: Negotiated, also_from: Option<IpAddr>) {
        self.plane.command(MediaCommand::Connect {
            leg,
            remote,
            also_from,
            expect_rtp_within: None,
            rtp_timeout: None,
        });
    }

    fn source(&mut self, leg: LegId, source: Source) {
        self.plane.command(MediaCommand::SetSource { leg, source });
    }

    /// Sets the source, and returns once it is set: a play of nothing ends when all commands before it are done.
    fn source_now(&mut self, leg: LegId, source: Source) {
        self.source(leg, Source::Play { prompts: vec![], then: Box::new(source) });
        self.event("PlayEnded", |e| (*e == MediaEvent::PlayEnded { leg }).then_some(()));
    }

    fn bridge(&mut self, a: LegId, b: LegId) {
        self.source_now(a, Source::Leg(b));
        self.source_now(b, Source::Leg(a));
    }

    /// Waits for the first event that `wanted` takes, keeping the others.
    fn event<T>(&mut self, what: &str, wanted: impl Fn(&MediaEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left).unwrap_or_else(|_| panic!("no {what}; seen: {:?}", self.seen));
            let found = wanted(&event);
            self.seen.push(event);
            if let Some(found) = found {
                return found;
            }
        }
    }

    fn close(&mut self, leg: LegId) -> LegStats {
        self.plane.command(MediaCommand::Close { leg });
        self.event("Closed", |e| match e {
            MediaEvent::Closed { leg: l, stats } if *l == leg => Some(*stats),
            _ => None,
        })
    }

    /// Waits until the plane's totals are as `reached` says.
    fn figures(&self, what: &str, reached: impl Fn(&Figures) -> bool) {
        let (reader, deadline) = (self.plane.figures(), Instant::now() + PATIENCE);
        while !reached(&reader.read()) {
            assert!(Instant::now() < deadline, "never {what}: {:?}", reader.read());
            std::thread::yield_now();
        }
    }

    fn count(&self, wanted: &MediaEvent) -> usize {
        self.seen.iter().filter(|e| *e == wanted).count()
    }
}

// ---- a far end ----

struct Phone {
    rtp: UdpSocket,
    rtcp: UdpSocket,
    gateway: SocketAddr,
    codec: Codec,
    dtmf: Option<u8>,
    ssrc: u32,
    seq: u16,
    timestamp: u32,
    secured: Option<Secured>,
}

/// The phone's side of encrypted audio.
struct Secured {
    /// As the gateway has them.
    keys: Keys,
    sender: srtp::Sender,
    receiver: RefCell<srtp::Receiver>,
}

/// An RTP packet with its own payload.
#[derive(Debug)]
struct Got {
    payload_type: u8,
    marker: bool,
    seq: u16,
    timestamp: u32,
    ssrc: u32,
    payload: Vec<u8>,
}

impl Phone {
    fn at(ip: IpAddr) -> Phone {
        let bind = || {
            let socket = UdpSocket::bind((ip, 0)).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            socket
        };
        let (rtp, rtcp) = (bind(), bind());
        let gateway = rtp.local_addr().unwrap();
        let ssrc = u32::from(gateway.port()) << 8;
        Phone {
            rtp,
            rtcp,
            gateway,
            codec: Codec::Pcma,
            dtmf: Some(101),
            ssrc,
            seq: 65_530,
            timestamp: 4_000,
            secured: None,
        }
    }

    /// Speaks SRTP, with keys of these two numbers for the gateway and for itself.
    fn secured(suite: Suite, [ours, theirs]: [u8; 2]) -> Phone {
        let key = |n: u8| MasterKey::random(suite, |octets| octets.fill(n));
        let keys = Keys { suite, ours: key(ours), theirs: key(theirs) };
        let receiver = RefCell::new(srtp::Receiver::new(suite, &keys.ours));
        let secured = Secured { keys, sender: srtp::Sender::new(suite, &keys.theirs), receiver };
        Phone { secured: Some(secured), ..Phone::new() }
    }

    fn new() -> Phone {
        Phone::at(V4)
    }

    fn negotiated(&self) -> Negotiated {
        Negotiated {
            remote_rtp: self.rtp.local_addr().unwrap(),
            remote_rtcp: self.rtcp.local_addr().unwrap(),
            rtcp_mux: false,
            codec: self.codec,
            payload_type: self.payload_type(),
            dtmf: self.dtmf,
            direction: Direction::SendRecv,
            srtp: self.secured.as_ref().map(|secured| secured.keys),
            webrtc: None,
        }
    }

    fn payload_type(&self) -> u8 {
        if self.codec == Codec::Pcma { 8 } else { 0 }
    }

    fn send(&mut self, payload_type: u8, marker: bool, payload: &[u8]) {
        let packet =
            Packet { payload_type, marker, seq: self.seq, timestamp: self.timestamp, ssrc: self.ssrc, payload };
        let mut out = [0; 1_500];
        let len = packet.write(&mut out).unwrap();
        let len = self.secured.as_mut().map_or(Some(len), |s| s.sender.seal_rtp(len, &mut out)).unwrap();
        self.rtp.send_to(&out[..len], self.gateway).unwrap();
        self.seq = self.seq.wrapping_add(1);
    }

    fn say(&mut self, payload: &[u8]) {
        self.send(self.payload_type(), false, payload);
        self.timestamp = self.timestamp.wrapping_add(payload.len() as u32);
    }

    fn event(&mut self, code: u8, end: bool, duration: u16) {
        let [hi, lo] = duration.to_be_bytes();
        self.send(self.dtmf.unwrap(), false, &[code, if end { 0x8A } else { 0x0A }, hi, lo]);
    }

    fn hear(&self) -> Got {
        let mut buffer = [0; 2_048];
        let (len, from) = self.rtp.recv_from(&mut buffer).expect("a packet from the gateway");
        assert_eq!(from, self.gateway, "packets come from the leg's own port");
        let len = match &self.secured {
            Some(s) => s.receiver.borrow_mut().open_rtp(&mut buffer[..len]).expect("genuine"),
            None => len,
        };
        let p = Packet::parse(&buffer[..len]).expect("valid RTP");
        let Packet { payload_type, marker, seq, timestamp, ssrc, payload } = p;
        Got { payload_type, marker, seq, timestamp, ssrc, payload: payload.to_vec() }
    }

    /// The next packet with this payload; what comes before it (silence from before the bridge) is let go.
    fn hear_payload(&self, payload: &[u8]) -> Got {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let got = self.hear();
            if got.payload == payload {
                return got;
            }
        }
        panic!("not heard: {payload:?}");
    }

    /// Lets go what was played before the bridge.
    fn forget(&self) {
        self.rtp.set_nonblocking(true).unwrap();
        while self.rtp.recv_from(&mut [0; 64]).is_ok() {}
        self.rtp.set_nonblocking(false).unwrap();
    }

    fn hear_report(&self) -> Vec<u8> {
        let mut buffer = [0; 2_048];
        let (len, _) = self.rtcp.recv_from(&mut buffer).expect("an RTCP report");
        let len = match &self.secured {
            Some(s) => s.receiver.borrow_mut().open_rtcp(&mut buffer[..len]).expect("genuine"),
            None => len,
        };
        buffer[..len].to_vec()
    }

    /// A-law of what a frame of this phone's codec says.
    fn decoded(&self, mut payload: Vec<u8>) -> Vec<u8> {
        if self.codec == Codec::Pcmu {
            g711::ulaw_to_alaw(&mut payload);
        }
        payload
    }
}

fn audio_through(from: &mut Phone, to: &Phone, hz: f32) {
    let mut generator = ToneGenerator::new(hz, -15.0);
    let mut heard = Vec::new();
    to.forget();
    while heard.len() < 25 * FRAME {
        let mut frame = generator.frame();
        if from.codec == Codec::Pcmu {
            g711::alaw_to_ulaw(&mut frame);
        }
        from.say(&frame);
        let got = to.hear();
        assert_eq!(got.payload_type, to.payload_type());
        let alaw = to.decoded(got.payload);
        heard.extend(alaw);
    }
    let reading = tone::measure(&heard, hz);
    assert!(reading.share > 0.98 && (reading.level_dbov + 15.0).abs() < 1.0, "{hz} Hz arrived as {reading:?}");
}

/// Legs that speak at once, in real time: for so many frames each phone says its tone, but for the packets that `lost` names (by
/// frame and phone). What each hears, as A-law.
fn talk_at_once(phones: &mut [(Phone, f32)], frames: u32, lost: impl Fn(u32, usize) -> bool) -> Vec<Vec<u8>> {
    let mut tones: Vec<ToneGenerator> = phones.iter().map(|(_, hz)| ToneGenerator::new(*hz, -20.0)).collect();
    let mut heard = vec![Vec::new(); phones.len()];
    phones.iter().for_each(|(phone, _)| phone.forget());
    let begun = Instant::now();
    for n in 0..frames {
        for (i, ((phone, _), tone)) in phones.iter_mut().zip(&mut tones).enumerate() {
            let mut frame = tone.frame();
            if phone.codec == Codec::Pcmu {
                g711::alaw_to_ulaw(&mut frame);
            }
            if lost(n, i) {
                phone.seq = phone.seq.wrapping_add(1);
                phone.timestamp = phone.timestamp.wrapping_add(FRAME as u32);
            } else {
                phone.say(&frame);
            }
        }
        // The gateway plays by the clock, so phones must speak by it.
        std::thread::sleep((begun + Duration::from_millis(20) * (n + 1)).saturating_duration_since(Instant::now()));
        for ((phone, _), heard) in phones.iter().zip(&mut heard) {
            phone.rtp.set_nonblocking(true).unwrap();
            while phone.rtp.peek_from(&mut [0; 1]).is_ok() {
                heard.extend(phone.decoded(phone.hear().payload));
            }
            phone.rtp.set_nonblocking(false).unwrap();
        }
    }
    heard
}

/// Which of these tones are in what was heard after the first 200 ms: with their level, or not at all.
fn tones_in(heard: &[u8], tones: &[f32]) -> Vec<f32> {
    let steady = &heard[10 * FRAME..];
    let level = |hz: f32| tone::measure(steady, hz).level_dbov;
    for hz in tones {
        assert!(!(-45.0..-26.0).contains(&level(*hz)), "{hz} Hz is neither there nor not: {} dBov", level(*hz));
    }
    tones.iter().copied().filter(|hz| level(*hz) > -26.0).collect()
}

// ---- what must hold ----

#[test]
fn both_sides_hear_each_other_whatever_address_family_codec_and_thread() {
    let cases = [
        (1, V4, V4, Codec::Pcma, Codec::Pcma),
        (1, V6, V6, Codec::Pcma, Codec::Pcma),
        (1, V6, V4, Codec::Pcma, Codec::Pcmu),
        (2, V4, V4, Codec::Pcmu, Codec::Pcma),
        (2, V4, V4, Codec::Pcmu, Codec::Pcmu),
    ];
    for (threads, ip_a, ip_b, codec_a, codec_b) in cases {
        let mut rig = rig(threads);
        let (mut a, mut b) = (Phone::at(ip_a), Phone::at(ip_b));
        (a.codec, b.codec) = (codec_a, codec_b);
        let (leg_a, leg_b) = (rig.open(0, &mut a), rig.open(1, &mut b));
        rig.bridge(leg_a, leg_b);
        audio_through(&mut a, &b, 1_004.0);
        audio_through(&mut b, &a, 620.0);
        let stats = rig.close(leg_a);
        assert_eq!((stats.lost, stats.refused), (0, 0));
        assert!(stats.received >= 25 && stats.sent >= 25, "{stats:?}");
    }
}

#[test]
fn a_stranger_is_not_heard_and_cannot_take_the_call_over() {
    let mut rig = rig(1);
    let (mut caller, mut agent) = (Phone::new(), Phone::new());
    let mut stranger = Phone::at("127.0.0.2".parse().unwrap());
    let (c, a) = (rig.open(0, &mut caller), rig.open(1, &mut agent));
    rig.bridge(c, a);
    stranger.gateway = caller.gateway;
    // Before the caller's first packet, and among them.
    for n in 0..20u8 {
        stranger.say(&[0x11; FRAME]);
        caller.say(&[n | 0x80; FRAME]);
        assert_eq!(agent.hear_payload(&[n | 0x80; FRAME]).payload_type, 8);
    }
    // And what the agent says still goes to the caller.
    agent.say(&[0x22; FRAME]);
    caller.hear_payload(&[0x22; FRAME]);
    let stats = rig.close(c);
    assert_eq!((stats.received, stats.refused, stats.lost), (20, 20, 0));
    stranger.rtp.set_nonblocking(true).unwrap();
    assert!(stranger.rtp.recv_from(&mut [0; 64]).is_err(), "the stranger was sent audio");
}

#[test]
fn a_phone_behind_nat_is_heard_from_its_signalling_address_and_answered_there() {
    let mut rig = rig(1);
    let (mut caller, mut agent) = (Phone::new(), Phone::at("127.0.0.3".parse().unwrap()));
    let (c, a) = (rig.open(0, &mut caller), rig.open(1, &mut agent));
    // The agent's SDP names an address of its own; the packets come from the NAT's.
    let private = Negotiated { remote_rtp: "127.0.0.99:9".parse().unwrap(), ..agent.negotiated() };
    rig.connect(a, private, Some("127.0.0.3".parse().unwrap()));
    agent.gateway.set_ip(V4);
    rig.bridge(c, a);
    agent.say(&[0x33; FRAME]);
    caller.hear_payload(&[0x33; FRAME]);
    caller.say(&[0x44; FRAME]);
    agent.hear_payload(&[0x44; FRAME]);
}

#[test]
fn from_music_to_the_agent_and_back_the_caller_hears_one_stream() {
    let music: Vec<u8> = (0..200u8).collect();
    let mut rig = rig_with(1, PromptLibrary::from_alaw(BTreeMap::from([("music".into(), music.into())])));
    let (mut caller, mut agent) = (Phone::new(), Phone::new());
    let (c, a) = (rig.open(0, &mut caller), rig.open(1, &mut agent));
    rig.source(c, Source::Music("music".into()));
    let start = caller.hear_payload(&(0..160).collect::<Vec<u8>>());
    let (mut last, mut frames) = (start, 1);
    for _ in 0..20 {
        let got = caller.hear();
        let step = got.timestamp.wrapping_sub(last.timestamp);
        assert_eq!((got.ssrc, got.seq, step % 160), (last.ssrc, last.seq.wrapping_add(1), 0));
        assert!((160..80_000).contains(&step), "the timestamp went on by {step}");
        (last, frames) = (got, frames + 1);
    }

    rig.source(c, Source::Leg(a));
    rig.source_now(a, Source::Leg(c));
    agent.say(&[0xEE; FRAME]);
    let mut got = caller.hear();
    while got.payload != [0xEE; FRAME] {
        assert_eq!(got.seq, last.seq.wrapping_add(1));
        (last, frames) = (got, frames + 1);
        got = caller.hear();
    }
    assert_eq!((got.ssrc, got.seq, got.marker), (last.ssrc, last.seq.wrapping_add(1), true));
    let step = got.timestamp.wrapping_sub(last.timestamp);
    assert!((160..80_000).contains(&step), "the timestamp went on by {step}");

    rig.source(c, Source::Music("music".into()));
    let back = caller.hear();
    assert_eq!((back.ssrc, back.seq, back.marker), (got.ssrc, got.seq.wrapping_add(1), true));
    let step = back.timestamp.wrapping_sub(got.timestamp);
    assert!((160..80_000).contains(&step), "the timestamp went on by {step}");
    assert_eq!(u32::from(back.payload[0]), frames * 160 % 200, "the music goes on where it stopped");
}

#[test]
fn prompts_play_in_order_then_the_next_source_follows_by_itself() {
    let clip = |octet: u8| std::sync::Arc::from(vec![octet; FRAME * 2]);
    let clips = BTreeMap::from([("one".into(), clip(1)), ("two".into(), clip(2)), ("m".into(), clip(3))]);
    let mut rig = rig_with(1, PromptLibrary::from_alaw(clips));
    let mut caller = Phone::new();
    let leg = rig.open(0, &mut caller);
    let prompts = vec!["one".into(), "two".into()];
    rig.source(leg, Source::Play { prompts, then: Box::new(Source::Music("m".into())) });
    let first = caller.hear_payload(&[1; FRAME]);
    let rest: Vec<u8> = (0..6).map(|_| caller.hear().payload[80]).collect();
    assert_eq!(rest, [1, 2, 2, 3, 3, 3]);
    assert_eq!(first.payload_type, 8);
    rig.event("PlayEnded", |e| (*e == MediaEvent::PlayEnded { leg }).then_some(()));
    rig.close(leg);
    assert_eq!(rig.count(&MediaEvent::PlayEnded { leg }), 1);
}

#[test]
fn an_answered_call_is_never_sent_nothing() {
    let mut rig = rig(1);
    let mut caller = Phone::new();
    rig.open(0, &mut caller);
    for _ in 0..5 {
        assert_eq!(caller.hear().payload, [g711::ALAW_SILENCE; FRAME]);
    }
}

#[test]
fn on_hold_nothing_reaches_the_held_side() {
    let mut rig = rig(1);
    let (mut caller, mut agent, mut witness) = (Phone::new(), Phone::new(), Phone::new());
    let (c, a, w) = (rig.open(0, &mut caller), rig.open(1, &mut agent), rig.open(2, &mut witness));
    rig.bridge(c, a);
    rig.source_now(w, Source::Leg(a));
    for direction in [Direction::RecvOnly, Direction::Inactive] {
        rig.connect(c, Negotiated { direction, ..caller.negotiated() }, None);
        rig.source_now(c, Source::Leg(a));
        caller.forget();
        for octet in 0..5u8 {
            agent.say(&[octet; FRAME]);
            witness.hear_payload(&[octet; FRAME]);
        }
        rig.connect(c, caller.negotiated(), None);
        rig.source_now(c, Source::Leg(a));
        agent.say(&[0x54; FRAME]);
        let mut heard = caller.hear().payload;
        while heard != [0x54; FRAME] {
            assert_eq!(heard, [g711::ALAW_SILENCE; FRAME], "{direction:?}: said while the caller was on hold");
            heard = caller.hear().payload;
        }
    }
}

#[test]
fn a_held_party_is_not_heard_by_the_other() {
    let mut rig = rig(1);
    let (mut caller, mut agent) = (Phone::new(), Phone::new());
    let (c, a) = (rig.open(0, &mut caller), rig.open(1, &mut agent));
    rig.connect(c, Negotiated { direction: Direction::SendOnly, ..caller.negotiated() }, None);
    rig.bridge(c, a);
    for _ in 0..5 {
        caller.say(&[0x66; FRAME]);
    }
    rig.figures("5 packets", |f| f.received == 5);
    rig.connect(c, caller.negotiated(), None);
    rig.source_now(c, Source::Leg(a));
    caller.say(&[0x67; FRAME]);
    let mut heard = agent.hear().payload;
    while heard != [0x67; FRAME] {
        assert_eq!(heard, [g711::ALAW_SILENCE; FRAME], "said while the caller was held");
        heard = agent.hear().payload;
    }
    let stats = rig.close(c);
    assert_eq!((stats.received, stats.refused), (6, 0), "audio in flight at the hold is no intrusion");
}

#[test]
fn each_key_press_is_reported_once_and_passed_on_with_the_other_sides_number() {
    let mut rig = rig(1);
    let (mut caller, mut agent) = (Phone::new(), Phone::new());
    (caller.dtmf, agent.dtmf) = (Some(100), Some(105));
    let (c, a) = (rig.open(0, &mut caller), rig.open(1, &mut agent));
    rig.bridge(c, a);
    let frame = [0xD5; FRAME];
    for (code, packets) in [
        // (end, duration): normal; ends tripled; only the last end left; no end at all.
        (1, vec![(false, 160), (false, 320), (true, 480), (true, 480), (true, 480)]),
        (2, vec![(true, 480), (true, 480), (true, 480), (true, 480)]),
        (10, vec![(true, 800)]),
        (3, vec![(false, 160), (false, 320)]),
        (3, vec![(false, 160), (true, 320)]),
        (11, vec![(true, 160)]),
    ] {
        for (end, duration) in packets {
            caller.event(code, end, duration);
        }
        caller.timestamp += 1_600;
        caller.say(&frame);
    }
    rig.event("#", |e| (*e == MediaEvent::Digit { leg: c, digit: '#' }).then_some(()));
    let digits: String = rig
        .seen
        .iter()
        .filter_map(|e| if let MediaEvent::Digit { digit, .. } = e { Some(*digit) } else { None })
        .collect();
    assert_eq!(digits, "12*33#");
    let got = std::iter::repeat_with(|| agent.hear()).find(|g| g.payload_type != 8).unwrap();
    assert_eq!((got.payload_type, got.payload), (105, vec![1, 0x0A, 0, 160]));
}

#[test]
fn silence_raises_the_alarm_only_when_someone_should_be_heard() {
    let mut rig = rig(1);
    let (mut caller, mut held) = (Phone::new(), Phone::new());
    let (leg, h) = (rig.open(0, &mut caller), rig.open(1, &mut held));
    let watch = |leg, remote| MediaCommand::Connect {
        leg,
        remote,
        also_from: None,
        expect_rtp_within: Some(Duration::from_millis(150)),
        rtp_timeout: Some(Duration::from_millis(300)),
    };
    rig.plane.command(watch(h, Negotiated { direction: Direction::SendOnly, ..held.negotiated() }));
    rig.plane.command(watch(leg, caller.negotiated()));
    rig.event("NoRtp", |e| (*e == MediaEvent::NoRtp { leg }).then_some(()));
    caller.say(&[1; FRAME]);
    rig.event("FirstRtp", |e| (*e == MediaEvent::FirstRtp { leg }).then_some(()));
    rig.event("RtpTimeout", |e| (*e == MediaEvent::RtpTimeout { leg }).then_some(()));
    rig.close(h);
    rig.close(leg);
    let alarms: Vec<&MediaEvent> =
        rig.seen.iter().filter(|e| matches!(e, MediaEvent::NoRtp { .. } | MediaEvent::RtpTimeout { .. })).collect();
    assert_eq!(alarms, [&MediaEvent::NoRtp { leg }, &MediaEvent::RtpTimeout { leg }]);
}

#[test]
fn reports_are_sent_and_read_and_the_leg_says_goodbye() {
    let mut rig = rig(1);
    let mut caller = Phone::new();
    let leg = rig.open(0, &mut caller);
    rig.source_now(leg, Source::Silence);
    let ours = caller.hear();
    for _ in 0..3 {
        caller.say(&[1; FRAME]);
    }
    let report = caller.hear_report();
    assert_eq!(report[1], 200, "a sender report first: audio is being sent");
    assert_eq!(report[4..8], ours.ssrc.to_be_bytes());
    assert_eq!(report[28..32], caller.ssrc.to_be_bytes(), "with a block about the caller's stream");
    assert_eq!(report[53], 202, "then the CNAME");
    // A receiver report saying that 7 of our packets were lost.
    let mut rr = vec![0x81, 201, 0, 7];
    rr.extend(caller.ssrc.to_be_bytes());
    rr.extend(ours.ssrc.to_be_bytes());
    rr.extend([10, 0, 0, 7]);
    rr.extend([0; 16]);
    let rtcp_port = SocketAddr::new(caller.gateway.ip(), caller.gateway.port() + 1);
    caller.rtcp.send_to(&rr, rtcp_port).unwrap();
    // A second and third on the RTP port (rtcp-mux without asking), and rubbish.
    rr[15] = 9;
    caller.rtp.send_to(&rr, caller.gateway).unwrap();
    caller.rtp.send_to(&[0x80, 200, 0xFF, 0xFF, 1], caller.gateway).unwrap();
    caller.say(&[2; FRAME]);
    rig.event("FirstRtp", |e| (*e == MediaEvent::FirstRtp { leg }).then_some(()));
    rig.figures("4 received and 1 refused", |f| f.refused == 1 && f.received == 4);
    let stats = rig.close(leg);
    assert_eq!((stats.remote_lost, stats.refused, stats.received), (9, 1, 4));
    let goodbye = std::iter::repeat_with(|| caller.hear_report()).find(|r| r[r.len() - 7] == 203).unwrap();
    assert_eq!(goodbye[goodbye.len() - 4..], ours.ssrc.to_be_bytes());
}

#[test]
fn a_call_does_not_hear_the_one_before_it_on_its_port() {
    let mut rig = rig(1);
    let (mut before, mut caller, mut agent) = (Phone::new(), Phone::new(), Phone::new());
    let old = rig.open(0, &mut before);
    rig.source_now(old, Source::Silence);
    before.say(&[9; FRAME]);
    rig.event("FirstRtp", |e| (*e == MediaEvent::FirstRtp { leg: old }).then_some(()));
    rig.close(old);
    let (port, a) = (before.gateway.port(), rig.open(1, &mut agent));
    let leg = LegId(77);
    rig.plane.command(MediaCommand::Open { leg, port });
    caller.gateway = before.gateway;
    rig.connect(leg, caller.negotiated(), None);
    rig.source_now(a, Source::Leg(leg));
    // Both come from one carrier gateway's address. The one before is still talking, and even gets in first.
    before.say(&[9; FRAME]);
    for n in 0..10u8 {
        caller.say(&[n | 0x40; FRAME]);
        before.say(&[9; FRAME]);
        agent.hear_payload(&[n | 0x40; FRAME]);
    }
    let stats = rig.close(leg);
    assert!(stats.refused >= 9 && stats.received >= 10, "{stats:?}");
}

#[test]
fn hostile_packets_change_nothing_for_the_call() {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};
    let mut random = ChaCha8Rng::seed_from_u64(33_358);
    let mut rig = rig(1);
    let (mut caller, mut agent) = (Phone::new(), Phone::new());
    let (c, a) = (rig.open(0, &mut caller), rig.open(1, &mut agent));
    rig.bridge(c, a);
    let rtcp_port = SocketAddr::new(caller.gateway.ip(), caller.gateway.port() + 1);
    let stranger = UdpSocket::bind("127.0.0.4:0").unwrap();
    for round in 0..400u32 {
        for _ in 0..10 {
            let mut bytes = [0; 256];
            random.fill_bytes(&mut bytes);
            // Plausible beginnings get further than noise.
            bytes[0] = [0x80, 0x90, 0xA0, 0xB0, 0x8F, bytes[0]][random.next_u32() as usize % 6];
            bytes[1] = [8, 101, 200, 201, 203, 0x88, bytes[1]][random.next_u32() as usize % 7];
            let len = random.next_u32() as usize % 257;
            // From the party's own host but never as its own stream; and from elsewhere.
            caller.rtcp.send_to(&bytes[..len], if len & 1 == 0 { rtcp_port } else { caller.gateway }).unwrap();
            stranger.send_to(&bytes[..len], if len & 2 == 0 { rtcp_port } else { caller.gateway }).unwrap();
        }
        let mut frame = [0x5A; FRAME];
        frame[..4].copy_from_slice(&round.to_be_bytes());
        caller.say(&frame);
        agent.hear_payload(&frame);
    }
    let stats = rig.close(c);
    assert!(stats.refused > 1_000, "{stats:?}");
}

#[test]
fn legs_join_and_part_on_any_thread() {
    let mut rig = rig(3);
    let mut phones: Vec<Phone> = (0..6).map(|_| Phone::new()).collect();
    let legs: Vec<LegId> = (0..6).map(|n| rig.open(n, &mut phones[usize::from(n)])).collect();
    // Everyone in turn talks with everyone else.
    for i in 0..6 {
        for j in 0..i {
            rig.bridge(legs[i], legs[j]);
            let mark = [(i * 6 + j) as u8 | 0x80; FRAME];
            let (low, high) = phones.split_at_mut(i);
            high[0].say(&mark);
            low[j].hear_payload(&mark);
            low[j].say(&mark);
            high[0].hear_payload(&mark);
        }
    }
    for leg in legs {
        rig.close(leg);
    }
    rig.figures("all closed", |f| f.legs_open == 0);
}

#[test]
fn in_a_mix_each_hears_the_others_and_not_itself() {
    const TONES: [f32; 4] = [400.0, 700.0, 1_100.0, 1_900.0];
    for threads in [1, 3] {
        let mut rig = rig(threads);
        let mut phones: Vec<(Phone, f32)> = TONES.iter().map(|hz| (Phone::new(), *hz)).collect();
        phones[1].0.codec = Codec::Pcmu;
        let legs: Vec<LegId> = (0u16..).zip(&mut phones).map(|(n, (phone, _))| rig.open(n, phone)).collect();
        let [a, b, c, d] = legs[..] else { unreachable!() };
        // Citizen, agent, a third party; a leader who listens. One begins with a prompt, one names itself and a stranger.
        rig.source_now(a, Source::Mix(vec![b, c]));
        rig.source_now(b, Source::Mix(vec![LegId(99), c, b, a]));
        rig.source_now(c, Source::Mix(vec![a, b, a]));
        rig.source_now(d, Source::Mix(vec![a, b, c]));
        let heard = talk_at_once(&mut phones, 60, |_, _| false);
        let expected: [&[f32]; 4] = [&[700.0, 1_100.0], &[400.0, 1_100.0], &[400.0, 700.0], &[400.0, 700.0, 1_100.0]];
        for (heard, expected) in heard.iter().zip(expected) {
            assert_eq!(tones_in(heard, &TONES), expected, "on {threads} threads");
            assert!((57..=63).contains(&(heard.len() / FRAME)), "a frame each 20 ms: {}", heard.len() / FRAME);
        }
        // The leader whispers: the agent hears both, the citizen hears the agent alone.
        rig.source_now(a, Source::Leg(b));
        rig.source_now(b, Source::Mix(vec![a, d]));
        let heard = talk_at_once(&mut phones, 60, |_, _| false);
        assert_eq!(tones_in(&heard[0], &TONES), [700.0]);
        assert_eq!(tones_in(&heard[1], &TONES), [400.0, 1_900.0]);
        // One who is heard in mixes hangs up: the others go on.
        rig.close(b);
        let mut left: Vec<(Phone, f32)> = phones.into_iter().filter(|(_, hz)| *hz != 700.0).collect();
        let heard = talk_at_once(&mut left, 60, |_, _| false);
        assert!(tones_in(&heard[0], &TONES).is_empty());
        assert_eq!(tones_in(&heard[1], &TONES), [400.0]);
        assert_eq!(tones_in(&heard[2], &TONES), [400.0, 1_100.0]);
        let (a, c) = (rig.close(a), rig.close(c));
        assert_eq!((a.refused, c.refused), (0, 0));
    }
}

#[test]
fn a_mix_stands_ten_percent_of_loss_and_keys_are_passed_on_to_nobody() {
    const TONES: [f32; 3] = [400.0, 700.0, 1_100.0];
    let mut rig = rig(1);
    let mut phones: Vec<(Phone, f32)> = TONES.iter().map(|hz| (Phone::new(), *hz)).collect();
    let legs: Vec<LegId> = (0u16..).zip(&mut phones).map(|(n, (phone, _))| rig.open(n, phone)).collect();
    for leg in &legs {
        rig.source_now(*leg, Source::Mix(legs.clone()));
    }
    let heard = talk_at_once(&mut phones, 100, |n, phone| (n as usize * 7 + phone * 3).is_multiple_of(10));
    for (n, heard) in heard.iter().enumerate() {
        for (m, hz) in TONES.iter().enumerate() {
            let level = tone::measure(&heard[10 * FRAME..], *hz).level_dbov;
            assert_eq!(level > -23.0, n != m, "phone {n} hears {hz} Hz at {level} dBov");
        }
    }
    phones[0].0.event(5, true, 800);
    rig.event("the key", |e| matches!(e, MediaEvent::Digit { digit: '5', .. }).then_some(()));
    phones[1].0.forget();
    assert_eq!(phones[1].0.hear().payload_type, 8);
}

#[test]
fn a_call_is_recorded_with_the_caller_left_and_who_is_heard_right() {
    const TONES: [f32; 3] = [400.0, 700.0, 1_100.0];
    let folder = tempfile::tempdir().unwrap();
    let music = ToneGenerator::new(2_100.0, -15.0).frame().repeat(50);
    let prompts = BTreeMap::from([("music".into(), music.into())]);
    let mut rig = rig_of(2, PromptLibrary::from_alaw(prompts), Some(RecordingSettings::new(folder.path())));
    let mut phones: Vec<(Phone, f32)> = TONES.iter().map(|hz| (Phone::new(), *hz)).collect();
    phones[0].0.codec = Codec::Pcmu;
    let legs: Vec<LegId> = (0u16..).zip(&mut phones).map(|(n, (phone, _))| rig.open(n, phone)).collect();
    let [caller, agent, third] = legs[..] else { unreachable!() };
    let file = |segment| RecordingName { call: CallId(0xC0FFEE), segment };
    let mut take = |rig: &mut Rig, segment: u16, stop: bool| {
        rig.plane.command(MediaCommand::Record { caller, file: file(segment) });
        talk_at_once(&mut phones, 60, |n, _| segment == 3 && n % 10 == 0);
        if stop {
            rig.plane.command(MediaCommand::StopRecording { caller });
        } else {
            rig.close(caller);
        }
        rig.event("Recorded", |e| match e {
            MediaEvent::Recorded { call: CallId(0xC0FFEE), recording } => Some(recording.clone()),
            _ => None,
        })
    };
    rig.bridge(caller, agent);
    let two = take(&mut rig, 1, true);
    // Music is nobody's word.
    rig.source_now(caller, Source::Music("music".into()));
    let held = take(&mut rig, 2, true);
    // Three at once, with losses; the caller's end is the recording's.
    rig.source_now(caller, Source::Mix(vec![agent, third]));
    rig.source_now(agent, Source::Mix(vec![caller, third]));
    let three = take(&mut rig, 3, false);
    for (recording, right) in [(&two, &TONES[1..2]), (&held, &[]), (&three, &TONES[1..])] {
        let bytes = std::fs::read(folder.path().join(&recording.file)).unwrap();
        let sound = &bytes[bytes.len() - recording.ms as usize * 16..];
        let side = |n: usize| sound.chunks(2).map(|pair| pair[n]).collect::<Vec<u8>>();
        let all = [TONES[0], TONES[1], TONES[2], 2_100.0];
        let there =
            |n| all.into_iter().filter(|hz| tone::measure(&side(n), *hz).level_dbov > -27.0).collect::<Vec<_>>();
        assert_eq!((there(0), there(1)), (vec![400.0], right.to_vec()), "{recording:?}");
        assert!((1_150..1_400).contains(&recording.ms) && recording.complete, "{recording:?}");
    }
    let recording = rig.plane.recording().unwrap().read();
    assert_eq!((recording.complete, recording.running, recording.lost), (3, 0, 0));
}

/// The recording's file is a pipe that nobody reads: whoever opens it, or writes to it, waits.
#[test]
fn a_disk_that_stalls_costs_the_relay_no_packet() {
    let folder = tempfile::tempdir().unwrap();
    let name = |segment| RecordingName { call: CallId(0xC0FFEE), segment };
    let today = rexian::casework::Day::of(rexian::host::Clock::start().now()).0;
    let prompts = PromptLibrary::from_alaw(BTreeMap::new());
    let mut rig = rig_of(2, prompts, Some(RecordingSettings::new(folder.path())));
    // Midnight may come.
    let stalled = [0, 1].map(|days| folder.path().join(format!("{}/{}.wav.part", today.plus(days), name(1))));
    for pipe in &stalled {
        std::fs::create_dir_all(pipe.parent().unwrap()).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    }
    let (mut citizen, mut seat) = (Phone::new(), Phone::new());
    let (caller, agent) = (rig.open(0, &mut citizen), rig.open(1, &mut seat));
    rig.bridge(caller, agent);
    citizen.forget();
    seat.forget();
    let status = rig.plane.recording().unwrap();
    // Each packet is heard before the next is said: none can be lost unseen. 160 ms in each, for the queue to fill soon.
    let mut heard = [None::<u16>; 2];
    let mut talk = |citizen: &mut Phone, seat: &mut Phone, n: u16| {
        let payload = [n.to_be_bytes(); 640].concat();
        for (from, to, before) in [(0, 1, 0), (1, 0, 1)] {
            let phones = [&mut *citizen, &mut *seat];
            phones[from].say(&payload);
            let got = phones[to].hear_payload(&payload);
            assert!(heard[before].is_none_or(|seq| got.seq == seq.wrapping_add(1)), "a gap before {n}");
            heard[before] = Some(got.seq);
        }
    };
    rig.plane.command(MediaCommand::Record { caller, file: name(1) });
    let mut said = 0;
    let deadline = Instant::now() + 3 * PATIENCE;
    while status.read().lost < 100 || status.read().stalled.is_zero() {
        talk(&mut citizen, &mut seat, said);
        said += 1;
        assert!(Instant::now() < deadline, "after {said} packets: {:?}", status.read());
    }
    assert!(said > 2_000 && status.read().trouble, "{said}: {:?}", status.read());
    rig.plane.command(MediaCommand::StopRecording { caller });
    // The disk is back.
    for pipe in stalled {
        std::thread::spawn(move || {
            // Opened for both, it does not wait for a writer.
            let mut pipe = std::fs::File::options().read(true).write(true).open(pipe)?;
            std::io::copy(&mut pipe, &mut std::io::sink())
        });
    }
    while status.read().running > 0 {
        talk(&mut citizen, &mut seat, said);
        assert!(Instant::now() < deadline, "{:?}", status.read());
    }
    rig.plane.command(MediaCommand::Record { caller, file: name(2) });
    (0..50).for_each(|n| talk(&mut citizen, &mut seat, n));
    rig.plane.command(MediaCommand::StopRecording { caller });
    let recorded = rig.event("Recorded", |e| match e {
        MediaEvent::Recorded { recording, .. } => Some(recording.clone()),
        _ => None,
    });
    assert_eq!((recorded.segment, recorded.complete, recorded.missing_ms), (2, true, 0));
    let of_caller = rig.close(caller);
    assert_eq!((of_caller.lost, of_caller.refused), (0, 0));
    assert!(!status.read().trouble);
}

#[test]
fn stopping_closes_what_is_open() {
    let mut rig = rig(2);
    let (mut a, mut b) = (Phone::new(), Phone::new());
    let (leg_a, leg_b) = (rig.open(0, &mut a), rig.open(1, &mut b));
    let Rig { plane, events, .. } = rig;
    plane.stop();
    let mut closed: Vec<LegId> =
        events.iter().filter_map(|e| if let MediaEvent::Closed { leg, .. } = e { Some(leg) } else { None }).collect();
    closed.sort();
    assert_eq!(closed, [leg_a, leg_b]);
}

#[test]
fn a_pool_that_cannot_be_had_is_refused_with_the_reason() {
    let rig = rig(1);
    let start = |first_port, pairs, host: Option<IpAddr>| {
        let (mut media, mut world) = settings(first_port, 1);
        media.pairs = pairs;
        (world.media_bind_v4, world.media_bind_v6) = (host, None);
        MediaPlane::start(&media, &world, PromptLibrary::from_alaw(BTreeMap::new()), |_| {}).unwrap_err().to_string()
    };
    let port = rig.first_port;
    assert!(start(port, 2, Some(V4)).contains(&format!("127.0.0.1:{port} is taken by another program")));
    assert!(start(port + 1, 2, Some(V4)).contains("must be even"));
    assert!(start(65_000, 400, Some(V4)).contains("must not pass 65535"));
    assert!(start(port, 2, None).contains("no media address"));
    assert!(
        start(port, 2, Some("203.0.113.1".parse().unwrap())).contains("203.0.113.1 is not an address of this machine")
    );
}

#[test]
fn an_encrypted_leg_and_a_plain_one_hear_each_other() {
    for (threads, suite) in [1, 2, 1, 2].into_iter().zip(Suite::ALL) {
        let clip = BTreeMap::from([("one".into(), std::sync::Arc::from(vec![7; FRAME * 5]))]);
        let mut rig = rig_with(threads, PromptLibrary::from_alaw(clip));
        let (mut caller, mut agent) = (Phone::secured(suite, [1, 2]), Phone::new());
        agent.codec = Codec::Pcmu;
        let (c, a) = (rig.open(0, &mut caller), rig.open(1, &mut agent));
        rig.source(c, Source::Play { prompts: vec!["one".into()], then: Box::new(Source::Silence) });
        caller.hear_payload(&[7; FRAME]);
        rig.bridge(c, a);
        // The phone's numbers pass 65,535 on the way.
        audio_through(&mut caller, &agent, 1_004.0);
        audio_through(&mut agent, &caller, 620.0);
        for (end, duration) in [(false, 160), (true, 320)] {
            caller.event(5, end, duration);
        }
        rig.event("the key", |e| (*e == MediaEvent::Digit { leg: c, digit: '5' }).then_some(()));
        let report = caller.hear_report();
        assert_eq!((report[1], &report[28..32]), (200, &caller.ssrc.to_be_bytes()[..]));
        // A session refresh, then a new key of theirs: they go on hearing each other.
        rig.connect(c, caller.negotiated(), None);
        rig.source_now(c, Source::Leg(a));
        audio_through(&mut caller, &agent, 1_004.0);
        caller.secured = Phone::secured(suite, [3, 4]).secured;
        rig.connect(c, caller.negotiated(), None);
        rig.source_now(c, Source::Leg(a));
        audio_through(&mut caller, &agent, 1_004.0);
        audio_through(&mut agent, &caller, 620.0);
        let stats = rig.close(c);
        assert_eq!((stats.lost, stats.refused), (0, 0), "{suite:?}");
    }
}

#[test]
fn only_genuine_packets_are_heard_and_take_the_lock() {
    let mut rig = rig(1);
    let suite = Suite::AesCm128HmacSha1_80;
    let (mut caller, mut agent) = (Phone::secured(suite, [1, 2]), Phone::new());
    let (c, a) = (rig.open(0, &mut caller), rig.open(1, &mut agent));
    rig.bridge(c, a);
    // On the caller's own host, before its first packet: plain audio, audio under another key, a report in the clear.
    let (mut plain, mut forger) = (Phone::new(), Phone::secured(suite, [8, 9]));
    (plain.gateway, forger.gateway) = (caller.gateway, caller.gateway);
    plain.say(&[0x11; FRAME]);
    forger.say(&[0x12; FRAME]);
    let rtcp_port = SocketAddr::new(caller.gateway.ip(), caller.gateway.port() + 1);
    plain.rtcp.send_to(&[0x80, 201, 0, 1, 1, 2, 3, 4], rtcp_port).unwrap();
    rig.figures("all three refused", |f| f.refused == 3);
    agent.say(&[0x22; FRAME]);
    caller.hear_payload(&[0x22; FRAME]);
    // What was heard once is not heard again.
    let mut copy = [0; 256];
    let packet = Packet { payload_type: 8, marker: false, seq: 9, timestamp: 4_000, ssrc: 77, payload: &[0x33; FRAME] };
    let len = packet.write(&mut copy).unwrap();
    let len = caller.secured.as_mut().unwrap().sender.seal_rtp(len, &mut copy).unwrap();
    caller.rtp.send_to(&copy[..len], caller.gateway).unwrap();
    agent.hear_payload(&[0x33; FRAME]);
    caller.rtp.send_to(&copy[..len], caller.gateway).unwrap();
    rig.figures("the copy refused", |f| f.refused == 4);
    let stats = rig.close(c);
    assert_eq!((stats.received, stats.refused), (1, 4));
}
