//! What a seat in a browser costs beside a seat with a SIP phone, in the same run: each seat in a call with a trunk's plain
//! leg, 50 packets a second each way. Prints CPU time of the media thread per 1,000 packets, and what was lost. The browsers
//! are the library in its other role, on a thread of their own.

use rexian::config::settings::{BrowserSettings, MediaSettings, Settings, WorldSettings};
use rexian::ids::{LegId, SeatNo};
use rexian::media::rtp::Packet;
use rexian::media::webrtc::BrowserDoor;
use rexian::media::{MediaPlane, PromptLibrary};
use rexian::plane::{Codec, Direction, MediaCommand, Negotiated, Source};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/webrtc/tab.rs"]
mod tab;
use tab::{CHROMIUM, Tab};

const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const FIRST_PORT: u16 = 12_000;
const BROWSERS: u16 = 11_998;
const RUN: Duration = Duration::from_secs(3);
const ROUNDS: usize = 3;

fn main() {
    println!("seats in calls with a trunk; median of {ROUNDS} runs of {} s each\n", RUN.as_secs());
    println!("{:>6}  {:<8}  {:>9}  {:>22}  {:>6}", "seats", "device", "packets/s", "CPU-s / 1,000 packets", "lost");
    for seats in [20, 100] {
        let (mut phones, mut browsers) = (Vec::new(), Vec::new());
        // In turn, so that a busy machine disturbs both alike.
        for _ in 0..ROUNDS {
            phones.push(run(seats, false));
            browsers.push(run(seats, true));
        }
        let (phones, browsers) = (median(phones), median(browsers));
        for (device, outcome) in [("SIP", &phones), ("browser", &browsers)] {
            println!(
                "{seats:>6}  {device:<8}  {:>9.0}  {:>22.5}  {:>6}",
                outcome.rate, outcome.cpu_per_1000, outcome.lost
            );
        }
        println!("{:>6}  ratio {:.2}\n", "", browsers.cpu_per_1000 / phones.cpu_per_1000);
    }
}

struct Outcome {
    cpu_per_1000: f64,
    rate: f64,
    lost: u64,
}

fn median(mut outcomes: Vec<Outcome>) -> Outcome {
    outcomes.sort_by(|a, b| a.cpu_per_1000.total_cmp(&b.cpu_per_1000));
    outcomes.swap_remove(outcomes.len() / 2)
}

