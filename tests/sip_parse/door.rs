//! RFC 4475's messages at a whole gateway: what a trunk gets for each, and why; what a stranger gets. The parser's
//! reading of the same messages is in `torture`.

use crate::torture;
use crate::{rfc_4475_bytes, wire};
use rexian::config::settings::{Cidr, CoreSettings, Profile, Settings, TrunkSettings};
use rexian::gateway::{Gateway, Input, Leftovers, Output};
use rexian::sip::endpoint::{Endpoint, Received};
use rexian::sip::flow::{Flow, Transport};
use rexian::sip::message::Name;
use rexian::time::Instant;
use std::net::SocketAddr;

const TRUNK: &str = "192.0.2.99:5060";
const STRANGER: &str = "203.0.113.9:5060";
const NOW: Instant = Instant::from_unix_secs(1_800_000_000);

/// What the sender hears.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Hears {
    /// A 100 may come first.
    Status(u16),
    /// The same, with this header.
    With(u16, Name, &'static str),
    Silence,
}
use Hears::*;

/// By the RFC's names. Nobody here has the numbers these messages call: 404 is what a well-formed call gets.
#[rustfmt::skip]
const TABLE: [(&str, Hears, &str); 49] = [
    ("wsinv",      Status(481),      "3.1.1.1: well-formed, whatever the white space; its To tag names no dialog of ours (RFC 3261 s12.2.2)"),
    ("intmeth",    With(405, Name::Allow, "INVITE"), "3.1.1.2: an unusual method is a method we do not have (RFC 3261 s8.2.1)"),
    ("esc01",      Status(404),      "3.1.1.3: the user is `sips:user@example.com`, not a SIPS URI: a number nobody has"),
    ("escnull",    Status(401),      "3.1.1.4: an escaped null is a character like any other; who registers proves himself first"),
    ("esc02",      Status(405),      "3.1.1.5: RE%47IST%45R is not REGISTER: a method's escapes are not undone"),
    ("lwsdisp",    Status(200),      "3.1.1.6: no space is needed between display name and <"),
    ("longreq",    Status(404),      "3.1.1.7: long values and many Vias are fine"),
    ("dblreq",     Status(401),      "3.1.1.8: what follows the first request in its datagram is no request: one answer"),
    ("semiuri",    Status(200),      "3.1.1.9: the ; and the escaped @ are the user's, not parameters"),
    ("transports", Status(200),      "3.1.1.10: unknown transports in Vias further down are nobody's business here"),
    ("mpart01",    Status(405),      "3.1.1.11: a binary multipart body is a body; MESSAGE is no method of ours"),
    ("unreason",   Silence,          "3.1.1.12: a response to nothing we asked (see `responses` for one we did ask)"),
    ("noreason",   Silence,          "3.1.1.13: the same"),
    ("badinv01",   Status(400),      "3.1.2.1: stray separators in Via and Contact"),
    ("clerr",      Status(400),      "3.1.2.2: the datagram is shorter than it says: an error is answered"),
    ("ncl",        Status(400),      "3.1.2.3: a negative length is an error to answer"),
    ("scalar02",   Status(400),      "3.1.2.4: CSeq, Max-Forwards and expires beyond their ranges: 400 for the CSeq"),
    ("scalarlg",   Silence,          "3.1.2.5: a response with such scalars is dropped"),
    ("quotbal",    Status(400),      "3.1.2.6: a quote that never closes; what it may have meant is not guessed"),
    ("ltgtruri",   Status(400),      "3.1.2.7: a Request-URI in <>"),
    ("lwsruri",    Status(400),      "3.1.2.8: white space within the Request-URI"),
    ("lwsstart",   Status(400),      "3.1.2.9: more than one space between the parts of the request line"),
    ("trws",       Status(400),      "3.1.2.10: spaces at the end of the request line"),
    ("escruri",    Status(400),      "3.1.2.11: headers in the Request-URI; they are not acted on"),
    ("baddate",    Status(404),      "3.1.2.12: a Date in another zone matters only to who needs the Date"),
    ("regbadct",   Status(400),      "3.1.2.13: a Contact whose URI has a ? must stand in <>"),
    ("badaspec",   Status(400),      "3.1.2.14: white space within <>"),
    ("baddn",      Status(400),      "3.1.2.15: an unquoted display name with a comma"),
    ("badvers",    Status(505),      "3.1.2.16: SIP/7.0"),
    ("mismatch01", Status(400),      "3.1.2.17: the CSeq names another method than the request"),
    ("mismatch02", Status(400),      "3.1.2.18: the same with an unknown method: 501 or 400"),
    ("bigcode",    Silence,          "3.1.2.19: a status beyond all numbers is dropped"),
    ("badbranch",  Status(200),      "3.2.1: a branch that is only the cookie is matched as RFC 2543 did"),
    ("insuf",      Silence,          "3.3.1: ideally 400, but without From, To and Call-ID there is no response to be built"),
    ("unkscm",     Status(416),      "3.3.2: a scheme nobody here knows"),
    ("novelsc",    Status(416),      "3.3.3: the same for one that others know"),
    ("unksm2",     Status(401),      "3.3.4: nobody is registered before he has proved himself; then it would be 403 for its To"),
    ("bext01",     With(420, Name::Unsupported, "no"), "3.3.5: Require, and not Proxy-Require, which is for proxies"),
    ("invut",      With(415, Name::Accept, "application/sdp"), "3.3.6: an unknown kind of body"),
    ("regaut01",   With(401, Name::WwwAuthenticate, "Digest"), "3.3.7: an unknown scheme proves nothing: challenged"),
    ("multi01",    Status(400),      "3.3.8: two of what there may be one of"),
    ("mcl01",      Status(400),      "3.3.9: two lengths"),
    ("bcast",      Silence,          "3.3.10: a response with a second Via was meant for somebody else"),
    ("zeromf",     Status(200),      "3.3.11: Max-Forwards 0 stops proxies; who it is for may answer"),
    ("cparam01",   Status(401),      "3.3.12: an unknown parameter of the Contact"),
    ("cparam02",   Status(401),      "3.3.13: an unknown parameter of the Contact's URI"),
    ("regescrt",   Status(401),      "3.3.14: headers in a Contact's URI, kept as they are"),
    ("sdp01",      Status(406),      "3.3.15: its Accept forbids the one answer an INVITE can have"),
    ("inv2543",    Status(404),      "3.4.1: no tag, no branch, no Max-Forwards, no Content-Length: still a call"),
];

