//! `rexian serve` as a process, for tests that look at it from outside: configuration, start, stop, and looking.
//! Every test gets loopback addresses of its own, so ports never clash and all may run at once.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod caller;
pub mod chromium;
pub mod pki;

use pki::Pki;
use rexian::demo::records::{self, Metrics};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// Of seat 80`n`; the gateway refuses one password for two seats.
pub fn password(n: impl Into<usize>) -> String {
    format!("interop-Zq{}mW2", 7_919 * n.into())
}

/// Longest wait for anything that should take milliseconds; a slow machine under load is still in time.
pub const SOON: Duration = Duration::from_secs(20);

/// Asks again and again until there is an answer. Panics with `what` when it does not come.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + SOON;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {SOON:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A small hotline, to be written as TOML. Seats 8001.. belong to agents 6601.., all Mandarin.
pub struct Hotline {
    pub gateway: IpAddr,
    pub sip_port: u16,
    pub http_port: u16,
    /// Trunk `carrier`: answered at once.
    pub carrier: IpAddr,
    /// Trunk `early`: 183 while waiting, 200 at pickup.
    pub early: IpAddr,
    pub seats: usize,
    pub ring_timeout: &'static str,
    pub drain: &'static str,
    pub port_pairs: u16,
    /// Callers are offered a call back, by trunk `carrier` to the first of these ports of it, and so on.
    pub calls_back: &'static [u16],
    /// Of the seats: are their phones to encrypt?
    pub srtp: &'static str,
    /// Trunk `carrier` has us as its subscriber of this name and password, in its domain `ims.test`.
    pub account: Option<[&'static str; 2]>,
    /// Also serves TLS, with a certificate of this CA for its address and its domain.
    pub tls: Option<Pki>,
    /// What else `[tls]` says.
    pub tls_more: &'static str,
    pub net: [u8; 2],
    /// The case store: a file in its folder, or an URL.
    pub cases: String,
    /// Pages for the agents, each with the password of their seat.
    pub pages: bool,
    /// Seats may be in browsers, whose audio comes to port 19998.
    pub browsers: bool,
    /// What else `[media]` says.
    pub media: &'static str,
    /// Phones on pages of these origins may connect by secure WebSocket, if there are any.
    pub web: Vec<String>,
    /// What else `[storage]` says.
    pub storage: &'static str,
    /// Appended to the configuration.
    pub more: String,
}

impl Hotline {
    pub fn new() -> Hotline {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        // Two runs of the tests at once differ in the first number, two tests of a run in the second.
        let run = 32 + (std::process::id() % 200) as u8;
        let test = NEXT.fetch_add(1, Ordering::Relaxed);
        let ip = |n| IpAddr::V4(Ipv4Addr::new(127, run, test, n));
        Hotline {
            gateway: ip(1),
            sip_port: 5060,
            http_port: 8080,
            carrier: ip(2),
            early: ip(3),
            seats: 2,
            ring_timeout: "10s",
            drain: "20s",
            port_pairs: 40,
            calls_back: &[],
            srtp: "never",
            account: None,
            tls: None,
            tls_more: "",
            net: [run, test],
            cases: "cases.db".into(),
            pages: false,
            browsers: false,
            media: "",
            web: vec![],
            storage: "",
            more: String::new(),
        }
    }

    /// The address a seat's phone lives at, from 8001.
    pub fn seat_address(&self, n: u8) -> IpAddr {
        match self.gateway {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::new(127, self.net[0], self.net[1], 10 + n)),
            IpAddr::V6(_) => self.gateway,
        }
    }

    pub fn sip(&self) -> SocketAddr {
        SocketAddr::new(self.gateway, self.sip_port)
    }

    pub fn sips(&self) -> SocketAddr {
        SocketAddr::new(self.gateway, self.sip_port + 1)
    }

    pub fn http(&self) -> SocketAddr {
        SocketAddr::new(self.gateway, self.http_port)
    }

    pub fn pages(&self) -> SocketAddr {
        SocketAddr::new(self.gateway, self.http_port + 1)
    }

    pub fn wss(&self) -> SocketAddr {
        SocketAddr::new(self.gateway, 5_443)
    }

