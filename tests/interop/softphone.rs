//! JsSIP and SIP.js in a real Chromium as seats' phones over secure WebSocket. `REXIAN_NPM` names the folder where `tests/run`
//! keeps their packages; the page is served from here, and says here what happens and what is heard.

use crate::common::chromium::{FLAGS, request};
use crate::common::{Hotline, password, until};
use serde_json::Value;
use std::collections::VecDeque;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

const PAGE: &str = include_str!("softphone.html");

/// What speaks SIP on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    JsSip,
    SipJs,
}

impl Library {
    /// Packages, and the file that each begins with.
    fn packages(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Library::JsSip => &[
                ("jssip", "lib/JsSIP.js"),
                ("debug", "src/browser.js"),
                ("ms", "index.js"),
                ("events", "events.js"),
                ("sdp-transform", "lib/index.js"),
            ],
            Library::SipJs => &[("sip.js", "lib/index.js")],
        }
    }

    /// Where each package is. `None`: it is not here, or there is no browser for it.
    pub fn found(self) -> Option<Found> {
        if !crate::has("chromium") {
            return None;
        }
        let folder = std::env::var_os("REXIAN_NPM").map(PathBuf::from);
        let at = |name: &str| {
            let entries = std::fs::read_dir(folder.as_ref()?).ok()?;
            let is = |file: &str| {
                file.strip_prefix(name)?.strip_prefix('-')?.starts_with(|c: char| c.is_ascii_digit()).then_some(())
            };
            entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).find(|file| is(file).is_some())
        };
        let mains: Option<Vec<_>> = self
            .packages()
            .iter()
            .map(|(name, main)| Some((name.to_string(), format!("{}/{main}", at(name)?))))
            .filter(|main| main.as_ref().is_none_or(|(_, file)| folder.as_ref().is_some_and(|f| f.join(file).exists())))
            .collect();
        let mains = mains.filter(|mains| mains.len() == self.packages().len());
        let required = ["CI", "REXIAN_REQUIRE_CLIENTS"].iter().any(|name| std::env::var_os(name).is_some());
        assert!(
            mains.is_some() || !required,
            "{self:?} is not in REXIAN_NPM and clients are required: run tests/run, which fetches it"
        );
        if mains.is_none() {
            eprintln!("SKIPPED: {self:?} is not in REXIAN_NPM, so nothing was tested; tests/run fetches it");
        }
        Some(Found { library: self, folder: folder?, mains: mains? })
    }
}

pub struct Found {
    library: Library,
    folder: PathBuf,
    mains: Vec<(String, String)>,
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

pub struct Softphone {
    process: Child,
    _folder: tempfile::TempDir,
    told: Arc<Mutex<Vec<Value>>>,
    orders: Arc<Mutex<VecDeque<String>>>,
}

impl Softphone {
    /// Seat 80`n`'s phone, whose microphone says this tone.
    pub fn start(hotline: &Hotline, place: Place, found: Found, n: u8, tone: f32) -> Softphone {
        let (phone, sip_js) = match found.library {
            Library::JsSip => (include_str!("jssip.mjs"), String::new()),
            Library::SipJs => (include_str!("sipjs.mjs"), found.mains[0].1.split('/').next().unwrap().to_owned()),
        };
        let mains = Value::from_iter(found.mains);
        let page = PAGE
            .replace("PHONE", phone)
            .replace("SIPJS", &sip_js)
            .replace("MAINS", &mains.to_string())
            .replace("WSS", &format!("wss://{}/sip", hotline.wss()))
            .replace("USER", &format!("80{n:02}"))
            .replace("DOMAIN", hotline.domain())
            .replace("PASSWORD", &password(n))
            .replace("TONE", &tone.to_string());
        let told = Arc::new(Mutex::new(vec![]));
        let orders = Arc::new(Mutex::new(VecDeque::new()));
        let (url, hears, obeys) = (place.origin(), told.clone(), orders.clone());
        std::thread::spawn(move || {
            for stream in place.0.incoming().flatten() {
                let _ = serve(stream, &page, &found.folder, &hears, &obeys);
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let process = Command::new("chromium")
            .args(FLAGS)
            // The tests' own CA is in no browser.
            .args(["--ignore-certificate-errors", "--autoplay-policy=no-user-gesture-required"])
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .arg(url)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium starts");
        Softphone { process, _folder: folder, told, orders }
    }

    /// What the page has told of this kind.
    pub fn told(&self, what: &str) -> Vec<Value> {
        let told = self.told.lock().unwrap();
        if let Some(error) = told.iter().find(|told| told["what"] == "error") {
            panic!("the page says: {}", error["text"]);
        }
        told.iter().filter(|told| told["what"] == what).cloned().collect()
    }

    pub fn wait_told(&self, what: &str, times: usize) {
        until(&format!("{what}, {times} times, of the page"), || (self.told(what).len() >= times).then_some(()));
    }

    /// Forgets what it heard.
    pub fn forget(&self) {
        self.told.lock().unwrap().retain(|told| told["what"] != "heard");
    }

    /// The last measurement, if one has been taken: the loudest tone and how loud it is.
    pub fn hears(&self) -> Option<(f64, f64)> {
        let last = self.told("heard").pop()?;
        // JSON has no word for perfect silence.
        Some((last["hz"].as_f64()?, last["db"].as_f64().unwrap_or(f64::NEG_INFINITY)))
    }

    /// Is it this tone that is heard?
    pub fn hears_tone(&self, hz: f32) -> bool {
        self.hears().is_some_and(|(heard, db)| (heard - f64::from(hz)).abs() < 15.0 && db > -50.0)
    }

    pub fn hears_nothing(&self) -> bool {
        self.hears().is_some_and(|(_, db)| db < -70.0)
    }

    pub fn order(&self, order: &str) {
        self.orders.lock().unwrap().push_back(order.to_owned());
    }
}

impl Drop for Softphone {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let told = self.told.lock().unwrap();
            eprintln!("--- the page told:");
            told.iter().filter(|told| told["what"] != "heard").for_each(|told| eprintln!("{told}"));
            eprintln!("last heard: {:?}", told.iter().rev().find(|told| told["what"] == "heard"));
        }
    }
}

/// One request; the browser opens another connection for the next.
fn serve(
    stream: TcpStream,
    page: &str,
    folder: &Path,
    told: &Mutex<Vec<Value>>,
    orders: &Mutex<VecDeque<String>>,
) -> std::io::Result<()> {
    let Some((path, body)) = request(&mut BufReader::new(&stream)) else { return Ok(()) };
    let (status, kind, reply) = match path.as_str() {
        "/" => ("200 OK", "text/html", page.to_owned()),
        "/order" => ("200 OK", "text/plain", orders.lock().unwrap().pop_front().unwrap_or_default()),
        "/told" => {
            told.lock().unwrap().push(serde_json::from_slice(&body).unwrap_or_default());
            ("200 OK", "text/plain", String::new())
        }
        other => {
            let file = other.strip_prefix("/npm/").filter(|file| !file.contains("..")).map(|file| folder.join(file));
            match file.and_then(|file| std::fs::read_to_string(file).ok()) {
                Some(text) => ("200 OK", "text/javascript", text),
                None => ("404 Not Found", "text/plain", String::new()),
            }
        }
    };
    write!(
        &stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{reply}",
        reply.len()
    )
}
