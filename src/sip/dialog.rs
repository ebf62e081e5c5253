//! Dialogs (RFC 3261 s12): identity, sequence numbers, route set, remote target, and building requests inside one.
//! Not here: what a request means for the call (`session`), retransmission (`transaction`).

use super::flow::{Flow, Transport};
use super::message::uri::{Scheme, Uri};
use super::message::{Builder, Message, Method, Name, NameAddr};
use crate::leg::Replaces;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dialog {
    pub call_id: Vec<u8>,
    pub local_tag: String,
    /// Unknown until a UAC hears a tagged response.
    pub remote_tag: Option<Vec<u8>>,
    /// Our name-addr as it goes into From, without tag.
    local: Vec<u8>,
    /// Theirs, as it goes into To, without tag.
    remote: Vec<u8>,
    /// Their Contact: the Request-URI of what we send.
    pub remote_target: Vec<u8>,
    /// In sending order.
    route_set: Vec<Vec<u8>>,
    /// Route of our INVITE, until the far end has said its own (RFC 3327 s5.4, RFC 3608 s6.1).
    leading: Vec<Vec<u8>>,
    local_seq: u32,
    remote_seq: Option<u32>,
    opened_by: Side,
    /// Our Contact must be a SIPS URI (s8.1.1.8, s12.1.1).
    sips: bool,
}

/// Who sent the INVITE, and so chose the Call-ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Side {
    Us,
    Them,
}

/// Most Record-Route entries kept: more than any real path has.
const MAX_ROUTES: usize = 16;

impl Dialog {
    /// UAS side, from the request that creates it (s12.1.1).
    pub fn uas(request: &Message<'_>, local_tag: String) -> Dialog {
        let from = request.from();
        Dialog {
            call_id: request.call_id().to_vec(),
            local_tag,
            remote_tag: request.from_tag().map(<[u8]>::to_vec),
            local: without_tag(request.to().raw),
            remote: without_tag(from.raw),
            remote_target: contact_uri(request).unwrap_or_else(|| from.uri.to_vec()),
            route_set: request.values(Name::RecordRoute).take(MAX_ROUTES).map(<[u8]>::to_vec).collect(),
            leading: Vec::new(),
            local_seq: 0,
            remote_seq: Some(request.cseq().seq),
            opened_by: Side::Them,
            sips: wants_sips(request),
        }
    }

    /// UAC side, before the request is sent. `local` and `remote` are name-addrs without tags.
    pub fn uac(call_id: String, local_tag: String, local: String, remote: String, target: Vec<u8>) -> Dialog {
        Dialog {
            sips: is_sips(&target),
            call_id: call_id.into_bytes(),
            local_tag,
            remote_tag: None,
            local: local.into_bytes(),
            remote: remote.into_bytes(),
            remote_target: target,
            route_set: Vec::new(),
            leading: Vec::new(),
            local_seq: 0,
            remote_seq: None,
            opened_by: Side::Us,
        }
    }

    /// A 2xx to our INVITE fixes the dialog (s12.1.2); a provisional response with a tag makes an early one.
    pub fn established_by(&mut self, response: &Message<'_>) {
        self.remote_tag = response.to_tag().map(<[u8]>::to_vec);
        self.route_set = response.values(Name::RecordRoute).take(MAX_ROUTES).map(<[u8]>::to_vec).collect();
        self.route_set.reverse();
        self.refresh_target(response);
    }

    /// Our INVITE is sent anew: what a provisional response to the last one told of the far end no longer holds.
    pub fn forget_far_end(&mut self) {
        self.remote_tag = None;
        self.route_set.clear();
    }

    /// By which route our INVITE goes.
    pub fn lead_by(&mut self, route: Vec<Vec<u8>>) {
        self.sips |= route.first().is_some_and(|first| is_sips(route_uri(first)));
        self.leading = route;
    }

    /// Our Contact on this flow, under a user name of ours if there is one.
    pub fn contact(&self, user: Option<&str>, flow: &Flow) -> String {
        match (self.sips, user) {
            (true, Some(user)) => format!("<sips:{user}@{}>", flow.local),
            (true, None) => format!("<sips:{}>", flow.local),
            (false, Some(user)) => contact_of(user, flow),
            (false, None) => contact(flow),
        }
    }

    /// The number of the next request of ours.
    pub fn next_seq(&mut self) -> u32 {
        self.local_seq += 1;
        self.local_seq
    }

    pub fn opened_by(&self) -> Side {
        self.opened_by
    }

