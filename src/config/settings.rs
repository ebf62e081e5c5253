//! Validated configuration, as the rest of the program sees it. Belongs here: types whose values are all usable.
//! Not here: reading TOML and finding faults (`config::load`, `config::problem`).

mod dialling;
mod guard;
mod http;
mod lines;
mod pages;
mod recording;
mod report;
mod routing;
mod storage;
mod tls;
mod trace;
mod trunks;
mod webhooks;

pub use dialling::{DialPlan, DiallingSettings, Reach};
pub use guard::{GuardSettings, Unknown};
pub use http::ApiToken;
pub use lines::{
    CallbackSettings, Closed, Hours, LanguageChoice, LanguageSettings, LineSettings, MissedCalls, local_day,
};
pub use pages::PagesSettings;
pub use recording::RecordingSettings;
pub use report::{FactsFile, ReportSettings};
pub use routing::{
    AgentSettings, Announce, CallbackOffer, DistributorSettings, Overflow, QueueSettings, Relaxation, Rona, Strategy,
};
pub use storage::{CaseStoreSettings, Encryption, PostgresAt, PostgresSettings};
pub use tls::{ClientCertificates, TlsSettings};
pub use trace::{HepSettings, TraceSettings, Traced};
pub use trunks::{
    Account, AnswerMode, CallOut, CalledSource, CallerSource, DialForm, Hop, Host, NumberRules, NumberUri, OwnIdentity,
    Probe, Profile, RegisterQuirks, Reliable, Srtp, Transport, TrunkSettings,
};
pub use webhooks::{WebhookLog, WebhookSettings};

use crate::casework::Rules;
use crate::ids::{AgentNo, SeatNo};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Everything `serve` needs.
#[derive(Clone, Debug)]
pub struct Settings {
    pub core: CoreSettings,
    pub world: WorldSettings,
}

/// What the deterministic gateway needs. Saved and restored with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoreSettings {
    /// Realm of the digest challenge and host part of our own URIs.
    pub domain: String,
    pub tenant: String,
    /// Area code of the city without the leading 0, e.g. `531`: completes 8-digit numbers.
    pub area_code: String,
    /// Local time ahead of UTC, in minutes; China has no summer time.
    pub utc_offset: i16,
    pub media: MediaSettings,
    /// Conversations with agents are recorded.
    pub recording: bool,
    pub trunks: Vec<TrunkSettings>,
    /// Proxies before the phones: how calls reach a phone is believed of these only.
    pub proxies: Vec<Cidr>,
    /// Beside the lines each queue's own `numbers` make.
    pub lines: Vec<LineSettings>,
    pub languages: Vec<LanguageSettings>,
    pub queues: Vec<QueueSettings>,
    pub distributor: DistributorSettings,
    pub callbacks: CallbackSettings,
    pub dialling: DiallingSettings,
    pub shifts: Vec<ShiftSettings>,
    pub agents: Vec<AgentSettings>,
    pub seats: Vec<SeatSettings>,
    pub feature_codes: FeatureCodes,
    /// Digest algorithms offered to seats, best first; never empty.
    pub digest: Vec<Algorithm>,
    pub limits: Limits,
    pub guard: GuardSettings,
}

