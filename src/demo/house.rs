//! The gateway's configuration for the demo: a small hotline on loopback. Belongs here: settings, free ports, the
//! password. Not here: what happens in it (`plan`, `stage`).

use super::plan::{Language, Plan, PlannedSeat};
use crate::config::settings::{
    AgentSettings, AnswerMode, CaseStoreSettings, Cidr, CoreSettings, DistributorSettings, Limits, LogSettings,
    MediaSettings, Profile, QueueSettings, SeatSettings, Settings, TrunkSettings, WorldSettings,
};
use crate::ids::{AgentNo, QueueName, Skill};
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::time::Duration;

/// N of "answered within N seconds".
pub const WITHIN: Duration = Duration::from_secs(15);
pub const DRAIN: Duration = Duration::from_secs(3);
pub const RING_TIMEOUT: Duration = Duration::from_secs(3);
/// Where the two pretend carriers' calls come from: a trunk is known by its address.
pub const ON_QUEUE_CARRIER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
pub const ON_PICKUP_CARRIER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
/// The case store's file in the demo's directory.
pub const CASES: &str = "cases.db";
const MAX_CALLS: u32 = 2_000;
const FIRST_MEDIA_PORT: u16 = 20_000;

pub struct House<'a> {
    pub plan: &'a Plan,
    pub listen: IpAddr,
    pub sip: SocketAddr,
    pub http: SocketAddr,
    pub first_media_port: u16,
    pub media_pairs: u16,
    pub ring_timeout: Duration,
    pub password: &'a str,
    /// For a real phone: a seat and an agent that no pretend phone uses.
    pub spare: Option<&'a PlannedSeat>,
    /// Whose calls are taken as a citizen's beside the pretend carriers'.
    pub citizens: Vec<Cidr>,
    pub directory: &'a Path,
    pub log_filter: &'a str,
}

impl House<'_> {
    pub fn settings(&self) -> Settings {
        let seats = || self.plan.seats.iter().chain(self.spare);
        let base = Settings::demo([0; 32]);
        let spoken = |queue: &QueueName| Language::ALL.into_iter().any(|l| l.name() == queue.as_str());
        let core = CoreSettings {
            domain: self.listen.to_string(),
            tenant: "demo".into(),
            media: MediaSettings {
                address_v4: self.listen.is_ipv4().then_some(self.listen),
                address_v6: self.listen.is_ipv6().then_some(self.listen),
                first_port: self.first_media_port,
                pairs: self.media_pairs,
                ..base.core.media
            },
            trunks: self.trunks(),
            // Each language is called by its own number.
            lines: vec![],
            queues: Language::ALL.into_iter().map(|l| queue(l, self.ring_timeout, &base.core.queues[0])).collect(),
            languages: base.core.languages.into_iter().filter(|l| spoken(&l.queue)).collect(),
            // With few seats every hand is needed, and nobody waits long.
            distributor: DistributorSettings::default(),
            agents: seats().map(agent).collect(),
            seats: seats()
                .map(|s| SeatSettings {
                    default_agent: Some(AgentNo::new(&s.agent)),
                    ..SeatSettings::new(&s.seat, self.password)
                })
                .collect(),
            limits: Limits { max_calls: MAX_CALLS, ..base.core.limits },
            ..base.core
        };
        let world = WorldSettings {
            sip_udp: vec![self.sip],
            sip_tcp: vec![self.sip],
            media_bind_v4: self.listen.is_ipv4().then_some(self.listen),
            media_bind_v6: self.listen.is_ipv6().then_some(self.listen),
            http: Some(self.http),
            spool: self.directory.join("spool"),
            cases: CaseStoreSettings::Sqlite(self.directory.join(CASES)),
            events: Some(self.directory.join("events")),
            log: LogSettings { json: false, filter: self.log_filter.into() },
            drain: DRAIN,
            ..base.world
        };
        Settings { core, world }
    }

    fn trunks(&self) -> Vec<TrunkSettings> {
        let trunk = |name: &str, peers: Vec<Cidr>, answer: AnswerMode| TrunkSettings {
            max_calls: MAX_CALLS,
            ..TrunkSettings::new(name, peers, Profile { answer, ..Profile::new(name) })
        };
        let host = |address: IpAddr| Cidr { address, prefix: if address.is_ipv4() { 32 } else { 128 } };
        let mut trunks = vec![
            trunk("demo-on-queue", vec![host(ON_QUEUE_CARRIER)], AnswerMode::OnQueue),
            trunk("demo-on-pickup", vec![host(ON_PICKUP_CARRIER)], AnswerMode::OnPickup),
        ];
        if !self.citizens.is_empty() {
            trunks.push(trunk("citizens", self.citizens.clone(), AnswerMode::OnQueue));
        }
        trunks
    }
}

fn queue(language: Language, ring_timeout: Duration, base: &QueueSettings) -> QueueSettings {
    QueueSettings {
        name: QueueName::new(language.name()),
        numbers: [language.number().to_string()].into(),
        skill: Skill::new(language.name()),
        within: WITHIN,
        max_waiting: MAX_CALLS,
        ring_timeout,
        wrap_up: Duration::from_millis(800),
        greeting: Some(language.greeting().into()),
        announce_agent: language.announced(),
        language: Some(language.name().into()),
        ..base.clone()
    }
}

fn agent(seat: &PlannedSeat) -> AgentSettings {
    AgentSettings::new(&seat.agent, seat.languages.iter().map(|l| (l.name(), 5)))
}

/// `wanted` if both transports are free there, else a free port, and whether it had to move.
pub fn free_sip_port(ip: IpAddr, wanted: u16) -> std::io::Result<(SocketAddr, bool)> {
    let free = |port| {
        let udp = UdpSocket::bind((ip, port))?;
        let _tcp = TcpListener::bind(udp.local_addr()?)?;
        udp.local_addr()
    };
    match free(wanted) {
        Ok(address) => Ok((address, false)),
        Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => Ok((free(0)?, true)),
        Err(e) => Err(e),
    }
}

/// The first even port from which `pairs` pairs are free.
pub fn free_media_ports(ip: IpAddr, pairs: u16) -> Option<u16> {
    let needed = pairs * 2;
    let mut first = FIRST_MEDIA_PORT;
    while first.checked_add(needed)? < 60_000 {
        let taken = (first..first + needed).find(|port| UdpSocket::bind((ip, *port)).is_err());
        match taken {
            None => return Some(first),
            Some(port) => first = (port + 2) & !1,
        }
    }
    None
}

/// Enough RTP port pairs for every seat ringing or talking and for every caller who may wait at once.
pub fn media_pairs(plan: &Plan) -> u16 {
    (4 * plan.seats.len() + 2 * plan.calls.len() + 32).min(4_000) as u16
}

/// Fresh each time: with `--listen` the demo may be reached from a network.
pub fn password() -> std::io::Result<String> {
    let mut bytes = [0u8; 6];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(crate::sip::digest::hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_noticed_and_another_found() {
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let taken = UdpSocket::bind((ip, 0)).unwrap();
        let wanted = taken.local_addr().unwrap().port();
        let (address, moved) = free_sip_port(ip, wanted).unwrap();
        assert!(moved);
        assert_ne!(address.port(), wanted);
    }

    #[test]
    fn media_ports_start_even_and_step_over_what_is_taken() {
        let ip = IpAddr::V4(Ipv4Addr::new(127, 77, 0, 1));
        let _taken = UdpSocket::bind((ip, FIRST_MEDIA_PORT + 3)).unwrap();
        assert_eq!(free_media_ports(ip, 10), Some(FIRST_MEDIA_PORT + 4));
    }
}