    /// Target refresh by re-INVITE, UPDATE or a 2xx to ours (s12.2).
    pub fn refresh_target(&mut self, msg: &Message<'_>) {
        if let Some(uri) = contact_uri(msg) {
            self.remote_target = uri;
        }
    }

    /// Call-ID and the far end's tag (empty if it has none).
    pub fn far_end(&self) -> (&[u8], &[u8]) {
        (&self.call_id, self.remote_tag.as_deref().unwrap_or_default())
    }

    /// Is it the one that Replaces names? Phones do not agree on whose tag is which; both are secrets of the dialog's.
    pub fn is(&self, named: &Replaces) -> bool {
        let ends = (self.local_tag.as_bytes(), self.remote_tag.as_deref().unwrap_or_default());
        let (to, from) = (named.to_tag.as_bytes(), named.from_tag.as_bytes());
        self.call_id == named.call_id.as_bytes() && (ends == (to, from) || ends == (from, to))
    }

    /// Does a request inside a dialog belong to this one (s12.2.2)?
    pub fn owns(&self, request: &Message<'_>) -> bool {
        request.call_id() == self.call_id
            && request.to_tag() == Some(self.local_tag.as_bytes())
            && request.from_tag() == self.remote_tag.as_deref()
    }

    /// s12.2.2: a sequence number lower than (or equal to) the last is out of order.
    pub fn in_order(&mut self, request: &Message<'_>) -> bool {
        let seq = request.cseq().seq;
        match self.remote_seq {
            Some(last) if seq <= last => false,
            _ => {
                self.remote_seq = Some(seq);
                true
            }
        }
    }

    /// A new request inside the dialog; its CSeq is one higher than the last.
    pub fn request(&mut self, method: Method<'_>, flow: &Flow, branch: &str) -> Builder {
        let seq = self.next_seq();
        self.build(method, seq, flow, branch)
    }

    /// ACK for a 2xx to our INVITE numbered `seq` (s13.2.2.4); later requests may have gone out since.
    pub fn ack(&self, seq: u32, flow: &Flow, branch: &str) -> Builder {
        self.build(Method::Ack, seq, flow, branch)
    }

    /// The same dialog as another branch of a forked INVITE sees it (s12.1.2, s13.2.2.4).
    pub fn fork(&self, response: &Message<'_>) -> Dialog {
        let mut other = Dialog { remote_seq: None, ..self.clone() };
        other.established_by(response);
        other
    }

    /// Where the next request goes, if the URI that says so names an address by number (RFC 3263 s4.1, s4.2): the first
    /// route, strict or loose, else the far end's Contact (s12.2.1.1, s8.1.2).
    pub fn next_hop(&self) -> Option<(Transport, SocketAddr)> {
        let uri = Uri::parse(self.route_set.first().map_or(&self.remote_target[..], |route| route_uri(route))).ok()?;
        let transport = match (uri.scheme, uri.params.get("transport").flatten()) {
            (Scheme::Sips, _) => Transport::Tls,
            (Scheme::Sip, None) => Transport::Udp,
            (Scheme::Sip, Some(named)) if named.eq_ignore_ascii_case(b"udp") => Transport::Udp,
            (Scheme::Sip, Some(named)) if named.eq_ignore_ascii_case(b"tcp") => Transport::Tcp,
            (Scheme::Sip, Some(named)) if named.eq_ignore_ascii_case(b"tls") => Transport::Tls,
            _ => return None,
        };
        let port = uri.port.unwrap_or(transport.default_port());
        Some((transport, SocketAddr::new(uri.ip()?, port)))
    }

    fn build(&self, method: Method<'_>, seq: u32, flow: &Flow, branch: &str) -> Builder {
        let begins = self.opened_by == Side::Us && self.remote_tag.is_none();
        let route_set = if begins { &self.leading } else { &self.route_set };
        // s12.2.1.1: a first router that is not loose wants to see itself in the Request-URI and the far end last.
        let strict = route_set.split_first().filter(|(first, _)| !is_loose(first));
        let (uri, routes, last) = match strict {
            None => (&self.remote_target[..], &route_set[..], None),
            Some((first, rest)) => (without_headers(route_uri(first)), rest, Some(bracketed(&self.remote_target))),
        };
        let mut b = Builder::request(method, uri)
            .header(Name::Via, via(flow, branch).as_bytes())
            .header(Name::MaxForwards, b"70");
        for route in routes.iter().chain(&last) {
            b = b.header(Name::Route, route);
        }
        b.header(Name::From, &tagged(&self.local, Some(self.local_tag.as_bytes())))
            .header(Name::To, &tagged(&self.remote, self.remote_tag.as_deref()))
            .header(Name::CallId, &self.call_id)
            .header(Name::CSeq, &cseq(seq, method))
    }
}

