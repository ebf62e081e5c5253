//! Those who knock: strangers, guessers, forgers, thieves of credentials. Real messages, virtual time.

use super::world::{World, invite};
use rexian::config::settings::{Algorithm, Cidr, CoreSettings, Settings, Unknown};
use rexian::gateway::{Gateway, Input, Output};
use rexian::guard::Order;
use rexian::guard::intake::Class;
use rexian::sip::digest::{Claim, response};
use rexian::sip::flow::{Flow, Listener, Transport};
use rexian::sip::message::{Framing, Message};
use rexian::time::Instant;
use std::net::SocketAddr;
use std::time::Duration;

const US: &str = "10.0.0.1:5060";
const TRUNK: &str = "10.1.0.7:5060";
const PHONE: &str = "10.0.0.9:5060";
const STRANGER: &str = "203.0.113.5:5060";

/// The gateway alone, and what it said.
struct Door {
    gateway: Gateway,
    now: Instant,
    said: Vec<(Flow, String)>,
    orders: Vec<Order>,
    cseq: u32,
}

fn udp(remote: &str) -> Flow {
    Flow { transport: Transport::Udp, local: US.parse().unwrap(), remote: remote.parse().unwrap(), connection: 0 }
}

fn tcp(remote: &str, connection: u64) -> Flow {
    Flow { transport: Transport::Tcp, connection, ..udp(remote) }
}

impl Door {
    fn new(shape: impl FnOnce(&mut CoreSettings)) -> Door {
        let mut core = Settings::demo([7; 32]).core;
        core.trunks[0].peers = vec![Cidr { address: [10, 1, 0, 7].into(), prefix: 32 }];
        shape(&mut core);
        let now = Instant::from_unix_secs(1_800_000_000);
        let mut gateway = Gateway::new(core, [9; 32], now);
        let listener = Listener { transport: Transport::Udp, address: US.parse().unwrap() };
        gateway.handle(now, Input::Listening(vec![listener]));
        Door { gateway, now, said: vec![], orders: vec![], cseq: 0 }
    }

    /// What is answered to this; empty: nothing.
    fn send(&mut self, flow: Flow, message: &str) -> Vec<String> {
        self.input(Input::Message { flow, bytes: message.as_bytes() })
    }

    fn input(&mut self, input: Input<'_>) -> Vec<String> {
        let before = self.said.len();
        self.gateway.handle(self.now, input);
        while let Some(output) = self.gateway.next_output() {
            match output {
                Output::Send(t) => self.said.push((t.flow, String::from_utf8(t.bytes).unwrap())),
                Output::Guard(order) => self.orders.push(order),
                _ => {}
            }
        }
        self.said[before..].iter().map(|(_, text)| text.clone()).collect()
    }

    fn statuses(&mut self, flow: Flow, message: &str) -> Vec<String> {
        self.send(flow, message).iter().map(|answer| answer.split(' ').nth(1).unwrap().to_owned()).collect()
    }

    fn password(&self, seat: &str) -> String {
        let seats = &self.gateway.settings().seats;
        seats.iter().find(|s| s.number.as_str() == seat).unwrap().secret.0.to_string()
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.gateway.next_timeout().filter(|t| *t <= end) {
            self.now = next.max(self.now);
            self.input(Input::Timeout);
        }
        self.now = end;
    }

