//! Runs baresip as a seat's phone: registers with digest, dials what it is told to, answers by itself, sings a tone and
//! records what it hears.

use crate::common::{Hotline, password, until};
use rexian::media::g711::linear_to_alaw;
use rexian::media::tone::is_present;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What baresip's sine source sings, in Hz.
pub const TONE: f32 = 1_300.0;

pub struct Baresip {
    child: Child,
    directory: tempfile::TempDir,
    control: SocketAddr,
}

impl Baresip {
    /// Seat 80`n` over `transport` (`udp`, `tcp`, `tls`); returns once it has registered.
    pub fn start(hotline: &Hotline, n: u8, transport: &str) -> Baresip {
        let directory = tempfile::tempdir().expect("a temporary directory");
        // baresip sends RTP from whatever address the system picks, which on loopback is this one, and the gateway
        // takes audio only from where it was agreed.
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let free = || {
            let listener = TcpListener::bind((ip, 0)).expect("a free port");
            listener.local_addr().expect("its address")
        };
        let (sip, control) = (free(), free());
        let path = directory.path();
        std::fs::create_dir(path.join("recordings")).expect("making the recordings' folder");
        let write = |name: &str, text: String| std::fs::write(path.join(name), text).expect("writing baresip's files");
        let mut config = configuration(sip, control, &path.join("recordings").display().to_string());
        if let Some(pki) = &hotline.tls {
            write("ca.pem", pki.ca.clone());
            config += &format!("sip_cafile {}\nsip_verify_server yes\n", path.join("ca.pem").display());
        }
        write("config", config);
        write("contacts", String::new());
        let encrypts = if hotline.srtp == "required" { ";mediaenc=srtp-mand" } else { "" };
        write(
            "accounts",
            format!(
                "<sip:80{n:02}@{domain};transport={transport}>;auth_user=80{n:02};auth_pass={};\
                 outbound=\"sip:{sip};transport={transport}\";regint=120;answermode=auto;audio_codecs=PCMA/8000/1{encrypts}\n",
                password(n),
                domain = hotline.domain(),
                sip = if transport == "tls" { hotline.sips() } else { hotline.sip() },
            ),
        );
        let log = std::fs::File::create(path.join("log")).expect("creating the log");
        let child = Command::new("baresip")
            .arg("-f")
            .arg(path)
            .arg("-v")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("duplicating a handle"))
            .stderr(log)
            .spawn()
            .expect("starting baresip");
        let baresip = Baresip { child, directory, control };
        until("baresip's registration", || baresip.log().contains("200 OK").then_some(()));
        baresip
    }

    /// Dials a feature code and returns when that call is over again.
    pub fn dial(&self, code: &str) {
        let before = self.log().matches("session closed").count();
        self.command("dial", code);
        until("the end of the feature code's call", || {
            (self.log().matches("session closed").count() > before).then_some(())
        });
    }

    pub fn hang_up(&self) {
        self.command("hangup", "");
    }

    /// Its transfer key: holds the call and asks that the far end go there.
    pub fn transfer(&self, to: &str) {
        self.command("transfer", to);
    }

    /// Is this tone what the phone heard for at least 300 ms in one of its calls?
    pub fn heard(&self, hz: f32) -> bool {
        self.recordings().iter().any(|samples| {
            let alaw: Vec<u8> = samples.iter().map(|s| linear_to_alaw(*s)).collect();
            alaw.chunks_exact(800).filter(|window| is_present(window, hz)).count() >= 3
        })
    }

    /// Decoded audio of each call: 8 kHz, mono.
    fn recordings(&self) -> Vec<Vec<i16>> {
        let files = std::fs::read_dir(self.directory.path().join("recordings")).expect("listing the recordings");
        let heard = files.flatten().map(|f| f.path()).filter(|p| p.to_string_lossy().ends_with("-dec.wav"));
        heard.map(samples).collect()
    }

    fn log(&self) -> String {
        let log = std::fs::read(self.directory.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// One command over its control port (netstring-framed JSON).
    fn command(&self, command: &str, parameters: &str) {
        let mut stream = until("baresip's control port", || TcpStream::connect(self.control).ok());
        let json = format!(r#"{{"command":"{command}","params":"{parameters}"}}"#);
        write!(stream, "{}:{json},", json.len()).expect("writing to baresip");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("setting a timeout");
        let mut answer = [0; 4_096];
        let n = stream.read(&mut answer).expect("baresip's answer");
        let answer = String::from_utf8_lossy(&answer[..n]);
        assert!(answer.contains("true") || answer.contains("event"), "baresip refused {command}: {answer}");
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- baresip's log:\n{}", self.log());
        }
    }
}

/// A recording still being written has no length in its header yet, so the header is skipped, not believed.
fn samples(path: PathBuf) -> Vec<i16> {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes.get(44..).unwrap_or_default().chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect()
}

/// No sound card: a sine for the microphone, an internal bridge for the loudspeaker, `sndfile` in between records.
fn configuration(sip: SocketAddr, control: SocketAddr, recordings: &str) -> String {
    format!(
        "poll_method epoll\nsip_listen {sip}\nnet_interface {}\ncall_local_timeout 120\ncall_max_calls 4\n\
         audio_source ausine,{TONE}\naudio_player aubridge,sink\naudio_alert aubridge,sink\n\
         ausrc_srate 48000\nausrc_channels 2\nauplay_srate 8000\nauplay_channels 1\naudio_level no\n\
         rtcp_mux no\njitter_buffer_type fixed\njitter_buffer_delay 5-10\n\
         module_path /usr/lib/baresip/modules\n\
         module g711.so\nmodule ausine.so\nmodule aubridge.so\nmodule sndfile.so\nmodule srtp.so\n\
         module_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n\
         snd_path {recordings}\nctrl_tcp_listen {control}\n",
        sip.ip()
    )
}
