//! What a pretend day is made of: how many call, when, whom; who works; what breaks. All of it from one seed.

use super::orders::LEADERS;
use super::ways::Ways;
use crate::config::settings::{
    AgentSettings, AnswerMode, Cidr, CoreSettings, FeatureCodes, Limits, MediaSettings, Profile, QueueSettings,
    SeatSettings, TrunkSettings,
};
use crate::ids::AgentNo;
use crate::sim::network::Path;
use crate::sim::rng::Rng;
use crate::sip::digest::Algorithm;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Scenario {
    pub seed: u64,
    pub calls: usize,
    pub arrivals: Arrivals,
    pub agents: usize,
    /// Of them, how many also speak English.
    pub linguists: usize,
    /// Seconds: lognormal mu and sigma of the talk.
    pub talk: (f64, f64),
    pub patience: Duration,
    pub wrap_up: Duration,
    /// Longest wait, ended by the queue.
    pub max_wait: Duration,
    pub carrier_path: Path,
    pub seat_path: Path,
    pub troubles: Troubles,
    pub ways: Ways,
    /// Talks in which the agent's phone uses its transfer key.
    pub transfers: f64,
    /// Talks in which the agent's page orders: somebody else on the call, the survey, a leader who listens.
    pub orders: f64,
    /// Of the seats, how many are in browsers; every third of these has a phone too.
    pub pages: f64,
    /// Every other phone has no call waiting: it is busy while a feature code is dialled.
    pub single_line: bool,
    pub spool: SpoolWeather,
    /// `kill -9` of the whole gateway process, this often in the day.
    pub crashes: usize,
    /// SIGTERM when so much of the day is over (1.0: at its regular end); what is up a minute later is ended.
    pub drain_after: f64,
    /// Also saves and restores the gateway after every so many steps; the outputs must not change by it.
    pub restore_every: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrivals {
    /// Poisson, calls per second.
    Rate(f64),
    /// The city's day curve, this many calls per day.
    DayCurve(f64),
}

/// Probabilities per call, or per agent and hour where said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Troubles {
    pub unanswered: f64,
    pub refused: f64,
    pub silent: f64,
    pub bad_answer: f64,
    pub hold: f64,
    pub carrier_dies: f64,
    pub carrier_never_acks: f64,
    pub carrier_holds: f64,
    /// Seats that lose power and come back, per agent and hour.
    pub power_cuts: f64,
    /// Pages that die, reload or fall silent, per agent and hour.
    pub pages: f64,
    /// Carriers whose machine dies with all its calls and comes back knowing none of them, per carrier and hour.
    pub reboots: f64,
    /// Of phones and carriers that come back, how many do so at another port.
    pub moves: f64,
    /// Breaks taken, per agent and hour.
    pub breaks: f64,
    /// Datagrams from strangers, per second.
    pub strangers: f64,
}

impl Troubles {
    pub const NONE: Troubles = Troubles {
        unanswered: 0.0,
        refused: 0.0,
        silent: 0.0,
        bad_answer: 0.0,
        hold: 0.0,
        carrier_dies: 0.0,
        carrier_never_acks: 0.0,
        carrier_holds: 0.0,
        power_cuts: 0.0,
        pages: 0.0,
        reboots: 0.0,
        moves: 0.0,
        breaks: 0.0,
        strangers: 0.0,
    };
    pub const SOME: Troubles = Troubles {
        unanswered: 0.02,
        refused: 0.03,
        silent: 0.005,
        bad_answer: 0.005,
        hold: 0.05,
        carrier_dies: 0.01,
        carrier_never_acks: 0.005,
        carrier_holds: 0.02,
        power_cuts: 0.3,
        pages: 0.0,
        reboots: 0.0,
        moves: 0.0,
        breaks: 0.5,
        strangers: 0.05,
    };
    pub const MANY: Troubles = Troubles {
        unanswered: 0.10,
        refused: 0.10,
        silent: 0.03,
        bad_answer: 0.03,
        hold: 0.20,
        carrier_dies: 0.05,
        carrier_never_acks: 0.03,
        carrier_holds: 0.10,
        power_cuts: 3.0,
        pages: 0.0,
        reboots: 0.0,
        moves: 0.0,
        breaks: 3.0,
        strangers: 1.0,
    };
}