    pub fn toml(&self) -> String {
        let (sip, http, family) = (self.sip(), self.http(), if self.gateway.is_ipv4() { "v4" } else { "v6" });
        let prefix = if self.gateway.is_ipv4() { 32 } else { 128 };
        let profiles = concat!(env!("CARGO_MANIFEST_DIR"), "/sip-profiles");
        // On IPv6 loopback there is one address: trunk and seats share it, told apart by registration.
        let early = (self.early != self.carrier).then_some(self.early);
        let mut toml = format!(
            "[service]\ndomain = \"{}\"\ndrain = \"{}\"\n\n[sip]\nudp = [\"{sip}\"]\ntcp = [\"{sip}\"]\nprofiles = {profiles:?}\n\n\
             [media]\nbind_{family} = \"{}\"\naddress_{family} = \"{}\"\nfirst_port = 20000\npairs = {}\n\n\
             [limits]\nmax_calls = {}\n\n[http]\nlisten = \"{http}\"\n\n[storage]\nspool = \"spool\"\ncases = {:?}\n{}\n\
             [queue_defaults]\nring_timeout = \"{}\"\nwrap_up = \"200ms\"\nannounce_agent = false\n\n\
             [[queues]]\nname = \"mandarin\"\nnumbers = [\"12345\"]\nskill = \"mandarin\"\nlanguage = \"zh-CN\"\n\n\
             [[trunks]]\nname = \"carrier\"\npeers = [\"{}/{prefix}\"]\nprofile = \"generic\"\n",
            self.domain(),
            self.drain,
            self.gateway,
            self.gateway,
            self.port_pairs,
            self.port_pairs / 2,
            self.cases,
            self.storage,
            self.ring_timeout,
            self.carrier,
        );
        if let Some([user, password]) = self.account {
            let _ = writeln!(toml, "account = {{ user = {user:?}, domain = \"ims.test\", password = {password:?} }}");
        }
        if !self.calls_back.is_empty() {
            let hop = |(priority, port): (usize, &u16)| {
                format!("{{ to = \"{}\", priority = {priority} }}", SocketAddr::new(self.carrier, *port))
            };
            let hops = self.calls_back.iter().enumerate().map(hop).collect::<Vec<_>>().join(", ");
            let _ = writeln!(toml, "hops = [{hops}]\ncall_out = {{ from = \"053112345\" }}");
            toml = toml.replace("[queue_defaults]\n", "[queue_defaults]\ncallback = { after = \"1s\", key = \"1\" }\n");
            toml.push_str("\n[callbacks]\ntrunk = \"carrier\"\n");
        }
        if self.tls.is_some() {
            toml = toml.replace("\nudp = [", &format!("\ntls = [\"{}\"]\nudp = [", self.sips()));
            let files = "certificate = \"sip.crt\"\nkey = \"sip.key\"\ntrust = \"ca.pem\"";
            let _ = writeln!(toml, "\n[tls]\n{files}\n{}", self.tls_more);
        }
        if !self.web.is_empty() {
            let web = format!("\nwss = [\"{}\"]\nweb_origins = {:?}\nudp = [", self.wss(), self.web);
            toml = toml.replace("\nudp = [", &web);
        }
        if let Some(early) = early {
            let _ = write!(
                toml,
                "\n[[trunks]]\nname = \"early\"\npeers = [\"{early}/{prefix}\"]\nprofile = \"generic-on-pickup\"\n"
            );
        }
        if self.browsers {
            toml = toml.replace("\n[limits]\n", &format!("browser_port = 19998\n{}\n[limits]\n", self.media));
        }
        if self.pages {
            let _ = writeln!(toml, "\n[pages]\nlisten = \"{}\"", self.pages());
        }
        for n in 1..=self.seats {
            let hash = self.pages.then(|| rexian::pages::password::hash(&password(n), &[n as u8; 16]).unwrap());
            let hash = hash.map_or(String::new(), |hash| format!("password_hash = {hash:?}\n"));
            let _ = write!(
                toml,
                "\n[[agents]]\nnumber = \"66{n:02}\"\nskills = {{ mandarin = 5 }}\n{hash}\n\
                 [[seats]]\nnumber = \"80{n:02}\"\npassword = \"{}\"\ndefault_agent = \"66{n:02}\"\nsrtp = \"{}\"\n",
                password(n),
                self.srtp
            );
        }
        toml + &self.more
    }

