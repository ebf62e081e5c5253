//! JsSIP in a real Chromium as a seat's phone over secure WebSocket. `REXIAN_JSSIP` names JsSIP as one file (a browser build);
//! its page is served from here, and says here what happens.

use crate::common::chromium::{FLAGS, request};
use crate::common::{Hotline, password};
use serde_json::Value;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><script src="/jssip.js"></script><script>
const tell = (what, more) => fetch("/told", { method: "POST", body: JSON.stringify({ what, ...more }) });
const phone = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface("WSS")], uri: "sip:8001@DOMAIN", password: "PASSWORD", register_expires: 120,
});
for (const what of ["connected", "disconnected", "registered", "registrationFailed"])
    phone.on(what, (e) => tell(what, { cause: e.cause ?? null, code: e.response?.status_code ?? null }));
phone.on("newRTCSession", ({ originator, session }) => {
    tell("call", { originator, from: session.remote_identity.uri.user });
    for (const what of ["confirmed", "ended", "failed"])
        session.on(what, (e) => tell(what, { originator, cause: e.cause ?? null, code: e.message?.status_code ?? null }));
    if (originator === "remote") session.answer({ mediaConstraints: { audio: true, video: false } });
});
const dial = (number) => phone.call(`sip:${number}@DOMAIN`, { mediaConstraints: { audio: true, video: false } });
const orders = async () => {
    for (;;) {
        const order = await (await fetch("/order")).text();
        if (order === "stop") phone.stop();
        else if (order) dial(order);
        await new Promise((later) => setTimeout(later, 100));
    }
};
phone.start();
orders();
</script>"#;

pub struct JsSip {
    process: Child,
    _folder: tempfile::TempDir,
    told: Arc<Mutex<Vec<Value>>>,
    order: Arc<Mutex<Option<String>>>,
}

/// Where the page will be served, as [`Hotline::web`] must name it.
pub struct Place(TcpListener);

impl Place {
    pub fn new() -> Place {
        Place(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }
}

/// The file, if there is one and a browser for it.
pub fn found() -> Option<PathBuf> {
    let file = std::env::var_os("REXIAN_JSSIP").map(PathBuf::from);
    let file = file.filter(|_| crate::has("chromium"));
    if file.is_none() {
        eprintln!("SKIPPED: REXIAN_JSSIP names no file with JsSIP, or there is no chromium, so nothing was tested");
    }
    file
}

impl JsSip {
    pub fn start(hotline: &Hotline, place: Place, file: &PathBuf) -> JsSip {
        let library = std::fs::read_to_string(file).expect("JsSIP");
        let page = PAGE
            .replace("WSS", &format!("wss://{}/sip", hotline.wss()))
            .replace("DOMAIN", hotline.domain())
            .replace("PASSWORD", &password(1_usize));
        let (told, order) = (Arc::new(Mutex::new(vec![])), Arc::new(Mutex::new(None)));
        let url = place.origin();
        let (hears, orders) = (told.clone(), order.clone());
        std::thread::spawn(move || {
            for stream in place.0.incoming().flatten() {
                let _ = serve(stream, &page, &library, &hears, &orders);
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let process = Command::new("chromium")
            .args(FLAGS)
            // The tests' own CA is in no browser.
            .arg("--ignore-certificate-errors")
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium starts");
        JsSip { process, _folder: folder, told, order }
    }

    /// What the page has told of this kind.
    pub fn told(&self, what: &str) -> Vec<Value> {
        self.told.lock().unwrap().iter().filter(|told| told["what"] == what).cloned().collect()
    }

    pub fn dial(&self, number: &str) {
        *self.order.lock().unwrap() = Some(number.to_owned());
    }

    /// It takes its leave.
    pub fn stop(&self) {
        self.dial("stop");
    }
}

impl Drop for JsSip {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One request; the browser opens another connection for the next.
fn serve(
    stream: TcpStream,
    page: &str,
    library: &str,
    told: &Mutex<Vec<Value>>,
    order: &Mutex<Option<String>>,
) -> std::io::Result<()> {
    let Some((path, body)) = request(&mut BufReader::new(&stream)) else { return Ok(()) };
    let (kind, reply) = match path.as_str() {
        "/" => ("text/html", page.to_owned()),
        "/jssip.js" => ("text/javascript", library.to_owned()),
        "/order" => ("text/plain", order.lock().unwrap().take().unwrap_or_default()),
        "/told" => {
            told.lock().unwrap().push(serde_json::from_slice(&body).unwrap_or_default());
            ("text/plain", String::new())
        }
        _ => ("text/plain", String::new()),
    };
    write!(
        &stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}; charset=utf-8\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{reply}",
        reply.len()
    )
}