    /// A request of `seat` with its To, and credentials.
    fn request(&mut self, method: &str, uri: &str, seat: &str, to: &str, flow: Flow, more: &str) -> String {
        self.cseq += 1;
        let (n, remote) = (self.cseq, flow.remote);
        let transport = if flow.transport == Transport::Udp { "UDP" } else { "TCP" };
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {remote};branch=z9hG4bKg{n};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{seat}@rexian.local>;tag=g{n}\r\nTo: {to}\r\nCall-ID: g-{n}\r\nCSeq: {n} {method}\r\n\
             Contact: <sip:{seat}@{remote}>\r\n{more}Content-Length: 0\r\n\r\n"
        )
    }

    fn register(&mut self, flow: Flow, seat: &str, more: &str) -> String {
        self.request("REGISTER", "sip:rexian.local", seat, &format!("<sip:{seat}@rexian.local>"), flow, more)
    }

    /// The nonce this address is given, if it is.
    fn nonce(&mut self, flow: Flow, seat: &str) -> Option<String> {
        let ask = self.register(flow, seat, "");
        let answer = self.send(flow, &ask).pop()?;
        assert!(answer.starts_with("SIP/2.0 401 "), "{answer}");
        Some(answer.split("nonce=\"").nth(1)?.split('"').next()?.to_owned())
    }

    fn credentials(method: &str, uri: &str, user: &str, password: &str, nonce: &str, nc: u32) -> String {
        let nc = format!("{nc:08x}");
        let claim = Claim {
            username: user.as_bytes(),
            realm: b"rexian.local",
            method: method.as_bytes(),
            uri: uri.as_bytes(),
            nonce: nonce.as_bytes(),
            qop: Some((nc.as_bytes(), b"c", b"auth")),
        };
        let answer = response(Algorithm::Md5, &claim, password);
        format!(
            "Authorization: Digest username=\"{user}\", realm=\"rexian.local\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{answer}\", algorithm=MD5, qop=auth, nc={nc}, cnonce=\"c\"\r\n"
        )
    }

    /// A whole attempt to register: its last answer's status; `-`: none.
    fn attempt(&mut self, flow: Flow, seat: &str, password: &str) -> String {
        let Some(nonce) = self.nonce(flow, seat) else { return "-".into() };
        self.answer_challenge(flow, seat, password, &nonce)
    }

    fn answer_challenge(&mut self, flow: Flow, seat: &str, password: &str, nonce: &str) -> String {
        let proof = Door::credentials("REGISTER", "sip:rexian.local", seat, password, nonce, 1);
        let ask = self.register(flow, seat, &proof);
        self.statuses(flow, &ask).pop().unwrap_or("-".into())
    }

    fn dial(&mut self, flow: Flow, seat: &str, uri: &str, to: &str, nonce: &str, nc: u32) -> Vec<String> {
        let password = self.password("8001");
        let proof = Door::credentials("INVITE", uri, "8001", &password, nonce, nc);
        let ask = self.request("INVITE", uri, seat, to, flow, &proof);
        self.statuses(flow, &ask)
    }
}

/// Every kind of request, and things that are none.
fn knocks(from: &str) -> Vec<(&'static str, String)> {
    let plain = |method: &str, more: &str| {
        format!(
            "{method} sip:12345@{US} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{method};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:1@x>;tag=1\r\nTo: <sip:12345@x>\r\nCall-ID: {method}\r\nCSeq: 1 {method}\r\n{more}Content-Length: 0\r\n\r\n"
        )
    };
    let forged = Door::credentials("INVITE", &format!("sip:12345@{US}"), "8001", "guess", &"0".repeat(64), 1);
    let mut all: Vec<(&str, String)> =
        ["INVITE", "OPTIONS", "CANCEL", "BYE", "MESSAGE", "SUBSCRIBE", "PUBLISH", "NOSUCH"]
            .map(|method| (method, plain(method, "")))
            .into();
    all.push((
        "a BYE in a dialog we do not have",
        plain("BYE", "").replace("To: <sip:12345@x>", "To: <sip:1@x>;tag=1-2"),
    ));
    all.push(("an INVITE that requires much", plain("INVITE", "Require: magic\r\n")));
    all.push(("an INVITE with a small timer", plain("INVITE", "Session-Expires: 10\r\n")));
    all.push(("an INVITE with made-up credentials", plain("INVITE", &forged)));
    all.push(("an INVITE with a scheme we do not know", plain("INVITE", "Authorization: Basic eDp5\r\n")));
    all.push(("malformed: no Max-Forwards, a bad CSeq", plain("INVITE", "").replace("CSeq: 1", "CSeq: x")));
    all.push(("malformed: another version", plain("OPTIONS", "").replace("SIP/2.0\r\nVia", "SIP/9.0\r\nVia")));
    // Each a request of its own, or the later ones were repeats.
    for (n, (_, message)) in all.iter_mut().enumerate() {
        *message = message.replace("z9hG4bK", &format!("z9hG4bK{n}x")).replace("Call-ID: ", &format!("Call-ID: {n}-"));
    }
    all
}