/// s12.1.1: by the Request-URI, the top Record-Route or, where there is none, the Contact.
fn wants_sips(request: &Message<'_>) -> bool {
    let back = request.values(Name::RecordRoute).next().map(|route| route_uri(route).to_vec());
    let back = back.or_else(|| contact_uri(request));
    request.request_uri().is_some_and(is_sips) || back.is_some_and(|uri| is_sips(&uri))
}

fn is_sips(uri: &[u8]) -> bool {
    Uri::parse(uri).is_ok_and(|uri| uri.scheme == Scheme::Sips)
}

/// Our Contact on this flow.
pub fn contact(flow: &Flow) -> String {
    format!("<sip:{}{}>", flow.local, flow.transport.uri_parameter())
}

/// The same under a user name of ours.
pub fn contact_of(user: &str, flow: &Flow) -> String {
    format!("<sip:{user}@{}{}>", flow.local, flow.transport.uri_parameter())
}

pub fn via(flow: &Flow, branch: &str) -> String {
    let transport = match flow.transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
        Transport::Tls => "TLS",
        Transport::Ws => "WS",
        Transport::Wss => "WSS",
    };
    format!("SIP/2.0/{transport} {};branch={branch};rport", flow.local)
}

fn cseq(seq: u32, method: Method<'_>) -> Vec<u8> {
    let mut v = seq.to_string().into_bytes();
    v.push(b' ');
    v.extend_from_slice(method.as_bytes());
    v
}

fn tagged(name_addr: &[u8], tag: Option<&[u8]>) -> Vec<u8> {
    let mut v = name_addr.to_vec();
    if let Some(tag) = tag {
        v.extend_from_slice(b";tag=");
        v.extend_from_slice(tag);
    }
    v
}

/// Drops `;tag=...` from a From/To value; other parameters stay, as the far end may compare them.
fn without_tag(raw: &[u8]) -> Vec<u8> {
    let params_from = raw.iter().rposition(|&b| b == b'>').map_or(0, |i| i + 1);
    let lower = raw[params_from..].to_ascii_lowercase();
    let mut at = 0;
    while let Some(found) = lower[at..].windows(4).position(|w| w == b"tag=") {
        let start = at + found;
        // The parameter's own name, not the end of another's: preceded by `;` and white space only.
        let before = lower[..start].iter().rposition(|b| !b.is_ascii_whitespace());
        if before.is_some_and(|i| lower[i] == b';') {
            let semicolon = before.unwrap_or(0);
            let end = lower[start..].iter().position(|&b| b == b';').map_or(lower.len(), |i| start + i);
            let mut v = raw[..params_from + semicolon].to_vec();
            v.extend_from_slice(&raw[params_from + end..]);
            return v;
        }
        at = start + 4;
    }
    raw.to_vec()
}

/// The URI of a Record-Route entry. One that cannot be read is used as it is: it then leads nowhere.
fn route_uri(route: &[u8]) -> &[u8] {
    NameAddr::parse(route).map_or(route, |address| address.uri)
}

fn is_loose(route: &[u8]) -> bool {
    Uri::parse(route_uri(route)).is_ok_and(|uri| uri.params.get("lr").is_some())
}

/// s19.1.1, table 1: a Request-URI has no headers and no method.
fn without_headers(uri: &[u8]) -> &[u8] {
    &uri[..memchr::memchr(b'?', uri).unwrap_or(uri.len())]
}

fn bracketed(uri: &[u8]) -> Vec<u8> {
    [b"<", uri, b">"].concat()
}

fn contact_uri(msg: &Message<'_>) -> Option<Vec<u8>> {
    let contact = msg.contacts().next()?.ok()?;
    (contact.uri != b"*").then(|| contact.uri.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_cut_and_nothing_else() {
        for (given, want) in [
            ("<sip:a@b>;tag=1", "<sip:a@b>"),
            ("\"x;tag=9\" <sip:a@b;tag=5>;x=y;TAG=1;z", "\"x;tag=9\" <sip:a@b;tag=5>;x=y;z"),
            ("sip:a@b;tag=1", "sip:a@b"),
            ("<sip:a@b>;vtag=1", "<sip:a@b>;vtag=1"),
            ("<sip:a@b> ; tag=1", "<sip:a@b> "),
            ("tel:+8613800138000", "tel:+8613800138000"),
        ] {
            assert_eq!(String::from_utf8(without_tag(given.as_bytes())).unwrap(), want, "{given}");
        }
    }
}
