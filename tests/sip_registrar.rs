//! A phone registers: the registrar as tables of REGISTER -> answer, and the digest on whole messages.

use rexian::config::settings::{Cidr, Secret};
use rexian::ids::SeatNo;
use rexian::sip::digest::{Algorithm, Claim, Digest, Verdict, response};
use rexian::sip::flow::{Flow, Transport};
use rexian::sip::message::{Framing, Message};
use rexian::sip::registrar::{Answer, Change, Registrar, RegistrarLimits};
use rexian::time::Instant;
use std::time::Duration;

const START: Instant = Instant::from_unix_secs(1_764_000_000);

fn flow(transport: Transport, remote: &str, connection: u64) -> Flow {
    Flow { transport, local: "10.0.0.1:5060".parse().unwrap(), remote: remote.parse().unwrap(), connection }
}

fn udp(remote: &str) -> Flow {
    flow(Transport::Udp, remote, 0)
}

fn registrar() -> Registrar {
    Registrar::new(RegistrarLimits {
        bindings_per_seat: 2,
        min_expiry: Duration::from_secs(60),
        max_expiry: Duration::from_secs(600),
    })
}

/// `headers`: further lines, each ended by CRLF.
fn register(to: &str, call_id: &str, cseq: u32, via: &str, headers: &str) -> Vec<u8> {
    format!(
        "REGISTER sip:city.example SIP/2.0\r\nVia: SIP/2.0/UDP {via};branch=z9hG4bK{cseq}\r\nMax-Forwards: 70\r\n\
         From: <sip:8001@city.example>;tag=a\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\n\
         {headers}Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

fn parse(bytes: &[u8]) -> Message<'_> {
    Message::parse(bytes, Framing::Datagram).unwrap_or_else(|m| panic!("{}: {}", m.status, m.reason))
}

fn shown(answer: &Answer) -> String {
    let mut text = answer.status.to_string();
    for contact in &answer.contacts {
        text += &format!(" {}", String::from_utf8_lossy(contact));
    }
    if let Some(min) = answer.min_expires {
        text += &format!(" min {min}");
    }
    match &answer.event {
        Some(Change::Reachable(seat)) => text += &format!(" +{seat}"),
        Some(Change::Lost(seat)) => text += &format!(" -{seat}"),
        None => {}
    }
    text
}

const HERE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 9));
const TO: &str = "<sip:8001@city.example>";
const A: &str = "Contact: <sip:8001@10.0.0.9:5060>\r\n";

/// One phone's life: (second, Call-ID, CSeq, header lines) -> answer.
#[track_caller]
fn life(name: &str, steps: &[(u64, &str, u32, &str, &str)]) {
    let mut registrar = registrar();
    for (i, (second, call_id, cseq, headers, wanted)) in steps.iter().enumerate() {
        let bytes = register(TO, call_id, *cseq, "10.0.0.9:5060;rport", headers);
        let now = START + Duration::from_secs(*second);
        let answer = registrar.register(now, udp("10.0.0.9:5060"), &SeatNo::new("8001"), &parse(&bytes));
        assert_eq!(shown(&answer), *wanted, "{name}, step {i}");
    }
}

