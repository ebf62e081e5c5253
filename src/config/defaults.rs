//! What the program does without a configuration: loopback only, files in the working directory, one generic peer,
//! a queue for each language, ten agents and seats. Belongs here: default values, which `load` falls back on too.
//! Not here: reading and judging (`load`, `cross`).

use super::profile;
use super::settings::*;
use crate::ids::{AgentNo, QueueName, SeatNo, Skill, TrunkName};
use crate::sip::digest::Algorithm;
use crate::sip::tokens::Tokens;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Queue, skill, numbers, language, greeting. The first is the city's number itself.
const QUEUES: [(&str, &str, &str, &str); 8] = [
    ("mandarin", "12345", "zh-CN", "greeting"),
    ("dialect", "66601001", "zh-jinan", "greeting"),
    ("english", "66601002", "en", "greeting-en"),
    ("japanese", "66601003", "ja", "greeting-ja"),
    ("korean", "66601004", "ko", "greeting-ko"),
    ("french", "66601005", "fr", "greeting-fr"),
    ("russian", "66601006", "ru", "greeting-en"),
    ("german", "66601007", "de", "greeting-en"),
];

/// Agent and skills besides Mandarin. Two for each language; linguists take Mandarin calls last.
const AGENTS: [(&str, &[&str]); 10] = [
    ("6601", &[]),
    ("6602", &[]),
    ("6603", &[]),
    ("6604", &["dialect"]),
    ("6605", &["dialect"]),
    ("6606", &["english", "french"]),
    ("6607", &["english", "german"]),
    ("6608", &["japanese", "korean"]),
    ("6609", &["russian", "german", "french"]),
    ("6610", &["korean", "japanese", "russian"]),
];

impl Settings {
    /// The settings without a file. Each seat gets its own password drawn from `seed`, so nothing is guessable: pass
    /// fresh entropy in life, a constant in tests. Seat 8001 belongs to agent 6601, and so on.
    pub fn demo(seed: [u8; 32]) -> Settings {
        let mut tokens = Tokens::new(seed);
        let seats = AGENTS.iter().enumerate().map(|(i, (agent, _))| SeatSettings {
            number: SeatNo::new((8001 + i).to_string()),
            secret: Secret(tokens.token().into()),
            default_agent: Some(AgentNo::new(agent)),
        });
        let core = CoreSettings {
            seats: seats.collect(),
            agents: AGENTS.iter().map(|(number, skills)| agent(number, skills)).collect(),
            queues: QUEUES
                .iter()
                .map(|(name, number, language, greeting)| {
                    let language = Some((*language).to_owned());
                    QueueSettings { language, greeting: Some((*greeting).into()), ..queue(name, name, &[number]) }
                })
                .collect(),
            trunks: vec![TrunkSettings {
                name: TrunkName::new("local"),
                peers: vec![Cidr { address: LOOPBACK, prefix: 8 }],
                max_calls: 200,
                profile: profile::generic(),
            }],
            ..core()
        };
        Settings { core, world: world() }
    }

    /// For a person with a phone and no configuration: what to type into it. Shows the passwords, so it goes to
    /// the terminal and never to a log.
    pub fn phone_help(&self) -> String {
        let Settings { core, world } = self;
        let codes = &core.feature_codes;
        let server = |(name, list): (&str, &[SocketAddr])| list.first().map(|a| format!("{a} ({name})"));
        let servers: Vec<String> =
            [("UDP", world.sip_udp.as_slice()), ("TCP", &world.sip_tcp)].into_iter().filter_map(server).collect();
        let mut help = format!("SIP server  {}\n", servers.join(" or "));
        for seat in &core.seats {
            let agent = seat.default_agent.as_ref().map_or(String::new(), |a| format!("   agent {a}"));
            help += &format!("user {}   password {}{agent}\n", seat.number, seat.secret.0);
        }
        let FeatureCodes { sign_in, sign_out, ready, not_ready } = codes;
        help + &format!("dial {sign_in} to sign in, {ready} ready, {not_ready} not ready, {sign_out} to sign out\n")
    }
}

/// Core settings without trunks, queues, agents and seats.
pub(super) fn core() -> CoreSettings {
    CoreSettings {
        domain: "rexian.local".into(),
        tenant: "default".into(),
        area_code: "531".into(),
        media: MediaSettings {
            address_v4: Some(LOOPBACK),
            address_v6: None,
            first_port: 20_000,
            pairs: 500,
            expect_rtp_within: Duration::from_secs(10),
            rtp_timeout: Duration::from_secs(30),
        },
        trunks: vec![],
        queues: vec![],
        agents: vec![],
        seats: vec![],
        feature_codes: FeatureCodes {
            sign_in: "*11".into(),
            sign_out: "*12".into(),
            ready: "*13".into(),
            not_ready: "*14".into(),
        },
        // MD5 alone: baresip 1.0 and SIPp 3.6, which Debian ships, and phones of their age fail to register as soon as
        // SHA-256 is offered, in whatever order.
        digest: vec![Algorithm::Md5],
        limits: Limits {
            max_calls: 200,
            max_transactions: 20_000,
            spool_patience: Duration::from_millis(500),
            registration_expiry: Duration::from_secs(300),
            min_registration_expiry: Duration::from_secs(60),
            bindings_per_seat: 4,
            nonce_lifetime: Duration::from_secs(300),
        },
    }
}

pub(super) fn world() -> WorldSettings {
    let sip = SocketAddr::new(LOOPBACK, 5060);
    WorldSettings {
        sip_udp: vec![sip],
        sip_tcp: vec![sip],
        media_bind_v4: Some(LOOPBACK),
        media_bind_v6: None,
        media_threads: 1,
        http: Some(SocketAddr::new(LOOPBACK, 8080)),
        spool: "rexian-spool.db".into(),
        cases: CaseStoreSettings::Sqlite("rexian-cases.db".into()),
        prompts: BTreeMap::new(),
        log: LogSettings { json: false, filter: "info".into() },
        drain: Duration::from_secs(60),
        ticket_prefix: "JN".into(),
    }
}

/// GB/T 33358-2016: answered within 15 s. The other times are the hotline's habit.
pub(super) fn queue(name: &str, skill: &str, numbers: &[&str]) -> QueueSettings {
    QueueSettings {
        name: QueueName::new(name),
        numbers: numbers.iter().map(|n| (*n).to_owned()).collect(),
        skill: Skill::new(skill),
        min_level: 1,
        priority: 5,
        within: Duration::from_secs(15),
        short_abandon: Duration::from_secs(5),
        max_waiting: 200,
        max_wait: None,
        ring_timeout: Duration::from_secs(20),
        wrap_up: Duration::from_secs(30),
        greeting: None,
        music: "music".into(),
        announce_agent: true,
        language: None,
        test: false,
    }
}

fn agent(number: &str, further: &[&str]) -> AgentSettings {
    let mandarin = if further.is_empty() { 10 } else { 5 };
    let skills = [("mandarin", mandarin)].into_iter().chain(further.iter().map(|skill| (*skill, 8)));
    AgentSettings {
        number: AgentNo::new(number),
        skills: skills.map(|(skill, level)| (Skill::new(skill), level)).collect(),
    }
}