fn run(seats: u16, browser: bool) -> Outcome {
    let base = Settings::demo([7; 32]);
    let media = MediaSettings { address_v4: Some(HOST), first_port: FIRST_PORT, pairs: 2 * seats, ..base.core.media };
    let world = WorldSettings {
        media_bind_v4: Some(HOST),
        media_threads: 1,
        browsers: Some(BrowserSettings::new(BROWSERS)),
        ..base.world
    };
    let mut plane =
        MediaPlane::start(&media, &world, PromptLibrary::built_in(), |_| {}).unwrap_or_else(|e| panic!("{e}"));
    let far = UdpSocket::bind((HOST, 0)).unwrap();
    far.set_nonblocking(true).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let tabs = browser.then(|| open_tabs(plane.browsers().unwrap(), seats, stop.clone()));
    for n in 0..seats {
        let (trunk, seat) = (LegId(u64::from(n) * 2 + 1), LegId(u64::from(n) * 2 + 2));
        plane.command(MediaCommand::Open { leg: trunk, port: port(n) });
        plane.command(connect(trunk, far.local_addr().unwrap()));
        if browser {
            let (expect_rtp_within, rtp_timeout) = (None, None);
            plane.command(MediaCommand::OpenBrowser { leg: seat, seat: name(n), expect_rtp_within, rtp_timeout });
        } else {
            plane.command(MediaCommand::Open { leg: seat, port: port(seats + n) });
            plane.command(connect(seat, far.local_addr().unwrap()));
        }
        plane.command(MediaCommand::SetSource { leg: trunk, source: Source::Leg(seat) });
        plane.command(MediaCommand::SetSource { leg: seat, source: Source::Leg(trunk) });
    }
    let reader = plane.figures();
    while reader.read().legs_open < 2 * u64::from(seats) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let ports: Vec<u16> = (0..if browser { seats } else { 2 * seats }).map(port).collect();
    let (before, cpu, begun) = (reader.read(), cpu_of("media-0"), Instant::now());
    let mut sent = 0usize;
    while begun.elapsed() < RUN {
        let due = (begun.elapsed().as_secs_f64() * 50.0 * ports.len() as f64) as usize;
        while sent < due {
            let seq = (sent / ports.len()) as u16;
            let (timestamp, ssrc) = (u32::from(seq) * 160, (sent % ports.len()) as u32);
            let packet = Packet { payload_type: 8, marker: false, seq, timestamp, ssrc, payload: &[0xD5; 160] };
            let mut out = [0; 256];
            let len = packet.write(&mut out).unwrap();
            let _ = far.send_to(&out[..len], SocketAddr::new(HOST, ports[sent % ports.len()]));
            sent += 1;
        }
        while far.recv_from(&mut [0; 256]).is_ok() {}
        std::thread::sleep(Duration::from_micros(500));
    }
    std::thread::sleep(Duration::from_millis(200));
    let (cpu, after) = (cpu_of("media-0") - cpu, reader.read());
    stop.store(true, Relaxed);
    let offered = sent as u64 + tabs.map_or(0, |tabs| tabs.join().unwrap());
    plane.stop();
    let relayed = after.relayed - before.relayed;
    Outcome {
        cpu_per_1000: cpu.as_secs_f64() * 1_000.0 / relayed as f64,
        rate: relayed as f64 / RUN.as_secs_f64(),
        // The browsers go on a little longer than the figures are read.
        lost: if browser { after.lost } else { offered.saturating_sub(relayed) },
    }
}

/// Browsers that are connected when this returns, and then talk until told to stop. Gives how many packets they sent.
fn open_tabs(door: BrowserDoor, seats: u16, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<u64> {
    let mut tabs: Vec<Tab> = (0..seats).map(|n| Tab::at(&door, name(n).as_str(), CHROMIUM, 1_004.0)).collect();
    while !tabs.iter().all(|tab| tab.is_up) {
        tabs.iter_mut().for_each(Tab::turn);
    }
    std::thread::spawn(move || {
        let (begun, mut said) = (Instant::now(), 0usize);
        while !stop.load(Relaxed) {
            let due = (begun.elapsed().as_secs_f64() * 50.0 * tabs.len() as f64) as usize;
            while said < due {
                let nth = said % tabs.len();
                tabs[nth].say();
                tabs[nth].turn();
                tabs[nth].heard.clear();
                said += 1;
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        said as u64
    })
}

fn name(n: u16) -> SeatNo {
    SeatNo::new(format!("{}", 8_000 + n))
}

fn port(n: u16) -> u16 {
    FIRST_PORT + 2 * n
}

fn connect(leg: LegId, remote: SocketAddr) -> MediaCommand {
    let remote = Negotiated {
        srtp: None,
        remote_rtp: remote,
        // Nobody listens there.
        remote_rtcp: SocketAddr::new(HOST, 9),
        rtcp_mux: false,
        codec: Codec::Pcma,
        payload_type: 8,
        dtmf: Some(101),
        direction: Direction::SendRecv,
    };
    MediaCommand::Connect { leg, remote, also_from: None, expect_rtp_within: None, rtp_timeout: None }
}

/// CPU time so far of this process's thread with that name.
fn cpu_of(name: &str) -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten().map(|task| task.path());
    let path = tasks
        .into_iter()
        .find(|path| std::fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim() == name))
        .expect("the media thread");
    let text = std::fs::read_to_string(path.join("schedstat")).unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}
