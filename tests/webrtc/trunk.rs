//! SIPp as the trunk, behind a session border of the test's own: a proxy of its signalling and audio, so that what the trunk is
//! sent can be measured.

use crate::common::Hotline;
use crate::seats::{Heard, VOICES};
use crate::sipp::{Setup, Sipp};
use rexian::media::g711::alaw_to_linear;
use std::collections::VecDeque;
use std::f64::consts::TAU;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What is measured: a third of a second, as in the pages.
const WINDOW: usize = 2_720;
const PCMA: u8 = 8;

/// One call of SIPp's, in which it plays its tone until it is hung up.
pub struct Trunk {
    sipp: Sipp,
    heard: Arc<Mutex<VecDeque<(Instant, u8)>>>,
    over: Arc<AtomicBool>,
}

/// One direction's ends of something that passes.
struct Pass {
    from: UdpSocket,
    by: UdpSocket,
}

impl Trunk {
    pub fn call(hotline: &Hotline) -> Trunk {
        let [inner, outer, inner_audio, outer_audio] = [(); 4].map(|()| bind(hotline.carrier));
        let over = Arc::new(AtomicBool::new(false));
        let heard = Arc::new(Mutex::new(VecDeque::new()));
        // Where SIPp's signalling is, its audio, and the program's audio.
        let (sip, theirs, ours) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(None)), Arc::new(Mutex::new(None)));
        let gateway = hotline.sip();
        // Two calls at once are two programs.
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let setup = Setup {
            port: 5_060 + NEXT.fetch_add(1, Ordering::Relaxed),
            remote: inner.local_addr().unwrap(),
            ..Setup::carrier(hotline, hotline.carrier, "carrier_is_hung_up")
        };
        {
            let (sip, theirs, at) = (sip.clone(), theirs.clone(), outer_audio.local_addr().unwrap());
            pass(&over, &inner, &outer, move |message, from| {
                *sip.lock().unwrap() = Some(from);
                Some((led(message, at, &theirs), gateway))
            });
        }
        {
            let (sip, ours, at) = (sip.clone(), ours.clone(), inner_audio.local_addr().unwrap());
            pass(&over, &outer, &inner, move |message, _| Some((led(message, at, &ours), (*sip.lock().unwrap())?)));
        }
        {
            let ours = ours.clone();
            pass(&over, &inner_audio, &outer_audio, move |packet, _| Some((packet.to_vec(), (*ours.lock().unwrap())?)));
        }
        {
            let heard = heard.clone();
            pass(&over, &outer_audio, &inner_audio, move |packet, _| {
                if packet.len() > 12 && packet[1] & 0x7F == PCMA {
                    let (mut heard, now) = (heard.lock().unwrap(), Instant::now());
                    heard.extend(packet[12..].iter().map(|octet| (now, *octet)));
                    let spare = heard.len().saturating_sub(WINDOW);
                    heard.drain(..spare);
                }
                Some((packet.to_vec(), (*theirs.lock().unwrap())?))
            });
        }
        Trunk { sipp: setup.start(), heard, over }
    }

    pub fn hears(&self) -> Heard {
        let recent = |at: &Instant| at.elapsed() < Duration::from_millis(500);
        let heard: Vec<u8> = self.heard.lock().unwrap().iter().filter(|(at, _)| recent(at)).map(|(_, o)| *o).collect();
        of_alaw(&heard)
    }

    /// The program has hung up, and SIPp found nothing wrong.
    pub fn finish(self) {
        let Trunk { sipp, over, .. } = self;
        sipp.finish();
        over.store(true, Ordering::Relaxed);
    }
}

fn bind(ip: IpAddr) -> UdpSocket {
    let socket = UdpSocket::bind((ip, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    socket
}

/// What comes to one socket goes on from another.
fn pass(
    over: &Arc<AtomicBool>,
    from: &UdpSocket,
    by: &UdpSocket,
    mut on: impl FnMut(&[u8], SocketAddr) -> Option<(Vec<u8>, SocketAddr)> + Send + 'static,
) {
    let (over, Pass { from, by }) =
        (over.clone(), Pass { from: from.try_clone().unwrap(), by: by.try_clone().unwrap() });
    std::thread::spawn(move || {
        let mut buffer = [0; 8_192];
        while !over.load(Ordering::Relaxed) {
            if let Ok((len, at)) = from.recv_from(&mut buffer)
                && let Some((message, to)) = on(&buffer[..len], at)
            {
                let _ = by.send_to(&message, to);
            }
        }
    });
}

/// A message whose audio, if it speaks of any, is led to `here`; where it was to go is kept.
fn led(message: &[u8], here: SocketAddr, kept: &Mutex<Option<SocketAddr>>) -> Vec<u8> {
    let text = std::str::from_utf8(message).expect("SIP in UTF-8");
    let Some((head, body)) = text.split_once("\r\n\r\n").filter(|(_, body)| body.contains("\r\nm=audio ")) else {
        return message.to_vec();
    };
    let line = |start: &str| body.lines().find_map(|line| line.strip_prefix(start)).expect("a line of the description");
    let (ip, port) = (line("c=IN IP4 "), line("m=audio ").split(' ').next().unwrap());
    *kept.lock().unwrap() = Some(format!("{ip}:{port}").parse().expect("an address"));
    let body = body
        .replace(&format!("c=IN IP4 {ip}"), &format!("c=IN IP4 {}", here.ip()))
        .replace(&format!("m=audio {port} "), &format!("m=audio {} ", here.port()));
    let head: Vec<String> = head
        .lines()
        .map(|line| match line.split_once(':') {
            Some((name, _)) if name.eq_ignore_ascii_case("Content-Length") => format!("{name}: {}", body.len()),
            _ => line.to_owned(),
        })
        .collect();
    format!("{}\r\n\r\n{body}", head.join("\r\n")).into_bytes()
}

/// As the pages measure.
pub fn of_alaw(alaw: &[u8]) -> Heard {
    let samples: Vec<f64> = alaw.iter().map(|octet| f64::from(alaw_to_linear(*octet)) / 32_768.0).collect();
    let n = WINDOW.max(samples.len()) as f64;
    let decibels = |power: f64| 10.0 * (power + 1e-12).log10();
    let levels = VOICES.map(|(_, hz)| {
        let c = 2.0 * (TAU * f64::from(hz) / 8_000.0).cos();
        let (a, b) = samples
            .iter()
            .enumerate()
            .fold((0.0, 0.0), |(a, b), (at, sample)| (sample * (1.0 - (TAU * at as f64 / n).cos()) + c * a - b, a));
        decibels(2.0 * (a * a + b * b - c * a * b) / (n * n))
    });
    Heard { levels, all: decibels(samples.iter().map(|sample| sample * sample).sum::<f64>() / n) }
}