const NEVER_ANSWERED: [(&str, &str); 5] = [
    (
        "a stray ACK",
        "ACK sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.5;branch=z9hG4bKa\r\nMax-Forwards: 70\r\nFrom: <sip:1@x>;tag=1\r\nTo: <sip:1@x>;tag=1-1\r\nCall-ID: 1\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
    ),
    (
        "a stray response",
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\nFrom: <sip:1@x>;tag=1\r\nTo: <sip:1@x>;tag=1-1\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
    ),
    ("noise", "\u{1}\u{2}\u{3}"),
    ("HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("nothing", ""),
];

#[test]
fn a_stranger_meets_silence() {
    let mut door = Door::new(|_| {});
    for (what, message) in knocks(STRANGER) {
        assert_eq!(door.send(udp(STRANGER), &message), [""; 0], "{what}");
    }
    for (what, message) in NEVER_ANSWERED {
        assert_eq!(door.send(udp(STRANGER), message), [""; 0], "{what}");
    }
    assert_eq!(door.gateway.leftovers(), Default::default(), "and leaves nothing behind");
    // The control: the trunk is answered every one of them.
    for (what, message) in knocks(TRUNK) {
        assert!(!door.send(udp(TRUNK), &message).is_empty(), "{what}");
    }
}

#[test]
fn or_403_where_that_is_wanted() {
    let mut door = Door::new(|core| core.guard.unknown = Unknown::Refuse);
    for (what, message) in knocks(STRANGER) {
        assert_eq!(door.statuses(udp(STRANGER), &message), ["403"], "{what}");
    }
    for (what, message) in NEVER_ANSWERED {
        assert_eq!(door.send(udp(STRANGER), message), [""; 0], "{what}");
    }
    // Not more than fifty a second: whoever forges this address gets no weapon.
    let options = knocks(STRANGER).swap_remove(1).1;
    let answered = (0..1_000).filter(|_| !door.send(udp(STRANGER), &options).is_empty()).count();
    assert!(answered < 50, "{answered} answers within one second");
    assert_eq!(door.gateway.leftovers(), Default::default());
}

#[test]
fn guessing_ends_in_a_ban_and_the_phone_goes_on() {
    let mut door = Door::new(|_| {});
    let secret = door.password("8001");
    assert_eq!(door.attempt(udp(PHONE), "8001", &secret), "200");
    let mut answers = vec![];
    for _ in 0..60 {
        answers.push(door.attempt(udp(STRANGER), "8001", "guess"));
        door.pass(Duration::from_secs(1));
    }
    let judged = answers.iter().filter(|a| *a == "403").count();
    assert_eq!(judged, 5, "a minute of guessing: {answers:?}");
    assert_eq!(door.gateway.watch(door.now).banned_now, 1);
    assert_eq!(door.attempt(udp(STRANGER), "8001", &secret), "-", "even the right password waits the ban out");
    assert_eq!(door.attempt(udp("203.0.113.5:9999"), "8002", "guess"), "-", "by another port, for another seat");
    assert_eq!(door.attempt(udp(PHONE), "8001", &secret), "200", "the phone");
    assert_eq!(door.attempt(udp("10.0.0.10:5060"), "8001", &secret), "200", "and where it moves");
    // Four hours of patience get one guess per ban.
    let mut hours = 0;
    for _ in 0..4 * 3_600 / 5 {
        door.pass(Duration::from_secs(5));
        hours += u32::from(door.attempt(udp(STRANGER), "8001", "guess") == "403");
    }
    assert!(hours <= 10, "{hours} guesses in four hours");
    assert!(door.orders.iter().any(|o| matches!(o, Order::Ban { source, .. } if source.to_string() == "203.0.113.5")));
}

/// Who forges the phone's address never sees a nonce sent there, and so proves nothing against it.
#[test]
fn nobody_can_have_another_address_banned() {
    let mut door = Door::new(|_| {});
    let secret = door.password("8001");
    let mine = door.nonce(udp(STRANGER), "8001").unwrap();
    for n in 0..1_000 {
        // The forger's own nonce, no nonce, made-up nonces; all "from" the phone that is not registered yet.
        let nonce = [mine.clone(), String::new(), format!("{n:064x}")][n % 3].clone();
        assert_ne!(door.answer_challenge(udp(PHONE), "8001", "guess", &nonce), "403");
        door.pass(Duration::from_millis(50));
    }
    assert_eq!(door.gateway.watch(door.now).bans, 0);
    door.pass(Duration::from_secs(1));
    assert_eq!(door.attempt(udp(PHONE), "8001", &secret), "200");
}

/// One NAT, many phones, and one of them with the password of last year.
#[test]
fn one_phone_with_an_old_password_does_not_shut_out_those_behind_the_same_nat() {
    let mut door = Door::new(|_| {});
    let (first, second) = (door.password("8001"), door.password("8003"));
    let at = |port: u16| tcp(&format!("198.51.100.1:{port}"), port.into());
    assert_eq!(door.attempt(at(40_001), "8001", &first), "200");
    for n in 0..100 {
        door.attempt(at(41_000 + n), "8002", "old");
        door.pass(Duration::from_secs(10));
        if n % 10 == 9 {
            // Another phone starts, and repeats what gets no answer, as phones do.
            let answers: Vec<String> = (0..8)
                .map(|again| {
                    door.pass(Duration::from_secs(again.min(1)));
                    door.attempt(at(42_000 + n), "8003", &second)
                })
                .collect();
            assert!(answers.contains(&"200".to_owned()), "round {n}: {answers:?}");
        }
    }
    assert_eq!(door.gateway.watch(door.now).bans, 0);
    assert_eq!(door.orders, [], "nobody's connection is closed");
    // All phones are switched off over night: it is their home all the same.
    door.pass(Duration::from_secs(36_000));
    for _ in 0..20 {
        door.attempt(at(43_000), "8002", "old");
        door.pass(Duration::from_secs(5));
    }
    assert_eq!(door.attempt(at(44_000), "8001", &first), "200");
    // A guesser who knows none of our passwords has no home.
    for _ in 0..6 {
        door.attempt(tcp("198.51.100.2:40001", 7), "8002", "guess");
        door.pass(Duration::from_secs(17));
    }
    assert_eq!(door.gateway.watch(door.now).banned_now, 1);
    let guesser = tcp("198.51.100.2:40001", 7);
    let knock = door.register(guesser, "8002", "");
    assert_eq!(door.send(guesser, &knock), [""; 0]);
    assert!(door.orders.contains(&Order::Close(guesser)), "{:?}", door.orders);
}

/// Whoever has a seat's password may call 110 from wherever the seat is, and from whomever shares its address.
#[test]
fn a_call_for_help_is_heard_from_a_banned_address_and_a_guesser_gains_little() {
    let mut door = Door::new(|_| {});
    let help = "sip:110@rexian.local";
    for _ in 0..6 {
        door.attempt(udp(STRANGER), "8002", "guess");
        door.pass(Duration::from_secs(17));
    }
    assert_eq!(door.gateway.watch(door.now).banned_now, 1);
    // The phone's nonce is of yesterday: it is given a new one, and is called back by the answer to it.
    let to = format!("<{help}>");
    let stale = Door::credentials("INVITE", help, "8001", "x", &"0".repeat(64), 1);
    let ask = door.request("INVITE", help, "8001", &to, udp(STRANGER), &stale);
    let challenge = door.send(udp(STRANGER), &ask).pop().expect("an answer");
    assert!(challenge.starts_with("SIP/2.0 401 "), "{challenge}");
    let nonce = challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let answers = door.dial(udp(STRANGER), "8001", help, &to, &nonce, 1);
    assert_eq!(answers[0], "100", "{answers:?}");
    // Nothing else is, nor is it heard whom nobody knows.
    assert_eq!(door.attempt(udp(STRANGER), "8001", &door.password("8001")), "-");
    assert_eq!(door.dial(udp(STRANGER), "8001", "sip:8003@rexian.local", &to, &nonce, 2), [""; 0]);
    let nobody = Door::credentials("INVITE", help, "9999", "x", &nonce, 1);
    let ask = door.request("INVITE", help, "9999", &to, udp(STRANGER), &nobody);
    assert_eq!(door.send(udp(STRANGER), &ask), [""; 0]);
    // An hour of guessing by this door.
    let mut judged = 0;
    for n in 0..3_600 {
        let guess = Door::credentials("INVITE", help, "8001", "guess", &nonce, 100 + n);
        let ask = door.request("INVITE", help, "8001", &to, udp(STRANGER), &guess);
        judged += door.statuses(udp(STRANGER), &ask).iter().filter(|status| *status == "403").count();
        door.pass(Duration::from_secs(1));
    }
    assert!(judged <= 4 * 61, "{judged} guesses in an hour");
}

/// A phone that is not registered, and called on its credentials, may put the handset down.
#[test]
fn whom_credentials_let_in_may_call_off() {
    let mut door = Door::new(|_| {});
    let secret = door.password("8003");
    assert_eq!(door.attempt(udp(PHONE), "8003", &secret), "200");
    let to = "<sip:8003@rexian.local>";
    let nonce = door.nonce(udp(STRANGER), "8001").unwrap();
    let invite = {
        let proof = Door::credentials("INVITE", "sip:8003@rexian.local", "8001", &door.password("8001"), &nonce, 1);
        let sdp =
            "v=0\r\no=- 1 1 IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\nm=audio 7000 RTP/AVP 8\r\n";
        let body = format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}", sdp.len());
        let ask = door.request("INVITE", "sip:8003@rexian.local", "8001", to, udp(STRANGER), &proof);
        ask.replace("Content-Length: 0\r\n\r\n", &body)
    };
    let said = door.send(udp(STRANGER), &invite);
    assert!(said.iter().any(|m| m.starts_with("INVITE ")), "8003 rings: {said:?}");
    let head = invite.split("Authorization").next().unwrap().replace("INVITE", "CANCEL");
    let cancel = format!("{head}Content-Length: 0\r\n\r\n");
    assert_eq!(door.send(udp("203.0.113.6:5060"), &cancel), [""; 0], "somebody else may not");
    let statuses = door.statuses(udp(STRANGER), &cancel);
    assert!(statuses.contains(&"200".to_owned()) && statuses.contains(&"487".to_owned()), "{statuses:?}");
}

