//! Kamailio as the proxy and registrar of a carrier whose subscriber we are: `tests/interop/kamailio/ims.cfg`.

use crate::common::Hotline;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub const PASSWORD: &str = "interop-mT4vQz7Lk2";
/// The subscriber, which is the hotline's number too.
pub const USER: &str = "053112345";

pub struct Ims {
    child: Child,
    directory: tempfile::TempDir,
}

impl Ims {
    /// At the trunk's address. Calls of ours end at `citizen`.
    pub fn start(hotline: &Hotline, citizen: SocketAddr) -> Ims {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/kamailio/ims.cfg");
        let mut text = std::fs::read_to_string(config).expect("reading the configuration");
        for (name, value) in [
            ("@PROXY@", SocketAddr::new(hotline.carrier, 5060).to_string()),
            ("@SUBSCRIBER@", hotline.gateway.to_string()),
            ("@CITIZEN@", citizen.to_string()),
            ("@PASSWORD@", PASSWORD.to_owned()),
        ] {
            text = text.replace(name, &value);
        }
        let path = directory.path().join("kamailio.cfg");
        std::fs::write(&path, text).expect("writing the configuration");
        let log = std::fs::File::create(directory.path().join("log")).expect("creating the log");
        let child = Command::new(super::kamailio::PROGRAM)
            .args(["-DD", "-E", "-m", "32", "-M", "8", "-w"])
            .arg(directory.path())
            .arg("-Y")
            .arg(directory.path())
            .arg("-f")
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("duplicating a handle"))
            .stderr(log)
            .spawn()
            .expect("starting kamailio");
        Ims { child, directory }
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// How often it saw this.
    pub fn seen(&self, text: &str) -> usize {
        self.log().lines().filter(|line| line.contains("SEEN") && line.contains(text)).count()
    }
}

impl Drop for Ims {
    fn drop(&mut self) {
        // Its workers end with it only if it is asked.
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- Kamailio's log:\n{}", self.log());
        }
    }
}