impl CoreSettings {
    /// Everything at its default; without trunks, queues, agents and seats.
    pub fn bare() -> CoreSettings {
        CoreSettings {
            domain: "rexian.local".into(),
            tenant: "default".into(),
            area_code: "531".into(),
            utc_offset: 480,
            media: MediaSettings {
                address_v4: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                address_v6: None,
                first_port: 20_000,
                pairs: 500,
                expect_rtp_within: Duration::from_secs(10),
                rtp_timeout: Duration::from_secs(30),
                browser_return: Duration::from_secs(20),
            },
            recording: false,
            trunks: vec![],
            proxies: vec![],
            lines: vec![],
            languages: vec![],
            queues: vec![],
            distributor: DistributorSettings::default(),
            callbacks: CallbackSettings::default(),
            dialling: DiallingSettings::default(),
            shifts: vec![],
            agents: vec![],
            seats: vec![],
            feature_codes: FeatureCodes {
                sign_in: "*11".into(),
                sign_out: "*12".into(),
                ready: "*13".into(),
                not_ready: "*14".into(),
                extend_wrap_up: "*15".into(),
            },
            // MD5 alone: baresip 1.0 and SIPp 3.6, which Debian ships, and phones of their age fail to register as soon
            // as SHA-256 is offered, in whatever order.
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
            guard: GuardSettings::default(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MediaSettings {
    /// Address written into SDP for IPv4 and IPv6 peers.
    pub address_v4: Option<IpAddr>,
    pub address_v6: Option<IpAddr>,
    /// First (even) RTP port and the number of RTP/RTCP port pairs.
    pub first_port: u16,
    pub pairs: u16,
    pub expect_rtp_within: Duration,
    pub rtp_timeout: Duration,
    /// How long a call waits for a seat's browser that is gone: a page that reloads, a network that changes.
    pub browser_return: Duration,
}

/// A network prefix: `10.1.0.0/16`, `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cidr {
    pub address: IpAddr,
    pub prefix: u8,
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Cidr {
    pub fn contains(&self, ip: IpAddr) -> bool {
        // A v4 peer seen through a dual-stack socket is still a v4 peer.
        match (self.address, ip.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => {
                let shift = 32 - u32::from(self.prefix.min(32));
                u32::from(net).checked_shr(shift).unwrap_or(0) == u32::from(ip).checked_shr(shift).unwrap_or(0)
            }
            (IpAddr::V6(net), IpAddr::V6(ip)) => {
                let shift = 128 - u32::from(self.prefix.min(128));
                u128::from(net).checked_shr(shift).unwrap_or(0) == u128::from(ip).checked_shr(shift).unwrap_or(0)
            }
            _ => false,
        }
    }
}

/// A shift: a name and when it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShiftSettings {
    pub name: String,
    pub hours: Hours,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeatSettings {
    pub number: SeatNo,
    pub secret: Secret,
    /// Who signs in when the phone dials the sign-in code without a number.
    pub default_agent: Option<AgentNo>,
    pub srtp: Srtp,
    /// What its phone may call; `None`: the other seats, and for help.
    pub dial_plan: Option<String>,
}

impl SeatSettings {
    /// Everything else at its default.
    pub fn new(number: &str, secret: &str) -> SeatSettings {
        SeatSettings {
            number: SeatNo::new(number),
            secret: Secret(secret.into()),
            default_agent: None,
            srtp: Srtp::Never,
            dial_plan: None,
        }
    }
}

/// Hash of a digest challenge (RFC 7616 s6.1, RFC 8760).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Algorithm {
    Sha256,
    Md5,
}

/// A password that no log or debug print shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(pub Arc<str>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// What a phone-only agent dials. `sign_in` may be followed by an agent number: `*11` or `*116632`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureCodes {
    pub sign_in: String,
    pub sign_out: String,
    pub ready: String,
    pub not_ready: String,
    /// Lengthens the wrap-up.
    pub extend_wrap_up: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Calls at once over all trunks.
    pub max_calls: u32,
    pub max_transactions: u32,
    /// How long a pickup waits for the spool before it goes on without (the ticket still follows).
    pub spool_patience: Duration,
    pub registration_expiry: Duration,
    pub min_registration_expiry: Duration,
    /// Contacts of one seat; a further one ousts the least recently refreshed.
    pub bindings_per_seat: u32,
    pub nonce_lifetime: Duration,
}

/// What only the I/O shell needs.
#[derive(Clone, Debug)]
pub struct WorldSettings {
    pub sip_udp: Vec<SocketAddr>,
    pub sip_tcp: Vec<SocketAddr>,
    pub sip_tls: Vec<SocketAddr>,
    /// WebSocket, of a proxy on this machine.
    pub sip_ws: Vec<SocketAddr>,
    pub sip_wss: Vec<SocketAddr>,
    /// Pages whose phones may connect by WebSocket: `https://phones.example`.
    pub web_origins: Vec<String>,
    /// There if anything is served by TLS.
    pub tls: Option<TlsSettings>,
    /// Nameservers; none: those of the machine.
    pub dns: Vec<SocketAddr>,
    pub media_bind_v4: Option<IpAddr>,
    pub media_bind_v6: Option<IpAddr>,
    pub media_threads: usize,
    /// `None`: no seat is in a browser.
    pub browsers: Option<BrowserSettings>,
    pub http: Option<SocketAddr>,
    /// Who may ask the API; none: nobody.
    pub tokens: Vec<ApiToken>,
    /// The pages at the seats; `None`: there are none.
    pub pages: Option<PagesSettings>,
    pub webhooks: Vec<WebhookSettings>,
    /// How far each webhook has been told.
    pub webhook_ledger: PathBuf,
    pub spool: PathBuf,
    pub cases: CaseStoreSettings,
    /// What a ticket's life after pickup is held to.
    pub casework: Arc<Rules>,
    /// The log of all call and agent events; `None`: none is kept.
    pub events: Option<PathBuf>,
    /// Older events are deleted.
    pub keep_events: Duration,
    /// Where that log is copied to.
    pub ship_events: Option<PostgresSettings>,
    /// The facts of reports, folded from that log and kept for good.
    pub facts: FactsFile,
    pub report: ReportSettings,
    /// Prompt name -> WAV file. Names not here come from the built-in set.
    pub prompts: BTreeMap<String, PathBuf>,
    pub log: LogSettings,
    pub trace: TraceSettings,
    /// `None`: nothing is recorded.
    pub recording: Option<RecordingSettings>,
    /// How long SIGTERM waits for calls to finish.
    pub drain: Duration,
    /// `JN` in `JN20261122000001`.
    pub ticket_prefix: String,
}

impl WorldSettings {
    /// Where SIP is served by connections.
    pub fn sip_streams(&self) -> impl Iterator<Item = (Transport, &SocketAddr)> {
        [
            (Transport::Tcp, &self.sip_tcp),
            (Transport::Tls, &self.sip_tls),
            (Transport::Ws, &self.sip_ws),
            (Transport::Wss, &self.sip_wss),
        ]
        .into_iter()
        .flat_map(|(transport, addresses)| addresses.iter().map(move |address| (transport, address)))
    }

    /// Where SIP is served, by whatever carries it.
    pub fn sip_addresses(&self) -> impl Iterator<Item = &SocketAddr> {
        self.sip_udp.iter().chain(self.sip_streams().map(|(_, address)| address))
    }
}

/// The audio of seats in browsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrowserSettings {
    /// The one UDP port of them all.
    pub port: u16,
    /// A browser that nothing came from for so long is gone.
    pub silence: Duration,
}

impl BrowserSettings {
    /// Two checks of the laziest browser may be lost.
    pub fn new(port: u16) -> BrowserSettings {
        BrowserSettings { port, silence: Duration::from_secs(12) }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    pub json: bool,
    /// A tracing filter, e.g. `info,rexian::sip=debug`.
    pub filter: String,
}