/// Its branch can be overheard or guessed: the citizen's call is the carrier's to call off.
#[test]
fn a_stranger_neither_calls_off_nor_acknowledges_a_carriers_call() {
    let mut door = Door::new(|_| {});
    let call = String::from_utf8(invite(0)).unwrap();
    assert!(!door.send(udp(TRUNK), &call).is_empty());
    let head = call.split("Content-Type").next().unwrap();
    let about = |method: &str| format!("{}Content-Length: 0\r\n\r\n", head.replace("INVITE", method));
    for (from, method) in [(udp(STRANGER), "CANCEL"), (tcp(STRANGER, 7), "CANCEL"), (udp(STRANGER), "ACK")] {
        assert_eq!(door.send(from, &about(method)), [""; 0], "{from:?} {method}");
        assert_eq!(door.gateway.calls(), 1);
    }
    // Some answer before they are called off; the CANCEL is theirs all the same.
    let statuses = door.statuses(udp(TRUNK), &about("CANCEL"));
    assert!(statuses.contains(&"200".to_owned()), "{statuses:?}");
}

/// There are so many connections, and phones and carriers need them: whatever a stranger says on one, it is closed, unless
/// that may become something.
#[test]
fn a_strangers_connection_lasts_no_longer_than_its_first_word() {
    for unknown in [Unknown::Silence, Unknown::Refuse] {
        let mut door = Door::new(|core| core.guard.unknown = unknown);
        let mut connection = 0;
        let mut closed = |what: &str, message: &str, answers: usize, wanted: bool| {
            connection += 1;
            let flow = tcp(STRANGER, connection);
            assert_eq!(door.send(flow, message).len(), answers, "{what}");
            assert_eq!(door.orders.contains(&Order::Close(flow)), wanted, "{what}");
        };
        let refused = usize::from(unknown == Unknown::Refuse);
        for (what, message) in knocks(STRANGER) {
            closed(what, &message, refused, true);
        }
        let mut dialog = knocks(STRANGER).swap_remove(0).1;
        dialog = dialog.replace("To: <sip:12345@x>", "To: <sip:12345@x>;tag=1-1");
        for method in ["REFER", "UPDATE", "INFO", "INVITE"] {
            closed(method, &dialog.replace("INVITE", method), refused, true);
        }
        for (what, message) in &NEVER_ANSWERED[..2] {
            closed(what, message, 0, true);
        }
        let challenged = Door::new(|_| {}).register(tcp(STRANGER, 99), "8001", "");
        closed("REGISTER", &challenged, 1, false);
    }
    // The answer is written before the connection ends.
    let mut door = Door::new(|core| core.guard.unknown = Unknown::Refuse);
    let options = knocks(STRANGER).swap_remove(1).1;
    door.gateway.handle(door.now, Input::Message { flow: tcp(STRANGER, 1), bytes: options.as_bytes() });
    assert!(matches!(door.gateway.next_output(), Some(Output::Send(_))));
    assert!(matches!(door.gateway.next_output(), Some(Output::Guard(Order::Close(_)))));
}

