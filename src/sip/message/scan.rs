//! Byte-level helpers of the SIP grammar (RFC 3261 s25.1): character classes, white space, quoted strings, comma
//! lists, numbers. Not here: anything that knows a header's meaning.
//! A folded line keeps its CRLF in place (nothing is copied), so CR and LF count as white space in a value.

/// Classes of a byte, as bits.
pub(crate) const TOKEN: u8 = 1;
pub(crate) const SPACE: u8 = 2;
/// What may stand between `<` and `>`: no white space, control, quote or bracket. Escapes are not checked.
pub(crate) const URI: u8 = 4;
/// An unquoted parameter value; wider than token for hosts and IPv6 addresses (`received=2001:db8::1`).
pub(crate) const VALUE: u8 = 8;
pub(crate) const HOST: u8 = 16;
/// A display name without quotes. The grammar says tokens; bytes above 0x7f are let through, separators are not: with
/// them it would be open which of two addresses is meant.
pub(crate) const DISPLAY: u8 = 32;
/// A URI not in `<>`: s20 forbids `,` `;` `?`, with which it would mix with a list, parameters or headers.
pub(crate) const BARE_URI: u8 = 64;

static CLASS: [u8; 256] = {
    let mut t = [0u8; 256];
    let token = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~";
    let mut i = 0;
    while i < token.len() {
        t[token[i] as usize] |= TOKEN | DISPLAY;
        i += 1;
    }
    let mut b = 0;
    while b < 256 {
        let c = b as u8;
        if matches!(c, b' ' | b'\t' | b'\r' | b'\n') {
            t[b] |= SPACE | DISPLAY;
        }
        if c >= 0x80 {
            t[b] |= DISPLAY;
        }
        if c > b' ' && !matches!(c, b'<' | b'>' | b'"' | 0x7f) {
            t[b] |= URI;
            if !matches!(c, b',' | b';') {
                t[b] |= VALUE;
            }
            if !matches!(c, b',' | b';' | b'?') {
                t[b] |= BARE_URI;
            }
        }
        if c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_') {
            t[b] |= HOST;
        }
        b += 1;
    }
    t
};

/// How many bytes at the start of `s` are of `class`.
pub(crate) fn run(s: &[u8], class: u8) -> usize {
    s.iter().position(|&b| CLASS[b as usize] & class == 0).unwrap_or(s.len())
}

pub(crate) fn is_space(b: u8) -> bool {
    CLASS[b as usize] & SPACE != 0
}

pub(crate) fn is_token(s: &[u8]) -> bool {
    !s.is_empty() && run(s, TOKEN) == s.len()
}

pub(crate) fn trim_start(mut s: &[u8]) -> &[u8] {
    while let [b, rest @ ..] = s
        && is_space(*b)
    {
        s = rest;
    }
    s
}

pub(crate) fn trim_end(mut s: &[u8]) -> &[u8] {
    while let [rest @ .., b] = s
        && is_space(*b)
    {
        s = rest;
    }
    s
}

pub(crate) fn trim(s: &[u8]) -> &[u8] {
    trim_end(trim_start(s))
}

/// Length of the quoted string at the start of `s` (both quotes counted); `None` if it never closes.
pub(crate) fn quoted_len(s: &[u8]) -> Option<usize> {
    debug_assert_eq!(s.first(), Some(&b'"'));
    let mut at = 1;
    loop {
        let i = at + memchr::memchr2(b'"', b'\\', s.get(at..)?)?;
        if s[i] == b'"' {
            return Some(i + 1);
        }
        // A quoted pair: whatever follows the backslash is text, a quote too.
        at = i + 2;
    }
}

/// The values of a comma list: commas inside quotes and angle brackets do not separate, empty elements are skipped.
#[derive(Clone, Debug)]
pub(crate) struct CommaList<'a>(pub &'a [u8]);

impl<'a> Iterator for CommaList<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.0.is_empty() {
            let end = element_len(self.0);
            let (element, rest) = self.0.split_at(end);
            self.0 = rest.get(1..).unwrap_or_default();
            let element = trim(element);
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    }
}

/// Where the first element of a comma list ends. An unclosed quote or bracket swallows the rest: the typed parser
/// of the element then refuses it.
fn element_len(s: &[u8]) -> usize {
    let mut at = 0;
    while let Some(i) = memchr::memchr3(b',', b'"', b'<', &s[at..]) {
        let i = at + i;
        let inner = match s[i] {
            b',' => return i,
            b'"' => quoted_len(&s[i..]),
            _ => memchr::memchr(b'>', &s[i..]).map(|n| n + 1),
        };
        match inner {
            Some(n) => at = i + n,
            None => return s.len(),
        }
    }
    s.len()
}

/// An unsigned decimal of any length: `Err(false)` not a number, `Err(true)` a number too large for `u32`.
pub(crate) fn decimal(s: &[u8]) -> Result<u32, bool> {
    if s.is_empty() || !s.iter().all(u8::is_ascii_digit) {
        return Err(false);
    }
    s.iter().try_fold(0u32, |n, d| n.checked_mul(10)?.checked_add(u32::from(d - b'0'))).ok_or(true)
}

/// A port: 0-65535 in at most five digits.
pub(crate) fn port(s: &[u8]) -> Option<u16> {
    if s.len() > 5 {
        return None;
    }
    u16::try_from(decimal(s).ok()?).ok()
}

/// Splits `host[:port]`, brackets of an IPv6 host kept, white space around `:` allowed (RFC 3261's COLON). The host's
/// characters are checked, so it can be written anywhere.
pub(crate) fn host_port(s: &[u8]) -> Result<(&[u8], Option<u16>), &'static str> {
    let (host, rest) = if s.first() == Some(&b'[') {
        let end = memchr::memchr(b']', s).ok_or("IPv6 address without ]")? + 1;
        let inner = &s[1..end - 1];
        if inner.len() < 2 || !inner.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')) {
            return Err("IPv6 address malformed");
        }
        s.split_at(end)
    } else {
        let end =
            s.iter().position(|&b| !(b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))).unwrap_or(s.len());
        s.split_at(end)
    };
    if host.is_empty() {
        return Err("host missing");
    }
    match trim_start(rest) {
        [] => Ok((host, None)),
        [b':', digits @ ..] => Ok((host, Some(port(trim(digits)).ok_or("port malformed")?))),
        _ => Err("host malformed"),
    }
}

/// `host` as an address, brackets or not.
pub(crate) fn host_ip(host: &[u8]) -> Option<std::net::IpAddr> {
    let bare = host.strip_prefix(b"[").and_then(|h| h.strip_suffix(b"]")).unwrap_or(host);
    // An address starts with a hex digit or a colon and is short; most domain names are told apart without parsing.
    if bare.len() > 45 {
        return None;
    }
    std::str::from_utf8(bare).ok()?.parse().ok()
}
