//! Against a nameserver of a few lines, on loopback.

use super::*;
use simple_dns::rdata::{A, NAPTR, SRV};
use simple_dns::{CharacterString, ResourceRecord};
use std::net::UdpSocket as StdSocket;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

/// `A name` -> time to live and data.
type Zone = BTreeMap<String, Vec<(u32, String)>>;

/// What it is told to say; `None`: nothing at all.
#[derive(Clone)]
struct Nameserver {
    zone: Arc<Mutex<Option<Zone>>>,
    asked: Arc<Mutex<Vec<String>>>,
    address: SocketAddr,
}

impl Nameserver {
    fn start() -> Nameserver {
        let socket = StdSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let server = Nameserver { zone: Arc::new(Mutex::new(Some(Zone::new()))), asked: Arc::default(), address };
        let (zone, asked) = (server.zone.clone(), server.asked.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok((n, from)) = socket.recv_from(&mut buffer) {
                let question = Packet::parse(&buffer[..n]).unwrap();
                let (name, kind) = match (&question.questions[0].qname.to_string(), question.questions[0].qtype) {
                    (name, QTYPE::TYPE(kind)) => (name.clone(), kind),
                    other => panic!("{other:?}"),
                };
                asked.lock().unwrap().push(format!("{kind:?} {name}"));
                let Some(zone) = &*zone.lock().unwrap() else { continue };
                let known = zone.keys().any(|key| key.ends_with(&format!(" {name}")));
                let records = zone.get(&format!("{kind:?} {name}")).cloned().unwrap_or_default();
                // A forger's answer first: another id.
                for id in [question.id() ^ 1, question.id()] {
                    let mut reply = Packet::new_reply(id);
                    reply.questions.push(question.questions[0].clone());
                    if !known {
                        *reply.rcode_mut() = RCODE::NameError;
                    }
                    let forged = vec![(9_999, "6.6.6.6".to_owned())];
                    let said = if id == question.id() || kind != TYPE::A { &records } else { &forged };
                    for (ttl, data) in said {
                        let words: Vec<&str> = data.split(' ').collect();
                        let rdata = match words[..] {
                            [priority, weight, port, target] => RData::SRV(SRV {
                                priority: priority.parse().unwrap(),
                                weight: weight.parse().unwrap(),
                                port: port.parse().unwrap(),
                                target: Name::new(target).unwrap(),
                            }),
                            [order, preference, flags, services, replacement] => RData::NAPTR(NAPTR {
                                order: order.parse().unwrap(),
                                preference: preference.parse().unwrap(),
                                flags: CharacterString::new(flags.as_bytes()).unwrap(),
                                services: CharacterString::new(services.as_bytes()).unwrap(),
                                regexp: CharacterString::new(b"").unwrap(),
                                replacement: Name::new(replacement).unwrap(),
                            }),
                            _ => RData::A(A { address: data.parse::<Ipv4Addr>().unwrap().into() }),
                        };
                        let name = question.questions[0].qname.clone();
                        reply.answers.push(ResourceRecord::new(name, CLASS::IN, *ttl, rdata));
                    }
                    socket.send_to(&reply.build_bytes_vec().unwrap(), from).unwrap();
                }
            }
        });
        server
    }

    /// `NAPTR|SRV|A name ttl data` per line.
    fn says(&self, text: &str) {
        let mut zone = Zone::new();
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty()) {
            let [kind, name, ttl, data] = line.splitn(4, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            zone.entry(format!("{kind} {name}")).or_default().push((ttl.parse().unwrap(), data.to_owned()));
        }
        *self.zone.lock().unwrap() = Some(zone);
    }

    fn silent(&self) {
        *self.zone.lock().unwrap() = None;
    }
}

fn hop(transport: Transport, port: Option<u16>) -> Hop {
    Hop::new(transport, Host::Name { name: "sbc.carrier.test".into(), fallback: vec![] }, port)
}

fn shown(targets: &[Target]) -> String {
    targets.iter().map(|t| format!("{} {} {}", t.address, t.priority, t.weight)).collect::<Vec<_>>().join(", ")
}

fn in_world<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn where_a_name_leads() {
    let zone = "SRV _sip._udp.sbc.carrier.test 300 10 60 5080 a.carrier.test
                SRV _sip._udp.sbc.carrier.test 300 10 40 5060 b.carrier.test
                SRV _sip._udp.sbc.carrier.test 300 20 0 5060 c.carrier.test
                A a.carrier.test 120 10.1.0.1
                A b.carrier.test 600 10.1.0.2
                A c.carrier.test 600 10.1.0.3
                A sbc.carrier.test 90 10.1.0.9";
    for (transport, port, wanted, ttl) in [
        (Transport::Udp, None, "10.1.0.1:5080 0 60, 10.1.0.2:5060 0 40, 10.1.0.3:5060 1 0", 120),
        // No SRV for it: the name itself, at the transport's own port.
        (Transport::Tls, None, "10.1.0.9:5061 0 1", 90),
        // A port was named: SRV is not asked.
        (Transport::Udp, Some(5_070), "10.1.0.9:5070 0 1", 90),
    ] {
        let server = Nameserver::start();
        server.says(zone);
        let (targets, holds) = in_world(targets(&[server.address], "sbc.carrier.test", &hop(transport, port))).unwrap();
        assert_eq!((shown(&targets).as_str(), holds.as_secs()), (wanted, ttl), "{transport:?} {port:?}");
        let asked_srv = server.asked.lock().unwrap().iter().any(|q| q.starts_with("SRV"));
        assert_eq!(asked_srv, port.is_none());
    }
}

