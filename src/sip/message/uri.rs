//! SIP, SIPS and tel URIs (RFC 3261 s19.1, RFC 3966). Not here: number normalisation (`trunk::number`), resolution.

use super::Params;
use super::scan::{URI, host_ip, host_port, run};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme<'a> {
    Sip,
    Sips,
    Tel,
    Other(&'a [u8]),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    pub scheme: Scheme<'a>,
    /// User part as sent (escapes kept), without password; for tel: the number.
    pub user: Option<&'a [u8]>,
    /// After the user's first `:`, as sent.
    pub password: Option<&'a [u8]>,
    /// Host (IPv6 brackets stripped); empty for tel and for schemes we do not know.
    pub host: &'a [u8],
    pub port: Option<u16>,
    pub params: Params<'a>,
    /// After `?`, unparsed.
    pub headers: &'a [u8],
}

impl<'a> Uri<'a> {
    /// Errors name the fault; a scheme we do not know is no error (the caller answers 416).
    pub fn parse(uri: &'a [u8]) -> Result<Uri<'a>, &'static str> {
        let colon = uri.iter().position(|&b| b == b':').ok_or("URI without a scheme")?;
        let (scheme, rest) = (&uri[..colon], &uri[colon + 1..]);
        if run(uri, URI) != uri.len() {
            return Err("URI with a character that must be escaped");
        }
        if scheme.eq_ignore_ascii_case(b"sip") {
            sip(Scheme::Sip, rest)
        } else if scheme.eq_ignore_ascii_case(b"sips") {
            sip(Scheme::Sips, rest)
        } else if scheme.eq_ignore_ascii_case(b"tel") {
            tel(rest)
        } else if scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        {
            Ok(Uri { scheme: Scheme::Other(scheme), ..EMPTY })
        } else {
            Err("URI scheme malformed")
        }
    }

    /// `host` as an IP address, if it is one.
    pub fn ip(&self) -> Option<std::net::IpAddr> {
        host_ip(self.host)
    }

    /// Equality by RFC 3261 s19.1.4 (tel: RFC 3966 s4). URIs of other schemes are never equivalent.
    pub fn equivalent(&self, other: &Uri<'_>) -> bool {
        match (self.scheme, other.scheme) {
            (Scheme::Sip, Scheme::Sip) | (Scheme::Sips, Scheme::Sips) => {
                same_escaped(self.user, other.user)
                    && same_escaped(self.password, other.password)
                    && self.host.eq_ignore_ascii_case(other.host)
                    && self.port == other.port
                    && params_agree(self.params, other.params)
                    && params_agree(other.params, self.params)
                    && same_headers(self.headers, other.headers)
            }
            (Scheme::Tel, Scheme::Tel) => {
                let digits = |s: Option<&[u8]>| -> Vec<u8> {
                    let s = s.unwrap_or_default();
                    s.iter().filter(|b| !is_visual_separator(**b)).map(u8::to_ascii_lowercase).collect()
                };
                digits(self.user) == digits(other.user)
                    && all_in(self.params, other.params)
                    && all_in(other.params, self.params)
            }
            _ => false,
        }
    }
}

/// `%41` -> `A`. Invalid escapes are kept as they are.
pub fn unescape(user: &[u8]) -> Vec<u8> {
    Decoded(user).map(|(b, _)| b).collect()
}

/// The most parameters, and the most headers, of a URI.
const MAX_PARTS: usize = 32;

const EMPTY: Uri<'static> =
    Uri { scheme: Scheme::Sip, user: None, password: None, host: b"", port: None, params: Params(b""), headers: b"" };

