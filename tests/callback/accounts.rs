//! Calls of ours as a carrier's subscriber: only while it has us, by the proxy and the route it gave, and proved whenever
//! it asks.

use crate::world::{MONDAY_10, World, owed, s};
use rexian::config::settings::{Account, CoreSettings};
use rexian::gateway::Input;
use rexian::sim::ua::Reaction;
use rexian::time::Instant;

const CITIZEN: &str = "+8613812345678";

/// What the carrier says to a request of ours, if anything; the rest goes to the citizen's phone.
pub struct Carrier {
    pub registers: bool,
    pub heard: Vec<String>,
}

impl Carrier {
    pub fn answer(&mut self, request: &str) -> Option<Vec<u8>> {
        let method = request.split(' ').next()?;
        if !matches!(method, "REGISTER" | "INVITE" | "BYE") {
            return None;
        }
        self.heard.push(request.to_owned());
        let (status, asks, proves, lines) = match method {
            "REGISTER" => {
                (401, "WWW-Authenticate", "\r\nAuthorization: ", "Service-Route: <sip:127.0.0.1:7000;lr>\r\n")
            }
            _ => (407, "Proxy-Authenticate", "\r\nProxy-Authorization: ", ""),
        };
        let (status, lines) = match (method, request.contains(proves)) {
            ("REGISTER", _) if !self.registers => (503, String::new()),
            ("REGISTER", true) => (200, lines.to_owned()),
            (_, true) => return None,
            (_, false) => (status, format!("{asks}: Digest realm=\"ims\", nonce=\"1\", qop=\"auth\"\r\n")),
        };
        let echoed = |name: &str| {
            let found = request.lines().find(|line| line.starts_with(name));
            found.map_or_else(String::new, |line| format!("{line}\r\n"))
        };
        let to = echoed("To:").replace("\r\n", if echoed("To:").contains(";tag=") { "\r\n" } else { ";tag=proxy\r\n" });
        let head = ["Via:", "From:", "Call-ID:", "CSeq:"].map(echoed).concat();
        Some(format!("SIP/2.0 {status} Some Words\r\n{head}{to}{lines}Content-Length: 0\r\n\r\n").into_bytes())
    }
}

fn subscriber(core: &mut CoreSettings) {
    core.trunks[0].accounts = vec![Account::new("+8653112345", "sd.ctcims.cn", "mT4vQz7Lk2")];
}

fn promised(registers: bool) -> World {
    let mut world = World::by(Some(Carrier { registers, heard: vec![] }), 1, subscriber);
    let since = Instant(world.now.0 - 600_000_000);
    world.feed(Input::Callbacks(vec![owed(77, CITIZEN, since)]));
    world
}

fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find(|line| line.split(':').next() == Some(name));
    line.map_or("", |line| line[name.len() + 1..].trim())
}

#[test]
fn the_citizen_is_called_as_the_subscriber_and_every_request_proved() {
    let mut world = promised(true);
    world.citizen_will(Reaction::Answer { after: s(4) }, None);
    world.until("the citizen is connected", s(20), |w| !w.tickets.is_empty());
    world.run(s(5));
    world.agent_hangs_up(0);
    let heard = &world.carrier.as_ref().unwrap().heard;
    let invites: Vec<_> = heard.iter().filter(|m| m.starts_with("INVITE")).collect();
    let [first, second] = &invites[..] else { panic!("{heard:#?}") };
    assert!(first.starts_with("INVITE sip:13812345678@sd.ctcims.cn;user=phone SIP/2.0\r\n"), "{first}");
    for (name, wanted) in [
        ("Route", "<sip:127.0.0.1:7000;lr>"),
        ("Contact", "<sip:+8653112345@127.0.0.1:5060>"),
        ("P-Preferred-Identity", "<sip:+8653112345@sd.ctcims.cn>"),
        ("P-Asserted-Identity", ""),
    ] {
        assert_eq!((value(first, name), value(second, name)), (wanted, wanted), "{first}");
    }
    assert!(value(first, "From").starts_with("<sip:+8653112345@sd.ctcims.cn>;tag="), "{first}");
    let byes: Vec<_> = heard.iter().filter(|m| m.starts_with("BYE")).collect();
    assert!(byes.iter().all(|bye| value(bye, "Proxy-Authorization").contains("nc=00000002")), "{byes:#?}");
    assert!(!byes.is_empty());
    assert_eq!(world.ends(), [rexian::event::EndCause::AgentHangUp]);
}

#[test]
fn nobody_is_called_before_the_carrier_has_us() {
    let mut world = promised(false);
    world.citizen_will(Reaction::Answer { after: s(4) }, Some(s(30)));
    world.run(s(120));
    assert_eq!((world.rung(), world.kept.len()), (0, 1), "the promise is kept, and waits");
    assert!(world.now > MONDAY_10);
    world.carrier.as_mut().unwrap().registers = true;
    world.until("the citizen is called", s(400), |w| w.rung() == 1);
}
