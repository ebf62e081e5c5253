//! What relaying a packet costs: the media plane beside a bare UDP forwarder (a socket a port, epoll, recvfrom, sendto),
//! under the same load, in the same run; and the media plane again with one leg of each call encrypted. Prints CPU time of the forwarding thread per packet, the ratio, added latency,
//! and what an open leg keeps in memory. With `-- mix`: what hearing several legs together costs beside hearing one.

use rexian::config::settings::{CaseStoreSettings, LogSettings, MediaSettings, WorldSettings};
use rexian::ids::LegId;
use rexian::media::rtp::Packet;
use rexian::media::srtp::{Receiver, Sender};
use rexian::media::{MediaPlane, PromptLibrary};
use rexian::plane::srtp::{Keys, MasterKey, Suite};
use rexian::plane::{Codec, Direction, MediaCommand, Negotiated, Source};
use rustix::event::epoll;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const FIRST_PORT: u16 = 12_000;
const RUN: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;
/// What every phone has.
const SUITE: Suite = Suite::AesCm128HmacSha1_80;

fn main() {
    if std::env::args().any(|argument| argument == "mix") {
        return mixing();
    }
    memory();
    println!("relay of G.711, 20 ms packets, both ways; median of {ROUNDS} runs of {} s each\n", RUN.as_secs());
    println!(
        "{:>6}  {:>9}  {:<15}  {:>8}  {:>9}  {:>9}  {:>6}",
        "calls", "packets/s", "who", "us/pkt", "p50 us", "p99 us", "lost"
    );
    for calls in [100, 500] {
        let mut bare = Vec::new();
        let mut ours = Vec::new();
        let mut secured = Vec::new();
        // In turn, so that a busy machine disturbs both alike.
        for _ in 0..ROUNDS {
            bare.push(run_bare(calls));
            ours.push(run_ours(calls, None));
            secured.push(run_ours(calls, Some(SUITE)));
        }
        let (bare, ours, secured) = (median(bare), median(ours), median(secured));
        for (who, result) in [("bare forwarder", &bare), ("media plane", &ours), ("SRTP, plain leg", &secured)] {
            println!(
                "{calls:>6}  {:>9.0}  {who:<15}  {:>8.2}  {:>9.0}  {:>9.0}  {:>6}",
                result.rate, result.us_per_packet, result.p50, result.p99, result.lost
            );
        }
        println!("{:>6}  ratio of CPU time per packet: {:.2}", "", ours.us_per_packet / bare.us_per_packet);
        let (ratio, cost) = (secured.us_per_packet / ours.us_per_packet, secured.us_per_packet / 1_000.0);
        println!("{:>6}  SRTP to plain: {ratio:.2}; {cost:.4} CPU-seconds per 1,000 packets\n", "");
    }
    playing();
}

struct Outcome {
    us_per_packet: f64,
    rate: f64,
    p50: f64,
    p99: f64,
    lost: u64,
}

fn median(mut outcomes: Vec<Outcome>) -> Outcome {
    outcomes.sort_by(|a, b| a.us_per_packet.total_cmp(&b.us_per_packet));
    outcomes.swap_remove(outcomes.len() / 2)
}

// ---- the two that are compared ----

/// `srtp`: how one leg of each call is encrypted, as a phone's is while its trunk is not.
fn run_ours(calls: u16, srtp: Option<Suite>) -> Outcome {
    let mut load = Load::new();
    let mut plane = start(2 * calls);
    for call in 0..calls {
        let (a, b) = (leg(2 * call), leg(2 * call + 1));
        for (leg, port) in [(a, port(2 * call)), (b, port(2 * call + 1))] {
            plane.command(MediaCommand::Open { leg, port });
            let keys = srtp.filter(|_| leg == a).map(|suite| load.secure(port, suite));
            plane.command(connect(leg, load.address, Direction::SendRecv, keys));
        }
        plane.command(MediaCommand::SetSource { leg: a, source: Source::Leg(b) });
        plane.command(MediaCommand::SetSource { leg: b, source: Source::Leg(a) });
    }
    let reader = plane.figures();
    while reader.read().legs_open < u64::from(2 * calls) {
        std::thread::yield_now();
    }
    let outcome = load.run(calls, "media-0", || reader.read().relayed);
    plane.stop();
    outcome
}

