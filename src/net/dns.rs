//! Names of trunks' hops -> addresses (RFC 3263 s4, RFC 2782): NAPTR and SRV if the configuration names no port, then A and
//! AAAA.
//! Belongs here: asking, and asking again in time. Not here: which of the addresses a call takes (`trunk::hops`).
//!
//! NAPTR says under which name the services of the hop's transport are; it does not choose the transport, which a hop has
//! by its configuration (RFC 3263 s4.1): DNS cannot talk a trunk out of TLS. The last good answer stands for as long as DNS gives no other; before the first, the hop's `fallback` does. Nobody waits for it.
//!
//! Security: each question goes out from a port and with an id of its own; what does not fit both and the question is
//! ignored. An address that is none of the trunk's peers is refused by whoever is told.

use crate::config::settings::{Hop, Host, Transport};
use crate::host::entropy;
use crate::trunk::hops::Target;
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::time::{sleep, timeout};

/// A server that does not answer in this time is asked once more, then the next one.
const PATIENCE: Duration = Duration::from_secs(2);
const ROUNDS: usize = 2;
/// More than any carrier has.
const MOST_TARGETS: usize = 16;
/// The system's own resolver (its hosts file) tells no time to live.
const HOSTS_TTL: Duration = Duration::from_secs(60);

/// How often a name is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Bounds of what DNS says.
    pub shortest: Duration,
    pub longest: Duration,
    /// After no answer.
    pub retry: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        let (shortest, longest) = (Duration::from_secs(30), Duration::from_secs(3_600));
        Pace { shortest, longest, retry: Duration::from_secs(30) }
    }
}

/// What could not be found out.
pub type Unknown = Box<dyn std::error::Error + Send + Sync>;

/// Tells the addresses of a hop with a name whenever they change, for ever.
pub async fn follow(servers: Vec<SocketAddr>, hop: Hop, pace: Pace, tell: impl Fn(Vec<Target>)) {
    let Host::Name { name, .. } = &hop.host else { return };
    let (mut known, mut failing) = (vec![], false);
    loop {
        let wait = match targets(&servers, name, &hop).await {
            Ok((targets, ttl)) => {
                if failing {
                    tracing::info!(%name, "DNS answers again");
                }
                failing = false;
                if targets != known {
                    let addresses: Vec<SocketAddr> = targets.iter().map(|t| t.address).collect();
                    tracing::info!(%name, ?addresses, "DNS says where the hop is");
                    tell(targets.clone());
                    known = targets;
                }
                ttl.clamp(pace.shortest, pace.longest)
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(%name, %error, "DNS does not say where the hop is: what was known stands");
                }
                failing = true;
                pace.retry
            }
        };
        sleep(wait).await;
    }
}

/// Whom to ask: the configured servers, else the machine's own.
pub fn servers(configured: &[SocketAddr]) -> Vec<SocketAddr> {
    if configured.is_empty() {
        return system_servers(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default());
    }
    configured.to_vec()
}

/// The nameservers of `/etc/resolv.conf`.
fn system_servers(resolv_conf: &str) -> Vec<SocketAddr> {
    let server = |line: &str| {
        let address = line.trim().strip_prefix("nameserver")?.trim().parse::<IpAddr>().ok()?;
        Some(SocketAddr::new(address, 53))
    };
    resolv_conf.lines().filter_map(server).collect()
}

