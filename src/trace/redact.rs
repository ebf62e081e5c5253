//! Hides in a traced message what nobody may read: credentials, media keys, where a caller's mobile phone stands, keys
//! pressed (they may be a PIN) and, where privacy was asked (RFC 3323, RFC 3325), who calls. Not here: which messages
//! are traced.
//!
//! Each hidden byte becomes a `*`, so every length in the message stays true. What cannot be parsed is hidden all the same:
//! this reads lines, not messages.

use std::collections::{BTreeMap, VecDeque};

/// Calls whose callers' identities are remembered, so that they are hidden in later messages too. The oldest go first.
const MOST_PRIVATE: usize = 4_096;
/// Identities remembered of one call.
const MOST_IDENTITIES: usize = 8;
/// Shorter ones (`100`) would hide what has nothing to do with a caller.
const SHORTEST: usize = 5;

const CREDENTIALS: &[&[u8]] = &[
    b"authorization",
    b"proxy-authorization",
    b"www-authenticate",
    b"proxy-authenticate",
    b"authentication-info",
    b"proxy-authentication-info",
];
/// Of those, the parameters anybody may read.
const HARMLESS: &[&[u8]] = &[b"username", b"realm", b"uri", b"algorithm", b"qop", b"nc", b"stale", b"domain"];
/// Headers that say where the caller is (3GPP TS 24.229, RFC 6442).
const PLACES: &[&[u8]] = &[b"p-access-network-info", b"geolocation", b"cellular-network-info"];
const IDENTITIES: &[&[u8]] = &[
    b"from",
    b"f",
    b"contact",
    b"m",
    b"p-asserted-identity",
    b"p-preferred-identity",
    b"remote-party-id",
    b"diversion",
    b"history-info",
    b"referred-by",
    b"b",
];

#[derive(Debug, Default)]
pub struct Secrecy {
    /// SIP Call-ID -> what its messages must not show.
    private: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
    order: VecDeque<Vec<u8>>,
}

impl Secrecy {
    pub fn hide(&mut self, message: &mut [u8]) {
        let headers = headers(message);
        let body = headers.last().map_or(0, |h| h.end);
        for header in &headers {
            let value = &mut message[header.value..header.end];
            if is(&header.name, CREDENTIALS) {
                hide_credentials(value);
            } else if is(&header.name, PLACES) {
                blank(value);
            }
        }
        hide_in_body(&mut message[body..]);
        self.hide_identities(message, &headers);
    }

    fn hide_identities(&mut self, message: &mut [u8], headers: &[Header]) {
        let find = |names: &[&[u8]]| headers.iter().find(|h| is(&h.name, names));
        let Some(call_id) = find(&[b"call-id", b"i"]).map(|h| message[h.value..h.end].trim_ascii().to_vec()) else {
            return;
        };
        if headers.iter().any(|h| asks_for_privacy(&h.name, &message[h.value..h.end])) {
            let named = headers.iter().filter(|h| is(&h.name, IDENTITIES));
            let found: Vec<Vec<u8>> =
                named.flat_map(|h| users(&message[h.value..h.end])).filter(|u| u.len() >= SHORTEST).collect();
            self.remember(&call_id, found);
        }
        for identity in self.private.get(&call_id).into_iter().flatten() {
            let finder = memchr::memmem::Finder::new(identity);
            let places: Vec<usize> = finder.find_iter(message).collect();
            places.into_iter().for_each(|at| blank(&mut message[at..at + identity.len()]));
        }
    }

    fn remember(&mut self, call_id: &[u8], found: Vec<Vec<u8>>) {
        if !self.private.contains_key(call_id) {
            if self.order.len() >= MOST_PRIVATE
                && let Some(oldest) = self.order.pop_front()
            {
                self.private.remove(&oldest);
            }
            self.order.push_back(call_id.to_vec());
        }
        let known = self.private.entry(call_id.to_vec()).or_default();
        for identity in found {
            if known.len() < MOST_IDENTITIES && !known.contains(&identity) {
                known.push(identity);
            }
        }
        // The longest first: `+8613812345678` goes before `13812345678` within it.
        known.sort_by_key(|identity| std::cmp::Reverse(identity.len()));
    }
}

/// One header with its folded lines: offsets into the message.
struct Header {
    name: Vec<u8>,
    value: usize,
    end: usize,
}