fn run_bare(calls: u16) -> Outcome {
    let load = Load::new();
    let (to, stop) = (load.address, Arc::new(AtomicBool::new(false)));
    let stopped = stop.clone();
    let forwarded = Arc::new(AtomicU64::new(0));
    let count = forwarded.clone();
    let sockets: Vec<UdpSocket> = (0..2 * calls)
        .map(|n| {
            let socket = UdpSocket::bind((HOST, port(n))).expect("a free port");
            socket.set_nonblocking(true).unwrap();
            socket
        })
        .collect();
    let thread = std::thread::Builder::new().name("bare".into()).spawn(move || {
        let queue = epoll::create(epoll::CreateFlags::empty()).unwrap();
        for (n, socket) in (0u64..).zip(&sockets) {
            epoll::add(&queue, socket, epoll::EventData::new_u64(n), epoll::EventFlags::IN).unwrap();
        }
        let mut ready = [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }; 64];
        let (mut packet, mut done, pause) = ([0; 2_048], 0, rustix::time::Timespec { tv_sec: 0, tv_nsec: 100_000_000 });
        while !stopped.load(Relaxed) {
            let Ok(events) = epoll::wait(&queue, &mut ready, Some(&pause)) else { continue };
            for event in &ready[..events] {
                let n = event.data.u64() as usize;
                if let Ok((len, _)) = sockets[n].recv_from(&mut packet) {
                    let _ = sockets[n ^ 1].send_to(&packet[..len], to);
                    done += 1;
                }
            }
            count.store(done, Relaxed);
        }
    });
    let outcome = load.run(calls, "bare", || forwarded.load(Relaxed));
    stop.store(true, Relaxed);
    thread.unwrap().join().unwrap();
    outcome
}

/// What it costs to hear several: legs in companies where each hears all others, beside pairs of the same legs, which relay.
fn mixing() {
    const LEGS: u16 = 240;
    println!("{LEGS} legs, each says and hears 50 packets/s; median of {ROUNDS} runs of {} s each\n", RUN.as_secs());
    println!("{:>22}  {:>28}  {:>8}", "each hears", "CPU ms per listener-second", "to relay");
    let companies = [2, 3, 4, 8];
    let mut costs = companies.map(|_| vec![]);
    for _ in 0..ROUNDS {
        for (company, costs) in companies.into_iter().zip(&mut costs) {
            costs.push(run_company(LEGS, company));
        }
    }
    let costs = costs.map(|mut costs| {
        costs.sort_by(f64::total_cmp);
        costs[ROUNDS / 2]
    });
    for (company, cost) in companies.into_iter().zip(costs) {
        let who =
            if company == 2 { "one other (relayed)".to_owned() } else { format!("{} others (mixed)", company - 1) };
        println!("{who:>22}  {cost:>28.4}  {:>8.2}", cost / costs[0]);
    }
}

/// CPU milliseconds of the media thread for a second of each listener.
fn run_company(legs: u16, company: u16) -> f64 {
    let load = Load::new();
    let mut plane = start(legs);
    for n in 0..legs {
        plane.command(MediaCommand::Open { leg: leg(n), port: port(n) });
        plane.command(connect(leg(n), load.address, Direction::SendRecv, None));
    }
    for n in 0..legs {
        let first = n / company * company;
        let others: Vec<LegId> = (first..first + company).filter(|other| *other != n).map(leg).collect();
        let source = if company == 2 { Source::Leg(others[0]) } else { Source::Mix(others) };
        plane.command(MediaCommand::SetSource { leg: leg(n), source });
    }
    let reader = plane.figures();
    while reader.read().legs_open < u64::from(legs) {
        std::thread::yield_now();
    }
    let outcome = load.run(legs / 2, "media-0", || 1);
    plane.stop();
    outcome.us_per_packet / 1_000.0 / f64::from(legs) / RUN.as_secs_f64()
}

