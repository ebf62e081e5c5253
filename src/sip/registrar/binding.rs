//! One contact of one seat, and the reading of contacts from a REGISTER (RFC 3261 s10.2.1, s10.3 steps 6-7).
//! Not here: which bindings a seat has (`super`).

use super::RegistrarLimits;
use crate::sip::flow::{Flow, Transport};
use crate::sip::message::uri::{Scheme, Uri};
use crate::sip::message::{Message, Name, NameAddr};
use crate::time::Instant;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// Proxies one REGISTER may have passed.
const MAX_PATH: usize = 8;

/// Contacts one REGISTER may carry; more is not a phone.
const MAX_CONTACTS: usize = 16;

/// Bytes kept of one contact's URI, instance and Call-ID each: what a phone stores here stays small.
const MAX_FIELD: usize = 512;

/// A phone's contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Contact URI as sent: the request-URI to use.
    pub uri: Vec<u8>,
    /// The path to send on, whatever the URI says.
    pub flow: Flow,
    /// Preference in thousandths; 1000 if the phone names none.
    pub q: u16,
    pub expires: Instant,
    pub call_id: Vec<u8>,
    pub cseq: u32,
    /// Proxies between us and the phone, nearest first (RFC 3327).
    pub path: Vec<Vec<u8>>,
    pub audio: Audio,
    instance: Option<Vec<u8>>,
}

/// What a contact says of the audio behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audio {
    /// Nothing: a telephone.
    Unsaid,
    /// It comes by WebSocket: a browser, most likely.
    Web,
    /// It speaks ICE (RFC 5768), as browsers must.
    Ice,
}

impl Binding {
    /// RFC 3261 s10.3 step 7: within one Call-ID only a higher CSeq is newer.
    pub(super) fn is_older_than(&self, msg: &Message<'_>) -> bool {
        self.call_id != msg.call_id() || self.cseq < msg.cseq().seq
    }

    /// As listed in a 200: remaining time in whole seconds, rounded up, so a living binding never shows 0.
    pub(super) fn contact_value(&self, now: Instant) -> Vec<u8> {
        let left = self.expires.since(now).as_micros().div_ceil(1_000_000);
        let mut value = [b"<", self.uri.as_slice(), b">"].concat();
        if self.q != 1000 {
            value.extend_from_slice(format!(";q=0.{:03}", self.q).as_bytes());
        }
        value.extend_from_slice(format!(";expires={left}").as_bytes());
        value
    }
}

/// What a REGISTER asks for.
pub(super) enum Requested {
    Query,
    RemoveAll,
    Update(Vec<Update>),
}

/// One contact to add, refresh or (zero `expiry`) remove.
pub(super) struct Update {
    uri: Vec<u8>,
    q: u16,
    instance: Option<Vec<u8>>,
    /// Where to send if not back to the packet's source, see the rule in `super`.
    remote: Option<SocketAddr>,
    audio: Audio,
    pub expiry: Duration,
}

impl Update {
    pub fn removal(uri: Vec<u8>) -> Update {
        Update { uri, q: 0, instance: None, remote: None, audio: Audio::Unsaid, expiry: Duration::ZERO }
    }

    pub fn replaces(&self, old: &Binding) -> bool {
        let same_uri = match (Uri::parse(&self.uri), Uri::parse(&old.uri)) {
            (Ok(a), Ok(b)) => a.equivalent(&b),
            _ => self.uri == old.uri,
        };
        same_uri || (self.instance.is_some() && self.instance == old.instance)
    }

    pub fn bind(self, now: Instant, flow: Flow, call_id: &[u8], cseq: u32, path: Vec<Vec<u8>>) -> Binding {
        Binding {
            uri: self.uri,
            flow: Flow { remote: self.remote.unwrap_or(flow.remote), ..flow },
            q: self.q,
            expires: now + self.expiry,
            call_id: call_id.to_vec(),
            cseq,
            path,
            audio: self.audio,
            instance: self.instance,
        }
    }
}

/// `Err`: the status to refuse the whole request with.
pub(super) fn requested(msg: &Message<'_>, flow: Flow, limits: &RegistrarLimits) -> Result<Requested, u16> {
    let contacts: Vec<NameAddr<'_>> =
        msg.contacts().take(MAX_CONTACTS + 1).collect::<Result<_, _>>().map_err(|_| 400u16)?;
    if contacts.is_empty() {
        return Ok(Requested::Query);
    }
    if contacts.iter().any(|c| c.uri == b"*") {
        // s10.2.2: `*` stands alone and only to remove.
        let lone = contacts.len() == 1 && msg.expires() == Some(0);
        return if lone { Ok(Requested::RemoveAll) } else { Err(400) };
    }
    if contacts.len() > MAX_CONTACTS {
        return Err(400);
    }
    contacts.iter().map(|c| update(c, msg, flow, limits)).collect::<Result<_, _>>().map(Requested::Update)
}

