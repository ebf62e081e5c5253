//! What a seat in a browser costs beside a seat with a SIP phone, in the same run: each seat in a call with a trunk's plain
//! leg, 50 packets a second each way. Prints CPU time of the media thread per 1,000 packets and how much of a core that
//! is, what was lost on either way, memory per seat and the time from a page's offer to the first audio it hears.
//!
//! The browsers are the library in its other role, in a process of their own (this program again), so that neither their
//! memory nor their CPU time is taken for the gateway's.

use rexian::config::settings::{BrowserSettings, MediaSettings, Settings, WorldSettings};
use rexian::ids::{LegId, SeatNo};
use rexian::media::rtp::Packet;
use rexian::media::{MediaPlane, PromptLibrary};
use rexian::plane::{Codec, Direction, MediaCommand, Negotiated, Source};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/webrtc/tab.rs"]
mod tab;
#[path = "webrtc/tabs.rs"]
mod tabs;
use tabs::Tabs;

const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const FIRST_PORT: u16 = 12_000;
const BROWSERS: u16 = 11_998;
const RUN: Duration = Duration::from_secs(5);
const ROUNDS: usize = 3;

fn main() {
    if let Some(seats) = tabs::asked_for() {
        return tabs::child(seats);
    }
    println!("seats in calls with a trunk; median of {ROUNDS} runs of {} s each\n", RUN.as_secs());
    println!(
        "{:>5}  {:<7}  {:>9}  {:>21}  {:>6}  {:>9}  {:>8}  {:>17}",
        "seats", "device", "packets/s", "CPU-s / 1,000 packets", "core", "lost", "KiB/seat", "audio p50 / p99 ms"
    );
    for seats in [20, 100, 300] {
        let (mut phones, mut browsers) = (Vec::new(), Vec::new());
        // In turn, so that a busy machine disturbs both alike.
        for _ in 0..ROUNDS {
            phones.push(run(seats, false));
            browsers.push(run(seats, true));
        }
        let (phones, browsers) = (median(phones), median(browsers));
        for (device, outcome) in [("SIP", &phones), ("browser", &browsers)] {
            let heard = outcome.heard_within.map_or(String::from("-"), |(p50, p99)| {
                format!("{:.1} / {:.1}", p50.as_secs_f64() * 1e3, p99.as_secs_f64() * 1e3)
            });
            println!(
                "{seats:>5}  {device:<7}  {:>9.0}  {:>21.5}  {:>5.1}%  {:>8.4}%  {:>8.1}  {heard:>17}",
                outcome.rate,
                outcome.cpu_per_1000,
                outcome.core * 100.0,
                outcome.lost * 100.0,
                outcome.kib_per_seat
            );
        }
        println!("{:>5}  ratio {:.2}\n", "", browsers.cpu_per_1000 / phones.cpu_per_1000);
    }
}

struct Outcome {
    cpu_per_1000: f64,
    /// Share of one core.
    core: f64,
    rate: f64,
    /// Share of all packets, both ways.
    lost: f64,
    /// Of the gateway's process, from the first seat's opening to the last one's talk; trunk leg included.
    kib_per_seat: f64,
    /// From the offer to the first audio packet in the browser, p50 and p99.
    heard_within: Option<(Duration, Duration)>,
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
    let reader = plane.figures();
    let idle = resident();
    for n in 0..seats {
        let (trunk, seat) = legs(n);
        plane.command(MediaCommand::Open { leg: trunk, port: port(n) });
        plane.command(connect(trunk, far.local_addr().unwrap()));
        if browser {
            let (expect_rtp_within, rtp_timeout) = (None, None);
            plane.command(MediaCommand::OpenBrowser { leg: seat, seat: name(n), expect_rtp_within, rtp_timeout });
            plane.command(MediaCommand::SetSource { leg: seat, source: Source::RingBack });
        } else {
            plane.command(MediaCommand::Open { leg: seat, port: port(seats + n) });
            plane.command(connect(seat, far.local_addr().unwrap()));
        }
    }
    while reader.read().legs_open < 2 * u64::from(seats) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut tabs = browser.then(|| Tabs::open(seats, &plane.browsers().unwrap(), name));
    for n in 0..seats {
        let (trunk, seat) = legs(n);
        plane.command(MediaCommand::SetSource { leg: trunk, source: Source::Leg(seat) });
        plane.command(MediaCommand::SetSource { leg: seat, source: Source::Leg(trunk) });
    }
    let ports: Vec<u16> = (0..if browser { seats } else { 2 * seats }).map(port).collect();
    if let Some(tabs) = &mut tabs {
        tabs.talk();
    }
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
    let kib_per_seat = (resident() - idle) / f64::from(seats);
    let relayed = after.relayed - before.relayed;
    let (heard_within, lost, of) = match tabs {
        Some(tabs) => {
            let heard_within = tabs.heard_within();
            let missed = tabs.stop();
            // The browsers talk a little longer than the figures are read: of what they said, what the gateway missed.
            (Some(heard_within), after.lost - before.lost + missed, relayed)
        }
        None => (None, (sent as u64).saturating_sub(relayed), sent as u64),
    };
    plane.stop();
    Outcome {
        cpu_per_1000: cpu.as_secs_f64() * 1_000.0 / relayed as f64,
        core: cpu.as_secs_f64() / RUN.as_secs_f64(),
        rate: relayed as f64 / RUN.as_secs_f64(),
        lost: lost as f64 / of as f64,
        kib_per_seat,
        heard_within,
    }
}

/// KiB of this process in memory.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// The trunk's and the seat's.
fn legs(n: u16) -> (LegId, LegId) {
    (LegId(u64::from(n) * 2 + 1), LegId(u64::from(n) * 2 + 2))
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
        webrtc: None,
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