fn gateway() -> Gateway {
    let mut core: CoreSettings = Settings::demo([7; 32]).core;
    let peers = vec![Cidr { address: [192, 0, 2, 0].into(), prefix: 24 }];
    core.trunks = vec![TrunkSettings::new("carrier", peers, Profile::new("carrier"))];
    Gateway::new(core, [9; 32], NOW)
}

/// What `from` hears for these bytes, on a gateway of its own that keeps nothing but what it must.
fn answers(from: &str, bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut gateway = gateway();
    let heard = say(&mut gateway, from, bytes);
    // It said it again: the answer is the same, and no second thing begins.
    assert_eq!(status(&heard), status(&say(&mut gateway, from, bytes)));
    let left = Leftovers { client_transactions: 0, server_transactions: 0, ..gateway.leftovers() };
    assert_eq!(Leftovers { alarms: 0, ..left }, Leftovers::default());
    heard
}

fn say(gateway: &mut Gateway, from: &str, bytes: &[u8]) -> Vec<Vec<u8>> {
    let remote: SocketAddr = from.parse().unwrap();
    let flow = Flow { transport: Transport::Udp, local: "192.0.2.1:5060".parse().unwrap(), remote, connection: 0 };
    gateway.handle(NOW, Input::Message { flow, bytes });
    let mut heard = vec![];
    while let Some(output) = gateway.next_output() {
        if let Output::Send(transmit) = output {
            assert_eq!(transmit.flow.remote.ip(), remote.ip(), "to nobody else");
            heard.push(transmit.bytes);
        }
    }
    heard
}