fn sip<'a>(scheme: Scheme<'a>, rest: &'a [u8]) -> Result<Uri<'a>, &'static str> {
    // The user part may hold `;` and `?`; an `@` must be escaped everywhere else, so the one `@` ends it.
    let (user, password, rest) = match memchr::memchr(b'@', rest) {
        None => (None, None, rest),
        Some(at) => {
            let (user, password) = match memchr::memchr(b':', &rest[..at]) {
                None => (&rest[..at], None),
                Some(colon) => (&rest[..colon], Some(&rest[colon + 1..at])),
            };
            if user.is_empty() {
                return Err("URI with an empty user");
            }
            (Some(user), password, &rest[at + 1..])
        }
    };
    let end = memchr::memchr2(b';', b'?', rest).unwrap_or(rest.len());
    let (host, port) = host_port(&rest[..end])?;
    let host = host.strip_prefix(b"[").and_then(|h| h.strip_suffix(b"]")).unwrap_or(host);
    let tail = &rest[end..];
    if memchr::memchr(b'@', tail).is_some() {
        return Err("URI with two @");
    }
    let (params, headers) = match memchr::memchr(b'?', tail) {
        None => (tail, &b""[..]),
        Some(q) => (&tail[..q], &tail[q + 1..]),
    };
    bounded(params, headers)?;
    Ok(Uri { scheme, user, password, host, port, params: Params(params), headers })
}

/// Comparing two URIs looks each part of one up in the other: the product must stay small.
fn bounded(params: &[u8], headers: &[u8]) -> Result<(), &'static str> {
    if memchr::memchr_iter(b';', params).count() > MAX_PARTS || memchr::memchr_iter(b'&', headers).count() > MAX_PARTS {
        return Err("URI with more than 32 parameters");
    }
    Ok(())
}

fn tel(rest: &[u8]) -> Result<Uri<'_>, &'static str> {
    let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
    let (number, params) = rest.split_at(end);
    let digits = number.strip_prefix(b"+").unwrap_or(number);
    let fine = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'*' | b'#') || is_visual_separator(*b);
    if !digits.iter().all(fine) || digits.iter().all(|&b| is_visual_separator(b)) {
        return Err("tel URI without a number");
    }
    bounded(params, b"")?;
    Ok(Uri { scheme: Scheme::Tel, user: Some(number), params: Params(params), ..EMPTY })
}

fn is_visual_separator(b: u8) -> bool {
    matches!(b, b'-' | b'.' | b'(' | b')')
}

/// Bytes with escapes resolved; the flag tells an escaped reserved character from a plain one (they differ, s19.1.4).
struct Decoded<'a>(&'a [u8]);

impl Iterator for Decoded<'_> {
    type Item = (u8, bool);

    fn next(&mut self) -> Option<(u8, bool)> {
        let (&b, rest) = self.0.split_first()?;
        let hex = |i: usize| rest.get(i).and_then(|&h| char::from(h).to_digit(16));
        if b == b'%'
            && let (Some(high), Some(low)) = (hex(0), hex(1))
        {
            self.0 = &rest[2..];
            let b = (high * 16 + low) as u8;
            return Some((b, b";/?:@&=+$,%".contains(&b)));
        }
        self.0 = rest;
        Some((b, false))
    }
}

fn same_escaped(a: Option<&[u8]>, b: Option<&[u8]>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Decoded(a).eq(Decoded(b)),
        _ => false,
    }
}

/// A parameter in both must be equal; these must be in both or in neither.
fn params_agree(a: Params<'_>, b: Params<'_>) -> bool {
    const MUST_MATCH: [&[u8]; 5] = [b"user", b"ttl", b"method", b"maddr", b"transport"];
    a.iter().all(|(name, value)| match find(b, name) {
        Some(theirs) => value.unwrap_or_default().eq_ignore_ascii_case(theirs.unwrap_or_default()),
        None => !MUST_MATCH.iter().any(|m| name.eq_ignore_ascii_case(m)),
    })
}

fn all_in(a: Params<'_>, b: Params<'_>) -> bool {
    a.iter().all(|(name, value)| {
        find(b, name).is_some_and(|v| v.unwrap_or_default().eq_ignore_ascii_case(value.unwrap_or_default()))
    })
}

fn find<'a>(params: Params<'a>, name: &[u8]) -> Option<Option<&'a [u8]>> {
    params.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
}