    /// Realm and host part of addresses; resolved nowhere, phones are told the gateway's address besides.
    pub fn domain(&self) -> &'static str {
        "hotline.test"
    }

    /// What its certificate is for.
    pub fn names(&self) -> [String; 2] {
        [self.gateway.to_string(), self.domain().to_string()]
    }

    pub fn start(self) -> Server {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(directory.path().join("rexian.toml"), self.toml()).expect("writing the configuration");
        if let Some(pki) = &self.tls {
            renew(pki, directory.path(), &self.names());
        }
        let child = launch(directory.path());
        let mut server = Server { hotline: self, directory, child };
        server.wait_ready();
        server
    }
}

/// The running program.
pub struct Server {
    pub hotline: Hotline,
    pub directory: tempfile::TempDir,
    child: Child,
}

impl Server {
    /// kill -9: nothing is said to anybody.
    pub fn kill(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("reaping");
    }

    /// The same configuration and files, after `kill` or an exit.
    pub fn start_again(&mut self) {
        self.child = launch(self.directory.path());
        self.wait_ready();
    }

    pub fn terminate(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("SIGTERM");
    }

    /// New certificate and key, taken over at once.
    pub fn renew_certificate(&self, until: i32) {
        let pki = self.hotline.tls.as_ref().expect("a hotline with TLS");
        let names = self.hotline.names();
        let issued = pki.issue_between(&names.each_ref().map(String::as_str), (2020, until));
        write_identity(self.directory.path(), &issued);
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("SIGHUP");
    }

    pub fn has_exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("asking for the exit status")
    }

    pub fn wait_exit(&mut self) -> ExitStatus {
        until("the program's exit", || self.child.try_wait().expect("asking for the exit status"))
    }

    pub fn metrics(&self) -> Metrics {
        Metrics::fetch(self.hotline.http()).expect("reading /metrics")
    }

    /// SIP Call-IDs of the trunk legs that have a ticket, sorted; one entry per ticket.
    pub fn tickets(&self) -> Vec<String> {
        records::ticketed_calls(&self.cases()).unwrap_or_default()
    }

    pub fn cases(&self) -> PathBuf {
        self.directory.path().join("cases.db")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    fn wait_ready(&mut self) {
        let http = self.hotline.http();
        until("/healthz of a program just started", || {
            if let Some(status) = self.child.try_wait().expect("asking for the exit status") {
                panic!("serve ended at once with {status}:\n{}", self.log());
            }
            matches!(records::get(http, "/healthz"), Ok((200, _))).then_some(())
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the program's log:\n{}", self.log());
        }
    }
}

fn renew(pki: &Pki, directory: &Path, names: &[String]) {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    std::fs::write(directory.join("ca.pem"), &pki.ca).expect("writing the CA");
    write_identity(directory, &pki.issue(&names));
}

fn write_identity(directory: &Path, issued: &pki::Issued) {
    std::fs::write(directory.join("sip.crt"), &issued.certificate).expect("writing the certificate");
    std::fs::write(directory.join("sip.key"), &issued.key).expect("writing the key");
}

pub fn rexian() -> Command {
    Command::new(env!("CARGO_BIN_EXE_rexian"))
}

fn launch(directory: &Path) -> Child {
    let log = || {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(directory.join("log"));
        Stdio::from(file.expect("opening the log"))
    };
    rexian()
        .args(["serve", "--config", "rexian.toml"])
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(log())
        .stderr(log())
        .spawn()
        .expect("starting rexian serve")
}

/// One datagram there, the first datagram back.
pub fn ask(from: IpAddr, to: SocketAddr, message: &str) -> Option<String> {
    let socket = UdpSocket::bind((from, 0)).expect("binding a socket");
    let local = socket.local_addr().expect("its address");
    socket.set_read_timeout(Some(Duration::from_secs(2))).expect("setting a timeout");
    socket.send_to(message.replace("{local}", &local.to_string()).as_bytes(), to).expect("sending");
    let mut answer = [0; 65_536];
    let n = socket.recv(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer[..n]).into_owned())
}