#[test]
fn lives_of_phones() {
    life(
        "registers, asks, refreshes, leaves",
        &[
            (0, "c", 1, "", "200"),
            (0, "c", 2, A, "200 <sip:8001@10.0.0.9:5060>;expires=600 +8001"),
            (100, "c", 3, "", "200 <sip:8001@10.0.0.9:5060>;expires=500"),
            (200, "c", 4, A, "200 <sip:8001@10.0.0.9:5060>;expires=600"),
            (201, "c", 5, "Contact: <sip:8001@10.0.0.9:5060>;expires=0\r\n", "200 -8001"),
            (202, "c", 6, "Contact: <sip:8001@10.0.0.9:5060>;expires=0\r\n", "200"),
        ],
    );
    life(
        "expiry: contact before header before ours, clamped above, refused below",
        &[
            (0, "c", 1, &format!("{A}Expires: 120\r\n"), "200 <sip:8001@10.0.0.9:5060>;expires=120 +8001"),
            (
                0,
                "c",
                2,
                "Contact: <sip:8001@10.0.0.9:5060>;expires=90\r\nExpires: 120\r\n",
                "200 <sip:8001@10.0.0.9:5060>;expires=90",
            ),
            (0, "c", 3, &format!("{A}Expires: 3600\r\n"), "200 <sip:8001@10.0.0.9:5060>;expires=600"),
            (0, "c", 4, &format!("{A}Expires: 59\r\n"), "423 min 60"),
            (0, "c", 5, &format!("{A}Expires: soon\r\n"), "200 <sip:8001@10.0.0.9:5060>;expires=600"),
            (
                0,
                "c",
                6,
                &format!("{A}Expires: 99999999999999999999999\r\n"),
                "200 <sip:8001@10.0.0.9:5060>;expires=600",
            ),
            (599, "c", 7, "", "200 <sip:8001@10.0.0.9:5060>;expires=1"),
            (600, "c", 8, "", "200 -8001"),
        ],
    );
    life(
        "order: an old request of the same Call-ID changes nothing, a new Call-ID always does",
        &[
            (0, "c", 5, A, "200 <sip:8001@10.0.0.9:5060>;expires=600 +8001"),
            (1, "c", 5, A, "500"),
            (1, "c", 4, "Contact: <sip:8001@10.0.0.9:5060>;expires=0\r\n", "500"),
            (1, "c", 4, "Contact: *\r\nExpires: 0\r\n", "500"),
            (1, "d", 1, A, "200 <sip:8001@10.0.0.9:5060>;expires=600"),
            (2, "d", 2, "Contact: *\r\nExpires: 0\r\n", "200 -8001"),
        ],
    );
    life(
        "all contacts of a request change or none",
        &[
            (0, "c", 5, A, "200 <sip:8001@10.0.0.9:5060>;expires=600 +8001"),
            (0, "c", 5, "Contact: <sip:8001@10.0.0.8>, <sip:8001@10.0.0.9:5060>\r\n", "500"),
            (0, "c", 6, "Contact: <sip:8001@10.0.0.8>, <sip:8001@10.0.0.7>;expires=1\r\n", "423 min 60"),
            (0, "c", 7, "", "200 <sip:8001@10.0.0.9:5060>;expires=600"),
        ],
    );
    life(
        "equivalent URIs are one binding; the third ousts the oldest",
        &[
            (0, "c", 1, A, "200 <sip:8001@10.0.0.9:5060>;expires=600 +8001"),
            (0, "c", 2, "Contact: <SIP:%38001@10.0.0.9:5060>\r\n", "200 <SIP:%38001@10.0.0.9:5060>;expires=600"),
            (
                1,
                "c",
                3,
                "Contact: <sip:8001@10.0.0.8>;q=0.5\r\n",
                "200 <SIP:%38001@10.0.0.9:5060>;expires=599 <sip:8001@10.0.0.8>;q=0.500;expires=600",
            ),
            (
                2,
                "c",
                4,
                "Contact: <sip:8001@10.0.0.7>\r\n",
                "200 <sip:8001@10.0.0.8>;q=0.500;expires=599 <sip:8001@10.0.0.7>;expires=600",
            ),
        ],
    );
    life(
        "a phone restarted on another port is one phone",
        &[
            (
                0,
                "c",
                1,
                "Contact: <sip:8001@10.0.0.9:1111>;+sip.instance=\"<urn:uuid:1>\"\r\n",
                "200 <sip:8001@10.0.0.9:1111>;expires=600 +8001",
            ),
            (
                9,
                "d",
                1,
                "Contact: <sip:8001@10.0.0.9:2222>;+sip.instance=\"<urn:uuid:1>\"\r\n",
                "200 <sip:8001@10.0.0.9:2222>;expires=600",
            ),
        ],
    );
    let endless = format!("Contact: <sip:{}@10.0.0.9>\r\n", "8".repeat(600));
    let crowd = format!("Contact: {}\r\n", ["<sip:8001@10.0.0.9>"; 20].join(", "));
    for (what, headers) in [
        ("star with another", "Contact: *, <sip:8001@10.0.0.9>\r\nExpires: 0\r\n"),
        ("star that keeps", "Contact: *\r\nExpires: 60\r\n"),
        ("star without a time", "Contact: *\r\n"),
        ("not a SIP URI", "Contact: <mailto:8001@city.example>\r\n"),
        ("a contact too long to keep", &endless),
        ("a crowd", &crowd),
    ] {
        life(what, &[(0, "c", 1, headers, "400")]);
    }
}