#[test]
fn forged_addresses_leave_nothing() {
    let mut door = Door::new(|_| {});
    let empty = door.gateway.save().len();
    let template = door.register(udp(STRANGER), "8001", "");
    for n in 0..50_000_u32 {
        let remote = SocketAddr::from((std::net::Ipv4Addr::from(0xcb00_0000 + n), 5060));
        let flow = Flow { remote, ..udp(STRANGER) };
        door.gateway.handle(door.now, Input::Message { flow, bytes: template.as_bytes() });
        while door.gateway.next_output().is_some() {}
        if n % 5_000 == 0 {
            door.now = door.now + Duration::from_secs(1);
        }
    }
    assert_eq!(door.gateway.leftovers(), Default::default());
    let after = door.gateway.save().len();
    assert!(after < empty + 2_048, "{empty} bytes of state, then {after}");
    assert!(door.gateway.refusals().unanswered > 25_000, "{:?}", door.gateway.refusals());
}

/// What we send to an address that has proved nothing must not be worth forging it.
#[test]
fn a_challenge_is_no_amplifier() {
    let mut door = Door::new(|_| {});
    let usual = door.register(
        udp(STRANGER),
        "8001",
        "User-Agent: Yealink SIP-T46U 108.86.0.20\r\nAllow: INVITE, ACK, CANCEL, BYE\r\n",
    );
    let least = "REGISTER sip:x SIP/2.0\r\nv:SIP/2.0/UDP h;branch=z9hG4bKx\r\nMax-Forwards:1\r\nf:<sip:1@x>;tag=1\r\nt:<sip:1@x>\r\ni:1\r\nCSeq:1 REGISTER\r\n\r\n";
    for (what, ask, most) in [("a phone's", usual.as_str(), 1.3), ("the shortest", least, 3.0)] {
        let answers = door.send(udp(STRANGER), ask);
        let sent: usize = answers.iter().map(String::len).sum();
        let ratio = sent as f64 / ask.len() as f64;
        println!("{what} REGISTER: {} bytes asked, {sent} answered, {ratio:.2}", ask.len());
        assert_eq!(answers.len(), 1);
        assert!(ratio <= most, "{what}: {ratio:.2}");
    }
    // To where it came from, whatever Via, Contact and Route say.
    for trick in ["maddr=198.51.100.9", "received=198.51.100.9", "rport=53"] {
        let aimed = door
            .register(udp(STRANGER), "8001", "Route: <sip:198.51.100.9;lr>\r\n")
            .replace(";rport\r\n", &format!(";{trick}\r\n"));
        door.send(udp(STRANGER), &aimed);
    }
    assert!(door.said.iter().all(|(flow, _)| flow.remote.ip() == udp(STRANGER).remote.ip()), "{:?}", door.said);
}

