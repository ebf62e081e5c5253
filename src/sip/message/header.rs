//! The typed values of the headers every element needs: Via, name-addr headers, CSeq, parameters (RFC 3261 s20, s25.1).
//! Not here: names (`name`), the index (`parse`), URIs (`uri`).

use super::Method;
use super::scan::{BARE_URI, DISPLAY, SPACE, TOKEN, URI, VALUE};
use super::scan::{decimal, host_port, is_token, quoted_len, run, trim, trim_end, trim_start};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// `UDP`, `TCP`, ... as sent.
    pub transport: &'a [u8],
    /// sent-by host, IPv6 brackets kept.
    pub host: &'a [u8],
    pub port: Option<u16>,
    pub params: Params<'a>,
    branch: Option<&'a [u8]>,
    rport: bool,
}

impl<'a> Via<'a> {
    /// What stands in for a Via that cannot be read.
    pub(super) const UNREADABLE: Via<'static> =
        Via { transport: b"", host: b"", port: None, params: Params(b""), branch: None, rport: false };

    /// One via-parm: `SIP/2.0/UDP host:port;branch=...`, white space wherever the grammar lets it be.
    pub fn parse(value: &'a [u8]) -> Result<Via<'a>, &'static str> {
        let (protocol, rest) = value.split_at_checked(8).ok_or("Via too short")?;
        let rest = if protocol == b"SIP/2.0/" { rest } else { loose_protocol(value)? };
        let rest = trim_start(rest);
        let (transport, rest) = rest.split_at(run(rest, TOKEN));
        if transport.is_empty() || run(rest, SPACE) == 0 {
            return Err("Via transport malformed");
        }
        let rest = trim_start(rest);
        let sent_by_end = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let (sent_by, params) = rest.split_at(sent_by_end);
        let (host, port) = host_port(trim_end(sent_by)).map_err(|_| "Via sent-by malformed")?;
        let params = Params(params);
        let (mut branch, mut rport) = (None, false);
        for param in params.strict() {
            let (name, value) = param.map_err(|()| "Via parameter malformed")?;
            if name.eq_ignore_ascii_case(b"branch") {
                if branch.is_some() {
                    return Err("Via with two branches");
                }
                branch = Some(value.unwrap_or_default());
            } else if name.eq_ignore_ascii_case(b"rport") {
                rport = true;
            }
        }
        Ok(Via { transport, host, port, params, branch, rport })
    }

    pub fn branch(&self) -> Option<&'a [u8]> {
        self.branch
    }

    /// `rport` present (with or without value).
    pub fn wants_rport(&self) -> bool {
        self.rport
    }
}

/// `SIP / 2.0 / ` with white space around the slashes; what follows it.
fn loose_protocol(value: &[u8]) -> Result<&[u8], &'static str> {
    let mut parts = value.splitn(3, |&b| b == b'/');
    let name = trim(parts.next().unwrap_or_default());
    let version = trim(parts.next().unwrap_or_default());
    if !name.eq_ignore_ascii_case(b"SIP") || version != b"2.0" {
        return Err("Via protocol is not SIP/2.0");
    }
    parts.next().ok_or("Via transport missing")
}

/// `"Display" <uri>;params` or `uri;params`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// Display name without its quotes, escapes kept.
    pub display: Option<&'a [u8]>,
    pub uri: &'a [u8],
    /// Header parameters (after `>`; for the bare form everything after `;`).
    pub params: Params<'a>,
    /// The whole value as sent, for verbatim echo.
    pub raw: &'a [u8],
    tag: Option<&'a [u8]>,
}

impl<'a> NameAddr<'a> {
    pub fn parse(value: &'a [u8]) -> Result<NameAddr<'a>, &'static str> {
        let raw = trim(value);
        let (display, uri, params) = split_name_addr(raw)?;
        if !has_scheme(uri) {
            return Err("address without a URI scheme");
        }
        let params = Params(params);
        let mut tag = None;
        for param in params.strict() {
            let (name, value) = param.map_err(|()| "address parameter malformed")?;
            if name.eq_ignore_ascii_case(b"tag") {
                match value {
                    Some(v) if tag.is_none() && is_token(v) => tag = Some(v),
                    _ => return Err("tag malformed"),
                }
            }
        }
        Ok(NameAddr { display, uri, params, raw, tag })
    }

