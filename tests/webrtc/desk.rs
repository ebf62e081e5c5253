//! The whole of it: the real program, a trunk's calls, and a real browser whose page signs in, rings, answers and reloads.
//! The page is the test's own, set before the program's pages by a proxy, so that cookie, origin and socket are as in life.

use crate::chromium::{Chromium, Page};
use crate::common::caller::{CALLER_TONE, Street};
use crate::common::{Hotline, Server, password};
use rexian::demo::field::Who;
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PAGE: &str = include_str!("desk.html");
/// Fits a bin of the page's analyser well, and no multiple of the caller's.
const MICROPHONE: f32 = 1_000.0;

struct Desk {
    server: Server,
    street: Street,
    chromium: Chromium,
}

impl Desk {
    /// Signed in at 8001 with audio, and ready. `None`: no Chromium here.
    fn open() -> Option<Desk> {
        let server = Hotline { pages: true, browsers: true, ..Hotline::new() }.start();
        let street = Street::new(&server.hotline);
        let page = Arc::new(Mutex::new(Page::default()));
        let url = serve(server.hotline.pages(), page.clone());
        let chromium = Chromium::open(&url, page, MICROPHONE)?;
        let mut desk = Desk { server, street, chromium };
        desk.until("audio", |screen| screen["audio"] == "browser");
        desk.order(json!({"order": "ready"}));
        desk.until("a ready agent", |screen| screen["state"] == "ready");
        Some(desk)
    }

    /// Everybody talks until the page's newest screen is so.
    fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let chromium = &self.chromium;
        self.street.run_until(what, |_| chromium.latest("screen").is_some_and(|screen| wanted(&screen)));
        self.chromium.latest("screen").expect("just seen")
    }

    fn order(&mut self, order: Value) {
        assert_eq!(self.unable(order.clone()), Value::Null, "{order}");
    }

    /// An order of the page, and why it was not carried out.
    fn unable(&mut self, order: Value) -> Value {
        let text = order.to_string();
        self.chromium.order(&text);
        let chromium = &self.chromium;
        let done = |told: &Value| told["done"] == text.as_str();
        self.street.run_until(&text, |_| chromium.told().iter().any(done));
        let told = chromium.told().into_iter().rev().find(done).expect("just told");
        self.chromium.unsay("done");
        told["unable"].clone()
    }

    /// From now on the page hears this tone for half a second, and the caller the microphone's.
    fn both_tones(&mut self, call: usize) {
        self.street.field.listen_at_call(call, MICROPHONE);
        self.page_hears(f64::from(CALLER_TONE));
        self.street.run_until("the microphone at the caller", |field| field.heard_by_call(call).tone);
    }

    fn page_hears(&mut self, hz: f64) {
        self.chromium.unsay("hz");
        let chromium = &self.chromium;
        self.street.run_until(&format!("{hz} Hz in the page"), |_| {
            chromium.heard().iter().rev().take_while(|(heard, db)| (heard - hz).abs() < 8.0 && *db > -40.0).count() >= 3
        });
    }

    fn caller_hears_no_agent(&mut self, call: usize) {
        self.street.field.listen_at_call(call, MICROPHONE);
        self.street.run(Duration::from_millis(800));
        assert!(!self.street.field.heard_by_call(call).tone, "the caller hears the agent");
    }
}

#[test]
fn a_trunks_call_rings_in_a_browser_and_survives_its_reload() {
    let Some(mut desk) = Desk::open() else { return };
    desk.order(json!({"order": "test_call"}));
    desk.page_hears(f64::from(MICROPHONE));

    let call = desk.street.call();
    desk.until("the ring", |screen| screen["call"]["stage"] == "ringing");
    desk.order(json!({"order": "answer"}));
    let screen = desk.until("the talk", |screen| screen["call"]["stage"] == "talking");
    let id = screen["call"]["call"].clone();
    desk.both_tones(call);

    desk.order(json!({"order": "hold"}));
    desk.until("the hold", |screen| screen["call"]["stage"] == "held");
    desk.caller_hears_no_agent(call);
    desk.order(json!({"order": "resume"}));
    desk.both_tones(call);

    desk.chromium.order("restart");
    desk.both_tones(call);

    desk.chromium.unsay("screen");
    desk.chromium.order("reload");
    let again = desk.until("the page again", |screen| screen["audio"] == "browser" && screen["state"] == "talking");
    assert_eq!(again["call"]["call"], id, "the same call");
    desk.both_tones(call);

    desk.order(json!({"order": "hang_up"}));
    desk.street.wait_ended(Who::Call(call));
    assert_eq!(desk.unable(json!({"order": "hang_up"})), "no_call");
    crate::common::until("the ticket", || (desk.server.tickets().len() == 1).then_some(()));

    // Another window takes the audio; signing out ends it wherever it is.
    desk.chromium.order("window");
    let chromium = &desk.chromium;
    desk.street.run_until("the first window is told", |_| chromium.latest("audio").is_some_and(|a| a == "replaced"));
    desk.until("the other's audio", |screen| screen["audio"] == "browser");
    assert_eq!(desk.unable(json!({"order": "audio_offer", "sdp": "v=0"})), "bad_offer");
    assert_eq!(desk.unable(json!({"order": "dance"})), "unknown_order");
    desk.order(json!({"order": "sign_out"}));
    assert_eq!(desk.unable(json!({"order": "audio_offer", "sdp": "v=0"})), "not_signed_in");
    desk.order(json!({"order": "sign_in", "seat": "8001"}));
    desk.until("a seat without audio", |screen| screen["seat"] == "8001" && screen["audio"].is_null());
}

/// Before the program's pages: the test's own page and what passes to and from it; all else is the program's.
fn serve(pages: SocketAddr, page: Arc<Mutex<Page>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/test", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let page = page.clone();
            // A browser that goes away is no failure of the test.
            std::thread::spawn(move || drop(one(stream, pages, &page)));
        }
    });
    url
}

fn one(mut stream: TcpStream, pages: SocketAddr, page: &Mutex<Page>) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("ASCII");
    let path = head.split(' ').nth(1).unwrap_or("");
    if !["/test", "/next", "/told", "/secret", "/favicon.ico"].contains(&path) {
        let mut there = TcpStream::connect(pages)?;
        // One request each, so that the next may be ours.
        there.write_all(head.replace("Connection: keep-alive", "Connection: close").as_bytes())?;
        let (mut from, mut to) = (stream.try_clone()?, there.try_clone()?);
        std::thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
        io::copy(&mut there, &mut stream)?;
        return stream.shutdown(Shutdown::Both);
    }
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    let (kind, reply) = match path {
        "/test" => ("text/html", PAGE.to_owned()),
        "/secret" => ("application/json", json!({"agent": "6601", "password": password(1_usize)}).to_string()),
        "/next" => ("text/plain", page.lock().unwrap().orders.pop_front().unwrap_or_default()),
        "/told" => {
            page.lock().unwrap().told.push(serde_json::from_slice(&body).expect("JSON"));
            ("text/plain", String::new())
        }
        _ => ("text/plain", String::new()),
    };
    let length = reply.len();
    let head =
        format!("HTTP/1.1 200 X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all((head + &reply).as_bytes())
}