#[test]
fn stolen_and_borrowed_credentials() {
    let mut door = Door::new(|_| {});
    let secret = door.password("8001");
    let nonce = door.nonce(udp(PHONE), "8001").unwrap();
    assert_eq!(door.answer_challenge(udp(PHONE), "8001", &secret, &nonce), "200");
    // Overheard on the wire and sent again: from there, from elsewhere, for another request.
    let heard = Door::credentials("REGISTER", "sip:rexian.local", "8001", &secret, &nonce, 1);
    for (what, from, wanted) in [("replayed", PHONE, "401"), ("from elsewhere", STRANGER, "401")] {
        let again = door.register(udp(from), "8001", &heard);
        assert_eq!(door.statuses(udp(from), &again), [wanted], "{what}");
    }
    let again = door.request("INVITE", "sip:*11@rexian.local", "8001", "<sip:*11@rexian.local>", udp(PHONE), &heard);
    assert_eq!(door.statuses(udp(PHONE), &again), ["403"], "on a call");
    // Its password, and the number of another seat.
    let proof = Door::credentials("REGISTER", "sip:rexian.local", "8001", &secret, &nonce, 2);
    let other = door.register(udp(PHONE), "8002", &proof);
    assert_eq!(door.statuses(udp(PHONE), &other), ["403"], "registering another seat's number");
    assert_eq!(door.dial(udp(PHONE), "8002", "sip:*11@rexian.local", "<sip:*11@rexian.local>", &nonce, 3), ["403"]);
}