/// How the local spool and the case store behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpoolWeather {
    /// A write takes a few milliseconds.
    Fine,
    /// Some writes take longer than a pickup waits.
    Slow,
    /// For minutes at a time writes fail, and the case store is gone.
    Failing,
}

impl Scenario {
    /// A day of `calls` calls whose every trait is drawn from `seed`.
    pub fn from_seed(seed: u64, calls: usize) -> Scenario {
        let mut rng = Rng::new(seed ^ 0x5eed_0000_0000_0000);
        let paths = [(4.0, Path::CLEAN), (4.0, Path::BAD), (1.0, Path::HOSTILE), (1.0, Path::DEAF)];
        let weights = paths.map(|p| p.0);
        let mut path = || paths[rng.weighted(&weights)].1;
        let (carrier_path, seat_path) = (path(), path());
        let troubles = [Troubles::NONE, Troubles::SOME, Troubles::MANY][rng.weighted(&[1.0, 4.0, 3.0])];
        let spool = [SpoolWeather::Fine, SpoolWeather::Slow, SpoolWeather::Failing][rng.weighted(&[2.0, 1.0, 2.0])];
        // exp(3.5 + 0.7^2 / 2) = 42 s of talk; with ringing and wrap-up an agent is busy for about a minute a call.
        let agents = 20 + rng.below(40) as usize;
        let load = 0.5 + rng.unit();
        let ends = rng.weighted(&[4.0, 1.0, 0.5, 1.0]);
        Scenario {
            seed,
            calls,
            arrivals: Arrivals::Rate(agents as f64 * load / 60.0),
            agents,
            linguists: agents / 5,
            talk: (3.5, 0.7),
            patience: Duration::from_secs(60 + rng.below(120)),
            wrap_up: Duration::from_secs(rng.below(20)),
            carrier_path,
            seat_path,
            troubles,
            ways: Ways::from_seed(seed),
            transfers: 0.0,
            orders: 0.0,
            pages: 0.0,
            single_line: rng.chance(0.3),
            spool,
            max_wait: Duration::from_secs(30 + rng.below(210)),
            crashes: if ends < 3 { ends } else { 0 },
            drain_after: if ends == 3 { 0.7 + 0.3 * rng.unit() } else { 1.0 },
            restore_every: None,
        }
    }

    /// As from the seed, on a network that loses, doubles and delays, between machines that die in the middle of a call and
    /// come back with new tags, numbers and ports; the agents' phones pass callers on by REFER.
    pub fn hostile(seed: u64, calls: usize) -> Scenario {
        let troubles = Troubles { power_cuts: 12.0, reboots: 20.0, moves: 0.5, ..Troubles::MANY };
        let (carrier_path, seat_path) = (Path::STORM, Path::STORM);
        Scenario { carrier_path, seat_path, troubles, transfers: 0.2, ..Scenario::from_seed(seed, calls) }
    }

    /// The same, and the agents' pages consult, join three, pass on, call for help and send to the survey; shift leaders
    /// listen, speak and take over. Some sit at phones, some at browsers, whose pages die and come back.
    pub fn busy_desks(seed: u64, calls: usize) -> Scenario {
        let hostile = Scenario::hostile(seed, calls);
        let troubles = Troubles { pages: 20.0, ..hostile.troubles };
        Scenario { orders: 0.4, pages: 0.6, troubles, ..hostile }
    }

