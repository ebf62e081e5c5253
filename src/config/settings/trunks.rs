//! Settings of the carrier side: trunks, how their peers speak (profiles), and how the hotline calls by them.

use super::{Cidr, Secret};
use crate::ids::TrunkName;
use crate::plane::Codec;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrunkSettings {
    pub name: TrunkName,
    /// Requests are a trunk's only from these addresses.
    pub peers: Vec<Cidr>,
    /// Calls at once; more get 503 with Retry-After.
    pub max_calls: u32,
    /// New calls admitted in any 10 s, either way; `None`: as many as come.
    pub calls_per_10s: Option<u32>,
    /// Where requests of ours go.
    pub hops: Vec<Hop>,
    /// A call of ours that a hop does not answer at all for so long goes to the next.
    pub hop_patience: Duration,
    /// Whether its hops live is found out by OPTIONS; `None`: they are believed to.
    pub probe: Option<Probe>,
    /// We are the carrier's subscriber, once for each number it gave us; empty: it knows us by our address.
    pub accounts: Vec<Account>,
    /// Whose calls are taken.
    pub callers: NumberRules,
    pub srtp: Srtp,
    pub profile: Profile,
    /// How calls of ours go out, to the hops; `None`: none do.
    pub call_out: Option<CallOut>,
}

impl TrunkSettings {
    /// Everything else at its default.
    pub fn new(name: &str, peers: Vec<Cidr>, profile: Profile) -> TrunkSettings {
        TrunkSettings {
            name: TrunkName::new(name),
            peers,
            max_calls: 200,
            calls_per_10s: None,
            hops: vec![],
            hop_patience: Duration::from_secs(4),
            probe: None,
            accounts: vec![],
            callers: NumberRules::default(),
            srtp: Srtp::Never,
            profile,
            call_out: None,
        }
    }
}

/// What carries SIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
    /// RFC 7118: phones in browsers, by a proxy that ends their TLS. No trunk is reached by it, nor by the next.
    Ws,
    Wss,
}

impl Transport {
    /// Messages arrive in order, and fail with their connection.
    pub fn is_stream(self) -> bool {
        self != Transport::Udp
    }

    /// The bytes of one message follow the other's, and Content-Length alone tells them apart.
    pub fn is_cut(self) -> bool {
        matches!(self, Transport::Tcp | Transport::Tls)
    }

    pub fn is_encrypted(self) -> bool {
        matches!(self, Transport::Tls | Transport::Wss)
    }

    /// RFC 3261 s19.1.2, RFC 7118 s5.2.
    pub fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 5060,
            Transport::Tls => 5061,
            Transport::Ws => 80,
            Transport::Wss => 443,
        }
    }

    /// As configurations name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
            Transport::Ws => "ws",
            Transport::Wss => "wss",
        }
    }

    /// Of a SIP URI. RFC 7118 s5.2.3: one for both kinds of WebSocket.
    pub fn uri_parameter(self) -> &'static str {
        match self {
            Transport::Udp => "",
            Transport::Tcp => ";transport=tcp",
            Transport::Tls => ";transport=tls",
            Transport::Ws | Transport::Wss => ";transport=ws",
        }
    }
}

/// One address of a carrier: a proxy, an SBC, a gateway.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hop {
    pub transport: Transport,
    pub host: Host,
    /// `None`: what DNS says, or the transport's own (5060, TLS 5061).
    pub port: Option<u16>,
    /// Lower is tried first; equals share the load by `weight`.
    pub priority: u16,
    pub weight: u16,
}

impl Hop {
    /// Sharing the load evenly with all others like it.
    pub fn new(transport: Transport, host: Host, port: Option<u16>) -> Hop {
        Hop { transport, host, port, priority: 0, weight: 1 }
    }

    /// Where it is without DNS.
    pub fn fallbacks(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        let addresses = match &self.host {
            Host::Address(ip) => std::slice::from_ref(ip),
            Host::Name { fallback, .. } => fallback,
        };
        let port = self.port.unwrap_or(self.transport.default_port());
        addresses.iter().map(move |ip| SocketAddr::new(*ip, port))
    }
}