/// A seat's password buys what the dial plan has, however the number is written.
#[test]
fn no_way_of_writing_a_number_leads_out() {
    let mut door = Door::new(|_| {});
    let secret = door.password("8001");
    let nonce = door.nonce(udp(PHONE), "8001").unwrap();
    assert_eq!(door.answer_challenge(udp(PHONE), "8001", &secret, &nonce), "200");
    let before = door.said.len();
    for (n, uri) in [
        "sip:00881600123456@rexian.local",
        "sip:0088%31600123456@rexian.local",
        "sip:+881600123456@10.1.0.7;user=phone",
        "sip:*1100881600123456@rexian.local",
        "sip:*11;phone-context=00881600123456@rexian.local",
        "sip:00881600123456%40@rexian.local",
        "sip:*11%00%0d%0aRoute:x@rexian.local",
        "tel:+881600123456",
        "sip:rexian.local",
    ]
    .into_iter()
    .enumerate()
    {
        let statuses = door.dial(udp(PHONE), "8001", uri, "<sip:x@rexian.local>", &nonce, 10 + n as u32);
        let last = statuses.last().map(String::as_str);
        assert!(matches!(last, Some("400" | "403" | "404" | "415" | "416" | "484" | "488")), "{uri}: {statuses:?}");
    }
    // Another host is no way out either: the number counts, and these are a seat and a feature code.
    for (nc, uri) in [
        (97, "sip:8002@198.51.100.9;maddr=198.51.100.9"),
        (98, "sip:*12@10.1.0.7;maddr=10.1.0.7"),
        (99, "tel:*12;phone-context=+881600123456"),
    ] {
        assert_ne!(door.dial(udp(PHONE), "8001", uri, "<sip:x@rexian.local>", &nonce, nc), [""; 0], "{uri}");
    }
    for (flow, text) in &door.said[before..] {
        assert!(text.starts_with("SIP/2.0 ") && flow.remote == udp(PHONE).remote, "to {}: {text}", flow.remote);
    }
}

/// The saved state names no fields: another build's could be read as something else.
#[test]
fn only_its_own_saved_state_is_restored() {
    let saved = World::new(1, |_| {}).gateway.save();
    assert!(Gateway::restore(&saved).is_ok());
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    let at = saved.windows(version.len()).position(|bytes| bytes == version).expect("says whose it is");
    let mut other = saved.clone();
    other[at] += 1;
    let refused = Gateway::restore(&other).unwrap_err();
    assert!(refused.contains("this build reads"), "{refused}");
    let refused = Gateway::restore(&saved[..saved.len() - 1]).unwrap_err();
    assert!(refused.contains("damaged"), "{refused}");
    assert!(Gateway::restore(b"\x03xyz").is_err() && Gateway::restore(b"").is_err());
}

