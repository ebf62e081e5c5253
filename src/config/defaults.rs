//! What the program does without a configuration: loopback only, files in the working directory, one generic peer,
//! a queue for each language that relaxes as callers wait, ten agents and seats. Belongs here: default values, which `load` falls back on too.
//! Not here: reading and judging (`load`, `cross`).

use super::profile;
use super::settings::*;
use crate::ids::{AgentNo, QueueName, Skill};
use crate::sip::tokens::Tokens;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct Tongue {
    /// Queue and skill.
    name: &'static str,
    number: &'static str,
    tag: &'static str,
    greeting: &'static str,
    min_level: u8,
    /// Country codes of callers taken to speak it, and the key that chooses it where a line has keys.
    countries: &'static [&'static str],
    key: Option<char>,
}

const fn tongue(
    name: &'static str,
    number: &'static str,
    tag: &'static str,
    greeting: &'static str,
    countries: &'static [&'static str],
    key: Option<char>,
) -> Tongue {
    Tongue { name, number, tag, greeting, min_level: 1, countries, key }
}

/// The first is the city's own; English is asked for at a level, for there are agents of several.
const TONGUES: [Tongue; 8] = [
    tongue("mandarin", "12345", "zh-CN", "greeting", &[], None),
    tongue("dialect", "66601001", "zh-jinan", "greeting", &[], None),
    Tongue {
        min_level: 8,
        ..tongue("english", "66601002", "en", "greeting-en", &["1", "27", "44", "61", "64", "65", "353"], Some('2'))
    },
    tongue("japanese", "66601003", "ja", "greeting-ja", &["81"], Some('3')),
    tongue("korean", "66601004", "ko", "greeting-ko", &["82"], Some('4')),
    tongue("french", "66601005", "fr", "greeting-fr", &["33"], Some('5')),
    tongue("russian", "66601006", "ru", "greeting-ru", &["7"], Some('6')),
    tongue("german", "66601007", "de", "greeting-de", &["43", "49"], Some('7')),
];

/// Agent and skills besides Mandarin. Two for each language, and for English some more who know a little.
const AGENTS: [(&str, &[(&str, u8)]); 10] = [
    ("6601", &[]),
    ("6602", &[]),
    ("6603", &[]),
    ("6604", &[("dialect", 8)]),
    ("6605", &[("dialect", 8)]),
    ("6606", &[("english", 9), ("french", 8)]),
    ("6607", &[("english", 8), ("german", 8)]),
    ("6608", &[("japanese", 8), ("korean", 8), ("english", 5)]),
    ("6609", &[("russian", 8), ("german", 8), ("french", 8), ("english", 6)]),
    ("6610", &[("korean", 8), ("japanese", 8), ("russian", 8), ("english", 3)]),
];