#[test]
fn only_ones_own_number() {
    let mut registrar = registrar();
    for (cseq, to, wanted) in [
        (1, "<sip:8002@city.example>", "403"),
        (2, "<sip:city.example>", "403"),
        (3, "<tel:8002>", "403"),
        (4, "<sip:8001@another.name:5080;transport=udp>", "200 <sip:8001@10.0.0.9:5060>;expires=600 +8001"),
        (5, "\"Seat \\\"1\\\" <sip:8002@x>\" <sip:%38001@city.example>", "200 <sip:8001@10.0.0.9:5060>;expires=600"),
    ] {
        let bytes = register(to, "c", cseq, "10.0.0.9:5060;rport", A);
        let answer = registrar.register(START, udp("10.0.0.9:5060"), &SeatNo::new("8001"), &parse(&bytes));
        assert_eq!(shown(&answer), wanted, "{to}");
    }
}

#[test]
fn where_a_phone_is_rung() {
    let seat = SeatNo::new("8001");
    for (what, source, via, contact, wanted) in [
        ("in plain sight", "10.0.0.9:5060", "10.0.0.9:5060;rport", "sip:8001@10.0.0.9:5060", "10.0.0.9:5060"),
        ("behind NAT", "203.0.113.5:40001", "192.168.1.9:5060;rport", "sip:8001@192.168.1.9:5060", "203.0.113.5:40001"),
        ("behind NAT, no rport", "203.0.113.5:40001", "192.168.1.9", "sip:8001@192.168.1.9:5060", "203.0.113.5:40001"),
        ("sends from another port", "10.0.0.9:40001", "10.0.0.9:40001", "sip:8001@10.0.0.9:5070", "10.0.0.9:5070"),
        ("the same, default port", "10.0.0.9:40001", "10.0.0.9:40001", "sip:8001@10.0.0.9", "10.0.0.9:5060"),
        (
            "the same, but asks for rport",
            "10.0.0.9:40001",
            "10.0.0.9;rport",
            "sip:8001@10.0.0.9:5070",
            "10.0.0.9:40001",
        ),
        ("a name, not an address", "10.0.0.9:40001", "10.0.0.9", "sip:8001@phone.local", "10.0.0.9:40001"),
        ("IPv6", "[fd00::9]:40001", "[fd00::9]:5060", "sip:8001@[fd00::9]:5070", "[fd00::9]:5070"),
    ] {
        let mut registrar = registrar();
        let bytes = register(TO, "c", 1, via, &format!("Contact: <{contact}>\r\n"));
        registrar.register(START, udp(source), &seat, &parse(&bytes));
        let binding = registrar.lookup(&seat).unwrap_or_else(|| panic!("{what}: not registered"));
        assert_eq!(binding.flow.remote.to_string(), wanted, "{what}");
        assert_eq!(binding.uri, contact.as_bytes(), "{what}");
    }
}