/// Up to the empty line. The start line counts as a nameless header, so that the last one ends where the body begins.
fn headers(message: &[u8]) -> Vec<Header> {
    let mut found: Vec<Header> = vec![];
    let mut start = 0;
    while start < message.len() && found.len() < 256 {
        let end = memchr::memchr(b'\n', &message[start..]).map_or(message.len(), |at| start + at + 1);
        let line = &message[start..end];
        if line.trim_ascii().is_empty() {
            break;
        }
        let folded = matches!(line[0], b' ' | b'\t');
        match (found.last_mut(), line.iter().position(|&b| b == b':')) {
            (Some(last), _) if folded => last.end = end,
            (Some(_), Some(colon)) => {
                let name = line[..colon].trim_ascii().to_ascii_lowercase();
                found.push(Header { name, value: start + colon + 1, end });
            }
            _ => found.push(Header { name: vec![], value: end, end }),
        }
        start = end;
    }
    found
}

fn is(name: &[u8], names: &[&[u8]]) -> bool {
    names.contains(&name)
}

/// `Privacy: id` and its kin, `privacy=full` of a Remote-Party-ID, or an anonymous From.
fn asks_for_privacy(name: &[u8], value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let says = |word: &[u8]| memchr::memmem::find(&lower, word).is_some();
    match name {
        b"privacy" => lower.split(|b| b";, \t\r\n".contains(b)).any(|v| [&b"id"[..], b"user", b"header"].contains(&v)),
        b"remote-party-id" => says(b"privacy=full") || says(b"privacy=uri") || says(b"privacy=name"),
        b"from" | b"f" => says(b"anonymous"),
        _ => false,
    }
}

/// User parts of `sip:`, `sips:` and `tel:` URIs, and display names.
fn users(value: &[u8]) -> Vec<Vec<u8>> {
    let lower = value.to_ascii_lowercase();
    let mut found = vec![];
    for scheme in [&b"sip:"[..], b"sips:", b"tel:"] {
        for at in memchr::memmem::find_iter(&lower, scheme) {
            let rest = &value[at + scheme.len()..];
            let end = rest.iter().position(|b| b"@;>:, \r\n".contains(b)).unwrap_or(rest.len());
            // Without an @ a sip URI names a host alone.
            if scheme == b"tel:" || rest.get(end).is_some_and(|b| matches!(b, b'@' | b':')) {
                found.push(rest[..end].to_vec());
            }
        }
    }
    let quoted = value.split(|&b| b == b'"').nth(1);
    found.extend(quoted.map(<[u8]>::to_vec).filter(|name| !name.eq_ignore_ascii_case(b"anonymous")));
    found.retain(|user| !user.eq_ignore_ascii_case(b"anonymous") && !user.eq_ignore_ascii_case(b"unavailable"));
    found
}

/// Every parameter's value but those known to be harmless.
fn hide_credentials(value: &mut [u8]) {
    let mut at = 0;
    while at < value.len() {
        let Some(equals) = memchr::memchr(b'=', &value[at..]).map(|i| at + i) else {
            // No parameters at all: `Basic dXNlcjpwYXNz`.
            if at == 0 {
                blank(value);
            }
            return;
        };
        let name_start = value[at..equals].iter().rposition(|b| b" \t,\r\n".contains(b)).map_or(at, |i| at + i + 1);
        let name = value[name_start..equals].trim_ascii().to_ascii_lowercase();
        let start = equals + 1;
        let (from, until) = if value.get(start) == Some(&b'"') {
            let close = close_quote(value, start + 1);
            (start + 1, close)
        } else {
            let end = value[start..].iter().position(|b| b", \t\r\n".contains(b)).map_or(value.len(), |i| start + i);
            (start, end)
        };
        if !is(&name, HARMLESS) {
            blank(&mut value[from..until]);
        }
        at = (until + 1).max(equals + 1);
    }
}

/// The place of the quote that closes, or the end.
fn close_quote(value: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < value.len() {
        match value[at] {
            b'\\' => at += 2,
            b'"' => return at,
            _ => at += 1,
        }
    }
    value.len()
}

/// Keys of SRTP (`a=crypto`, `k=`), passwords of ICE, and of the telephone (`application/dtmf-relay`).
fn hide_in_body(body: &mut [u8]) {
    for line in body.split_mut(|&b| b == b'\n') {
        let lower = line.to_ascii_lowercase();
        let secret = if lower.starts_with(b"a=crypto:") {
            memchr::memmem::find(&lower, b"inline:").map(|at| at + b"inline:".len())
        } else if lower.starts_with(b"a=ice-pwd:") {
            Some(b"a=ice-pwd:".len())
        } else if lower.starts_with(b"k=") {
            Some(2)
        } else if lower.starts_with(b"signal=") {
            Some(7)
        } else {
            None
        };
        if let Some(from) = secret {
            blank(&mut line[from..]);
        }
    }
}

/// White space stays: it holds the message together.
fn blank(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|b| !b" \t\r\n".contains(*b)).for_each(|b| *b = b'*');
}

#[cfg(test)]
mod tests;