impl Settings {
    /// The settings without a file. Each seat gets its own password drawn from `seed`, so nothing is guessable: pass
    /// fresh entropy in life, a constant in tests. Seat 8001 belongs to agent 6601, and so on.
    pub fn demo(seed: [u8; 32]) -> Settings {
        let mut tokens = Tokens::new(seed);
        let seats = AGENTS.iter().enumerate().map(|(i, (agent, _))| SeatSettings {
            default_agent: Some(AgentNo::new(agent)),
            ..SeatSettings::new(&(8001 + i).to_string(), &tokens.token())
        });
        let core = CoreSettings {
            seats: seats.collect(),
            agents: AGENTS.iter().map(|(number, skills)| agent(number, skills)).collect(),
            queues: TONGUES.iter().map(queue).collect(),
            lines: vec![hotline(&TONGUES[0])],
            languages: TONGUES.iter().filter(|t| !t.countries.is_empty()).map(language).collect(),
            // Linguists are the last to get Mandarin calls; and somebody for the next English caller, whatever these bring.
            distributor: DistributorSettings {
                reserve: TONGUES[1..].iter().map(|t| (Skill::new(t.name), u32::from(t.name == "english"))).collect(),
                ..DistributorSettings::default()
            },
            trunks: vec![TrunkSettings::new("local", vec![Cidr { address: LOOPBACK, prefix: 8 }], profile::generic())],
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
            [("UDP", world.sip_udp.as_slice()), ("TCP", &world.sip_tcp), ("TLS", &world.sip_tls)]
                .into_iter()
                .filter_map(server)
                .collect();
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
        dns: vec![],
        sip_tls: vec![],
        sip_ws: vec![],
        sip_wss: vec![],
        web_origins: vec![],
        tls: None,
        media_bind_v4: Some(LOOPBACK),
        media_bind_v6: None,
        media_threads: 1,
        browsers: None,
        recording: None,
        http: Some(SocketAddr::new(LOOPBACK, 8080)),
        tokens: vec![],
        pages: None,
        webhooks: vec![],
        webhook_ledger: "rexian-webhooks.db".into(),
        spool: "rexian-spool.db".into(),
        cases: CaseStoreSettings::Sqlite("rexian-cases.db".into()),
        casework: Arc::default(),
        events: Some("rexian-events.db".into()),
        keep_events: Duration::from_secs(400 * 24 * 3_600),
        ship_events: None,
        facts: FactsFile::default(),
        report: ReportSettings::default(),
        prompts: BTreeMap::new(),
        trace: TraceSettings::default(),
        log: LogSettings { json: false, filter: "info".into() },
        drain: Duration::from_secs(60),
        ticket_prefix: "JN".into(),
    }
}

fn agent(number: &str, further: &[(&'static str, u8)]) -> AgentSettings {
    let mandarin = if further.is_empty() { 10 } else { 5 };
    AgentSettings::new(number, [("mandarin", mandarin)].into_iter().chain(further.iter().copied()))
}

fn queue(tongue: &Tongue) -> QueueSettings {
    let step = |secs, skill: &str, level, interpreter| Relaxation {
        after: Duration::from_secs(secs),
        skills: [(Skill::new(skill), level)].into(),
        use_reserve: false,
        interpreter,
    };
    let from_reserve = |secs| Relaxation { use_reserve: true, ..step(secs, "mandarin", 1, false) };
    let relax = match tongue.name {
        // Or callers would wait for ever while only linguists are ready.
        "mandarin" => vec![from_reserve(30)],
        // A citizen who speaks dialect understands Mandarin well enough to be helped without an interpreter.
        "dialect" => vec![from_reserve(60)],
        "english" => {
            vec![step(20, "english", 5, false), step(60, "english", 1, false), step(120, "mandarin", 1, true)]
        }
        _ => vec![step(120, "mandarin", 1, true)],
    };
    // The city's own number is a line with terms of its own.
    let numbers = if tongue.name == TONGUES[0].name { None } else { Some(tongue.number.to_owned()) };
    QueueSettings {
        numbers: numbers.into_iter().collect(),
        min_level: tongue.min_level,
        relax,
        prefer_last_agent: true,
        language: Some(tongue.tag.into()),
        greeting: Some(tongue.greeting.into()),
        announce: Announce { every: Some(Duration::from_secs(45)), position: true, estimate: true },
        ..QueueSettings::new(tongue.name, tongue.name)
    }
}

/// Callers from abroad and those known from before are led to their language. No key does: GB/T 33358-2016 discourages
/// menus, even silent ones that must be announced.
fn hotline(tongue: &Tongue) -> LineSettings {
    LineSettings {
        choice: LanguageChoice { by_country: true, remembered: true, by_key: false },
        ..LineSettings::of_queue("hotline", QueueName::new(tongue.name), [tongue.number.to_owned()].into())
    }
}

fn language(tongue: &Tongue) -> LanguageSettings {
    LanguageSettings {
        tag: tongue.tag.into(),
        queue: QueueName::new(tongue.name),
        countries: tongue.countries.iter().map(|code| (*code).to_owned()).collect(),
        key: tongue.key,
        // The built-in ones name these keys.
        invitation: Some(format!("invite-{}", tongue.tag).as_str().into()),
    }
}
