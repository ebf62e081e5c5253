//! What the program does without a configuration: loopback only, files in the working directory, one generic peer,
//! a queue for each language, ten agents and seats. Belongs here: default values, which `load` falls back on too.
//! Not here: reading and judging (`load`, `cross`).

use super::profile;
use super::settings::*;
use crate::ids::{AgentNo, SeatNo, TrunkName};
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
                    QueueSettings {
                        numbers: [(*number).to_owned()].into(),
                        language,
                        greeting: Some((*greeting).into()),
                        ..QueueSettings::new(name, name)
                    }
                })
                .collect(),
            trunks: vec![TrunkSettings {
                name: TrunkName::new("local"),
                peers: vec![Cidr { address: LOOPBACK, prefix: 8 }],
                max_calls: 200,
                profile: profile::generic(),
                call_out: None,
            }],
            ..CoreSettings::bare()
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
        let FeatureCodes { sign_in, sign_out, ready, not_ready, .. } = codes;
        help + &format!("dial {sign_in} to sign in, {ready} ready, {not_ready} not ready, {sign_out} to sign out\n")
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
        events: Some("rexian-events.db".into()),
        keep_events: Duration::from_secs(400 * 24 * 3_600),
        prompts: BTreeMap::new(),
        log: LogSettings { json: false, filter: "info".into() },
        drain: Duration::from_secs(60),
        ticket_prefix: "JN".into(),
    }
}

fn agent(number: &str, further: &[&str]) -> AgentSettings {
    let mandarin = if further.is_empty() { 10 } else { 5 };
    AgentSettings::new(number, [("mandarin", mandarin)].into_iter().chain(further.iter().map(|skill| (*skill, 8))))
}