/// The proxies a REGISTER came through, as they say. `Err`: the status to refuse it with.
pub(super) fn path(msg: &Message<'_>) -> Result<Vec<Vec<u8>>, u16> {
    let path: Vec<&[u8]> = msg.values(Name::Path).take(MAX_PATH + 1).collect();
    let fits = |value: &&[u8]| value.len() <= MAX_FIELD && NameAddr::parse(value).is_ok();
    if path.len() > MAX_PATH || !path.iter().all(fits) {
        return Err(400);
    }
    Ok(path.into_iter().map(<[u8]>::to_vec).collect())
}

fn update(contact: &NameAddr<'_>, msg: &Message<'_>, flow: Flow, limits: &RegistrarLimits) -> Result<Update, u16> {
    let uri = Uri::parse(contact.uri).map_err(|_| 400u16)?;
    let instance = contact.params.get("+sip.instance").flatten();
    let longest = [contact.uri, instance.unwrap_or_default(), msg.call_id()].map(<[u8]>::len).into_iter().max();
    if !matches!(uri.scheme, Scheme::Sip | Scheme::Sips) || longest > Some(MAX_FIELD) {
        return Err(400);
    }
    Ok(Update {
        uri: contact.uri.to_vec(),
        q: contact.params.get("q").flatten().map_or(1000, thousandths),
        instance: instance.map(<[u8]>::to_vec),
        remote: own_port(&uri, msg, flow),
        audio: audio(contact, &uri, flow),
        expiry: expiry(contact, msg, limits)?,
    })
}

/// A proxy before us may have taken the WebSocket: then the URI still names it.
fn audio(contact: &NameAddr<'_>, uri: &Uri<'_>, flow: Flow) -> Audio {
    let named = uri.params.get("transport").flatten();
    let web = |name: &[u8]| name.eq_ignore_ascii_case(b"ws") || name.eq_ignore_ascii_case(b"wss");
    match contact.params.get("+sip.ice") {
        Some(_) => Audio::Ice,
        None if matches!(flow.transport, Transport::Ws | Transport::Wss) || named.is_some_and(web) => Audio::Web,
        None => Audio::Unsaid,
    }
}

/// The contact's `expires`, else the request's, else ours; 423 when too brief (s10.3 step 7).
fn expiry(contact: &NameAddr<'_>, msg: &Message<'_>, limits: &RegistrarLimits) -> Result<Duration, u16> {
    // An unreadable value counts as 3600 (s20.19 and s10.2.1.1), which the clamp below then bounds.
    let number = |v: &[u8]| std::str::from_utf8(v).ok().and_then(|v| v.trim().parse().ok()).unwrap_or(3600);
    let asked = match contact.params.get("expires").flatten() {
        Some(own) => Some(number(own)),
        None => msg.header(Name::Expires).map(number),
    };
    let max = limits.max_expiry.as_secs();
    let granted = asked.unwrap_or(max).min(max);
    if granted > 0 && granted < limits.min_expiry.as_secs() {
        return Err(423);
    }
    Ok(Duration::from_secs(granted))
}

/// The Contact's own address, for a UDP phone in plain sight that did not ask for symmetric responses.
fn own_port(uri: &Uri<'_>, msg: &Message<'_>, flow: Flow) -> Option<SocketAddr> {
    let plain = flow.transport == Transport::Udp && !msg.via().wants_rport();
    uri.ip().filter(|ip| plain && ip.to_canonical() == flow.remote.ip().to_canonical())?;
    Some(SocketAddr::new(flow.remote.ip(), uri.port.unwrap_or(5060)))
}

/// `0.7` -> 700. What is not a qvalue (RFC 3261 s25.1) counts as no preference.
fn thousandths(q: &[u8]) -> u16 {
    let text = std::str::from_utf8(q).unwrap_or("");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = fraction.len() <= 3 && fraction.bytes().all(|b| b.is_ascii_digit());
    match whole {
        "0" | "" if digits => format!("{fraction:0<3}").parse().unwrap_or(1000),
        _ => 1000,
    }
}