#[test]
fn naptr_says_where_the_services_are_and_not_by_which_transport() {
    let server = Nameserver::start();
    server.says(
        "NAPTR sbc.carrier.test 60 20 1 s SIP+D2U _sip._udp.backup.carrier.test
         NAPTR sbc.carrier.test 60 10 9 S sip+d2u _sip._udp.core.carrier.test
         NAPTR sbc.carrier.test 60 1 1 s SIP+D2T _sip._tcp.core.carrier.test
         NAPTR sbc.carrier.test 60 1 1 u E2U+sip nowhere.test
         SRV _sip._udp.core.carrier.test 300 0 1 5070 a.carrier.test
         SRV _sip._udp.sbc.carrier.test 300 0 1 5099 a.carrier.test
         SRV _sips._tcp.sbc.carrier.test 300 0 1 5061 a.carrier.test
         A a.carrier.test 600 10.1.0.1",
    );
    for (transport, wanted, ttl) in [
        (Transport::Udp, "10.1.0.1:5070 0 1", 60),
        // It knows of no TLS: the name's own services of that kind.
        (Transport::Tls, "10.1.0.1:5061 0 1", 300),
    ] {
        let (found, holds) = in_world(targets(&[server.address], "sbc.carrier.test", &hop(transport, None))).unwrap();
        assert_eq!((shown(&found).as_str(), holds.as_secs()), (wanted, ttl), "{transport:?}");
    }
}

#[test]
fn what_cannot_be_known() {
    let server = Nameserver::start();
    let unknown = |server: &Nameserver| {
        in_world(targets(&[server.address], "sbc.carrier.test", &hop(Transport::Udp, None))).unwrap_err().to_string()
    };
    assert_eq!(unknown(&server), "there is no sbc.carrier.test");
    server.says("SRV _sip._udp.sbc.carrier.test 300 0 0 0 .\nA sbc.carrier.test 90 10.1.0.9");
    assert_eq!(unknown(&server), "sbc.carrier.test offers no SIP by udp");
    server.silent();
    assert_eq!(unknown(&server), format!("nameserver {} does not answer", server.address));
}

#[test]
fn a_dead_server_is_passed_over() {
    let (dead, live) = (Nameserver::start(), Nameserver::start());
    dead.silent();
    live.says("A sbc.carrier.test 90 10.1.0.9");
    let servers = [dead.address, live.address];
    let (found, _) = in_world(targets(&servers, "sbc.carrier.test", &hop(Transport::Udp, Some(5_060)))).unwrap();
    assert_eq!(shown(&found), "10.1.0.9:5060 0 1");
}

/// Changes are told, silence and repeats are not.
#[test]
fn the_last_good_answer_stands() {
    let server = Nameserver::start();
    server.says("A sbc.carrier.test 0 10.1.0.1");
    let (told, hears) = channel();
    let (servers, pace) = (vec![server.address], Duration::from_millis(10));
    let pace = Pace { shortest: pace, longest: pace, retry: pace };
    let tell = move |targets: Vec<Target>| told.send(shown(&targets)).unwrap();
    std::thread::spawn(move || in_world(follow(servers, hop(Transport::Udp, Some(5_060)), pace, tell)));
    let next = |hears: &Receiver<String>| hears.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(next(&hears), "10.1.0.1:5060 0 1");
    let asked = || server.asked.lock().unwrap().len();
    let (before, deadline) = (asked(), std::time::Instant::now() + Duration::from_secs(20));
    while asked() < before + 20 {
        assert!(std::time::Instant::now() < deadline, "it is asked again and again");
        std::thread::yield_now();
    }
    server.silent();
    assert!(hears.try_recv().is_err(), "the same answer is no news");
    server.says("A sbc.carrier.test 0 10.1.0.2\nA sbc.carrier.test 0 10.1.0.1");
    assert_eq!(next(&hears), "10.1.0.1:5060 0 1, 10.1.0.2:5060 0 1", "nothing was told while it was silent");
}

#[test]
fn the_machines_servers() {
    let text = "# made by hand\nnameserver 10.1.0.2\nsearch city.cn\n nameserver fd00::2 \nnameserver nonsense\n";
    let servers: Vec<String> = system_servers(text).iter().map(ToString::to_string).collect();
    assert_eq!(servers, ["10.1.0.2:53", "[fd00::2]:53"]);
}