#[test]
fn the_best_contact_is_chosen() {
    let seat = SeatNo::new("8001");
    for (contacts, wanted) in [
        ("<sip:8001@10.0.0.1>;q=0.3, <sip:8001@10.0.0.2>;q=0.9", "sip:8001@10.0.0.2"),
        ("<sip:8001@10.0.0.1>;q=0.9, <sip:8001@10.0.0.2>;q=0.3", "sip:8001@10.0.0.1"),
        ("<sip:8001@10.0.0.1>;q=0.95, <sip:8001@10.0.0.2>", "sip:8001@10.0.0.2"),
        ("<sip:8001@10.0.0.1>, <sip:8001@10.0.0.2>;q=1.0", "sip:8001@10.0.0.2"),
        ("<sip:8001@10.0.0.1>;q=.5, <sip:8001@10.0.0.2>;q=0", "sip:8001@10.0.0.1"),
    ] {
        let mut registrar = registrar();
        let bytes = register(TO, "c", 1, "10.0.0.9;rport", &format!("Contact: {contacts}\r\n"));
        registrar.register(START, udp("10.0.0.9:5060"), &seat, &parse(&bytes));
        let uri = registrar.lookup(&seat).map(|b| String::from_utf8_lossy(&b.uri).into_owned());
        assert_eq!(uri.as_deref(), Some(wanted), "{contacts}");
    }
}

#[test]
fn phones_that_go_silent_or_lose_their_connection() {
    let mut registrar = registrar();
    let tcp = flow(Transport::Tcp, "10.0.0.9:40001", 7);
    let put = |registrar: &mut Registrar, seat: &str, flow: Flow, contact: &str, expires: u32| {
        let lines = format!("Contact: <sip:{seat}@{contact}>;expires={expires}\r\n");
        let bytes = register(&format!("<sip:{seat}@city.example>"), contact, 1, "10.0.0.9;rport", &lines);
        registrar.register(START, flow, &SeatNo::new(seat), &parse(&bytes)).event
    };
    let seat = |n: &str| SeatNo::new(n);
    assert_eq!(registrar.next_timeout(), None);
    assert_eq!(put(&mut registrar, "8001", tcp, "10.0.0.9", 300), Some(Change::Reachable(seat("8001"))));
    assert_eq!(put(&mut registrar, "8001", udp("10.0.0.9:5060"), "10.0.0.8", 100), None);
    assert_eq!(put(&mut registrar, "8002", tcp, "10.0.0.9", 200), Some(Change::Reachable(seat("8002"))));
    let at = |s| START + Duration::from_secs(s);

    assert_eq!(registrar.next_timeout(), Some(at(100)));
    assert_eq!(registrar.handle_timeout(at(99)), []);
    let mut failing = registrar.clone();

    // By time: 8001's UDP contact goes first and is not missed.
    assert_eq!(registrar.handle_timeout(at(100)), []);
    assert_eq!(registrar.bindings(&seat("8001")).len(), 1);
    assert_eq!(registrar.next_timeout(), Some(at(200)));
    assert_eq!(registrar.handle_timeout(at(1000)), [Change::Lost(seat("8002")), Change::Lost(seat("8001"))]);
    assert_eq!((registrar.next_timeout(), registrar.lookup(&seat("8001"))), (None, None));

    // By connection: other connections and UDP do not matter, then both seats' TCP contacts go.
    assert_eq!(failing.flow_failed(Flow { connection: 8, ..tcp }), []);
    assert_eq!(failing.flow_failed(udp("10.0.0.9:5060")), []);
    assert_eq!(failing.flow_failed(tcp), [Change::Lost(seat("8002"))]);
    assert_eq!(failing.lookup(&seat("8001")).map(|b| b.flow), Some(udp("10.0.0.9:5060")));
    assert_eq!(failing.next_timeout(), Some(at(100)));
}

/// Credentials as a phone computes them; every field can be set wrong.
#[derive(Clone)]
struct Phone {
    user: &'static str,
    password: &'static str,
    realm: &'static str,
    algorithm: Algorithm,
    uri: &'static str,
    nc: &'static str,
    qop: Option<&'static str>,
}

const PHONE: Phone = Phone {
    user: "8001",
    password: "correct horse",
    realm: "city.example",
    algorithm: Algorithm::Md5,
    uri: "sip:city.example",
    nc: "00000001",
    qop: Some("auth"),
};

impl Phone {
    fn answer(&self, method: &str, nonce: &str) -> String {
        let claim = Claim {
            username: self.user.as_bytes(),
            realm: self.realm.as_bytes(),
            method: method.as_bytes(),
            uri: self.uri.as_bytes(),
            nonce: nonce.as_bytes(),
            qop: self.qop.map(|qop| (self.nc.as_bytes(), &b"0a4f113b"[..], qop.as_bytes())),
        };
        response(self.algorithm, &claim, self.password)
    }

