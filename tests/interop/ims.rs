//! Kamailio as the proxy and registrar of a carrier whose subscriber we are: `tests/interop/kamailio/ims.cfg`.

use crate::common::Hotline;
use crate::kamailio::Proxy;
use std::net::SocketAddr;
use std::path::Path;

pub const PASSWORD: &str = "interop-mT4vQz7Lk2";
/// The subscriber, which is the hotline's number too.
pub const USER: &str = "053112345";

pub struct Ims(Proxy);

impl Ims {
    /// At the trunk's address. Calls of ours end at `citizen`.
    pub fn start(hotline: &Hotline, citizen: SocketAddr) -> Ims {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/kamailio/ims.cfg");
        let mut text = std::fs::read_to_string(config).expect("reading the configuration");
        let sip = SocketAddr::new(hotline.carrier, 5060);
        for (name, value) in [
            ("@PROXY@", sip.to_string()),
            ("@SUBSCRIBER@", hotline.gateway.to_string()),
            ("@CITIZEN@", citizen.to_string()),
            ("@PASSWORD@", PASSWORD.to_owned()),
        ] {
            text = text.replace(name, &value);
        }
        Ims(Proxy::start(tempfile::tempdir().expect("a temporary directory"), &text, sip))
    }

    pub fn log(&self) -> String {
        self.0.log()
    }

    /// How often it saw this.
    pub fn seen(&self, text: &str) -> usize {
        self.log().lines().filter(|line| line.contains("SEEN") && line.contains(text)).count()
    }
}