    /// Does this seat's agent work in a browser?
    pub fn has_page(&self, seat: usize) -> bool {
        // Spread over leaders and linguists alike.
        ((seat * 7) % 10) as f64 / 10.0 < self.pages
    }

    pub fn has_phone(&self, seat: usize) -> bool {
        !self.has_page(seat) || seat.is_multiple_of(3)
    }

    /// The order a shift is meant to be: nothing breaks, nobody is lost on the way.
    pub fn fair_weather(seed: u64, calls: usize) -> Scenario {
        Scenario {
            carrier_path: Path::CLEAN,
            seat_path: Path::CLEAN,
            troubles: Troubles::NONE,
            ways: Ways::NONE,
            spool: SpoolWeather::Fine,
            crashes: 0,
            drain_after: 1.0,
            ..Scenario::from_seed(seed, calls)
        }
    }
}

pub const GATEWAY_SIP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 5060);
/// Somebody on the internet.
pub const STRANGER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9)), 5060);
pub const GATEWAY_MEDIA: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
/// Area code of the citizens.
pub const CITY: &str = "0531";
pub const DOMAIN: &str = "hotline.test";
pub const CODES: [&str; 4] = ["*11", "*12", "*13", "*14"];
pub const RING_TIMEOUT: Duration = Duration::from_secs(15);
/// Called numbers and how often; the last belongs to nobody.
pub const NUMBERS: [(&str, f64); 6] = [
    ("12345", 50.0),
    ("053112345", 20.0),
    ("+8653112345", 20.0),
    ("053182612345", 4.0),
    ("12346", 8.0),
    ("99999", 0.5),
];

/// One carrier per answer mode. After a reboot it may be at another port.
pub fn carrier_sip(trunk: usize) -> SocketAddr {
    SocketAddr::from(([10, 1 + trunk as u8, 0, 2], 5060))
}

pub fn seat_sip(seat: usize) -> SocketAddr {
    SocketAddr::from(([10, 9, (seat >> 8) as u8, seat as u8], 5060))
}

/// The seat whose phone has this address.
pub fn seat_at(address: SocketAddr) -> Option<usize> {
    match address.ip() {
        IpAddr::V4(ip) if ip.octets()[..2] == [10, 9] => {
            Some(usize::from(ip.octets()[2]) << 8 | usize::from(ip.octets()[3]))
        }
        _ => None,
    }
}

pub fn agent_number(agent: usize) -> String {
    format!("{}", 6000 + agent)
}

pub fn seat_number(seat: usize) -> String {
    format!("{}", 800 + seat)
}