    pub fn tag(&self) -> Option<&'a [u8]> {
        self.tag
    }

    /// What stands in for an address that cannot be read: its bytes only.
    pub(super) fn unreadable(raw: &'a [u8]) -> NameAddr<'a> {
        NameAddr { display: None, uri: b"", params: Params(b""), raw, tag: None }
    }

    /// `Contact: *` (RFC 3261 s10.2.2).
    pub(super) fn star(raw: &'a [u8]) -> NameAddr<'a> {
        NameAddr { display: None, uri: b"*", params: Params(b""), raw, tag: None }
    }
}

/// Display name, URI, parameters with their first `;`.
type Parts<'a> = (Option<&'a [u8]>, &'a [u8], &'a [u8]);

/// Length of a quoted string in GBK, as gateways here send names: the second byte of a character may be a backslash
/// (0x5c), which then escapes nothing.
fn gbk_quoted_len(raw: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match raw.get(at..)? {
            [b'"', ..] => return Some(at + 1),
            [0x81..=0xfe, 0x40..=0xfe, ..] | [b'\\', _, ..] => at += 2,
            [_, ..] => at += 1,
            [] => return None,
        }
    }
}

/// Cuts an address apart. The first quote decides: `"a\" <sip:evil@z.com>" <sip:x@y.com>` is x@y.com.
fn split_name_addr(raw: &[u8]) -> Result<Parts<'_>, &'static str> {
    let (display, rest) = if raw.first() == Some(&b'"') {
        let before_uri = |len: &usize| trim_start(&raw[*len..]).first() == Some(&b'<');
        let len = quoted_len(raw).ok_or("display name with an unclosed quote");
        let len = match len {
            Ok(len) if before_uri(&len) => len,
            // Not as the grammar has it; perhaps as GBK does.
            Ok(_) => gbk_quoted_len(raw).filter(before_uri).ok_or("no <URI> after the display name")?,
            Err(fault) => gbk_quoted_len(raw).filter(before_uri).ok_or(fault)?,
        };
        let rest = trim_start(&raw[len..]);
        (Some(&raw[1..len - 1]), rest)
    } else {
        match memchr::memchr(b'<', raw) {
            None => {
                let (uri, rest) = raw.split_at(run(raw, BARE_URI));
                let rest = trim_start(rest);
                if !matches!(rest, [] | [b';', ..]) {
                    return Err("address not in <> is malformed");
                }
                return Ok((None, uri, rest));
            }
            Some(i) => {
                let display = trim_end(&raw[..i]);
                if run(display, DISPLAY) != display.len() {
                    return Err("display name needs quotes");
                }
                ((!display.is_empty()).then_some(display), &raw[i..])
            }
        }
    };
    let (uri, rest) = rest[1..].split_at(run(&rest[1..], URI));
    if rest.first() != Some(&b'>') {
        return Err("URI malformed or without its >");
    }
    let params = trim_start(&rest[1..]);
    if !matches!(params, [] | [b';', ..]) {
        return Err("text after the address");
    }
    Ok((display, uri, params))
}

/// `scheme:` of at least one letter and something after it.
fn has_scheme(uri: &[u8]) -> bool {
    if uri.len() > 4 && &uri[..4] == b"sip:" {
        return true;
    }
    let Some(colon) = memchr::memchr(b':', uri) else { return false };
    let scheme = &uri[..colon];
    uri.len() > colon + 1
        && scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    pub seq: u32,
    pub method: Method<'a>,
}

impl<'a> CSeq<'a> {
    /// `8 INVITE`; the number must be below 2^31 (RFC 3261 s8.1.1.5).
    pub fn parse(value: &'a [u8]) -> Result<CSeq<'a>, &'static str> {
        let (number, method) = value.split_at(run(value, TOKEN));
        let method = trim_start(method);
        if !is_token(method) {
            return Err("CSeq method malformed");
        }
        match decimal(number) {
            Ok(seq) if seq < 1 << 31 => Ok(CSeq { seq, method: Method::parse(method) }),
            Ok(_) | Err(true) => Err("CSeq number is 2^31 or more"),
            Err(false) => Err("CSeq number malformed"),
        }
    }
}

/// A parameter's name and, unless it is a flag, its value with quotes stripped.
pub type Param<'a> = (&'a [u8], Option<&'a [u8]>);

/// `;a=b;c;d="e"` left unparsed until asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params<'a>(pub &'a [u8]);