    fn line(&self, method: &str, nonce: &str) -> String {
        let Phone { user, realm, uri, nc, .. } = self;
        let (answer, algorithm) = (self.answer(method, nonce), self.algorithm.as_str());
        let qop = self.qop.map_or(String::new(), |qop| format!(", qop={qop}, nc={nc}, cnonce=\"0a4f113b\""));
        format!(
            "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{answer}\", algorithm={algorithm}{qop}\r\n"
        )
    }
}

fn digest() -> Digest {
    Digest::new("city.example", [42; 32], Duration::from_secs(300))
}

fn nonce_of(challenge: &[u8]) -> String {
    let text = std::str::from_utf8(challenge).unwrap();
    text.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn verify(digest: &mut Digest, second: u64, bytes: &[u8]) -> Verdict {
    let secret = |user: &str| (user == "8001").then(|| Secret("correct horse".into()));
    digest.verify(START + Duration::from_secs(second), HERE, &parse(bytes), secret)
}

fn with(headers: &str) -> Vec<u8> {
    register(TO, "c", 1, "10.0.0.9:5060;rport", headers)
}

fn accepted() -> Verdict {
    Verdict::Accepted { user: "8001".into() }
}

#[test]
fn challenge_offers_the_stronger_hash_first() {
    let lines = digest().challenge(START, HERE, true);
    let text: Vec<_> = lines.iter().map(|l| std::str::from_utf8(l).unwrap()).collect();
    let nonce = nonce_of(&lines[0]);
    let line = |a| format!(r#"Digest realm="city.example", nonce="{nonce}", algorithm={a}, qop="auth", stale=TRUE"#);
    assert_eq!(text, [line("SHA-256"), line("MD5")]);
    let only = digest().offering(&[Algorithm::Md5]).challenge(START, HERE, false);
    assert!(only.len() == 1 && !only[0].ends_with(b"TRUE"), "{only:?}");
}

#[test]
fn right_passwords_in_every_form() {
    for (what, phone) in [
        ("MD5", PHONE),
        ("SHA-256", Phone { algorithm: Algorithm::Sha256, ..PHONE }),
        ("count past nine", Phone { nc: "0000000a", ..PHONE }),
        ("count in capitals", Phone { nc: "0000000A", ..PHONE }),
        ("highest count", Phone { nc: "ffffffff", ..PHONE }),
        ("short count", Phone { nc: "1", ..PHONE }),
        ("no qop", Phone { qop: None, ..PHONE }),
        ("uri with parameters", Phone { uri: "sip:city.example:5060;transport=udp", ..PHONE }),
        ("uri in capitals", Phone { uri: "SIP:CITY.example", ..PHONE }),
        ("uri with the seat's own user", Phone { uri: "sip:8001@city.example", ..PHONE }),
    ] {
        let mut digest = digest();
        let nonce = nonce_of(&digest.challenge(START, HERE, false)[0]);
        assert_eq!(verify(&mut digest, 1, &with(&phone.line("REGISTER", &nonce))), accepted(), "{what}");
        assert_eq!(verify(&mut digest, 1, &with(&phone.line("REGISTER", &nonce))), Verdict::Stale, "{what}, replayed");
    }
    // Upper-case response digits, no algorithm, and a line for somebody else's realm before ours.
    let mut digest = digest();
    let nonce = nonce_of(&digest.challenge(START, HERE, false)[0]);
    let answer = PHONE.answer("REGISTER", &nonce);
    let line = PHONE.line("REGISTER", &nonce).replace(&answer, &answer.to_uppercase()).replace(", algorithm=MD5", "");
    let other = Phone { realm: "elsewhere", ..PHONE }.line("REGISTER", "n");
    assert_eq!(verify(&mut digest, 1, &with(&format!("{other}{line}"))), accepted());
}

#[test]
fn requests_that_prove_nothing() {
    let missing = |v: &Verdict| *v == Verdict::Missing;
    let refused = |v: &Verdict| matches!(v, Verdict::Unusable(_));
    let wrong = Verdict::Refused;
    let mut digest = digest();
    let nonce = nonce_of(&digest.challenge(START, HERE, false)[0]);
    let good = PHONE.line("REGISTER", &nonce);
    let mut check = |what: &str, headers: &str, ok: &dyn Fn(&Verdict) -> bool| {
        let verdict = verify(&mut digest, 1, &with(headers));
        assert!(ok(&verdict), "{what}: {verdict:?}");
    };
    check("no credentials", "", &missing);
    check("another scheme", "Authorization: Basic ODAwMTp4\r\n", &missing);
    check("another realm", &Phone { realm: "elsewhere", ..PHONE }.line("REGISTER", &nonce), &missing);
    check("proxy credentials only", &format!("Proxy-{good}"), &missing);
    check("wrong password", &Phone { password: "wrong", ..PHONE }.line("REGISTER", &nonce), &|v| *v == wrong);
    check("unknown user", &Phone { user: "9999", ..PHONE }.line("REGISTER", &nonce), &|v| *v == wrong);
    check("wrong password, no nonce of ours", &Phone { password: "x", ..PHONE }.line("REGISTER", "n"), &|v| {
        *v == Verdict::Stale
    });
    check("of another method", &PHONE.line("INVITE", &nonce), &|v| *v == wrong);
    check("of another request", &Phone { uri: "sip:elsewhere", ..PHONE }.line("REGISTER", &nonce), &refused);
    check("algorithm not offered", &good.replace("=MD5", "=MD5-sess"), &refused);
    check("auth-int", &Phone { qop: Some("auth-int"), ..PHONE }.line("REGISTER", &nonce), &refused);
    check("count not hex", &Phone { nc: "0000000g", ..PHONE }.line("REGISTER", &nonce), &refused);
    check("count with a sign", &Phone { nc: "+0000001", ..PHONE }.line("REGISTER", &nonce), &refused);
    check("count too long", &Phone { nc: "000000001", ..PHONE }.line("REGISTER", &nonce), &refused);
    check("qop without count", &good.replace("nc=00000001, ", ""), &refused);
    check("user twice", &good.replace("realm=", "username=\"8001\", realm="), &refused);
    check("no response", &good.replace("response=", "answer="), &refused);
    assert_eq!(digest.remembered(), 0, "nothing unproved is stored");
    // And nothing of the above spoiled the nonce.
    assert_eq!(verify(&mut digest, 1, &with(&good)), accepted());
}

/// Whoever forges an address never sees the nonce sent there, so a refused password is that address's own doing.
#[test]
fn a_nonce_serves_the_address_it_was_sent_to() {
    let mut digest = digest();
    let line = PHONE.line("REGISTER", &nonce_of(&digest.challenge(START, HERE, false)[0]));
    let mut from = |holder: &str, line: &str| {
        let secret = |_: &str| Some(Secret("correct horse".into()));
        digest.verify(START, holder.parse().unwrap(), &parse(&with(line)), secret)
    };
    assert_eq!(from("10.0.0.8", &line), Verdict::Stale, "stolen");
    let wrong = line.replace("response=\"", "response=\"0");
    assert_eq!(from("10.0.0.8", &wrong), Verdict::Stale, "tells nothing about the password");
    assert_eq!(from("10.0.0.9", &wrong), Verdict::Refused);
    assert_eq!(from("10.0.0.9", &line), accepted());
    assert_eq!(from("10.0.0.9", &line), Verdict::Stale, "replayed");
}

#[test]
fn old_and_foreign_nonces_are_stale() {
    let mut digest = digest();
    let nonce = nonce_of(&digest.challenge(START, HERE, false)[0]);
    assert_eq!(verify(&mut digest, 301, &with(&PHONE.line("REGISTER", &nonce))), Verdict::Stale);
    assert_eq!(verify(&mut digest, 1, &with(&PHONE.line("REGISTER", "from before the restart"))), Verdict::Stale);
    assert_eq!(verify(&mut digest, 300, &with(&PHONE.line("REGISTER", &nonce))), accepted());
}

#[test]
fn a_call_must_be_to_the_number_the_digest_names() {
    let invite = |uri: &'static str| {
        let mut digest = digest();
        let nonce = nonce_of(&digest.challenge(START, HERE, false)[0]);
        let line = Phone { uri, ..PHONE }.line("INVITE", &nonce);
        let text = String::from_utf8(with(&line)).unwrap();
        let text = text.replace("REGISTER sip:city.example SIP", "INVITE sip:*11@city.example;user=phone SIP");
        verify(&mut digest, 1, text.replace("1 REGISTER", "1 INVITE").as_bytes())
    };
    for (uri, good) in [
        ("sip:*11@city.example", true),
        ("sip:%2A11@city.example:5060", true),
        ("sip:*12@city.example", false),
        ("sip:city.example", false),
        ("sip:*11@elsewhere", false),
        ("*11", false),
    ] {
        assert_eq!(invite(uri) == accepted(), good, "{uri}");
    }
}

#[test]
fn state_survives_saving() {
    let mut digest = digest();
    let nonce = nonce_of(&digest.challenge(START, HERE, false)[0]);
    assert_eq!(verify(&mut digest, 1, &with(&PHONE.line("REGISTER", &nonce))), accepted());
    let mut again: Digest = postcard::from_bytes(&postcard::to_stdvec(&digest).unwrap()).unwrap();
    assert_eq!(verify(&mut again, 2, &with(&PHONE.line("REGISTER", &nonce))), Verdict::Stale, "replay after a restore");
    let next = Phone { nc: "00000002", ..PHONE };
    assert_eq!(verify(&mut again, 2, &with(&next.line("REGISTER", &nonce))), accepted());
    assert!(!format!("{again:?}").contains("42, 42"), "the key is not printed");
}

/// RFC 3327, as far as the proxy is trusted: what a stranger says of the way to a phone is passed over.
#[test]
fn a_path_is_believed_of_a_trusted_proxy_only() {
    let proxies = [Cidr { address: [10, 0, 0, 7].into(), prefix: 32 }];
    let two = "Path: <sip:10.0.0.7;lr>, <sip:edge.example;lr;ob>\r\nSupported: path\r\n";
    let long = format!("Path: <sip:{}@10.0.0.7;lr>\r\n", "x".repeat(600));
    for (source, path, kept) in [
        ("10.0.0.7:5060", "", Some(&[][..])),
        ("10.0.0.7:5060", two, Some(&["<sip:10.0.0.7;lr>", "<sip:edge.example;lr;ob>"][..])),
        // One whose phone does not say that it knows it.
        ("10.0.0.7:5080", "Path: <sip:10.0.0.7;lr>\r\n", Some(&["<sip:10.0.0.7;lr>"][..])),
        ("10.0.0.9:5060", two, Some(&[][..])),
        ("10.0.0.7:5060", &"Path: <sip:10.0.0.7;lr>\r\n".repeat(9), None),
        ("10.0.0.7:5060", &long, None),
        ("10.0.0.7:5060", "Path: 10.0.0.7\r\n", None),
    ] {
        let mut registrar = registrar().behind(&proxies);
        let bytes = register(TO, "c", 1, "10.0.0.7:5060;rport", &format!("{A}{path}"));
        let answer = registrar.register(START, udp(source), &SeatNo::new("8001"), &parse(&bytes));
        assert_eq!(answer.status, if kept.is_some() { 200 } else { 400 }, "{source} {path}");
        let text = |path: &[Vec<u8>]| path.iter().map(|p| String::from_utf8(p.clone()).unwrap()).collect::<Vec<_>>();
        let kept = kept.unwrap_or_default();
        assert_eq!(text(&answer.path), kept, "{source} {path}: s5.3, the 200 says it again");
        let binding = registrar.lookup(&SeatNo::new("8001"));
        assert_eq!(text(binding.map_or(&[], |b| &b.path)), kept, "{source} {path}");
        assert!(binding.is_none_or(|b| b.flow.remote == source.parse().unwrap()), "sent to where it came from");
    }
}
