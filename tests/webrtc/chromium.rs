//! A real browser, headless, with a file as its microphone: its page is served from here, offers here, and says here what it
//! hears. Nothing is driven from outside but by what the page asks for, so any Chromium will do.

use crate::common::chromium::{FLAGS, is_there, request};
use rexian::media::tone::RATE;
use rexian::media::webrtc::BrowserDoor;
use std::collections::VecDeque;
use std::f32::consts::TAU;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

const PAGE: &str = include_str!("page.html");
pub struct Chromium {
    process: Child,
    _folder: tempfile::TempDir,
    page: Arc<Mutex<Page>>,
}

/// What passes between the test and the page.
#[derive(Default)]
pub struct Page {
    pub orders: VecDeque<String>,
    pub told: Vec<serde_json::Value>,
    offers: usize,
}

impl Chromium {
    /// `None`: there is none on this machine, and none is required.
    pub fn start(door: BrowserDoor, seat: &'static str, hz: f32) -> Option<Chromium> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let page = Arc::new(Mutex::new(Page::default()));
        let served = page.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (door, page) = (door.clone(), served.clone());
                std::thread::spawn(move || serve(stream, &door, seat, &page));
            }
        });
        Chromium::open(&url, page, hz)
    }

    /// A page that somebody else serves.
    pub fn open(url: &str, page: Arc<Mutex<Page>>, hz: f32) -> Option<Chromium> {
        if !is_there() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let microphone = folder.path().join("microphone.wav");
        write_tone(&microphone, hz);
        let process = Command::new("chromium")
            .args(FLAGS)
            .arg("--autoplay-policy=no-user-gesture-required")
            .arg(format!("--use-file-for-fake-audio-capture={}", microphone.display()))
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium starts");
        Some(Chromium { process, _folder: folder, page })
    }

    pub fn order(&self, what: &str) {
        self.page.lock().unwrap().orders.push_back(what.to_owned());
    }

    /// Offers made so far, further ones included.
    pub fn offers(&self) -> usize {
        self.page.lock().unwrap().offers
    }

    /// Forgets what the page heard.
    pub fn forget(&self) {
        self.page.lock().unwrap().told.clear();
    }

    /// Forgets what it told of this.
    pub fn unsay(&self, what: &str) {
        self.page.lock().unwrap().told.retain(|told| told.get(what).is_none());
    }

    /// All that the page told.
    pub fn told(&self) -> Vec<serde_json::Value> {
        let page = self.page.lock().unwrap();
        if let Some(error) = page.told.iter().find_map(|told| told["error"].as_str()) {
            panic!("the page says: {error}");
        }
        page.told.clone()
    }

    /// The newest of this that the page told.
    pub fn latest(&self, what: &str) -> Option<serde_json::Value> {
        self.told().into_iter().rev().find_map(|mut told| Some(told.get_mut(what)?.take()))
    }

    /// Frequency and level of the loudest tone in each of the page's measurements.
    pub fn heard(&self) -> Vec<(f64, f64)> {
        self.told().iter().filter_map(|told| Some((told["hz"].as_f64()?, told["db"].as_f64()?))).collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(stream: TcpStream, door: &BrowserDoor, seat: &str, page: &Mutex<Page>) {
    let mut reader = BufReader::new(&stream);
    while let Some((path, body)) = request(&mut reader) {
        let body = String::from_utf8(body).unwrap();
        let (status, kind, reply) = match path.as_str() {
            "/" => (200, "text/html", PAGE.to_owned()),
            path @ ("/offer" | "/reoffer") => {
                let asked = match path {
                    "/offer" => crate::tab::outcome(|reply| door.accept(seat.into(), &body, reply)),
                    _ => crate::tab::outcome(|reply| door.reoffer(seat.into(), &body, reply)),
                };
                page.lock().unwrap().offers += 1;
                match asked {
                    Ok(answer) => (200, "application/sdp", answer),
                    Err(refusal) => (400, "text/plain", format!("{refusal}: {body}")),
                }
            }
            "/next" => (200, "text/plain", page.lock().unwrap().orders.pop_front().unwrap_or_default()),
            "/told" => {
                page.lock().unwrap().told.push(serde_json::from_str(&body).unwrap());
                (200, "text/plain", String::new())
            }
            _ => (404, "text/plain", String::new()),
        };
        let head = format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", reply.len());
        if (&stream).write_all((head + &reply).as_bytes()).is_err() {
            return;
        }
    }
}

/// Half a minute of a tone: where the browser begins it again there is a seam, however well the ends meet.
pub fn write_tone(path: &std::path::Path, hz: f32) {
    let rate = 6 * RATE;
    let spec =
        hound::WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut file = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..30 * rate {
        let sample = (TAU * (hz * (n % rate) as f32 / rate as f32)).sin() * 8_000.0;
        file.write_sample(sample as i16).unwrap();
    }
    file.finalize().unwrap();
}
