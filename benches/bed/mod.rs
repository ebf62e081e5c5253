//! The test bed of the load scripts: a gateway as a process of its own with sixty seats, SIPp as carriers and phones, and
//! reading what both did. Gateway on one core, load on the other, where `taskset` is there.
#![allow(dead_code, reason = "each script uses its part")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub const SEATS: usize = 60;
pub const SCENARIOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/call_setup");

/// The value after `--name`.
pub fn option(name: &str) -> Option<String> {
    let args: Vec<String> = std::env::args().collect();
    args.iter().position(|a| a == name).and_then(|i| args.get(i + 1)).cloned()
}

pub fn need_sipp() {
    if Command::new("sipp").arg("-v").output().is_err() {
        eprintln!("this needs SIPp: apt-get install sip-tester");
        std::process::exit(1);
    }
}

pub struct Run {
    pub good: u32,
    pub failed: u32,
    pub times: String,
}

/// A gateway of its own, configured in a folder of its own.
pub struct Bed {
    pub dir: tempfile::TempDir,
    pub gateway: Child,
    pub sip: u16,
    pub seat_port: u16,
    pub http: u16,
}

impl Bed {
    pub fn start(answer: &str, pairs: usize) -> Bed {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (sip, seat_port, http) = (free_port(), free_port(), free_port());
        fs::write(dir.path().join("rexian.toml"), config(pairs, sip, http)).expect("config written");
        fs::create_dir(dir.path().join("sip-profiles")).expect("folder");
        let profile = format!("answer = \"{answer}\"\ncodecs = [\"pcma\"]\n");
        fs::write(dir.path().join("sip-profiles/load.toml"), profile).expect("profile written");
        let users: String = (0..SEATS)
            .map(|i| format!("{0};[authentication username={0} password=load-kV7zR-{1}]\n", 8001 + i, secret(i)))
            .collect();
        fs::write(dir.path().join("users.csv"), format!("SEQUENTIAL\n{users}")).expect("users written");
        let mut gateway = pinned(0, env!("CARGO_BIN_EXE_rexian"))
            .args(["serve", "--config", "rexian.toml"])
            .current_dir(dir.path())
            .stderr(Stdio::piped())
            .spawn()
            .expect("gateway starts");
        let log = BufReader::new(gateway.stderr.take().expect("piped"));
        let mut lines = log.lines().map_while(Result::ok);
        let mut said = Vec::new();
        let up = lines.by_ref().inspect(|line| said.push(line.clone())).any(|line| line.contains("in service"));
        assert!(up, "the gateway did not start:\n{}", said.join("\n"));
        std::thread::spawn(move || lines.for_each(drop));
        Bed { dir, gateway, sip, seat_port, http }
    }

    pub fn seat_agents(&self) -> &Self {
        let host = format!("127.0.0.1:{}", self.sip);
        // SIPp does not put the request-URI it sends into its digest unless told.
        for (scenario, uri) in [("register.xml", host.clone()), ("sign_in.xml", format!("*11@{host}"))] {
            let users = self.dir.path().join("users.csv");
            let mut sipp = self.sipp(
                scenario,
                SEATS as u32,
                &["-r", "50", "-inf", users.to_str().expect("utf-8"), "-auth_uri", &uri],
                self.seat_port,
            );
            assert!(sipp.wait().expect("sipp runs").success(), "{scenario} failed");
        }
        self
    }

    /// All seats' phones, in one process.
    pub fn seats(&self) -> Child {
        pinned(1, "sipp")
            .args(["-sf", &format!("{SCENARIOS}/seat.xml"), "-i", "127.0.0.1", "-p", &self.seat_port.to_string()])
            .args(["-nostdin", "-mp", &free_port().to_string()])
            .current_dir(self.dir.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("seats start")
    }

    pub fn carrier(&self, rate: u32, calls: u32, hold_ms: u32) -> Run {
        let mut seats = self.seats();
        let stat = self.dir.path().join("carrier.csv");
        let (rate, hold, stat_path) = (rate.to_string(), hold_ms.to_string(), stat.to_str().expect("utf-8").to_owned());
        let limit = "20000";
        let more =
            ["-r", &rate, "-d", &hold, "-l", limit, "-s", "12345", "-trace_stat", "-stf", &stat_path, "-fd", "1"];
        let _ = self.sipp("carrier.xml", calls, &more, free_port()).wait();
        let _ = seats.kill();
        let _ = seats.wait();
        last_row(&stat)
    }

    pub fn sipp(&self, scenario: &str, calls: u32, more: &[&str], port: u16) -> Child {
        pinned(1, "sipp")
            .args(["-sf", &format!("{SCENARIOS}/{scenario}"), &format!("127.0.0.1:{}", self.sip), "-i", "127.0.0.1"])
            .args(["-p", &port.to_string(), "-m", &calls.to_string(), "-nostdin"])
            .args(["-mp", &free_port().to_string()])
            .args(if more.contains(&"-timeout") { &[][..] } else { &["-timeout", "200"] })
            .args(more)
            .current_dir(self.dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("sipp starts")
    }

    pub fn cpu(&self) -> f64 {
        cpu_seconds(self.gateway.id())
    }

    pub fn rss(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.gateway.id())).expect("the gateway lives");
        let line = status.lines().find(|l| l.starts_with("VmRSS")).expect("VmRSS");
        line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
    }