/// The same header parts in any order.
fn same_headers(a: &[u8], b: &[u8]) -> bool {
    let parts = |s: &'_ [u8]| s.split(|&c| c == b'&').filter(|p| !p.is_empty()).count();
    parts(a) == parts(b)
        && a.split(|&c| c == b'&')
            .filter(|p| !p.is_empty())
            .all(|p| b.split(|&c| c == b'&').any(|q| p.eq_ignore_ascii_case(q)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        // uri | user | password | host | port | params | headers
        type Row = (
            &'static str,
            Option<&'static str>,
            Option<&'static str>,
            &'static str,
            Option<u16>,
            &'static str,
            &'static str,
        );
        #[rustfmt::skip]
        let rows: &[Row] = &[
            ("sip:first.last@x", Some("first.last"), None, "x", None, "", ""),
            ("sip:12345@[2001:db8::10]:5070;transport=tcp?a=b", Some("12345"), None, "2001:db8::10", Some(5070), ";transport=tcp", "a=b"),
            ("SIPS:alice:secret@atlanta.com", Some("alice"), Some("secret"), "atlanta.com", None, "", ""),
            ("sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com", None, None, "atlanta.com", None, ";method=REGISTER", "to=alice%40atlanta.com"),
            ("sip:user;par=u%40example.net@example.com", Some("user;par=u%40example.net"), None, "example.com", None, "", ""),
            ("sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
                Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"), Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"), "example.com", None, "", ""),
            ("tel:+86-531-8888;phone-context=x", Some("+86-531-8888"), None, "", None, ";phone-context=x", ""),
            ("tel:12345", Some("12345"), None, "", None, "", ""),
            ("urn:service:sos", None, None, "", None, "", ""),
            ("sip:null-%00-null@example.com", Some("null-%00-null"), None, "example.com", None, "", ""),
        ];
        for &(uri, user, password, host, port, params, headers) in rows {
            let u = Uri::parse(uri.as_bytes()).unwrap_or_else(|e| panic!("{uri}: {e}"));
            assert_eq!(u.user, user.map(str::as_bytes), "{uri}");
            assert_eq!(u.password, password.map(str::as_bytes), "{uri}");
            assert_eq!((u.host, u.port), (host.as_bytes(), port), "{uri}");
            assert_eq!((u.params.0, u.headers), (params.as_bytes(), headers.as_bytes()), "{uri}");
        }
        assert_eq!(Uri::parse(b"soap.beep://192.0.2.103:3002").unwrap().scheme, Scheme::Other(b"soap.beep"));
        assert_eq!(Uri::parse(b"sip:[2001:db8::1]").unwrap().ip(), "2001:db8::1".parse().ok());
        assert_eq!(Uri::parse(b"sip:192.0.2.1").unwrap().ip(), "192.0.2.1".parse().ok());
        assert_eq!(Uri::parse(b"sip:a.b").unwrap().ip(), None);
    }

    #[test]
    fn malformed() {
        for uri in [
            "",
            "sip",
            "sip:",
            "sip:@h",
            "sip:a@",
            "sip:a@b@c",
            "sip:a@b c",
            "sip:a@b:",
            "sip:a@b:70000",
            "sip:a@b:5x",
            "sip:a@[::1",
            "sip:a@[]",
            "sip:a@[x]",
            "sip:a@b<",
            "sip:a@b;x=y@z",
            "tel:",
            "tel:+",
            "tel:--",
            "tel:a b",
            "1x:y",
            ":x",
        ] {
            assert!(Uri::parse(uri.as_bytes()).is_err(), "{uri}");
        }
    }

    #[test]
    fn equivalence() {
        // RFC 3261 s19.1.4's own examples, and tel.
        let same = [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
            ("tel:+86-531", "tel:+86531"),
        ];
        let different = [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:carol@chicago.com;newparam=6", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:a%3Bb@h", "sip:a;b@h"),
            ("sip:bob@h", "sips:bob@h"),
            ("sip:bob@h", "sip:h"),
            ("tel:+86531", "tel:86531"),
        ];
        for (rows, want) in [(&same[..], true), (&different[..], false)] {
            for (a, b) in rows {
                let (ua, ub) = (Uri::parse(a.as_bytes()).unwrap(), Uri::parse(b.as_bytes()).unwrap());
                assert_eq!(ua.equivalent(&ub), want, "{a} {b}");
                assert_eq!(ub.equivalent(&ua), want, "{b} {a}");
            }
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(unescape(b"sips%3Auser%40example.com"), b"sips:user@example.com");
        assert_eq!(unescape(b"%Z%45%4"), b"%ZE%4");
        assert_eq!(unescape(b"null-%00-null"), b"null-\0-null");
    }
}
