//! A real Chromium, headless, driven over its DevTools pipe: what somebody sees, presses and types, and every complaint of the
//! browser about the page.

use super::SOON;
use base64::Engine;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Of every browser of the tests.
pub const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
];

/// False: there is none on this machine, and none is required.
pub fn is_there() -> bool {
    let found = Command::new("chromium").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        let required = ["CI", "REXIAN_REQUIRE_CLIENTS"].iter().any(|name| std::env::var_os(name).is_some());
        assert!(!required, "no chromium on this machine");
        eprintln!("skipped: no chromium on this machine");
    }
    found.is_ok()
}

/// The next HTTP request of a page that a test serves itself: path and body. `None`: there is none.
pub fn request(from: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    from.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        if from.read_line(&mut header).unwrap_or(0) == 0 || header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some((path, body))
}

/// One window.
pub struct Chromium {
    process: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    next: u64,
    session: String,
    /// What the browser had to say about the page: exceptions, errors, breaches of the policy.
    pub complaints: Vec<String>,
    _folder: tempfile::TempDir,
}

impl Chromium {
    /// `None`: there is none on this machine, and none is required. `microphone`: a WAV file to be heard in it.
    pub fn start(microphone: Option<&Path>) -> Option<Chromium> {
        Chromium::start_with(microphone, &[])
    }