impl From<SocketAddr> for Hop {
    fn from(address: SocketAddr) -> Hop {
        Hop::new(Transport::Udp, Host::Address(address.ip()), Some(address.port()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Host {
    Address(IpAddr),
    /// Asked of DNS; `fallback` until it answers, for networks without one.
    Name {
        name: String,
        fallback: Vec<IpAddr>,
    },
}

impl Host {
    pub fn name(&self) -> Option<&str> {
        match self {
            Host::Address(_) => None,
            Host::Name { name, .. } => Some(name),
        }
    }
}

/// Asking a hop by OPTIONS whether it lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    pub every: Duration,
    /// How many in a row stay without an answer before the hop counts as down.
    pub misses: u32,
}

impl Default for Probe {
    fn default() -> Probe {
        Probe { every: Duration::from_secs(30), misses: 3 }
    }
}

/// A registered line at the carrier (RFC 3261 s10; IMS: 3GPP TS 24.229).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Address of record: `user` at `domain`.
    pub user: String,
    pub domain: String,
    /// User name of the digest, `+8653112345@sd.ctcims.cn`; most often that of the address.
    pub auth_user: String,
    pub password: Secret,
    /// Asked for; the carrier may grant another.
    pub expires: Duration,
    /// `urn:uuid:...`, where the carrier tells devices apart by it (RFC 5626 s4.1).
    pub instance: Option<String>,
}

impl Account {
    /// Everything else at its default.
    pub fn new(user: &str, domain: &str, password: &str) -> Account {
        Account {
            user: user.into(),
            domain: domain.into(),
            auth_user: user.into(),
            password: Secret(password.into()),
            expires: Duration::from_secs(3_600),
            instance: None,
        }
    }

    pub fn address_of_record(&self) -> String {
        format!("sip:{}@{}", self.user, self.domain)
    }
}

/// What a carrier wants of a REGISTER beyond RFC 3261.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterQuirks {
    /// A Route names the proxy it is sent to (3GPP TS 24.229 s5.1.1.2).
    pub proxy_route: bool,
    /// The first says who asks, with an empty nonce and response (ibid.).
    pub introduced: bool,
}

/// Numbers by prefix, after normalisation (`+86531`, `95588`, `anonymous`). The longest prefix that fits decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberRules {
    /// `None`: whom no prefix fits is let in.
    pub allow: Option<Vec<String>>,
    pub deny: Vec<String>,
}

/// Is the audio encrypted (RFC 3711, keys by SDES, RFC 4568)?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Srtp {
    #[default]
    Never,
    /// Taken where the far end offers it; not offered.
    IfOffered,
    /// Offered, and nothing else is taken.
    Required,
}

/// How the hotline calls by a trunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallOut {
    /// Our own number as the carrier wants it shown: `053112345`.
    pub from: String,
    pub dial: DialForm,
}

/// How the carrier wants a called number written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DialForm {
    /// As one dials within the city: `88881234`, `13812345678`, `01012345678`, `0081312345678`.
    #[default]
    Local,
    /// Always with the area code: `053188881234`.
    National,
    /// `+8653188881234`.
    E164,
}

/// One file of `sip-profiles/`: how a kind of peer speaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub name: String,
    pub answer: AnswerMode,
    pub codecs: Vec<Codec>,
    /// Payload type we offer for telephone-event (an answer always uses the offer's number).
    pub dtmf_payload_type: u8,
    /// Which header carries the caller: tried in this order.
    pub caller_from: Vec<CallerSource>,
    /// Where the called number may be: the first of these that holds a number of ours decides.
    pub called_from: Vec<CalledSource>,
    pub reliable: Reliable,
    pub register: RegisterQuirks,
    /// How numbers are written in calls of ours, unless the trunk says otherwise.
    pub dial: DialForm,
    pub number_uri: NumberUri,
    pub own_identity: OwnIdentity,
}

impl Profile {
    /// What keeps to the RFCs, and answers at once.
    pub fn new(name: &str) -> Profile {
        Profile {
            name: name.into(),
            answer: AnswerMode::OnQueue,
            codecs: vec![Codec::Pcma],
            dtmf_payload_type: 101,
            caller_from: vec![CallerSource::PAssertedIdentity, CallerSource::From],
            called_from: vec![CalledSource::RequestUri],
            reliable: Reliable::default(),
            register: RegisterQuirks::default(),
            dial: DialForm::default(),
            number_uri: NumberUri::default(),
            own_identity: OwnIdentity::default(),
        }
    }
}

/// Are our provisional responses acknowledged (100rel and PRACK, RFC 3262)? Theirs are if they want it, but for `Never`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reliable {
    /// A call that requires it is refused with 420.
    Never,
    #[default]
    IfRequired,
    /// Also where the peer only says that it can.
    IfSupported,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AnswerMode {
    /// 200 at once; greeting and music are heard on the answered call.
    OnQueue,
    /// 183 with early media while waiting; 200 when an agent picks up (the citizen pays nothing for waiting).
    OnPickup,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallerSource {
    PAssertedIdentity,
    RemotePartyId,
    From,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CalledSource {
    RequestUri,
    To,
    /// RFC 7315 s4.2: the public identity called; the R-URI then is our contact.
    PCalledPartyId,
    /// RFC 5806: the numbers that forwarded the call here.
    Diversion,
    /// RFC 7044: the same, as a list of all targets.
    HistoryInfo,
}

/// How a number is written as an address in calls of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NumberUri {
    /// `sip:13812345678@host;user=phone` (RFC 3261 s19.1.1).
    #[default]
    SipPhone,
    /// `sip:13812345678@host`: PBXs that take `user=phone` for part of another number plan.
    Sip,
    /// `tel:` (RFC 3966).
    Tel,
}

/// Which header of our INVITE says who we are, beside From (RFC 3325).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OwnIdentity {
    /// The peer trusts us: a peer of the same network, a PBX.
    #[default]
    Asserted,
    /// It asserts by itself, and lets a subscriber with several numbers choose (s9.2).
    Preferred,
    FromAlone,
}