/// UDP: the caller has its refusal and is gone, while another copy of its INVITE is still on the way.
#[test]
fn a_copy_of_a_refused_invite_is_no_new_call() {
    let flow = super::world::caller_flow();
    let status = |world: &World| world.to_caller.last().unwrap().split(' ').nth(1).unwrap().to_owned();
    // The loop is late no more, the pace allows one again.
    let mut late = World::new(0, |_| {});
    late.feed(Input::Late { flow, bytes: &invite(1) });
    late.run(Duration::from_secs(1));
    let mut fast = World::new(0, |core| core.trunks[0].calls_per_10s = Some(1));
    fast.feed(Input::Message { flow, bytes: &invite(0) });
    fast.feed(Input::Message { flow, bytes: &invite(1) });
    assert_eq!(status(&fast), "503");
    fast.run(Duration::from_secs(12));
    for (mut world, calls) in [(late, 0), (fast, 1)] {
        let restored = Gateway::restore(&world.gateway.save()).unwrap();
        world.gateway = restored;
        for _ in 0..3 {
            for copy in [Input::Message { flow, bytes: &invite(1) }, Input::Late { flow, bytes: &invite(1) }] {
                world.feed(copy);
                assert_eq!((status(&world).as_str(), world.gateway.calls()), ("503", calls));
            }
        }
        world.feed(Input::Message { flow, bytes: &invite(2) });
        assert_eq!(world.gateway.calls(), calls + 1, "another one is taken");
        // It is not remembered for ever.
        world.run(Duration::from_secs(70));
        let before = world.gateway.calls();
        world.feed(Input::Message { flow, bytes: &invite(1) });
        assert_eq!(world.gateway.calls(), before + 1);
    }
}

#[test]
fn when_the_loop_is_late_new_calls_go_and_phones_and_calls_stay() {
    let mut world = World::new(1, |_| {});
    world.call(Duration::from_secs(60), Duration::from_secs(30));
    world.until(Duration::from_secs(20), |w| w.story().iter().any(|s| s.starts_with("answered")));
    let flow = super::world::caller_flow();
    let before = world.to_caller.len();
    world.feed(Input::Late { flow, bytes: &invite(1) });
    let answer = &world.to_caller[before];
    assert!(answer.starts_with("SIP/2.0 503 ") && answer.contains("\r\nRetry-After: "), "{answer}");
    assert_eq!(world.gateway.refusals().late, 1);
    assert_eq!(world.gateway.calls(), 1, "nothing was kept of it");
    // The established call's BYE is served however late it is.
    let ok = world.to_caller.iter().find(|m| m.starts_with("SIP/2.0 200")).unwrap().clone();
    let msg = Message::parse(ok.as_bytes(), Framing::Datagram).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let line = |name: &str| ok.split("\r\n").find(|l| l.starts_with(name)).unwrap().to_owned();
    let bye = format!(
        "BYE sip:{} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bKlate;rport\r\nMax-Forwards: 70\r\n{}\r\n{}\r\n\
         Call-ID: {}\r\nCSeq: 77 BYE\r\nContent-Length: 0\r\n\r\n",
        "127.0.0.1:5060",
        line("From:"),
        line("To:"),
        text(msg.call_id())
    );
    world.feed(Input::Late { flow, bytes: bye.as_bytes() });
    assert!(world.to_caller.last().unwrap().starts_with("SIP/2.0 200 "), "{:?}", world.to_caller.last());
    assert_eq!(world.gateway.calls(), 0);
}

/// Who is served keeps a connection, and its address a place; who only knocks has neither.
#[test]
fn strangers_connections_are_told_from_those_of_phones_and_trunks() {
    let mut door = Door::new(|_| {});
    let (secret, phone, stranger) = (door.password("8001"), tcp(PHONE, 1), tcp(STRANGER, 2));
    assert!(
        !door.gateway.is_served(phone) && !door.gateway.is_served(stranger) && door.gateway.is_served(tcp(TRUNK, 3))
    );
    assert_eq!(door.attempt(phone, "8001", &secret), "200");
    assert!(door.nonce(stranger, "8001").is_some(), "it is answered");
    assert!(door.gateway.is_served(phone) && !door.gateway.is_served(stranger));
    // By another path from the phone's address: no more answers than any address has, and after what the phone says.
    let beside = udp("10.0.0.9:6666");
    let answered = (0..1_000).filter(|_| door.nonce(beside, "8002").is_some()).count();
    assert!(answered <= 50, "{answered} challenges within one second");
    let register = door.register(beside, "8002", "");
    assert_eq!(door.gateway.class(door.now, beside, register.as_bytes()), Class::NewCall);
    assert_eq!(door.gateway.class(door.now, phone, register.as_bytes()), Class::AtOnce);
}