    /// Calls in progress, as /metrics tells.
    pub fn calls(&self) -> u32 {
        let page = get(self.http, "/metrics");
        let lines = page.lines().filter(|l| l.starts_with("rexian_trunk_calls{"));
        lines.filter_map(|l| l.split_whitespace().last()?.parse::<f64>().ok()).sum::<f64>() as u32
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let _ = self.gateway.kill();
        let _ = self.gateway.wait();
    }
}

pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process lives");
    let after_name = stat.rsplit(')').next().expect("a name in brackets");
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|t| t.parse::<u64>().expect("ticks")).sum();
    // USER_HZ is 100 on every Linux this runs on.
    ticks as f64 / 100.0
}

pub fn last_row(csv: &Path) -> Run {
    // SIPp may be in the middle of a row.
    let text = fs::read_to_string(csv).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut lines = whole.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(';').collect();
    let row: Vec<&str> = lines.last().unwrap_or_default().split(';').collect();
    let field = |name: &str| names.iter().position(|n| *n == name).and_then(|i| row.get(i)).copied().unwrap_or("?");
    let number = |name: &str| field(name).parse().unwrap_or(0);
    let mut below = Vec::new();
    let total: u32 = number("SuccessfulCall(C)");
    for (name, count) in names.iter().zip(&row).filter(|(n, _)| n.starts_with("ResponseTimeRepartition1_")) {
        let n: u32 = count.parse().unwrap_or(0);
        if n * 100 >= total.max(1) {
            below.push(format!(
                "{}ms:{}%",
                name.trim_start_matches("ResponseTimeRepartition1_"),
                n * 100 / total.max(1)
            ));
        }
    }
    Run { good: total, failed: number("FailedCall(C)"), times: below.join(" ") }
}

pub fn pinned(core: u32, program: &str) -> Command {
    if Command::new("taskset").arg("-V").stdout(Stdio::null()).status().is_ok() {
        let mut command = Command::new("taskset");
        command.args(["-c", &core.to_string(), program]);
        command
    } else {
        Command::new(program)
    }
}

pub fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("bound").port()
}

pub fn get(port: u16, path: &str) -> String {
    let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) else { return String::new() };
    let _ = write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    let mut page = String::new();
    let _ = std::io::Read::read_to_string(&mut stream, &mut page);
    page
}

pub fn wait(limit: Duration, done: impl Fn() -> bool) {
    let deadline = Instant::now() + limit;
    while !done() {
        assert!(Instant::now() < deadline, "waited {limit:?} in vain");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Passwords that hold a seat's number are refused.
pub fn secret(seat: usize) -> String {
    format!("{:x}", seat * 7919 + 0xbeef)
}

pub fn config(pairs: usize, sip: u16, http: u16) -> String {
    let mut text = format!(
        "[sip]\nudp = [\"127.0.0.1:{sip}\"]\nmax_transactions = 400000\nregistration_expiry = \"1h\"\n\
         [media]\naddress_v4 = \"127.0.0.1\"\nfirst_port = 24000\npairs = {pairs}\n\
         [limits]\nmax_calls = {}\n[http]\nlisten = \"127.0.0.1:{http}\"\n[log]\nfilter = \"warn,rexian=info\"\n\
         [[trunks]]\nname = \"load\"\npeers = [\"127.0.0.1\"]\nprofile = \"load\"\nmax_calls = {}\n\
         [[trunks]]\nname = \"unruly\"\npeers = [\"127.0.0.2\"]\nprofile = \"load\"\nmax_calls = 50\n\
         [queue_defaults]\nwrap_up = \"0s\"\nmax_waiting = 10000\nannounce_agent = false\n\
         [[queues]]\nname = \"mandarin\"\nnumbers = [\"12345\"]\nskill = \"mandarin\"\n",
        pairs / 2,
        pairs / 2
    );
    for i in 0..SEATS {
        text += &format!(
            "[[agents]]\nnumber = \"{}\"\nskills = {{ mandarin = 10 }}\n[[seats]]\nnumber = \"{}\"\n\
             password = \"load-kV7zR-{}\"\ndefault_agent = \"{}\"\n",
            6601 + i,
            8001 + i,
            secret(i),
            6601 + i
        );
    }
    text
}