    /// With further flags.
    pub fn start_with(microphone: Option<&Path>, flags: &[&str]) -> Option<Chromium> {
        if !is_there() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        // It reads DevTools from descriptor 3 and writes to 4.
        let mut command = Command::new("sh");
        command.args(["-c", "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null", "sh"]).args(FLAGS).args(flags);
        command.args(["--remote-debugging-pipe", "--window-size=1366,768"]);
        // All its processes at once are frozen, thawed and killed.
        command.process_group(0);
        if let Some(file) = microphone {
            command.arg(format!("--use-file-for-fake-audio-capture={}", file.display()));
        }
        command.arg(format!("--user-data-dir={}", folder.path().display())).arg("about:blank");
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("sh");
        let (to, mut out) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let (sender, from) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while out.read_until(0, &mut message).is_ok_and(|n| n > 0) {
                message.pop();
                let heard = serde_json::from_slice(&message).expect("DevTools speaks JSON");
                message.clear();
                if sender.send(heard).is_err() {
                    return;
                }
            }
        });
        let (session, complaints) = (String::new(), vec![]);
        let mut browser = Chromium { process, to, from, next: 0, session, complaints, _folder: folder };
        let window = browser.ask("Target.createTarget", json!({ "url": "about:blank" }));
        let target = json!({ "targetId": window["targetId"], "flatten": true });
        browser.session = browser.ask("Target.attachToTarget", target)["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page", "Runtime", "Log"] {
            browser.ask(&format!("{domain}.enable"), json!({}));
        }
        browser.size((1366, 768));
        Some(browser)
    }

    pub fn open(&mut self, url: &str) {
        self.ask("Page.navigate", json!({ "url": url }));
    }

    /// Of the page: width and height.
    pub fn size(&mut self, (width, height): (u32, u32)) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.ask("Emulation.setDeviceMetricsOverride", size);
    }

    /// What is seen, as PNG.
    pub fn picture(&mut self) -> Vec<u8> {
        let taken = self.ask("Page.captureScreenshot", json!({ "format": "png" }));
        base64::engine::general_purpose::STANDARD.decode(taken["data"].as_str().unwrap()).expect("base64")
    }

    /// Runs before anything of a page does, from the next page on.
    pub fn before_each_page(&mut self, script: &str) {
        self.ask("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }));
    }

    /// As a computer that falls asleep: nothing of the browser runs until `wake`.
    pub fn sleep(&self) {
        self.signal(Signal::STOP);
    }

    pub fn wake(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process_group(Pid::from_child(&self.process), signal).expect("a running browser");
    }

    /// What an expression is, promises awaited.
    pub fn read(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.ask("Runtime.evaluate", asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Lets the rest of the world go on by `meanwhile` until an expression is true.
    pub fn until(&mut self, what: &str, expression: &str, mut meanwhile: impl FnMut()) {
        let deadline = Instant::now() + SOON;
        let guarded = format!("(() => {{ try {{ return !!({expression}) }} catch {{ return false }} }})()");
        while self.read(&guarded) != true {
            if Instant::now() > deadline {
                let shown = self.read("document.body.innerText");
                panic!("not within {SOON:?}: {what}\ncomplaints: {:#?}\nthe page shows:\n{shown}", self.complaints);
            }
            meanwhile();
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses a key by its name, "Shift+F12" or "Alt+C" with others held.
    pub fn press(&mut self, keys: &str) {
        let (held, name) = keys.rsplit_once('+').unwrap_or(("", keys));
        let bit = |held: &str| match held {
            "Alt" => 1,
            "Shift" => 8,
            _ => 0,
        };
        let modifiers: u32 = held.split('+').map(bit).sum();
        let letter = (name.len() == 1).then(|| name.to_ascii_uppercase());
        let key = |one: &String| format!("{}{one}", if one.as_bytes()[0].is_ascii_digit() { "Digit" } else { "Key" });
        let code = letter.as_ref().map_or(name.to_owned(), key);
        let number = match (name, &letter) {
            ("Tab", _) => 9,
            ("Enter", _) => 13,
            ("Escape", _) => 27,
            ("ArrowDown", _) => 40,
            (" ", _) => 32,
            (_, Some(letter)) => u32::from(letter.as_bytes()[0]),
            _ => name.strip_prefix('F').and_then(|n| n.parse::<u32>().ok()).map_or(0, |n| 111 + n),
        };
        let code = if name == " " { "Space".to_owned() } else { code };
        let mut down = json!({ "type": "rawKeyDown", "key": name, "code": code, "windowsVirtualKeyCode": number, "modifiers": modifiers });
        if ["Enter", " "].contains(&name) {
            (down["type"], down["text"]) = ("keyDown".into(), if name == "Enter" { "\r" } else { " " }.into());
        }
        let mut up = down.clone();
        up["type"] = "keyUp".into();
        self.ask("Input.dispatchKeyEvent", down);
        self.ask("Input.dispatchKeyEvent", up);
    }

    /// Types into whatever has the focus.
    pub fn enter(&mut self, text: &str) {
        self.ask("Input.insertText", json!({ "text": text }));
    }

    /// Tab by Tab to what a selector finds.
    pub fn tab_to(&mut self, selector: &str) {
        for _ in 0..60 {
            if self.read(&format!("document.activeElement?.matches({selector:?}) ?? false")) == true {
                return;
            }
            self.press("Tab");
        }
        panic!("{selector} is not reached by Tab");
    }

    /// Does not wait for the answer, which has this number.
    fn tell(&mut self, method: &str, params: Value) -> u64 {
        self.next += 1;
        let mut asked = json!({ "id": self.next, "method": method, "params": params });
        if !self.session.is_empty() {
            asked["sessionId"] = self.session.clone().into();
        }
        self.to.write_all(format!("{asked}\0").as_bytes()).expect("a running browser");
        self.next
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.tell(method, params);
        let deadline = Instant::now() + SOON;
        loop {
            match self.from.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(heard) if heard["id"] == id => {
                    assert!(heard["error"].is_null(), "{method}: {heard}");
                    return heard["result"].clone();
                }
                Ok(event) => {
                    self.complaints.extend(complaint(&event));
                    // "Leave this page?" Whoever tests wants to.
                    if event["method"] == "Page.javascriptDialogOpening" {
                        self.tell("Page.handleJavaScriptDialog", json!({ "accept": true }));
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("{method} was not answered"),
                Err(RecvTimeoutError::Disconnected) => panic!("the browser has ended"),
            }
        }
    }
}

/// What an event says against the page. That nobody is signed in yet, and that a server is gone, is no fault of a page.
fn complaint(event: &Value) -> Option<String> {
    let params = &event["params"];
    let bad = |level: &Value| level == "error" || level == "warning" || level == "assert";
    match event["method"].as_str()? {
        "Runtime.exceptionThrown" => Some(params["exceptionDetails"].to_string()),
        "Runtime.consoleAPICalled" if bad(&params["type"]) => Some(params["args"].to_string()),
        "Log.entryAdded" if bad(&params["entry"]["level"]) && params["entry"]["source"] != "network" => {
            Some(params["entry"].to_string())
        }
        _ => None,
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.process), Signal::KILL);
        let _ = self.process.wait();
    }
}