/// In the order of priority, and for how long that holds.
pub async fn targets(servers: &[SocketAddr], name: &str, hop: &Hop) -> Result<(Vec<Target>, Duration), Unknown> {
    let records = match hop.port {
        Some(_) => vec![],
        None => services(servers, name, hop.transport).await?,
    };
    let mut found: Vec<Target> = vec![];
    let mut ttl = Duration::MAX;
    let mut failed = None;
    // RFC 2782: without SRV the name's own addresses.
    let port = hop.port.unwrap_or(hop.transport.default_port());
    let own = Service { priority: 0, weight: 1, port, target: name.to_owned(), ttl: Duration::MAX };
    let records = if records.is_empty() { vec![own] } else { records };
    // As steps: 10, 20, 20 is 0, 1, 1; so that hops of the configuration compare with one another.
    let mut steps: Vec<u16> = records.iter().map(|r| r.priority).collect();
    steps.sort_unstable();
    steps.dedup();
    for record in records {
        let priority = steps.iter().position(|p| *p == record.priority).unwrap_or(0) as u16;
        ttl = ttl.min(record.ttl);
        match addresses(servers, &record.target).await {
            Ok((addresses, holds)) => {
                ttl = ttl.min(holds);
                let target = |ip| Target { address: SocketAddr::new(ip, record.port), priority, weight: record.weight };
                found.extend(addresses.into_iter().map(target));
            }
            Err(error) => failed = Some(error),
        }
    }
    found.sort_by_key(|t| (t.priority, t.address));
    found.dedup_by_key(|t| t.address);
    found.truncate(MOST_TARGETS);
    match (found.is_empty(), failed) {
        (true, failed) => Err(failed.unwrap_or_else(|| format!("{name} has no address").into())),
        // One of several is unknown at the moment: what there is serves, and is asked for again soon.
        (false, Some(_)) => Ok((found, Duration::ZERO)),
        (false, None) => Ok((found, ttl)),
    }
}

struct Service {
    priority: u16,
    weight: u16,
    port: u16,
    target: String,
    ttl: Duration,
}

async fn services(servers: &[SocketAddr], name: &str, transport: Transport) -> Result<Vec<Service>, Unknown> {
    if servers.is_empty() {
        return Ok(vec![]);
    }
    // RFC 3263 s4.2.
    let (service, way) = match transport {
        Transport::Udp => ("_sip._udp", "SIP+D2U"),
        Transport::Tcp => ("_sip._tcp", "SIP+D2T"),
        Transport::Tls => ("_sips._tcp", "SIPS+D2T"),
        // RFC 7118 s5.4, s8.
        Transport::Ws => ("_sip._ws", "SIP+D2W"),
        Transport::Wss => ("_sips._ws", "SIPS+D2W"),
    };
    let (at, holds) = match pointer(servers, name, way).await {
        Some(pointer) => pointer,
        None => (format!("{service}.{name}"), Duration::MAX),
    };
    let mut found = vec![];
    for (ttl, data) in ask(servers, &at, TYPE::SRV).await? {
        if let Data::Service { priority, weight, port, target } = data {
            found.push(Service { priority, weight, port, target, ttl: ttl.min(holds) });
        }
    }
    // RFC 2782: a target of "." says that there is no such service here.
    if found.iter().any(|s| s.target.is_empty()) {
        return Err(format!("{name} offers no SIP by {}", transport.as_str()).into());
    }
    found.truncate(MOST_TARGETS);
    Ok(found)
}

/// Where NAPTR says that the services of this way are, and for how long; `None`: it does not, or nobody answers that.
async fn pointer(servers: &[SocketAddr], name: &str, way: &str) -> Option<(String, Duration)> {
    let records = ask(servers, name, TYPE::NAPTR).await.unwrap_or_default();
    let ours = records.into_iter().filter_map(|(ttl, data)| match data {
        Data::Pointer { rank, way: its, to } if its.eq_ignore_ascii_case(way) && !to.is_empty() => {
            Some((rank, to, ttl))
        }
        _ => None,
    });
    ours.min().map(|(_, to, ttl)| (to, ttl))
}

async fn addresses(servers: &[SocketAddr], name: &str) -> Result<(Vec<IpAddr>, Duration), Unknown> {
    let (mut found, mut ttl, mut failed) = (vec![], Duration::MAX, None);
    for kind in [TYPE::A, TYPE::AAAA] {
        match ask(servers, name, kind).await {
            Ok(records) => {
                for (holds, data) in records {
                    if let Data::Address(address) = data {
                        ttl = ttl.min(holds);
                        found.push(address);
                    }
                }
            }
            Err(error) => failed = Some(error),
        }
    }
    if !found.is_empty() {
        return Ok((found, ttl));
    }
    // The machine may know it all the same: its hosts file.
    let hosts: Vec<IpAddr> = lookup_host((name, 0)).await.map(|all| all.map(|a| a.ip()).collect()).unwrap_or_default();
    if !hosts.is_empty() {
        return Ok((hosts, HOSTS_TTL));
    }
    Err(failed.unwrap_or_else(|| format!("there is no {name}").into()))
}