/// The final answer. Not by the parser: an answer to what cannot be read echoes what cannot be read.
fn status(heard: &[Vec<u8>]) -> Option<u16> {
    let mut statuses = heard.iter().map(|bytes| text(bytes)["SIP/2.0 ".len()..][..3].parse().expect("a status"));
    statuses.rfind(|status| *status != 100)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Ours and, where they are at hand, the RFC's own bytes.
fn each(mut check: impl FnMut(&str, &[u8], Hears)) {
    let ours = torture::named().into_iter();
    let theirs: Vec<(String, Vec<u8>)> = rfc_4475_bytes();
    for (name, bytes) in ours.chain(theirs) {
        let (_, hears, _) =
            TABLE.iter().find(|(n, ..)| *n == name).unwrap_or_else(|| panic!("{name} is not in the table"));
        check(&name, &bytes, *hears);
    }
}

#[test]
fn what_a_trunk_hears() {
    each(|name, bytes, hears| {
        let heard = answers(TRUNK, bytes);
        let finals: Vec<_> = heard.iter().filter(|b| !b.starts_with(b"SIP/2.0 100 ")).collect();
        assert_eq!(finals.len(), usize::from(hears != Silence), "{name}");
        match hears {
            Silence => {}
            Status(expected) => assert_eq!(status(&heard), Some(expected), "{name}"),
            With(expected, header, value) => {
                assert_eq!(status(&heard), Some(expected), "{name}");
                let line = format!("\r\n{}: {value}", header.as_str());
                assert!(text(finals[0]).contains(&line), "{name}: {line} in {}", text(finals[0]));
                assert!(!text(finals[0]).contains("rox"), "{name}: what is asked of proxies is none of ours");
            }
        }
    });
}

/// Nothing, but for the challenge that a phone on the move would need.
#[test]
fn what_a_stranger_hears() {
    each(|name, bytes, hears| {
        let expected = match hears {
            Status(401) | With(401, ..) => Some(401),
            _ => None,
        };
        assert_eq!(status(&answers(STRANGER, bytes)), expected, "{name}");
    });
}

/// Responses that meet a request of ours with their branch.
#[test]
fn responses_to_what_we_did_ask() {
    let flow = Flow {
        transport: Transport::Udp,
        local: "192.0.2.1:5060".parse().unwrap(),
        remote: TRUNK.parse().unwrap(),
        connection: 0,
    };
    for (name, understood) in [
        // What class of response it is.
        // Any UTF-8 is a reason phrase, and so is none at all.
        ("unreason", Some(2)),
        ("noreason", Some(1)),
        ("scalarlg", None),
        ("bigcode", None),
        // RFC 3261 s8.1.3.3: two Vias, so it went astray, though the first is ours.
        ("bcast", None),
    ] {
        for (_, bytes) in torture::named().into_iter().chain(rfc_4475_bytes()).filter(|(n, _)| n == name) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let after =
                |key: &str| text.split(key).nth(1).unwrap().split([';', '\r', '\n', ' ']).next().unwrap().to_owned();
            let (branch, method) = (after("branch="), if name == "scalarlg" { "OPTIONS" } else { "INVITE" });
            let asked = format!(
                "{method} sip:user@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch={branch}\nFrom: <sip:a@b>;tag=1\n\
                 To: <sip:c@d>\nCall-ID: 1\nCSeq: 35 {method}\nMax-Forwards: 70\nContent-Length: 0\n\n"
            );
            let mut endpoint = Endpoint::new(10);
            endpoint.request(NOW, flow, &branch, 7, wire(asked.as_bytes(), true));
            let class = match endpoint.receive(NOW, flow, &bytes) {
                Received::Response { msg, owner: 7, .. } => msg.status().map(|status| status / 100),
                Received::Nothing => None,
                other => panic!("{name}: {other:?}"),
            };
            assert_eq!(class, understood, "{name}");
        }
    }
}
