//! Registered trunks: the gateway as a carrier's subscriber, and carriers that challenge, delay, refuse and vanish. The
//! registrar is a script; the password is judged by our own server side.

use rexian::config::settings::{Account, CoreSettings, Hop, Host, Probe, RegisterQuirks, Secret, Settings, Transport};
use rexian::gateway::{Gateway, Input, Output};
use rexian::sip::digest::{Algorithm, Digest, Verdict};
use rexian::sip::flow::{Flow, Listener};
use rexian::sip::message::{Framing, Message, Method, Name};
use rexian::time::Instant;
use rexian::trunk::account::Status;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

const GATEWAY: &str = "10.0.0.5:5060";
const PROXIES: [&str; 2] = ["10.1.0.1:5060", "10.1.0.2:5061"];
const DOMAIN: &str = "sd.ctcims.cn";
const USER: &str = "+8653112345";
const PASSWORD: &str = "mT4vQz7Lk2";

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What the carrier does with a REGISTER.
#[derive(Clone)]
enum Does {
    /// Challenges it until the password is proved, then says 200 with these header lines.
    Takes(&'static str),
    /// This status, with these header lines.
    Says(u16, &'static str),
    Silent,
}
use Does::{Says, Silent, Takes};

struct Carrier {
    now: Instant,
    start: Instant,
    gateway: Gateway,
    digest: Digest,
    /// For each proxy: one REGISTER each, the last one for ever.
    does: [VecDeque<Does>; 2],
    /// Each new REGISTER, as sent, and when and to which proxy.
    asked: Vec<(Duration, usize, String)>,
    /// What was answered to each, `0`: nothing.
    answered: Vec<u16>,
    seen: Vec<Vec<u8>>,
    /// Which proxies answer an OPTIONS.
    alive: [bool; 2],
}

impl Carrier {
    fn new(does: [&[Does]; 2], shape: impl FnOnce(&mut CoreSettings)) -> Carrier {
        let mut core = Settings::demo([7; 32]).core;
        let trunk = &mut core.trunks[0];
        let hop = |address: &str| {
            let address: SocketAddr = address.parse().unwrap();
            let (host, port) = (Host::Address(address.ip()), Some(address.port()));
            Hop { transport: Transport::Udp, host, port, priority: 0, weight: 1 }
        };
        trunk.hops = PROXIES.map(hop).to_vec();
        trunk.accounts = vec![Account::new(USER, DOMAIN, PASSWORD)];
        shape(&mut core);
        let start = Instant::from_unix_secs(1_800_000_000);
        let digest = Digest::new(DOMAIN, [5; 32], s(300)).offering(&[Algorithm::Sha256, Algorithm::Md5]);
        let mut carrier = Carrier {
            now: start,
            start,
            gateway: Gateway::new(core, [9; 32], start),
            digest,
            does: does.map(|list| list.iter().cloned().collect()),
            asked: vec![],
            answered: vec![],
            seen: vec![],
            alive: [true; 2],
        };
        carrier.feed(Input::Listening(vec![Listener { transport: Transport::Udp, address: GATEWAY.parse().unwrap() }]));
        carrier
    }

    fn feed(&mut self, input: Input<'_>) {
        self.gateway.handle(self.now, input);
        let mut sent = vec![];
        while let Some(output) = self.gateway.next_output() {
            if let Output::Send(transmit) = output {
                sent.push(transmit);
            }
        }
        // Another process takes over between any two steps.
        self.gateway = Gateway::restore(&self.gateway.save()).expect("its own state");
        for transmit in sent {
            if let Some(answer) = self.hears(transmit.flow, &transmit.bytes) {
                self.feed(Input::Message { flow: transmit.flow, bytes: &answer });
            }
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.gateway.next_timeout().filter(|next| *next <= end) {
            assert!(next >= self.now, "a timer in the past: it would be run for ever");
            self.now = next;
            self.feed(Input::Timeout);
        }
        self.now = end;
    }

    fn hears(&mut self, flow: Flow, bytes: &[u8]) -> Option<Vec<u8>> {
        let msg = Message::parse(bytes, Framing::Stream).expect("well-formed SIP");
        let proxy = PROXIES.iter().position(|p| *p == flow.remote.to_string()).expect("one of the proxies");
        match msg.method() {
            Some(Method::Register) => {}
            Some(Method::Options) if self.alive[proxy] => return Some(answer(&msg, 200, "")),
            _ => return None,
        }
        assert_eq!(flow.local.to_string(), GATEWAY, "REGISTER and INVITE share a port");
        if self.seen.contains(&bytes.to_vec()) {
            return None;
        }
        self.seen.push(bytes.to_vec());
        self.asked.push((self.now.since(self.start), proxy, String::from_utf8(bytes.to_vec()).unwrap()));
        let script = &mut self.does[proxy];
        let does = if script.len() > 1 { script.pop_front() } else { script.front().cloned() }.unwrap_or(Silent);
        let (status, lines) = match does {
            Silent => {
                self.answered.push(0);
                return None;
            }
            Says(status, lines) => (status, lines.to_owned()),
            Takes(lines) => {
                let secret = |user: &str| (user == USER).then(|| Secret(PASSWORD.into()));
                let challenge = |stale, digest: &mut Digest, now| {
                    let lines = digest.challenge(now, flow.local.ip(), stale).into_iter();
                    lines.map(|c| format!("WWW-Authenticate: {}\r\n", String::from_utf8(c).unwrap())).collect()
                };
                match self.digest.verify(self.now, flow.local.ip(), &msg, secret) {
                    Verdict::Accepted { .. } => (200, lines.to_owned()),
                    // The next one of the script is for the answer.
                    verdict => {
                        script.push_front(does);
                        (401, challenge(verdict == Verdict::Stale, &mut self.digest, self.now))
                    }
                }
            }
        };
        self.answered.push(status);
        Some(answer(&msg, status, &lines))
    }

    fn status(&self) -> &'static str {
        self.gateway.registrations()[0].status(self.now).as_str()
    }

    /// Seconds since the start, proxy and the answer, of each REGISTER since last asked.
    fn times(&mut self) -> Vec<(u64, usize, u16)> {
        let answers = std::mem::take(&mut self.answered);
        let asked = std::mem::take(&mut self.asked);
        asked.iter().zip(answers).map(|((at, proxy, _), status)| (at.as_secs(), *proxy, status)).collect()
    }
}

fn answer(request: &Message<'_>, status: u16, lines: &str) -> Vec<u8> {
    let echoed = |name| String::from_utf8(request.header(name).unwrap().to_vec()).unwrap();
    let [via, from, to, call_id, cseq] = [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq].map(echoed);
    format!(
        "SIP/2.0 {status} Some Words\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to};tag=x\r\nCall-ID: {call_id}\r\n\
         CSeq: {cseq}\r\n{lines}Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

fn value<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find(|line| line.split(':').next() == Some(name));
    line.map_or("", |line| line[name.len() + 1..].trim())
}

#[test]
fn a_challenge_is_answered_and_the_registration_renewed_before_it_ends() {
    let mut carrier = Carrier::new([&[Takes("Expires: 3600\r\n")], &[]], |_| {});
    carrier.run(s(1));
    let [first, second] = &carrier.asked[..] else { panic!("{:#?}", carrier.asked) };
    let (first, second) = (&first.2, &second.2);
    assert!(first.starts_with("REGISTER sip:sd.ctcims.cn SIP/2.0\r\n"), "the domain alone: {first}");
    for (name, wanted) in [
        ("To", "<sip:+8653112345@sd.ctcims.cn>"),
        ("Contact", "<sip:+8653112345@10.0.0.5:5060>"),
        ("Expires", "3600"),
        ("Supported", "path"),
        ("Route", ""),
        ("Authorization", ""),
        ("CSeq", "1 REGISTER"),
    ] {
        assert_eq!(value(first, name), wanted, "{first}");
    }
    assert!(value(second, "Authorization").contains("algorithm=SHA-256"), "{second}");
    assert_eq!((value(second, "CSeq"), value(second, "Call-ID")), ("2 REGISTER", value(first, "Call-ID")));
    assert_eq!(carrier.status(), "registered");
    carrier.times();

    // Half a day: each hour's registration is renewed ten minutes before its end or a little sooner. The nonce of the last
    // one is stale by then, which is no wrong password.
    carrier.run(s(12 * 3_600));
    let times = carrier.times();
    assert!(times.len() >= 24, "{times:?}");
    let mut last = 0;
    for pair in times.chunks(2) {
        let [(at, 0, 401), (_, 0, 200)] = pair else { panic!("{times:?}") };
        assert!((2_600..=3_000).contains(&(at - last)), "renewed after {} s", at - last);
        last = *at;
    }
    assert_eq!(carrier.status(), "registered");
}

#[test]
fn what_an_ims_wants_besides() {
    let route = "Service-Route: <sip:orig@scscf1.ctcims.cn;lr>, <sip:second;lr>\r\n\
                 P-Associated-URI: <sip:+865318888@sd.ctcims.cn>, <tel:+865318888>\r\nExpires: 600\r\n";
    let route: &'static str = Box::leak(route.to_owned().into_boxed_str());
    let quirks = RegisterQuirks { proxy_route: true, introduced: true };
    let mut carrier = Carrier::new([&[Takes(route)], &[]], |core| {
        core.trunks[0].profile.register = quirks;
        core.trunks[0].accounts[0].instance = Some("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6".into());
    });
    carrier.run(s(1));
    let (.., first) = &carrier.asked[0];
    for (name, wanted) in [
        ("Route", "<sip:10.1.0.1:5060;lr>"),
        (
            "Authorization",
            r#"Digest username="+8653112345", realm="sd.ctcims.cn", nonce="", uri="sip:sd.ctcims.cn", response="""#,
        ),
        (
            "Contact",
            "<sip:+8653112345@10.0.0.5:5060>;+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\";reg-id=1",
        ),
        ("Supported", "path, outbound"),
    ] {
        assert_eq!(value(first, name), wanted, "{first}");
    }
    let registration = &carrier.gateway.registrations()[0];
    let Status::Registered(binding) = registration.status(carrier.now) else { panic!("{registration:?}") };
    let text = |route: Vec<Vec<u8>>| route.into_iter().map(|r| String::from_utf8(r).unwrap()).collect::<Vec<_>>();
    let service = ["<sip:orig@scscf1.ctcims.cn;lr>", "<sip:second;lr>"];
    assert_eq!(text(binding.route(RegisterQuirks::default())), service);
    assert_eq!(text(binding.route(quirks)), [&["<sip:10.1.0.1:5060;lr>"][..], &service].concat());
    assert_eq!(binding.identity(&registration.account), "sip:+865318888@sd.ctcims.cn", "our own is not in the list");
}

#[test]
fn the_time_granted_is_the_contacts_own_and_the_carriers_least_is_asked_for() {
    // 423, then a list of contacts in which ours has less than the answer's Expires.
    let ours = "Contact: <sip:other@10.0.0.9>;expires=9999, <sip:%2B8653112345@10.0.0.5:5060>;expires=120\r\nExpires: 7200\r\n";
    let mut carrier = Carrier::new([&[Says(423, "Min-Expires: 7200\r\n"), Takes(ours)], &[]], |_| {});
    carrier.run(s(1));
    let asked: Vec<_> = carrier.asked.iter().map(|(.., text)| value(text, "Expires").to_owned()).collect();
    assert_eq!(asked, ["3600", "7200", "7200"]);
    carrier.times();
    carrier.run(s(61));
    let times = carrier.times();
    assert!(matches!(times[0], (47..=60, 0, _)), "renewed at half of 120 s, or a little sooner: {times:?}");
}

#[test]
fn a_silent_proxy_is_passed_over_for_the_next_and_not_gone_back_to() {
    let mut carrier = Carrier::new([&[Silent], &[Takes("Expires: 1800\r\n")]], |_| {});
    carrier.run(s(40));
    assert_eq!(
        carrier.times(),
        [(0, 0, 0), (4, 1, 401), (4, 1, 200)],
        "as soon as a call would go on, not after timer F"
    );
    carrier.run(s(1_300));
    assert!(carrier.times().iter().all(|(_, proxy, _)| *proxy == 1), "renewed where it was granted");

    // The proxy that has us falls silent: what it granted still holds, and the other one is asked.
    carrier.does = [VecDeque::from([Takes("")]), VecDeque::from([Silent])];
    let held = carrier.gateway.registrations()[0].binding(carrier.now).unwrap().until;
    while carrier.times().is_empty() {
        carrier.run(s(1));
    }
    carrier.run(s(20));
    assert_eq!(carrier.status(), "registered", "still by the old grant");
    carrier.run(s(15));
    assert_eq!(carrier.status(), "registered");
    let registration = &carrier.gateway.registrations()[0];
    assert!(carrier.now < held && registration.binding(carrier.now).unwrap().flow.remote.to_string() == PROXIES[0]);
}

/// Calls come by the proxy that has us: dead, it sends none, long before the registration would be renewed.
#[test]
fn a_proxy_found_dead_by_its_silence_is_left_at_once() {
    let granted = "Expires: 3600\r\n";
    let mut carrier = Carrier::new([&[Takes(granted)], &[Takes(granted)]], |core| {
        core.trunks[0].probe = Some(Probe { every: s(30), misses: 2 });
    });
    carrier.run(s(100));
    assert_eq!(carrier.times(), [(0, 0, 401), (0, 0, 200)]);
    carrier.alive[0] = false;
    carrier.run(s(300));
    let times = carrier.times();
    let [(at, 1, 200)] = times[..] else { panic!("the other one has us: {times:?}") };
    assert!((100..=200).contains(&at), "{at}");
    // Back again, it is no reason to move.
    carrier.alive[0] = true;
    carrier.run(s(300));
    assert_eq!((carrier.times().len(), carrier.status()), (0, "registered"));
}

#[test]
fn failing_proxies_are_asked_in_turn_and_then_rested_longer_each_time() {
    let mut carrier =
        Carrier::new([&[Says(503, "Retry-After: 40 (busy)\r\n"), Says(500, "")], &[Says(504, "")]], |_| {});
    carrier.run(s(3_600));
    let times = carrier.times();
    assert_eq!(times[..2], [(0, 0, 503), (0, 1, 504)], "the next at once");
    let rounds: Vec<u64> = times.iter().step_by(2).map(|(at, ..)| *at).collect();
    let waits: Vec<u64> = rounds.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (wait, least) in waits.iter().zip([10, 20, 40, 80, 160, 300, 300]) {
        assert!((least..=least * 5 / 4 + 1).contains(wait), "{waits:?}");
    }
    assert!(times.chunks(2).all(|pair| pair.len() < 2 || pair[0].1 != pair[1].1), "both, in turn: {times:?}");
    assert_eq!(carrier.status(), "refused");
    // It comes back.
    carrier.does = [VecDeque::from([Takes("")]), VecDeque::from([Takes("")])];
    carrier.run(s(400));
    assert_eq!(carrier.status(), "registered");
}

#[test]
fn a_carrier_that_refuses_us_is_not_hammered() {
    let wrong = |core: &mut CoreSettings| core.trunks[0].accounts[0].password = Secret("another".into());
    let sim = r#"WWW-Authenticate: Digest realm="r", nonce="n", algorithm=AKAv1-MD5"#;
    let sim: &'static str = Box::leak(format!("{sim}\r\n").into_boxed_str());
    for (does, spoilt, why, each) in [
        (Says(403, ""), false, "the carrier says 403 Some Words", 1),
        (Says(404, ""), false, "the carrier says 404 Some Words", 1),
        (Says(603, ""), false, "the carrier says 603 Some Words", 1),
        (Says(200, "Expires: 0\r\n"), false, "the carrier says 200 OK, but keeps us for no time", 1),
        (Takes(""), true, "user name or password is wrong: ask the carrier which it expects", 2),
        (
            Says(401, sim),
            false,
            "it asks for AKA, which takes a SIM card: ask the carrier for an account with a password",
            1,
        ),
    ] {
        let mut carrier = Carrier::new([std::slice::from_ref(&does), std::slice::from_ref(&does)], |core| {
            if spoilt {
                wrong(core)
            }
        });
        carrier.run(s(24 * 3_600));
        let asked = carrier.times().len();
        assert!((24 * each..=32 * each).contains(&asked), "{why}: {asked} REGISTERs a day");
        let Status::Refused(refusal) = carrier.gateway.registrations()[0].status(carrier.now) else { panic!("{why}") };
        assert_eq!(refusal.to_string(), why);
    }
}

#[test]
fn a_clean_stop_unregisters_and_a_carrier_that_is_gone_does_not_hold_it_up() {
    let mut carrier = Carrier::new([&[Takes("")], &[]], |_| {});
    carrier.run(s(1));
    carrier.times();
    carrier.feed(Input::Drain);
    carrier.run(s(5));
    assert_eq!((carrier.asked.len(), carrier.status()), (0, "registered"), "calls are still up");
    carrier.feed(Input::EndCalls);
    carrier.run(s(1));
    let (.., last) = carrier.asked.last().expect("a REGISTER");
    assert_eq!((value(last, "Expires"), carrier.status()), ("0", "unregistered"));
    assert_eq!(carrier.answered, [200], "with the nonce it had");
    carrier.run(s(7_200));
    assert_eq!(carrier.asked.len(), 1, "and stays away");
    assert_eq!(carrier.gateway.leftovers().alarms, 0);

    let mut carrier = Carrier::new([&[Takes("")], &[]], |_| {});
    carrier.run(s(1));
    carrier.does[0] = VecDeque::from([Silent]);
    carrier.feed(Input::EndCalls);
    assert_eq!(carrier.status(), "leaving");
    carrier.run(s(33));
    assert_eq!(carrier.status(), "unregistered");
}

#[test]
fn every_number_registers_for_itself() {
    let mut carrier = Carrier::new([&[Takes("")], &[]], |core| {
        let more = (1..=3)
            .map(|n| Account { auth_user: USER.into(), ..Account::new(&format!("{USER}{n}"), DOMAIN, PASSWORD) });
        core.trunks[0].accounts.extend(more);
    });
    carrier.run(s(1));
    let states: Vec<_> = carrier.gateway.registrations().iter().map(|r| r.status(carrier.now).as_str()).collect();
    assert_eq!(states, ["registered"; 4]);
    let mut calls: Vec<_> = carrier.asked.iter().map(|(.., text)| value(text, "Call-ID")).collect();
    calls.sort_unstable();
    calls.dedup();
    assert_eq!(calls.len(), 4, "each with a Call-ID of its own");
}

/// By TCP, to one proxy that takes us.
fn by_stream() -> (Carrier, Flow) {
    let mut carrier = Carrier::new([&[Takes("Expires: 3600\r\n")], &[]], |core| {
        core.trunks[0].hops.truncate(1);
        core.trunks[0].hops[0].transport = Transport::Tcp;
    });
    let (transport, local) = (Transport::Tcp, GATEWAY.parse().unwrap());
    carrier.feed(Input::Listening(vec![Listener { transport, address: local }]));
    carrier.run(s(1));
    assert_eq!(carrier.status(), "registered");
    assert_eq!(value(&carrier.asked[0].2, "Contact"), "<sip:+8653112345@10.0.0.5:5060;transport=tcp>");
    carrier.times();
    (carrier, Flow { transport, local, remote: PROXIES[0].parse().unwrap(), connection: 7 })
}

#[test]
fn a_connection_lost_after_it_has_lasted_is_registered_anew_at_once() {
    let (mut carrier, flow) = by_stream();
    carrier.run(s(99));
    carrier.feed(Input::FlowFailed { flow });
    assert_eq!(carrier.times(), [(100, 0, 200)]);
}

/// A storm of REGISTERs at the pace of the round trip is what both sides would suffer from.
#[test]
fn a_registrar_that_hangs_up_after_each_answer_is_asked_ever_more_rarely() {
    let (mut carrier, flow) = by_stream();
    let mut times = vec![];
    for _ in 0..3_600 {
        carrier.feed(Input::FlowFailed { flow });
        carrier.run(s(1));
        times.extend(carrier.times().into_iter().filter(|(.., status)| *status == 200).map(|(at, ..)| at));
    }
    let waits: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (wait, least) in waits.iter().zip([10, 20, 40, 80, 160, 300, 300, 300]) {
        assert!((least..=least * 5 / 4 + 2).contains(wait), "{waits:?}");
    }
    assert!((6..=8).contains(&times[0]), "five seconds and a little after the first loss: {times:?}");
    assert!(times.len() < 20, "an hour: {times:?}");
    assert_eq!(carrier.status(), "registered", "calls of ours go on by new connections meanwhile");
    // It mends its ways: the next loss is the first.
    carrier.run(s(400));
    carrier.times();
    carrier.feed(Input::FlowFailed { flow });
    assert_eq!(carrier.times().len(), 1, "at once");
}

#[test]
fn a_registrar_that_never_has_enough_is_not_asked_for_ever() {
    let more: Vec<Does> = (1..50)
        .map(|n| {
            let line: &'static str = Box::leak(format!("Min-Expires: {}\r\n", 3_600 + n).into_boxed_str());
            Says(423, line)
        })
        .collect();
    let mut carrier = Carrier::new([&more, &[]], |core| core.trunks[0].hops.truncate(1));
    carrier.run(s(60));
    assert_eq!(carrier.times().len(), 2);
    assert_eq!(carrier.status(), "refused");
}