/// What of an answer is of use here.
enum Data {
    Address(IpAddr),
    Service {
        priority: u16,
        weight: u16,
        port: u16,
        target: String,
    },
    /// To SRV records. `rank`: order, then preference, the lowest first.
    Pointer {
        rank: (u16, u16),
        way: String,
        to: String,
    },
}

/// Empty if there is no such record; an error if nobody says so.
async fn ask(servers: &[SocketAddr], name: &str, kind: TYPE) -> Result<Vec<(Duration, Data)>, Unknown> {
    let mut last: Unknown = "no nameserver is known".into();
    for server in (0..ROUNDS).flat_map(|_| servers) {
        let answer = match timeout(PATIENCE, ask_one(*server, name, kind)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("nameserver {server} does not answer").into()),
        };
        match answer {
            Ok(records) => return Ok(records),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn ask_one(server: SocketAddr, name: &str, kind: TYPE) -> Result<Vec<(Duration, Data)>, Unknown> {
    let seed = entropy()?;
    let id = u16::from_be_bytes([seed[0], seed[1]]);
    let mut question = Packet::new_query(id);
    question.set_flags(PacketFlag::RECURSION_DESIRED);
    let asked = Question::new(Name::new(name)?, QTYPE::TYPE(kind), QCLASS::CLASS(CLASS::IN), false);
    question.questions.push(asked);
    let question = question.build_bytes_vec()?;
    let any = if server.is_ipv4() { IpAddr::from(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    socket.send(&question).await?;
    let mut buffer = vec![0; 65_536];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let bytes = &buffer[..length];
        let Some(answer) = Packet::parse(bytes).ok().filter(|answer| answers(answer, id, name, kind)) else { continue };
        if answer.has_flags(PacketFlag::TRUNCATION) {
            let whole = by_stream(server, &question).await?;
            let answer = Packet::parse(&whole)?;
            if !answers(&answer, id, name, kind) {
                return Err(format!("nameserver {server} answers another question").into());
            }
            return read(&answer, server);
        }
        return read(&answer, server);
    }
}

/// What is too long for a datagram (RFC 7766).
async fn by_stream(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(&[&(question.len() as u16).to_be_bytes(), question].concat()).await?;
    let mut length = [0; 2];
    stream.read_exact(&mut length).await?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn answers(answer: &Packet<'_>, id: u16, name: &str, kind: TYPE) -> bool {
    let same = |q: &Question<'_>| q.qtype == QTYPE::TYPE(kind) && q.qname.to_string().eq_ignore_ascii_case(name);
    answer.id() == id && answer.has_flags(PacketFlag::RESPONSE) && answer.questions.iter().all(same)
}

fn read(answer: &Packet<'_>, server: SocketAddr) -> Result<Vec<(Duration, Data)>, Unknown> {
    match answer.rcode() {
        RCODE::NoError => {}
        RCODE::NameError => return Ok(vec![]),
        other => return Err(format!("nameserver {server} refuses: {other:?}").into()),
    }
    let data = |rdata: &RData<'_>| match rdata {
        RData::A(a) => Some(Data::Address(Ipv4Addr::from(a.address).into())),
        RData::AAAA(a) => Some(Data::Address(Ipv6Addr::from(a.address).into())),
        RData::SRV(s) => {
            let target = plain(&s.target);
            Some(Data::Service { priority: s.priority, weight: s.weight, port: s.port, target })
        }
        RData::NAPTR(n) if n.flags.to_string().eq_ignore_ascii_case("s") => {
            let (rank, way) = ((n.order, n.preference), n.services.to_string());
            Some(Data::Pointer { rank, way, to: plain(&n.replacement) })
        }
        _ => None,
    };
    let of = |r: &simple_dns::ResourceRecord<'_>| Some((Duration::from_secs(r.ttl.into()), data(&r.rdata)?));
    Ok(answer.answers.iter().filter_map(of).collect())
}

fn plain(name: &Name<'_>) -> String {
    name.to_string().trim_end_matches('.').to_ascii_lowercase()
}

/// By place in the configuration: the hops with names.
pub fn named(hops: &[Hop]) -> BTreeMap<usize, &Hop> {
    hops.iter().enumerate().filter(|(_, hop)| matches!(hop.host, Host::Name { .. })).collect()
}

#[cfg(test)]
mod tests;
