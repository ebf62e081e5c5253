//! Calls under attack. A hundred callers stay on the line and hear music while others call, twenty a second: what is
//! lost of the music, and how long the others' set-up takes, undisturbed and then under each attack in turn.
//!
//!     cargo bench --bench flood                                 # all attacks, 15 s each
//!     cargo bench --bench flood -- --rate 10000 --seconds 30
//!
//! strangers: INVITEs from unknown addresses (127.66.0.0/16). unacknowledged: INVITEs of a known trunk, 500/s, whose 200s
//! nobody acknowledges. guesses: REGISTERs with wrong passwords from unknown addresses. Needs Linux: all of 127/8 is ours.

#[path = "bed/mod.rs"]
mod bed;

use bed::{Bed, option};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const HELD: usize = 100;
/// Sources of the flood.
const SOURCES: u8 = 200;
const PROBES_PER_SECOND: u32 = 20;

fn main() {
    let number = |name: &str, usual: u32| option(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (rate, seconds) = (number("--rate", 10_000), number("--seconds", 15));
    let bed = Bed::start("on-queue", 2_000);
    let gateway = SocketAddr::from(([127, 0, 0, 1], bed.sip));
    let mut callers = Callers::new(gateway);
    callers.hold(HELD);
    println!(
        "{:>16} {:>9} {:>8} {:>8} {:>9} {:>9} {:>11} {:>9} {:>8}",
        "attack", "sent/s", "set up", "failed", "p50 ms", "p99 ms", "RTP packets", "lost", "CPU %"
    );
    for (attack, per_second) in [("none", 0), ("strangers", rate), ("unacknowledged", 500), ("guesses", 1_000)] {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let flood = (per_second > 0).then(|| {
            let (stop, sent) = (stop.clone(), sent.clone());
            std::thread::spawn(move || flood(attack, gateway, per_second, &stop, &sent))
        });
        let (cpu, begun) = (bed.cpu(), Instant::now());
        let seen = callers.call_for(Duration::from_secs(seconds.into()));
        let took = begun.elapsed().as_secs_f64();
        let busy = (bed.cpu() - cpu) * 100.0 / took;
        stop.store(true, Ordering::Relaxed);
        let _ = flood.map(std::thread::JoinHandle::join);
        let Seen { mut setups, failed, packets, lost } = seen;
        setups.sort();
        let at = |share: usize| setups.get(setups.len() * share / 100).map_or(f64::NAN, |d| d.as_secs_f64() * 1e3);
        let sent = sent.load(Ordering::Relaxed) as f64 / took;
        println!(
            "{attack:>16} {sent:>9.0} {:>8} {failed:>8} {:>9.2} {:>9.2} {packets:>11} {lost:>9} {busy:>8.1}",
            setups.len(),
            at(50),
            at(99)
        );
    }
}

fn flood(attack: &str, gateway: SocketAddr, per_second: u32, stop: &AtomicBool, sent: &AtomicU64) {
    let sources: Vec<UdpSocket> = match attack {
        "unacknowledged" => vec![UdpSocket::bind("127.0.0.2:0").expect("a socket")],
        _ => (0..SOURCES).map(|n| UdpSocket::bind((Ipv4Addr::new(127, 66, n, 7), 0)).expect("a socket")).collect(),
    };
    let begun = Instant::now();
    let mut n = 0u64;
    while !stop.load(Ordering::Relaxed) {
        if n >= (begun.elapsed().as_secs_f64() * f64::from(per_second)) as u64 {
            std::thread::sleep(Duration::from_micros(500));
            continue;
        }
        let socket = &sources[n as usize % sources.len()];
        let local = socket.local_addr().expect("bound");
        let message = match attack {
            "guesses" => guess(local, n),
            _ => invite(gateway, local, 9, &format!("flood-{n}")),
        };
        let _ = socket.send_to(message.as_bytes(), gateway);
        sent.fetch_add(1, Ordering::Relaxed);
        n += 1;
    }
}

fn guess(local: SocketAddr, n: u64) -> String {
    let seat = 8_001 + n % bed::SEATS as u64;
    format!(
        "REGISTER sip:rexian.local SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bKq{n};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:{seat}@rexian.local>;tag=q{n}\r\nTo: <sip:{seat}@rexian.local>\r\nCall-ID: q{n}@{local}\r\n\
         CSeq: 1 REGISTER\r\nContact: <sip:{seat}@{local}>\r\nAuthorization: Digest username=\"{seat}\", \
         realm=\"rexian.local\", nonce=\"{n:064x}\", uri=\"sip:rexian.local\", response=\"{n:032x}\", algorithm=MD5\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

fn invite(gateway: SocketAddr, local: SocketAddr, rtp: u16, id: &str) -> String {
    let ip = local.ip();
    let sdp = format!("v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {rtp} RTP/AVP 8\r\n");
    format!(
        "INVITE sip:12345@{gateway} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{id};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:053187654321@{local}>;tag={id}\r\nTo: <sip:12345@{gateway}>\r\nCall-ID: {id}\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:{local}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    )
}

struct Seen {
    setups: Vec<Duration>,
    failed: usize,
    packets: u64,
    lost: u64,
}

/// The trunk's honest callers.
struct Callers {
    gateway: SocketAddr,
    sip: UdpSocket,
    /// All music comes here; the sender's port tells the calls apart.
    rtp: UdpSocket,
    /// Of callers who hang up at once.
    nowhere: UdpSocket,
    serial: u64,
    /// Last sequence number by sender.
    heard: BTreeMap<SocketAddr, u16>,
}

impl Callers {
    fn new(gateway: SocketAddr) -> Callers {
        let socket = || {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            socket.set_nonblocking(true).expect("non-blocking");
            socket
        };
        Callers { gateway, sip: socket(), rtp: socket(), nowhere: socket(), serial: 0, heard: BTreeMap::new() }
    }

    fn invite(&mut self, rtp: u16) -> (String, Instant) {
        self.serial += 1;
        let id = format!("honest-{}-{}", std::process::id(), self.serial);
        let local = self.sip.local_addr().expect("bound");
        let sent = Instant::now();
        let _ = self.sip.send_to(invite(self.gateway, local, rtp, &id).as_bytes(), self.gateway);
        (id, sent)
    }

    /// The next final answer: its Call-ID, its status and itself.
    fn answer(&self) -> Option<(String, u16, String)> {
        let mut buffer = [0; 8_192];
        let (n, _) = self.sip.recv_from(&mut buffer).ok()?;
        let text = String::from_utf8_lossy(&buffer[..n]).into_owned();
        let status =
            text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)).and_then(|s| s.parse().ok()).unwrap_or(0);
        Some((header(&text, "Call-ID: "), status, text))
    }

    fn in_dialog(&self, method: &str, number: u32, answer: &str) {
        let local = self.sip.local_addr().expect("bound");
        let target = header(answer, "Contact: <");
        let (uri, id) = (target.trim_end_matches('>'), header(answer, "Call-ID: "));
        let message = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {local};branch=z9hG4bK{method}{id};rport\r\nMax-Forwards: 70\r\n\
             From: {}\r\nTo: {}\r\nCall-ID: {id}\r\nCSeq: {number} {method}\r\nContent-Length: 0\r\n\r\n",
            header(answer, "From: "),
            header(answer, "To: ")
        );
        let _ = self.sip.send_to(message.as_bytes(), self.gateway);
    }

    /// Calls that stay.
    fn hold(&mut self, calls: usize) {
        let port = self.rtp.local_addr().expect("bound").port();
        for _ in 0..calls {
            self.invite(port);
            std::thread::sleep(Duration::from_millis(5));
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut up = 0;
        while up < calls {
            assert!(Instant::now() < deadline, "only {up} of {calls} calls were answered");
            match self.answer() {
                Some((_, 200, answer)) => {
                    self.in_dialog("ACK", 1, &answer);
                    up += 1;
                }
                Some((_, status, answer)) => assert!(status < 200, "{answer}"),
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
        self.listen(Duration::from_secs(1));
    }

    fn listen(&mut self, time: Duration) -> (u64, u64) {
        let until = Instant::now() + time;
        let (mut packets, mut lost) = (0, 0);
        while Instant::now() < until {
            self.hear(&mut packets, &mut lost);
            std::thread::sleep(Duration::from_millis(1));
        }
        (packets, lost)
    }

    fn hear(&mut self, packets: &mut u64, lost: &mut u64) {
        let mut buffer = [0; 2_048];
        while let Ok((n, from)) = self.rtp.recv_from(&mut buffer) {
            // RTCP comes from elsewhere; RTP is version 2, type 8.
            if n < 12 || buffer[0] >> 6 != 2 || buffer[1] & 0x7f != 8 {
                continue;
            }
            let number = u16::from_be_bytes([buffer[2], buffer[3]]);
            if let Some(last) = self.heard.insert(from, number) {
                *lost += u64::from(number.wrapping_sub(last).wrapping_sub(1).min(1_000));
            }
            *packets += 1;
        }
        while self.nowhere.recv_from(&mut buffer).is_ok() {}
    }

    /// New calls come and go; each is hung up when it is answered. No repeats: what is lost has failed.
    fn call_for(&mut self, time: Duration) -> Seen {
        let port = self.nowhere.local_addr().expect("bound").port();
        let mut seen = Seen { setups: vec![], failed: 0, packets: 0, lost: 0 };
        let mut open: BTreeMap<String, Instant> = BTreeMap::new();
        let begun = Instant::now();
        let (mut placed, end) = (0, begun + time);
        while Instant::now() < end + Duration::from_secs(1) {
            let due = (begun.elapsed().as_secs_f64() * f64::from(PROBES_PER_SECOND)) as u32;
            if placed < due && Instant::now() < end {
                let (id, sent) = self.invite(port);
                open.insert(id, sent);
                placed += 1;
            }
            self.hear(&mut seen.packets, &mut seen.lost);
            match self.answer() {
                Some((id, 200, answer)) if header(&answer, "CSeq: ").ends_with("INVITE") => {
                    self.in_dialog("ACK", 1, &answer);
                    if let Some(sent) = open.remove(&id) {
                        seen.setups.push(sent.elapsed());
                        self.in_dialog("BYE", 2, &answer);
                    }
                }
                Some((id, 300.., _)) => seen.failed += usize::from(open.remove(&id).is_some()),
                Some(_) => {}
                None => std::thread::sleep(Duration::from_micros(200)),
            }
        }
        seen.failed += open.len();
        seen
    }
}

fn header(message: &str, name: &str) -> String {
    message.split("\r\n").find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned()
}