// ---- the load: every phone behind one socket, as behind a carrier's gateway ----

struct Load {
    socket: UdpSocket,
    address: SocketAddr,
    /// By the gateway's port.
    secured: BTreeMap<u16, (Sender, Receiver)>,
}

impl Load {
    fn new() -> Load {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
        let _ = socket.set_recv_buffer_size(8 << 20);
        socket.bind(&SocketAddr::new(HOST, 0).into()).unwrap();
        socket.set_nonblocking(true).unwrap();
        let socket: UdpSocket = socket.into();
        let address = socket.local_addr().unwrap();
        Load { socket, address, secured: BTreeMap::new() }
    }

    /// The keys of the phone at this port, as the gateway has them.
    fn secure(&mut self, port: u16, suite: Suite) -> Keys {
        let [ours, theirs] = [1, 2].map(|n| MasterKey::random(suite, |octets| octets.fill(n)));
        self.secured.insert(port, (Sender::new(suite, &theirs), Receiver::new(suite, &ours)));
        Keys { suite, ours, theirs }
    }

    /// Sends 50 packets a second to each of the ports, evenly spread, for `RUN`; measures the thread named `who`,
    /// which has passed on as many packets as `forwarded` says.
    fn run(mut self, calls: u16, who: &str, forwarded: impl Fn() -> u64) -> Outcome {
        let ports = usize::from(2 * calls);
        let begun = Instant::now();
        let mut latencies: Vec<u32> = Vec::with_capacity(ports * 60 * RUN.as_secs() as usize);
        let (mut sent, mut buffer, mut out, mut payload) = (0usize, [0; 2_048], [0; 256], [0xD5; 160]);
        let before = cpu_of(who);
        loop {
            let elapsed = begun.elapsed();
            let due = (elapsed.as_secs_f64() * 50.0 * ports as f64) as usize;
            while sent < due && elapsed < RUN {
                let n = sent % ports;
                payload[..8].copy_from_slice(&(begun.elapsed().as_nanos() as u64).to_be_bytes());
                let seq = (sent / ports) as u16;
                let timestamp = u32::from(seq) * 160;
                let packet =
                    Packet { payload_type: 8, marker: false, seq, timestamp, ssrc: n as u32 + 1, payload: &payload };
                let mut len = packet.write(&mut out).unwrap();
                if let Some((sender, _)) = self.secured.get_mut(&port(n as u16)) {
                    len = sender.seal_rtp(len, &mut out).expect("a fresh index");
                }
                let _ = self.socket.send_to(&out[..len], SocketAddr::new(HOST, port(n as u16)));
                sent += 1;
            }
            while let Ok((mut len, from)) = self.socket.recv_from(&mut buffer) {
                if let Some((_, receiver)) = self.secured.get_mut(&from.port()) {
                    len = receiver.open_rtp(&mut buffer[..len]).expect("genuine");
                }
                if let (172, Some(stamp)) = (len, buffer[12..].first_chunk::<8>()) {
                    // Silence from before the bridge bears no time.
                    let age = begun.elapsed().checked_sub(Duration::from_nanos(u64::from_be_bytes(*stamp)));
                    latencies.extend(age.map(|age| age.as_nanos() as u32));
                }
            }
            if elapsed > RUN + Duration::from_millis(300) {
                break;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        let cpu = cpu_of(who) - before;
        latencies.sort_unstable();
        // What was mixed bears no time.
        let last = latencies.len().saturating_sub(1) as f64;
        let at = |share: f64| latencies.get((last * share) as usize).map_or(0.0, |n| f64::from(*n) / 1_000.0);
        Outcome {
            us_per_packet: cpu.as_secs_f64() * 1e6 / forwarded() as f64,
            rate: latencies.len() as f64 / RUN.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
            lost: sent.saturating_sub(latencies.len()) as u64,
        }
    }
}

// ---- memory ----

fn memory() {
    const LEGS: u16 = 4_000;
    // The prompts are everybody's: have them made before.
    drop(start(1));
    let before = rss();
    let mut plane = start(LEGS);
    let with_ports = rss();
    let nobody = SocketAddr::new(HOST, 9);
    open(&mut plane, LEGS, nobody, Direction::Inactive);
    println!(
        "{LEGS} open legs: {} bytes of RSS each, and {} for a port pair (sockets are the kernel's)",
        rss().saturating_sub(with_ports) / u64::from(LEGS),
        with_ports.saturating_sub(before) / u64::from(LEGS)
    );
    plane.stop();
}

fn playing() {
    const LEGS: u16 = 500;
    let load = Load::new();
    let mut plane = start(LEGS);
    open(&mut plane, LEGS, load.address, Direction::SendRecv);
    let reader = plane.figures();
    let (before, sent, begun) = (cpu_of("media-0"), reader.read().sent, Instant::now());
    std::thread::sleep(RUN);
    let cpu = cpu_of("media-0") - before;
    let frames = reader.read().sent - sent;
    println!(
        "{LEGS} legs on hold music: {:.0} frames/s, {:.2} us of CPU each",
        frames as f64 / begun.elapsed().as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / frames as f64
    );
    plane.stop();
}

/// Legs that play music, all open when this returns.
fn open(plane: &mut MediaPlane, legs: u16, remote: SocketAddr, direction: Direction) {
    for n in 0..legs {
        plane.command(MediaCommand::Open { leg: leg(n), port: port(n) });
        plane.command(connect(leg(n), remote, direction, None));
        plane.command(MediaCommand::SetSource { leg: leg(n), source: Source::Music("music".into()) });
    }
    let reader = plane.figures();
    while reader.read().legs_open < u64::from(legs) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn rss() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}

/// CPU time so far of this process's thread with that name (which it takes a moment after its start).
fn cpu_of(name: &str) -> Duration {
    for _ in 0..1_000 {
        let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let is_it = |path: &PathBuf| std::fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim() == name);
        if let Some(path) = tasks.map(|task| task.path()).find(is_it) {
            let text = std::fs::read_to_string(path.join("schedstat")).unwrap();
            return Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("no thread is named {name}");
}

// ---- vocabulary ----

fn leg(n: u16) -> LegId {
    LegId(u64::from(n) + 1)
}

fn port(n: u16) -> u16 {
    FIRST_PORT + 2 * n
}

fn connect(leg: LegId, remote: SocketAddr, direction: Direction, srtp: Option<Keys>) -> MediaCommand {
    let remote = Negotiated {
        srtp,
        webrtc: None,
        remote_rtp: remote,
        // Nobody listens there: reports cost what they cost, but are not counted as audio.
        remote_rtcp: SocketAddr::new(HOST, 9),
        rtcp_mux: false,
        codec: Codec::Pcma,
        payload_type: 8,
        dtmf: Some(101),
        direction,
    };
    let rtp_timeout = Some(Duration::from_secs(30));
    MediaCommand::Connect { leg, remote, also_from: None, expect_rtp_within: None, rtp_timeout }
}

fn start(pairs: u16) -> MediaPlane {
    let media = MediaSettings {
        address_v4: Some(HOST),
        address_v6: None,
        first_port: FIRST_PORT,
        pairs,
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
        media_bind_v4: Some(HOST),
        media_bind_v6: None,
        media_threads: 1,
        browsers: None,
        recording: None,
        http: None,
        tokens: vec![],
        pages: None,
        webhooks: vec![],
        webhook_ledger: "unused".into(),
        spool: "unused".into(),
        cases: CaseStoreSettings::Sqlite("unused".into()),
        events: None,
        keep_events: Duration::MAX,
        ship_events: None,
        facts: Default::default(),
        report: Default::default(),
        casework: Default::default(),
        prompts: BTreeMap::new(),
        dns: vec![],
        trace: Default::default(),
        log: LogSettings { json: false, filter: "off".into() },
        drain: Duration::ZERO,
        ticket_prefix: "T".into(),
    };
    MediaPlane::start(&media, &world, PromptLibrary::built_in(), |_| {}).unwrap_or_else(|e| panic!("{e}"))
}