impl<'a> Params<'a> {
    /// `None`: absent; `Some(None)`: a flag; `Some(Some(v))`: value with quotes stripped. Names are case-insensitive.
    pub fn get(&self, name: &str) -> Option<Option<&'a [u8]>> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, v)| v)
    }

    /// Names and values in order; empty parameters (`;;`) are skipped.
    pub fn iter(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        Segments(self.0).map(name_and_value).filter(|(n, _)| !n.is_empty())
    }

    /// Each parameter as sent, without its `;`, trimmed.
    pub(super) fn segments(&self) -> Segments<'a> {
        Segments(self.0)
    }

    /// As `iter`, but a parameter outside the grammar is an `Err`, and then nothing more comes.
    pub(super) fn strict(&self) -> Strict<'a> {
        Strict(self.0)
    }
}

/// `*(SEMI name [EQUAL (value / quoted-string)])` in one pass.
pub(super) struct Strict<'a>(&'a [u8]);

impl<'a> Iterator for Strict<'a> {
    type Item = Result<Param<'a>, ()>;

    fn next(&mut self) -> Option<Self::Item> {
        let s = trim_start(std::mem::take(&mut self.0));
        let (&semicolon, s) = s.split_first()?;
        let s = trim_start(s);
        let (name, s) = s.split_at(run(s, TOKEN));
        let mut rest = trim_start(s);
        let mut value = None;
        if let [b'=', s @ ..] = rest {
            let s = trim_start(s);
            let (v, s) = if s.first() == Some(&b'"') {
                let Some(len) = quoted_len(s) else { return Some(Err(())) };
                (&s[1..len - 1], &s[len..])
            } else {
                s.split_at(run(s, VALUE))
            };
            value = Some(v);
            rest = trim_start(s);
        }
        if semicolon != b';' || name.is_empty() || !matches!(rest, [] | [b';', ..]) {
            return Some(Err(()));
        }
        self.0 = rest;
        Some(Ok((name, value)))
    }
}

fn name_and_value(segment: &[u8]) -> Param<'_> {
    match memchr::memchr(b'=', segment) {
        None => (segment, None),
        Some(eq) => {
            let value = trim_start(&segment[eq + 1..]);
            let bare = match value {
                [b'"', inner @ .., b'"'] => inner,
                _ => value,
            };
            (trim_end(&segment[..eq]), Some(bare))
        }
    }
}

/// The parts between the semicolons, quotes respected, trimmed.
#[derive(Clone, Debug)]
pub(super) struct Segments<'a>(&'a [u8]);