/// The configuration the day runs on.
pub fn settings(scenario: &Scenario) -> CoreSettings {
    let trunk = |index: usize, name: &str, answer| {
        let peers = vec![Cidr { address: carrier_sip(index).ip(), prefix: 24 }];
        let profile = Profile { answer, ..Profile::new("sim") };
        TrunkSettings { max_calls: 500, ..TrunkSettings::new(name, peers, profile) }
    };
    let queue = |name: &str, numbers: &[&str], skill: &str, priority| QueueSettings {
        numbers: numbers.iter().map(|n| n.to_string()).collect(),
        min_level: 3,
        priority,
        max_waiting: 40,
        max_wait: Some(scenario.max_wait),
        ring_timeout: RING_TIMEOUT,
        wrap_up: scenario.wrap_up,
        greeting: Some("welcome".into()),
        ..QueueSettings::new(name, skill)
    };
    let agents = (0..scenario.agents).map(|i| {
        let english = (i < scenario.linguists).then_some(("english", 1 + (i % 9) as u8));
        let leader = i % LEADERS == 0;
        AgentSettings { leader, ..AgentSettings::new(agent_number(i), [("mandarin", 5)].into_iter().chain(english)) }
    });
    let seats = (0..scenario.agents).map(|i| SeatSettings {
        // Half of the seats belong to somebody; at the others the number is dialled too.
        default_agent: (i % 2 == 0).then(|| AgentNo::new(agent_number(i))),
        ..SeatSettings::new(&seat_number(i), &format!("secret-{i}"))
    });
    let mut core = CoreSettings {
        domain: DOMAIN.into(),
        tenant: "jinan".into(),
        area_code: "531".into(),
        media: MediaSettings {
            address_v4: Some(GATEWAY_MEDIA),
            address_v6: None,
            first_port: 20_000,
            pairs: 400,
            expect_rtp_within: Duration::from_secs(5),
            rtp_timeout: Duration::from_secs(20),
            browser_return: Duration::from_secs(20),
        },
        trunks: vec![
            trunk(0, "answers-at-once", AnswerMode::OnQueue),
            trunk(1, "answers-on-pickup", AnswerMode::OnPickup),
        ],
        queues: vec![
            queue("citizens", &["12345", "053182612345"], "mandarin", 1),
            queue("english", &["12346"], "english", 0),
        ],
        agents: agents.collect(),
        seats: seats.collect(),
        feature_codes: FeatureCodes {
            sign_in: CODES[0].into(),
            sign_out: CODES[1].into(),
            ready: CODES[2].into(),
            not_ready: CODES[3].into(),
            extend_wrap_up: "*15".into(),
        },
        digest: vec![Algorithm::Sha256, Algorithm::Md5],
        limits: Limits {
            max_calls: 150,
            max_transactions: 20_000,
            spool_patience: Duration::from_millis(500),
            registration_expiry: Duration::from_secs(600),
            min_registration_expiry: Duration::from_secs(30),
            bindings_per_seat: 4,
            nonce_lifetime: Duration::from_secs(300),
        },
        ..CoreSettings::bare()
    };
    scenario.ways.apply(&mut core);
    core
}

/// The city's hourly share of calls in percent, from midnight (domain facts, "Load").
const CURVE: [f64; 24] = [
    0.6, 0.4, 0.3, 0.25, 0.25, 0.4, 1.2, 2.9, 6.6, 9.4, 9.2, 6.8, 4.3, 5.2, 8.2, 8.6, 7.9, 6.4, 5.1, 4.7, 4.4, 3.6,
    2.1, 1.2,
];

impl Arrivals {
    /// Time from `since_midnight` to the next arrival.
    pub fn next(&self, rng: &mut Rng, since_midnight: Duration) -> Duration {
        match self {
            Arrivals::Rate(per_second) => rng.exponential(Duration::from_secs_f64(1.0 / per_second)),
            Arrivals::DayCurve(per_day) => {
                // Thinning: draw at the busiest hour's rate, keep in proportion to the hour's.
                let busiest = CURVE.iter().copied().fold(0.0, f64::max);
                let total: f64 = CURVE.iter().sum();
                let peak_gap = Duration::from_secs_f64(3_600.0 * total / (busiest * per_day));
                let mut at = since_midnight;
                loop {
                    at += rng.exponential(peak_gap);
                    let hour = (at.as_secs() / 3_600 % 24) as usize;
                    if rng.chance(CURVE[hour] / busiest) {
                        return at - since_midnight;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_curve_brings_the_days_calls_at_its_hours() {
        let mut rng = Rng::new(11);
        let mut hours = [0u32; 24];
        let mut at = Duration::ZERO;
        let day = Duration::from_secs(86_400);
        loop {
            at += Arrivals::DayCurve(20_000.0).next(&mut rng, at);
            if at >= day {
                break;
            }
            hours[(at.as_secs() / 3_600) as usize] += 1;
        }
        let total: u32 = hours.iter().sum();
        assert!((19_500..20_500).contains(&total), "{total} calls of 20,000");
        assert!((1_750..2_010).contains(&hours[9]), "9 to 10 o'clock: {} of about 1,880", hours[9]);
        assert!(hours[3] < 90, "3 to 4 o'clock: {} of about 50", hours[3]);
    }
}
