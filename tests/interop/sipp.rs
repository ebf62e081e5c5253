//! Runs SIPp with a scenario of `tests/interop/sipp/`, and tells whether it went as written.

use crate::common::{Hotline, password, until};
use rexian::media::tone::ToneGenerator;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub struct Sipp {
    child: Child,
    directory: tempfile::TempDir,
    scenario: &'static str,
}

/// What a SIPp carrier plays, in Hz.
pub const TONE: f32 = 900.0;

pub struct Setup<'a> {
    pub hotline: &'a Hotline,
    pub scenario: &'static str,
    pub ip: IpAddr,
    pub port: u16,
    pub password: String,
    /// Called number, or the seat's user.
    pub service: &'a str,
    /// Calling number.
    pub cli: &'a str,
    /// What a `<pause/>` takes.
    pub pause: Duration,
    /// Feature code to dial.
    pub code: &'a str,
    /// The gateway, or a proxy before it.
    pub remote: SocketAddr,
}

impl<'a> Setup<'a> {
    pub fn carrier(hotline: &'a Hotline, ip: IpAddr, scenario: &'static str) -> Setup<'a> {
        Setup {
            hotline,
            scenario,
            ip,
            port: 5060,
            service: "12345",
            cli: "05318201001",
            password: String::new(),
            pause: Duration::from_millis(1_500),
            code: "",
            remote: hotline.sip(),
        }
    }

    pub fn seat(hotline: &'a Hotline, n: u8, scenario: &'static str) -> Setup<'a> {
        let ip = hotline.seat_address(n);
        Setup {
            hotline,
            scenario,
            ip,
            port: 5070,
            password: password(n),
            service: SEATS[usize::from(n)],
            cli: "",
            pause: Duration::from_millis(400),
            code: "*11",
            remote: hotline.sip(),
        }
    }

    pub fn start(&self) -> Sipp {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut tone = ToneGenerator::new(TONE, -16.0);
        let samples: Vec<u8> = (0..50).flat_map(|_| tone.frame()).collect();
        std::fs::write(directory.path().join("tone.alaw"), samples).expect("writing the tone");
        let (ip, gateway) = (self.ip.to_string(), self.remote.to_string());
        let scenario = scenarios().join(self.scenario).with_extension("xml");
        let output = std::fs::File::create(directory.path().join("output")).expect("creating the output file");
        // The digest's uri must name the request's target.
        let target = match self.code {
            code if self.scenario == "seat_dials" => format!("{code}@{}", self.hotline.domain()),
            _ => self.hotline.domain().to_string(),
        };
        let pause = self.pause.as_millis().to_string();
        let child = Command::new("sipp")
            .current_dir(directory.path())
            .arg("-sf")
            .arg(scenario)
            .args(["-i", &ip, "-mi", &ip, "-p", &self.port.to_string(), "-s", self.service, "-d", &pause])
            .args(["-au", self.service, "-ap", &self.password, "-auth_uri", &target])
            .args(["-key", "cli", self.cli, "-key", "domain", self.hotline.domain(), "-key", "code", self.code])
            .args(["-m", "1", "-nostdin", "-trace_err", "-trace_msg", "-timeout", "120s", "-timeout_error"])
            // A seat echoes; a carrier plays its tone from the same port, so it must not.
            .args(self.scenario.starts_with("seat").then_some("-rtp_echo"))
            .arg(gateway)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("duplicating a handle"))
            .stderr(output)
            .spawn()
            .expect("starting sipp");
        Sipp { child, directory, scenario: self.scenario }
    }

    /// Starts a waiting scenario and returns when its port is open.
    pub fn listen(&self) -> Sipp {
        let sipp = self.start();
        let here = SocketAddr::new(self.ip, self.port);
        until("SIPp's port", || UdpSocket::bind(here).is_err().then_some(()));
        sipp
    }
}

const SEATS: [&str; 4] = ["", "8001", "8002", "8003"];

/// Registers seat 80`n` and signs its agent in; the next SIPp on the same address gets its calls.
pub fn sign_in(hotline: &Hotline, n: u8) {
    Setup::seat(hotline, n, "seat_registers").start().finish();
    Setup::seat(hotline, n, "seat_dials").start().finish();
}

impl Sipp {
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("asking for SIPp's status").is_none()
    }

    /// How often this stands in the messages sent and received so far.
    pub fn seen(&self, text: &str) -> usize {
        self.account().matches(text).count()
    }

    /// Waits for the scenario's end. Panics with SIPp's own account unless all went as written.
    pub fn finish(mut self) {
        let status = until(&format!("the end of SIPp's {}", self.scenario), || {
            self.child.try_wait().expect("asking for SIPp's status")
        });
        assert!(status.success(), "SIPp's {} failed ({status}):\n{}", self.scenario, self.account());
    }

    /// Its error log and the messages it saw.
    fn account(&self) -> String {
        let files = std::fs::read_dir(self.directory.path()).into_iter().flatten().flatten();
        let logs = files.filter(|f| f.file_name().to_string_lossy().ends_with(".log"));
        logs.map(|f| std::fs::read_to_string(f.path()).unwrap_or_default()).collect()
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        if self.is_running() {
            let _ = self.child.kill();
            let _ = self.child.wait();
            if std::thread::panicking() {
                eprintln!("--- SIPp's {}:\n{}", self.scenario, self.account());
            }
        }
    }
}

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/sipp")
}