impl<'a> Iterator for Segments<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let s = trim_start(self.0);
        let s = s.strip_prefix(b";").unwrap_or(s);
        if self.0.is_empty() || (s.is_empty() && trim_start(self.0).is_empty()) {
            return None;
        }
        let mut at = 0;
        let end = loop {
            match memchr::memchr2(b';', b'"', &s[at..]) {
                None => break s.len(),
                Some(i) if s[at + i] == b';' => break at + i,
                Some(i) => match quoted_len(&s[at + i..]) {
                    Some(n) => at += i + n,
                    None => break s.len(),
                },
            }
        };
        self.0 = &s[end..];
        Some(trim(&s[..end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        type Row<'a> = (&'a str, Result<(Option<&'a str>, &'a str, Option<&'a str>), ()>);
        let rows: &[Row] = &[
            ("sip:a@b", Ok((None, "sip:a@b", None))),
            ("sip:a@b;tag=x", Ok((None, "sip:a@b", Some("x")))),
            ("<sip:a@b;tag=uri>", Ok((None, "sip:a@b;tag=uri", None))),
            ("<sip:a@b> ; TAG = y", Ok((None, "sip:a@b", Some("y")))),
            ("Joe Q <tel:+86531>;tag=z", Ok((Some("Joe Q"), "tel:+86531", Some("z")))),
            ("caller<sip:a@b>", Ok((Some("caller"), "sip:a@b", None))),
            ("\"\" <sip:a@b>", Ok((Some(""), "sip:a@b", None))),
            (r#""a\" <sip:evil@z.com>" <sip:x@y.com>"#, Ok((Some(r#"a\" <sip:evil@z.com>"#), "sip:x@y.com", None))),
            ("\"a;tag=1\" <sip:a@b>;p=\";tag=2\";tag=3", Ok((Some("a;tag=1"), "sip:a@b", Some("3")))),
            ("<sip:a@b>;+sip.instance=\"<urn:uuid:0>\"", Ok((None, "sip:a@b", None))),
            ("张三 <sip:a@b>", Ok((Some("张三"), "sip:a@b", None))),
            ("<urn:service:sos>", Ok((None, "urn:service:sos", None))),
            ("\"open <sip:a@b>", Err(())),
            ("Bell, Alexander <sip:a@b>", Err(())),
            ("sip:evil@z <sip:x@y>", Err(())),
            ("< sip:a@b >", Err(())),
            ("<sip:a@b", Err(())),
            ("<>", Err(())),
            ("", Err(())),
            ("a@b", Err(())),
            ("<sip:a@b>;;", Err(())),
            ("<sip:a@b>;tag", Err(())),
            ("<sip:a@b>;tag=", Err(())),
            ("<sip:a@b>;tag=1;tag=2", Err(())),
            ("<sip:a@b>;p=\"x", Err(())),
            ("<sip:a@b> junk", Err(())),
            ("<sip:a@b>, <sip:c@d>", Err(())),
            ("sip:a@b?Route=x", Err(())),
            ("sip:a@b, sip:c@d", Err(())),
        ];
        for (value, want) in rows {
            let got = NameAddr::parse(value.as_bytes());
            let got = got.as_ref().map(|n| (n.display, n.uri, n.tag())).map_err(|_| ());
            let want = want.map(|(d, u, t)| (d.map(str::as_bytes), u.as_bytes(), t.map(str::as_bytes)));
            assert_eq!(got, want, "{value}");
        }
    }

    #[test]
    fn vias() {
        let v = Via::parse(b"SIP/2.0/UDP [2001:db8::9:1]:5080;rport;branch=z9hG4bKas3;received=::1").unwrap();
        assert_eq!((v.transport, v.host, v.port), (&b"UDP"[..], &b"[2001:db8::9:1]"[..], Some(5080)));
        assert_eq!(v.branch(), Some(&b"z9hG4bKas3"[..]));
        assert!(v.wants_rport());
        assert_eq!(v.params.get("received"), Some(Some(&b"::1"[..])));

        let v = Via::parse(b"SIP  /   2.0\r\n /UDP\r\n    192.0.2.2 : 7;branch=\r\n 390").unwrap();
        assert_eq!((v.host, v.port, v.branch()), (&b"192.0.2.2"[..], Some(7), Some(&b"390"[..])));
        assert!(!v.wants_rport());

        for bad in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/3.0/UDP h",
            "HTTP/2.0/UDP h",
            "SIP/2.0/ h",
            "SIP/2.0/UDP h:99999",
            "SIP/2.0/UDP h:",
            "SIP/2.0/UDP h h",
            "SIP/2.0/UDP [::1",
            "SIP/2.0/UDP 192.0.2.15;;",
            "SIP/2.0/UDP h;branch=a;branch=b",
            "SIP/2.0/UDP h;branch=\"a",
        ] {
            assert!(Via::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn cseqs() {
        assert_eq!(CSeq::parse(b"0009\r\n  INVITE"), Ok(CSeq { seq: 9, method: Method::Invite }));
        assert_eq!(CSeq::parse(b"2147483647 X-y"), Ok(CSeq { seq: 2_147_483_647, method: Method::Other(b"X-y") }));
        for bad in
            ["2147483648 INVITE", "36893488147419103232 A", "-1 INVITE", "INVITE", "1", "1 ", "1 IN VITE", "+1 A"]
        {
            assert!(CSeq::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn params() {
        let p = Params(b" ; a = 1 ;b; C=\"x;y\\\"z\";d=");
        let all: Vec<_> = p.iter().collect();
        assert_eq!(all, [(&b"a"[..], Some(&b"1"[..])), (b"b", None), (b"C", Some(b"x;y\\\"z")), (b"d", Some(b"")),]);
        assert_eq!(p.get("c"), Some(Some(&b"x;y\\\"z"[..])));
        assert_eq!(p.get("B"), Some(None));
        assert_eq!(p.get("e"), None);
        assert_eq!(Params(b"").iter().count(), 0);
        assert_eq!(Params(b";;lr;").iter().count(), 1);
        assert_eq!(Params(b";").strict().filter(|p| p.is_err()).count(), 1);
        assert_eq!(Params(b";a;").strict().filter(|p| p.is_err()).count(), 1);
    }
}
