//! Runs Kamailio as a carrier's proxy: it stays in the route of each call (Record-Route), tries the gateways it is given
//! one after the other, and speaks TLS to those that want it.

use crate::common::{Hotline, until};
use rustix::process::{Pid, Signal, kill_process};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};

/// Debian keeps it where only root's PATH looks.
pub const PROGRAM: &str = "/usr/sbin/kamailio";

/// The program, with a folder of its own; it ends with this value.
pub struct Proxy {
    child: Child,
    directory: tempfile::TempDir,
}

impl Proxy {
    /// `config` listens at `sip`; what else it needs lies in `directory`.
    pub fn start(directory: tempfile::TempDir, config: &str, sip: SocketAddr) -> Proxy {
        let path = directory.path();
        std::fs::write(path.join("kamailio.cfg"), config).expect("writing the configuration");
        let log = std::fs::File::create(path.join("log")).expect("creating the log");
        let child = Command::new(PROGRAM)
            .args(["-DD", "-E", "-m", "64", "-M", "8", "-w"])
            .arg(path)
            .arg("-Y")
            .arg(path)
            .arg("-f")
            .arg(path.join("kamailio.cfg"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("duplicating a handle"))
            .stderr(log)
            .spawn()
            .expect("starting Kamailio");
        let mut proxy = Proxy { child, directory };
        until("Kamailio's port", || {
            let ended = proxy.child.try_wait().expect("asking for Kamailio's status");
            assert!(ended.is_none(), "Kamailio ended at once:\n{}", proxy.log());
            UdpSocket::bind(sip).is_err().then_some(())
        });
        proxy
    }

    pub fn log(&self) -> String {
        let log = std::fs::read(self.directory.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Not SIGKILL: its workers would stay.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- Kamailio's log:\n{}", self.log());
        }
    }
}

pub struct Kamailio(Proxy);

impl Kamailio {
    /// On the carrier's address. `gateways`: URIs, the first tried first. A TLS connection idle for 3 s is closed.
    pub fn start(hotline: &Hotline, gateways: &[String]) -> Kamailio {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path();
        let write = |name: &str, text: &str| std::fs::write(path.join(name), text).expect("writing Kamailio's files");
        let ways = gateways.iter().zip((1..10).rev());
        write("dispatcher.list", &ways.map(|(uri, priority)| format!("1 {uri} 0 {priority}\n")).collect::<String>());
        let sip = SocketAddr::new(hotline.carrier, 5060);
        let mut config = CONFIG
            .replace("{sip}", &sip.to_string())
            .replace("{ip}", &sip.ip().to_string())
            .replace("{path}", &path.display().to_string());
        if let Some(pki) = &hotline.tls {
            let ours = pki.issue(&[&hotline.carrier.to_string()]);
            write("ca.pem", &pki.ca);
            write("proxy.crt", &ours.certificate);
            write("proxy.key", &ours.key);
            write("tls.cfg", &TLS_CONFIG.replace("{path}", &path.display().to_string()));
            let listen = format!("enable_tls=yes\nlisten=tls:{}:5061\n{LOAD_TLS}", hotline.carrier);
            config = config.replace("#tls", &listen.replace("{path}", &path.display().to_string()));
        }
        Kamailio(Proxy::start(directory, &config, sip))
    }

    pub fn address(&self, hotline: &Hotline) -> SocketAddr {
        SocketAddr::new(hotline.carrier, 5060)
    }

    /// The connections by which something with this method passed, in order: `reply INVITE`, `request BYE`.
    pub fn connections(&self, what: &str) -> Vec<String> {
        let log = self.0.log();
        let seen = log.lines().filter_map(|line| line.split_once(&format!("{what} by connection ")));
        seen.map(|(_, connection)| connection.trim().to_owned()).collect()
    }
}

const CONFIG: &str = r#"
debug=2
log_stderror=yes
children=2
auto_aliases=no
listen=udp:{sip}
tcp_source_ipv4={ip}
tcp_connection_lifetime=3
#tls
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "maxfwd.so"
loadmodule "dispatcher.so"
modparam("rr", "enable_double_rr", 1)
modparam("tm", "fr_timer", 1000)
modparam("tm", "fr_inv_timer", 60000)
modparam("dispatcher", "list_file", "{path}/dispatcher.list")
modparam("dispatcher", "flags", 2)

request_route {
    xlog("L_NOTICE", "request $rm by connection $conid\n");
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
    if (has_totag()) {
        if (loose_route()) { t_relay(); exit; }
        if (is_method("ACK")) { if (t_check_trans()) { t_relay(); } exit; }
        sl_send_reply("404", "Not Here");
        exit;
    }
    record_route();
    if (!ds_select_dst("1", "8")) { sl_send_reply("503", "No Gateway"); exit; }
    t_on_reply("SEEN");
    t_on_failure("NEXT");
    t_relay();
}

onreply_route[SEEN] {
    xlog("L_NOTICE", "reply $rm by connection $conid\n");
}

failure_route[NEXT] {
    if (t_is_canceled()) { exit; }
    if (t_check_status("408|5[0-9][0-9]") && ds_next_dst()) {
        t_on_reply("SEEN");
        t_on_failure("NEXT");
        t_relay();
    }
}
"#;

const LOAD_TLS: &str = "loadmodule \"tls.so\"\nmodparam(\"tls\", \"config\", \"{path}/tls.cfg\")\nmodparam(\"tls\", \"connection_timeout\", 3)\n";

const TLS_CONFIG: &str = r#"
[server:default]
method = TLSv1.2+
certificate = {path}/proxy.crt
private_key = {path}/proxy.key
ca_list = {path}/ca.pem
verify_certificate = no
require_certificate = no

[client:default]
method = TLSv1.2+
certificate = {path}/proxy.crt
private_key = {path}/proxy.key
ca_list = {path}/ca.pem
verify_certificate = yes
require_certificate = yes
"#;
